//! Documentation: which files it is, and what it says about the tree: links, paths, names, commands.

mod mentions;
mod resolve;

pub use mentions::{Form, Mention, mentions};
pub use resolve::{Tree, target};

/// Globs of documents; decoys are for the caller to leave out.
#[rustfmt::skip]
pub const GLOBS: &[&str] = &[
    "**/*.{md,markdown,mdx,rst,adoc,asciidoc}", "**/README", "**/README.txt", "**/INSTALL", "**/INSTALL.txt", "**/CHANGELOG",
    "**/CHANGES", "**/NEWS", "**/HISTORY", "man/**/*.[1-8]", "doc/**/*.[1-8]", "docs/**/*.txt",
];

/// Configuration of programs that make a site of documents.
pub const SITES: &[(&str, &str)] = &[
    ("mkdocs.yml", "MkDocs"),
    ("mkdocs.yaml", "MkDocs"),
    ("docs/conf.py", "Sphinx"),
    ("doc/conf.py", "Sphinx"),
    ("docs/source/conf.py", "Sphinx"),
    ("book.toml", "mdBook"),
    ("docs/book.toml", "mdBook"),
    ("docusaurus.config.js", "Docusaurus"),
    ("docusaurus.config.ts", "Docusaurus"),
    ("website/docusaurus.config.js", "Docusaurus"),
    ("docs/.vitepress/config.ts", "VitePress"),
    ("docs/_config.yml", "Jekyll"),
    ("docs/antora.yml", "Antora"),
    (".readthedocs.yaml", "Read the Docs"),
];

/// Beginnings of names of files, and folders, that tell what was true once: they may name what is gone.
const HISTORY_NAMES: &[&str] = &[
    "changelog",
    "changes",
    "history",
    "news",
    "releases",
    "release-notes",
    "release_notes",
    "migration",
    "upgrading",
];
const HISTORY_FOLDERS: &[&str] = &[
    "adr",
    "adrs",
    "decisions",
    "rfcs",
    "rfc",
    "blog",
    "_posts",
    "news",
    "newsfragments",
    "changelog.d",
    ".changeset",
    "changes",
    "reports",
    "proposals",
    "archive",
    "versioned_docs",
    "postmortems",
];
/// Files that are no documentation, though they are written like it.
const OTHER_NAMES: &[&str] = &[
    "license",
    "licence",
    "copying",
    "code_of_conduct",
    "security",
    "pull_request_template",
    "authors",
    "contributors",
];
const OTHER_FOLDERS: &[&str] = &["issue_template", "pull_request_template"];

/// What a document is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Says what is true today.
    Guide,
    /// Says what was true at a time.
    History,
    /// A licence, a form, ...
    Other,
}

/// What the path says a document is for.
pub fn purpose(path: &str) -> Purpose {
    let lower = path.to_lowercase();
    let (folders, name) = lower.rsplit_once('/').unwrap_or(("", &lower));
    let mut folders = folders.split('/');
    if OTHER_NAMES.iter().any(|other| name.starts_with(other))
        || folders
            .clone()
            .any(|folder| OTHER_FOLDERS.contains(&folder))
    {
        return Purpose::Other;
    }
    if HISTORY_NAMES
        .iter()
        .any(|history| name.starts_with(history))
        || folders.any(|folder| HISTORY_FOLDERS.contains(&folder))
    {
        return Purpose::History;
    }
    Purpose::Guide
}

/// Whether a path is that of the list of changes of the whole repository.
pub fn is_changelog(path: &str) -> bool {
    let lower = path.to_lowercase();
    let stem = lower.split('.').next().unwrap_or(&lower);
    ["changelog", "changes", "history", "news"].contains(&stem)
}

/// Line and version of the newest release that a list of changes has.
pub fn newest_release(text: &str) -> Option<(u32, &str)> {
    (1..)
        .zip(text.lines())
        .take(400)
        .find_map(|(line, content)| {
            let is_heading = content.starts_with('#')
                || content.starts_with(|c: char| c.is_ascii_digit() || c == 'v' || c == '[');
            let version = is_heading.then(|| version(content)).flatten()?;
            Some((line, version))
        })
}

/// The first `1.2` or `1.2.3-rc.1` of a line.
fn version(line: &str) -> Option<&str> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-' || c == '+';
    line.split(|c: char| !is_part(c)).find_map(|word| {
        let word = word.strip_prefix('v').unwrap_or(word);
        let numbers = word.split(['-', '+']).next()?;
        let parts: Vec<&str> = numbers.split('.').collect();
        let is_version = (2..=4).contains(&parts.len())
            && parts.iter().all(|part| {
                !part.is_empty() && part.len() < 5 && part.bytes().all(|byte| byte.is_ascii_digit())
            });
        is_version.then_some(word)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn purposes() {
        for (path, expected) in [
            ("README.md", Purpose::Guide),
            ("docs/format.md", Purpose::Guide),
            ("CHANGELOG.md", Purpose::History),
            ("docs/adr/0001-prices.md", Purpose::History),
            ("LICENSE.md", Purpose::Other),
            (".github/ISSUE_TEMPLATE/bug.md", Purpose::Other),
            ("reports/doc-reporter-2026-11-22.md", Purpose::History),
        ] {
            assert_eq!(purpose(path), expected, "{path}");
        }
        assert!(is_changelog("CHANGES.rst") && !is_changelog("docs/CHANGES.rst"));
    }

    #[test]
    fn releases() {
        let text = "# Changelog\n\n## [Unreleased]\n\n## [1.4.0] - 2026-01-02\n## 1.3.9\n";
        assert_eq!(newest_release(text), Some((5, "1.4.0")));
        assert_eq!(
            newest_release("v2.0.0-rc.1 (2026)\n====\n"),
            Some((1, "2.0.0-rc.1"))
        );
        assert_eq!(newest_release("# News\n\nNothing 1.2.3 here\n"), None);
    }
}
