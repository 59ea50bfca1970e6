//! The target repository at the commit the run will branch from: git's tracked files and its
//! history, read-only. Needs the permission `repo:read`; without it, and while the manifest is
//! asked for, every function answers `denied`.
//!
//! Each call leaves the sandbox: prefer one `search` over many `read`s and one `origins` for all
//! places over one each.

use crate::{Failure, backend};

/// A list as the host gives it: bounded, and honest about what is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing<T> {
    pub items: Vec<T>,
    /// True when the limit left some out.
    pub truncated: bool,
    /// Files that were not looked at (binary, huge, ...).
    pub skipped: Vec<Skipped>,
}

impl<T> IntoIterator for Listing<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.into_iter()
    }
}

/// A tracked plain file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct File {
    /// Relative to the root, `/` between the parts.
    pub path: String,
    /// In bytes.
    pub size: u64,
}

/// A tracked file that was not looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    pub path: String,
    /// `binary`, `too-large`, `not-utf8-name`, `unreadable`.
    pub reason: String,
}

/// The beginning of a text file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    pub text: String,
    /// True when the file is longer than what was asked for.
    pub truncated: bool,
}

/// A line that matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    pub path: String,
    /// Starts at 1.
    pub line: u32,
    /// The line without its end, cut at 500 characters.
    pub text: String,
}

/// A commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Full hexadecimal object name.
    pub id: String,
    pub author: String,
    /// Author's date, ISO 8601.
    pub date: String,
    /// First line of the message.
    pub subject: String,
}

/// A file that commits touched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedFile {
    pub path: String,
    /// Number of commits that touched it in the time asked for.
    pub commits: u32,
    /// Date of the newest of them, ISO 8601.
    pub last_changed: String,
}

/// A line of a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    pub path: String,
    /// Starts at 1.
    pub line: u32,
}

/// Who last wrote a line, as `git blame` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    pub path: String,
    pub line: u32,
    pub commit: String,
    pub author: String,
    /// ISO 8601.
    pub date: String,
}

/// Most places one `origins` call takes.
pub const MAX_PLACES: usize = 200;

/// Tracked files that match one of the globs, sorted by path. Globs are gitignore-style
/// (`**/*.rs`); one that starts with `!` takes away; no globs: all files.
pub fn files(globs: &[&str], limit: u32) -> Result<Listing<File>, Failure> {
    backend::files(globs, limit)
}

/// The beginning of a text file, at most `max_bytes` of it.
pub fn read(path: &str, max_bytes: u32) -> Result<Text, Failure> {
    backend::read(path, max_bytes)
}

/// As [`read`], but `None` for a file that is missing, binary or too large.
pub fn read_if_text(path: &str, max_bytes: u32) -> Result<Option<Text>, Failure> {
    match backend::read(path, max_bytes) {
        Ok(text) => Ok(Some(text)),
        Err(failure) if failure.is_unreadable() => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// Lines that match a regular expression (Rust's `regex` syntax) in the files that match the
/// globs, sorted by path, then line.
pub fn search(pattern: &str, globs: &[&str], limit: u32) -> Result<Listing<Match>, Failure> {
    backend::search(pattern, globs, limit)
}

/// Commits reachable from the base, newest first, of one path or all, not older than so many days
/// (0: any age).
pub fn commits(
    path: Option<&str>,
    since_days: u32,
    limit: u32,
) -> Result<Listing<Commit>, Failure> {
    backend::commits(path, since_days, limit)
}

/// Files that commits of the last days touched and that still exist, most commits first.
pub fn changed_files(since_days: u32) -> Result<Listing<ChangedFile>, Failure> {
    backend::changed_files(since_days)
}

/// Who wrote these lines and when, in the order asked for; a place that does not exist is left
/// out. At most [`MAX_PLACES`] a call.
pub fn origins(places: &[Place]) -> Result<Listing<Origin>, Failure> {
    backend::origins(places)
}
