//! Pull requests and issues that runs made, and what became of them.

use jiff::Timestamp;
use rusqlite::{Row, ToSql, params};
use serde::{Deserialize, Serialize};

use super::rows::moment;
use super::{RecordError, Store};
use crate::names::Name;

const COLUMNS: &str = "run, changeling, repo, kind, number, url, title, branch, state, updated_at";

/// A pull request or issue that a run made, and its fate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// The run that opened it.
    pub run: String,
    pub changeling: Name,
    pub repo: String,
    /// `pull-request` or `issue`.
    pub kind: String,
    pub number: u64,
    pub url: String,
    pub title: String,
    /// Head branch of a pull request.
    pub branch: Option<String>,
    /// `open`, `merged` or `closed`, as it was known last.
    pub state: String,
    /// When that was known.
    pub updated_at: Timestamp,
}

/// What became of a pull request or issue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fate<'a> {
    pub number: u64,
    pub title: &'a str,
    /// `open`, `merged` or `closed`.
    pub state: &'a str,
}

impl Store {
    /// Writes down a pull request or issue, or what became of it.
    pub fn deliver(&self, delivery: &Delivery) -> Result<(), RecordError> {
        self.upsert(delivery, "")
    }

    /// As `deliver`, unless something newer is known.
    pub(super) fn learn_delivery(&self, delivery: &Delivery) -> Result<(), RecordError> {
        self.upsert(delivery, "WHERE excluded.updated_at > updated_at")
    }

    fn upsert(&self, delivery: &Delivery, only: &str) -> Result<(), RecordError> {
        let number = i64::try_from(delivery.number).unwrap_or(i64::MAX);
        self.connection
            .execute(
                &format!("INSERT INTO deliveries (run, changeling, repo, kind, number, url, title, branch, state, updated_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
                 ON CONFLICT (repo, kind, number) DO UPDATE
                 SET title = excluded.title, state = excluded.state, updated_at = excluded.updated_at {only}"),
                params![
                    delivery.run,
                    delivery.changeling.as_str(),
                    delivery.repo,
                    delivery.kind,
                    number,
                    delivery.url,
                    delivery.title,
                    delivery.branch,
                    delivery.state,
                    delivery.updated_at.as_millisecond()
                ],
            )
            .map(drop)
            .map_err(|error| self.failed(error))
    }

    /// Writes down what became of pull requests (or issues) of a repository, as far as runs made
    /// them. Others are left out.
    pub fn learn_fates<'a>(
        &self,
        repo: &str,
        kind: &str,
        fates: impl IntoIterator<Item = Fate<'a>>,
        now: Timestamp,
    ) -> Result<(), RecordError> {
        for fate in fates {
            let number = i64::try_from(fate.number).unwrap_or(i64::MAX);
            self.connection
                .prepare(
                    "UPDATE deliveries SET title = ?4, state = ?5, updated_at = ?6
                     WHERE repo = ?1 AND kind = ?2 AND number = ?3",
                )
                .and_then(|mut statement| {
                    statement.execute(params![
                        repo,
                        kind,
                        number,
                        fate.title,
                        fate.state,
                        now.as_millisecond()
                    ])
                })
                .map_err(|error| self.failed(error))?;
        }
        Ok(())
    }

    /// Pull requests and issues of a changeling on a repository, newest first.
    pub fn deliveries(&self, changeling: &Name, repo: &str) -> Result<Vec<Delivery>, RecordError> {
        self.delivered(
            "changeling = ?1 AND repo = ?2 ORDER BY number DESC",
            &[changeling.as_str(), repo],
        )
    }

    /// Those of one run.
    pub fn deliveries_of_run(&self, run: &str) -> Result<Vec<Delivery>, RecordError> {
        self.delivered("run = ?1 ORDER BY number", &[run])
    }

    /// Those that were open when we last knew, newest first.
    pub fn open_deliveries(&self) -> Result<Vec<Delivery>, RecordError> {
        self.delivered::<&str>("state = 'open' ORDER BY changeling, repo, number DESC", &[])
    }

    fn delivered<V: ToSql>(
        &self,
        condition: &str,
        values: &[V],
    ) -> Result<Vec<Delivery>, RecordError> {
        let sql = format!("SELECT {COLUMNS} FROM deliveries WHERE {condition}");
        let mut statement = self.connection.prepare(&sql).map_err(|e| self.failed(e))?;
        let rows = statement
            .query_map(rusqlite::params_from_iter(values), row)
            .map_err(|e| self.failed(e))?;
        rows.map(|row| row.map_err(|e| self.failed(e))?).collect()
    }
}

fn row(row: &Row) -> rusqlite::Result<Result<Delivery, RecordError>> {
    let run: String = row.get(0)?;
    let name: String = row.get(1)?;
    let (updated_at, changeling) = match (moment(&run, row.get(9)?), name.parse::<Name>()) {
        (Ok(at), Ok(name)) => (at, name),
        (Err(error), _) => return Ok(Err(error)),
        (_, Err(error)) => {
            return Ok(Err(RecordError::Damaged {
                id: run,
                what: error.to_string(),
            }));
        }
    };
    Ok(Ok(Delivery {
        changeling,
        repo: row.get(2)?,
        kind: row.get(3)?,
        number: row.get::<_, i64>(4)?.unsigned_abs(),
        url: row.get(5)?,
        title: row.get(6)?,
        branch: row.get(7)?,
        state: row.get(8)?,
        updated_at,
        run,
    }))
}
