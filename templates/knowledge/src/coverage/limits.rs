//! What coverage is held against: thresholds, and files left out of the measuring.

mod patterns;

use changelings_sdk::repo;
use changelings_sdk::{Failure, prompt};

use crate::{decoy, language};

pub use patterns::Pattern;

/// Files that hold thresholds.
#[rustfmt::skip]
const FILES: &[&str] = &[
    "pyproject.toml", ".coveragerc", "setup.cfg", "tox.ini", "pytest.ini", "package.json", "jest.config.*",
    "vitest.config.*", "vite.config.*", ".nycrc", ".nycrc.json", ".c8rc", ".c8rc.json", "tarpaulin.toml",
    ".tarpaulin.toml", "build.gradle", "build.gradle.kts", "pom.xml", ".simplecov", "spec_helper.rb",
    "test_helper.rb", "codecov.yml", ".codecov.yml", "codecov.yaml", "coveralls.json", "phpunit.xml", "Makefile",
    "justfile", "*.yml", "*.yaml",
];

/// Words before a number that coverage must reach.
const THRESHOLDS: &str = r"\b(fail_under|fail-under|cov-fail-under|fail-under-(lines|functions|regions)|coverageThreshold|minimum_coverage|check-coverage|jacocoTestCoverageVerification|minimumCoverage)\b|^\s*(target|threshold|thresholds|lines|branches|functions|statements|minimum)\s*[:=]\s*[\d{'.]";
const MAX_LINES: u32 = 500;
const MAX_READ: u32 = 100_000;
const MAX_READ_FILES: usize = 24;
/// Most named.
const MAX_THRESHOLDS: usize = 8;
/// Most patterns followed.
const MAX_PATTERNS: usize = 60;
/// Most configurations whose files are listed.
const MAX_PARTS: usize = 8;
const MAX_MATCHING: u32 = 20_000;

/// What the owners demand of coverage.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Limits {
    pub thresholds: Vec<Threshold>,
    /// Files that patterns leave out, sorted.
    excluded: Vec<String>,
    /// What is measured where a configuration names it.
    parts: Vec<Part>,
    /// Patterns of the files that are measured, where a configuration names them.
    pub inclusions: Vec<Pattern>,
    /// Patterns of files that are not measured.
    pub exclusions: Vec<Pattern>,
}

/// What the configuration in a folder measures of the code below it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Part {
    folder: String,
    languages: &'static [&'static str],
    /// Sorted.
    files: Vec<String>,
}

/// A line that sets a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Threshold {
    pub path: String,
    pub line: u32,
    /// As written, trimmed.
    pub text: String,
}

impl Limits {
    /// Looks through the configuration of all tools.
    pub fn find() -> Result<Self, Failure> {
        let mut globs = decoy::globs("**/", FILES, "");
        globs.extend(decoy::excluding_folders());
        let globs: Vec<&str> = globs.iter().map(String::as_str).collect();
        let lines = repo::search(THRESHOLDS, &globs, MAX_LINES)?;
        let mut thresholds = Vec::new();
        for line in lines
            .into_iter()
            .filter(|line| is_threshold(&line.path, &line.text))
        {
            thresholds.push(Threshold {
                path: line.path,
                line: line.line,
                text: prompt::one_line(line.text.trim().trim_end_matches(['{', ',']), 100),
            });
        }
        thresholds.truncate(MAX_THRESHOLDS);
        let (inclusions, exclusions) = patterns()?;
        let all: Vec<&Pattern> = exclusions.iter().collect();
        Ok(Self {
            thresholds,
            excluded: matching(&all)?.unwrap_or_default(),
            parts: parts(&inclusions)?,
            inclusions,
            exclusions,
        })
    }

    /// Whether a file is left out of the measuring: a pattern says so, or the innermost
    /// configuration that names what it measures does not name this file.
    pub fn excludes(&self, path: &str) -> bool {
        let has = |files: &[String]| {
            files
                .binary_search_by(|known| known.as_str().cmp(path))
                .is_ok()
        };
        let part = self.parts.iter().filter(|part| part.is_about(path));
        has(&self.excluded)
            || part
                .max_by_key(|part| part.folder.len())
                .is_some_and(|part| !has(&part.files))
    }
}

impl Part {
    fn is_about(&self, path: &str) -> bool {
        let is_below = self.folder.is_empty()
            || path
                .strip_prefix(self.folder.as_str())
                .is_some_and(|rest| rest.starts_with('/'));
        let speaks = |language: &language::Language| self.languages.contains(&language.name);
        is_below && language::of(path).is_some_and(speaks)
    }
}

/// Words like `lines: 80` mean coverage only where coverage is set up.
fn is_threshold(path: &str, text: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let text = text.trim();
    if text.starts_with(['#', '/']) || !text.contains(|c: char| c.is_ascii_digit()) {
        return false;
    }
    let is_codecov = name.starts_with("codecov.") || name.starts_with(".codecov.");
    let is_plain = [
        "target",
        "threshold",
        "lines",
        "branches",
        "functions",
        "statements",
        "minimum",
    ]
    .iter()
    .any(|word| text.trim_start_matches('"').starts_with(word) && !text.contains("fail"));
    let starts = |names: &[&str]| names.iter().any(|start| name.starts_with(start));
    if !is_plain {
        // `interrogate` has a `fail-under` of its own, written with a hyphen.
        return !(name == "pyproject.toml" && text.starts_with("fail-under"));
    }
    if text.starts_with("target") || text.starts_with("threshold:") {
        return is_codecov;
    }
    if text.starts_with("minimum") {
        return starts(&["build.gradle", "pom.xml"]);
    }
    starts(&[
        "vitest.config",
        "vite.config",
        "jest.config",
        "package.json",
        ".nycrc",
        ".c8rc",
    ])
}

/// Patterns of files that are measured alone, and of those that are left out.
fn patterns() -> Result<(Vec<Pattern>, Vec<Pattern>), Failure> {
    let mut globs = decoy::globs("**/", patterns::FILES, "");
    globs.extend(decoy::excluding_folders());
    let globs: Vec<&str> = globs.iter().map(String::as_str).collect();
    let lines = repo::search(patterns::SIGNS, &globs, MAX_LINES)?;
    let mut paths: Vec<String> = lines.into_iter().map(|line| line.path).collect();
    paths.dedup();
    let mut found = Vec::new();
    for path in paths.into_iter().take(MAX_READ_FILES) {
        if let Some(file) = repo::read_if_text(&path, MAX_READ)? {
            found.extend(patterns::in_file(&path, &file.text));
        }
    }
    let (wanted, mut unwanted): (Vec<Pattern>, Vec<Pattern>) =
        found.into_iter().partition(|pattern| pattern.is_wanted);
    unwanted.truncate(MAX_PATTERNS);
    Ok((wanted, unwanted))
}

/// The files that patterns match, sorted; `None` when that cannot be said.
fn matching(patterns: &[&Pattern]) -> Result<Option<Vec<String>>, Failure> {
    if patterns.is_empty() || patterns.len() > MAX_PATTERNS {
        return Ok(None);
    }
    let globs: Vec<String> = patterns.iter().map(|pattern| pattern.glob()).collect();
    let globs: Vec<&str> = globs.iter().map(String::as_str).collect();
    match repo::files(&globs, MAX_MATCHING) {
        // A pattern that is no glob after all must not spoil the run.
        Err(failure) if failure.code == Failure::INVALID_ARGUMENT => Ok(None),
        files => {
            let files = files?;
            let paths = || files.items.into_iter().map(|file| file.path).collect();
            Ok((!files.truncated).then(paths))
        }
    }
}

/// What each configuration measures. One whose patterns match nothing is not understood here.
fn parts(inclusions: &[Pattern]) -> Result<Vec<Part>, Failure> {
    let mut parts: Vec<Part> = Vec::new();
    let files = inclusions.chunk_by(|a, b| a.path == b.path);
    for of_file in files.take(MAX_PARTS) {
        let all: Vec<&Pattern> = of_file.iter().collect();
        if let Some(files) = matching(&all)?.filter(|files| !files.is_empty()) {
            parts.push(Part {
                folder: of_file[0].folder().to_owned(),
                languages: of_file[0].languages(),
                files,
            });
        }
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use changelings_sdk::testing::Tree;
    use changelings_sdk::{Composition, Context, Manifest, Template};

    use super::*;

    /// Answers with the limits, and the files left out.
    struct Teller;

    impl Template for Teller {
        fn manifest() -> Manifest {
            Manifest::new("teller", "0.1.0", "Tells").permissions(["repo:read"])
        }

        fn compose(_: &Context) -> Result<Composition, Failure> {
            let limits = Limits::find()?;
            let thresholds = limits
                .thresholds
                .iter()
                .map(|limit| format!("{}:{} {}", limit.path, limit.line, limit.text));
            let files = repo::files(&[], 100)?.items;
            let excluded = files
                .iter()
                .filter(|file| limits.excludes(&file.path))
                .map(|file| format!("not {}", file.path));
            Ok(Composition::skip(
                thresholds.chain(excluded).collect::<Vec<_>>().join("\n"),
            ))
        }
    }

    #[track_caller]
    fn check(tree: &Tree, expected: &[&str]) {
        let composed = tree.commit().compose::<Teller>(&[]);
        assert_eq!(composed.skip_reason().lines().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn thresholds() {
        check(
            &Tree::empty()
                .write("pyproject.toml", "[tool.coverage.report]\nfail_under = 70\n[tool.interrogate]\nfail-under = 60\n")
                .write("codecov.yml", "coverage:\n  status:\n    project:\n      default:\n        target: 80%\n")
                .write("web/vitest.config.ts", "export default {\n  test: { coverage: {\n    thresholds: {\n      lines: 90,\n    } } } }\n")
                .write("Cargo.toml", "lines = 3\n")
                .write(".github/workflows/ci.yml", "jobs:\n  a:\n    steps:\n      - run: cargo llvm-cov --fail-under-lines 75\n"),
            &[
                ".github/workflows/ci.yml:4 - run: cargo llvm-cov --fail-under-lines 75",
                "codecov.yml:5 target: 80%",
                "pyproject.toml:2 fail_under = 70",
                "web/vitest.config.ts:4 lines: 90",
            ],
        );
    }

    #[test]
    fn files_left_out() {
        check(
            &Tree::empty()
                .write(
                    ".coveragerc",
                    "[run]\nomit =\n    */migrations/*\n    app/settings.py\n",
                )
                .write("web/.nycrc", "{\"exclude\": [\"gen/**\"]}")
                .write("codecov.yml", "ignore:\n  - \"tools\"\n")
                .write("app/migrations/a.py", "")
                .write("app/settings.py", "")
                .write("app/views.py", "")
                .write("web/gen/a.js", "")
                .write("tools/x.py", ""),
            &[
                "not app/migrations/a.py",
                "not app/settings.py",
                "not tools/x.py",
                "not web/gen/a.js",
            ],
        );
    }

    #[test]
    fn what_is_measured_alone() {
        check(
            &Tree::empty()
                .write(
                    "web/vitest.config.ts",
                    "export default {\n  test: {\n    include: [\"test/**\"],\n    coverage: {\n      // include: [\"old/**\"],\n      include: [\"src/**/*.ts\"], exclude: ['src/gen/**'] } } }\n",
                )
                .write("web/src/a.ts", "")
                .write("web/src/b.tsx", "")
                .write("web/src/made/by/c.ts", "")
                .write("web/src/gen/d.ts", "")
                .write("web/tool.py", "")
                .write("lib/jest.config.js", "module.exports = {\n  collectCoverageFrom: [\"<rootDir>/src/*.{js,jsx}\", \"!src/index.js\"] }\n")
                .write("lib/src/a.js", "")
                .write("lib/src/index.js", "")
                .write("lib/bin/run.js", "")
                .write("app/package.json", "{\"nyc\": {\"include\": [\"nowhere/**\"]}}")
                .write("app/a.js", "")
                .write(".coveragerc", "[run]\ninclude =\n    api/*\n")
                .write("api/v1/a.py", "")
                .write("other/a.py", "")
                .write("other/b.ts", ""),
            &[
                "not lib/bin/run.js",
                "not lib/jest.config.js",
                "not lib/src/index.js",
                "not other/a.py",
                "not web/src/b.tsx",
                "not web/src/gen/d.ts",
                "not web/tool.py",
                "not web/vitest.config.ts",
            ],
        );
    }
}
