use jiff::Timestamp;
use serde::Serialize;

use super::deployed::Deployed;
use super::next::{Next, rfc3339};
use super::runs::shown;
use crate::config::{Changeling, Config};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::exec::Outcome;
use crate::record::{Record, Standing, Store};
use crate::repo_url::RepoUrl;
use crate::schedule::{Schedule, Zone};
use crate::ui::{Cell, Column, style};

/// List the changelings
///
/// Reads the configuration, what was deployed and the records on this machine: instant, and the same
/// without a network.
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
    /// `disabled`, `paused`, `not-deployed`, `not-at-modal` or `by-hand`; null when it fires.
    why_no_fire: Option<&'static str>,
    /// Word of the outcome of its latest run; null while it runs and before its first.
    last_outcome: Option<&'static str>,
    /// When its latest run started.
    last_started_at: Option<Timestamp>,
    /// When it was deployed to Modal last; null: it is not deployed.
    deployed_at: Option<Timestamp>,
}

/// Whether a changeling runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum State {
    Enabled,
    Disabled,
    /// It failed too often, and waits for a person.
    Paused,
}

impl State {
    pub(super) fn of(changeling: &Changeling, is_paused: bool) -> Self {
        match (changeling.enabled, is_paused) {
            (false, _) => Self::Disabled,
            (true, true) => Self::Paused,
            (true, false) => Self::Enabled,
        }
    }
}

/// Paused is a matter of each repository: the changeling is when all of them are.
pub(super) fn is_paused(changeling: &Changeling, standings: &[Standing]) -> bool {
    let is_paused = |standing: &Standing| changeling.is_paused_after(standing.failures);
    !standings.is_empty() && standings.iter().all(is_paused)
}

/// A changeling with what is known of its runs.
struct Listed<'a> {
    changeling: &'a Changeling,
    next: Next,
    /// The latest run on any of its repositories.
    last: Option<Record>,
    state: State,
    deployed: Option<&'a Deployed>,
    /// The app is there, as far as is known.
    is_there: bool,
}

impl<'a> Listed<'a> {
    /// `standings`: one for each repository, as far as there is a history.
    fn of(
        changeling: &'a Changeling,
        standings: Vec<Standing>,
        deployed: Option<&'a Deployed>,
        now: Timestamp,
    ) -> Self {
        let is_paused = is_paused(changeling, &standings);
        let is_there = deployed.is_none_or(Deployed::was_there);
        let runs = standings.into_iter().filter_map(|standing| standing.last);
        Self {
            next: Next::of(changeling, deployed, is_there, is_paused, now),
            state: State::of(changeling, is_paused),
            last: runs.max_by_key(|run| run.started_at),
            deployed,
            is_there,
            changeling,
        }
    }

    fn all(
        config: &'a Config,
        store: Option<&Store>,
        deployed: &'a [Deployed],
        now: Timestamp,
    ) -> Result<Vec<Self>> {
        let changelings = config.changelings.values();
        let mut standings = Vec::new();
        if let Some(store) = store {
            let places = changelings.clone().flat_map(|changeling| {
                let repos = changeling.repos.iter();
                repos.map(|repo| (&changeling.name, repo.to_string()))
            });
            standings = store.standings(places, now)?;
        }
        let mut standings = standings.into_iter();
        let listed = changelings.map(|changeling| {
            let own = standings.by_ref().take(changeling.repos.len()).collect();
            let deployed = deployed.iter().find(|one| *one.name() == changeling.name);
            Self::of(changeling, own, deployed, now)
        });
        Ok(listed.collect())
    }
}

pub fn run(args: &Args, context: &Context) -> Result<()> {
    let config = Config::load(&context.home)?;
    let now = context.clock.now();
    // A history that cannot be read is no reason not to say what is configured.
    let store = Store::open_existing(&context.home).unwrap_or_else(|error| {
        context.ui.warn(Error::from(error));
        None
    });
    let deployed = Deployed::all(context)?;
    let listed = Listed::all(&config, store.as_ref(), &deployed, now)?;
    if args.json {
        context.ui.json(&Listing {
            changelings: listed.iter().map(item).collect(),
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

fn item<'a>(listed: &'a Listed) -> Item<'a> {
    let changeling = listed.changeling;
    let outcome = listed.last.as_ref().and_then(|run| run.outcome.as_ref());
    Item {
        name: changeling.name.as_str(),
        template: &changeling.template,
        repos: &changeling.repos,
        schedule: changeling.schedule.as_ref().map(ToString::to_string),
        schedule_in_words: changeling.schedule.as_ref().map(Schedule::describe),
        timezone: changeling.timezone.name(),
        state: listed.state,
        next_fire: listed.next.fires().map(rfc3339),
        why_no_fire: listed.next.why_no_fire(),
        last_outcome: outcome.map(Outcome::word),
        last_started_at: listed.last.as_ref().map(|run| run.started_at),
        deployed_at: listed.deployed.map(|deployed| deployed.confirmed.at),
    }
}

fn table(listed: &[Listed], context: &Context) {
    let now = context.clock.now();
    let here = Zone::system_or_utc().0;
    let with_last = listed.iter().any(|listed| listed.last.is_some());
    // Where there is little room, the next time says enough of the schedule.
    let has_room = context.ui.columns.is_none_or(|columns| columns >= 100);
    let with_place = listed.iter().any(|listed| listed.deployed.is_some());
    let with_schedule = !(with_last || with_place) || has_room;
    let mut columns = vec![
        Column::new("NAME").whole(),
        Column::new("TEMPLATE").at_least(12).may_go(),
        Column::new("REPOSITORY")
            .keep_end()
            .first_to_shrink()
            .may_go()
            .at_least(if with_last { 10 } else { 12 }),
    ];
    if with_schedule {
        columns.push(Column::new("SCHEDULE").at_least(12).may_go());
    }
    if with_place {
        columns.push(Column::new("WHERE").last_to_shrink());
    }
    let least = if with_last { 14 } else { 20 };
    columns.push(Column::new("NEXT").last_to_shrink().at_least(least));
    if with_last {
        columns.push(Column::new("LAST").last_to_shrink().at_least(14));
    }
    let rows = listed.iter().map(|listed| {
        let changeling = listed.changeling;
        let schedule = match &changeling.schedule {
            Some(schedule) => Cell::new(schedule.describe()).or(schedule.to_string()),
            None => Cell::styled(style::FAINT, "none"),
        };
        let mut row = vec![
            Cell::styled(style::NAME, changeling.name.as_str()),
            template(&changeling.template),
            repositories(changeling, context),
        ];
        if with_schedule {
            row.push(schedule);
        }
        if with_place {
            row.push(match listed.deployed {
                Some(_) if !listed.is_there => Cell::styled(style::BAD, "not at Modal"),
                Some(_) => Cell::new("Modal"),
                None => Cell::styled(style::FAINT, "here"),
            });
        }
        row.push(listed.next.cell(now, &here));
        if with_last {
            row.push(shown::last(listed.last.as_ref(), now));
        }
        row
    });
    context.ui.table(columns, rows);
}

fn template(text: &str) -> Cell {
    Cell::new(text).or(text.rsplit('/').next().unwrap_or(text))
}

fn repositories(changeling: &Changeling, context: &Context) -> Cell {
    let short = |repo| shown::repository_of(repo, context);
    match &changeling.repos[..] {
        [] => Cell::new(""),
        [one] => Cell::new(short(one)).or(one.name()),
        [first, others @ ..] => Cell::new(format!("{} + {} more", short(first), others.len()))
            .or(format!("{} + {}", first.name(), others.len())),
    }
}
