//! How an agent lives that is another user than we are.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::Variables;
use crate::context::create_private_dir;
use crate::process::User;

impl User {
    /// Makes the run's folder a place where it can work: it may pass through `root` and what is between
    /// to what is its own, and neither list nor change anything else.
    pub(crate) fn move_in(&self, root: &Path, run_dir: &Path, workspace: &Path) -> io::Result<()> {
        for folder in run_dir.ancestors() {
            let mut permissions = fs::metadata(folder)?.permissions();
            if permissions.mode() & 0o001 == 0 {
                permissions.set_mode(permissions.mode() | 0o001);
                fs::set_permissions(folder, permissions)?;
            }
            if folder == root {
                break;
            }
        }
        self.give(workspace)?;
        for own in [home(run_dir), writes_to(run_dir)] {
            create_private_dir(&own)?;
            self.give(&own)?;
        }
        Ok(())
    }

    /// What it gets of the environment instead of what is ours.
    pub(super) fn variables(&self, run_dir: &Path) -> Variables {
        vec![
            ("HOME".to_owned(), home(run_dir).into()),
            ("USER".to_owned(), self.name.clone().into()),
            ("LOGNAME".to_owned(), self.name.clone().into()),
            ("SHELL".to_owned(), "/bin/sh".into()),
            ("TMPDIR".to_owned(), "/tmp".into()),
        ]
    }
}

fn home(run_dir: &Path) -> PathBuf {
    run_dir.join("home")
}

/// Where an agent that is another user writes its summary and its report.
pub(super) fn writes_to(run_dir: &Path) -> PathBuf {
    run_dir.join("written")
}
