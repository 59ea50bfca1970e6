//! What a command answers when it cannot do its work.
//!
//! Modules below the commands have typed errors of their own (one enum each, `thiserror`); this is
//! the edge where they become a message, a hint and an exit code. Messages are lowercase fragments.

use std::fmt;

use crate::exit_code;

/// Why a command ended without doing its work, and the exit code that says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Exit 1: the world did not play along (I/O, network, a program that failed).
    Failed,
    /// Exit 2: command line or configuration.
    Usage,
    /// Exit 3: a person must do something first (grant, secret, confirmation).
    NeedsPerson,
    /// Exit 4: a run ended in failure.
    RunFailed,
    /// Exit 124.
    TimedOut,
    /// Exit 130.
    Interrupted,
}

impl Kind {
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Failed => exit_code::FAILED,
            Self::Usage => exit_code::USAGE,
            Self::NeedsPerson => exit_code::NEEDS_PERSON,
            Self::RunFailed => exit_code::RUN_FAILED,
            Self::TimedOut => exit_code::TIMED_OUT,
            Self::Interrupted => exit_code::INTERRUPTED,
        }
    }
}

/// An error at the command edge: what happened, why, and what to do next.
#[derive(Debug)]
pub struct Error {
    pub kind: Kind,
    /// What happened, with its chain of causes.
    pub error: anyhow::Error,
    /// What to do next; a command to type when there is one.
    pub hint: Option<String>,
}

/// Result of a command.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub fn new(
        kind: Kind,
        message: impl fmt::Display + fmt::Debug + Send + Sync + 'static,
    ) -> Self {
        Self {
            kind,
            error: anyhow::Error::msg(message),
            hint: None,
        }
    }

    pub fn failed(message: impl fmt::Display + fmt::Debug + Send + Sync + 'static) -> Self {
        Self::new(Kind::Failed, message)
    }

    pub fn usage(message: impl fmt::Display + fmt::Debug + Send + Sync + 'static) -> Self {
        Self::new(Kind::Usage, message)
    }

    pub fn needs_person(message: impl fmt::Display + fmt::Debug + Send + Sync + 'static) -> Self {
        Self::new(Kind::NeedsPerson, message)
    }

    /// A typed error of a module below, with the kind this command gives it.
    pub fn from_source(kind: Kind, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self {
            kind,
            error: anyhow::Error::new(source),
            hint: None,
        }
    }

    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same, of something else that it keeps from being done.
    #[must_use]
    pub fn once_more(&self) -> Self {
        Self {
            hint: self.hint.clone(),
            ..Self::new(self.kind, self.to_string())
        }
    }

    /// Puts what was being done in front: `context: cause`.
    #[must_use]
    pub fn context(mut self, context: impl fmt::Display + Send + Sync + 'static) -> Self {
        self.error = self.error.context(context);
        self
    }
}

impl fmt::Display for Error {
    /// `what happened: why: why`, on one line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#}", self.error)
    }
}

/// `what: why: why`, on one line.
pub fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Self::from_source(Kind::Failed, error)
    }
}
