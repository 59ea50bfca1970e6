//! The record of a run that lives: written as things happen.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Serialize;

use super::log::Log;
use super::rows::{insert, update_outcome};
use super::{Header, RecordError, Store, Usage, live};
use crate::context::create_private_dir;
use crate::exec::{Event, Outcome};
use crate::plan::Plan;
use crate::workspace::remove_tree;

/// A file of a run's record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum File {
    Plan,
    /// What the agent was asked to do.
    Prompt,
    /// One `Event` a line.
    Events,
    /// What the agent said, redacted.
    Log,
    /// Its commits as one patch.
    Patch,
    /// Work it did not commit, as a patch.
    Uncommitted,
    Report,
    /// What the agent wrote about its work.
    Summary,
    /// Body of the pull request.
    PullRequest,
}

impl File {
    pub const ALL: [Self; 9] = [
        Self::Plan,
        Self::Prompt,
        Self::Events,
        Self::Log,
        Self::Patch,
        Self::Uncommitted,
        Self::Report,
        Self::Summary,
        Self::PullRequest,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Plan => "plan.json",
            Self::Prompt => "prompt.md",
            Self::Events => "events.jsonl",
            Self::Log => "log",
            Self::Patch => "patch.diff",
            Self::Uncommitted => "uncommitted.diff",
            Self::Report => "report.md",
            Self::Summary => "summary.md",
            Self::PullRequest => "pull-request.md",
        }
    }
}

/// A run that lives, because this value does.
#[derive(Debug)]
pub struct Recording<'a> {
    pub(super) store: &'a Store,
    pub(super) id: String,
    folder: PathBuf,
    events: fs::File,
    log: Log,
    /// Held until the run has ended.
    lock: fs::File,
}

#[derive(Serialize)]
struct Line<'a> {
    at: Timestamp,
    #[serde(flatten)]
    event: &'a Event,
}

impl Store {
    /// Records that a run begins. From here on its death can be noticed.
    pub fn begin(&self, header: &Header) -> Result<Recording<'_>, RecordError> {
        let folder = self.folder_of(header.id);
        let failed = |error| RecordError::Io(folder.clone(), error);
        create_private_dir(&folder).map_err(failed)?;
        // The lock first: a row whose lock is free would be taken for a dead run.
        let lock = live::lock(&folder).map_err(failed)?;
        let append = |file: File| {
            fs::File::options()
                .create(true)
                .append(true)
                .open(folder.join(file.name()))
        };
        let mut recording = Recording {
            store: self,
            id: header.id.to_owned(),
            events: append(File::Events).map_err(failed)?,
            log: append(File::Log).and_then(Log::new).map_err(failed)?,
            folder: folder.clone(),
            lock,
        };
        insert(&self.connection, header).map_err(|error| self.failed(error))?;
        recording.event(header.started_at, &Event::Started)?;
        Ok(recording)
    }
}

impl Store {
    /// The record of a run that died, to be completed; `None` while its process lives, or another one
    /// completes it.
    pub fn reopen(&self, id: &str) -> Result<Option<Recording<'_>>, RecordError> {
        let folder = self.folder_of(id);
        let failed = |error| RecordError::Io(folder.clone(), error);
        create_private_dir(&folder).map_err(failed)?;
        let Some(lock) = live::relock(&folder).map_err(failed)? else {
            return Ok(None);
        };
        let append = |file: File| {
            let path = folder.join(file.name());
            if fs::symlink_metadata(&path).is_ok_and(|meta| !meta.is_file()) {
                // The agent put it there: a link is not followed, nor a pipe waited for.
                remove_tree(&path)?;
            }
            fs::File::options().create(true).append(true).open(path)
        };
        Ok(Some(Recording {
            store: self,
            id: id.to_owned(),
            events: append(File::Events).map_err(failed)?,
            log: append(File::Log).and_then(Log::new).map_err(failed)?,
            folder: folder.clone(),
            lock,
        }))
    }

    /// Appends to the events of a run that has ended.
    pub fn add_event(&self, id: &str, at: Timestamp, event: &Event) -> Result<(), RecordError> {
        let path = self.folder_of(id).join(File::Events.name());
        let failed = |error| RecordError::Io(path.clone(), error);
        // The agent could write here: no link and no pipe is followed.
        if self.path_of(id, File::Events).is_none() {
            return Err(failed(io::ErrorKind::NotFound.into()));
        }
        let mut file = fs::File::options()
            .append(true)
            .open(&path)
            .map_err(failed)?;
        write_line(&mut file, at, event).map_err(failed)
    }
}

/// One write a line: a death leaves whole lines only.
fn write_line(file: &mut fs::File, at: Timestamp, event: &Event) -> io::Result<()> {
    let mut line = serde_json::to_vec(&Line { at, event })?;
    line.push(b'\n');
    file.write_all(&line)
}

impl Recording<'_> {
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The run's own folder, 0700.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where a file of the record is, or will be.
    pub fn path(&self, file: File) -> PathBuf {
        self.folder.join(file.name())
    }

    /// Writes the plan and the prompt down.
    pub fn plan(&self, plan: &Plan) -> Result<(), RecordError> {
        let json = serde_json::to_vec_pretty(plan)
            .map_err(|error| RecordError::Io(self.path(File::Plan), error.into()))?;
        self.save(File::Plan, &json)?;
        self.save(File::Prompt, plan.prompt.as_bytes())?;
        self.store
            .connection
            .execute(
                "UPDATE runs SET branch = ?2 WHERE id = ?1",
                [&self.id, &plan.branch.name],
            )
            .map_err(|error| self.store.failed(error))?;
        Ok(())
    }

    /// Notes the names of the secrets it has: should it die, they are taken out of what it left.
    pub fn has_secrets(&self, names: &[&str]) -> Result<(), RecordError> {
        self.store
            .connection
            .execute(
                "UPDATE runs SET secrets = ?2 WHERE id = ?1",
                [&self.id, &names.join("\n")],
            )
            .map(drop)
            .map_err(|error| self.store.failed(error))
    }

    /// Its commits up to this one passed the check before publishing.
    pub fn has_checked(&self, commit: &str) -> Result<(), RecordError> {
        self.store
            .connection
            .execute(
                "UPDATE runs SET checked = ?2 WHERE id = ?1",
                [self.id.as_str(), commit],
            )
            .map(drop)
            .map_err(|error| self.store.failed(error))
    }

    /// Appends to `events.jsonl`.
    pub fn event(&mut self, at: Timestamp, event: &Event) -> Result<(), RecordError> {
        write_line(&mut self.events, at, event)
            .map_err(|error| RecordError::Io(self.folder.join(File::Events.name()), error))
    }

    /// What the agent cost so far: kept should the run die.
    pub fn usage(&self, usage: Usage) -> Result<(), RecordError> {
        self.store
            .connection
            .execute(
                "UPDATE runs SET cost_usd = coalesce(?2, cost_usd), turns = coalesce(?3, turns)
                 WHERE id = ?1 AND outcome IS NULL",
                rusqlite::params![self.id, usage.cost_usd, usage.turns],
            )
            .map(drop)
            .map_err(|error| self.store.failed(error))
    }

    /// Appends to the log, which has a bound. The caller has redacted it.
    pub fn log(&mut self, bytes: &[u8]) -> Result<(), RecordError> {
        self.log
            .write(bytes)
            .map_err(|error| RecordError::Io(self.folder.join(File::Log.name()), error))
    }

    /// Writes a file of the record as a whole.
    pub fn save(&self, file: File, bytes: &[u8]) -> Result<(), RecordError> {
        let path = self.path(file);
        let aside = self.folder.join(format!(".{}.new", file.name()));
        let written = create_afresh(&aside, bytes).and_then(|()| fs::rename(&aside, &path));
        written.map_err(|error| RecordError::Io(path, error))
    }

    /// Writes the outcome down; the run is over.
    pub fn finish(
        mut self,
        outcome: &Outcome,
        usage: Usage,
        at: Timestamp,
    ) -> Result<(), RecordError> {
        if let Err(error) = self.log.finish() {
            // The outcome is worth more than the last words.
            tracing::warn!("cannot write the end of the log: {error}");
        }
        // In this order: what died in between is finished by whoever reads the last event.
        self.event(
            at,
            &Event::Ended {
                outcome: outcome.clone(),
            },
        )?;
        update_outcome(&self.store.connection, &self.id, outcome, usage, at)
            .map_err(|error| self.store.failed(error))?;
        drop(self.lock);
        Ok(())
    }

    /// The run never became one, through a mistake of whoever asked for it: nothing is kept.
    pub fn discard(self) -> Result<(), RecordError> {
        self.store.forget(&self.id)
    }
}

/// Writes a file that is new. The agent could write to this folder: a link or a pipe it put at that
/// name is taken away, not written to.
pub(super) fn create_afresh(path: &Path, bytes: &[u8]) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(_) => remove_tree(path)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    fs::File::create_new(path)?.write_all(bytes)
}
