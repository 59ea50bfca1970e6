//! What became of a call, in words.

use jiff::Timestamp;

use super::{Fate, State};
use crate::names::Name;
use crate::ui::time;

impl State {
    /// For lists and scripts: as it is serialised.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Waiting { .. } => "waiting",
            Self::NeverStarted => "never-started",
            Self::Running => "running",
            Self::Ended { .. } => "ended",
            Self::DiedAtStart => "died-at-start",
            Self::Crashed => "crashed",
            Self::OutOfMemory => "out-of-memory",
            Self::TimedOut => "timed-out",
            Self::Stopped => "stopped",
            Self::NoRecord => "no-record",
        }
    }
}

impl Fate {
    /// One sentence, without its end.
    pub fn sentence(&self, now: Timestamp) -> String {
        let waits = time::span(now.duration_since(self.at).as_secs());
        let sentence = match &self.state {
            State::Waiting { behind: false } => format!("has waited for a container for {waits}"),
            State::Waiting { behind: true } => {
                format!("has waited for the run before it to end for {waits}")
            }
            State::NeverStarted => {
                format!("Modal has given it no container for {waits}")
            }
            State::Running => "runs at Modal".to_owned(),
            State::Ended { run } => format!("ended as run {run}"),
            State::DiedAtStart => {
                "its container died before the run began: image, secret or memory".to_owned()
            }
            State::Crashed => {
                "its container died while the run was under way, before its record was written"
                    .to_owned()
            }
            State::OutOfMemory => "its container ran out of memory".to_owned(),
            State::TimedOut => {
                "Modal stopped it at its own limit, before its record was written".to_owned()
            }
            State::Stopped => "it was stopped at Modal, by a person or with its app".to_owned(),
            State::NoRecord => {
                "Modal says that it ended well, and its record is not on the volume".to_owned()
            }
        };
        match self.attempts {
            0 | 1 => sentence,
            2 => format!("{sentence} (Modal restarted it once)"),
            several => format!("{sentence} (Modal restarted it {} times)", several - 1),
        }
    }

    /// What to type about it; `None`: nothing is to be done.
    pub fn command(&self, changeling: &Name) -> Option<String> {
        let logs = || format!("changeling logs {}", self.call);
        Some(match &self.state {
            State::Waiting { .. } | State::Running => {
                format!("changeling logs --follow {changeling}")
            }
            State::Ended { run } => format!("changeling runs show {run}"),
            State::NeverStarted => format!("modal app logs changeling-{changeling}"),
            State::DiedAtStart | State::Crashed | State::TimedOut | State::NoRecord => logs(),
            State::OutOfMemory => format!(
                "changeling edit {changeling} --modal memory=8GiB   # then: changeling deploy {changeling}"
            ),
            State::Stopped => return None,
        })
    }
}
