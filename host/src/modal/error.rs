//! What can go wrong with a deployment.

use std::path::PathBuf;
use std::time::Duration;

use super::client::{Cause, OLDEST, Trouble};
use crate::config::ConfigError;
use crate::error::{Error, Kind};
use crate::names::Digest;
use crate::process::ProcessError;
use crate::python::Version;

/// The line that installs Modal's client.
pub const INSTALL: &str = "uv tool install 'modal>=1.6,<1.7'";

/// Why something about a deployment cannot be done.
#[derive(Debug, thiserror::Error)]
pub enum ModalError {
    #[error("Modal's client is not installed: there is no `modal` on PATH")]
    NotInstalled,
    #[error("`[modal] binary` names {}, which is no program", .0.display())]
    NotThere(PathBuf),
    #[error("{} does not tell which Python runs it", .0.display())]
    Opaque(PathBuf),
    #[error("Modal's client {version} is too old: {}", .program.display())]
    TooOld { program: PathBuf, version: Version },
    #[error("Modal did not answer within {} s", .0.as_secs())]
    NoAnswer(Duration),
    #[error("Modal said nothing more for {} s", .0.as_secs())]
    Silent(Duration),
    #[error("Modal's client ended without an answer (exit code {code}): {said}")]
    Ended {
        python: PathBuf,
        code: i32,
        said: String,
    },
    #[error("cannot run Modal's client")]
    Process(#[from] ProcessError),
    #[error(transparent)]
    Trouble(#[from] Trouble),
    #[error("cannot {what}: {}", .path.display())]
    File {
        /// "read", "write", ...
        what: &'static str,
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("{} is no deployment this program understands: {why}", .path.display())]
    Malformed { path: PathBuf, why: String },
    #[error(
        "it was deployed by changeling {by}, whose format (version {version}) this one does not know"
    )]
    Newer { by: String, version: u32 },
    #[error("the deployment has no repository number {target}; it has {count}")]
    NoTarget { target: usize, count: usize },
    #[error(
        "the template beside the deployment is {found}, not {expected}",
        found = .found.short(),
        expected = .expected.short()
    )]
    OtherTemplate { expected: Digest, found: Digest },
    #[error(transparent)]
    Config(#[from] ConfigError),
}

impl ModalError {
    /// It did not answer, or not in time: whatever it was asked for may have happened, and the next question
    /// would wait as long.
    pub fn is_silence(&self) -> bool {
        match self {
            Self::NoAnswer(_) | Self::Silent(_) => true,
            Self::Trouble(trouble) => trouble.cause == Cause::Unreachable,
            _ => false,
        }
    }
}

/// What of [`ModalError::is_silence`] a command makes.
pub fn is_silence(error: &Error) -> bool {
    let trouble = error.error.downcast_ref::<Trouble>();
    let error = error.error.downcast_ref::<ModalError>();
    error.is_some_and(ModalError::is_silence)
        || trouble.is_some_and(|trouble| trouble.cause == Cause::Unreachable)
}

impl From<ModalError> for Error {
    fn from(error: ModalError) -> Self {
        let (kind, hint) = match error {
            ModalError::Config(error) => return error.into(),
            ModalError::Trouble(trouble) => return trouble.into(),
            ModalError::Process(ProcessError::Interrupted(_)) => (Kind::Interrupted, None),
            ModalError::NotInstalled | ModalError::TooOld { .. } => (
                Kind::NeedsPerson,
                Some(format!("{INSTALL}   (at least {OLDEST})")),
            ),
            ModalError::NotThere(_) | ModalError::Opaque(_) => (
                Kind::NeedsPerson,
                Some(format!(
                    "point `[modal] binary` at the `modal` that pip, pipx or uv installed: {INSTALL}"
                )),
            ),
            ModalError::NoAnswer(_) | ModalError::Silent(_) => (
                Kind::Failed,
                Some(
                    "look at the network, proxies and status.modal.com, then do the same again: \
                     what is done already is not done twice"
                        .to_owned(),
                ),
            ),
            ModalError::Ended { ref python, .. } => (
                Kind::Failed,
                Some(format!("try: {} -c 'import modal'", python.display())),
            ),
            ModalError::File { .. } | ModalError::Process(_) => (Kind::Failed, None),
            ModalError::Newer { ref by, .. } => (
                Kind::Failed,
                Some(format!(
                    "update this program to {by} or newer, or deploy again"
                )),
            ),
            ModalError::Malformed { .. }
            | ModalError::NoTarget { .. }
            | ModalError::OtherTemplate { .. } => (
                Kind::Failed,
                Some("`changeling deploy NAME` writes it anew".to_owned()),
            ),
        };
        let error = Self::from_source(kind, error);
        match hint {
            Some(hint) => error.with_hint(hint),
            None => error,
        }
    }
}
