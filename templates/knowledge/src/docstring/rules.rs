//! What a repository itself says about docstrings: in the configuration of linters and in its notes.

use changelings_sdk::repo::{self, Match};
use changelings_sdk::{Failure, prompt};

use crate::{decoy, notes};

/// Words of linters that ask for docstrings, and of people who do.
const PATTERN: &str = concat!(
    r"\bmissing_docs(_in_private_items)?\b|\[tool\.(interrogate|pydocstyle|docstr)|^\s*fail-under\s*=",
    r"|^\s*convention\s*=|\bjsdoc/[a-z-]+|MissingJavadoc|JavadocMethod|\bdoclint\b",
    r"|\b[Dd]oc(umentation)?[ -]comments?\b|\b[Dd]ocstrings?\b|\b[Jj]avadoc\b|\b(JS|TS|PHP)Doc\b|\brustdoc\b|\bgodoc\b",
);

/// Files of linters' configuration, beside the notes.
#[rustfmt::skip]
const FILES: &[&str] = &[
    "Cargo.toml", "clippy.toml", "pyproject.toml", "setup.cfg", "tox.ini", ".flake8", "ruff.toml", ".ruff.toml",
    ".pydocstyle", ".eslintrc", ".eslintrc.js", ".eslintrc.cjs", ".eslintrc.json", ".eslintrc.yml", "eslint.config.js",
    "eslint.config.mjs", "eslint.config.ts", "typedoc.json", ".golangci.yml", ".golangci.yaml", ".golangci.toml",
    "revive.toml", "checkstyle.xml", "pom.xml", ".pre-commit-config.yaml", "phpcs.xml", ".swiftlint.yml",
    "Directory.Build.props", "lib.rs", "main.rs",
];

/// Most lines asked for and told.
const MAX_MATCHES: u32 = 500;
const MAX_TOLD: usize = 8;

/// Lines in which the repository asks for docstrings, each with its place, as a list.
pub fn in_words() -> Result<String, Failure> {
    let names: Vec<&str> = FILES.iter().chain(notes::NAMES).copied().collect();
    let mut globs = decoy::globs("**/", &names, "");
    globs.extend(decoy::excluding_folders());
    let globs: Vec<&str> = globs.iter().map(String::as_str).collect();
    let found = repo::search(PATTERN, &globs, MAX_MATCHES)?;
    let mut lines: Vec<&Match> = found.items.iter().filter(|line| is_rule(line)).collect();
    lines.sort_by_key(|line| line.path.matches('/').count());
    Ok(prompt::bullets(lines.into_iter().take(MAX_TOLD).map(
        |line| {
            let place = prompt::place(&line.path, line.line);
            format!(
                "{place} says {}",
                prompt::code_bounded(line.text.trim(), 160)
            )
        },
    )))
}

/// In source files only attributes count, not their prose.
fn is_rule(line: &Match) -> bool {
    !line.path.ends_with(".rs") || line.text.trim_start().starts_with("#!")
}
