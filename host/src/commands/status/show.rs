//! `status` for a person.

use super::gather::{Status, Target};
use crate::context::Context;
use crate::names::printable;
use crate::record::Kind;
use crate::schedule::Zone;
use crate::ui::style::{self, paint};
use crate::ui::{Cell, Column, block, time};

use super::super::list::next;
use super::super::runs::shown;

/// More than that is no list to go through in the morning.
const MOST_NEEDS: usize = 10;

pub(super) fn show(status: &Status, context: &Context) {
    let ui = &context.ui;
    if !status.needs.is_empty() {
        ui.out(block::heading("Needs you"));
        ui.pairs(&needs(status));
        ui.out("");
    }
    if !status.living.is_empty() {
        ui.out(block::heading("Running"));
        ui.pairs(&living(status, context));
        ui.out("");
    }
    if !status.targets.is_empty() {
        table(&status.targets, context);
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
}

fn needs(status: &Status) -> Vec<(String, String)> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    for need in status.needs.iter().take(MOST_NEEDS) {
        let name = need
            .changeling
            .as_ref()
            .map_or("budget", |name| name.as_str());
        let says = format!(
            "{}\n{} {}",
            printable(&need.says),
            paint(style::HELP, "→"),
            paint(style::NAME, printable(&need.command))
        );
        pairs.push((name.to_owned(), says));
    }
    if status.needs.len() > MOST_NEEDS {
        let rest = format!(
            "{} more; `changeling runs --outcome needs-attention` lists what waits for you",
            status.needs.len() - MOST_NEEDS
        );
        pairs.push(("and".to_owned(), rest));
    }
    pairs
}

fn living(status: &Status, context: &Context) -> Vec<(String, String)> {
    let now = context.clock.now();
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
        .collect()
}

fn table(targets: &[Target], context: &Context) {
    let now = context.clock.now();
    let here = Zone::system_or_utc().0;
    let with_repo = targets
        .iter()
        .any(|target| target.changeling.repos.len() > 1);
    let mut columns = vec![Column::new("NAME").last_to_shrink()];
    if with_repo {
        columns.push(
            Column::new("REPOSITORY")
                .keep_end()
                .first_to_shrink()
                .at_least(10),
        );
    }
    columns.extend([
        Column::new("NEXT").at_least(12),
        Column::new("LAST").last_to_shrink().at_least(14),
        Column::new("THIS MONTH").right().at_least(8),
    ]);
    let rows = targets.iter().map(|target| {
        let mut row = vec![Cell::styled(style::NAME, target.changeling.name.as_str())];
        if with_repo {
            row.push(Cell::new(shown::repository_of(target.repo, context)));
        }
        let cost = if target.cost > 0.0 {
            format!("{} USD", time::dollars(target.cost))
        } else {
            String::new()
        };
        row.extend([
            next(target.state(), target.fires(), now, &here),
            shown::last(target.last.as_ref(), now),
            Cell::new(cost),
        ]);
        row
    });
    context.ui.table(columns, rows);
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
