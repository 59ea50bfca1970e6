//! What GitHub said no with, typed.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use serde::Deserialize;

use super::Repository;
use crate::error::{Error, Kind};

/// So long is waited for a limit of the rate to end: what GitHub asks for after a burst of writing.
const LONGEST_WAIT: Duration = Duration::from_secs(90);

/// A query that was not answered. No variant holds the token.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum GithubError {
    #[error("GITHUB_API_URL cannot be used ({0}): {1}")]
    Address(String, &'static str),
    #[error("`{0}` is no GitHub repository")]
    NoRepository(String),
    #[error("the GitHub token contains characters that no token has")]
    Token,
    #[error("cannot prepare a TLS client: {0}")]
    Client(String),
    #[error("cannot reach {host}: {reason}")]
    Network { host: String, reason: String },
    #[error("{host} did not answer within {} s", .timeout.as_secs_f32())]
    TimedOut { host: String, timeout: Duration },
    #[error("{host} does not accept the token (401): {message}")]
    Unauthorized { host: String, message: String },
    #[error("{host} refuses (403): {message}")]
    Forbidden { host: String, message: String },
    #[error("{host} knows no {repo}{} (404)", if *.with_token { " that this token may see" } else { " that can be seen without a token" })]
    NotFound {
        host: String,
        repo: String,
        with_token: bool,
    },
    #[error("{host} limits the rate of requests; {again}")]
    RateLimited { host: String, again: Again },
    #[error("{host} refuses the request as invalid (422): {message}")]
    Invalid { host: String, message: String },
    #[error("{host} failed ({status}): {message}")]
    Server {
        host: String,
        status: u16,
        message: String,
    },
    #[error("{host} answered something unexpected: {message}")]
    Unexpected { host: String, message: String },
}

/// When a rate limit ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    At(Timestamp),
    In(Duration),
    Unknown,
}

impl std::fmt::Display for Again {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::At(time) => write!(f, "again from {}", time.strftime("%Y-%m-%d %H:%M:%S UTC")),
            Self::In(wait) => write!(f, "again in {} s", wait.as_secs()),
            Self::Unknown => write!(f, "it does not say for how long"),
        }
    }
}

impl GithubError {
    /// Worth asking again in a moment.
    pub(super) fn may_pass(&self) -> bool {
        matches!(self, Self::Network { .. })
            || matches!(self, Self::Server { status, .. } if *status != 501)
    }

    /// Nobody knows whether the server did what it was asked before this came of it.
    pub fn is_doubtful(&self) -> bool {
        matches!(
            self,
            Self::Network { .. }
                | Self::TimedOut { .. }
                | Self::Server { .. }
                | Self::Unexpected { .. }
        )
    }

    /// How long to wait before the same request has a chance; `None`: waiting does not help, or for too
    /// long.
    pub fn wait(&self, now: Timestamp) -> Option<Duration> {
        let wait = match self {
            Self::RateLimited { again, .. } => match again {
                Again::In(wait) => *wait,
                Again::At(time) => Duration::try_from(time.duration_since(now)).ok()?,
                Again::Unknown => LONGEST_WAIT,
            },
            error if error.is_doubtful() => Duration::from_secs(1),
            _ => return None,
        };
        (wait <= LONGEST_WAIT).then_some(wait)
    }

    /// The code a template gets for it (`wit`, `types.failure`).
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unauthorized { .. } | Self::Forbidden { .. } | Self::Token => "denied",
            Self::NotFound { .. } | Self::NoRepository(_) => "not-found",
            Self::RateLimited { .. } => "rate-limited",
            Self::TimedOut { .. } => "timed-out",
            Self::Invalid { .. } => "invalid-argument",
            Self::Address(..)
            | Self::Client(_)
            | Self::Network { .. }
            | Self::Server { .. }
            | Self::Unexpected { .. } => "unavailable",
        }
    }

    /// What a person can do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Address(..) => Some("unset GITHUB_API_URL to use https://api.github.com"),
            Self::Token | Self::Unauthorized { .. } => {
                Some("renew GITHUB_TOKEN (for example: gh auth login)")
            }
            Self::Forbidden { .. } => {
                Some("the token needs read access to issues and pull requests of this repository")
            }
            Self::NotFound {
                with_token: false, ..
            } => Some(
                "a private repository needs GITHUB_TOKEN, or `[secrets]` that says where it is",
            ),
            Self::NotFound {
                with_token: true, ..
            } => Some("check the name and the token's access to it"),
            Self::RateLimited { .. } => {
                Some("requests with a token have a limit of their own: set GITHUB_TOKEN, or wait")
            }
            Self::Network { .. } | Self::TimedOut { .. } => {
                Some("check the network and proxy settings")
            }
            Self::Client(_) => {
                Some("install the system's CA certificates (Debian: apt install ca-certificates)")
            }
            Self::NoRepository(_)
            | Self::Invalid { .. }
            | Self::Server { .. }
            | Self::Unexpected { .. } => None,
        }
    }
}

impl From<GithubError> for Error {
    fn from(error: GithubError) -> Self {
        let kind = match &error {
            GithubError::Address(..) | GithubError::NoRepository(_) => Kind::Usage,
            GithubError::Token
            | GithubError::Unauthorized { .. }
            | GithubError::Forbidden { .. } => Kind::NeedsPerson,
            _ => Kind::Failed,
        };
        let hint = error.hint().map(str::to_owned);
        Self {
            hint,
            ..Self::from_source(kind, error)
        }
    }
}

/// GitHub's form of an error.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Wire {
    message: String,
    /// What exactly was invalid.
    errors: Vec<Detail>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Detail {
    Text(String),
    Object {
        message: Option<String>,
        field: Option<String>,
        code: Option<String>,
    },
}

impl Detail {
    fn text(self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text),
            Self::Object {
                message: Some(message),
                ..
            } => Some(message),
            Self::Object { field, code, .. } => Some(format!("{} {}", field?, code?)),
        }
    }
}

/// Turns an unsuccessful answer into what it means.
pub(super) fn classify(
    repository: &Repository,
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
) -> GithubError {
    let host = repository.host();
    let wire: Wire = serde_json::from_slice(body).unwrap_or_default();
    let message = if wire.message.is_empty() {
        status.canonical_reason().unwrap_or("no reason given")
    } else {
        &wire.message
    };
    let details = wire.errors.into_iter().filter_map(Detail::text);
    let message: Vec<String> = std::iter::once(message.to_owned()).chain(details).collect();
    let message = crate::names::printable(&message.join(": "));
    let message: String = message.chars().take(300).collect();
    match status.as_u16() {
        429 => GithubError::RateLimited {
            host,
            again: again(headers),
        },
        403 if is_rate_limit(headers, &message) => GithubError::RateLimited {
            host,
            again: again(headers),
        },
        401 => GithubError::Unauthorized { host, message },
        403 => GithubError::Forbidden { host, message },
        404 | 410 => GithubError::NotFound {
            host,
            repo: format!("{}/{}", repository.owner, repository.name),
            with_token: repository.token.is_some(),
        },
        422 => GithubError::Invalid { host, message },
        status @ 500.. => GithubError::Server {
            host,
            status,
            message,
        },
        300..=399 => GithubError::Unexpected {
            host,
            message: format!("a redirect to another host ({status})"),
        },
        _ => GithubError::Unexpected {
            host,
            message: format!("{status}: {message}"),
        },
    }
}

fn is_rate_limit(headers: &HeaderMap, message: &str) -> bool {
    headers.contains_key("retry-after")
        || number(headers, "x-ratelimit-remaining") == Some(0)
        || message.to_ascii_lowercase().contains("rate limit")
}

fn again(headers: &HeaderMap) -> Again {
    if let Some(seconds) = number(headers, "retry-after").and_then(|n| u64::try_from(n).ok()) {
        return Again::In(Duration::from_secs(seconds));
    }
    number(headers, "x-ratelimit-reset")
        .and_then(|second| Timestamp::from_second(second).ok())
        .map_or(Again::Unknown, Again::At)
}

fn number(headers: &HeaderMap, name: &str) -> Option<i64> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}
