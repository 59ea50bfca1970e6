//! Patterns in the configuration of coverage tools: which files are measured, which are not.

use crate::checks::{ini, json, yaml};

/// Names of the files whose patterns are understood.
#[rustfmt::skip]
pub(super) const FILES: &[&str] = &[
    "pyproject.toml", ".coveragerc", "setup.cfg", "tox.ini", "tarpaulin.toml", ".tarpaulin.toml", ".nycrc",
    ".nycrc.json", ".c8rc", ".c8rc.json", "package.json", "vitest.config.*", "vite.config.*", "jest.config.*",
    "codecov.yml", ".codecov.yml", "codecov.yaml",
];

/// What opens a list of patterns.
pub(super) const SIGNS: &str =
    r#"\b(omit|exclude-files|include-files|exclude|include|ignore|collectCoverageFrom)"?\s*[:=]"#;

/// A pattern of files that are measured, or are not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    pub path: String,
    pub line: u32,
    /// As written, without quotes.
    pub pattern: String,
    /// What it matches is measured, and nothing else.
    pub(super) is_wanted: bool,
}

/// A line, a pattern, and whether it is wanted.
type Found = (u32, String, bool);

/// The patterns in one configuration file.
pub(super) fn in_file(path: &str, text: &str) -> Vec<Pattern> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let found = match name {
        "pyproject.toml" | ".coveragerc" | "setup.cfg" | "tox.ini" => of_coverage_py(name, text),
        "tarpaulin.toml" | ".tarpaulin.toml" => of_tarpaulin(text),
        ".nycrc" | ".nycrc.json" | ".c8rc" | ".c8rc.json" | "package.json" => of_json(name, text),
        _ if name.contains("codecov.") => of_codecov(text),
        _ if name.starts_with("jest.config.") => with_signs(of_script(text, "collectCoverageFrom")),
        _ => of_vitest(text),
    };
    found
        .into_iter()
        .filter(|(_, pattern, _)| !pattern.is_empty())
        .map(|(line, pattern, is_wanted)| Pattern {
            path: path.to_owned(),
            line,
            pattern,
            is_wanted,
        })
        .collect()
}

fn of_coverage_py(name: &str, text: &str) -> Vec<Found> {
    let tables = [
        "tool.coverage.run",
        "tool.coverage.report",
        "coverage:run",
        "coverage:report",
    ];
    let plain = ["run", "report"];
    ini::entries(text)
        .into_iter()
        .filter(|entry| {
            tables.contains(&entry.table.as_str())
                || name == ".coveragerc" && plain.contains(&entry.table.as_str())
        })
        .flat_map(|entry| of_entry(&entry, "omit", "include"))
        .collect()
}

fn of_tarpaulin(text: &str) -> Vec<Found> {
    ini::entries(text)
        .iter()
        .flat_map(|entry| of_entry(entry, "exclude-files", "include-files"))
        .collect()
}

fn of_entry(entry: &ini::Entry, unwanted: &str, wanted: &str) -> Vec<Found> {
    if entry.key != unwanted && entry.key != wanted {
        return Vec::new();
    }
    entry
        .value
        .split(['\n', ',', '[', ']'])
        .map(|part| part.trim().trim_matches(['"', '\'']))
        .filter(|part| !part.starts_with('#'))
        .map(|part| (entry.line, part.to_owned(), entry.key == wanted))
        .collect()
}

fn of_json(name: &str, text: &str) -> Vec<Found> {
    let is_package = name == "package.json";
    json::entries(text)
        .into_iter()
        .flat_map(|entry| {
            let keys: Vec<&str> = entry.keys.iter().map(String::as_str).collect();
            let key = match keys.as_slice() {
                [key, _] if !is_package => *key,
                ["nyc" | "c8" | "jest", key, _] => *key,
                _ => "",
            };
            match key {
                "include" => vec![(entry.line, entry.value, true)],
                "exclude" => vec![(entry.line, entry.value, false)],
                "collectCoverageFrom" => with_signs(vec![(entry.line, entry.value)]),
                _ => Vec::new(),
            }
        })
        .collect()
}

fn of_codecov(text: &str) -> Vec<Found> {
    yaml::scalars(text)
        .into_iter()
        .filter(|scalar| scalar.key() == "ignore")
        .flat_map(|scalar| scalar.lines)
        .map(|(line, pattern)| (line, pattern, false))
        .collect()
}

/// `coverage: { include: [...], exclude: [...] }`; lists outside of it are about the tests.
fn of_vitest(text: &str) -> Vec<Found> {
    let text = without_comments(text);
    let Some((start, block)) = after(&text, "coverage", '{') else {
        return Vec::new();
    };
    let above = lines_before(&text, start);
    let of = |key, is_wanted| {
        let found = of_script(block, key).into_iter();
        found.map(move |(line, pattern)| (above + line, pattern, is_wanted))
    };
    of("include", true).chain(of("exclude", false)).collect()
}

/// Jest's lists take away with a `!`.
fn with_signs(patterns: Vec<(u32, String)>) -> Vec<Found> {
    patterns
        .into_iter()
        .map(|(line, pattern)| match pattern.strip_prefix('!') {
            Some(unwanted) => (line, unwanted.to_owned(), false),
            None => (line, pattern, true),
        })
        .collect()
}

/// The strings of the first list with that name in a script, with their lines from 1.
fn of_script(text: &str, name: &str) -> Vec<(u32, String)> {
    let text = without_comments(text);
    let Some((start, list)) = after(&text, name, '[') else {
        return Vec::new();
    };
    let mut found = Vec::new();
    let mut rest = list;
    while let Some(opens) = rest.find(['"', '\'', '`']) {
        let quote = &rest[opens..=opens];
        let Some((pattern, after)) = rest[opens + 1..].split_once(quote) else {
            break;
        };
        let line = 1 + lines_before(&text, start + (list.len() - rest.len()) + opens);
        found.push((line, pattern.to_owned()));
        rest = after;
    }
    found
}

/// What stands between the bracket after `name:` and the one that closes it, and where it starts.
fn after<'a>(text: &'a str, name: &str, bracket: char) -> Option<(usize, &'a str)> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
    let start = text.match_indices(name).find_map(|(at, _)| {
        if text[..at].ends_with(is_part) {
            return None;
        }
        let rest = text[at + name.len()..].trim_start_matches(['"', '\'']);
        let rest = rest.trim_start().strip_prefix(':')?.trim_start();
        let inside = rest.strip_prefix(bracket)?;
        Some(text.len() - inside.len())
    })?;
    let mut depth = 1;
    let mut quote = None;
    for (at, c) in text[start..].char_indices() {
        match (quote, c) {
            (Some(open), _) if open == c => quote = None,
            (None, '"' | '\'' | '`') => quote = Some(c),
            (None, '{' | '[' | '(') => depth += 1,
            (None, '}' | ']' | ')') => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some((start, &text[start..start + at]));
        }
    }
    None
}

/// Comments on lines of their own become empty lines.
fn without_comments(text: &str) -> String {
    text.lines()
        .map(|line| {
            let is_comment = line.trim_start().starts_with("//");
            if is_comment { "" } else { line }
        })
        .flat_map(|line| [line, "\n"])
        .collect()
}

fn lines_before(text: &str, at: usize) -> u32 {
    u32::try_from(text[..at].matches('\n').count()).unwrap_or(u32::MAX)
}

impl Pattern {
    /// The folder it starts from; empty: the root.
    pub(super) fn folder(&self) -> &str {
        match self.path.rsplit_once('/') {
            Some((folder, name)) if !name.contains("codecov.") => folder,
            _ => "",
        }
    }

    /// Names of the languages whose measuring it is about.
    pub(super) fn languages(&self) -> &'static [&'static str] {
        if self.is_of_script() {
            &["TypeScript", "JavaScript", "Vue", "Svelte", "Astro"]
        } else if self.path.ends_with("tarpaulin.toml") {
            &["Rust"]
        } else {
            &["Python"]
        }
    }

    fn is_of_script(&self) -> bool {
        let name = self.path.rsplit('/').next().unwrap_or(&self.path);
        let starts = [
            ".nycrc",
            ".c8rc",
            "package.json",
            "vitest.",
            "vite.",
            "jest.",
        ];
        starts.iter().any(|start| name.starts_with(start))
    }

    /// As the host's glob. Where a star may match slashes, it becomes two.
    pub(super) fn glob(&self) -> String {
        let pattern = self
            .pattern
            .trim_start_matches("<rootDir>/")
            .trim_start_matches("./")
            .trim_start_matches('/');
        let is_fnmatch = !self.is_of_script();
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
        let glob = match glob.strip_suffix("/**/*") {
            Some(folder) => format!("{folder}/**"),
            None => glob,
        };
        match self.folder() {
            "" => format!("/{glob}"),
            folder => format!("/{folder}/{glob}"),
        }
    }
}
