//! The `mngr` program: finding it, its dialects, and agents that it creates, watches and destroys.
//!
//! mngr is called from an empty folder that is no repository, pointed at the workspace, without a
//! transfer and on the branch the host checked out: nothing the target repository says is read. It
//! runs in a tmux server of the run's own, which hands its environment on byte by byte: prompt and
//! secrets are no part of a command line, and of no file a shell reads. Agents whose headless command
//! line is known run in our own wrapper; for them mngr's own folder and the home it sees are private,
//! too. Others are mngr's own agent types, with the user's settings.

mod create;
mod detect;
mod dialect;
mod error;
mod files;
mod launch;
mod native;
mod pipe;
mod tmux;
mod watch;
mod wrapper;

pub use crate::python::Version;
pub use detect::{Installed, NEWEST};
pub use dialect::{Create, Dialect, Runs, agent_name, labels, split};
pub use error::{INSTALL, MngrError, UPGRADE, install_line};
pub use launch::Launch;
pub(crate) use tmux::remove_outside;
