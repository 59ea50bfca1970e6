//! Where a target repository is: parsed once, credentials refused, shown canonically.
//!
//! What git receives is the canonical text, so everything git could take for an option, another
//! protocol or another folder is refused here: option-like hosts and paths, `ext::` and its kin,
//! control characters, `..`.

mod parse;

use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Kind};
use crate::names::{Digest, Name};

/// A repository's place. Serialises as the string a user would write.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum RepoUrl {
    /// `https://host[:port]/path`; `http` only for loopback hosts.
    Web {
        secure: bool,
        host: String,
        port: Option<u16>,
        path: String,
    },
    /// `user@host:path` or `ssh://user@host[:port]/path`. A path that starts with `/` is absolute
    /// on the server, any other is relative to the user's home there.
    Ssh {
        user: String,
        host: String,
        port: Option<u16>,
        path: String,
    },
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
    #[error(
        "`{0}` is not a repository: expected owner/name, an https or ssh URL, git@host:path, or a folder"
    )]
    Malformed(String),
    #[error("`{0}` is not a protocol that is allowed here (https, ssh, file)")]
    Protocol(String),
    #[error("`{0}` starts with `~`, which only a shell understands")]
    Tilde(String),
}

impl From<RepoUrlError> for Error {
    fn from(error: RepoUrlError) -> Self {
        let hint = match &error {
            RepoUrlError::Empty | RepoUrlError::Malformed(_) => {
                "write owner/name, https://host/path, git@host:path, or a folder such as ./repo"
            }
            RepoUrlError::Credentials => {
                "take the password out of the URL (and renew it, it may be in your shell's \
                 history); name the variable that holds it in `secrets`"
            }
            RepoUrlError::Protocol(_) => "use the repository's https or ssh URL",
            RepoUrlError::Tilde(_) => "write the folder in full",
        };
        Self::from_source(Kind::Usage, error).with_hint(hint)
    }
}

impl RepoUrl {
    /// `owner/name` means GitHub over https, unless that folder exists below `base`; relative
    /// folders are taken from `base`.
    pub fn parse(text: &str, base: &Path) -> Result<Self, RepoUrlError> {
        parse::parse(text, base)
    }

    /// The repository's own short name: last part of the path without `.git`.
    pub fn name(&self) -> &str {
        let path = match self {
            Self::Web { path, .. } | Self::Ssh { path, .. } => path.as_str(),
            // Always UTF-8: made from a `&str`, see `parse`.
            Self::Local(path) => path.to_str().unwrap_or_default(),
        };
        path.rsplit('/')
            .map(|part| part.strip_suffix(".git").unwrap_or(part))
            .find(|part| !part.is_empty())
            .unwrap_or("repository")
    }

    /// A repository of github.com, over https.
    pub fn on_github(owner: &str, name: &str) -> Self {
        Self::Web {
            secure: true,
            host: parse::GITHUB.to_owned(),
            port: None,
            path: format!("{owner}/{name}"),
        }
    }

    /// `(owner, name)` when it is on github.com.
    pub fn github(&self) -> Option<(&str, &str)> {
        match self {
            Self::Web { host, .. } if host == parse::GITHUB => self.owner_and_name(),
            Self::Ssh { host, .. } if host == parse::GITHUB || host == "ssh.github.com" => {
                self.owner_and_name()
            }
            _ => None,
        }
    }

    /// The two parts of a path such as `owner/name.git`, on whatever host; `None` for a folder and
    /// for paths of another shape.
    pub fn owner_and_name(&self) -> Option<(&str, &str)> {
        let (Self::Web { path, .. } | Self::Ssh { path, .. }) = self else {
            return None;
        };
        let (owner, name) = path.trim_start_matches('/').split_once('/')?;
        let name = name.strip_suffix(".git").unwrap_or(name);
        (!owner.is_empty() && !name.is_empty() && !name.contains('/')).then_some((owner, name))
    }

    /// Folder name of its mirror: readable, unique, safe. The same repository of GitHub has one
    /// key, however it is reached.
    pub fn key(&self) -> String {
        let (readable, exact) = match (self.github(), self) {
            (Some((owner, name)), _) => {
                let place = format!("{}/{owner}/{name}", parse::GITHUB).to_ascii_lowercase();
                (place.clone(), place)
            }
            (None, Self::Web { host, path, .. } | Self::Ssh { host, path, .. }) => {
                (format!("{host}/{path}"), self.to_string())
            }
            (None, Self::Local(_)) => (self.name().to_owned(), self.to_string()),
        };
        let short = Digest::of(exact.as_bytes());
        match Name::slugify(&readable) {
            Some(slug) => format!("{slug}-{}", short.short()),
            None => short.short().to_owned(),
        }
    }

    /// A folder on this machine.
    pub fn is_local(&self) -> bool {
        matches!(self, Self::Local(_))
    }
}

/// The text without user names and passwords that git would send along, and whether there were any:
/// for `add`, which reads the user's `origin`.
pub fn strip_credentials(text: &str) -> (String, bool) {
    let Some((scheme, rest)) = text.split_once("://") else {
        // user:password@host:path
        return match parse::scp_password(text) {
            Some((user, rest)) => (format!("{user}@{rest}"), true),
            None => (text.to_owned(), false),
        };
    };
    let (authority, path) = match rest.find(['/', '?', '#']) {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    let Some((login, host)) = authority.rsplit_once('@') else {
        return (text.to_owned(), false);
    };
    if !scheme.eq_ignore_ascii_case("ssh") {
        return (format!("{scheme}://{host}{path}"), true);
    }
    match login.split_once(':') {
        Some((user, _)) => (format!("{scheme}://{user}@{host}{path}"), true),
        None => (text.to_owned(), false),
    }
}

impl fmt::Display for RepoUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let port = |port: &Option<u16>| port.map_or_else(String::new, |port| format!(":{port}"));
        let text = match self {
            Self::Web {
                secure,
                host,
                port: number,
                path,
            } => {
                let scheme = if *secure { "https" } else { "http" };
                format!("{scheme}://{host}{}/{path}", port(number))
            }
            // `git@host:/~x` and `ssh://git@host/~x` are different places: absolute paths keep the
            // form that can say both.
            Self::Ssh {
                user,
                host,
                port: number,
                path,
            } if path.starts_with('/') => {
                format!("ssh://{user}@{host}{}{path}", port(number))
            }
            Self::Ssh {
                user, host, path, ..
            } => format!("{user}@{host}:{path}"),
            Self::Local(path) => path.display().to_string(),
        };
        f.pad(&text)
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

#[cfg(test)]
mod tests;
