//! Run history: `SQLite` for what is queried, plain files for plan, events, log and patch. The only
//! writer of it.
//!
//! A run is recorded before it starts. Its folder's lock is held as long as it lives, so a record
//! without an outcome whose lock is free belongs to a run that died: whoever reads says so.

mod deliveries;
pub mod exchange;
mod live;
mod log;
mod origin;
mod query;
mod reading;
mod recording;
mod retention;
mod rows;
mod schema;
mod summary;
mod totals;

use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use crate::context::{Home, create_private_dir};
use crate::error::{Error, Kind as ErrorKind};
use crate::exec::Outcome;
use crate::names::Name;

pub use deliveries::{Delivery, Fate};
pub use exchange::{ExchangeError, Exported};
pub use origin::{Origin, Place};
pub use query::Filter;
pub use reading::Happened;
pub use recording::{File, Recording};
pub use retention::Retention;
pub use summary::Summary;
pub use totals::{Standing, month_start};

/// Why history cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    #[error("cannot use the run history `{}`", .0.display())]
    Database(PathBuf, #[source] rusqlite::Error),
    /// With what `SQLite` says about it.
    #[error("the run history `{}` is damaged: {}", .0.display(), .1)]
    DamagedDatabase(PathBuf, String),
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

impl RecordError {
    /// An error of the database in that file.
    fn of(file: &Path, error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
        match error.sqlite_error_code() {
            Some(DatabaseCorrupt | NotADatabase) => {
                Self::DamagedDatabase(file.to_owned(), error.to_string())
            }
            _ => Self::Database(file.to_owned(), error),
        }
    }
}

impl From<RecordError> for Error {
    fn from(error: RecordError) -> Self {
        let hint = match &error {
            RecordError::Newer { .. } => Some("update this program".to_owned()),
            RecordError::DamagedDatabase(file, _) => {
                let file = shell_words::quote(&file.to_string_lossy()).into_owned();
                Some(format!(
                    "`mv {file} {file}.damaged` begins a new history; the files of the runs stay beside it"
                ))
            }
            RecordError::Damaged { .. } | RecordError::Database(..) => {
                Some("`changeling doctor` looks at the history".to_owned())
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
    /// When a person said that what it left is dealt with (`runs settle`).
    pub settled_at: Option<Timestamp>,
    /// `None`: it was on this machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
}

impl Record {
    /// It is an attempt at this call.
    pub fn is_of(&self, call: &str) -> bool {
        let origin = self.origin.as_ref();
        origin.is_some_and(|origin| origin.call == call)
    }

    /// Another attempt at the same call had started the agent.
    pub fn is_refused(&self) -> bool {
        self.origin.as_ref().is_some_and(|origin| origin.refused)
    }

    /// Waits for a person: it left work that could not be published, and nobody has looked yet.
    pub fn needs_person(&self) -> bool {
        self.settled_at.is_none()
            && self.kind == Kind::Run
            && matches!(self.outcome, Some(Outcome::NeedsAttention { .. }))
    }
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

    /// Folder of a run's files.
    pub fn folder_of(&self, id: &str) -> PathBuf {
        self.folder.join(id)
    }

    /// Names of the secrets a run had.
    pub fn secrets_of(&self, id: &str) -> Result<Vec<String>, RecordError> {
        let sql = "SELECT coalesce(secrets, '') FROM runs WHERE id = ?1";
        let names: String = self
            .connection
            .query_row(sql, [id], |row| row.get(0))
            .map_err(|error| self.failed(error))?;
        Ok(names.lines().map(str::to_owned).collect())
    }

    /// The last commit of a run that passed the check before publishing.
    pub fn checked_by(&self, id: &str) -> Result<Option<String>, RecordError> {
        self.connection
            .query_row("SELECT checked FROM runs WHERE id = ?1", [id], |row| {
                row.get(0)
            })
            .map_err(|error| self.failed(error))
    }

    /// Forgets a run that never became one.
    fn forget(&self, id: &str) -> Result<(), RecordError> {
        self.connection
            .execute("DELETE FROM runs WHERE id = ?1", [id])
            .map_err(|error| self.failed(error))?;
        remove(&self.folder_of(id))
    }

    fn failed(&self, error: rusqlite::Error) -> RecordError {
        RecordError::of(&self.file, error)
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
