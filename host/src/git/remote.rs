//! Talking to remotes: what they hold, and pushing to them.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use super::{Git, GitError};
use crate::process::{Command, Finished};
use crate::repo_url::RepoUrl;

/// How long one transfer may take.
pub(super) const TRANSFER: Duration = Duration::from_mins(30);

/// What a remote holds at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// Full name of the ref that HEAD names; `None` when HEAD is detached, unborn or hidden.
    pub head: Option<String>,
    /// Commit of HEAD.
    pub head_commit: Option<String>,
    /// Full ref name (`refs/heads/main`) to object name. Names that are not UTF-8 are left out.
    pub refs: BTreeMap<String, String>,
}

/// What became of a push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Push {
    Done,
    /// The remote said no: its words, control characters made visible.
    Rejected(String),
}

impl Listing {
    /// Short branch names to commits.
    pub fn branches(&self) -> BTreeMap<String, String> {
        self.refs
            .iter()
            .filter_map(|(name, commit)| {
                Some((name.strip_prefix("refs/heads/")?.to_owned(), commit.clone()))
            })
            .collect()
    }

    fn parse(output: &[u8]) -> Self {
        let mut listing = Self::default();
        for line in output.split(|byte| *byte == b'\n') {
            let Some((left, name)) = std::str::from_utf8(line)
                .ok()
                .and_then(|l| l.split_once('\t'))
            else {
                continue;
            };
            match (left.strip_prefix("ref: "), name) {
                (Some(target), "HEAD") => listing.head = Some(target.to_owned()),
                (None, "HEAD") => listing.head_commit = Some(left.to_owned()),
                // `tag^{}` tells what a tag names.
                (None, name) if name.starts_with("refs/") && !name.ends_with("^{}") => {
                    listing.refs.insert(name.to_owned(), left.to_owned());
                }
                _ => {}
            }
        }
        listing
    }
}

impl Git {
    /// A call that talks to `repo`, with the user's own configuration: his credential helpers,
    /// proxies and `insteadOf`. `git_dir` must be ours.
    pub(super) fn talking(&self, git_dir: Option<&Path>, repo: &RepoUrl) -> Command {
        let configured_ssh = || {
            let ask = self
                .as_user()
                .cwd("/")
                .args(["config", "--get", "core.sshCommand"])
                .run();
            ask.ok()
                .map(|answer| answer.text())
                .filter(|text| !text.is_empty())
        };
        let command = self
            .access
            .equip(self.as_user(), repo, configured_ssh)
            .timeout(TRANSFER);
        match git_dir {
            Some(git_dir) => command.arg("--git-dir").arg(git_dir),
            None => command.cwd("/"),
        }
    }

    /// What the remote holds now.
    pub fn list_remote(&self, repo: &RepoUrl) -> Result<Listing, GitError> {
        let call = self
            .talking(None, repo)
            .args(["ls-remote", "--quiet", "--symref", "--end-of-options"])
            .arg(repo.to_string())
            .timeout(Duration::from_mins(2));
        Ok(Listing::parse(&answered("ls-remote", &call, repo)?.stdout))
    }

    /// Pushes one commit of a git directory of ours to one branch. Never forces, runs no hook.
    pub fn push(
        &self,
        git_dir: &Path,
        repo: &RepoUrl,
        commit: &str,
        branch: &str,
    ) -> Result<Push, GitError> {
        let call = self
            .talking(Some(git_dir), repo)
            .args([
                "push",
                "--quiet",
                "--porcelain",
                "--no-verify",
                "--end-of-options",
            ])
            .arg(repo.to_string())
            .arg(format!("{commit}:refs/heads/{branch}"));
        let finished = call.run()?;
        if finished.success() {
            return Ok(Push::Done);
        }
        // `!<tab>from:to<tab>[remote rejected] (why)`
        let answer = String::from_utf8_lossy(&finished.stdout);
        let refused = answer
            .lines()
            .find_map(|line| line.strip_prefix("!\t"))
            .and_then(|line| line.rsplit('\t').next());
        match refused {
            Some(why) => {
                let said = String::from_utf8_lossy(&finished.stderr);
                let said: Vec<_> = said
                    .lines()
                    .filter_map(|line| line.strip_prefix("remote:"))
                    .map(str::trim)
                    .filter(|line| !line.is_empty())
                    .collect();
                let words = if said.is_empty() {
                    why.to_owned()
                } else {
                    format!("{why}: {}", said.join(" "))
                };
                Ok(Push::Rejected(crate::names::printable(&words)))
            }
            None => Err(GitError::of_remote("push", &finished, &repo.to_string())),
        }
    }
}

/// Runs a call that talks to `repo`.
pub(super) fn answered(
    command: &str,
    call: &Command,
    repo: &RepoUrl,
) -> Result<Finished, GitError> {
    let finished = call.run()?;
    if finished.success() {
        return Ok(finished);
    }
    Err(GitError::of_remote(command, &finished, &repo.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ls_remote_says() {
        let listing = Listing::parse(
            b"ref: refs/heads/main\tHEAD\naa\tHEAD\naa\trefs/heads/main\nbb\trefs/heads/$(id)\n\
              cc\trefs/heads/\xff\ndd\trefs/tags/v1\nee\trefs/tags/v1^{}\nff\trefs/heads/x/HEAD\n",
        );
        assert_eq!(listing.head.as_deref(), Some("refs/heads/main"));
        assert_eq!(listing.head_commit.as_deref(), Some("aa"));
        let branches: Vec<_> = listing.branches().into_keys().collect();
        assert_eq!(branches, ["$(id)", "main", "x/HEAD"]);
        assert_eq!(listing.refs["refs/tags/v1"], "dd");
        assert_eq!(Listing::parse(b""), Listing::default());
    }
}
