//! What coverage is held against: thresholds, and files left out of the measuring.

use changelings_sdk::repo;
use changelings_sdk::{Failure, prompt};

use crate::checks::{ini, json, yaml};
use crate::decoy;

/// Files that hold thresholds and exclusions.
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
const MAX_EXCLUSIONS: usize = 60;
const MAX_EXCLUDED: u32 = 20_000;

/// What the owners demand of coverage.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Limits {
    pub thresholds: Vec<Threshold>,
    /// Files that are not measured, sorted.
    pub excluded: Vec<String>,
    /// Patterns that say so.
    pub exclusions: Vec<Exclusion>,
}

/// A pattern of files that are not measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exclusion {
    pub path: String,
    pub line: u32,
    /// As written, without quotes.
    pub pattern: String,
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
        let exclusions = exclusions(&globs)?;
        let excluded = excluded(&exclusions)?;
        Ok(Self {
            thresholds,
            excluded,
            exclusions,
        })
    }

    /// Whether a file is left out of the measuring.
    pub fn excludes(&self, path: &str) -> bool {
        self.excluded
            .binary_search_by(|known| known.as_str().cmp(path))
            .is_ok()
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

/// Patterns of files left out of the measuring.
fn exclusions(globs: &[&str]) -> Result<Vec<Exclusion>, Failure> {
    let lines = repo::search(
        r#"\b(omit|exclude-files|exclude|ignore)"?\s*[:=]"#,
        globs,
        MAX_LINES,
    )?;
    let mut paths: Vec<String> = lines
        .into_iter()
        .map(|line| line.path)
        .filter(|path| holds_exclusions(path))
        .collect();
    paths.dedup();
    let mut exclusions = Vec::new();
    for path in paths.into_iter().take(MAX_READ_FILES) {
        if let Some(file) = repo::read_if_text(&path, MAX_READ)? {
            exclusions.extend(exclusions_in(&path, &file.text));
        }
    }
    exclusions.truncate(MAX_EXCLUSIONS);
    Ok(exclusions)
}

/// The files that the patterns match, sorted.
fn excluded(exclusions: &[Exclusion]) -> Result<Vec<String>, Failure> {
    if exclusions.is_empty() {
        return Ok(Vec::new());
    }
    let globs: Vec<String> = exclusions.iter().map(Exclusion::glob).collect();
    let globs: Vec<&str> = globs.iter().map(String::as_str).collect();
    match repo::files(&globs, MAX_EXCLUDED) {
        // A pattern that is no glob after all must not spoil the run.
        Err(failure) if failure.code == Failure::INVALID_ARGUMENT => Ok(Vec::new()),
        files => Ok(files?.into_iter().map(|file| file.path).collect()),
    }
}

/// The patterns in one configuration file.
fn exclusions_in(path: &str, text: &str) -> Vec<Exclusion> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let listed = |value: &str| -> Vec<String> {
        value
            .split(['\n', ',', '[', ']'])
            .map(|part| part.trim().trim_matches(['"', '\'']).to_owned())
            .filter(|part| !part.is_empty() && !part.starts_with('#'))
            .collect()
    };
    let mut found: Vec<(String, u32)> = Vec::new();
    match name {
        "pyproject.toml" | ".coveragerc" | "setup.cfg" | "tox.ini" => {
            let tables = [
                "tool.coverage.run",
                "tool.coverage.report",
                "coverage:run",
                "coverage:report",
                "run",
                "report",
            ];
            for entry in ini::entries(text) {
                let is_plain = matches!(entry.table.as_str(), "run" | "report");
                if entry.key == "omit"
                    && tables.contains(&entry.table.as_str())
                    && (!is_plain || name == ".coveragerc")
                {
                    found.extend(
                        listed(&entry.value)
                            .into_iter()
                            .map(|pattern| (pattern, entry.line)),
                    );
                }
            }
        }
        "tarpaulin.toml" | ".tarpaulin.toml" => {
            for entry in ini::entries(text)
                .into_iter()
                .filter(|entry| entry.key == "exclude-files")
            {
                found.extend(
                    listed(&entry.value)
                        .into_iter()
                        .map(|pattern| (pattern, entry.line)),
                );
            }
        }
        ".nycrc" | ".nycrc.json" | ".c8rc" | ".c8rc.json" | "package.json" => {
            for entry in json::entries(text) {
                let keys: Vec<&str> = entry.keys.iter().map(String::as_str).collect();
                let is_exclude = match keys.as_slice() {
                    ["exclude", _] => name != "package.json",
                    ["nyc" | "c8", "exclude", _] => true,
                    _ => false,
                };
                if is_exclude {
                    found.push((entry.value, entry.line));
                }
            }
        }
        _ if name.contains("codecov.") => {
            for scalar in yaml::scalars(text)
                .into_iter()
                .filter(|scalar| scalar.key() == "ignore")
            {
                found.extend(
                    scalar
                        .lines
                        .iter()
                        .map(|(line, pattern)| (pattern.clone(), *line)),
                );
            }
        }
        _ => {}
    }
    found
        .into_iter()
        .map(|(pattern, line)| Exclusion {
            path: path.to_owned(),
            line,
            pattern,
        })
        .collect()
}

/// Whether a file is one whose patterns are understood.
fn holds_exclusions(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.contains("codecov.")
        || [
            "pyproject.toml",
            ".coveragerc",
            "setup.cfg",
            "tox.ini",
            "tarpaulin.toml",
            ".tarpaulin.toml",
            ".nycrc",
            ".nycrc.json",
            ".c8rc",
            ".c8rc.json",
            "package.json",
        ]
        .contains(&name)
}

impl Exclusion {
    /// As the host's glob. Where a star may match slashes, it becomes two.
    fn glob(&self) -> String {
        let pattern = self
            .pattern
            .trim_start_matches("./")
            .trim_start_matches('/');
        let is_fnmatch = !["nycrc", "c8rc", "package.json"]
            .iter()
            .any(|name| self.path.contains(name));
        let parts: Vec<&str> = pattern
            .split('/')
            .map(|part| {
                if part == "*" && is_fnmatch {
                    "**"
                } else {
                    part
                }
            })
            .collect();
        let glob = parts.join("/");
        match glob.strip_suffix("/**/*") {
            Some(folder) => format!("{folder}/**"),
            None if glob.contains('/') => glob,
            None => format!("/{glob}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use changelings_sdk::testing::Tree;
    use changelings_sdk::{Composition, Context, Manifest, Template};

    use super::*;

    /// Answers with the limits.
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
            let excluded = limits.excluded.iter().map(|path| format!("not {path}"));
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
                .write("web/.nycrc", "{\"exclude\": [\"web/gen/**\"]}")
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
}
