//! The `mngr` program: finding it, its dialects, and agents that it creates, watches and destroys.
//!
//! mngr is called from an empty folder that is no repository, pointed at the workspace, without a
//! transfer and on the branch the host checked out: nothing the target repository says is read. The
//! agent is our own wrapper script; prompt and secrets are no part of the command line.

mod dialect;
mod error;
mod launch;

pub use dialect::{Create, Dialect, labels};
pub use error::{INSTALL, MngrError};
pub use launch::Launch;
