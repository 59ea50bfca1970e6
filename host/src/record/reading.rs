//! The files of a record, read with care: an agent could write into their folder.

use std::fs;
use std::io::{self, Read as _};
use std::path::PathBuf;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::Store;
use super::recording::File;
use crate::context::{is_plain, open_plain};
use crate::exec::Event;

/// More than any run of ours writes, in bytes.
const MAX_FILE: u64 = 64 * 1024 * 1024;

/// A line of `events.jsonl`.
#[derive(Debug, Clone, PartialEq)]
pub struct Happened {
    pub at: Timestamp,
    /// `None`: a newer program wrote it.
    pub event: Option<Event>,
    /// As it stands in the file, without `at`.
    pub fields: Map<String, Value>,
}

#[derive(Deserialize)]
struct Line {
    at: Timestamp,
    #[serde(flatten)]
    fields: Map<String, Value>,
}

impl Happened {
    fn read(line: &str) -> Option<Self> {
        let Line { at, fields } = serde_json::from_str(line).ok()?;
        Some(Self {
            at,
            event: serde_json::from_value(Value::Object(fields.clone())).ok(),
            fields,
        })
    }

    /// What kind of event it is, in the file's own word.
    pub fn word(&self) -> &str {
        self.fields
            .get("event")
            .and_then(Value::as_str)
            .unwrap_or("?")
    }
}

impl Store {
    /// What happened during a run, in order. Lines that cannot be read are left out.
    pub fn events(&self, id: &str) -> io::Result<Vec<Happened>> {
        let text = self.read(id, File::Events)?.unwrap_or_default();
        Ok(text.lines().filter_map(Happened::read).collect())
    }

    /// A file of a record as text; `None` when the run has none.
    pub fn read(&self, id: &str, file: File) -> io::Result<Option<String>> {
        let Some(open) = self.open_file(id, file)? else {
            return Ok(None);
        };
        let mut bytes = Vec::new();
        open.take(MAX_FILE).read_to_end(&mut bytes)?;
        Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// A file of a record, to be read piece by piece; `None` when the run has none.
    pub fn open_file(&self, id: &str, file: File) -> io::Result<Option<fs::File>> {
        match open_plain(&self.folder_of(id).join(file.name())) {
            Ok(open) => Ok(Some(open)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Where a file of a record is, when there is one.
    pub fn path_of(&self, id: &str, file: File) -> Option<PathBuf> {
        let path = self.folder_of(id).join(file.name());
        is_plain(&path).then_some(path)
    }
}
