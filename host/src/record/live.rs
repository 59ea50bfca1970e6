//! Which runs live, and the end of those that died without a word.

use std::ffi::OsStr;
use std::fs::{self, File, TryLockError};
use std::io::{self, Write as _};
use std::path::Path;

use jiff::Timestamp;

use super::rows::{all_ids, is_known, open_ids, unclean_ids, update_outcome};
use super::{RecordError, Store, Usage, remove};
use crate::context::open_plain;
use crate::exec::Outcome;

const LOCK_FILE: &str = "lock";
/// Its name until it is held.
const LOCK_ASIDE: &str = ".lock.new";

/// Takes the lock of a new run's folder. It gets its name once it is held: whoever sees it and finds
/// it free knows that the run is over. Holds the number of our process.
pub(super) fn lock(folder: &Path) -> io::Result<File> {
    let aside = folder.join(LOCK_ASIDE);
    let mut file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&aside)?;
    file.try_lock().map_err(|error| match error {
        TryLockError::Error(error) => error,
        TryLockError::WouldBlock => io::Error::other("another process uses it"),
    })?;
    writeln!(file, "{}", std::process::id())?;
    fs::rename(aside, folder.join(LOCK_FILE))?;
    Ok(file)
}

/// Takes the lock of a run that is over; `None` when somebody has it.
pub(super) fn relock(folder: &Path) -> io::Result<Option<File>> {
    let path = folder.join(LOCK_FILE);
    let file = match open_plain(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            super::recording::create_afresh(&path, b"")?;
            File::open(&path)?
        }
        file => file?,
    };
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Its process holds the lock.
fn is_alive(folder: &Path) -> bool {
    match open_plain(&folder.join(LOCK_FILE)) {
        // Released when the file is closed, at the end of this arm.
        Ok(file) => file.try_lock_shared().is_err(),
        Err(error) => error.kind() != io::ErrorKind::NotFound,
    }
}

/// As a run's folder is before the run is in the database. When in doubt, it is not.
fn is_blank(folder: &Path) -> bool {
    let is_blank = |entry: io::Result<fs::DirEntry>| {
        let entry = entry?;
        let meta = entry.metadata()?;
        let is_lock = [LOCK_FILE, LOCK_ASIDE]
            .map(OsStr::new)
            .contains(&&*entry.file_name());
        Ok(meta.is_file() && (is_lock || meta.len() == 0))
    };
    let all = |entries: fs::ReadDir| {
        entries
            .map(is_blank)
            .all(|it: io::Result<bool>| it.unwrap_or(false))
    };
    fs::read_dir(folder).is_ok_and(all)
}

impl Store {
    /// Gives dead runs their outcome: what their events say, else `interrupted`. Only the
    /// record changes; cleaning up after them is not a reader's work.
    pub fn mark_dead(&self) -> Result<(), RecordError> {
        for id in open_ids(&self.connection).map_err(|error| self.failed(error))? {
            let folder = self.folder_of(&id);
            if is_alive(&folder) {
                continue;
            }
            let events = self.events(&id).unwrap_or_default();
            let at = events.last().map_or_else(Timestamp::now, |last| last.at);
            let outcome = Outcome::of_dead(events.iter().filter_map(|each| each.event.as_ref()));
            update_outcome(&self.connection, &id, &outcome, Usage::default(), at)
                .map_err(|error| self.failed(error))?;
        }
        Ok(())
    }

    /// Its process is there. Where locks do not work, a run counts as alive.
    pub fn lives(&self, id: &str) -> bool {
        is_alive(&self.folder_of(id))
    }

    /// The process of a run that lives; `None` when it does not.
    pub fn process_of(&self, id: &str) -> Option<u32> {
        let folder = self.folder_of(id);
        let text = fs::read_to_string(folder.join(LOCK_FILE)).ok()?;
        is_alive(&folder).then(|| text.trim().parse().ok())?
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

    /// Removes folders of runs that died before they were recorded. One that holds anything had been
    /// recorded, in a history that was moved away or replaced by an older copy: it stays.
    pub fn remove_unborn(&self) -> Result<(), RecordError> {
        let failed = |error| RecordError::Io(self.folder.clone(), error);
        let all = all_ids(&self.connection).map_err(|error| self.failed(error))?;
        for entry in fs::read_dir(&self.folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name();
            let is_run = entry.file_type().is_ok_and(|kind| kind.is_dir());
            let (true, Some(id)) = (is_run, name.to_str()) else {
                continue;
            };
            if all.contains(id) {
                continue;
            }
            // Without a lock file it is being made at this moment, or is not ours.
            let was_locked = entry.path().join(LOCK_FILE).exists();
            // In this order: one that ends between the two questions is known by then.
            if !was_locked || is_alive(&entry.path()) || !is_blank(&entry.path()) {
                continue;
            }
            if !is_known(&self.connection, id).map_err(|error| self.failed(error))? {
                remove(&entry.path())?;
            }
        }
        Ok(())
    }
}
