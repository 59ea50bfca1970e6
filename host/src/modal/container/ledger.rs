//! What each repository's runs cost, beside their records. Of other repositories only the money counts,
//! for the month's budget: with many of them nobody wants to read every record for it.
//!
//! It is written by the runs of its repository, after their records. What it does not name is read from
//! the records themselves, so that one that is missing or behind changes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::job::Job;
use crate::names::Name;
use crate::record::{Exported, Store};

const VERSION: u32 = 1;

/// The runs of one repository that have a record on the volume.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Ledger {
    version: u32,
    changeling: Name,
    repo: String,
    /// By the names of their records.
    pub(super) runs: BTreeMap<String, Spent>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Spent {
    /// Of the run.
    pub(super) id: String,
    pub(super) at: Timestamp,
    /// US dollars, when its agent said.
    usd: Option<f64>,
}

/// Those of the other repositories.
#[derive(Debug, Default)]
pub(super) struct Others {
    keys: BTreeSet<String>,
}

impl Ledger {
    pub(super) fn of(job: &Job) -> Self {
        Self {
            version: VERSION,
            changeling: job.changeling.clone(),
            repo: job.repo.to_string(),
            runs: BTreeMap::new(),
        }
    }

    /// Whether the record is one of this repository's.
    pub(super) fn is_about(&self, exported: &Exported) -> bool {
        let record = &exported.record;
        record.changeling == self.changeling && record.repo == self.repo
    }

    pub(super) fn add(&mut self, key: &str, exported: &Exported) {
        let record = &exported.record;
        let spent = Spent {
            id: record.id.clone(),
            at: record.started_at,
            usd: record.usage.cost_usd,
        };
        self.runs.insert(key.to_owned(), spent);
    }

    pub(super) fn write(&self, folder: &Path, job: &Job) -> io::Result<()> {
        let path = folder.join(format!("{}.json", job.repo.key()));
        let aside = path.with_extension("json.new");
        fs::write(&aside, serde_json::to_vec(self)?)?;
        fs::rename(&aside, &path)
    }

    /// Lets the history know what was spent since then.
    fn tell(&self, store: &Store, since: Timestamp) -> Result<()> {
        for spent in self.runs.values().filter(|spent| spent.at >= since) {
            if let Some(usd) = spent.usd {
                store.learn_cost(&self.changeling, &self.repo, spent.at, usd)?;
            }
        }
        Ok(())
    }
}

impl Others {
    /// Lets the history know what was spent on other repositories since then, as far as ledgers tell.
    pub(super) fn read(
        folder: &Path,
        own: &Ledger,
        store: &Store,
        since: Timestamp,
    ) -> Result<Self> {
        let mut others = Self::default();
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            // What is half-written has another ending.
            if entry.path().extension().is_none_or(|name| name != "json") {
                continue;
            }
            let text = fs::read(entry.path()).unwrap_or_default();
            let Ok(ledger) = serde_json::from_slice::<Ledger>(&text) else {
                continue;
            };
            let is_ours = ledger.version == VERSION && ledger.changeling == own.changeling;
            if is_ours && ledger.repo != own.repo {
                ledger.tell(store, since)?;
                others.keys.extend(ledger.runs.into_keys());
            }
        }
        Ok(others)
    }

    pub(super) fn know(&self, key: &str) -> bool {
        self.keys.contains(key)
    }
}
