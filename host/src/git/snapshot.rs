//! One commit of a repository, read-only: what templates see.

use std::path::PathBuf;

/// A commit and where its files can be read.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// A git directory of ours (a mirror), or the user's own, which is only read.
    pub git_dir: PathBuf,
    /// Full object name of the commit.
    pub commit: String,
    /// A fresh checkout of exactly that commit, when there is one: files are then read from it
    /// (through cap-std) instead of from git's objects.
    pub checkout: Option<PathBuf>,
}

/// A tracked plain file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub path: String,
    /// Object name of the blob.
    pub blob: String,
    pub size: u64,
}
