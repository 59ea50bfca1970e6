//! The volume: what outlives a container. The last writer of a file wins and nobody can lock one, so
//! every file belongs to one attempt, is written aside, renamed, and never changed.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ledger::{Ledger, Others};
use crate::context::{Context, create_private_dir};
use crate::error::{Error, Result};
use crate::job::Job;
use crate::modal::document::App;
use crate::modal::remote::Forgiven;
use crate::names::Name;
use crate::record::exchange::{self, ExchangeError, Exported};
use crate::record::{Origin, Store, month_start};
use crate::schedule::Zone;

const VERSION: u32 = 1;

/// A note of a call that never ended is kept so long.
const NOTE_KEPT: jiff::SignedDuration = jiff::SignedDuration::from_hours(24 * 31);

#[derive(Debug)]
pub(super) struct Volume {
    root: PathBuf,
}

/// Written before a call does anything: that it came so far.
#[derive(Debug, Serialize, Deserialize)]
struct Started {
    version: u32,
    #[serde(flatten)]
    origin: Origin,
    changeling: Name,
    repo: String,
    at: Timestamp,
    /// Modal's id of the container: while it lives, so may the attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    task: Option<String>,
}

impl Volume {
    pub(super) fn open(root: &Path) -> Result<Self> {
        let failed = |error: io::Error| {
            Error::from(error)
                .context(format!("cannot use the volume at {}", root.display()))
                .with_hint("`--volume` is the folder where it is mounted")
        };
        if !fs::metadata(root).map_err(failed)?.is_dir() {
            return Err(failed(io::ErrorKind::NotADirectory.into()));
        }
        // Nobody else has to do with it: not the agent, which is another user.
        if let Err(error) = fs::set_permissions(root, fs::Permissions::from_mode(0o700)) {
            tracing::warn!("cannot close {} to others: {error}", root.display());
        }
        let volume = Self {
            root: root.to_owned(),
        };
        for folder in [
            volume.records(),
            volume.started(),
            volume.mirrors(),
            volume.ledgers(),
        ] {
            create_private_dir(&folder).map_err(failed)?;
        }
        Ok(volume)
    }

    fn records(&self) -> PathBuf {
        self.root.join("records")
    }

    fn started(&self) -> PathBuf {
        self.root.join("started")
    }

    fn ledgers(&self) -> PathBuf {
        self.root.join("ledgers")
    }

    /// Folder of the bundles.
    pub(super) fn mirrors(&self) -> PathBuf {
        self.root.join("mirrors")
    }

    /// Where the record of a call goes.
    pub(super) fn record_of(&self, origin: &Origin) -> PathBuf {
        self.records().join(origin.key())
    }

    fn note_of(&self, origin: &Origin) -> PathBuf {
        self.root.join(note_of(origin))
    }

    /// Takes in what earlier calls recorded, so that budget, pauses and turns know of it: everything
    /// about the job's own repository, and what was spent on the others.
    pub(super) fn import(&self, store: &Store, job: &Job, context: &Context) -> Result<Ledger> {
        let month = month_of(context);
        let mut own = Ledger::of(job);
        let others = Others::read(&self.ledgers(), &own, store, month)?;
        let mut half = 0;
        for folder in folders(&self.records())? {
            let key = folder.file_name().unwrap_or_default().to_string_lossy();
            if others.know(&key) {
                continue;
            }
            match Exported::read(&folder) {
                Ok(exported) if own.is_about(&exported) => {
                    store.import(&exported, None)?;
                    own.add(&key, &exported);
                }
                Ok(exported) if exported.record.changeling == job.changeling => {
                    let record = &exported.record;
                    if let Some(usd) = record.usage.cost_usd.filter(|_| record.started_at >= month)
                    {
                        store.learn_cost(&job.changeling, &record.repo, record.started_at, usd)?;
                    }
                }
                Ok(_) => {}
                Err(ExchangeError::HalfWritten(_)) => half += 1,
                Err(error) => context.ui.warn(format!("{error}; it is left out")),
            }
        }
        if half > 0 {
            context.ui.note(format!(
                "{half} earlier records on the volume are half-written: those runs were cut off"
            ));
        }
        Ok(own)
    }

    /// Takes in what a person has said of earlier failures.
    pub(super) fn forgive(&self, store: &Store, changeling: &Name) -> Result<()> {
        if let Some(forgiven) = Forgiven::read(&self.root) {
            forgiven.apply(changeling, store)?;
        }
        Ok(())
    }

    /// Notes that a call has begun.
    pub(super) fn begin(&self, origin: &Origin, job: &Job, context: &Context) -> Result<()> {
        let path = self.note_of(origin);
        let text = serde_json::to_vec(&Started {
            version: VERSION,
            origin: origin.clone(),
            changeling: job.changeling.clone(),
            repo: job.repo.to_string(),
            at: context.clock.now(),
            task: context.env.get("MODAL_TASK_ID").map(str::to_owned),
        });
        let aside = path.with_extension("new");
        text.map_err(io::Error::from)
            .and_then(|text| fs::write(&aside, text))
            .and_then(|()| fs::rename(&aside, &path))
            .map_err(|error| Error::from(error).context(format!("cannot write {}", path.display())))
    }

    /// Another call that works on the same repository, as far as can be told: an attempt at it began and
    /// has no record, no later one came so far either, and Modal's limit has not ended it.
    pub(super) fn other_at_work(
        &self,
        origin: &Origin,
        job: &Job,
        app: &App,
        store: &Store,
        now: Timestamp,
    ) -> Result<Option<Origin>> {
        let limit = Duration::from_secs(app.timeout_seconds);
        let repo = job.repo.to_string();
        for started in self.notes() {
            let is_other = started.origin.call != origin.call
                && started.changeling == job.changeling
                && started.repo == repo;
            if is_other
                && now.duration_since(started.at).unsigned_abs() <= limit
                && !is_over(&started, store)?
            {
                return Ok(Some(started.origin));
            }
        }
        Ok(None)
    }

    /// Another attempt at the same call began, and has not written down how it ended.
    pub(super) fn has_another_attempt(&self, origin: &Origin) -> bool {
        self.notes().any(|started| {
            started.origin.call == origin.call && started.origin.attempt != origin.attempt
        })
    }

    fn notes(&self) -> impl Iterator<Item = Started> {
        let entries = fs::read_dir(self.started()).into_iter().flatten();
        entries.filter_map(|entry| {
            let path = entry.ok()?.path();
            let started: Started = serde_json::from_slice(&fs::read(&path).ok()?).ok()?;
            (started.version == VERSION && path == self.note_of(&started.origin)).then_some(started)
        })
    }

    /// Writes down what the repository's runs cost, the latest included. Without it the next calls read
    /// more, and that is all.
    pub(super) fn keep(&self, own: &Ledger, job: &Job) {
        if let Err(error) = own.write(&self.ledgers(), job) {
            tracing::warn!("cannot write what was spent to the volume: {error}");
        }
    }

    /// Removes records of the repository that the history has let go of, and notes nobody needs. What was
    /// spent this month stays: budgets count it, here and where it was deployed from.
    pub(super) fn prune(&self, own: &mut Ledger, store: &Store, context: &Context) -> Result<()> {
        let now = context.clock.now();
        let month = month_of(context);
        let mut gone = Vec::new();
        for (key, spent) in &own.runs {
            if spent.at < month && store.run(&spent.id)?.is_none() {
                remove(&self.records().join(key));
                gone.push(key.clone());
            }
        }
        own.runs.retain(|key, _| !gone.contains(key));
        for started in self.notes() {
            let path = self.note_of(&started.origin);
            let is_recorded = self
                .record_of(&started.origin)
                .join(exchange::FILE)
                .exists();
            if is_recorded || now.duration_since(started.at) > NOTE_KEPT {
                remove(&path);
            }
        }
        Ok(())
    }
}

/// The attempt has a record, or a later one has that was let through: that tells that the first is gone.
/// One that was refused tells nothing.
fn is_over(started: &Started, store: &Store) -> Result<bool> {
    let runs = store.runs_of_call(&started.origin.call)?;
    Ok(runs.iter().any(|run| {
        let origin = run.origin.as_ref();
        let own = origin.is_some_and(|origin| origin.attempt == started.origin.attempt);
        let refused = origin.is_some_and(|origin| origin.refused);
        own || (!refused && run.started_at >= started.at)
    }))
}

/// Of a call, from the volume's root.
pub(super) fn note_of(origin: &Origin) -> PathBuf {
    Path::new("started").join(format!("{}.json", origin.key()))
}

fn month_of(context: &Context) -> Timestamp {
    month_start(context.clock.now(), &Zone::system_or_utc().0)
}

fn remove(path: &Path) {
    let removed = if path.is_dir() {
        fs::remove_dir_all(path)
    } else {
        fs::remove_file(path)
    };
    if let Err(error) = removed {
        tracing::warn!("cannot remove {}: {error}", path.display());
    }
}

fn folders(parent: &Path) -> Result<Vec<PathBuf>> {
    let failed =
        |error: io::Error| Error::from(error).context(format!("cannot read {}", parent.display()));
    let mut folders = Vec::new();
    for entry in fs::read_dir(parent).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            folders.push(entry.path());
        }
    }
    folders.sort();
    Ok(folders)
}
