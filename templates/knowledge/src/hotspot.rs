//! Where a defect would go unnoticed: source files that change often and have no test of their own.

use std::collections::{HashMap, HashSet};

use changelings_sdk::repo::{self, File, Match};
use changelings_sdk::{Failure, prompt};

use crate::history::Churn;
use crate::testing::counterpart::{self, Counterparts};
use crate::testing::{mask, style};
use crate::{decoy, ecosystem, language};

/// Most files listed, and most read for a closer look.
const MAX_FILES: u32 = 100_000;
const MAX_READ: usize = 40;
const MAX_BYTES: u32 = 200_000;
const MAX_MATCHES: u32 = 10_000;
/// With less there is little to test: constants, types, re-exports.
const MIN_LOGIC: usize = 3;

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
    let own = files
        .items
        .into_iter()
        .filter(|file| decoy::of_path(&file.path).is_none());
    let (tests, sources): (Vec<File>, Vec<File>) =
        own.partition(|file| ecosystem::is_test_file(&file.path));
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

    /// Sources that changed, the most telling first: those without any test, then by commits times
    /// functions and branches. Files for which `wanted` says no are left out, and how many of those that
    /// changed were looked at is said with the list.
    pub fn hotspots(
        &self,
        counterparts: &Counterparts,
        churn: &Churn,
        wanted: &dyn Fn(&str) -> bool,
    ) -> Result<Vec<Hotspot>, Failure> {
        let known: HashSet<&str> = self.sources.iter().map(|file| file.path.as_str()).collect();
        let mut changed: Vec<(&str, Option<&str>)> = churn
            .files()
            .into_iter()
            .filter_map(|file| known.get(file.path.as_str()).copied())
            .filter(|path| !is_scaffold(path) && wanted(path))
            .map(|path| (path, counterparts.of(path)))
            .collect();
        // Few are read: those without a test first, each kind by commits as they come.
        changed
            .sort_by_key(|(path, test)| (test.is_some_and(|test| test != *path), test.is_some()));
        let mut read: Vec<(&str, Option<&str>, usize)> = Vec::new();
        for (path, test) in changed.into_iter().take(MAX_READ) {
            let logic = logic_in(path)?;
            if logic >= MIN_LOGIC {
                read.push((path, test, logic));
            }
        }
        let untested = read
            .iter()
            .filter(|(_, test, _)| test.is_none())
            .map(|(path, ..)| *path);
        let mentions = mentions(&untested.collect::<Vec<_>>())?;
        let mut hotspots: Vec<Hotspot> = read
            .into_iter()
            .map(|(path, test, logic)| Hotspot {
                path: path.to_owned(),
                commits: churn.commits(path),
                logic,
                tested: match (test, mentions.get(path)) {
                    (Some(test), _) => Tested::By(test.to_owned(), churn.commits(test)),
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
        Ok(hotspots)
    }
}

impl Hotspot {
    /// Commits times functions and branches.
    pub fn weight(&self) -> usize {
        self.commits as usize * self.logic
    }

    /// Why it is worth a test, for a person: `4 commits in 90 days, 11 functions and branches`.
    pub fn why(&self, churn: &Churn) -> String {
        format!(
            "{}, {} functions and branches",
            churn.in_words(&self.path),
            prompt::number(self.logic)
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
fn is_scaffold(path: &str) -> bool {
    let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
    SCAFFOLD_NAMES.contains(&name)
        || SCAFFOLD_ENDS.iter().any(|end| name.ends_with(end))
        || folders
            .split('/')
            .any(|folder| SCAFFOLD_FOLDERS.contains(&folder))
}

/// Branching points of a file; none for files that turn out to be generated or not to be text.
fn logic_in(path: &str) -> Result<usize, Failure> {
    let Some((_, language)) = style::of_path(path) else {
        return Ok(0);
    };
    let text = repo::read_if_text(path, MAX_BYTES)?.map(|file| file.text);
    let text = text.filter(|text| decoy::of_text(text).is_none());
    Ok(text.map_or(0, |text| logic(own_part(path, &text), language)))
}

/// Without Rust's tests, which stand at the end.
fn own_part<'a>(path: &str, text: &'a str) -> &'a str {
    let end = text.find("#[cfg(test)]").filter(|_| path.ends_with(".rs"));
    &text[..end.unwrap_or(text.len())]
}

fn logic(text: &str, language: &language::Language) -> usize {
    #[rustfmt::skip]
    const WORDS: &[&str] = &[
        "fn", "def", "defp", "func", "function", "fun", "lambda", "proc", "if", "elif", "elsif", "unless", "for",
        "foreach", "while", "until", "loop", "match", "switch", "case", "when", "catch", "except", "rescue",
        "guard", "cond", "and", "or", "public", "private", "protected",
    ];
    let masked = mask(text, language.syntax);
    let words = masked
        .split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .filter(|word| WORDS.contains(word))
        .count();
    let signs = ["=>", "&&", "||"].map(|sign| masked.matches(sign).count());
    words + signs.iter().sum::<usize>()
}

/// For each path the first line of a test that imports it or, where classes are files, names it.
fn mentions(paths: &[&str]) -> Result<HashMap<String, Match>, Failure> {
    let mut by_stem: HashMap<&str, Vec<&str>> = HashMap::new();
    for path in paths {
        if let Some(stem) = stem_that_tells(path) {
            by_stem.entry(stem).or_default().push(path);
        }
    }
    if by_stem.is_empty() {
        return Ok(HashMap::new());
    }
    let mut stems: Vec<&str> = by_stem.keys().copied().collect();
    stems.sort_unstable();
    let stems = stems
        .iter()
        .map(|stem| style::escaped(stem))
        .collect::<Vec<_>>()
        .join("|");
    let pattern = format!(
        r"\b(import|from|require|use|include|mod|describe|@testable)\b.*\b({stems})\b|\b(class|new)\s+({stems})\b"
    );
    let mut globs = counterpart::globs();
    globs.extend(decoy::excluding());
    let globs: Vec<&str> = globs.iter().map(String::as_str).collect();
    let mut mentions: HashMap<String, Match> = HashMap::new();
    for found in repo::search(&pattern, &globs, MAX_MATCHES)? {
        let words = found
            .text
            .split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-'));
        let named = words.filter_map(|word| by_stem.get(word)).flatten();
        for path in named.filter(|path| is_related(path, &found.path)) {
            let known = mentions.contains_key(*path);
            if !known {
                mentions.insert((*path).to_owned(), found.clone());
            }
        }
    }
    Ok(mentions)
}

/// The name tests would import a file by, where it is not one of many.
fn stem_that_tells(path: &str) -> Option<&str> {
    let name = path.rsplit('/').next()?;
    let (stem, _) = name.split_once('.')?;
    let is_telling = stem.len() > 3
        && !counterpart::is_common(stem)
        && stem
            .chars()
            .all(|c| c.is_alphanumeric() || c == '_' || c == '-');
    is_telling.then_some(stem)
}

/// Same language family, so that a Python test does not speak for a TypeScript file.
fn is_related(source: &str, test: &str) -> bool {
    let name = |path| language::of(path).map(|language| language.name);
    let family = |path| {
        name(path)
            .and_then(ecosystem::of_language)
            .map(|ecosystem| ecosystem.name)
    };
    family(source) == family(test)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logic_is_code() {
        let rust = language::of("a.rs").unwrap();
        let text = "if a && b { match c { 1 => x, _ => y } } // if not\n\"for\";";
        assert_eq!(logic(text, rust), 5);
        let python = language::of("a.py").unwrap();
        let text = "\"\"\"if or and\"\"\"\ndef f():\n  for x in y:\n    if z or w: pass\n";
        assert_eq!(logic(text, python), 4);
        let script = language::of("a.ts").unwrap();
        assert_eq!(
            logic("export * from \"./b\";\nexport type A = string;", script),
            0
        );
    }

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
