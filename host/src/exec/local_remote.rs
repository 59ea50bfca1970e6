//! A bare repository on this machine that stands for the real remote: holds the same branches, and
//! borrows its objects from the mirror.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::git::{Git, GitError, Listing, Mirror, Push, checked};
use crate::repo_url::RepoUrl;

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
        let mut refs = Vec::new();
        for (branch, commit) in mirror.branch_commits() {
            refs.extend_from_slice(format!("create refs/heads/{branch}\0{commit}\0").as_bytes());
        }
        checked(
            "update-ref",
            &git.in_dir(path)
                .args(["update-ref", "-z", "--stdin"])
                .stdin(refs),
        )?;
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
