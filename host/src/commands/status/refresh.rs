//! Asking GitHub what became of what is open, as far as we know.

use std::collections::BTreeSet;

use crate::context::Context;
use crate::error::Result;
use crate::github::{MAX_ITEMS, Query, State};
use crate::names::Name;
use crate::prepare::{self, Selection, Subject};
use crate::record::{Delivery, Fate, Store};

/// Asks for every changeling that has something open. What cannot be asked is a warning: what was
/// known stays.
pub(super) fn refresh(store: &Store, only: Option<&Name>, context: &Context) -> Result<()> {
    let open: Vec<Delivery> = store
        .open_deliveries()?
        .into_iter()
        .filter(|delivery| only.is_none_or(|only| *only == delivery.changeling))
        .collect();
    let names: BTreeSet<&Name> = open.iter().map(|delivery| &delivery.changeling).collect();
    for name in names {
        let of_it = |delivery: &&Delivery| delivery.changeling == *name;
        let open: Vec<&Delivery> = open.iter().filter(of_it).collect();
        let subjects = prepare::subjects(&Selection::Changeling(name.to_string()), context);
        let asked = subjects.and_then(|subjects| {
            subjects
                .iter()
                .try_for_each(|subject| ask(subject, &open, store, context))
        });
        if let Err(error) = asked {
            context.ui.warn(format!(
                "what became of what {name} opened is not known: {error}"
            ));
        }
    }
    Ok(())
}

fn ask(subject: &Subject, open: &[&Delivery], store: &Store, context: &Context) -> Result<()> {
    let repo = subject.job.repo.to_string();
    let some = |kind: &str| {
        open.iter()
            .any(|delivery| delivery.repo == repo && delivery.kind == kind)
    };
    let Some(github) = subject.github(context)? else {
        return Ok(());
    };
    let progress = context.ui.progress(format!("asking GitHub about {repo}"));
    let now = context.clock.now();
    let query = Query {
        state: State::All,
        labels: Vec::new(),
        limit: MAX_ITEMS,
    };
    if some("pull-request") {
        let pulls = github.pulls_now(&query)?.items;
        let fates = pulls.iter().map(|pull| Fate {
            number: pull.number,
            title: &pull.title,
            state: &pull.state,
        });
        store.learn_fates(&repo, "pull-request", fates, now)?;
    }
    if some("issue") {
        let issues = github.issues_now(&query)?.items;
        let fates = issues.iter().map(|issue| Fate {
            number: issue.number,
            title: &issue.title,
            state: &issue.state,
        });
        store.learn_fates(&repo, "issue", fates, now)?;
    }
    drop(progress);
    Ok(())
}
