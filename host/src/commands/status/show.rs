//! `status` for a person.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::elsewhere;
use super::gather::{Need, Status, Target};
use crate::context::Context;
use crate::exec::Outcome;
use crate::names::printable;
use crate::record::Kind;
use crate::schedule::Zone;
use crate::ui::style::{self, paint};
use crate::ui::{Cell, Column, block, time};

use super::super::runs::shown;

/// Differences of one changeling that are shown.
const MOST_DRIFT: usize = 3;

/// More than that is no list to go through in the morning.
const MOST_NEEDS: usize = 10;

pub(super) fn show(status: &Status, context: &Context) {
    let ui = &context.ui;
    if !status.needs.is_empty() {
        ui.out(block::heading("Needs you"));
        ui.pairs(&needs(status));
        ui.out("");
    }
    let running = running(status, context);
    if !running.is_empty() {
        ui.out(block::heading("Running"));
        ui.pairs(&running);
        ui.out("");
    }
    if !status.targets.is_empty() {
        table(status, context);
        ui.out("");
    }
    let old = drifted(status);
    if !old.is_empty() {
        ui.out(block::heading("Deployed as it was, changed since"));
        ui.pairs(&old);
        ui.out("");
    }
    if !status.open.is_empty() {
        ui.out(block::heading("Open, as far as we know"));
        ui.pairs(&open(status, context));
        ui.out("");
    }
    let month = &status.month;
    ui.out(format_args!(
        "{} of {} USD spent this month",
        time::dollars(month.cost_usd),
        month.budget_usd
    ));
    told_when(status, context);
}

/// Whether what was said of Modal is from now.
fn told_when(status: &Status, context: &Context) {
    let from = match status.elsewhere.as_of() {
        Some(at) => format!("as of {}", time::ago(at, context.clock.now())),
        None => "not known".to_owned(),
    };
    match &status.elsewhere.failed {
        Some(error) => {
            context
                .ui
                .warn(format_args!("what is shown of Modal is {from}: {error}"));
            if let Some(hint) = &error.hint {
                context.ui.note(hint);
            }
        }
        None if !status.elsewhere.apps.is_empty() && !status.elsewhere.is_fresh => {
            context
                .ui
                .note(format_args!("what is shown of Modal is {from}"));
        }
        None => {}
    }
}

/// Needs that are one for whoever reads: of one changeling, with one cause. The first is the newest.
fn alike(needs: &[Need]) -> Vec<Vec<&Need>> {
    let mut groups: Vec<Vec<&Need>> = Vec::new();
    for need in needs {
        let key = |need: &Need| (need.changeling.clone(), need.what, need.says.clone());
        match groups.iter_mut().find(|group| key(group[0]) == key(need)) {
            Some(group) => group.push(need),
            None => groups.push(vec![need]),
        }
    }
    groups
}

fn needs(status: &Status) -> Vec<(String, String)> {
    let groups = alike(&status.needs);
    let mut pairs: Vec<(String, String)> = Vec::new();
    for group in groups.iter().take(MOST_NEEDS) {
        let need = group[0];
        let name = need
            .changeling
            .as_ref()
            .map_or("budget", |name| name.as_str());
        let mut says = format!("{}{}", count(group), printable(&need.says));
        let mut to_type = |command: &str| {
            let command = paint(style::NAME, printable(command));
            let _ = write!(says, "\n{} {command}", paint(style::HELP, "→"));
        };
        to_type(&need.command);
        if group.len() > 1 && Outcome::WORDS.contains(&need.what) {
            to_type(&format!("changeling runs {name} --outcome {}", need.what));
        }
        pairs.push((name.to_owned(), says));
    }
    if groups.len() > MOST_NEEDS {
        let rest = format!(
            "{} more; `changeling runs --outcome needs-attention` lists what waits for you",
            groups.len() - MOST_NEEDS
        );
        pairs.push(("and".to_owned(), rest));
    }
    pairs
}

/// `3 runs: `, or when each was on another, `2 repositories: `; nothing for one.
fn count(group: &[&Need]) -> String {
    let repos: BTreeSet<_> = group.iter().filter_map(|need| need.repo.as_ref()).collect();
    match (group.len(), repos.len()) {
        (1, _) => String::new(),
        (count, repos) if repos == count => format!("{count} repositories: "),
        (count, _) => format!("{count} runs: "),
    }
}

/// Here, and where it is deployed.
fn running(status: &Status, context: &Context) -> Vec<(String, String)> {
    let now = context.clock.now();
    let apps = status.elsewhere.apps.values();
    let there = apps.flat_map(|app| {
        let line = move |fate| elsewhere::line(fate, app, now, context);
        let name = app.deployed.name().to_string();
        app.running().map(move |fate| (name.clone(), line(fate)))
    });
    let runs = status.living_of(Kind::Run);
    let rehearsals = status.living_of(Kind::Rehearsal);
    runs.chain(rehearsals)
        .map(|record| {
            let what = match record.kind {
                Kind::Run => "",
                Kind::Rehearsal => "rehearsal, ",
            };
            let line = format!(
                "{what}for {} on {}  {}",
                time::span(record.seconds(now)),
                shown::repository(&record.repo, context),
                paint(
                    style::NAME,
                    format!("changeling logs -f {}", shown::short_id(&record.id))
                )
            );
            (record.changeling.to_string(), line)
        })
        .chain(there)
        .collect()
}

/// Where it runs, and whether that is as it should be.
fn place(target: &Target, status: &Status) -> Cell {
    match status.elsewhere.of(&target.changeling.name) {
        None => Cell::styled(style::FAINT, "here"),
        Some(app) if !app.is_there() => Cell::styled(style::BAD, "not at Modal"),
        Some(app) if !app.drift.is_empty() => Cell::styled(style::CAREFUL, "Modal"),
        Some(_) => Cell::new("Modal"),
    }
}

fn table(status: &Status, context: &Context) {
    let targets = &status.targets;
    let now = context.clock.now();
    let here = Zone::system_or_utc().0;
    let with_repo = targets
        .iter()
        .any(|target| target.changeling.repos.len() > 1);
    let mut columns = vec![Column::new("NAME").whole()];
    if with_repo {
        columns.push(
            Column::new("REPOSITORY")
                .keep_end()
                .first_to_shrink()
                .at_least(10),
        );
    }
    let with_place = !status.elsewhere.apps.is_empty();
    if with_place {
        columns.push(Column::new("WHERE").last_to_shrink().may_go());
    }
    columns.extend([
        Column::new("NEXT").at_least(12),
        Column::new("LAST").last_to_shrink().at_least(14),
        Column::new("THIS MONTH").right().at_least(8).may_go(),
    ]);
    let rows = targets.iter().map(|target| {
        let mut row = vec![Cell::styled(style::NAME, target.changeling.name.as_str())];
        if with_repo {
            row.push(Cell::new(shown::repository_of(target.repo, context)));
        }
        if with_place {
            row.push(place(target, status));
        }
        let app = status.elsewhere.of(&target.changeling.name);
        let news = app.and_then(|app| app.news(&target.repo.to_string(), target.last.as_ref()));
        let last = match news {
            Some(fate) => elsewhere::last(fate, now),
            None => shown::last(target.last.as_ref(), now),
        };
        let cost = if target.cost > 0.0 {
            format!("{} USD", time::dollars(target.cost))
        } else {
            String::new()
        };
        row.extend([target.next.cell(now, &here), last, Cell::new(cost)]);
        row
    });
    context.ui.table(columns, rows);
}

/// What differs from what is deployed, and what to type.
fn drifted(status: &Status) -> Vec<(String, String)> {
    let apps = status.elsewhere.apps.iter();
    let apps = apps.filter(|(_, app)| app.is_there() && !app.drift.is_empty());
    apps.map(|(name, app)| {
        let mut lines: Vec<_> = app.drift.iter().map(|what| printable(what)).collect();
        if lines.len() > MOST_DRIFT {
            let more = lines.len() - MOST_DRIFT;
            lines.truncate(MOST_DRIFT);
            lines.push(format!("{more} more; `changeling show {name}` has all"));
        }
        let command = format!("changeling deploy {name}");
        lines.push(format!(
            "{} {}",
            paint(style::HELP, "→"),
            paint(style::NAME, command)
        ));
        (name.to_string(), lines.join("\n"))
    })
    .collect()
}

fn open(status: &Status, context: &Context) -> Vec<(String, String)> {
    let now = context.clock.now();
    status
        .open
        .iter()
        .map(|delivery| {
            let line = format!(
                "{}\n{} (as of {})",
                printable(&delivery.url),
                printable(&delivery.title),
                time::ago(delivery.updated_at, now)
            );
            (delivery.changeling.to_string(), line)
        })
        .collect()
}
