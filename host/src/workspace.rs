//! A run's own copy of the repository: a clone, never a worktree, and no hard links to the mirror,
//! so that nothing an agent does to it reaches the mirror.
//!
//! Once the agent has started, no git program ever opens the workspace's git directory: `salvage`
//! takes the objects and refs out of it by hand, into a git directory of ours, and everything is
//! read from there. Hooks, filters, drivers, `include.path`, `core.worktree`, alternates and links
//! planted in the workspace are never looked at.

mod changes;
mod collect;
mod remove;
mod salvage;
mod uncommitted;

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::git::{Git, GitError, Mirror, checked};

pub use collect::{Collected, OtherRef};
pub use remove::remove_tree;
pub use salvage::read_refs;
pub use uncommitted::Uncommitted;

/// Why there is no workspace, or nothing can be taken out of it.
#[derive(Debug, thiserror::Error)]
pub enum WorkspaceError {
    #[error(transparent)]
    Git(#[from] GitError),
    #[error("cannot use `{}`", .0.display())]
    Io(PathBuf, #[source] std::io::Error),
}

impl From<WorkspaceError> for Error {
    fn from(error: WorkspaceError) -> Self {
        match error {
            WorkspaceError::Git(error) => error.into(),
            error @ WorkspaceError::Io(..) => Self::from_source(crate::error::Kind::Failed, error),
        }
    }
}

/// What to make a workspace of.
#[derive(Debug)]
pub struct Spec<'a> {
    /// A folder of the run's own that exists and that only the user can enter.
    pub run_dir: &'a Path,
    pub run_id: &'a str,
    /// Where the run branch begins, full object name.
    pub commit: &'a str,
    /// The branch the work is for, as the agent will find it: `origin/BASE`.
    pub base_branch: &'a str,
    /// The run branch, made by us.
    pub branch: &'a str,
    /// What the agent's `git push` would push to.
    pub origin: &'a str,
    /// A setting that lets it do so, and its value: no secret.
    pub credentials: Option<(String, &'static str)>,
}

/// A clone of one run.
#[derive(Debug)]
pub struct Workspace {
    path: PathBuf,
    run_dir: PathBuf,
    run_id: String,
    commit: String,
    branch: String,
    /// Device and number of the folder, to notice another one in its place.
    folder: (u64, u64),
}

impl Workspace {
    /// Clones from the mirror and checks the commit out on the run branch, without running a hook,
    /// a filter, LFS or a submodule of the repository.
    pub fn create(git: &Git, mirror: &Mirror, spec: &Spec) -> Result<Self, WorkspaceError> {
        let path = spec.run_dir.join("workspace");
        crate::context::create_private_dir(&path)
            .map_err(|error| WorkspaceError::Io(path.clone(), error))?;
        let git_dir = path.join(".git");
        let in_it = |args: &[&str]| git.in_dir(&git_dir).args(args);

        let format = format!("--object-format={}", mirror.object_format());
        checked(
            "init",
            &git.bare()
                .args(["init", "--quiet", "--template=", &format, "--"])
                .arg(&path),
        )?;
        let base = mirror.ref_of(spec.base_branch);
        let run_branch = format!("refs/heads/{}", spec.branch);
        checked(
            "fetch",
            &in_it(&[
                "fetch",
                "--quiet",
                "--no-tags",
                "--no-write-fetch-head",
                "--update-shallow",
                "--end-of-options",
            ])
            .arg(&mirror.git_dir)
            .arg(format!("+{base}:refs/remotes/origin/{}", spec.base_branch))
            .arg(format!("+{}:{run_branch}", spec.commit))
            .timeout(std::time::Duration::from_mins(30)),
        )?;
        checked(
            "symbolic-ref",
            &in_it(&["symbolic-ref", "HEAD", &run_branch]),
        )?;
        let credentials = spec.credentials.as_ref();
        let settings = [
            ("remote.origin.url", spec.origin),
            ("remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*"),
        ];
        let credentials = credentials.map(|(key, value)| (key.as_str(), *value));
        for (key, value) in settings.into_iter().chain(credentials) {
            checked("config", &in_it(&["config", key, value]))?;
        }
        // The index is kept aside as well: with it, what changed is found without reading it all.
        let index = index_file(spec.run_dir);
        checked(
            "read-tree",
            &in_it(&["--work-tree"])
                .arg(&path)
                .args(["read-tree", "--reset", "-u", spec.commit])
                .env("GIT_INDEX_FILE", &index)
                .timeout(std::time::Duration::from_mins(10)),
        )?;
        let own_index = git_dir.join("index");
        fs::copy(&index, &own_index).map_err(|error| WorkspaceError::Io(own_index, error))?;
        let meta = fs::metadata(&path).map_err(|e| WorkspaceError::Io(path.clone(), e))?;
        Ok(Self {
            folder: (meta.dev(), meta.ino()),
            path,
            run_dir: spec.run_dir.to_owned(),
            run_id: spec.run_id.to_owned(),
            commit: spec.commit.to_owned(),
            branch: spec.branch.to_owned(),
        })
    }

    /// The workspace of a run that died, as it was left; `None` when there is none. Whether its folder is
    /// the one that was made cannot be told any more; it is not followed when it is a link.
    pub fn reopen(run_dir: &Path, run_id: &str, commit: &str, branch: &str) -> Option<Self> {
        let path = run_dir.join("workspace");
        let meta = fs::symlink_metadata(&path)
            .ok()
            .filter(fs::Metadata::is_dir)?;
        Some(Self {
            folder: (meta.dev(), meta.ino()),
            path,
            run_dir: run_dir.to_owned(),
            run_id: run_id.to_owned(),
            commit: commit.to_owned(),
            branch: branch.to_owned(),
        })
    }

    /// The checkout's folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Deletes the files of the checkout; what was committed stays.
    pub fn empty(&self) -> Result<(), WorkspaceError> {
        let failed = |error| WorkspaceError::Io(self.path.clone(), error);
        if !self.is_ours() {
            return Ok(());
        }
        for entry in fs::read_dir(&self.path).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            if entry.file_name() != ".git" {
                remove_tree(&entry.path()).map_err(failed)?;
            }
        }
        Ok(())
    }

    /// Deletes it, read-only folders included.
    pub fn remove(self) -> Result<(), WorkspaceError> {
        let _ = fs::remove_file(index_file(&self.run_dir));
        remove_tree(&self.path).map_err(|error| WorkspaceError::Io(self.path, error))
    }

    /// The folder is the one we made, and not a link or another one moved to its place.
    fn is_ours(&self) -> bool {
        fs::symlink_metadata(&self.path)
            .is_ok_and(|meta| meta.is_dir() && (meta.dev(), meta.ino()) == self.folder)
    }
}

fn index_file(run_dir: &Path) -> PathBuf {
    run_dir.join("index")
}

#[cfg(test)]
mod tests;
