//! An expected "no", with what a person can do about it.

use std::fmt;

/// Why a template cannot answer. A panic means a bug in the template; this is for everything else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Stable, machine-readable, `[a-z0-9-]+`.
    pub code: String,
    /// One sentence for a person.
    pub message: String,
    /// What the person can do about it.
    pub hint: Option<String>,
}

impl Failure {
    /// The host does not let this template do this (yet).
    pub const DENIED: &str = "denied";
    /// No such path, commit, ...
    pub const NOT_FOUND: &str = "not-found";
    /// The file is not text.
    pub const BINARY: &str = "binary";
    /// The file is larger than the host reads.
    pub const TOO_LARGE: &str = "too-large";
    /// A parameter or an argument that makes no sense.
    pub const INVALID_ARGUMENT: &str = "invalid-argument";

    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            message: message.into(),
            hint: None,
        }
    }

    /// A parameter that is missing or makes no sense.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(Self::INVALID_ARGUMENT, message)
    }

    /// Says what the person can do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The file or path is not there, or is nothing a template can read.
    pub fn is_unreadable(&self) -> bool {
        matches!(
            self.code.as_str(),
            Self::NOT_FOUND | Self::BINARY | Self::TOO_LARGE | "unreadable"
        )
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}
