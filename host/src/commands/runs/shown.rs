//! How runs are shown, in every list.

use std::path::PathBuf;

use anstyle::Style;
use jiff::Timestamp;

use crate::context::Context;
use crate::exec::Outcome;
use crate::record::Record;
use crate::repo_url::RepoUrl;
use crate::ui::{Cell, style, time};

/// The end of an id: enough to name a run, and to tell two apart.
pub(in crate::commands) fn short_id(id: &str) -> &str {
    id.rsplit('-').next().unwrap_or(id)
}

pub(in crate::commands) fn outcome_style(outcome: Option<&Outcome>) -> Style {
    match outcome {
        None => style::NAME,
        Some(Outcome::PullRequest { .. } | Outcome::Pushed { .. } | Outcome::Report { .. }) => {
            style::GOOD
        }
        Some(Outcome::NoChanges { .. } | Outcome::Skipped { .. }) => Style::new(),
        Some(Outcome::Interrupted { .. } | Outcome::NeedsAttention { .. }) => style::CAREFUL,
        Some(Outcome::Failed { .. } | Outcome::TimedOut { .. }) => style::BAD,
    }
}

/// Its word, or that it is running.
pub(in crate::commands) fn word(record: &Record) -> &'static str {
    record.outcome.as_ref().map_or("running", Outcome::word)
}

pub(in crate::commands) fn outcome(record: &Record) -> Cell {
    Cell::styled(outcome_style(record.outcome.as_ref()), word(record))
}

/// What came of it, as short as it goes: the link, the reason.
pub(in crate::commands) fn result(record: &Record) -> Cell {
    match &record.outcome {
        None | Some(Outcome::Interrupted { why: None }) => Cell::new(""),
        Some(Outcome::PullRequest { url, number, .. }) => Cell::new(url).or(format!("#{number}")),
        Some(Outcome::Report { place }) => Cell::new(place),
        Some(Outcome::Pushed { branch, .. }) => Cell::new(branch),
        Some(Outcome::NoChanges {
            last_message,
            uncommitted,
        }) => match last_message {
            _ if *uncommitted => Cell::new("what it left uncommitted is kept as a patch"),
            Some(message) => Cell::new(message),
            None => Cell::new(""),
        },
        Some(outcome) => Cell::new(outcome.sentence()),
    }
}

pub(in crate::commands) fn cost(record: &Record) -> Cell {
    match record.usage.cost_usd {
        Some(cost) => Cell::new(time::dollars(cost)),
        None => Cell::new(""),
    }
}

/// `pull-request 6 h ago`.
pub(in crate::commands) fn last(record: Option<&Record>, now: Timestamp) -> Cell {
    let Some(record) = record else {
        return Cell::styled(style::FAINT, "never ran");
    };
    let outcome = record.outcome.as_ref();
    let word = word(record);
    let seconds = now.duration_since(record.started_at).as_secs();
    let text = match outcome {
        None => format!("{word} for {}", time::brief_span(seconds)),
        Some(_) => format!("{word} {}", time::ago(record.started_at, now)),
    };
    Cell::styled(outcome_style(outcome), text).or(format!("{word} {}", time::brief_span(seconds)))
}

/// A repository as a person says it: `owner/name` on GitHub, `~` for the user's own folder.
pub(in crate::commands) fn repository(text: &str, context: &Context) -> String {
    match RepoUrl::try_from(text.to_owned()) {
        Ok(repo) => repository_of(&repo, context),
        Err(_) => crate::names::printable(text),
    }
}

pub(in crate::commands) fn repository_of(repo: &RepoUrl, context: &Context) -> String {
    match (repo.github(), repo) {
        (Some((owner, name)), _) => format!("{owner}/{name}"),
        (None, RepoUrl::Local(path)) => context.shown(&PathBuf::from(path)),
        (None, repo) => repo.to_string(),
    }
}
