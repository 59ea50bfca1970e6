//! What runs add up to: cost, and failures in a row.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Statement, params};

use super::rows::{COLUMNS, Raw, raw};
use super::{Record, RecordError, Store};
use crate::names::Name;
use crate::schedule::Zone;

/// Of each telling run, newest first and at most a thousand, whether it failed and nobody has looked.
const FAILURES: &str = "
    SELECT word IN ('failed', 'timed-out', 'needs-attention') AND settled_at IS NULL
    FROM runs INDEXED BY runs_telling
    WHERE changeling = ?1 AND repo = ?2 AND kind = 'run' AND word NOT IN ('skipped', 'interrupted')
    AND started_at > coalesce((SELECT at FROM resumed WHERE changeling = ?1 AND repo = ?2), -1)
    ORDER BY started_at DESC, id DESC LIMIT 1000";

/// When the calendar month began that `monthly_budget_usd` is for, on this machine's clock.
pub fn month_start(now: Timestamp, zone: &Zone) -> Timestamp {
    let today = now.to_zoned(zone.time_zone().clone());
    today
        .first_of_month()
        .and_then(|first| first.start_of_day())
        .map_or(now, |first| first.timestamp())
}

impl Store {
    /// US dollars that runs and rehearsals cost that started then or later, as far as agents said so:
    /// of one changeling, of one repository, or of all. Records that were removed count too.
    pub fn cost_since(
        &self,
        changeling: Option<&Name>,
        repo: Option<&str>,
        since: Timestamp,
    ) -> Result<f64, RecordError> {
        let sql = cost_sql("(?2 IS NULL OR changeling = ?2) AND (?3 IS NULL OR repo = ?3)");
        let values = params![since.as_millisecond(), changeling.map(Name::as_str), repo];
        self.connection
            .query_row(&sql, values, |row| row.get(0))
            .map(rounded)
            .map_err(|error| self.failed(error))
    }

    /// How many runs of a changeling on a repository failed, timed out or needed a person since the
    /// last one that did not. Skipped and interrupted runs say nothing either way; a settled run, or
    /// `resume`, ends the count.
    pub fn consecutive_failures(&self, changeling: &Name, repo: &str) -> Result<u32, RecordError> {
        self.connection
            .prepare(FAILURES)
            .and_then(|mut statement| count_failures(&mut statement, changeling, repo))
            .map_err(|error| self.failed(error))
    }

    /// What is known of each target, in their order; costs since that moment.
    pub fn standings<'a>(
        &self,
        targets: impl IntoIterator<Item = (&'a Name, String)>,
        since: Timestamp,
    ) -> Result<Vec<Standing>, RecordError> {
        self.mark_dead()?;
        // One look at the database: each would lock it anew. Ends with the value; nothing is written.
        let _look = self
            .connection
            .unchecked_transaction()
            .map_err(|e| self.failed(e))?;
        let mut statements = Statements::prepare(&self.connection).map_err(|e| self.failed(e))?;
        targets
            .into_iter()
            .map(|(changeling, repo)| {
                let found = statements.ask(changeling, &repo, since);
                let (last, failures, cost_usd) = found.map_err(|error| self.failed(error))?;
                Ok(Standing {
                    last: last.map(Raw::into_record).transpose()?,
                    failures,
                    cost_usd: rounded(cost_usd),
                })
            })
            .collect()
    }

    /// Forgives the failures up to now: a changeling that paused runs again.
    pub fn resume(&self, changeling: &Name, repo: &str, now: Timestamp) -> Result<(), RecordError> {
        self.connection
            .execute(
                "INSERT INTO resumed (changeling, repo, at) VALUES (?1, ?2, ?3)
                 ON CONFLICT (changeling, repo) DO UPDATE SET at = excluded.at",
                params![changeling.as_str(), repo, now.as_millisecond()],
            )
            .map(drop)
            .map_err(|error| self.failed(error))
    }
}

/// How a changeling does on one of its repositories.
#[derive(Debug, Default)]
pub struct Standing {
    /// The latest run.
    pub last: Option<Record>,
    /// As `consecutive_failures`.
    pub failures: u32,
    pub cost_usd: f64,
}

/// Asked for every target, and so prepared once.
struct Statements<'a> {
    last: Statement<'a>,
    failures: Statement<'a>,
    cost: Statement<'a>,
}

impl<'a> Statements<'a> {
    fn prepare(connection: &'a Connection) -> rusqlite::Result<Self> {
        let last = format!(
            "SELECT {COLUMNS} FROM runs WHERE changeling = ?1 AND repo = ?2 AND kind = 'run'
             ORDER BY started_at DESC, id DESC LIMIT 1"
        );
        Ok(Self {
            last: connection.prepare(&last)?,
            failures: connection.prepare(FAILURES)?,
            cost: connection.prepare(&cost_sql("changeling = ?2 AND repo = ?3"))?,
        })
    }

    fn ask(
        &mut self,
        changeling: &Name,
        repo: &str,
        since: Timestamp,
    ) -> rusqlite::Result<(Option<Raw>, u32, f64)> {
        let target = [changeling.as_str(), repo];
        let last = self.last.query_row(target, raw).optional()?;
        let failures = count_failures(&mut self.failures, changeling, repo)?;
        let values = params![since.as_millisecond(), changeling.as_str(), repo];
        let cost = self.cost.query_row(values, |row| row.get(0))?;
        Ok((last, failures, cost))
    }
}

fn cost_sql(target: &str) -> String {
    format!(
        "SELECT (SELECT total(cost_usd) FROM runs WHERE cost_usd IS NOT NULL AND started_at >= ?1 AND {target})
              + (SELECT total(cost_usd) FROM spent WHERE at >= ?1 AND {target})"
    )
}

fn count_failures(
    statement: &mut Statement,
    changeling: &Name,
    repo: &str,
) -> rusqlite::Result<u32> {
    let rows = statement.query_map([changeling.as_str(), repo], |row| row.get::<_, bool>(0))?;
    let mut count = 0;
    for failed in rows {
        if !failed? {
            break;
        }
        count += 1;
    }
    Ok(count)
}

/// Sums of decimal fractions: what lies behind the sixth digit is not money.
fn rounded(sum: f64) -> f64 {
    (sum * 1e6).round() / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_begin_at_midnight_here() {
        let start = |now: &str, zone: &str| {
            month_start(now.parse().unwrap(), &Zone::parse(zone).unwrap()).to_string()
        };
        assert_eq!(start("2026-03-02T09:00:00Z", "UTC"), "2026-03-01T00:00:00Z");
        assert_eq!(
            start("2026-03-31T23:30:00Z", "Europe/Zurich"),
            "2026-03-31T22:00:00Z"
        );
    }
}
