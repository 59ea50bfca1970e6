//! What a run led to, for a person and for a program.

use std::path::Path;

use serde::Serialize;

use crate::advice::{self, Advice};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::exec::{Outcome, Ran};
use crate::names::{Name, printable};
use crate::prepare::Subject;
use crate::record::{Record, Store, Summary, Usage};
use crate::ui::style::{self, paint};
use crate::ui::time;

/// `--json`.
#[derive(Debug, Serialize)]
pub(super) struct Document<'a> {
    /// One for each repository that was come to.
    pub(super) runs: &'a [Answer],
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Answer {
    Ran {
        #[serde(flatten)]
        run: Box<Summary>,
        notes: Vec<String>,
        next: Vec<Advice>,
        /// The workspace, when it was kept.
        workspace: Option<String>,
    },
    /// It was asked for where it is deployed, and nobody waits for it.
    Asked {
        changeling: Name,
        repo: String,
        place: &'static str,
        call: String,
    },
    /// It did not become a run.
    Failed {
        changeling: Name,
        repo: String,
        error: String,
        hint: Option<String>,
        exit_code: u8,
    },
}

impl Answer {
    /// A run on this machine.
    pub(super) fn here(ran: &Ran, context: &Context) -> Result<Self> {
        let store = Store::open(&context.home)?;
        let record = store
            .run(&ran.run_id)?
            .ok_or_else(|| Error::failed(format!("the record of run {} is gone", ran.run_id)))?;
        let workspace = ran.kept.as_ref().map(|path| path.display().to_string());
        Ok(Self::of(
            &record,
            ran.notes.clone(),
            workspace,
            &store,
            context,
        ))
    }

    pub(super) fn of(
        record: &Record,
        notes: Vec<String>,
        workspace: Option<String>,
        store: &Store,
        context: &Context,
    ) -> Self {
        let mut next = record
            .outcome
            .as_ref()
            .map_or_else(Vec::new, |outcome| good(outcome, record));
        next.extend(advice::of(record, store, context));
        Self::Ran {
            run: Box::new(Summary::of(record, store, context.clock.now())),
            notes,
            next,
            workspace,
        }
    }

    pub(super) fn failed(error: &Error, changeling: &Name, repo: String) -> Self {
        Self::Failed {
            changeling: changeling.clone(),
            repo,
            error: error.to_string(),
            hint: error.hint.clone(),
            exit_code: error.kind.exit_code(),
        }
    }
}

/// What to do about an outcome that is none to mend.
fn good(outcome: &Outcome, record: &Record) -> Vec<Advice> {
    let one = |what, command| vec![Advice { what, command }];
    let id = &record.id;
    match outcome {
        Outcome::PullRequest { url, .. } => one("review it", url.clone()),
        Outcome::Pushed { branch, .. } if record.repo.starts_with('/') => one(
            "look at it",
            shell_words::join(["git", "-C", &record.repo, "log", "--patch", branch]),
        ),
        Outcome::Pushed { branch, .. } => one(
            "look at it",
            shell_words::join(["git", "fetch", &record.repo, branch]),
        ),
        Outcome::Report { place } if place.starts_with("http") => one("read it", place.clone()),
        Outcome::Report { .. } => one("read it", format!("changeling runs show {id} --report")),
        Outcome::NoChanges { .. } => one("what the agent said", format!("changeling logs {id}")),
        _ => Vec::new(),
    }
}

/// `0.42 USD, 12 turns`, as far as it is known.
pub(super) fn spent(usage: Usage) -> Option<String> {
    let cost = usage
        .cost_usd
        .map(|usd| format!("{} USD", time::dollars(usd)));
    let turns = usage.turns.map(|turns| match turns {
        1 => "1 turn".to_owned(),
        turns => format!("{turns} turns"),
    });
    let known: Vec<_> = [cost, turns].into_iter().flatten().collect();
    (!known.is_empty()).then(|| known.join(", "))
}

/// `45 s`, `3 min 20 s`, `1 h 5 min`.
pub(super) fn elapsed(seconds: u64) -> String {
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, s) => format!("{s} s"),
        (0, m, s) => format!("{m} min {s} s"),
        (h, m, _) => format!("{h} h {m} min"),
    }
}

/// The end of a run, wherever it ran.
pub(super) struct Ended<'a> {
    pub(super) changeling: &'a Name,
    pub(super) repo: String,
    pub(super) outcome: &'a Outcome,
    /// What the agent took; `None`: it was not started.
    pub(super) agent: Option<String>,
    /// Folder of the record.
    pub(super) folder: &'a Path,
    /// The workspace, when it was kept.
    pub(super) kept: Option<&'a Path>,
}

impl<'a> Ended<'a> {
    pub(super) fn here(ran: &'a Ran, subject: &'a Subject) -> Self {
        let agent = |seconds| {
            let spent = spent(ran.usage).unwrap_or_else(|| "cost not known".to_owned());
            format!("{}, {spent}", elapsed(seconds))
        };
        Self {
            changeling: &subject.job.changeling,
            repo: subject.job.repo.to_string(),
            outcome: &ran.outcome,
            agent: ran.agent_seconds.map(agent),
            folder: &ran.folder,
            kept: ran.kept.as_deref(),
        }
    }
}

impl<'a> Ended<'a> {
    /// A run whose record came from where it is deployed.
    pub(super) fn elsewhere(record: &'a Record, outcome: &'a Outcome, folder: &'a Path) -> Self {
        Self {
            changeling: &record.changeling,
            repo: record.repo.clone(),
            outcome,
            agent: spent(record.usage),
            folder,
            kept: None,
        }
    }
}

pub(super) fn show(answer: &Answer, ended: &Ended, context: &Context) {
    let ui = &context.ui;
    let Answer::Ran { notes, next, .. } = answer else {
        return;
    };
    for note in notes {
        ui.warn(printable(note));
    }
    ui.chapter(format_args!("{} on {}", ended.changeling, ended.repo));
    let style = match (ended.outcome, ended.outcome.error_kind()) {
        (Outcome::Skipped { .. } | Outcome::NoChanges { .. }, _) => style::CAREFUL,
        (_, None) => style::GOOD,
        (_, Some(_)) => style::BAD,
    };
    let outcome = format!(
        "{}: {}",
        paint(style, ended.outcome.word()),
        printable(&ended.outcome.sentence())
    );
    let mut pairs = vec![("outcome", outcome)];
    if let Some(agent) = &ended.agent {
        pairs.push(("agent", agent.clone()));
    }
    pairs.push(("record", context.shown(ended.folder)));
    if let Some(kept) = ended.kept {
        pairs.push(("workspace", context.shown(kept)));
    }
    ui.pairs(&pairs);
    if let Outcome::Failed { last_lines, .. } = ended.outcome
        && !last_lines.is_empty()
    {
        ui.heading("The agent's last lines");
        ui.quote(&last_lines.join("\n"));
    }
    if !next.is_empty() {
        ui.heading("Next");
        for advice in next {
            ui.to_type(advice.what, &advice.command);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_and_money() {
        assert_eq!(elapsed(45), "45 s");
        assert_eq!(elapsed(200), "3 min 20 s");
        assert_eq!(elapsed(3900), "1 h 5 min");
        let usage = |cost_usd, turns| Usage { cost_usd, turns };
        assert_eq!(
            spent(usage(Some(0.421), Some(1))).unwrap(),
            "0.42 USD, 1 turn"
        );
        assert_eq!(spent(usage(None, Some(12))).unwrap(), "12 turns");
        assert_eq!(spent(usage(None, None)), None);
    }
}
