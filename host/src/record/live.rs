//! Which runs live, and the end of those that died without a word.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read as _};
use std::path::Path;

use jiff::Timestamp;
use serde::Deserialize;

use super::rows::{is_known, open_ids, unclean_ids, update_outcome};
use super::{RecordError, Store, Usage, recording, remove};
use crate::exec::{Event, Outcome};

const LOCK_FILE: &str = "lock";

/// More than any run of ours writes, in bytes.
const MAX_EVENTS: u64 = 64 * 1024 * 1024;

/// Takes the lock of a new run's folder.
pub(super) fn lock(folder: &Path) -> io::Result<File> {
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(folder.join(LOCK_FILE))?;
    file.try_lock().map_err(|error| match error {
        TryLockError::Error(error) => error,
        TryLockError::WouldBlock => io::Error::other("another process uses it"),
    })?;
    Ok(file)
}

/// Its process holds the lock. Where locks do not work, a run counts as alive.
fn is_alive(folder: &Path) -> bool {
    match open_plain(&folder.join(LOCK_FILE)) {
        // Released when the file is closed, at the end of this arm.
        Ok(file) => file.try_lock_shared().is_err(),
        Err(error) => error.kind() != io::ErrorKind::NotFound,
    }
}

#[derive(Deserialize)]
struct Line {
    at: Timestamp,
    #[serde(flatten)]
    event: Event,
}

impl Store {
    /// Gives dead runs their outcome: what their last event says, else `interrupted`. Only the
    /// record changes; cleaning up after them is not a reader's work.
    pub fn mark_dead(&self) -> Result<(), RecordError> {
        for id in open_ids(&self.connection).map_err(|error| self.failed(error))? {
            let folder = self.folder_of(&id);
            if is_alive(&folder) {
                continue;
            }
            let last = last_event(&folder);
            let at = last.as_ref().map_or_else(Timestamp::now, |line| line.at);
            let outcome = match last.map(|line| line.event) {
                Some(Event::Ended { outcome }) => outcome,
                _ => Outcome::Interrupted,
            };
            update_outcome(&self.connection, &id, &outcome, Usage::default(), at)
                .map_err(|error| self.failed(error))?;
        }
        Ok(())
    }

    /// Runs that are over and were not cleaned up after.
    pub fn unclean(&self) -> Result<Vec<String>, RecordError> {
        let ids = unclean_ids(&self.connection).map_err(|error| self.failed(error))?;
        Ok(ids
            .into_iter()
            .filter(|id| !is_alive(&self.folder_of(id)))
            .collect())
    }

    /// Nothing of the run is left but its record, and what is to be kept.
    pub fn mark_clean(&self, id: &str) -> Result<(), RecordError> {
        self.connection
            .execute("UPDATE runs SET clean = 1 WHERE id = ?1", [id])
            .map(|_| ())
            .map_err(|error| self.failed(error))
    }

    /// Removes folders of runs that died before they were recorded.
    pub fn remove_unborn(&self) -> Result<(), RecordError> {
        let failed = |error| RecordError::Io(self.folder.clone(), error);
        for entry in fs::read_dir(&self.folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name();
            let is_run = entry.file_type().is_ok_and(|kind| kind.is_dir());
            let (true, Some(id)) = (is_run, name.to_str()) else {
                continue;
            };
            // Without a lock file it is being made at this moment, or is not ours.
            let was_locked = entry.path().join(LOCK_FILE).exists();
            let known = is_known(&self.connection, id).map_err(|error| self.failed(error))?;
            if was_locked && !known && !is_alive(&entry.path()) {
                remove(&entry.path())?;
            }
        }
        Ok(())
    }
}

fn last_event(folder: &Path) -> Option<Line> {
    let file = open_plain(&folder.join(recording::File::Events.name())).ok()?;
    let mut text = String::new();
    file.take(MAX_EVENTS).read_to_string(&mut text).ok()?;
    serde_json::from_str(text.lines().next_back()?).ok()
}

/// Opens a file of a run's folder, where its agent could write: a pipe would make us wait for ever, a
/// link read what the agent chose. Neither counts as there.
fn open_plain(path: &Path) -> io::Result<File> {
    if !fs::symlink_metadata(path)?.is_file() {
        return Err(io::ErrorKind::NotFound.into());
    }
    File::open(path)
}
