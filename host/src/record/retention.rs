//! Which records go, and which never do.

use jiff::{SignedDuration, Timestamp};
use rusqlite::params;

use super::recording::File;
use super::{Filter, Kind, Record, RecordError, Store};
use crate::exec::Outcome;
use crate::names::Name;

/// What removed records cost is remembered for so long: longer than any month.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(24 * 62);

/// How many records of a changeling on a repository are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Most records of runs, and as many of rehearsals.
    pub keep_runs: u32,
    pub keep_days: u32,
    /// The latest so many stay, however old: at least `pause_after`, or failures in a row could not
    /// be counted. The very last one always stays.
    pub at_least: u32,
}

impl Store {
    /// Removes old records of a changeling on a repository, and answers their ids, so that what the
    /// mirror keeps of them can go too. Never goes: a run that lives or was not cleaned up after, one
    /// whose pull request is open, and work that nobody published until a person settled it.
    pub fn prune(
        &self,
        changeling: &Name,
        repo: &str,
        retention: Retention,
        now: Timestamp,
    ) -> Result<Vec<String>, RecordError> {
        let oldest = now
            .checked_sub(SignedDuration::from_hours(
                24 * i64::from(retention.keep_days),
            ))
            .unwrap_or(Timestamp::MIN);
        let mut removed = Vec::new();
        for kind in [Kind::Run, Kind::Rehearsal] {
            let filter = Filter {
                changeling: Some(changeling),
                repo: Some(repo),
                kind: Some(kind),
                ..Filter::default()
            };
            let at_least = match kind {
                Kind::Run => retention.at_least.max(1),
                Kind::Rehearsal => 0,
            };
            for (place, record) in (0_u32..).zip(self.runs(&filter)?) {
                let is_old = place >= retention.keep_runs || record.started_at < oldest;
                if !is_old || place < at_least || !self.may_go(&record)? {
                    continue;
                }
                self.remember_cost(&record)?;
                self.forget(&record.id)?;
                removed.push(record.id);
            }
        }
        self.connection
            .execute(
                "DELETE FROM spent WHERE at < ?1",
                [
                    now.as_millisecond()
                        - i64::try_from(REMEMBERED.as_millis()).unwrap_or(i64::MAX),
                ],
            )
            .map_err(|error| self.failed(error))?;
        Ok(removed)
    }

    /// A person said that what the run left is dealt with: published by hand, or not wanted. It no
    /// longer waits for anybody, and may be removed when it is old. `false`: that was said before.
    pub fn settle(&self, id: &str, now: Timestamp) -> Result<bool, RecordError> {
        self.connection
            .execute(
                "UPDATE runs SET settled_at = ?2 WHERE id = ?1 AND word IS NOT NULL AND settled_at IS NULL",
                params![id, now.as_millisecond()],
            )
            .map(|changed| changed > 0)
            .map_err(|error| self.failed(error))
    }

    /// The run left commits or other changes that nobody published, and nobody has settled it.
    pub fn has_unpublished_work(&self, record: &Record) -> bool {
        if record.kind == Kind::Rehearsal || record.settled_at.is_some() {
            return false;
        }
        let published = matches!(
            record.outcome,
            Some(
                Outcome::PullRequest { .. }
                    | Outcome::Pushed { .. }
                    | Outcome::Report { .. }
                    | Outcome::Skipped { .. }
            )
        );
        let folder = self.folder_of(&record.id);
        let is_there = |name: &str| folder.join(name).symlink_metadata().is_ok();
        // The workspace itself stays when its work could not be taken out of it; or because somebody
        // wanted to see it (`--keep`), and then it holds nothing else.
        !published
            && (is_there(File::Patch.name())
                || is_there(File::Uncommitted.name())
                || is_there("workspace") && self.is_unclean(&record.id))
    }

    /// When in doubt, it is.
    fn is_unclean(&self, id: &str) -> bool {
        self.connection
            .query_row("SELECT clean = 0 FROM runs WHERE id = ?1", [id], |row| {
                row.get(0)
            })
            .unwrap_or(true)
    }

    fn may_go(&self, record: &Record) -> Result<bool, RecordError> {
        if record.outcome.is_none() || record.needs_person() || self.has_unpublished_work(record) {
            return Ok(false);
        }
        // As long as a pull request is open, the mirror must know which of its commits are ours.
        let sql = "SELECT clean AND NOT EXISTS (
                       SELECT 1 FROM deliveries WHERE state = 'open' AND changeling = runs.changeling
                       AND repo = runs.repo AND (run = runs.id OR branch = runs.branch)
                   ) FROM runs WHERE id = ?1";
        self.connection
            .prepare(sql)
            .and_then(|mut statement| statement.query_row([&record.id], |row| row.get(0)))
            .map_err(|error| self.failed(error))
    }

    fn remember_cost(&self, record: &Record) -> Result<(), RecordError> {
        record.usage.cost_usd.map_or(Ok(()), |cost| {
            self.learn_cost(&record.changeling, &record.repo, record.started_at, cost)
        })
    }

    /// Something was spent, in US dollars, by a run whose record is not here.
    pub fn learn_cost(
        &self,
        changeling: &Name,
        repo: &str,
        at: Timestamp,
        cost_usd: f64,
    ) -> Result<(), RecordError> {
        self.connection
            .execute(
                "INSERT INTO spent (at, changeling, repo, cost_usd) VALUES (?1, ?2, ?3, ?4)",
                params![at.as_millisecond(), changeling.as_str(), repo, cost_usd],
            )
            .map(drop)
            .map_err(|error| self.failed(error))
    }
}
