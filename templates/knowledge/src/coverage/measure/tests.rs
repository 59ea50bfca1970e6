use changelings_sdk::testing::Tree;
use changelings_sdk::{Composition, Context, Manifest, Template};

use super::*;

/// Answers with the commands that measure, a line each.
struct Teller;

impl Template for Teller {
    fn manifest() -> Manifest {
        Manifest::new("teller", "0.1.0", "Tells").permissions(["repo:read"])
    }

    fn compose(_: &Context) -> Result<Composition, Failure> {
        let survey = Survey::near(&[])?;
        let measures = find(&survey, &runner::find(&survey)?)?;
        let lines: Vec<String> = measures
            .iter()
            .map(|measure| format!("{}: {}", measure.languages[0], measure.in_words()))
            .collect();
        Ok(Composition::skip(lines.join("\n")))
    }
}

#[track_caller]
fn check(tree: &Tree, expected: &[&str]) {
    let composed = tree.commit().compose::<Teller>(&[]);
    assert_eq!(composed.skip_reason().lines().collect::<Vec<_>>(), expected);
}

fn ci(command: &str) -> Tree {
    Tree::empty().write(
        ".github/workflows/ci.yml",
        format!("jobs:\n  t:\n    steps:\n      - run: {command}\n"),
    )
}

#[test]
fn what_ci_runs() {
    check(
        &ci("cargo llvm-cov nextest --lcov").write("Cargo.toml", ""),
        &[
            "Rust: `cargo llvm-cov nextest --lcov` (CI runs it: `.github/workflows/ci.yml:4`, cargo-llvm-cov)",
        ],
    );
    check(
        &ci("uv run pytest --cov=src").write(
            "pyproject.toml",
            "[dependency-groups]\ndev = [\"pytest-cov\"]\n",
        ),
        &[
            "Python: `uv run pytest --cov=src` (CI runs it: `.github/workflows/ci.yml:4`, pytest-cov)",
        ],
    );
    check(
        &ci("cd web && npx vitest run --silent --coverage").write(
            "web/package.json",
            "{\"devDependencies\": {\"vitest\": \"2\", \"@vitest/coverage-v8\": \"2\"}}",
        ),
        &[
            "TypeScript: `npx vitest run --silent --coverage` in `web` (CI runs it: `.github/workflows/ci.yml:4`, \
             vitest's coverage)",
        ],
    );
}

#[test]
fn tasks() {
    check(
        &Tree::empty()
            .write("go.mod", "module x")
            .write("Makefile", "cover:\n\tgo test -cover ./...\n"),
        &["Go: `make cover` (`Makefile:1`, go's own coverage)"],
    );
    check(
        &Tree::empty().write(
            "package.json",
            "{\"scripts\": {\"test\": \"mocha\", \"coverage\": \"nyc npm test\"}, \"devDependencies\": {\"nyc\": \"1\"}}",
        ),
        &["TypeScript: `npm run coverage` (`package.json:1`, nyc)"],
    );
}

#[test]
fn what_is_set_up_though_nothing_runs_it() {
    check(
        &Tree::empty()
            .write("api/pyproject.toml", "[tool.coverage.run]\nbranch = true\n")
            .write(
                "api/uv.lock",
                "[[package]]\nname = \"coverage\"\n\n[[package]]\nname = \"pytest\"\n",
            ),
        &[
            "Python: `uv run coverage run -m pytest && uv run coverage report -m` in `api` (no CI or task file names a \
             command; set up in `api/pyproject.toml:1`, coverage.py)",
        ],
    );
    // What the lockfile does not have, uv brings along.
    check(
        &Tree::empty()
            .write("api/pyproject.toml", "[tool.coverage.run]\nbranch = true\n")
            .write("uv.lock", "[[package]]\nname = \"pytest\"\n"),
        &[
            "Python: `uv run --with coverage coverage run -m pytest && uv run --with coverage coverage report -m` in \
             `api` (no CI or task file names a command; set up in `api/pyproject.toml:1`, coverage.py)",
        ],
    );
    check(
        &Tree::empty().write("build.gradle.kts", "plugins {\n  jacoco\n}\n"),
        &[
            "Java: `./gradlew test jacocoTestReport` (no CI or task file names a command; set up in \
             `build.gradle.kts:2`, JaCoCo with Gradle)",
        ],
    );
}

#[test]
fn what_comes_with_the_runner() {
    check(
        &Tree::empty().write("go.mod", "module x"),
        &[
            "Go: `go test -coverprofile=/tmp/cover.out ./... && go tool cover -func=/tmp/cover.out` (no CI or task file \
             names a command; set up in `go.mod`, go's own coverage)",
        ],
    );
    check(&ci("cargo test").write("Cargo.toml", ""), &[]);
    check(
        &ci("pytest").write("requirements.txt", "pytest\n# coverage one day\n"),
        &[],
    );
}
