//! Rows of the database: how they become records, and the few statements that write them.

use std::collections::HashSet;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{Header, Kind, Origin, Place, Record, RecordError, Usage};
use crate::exec::{Outcome, Trigger};

pub(super) const COLUMNS: &str = "id, kind, changeling, repo, template, started_at, ended_at, outcome, branch, cost_usd, turns, settled_at, place, call, attempt, asked_by, refused";

/// A row as the database has it.
pub(super) struct Raw {
    pub(super) id: String,
    kind: String,
    changeling: String,
    repo: String,
    template: String,
    started_at: i64,
    ended_at: Option<i64>,
    outcome: Option<String>,
    branch: Option<String>,
    usage: Usage,
    settled_at: Option<i64>,
    place: Option<String>,
    call: Option<String>,
    attempt: Option<String>,
    asked_by: Option<String>,
    refused: bool,
}

pub(super) fn raw(row: &Row) -> rusqlite::Result<Raw> {
    Ok(Raw {
        id: row.get(0)?,
        kind: row.get(1)?,
        changeling: row.get(2)?,
        repo: row.get(3)?,
        template: row.get(4)?,
        started_at: row.get(5)?,
        ended_at: row.get(6)?,
        outcome: row.get(7)?,
        branch: row.get(8)?,
        usage: Usage {
            cost_usd: row.get(9)?,
            turns: row.get(10)?,
        },
        settled_at: row.get(11)?,
        place: row.get(12)?,
        call: row.get(13)?,
        attempt: row.get(14)?,
        asked_by: row.get(15)?,
        refused: row.get(16)?,
    })
}

impl Raw {
    pub(super) fn into_record(self) -> Result<Record, RecordError> {
        let damaged = |what: &str| RecordError::Damaged {
            id: self.id.clone(),
            what: what.to_owned(),
        };
        let outcome = self
            .outcome
            .as_ref()
            .map(|json| serde_json::from_str(json).map_err(|error| damaged(&error.to_string())))
            .transpose()?;
        let origin = match (&self.place, &self.call, &self.attempt, &self.asked_by) {
            (Some(place), Some(call), Some(attempt), Some(by)) => Some(Origin {
                place: Place::named(place).ok_or_else(|| damaged("its place is unknown"))?,
                by: Trigger::named(by).ok_or_else(|| damaged("who asked for it is unknown"))?,
                call: call.clone(),
                attempt: attempt.clone(),
                refused: self.refused,
            }),
            _ => None,
        };
        Ok(Record {
            origin,
            kind: match self.kind.as_str() {
                "run" => Kind::Run,
                "rehearsal" => Kind::Rehearsal,
                _ => return Err(damaged("its kind is unknown")),
            },
            changeling: self
                .changeling
                .parse()
                .map_err(|_| damaged("its changeling has no valid name"))?,
            template: self
                .template
                .parse()
                .map_err(|_| damaged("its template has no valid name"))?,
            started_at: moment(&self.id, self.started_at)?,
            ended_at: self.ended_at.map(|at| moment(&self.id, at)).transpose()?,
            settled_at: self.settled_at.map(|at| moment(&self.id, at)).transpose()?,
            outcome,
            id: self.id,
            repo: self.repo,
            branch: self.branch,
            usage: self.usage,
        })
    }
}

pub(super) fn moment(id: &str, milliseconds: i64) -> Result<Timestamp, RecordError> {
    Timestamp::from_millisecond(milliseconds).map_err(|error| RecordError::Damaged {
        id: id.to_owned(),
        what: error.to_string(),
    })
}

/// The row of a run that has begun.
pub(super) fn insert(connection: &Connection, header: &Header) -> rusqlite::Result<()> {
    connection
        .execute(
            "INSERT INTO runs (id, kind, changeling, repo, template, started_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                header.id,
                header.kind.as_str(),
                header.changeling.as_str(),
                header.repo,
                header.template.as_str(),
                header.started_at.as_millisecond()
            ],
        )
        .map(|_| ())
}

/// Once: an outcome is never replaced. What was known of its cost stays where nothing newer is.
pub(super) fn update_outcome(
    connection: &Connection,
    id: &str,
    outcome: &Outcome,
    usage: Usage,
    at: Timestamp,
) -> rusqlite::Result<()> {
    let json = serde_json::to_string(outcome)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
    connection
        .execute(
            "UPDATE runs SET outcome = ?2, word = ?3, cost_usd = coalesce(?4, cost_usd),
             turns = coalesce(?5, turns), ended_at = ?6
             WHERE id = ?1 AND outcome IS NULL",
            params![
                id,
                json,
                outcome.word(),
                usage.cost_usd,
                usage.turns,
                at.as_millisecond()
            ],
        )
        .map(|_| ())
}

pub(super) fn open_ids(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare("SELECT id FROM runs WHERE word IS NULL")?;
    let rows = statement.query_map([], |row| row.get(0))?;
    rows.collect()
}

pub(super) fn unclean_ids(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare("SELECT id FROM runs WHERE clean = 0")?;
    let rows = statement.query_map([], |row| row.get(0))?;
    rows.collect()
}

pub(super) fn all_ids(connection: &Connection) -> rusqlite::Result<HashSet<String>> {
    let mut statement = connection.prepare("SELECT id FROM runs")?;
    let rows = statement.query_map([], |row| row.get(0))?;
    rows.collect()
}

pub(super) fn is_known(connection: &Connection, id: &str) -> rusqlite::Result<bool> {
    connection
        .query_row("SELECT 1 FROM runs WHERE id = ?1", [id], |_| Ok(()))
        .optional()
        .map(|row| row.is_some())
}
