//! The volume: what outlives a container. The last writer of a file wins and nobody can lock one, so
//! every file belongs to one attempt, is written aside, renamed, and never changed.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::context::{Context, create_private_dir};
use crate::error::{Error, Result};
use crate::job::Job;
use crate::modal::document::App;
use crate::modal::remote::Forgiven;
use crate::names::Name;
use crate::record::exchange::{self, ExchangeError, Exported};
use crate::record::{Origin, Store, month_start};
use crate::schedule::Zone;
use crate::ui::Ui;

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
        for folder in [volume.records(), volume.started(), volume.mirrors()] {
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

    /// Folder of the bundles.
    pub(super) fn mirrors(&self) -> PathBuf {
        self.root.join("mirrors")
    }

    /// Where the record of a call goes.
    pub(super) fn record_of(&self, origin: &Origin) -> PathBuf {
        self.records().join(origin.key())
    }

    fn note_of(&self, origin: &Origin) -> PathBuf {
        self.started().join(format!("{}.json", origin.key()))
    }

    /// Takes in what earlier calls recorded, so that budget, pauses and turns know of it.
    pub(super) fn import(&self, store: &Store, changeling: &Name, ui: &Ui) -> Result<()> {
        let mut half = 0;
        for folder in folders(&self.records())? {
            match Exported::read(&folder) {
                Ok(exported) if exported.record.changeling == *changeling => {
                    store.import(&exported, None)?;
                }
                Ok(_) => {}
                Err(ExchangeError::HalfWritten(_)) => half += 1,
                Err(error) => ui.warn(format!("{error}; it is left out")),
            }
        }
        if half > 0 {
            ui.note(format!(
                "{half} earlier records on the volume are half-written: those runs were cut off"
            ));
        }
        Ok(())
    }

    /// Takes in what a person has said of earlier failures.
    pub(super) fn forgive(&self, store: &Store, changeling: &Name) -> Result<()> {
        if let Some(forgiven) = Forgiven::read(&self.root) {
            forgiven.apply(changeling, store)?;
        }
        Ok(())
    }

    /// Notes that a call has begun.
    pub(super) fn begin(&self, origin: &Origin, job: &Job, at: Timestamp) -> Result<()> {
        let path = self.note_of(origin);
        let text = serde_json::to_vec(&Started {
            version: VERSION,
            origin: origin.clone(),
            changeling: job.changeling.clone(),
            repo: job.repo.to_string(),
            at,
        });
        let aside = path.with_extension("new");
        text.map_err(io::Error::from)
            .and_then(|text| fs::write(&aside, text))
            .and_then(|()| fs::rename(&aside, &path))
            .map_err(|error| Error::from(error).context(format!("cannot write {}", path.display())))
    }

    /// Another call that works on the same repository, as far as can be told: it began, wrote no record,
    /// and Modal's limit has not ended it.
    pub(super) fn other_at_work(
        &self,
        origin: &Origin,
        job: &Job,
        app: &App,
        now: Timestamp,
    ) -> Option<String> {
        let limit = Duration::from_secs(app.timeout_seconds);
        let is_over = |started: &Started| {
            let record = self.record_of(&started.origin).join(exchange::FILE);
            record.exists() || now.duration_since(started.at).unsigned_abs() > limit
        };
        let repo = job.repo.to_string();
        self.notes()
            .find(|started| {
                started.origin.call != origin.call
                    && started.changeling == job.changeling
                    && started.repo == repo
                    && !is_over(started)
            })
            .map(|started| started.origin.call)
    }

    fn notes(&self) -> impl Iterator<Item = Started> {
        let entries = fs::read_dir(self.started()).into_iter().flatten();
        entries.filter_map(|entry| {
            let path = entry.ok()?.path();
            let started: Started = serde_json::from_slice(&fs::read(&path).ok()?).ok()?;
            (started.version == VERSION && path == self.note_of(&started.origin)).then_some(started)
        })
    }

    /// Removes records that the history has let go of, and notes nobody needs. What was spent this month
    /// stays: the budget counts it.
    pub(super) fn prune(&self, store: &Store, context: &Context) -> Result<()> {
        let now = context.clock.now();
        let month = month_start(now, &Zone::system_or_utc().0);
        for folder in folders(&self.records())? {
            let Ok(exported) = Exported::read(&folder) else {
                continue;
            };
            let record = &exported.record;
            if record.started_at < month && store.run(&record.id)?.is_none() {
                remove(&folder);
            }
        }
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
