//! What git says when it cannot, turned into what a person can act on.

use std::path::PathBuf;

use crate::error::{Error, Kind};
use crate::names::printable;
use crate::process::{Finished, ProcessError};

/// A git call that did not do its work.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// `command` is git's subcommand; `message` its last lines, control characters made visible.
    #[error("git {command} failed (exit {code}): {message}")]
    Failed {
        command: String,
        code: i32,
        message: String,
    },
    #[error("git {command} answered something unexpected: {message}")]
    Unexpected { command: String, message: String },
    #[error("`{0}` does not exist")]
    NoFolder(PathBuf),
    #[error("`{0}` is not a git repository")]
    NotARepository(String),
    #[error("`{folder}` is inside the repository `{top}`, and not a repository itself")]
    Inside { folder: PathBuf, top: PathBuf },
    #[error("git does not trust the repository, because another user owns it: {0}")]
    Untrusted(String),
    #[error("`{0}` was cloned without all of its objects (a partial clone)")]
    Partial(String),
    #[error("`{0}` has no commits yet")]
    Empty(String),
    #[error("cannot tell the default branch of `{repo}`: its HEAD names {head}")]
    NoDefaultBranch {
        repo: String,
        head: String,
        branches: Vec<String>,
    },
    #[error("`{repo}` has no branch `{branch}`")]
    NoBranch {
        repo: String,
        branch: String,
        near: Vec<String>,
    },
    #[error("`{repo}` does not let us in: {message}")]
    Authentication { repo: String, message: String },
    #[error("there is no repository `{0}`, or it is hidden from us")]
    NoRepository(String),
    #[error("the host of `{0}` is unknown")]
    NoHost(String),
    #[error("ssh does not know the key of the host of `{0}`")]
    HostKey(String),
    #[error("cannot reach `{repo}`: {message}")]
    Network { repo: String, message: String },
    #[error("the disk is full")]
    DiskFull,
    #[error("the copy of `{0}` is in use by another process")]
    Busy(String),
    #[error("cannot use `{}`", .0.display())]
    Io(PathBuf, #[source] std::io::Error),
}

impl GitError {
    /// What a call that ended badly means, when nothing is known of a remote.
    pub(super) fn of(command: &str, finished: &Finished) -> Self {
        let text = String::from_utf8_lossy(&finished.stderr);
        if text.contains("detected dubious ownership") {
            Self::Untrusted(quoted(&text))
        } else if text.contains("No space left on device") {
            Self::DiskFull
        } else {
            Self::Failed {
                command: command.to_owned(),
                code: finished.code(),
                message: last_lines(&finished.stderr),
            }
        }
    }

    /// As `of`, for a call that talked to `repo`.
    pub(super) fn of_remote(command: &str, finished: &Finished, repo: &str) -> Self {
        let text = String::from_utf8_lossy(&finished.stderr);
        let has = |patterns: &[&str]| patterns.iter().any(|pattern| text.contains(pattern));
        let repo = repo.to_owned();
        if has(&["detected dubious ownership", "No space left on device"]) {
            Self::of(command, finished)
        } else if has(&["promisor remote", "lazy fetching disabled"]) {
            Self::Partial(repo)
        } else if has(&["Could not resolve host", "could not resolve host"]) {
            Self::NoHost(repo)
        } else if has(&["Host key verification failed"]) {
            Self::HostKey(repo)
        } else if has(&[
            "Authentication failed",
            "could not read Username",
            "could not read Password",
            "Permission denied (",
            "terminal prompts disabled",
            "unable to get password",
            "returned error: 401",
            "returned error: 403",
        ]) {
            Self::Authentication {
                repo,
                message: last_lines(&finished.stderr),
            }
        } else if has(&["Repository not found", "not found", "returned error: 404"]) {
            Self::NoRepository(repo)
        } else if has(&[
            "does not appear to be a git repository",
            "not a git repository",
        ]) {
            Self::NotARepository(repo)
        } else if has(&[
            "Failed to connect",
            "Couldn't connect",
            "Connection refused",
            "Connection reset",
            "Connection timed out",
            "Connection closed",
            "Network is unreachable",
            "Operation timed out",
            "Operation too slow",
            "early EOF",
            "unexpected disconnect",
            "Recv failure",
            "SSL",
            "returned error: 5",
        ]) {
            Self::Network {
                repo,
                message: last_lines(&finished.stderr),
            }
        } else {
            Self::of(command, finished)
        }
    }

    /// A signal asked this program to end.
    pub fn is_interrupt(&self) -> bool {
        matches!(self, Self::Process(ProcessError::Interrupted(_)))
    }

    /// The world may have changed by the next attempt.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Network { .. } | Self::NoHost(_) | Self::Busy(_))
    }
}

impl From<GitError> for Error {
    fn from(error: GitError) -> Self {
        use GitError as E;
        let kind = match &error {
            E::Process(ProcessError::Interrupted(_)) => Kind::Interrupted,
            E::NoFolder(_) | E::NotARepository(_) | E::Inside { .. } | E::NoBranch { .. } => {
                Kind::Usage
            }
            E::Untrusted(_) | E::Authentication { .. } | E::HostKey(_) => Kind::NeedsPerson,
            _ => Kind::Failed,
        };
        let hint = match &error {
            E::Process(ProcessError::NotFound(_)) => Some("install git 2.36 or newer".to_owned()),
            E::NoFolder(_) | E::NotARepository(_) => {
                Some("give the folder of a git repository, or its URL".to_owned())
            }
            E::Inside { top, .. } => Some(format!("use `{}`", printable(&top.to_string_lossy()))),
            E::Untrusted(folder) => Some(format!(
                "if you trust it: git config --global --add safe.directory {folder}"
            )),
            E::Partial(_) => Some("use the URL it was cloned from".to_owned()),
            E::Empty(_) => Some("commit something and push it first".to_owned()),
            E::NoDefaultBranch { branches, .. } => Some(format!(
                "name the branch to start from (`branch`, --branch); there is {}",
                few(branches)
            )),
            E::NoBranch { near, .. } if !near.is_empty() => {
                Some(format!("did you mean {}?", near.join(" or ")))
            }
            E::Authentication { repo, .. } if repo.starts_with("http") => Some(
                "renew GITHUB_TOKEN where there is one; else check that `git ls-remote` with this URL works in \
                 your own shell"
                    .to_owned(),
            ),
            E::Authentication { .. } => {
                Some("check that `git ls-remote` with this URL works in your own shell".to_owned())
            }
            E::NoRepository(_) => {
                Some("check the spelling; a private repository needs your credentials".to_owned())
            }
            E::HostKey(_) => Some("connect once by hand with ssh and check the key".to_owned()),
            E::NoHost(_) | E::Network { .. } => Some("check the network and try again".to_owned()),
            E::Busy(_) => Some("wait for the other run to finish, then try again".to_owned()),
            _ => None,
        };
        let mut error = Self::from_source(kind, error);
        error.hint = hint;
        error
    }
}

/// The first names, for a person.
pub(super) fn few(names: &[String]) -> String {
    let mut shown: Vec<_> = names.iter().take(8).map(|name| printable(name)).collect();
    if names.len() > shown.len() {
        shown.push(format!("{} more", names.len() - shown.len()));
    }
    shown.join(", ")
}

/// What git put between quotes: `'/srv/repo'`.
fn quoted(text: &str) -> String {
    let inner = text.split('\'').nth(1).unwrap_or_default();
    printable(inner)
}

fn last_lines(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let lines: Vec<_> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    let tail = &lines[lines.len().saturating_sub(3)..];
    printable(&tail.join("; "))
}
