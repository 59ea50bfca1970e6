//! Why no agent can be started here, and what mends it.

use crate::error::{Error, Kind};

/// Installs an mngr that this program knows, with the plugins it uses.
pub const INSTALL: &str = "uv tool install --python '>=3.12' --with imbue-mngr-claude --with imbue-mngr-wait 'imbue-mngr>=0.3,<0.4'";

/// Why `mngr` cannot be used.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum MngrError {
    #[error("mngr is not installed, or not on PATH")]
    NotInstalled,
}

impl From<MngrError> for Error {
    fn from(error: MngrError) -> Self {
        let hint = match &error {
            MngrError::NotInstalled => INSTALL.to_owned(),
        };
        Self::from_source(Kind::NeedsPerson, error).with_hint(hint)
    }
}
