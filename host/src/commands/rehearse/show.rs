//! What a rehearsal showed, for a person and for a program.

use std::path::Path;

use serde::Serialize;

use super::selection::Target;
use crate::brief::{Composition, Delivery, Manifest};
use crate::context::Context;
use crate::exec::{Outcome, Rehearsal};
use crate::names::printable;
use crate::plan::{self, Plan};
use crate::pull_request::{Text, preview};
use crate::template::Asked;
use crate::ui::style::{self, paint};

/// Files that are named when several were read.
const FEW: usize = 3;

/// `--json`.
#[derive(Debug, Serialize)]
pub(super) struct Document<'a> {
    /// One for each repository.
    rehearsals: Vec<Rehearsed<'a>>,
}

#[derive(Debug, Serialize)]
struct Rehearsed<'a> {
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
    pub(super) fn of(rehearsals: &'a [Rehearsal]) -> Self {
        Self {
            rehearsals: rehearsals.iter().map(Rehearsed::of).collect(),
        }
    }
}

impl<'a> Rehearsed<'a> {
    fn of(rehearsal: &'a Rehearsal) -> Self {
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
pub(super) fn show(rehearsal: &Rehearsal, manifest: &Manifest, target: &Target, context: &Context) {
    let ui = &context.ui;
    for note in &rehearsal.notes {
        ui.warn(printable(note));
    }
    seen(rehearsal, manifest, context);
    if let Some(plan) = &rehearsal.plan {
        ui.out(format!("\n{}", plan::render::render(plan, ui.columns)));
        if let Some(text) = &rehearsal.pull_request {
            ui.chapter(proposal(plan));
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

/// What the template found, in its own words, and where it looked for it.
fn seen(rehearsal: &Rehearsal, manifest: &Manifest, context: &Context) {
    let ui = &context.ui;
    let Some(composed) = &rehearsal.composed else {
        return;
    };
    ui.chapter(format_args!("What {} found", manifest.name));
    match &composed.composition {
        Composition::Skip { reason } => ui.quote(&format!("Nothing to do: {reason}")),
        Composition::Run(brief) => match manifest.findings(&brief.prompt) {
            Some(findings) => ui.quote(findings),
            None => ui.out("  what its prompt says, below"),
        },
    }
    for (_, message) in &composed.log {
        ui.quote(message);
    }
    let looked = looked(&composed.asked);
    if !looked.is_empty() {
        ui.heading("Where it looked");
        ui.pairs(&looked);
    }
}

/// Questions with their answers, in order; those that only read a file share one line.
fn looked(asked: &[Asked]) -> Vec<(String, String)> {
    let file = |asked: &Asked| asked.question.strip_prefix("read ").map(printable);
    let read: Vec<String> = asked.iter().filter_map(file).collect();
    let mut told = false;
    asked
        .iter()
        .filter_map(|asked| {
            if file(asked).is_none() || read.len() == 1 {
                return Some((printable(&asked.answer), printable(&asked.question)));
            }
            let first = !std::mem::replace(&mut told, true);
            first.then(|| (format!("{} files", read.len()), few(&read)))
        })
        .collect()
}

/// The first names, and how many more there are.
fn few(names: &[String]) -> String {
    let shown = &names[..names.len().min(FEW)];
    let more = match names.len() - shown.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("read: {}{more}", shown.join(", "))
}

fn proposal(plan: &Plan) -> &'static str {
    match plan.delivery {
        Delivery::PullRequest if plan.branch.updates.is_some() => {
            "What would be added to the pull request"
        }
        Delivery::PullRequest if !plan.on_github => "The pull request this would be on GitHub",
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
    ui.chapter("Rehearsed");
    ui.pairs(&pairs);
    if let Outcome::Failed { last_lines, .. } = &rehearsal.outcome
        && !last_lines.is_empty()
    {
        ui.heading("The agent's last lines");
        ui.quote(&last_lines.join("\n"));
    }
    ui.heading("Next");
    let next = target
        .next(&rehearsal.outcome, rehearsal.stand_in)
        .into_iter();
    let next: Vec<_> = next
        .map(|(what, line)| (what, paint(style::NAME, printable(&line))))
        .collect();
    ui.pairs(&next);
}
