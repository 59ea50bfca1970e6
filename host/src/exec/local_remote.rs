//! A bare repository on this machine that stands for the real remote: holds the same branches, and
//! borrows its objects from the mirror.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::git::{Git, GitError, Listing, Mirror, Push, checked};
use crate::repo_url::RepoUrl;
use crate::workspace::remove_tree;

#[derive(Debug)]
pub(super) struct LocalRemote {
    git: Git,
    url: RepoUrl,
    path: PathBuf,
}

impl LocalRemote {
    /// Makes one with all branches the real remote was seen to have.
    pub(super) fn create(
        git: &Git,
        mirror: &Mirror,
        path: &Path,
        head: &str,
    ) -> Result<Self, GitError> {
        let failed = |error| GitError::Io(path.to_owned(), error);
        let git = git.clone().without_user();
        // The agent could write beside it: what is there is not ours, and a link not to be followed.
        remove_tree(path).map_err(failed)?;
        git.init_bare(path, mirror.object_format())?;
        let objects = mirror.git_dir.join("objects");
        let line = objects.to_str().filter(|path| !path.contains('\n'));
        let line = line.ok_or_else(|| {
            failed(io::Error::other(
                "its name has a line break or is not UTF-8",
            ))
        })?;
        fs::write(path.join("objects/info/alternates"), format!("{line}\n")).map_err(failed)?;
        match fs::copy(mirror.git_dir.join("shallow"), path.join("shallow")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        // Packed, in the order of their names, as git writes them: a file for each of a hundred
        // thousand branches would take minutes.
        let mut refs = String::from("# pack-refs with: peeled fully-peeled sorted \n");
        for (branch, commit) in mirror.branch_commits() {
            let _ = writeln!(refs, "{commit} refs/heads/{branch}");
        }
        fs::write(path.join("packed-refs"), refs).map_err(failed)?;
        let head = format!("refs/heads/{head}");
        checked(
            "symbolic-ref",
            &git.in_dir(path).args(["symbolic-ref", "HEAD", &head]),
        )?;
        let url = path
            .to_str()
            .and_then(|text| RepoUrl::parse(text, Path::new("/")).ok());
        let url = url.ok_or_else(|| failed(io::Error::other("its name cannot be a URL")))?;
        Ok(Self {
            git,
            url,
            path: path.to_owned(),
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn push(
        &self,
        mirror: &Mirror,
        commit: &str,
        branch: &str,
    ) -> Result<Push, GitError> {
        self.git.push(&mirror.git_dir, &self.url, commit, branch)
    }

    /// What it truly holds.
    pub(super) fn listing(&self) -> Result<Listing, GitError> {
        self.git.list_remote(&self.url)
    }
}
