//! One process at a time changes a mirror.

use std::fs::{self, File, TryLockError};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use crate::git::GitError;
use crate::git::remote::TRANSFER;
use crate::process::{ProcessError, interrupted};
use crate::repo_url::RepoUrl;

/// How long to wait for another process: longer than it may transfer, or a run that was paid for
/// would fail because another one fetches.
const PATIENCE: Duration = TRANSFER.saturating_add(Duration::from_mins(1));

/// Held until dropped; the system lets go of it when the process dies.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// The lock of a mirror lies beside it, so that it survives remaking the mirror.
    pub(super) fn acquire(git_dir: &Path, repo: &RepoUrl) -> Result<Self, GitError> {
        let path = git_dir.with_extension("lock");
        let failed = |error| GitError::Io(path.clone(), error);
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(failed)?;
        let give_up = Instant::now() + PATIENCE;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self { _file: file }),
                Err(TryLockError::Error(error)) => return Err(failed(error)),
                Err(TryLockError::WouldBlock) if interrupted() => {
                    return Err(ProcessError::Interrupted("git".to_owned()).into());
                }
                Err(TryLockError::WouldBlock) if Instant::now() >= give_up => {
                    return Err(GitError::Busy(repo.to_string()));
                }
                Err(TryLockError::WouldBlock) => thread::sleep(Duration::from_millis(20)),
            }
        }
    }
}

/// Lock files of git calls that were killed. Safe while the mirror's own lock is held, because then
/// no git call of ours is under way.
pub(super) fn remove_stale(git_dir: &Path) {
    for name in [
        "packed-refs.lock",
        "shallow.lock",
        "config.lock",
        "HEAD.lock",
        "gc.pid",
    ] {
        let _ = fs::remove_file(git_dir.join(name));
    }
    remove_locks_below(&git_dir.join("refs"));
}

fn remove_locks_below(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.filter_map(Result::ok) {
        let path = entry.path();
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => remove_locks_below(&path),
            // No ref's own name may end like this.
            Ok(_) if path.extension().is_some_and(|end| end == "lock") => {
                let _ = fs::remove_file(&path);
            }
            _ => {}
        }
    }
}
