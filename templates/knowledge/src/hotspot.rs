//! Where a defect would go unnoticed: source files that change often and have no test of their own.

mod mention;
mod source;

use std::collections::HashSet;

use changelings_sdk::prompt::Total;
use changelings_sdk::repo::{self, File};
use changelings_sdk::{Failure, prompt};

use crate::history::Churn;
use crate::testing::counterpart::{self, Counterparts};
use crate::testing::style;
use crate::{decoy, ecosystem, language};
use source::Source;

/// Most files listed, and most read for a closer look.
const MAX_FILES: u32 = 100_000;
const MAX_READ: usize = 40;
const MAX_MATCHES: u32 = 10_000;
/// Most changed files that are considered, those with most commits.
const MAX_CHANGED: usize = 1_000;
/// With less there is little to test: constants, types, re-exports.
const MIN_LOGIC: usize = 2;

/// Files that are there to hold things together: a test of their own is not to be expected.
#[rustfmt::skip]
const SCAFFOLD_NAMES: &[&str] = &[
    "main.rs", "build.rs", "main.go", "__main__.py", "setup.py", "conftest.py", "manage.py", "wsgi.py", "asgi.py",
    "noxfile.py", "gulpfile.js", "Gruntfile.js", "Rakefile", "doc.go", "package-info.java", "module-info.java",
];
#[rustfmt::skip]
const SCAFFOLD_ENDS: &[&str] = &[
    ".config.js", ".config.ts", ".config.mjs", ".config.cjs", ".config.mts", ".stories.tsx", ".stories.ts",
    ".stories.jsx", ".d.ts", "rc.js", "rc.cjs", ".gradle", ".gradle.kts", ".gemspec",
];
#[rustfmt::skip]
const SCAFFOLD_FOLDERS: &[&str] = &[
    "examples", "example", "samples", "sample", "demo", "demos", "benches", "bench", "benchmarks", "benchmark",
    "scripts", "script", "docs", "doc", "migrations", "alembic", ".storybook", "stories", "playground", "fuzz",
    ".github", "hack", "typings", "buildSrc", "testing", "testutil", "testutils", "test-utils", "mocks",
];

/// The code of a repository, by what it is.
#[derive(Debug, Clone, Default)]
pub struct Code {
    /// Owners' own code in languages whose tests are known, without test files. Sorted.
    pub sources: Vec<File>,
    /// Test files, sorted by path.
    pub tests: Vec<File>,
    /// Sources that hold tests, sorted: Rust's `#[cfg(test)]`.
    pub inside: Vec<String>,
    /// The list was too long to be complete.
    pub truncated: bool,
}

/// A source file worth a test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hotspot {
    pub path: String,
    pub commits: u32,
    /// Its functions, `if`s, loops, cases and the like.
    pub logic: usize,
    pub tested: Tested,
    /// The declaration with most of them, and its line.
    pub busiest: Option<(String, u32)>,
}

/// The source files that changed lately.
#[derive(Debug, Clone)]
pub struct Hotspots {
    /// The most telling first.
    pub spots: Vec<Hotspot>,
    /// How many there are; more than are listed when not all were read.
    pub total: Total,
}

/// What is known of a source file's tests, the worst first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tested {
    /// No test is named after it, none mentions it.
    Not,
    /// None is named after it; this place imports it.
    Mentioned(String, u32),
    /// This file is named after it, and changed in so many commits of the same time.
    By(String, u32),
}

/// All code there is, listed without reading it.
pub fn code() -> Result<Code, Failure> {
    let mut extensions: Vec<&str> = style::STYLES
        .iter()
        .flat_map(|style| style.languages)
        .filter_map(|name| {
            language::LANGUAGES
                .iter()
                .find(|language| language.name == *name)
        })
        .flat_map(|language| language.extensions.iter().copied())
        .collect();
    extensions.sort_unstable();
    let mut globs = vec![format!("**/*.{{{}}}", extensions.join(","))];
    globs.extend(decoy::excluding());
    let globs: Vec<&str> = globs.iter().map(String::as_str).collect();
    let files = repo::files(&globs, MAX_FILES)?;
    let truncated = files.truncated;
    let (tests, sources): (Vec<File>, Vec<File>) = files
        .items
        .into_iter()
        .partition(|file| ecosystem::is_test_file(&file.path));
    let mut inside = Vec::new();
    if sources.iter().any(|file| file.path.ends_with(".rs")) {
        let mut globs = vec!["**/*.rs"];
        let excluding = decoy::excluding();
        globs.extend(excluding.iter().map(String::as_str));
        let found = repo::search(r"^\s*#\[cfg\((all\()?test\b", &globs, MAX_MATCHES)?;
        inside.extend(found.into_iter().map(|found| found.path));
        inside.dedup();
        inside.retain(|path| {
            sources
                .binary_search_by(|file| file.path.as_str().cmp(path))
                .is_ok()
        });
    }
    Ok(Code {
        sources,
        tests,
        inside,
        truncated,
    })
}

impl Code {
    /// Only the files that match the globs; all when there are none.
    pub fn within(mut self, globs: &[&str]) -> Result<Self, Failure> {
        if !globs.is_empty() {
            let wanted: HashSet<String> = repo::files(globs, MAX_FILES)?
                .into_iter()
                .map(|file| file.path)
                .collect();
            self.sources.retain(|file| wanted.contains(&file.path));
            self.tests.retain(|file| wanted.contains(&file.path));
            self.inside.retain(|path| wanted.contains(path));
        }
        Ok(self)
    }

    /// Which test is named after which source. `packages`: folders with a package manifest.
    pub fn counterparts<'a>(
        &'a self,
        packages: impl IntoIterator<Item = &'a str>,
    ) -> Counterparts<'a> {
        Counterparts::new(
            self.tests.iter().map(|file| file.path.as_str()),
            self.inside.iter().map(String::as_str),
            packages,
        )
    }

    /// Sources that changed: first those without any test, then those that tests only name, then the
    /// others; each by commits times functions and branches. Files for which `wanted` says no are left
    /// out.
    pub fn hotspots(
        &self,
        counterparts: &Counterparts,
        churn: &Churn,
        wanted: &dyn Fn(&str) -> bool,
    ) -> Result<Hotspots, Failure> {
        let known: HashSet<&str> = self.sources.iter().map(|file| file.path.as_str()).collect();
        let mut changed = churn
            .files()
            .into_iter()
            .filter_map(|file| known.get(file.path.as_str()).copied());
        let mut candidates: Vec<(&str, Option<&str>)> = changed
            .by_ref()
            .filter(|path| !is_scaffold(path) && wanted(path))
            .take(MAX_CHANGED)
            .map(|path| (path, counterparts.of(path)))
            .collect();
        let changed_in_all = candidates.len() + changed.count();
        // Few are read: those without a test first, each kind by commits as they come.
        candidates
            .sort_by_key(|(path, test)| (test.is_some_and(|test| test != *path), test.is_some()));
        let mut read: Vec<(Source, Option<&str>)> = Vec::new();
        for (path, test) in candidates.into_iter().take(MAX_READ) {
            let source = source::read(path)?;
            read.extend(
                source
                    .filter(|source| source.logic >= MIN_LOGIC)
                    .map(|source| (source, test)),
            );
        }
        let untested: Vec<&Source> = read
            .iter()
            .filter(|(_, test)| test.is_none())
            .map(|(source, _)| source)
            .collect();
        let mentions = mention::of(&untested)?;
        let mut hotspots: Vec<Hotspot> = read
            .iter()
            .map(|(source, test)| Hotspot {
                path: source.path.clone(),
                commits: churn.commits(&source.path),
                logic: source.logic,
                busiest: source.busiest.clone(),
                tested: match (test, mentions.get(source.path.as_str())) {
                    (Some(test), _) => Tested::By((*test).to_owned(), churn.commits(test)),
                    (None, Some(found)) => Tested::Mentioned(found.path.clone(), found.line),
                    (None, None) => Tested::Not,
                },
            })
            .collect();
        hotspots.sort_by_key(|spot| {
            let kind = match spot.tested {
                Tested::Not => 0,
                Tested::Mentioned(..) => 1,
                Tested::By(..) => 2,
            };
            (kind, std::cmp::Reverse(spot.weight()), spot.path.clone())
        });
        let total = match changed_in_all {
            0..=MAX_READ => Total::Exactly(hotspots.len()),
            more => Total::About(more),
        };
        Ok(Hotspots {
            spots: hotspots,
            total,
        })
    }
}

impl Hotspot {
    /// Commits times functions and branches.
    pub fn weight(&self) -> usize {
        self.commits as usize * self.logic
    }

    /// Why it is worth a test, for a person: `4 commits in 90 days, 11 functions and branches`.
    pub fn why(&self, churn: &Churn) -> String {
        let busiest = self.busiest.as_ref().map(|(name, line)| {
            let place = prompt::place(&self.path, *line);
            format!(", most in {} ({place})", prompt::code_bounded(name, 60))
        });
        format!(
            "{}, {} functions and branches{}",
            churn.in_words(&self.path),
            prompt::number(self.logic),
            busiest.unwrap_or_default()
        )
    }

    /// What was found of its tests, for a person.
    pub fn tests_in_words(&self) -> String {
        match &self.tested {
            Tested::Not => {
                let names: Vec<String> = counterpart::expected_names(&self.path);
                format!("no test found (looked for {})", names.join(", "))
            }
            Tested::Mentioned(path, line) => {
                format!(
                    "no test of its own, named in {}",
                    prompt::place(path, *line)
                )
            }
            Tested::By(path, _) if *path == self.path => "tests inside the file".into(),
            Tested::By(path, _) => format!("tests in {}", prompt::code(path)),
        }
    }
}

/// Whether a path is of a file that holds things together rather than doing something.
pub fn is_scaffold(path: &str) -> bool {
    let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
    SCAFFOLD_NAMES.contains(&name)
        || SCAFFOLD_ENDS.iter().any(|end| name.ends_with(end))
        || folders
            .split('/')
            .any(|folder| SCAFFOLD_FOLDERS.contains(&folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scaffolding() {
        for path in [
            "src/main.rs",
            "vite.config.ts",
            "app/migrations/0001.py",
            "examples/a.rs",
            "types/a.d.ts",
        ] {
            assert!(is_scaffold(path), "{path}");
        }
        for path in [
            "src/lib.rs",
            "src/config.ts",
            "app/example.py",
            "src/main_loop.rs",
        ] {
            assert!(!is_scaffold(path), "{path}");
        }
    }
}
