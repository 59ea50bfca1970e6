//! Globs as `.gitignore` writes them.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use super::{Failure, failure};
use crate::names::printable;

/// Globs of one call, and characters of each.
const MAX_GLOBS: usize = 200;
const MAX_LENGTH: usize = 4000;

/// Which paths a guest wants to see.
#[derive(Debug)]
pub(super) struct Globs {
    /// `None`: all.
    wanted: Option<GlobSet>,
    unwanted: GlobSet,
}

impl Globs {
    /// A path is wanted when one glob matches it (or there is none), and none that starts with `!`
    /// does. A glob without a slash, but for one at its end, matches at any depth; others start at the
    /// root. What matches a folder matches everything below it. `*` does not match a slash.
    pub(super) fn new(globs: &[String]) -> Result<Self, Failure> {
        if globs.len() > MAX_GLOBS {
            return Err(failure(
                "invalid-argument",
                format!("more than {MAX_GLOBS} globs"),
            ));
        }
        let mut wanted = GlobSetBuilder::new();
        let mut unwanted = GlobSetBuilder::new();
        let mut all = true;
        for glob in globs {
            let invalid = |reason: String| {
                let shown: String = glob.chars().take(MAX_LENGTH).collect();
                failure(
                    "invalid-argument",
                    format!("glob `{}`: {reason}", printable(&shown)),
                )
            };
            if glob.len() > MAX_LENGTH {
                return Err(invalid(format!("longer than {MAX_LENGTH} characters")));
            }
            let (pattern, set) = if let Some(pattern) = glob.strip_prefix('!') {
                (pattern, &mut unwanted)
            } else {
                all = false;
                (glob.as_str(), &mut wanted)
            };
            for pattern in expand(pattern).ok_or_else(|| invalid("empty".to_owned()))? {
                let glob = GlobBuilder::new(&pattern)
                    .literal_separator(true)
                    .backslash_escape(true)
                    .build()
                    .map_err(|error| invalid(error.kind().to_string()))?;
                set.add(glob);
            }
        }
        let build = |set: GlobSetBuilder| {
            set.build()
                .map_err(|error| failure("invalid-argument", error.to_string()))
        };
        Ok(Self {
            wanted: if all { None } else { Some(build(wanted)?) },
            unwanted: build(unwanted)?,
        })
    }

    pub(super) fn want(&self, path: &str) -> bool {
        self.wanted
            .as_ref()
            .is_none_or(|wanted| wanted.is_match(path))
            && !self.unwanted.is_match(path)
    }
}

/// The pattern anchored, and the one for everything below a folder of that name.
fn expand(pattern: &str) -> Option<Vec<String>> {
    let only_folders = pattern.ends_with('/');
    let pattern = pattern.strip_suffix('/').unwrap_or(pattern);
    let rooted = pattern.strip_prefix('/');
    let bare = rooted.unwrap_or(pattern);
    if bare.is_empty() {
        return None;
    }
    let anchored = if rooted.is_some() || bare.contains('/') {
        bare.to_owned()
    } else {
        format!("**/{bare}")
    };
    let below = format!("{anchored}/**");
    Some(match (only_folders, anchored.ends_with("**")) {
        (true, _) => vec![below],
        (false, true) => vec![anchored],
        (false, false) => vec![anchored, below],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn want(globs: &[&str], path: &str) -> bool {
        let globs: Vec<_> = globs.iter().map(|glob| (*glob).to_owned()).collect();
        Globs::new(&globs).unwrap().want(path)
    }

    #[test]
    fn as_gitignore_does() {
        for (glob, yes, no) in [
            ("*.rs", "a.rs", "a.rst"),
            ("*.rs", "src/deep/a.rs", "a.r"),
            ("**/*.rs", "a.rs", "a.py"),
            ("src/*.rs", "src/a.rs", "src/deep/a.rs"),
            ("src/*.rs", "src/a.rs", "other/src/a.rs"),
            ("/Makefile", "Makefile", "sub/Makefile"),
            ("Makefile", "sub/Makefile", "Makefile.am"),
            ("docs", "docs/a/b.md", "mydocs/a"),
            ("docs/", "sub/docs/b.md", "docs"),
            ("/docs/", "docs/b.md", "sub/docs/b.md"),
            ("src/**", "src/a/b", "lib/src/a"),
            ("{a,b}.[ch]", "x/a.c", "x/c.c"),
            ("**/test_*.py", "tests/test_a.py", "tests/a_test.py"),
        ] {
            assert!(want(&[glob], yes), "{glob} {yes}");
            assert!(!want(&[glob], no), "{glob} {no}");
        }
    }

    #[test]
    fn taking_away() {
        assert!(want(&[], "a"));
        assert!(want(&["!vendor/"], "src/a") && !want(&["!vendor/"], "x/vendor/a"));
        assert!(!want(&["!*.min.js", "*.js"], "a.min.js"));
        assert!(want(&["!*.min.js", "*.js"], "a.js"));
    }

    #[test]
    fn invalid() {
        for glob in ["", "!", "/", "[", "a{b", &"x".repeat(MAX_LENGTH + 1)] {
            let error = Globs::new(&[glob.to_owned()]).unwrap_err();
            assert_eq!(error.code, "invalid-argument", "{glob}");
        }
        assert!(Globs::new(&vec!["a".to_owned(); 201]).is_err());
    }
}
