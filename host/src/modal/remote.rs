//! What truly happened at Modal: its calls, our records and the fires the schedule promised, joined.
//!
//! Modal knows which calls there were and how their containers ended, and nothing of outcomes. Records
//! know outcomes, and nothing of calls that died before they could write one. Neither says that a fire
//! was missed. `join` is pure; `fetch` asks Modal, `kept` remembers the answer for when it cannot be asked.

mod call;
mod fetch;
mod fires;
mod follow;
mod forgiven;
mod kept;
mod words;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::exec::Trigger;

pub use call::{Begun, Call, FIRE, RUN, Status, call_of};
pub use fetch::{Fetched, Wanted, files, look, most_calls};
pub use fires::Promise;
pub use follow::{Ended, Followed, News, follow, log, spawn};
pub use forgiven::{Forgiven, forgive};
pub use kept::{Presence, Seen};

/// A container that has not come by then does not come by itself: the first one after a deployment may
/// have to fetch its image.
pub const PATIENCE: SignedDuration = SignedDuration::from_mins(15);

/// A run whose record is here.
#[derive(Debug, Clone, Copy)]
pub struct Recorded<'a> {
    /// Id of the run.
    pub run: &'a str,
    pub call: &'a str,
    pub attempt: &'a str,
    pub repo: &'a str,
    pub trigger: Trigger,
    pub started_at: Timestamp,
}

/// What is known of one app.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// As Modal lists them, in any order.
    pub calls: &'a [Call],
    /// Attempts that began, and whose record is not there, or not whole.
    pub begun: &'a [Begun],
    pub records: &'a [Recorded<'a>],
    /// When it should have fired; `None`: it runs only by hand.
    pub promise: Option<Promise<'a>>,
    /// When Modal was asked.
    pub at: Timestamp,
}

/// What became of one call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fate {
    pub call: String,
    /// When it was asked for.
    pub at: Timestamp,
    /// null: the call died before it said so.
    pub repo: Option<String>,
    /// null: as `repo`.
    pub trigger: Option<Trigger>,
    /// Containers that began with it: more than one when it was restarted.
    pub attempts: usize,
    #[serde(flatten)]
    pub state: State,
}

/// What truly became of a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum State {
    /// For a container; or, with as many running as may, for one of them to end.
    Waiting {
        behind: bool,
    },
    /// It waits for longer than any container takes to come.
    NeverStarted,
    Running,
    /// With a record: the run's id.
    Ended {
        run: String,
    },
    /// Its container did not come up: image, secret, memory.
    DiedAtStart,
    /// It began, and left no whole record.
    Crashed,
    OutOfMemory,
    /// Modal's own limit, which lies above that of the run.
    TimedOut,
    /// By a person, or because the app was stopped.
    Stopped,
    /// Modal says it ended well, and there is no record.
    NoRecord,
}

/// What the facts add up to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Joined {
    /// Newest first.
    pub calls: Vec<Fate>,
    /// Fires that no call answers to, oldest first.
    pub missed: Vec<Timestamp>,
}

impl State {
    /// It is not over.
    pub const fn is_open(&self) -> bool {
        matches!(
            self,
            Self::Waiting { .. } | Self::NeverStarted | Self::Running
        )
    }

    /// Something a person has to look at, of which no record tells.
    pub const fn is_bad(&self) -> bool {
        !matches!(
            self,
            Self::Waiting { .. } | Self::Running | Self::Ended { .. }
        )
    }
}

impl Joined {
    /// The latest call of a repository, or of one that died before it said which.
    pub fn last(&self, repo: &str) -> Option<&Fate> {
        self.calls
            .iter()
            .find(|fate| fate.repo.as_deref().is_none_or(|own| own == repo))
    }
}

/// Joins what Modal says with what the records say.
pub fn join(facts: &Facts) -> Joined {
    let runs = facts.calls.iter().filter(|call| call.is_run());
    let is_busy = runs.clone().any(|call| call.status == Status::Running);
    let mut calls: Vec<Fate> = runs
        .map(|call| {
            let own = Own::of(call, facts);
            Fate {
                call: call.id.clone(),
                at: call.at().unwrap_or(facts.at),
                repo: own.repo(),
                trigger: own.trigger(),
                attempts: own.attempts(),
                state: own.state(is_busy, facts.at),
            }
        })
        .collect();
    // A call that spawns the others and fails leaves no run: it is told of as one that died.
    let fires = facts.calls.iter().filter(|call| call.is_fire());
    calls.extend(fires.filter_map(|call| {
        let state = Own::of(call, facts).state(is_busy, facts.at);
        let died = state.is_bad() && state != State::NoRecord;
        died.then(|| Fate {
            call: call.id.clone(),
            at: call.at().unwrap_or(facts.at),
            repo: None,
            trigger: Some(Trigger::Schedule),
            attempts: 0,
            state,
        })
    }));
    calls.sort_by(|a, b| b.at.cmp(&a.at).then_with(|| b.call.cmp(&a.call)));
    let missed = facts
        .promise
        .map_or_else(Vec::new, |promise| fires::missed(&promise, facts, &calls));
    Joined { calls, missed }
}

/// A call with what is known of its attempts.
struct Own<'a> {
    call: &'a Call,
    records: Vec<&'a Recorded<'a>>,
    begun: Vec<&'a Begun>,
}

impl<'a> Own<'a> {
    fn of(call: &'a Call, facts: &Facts<'a>) -> Self {
        let records: Vec<_> = facts
            .records
            .iter()
            .filter(|record| record.call == call.id)
            .collect();
        // An attempt that is recorded by now is no longer open.
        let is_open = |begun: &&Begun| {
            let recorded = |record: &&Recorded| record.attempt == begun.attempt;
            begun.call == call.id && !records.iter().any(recorded)
        };
        Self {
            begun: facts.begun.iter().filter(is_open).collect(),
            call,
            records,
        }
    }

    fn attempts(&self) -> usize {
        self.records.len() + self.begun.len()
    }

    fn repo(&self) -> Option<String> {
        let recorded = self.records.first().map(|record| record.repo);
        let begun = || self.begun.iter().find_map(|begun| begun.repo.as_deref());
        recorded.or_else(begun).map(str::to_owned)
    }

    fn trigger(&self) -> Option<Trigger> {
        let recorded = self.records.first().map(|record| record.trigger);
        recorded.or_else(|| self.begun.iter().find_map(|begun| begun.trigger))
    }

    fn state(&self, is_busy: bool, now: Timestamp) -> State {
        let last = self.records.iter().max_by_key(|record| record.started_at);
        let open = self.begun.iter().filter_map(|begun| begun.at).max();
        // A record is the last word, unless another attempt began after it.
        if let Some(record) = last
            && open.is_none_or(|open| open <= record.started_at)
        {
            return State::Ended {
                run: record.run.to_owned(),
            };
        }
        let began = !self.begun.is_empty();
        match self.call.status {
            Status::Pending if began => State::Running,
            Status::Pending => {
                let waits = self.call.at().map(|at| now.duration_since(at));
                match waits {
                    Some(waits) if waits > PATIENCE && !is_busy => State::NeverStarted,
                    _ => State::Waiting { behind: is_busy },
                }
            }
            Status::Running => State::Running,
            Status::Success => State::NoRecord,
            Status::Timeout | Status::IdleTimeout => State::TimedOut,
            Status::Terminated => State::Stopped,
            Status::OutOfMemory => State::OutOfMemory,
            Status::Failure | Status::InternalFailure | Status::Unknown if began => State::Crashed,
            Status::InitFailure | Status::Failure | Status::InternalFailure | Status::Unknown => {
                State::DiedAtStart
            }
        }
    }
}

#[cfg(test)]
mod tests;
