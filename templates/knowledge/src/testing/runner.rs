//! What runs the tests of a repository, and how to run one of them alone.

use changelings_sdk::repo;
use changelings_sdk::{Failure, prompt};

use super::style::escaped;
use crate::checks::Check;
use crate::survey::Survey;
use crate::{decoy, language};

/// A program that runs tests.
#[derive(Debug, PartialEq, Eq)]
pub struct Runner {
    pub name: &'static str,
    /// Names in [`language::LANGUAGES`].
    pub languages: &'static [&'static str],
    /// Files that only this runner reads, as globs of names.
    pub files: &'static [&'static str],
    /// Words in a package manifest that say it is used.
    pub dependencies: &'static [&'static str],
    /// Words in a command that runs it.
    pub commands: &'static [&'static str],
    /// Words in a test file that say it is for this runner.
    pub imports: &'static [&'static str],
    /// Comes with the language: a test file that imports it needs no set-up.
    pub is_built_in: bool,
    /// Runs one test. `{run}`: how the package manager starts a tool, `{path}`, `{folder}`,
    /// `{line}`, `{name}` and `{class}`: where the test is and what it is called.
    pub one: &'static str,
}

const fn runner(
    name: &'static str,
    languages: &'static [&'static str],
    one: &'static str,
) -> Runner {
    Runner {
        name,
        languages,
        files: &[],
        dependencies: &[],
        commands: &[],
        imports: &[],
        is_built_in: false,
        one,
    }
}

const SCRIPT: &[&str] = &["TypeScript", "JavaScript"];
const JVM: &[&str] = &["Java", "Kotlin", "Groovy", "Scala"];

/// All runners known; of several that are used in a folder, an earlier one is meant unless the test
/// file says otherwise.
#[rustfmt::skip]
pub static RUNNERS: &[Runner] = &[
    Runner {
        files: &["nextest.toml"],
        commands: &["cargo nextest"],
        ..runner("cargo-nextest", &["Rust"], "cargo nextest run {name}")
    },
    Runner { files: &["Cargo.toml"], ..runner("cargo test", &["Rust"], "cargo test {name}") },
    Runner {
        files: &["pytest.ini", "conftest.py"],
        dependencies: &["pytest"],
        commands: &["pytest", "py.test"],
        imports: &["import pytest"],
        ..runner("pytest", &["Python"], "{run}pytest {path} -k {name}")
    },
    Runner {
        commands: &["manage.py test"],
        imports: &["from django.test"],
        ..runner("Django's test runner", &["Python"], "{run}python manage.py test -k {name}")
    },
    Runner {
        commands: &["-m unittest"],
        imports: &["import unittest", "from unittest"],
        is_built_in: true,
        ..runner("unittest", &["Python"], "{run}python -m unittest -k {name} {path}")
    },
    Runner {
        files: &["vitest.config.*", "vitest.workspace.*"],
        dependencies: &["\"vitest\""],
        commands: &["vitest"],
        imports: &["\"vitest\"", "'vitest'"],
        ..runner("vitest", SCRIPT, "{run}vitest run {path} -t '{name}'")
    },
    Runner {
        files: &["jest.config.*"],
        dependencies: &["\"jest\"", "\"ts-jest\"", "\"react-scripts\"", "\"jest-expo\""],
        commands: &["jest", "react-scripts test"],
        imports: &["@jest/globals", "jest.fn", "jest.mock"],
        ..runner("jest", SCRIPT, "{run}jest {path} -t '{name}'")
    },
    Runner {
        files: &[".mocharc.*"],
        dependencies: &["\"mocha\""],
        commands: &["mocha"],
        imports: &["\"mocha\"", "'mocha'"],
        ..runner("mocha", SCRIPT, "{run}mocha {path} -g '{name}'")
    },
    Runner {
        dependencies: &["\"ava\""],
        commands: &["ava"],
        imports: &["\"ava\"", "'ava'"],
        ..runner("AVA", SCRIPT, "{run}ava {path} --match '{name}'")
    },
    Runner {
        commands: &["node --test"],
        imports: &["node:test"],
        is_built_in: true,
        ..runner("node's test runner", SCRIPT, "node --test --test-name-pattern='{name}' {path}")
    },
    Runner {
        files: &["playwright.config.*"],
        dependencies: &["\"@playwright/test\""],
        commands: &["playwright test"],
        imports: &["@playwright/test"],
        ..runner("Playwright", SCRIPT, "{run}playwright test {path}:{line}")
    },
    Runner {
        files: &["cypress.config.*", "cypress.json"],
        dependencies: &["\"cypress\""],
        commands: &["cypress run"],
        imports: &["cy."],
        ..runner("Cypress", SCRIPT, "{run}cypress run --spec {path}")
    },
    Runner {
        files: &["bunfig.toml"],
        commands: &["bun test"],
        imports: &["bun:test"],
        ..runner("bun test", SCRIPT, "bun test {path} -t '{name}'")
    },
    Runner {
        files: &["deno.json", "deno.jsonc"],
        commands: &["deno test"],
        imports: &["Deno.test"],
        ..runner("deno test", SCRIPT, "deno test {path} --filter '{name}'")
    },
    Runner {
        dependencies: &["\"jasmine\"", "\"karma\"", "\"tap\"", "\"tape\"", "\"uvu\"", "\"qunit\"", "\"web-test-runner\""],
        commands: &["jasmine", "karma", "tap", "tape", "uvu", "qunit", "wtr", "ng test"],
        ..runner("the runner of package.json's test script", SCRIPT, "")
    },
    Runner {
        files: &["go.mod"],
        ..runner("go test", &["Go"], "go test ./{folder} -run '^{name}$' -count=1")
    },
    Runner {
        files: &["build.gradle", "build.gradle.kts"],
        commands: &["gradle"],
        ..runner("Gradle", JVM, "./gradlew test --tests '*{class}.{name}'")
    },
    Runner { files: &["pom.xml"], commands: &["mvn"], ..runner("Maven", JVM, "mvn test -Dtest='{class}#{name}'") },
    Runner { files: &["build.sbt"], commands: &["sbt"], ..runner("sbt", JVM, "sbt 'testOnly *{class}'") },
    Runner {
        files: &[".rspec"],
        dependencies: &["rspec"],
        commands: &["rspec"],
        imports: &["RSpec.", "spec_helper", "rails_helper"],
        ..runner("RSpec", &["Ruby"], "{run}rspec {path}:{line}")
    },
    Runner {
        dependencies: &["rails"],
        commands: &["rails test"],
        imports: &["ActiveSupport::TestCase", "ActionDispatch"],
        ..runner("Rails' test runner", &["Ruby"], "bin/rails test {path}:{line}")
    },
    Runner {
        files: &["Rakefile"],
        dependencies: &["minitest", "test-unit"],
        commands: &["rake test", "minitest"],
        imports: &["Minitest", "minitest"],
        ..runner("Minitest", &["Ruby"], "{run}ruby -Ilib -Itest {path} -n '/{name}/'")
    },
    Runner {
        dependencies: &["\"pestphp/pest\""],
        commands: &["vendor/bin/pest"],
        ..runner("Pest", &["PHP"], "vendor/bin/pest --filter '{name}' {path}")
    },
    Runner {
        files: &["phpunit.xml", "phpunit.xml.dist", "phpunit.dist.xml"],
        dependencies: &["\"phpunit/phpunit\""],
        commands: &["phpunit"],
        ..runner("PHPUnit", &["PHP"], "vendor/bin/phpunit --filter '{name}' {path}")
    },
    Runner { files: &["mix.exs"], ..runner("mix test", &["Elixir"], "mix test {path}:{line}") },
    Runner {
        dependencies: &["Microsoft.NET.Test.Sdk", "xunit", "NUnit", "MSTest"],
        commands: &["dotnet test"],
        ..runner("dotnet test", &["C#"], "dotnet test --filter 'FullyQualifiedName~{name}'")
    },
    Runner { files: &["Package.swift"], ..runner("swift test", &["Swift"], "swift test --filter '{name}'") },
    Runner {
        dependencies: &["flutter_test"],
        commands: &["flutter test"],
        ..runner("flutter test", &["Dart"], "flutter test {path} --plain-name '{name}'")
    },
    Runner { files: &["pubspec.yaml"], ..runner("dart test", &["Dart"], "dart test {path} -N '{name}'") },
    Runner {
        files: &["CTestTestfile.cmake"],
        dependencies: &["enable_testing", "gtest_discover_tests", "add_test", "catch_discover_tests"],
        commands: &["ctest"],
        ..runner("CTest", &["C", "C++"], "ctest --test-dir build -R '{name}' --output-on-failure")
    },
];

/// Manifests in which dependencies stand, for the search.
#[rustfmt::skip]
const MANIFESTS: &[&str] = &[
    "package.json", "pyproject.toml", "setup.cfg", "setup.py", "tox.ini", "requirements*.txt", "*requirements.txt",
    "requirements/*.txt", "Pipfile", "noxfile.py", "environment.yml", "Gemfile", "*.gemspec", "composer.json",
    "*.csproj", "*.fsproj", "Directory.Packages.props", "pubspec.yaml", "CMakeLists.txt",
];

/// What starts a tool of the package, by the lockfile beside it.
#[rustfmt::skip]
const RUN: &[(&str, &str, &str)] = &[
    ("Python", "uv.lock", "uv run "), ("Python", "poetry.lock", "poetry run "), ("Python", "pdm.lock", "pdm run "),
    ("Python", "Pipfile.lock", "pipenv run "), ("TypeScript", "pnpm-lock.yaml", "pnpm exec "),
    ("TypeScript", "yarn.lock", "yarn "), ("TypeScript", "bun.lock", "bunx "), ("TypeScript", "bun.lockb", "bunx "),
    ("Ruby", "Gemfile.lock", "bundle exec "), ("Ruby", "Gemfile", "bundle exec "),
];

const MAX_FOUND: u32 = 2_000;

/// A runner that a repository uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub runner: &'static Runner,
    /// Where it is set up; empty: the root.
    pub folder: String,
    /// What says so: a file, or a line of one.
    pub path: String,
    pub line: Option<u32>,
}

/// The runners of a repository, each where it is set up, in the order of [`RUNNERS`].
pub fn find(survey: &Survey) -> Result<Vec<Found>, Failure> {
    let excluding = decoy::excluding_folders();
    let names: Vec<&str> = RUNNERS
        .iter()
        .flat_map(|runner| runner.files.iter().copied())
        .collect();
    let glob = format!("**/{{{}}}", names.join(","));
    let globs: Vec<&str> = std::iter::once(glob.as_str())
        .chain(excluding.iter().map(String::as_str))
        .collect();
    let files = repo::files(&globs, MAX_FOUND)?;
    let words: Vec<String> = RUNNERS
        .iter()
        .flat_map(|runner| runner.dependencies)
        .map(|word| escaped(word))
        .collect();
    let manifests: Vec<String> = MANIFESTS.iter().map(|name| format!("**/{name}")).collect();
    let globs: Vec<&str> = manifests
        .iter()
        .chain(&excluding)
        .map(String::as_str)
        .collect();
    let dependencies = repo::search(&words.join("|"), &globs, MAX_FOUND)?;
    let mut found = Vec::new();
    for runner in RUNNERS {
        let mut add = |folder: &str, path: &str, line: Option<u32>| {
            let is_known = found
                .iter()
                .any(|known: &Found| known.runner == runner && known.folder == folder);
            if !is_known {
                found.push(Found {
                    runner,
                    folder: folder.to_owned(),
                    path: path.to_owned(),
                    line,
                });
            }
        };
        for line in &dependencies.items {
            if runner
                .dependencies
                .iter()
                .any(|word| has_word(&line.text, word))
            {
                add(folder_of(&line.path), &line.path, Some(line.line));
            }
        }
        for file in &files.items {
            let (folder, name) = file.path.rsplit_once('/').unwrap_or(("", &file.path));
            if runner.files.iter().any(|glob| name_matches(name, glob)) {
                // A conftest.py in a test folder speaks for the package around it.
                let folder = if name == "conftest.py" || folder.ends_with(".config") {
                    parent_of(folder)
                } else {
                    folder
                };
                add(folder, &file.path, None);
            }
        }
        for check in survey.checks.iter().filter(|check| runs(runner, check)) {
            add(&check.folder, &check.path, Some(check.line));
        }
    }
    Ok(found)
}

/// The runner of a test file whose text is known.
pub fn of(found: &[Found], path: &str, text: &str) -> Option<Found> {
    let language = language::of(path)?;
    let fits = |found: &&Found| {
        let is_inside = found.folder.is_empty()
            || path
                .strip_prefix(&found.folder)
                .is_some_and(|rest| rest.starts_with('/'));
        found.runner.languages.contains(&language.name) && is_inside
    };
    let is_imported = |runner: &Runner| runner.imports.iter().any(|import| text.contains(import));
    let innermost = |candidates: Vec<&Found>| {
        let depth = candidates.iter().map(|found| found.folder.len()).max();
        candidates
            .into_iter()
            .find(|found| Some(found.folder.len()) == depth)
            .cloned()
    };
    let built_in = || {
        RUNNERS
            .iter()
            .find(|runner| {
                runner.is_built_in
                    && runner.languages.contains(&language.name)
                    && is_imported(runner)
            })
            .map(|runner| Found {
                runner,
                folder: String::new(),
                path: path.to_owned(),
                line: None,
            })
    };
    innermost(
        found
            .iter()
            .filter(fits)
            .filter(|found| is_imported(found.runner))
            .collect(),
    )
    .or_else(|| innermost(found.iter().filter(fits).collect()))
    .or_else(built_in)
}

impl Found {
    /// The command that runs one test alone, and the folder to type it in. `None`: there is no
    /// such command.
    pub fn one(&self, survey: &Survey, path: &str, line: u32, name: &str) -> Option<String> {
        if self.runner.one.is_empty() {
            return None;
        }
        let inside = match self.folder.as_str() {
            "" => path,
            folder => path.strip_prefix(folder)?.trim_start_matches('/'),
        };
        let class = inside
            .rsplit('/')
            .next()
            .and_then(|name| name.split('.').next())
            .unwrap_or_default();
        // Titles are patterns to most runners; a quote would end the argument.
        let name = name.replace(['\'', '`', '"'], ".");
        Some(
            self.runner
                .one
                .replace(
                    "{run}",
                    starts_tools_with(survey, self.runner.languages[0], &self.folder),
                )
                .replace("{path}", inside)
                .replace("{folder}", folder_of(inside))
                .replace("{line}", &line.to_string())
                .replace("{class}", class)
                .replace("{name}", &name),
        )
    }

    /// The place that says so, for a person.
    pub fn evidence(&self) -> String {
        match self.line {
            Some(line) => prompt::place(&self.path, line),
            None => prompt::code(&self.path),
        }
    }
}

/// What starts a tool of a language's packages: `uv run `, `pnpm exec `, by the lockfile in the
/// folder or above.
pub fn starts_tools_with(survey: &Survey, language: &str, folder: &str) -> &'static str {
    let language = if language == "JavaScript" {
        "TypeScript"
    } else {
        language
    };
    let mut folder = folder;
    loop {
        let is_there = |name: &str| match folder {
            "" => survey.notable.has(name),
            folder => survey.notable.has(&format!("{folder}/{name}")),
        };
        let known = RUN
            .iter()
            .find(|(of, file, _)| *of == language && is_there(file));
        match known {
            Some((.., run)) => return run,
            None if folder.is_empty() => return if language == "TypeScript" { "npx " } else { "" },
            None => folder = parent_of(folder),
        }
    }
}

/// Whether the command of a check is this runner.
fn runs(runner: &Runner, check: &Check) -> bool {
    runner
        .commands
        .iter()
        .any(|words| has_word(&check.command, words))
}

/// Whether a text contains words as whole words.
pub(crate) fn has_word(text: &str, words: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    text.match_indices(words).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + words.len()..].chars().next();
        let opens = !words.starts_with(is_part) || before.is_none_or(|c| !is_part(c) && c != '@');
        let closes = !words.ends_with(is_part) || after.is_none_or(|c| !is_part(c));
        opens && closes
    })
}

/// A name against a glob with at most one star, at its start or end.
pub(crate) fn name_matches(name: &str, glob: &str) -> bool {
    match (glob.strip_suffix('*'), glob.strip_prefix('*')) {
        (Some(start), _) => name.starts_with(start),
        (None, Some(end)) => name.ends_with(end),
        (None, None) => name == glob,
    }
}

fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

fn parent_of(folder: &str) -> &str {
    folder_of(folder)
}

#[cfg(test)]
mod tests {
    use changelings_sdk::testing::Tree;
    use changelings_sdk::{Composition, Context, Manifest, Template};

    use super::*;

    /// Answers with what runs the tests, a line each, and how to run one.
    struct Teller;

    impl Template for Teller {
        fn manifest() -> Manifest {
            Manifest::new("teller", "0.1.0", "Tells").permissions(["repo:read"])
        }

        fn compose(_: &Context) -> Result<Composition, Failure> {
            let survey = Survey::near(&[])?;
            let found = find(&survey)?;
            let mut lines = Vec::new();
            for file in repo::files(&["**/*test*.*", "**/*spec*.*", "**/tests/*"], 100)? {
                let text = repo::read(&file.path, 1_000)?.text;
                if let Some(found) = of(&found, &file.path, &text) {
                    let one = found
                        .one(&survey, &file.path, 3, "it's a")
                        .unwrap_or_default();
                    let name = found.runner.name;
                    lines.push(format!(
                        "{name} ({}) in [{}]: {one}",
                        found.evidence(),
                        found.folder
                    ));
                }
            }
            Ok(Composition::skip(lines.join("\n")))
        }
    }

    #[track_caller]
    fn check(tree: &Tree, expected: &[&str]) {
        let composed = tree.commit().compose::<Teller>(&[]);
        assert_eq!(composed.skip_reason().lines().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn by_manifest_lockfile_and_import() {
        check(
            &Tree::empty()
                .write(
                    "web/package.json",
                    "{\n\"devDependencies\": {\n\"@playwright/test\": \"1\",\n\"vitest\": \"2\"}}",
                )
                .write("pnpm-lock.yaml", "")
                .write("web/src/a.test.ts", "x")
                .write(
                    "web/e2e/b.spec.ts",
                    "import { test } from \"@playwright/test\";",
                ),
            &[
                "Playwright (`web/package.json:3`) in [web]: pnpm exec playwright test e2e/b.spec.ts:3",
                "vitest (`web/package.json:4`) in [web]: pnpm exec vitest run src/a.test.ts -t 'it.s a'",
            ],
        );
    }

    #[test]
    fn by_command_and_by_configuration() {
        check(
            &Tree::empty()
                .write(
                    ".github/workflows/ci.yml",
                    "jobs:\n  t:\n    steps:\n      - run: cargo nextest run\n",
                )
                .write("Cargo.toml", "")
                .write("tests/a.rs", "")
                .write("py/pyproject.toml", "[project]\n")
                .write("py/uv.lock", "")
                .write("py/tests/conftest.py", "")
                .write("py/tests/test_a.py", ""),
            &[
                "pytest (`py/tests/conftest.py`) in [py]: uv run pytest tests/conftest.py -k it.s a",
                "pytest (`py/tests/conftest.py`) in [py]: uv run pytest tests/test_a.py -k it.s a",
                "cargo-nextest (`.github/workflows/ci.yml:4`) in []: cargo nextest run it.s a",
            ],
        );
    }

    #[test]
    fn words_are_whole_words() {
        assert!(has_word("npx jest --ci", "jest"));
        assert!(!has_word("npx ts-jest", "jest"));
        assert!(has_word("dev = [\"pytest>=8\"]", "pytest"));
        assert!(!has_word("pytest-cov", "pytest"));
    }
}
