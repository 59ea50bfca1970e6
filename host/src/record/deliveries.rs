//! Pull requests and issues that runs made, and what became of them.

use jiff::Timestamp;
use rusqlite::params;
use serde::Serialize;

use super::rows::moment;
use super::{RecordError, Store};
use crate::names::Name;

/// A pull request or issue that a run made, and its fate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Delivery {
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
    /// `open`, `merged` or `closed`.
    pub state: String,
    pub updated_at: Timestamp,
}

impl Store {
    /// Writes down a pull request or issue, or what became of it.
    pub fn deliver(&self, delivery: &Delivery) -> Result<(), RecordError> {
        let number = i64::try_from(delivery.number).unwrap_or(i64::MAX);
        self.connection
            .execute(
                "INSERT INTO deliveries (run, changeling, repo, kind, number, url, title, branch, state, updated_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
                 ON CONFLICT (repo, kind, number) DO UPDATE
                 SET title = excluded.title, state = excluded.state, updated_at = excluded.updated_at",
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
            .map_err(|error| self.failed(error))?;
        Ok(())
    }

    /// Pull requests and issues of a changeling on a repository, newest first.
    pub fn deliveries(&self, changeling: &Name, repo: &str) -> Result<Vec<Delivery>, RecordError> {
        let sql =
            "SELECT run, changeling, repo, kind, number, url, title, branch, state, updated_at
                   FROM deliveries WHERE changeling = ?1 AND repo = ?2 ORDER BY number DESC";
        let mut statement = self.connection.prepare(sql).map_err(|e| self.failed(e))?;
        let rows = statement.query_map([changeling.as_str(), repo], |row| {
            Ok((
                Delivery {
                    run: row.get(0)?,
                    changeling: changeling.clone(),
                    repo: row.get(2)?,
                    kind: row.get(3)?,
                    number: row.get::<_, i64>(4)?.unsigned_abs(),
                    url: row.get(5)?,
                    title: row.get(6)?,
                    branch: row.get(7)?,
                    state: row.get(8)?,
                    updated_at: Timestamp::UNIX_EPOCH,
                },
                row.get::<_, i64>(9)?,
            ))
        });
        let rows: Result<Vec<_>, _> = rows.map_err(|e| self.failed(e))?.collect();
        rows.map_err(|e| self.failed(e))?
            .into_iter()
            .map(|(delivery, at)| {
                Ok(Delivery {
                    updated_at: moment(&delivery.run, at)?,
                    ..delivery
                })
            })
            .collect()
    }
}
