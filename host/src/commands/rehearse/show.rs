//! What a rehearsal showed, for a person and for a program.

use std::path::Path;

use serde::Serialize;

use super::selection::Target;
use crate::brief::Delivery;
use crate::context::Context;
use crate::exec::{Outcome, Rehearsal};
use crate::names::printable;
use crate::plan::{self, Plan};
use crate::pull_request::{Text, preview};
use crate::ui::style::{self, paint};

/// `--json`: one of these for each repository.
#[derive(Debug, Serialize)]
pub(super) struct Document<'a> {
    run_id: &'a str,
    #[serde(flatten)]
    outcome: &'a Outcome,
    stand_in: bool,
    plan: Option<&'a Plan>,
    pull_request: Option<&'a Text>,
    /// Redacted.
    patch: &'a str,
    /// Folder of the record.
    record: &'a Path,
    kept: Option<&'a Path>,
    notes: &'a [String],
}

impl<'a> Document<'a> {
    pub(super) fn of(rehearsal: &'a Rehearsal) -> Self {
        Self {
            run_id: &rehearsal.run_id,
            outcome: &rehearsal.outcome,
            stand_in: rehearsal.stand_in,
            plan: rehearsal.plan.as_ref(),
            pull_request: rehearsal.pull_request.as_ref(),
            patch: &rehearsal.patch,
            record: &rehearsal.folder,
            kept: rehearsal.kept.as_deref(),
            notes: &rehearsal.notes,
        }
    }
}

/// From what the template saw to what GitHub would show, in the order in which it happened.
pub(super) fn show(rehearsal: &Rehearsal, target: &Target, context: &Context) {
    let ui = &context.ui;
    for note in &rehearsal.notes {
        ui.warn(printable(note));
    }
    seen(rehearsal, context);
    if let Some(plan) = &rehearsal.plan {
        ui.out(format!("\n{}", plan::render::render(plan, ui.columns)));
        if let Some(text) = &rehearsal.pull_request {
            ui.heading(proposal(plan));
            ui.out(preview::preview(
                plan,
                text,
                &rehearsal.files,
                &rehearsal.patch,
                rehearsal.stand_in,
                ui.columns,
            ));
        }
    }
    end(rehearsal, target, context);
}

/// What the template asked for and got.
fn seen(rehearsal: &Rehearsal, context: &Context) {
    let Some(composed) = &rehearsal.composed else {
        return;
    };
    let mut pairs: Vec<_> = composed
        .asked
        .iter()
        .map(|asked| (printable(&asked.answer), printable(&asked.question)))
        .collect();
    let said = composed
        .log
        .iter()
        .map(|(_, message)| ("said".to_owned(), printable(message)));
    pairs.extend(said);
    if !pairs.is_empty() {
        context.ui.heading("What the template looked at");
        context.ui.pairs(&pairs);
    }
}

fn proposal(plan: &Plan) -> &'static str {
    match plan.delivery {
        Delivery::PullRequest if plan.branch.updates.is_some() => {
            "What would be added to the pull request"
        }
        Delivery::PullRequest => "The pull request, as GitHub would show it",
        Delivery::Issue => "The issue, as GitHub would show it",
        Delivery::Record => "The report, as the record keeps it",
    }
}

fn end(rehearsal: &Rehearsal, target: &Target, context: &Context) {
    let ui = &context.ui;
    let style = match rehearsal.outcome.error_kind() {
        None => style::GOOD,
        Some(_) => style::BAD,
    };
    let place = match rehearsal.outcome {
        Outcome::Pushed { .. } => ", in a repository made for the rehearsal",
        _ => "",
    };
    let outcome = format!(
        "{} ({})",
        paint(style, rehearsal.outcome.word()),
        printable(&rehearsal.outcome.sentence()) + place
    );
    let folder = |path: &Path| printable(&path.to_string_lossy());
    let mut pairs = vec![("outcome", outcome), ("record", folder(&rehearsal.folder))];
    if let Some(kept) = &rehearsal.kept {
        pairs.push(("workspace", folder(&kept.join("workspace"))));
    }
    pairs.push(("published", "nothing".to_owned()));
    ui.heading("Rehearsed");
    ui.pairs(&pairs);
    if let Outcome::Failed { last_lines, .. } = &rehearsal.outcome
        && !last_lines.is_empty()
    {
        ui.heading("The agent's last lines");
        ui.quote(&last_lines.join("\n"));
    }
    ui.heading("Next");
    let next = target.next(rehearsal.stand_in).into_iter();
    let next: Vec<_> = next
        .map(|(what, line)| (what, paint(style::NAME, printable(&line))))
        .collect();
    ui.pairs(&next);
}
