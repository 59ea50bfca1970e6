//! Repositories that are folders of this machine: bare, with a work tree, or a linked worktree.

use std::path::Path;

use jiff::Timestamp;

use super::{Mirror, branches_below};
use crate::git::{Git, GitError};
use crate::repo_url::RepoUrl;

/// The repository to fetch from, with errors a person understands where git's would not be.
pub(super) fn checked_source(git: &Git, repo: &RepoUrl) -> Result<RepoUrl, GitError> {
    if let RepoUrl::Local(folder) = repo {
        git_dir_of(git, folder)?;
    }
    Ok(repo.clone())
}

pub(super) fn in_place(git: &Git, repo: &RepoUrl) -> Result<Mirror, GitError> {
    let RepoUrl::Local(folder) = repo else {
        return Err(GitError::NotARepository(repo.to_string()));
    };
    let git_dir = git_dir_of(git, folder)?;
    let branches = branches_below(git, &git_dir, "refs/heads/")?;
    if branches.is_empty() {
        return Err(GitError::Empty(repo.to_string()));
    }
    let head = git
        .in_dir(&git_dir)
        .args(["symbolic-ref", "--quiet", "HEAD"])
        .run()?;
    Ok(Mirror {
        git_dir,
        fetched_at: Timestamp::now(),
        repo: repo.clone(),
        head: head.success().then(|| head.text()),
        branches,
        prefix: "refs/heads/",
    })
}

fn git_dir_of(git: &Git, folder: &Path) -> Result<std::path::PathBuf, GitError> {
    if !folder.is_dir() {
        return Err(GitError::NoFolder(folder.to_owned()));
    }
    let shown = || folder.display().to_string();
    let found = git.discover(folder).map_err(|error| match error {
        GitError::Failed { .. } => GitError::NotARepository(shown()),
        error => error,
    });
    let (git_dir, work_tree) = found?;
    let same = |path: &Path| match (path.canonicalize(), folder.canonicalize()) {
        (Ok(path), Ok(folder)) => path == folder,
        _ => false,
    };
    match work_tree {
        Some(top) if !same(&top) && !same(&git_dir) => Err(GitError::Inside {
            folder: folder.to_owned(),
            top: top.canonicalize().unwrap_or(top),
        }),
        // Some folder inside a bare repository.
        None if !same(&git_dir) => Err(GitError::Inside {
            folder: folder.to_owned(),
            top: git_dir,
        }),
        _ if is_partial(&git_dir) => Err(GitError::Partial(shown())),
        _ => Ok(git_dir),
    }
}

/// Read as text: asking git would cost a process, and what this misses git's own error tells.
fn is_partial(git_dir: &Path) -> bool {
    std::fs::read_to_string(git_dir.join("config"))
        .is_ok_and(|text| text.to_ascii_lowercase().contains("partialclone"))
}
