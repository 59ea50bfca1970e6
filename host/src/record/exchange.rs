//! Records that travel: written where a run was, as files that are never changed, and read where
//! somebody wants to know.
//!
//! A record is a folder with the run's files and, written last, `record.json`: a folder without it is
//! half-written and no record.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rusqlite::params;
use serde::{Deserialize, Serialize};

use super::recording::create_afresh;
use super::rows::is_known;
use super::{Delivery, File, Record, RecordError, Store};
use crate::context::{create_private_dir, open_plain};
use crate::names::printable;

/// Version of the serialised form. A newer one is refused.
pub const VERSION: u32 = 1;

/// What makes a folder a record.
pub const FILE: &str = "record.json";

/// More than any record of ours takes, in bytes.
const MAX_RECORD: u64 = 16 * 1024 * 1024;

/// A record as it travels, without its files.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Exported {
    pub version: u32,
    /// With its outcome and where it was.
    pub record: Record,
    /// What the outcome is, in a sentence.
    pub sentence: String,
    /// Of `changeling run`, had it run here.
    pub exit_code: u8,
    /// Names of the secrets it had.
    #[serde(default)]
    pub secrets: Vec<String>,
    /// The last of its commits that passed the check before publishing.
    #[serde(default)]
    pub checked: Option<String>,
    /// Pull requests and issues of the same changeling and repository, as they were known then.
    #[serde(default)]
    pub deliveries: Vec<Delivery>,
    /// Names and lengths of the files beside it.
    pub files: BTreeMap<String, u64>,
}

/// A folder that holds no record that could be read.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    #[error("the record in `{}` is half-written: its run was cut off", .0.display())]
    HalfWritten(PathBuf),
    #[error("the record in `{}` is damaged: {why}", .folder.display())]
    Damaged { folder: PathBuf, why: String },
    #[error("the record in `{}` was written by a newer version of this program", .0.display())]
    Newer(PathBuf),
}

impl Exported {
    /// Reads one.
    ///
    /// # Errors
    /// It is half-written, damaged or too new.
    pub fn read(folder: &Path) -> Result<Self, ExchangeError> {
        let bytes = match read_bounded(&folder.join(FILE)) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(ExchangeError::HalfWritten(folder.to_owned()));
            }
            Err(error) => return Err(damaged(folder, &error.to_string())),
        };
        Self::parse(&bytes, folder)
    }

    /// Reads the text of a `record.json`; `folder` is only named in errors.
    ///
    /// # Errors
    /// It is damaged or too new.
    pub fn parse(bytes: &[u8], folder: &Path) -> Result<Self, ExchangeError> {
        #[derive(Deserialize)]
        struct Any {
            version: u32,
        }
        let malformed = |error: serde_json::Error| damaged(folder, &error.to_string());
        let any: Any = serde_json::from_slice(bytes).map_err(malformed)?;
        if any.version > VERSION {
            return Err(ExchangeError::Newer(folder.to_owned()));
        }
        let exported: Self = serde_json::from_slice(bytes).map_err(malformed)?;
        let record = &exported.record;
        let Some(origin) = &record.origin else {
            return Err(damaged(folder, "it does not say where it comes from"));
        };
        // They become names of files.
        for name in [&record.id, &origin.call, &origin.attempt] {
            if !is_plain_name(name) {
                return Err(damaged(folder, &format!("`{}` is no id", printable(name))));
            }
        }
        if record.outcome.is_none() || record.ended_at.is_none() {
            return Err(damaged(folder, "its run has no outcome"));
        }
        Ok(exported)
    }
}

fn damaged(folder: &Path, why: &str) -> ExchangeError {
    ExchangeError::Damaged {
        folder: folder.to_owned(),
        why: printable(why),
    }
}

/// Safe as the name of a file, whoever made it up.
pub fn is_plain_name(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (1..=100).contains(&name.len()) && name.bytes().all(is_plain)
}

fn read_bounded(path: &Path) -> io::Result<Vec<u8>> {
    let file = open_plain(path)?;
    if file.metadata()?.len() > MAX_RECORD {
        return Err(io::Error::other("it is too long"));
    }
    let mut bytes = Vec::new();
    io::Read::read_to_end(&mut io::Read::take(file, MAX_RECORD), &mut bytes)?;
    Ok(bytes)
}

impl Store {
    /// Writes the record of a run that has ended and knows its call into `into`, which nobody else
    /// writes to. Until this returns it is no record.
    ///
    /// # Errors
    /// There is no such run, it has not ended, or it cannot be written there.
    pub fn export(&self, id: &str, into: &Path) -> Result<Exported, RecordError> {
        let missing = |what: &str| RecordError::Damaged {
            id: id.to_owned(),
            what: what.to_owned(),
        };
        let failed = |error| RecordError::Io(into.to_owned(), error);
        let record = self.run(id)?.ok_or_else(|| missing("there is none"))?;
        let Some(outcome) = &record.outcome else {
            return Err(missing("the run has not ended"));
        };
        create_private_dir(into).map_err(failed)?;
        let mut files = BTreeMap::new();
        for file in File::ALL {
            let opened = self.open_file(id, file).map_err(failed)?;
            if let Some(mut from) = opened {
                let copied = copy_aside(&mut from, &into.join(file.name())).map_err(failed)?;
                files.insert(file.name().to_owned(), copied);
            }
        }
        let exported = Exported {
            version: VERSION,
            sentence: outcome.sentence(),
            exit_code: outcome.exit_code(),
            secrets: self.secrets_of(id)?,
            checked: self.checked_by(id)?,
            deliveries: self.deliveries(&record.changeling, &record.repo)?,
            files,
            record,
        };
        let json = serde_json::to_vec_pretty(&exported).map_err(|error| failed(error.into()))?;
        copy_aside(&mut &json[..], &into.join(FILE)).map_err(failed)?;
        Ok(exported)
    }

    /// Takes a record in; with its files when `files` is the folder they are in. `false`: it was
    /// known already, and only what became of pull requests was news.
    ///
    /// # Errors
    /// The history cannot be written, or the files cannot be read.
    pub fn import(&self, exported: &Exported, files: Option<&Path>) -> Result<bool, RecordError> {
        let record = &exported.record;
        for delivery in &exported.deliveries {
            self.learn_delivery(delivery)?;
        }
        if is_known(&self.connection, &record.id).map_err(|error| self.failed(error))? {
            return Ok(false);
        }
        if let Some(from) = files {
            self.take_files(&record.id, from, exported.files.keys())?;
        }
        let outcome = record.outcome.as_ref();
        let json = outcome.and_then(|outcome| serde_json::to_string(outcome).ok());
        let origin = record.origin.as_ref();
        // What is nowhere running needs no cleaning up.
        let inserted = self
            .connection
            .execute(
                "INSERT OR IGNORE INTO runs (id, kind, changeling, repo, template, started_at, ended_at, word,
                 outcome, branch, cost_usd, turns, clean, settled_at, secrets, checked, place, call, attempt, asked_by,
                 refused)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, 1, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)",
                params![
                    record.id,
                    record.kind.as_str(),
                    record.changeling.as_str(),
                    record.repo,
                    record.template.as_str(),
                    record.started_at.as_millisecond(),
                    record.ended_at.map(Timestamp::as_millisecond),
                    outcome.map(crate::exec::Outcome::word),
                    json,
                    record.branch,
                    record.usage.cost_usd,
                    record.usage.turns,
                    record.settled_at.map(Timestamp::as_millisecond),
                    exported.secrets.join("\n"),
                    exported.checked,
                    origin.map(|origin| origin.place.as_str()),
                    origin.map(|origin| origin.call.as_str()),
                    origin.map(|origin| origin.attempt.as_str()),
                    origin.map(|origin| origin.by.as_str()),
                    origin.is_some_and(|origin| origin.refused),
                ],
            )
            .map_err(|error| self.failed(error))?;
        Ok(inserted == 1)
    }

    /// Copies the files of a record whose row is known, or about to be.
    ///
    /// # Errors
    /// They cannot be read or written.
    pub fn take_files<'a>(
        &self,
        id: &str,
        from: &Path,
        names: impl IntoIterator<Item = &'a String>,
    ) -> Result<(), RecordError> {
        let folder = self.folder_of(id);
        let failed = |error| RecordError::Io(folder.clone(), error);
        create_private_dir(&folder).map_err(failed)?;
        for name in names {
            // Nothing but what a record has, whatever it says.
            let Some(file) = File::ALL.into_iter().find(|file| file.name() == name) else {
                continue;
            };
            match open_plain(&from.join(file.name())) {
                Ok(mut opened) => {
                    copy_aside(&mut opened, &folder.join(file.name())).map_err(failed)?;
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(failed(error)),
            }
        }
        Ok(())
    }
}

/// Written beside its place and renamed, so that it is there as a whole or not at all.
fn copy_aside(from: &mut dyn io::Read, to: &Path) -> io::Result<u64> {
    let name = to.file_name().unwrap_or_default().to_string_lossy();
    let aside = to.with_file_name(format!(".{name}.new"));
    create_afresh(&aside, b"")?;
    let mut file = fs::File::options().write(true).open(&aside)?;
    let copied = io::copy(from, &mut file)?;
    file.sync_all()?;
    fs::rename(&aside, to)?;
    Ok(copied)
}

#[cfg(test)]
mod tests;
