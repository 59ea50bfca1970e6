//! One commit of a repository, read-only: what templates see. Only tracked plain files count; links
//! and submodules are not there, and no name leads out of the repository.

mod files;
mod history;
#[cfg(test)]
mod tests;
mod tree;

use std::path::PathBuf;

use super::{Git, GitError, checked};

pub use files::{Content, Files};
pub use history::{Changed, Commit, Origin};
pub use tree::{Entry, Left, Tree};

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

impl Snapshot {
    /// A git call on the commit's repository that reads names as they are.
    fn call(&self, git: &Git) -> crate::process::Command {
        git.in_dir(&self.git_dir).arg("--literal-pathspecs")
    }
}
