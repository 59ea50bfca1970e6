use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::{find, shown};
use crate::commands::deployed::fetch;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::exec::Outcome;
use crate::names::printable;
use crate::record::{Filter, Kind, Record, Store, Summary};
use crate::repo_url::RepoUrl;
use crate::schedule::Zone;
use crate::ui::{Cell, Column, style, time};

#[derive(Debug, clap::Args)]
pub(super) struct Which {
    /// Only of this changeling
    name: Option<String>,
    /// Only on this repository: owner/name, a URL, or a folder
    #[arg(long, value_name = "REPO")]
    repo: Option<String>,
    /// Only with this outcome; can be given more than once
    #[arg(long, value_name = "OUTCOME", value_parser = clap::builder::PossibleValuesParser::new(Outcome::WORDS))]
    outcome: Vec<String>,
    /// Only started since then: a length of time (2d, 12h), a day or an RFC 3339 time
    #[arg(long, value_name = "WHEN")]
    since: Option<String>,
    /// Most runs to list; 0 for all
    #[arg(long, value_name = "COUNT", default_value_t = 20)]
    limit: u32,
    /// Rehearsals, too
    #[arg(long)]
    rehearsals: bool,
    /// Fetch the records of deployed changelings from Modal first
    #[arg(long)]
    fetch: bool,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// What scripts get. Fields are added, never renamed.
#[derive(Debug, Serialize)]
struct Listing {
    /// Newest first.
    runs: Vec<Summary>,
}

pub(super) fn run(args: &Which, context: &Context) -> Result<()> {
    let since = args.since.as_deref().map(|text| since(text, context));
    let since = since.transpose()?;
    if args.fetch {
        fetch(None, context)?;
    }
    let store = Store::open_existing(&context.home)?;
    let name = match &args.name {
        Some(text) => Some(find::changeling(text, store.as_ref(), context)?),
        None => None,
    };
    let words: Vec<&str> = args.outcome.iter().map(String::as_str).collect();
    let filter = Filter {
        changeling: name.as_ref(),
        repo: None,
        kind: (!args.rehearsals).then_some(Kind::Run),
        outcomes: &words,
        since,
        limit: args.limit,
    };
    let runs = match &store {
        Some(store) => runs(store, &filter, args.repo.as_deref(), context)?,
        None => Vec::new(),
    };
    if args.json {
        let now = context.clock.now();
        let summaries = store
            .iter()
            .flat_map(|store| runs.iter().map(|run| Summary::of(run, store, now)));
        context.ui.json(&Listing {
            runs: summaries.collect(),
        });
    } else if runs.is_empty() {
        context.ui.note(nothing(args, store.as_ref(), &filter)?);
    } else {
        table(&runs, args, context);
    }
    Ok(())
}

/// The runs, on one repository however it is written if that is asked for.
fn runs(
    store: &Store,
    filter: &Filter,
    repo: Option<&str>,
    context: &Context,
) -> Result<Vec<Record>> {
    let Some(repo) = repo else {
        return Ok(store.runs(filter)?);
    };
    let repo = RepoUrl::parse(repo, &context.cwd)?;
    let mut runs = Vec::new();
    for spelling in store.spellings(&repo)? {
        runs.extend(store.runs(&Filter {
            repo: Some(&spelling),
            ..filter.clone()
        })?);
    }
    runs.sort_by(|a, b| (b.started_at, &b.id).cmp(&(a.started_at, &a.id)));
    if filter.limit > 0 {
        runs.truncate(filter.limit as usize);
    }
    Ok(runs)
}

/// What to say when there is nothing to list.
fn nothing(args: &Which, store: Option<&Store>, filter: &Filter) -> Result<String> {
    let asked = args.name.is_some()
        || args.repo.is_some()
        || args.since.is_some()
        || !args.outcome.is_empty();
    if asked {
        return Ok("no run is like that".to_owned());
    }
    let rehearsals = Filter {
        kind: Some(Kind::Rehearsal),
        limit: 1,
        ..filter.clone()
    };
    let rehearsed = match store {
        Some(store) => !store.runs(&rehearsals)?.is_empty(),
        None => false,
    };
    Ok(if rehearsed {
        "there are only rehearsals yet: `changeling runs --rehearsals` lists them".to_owned()
    } else {
        "there are no runs yet: `changeling run NAME --local` makes one".to_owned()
    })
}

/// The moment a length of time ago, a day's midnight here, or the moment itself.
fn since(text: &str, context: &Context) -> Result<Timestamp> {
    let now = context.clock.now();
    let text = text.trim();
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time);
    }
    if let Ok(day) = text.parse::<Date>() {
        let zone = Zone::system_or_utc().0.time_zone().clone();
        if let Ok(midnight) = day.to_zoned(zone) {
            return Ok(midnight.timestamp());
        }
    }
    // Days and weeks have no length of their own for the parser; here they are 24 hours each.
    let parser = jiff::fmt::friendly::SpanParser::new();
    let length = parser.parse_span(text.trim_end_matches("ago").trim()).ok();
    let length = length.and_then(|span| {
        let days = jiff::SpanRelativeTo::days_are_24_hours();
        span.to_duration(days).ok()
    });
    length
        .filter(|length| *length >= SignedDuration::ZERO)
        .and_then(|length| now.checked_sub(length).ok())
        .ok_or_else(|| {
            Error::usage(format!("`{}` is no time to count from", printable(text)))
                .with_hint("write 2d, 12h, 2026-11-01 or 2026-11-01T06:00:00Z")
        })
}

fn table(runs: &[Record], args: &Which, context: &Context) {
    let now = context.clock.now();
    let zone = Zone::system_or_utc().0;
    let with_name = args.name.is_none();
    // Where there is little room, what came of it matters more.
    let has_room = context.ui.columns.is_none_or(|columns| columns >= 100);
    let with_repo = has_room && args.repo.is_none() && works_on_several(runs);
    let mut columns = vec![Column::new("RUN").last_to_shrink().at_least(6)];
    if with_name {
        columns.push(Column::new("CHANGELING").last_to_shrink().at_least(12));
    }
    if with_repo {
        columns.push(Column::new("REPOSITORY").keep_end().at_least(12));
    }
    if args.rehearsals {
        columns.push(Column::new("KIND").at_least(9));
    }
    columns.extend([
        Column::new("STARTED").at_least(9),
        Column::new("TOOK").right().at_least(6),
        Column::new("USD").right().at_least(5),
        Column::new("OUTCOME").last_to_shrink().at_least(15),
        Column::new("RESULT").first_to_shrink(),
    ]);
    let rows = runs.iter().map(|run| {
        let seconds = run.seconds(now);
        let mut row = vec![Cell::new(&run.id).or(shown::short_id(&run.id))];
        if with_name {
            row.push(Cell::styled(style::NAME, run.changeling.as_str()));
        }
        if with_repo {
            row.push(Cell::new(shown::repository(&run.repo, context)));
        }
        if args.rehearsals {
            row.push(Cell::new(run.kind.as_str()));
        }
        row.extend([
            Cell::new(time::when(run.started_at, now, &zone)).or(time::ago(run.started_at, now)),
            Cell::new(time::span(seconds)).or(time::brief_span(seconds)),
            shown::cost(run),
            shown::outcome(run),
            shown::result(run),
        ]);
        row
    });
    context.ui.table(columns, rows);
    if args.limit > 0 && runs.len() == args.limit as usize {
        context.ui.note(format!(
            "\nthe latest {}; `--limit 0` lists all",
            args.limit
        ));
    }
}

/// A changeling among them works on more than one repository.
fn works_on_several(runs: &[Record]) -> bool {
    let mut repos: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for run in runs {
        repos
            .entry(run.changeling.as_str())
            .or_default()
            .insert(&run.repo);
    }
    repos.values().any(|repos| repos.len() > 1)
}
