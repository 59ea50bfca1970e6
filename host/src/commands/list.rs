use jiff::Zoned;
use serde::Serialize;

use crate::config::{Changeling, Config};
use crate::context::Context;
use crate::error::Result;
use crate::repo_url::RepoUrl;
use crate::schedule::{Schedule, Zone, in_few_words, in_words};
use crate::ui::{Cell, Column, style};

/// List the changelings
///
/// Reads the configuration only: instant, and the same without a network.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// What scripts get. Fields are added, never renamed.
#[derive(Debug, Serialize)]
struct Listing<'a> {
    changelings: Vec<Item<'a>>,
}

#[derive(Debug, Serialize)]
struct Item<'a> {
    name: &'a str,
    template: &'a str,
    repos: &'a [RepoUrl],
    /// Five cron fields; null: runs only by hand.
    schedule: Option<String>,
    schedule_in_words: Option<String>,
    timezone: &'a str,
    state: State,
    /// RFC 3339, in the changeling's time zone; null when it does not fire.
    next_fire: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum State {
    Enabled,
    Disabled,
}

pub fn run(args: &Args, context: &Context) -> Result<()> {
    let config = Config::load(&context.home)?;
    let now = context.clock.now();
    let listed: Vec<(&Changeling, Option<Zoned>)> = config
        .changelings
        .values()
        .map(|changeling| {
            let schedule = changeling.schedule.as_ref().filter(|_| changeling.enabled);
            (
                changeling,
                schedule.and_then(|schedule| schedule.next_after(now, &changeling.timezone)),
            )
        })
        .collect();
    if args.json {
        let changelings = listed
            .iter()
            .map(|(changeling, next)| item(changeling, next.as_ref()));
        context.ui.json(&Listing {
            changelings: changelings.collect(),
        });
        return Ok(());
    }
    if listed.is_empty() {
        context.ui.note(
            "there are no changelings yet: `changeling add --template fixme-fairy` in a clone adds one",
        );
        return Ok(());
    }
    table(&listed, context);
    Ok(())
}

fn item<'a>(changeling: &'a Changeling, next: Option<&Zoned>) -> Item<'a> {
    Item {
        name: changeling.name.as_str(),
        template: &changeling.template,
        repos: &changeling.repos,
        schedule: changeling.schedule.as_ref().map(ToString::to_string),
        schedule_in_words: changeling.schedule.as_ref().map(Schedule::describe),
        timezone: changeling.timezone.name(),
        state: if changeling.enabled {
            State::Enabled
        } else {
            State::Disabled
        },
        next_fire: next.map(rfc3339),
    }
}

/// A point in time as every program reads it.
pub(super) fn rfc3339(time: &Zoned) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

fn table(listed: &[(&Changeling, Option<Zoned>)], context: &Context) {
    let now = context.clock.now();
    let here = Zone::system_or_utc().0;
    let columns = [
        Column::new("NAME").last_to_shrink(),
        Column::new("TEMPLATE").at_least(12),
        Column::new("REPOSITORY")
            .keep_end()
            .first_to_shrink()
            .at_least(12),
        Column::new("SCHEDULE").at_least(12),
        Column::new("NEXT").last_to_shrink().at_least(20),
    ];
    let rows = listed.iter().map(|(changeling, next)| {
        let schedule = match &changeling.schedule {
            Some(schedule) => Cell::new(schedule.describe()).or(schedule.to_string()),
            None => Cell::styled(style::FAINT, "none"),
        };
        let next = match next {
            _ if !changeling.enabled => Cell::styled(style::CAREFUL, "disabled"),
            Some(next) => {
                let zone = abroad(next, &here);
                Cell::new(with_zone(&in_words(next, now), &zone))
                    .or(in_few_words(next, now) + &zone)
            }
            None => Cell::styled(style::FAINT, "only by hand"),
        };
        [
            Cell::styled(style::NAME, changeling.name.as_str()),
            template(&changeling.template),
            repositories(changeling, context),
            schedule,
            next,
        ]
    });
    context.ui.table(columns, rows);
}

/// Times are the changeling's own: where its clock shows another time than this machine's, the zone
/// stands behind them.
pub(super) fn abroad(time: &Zoned, here: &Zone) -> String {
    if here.time_zone().to_offset(time.timestamp()) == time.offset() {
        String::new()
    } else {
        time.strftime(" %Z").to_string()
    }
}

/// "tonight at 03:00 CET (in 8 h)": the zone belongs to the time.
pub(super) fn with_zone(words: &str, zone: &str) -> String {
    match words.split_once(" (") {
        Some((time, rest)) => format!("{time}{zone} ({rest}"),
        None => format!("{words}{zone}"),
    }
}

fn template(text: &str) -> Cell {
    Cell::new(text).or(text.rsplit('/').next().unwrap_or(text))
}

fn repositories(changeling: &Changeling, context: &Context) -> Cell {
    let short = |repo: &RepoUrl| match (repo.github(), repo) {
        (Some((owner, name)), _) => format!("{owner}/{name}"),
        (None, RepoUrl::Local(path)) => context.shown(path),
        (None, _) => repo.to_string(),
    };
    match &changeling.repos[..] {
        [] => Cell::new(""),
        [one] => Cell::new(short(one)).or(one.name()),
        [first, others @ ..] => Cell::new(format!("{} + {} more", short(first), others.len()))
            .or(format!("{} + {}", first.name(), others.len())),
    }
}
