use serde::Serialize;

use super::{find, patch, shown, timeline};
use crate::advice::{self, Advice};
use crate::commands::deployed::bring_files;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::exec::{Outcome, Trigger};
use crate::names::{printable, printable_lines};
use crate::plan::Plan;
use crate::pull_request::preview::{self, FileStat};
use crate::record::{Delivery, File, Happened, Kind, Record, Store, Summary};
use crate::schedule::Zone;
use crate::ui::style::{self, paint};
use crate::ui::{text, time};

/// Show one run: its outcome, what happened, what it left, what to do next
#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
pub(super) struct Args {
    /// The run: id, beginning or end of it, `last`, or a changeling for its latest
    #[arg(value_name = "RUN")]
    run: String,
    /// Print the report it wrote, and nothing else
    #[arg(long, conflicts_with_all = ["patch", "uncommitted", "prompt", "json"])]
    report: bool,
    /// Print its commits as one patch, and nothing else
    #[arg(long, conflicts_with_all = ["uncommitted", "prompt", "json"])]
    patch: bool,
    /// Print what it did not commit as a patch, and nothing else
    #[arg(long, conflicts_with_all = ["prompt", "json"])]
    uncommitted: bool,
    /// Print what the agent was asked, and nothing else
    #[arg(long, conflicts_with = "json")]
    prompt: bool,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// Every file of a record that a person may want to open, and what it is.
const FILES: [(File, &str); 9] = [
    (File::Prompt, "what the agent was asked"),
    (File::Log, "what it said"),
    (File::Patch, "its commits as one patch"),
    (File::Uncommitted, "what it did not commit"),
    (File::Summary, "what it wrote about its work"),
    (File::Report, "its report"),
    (File::PullRequest, "body of the pull request"),
    (File::Plan, "the plan"),
    (File::Events, "what happened"),
];

/// What scripts get. Fields are added, never renamed.
#[derive(Debug, Serialize)]
struct Document {
    run: Summary,
    plan: Option<Plan>,
    events: Vec<serde_json::Value>,
    /// What its commits changed.
    files: Vec<ChangedFile>,
    /// Names of the files in its folder.
    record: Vec<&'static str>,
    deliveries: Vec<Delivery>,
    /// What to type next.
    next: Vec<Advice>,
}

#[derive(Debug, Serialize)]
struct ChangedFile {
    path: String,
    /// Lines; null for a binary file.
    added: Option<u64>,
    removed: Option<u64>,
}

/// One run with its files.
struct Whole {
    record: Record,
    plan: Option<Plan>,
    events: Vec<Happened>,
    files: Vec<FileStat>,
    deliveries: Vec<Delivery>,
    next: Vec<Advice>,
}

impl Whole {
    fn read(record: Record, store: &Store, context: &Context) -> Result<Self> {
        let plan = store.read(&record.id, File::Plan)?;
        let patch = store.read(&record.id, File::Patch)?;
        Ok(Self {
            // A plan of another version is no reason to show nothing.
            plan: plan.and_then(|text| serde_json::from_str(&text).ok()),
            events: store.events(&record.id)?,
            files: patch.as_deref().map(patch::files).unwrap_or_default(),
            deliveries: store.deliveries_of_run(&record.id)?,
            next: advice::of(&record, store, context),
            record,
        })
    }
}

pub(super) fn run(args: &Args, context: &Context) -> Result<()> {
    let store = find::store(context)?;
    let record = find::run(&args.run, &store)?;
    bring_files(&record, &store, context);
    let wanted = [
        (args.report, File::Report, "report"),
        (args.patch, File::Patch, "patch"),
        (args.uncommitted, File::Uncommitted, "uncommitted work"),
        (args.prompt, File::Prompt, "prompt"),
    ];
    if let Some((_, file, what)) = wanted.into_iter().find(|(wanted, ..)| *wanted) {
        return print(&record, file, what, &store, context);
    }
    let whole = Whole::read(record, &store, context)?;
    if args.json {
        context.ui.json(&document(whole, &store, context));
    } else {
        show(&whole, &store, context);
    }
    Ok(())
}

/// One file: as it is for a program, made printable for a terminal.
fn print(record: &Record, file: File, what: &str, store: &Store, context: &Context) -> Result<()> {
    let text = store.read(&record.id, file)?.ok_or_else(|| {
        Error::failed(format!("run {} left no {what}", record.id)).with_hint(format!(
            "`changeling runs show {}` shows what there is",
            record.id
        ))
    })?;
    if context.ui.columns.is_some() {
        context.ui.out(printable_lines(text.trim_end()));
    } else {
        context.ui.bytes(text.as_bytes());
    }
    Ok(())
}

fn document(whole: Whole, store: &Store, context: &Context) -> Document {
    let record = FILES
        .iter()
        .filter(|(file, _)| store.path_of(&whole.record.id, *file).is_some())
        .map(|(file, _)| file.name());
    let changed = whole.files.into_iter().map(|file| ChangedFile {
        path: file.path,
        added: file.lines.map(|(added, _)| added),
        removed: file.lines.map(|(_, removed)| removed),
    });
    let events = whole.events.into_iter().map(|happened| {
        let mut event = serde_json::Map::new();
        event.insert("at".to_owned(), happened.at.to_string().into());
        event.extend(happened.fields);
        event.into()
    });
    Document {
        run: Summary::of(&whole.record, store, context.clock.now()),
        record: record.collect(),
        files: changed.collect(),
        events: events.collect(),
        plan: whole.plan,
        deliveries: whole.deliveries,
        next: whole.next,
    }
}

fn show(whole: &Whole, store: &Store, context: &Context) {
    let ui = &context.ui;
    let record = &whole.record;
    let word = paint(
        shown::outcome_style(record.outcome.as_ref()),
        shown::word(record),
    );
    ui.out(format_args!(
        "{}  {}  {word}",
        paint(style::HEADING, &record.changeling),
        record.id
    ));
    ui.pairs(&facts(whole, store, context));
    if let Some(Outcome::Failed { last_lines, .. }) = &record.outcome
        && !last_lines.is_empty()
    {
        ui.heading("The agent's last lines");
        ui.quote(&last_lines.join("\n"));
    }
    if let Some(plan) = &whole.plan {
        ui.heading("Plan");
        ui.pairs(&planned(plan, record));
    }
    let zone = Zone::system_or_utc().0;
    let lines = timeline::lines(&whole.events, &zone);
    if !lines.is_empty() {
        ui.heading("What happened");
        ui.pairs(&lines);
    }
    if !whole.files.is_empty() {
        ui.out(preview::stat(&whole.files, ui.columns).trim_end());
    }
    let files: Vec<_> = FILES
        .iter()
        .filter_map(|(file, what)| {
            let path = store.path_of(&record.id, *file)?;
            // Empty: there was nothing to say.
            let size = path.metadata().ok()?.len();
            (size > 0).then(|| (file.name(), format!("{what}, {}", text::bytes(size))))
        })
        .collect();
    if !files.is_empty() {
        ui.heading(format_args!(
            "In {}",
            context.shown(&store.folder_of(&record.id))
        ));
        ui.pairs(&files);
    }
    if !whole.next.is_empty() {
        ui.heading("Next");
        for advice in &whole.next {
            ui.to_type(advice.what, &advice.command);
        }
    }
}

fn facts(whole: &Whole, store: &Store, context: &Context) -> Vec<(&'static str, String)> {
    let record = &whole.record;
    let now = context.clock.now();
    let zone = Zone::system_or_utc().0;
    let mut facts = Vec::new();
    if record.kind == Kind::Rehearsal {
        facts.push(("kind", "rehearsal: nothing was published".to_owned()));
    }
    match &record.outcome {
        Some(outcome) => facts.push(("outcome", printable(&outcome.sentence()))),
        None => facts.push(("outcome", "it is running".to_owned())),
    }
    if let Some(settled) = record.settled_at {
        facts.push(("settled", time::when(settled, now, &zone)));
    }
    for delivery in &whole.deliveries {
        let what = if delivery.kind == "issue" {
            "issue"
        } else {
            "pull request"
        };
        let seen = time::ago(delivery.updated_at, now);
        let state = format!(
            "{} ({}, as of {seen})",
            printable(&delivery.url),
            printable(&delivery.state)
        );
        facts.push((what, state));
    }
    facts.push(("repository", shown::repository(&record.repo, context)));
    if let Some(origin) = &record.origin {
        let by = match origin.by {
            Trigger::Hand => "asked for by hand",
            Trigger::Schedule => "on its schedule",
        };
        facts.push(("where", format!("at Modal, {by} ({})", origin.call)));
    }
    // The plan tells more of it, below.
    if let Some(branch) = record.branch.as_ref().filter(|_| whole.plan.is_none()) {
        facts.push(("branch", printable(branch)));
    }
    let started = time::when(record.started_at, now, &zone);
    facts.push((
        "started",
        format!("{started} ({})", time::ago(record.started_at, now)),
    ));
    let took = if record.outcome.is_some() {
        "took"
    } else {
        "so far"
    };
    facts.push((took, time::span(record.seconds(now))));
    if let Some(cost) = cost(whole) {
        facts.push(("cost", cost));
    }
    if !store.folder_of(&record.id).is_dir() {
        facts.push(("record", "its folder is gone".to_owned()));
    }
    let workspace = store.folder_of(&record.id).join("workspace");
    if record.outcome.is_some() && workspace.symlink_metadata().is_ok() {
        let place = context.shown(&workspace);
        let warning = "run no git in there: the agent could write its configuration";
        facts.push(("workspace", format!("{place} ({warning})")));
    }
    facts
}

/// "0.42 USD and 17 turns, of at most 5 USD and 200".
fn cost(whole: &Whole) -> Option<String> {
    let usage = whole.record.usage;
    let cost = usage
        .cost_usd
        .map(|cost| format!("{} USD", time::dollars(cost)));
    let turns = usage.turns.map(|turns| match turns {
        1 => "1 turn".to_owned(),
        turns => format!("{turns} turns"),
    });
    let said: Vec<_> = cost.into_iter().chain(turns).collect();
    if said.is_empty() {
        return None;
    }
    let caps = whole.plan.as_ref().map_or_else(String::new, |plan| {
        format!(
            ", of at most {} USD and {} turns",
            plan.limits.max_budget_usd, plan.limits.max_turns
        )
    });
    Some(said.join(" and ") + &caps)
}

fn planned(plan: &Plan, record: &Record) -> Vec<(&'static str, String)> {
    let title = match &record.outcome {
        Some(Outcome::PullRequest { commits, .. } | Outcome::Pushed { commits, .. }) => plan
            .pull_request
            .title
            .replace("{commits}", &commits.to_string()),
        _ => plan.pull_request.title.clone(),
    };
    let template = &plan.template;
    let origin = if template.built_in {
        "built in".to_owned()
    } else {
        format!("sha256:{}", template.digest.short())
    };
    let permissions: Vec<_> = plan.permissions.iter().map(ToString::to_string).collect();
    let permissions = match &permissions[..] {
        [] => "none".to_owned(),
        some => some.join(", "),
    };
    let start = plan.branch.starts_at.get(..12).unwrap_or_default();
    let mut pairs = vec![
        (
            "template",
            format!(
                "{} {} ({origin})",
                template.name,
                printable(&template.version)
            ),
        ),
        ("agent", printable(&plan.agent_type)),
        (
            "starts at",
            format!("{}, commit {start}", printable(&plan.base.branch)),
        ),
        (
            "branch",
            format!(
                "{} ({})",
                printable(&plan.branch.name),
                printable(&plan.branch.reason)
            ),
        ),
        ("title", printable(&title)),
        ("permissions", permissions),
    ];
    pairs.extend(plan.notes.iter().map(|note| ("note", printable(note))));
    pairs
}
