//! The folder `agent/` of a run: what mngr, tmux and the wrapper get and leave. It goes with the agent.

use std::fs;
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::context::{create_private_dir, open_plain};

/// Its places.
#[derive(Debug, Clone)]
pub(super) struct Files {
    pub(super) root: PathBuf,
}

impl Files {
    /// Below the run's own folder.
    pub(super) fn of(run_dir: &Path) -> Self {
        Self {
            root: run_dir.join("agent"),
        }
    }

    /// Makes it anew.
    pub(super) fn make(&self) -> io::Result<()> {
        self.remove()?;
        for folder in [
            self.root.clone(),
            self.empty(),
            self.home(),
            self.host(),
            self.settings(),
        ] {
            create_private_dir(&folder)?;
        }
        Ok(())
    }

    pub(super) fn remove(&self) -> io::Result<()> {
        match crate::workspace::remove_tree(&self.root) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// Where mngr is called: no repository, no settings.
    pub(super) fn empty(&self) -> PathBuf {
        self.path("empty")
    }

    /// The home mngr, tmux and the shell in it see: no profile, no configuration of the user's runs.
    pub(super) fn home(&self) -> PathBuf {
        self.path("home")
    }

    /// mngr's own state.
    pub(super) fn host(&self) -> PathBuf {
        self.path("host")
    }

    /// The agent's settings and sessions.
    pub(super) fn settings(&self) -> PathBuf {
        self.path("settings")
    }

    /// The wrapper.
    pub(super) fn script(&self) -> PathBuf {
        self.path("run")
    }

    pub(super) fn prompt(&self) -> PathBuf {
        self.path("prompt")
    }

    pub(super) fn stdout(&self) -> PathBuf {
        self.path("stdout")
    }

    pub(super) fn stderr(&self) -> PathBuf {
        self.path("stderr")
    }

    /// Process id of the wrapper, once it runs.
    pub(super) fn pid(&self) -> Option<i32> {
        number(&self.path("pid")).filter(|pid| *pid > 1)
    }

    /// How the agent ended, once it has.
    pub(super) fn exit(&self) -> Option<i32> {
        number(&self.path("exit"))
    }

    /// Writes a file only this user can read.
    pub(super) fn write(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(path)?;
        io::Write::write_all(&mut file, bytes)?;
        // Whatever the umask took.
        file.set_permissions(fs::Permissions::from_mode(mode))
    }
}

/// A number in a small plain file: the agent could write there.
fn number(path: &Path) -> Option<i32> {
    const LONGEST: u64 = 16;
    let mut text = String::new();
    let file = open_plain(path).ok()?;
    io::Read::read_to_string(&mut io::Read::take(file, LONGEST), &mut text).ok()?;
    text.trim().parse().ok()
}
