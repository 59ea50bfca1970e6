//! Where a run was, when it was not on this machine.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::params;
use serde::{Deserialize, Serialize};

use super::rows::{COLUMNS, moment};
use super::{Record, RecordError, Recording, Store};
use crate::exec::Trigger;
use crate::names::Name;

/// The call of a deployed function that a run was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    pub place: Place,
    /// The place's own id of the call.
    pub call: String,
    /// Which attempt at it: one that is cut off may be made again.
    pub attempt: String,
    /// Who asked for it.
    pub by: Trigger,
    /// Another attempt had started the agent: what the call came to is the other's to say.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub refused: bool,
}

/// A place that runs functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    Modal,
}

impl Origin {
    /// Its name as a file: unlike any other attempt's.
    pub fn key(&self) -> String {
        format!("{}.{}", self.call, self.attempt)
    }
}

impl Place {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Modal => "modal",
        }
    }

    pub(super) fn named(word: &str) -> Option<Self> {
        (word == Self::Modal.as_str()).then_some(Self::Modal)
    }
}

impl Store {
    /// Keys (`CALL.ATTEMPT`) of a changeling's runs elsewhere whose records are here.
    pub fn calls_of(&self, changeling: &Name) -> Result<Vec<String>, RecordError> {
        let all = || -> rusqlite::Result<Vec<String>> {
            let sql = "SELECT call || '.' || attempt FROM runs WHERE changeling = ?1 AND call IS NOT NULL";
            let mut statement = self.connection.prepare(sql)?;
            let rows = statement.query_map([changeling.as_str()], |row| row.get(0))?;
            rows.collect()
        };
        all().map_err(|error| self.failed(error))
    }

    /// When the failures of a changeling were forgiven, by repository.
    pub fn resumed(&self, changeling: &Name) -> Result<BTreeMap<String, Timestamp>, RecordError> {
        let sql = "SELECT repo, at FROM resumed WHERE changeling = ?1";
        self.moments(sql, changeling)
    }

    /// Runs of a changeling elsewhere that a person said are dealt with, by id, and when.
    pub fn settled_elsewhere(
        &self,
        changeling: &Name,
    ) -> Result<BTreeMap<String, Timestamp>, RecordError> {
        let sql = "SELECT id, settled_at FROM runs
                   WHERE changeling = ?1 AND call IS NOT NULL AND settled_at IS NOT NULL";
        self.moments(sql, changeling)
    }

    fn moments(
        &self,
        sql: &str,
        changeling: &Name,
    ) -> Result<BTreeMap<String, Timestamp>, RecordError> {
        let all = || -> rusqlite::Result<Vec<(String, i64)>> {
            let mut statement = self.connection.prepare(sql)?;
            let row = |row: &rusqlite::Row| Ok((row.get(0)?, row.get(1)?));
            let rows = statement.query_map([changeling.as_str()], row)?;
            rows.collect()
        };
        all()
            .map_err(|error| self.failed(error))?
            .into_iter()
            .map(|(what, at)| Ok((what.clone(), moment(&what, at)?)))
            .collect()
    }

    /// The runs that a call elsewhere was, one for each attempt: newest first, and behind them those that
    /// were refused because another attempt had started the agent.
    pub fn runs_of_call(&self, call: &str) -> Result<Vec<Record>, RecordError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM runs WHERE call = ? ORDER BY refused, started_at DESC, id DESC"
        );
        self.records(&sql, &[call])
    }

    /// The runs of a changeling elsewhere, newest first.
    pub fn runs_elsewhere(
        &self,
        changeling: &Name,
        limit: u32,
    ) -> Result<Vec<Record>, RecordError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM runs WHERE changeling = ? AND call IS NOT NULL
             ORDER BY started_at DESC, id DESC LIMIT {limit}"
        );
        self.records(&sql, &[changeling.as_str()])
    }
}

impl Recording<'_> {
    /// It is the call of a deployed function.
    pub fn is_call(&self, origin: &Origin) -> Result<(), RecordError> {
        self.store
            .connection
            .execute(
                "UPDATE runs SET place = ?2, call = ?3, attempt = ?4, asked_by = ?5, refused = ?6 WHERE id = ?1",
                params![
                    self.id,
                    origin.place.as_str(),
                    origin.call,
                    origin.attempt,
                    origin.by.as_str(),
                    origin.refused
                ],
            )
            .map(drop)
            .map_err(|error| self.store.failed(error))
    }

    /// Another attempt at the same call had started the agent.
    pub fn is_refused(&self) -> Result<(), RecordError> {
        self.store
            .connection
            .execute("UPDATE runs SET refused = 1 WHERE id = ?1", [&self.id])
            .map(drop)
            .map_err(|error| self.store.failed(error))
    }
}
