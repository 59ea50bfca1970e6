//! Run history: `SQLite` for what is queried, plain files for plan, events, log and patch. The only
//! writer of it.
//!
//! A run is recorded before it starts. Its folder's lock is held as long as it lives, so a record
//! without an outcome whose lock is free belongs to a run that died: whoever reads says so.

mod deliveries;
mod live;
mod recording;
mod rows;
mod schema;

use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};

use crate::context::{Home, create_private_dir};
use crate::error::{Error, Kind as ErrorKind};
use crate::exec::Outcome;
use crate::names::Name;

pub use deliveries::Delivery;
pub use recording::{File, Recording};
use rows::{COLUMNS, raw};

/// Why history cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    #[error("cannot use the run history `{}`", .0.display())]
    Database(PathBuf, #[source] rusqlite::Error),
    #[error("cannot use `{}`", .0.display())]
    Io(PathBuf, #[source] std::io::Error),
    #[error(
        "the run history has format {found}, and this program knows only up to {}: it was written by a newer one",
        schema::VERSION
    )]
    Newer { found: u32 },
    #[error("the record of run {id} is damaged: {what}")]
    Damaged { id: String, what: String },
}

impl From<RecordError> for Error {
    fn from(error: RecordError) -> Self {
        let hint = match &error {
            RecordError::Newer { .. } => Some("update this program"),
            RecordError::Damaged { .. } | RecordError::Database(..) => {
                Some("`changeling doctor` looks at the history")
            }
            RecordError::Io(..) => None,
        };
        let error = Self::from_source(ErrorKind::Failed, error);
        match hint {
            Some(hint) => error.with_hint(hint),
            None => error,
        }
    }
}

/// What was run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    Run,
    /// Nothing was published.
    Rehearsal,
}

impl Kind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Rehearsal => "rehearsal",
        }
    }
}

/// What is known of a run before it starts.
#[derive(Debug, Clone)]
pub struct Header<'a> {
    pub id: &'a str,
    pub kind: Kind,
    pub changeling: &'a Name,
    /// URL without credentials.
    pub repo: &'a str,
    pub template: &'a Name,
    pub started_at: Timestamp,
}

/// What an agent cost, as far as it said so in a form made for machines.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Usage {
    pub cost_usd: Option<f64>,
    pub turns: Option<u32>,
}

/// One run of the past, or of now.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Record {
    pub id: String,
    pub kind: Kind,
    pub changeling: Name,
    pub repo: String,
    pub template: Name,
    pub started_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    /// `None`: it is running.
    pub outcome: Option<Outcome>,
    pub branch: Option<String>,
    #[serde(flatten)]
    pub usage: Usage,
}

/// Which runs to list.
#[derive(Debug, Clone, Default)]
pub struct Filter<'a> {
    pub changeling: Option<&'a Name>,
    pub repo: Option<&'a str>,
    pub kind: Option<Kind>,
    pub since: Option<Timestamp>,
    /// 0: all.
    pub limit: u32,
}

/// The history of this home.
#[derive(Debug)]
pub struct Store {
    folder: PathBuf,
    file: PathBuf,
    connection: Connection,
}

/// A new run's id: sortable by time, unique, safe as a file name, a ref and a label.
pub fn new_id(now: Timestamp) -> String {
    let mut random = [0_u8; 3];
    // Without randomness the rest of the clock has to do.
    if getrandom::fill(&mut random).is_err() {
        random.copy_from_slice(&now.subsec_nanosecond().to_be_bytes()[1..]);
    }
    let [a, b, c] = random;
    format!("{}-{a:02x}{b:02x}{c:02x}", now.strftime("%Y%m%d-%H%M%S"))
}

impl Store {
    /// Opens the history, making it when there is none, and brings its format up to date.
    pub fn open(home: &Home) -> Result<Self, RecordError> {
        let folder = home.runs_dir();
        create_private_dir(&folder).map_err(|error| RecordError::Io(folder.clone(), error))?;
        let file = folder.join("runs.sqlite");
        let connection = schema::open(&file)?;
        Ok(Self {
            folder,
            file,
            connection,
        })
    }

    /// As `open`, for commands that only read: makes nothing.
    pub fn open_existing(home: &Home) -> Result<Option<Self>, RecordError> {
        let exists = home.runs_dir().join("runs.sqlite").exists();
        exists.then(|| Self::open(home)).transpose()
    }

    /// Runs, newest first. A dead one without an outcome is marked `interrupted` on the way.
    pub fn runs(&self, filter: &Filter) -> Result<Vec<Record>, RecordError> {
        self.mark_dead()?;
        let sql = format!(
            "SELECT {COLUMNS} FROM runs WHERE (?1 IS NULL OR changeling = ?1) AND (?2 IS NULL OR repo = ?2)
             AND (?3 IS NULL OR kind = ?3) AND (?4 IS NULL OR started_at >= ?4)
             ORDER BY started_at DESC, id DESC LIMIT ?5"
        );
        let limit = if filter.limit == 0 {
            -1
        } else {
            i64::from(filter.limit)
        };
        let values = params![
            filter.changeling.map(Name::as_str),
            filter.repo,
            filter.kind.map(Kind::as_str),
            filter.since.map(Timestamp::as_millisecond),
            limit
        ];
        let mut statement = self.connection.prepare(&sql).map_err(|e| self.failed(e))?;
        let rows = statement
            .query_map(values, raw)
            .map_err(|e| self.failed(e))?;
        rows.map(|row| row.map_err(|e| self.failed(e))?.into_record())
            .collect()
    }

    /// One run, by its id or by a beginning of it that only one has.
    pub fn run(&self, id: &str) -> Result<Option<Record>, RecordError> {
        self.mark_dead()?;
        let sql = format!(
            "SELECT {COLUMNS} FROM runs WHERE id = ?1 OR substr(id, 1, length(?1)) = ?1 ORDER BY id = ?1 DESC LIMIT 2"
        );
        let mut statement = self.connection.prepare(&sql).map_err(|e| self.failed(e))?;
        let rows: Result<Vec<_>, _> = statement
            .query_map([id], raw)
            .map_err(|e| self.failed(e))?
            .collect();
        let mut rows = rows.map_err(|e| self.failed(e))?.into_iter();
        match (rows.next(), rows.next()) {
            (Some(first), other) if other.is_none() || first.id == id => {
                first.into_record().map(Some)
            }
            _ => Ok(None),
        }
    }

    /// Folder of a run's files.
    pub fn folder_of(&self, id: &str) -> PathBuf {
        self.folder.join(id)
    }

    /// Forgets a run that never became one.
    fn forget(&self, id: &str) -> Result<(), RecordError> {
        self.connection
            .execute("DELETE FROM runs WHERE id = ?1", [id])
            .map_err(|error| self.failed(error))?;
        remove(&self.folder_of(id))
    }

    fn failed(&self, error: rusqlite::Error) -> RecordError {
        RecordError::Database(self.file.clone(), error)
    }
}

fn remove(folder: &Path) -> Result<(), RecordError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(RecordError::Io(folder.to_owned(), error))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
