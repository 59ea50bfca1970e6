//! Commits made by the host itself, in a git directory of ours and without a work tree.

use std::path::Path;

use jiff::Timestamp;

use super::{Git, GitError, checked};
use crate::git::Identity;

/// One file put on top of a commit.
#[derive(Debug)]
pub struct NewFile<'a> {
    /// Full object name of the parent.
    pub parent: &'a str,
    /// Relative to the root, `/` between the parts.
    pub path: &'a str,
    pub bytes: &'a [u8],
    pub message: &'a str,
    pub identity: &'a Identity,
    pub at: Timestamp,
}

impl Git {
    /// Commits a file that is new or replaces the one at its path. `index` is a file for git's
    /// notes, deleted afterwards. Answers the commit's full object name; no ref is moved.
    pub fn commit_file(
        &self,
        git_dir: &Path,
        index: &Path,
        file: &NewFile,
    ) -> Result<String, GitError> {
        let call = |args: &[&str]| self.in_dir(git_dir).env("GIT_INDEX_FILE", index).args(args);
        let written = checked(
            "hash-object",
            &call(&["hash-object", "-w", "--stdin"]).stdin(file.bytes),
        );
        let blob = written?.text();
        checked("read-tree", &call(&["read-tree", file.parent]))?;
        let entry = format!("100644,{blob},{}", file.path);
        checked(
            "update-index",
            &call(&["update-index", "--add", "--cacheinfo", &entry]),
        )?;
        let tree = checked("write-tree", &call(&["write-tree"]))?.text();
        let _ = std::fs::remove_file(index);
        let date = format!("@{} +0000", file.at.as_second());
        let mut commit =
            call(&["commit-tree", "--no-gpg-sign", "-p", file.parent, &tree]).stdin(file.message);
        for role in ["AUTHOR", "COMMITTER"] {
            commit = commit
                .env(format!("GIT_{role}_NAME"), &file.identity.name)
                .env(format!("GIT_{role}_EMAIL"), &file.identity.email)
                .env(format!("GIT_{role}_DATE"), &date);
        }
        Ok(checked("commit-tree", &commit)?.text())
    }
}
