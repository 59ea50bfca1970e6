//! Where a target repository is: parsed once, credentials refused, shown canonically.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// A repository's place. Serialises as the string a user would write.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum RepoUrl {
    /// `https://host[:port]/path`; `http` only for loopback hosts.
    Web { secure: bool, host: String, port: Option<u16>, path: String },
    /// `user@host:path` or `ssh://user@host[:port]/path`.
    Ssh { user: String, host: String, port: Option<u16>, path: String },
    /// A folder on this machine, absolute.
    Local(PathBuf),
}

/// Why a string is no repository of ours. No variant repeats a credential.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum RepoUrlError {
    #[error("the repository is empty")]
    Empty,
    #[error("the URL carries a password or token")]
    Credentials,
    #[error("`{0}` is not a repository: expected owner/name, an https or ssh URL, git@host:path, or a folder")]
    Malformed(String),
    #[error("`{0}` is not a protocol that is allowed here (https, ssh, file)")]
    Protocol(String),
}

impl RepoUrl {
    /// `owner/name` means GitHub over https, unless that folder exists below `base`; relative
    /// folders are taken from `base`.
    pub fn parse(text: &str, base: &Path) -> Result<Self, RepoUrlError> {
        let _ = (text, base);
        todo!("helper: git")
    }

    /// The repository's own short name: last part of the path without `.git`.
    pub fn name(&self) -> &str {
        todo!("helper: git")
    }

    /// `(owner, name)` when it is on github.com (or the host of a GitHub API in use).
    pub fn github(&self) -> Option<(&str, &str)> {
        todo!("helper: git")
    }

    /// Folder name of its mirror: readable, unique, safe.
    pub fn key(&self) -> String {
        todo!("helper: git")
    }
}

impl fmt::Display for RepoUrl {
    fn fmt(&self, _f: &mut fmt::Formatter<'_>) -> fmt::Result {
        todo!("helper: git")
    }
}

impl TryFrom<String> for RepoUrl {
    type Error = RepoUrlError;

    fn try_from(text: String) -> Result<Self, RepoUrlError> {
        Self::parse(&text, Path::new("/"))
    }
}

impl From<RepoUrl> for String {
    fn from(url: RepoUrl) -> Self {
        url.to_string()
    }
}
