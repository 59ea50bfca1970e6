//! Coverage tools: how a repository shows that it uses one, and how to use it.

/// A coverage tool.
#[derive(Debug, PartialEq, Eq)]
pub struct Tool {
    pub name: &'static str,
    /// Names in [`crate::language::LANGUAGES`].
    pub languages: &'static [&'static str],
    /// Words in a command that measures with it.
    pub commands: &'static [&'static str],
    /// Files that only this tool reads; a star at the end stands for anything.
    pub files: &'static [&'static str],
    /// Words in other files that show it is set up.
    pub signs: &'static [Sign],
    /// Name of the test runner (in [`crate::testing::runner::RUNNERS`]) that brings it along.
    pub comes_with: &'static str,
    /// Measures everything, when nothing in the repository says how. `{run}`: how the package manager
    /// starts a tool, `{test}`: the command that runs the tests.
    pub measure: &'static str,
    /// Option that makes the command say which lines no test runs; empty: it needs none.
    pub missed_option: &'static str,
    /// Where those lines stand then. `{profile}`: the file that go is told to write.
    pub missed: &'static str,
}

/// Words that show a tool is set up, and the files they count in.
#[derive(Debug, PartialEq, Eq)]
pub struct Sign {
    pub files: &'static [&'static str],
    pub words: &'static [&'static str],
}

#[rustfmt::skip]
const PYTHON: &[&str] = &[
    "pyproject.toml", "setup.cfg", "setup.py", "tox.ini", "pytest.ini", "requirements*", "Pipfile", "noxfile.py",
    "environment.yml", "dev-requirements.txt", "test-requirements.txt",
];
const SCRIPT: &[&str] = &["TypeScript", "JavaScript"];
const JVM: &[&str] = &["Java", "Kotlin", "Groovy", "Scala"];
const PACKAGE: &[&str] = &["package.json"];
const GRADLE: &[&str] = &["build.gradle", "build.gradle.kts"];

const NONE: Tool = Tool {
    name: "",
    languages: &[],
    commands: &[],
    files: &[],
    signs: &[],
    comes_with: "",
    measure: "",
    missed_option: "",
    missed: "",
};

/// All tools known; of several that are used in a folder, an earlier one is taken.
#[rustfmt::skip]
pub static TOOLS: &[Tool] = &[
    Tool {
        name: "pytest-cov",
        languages: &["Python"],
        commands: &["--cov", "pytest-cov"],
        signs: &[Sign { files: PYTHON, words: &["pytest-cov", "--cov"] }],
        measure: "{run}pytest --cov --cov-report=term-missing",
        missed_option: "--cov-report=term-missing",
        missed: "the column Missing",
        ..NONE
    },
    Tool {
        name: "coverage.py",
        languages: &["Python"],
        commands: &["coverage run", "coverage report"],
        files: &[".coveragerc", ".coveragerc.toml"],
        signs: &[Sign { files: PYTHON, words: &["[tool.coverage", "[coverage:", "coverage"] }],
        measure: "{run}coverage run -m pytest && {run}coverage report -m",
        missed: "the column Missing of `coverage report -m`",
        ..NONE
    },
    Tool {
        name: "cargo-llvm-cov",
        languages: &["Rust"],
        commands: &["cargo llvm-cov"],
        measure: "cargo llvm-cov",
        missed: "what `cargo llvm-cov --show-missing-lines` prints",
        ..NONE
    },
    Tool {
        name: "cargo-tarpaulin",
        languages: &["Rust"],
        commands: &["cargo tarpaulin"],
        files: &["tarpaulin.toml", ".tarpaulin.toml"],
        measure: "cargo tarpaulin",
        missed: "what it prints under \"Uncovered Lines\"",
        ..NONE
    },
    Tool {
        name: "grcov",
        languages: &["Rust", "C", "C++"],
        commands: &["grcov"],
        missed: "`DA:LINE,0` where the report is lcov",
        ..NONE
    },
    Tool {
        name: "vitest's coverage",
        languages: SCRIPT,
        commands: &["vitest --coverage", "vitest run --coverage"],
        signs: &[Sign {
            files: PACKAGE,
            words: &["\"@vitest/coverage-v8\"", "\"@vitest/coverage-istanbul\"", "\"@vitest/coverage-c8\""],
        }],
        measure: "{run}vitest run --coverage",
        missed_option: "--coverage.reporter=text",
        missed: "the column Uncovered",
        ..NONE
    },
    Tool {
        name: "jest's coverage",
        languages: SCRIPT,
        commands: &["jest --coverage", "react-scripts test --coverage"],
        signs: &[Sign {
            files: &["package.json", "jest.config.*"],
            words: &["coverageThreshold", "collectCoverage", "collectCoverageFrom", "coverageReporters"],
        }],
        comes_with: "jest",
        measure: "{run}jest --coverage",
        missed_option: "--coverageReporters=text",
        missed: "the column Uncovered",
        ..NONE
    },
    Tool {
        name: "c8",
        languages: SCRIPT,
        commands: &["c8"],
        files: &[".c8rc", ".c8rc.json"],
        signs: &[Sign { files: PACKAGE, words: &["\"c8\""] }],
        measure: "{run}c8 {test}",
        missed_option: "--reporter=text",
        missed: "the column Uncovered",
        ..NONE
    },
    Tool {
        name: "nyc",
        languages: SCRIPT,
        commands: &["nyc"],
        files: &[".nycrc*", "nyc.config.js"],
        signs: &[Sign { files: PACKAGE, words: &["\"nyc\""] }],
        measure: "{run}nyc {test}",
        missed_option: "--reporter=text",
        missed: "the column Uncovered",
        ..NONE
    },
    Tool {
        name: "node's own coverage",
        languages: SCRIPT,
        commands: &["--experimental-test-coverage"],
        comes_with: "node's test runner",
        measure: "node --test --experimental-test-coverage",
        missed: "the column \"uncovered lines\" of its table",
        ..NONE
    },
    Tool {
        name: "bun's own coverage",
        languages: SCRIPT,
        commands: &["bun test --coverage"],
        comes_with: "bun test",
        measure: "bun test --coverage",
        missed: "the column \"Uncovered Line #s\" of its table",
        ..NONE
    },
    Tool {
        name: "deno's own coverage",
        languages: SCRIPT,
        commands: &["deno test --coverage", "deno coverage"],
        comes_with: "deno test",
        measure: "deno test --coverage=/tmp/cov && deno coverage /tmp/cov",
        missed: "what `deno coverage --detailed` prints",
        ..NONE
    },
    Tool {
        name: "go's own coverage",
        languages: &["Go"],
        commands: &["-coverprofile", "-cover", "go tool cover"],
        comes_with: "go test",
        measure: "go test -coverprofile=/tmp/cover.out ./... && go tool cover -func=/tmp/cover.out",
        missed: "those that end in ` 0` in {profile}; `go tool cover -func` has the functions",
        ..NONE
    },
    Tool {
        name: "Kover",
        languages: &["Kotlin", "Java"],
        commands: &["koverXmlReport", "koverHtmlReport", "koverVerify", "koverLog"],
        signs: &[Sign { files: GRADLE, words: &["kover"] }],
        measure: "./gradlew koverXmlReport koverLog",
        missed: "those with `ci=\"0\"` in `build/reports/kover/report.xml`",
        ..NONE
    },
    Tool {
        name: "JaCoCo with Gradle",
        languages: JVM,
        commands: &["jacocoTestReport", "jacocoTestCoverageVerification"],
        signs: &[Sign { files: GRADLE, words: &["jacoco"] }],
        measure: "./gradlew test jacocoTestReport",
        missed: "those with `ci=\"0\"` in the XML (red in the HTML) under `build/reports/jacoco/test/`",
        ..NONE
    },
    Tool {
        name: "JaCoCo with Maven",
        languages: JVM,
        commands: &["jacoco:report"],
        signs: &[Sign { files: &["pom.xml"], words: &["jacoco-maven-plugin"] }],
        measure: "mvn verify jacoco:report",
        missed: "those with `ci=\"0\"` in `target/site/jacoco/jacoco.xml`",
        ..NONE
    },
    Tool {
        name: "scoverage",
        languages: &["Scala"],
        commands: &["coverageReport", "sbt coverage"],
        signs: &[Sign { files: &["plugins.sbt", "build.sbt"], words: &["sbt-scoverage"] }],
        measure: "sbt coverage test coverageReport",
        missed: "those with `invocation-count=\"0\"` in the XML under `target/*/scoverage-report/`",
        ..NONE
    },
    Tool {
        name: "SimpleCov",
        languages: &["Ruby"],
        commands: &["COVERAGE="],
        files: &[".simplecov"],
        signs: &[Sign { files: &["Gemfile", "*.gemspec", "spec_helper.rb", "test_helper.rb"], words: &["simplecov", "SimpleCov"] }],
        measure: "{test}",
        missed: "those with 0 in `coverage/.resultset.json`",
        ..NONE
    },
    Tool {
        name: "PHPUnit's coverage",
        languages: &["PHP"],
        commands: &["--coverage-text", "--coverage-clover", "--coverage-html", "--coverage-xml", "pest --coverage"],
        signs: &[Sign { files: &["phpunit.xml*", "phpunit.dist.xml"], words: &["<coverage"] }],
        measure: "vendor/bin/phpunit --coverage-text",
        missed_option: "--coverage-clover /tmp/clover.xml",
        missed: "those with `count=\"0\"` in that file",
        ..NONE
    },
    Tool {
        name: "ExCoveralls",
        languages: &["Elixir"],
        commands: &["mix coveralls"],
        files: &["coveralls.json"],
        signs: &[Sign { files: &["mix.exs"], words: &["excoveralls", "ExCoveralls"] }],
        measure: "mix coveralls",
        missed: "what `mix coveralls.detail` prints",
        ..NONE
    },
    Tool {
        name: "mix's own coverage",
        languages: &["Elixir"],
        commands: &["mix test --cover"],
        comes_with: "mix test",
        measure: "mix test --cover",
        missed: "the HTML files it writes to `cover/`",
        ..NONE
    },
    Tool {
        name: "coverlet",
        languages: &["C#"],
        commands: &["--collect", "/p:CollectCoverage=true", "dotnet-coverage"],
        signs: &[Sign {
            files: &["*.csproj", "Directory.Packages.props", "Directory.Build.props"],
            words: &["coverlet.collector", "coverlet.msbuild"],
        }],
        measure: "dotnet test --collect:\"XPlat Code Coverage\"",
        missed: "those with `hits=\"0\"` in `TestResults/*/coverage.cobertura.xml`",
        ..NONE
    },
    Tool {
        name: "Swift's own coverage",
        languages: &["Swift"],
        commands: &["--enable-code-coverage"],
        comes_with: "swift test",
        measure: "swift test --enable-code-coverage",
        missed: "the JSON that `swift test --show-codecov-path` names",
        ..NONE
    },
    Tool {
        name: "Flutter's own coverage",
        languages: &["Dart"],
        commands: &["flutter test --coverage"],
        comes_with: "flutter test",
        measure: "flutter test --coverage",
        missed: "`DA:LINE,0` in `coverage/lcov.info`",
        ..NONE
    },
    Tool {
        name: "Dart's own coverage",
        languages: &["Dart"],
        commands: &["dart test --coverage", "test_with_coverage"],
        signs: &[Sign { files: &["pubspec.yaml"], words: &["coverage"] }],
        measure: "dart run coverage:test_with_coverage",
        missed: "`DA:LINE,0` in `coverage/lcov.info`",
        ..NONE
    },
    Tool {
        name: "gcov",
        languages: &["C", "C++"],
        commands: &["gcovr", "lcov", "llvm-cov"],
        files: &["gcovr.cfg", ".lcovrc"],
        missed: "`DA:LINE,0` where the report is lcov",
        ..NONE
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{language, testing::runner};

    #[test]
    fn the_tables_fit_together() {
        for tool in TOOLS {
            for name in tool.languages {
                let is_known = language::LANGUAGES
                    .iter()
                    .any(|language| language.name == *name);
                assert!(is_known, "{}: {name}", tool.name);
            }
            let is_runner = runner::RUNNERS
                .iter()
                .any(|runner| runner.name == tool.comes_with);
            assert!(tool.comes_with.is_empty() || is_runner, "{}", tool.name);
            let is_set_up_somehow =
                !tool.signs.is_empty() || !tool.files.is_empty() || !tool.comes_with.is_empty();
            assert!(
                is_set_up_somehow || !tool.commands.is_empty(),
                "{}",
                tool.name
            );
        }
    }
}
