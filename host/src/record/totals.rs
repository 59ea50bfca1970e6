//! What runs add up to: cost, and failures in a row.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};

use super::{RecordError, Store};
use crate::names::Name;
use crate::schedule::Zone;

/// Failures are counted up to here.
const MOST_FAILURES: u32 = 1_000;

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
        let target = "(?2 IS NULL OR changeling = ?2) AND (?3 IS NULL OR repo = ?3)";
        let sql = format!(
            "SELECT (SELECT total(cost_usd) FROM runs WHERE cost_usd IS NOT NULL AND started_at >= ?1 AND {target})
                  + (SELECT total(cost_usd) FROM spent WHERE at >= ?1 AND {target})"
        );
        let values = params![since.as_millisecond(), changeling.map(Name::as_str), repo];
        self.connection
            .prepare(&sql)
            .and_then(|mut statement| statement.query_row(values, |row| row.get(0)))
            .map_err(|error| self.failed(error))
    }

    /// How many runs of a changeling on a repository failed, timed out or needed a person since the
    /// last one that did not. Skipped and interrupted runs say nothing either way; a settled run, or
    /// `resume`, ends the count.
    pub fn consecutive_failures(&self, changeling: &Name, repo: &str) -> Result<u32, RecordError> {
        let sql = format!(
            "SELECT word IN ('failed', 'timed-out', 'needs-attention') AND settled_at IS NULL FROM runs INDEXED BY runs_telling
             WHERE changeling = ?1 AND repo = ?2 AND kind = 'run' AND word NOT IN ('skipped', 'interrupted')
             AND started_at > ?3 ORDER BY started_at DESC, id DESC LIMIT {MOST_FAILURES}"
        );
        let resumed = self.resumed_at(changeling, repo)?.unwrap_or(i64::MIN);
        let count = || -> rusqlite::Result<u32> {
            let mut statement = self.connection.prepare(&sql)?;
            let rows = statement.query_map(params![changeling.as_str(), repo, resumed], |row| {
                row.get::<_, bool>(0)
            })?;
            let mut count = 0;
            for failed in rows {
                if !failed? {
                    break;
                }
                count += 1;
            }
            Ok(count)
        };
        count().map_err(|error| self.failed(error))
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

    fn resumed_at(&self, changeling: &Name, repo: &str) -> Result<Option<i64>, RecordError> {
        self.connection
            .prepare("SELECT at FROM resumed WHERE changeling = ?1 AND repo = ?2")
            .and_then(|mut statement| {
                statement
                    .query_row([changeling.as_str(), repo], |row| row.get(0))
                    .optional()
            })
            .map_err(|error| self.failed(error))
    }
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
