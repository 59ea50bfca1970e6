//! What a run truly led to. Derived from facts; nothing an agent says decides it.

use serde::{Deserialize, Serialize};

use super::Event;
use crate::error::Kind;
use crate::exit_code;

/// The end of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum Outcome {
    /// GitHub shows a pull request with the run's commits.
    PullRequest {
        url: String,
        number: u64,
        branch: String,
        commits: usize,
    },
    /// The remote's branch is at the run's last commit.
    Pushed {
        branch: String,
        commit: String,
        commits: usize,
    },
    /// A report was asked for and is there.
    Report {
        /// URL, or path within the record.
        place: String,
    },
    /// The agent ended well and left no commit.
    NoChanges {
        /// Last line of what it said: a headless agent that ends in a question looks just like this.
        last_message: Option<String>,
        /// Work it did not commit is in the record.
        uncommitted: bool,
    },
    /// The template found nothing to do: its reason.
    Skipped {
        reason: String,
    },
    Failed {
        step: StepName,
        /// Exit code of the program that failed, when one did.
        exit: Option<i32>,
        message: String,
        /// The end of what it said.
        last_lines: Vec<String>,
    },
    TimedOut {
        after_seconds: u64,
    },
    /// A signal, or a death that left no word.
    Interrupted {
        /// What cut it off, when more is known than that.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        why: Option<String>,
    },
    /// There is work that could not be published, and is kept; or nothing can go on without a person.
    NeedsAttention {
        why: Vec<String>,
        /// What to type next.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        next: Option<String>,
    },
}

/// The parts of a run, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepName {
    /// Bring the mirror up to date.
    Mirror,
    /// Let the template look and compose.
    Compose,
    /// Decide what will be done.
    Plan,
    /// Make the workspace.
    Clone,
    /// Run the agent and wait for it.
    Agent,
    /// Take the results out of the workspace.
    Collect,
    /// Look at them before anybody else does.
    CheckPatch,
    /// Push, open the pull request.
    Publish,
    /// Write the outcome down.
    Record,
}

impl StepName {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mirror => "mirror",
            Self::Compose => "compose",
            Self::Plan => "plan",
            Self::Clone => "clone",
            Self::Agent => "agent",
            Self::Collect => "collect",
            Self::CheckPatch => "check-patch",
            Self::Publish => "publish",
            Self::Record => "record",
        }
    }
}

impl Outcome {
    /// More is not known.
    pub const INTERRUPTED: Self = Self::Interrupted { why: None };

    /// A person has to look: why.
    pub fn needs(why: impl Into<String>) -> Self {
        Self::NeedsAttention {
            why: vec![why.into()],
            next: None,
        }
    }

    /// What a run that died without a word led to, from what had happened by then. What was published
    /// is out in the world, whether the run lived to say so or not.
    pub fn of_dead<'a>(events: impl IntoIterator<Item = &'a Event>) -> Self {
        let mut outcome = Self::INTERRUPTED;
        for event in events {
            outcome = match event {
                Event::Pushing { branch, to } => Self::NeedsAttention {
                    why: vec![format!(
                        "the run died while it pushed {branch}: whether the branch arrived is not known"
                    )],
                    next: Some(shell_words::join(["git", "ls-remote", to, branch])),
                },
                Event::Pushed { to: None, .. } => continue,
                Event::Pushed {
                    branch,
                    commit,
                    commits,
                    whole: true,
                    ..
                } => Self::Pushed {
                    branch: branch.clone(),
                    commit: commit.clone(),
                    commits: *commits,
                },
                Event::Pushed { branch, .. } => Self::needs(format!(
                    "the run died after it had pushed {branch}, before it knew of a pull request"
                )),
                Event::PullRequest {
                    url,
                    number,
                    branch,
                    commits,
                    ..
                } => Self::PullRequest {
                    url: url.clone(),
                    number: *number,
                    branch: branch.clone(),
                    commits: *commits,
                },
                Event::IssueOpened { url, .. } => Self::Report { place: url.clone() },
                Event::Ended { outcome } => return outcome.clone(),
                _ => continue,
            };
        }
        outcome
    }

    /// Every word an outcome is known by, in records and in `--json`.
    pub const WORDS: [&'static str; 9] = [
        "pull-request",
        "pushed",
        "report",
        "no-changes",
        "skipped",
        "failed",
        "timed-out",
        "interrupted",
        "needs-attention",
    ];

    pub const fn word(&self) -> &'static str {
        match self {
            Self::PullRequest { .. } => "pull-request",
            Self::Pushed { .. } => "pushed",
            Self::Report { .. } => "report",
            Self::NoChanges { .. } => "no-changes",
            Self::Skipped { .. } => "skipped",
            Self::Failed { .. } => "failed",
            Self::TimedOut { .. } => "timed-out",
            Self::Interrupted { .. } => "interrupted",
            Self::NeedsAttention { .. } => "needs-attention",
        }
    }

    /// The kind of error a command ends with; `None`: it did its work.
    pub const fn error_kind(&self) -> Option<Kind> {
        match self {
            Self::PullRequest { .. }
            | Self::Pushed { .. }
            | Self::Report { .. }
            | Self::NoChanges { .. }
            | Self::Skipped { .. } => None,
            Self::Failed { .. } => Some(Kind::RunFailed),
            Self::TimedOut { .. } => Some(Kind::TimedOut),
            Self::Interrupted { .. } => Some(Kind::Interrupted),
            Self::NeedsAttention { .. } => Some(Kind::NeedsPerson),
        }
    }

    pub const fn exit_code(&self) -> u8 {
        match self.error_kind() {
            Some(kind) => kind.exit_code(),
            None => exit_code::DONE,
        }
    }

    /// One sentence for a person, without its end.
    pub fn sentence(&self) -> String {
        let commits = |count: usize| {
            if count == 1 {
                "1 commit".to_owned()
            } else {
                format!("{count} commits")
            }
        };
        match self {
            Self::PullRequest {
                url,
                commits: count,
                ..
            } => format!("{} in {url}", commits(*count)),
            Self::Pushed {
                branch,
                commits: count,
                ..
            } => format!("{} on {branch}", commits(*count)),
            Self::Report { place } => format!("report in {place}"),
            Self::NoChanges {
                last_message,
                uncommitted,
            } => {
                let mut text = "the agent ended well and committed nothing".to_owned();
                if *uncommitted {
                    text.push_str("; what it left uncommitted is kept as a patch");
                }
                if let Some(message) = last_message {
                    text.push_str("; its last words: ");
                    text.push_str(message);
                }
                text
            }
            Self::Skipped { reason } => reason.clone(),
            Self::Failed { step, message, .. } => format!("{}: {message}", step.as_str()),
            Self::TimedOut { after_seconds } => {
                format!(
                    "the agent did not end within {}",
                    crate::plan::render::duration(*after_seconds)
                )
            }
            Self::Interrupted { why: None } => "interrupted before it ended".to_owned(),
            Self::Interrupted { why: Some(why) } => why.clone(),
            Self::NeedsAttention { why, .. } => why.join("; "),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<Outcome> {
        vec![
            Outcome::PullRequest {
                url: "https://github.com/o/n/pull/7".into(),
                number: 7,
                branch: "b".into(),
                commits: 2,
            },
            Outcome::Pushed {
                branch: "b".into(),
                commit: "c0ffee".into(),
                commits: 1,
            },
            Outcome::Report {
                place: "report.md".into(),
            },
            Outcome::NoChanges {
                last_message: Some("Shall I?".into()),
                uncommitted: true,
            },
            Outcome::Skipped {
                reason: "no markers".into(),
            },
            Outcome::Failed {
                step: StepName::Agent,
                exit: Some(7),
                message: "it ended with exit code 7".into(),
                last_lines: vec!["boom".into()],
            },
            Outcome::TimedOut {
                after_seconds: 3600,
            },
            Outcome::INTERRUPTED,
            Outcome::NeedsAttention {
                why: vec!["push refused".into()],
                next: Some("git push".into()),
            },
        ]
    }

    #[test]
    fn what_a_dead_run_led_to() {
        let of = |events: &[Event]| Outcome::of_dead(events).sentence();
        let pushing = Event::Pushing {
            branch: "b".into(),
            to: "https://github.com/o/n".into(),
        };
        let pushed = |to: Option<&str>, whole| Event::Pushed {
            branch: "b".into(),
            commit: "c0ffee".into(),
            to: to.map(str::to_owned),
            commits: 2,
            whole,
        };
        let opened = Event::PullRequest {
            url: "https://github.com/o/n/pull/7".into(),
            number: 7,
            action: crate::exec::event::Action::Opened,
            branch: "b".into(),
            commits: 2,
        };
        assert_eq!(of(&[Event::Started]), Outcome::INTERRUPTED.sentence());
        assert!(of(std::slice::from_ref(&pushing)).ends_with("is not known"));
        // A rehearsal's own remote is no place in the world.
        assert_eq!(of(&[pushed(None, true)]), Outcome::INTERRUPTED.sentence());
        assert_eq!(
            of(&[pushing.clone(), pushed(Some("x"), true)]),
            "2 commits on b"
        );
        assert!(of(&[pushing, pushed(Some("x"), false)]).contains("had pushed b"));
        let published = [pushed(Some("x"), false), opened];
        assert_eq!(of(&published), "2 commits in https://github.com/o/n/pull/7");
    }

    #[test]
    fn words_codes_and_shape() {
        let shown: Vec<_> = all()
            .iter()
            .map(|outcome| {
                let json = serde_json::to_string(outcome).unwrap();
                assert_eq!(&serde_json::from_str::<Outcome>(&json).unwrap(), outcome);
                format!("{} {}\n  {json}", outcome.exit_code(), outcome.sentence())
            })
            .collect();
        let words: Vec<_> = all().iter().map(Outcome::word).collect();
        assert_eq!(words, Outcome::WORDS);
        insta::assert_snapshot!(shown.join("\n"));
    }
}
