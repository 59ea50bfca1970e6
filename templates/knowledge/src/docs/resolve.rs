//! Whether what a document points at is there.

use std::collections::{HashMap, HashSet};

/// All paths of a repository and the folders they are in.
#[derive(Debug, Default)]
pub struct Tree<'a> {
    files: HashSet<&'a str>,
    folders: HashSet<&'a str>,
    /// Files and folders by the last part of their path.
    by_name: HashMap<&'a str, Vec<&'a str>>,
}

impl<'a> Tree<'a> {
    pub fn new(paths: impl IntoIterator<Item = &'a str>) -> Self {
        let mut tree = Self::default();
        for path in paths {
            tree.files.insert(path);
            tree.add_name(path);
            let mut folder = path;
            while let Some((above, _)) = folder.rsplit_once('/') {
                if !tree.folders.insert(above) {
                    break;
                }
                tree.add_name(above);
                folder = above;
            }
        }
        tree
    }

    fn add_name(&mut self, path: &'a str) {
        let name = path.rsplit('/').next().unwrap_or(path);
        self.by_name.entry(name).or_default().push(path);
    }

    /// A file or folder; a slash at the end does not matter.
    pub fn has(&self, path: &str) -> bool {
        let path = path.trim_end_matches('/');
        path.is_empty() || self.files.contains(path) || self.folders.contains(path)
    }

    /// A file or folder of that name, anywhere.
    pub fn has_name(&self, name: &str) -> bool {
        self.by_name.contains_key(name)
    }

    pub fn has_folder(&self, path: &str) -> bool {
        self.folders.contains(path)
    }

    /// A file or folder whose path ends with this.
    pub fn has_end(&self, end: &str) -> bool {
        let end = end.trim_matches('/');
        let name = end.rsplit('/').next().unwrap_or(end);
        self.by_name.get(name).is_some_and(|paths| {
            paths.iter().any(|path| {
                path.strip_suffix(end)
                    .is_some_and(|rest| rest.is_empty() || rest.ends_with('/'))
            })
        })
    }

    /// Whether a link of a document leads somewhere, in the ways that sites of documents allow:
    /// without the extension, to a folder's index, or from the root of the site.
    pub fn has_target(&self, document: &str, target: &str) -> bool {
        let folder = document.rsplit_once('/').map_or("", |(folder, _)| folder);
        let mut bases: Vec<&str> = vec![folder];
        if target.starts_with('/') {
            bases = vec![
                "",
                "docs",
                "doc",
                "docs/source",
                "static",
                "public",
                "docs/static",
                "website/static",
                "docs/public",
                "src",
            ];
            // The site of a package has its root at one of the folders above.
            let mut above = folder;
            while !above.is_empty() {
                bases.push(above);
                above = above.rsplit_once('/').map_or("", |(above, _)| above);
            }
        }
        let target = target.trim_start_matches('/');
        bases
            .iter()
            .any(|base| joined(base, target).is_none_or(|path| self.has_page(&path)))
    }

    fn has_page(&self, path: &str) -> bool {
        let stem = path.trim_end_matches('/');
        let stem = stem.strip_suffix(".html").unwrap_or(stem);
        self.has(path)
            || [
                ".md",
                ".mdx",
                ".rst",
                ".adoc",
                "/index.md",
                "/index.mdx",
                "/README.md",
                "/index.rst",
            ]
            .iter()
            .any(|end| self.files.contains(format!("{stem}{end}").as_str()))
    }
}

/// The part of a link that is a path in the repository; `None` for what leads elsewhere: another
/// site, a place in the same document, something to fill in.
pub fn target(link: &str) -> Option<String> {
    let path = link.split(['#', '?']).next().unwrap_or("");
    let has_scheme = path
        .split('/')
        .next()
        .is_some_and(|first| first.contains(':'));
    let is_template = path.contains(['{', '}', '<', '>', '$', '*', '|']) || path.contains("...");
    if path.is_empty()
        || has_scheme
        || path.starts_with("//")
        || path.starts_with('@')
        || path.starts_with('~')
        || is_template
    {
        return None;
    }
    Some(decoded(path))
}

/// `a/b` + `../c` is `a/c`; `None` when it leads out of the repository.
fn joined(base: &str, target: &str) -> Option<String> {
    let mut parts: Vec<&str> = base.split('/').filter(|part| !part.is_empty()).collect();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// With `%20` and its like as the characters they stand for.
fn decoded(path: &str) -> String {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let [first, after @ ..] = rest {
        let hex = after.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        let escaped = hex
            .and_then(|hex| u8::from_str_radix(hex, 16).ok())
            .filter(|_| *first == b'%');
        bytes.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() {
            &after[2..]
        } else {
            after
        };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_that_lead_somewhere() {
        let paths = [
            "README.md",
            "docs/a b.md",
            "docs/guide/index.md",
            "src/x.rs",
            "static/logo.png",
        ];
        let tree = Tree::new(paths);
        let leads =
            |document, link| target(link).is_none_or(|target| tree.has_target(document, &target));
        for (document, link) in [
            ("README.md", "docs/a%20b.md#top"),
            ("docs/guide/index.md", "../../src/x.rs"),
            ("README.md", "docs/guide/"),
            ("README.md", "docs/guide"),
            ("docs/guide/index.md", "/logo.png"),
            ("README.md", "https://example.org/no.md"),
            ("README.md", "#here"),
            ("README.md", "mailto:a@b"),
            ("README.md", "../../issues"),
        ] {
            assert!(leads(document, link), "{document} {link}");
        }
        assert!(!leads("README.md", "docs/gone.md"));
        assert!(!leads("docs/guide/index.md", "../src/x.rs"));
        assert!(tree.has_end("guide/index.md") && !tree.has_end("uide/index.md"));
    }
}
