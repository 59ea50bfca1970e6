//! Gitignore-style globs, as the host understands them: one without a slash matches at any depth,
//! one that matches a folder matches everything below it, one that starts with `!` takes away, none
//! at all matches everything.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use crate::Failure;

/// The host's bounds: globs of one call, characters of each.
const MAX_GLOBS: usize = 200;
const MAX_LENGTH: usize = 4_000;

#[derive(Debug)]
pub(super) struct Globs {
    /// `None`: everything.
    wanted: Option<GlobSet>,
    unwanted: GlobSet,
}

impl Globs {
    pub(super) fn new(globs: &[&str]) -> Result<Self, Failure> {
        if globs.len() > MAX_GLOBS {
            return Err(Failure::invalid(format!("more than {MAX_GLOBS} globs")));
        }
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
    let invalid = |glob: &str, why: &dyn std::fmt::Display| {
        Failure::invalid(format!("`{glob}` is no glob: {why}"))
    };
    let mut set = GlobSetBuilder::new();
    for &written in globs {
        if written.len() > MAX_LENGTH {
            return Err(invalid(
                written,
                &format!("longer than {MAX_LENGTH} characters"),
            ));
        }
        for pattern in expanded(written.trim_start_matches('!')) {
            set.add(
                GlobBuilder::new(&pattern)
                    .literal_separator(true)
                    .build()
                    .map_err(|error| invalid(written, &error))?,
            );
        }
    }
    set.build()
        .map_err(|error| invalid("the globs together", &error))
}

/// The pattern from the root, and the one for everything below a folder of that name.
fn expanded(glob: &str) -> Vec<String> {
    let (glob, is_folder) = match glob.strip_suffix('/') {
        Some(glob) => (glob, true),
        None => (glob, false),
    };
    let anchored = match glob.strip_prefix('/') {
        Some(rooted) => rooted.to_owned(),
        None if glob.contains('/') => glob.to_owned(),
        None => format!("**/{glob}"),
    };
    let below = format!("{anchored}/**");
    if is_folder {
        vec![below]
    } else {
        vec![anchored, below]
    }
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
            (&["vendor"], "a/vendor/b.c", true),
            (&["!/a"], "a/vendor/b.c", false),
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
