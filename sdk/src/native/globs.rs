//! Gitignore-style globs: one without a slash matches at any depth, one that starts with `!` takes
//! away, none at all matches everything.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use crate::Failure;

#[derive(Debug)]
pub(super) struct Globs {
    /// `None`: everything.
    wanted: Option<GlobSet>,
    unwanted: GlobSet,
}

impl Globs {
    pub(super) fn new(globs: &[&str]) -> Result<Self, Failure> {
        let (unwanted, wanted): (Vec<&str>, Vec<&str>) = globs
            .iter()
            .copied()
            .partition(|glob| glob.starts_with('!'));
        Ok(Self {
            wanted: if wanted.is_empty() {
                None
            } else {
                Some(set(&wanted)?)
            },
            unwanted: set(&unwanted)?,
        })
    }

    pub(super) fn matches(&self, path: &str) -> bool {
        self.wanted
            .as_ref()
            .is_none_or(|wanted| wanted.is_match(path))
            && !self.unwanted.is_match(path)
    }
}

fn set(globs: &[&str]) -> Result<GlobSet, Failure> {
    let invalid = |glob: &str, error| Failure::invalid(format!("`{glob}` is no glob: {error}"));
    let mut set = GlobSetBuilder::new();
    for &written in globs {
        let glob = written.trim_start_matches('!');
        let mut pattern = glob.trim_start_matches('/').to_owned();
        if glob.ends_with('/') {
            pattern.push_str("**");
        }
        if !glob.trim_end_matches('/').contains('/') {
            pattern.insert_str(0, "**/");
        }
        set.add(
            GlobBuilder::new(&pattern)
                .literal_separator(true)
                .build()
                .map_err(|error| invalid(written, error))?,
        );
    }
    set.build()
        .map_err(|error| invalid("the globs together", error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_are_gitignore_style() {
        let cases = [
            (&["*.rs"][..], "src/a.rs", true),
            (&["/*.rs"], "src/a.rs", false),
            (&["src/*.rs"], "src/deep/a.rs", false),
            (&["src/**/*.rs"], "src/deep/a.rs", true),
            (&["vendor/"], "a/vendor/b.c", true),
            (&["**/*.rs", "!**/tests/**"], "tests/a.rs", false),
            (&["!**/tests/**"], "src/a.rs", true),
            (&[], "anything", true),
            (&["*.{yml,yaml}"], "ci.yaml", true),
        ];
        for (globs, path, expected) in cases {
            assert_eq!(
                Globs::new(globs).unwrap().matches(path),
                expected,
                "{globs:?} {path}"
            );
        }
        assert!(Globs::new(&["a{"]).is_err());
    }
}
