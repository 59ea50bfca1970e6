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
    /// From here on the remote may hold the branch.
    Pushing {
        branch: String,
        /// URL without credentials.
        to: String,
    },
    /// The remote was seen to hold it.
    Pushed {
        branch: String,
        commit: String,
        /// URL without credentials; `None`: a repository made for a rehearsal.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to: Option<String>,
        #[serde(default)]
        commits: usize,
        /// Nothing more is to be published: no pull request follows.
        #[serde(default)]
        whole: bool,
    },
    PullRequest {
        url: String,
        number: u64,
        action: Action,
        branch: String,
        commits: usize,
    },
    IssueOpened {
        url: String,
        number: u64,
    },
    /// The run had died; this was taken out of its workspace afterwards.
    Salvaged {
        commits: usize,
        uncommitted: bool,
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

/// How a run came by its pull request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    Opened,
    /// It was open before, and has the run's commits now.
    Updated,
    /// The agent had opened it.
    Found,
}

impl Event {
    /// Every word an event is known by, in the order in which a run can meet them.
    pub const NAMES: &[&str] = &[
        "started",
        "step-started",
        "step-ended",
        "note",
        "agent-started",
        "agent-ended",
        "processes-left",
        "collected",
        "pushing",
        "pushed",
        "pull-request",
        "issue-opened",
        "salvaged",
        "ended",
        "not-told",
    ];

    pub const fn name(&self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::StepStarted { .. } => "step-started",
            Self::StepEnded { .. } => "step-ended",
            Self::Note { .. } => "note",
            Self::AgentStarted { .. } => "agent-started",
            Self::AgentEnded { .. } => "agent-ended",
            Self::ProcessesLeft { .. } => "processes-left",
            Self::Collected { .. } => "collected",
            Self::Pushing { .. } => "pushing",
            Self::Pushed { .. } => "pushed",
            Self::PullRequest { .. } => "pull-request",
            Self::IssueOpened { .. } => "issue-opened",
            Self::Salvaged { .. } => "salvaged",
            Self::Ended { .. } => "ended",
            Self::NotTold { .. } => "not-told",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_the_file_says() {
        let events = [
            Event::Started,
            Event::StepStarted {
                step: StepName::Mirror,
            },
            Event::StepEnded {
                step: StepName::Mirror,
            },
            Event::Note {
                message: String::new(),
            },
            Event::AgentStarted { argv: vec![] },
            Event::AgentEnded {
                exit: None,
                seconds: 1,
            },
            Event::ProcessesLeft { count: 1 },
            Event::Collected {
                commits: 0,
                files: 0,
                uncommitted: false,
            },
            Event::Pushing {
                branch: String::new(),
                to: String::new(),
            },
            Event::Pushed {
                branch: String::new(),
                commit: String::new(),
                to: None,
                commits: 0,
                whole: true,
            },
            Event::PullRequest {
                url: String::new(),
                number: 1,
                action: Action::Found,
                branch: String::new(),
                commits: 0,
            },
            Event::IssueOpened {
                url: String::new(),
                number: 1,
            },
            Event::Salvaged {
                commits: 0,
                uncommitted: false,
            },
            Event::Ended {
                outcome: Outcome::INTERRUPTED,
            },
            Event::NotTold {
                how: String::new(),
                why: String::new(),
            },
        ];
        for (event, name) in events.iter().zip(Event::NAMES) {
            let json = serde_json::to_value(event).unwrap();
            assert_eq!((event.name(), json["event"].as_str()), (*name, Some(*name)));
        }
        assert_eq!(events.len(), Event::NAMES.len());
        // What earlier versions wrote.
        let old = r#"{"event":"pushed","branch":"b","commit":"c"}"#;
        assert_eq!(serde_json::from_str::<Event>(old).unwrap().name(), "pushed");
    }
}
