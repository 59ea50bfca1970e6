//! One bare copy per repository, in a folder of ours: made and configured by us, fetched into and
//! never fetched from without our hand. The remote's branches are in `refs/remotes/origin/*`, what
//! runs made in `refs/runs/ID/*`; pruning touches the former only.

mod bundle;
mod fetch;
mod local;
mod lock;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::{Git, GitError, checked};
use crate::context::Home;
use crate::repo_url::RepoUrl;

pub use bundle::Unbundled;
use fetch::{fetch, make, read_fetched, tidy, write_fetched};
pub(crate) use lock::Lock;

/// Where the remote's branches are in a mirror.
const REMOTE_BRANCHES: &str = "refs/remotes/origin/";

/// A copy of a repository and what its remote said when it was last asked.
#[derive(Debug, Clone)]
pub struct Mirror {
    /// A git directory of ours; for `in_place` the repository's own, which is only read.
    pub git_dir: PathBuf,
    /// When the remote was asked.
    pub fetched_at: Timestamp,
    repo: RepoUrl,
    head: Option<String>,
    branches: BTreeMap<String, String>,
    /// Where the branches are in `git_dir`.
    prefix: &'static str,
}

impl Mirror {
    /// Brings the mirror up to date, making it when there is none. Waits for another process that
    /// does the same, up to a minute.
    pub fn update(git: &Git, home: &Home, repo: &RepoUrl) -> Result<Self, GitError> {
        let repo = local::checked_source(git, repo)?;
        let folder = home.mirrors_dir();
        crate::context::create_private_dir(&folder).map_err(|e| GitError::Io(folder.clone(), e))?;
        let git_dir = folder.join(format!("{}.git", repo.key()));
        let _lock = Lock::acquire(&git_dir, &repo)?;

        let listing = git.list_remote(&repo)?;
        let branches = listing.branches();
        if listing.refs.is_empty() {
            return Err(GitError::Empty(repo.to_string()));
        }
        if read_fetched(&git_dir).is_some() {
            lock::remove_stale(&git_dir);
            if branches_in(git, &git_dir)? != branches {
                fetch(git, &git_dir, &repo)?;
                tidy(git, &git_dir);
            }
        } else {
            make(git, &git_dir, &repo, &listing)?;
        }
        let fetched_at = write_fetched(&git_dir, &repo, listing.head.as_deref())?;
        Ok(Self {
            // What was fetched, not what was listed: the remote may have moved in between.
            branches: branches_in(git, &git_dir)?,
            git_dir,
            fetched_at,
            repo,
            head: listing.head,
            prefix: REMOTE_BRANCHES,
        })
    }

    /// The mirror as it was left, without asking the remote; `None` when there is none.
    pub fn open(git: &Git, home: &Home, repo: &RepoUrl) -> Result<Option<Self>, GitError> {
        let git_dir = home.mirrors_dir().join(format!("{}.git", repo.key()));
        let Some(fetched) = read_fetched(&git_dir) else {
            return Ok(None);
        };
        Ok(Some(Self {
            branches: branches_in(git, &git_dir)?,
            git_dir,
            fetched_at: fetched.at,
            repo: repo.clone(),
            head: fetched.head,
            prefix: REMOTE_BRANCHES,
        }))
    }

    /// A repository on this machine as it is, read and never written: for looking without a copy.
    pub fn in_place(git: &Git, repo: &RepoUrl) -> Result<Self, GitError> {
        local::in_place(git, repo)
    }

    /// The remote's URL.
    pub fn repo(&self) -> &RepoUrl {
        &self.repo
    }

    /// The branch the remote's HEAD names.
    pub fn default_branch(&self) -> Result<&str, GitError> {
        let named = self
            .head
            .as_deref()
            .and_then(|head| head.strip_prefix("refs/heads/"));
        if let Some(branch) = named
            && self.branches.contains_key(branch)
        {
            return Ok(branch);
        }
        if self.branches.is_empty() {
            return Err(GitError::Empty(self.repo.to_string()));
        }
        Err(GitError::NoDefaultBranch {
            repo: self.repo.to_string(),
            head: named.map_or_else(
                || "no branch".to_owned(),
                |branch| {
                    format!(
                        "`{}`, which has no commits",
                        crate::names::printable(branch)
                    )
                },
            ),
            branches: self.branches(),
        })
    }

    /// Short names of the remote's branches. Names that are not UTF-8 are left out.
    pub fn branches(&self) -> Vec<String> {
        self.branches.keys().cloned().collect()
    }

    /// The remote's branches, short name and commit.
    pub fn branch_commits(&self) -> &BTreeMap<String, String> {
        &self.branches
    }

    /// A run of ours made this commit, or one on top of it, and it is kept here.
    pub fn holds_run_commit(&self, git: &Git, commit: &str) -> bool {
        let call = git
            .in_dir(&self.git_dir)
            .args(["for-each-ref", "--count=1", "--contains"])
            .arg(commit)
            .arg("refs/runs/");
        // A commit this repository does not know is an error of git's, and a no.
        checked("for-each-ref", &call).is_ok_and(|found| !found.stdout.is_empty())
    }

    /// The commit a branch of the remote is at.
    pub fn commit_of(&self, branch: &str) -> Result<String, GitError> {
        self.branches
            .get(branch)
            .cloned()
            .ok_or_else(|| GitError::NoBranch {
                repo: self.repo.to_string(),
                branch: crate::names::printable(branch),
                near: near(branch, self.branches.keys()),
            })
    }

    /// Full name of a remote's branch in `git_dir`.
    pub fn ref_of(&self, branch: &str) -> String {
        format!("{}{branch}", self.prefix)
    }

    /// `sha1` or `sha256`.
    pub fn object_format(&self) -> &'static str {
        format_of(self.branches.values().next().map_or("", String::as_str))
    }

    /// Where the commits of a run are kept here: the folder, and the last of them. `None`: they are not.
    pub fn kept(
        git: &Git,
        home: &Home,
        repo: &RepoUrl,
        run_id: &str,
        branch: &str,
    ) -> Option<(PathBuf, String)> {
        let git_dir = home.mirrors_dir().join(format!("{}.git", repo.key()));
        let name = format!("refs/runs/{run_id}/heads/{branch}");
        let look = ["rev-parse", "--verify", "--quiet", "--end-of-options"];
        let call = git.in_dir(&git_dir).args(look).arg(&name);
        let found = git_dir
            .is_dir()
            .then(|| checked("rev-parse", &call).ok())??;
        Some((git_dir, found.text()))
    }

    /// Lets go of what a run left here. Best effort: what stays costs a little room.
    pub fn forget_run(&self, git: &Git, run_id: &str) {
        let done = self.lock().and_then(|_lock| {
            let prefix = format!("refs/runs/{run_id}/");
            let list = ["for-each-ref", "--format=delete %(refname)", &prefix];
            let deletes = checked("for-each-ref", &git.in_dir(&self.git_dir).args(list))?.stdout;
            checked(
                "update-ref",
                &git.in_dir(&self.git_dir)
                    .args(["update-ref", "--stdin"])
                    .stdin(deletes),
            )
        });
        if let Err(error) = done {
            tracing::warn!(
                "cannot forget run {run_id} in {}: {error}",
                self.git_dir.display()
            );
        }
    }

    /// Keeps others from changing the mirror while the value lives.
    pub(crate) fn lock(&self) -> Result<Lock, GitError> {
        let lock = Lock::acquire(&self.git_dir, &self.repo)?;
        lock::remove_stale(&self.git_dir);
        Ok(lock)
    }
}

fn format_of(object: &str) -> &'static str {
    if object.len() == 64 { "sha256" } else { "sha1" }
}

fn branches_in(git: &Git, git_dir: &Path) -> Result<BTreeMap<String, String>, GitError> {
    branches_below(git, git_dir, REMOTE_BRANCHES)
}

fn branches_below(
    git: &Git,
    git_dir: &Path,
    prefix: &str,
) -> Result<BTreeMap<String, String>, GitError> {
    let list = ["for-each-ref", "--format=%(objectname) %(refname)", prefix];
    let finished = checked("for-each-ref", &git.in_dir(git_dir).args(list))?;
    Ok(finished
        .stdout
        .split(|byte| *byte == b'\n')
        .filter_map(|line| {
            let (commit, name) = std::str::from_utf8(line).ok()?.split_once(' ')?;
            Some((name.strip_prefix(prefix)?.to_owned(), commit.to_owned()))
        })
        .collect())
}

/// Up to three names a person may have meant.
fn near<'a>(branch: &str, names: impl Iterator<Item = &'a String>) -> Vec<String> {
    let mut scored: Vec<_> = names
        .map(|name| (strsim::jaro_winkler(branch, name), name))
        .filter(|(score, _)| *score > 0.8)
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    scored
        .into_iter()
        .take(3)
        .map(|(_, name)| crate::names::printable(name))
        .collect()
}

#[cfg(test)]
mod tests;
