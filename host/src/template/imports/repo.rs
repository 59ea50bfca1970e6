//! `repo`: the target repository at one commit, tracked plain files and history.

mod asked;
mod globs;
mod history;
mod search;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::civil::Date;

use self::globs::Globs;
use super::{Failure, Work, failure};
use crate::git::{Entry, Files, Git, GitError, Snapshot, Tree};
use crate::names::printable;
use crate::process::ProcessError;
use crate::template::bindings::changelings::template::repo::{
    File, FileList, FileText, Skipped, TextMatch, TextMatchList,
};

/// Most items of one answer, whatever limit was asked for.
const MAX_FILES: usize = 100_000;
const MAX_MATCHES: usize = 10_000;
const MAX_SKIPPED: usize = 1_000;

/// Most bytes of paths in one answer.
const MAX_PATHS: usize = 16 << 20;

/// Most bytes `read` answers.
const MAX_READ: u32 = 4 << 20;

/// What a guest with `repo:read` gets to see.
pub(in crate::template) struct Repo {
    snapshot: Snapshot,
    git: Git,
    /// What "the last days" count from.
    today: Date,
    tree: Option<Arc<Tree>>,
    /// Readers that were opened and are not in use.
    idle: Mutex<Vec<Files>>,
    /// Files that were not looked at, with the reason, by path.
    pub(in crate::template) skipped: BTreeMap<String, String>,
}

impl Repo {
    pub(in crate::template) fn new(snapshot: Snapshot, git: Git, today: Date) -> Self {
        Self {
            snapshot,
            git,
            today,
            tree: None,
            idle: Mutex::default(),
            skipped: BTreeMap::new(),
        }
    }

    /// The commit's files, asked for once.
    fn tree(&mut self, work: &Work) -> Result<Arc<Tree>, Failure> {
        if let Some(tree) = &self.tree {
            return Ok(Arc::clone(tree));
        }
        let tree = Arc::new(
            self.snapshot
                .tree(&self.git, work.left())
                .map_err(unavailable)?,
        );
        self.tree = Some(Arc::clone(&tree));
        Ok(tree)
    }

    /// Lends a reader of files, opened before or now. One that failed is not used again: a
    /// conversation that broke off cannot go on.
    fn lend<T>(&self, read: impl FnOnce(&mut Files) -> Result<T, Failure>) -> Result<T, Failure> {
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let lent = idle().pop();
        let mut files = match lent {
            Some(files) => files,
            None => self.snapshot.files(&self.git).map_err(unavailable)?,
        };
        let result = read(&mut files)?;
        idle().push(files);
        Ok(result)
    }

    fn files(&mut self, globs: &[String], limit: u32, work: &Work) -> Result<FileList, Failure> {
        let limit = clamp(limit, MAX_FILES);
        let globs = Globs::new(globs)?;
        let tree = self.tree(work)?;
        let mut wanted = tree.entries.iter().filter(|entry| globs.want(&entry.path));
        let first: Vec<&Entry> = wanted.by_ref().take(limit).collect();
        let mut truncated = wanted.next().is_some();
        let sizes: Vec<Option<u64>> = match first.first() {
            // Only a checkout has to be asked.
            Some(entry) if entry.size.is_none() => {
                self.lend(|files| Ok(first.iter().map(|entry| files.size(entry)).collect()))?
            }
            _ => first.iter().map(|entry| entry.size).collect(),
        };
        let mut items = Vec::with_capacity(first.len());
        let mut skipped = left(&tree);
        let mut room = MAX_PATHS;
        for (entry, size) in first.into_iter().zip(sizes) {
            let Some(left) = room.checked_sub(entry.path.len()) else {
                truncated = true;
                break;
            };
            room = left;
            match size {
                Some(size) => items.push(File {
                    path: entry.path.clone(),
                    size,
                }),
                None => skipped.push(skip(&entry.path, "unreadable")),
            }
        }
        let skipped = self.skip(skipped);
        Ok(FileList {
            items,
            truncated,
            skipped,
        })
    }

    fn read(&mut self, path: &str, max_bytes: u32, work: &Work) -> Result<FileText, Failure> {
        check_path(path)?;
        let tree = self.tree(work)?;
        let entry = tree.get(path).ok_or_else(|| no_file(path))?;
        let max = max_bytes.min(MAX_READ);
        // Room for the rest of a character that the limit cuts, and enough to see that it is binary.
        let beginning = self.lend(|files| {
            let beginning = files.beginning(entry, u64::from(max) + 8_192);
            beginning.map_err(unavailable)
        })?;
        let (bytes, more) = beginning.ok_or_else(|| no_file(path))?;
        if search::is_binary(&bytes) {
            return Err(failure(
                "binary",
                format!("`{}` is binary", printable(path)),
            ));
        }
        let max = usize::try_from(max).unwrap_or(usize::MAX);
        let truncated = more || bytes.len() > max;
        Ok(FileText {
            text: text_of(&bytes, max),
            truncated,
        })
    }

    fn search(
        &mut self,
        pattern: &str,
        globs: &[String],
        limit: u32,
        work: &Work,
    ) -> Result<TextMatchList, Failure> {
        let limit = clamp(limit, MAX_MATCHES);
        let globs = Globs::new(globs)?;
        let matcher = search::matcher(pattern)?;
        let tree = self.tree(work)?;
        let files: Vec<&Entry> = tree
            .entries
            .iter()
            .filter(|entry| globs.want(&entry.path))
            .collect();
        let found = search::search(&matcher, &files, limit, work.deadline, |search| {
            self.lend(|files| search(files))
        })?;
        let mut skipped = left(&tree);
        skipped.extend(
            found
                .skipped
                .iter()
                .map(|(file, reason)| skip(&files[*file].path, reason)),
        );
        let items = found
            .matches
            .into_iter()
            .map(|found| TextMatch {
                path: files[found.file].path.clone(),
                line: found.line,
                text: found.text,
            })
            .collect();
        let skipped = self.skip(skipped);
        Ok(TextMatchList {
            items,
            truncated: found.truncated,
            skipped,
        })
    }

    /// Remembers what was skipped, for the person who reads the plan, and bounds the list.
    fn skip(&mut self, mut skipped: Vec<Skipped>) -> Vec<Skipped> {
        skipped.sort_by(|a, b| a.path.cmp(&b.path));
        skipped.truncate(MAX_SKIPPED);
        for file in &skipped {
            if self.skipped.len() < MAX_SKIPPED {
                self.skipped.insert(file.path.clone(), file.reason.clone());
            }
        }
        skipped
    }
}

fn clamp(limit: u32, most: usize) -> usize {
    usize::try_from(limit).map_or(most, |limit| limit.min(most))
}

fn skip(path: &str, reason: &str) -> Skipped {
    Skipped {
        path: path.to_owned(),
        reason: reason.to_owned(),
    }
}

fn left(tree: &Tree) -> Vec<Skipped> {
    tree.left
        .iter()
        .take(MAX_SKIPPED)
        .map(|left| skip(&left.path, left.reason))
        .collect()
}

fn no_file(path: &str) -> Failure {
    failure(
        "not-found",
        format!("`{}` is no tracked plain file", printable(path)),
    )
}

#[expect(clippy::needless_pass_by_value, reason = "reads well in `map_err`")]
fn unavailable(error: GitError) -> Failure {
    let code = match &error {
        GitError::Process(ProcessError::TimedOut { .. }) => "timed-out",
        _ => "unavailable",
    };
    failure(code, error.to_string())
}

/// A path below the root, as git writes it.
fn check_path(path: &str) -> Result<(), Failure> {
    let plain = |part: &str| !matches!(part, "" | "." | "..");
    if path.len() <= 4_096 && !path.contains('\0') && path.split('/').all(plain) {
        return Ok(());
    }
    let shown: String = path.chars().take(100).collect();
    let message = format!(
        "`{}` is no path below the repository's root",
        printable(&shown)
    );
    Err(failure("invalid-argument", message))
}

/// The first `max` bytes as text, without a character that is cut by the limit.
fn text_of(bytes: &[u8], max: usize) -> String {
    let mut end = bytes.len().min(max);
    if end < bytes.len() {
        // At most three steps back to the first byte of a character.
        let is_inside = |index: usize| bytes[index] & 0b1100_0000 == 0b1000_0000;
        let start = end;
        while end > 0 && start - end < 3 && is_inside(end) {
            end -= 1;
        }
    }
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_below_the_root() {
        for good in ["a", "a/b.c", "..a", "a/...", "-x", "a b"] {
            assert!(check_path(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "/etc/passwd",
            "../x",
            "a/../b",
            "a//b",
            "a/",
            "./a",
            "a\0b",
        ] {
            assert_eq!(
                check_path(bad).unwrap_err().code,
                "invalid-argument",
                "{bad}"
            );
        }
    }

    #[test]
    fn text_ends_at_a_character() {
        assert_eq!(text_of("aäb".as_bytes(), 2), "a");
        assert_eq!(text_of("aäb".as_bytes(), 3), "aä");
        assert_eq!(text_of("aäb".as_bytes(), 9), "aäb");
        assert_eq!(text_of("a😀".as_bytes(), 4), "a");
        assert_eq!(text_of(b"a\xffb", 3), "a\u{fffd}b");
        assert_eq!(text_of("abc".as_bytes(), 0), "");
    }

    proptest::proptest! {
        #[test]
        fn any_limit_gives_a_beginning(text: String, max in 0usize..40) {
            let cut = text_of(text.as_bytes(), max);
            proptest::prop_assert!(text.starts_with(&cut) && cut.len() <= max);
            proptest::prop_assert!(cut.len() + 4 > max.min(text.len()));
        }
    }
}
