//! A run as programs read it.

use std::path::PathBuf;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::{Kind, Origin, Record, Store};
use crate::exec::Outcome;
use crate::names::Name;

/// One run in `--json`, and what `[notify]` sends. Fields are added, never renamed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    pub id: String,
    pub kind: Kind,
    pub changeling: Name,
    pub repo: String,
    pub template: Name,
    /// Its word; `None` while the run lives.
    pub outcome: Option<&'static str>,
    /// The outcome in one sentence.
    pub says: Option<String>,
    /// What `changeling run` ended with.
    pub exit_code: Option<u8>,
    /// What belongs to this outcome.
    pub details: Option<Value>,
    pub started_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    /// How long it took, or takes so far.
    pub seconds: i64,
    pub cost_usd: Option<f64>,
    pub turns: Option<u32>,
    pub branch: Option<String>,
    /// The pull request or issue.
    pub url: Option<String>,
    /// It waits for somebody to look.
    pub needs_person: bool,
    pub settled_at: Option<Timestamp>,
    /// Folder of its files.
    pub folder: PathBuf,
    /// The call it was where it is deployed; null: it was on this machine.
    pub origin: Option<Origin>,
}

impl Summary {
    pub fn of(record: &Record, store: &Store, now: Timestamp) -> Self {
        let outcome = record.outcome.as_ref();
        Self {
            id: record.id.clone(),
            kind: record.kind,
            changeling: record.changeling.clone(),
            repo: record.repo.clone(),
            template: record.template.clone(),
            outcome: outcome.map(Outcome::word),
            says: outcome.map(Outcome::sentence),
            exit_code: outcome.map(Outcome::exit_code),
            details: outcome.and_then(details),
            started_at: record.started_at,
            ended_at: record.ended_at,
            seconds: record.seconds(now),
            cost_usd: record.usage.cost_usd,
            turns: record.usage.turns,
            branch: record.branch.clone(),
            url: record.url().map(str::to_owned),
            needs_person: record.needs_person(),
            settled_at: record.settled_at,
            folder: store.folder_of(&record.id),
            origin: record.origin.clone(),
        }
    }
}

impl Record {
    /// How long it took, or takes so far, in seconds.
    pub fn seconds(&self, now: Timestamp) -> i64 {
        let ended = self.ended_at.unwrap_or(now);
        ended.duration_since(self.started_at).as_secs().max(0)
    }

    /// The pull request or issue it made.
    pub fn url(&self) -> Option<&str> {
        match self.outcome.as_ref()? {
            Outcome::PullRequest { url, .. } => Some(url),
            Outcome::Report { place } if place.contains("://") => Some(place),
            _ => None,
        }
    }
}

/// The outcome's own fields.
fn details(outcome: &Outcome) -> Option<Value> {
    let mut value = serde_json::to_value(outcome).ok()?;
    value.as_object_mut()?.shift_remove("outcome");
    Some(value)
}
