//! Which runs there are.

use std::fmt::Write as _;

use jiff::Timestamp;
use rusqlite::ToSql;

use super::rows::{COLUMNS, raw};
use super::{Kind, Record, RecordError, Store};
use crate::names::Name;
use crate::repo_url::RepoUrl;

/// Which runs to list.
#[derive(Debug, Clone, Default)]
pub struct Filter<'a> {
    pub changeling: Option<&'a Name>,
    pub repo: Option<&'a str>,
    pub kind: Option<Kind>,
    /// Words of outcomes; empty: all, and runs that live.
    pub outcomes: &'a [&'a str],
    /// Started then or later.
    pub since: Option<Timestamp>,
    /// 0: all.
    pub limit: u32,
}

/// Conditions of a query and what they are compared with: only those that are asked for, so that an
/// index can answer.
#[derive(Default)]
struct Where<'a> {
    conditions: Vec<String>,
    values: Vec<Box<dyn ToSql + 'a>>,
}

impl<'a> Where<'a> {
    fn and(&mut self, condition: &str, value: impl ToSql + 'a) {
        self.conditions.push(condition.to_owned());
        self.values.push(Box::new(value));
    }

    fn of(filter: &'a Filter) -> Self {
        let mut all = Self::default();
        if let Some(changeling) = filter.changeling {
            all.and("changeling = ?", changeling.as_str());
        }
        if let Some(repo) = filter.repo {
            all.and("repo = ?", repo);
        }
        if let Some(kind) = filter.kind {
            all.and("kind = ?", kind.as_str());
        }
        if let Some(since) = filter.since {
            all.and("started_at >= ?", since.as_millisecond());
        }
        if !filter.outcomes.is_empty() {
            let places = vec!["?"; filter.outcomes.len()].join(", ");
            all.conditions.push(format!("word IN ({places})"));
            for word in filter.outcomes {
                all.values.push(Box::new(*word));
            }
        }
        all
    }
}

impl Store {
    /// Runs, newest first. A dead one without an outcome is marked `interrupted` on the way.
    pub fn runs(&self, filter: &Filter) -> Result<Vec<Record>, RecordError> {
        self.mark_dead()?;
        let all = Where::of(filter);
        let mut sql = format!("SELECT {COLUMNS} FROM runs");
        if !all.conditions.is_empty() {
            sql += " WHERE ";
            sql += &all.conditions.join(" AND ");
        }
        sql += " ORDER BY started_at DESC, id DESC";
        if filter.limit > 0 {
            let _ = write!(sql, " LIMIT {}", filter.limit);
        }
        self.records(&sql, &all.values)
    }

    /// One run, by its id or by a beginning of it that only one has.
    pub fn run(&self, id: &str) -> Result<Option<Record>, RecordError> {
        let mut found = self.runs_named(id)?;
        Ok(match &found[..] {
            [_] => found.pop(),
            _ => None,
        })
    }

    /// The run of this id, else those whose id begins so, newest first, at most nine.
    pub fn runs_named(&self, id: &str) -> Result<Vec<Record>, RecordError> {
        self.mark_dead()?;
        let exact = format!("SELECT {COLUMNS} FROM runs WHERE id = ?");
        let found = self.records(&exact, &[id])?;
        if !found.is_empty() || id.is_empty() {
            return Ok(found);
        }
        // A range, which an index answers; ids are ASCII.
        let sql = format!(
            "SELECT {COLUMNS} FROM runs WHERE id >= ? AND id < ? ORDER BY started_at DESC, id DESC LIMIT 9"
        );
        self.records(&sql, &[id, &format!("{id}\u{7f}")])
    }

    /// Runs whose id ends so (its random part alone is enough for a person), newest first, at most nine.
    pub fn runs_ending(&self, tail: &str) -> Result<Vec<Record>, RecordError> {
        if tail.len() < 4 || !tail.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Ok(Vec::new());
        }
        let sql = format!(
            "SELECT {COLUMNS} FROM runs WHERE substr(id, -length(?1)) = ?1
             ORDER BY started_at DESC, id DESC LIMIT 9"
        );
        self.records(&sql, &[tail])
    }

    /// Every way a repository is written in the records.
    pub fn spellings(&self, repo: &RepoUrl) -> Result<Vec<String>, RecordError> {
        let all = || -> rusqlite::Result<Vec<String>> {
            let mut statement = self.connection.prepare("SELECT DISTINCT repo FROM runs")?;
            statement.query_map([], |row| row.get(0))?.collect()
        };
        let all = all().map_err(|error| self.failed(error))?;
        let same = |text: &String| {
            RepoUrl::try_from(text.clone()).is_ok_and(|other| other.key() == repo.key())
        };
        Ok(all.into_iter().filter(same).collect())
    }

    /// The latest run of a changeling on a repository, whatever came of it. Rehearsals are none.
    pub fn last(&self, changeling: &Name, repo: &str) -> Result<Option<Record>, RecordError> {
        let filter = Filter {
            changeling: Some(changeling),
            repo: Some(repo),
            kind: Some(Kind::Run),
            limit: 1,
            ..Filter::default()
        };
        Ok(self.runs(&filter)?.pop())
    }

    /// How many runs and rehearsals there are.
    pub fn count(&self) -> Result<usize, RecordError> {
        self.connection
            .query_row("SELECT count(*) FROM runs", [], |row| row.get::<_, i64>(0))
            .map(|count| usize::try_from(count).unwrap_or_default())
            .map_err(|error| self.failed(error))
    }

    /// Runs and rehearsals that live, newest first.
    pub fn living(&self) -> Result<Vec<Record>, RecordError> {
        self.mark_dead()?;
        let sql = format!(
            "SELECT {COLUMNS} FROM runs WHERE word IS NULL ORDER BY started_at DESC, id DESC"
        );
        self.records::<&str>(&sql, &[])
    }

    /// Runs that wait for a person, newest first.
    pub fn needing_person(&self) -> Result<Vec<Record>, RecordError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM runs WHERE word = 'needs-attention' AND kind = 'run' AND settled_at IS NULL
             ORDER BY started_at DESC, id DESC"
        );
        self.records::<&str>(&sql, &[])
    }

    pub(super) fn records<V: ToSql>(
        &self,
        sql: &str,
        values: &[V],
    ) -> Result<Vec<Record>, RecordError> {
        let mut statement = self
            .connection
            .prepare(sql)
            .map_err(|error| self.failed(error))?;
        let rows = statement
            .query_map(rusqlite::params_from_iter(values), raw)
            .map_err(|error| self.failed(error))?;
        rows.map(|row| row.map_err(|error| self.failed(error))?.into_record())
            .collect()
    }
}
