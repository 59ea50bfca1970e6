//! Reading a repository's tests: which files, in what order, and what is wrong in them.

use std::collections::{HashMap, HashSet};

use changelings_sdk::repo::{self, Place};
use changelings_sdk::{Date, Failure, prompt};
use knowledge::history::{Churn, Origins};
use knowledge::hotspot::{Code, Tested};
use knowledge::testing::{
    Helpers, Mark, MarkKind, Test, TestFile, is_smoke_test, read, runner, style,
};
use knowledge::{Survey, decoy};

use crate::finding::{Finding, Kind};
use crate::pick::{self, MAX_FILE_BYTES};

/// Most lines a search for helpers answers.
const MAX_MATCHES: u32 = 2_000;
/// Most marks whose age is looked up, in how many files: history is slow to read.
const MAX_AGES: usize = 60;
const MAX_FILES_WITH_AGE: usize = 20;
/// Files read to learn what helpers do that were not read before.
const MAX_HELPER_FILES: usize = 20;
/// A test with more lines of code and checks than this does much at once.
const LONG_LINES: usize = 80;
const LONG_CHECKS: usize = 5;
/// Most source files without a test that are named as findings.
const MAX_UNTESTED: usize = 20;

/// What was seen.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) findings: Vec<Finding>,
    /// Test files read.
    pub(crate) read: usize,
    /// Test files that the bounds kept from being read.
    pub(crate) left_out: usize,
    /// Tests in the files read.
    pub(crate) tests: usize,
    /// Test files read that a known runner runs.
    pub(crate) runnable: usize,
    pub(crate) runners: Vec<runner::Found>,
}

/// Reads tests and says what is wrong with them.
pub(crate) fn look(
    code: &Code,
    kinds: &[Kind],
    survey: &Survey,
    runners: &[runner::Found],
    churn: &Churn,
    today: Date,
) -> Result<Seen, Failure> {
    let (texts, left_out) = pick::texts(code, churn, today)?;
    let files: Vec<Read> = texts
        .iter()
        .filter_map(|(path, text)| {
            let (style, language) = style::of_path(path)?;
            let runner = runner::of(runners, path, text);
            Some(Read {
                path,
                file: read(text, style, language.syntax),
                runner,
            })
        })
        .collect();
    let mut seen = Seen {
        read: files.len(),
        left_out,
        tests: files.iter().map(|file| file.file.tests.len()).sum(),
        runnable: files.iter().filter(|file| file.runner.is_some()).count(),
        ..Seen::default()
    };
    for found in files.iter().filter_map(|file| file.runner.as_ref()) {
        if !seen.runners.contains(found) {
            seen.runners.push(found.clone());
        }
    }
    let more_texts = if seen.left_out > 0 {
        helpers_elsewhere(&files)?
    } else {
        Vec::new()
    };
    let more: Vec<TestFile> = more_texts
        .iter()
        .filter_map(|(path, text)| {
            style::of_path(path).map(|(style, language)| read(text, style, language.syntax))
        })
        .collect();
    let functions = files
        .iter()
        .map(|read| &read.file)
        .chain(&more)
        .flat_map(|file| &file.functions);
    let helpers = Helpers::among(functions);
    let ages = ages(&files, churn)?;
    for file in files.iter().filter(|file| file.runner.is_some()) {
        seen.findings
            .extend(file.findings(&helpers, churn, &ages, today));
    }
    if kinds.contains(&Kind::Untested) {
        seen.findings
            .extend(untested(code, survey, runners, churn)?);
    }
    seen.findings
        .retain(|finding| kinds.contains(&finding.kind));
    Ok(seen)
}

/// A test file that was read.
struct Read<'a> {
    path: &'a str,
    file: TestFile<'a>,
    runner: Option<runner::Found>,
}

/// Files with functions that tests call which seem to check nothing: in a large repository they may
/// be among those that were not read.
fn helpers_elsewhere(files: &[Read]) -> Result<Vec<(String, String)>, Failure> {
    let helpers = Helpers::among(files.iter().flat_map(|read| &read.file.functions));
    let mut names: Vec<&str> = files
        .iter()
        .flat_map(|read| &read.file.tests)
        .filter(|test| is_weak(test, &helpers))
        .flat_map(|test| test.calls.iter().copied())
        .filter(|name| name.len() > 2)
        .collect();
    names.sort_unstable();
    names.dedup();
    names.truncate(150);
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let pattern = format!(
        r"\b(fn|def|func|fun|function|const|void|macro_rules!)\s+({})\b",
        names
            .iter()
            .map(|name| style::escaped(name))
            .collect::<Vec<_>>()
            .join("|")
    );
    let mut globs = knowledge::testing::counterpart::globs();
    globs.extend(decoy::excluding());
    let globs: Vec<&str> = globs.iter().map(String::as_str).collect();
    let known: HashSet<&str> = files.iter().map(|read| read.path).collect();
    let mut paths: Vec<String> = repo::search(&pattern, &globs, MAX_MATCHES)?
        .into_iter()
        .map(|line| line.path)
        .collect();
    paths.dedup();
    paths.retain(|path| !known.contains(path.as_str()));
    let mut texts = Vec::new();
    for path in paths.into_iter().take(MAX_HELPER_FILES) {
        if let Some(file) = repo::read_if_text(&path, MAX_FILE_BYTES)? {
            texts.push((path, file.text));
        }
    }
    Ok(texts)
}

fn is_weak(test: &Test, helpers: &Helpers) -> bool {
    !helpers.can_fail(test) && !is_smoke_test(test.name)
}

/// When the marks that skip were written.
fn ages(files: &[Read], churn: &Churn) -> Result<Origins, Failure> {
    let mut marks: Vec<Place> = Vec::new();
    let mut by_churn: Vec<&Read> = files.iter().filter(|file| file.runner.is_some()).collect();
    by_churn.sort_by_key(|file| (std::cmp::Reverse(churn.commits(file.path)), file.path));
    let skips = |file: &&Read| {
        file.file
            .marks
            .iter()
            .any(|mark| mark.kind == MarkKind::Skipped)
    };
    for file in by_churn.into_iter().filter(skips).take(MAX_FILES_WITH_AGE) {
        let lines = file
            .file
            .marks
            .iter()
            .filter(|mark| mark.kind == MarkKind::Skipped);
        marks.extend(lines.map(|mark| Place {
            path: file.path.to_owned(),
            line: mark.line,
        }));
    }
    marks.truncate(MAX_AGES);
    Origins::of(&marks)
}

impl Read<'_> {
    fn findings(
        &self,
        helpers: &Helpers,
        churn: &Churn,
        ages: &Origins,
        today: Date,
    ) -> Vec<Finding> {
        let mut findings = Vec::new();
        let lately = i64::from(churn.commits(self.path));
        for mark in &self.file.marks {
            findings.extend(self.of_mark(mark, helpers, ages, today, lately));
        }
        for test in &self.file.tests {
            findings.extend(self.of_test(test, helpers, lately));
        }
        findings
    }

    fn of_mark(
        &self,
        mark: &Mark,
        helpers: &Helpers,
        ages: &Origins,
        today: Date,
        lately: i64,
    ) -> Option<Finding> {
        let code = prompt::code_bounded(mark.code, 120);
        let reason = mark
            .reason
            .filter(|reason| !mark.code.contains(*reason))
            .map(|reason| format!(", beside it: {}", prompt::code_bounded(reason, 120)))
            .unwrap_or_default();
        let test = self.file.tests.iter().find(|test| test.name == mark.name);
        let is_weak = test.is_some_and(|test| is_weak(test, helpers));
        let (kind, seen, weight) = match mark.kind {
            MarkKind::Focused => (Kind::Focused, format!("{code}{reason}"), lately),
            MarkKind::Skipped => {
                let place = Place {
                    path: self.path.to_owned(),
                    line: mark.line,
                };
                let age = ages
                    .in_words(&place, today)
                    .map(|age| format!(", {age}"))
                    .unwrap_or_default();
                let days = ages.date(&place).map_or(-1, |date| today.days_since(date));
                let too = if is_weak {
                    "; it checks nothing either: unless you give it a check of what its name promises, it stays skipped"
                } else {
                    ""
                };
                (Kind::Skipped, format!("{code}{age}{reason}{too}"), days)
            }
            // A test that checks nothing is told once, with its sleep.
            MarkKind::Sleeps if is_weak => return None,
            MarkKind::Sleeps => (Kind::Sleeping, format!("{code}{reason}"), lately),
        };
        Some(self.finding(kind, mark.line, mark.name, seen, weight))
    }

    fn of_test(&self, test: &Test, helpers: &Helpers, lately: i64) -> Option<Finding> {
        if let Some(by) = test.replaced_by {
            let seen = format!("replaced by the one on line {by}");
            return Some(self.finding(Kind::Replaced, test.line, test.name, seen, lately));
        }
        if test.is_skipped {
            return None;
        }
        if is_weak(test, helpers) {
            let sleep = self.file.marks.iter().find(|mark| {
                mark.kind == MarkKind::Sleeps && (test.line..=test.end).contains(&mark.line)
            });
            let sleep = sleep.map(|mark| {
                format!(
                    ", and it sleeps on line {}: {}",
                    mark.line,
                    prompt::code_bounded(mark.code, 120)
                )
            });
            let what = match test.constants {
                0 => "no call in it checks anything",
                _ => "what it asserts is a constant",
            };
            let seen = format!("{what}{}", sleep.unwrap_or_default());
            return Some(self.finding(Kind::Unchecked, test.line, test.name, seen, lately));
        }
        let is_long = test.code_lines >= LONG_LINES && test.checks >= LONG_CHECKS;
        is_long.then(|| {
            let seen = format!("{} lines of code, {} checks", test.code_lines, test.checks);
            let weight = i64::try_from(test.code_lines).unwrap_or(i64::MAX);
            self.finding(Kind::Long, test.line, test.name, seen, weight)
        })
    }

    fn finding(&self, kind: Kind, line: u32, name: &str, seen: String, weight: i64) -> Finding {
        let test = self
            .file
            .tests
            .iter()
            .find(|test| !name.is_empty() && test.name == name);
        Finding {
            kind,
            path: self.path.to_owned(),
            line: Some(line),
            name: name.to_owned(),
            test_line: test.map(|test| test.line),
            seen,
            weight,
            runner: self.runner.clone(),
        }
    }
}

/// Source files that changed often lately and have no test at all.
fn untested(
    code: &Code,
    survey: &Survey,
    runners: &[runner::Found],
    churn: &Churn,
) -> Result<Vec<Finding>, Failure> {
    let packages = survey.packages();
    let counterparts = code.counterparts(packages.iter().map(|package| package.folder));
    let mut found: HashMap<String, runner::Found> = HashMap::new();
    let wanted = |path: &str| churn.commits(path) > 1 && runner::of(runners, path, "").is_some();
    let hotspots = code.hotspots(&counterparts, churn, &wanted)?;
    let findings = hotspots
        .spots
        .into_iter()
        .filter(|spot| spot.tested == Tested::Not)
        .take(MAX_UNTESTED)
        .map(|spot| {
            let runner = runner::of(runners, &spot.path, "");
            if let Some(runner) = &runner {
                found.insert(spot.path.clone(), runner.clone());
            }
            let nearest = counterparts
                .nearest(&spot.path)
                .map(|test| format!("; nearest test: {}", prompt::code(test)))
                .unwrap_or_default();
            Finding {
                kind: Kind::Untested,
                line: None,
                name: String::new(),
                test_line: None,
                seen: format!("{}; {}{nearest}", spot.why(churn), spot.tests_in_words()),
                weight: i64::try_from(spot.weight()).unwrap_or(i64::MAX),
                runner,
                path: spot.path,
            }
        })
        .collect();
    Ok(findings)
}
