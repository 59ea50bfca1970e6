//! What happens during a run, as it happens: one line each in the record's `events.jsonl`.

use serde::{Deserialize, Serialize};

use super::outcome::{Outcome, StepName};

/// Something that happened. Fields are only ever added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// The run has a record.
    Started,
    StepStarted {
        step: StepName,
    },
    StepEnded {
        step: StepName,
    },
    /// The template's own messages and what it left out.
    Note {
        message: String,
    },
    AgentStarted {
        argv: Vec<String>,
    },
    AgentEnded {
        exit: Option<i32>,
        seconds: u64,
    },
    /// Processes of the run that outlived everything: 0, or somebody must look.
    ProcessesLeft {
        count: usize,
    },
    Collected {
        commits: usize,
        files: usize,
        uncommitted: bool,
    },
    Pushed {
        branch: String,
        commit: String,
    },
    Ended {
        outcome: Outcome,
    },
    /// Somebody wanted to know how it ended, and could not be told.
    NotTold {
        /// `command`, `webhook` or `mail`.
        how: String,
        why: String,
    },
}
