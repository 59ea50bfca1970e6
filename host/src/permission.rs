//! Permissions: what a template or a user asks for, and what is in force for a run.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// One permission of the closed vocabulary; an unknown one is refused by name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Permission {
    /// A third-party template may `run` or be deployed, not only `plan` and `rehearse`.
    Agent,
    /// The agent itself holds GITHUB_TOKEN; implies `Publish`.
    Github,
    /// The template may read issues and pull requests through the host.
    GithubRead,
    /// The host pushes the run's branch and opens or updates its pull request or issue.
    Publish,
    /// The template may read the repository.
    RepoRead,
    /// The agent's environment carries this variable.
    Env(String),
    /// A template may pass this mngr flag (without the leading dashes).
    MngrArg(String),
}

/// The string is not in the vocabulary.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("unknown permission `{0}`")]
pub struct UnknownPermission(pub String);

impl FromStr for Permission {
    type Err = UnknownPermission;

    fn from_str(text: &str) -> Result<Self, UnknownPermission> {
        let unknown = || UnknownPermission(crate::names::printable(text));
        Ok(match text {
            "agent" => Self::Agent,
            "github" => Self::Github,
            "github:read" => Self::GithubRead,
            "publish" => Self::Publish,
            "repo:read" => Self::RepoRead,
            _ => {
                if let Some(name) = text.strip_prefix("env:") {
                    let mut bytes = name.bytes();
                    let starts = bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_');
                    if starts && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_') {
                        return Ok(Self::Env(name.to_owned()));
                    }
                } else if let Some(flag) = text.strip_prefix("mngr-arg:--") {
                    let well_formed = !flag.is_empty()
                        && !flag.starts_with('-')
                        && flag.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
                    if well_formed {
                        return Ok(Self::MngrArg(flag.to_owned()));
                    }
                }
                return Err(unknown());
            }
        })
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Agent => f.write_str("agent"),
            Self::Github => f.write_str("github"),
            Self::GithubRead => f.write_str("github:read"),
            Self::Publish => f.write_str("publish"),
            Self::RepoRead => f.write_str("repo:read"),
            Self::Env(name) => write!(f, "env:{name}"),
            Self::MngrArg(flag) => write!(f, "mngr-arg:--{flag}"),
        }
    }
}

impl TryFrom<String> for Permission {
    type Error = UnknownPermission;

    fn try_from(text: String) -> Result<Self, UnknownPermission> {
        text.parse()
    }
}

impl From<Permission> for String {
    fn from(permission: Permission) -> Self {
        permission.to_string()
    }
}
