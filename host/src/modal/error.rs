//! What can go wrong with a deployment.

use std::path::PathBuf;

use crate::config::ConfigError;
use crate::error::{Error, Kind};
use crate::names::Digest;

/// Why something about a deployment cannot be done.
#[derive(Debug, thiserror::Error)]
pub enum ModalError {
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
    #[error("the template beside the deployment is {found}, not {expected}", found = .found.short(), expected = .expected.short())]
    OtherTemplate { expected: Digest, found: Digest },
    #[error(transparent)]
    Config(#[from] ConfigError),
}

impl From<ModalError> for Error {
    fn from(error: ModalError) -> Self {
        let (kind, hint) = match &error {
            ModalError::Config(_) => {
                let ModalError::Config(error) = error else {
                    unreachable!("it was matched")
                };
                return error.into();
            }
            ModalError::File { .. } => (Kind::Failed, None),
            ModalError::Newer { by, .. } => (
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
