//! Permissions: what a template or a user asks for, and what is in force for a run.

mod effective;
pub mod grants;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

pub use effective::{Rights, effective, for_compose, may_run};
pub use grants::{Granted, Grants, GrantsError};

/// One permission of the closed vocabulary; an unknown one is refused by name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Permission {
    /// A third-party template may `run` or be deployed, not only `plan` and `rehearse`.
    Agent,
    /// The agent itself holds `GITHUB_TOKEN`; implies `Publish`.
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
#[error("unknown permission `{name}`{}", suggestion.as_ref().map_or_else(String::new, |near| format!("; did you mean `{near}`?")))]
pub struct UnknownPermission {
    /// As it was written, control characters made visible.
    pub name: String,
    pub suggestion: Option<String>,
}

/// Variables that have a permission of their own: `env:` must not be a way around it.
const TOKEN_NAMES: &[&str] = &["GITHUB_TOKEN", "GH_TOKEN"];

/// Longest name of a variable or a flag in a permission, in bytes.
const MAX_ARGUMENT: usize = 80;

impl Permission {
    /// The words without an argument, and the two prefixes, for help texts and suggestions.
    pub const VOCABULARY: [&'static str; 7] = [
        "repo:read",
        "github:read",
        "publish",
        "github",
        "agent",
        "env:NAME",
        "mngr-arg:--FLAG",
    ];

    /// What saying yes to it means, for a person.
    pub fn meaning(&self) -> String {
        match self {
            Self::Agent => "its prompts may drive an agent: `run` and `deploy` work, not only `plan` and `rehearse`".into(),
            Self::Github => "the agent itself holds GITHUB_TOKEN; implies publish".into(),
            Self::GithubRead => "the template reads issues and pull requests, through the host and with your token".into(),
            Self::Publish => "the host pushes the run's branch and opens or updates its pull request or issue".into(),
            Self::RepoRead => "the template reads the repository's tracked files and history".into(),
            Self::Env(name) => format!("the agent's environment carries {name}"),
            Self::MngrArg(flag) => format!("the template may pass --{flag} to mngr"),
        }
    }
}

impl FromStr for Permission {
    type Err = UnknownPermission;

    fn from_str(text: &str) -> Result<Self, UnknownPermission> {
        let known = match text {
            "agent" => Some(Self::Agent),
            "github" => Some(Self::Github),
            "github:read" => Some(Self::GithubRead),
            "publish" => Some(Self::Publish),
            "repo:read" => Some(Self::RepoRead),
            _ => env(text).or_else(|| mngr_arg(text)),
        };
        known.ok_or_else(|| UnknownPermission {
            name: shown(text),
            suggestion: nearest(text),
        })
    }
}

fn env(text: &str) -> Option<Permission> {
    let name = text.strip_prefix("env:")?;
    let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let well_formed = starts
        && name.len() <= MAX_ARGUMENT
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    (well_formed && !TOKEN_NAMES.contains(&name)).then(|| Permission::Env(name.to_owned()))
}

fn mngr_arg(text: &str) -> Option<Permission> {
    let flag = text.strip_prefix("mngr-arg:--")?;
    let well_formed = flag.starts_with(|c: char| c.is_ascii_lowercase())
        && flag.len() <= MAX_ARGUMENT
        && flag
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    well_formed.then(|| Permission::MngrArg(flag.to_owned()))
}

fn shown(text: &str) -> String {
    const LONGEST: usize = 80;
    let mut head: String = text.chars().take(LONGEST).collect();
    if head.len() < text.len() {
        head.push('…');
    }
    crate::names::printable(&head)
}

fn nearest(text: &str) -> Option<String> {
    // Bounded before anything quadratic sees it.
    let text: String = text.trim().chars().take(MAX_ARGUMENT).collect();
    if text
        .strip_prefix("env:")
        .is_some_and(|name| TOKEN_NAMES.contains(&name))
    {
        return Some("github".into());
    }
    if let Some(flag) = text.strip_prefix("mngr-arg:") {
        let flag = flag
            .trim_start_matches('-')
            .to_ascii_lowercase()
            .replace('_', "-");
        return mngr_arg(&format!("mngr-arg:--{flag}")).map(|permission| permission.to_string());
    }
    if text.starts_with("--") {
        return mngr_arg(&format!("mngr-arg:{text}")).map(|permission| permission.to_string());
    }
    let lower = text.to_ascii_lowercase();
    match lower.as_str() {
        "read" | "repo" => return Some("repo:read".into()),
        "issues" | "github:issues" | "gh:read" => return Some("github:read".into()),
        "push" | "pr" | "pull-request" | "github:write" => return Some("publish".into()),
        _ => {}
    }
    Permission::VOCABULARY[..5]
        .iter()
        .map(|word| (strsim::damerau_levenshtein(&lower, word), *word))
        .filter(|(distance, word)| *distance <= word.len() / 3)
        .min()
        .map(|(_, word)| word.to_owned())
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Agent => f.pad("agent"),
            Self::Github => f.pad("github"),
            Self::GithubRead => f.pad("github:read"),
            Self::Publish => f.pad("publish"),
            Self::RepoRead => f.pad("repo:read"),
            Self::Env(name) => f.pad(&format!("env:{name}")),
            Self::MngrArg(flag) => f.pad(&format!("mngr-arg:--{flag}")),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vocabulary_round_trips() {
        for text in [
            "agent",
            "github",
            "github:read",
            "publish",
            "repo:read",
            "env:RUST_LOG",
            "env:_x1",
            "mngr-arg:--extra-provision-command",
        ] {
            assert_eq!(text.parse::<Permission>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn unknown_ones_are_refused_by_name() {
        let refusal = |text: &str| text.parse::<Permission>().unwrap_err().to_string();
        let cases = [
            (
                "publsh",
                "unknown permission `publsh`; did you mean `publish`?",
            ),
            (
                "Publish",
                "unknown permission `Publish`; did you mean `publish`?",
            ),
            (
                "github:write",
                "unknown permission `github:write`; did you mean `publish`?",
            ),
            (
                "mngr-arg:env_file",
                "unknown permission `mngr-arg:env_file`; did you mean `mngr-arg:--env-file`?",
            ),
            (
                "env:GITHUB_TOKEN",
                "unknown permission `env:GITHUB_TOKEN`; did you mean `github`?",
            ),
            ("env:1X", "unknown permission `env:1X`"),
            ("env:A=b", "unknown permission `env:A=b`"),
            ("", "unknown permission ``"),
            ("root\u{1b}[2J", "unknown permission `root\\u{1b}[2J`"),
        ];
        for (text, expected) in cases {
            assert_eq!(refusal(text), expected);
        }
        assert!(refusal(&"x".repeat(100_000)).len() < 200);
    }
}
