//! What a command is for, by its first words.

/// What a check is for. The order is the one in which an agent wants to know them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Purpose {
    Test,
    Build,
    Types,
    Lint,
    Format,
    Coverage,
    Docs,
    Audit,
}

impl Purpose {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Test => "test",
            Self::Build => "build",
            Self::Types => "types",
            Self::Lint => "lint",
            Self::Format => "format",
            Self::Coverage => "coverage",
            Self::Docs => "docs",
            Self::Audit => "audit",
        }
    }
}

use Purpose::{Audit, Build, Coverage, Docs, Format, Lint, Test, Types};

/// First words of commands by what they check. The longest that fits decides.
#[rustfmt::skip]
const COMMANDS: &[(Purpose, &[&str])] = &[
    (Test, &[
        "cargo test", "cargo nextest", "cargo t", "cargo miri test", "go test", "gotestsum",
        "ginkgo", "pytest", "py.test", "unittest", "tox", "nox", "trial", "nose2",
        "manage.py test", "vitest", "jest", "mocha", "ava", "tap", "node --test",
        "playwright test", "cypress run", "wdio", "karma", "ng test", "bun test", "deno test",
        "nx affected", "mvn", "mvnw", "sbt", "dotnet test", "mix test", "rspec", "rails test",
        "phpunit", "pest", "swift test", "flutter test", "dart test", "ctest", "meson test",
        "bazel test", "bazelisk test", "buck2 test", "zig build test", "zig test", "stack test",
        "cabal test", "dune test", "dune runtest", "lein test", "clojure -M:test", "busted",
        "bats", "forge test",
    ]),
    (Build, &[
        "cargo build", "cargo check", "go build", "build", "ng build", "vite build", "next build",
        "webpack", "rollup", "tsup", "esbuild", "turbo", "dotnet build", "mix compile",
        "swift build", "xcodebuild", "cmake --build", "ninja", "meson compile", "bazel build",
        "zig build", "stack build", "cabal build", "dune build",
    ]),
    (Types, &[
        "mypy", "pyright", "basedpyright", "ty check", "pyre", "tsc", "vue-tsc", "svelte-check",
        "attw", "deno check", "mix dialyzer", "sorbet", "srb tc", "phpstan", "psalm",
        "terraform validate",
    ]),
    (Lint, &[
        "cargo clippy", "go vet", "golangci-lint", "staticcheck", "revive", "ruff check", "ruff",
        "flake8", "pylint", "pre-commit run", "prek run", "eslint", "oxlint", "biome", "xo",
        "standard", "stylelint", "ng lint", "next lint", "deno lint", "mix credo", "rubocop",
        "standardrb", "phpcs", "swiftlint", "flutter analyze", "dart analyze", "clang-tidy",
        "cppcheck", "hlint", "clj-kondo", "luacheck", "shellcheck", "hadolint", "actionlint",
        "yamllint", "buf lint", "sqlfluff lint", "tflint", "helm lint",
    ]),
    (Format, &[
        "cargo fmt", "rustfmt", "gofmt", "gofumpt", "goimports", "ruff format", "black", "isort",
        "yapf", "prettier", "dprint", "deno fmt", "dotnet format", "mix format", "php-cs-fixer",
        "pint", "swiftformat", "dart format", "clang-format", "zig fmt", "shfmt", "terraform fmt",
    ]),
    (Coverage, &[
        "cargo llvm-cov", "cargo tarpaulin", "go tool cover", "coverage", "pytest --cov", "c8",
        "nyc", "mix coveralls", "gcovr",
    ]),
    (Docs, &[
        "cargo doc", "cargo rustdoc", "interrogate", "pydocstyle", "sphinx-build", "mkdocs",
        "typedoc", "mix docs", "yard", "markdownlint", "markdownlint-cli2", "vale", "lychee",
        "codespell", "typos",
    ]),
    (Audit, &[
        "cargo audit", "cargo deny", "govulncheck", "bandit", "pip-audit", "safety", "npm audit",
        "yarn audit", "pnpm audit", "brakeman", "bundle-audit", "zizmor", "trivy", "semgrep",
        "osv-scanner", "gitleaks",
    ]),
];

/// Look like the above and check nothing.
#[rustfmt::skip]
const NO_CHECKS: &[&str] = &[
    "npm ci", "npm install", "npm i", "npm start", "pnpm install", "pnpm i", "yarn install",
    "bun install", "composer install", "cargo install", "go install", "pip install",
    "npm add", "pnpm add", "yarn add", "bun add", "uv add", "poetry add", "pdm add", "cargo add", "go get",
    "mix deps.get", "bundle install", "tox --version", "pre-commit install",
];

/// What is put before a command without changing what it is for.
#[rustfmt::skip]
const WRAPPERS: &[&str] = &[
    "bash", "sh", "sudo", "time", "env", "exec", "command", "xvfb-run -a", "xvfb-run", "npx --no-install", "npx",
    "bunx", "pnpm exec", "pnpm dlx", "yarn dlx", "npm exec --", "npm exec", "uv run", "uvx",
    "poetry run", "pipenv run", "pdm run", "rye run", "hatch run", "pipx run", "python -m",
    "python3 -m", "python", "python3", "bundle exec", "mise exec --", "mise x --", "direnv exec .",
    "php", "cross-env", "dotenv --", "corepack", "nix develop -c", "nix develop --command",
];

/// Run a task by its name: the words after are the name.
#[rustfmt::skip]
const TASK_RUNNERS: &[&str] = &[
    "npm run-script", "npm run", "npm", "pnpm run", "pnpm -r", "pnpm", "yarn run", "yarn",
    "bun run", "deno task", "make", "gmake", "just", "task", "mise run", "mage", "rake", "invoke",
    "inv", "poe", "composer run", "composer", "cargo xtask", "cargo make", "gradle", "gradlew",
    "nx run-many -t", "nx run", "turbo run", "turbo", "lerna run", "moon run", "earthly",
    "dagger call", "hatch test",
];

/// In a command that runs tests these measure as well.
#[rustfmt::skip]
const MEASURING: &[&str] = &[
    "--cov", "--coverage", "-cover", "--experimental-test-coverage", "--enable-code-coverage", "--collect:",
    "--collect ", "CollectCoverage=true", "jacoco", "kover",
];

/// What a command checks; `None` when it checks nothing (installs, publishes, prints, ...).
pub fn purpose_of(command: &str) -> Option<Purpose> {
    command
        .split("&&")
        .flat_map(|part| part.split(';'))
        .find_map(purpose_of_part)
}

fn purpose_of_part(part: &str) -> Option<Purpose> {
    let mut words: Vec<&str> = part.split_whitespace().collect();
    let mut program = "";
    loop {
        let before = words.len();
        while words.first().is_some_and(|word| is_assignment(word)) {
            words.remove(0);
        }
        if let Some(first) = words.first_mut() {
            program = first;
            *first = first
                .trim_start_matches("./")
                .rsplit("bin/")
                .next()
                .unwrap_or(first);
        }
        // `cargo +nightly test`
        words.retain(|word| !(word.starts_with('+') && word.len() > 1));
        let joined = words.join(" ");
        if let Some(wrapper) = longest(WRAPPERS.iter().copied(), &joined) {
            // A wrapper with options hides the command; its options are dropped one by one.
            words.drain(..wrapper.split(' ').count());
            while words.first().is_some_and(|word| word.starts_with('-')) {
                words.remove(0);
            }
        }
        if words.len() == before {
            break;
        }
    }
    let command = words.join(" ");
    if command.ends_with(" --version") || longest(NO_CHECKS.iter().copied(), &command).is_some() {
        return None;
    }
    let coverage = MEASURING.iter().any(|flag| command.contains(flag));
    let known = COMMANDS
        .iter()
        .filter_map(|(purpose, starts)| {
            Some((longest(starts.iter().copied(), &command)?, *purpose))
        })
        .max_by_key(|(start, _)| start.len());
    let purpose = match (known, longest(TASK_RUNNERS.iter().copied(), &command)) {
        (Some((_, purpose)), _) => Some(purpose),
        (None, Some(runner)) => words[runner.split(' ').count()..]
            .iter()
            .filter(|word| !word.starts_with('-') && !word.contains('='))
            .find_map(|word| purpose_of_name(word)),
        (None, None) if is_script(program) => purpose_of_script(program, &words[1..]),
        (None, None) => None,
    };
    if coverage && purpose == Some(Test) {
        Some(Coverage)
    } else {
        purpose
    }
}

/// What a task of that name is for, `test:unit`, `typecheck`, `lint-fix`; `None` for those that
/// publish, serve, watch, change files, ...
pub fn purpose_of_name(name: &str) -> Option<Purpose> {
    #[rustfmt::skip]
    const NOT: &[&str] = &[
        "publish", "deploy", "release", "watch", "dev", "start", "serve", "install", "clean",
        "fix", "update", "debug", "docker", "setup", "bootstrap", "push", "upload", "seed",
        "migrate", "storybook", "bench", "pre", "post", "prepare", "ui", "open", "help",
        "download",
    ];
    #[rustfmt::skip]
    const NAMES: &[(Purpose, &[&str])] = &[
        (Coverage, &["coverage", "cov", "cover"]),
        (Test, &["test", "tests", "spec", "e2e", "pytest", "unittest"]),
        (Lint, &["lint", "clippy", "vet", "linter", "eslint", "ruff"]),
        (Format, &["fmt", "format", "formatting", "style", "prettier", "spotlesscheck"]),
        (Types, &["typecheck", "type", "types", "typing", "mypy", "tsc", "pyright"]),
        (Docs, &["docs", "doc"]),
        (Audit, &["audit", "security"]),
        (Build, &["build", "compile", "assemble"]),
        (Test, &["check", "checks", "verify", "validate", "ci", "qa"]),
    ];
    let name = name.rsplit('/').next().unwrap_or(name).to_lowercase();
    let parts: Vec<&str> = name
        .split(|c: char| !c.is_alphanumeric())
        .filter(|part| !part.is_empty())
        .collect();
    if parts.iter().any(|part| NOT.contains(part)) {
        return None;
    }
    // `type-check` is about types, `check` alone is everything: the table's order decides.
    NAMES
        .iter()
        .find(|(_, words)| words.iter().any(|word| parts.contains(word)))
        .map(|(purpose, _)| *purpose)
        .or_else(|| (parts.len() == 1 && parts[0].ends_with("test")).then_some(Test))
}

/// For comparing: `npm run test` is `npm test`.
pub(super) fn normalised(command: &str) -> String {
    let command = command.split_whitespace().collect::<Vec<_>>().join(" ");
    ["npm", "yarn", "pnpm"]
        .iter()
        .find_map(|tool| {
            command
                .strip_prefix(&format!("{tool} run "))
                .map(|task| format!("{tool} {task}"))
        })
        .unwrap_or(command)
}

/// The longest of `starts` that `command` starts with, as whole words.
fn longest<'a>(starts: impl Iterator<Item = &'a str>, command: &str) -> Option<&'a str> {
    starts
        .filter(|start| {
            command
                .strip_prefix(start)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
        })
        .max_by_key(|start| start.len())
}

fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty()
            && name
                .chars()
                .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
    })
}

/// `scripts/test.sh`, `./dev test`, `.ci/run`: the name tells, else an argument, else the folder.
fn purpose_of_script(program: &str, arguments: &[&str]) -> Option<Purpose> {
    let folder = program.rsplit_once('/').map_or("", |(folder, _)| folder);
    let name = program.rsplit('/').next().unwrap_or(program);
    let name = name.split('.').next().unwrap_or(name);
    let arguments = arguments
        .iter()
        .copied()
        .filter(|word| !word.starts_with('-'));
    std::iter::once(name)
        .chain(arguments.take(2))
        .chain([folder])
        .find_map(purpose_of_name)
}

/// A program of the repository rather than of the machine.
fn is_script(word: &str) -> bool {
    word.contains('/') || word.ends_with(".sh") || word.ends_with(".py")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_have_purposes() {
        let cases = [
            ("cargo test --workspace", Some(Test)),
            (
                "RUST_BACKTRACE=1 cargo +nightly clippy -- -D warnings",
                Some(Lint),
            ),
            ("uv run --frozen pytest -q", Some(Test)),
            ("python -m pytest --cov=src", Some(Coverage)),
            ("npm ci", None),
            ("pnpm add -D vitest@3 @vitest/coverage-v8@3", None),
            ("npm run test:unit", Some(Test)),
            ("pnpm -r lint", Some(Lint)),
            ("yarn typecheck", Some(Types)),
            ("npx tsc --noEmit", Some(Types)),
            ("make -j4 check", Some(Test)),
            ("make install", None),
            ("cd web && npm test", Some(Test)),
            ("go test ./... -coverprofile=c.out", Some(Coverage)),
            ("go test -race -covermode=atomic ./...", Some(Coverage)),
            ("python -m unittest discover", Some(Test)),
            ("make cover", Some(Coverage)),
            ("./gradlew test jacocoTestReport", Some(Coverage)),
            (
                "dotnet test --collect:\"XPlat Code Coverage\"",
                Some(Coverage),
            ),
            ("golangci-lint run", Some(Lint)),
            ("./gradlew build", Some(Build)),
            ("./mvnw -B verify", Some(Test)),
            ("./scripts/test.sh", Some(Test)),
            ("./dev test --quick", Some(Test)),
            ("./dev release", None),
            ("bash ci/lint.sh", Some(Lint)),
            (".ci/run", Some(Test)),
            ("./deploy.sh production", None),
            ("sudo apt-get install -y protobuf", None),
            ("cargo publish", None),
            ("npm run deploy", None),
            ("vendor/bin/phpunit", Some(Test)),
            ("echo testing", None),
            ("cargo install cargo-nextest", None),
            ("node_modules/.bin/eslint .", Some(Lint)),
            ("pip install -r requirements-test.txt", None),
        ];
        for (command, expected) in cases {
            assert_eq!(purpose_of(command), expected, "{command}");
        }
    }

    #[test]
    fn the_same_task_by_two_names() {
        assert_eq!(normalised("npm  run test"), normalised("npm test"));
    }
}
