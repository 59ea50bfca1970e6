//! What is known of every changeling.

use jiff::Timestamp;
use serde::Serialize;

use crate::config::{Changeling, Config};
use crate::context::Context;
use crate::error::Result;
use crate::exec::{LEAST_USD, Outcome};
use crate::names::Name;
use crate::record::{Delivery, Kind, Record, Store, Summary, month_start};
use crate::repo_url::RepoUrl;
use crate::schedule::Zone;

use super::super::list::State;
use super::super::next::{Next, rfc3339};
use super::super::runs::shown;
use super::elsewhere::{App, Asked, Elsewhere, Shown};

/// Everything `status` knows.
pub(super) struct Status<'a> {
    /// What a person has to do something about.
    pub(super) needs: Vec<Need>,
    pub(super) living: Vec<Record>,
    pub(super) targets: Vec<Target<'a>>,
    pub(super) open: Vec<Delivery>,
    pub(super) month: Month,
    pub(super) elsewhere: Elsewhere,
}

/// A changeling on one of its repositories.
pub(super) struct Target<'a> {
    pub(super) changeling: &'a Changeling,
    pub(super) repo: &'a RepoUrl,
    pub(super) next: Next,
    pub(super) last: Option<Record>,
    /// Failures in a row.
    pub(super) failures: u32,
    /// US dollars this month.
    pub(super) cost: f64,
}

/// What all runs together cost.
#[derive(Debug, Serialize)]
pub(super) struct Month {
    pub(super) since: Timestamp,
    pub(super) cost_usd: f64,
    pub(super) budget_usd: f64,
}

/// Something only a person can mend.
#[derive(Debug, Serialize)]
pub(super) struct Need {
    /// `needs-attention`, `paused`, `failed`, `timed-out`, `interrupted` or `budget`; of what is deployed
    /// also `died-at-start`, `crashed`, `out-of-memory`, `never-started`, `no-record`, `missed-fire`,
    /// `not-at-modal`, `forgotten`, `still-fires` or `modal`.
    pub(super) what: &'static str,
    /// null: all of them.
    pub(super) changeling: Option<Name>,
    pub(super) repo: Option<String>,
    pub(super) run: Option<String>,
    pub(super) says: String,
    /// What to type.
    pub(super) command: String,
}

impl Target<'_> {
    pub(super) fn is_paused(&self) -> bool {
        self.changeling.is_paused_after(self.failures)
    }

    pub(super) fn state(&self) -> State {
        State::of(self.changeling, self.is_paused())
    }
}

/// `only`: one changeling, maybe one that is no longer in the configuration.
pub(super) fn gather<'a>(
    config: &'a Config,
    store: Option<&Store>,
    only: Option<&Name>,
    elsewhere: Elsewhere,
    context: &Context,
) -> Result<Status<'a>> {
    let now = context.clock.now();
    let since = month_start(now, &Zone::system_or_utc().0);
    let is_meant = |name: &Name| only.is_none_or(|only| only == name);
    let changelings = config.changelings.values();
    let meant = changelings.filter(|one| is_meant(&one.name));
    let places: Vec<_> = meant
        .flat_map(|changeling| changeling.repos.iter().map(move |repo| (changeling, repo)))
        .collect();
    let mut standings = Vec::new();
    if let Some(store) = store {
        let places = places.iter();
        let places = places.map(|(changeling, repo)| (&changeling.name, repo.to_string()));
        standings = store.standings(places, since)?;
    }
    let mut standings = standings.into_iter();
    let targets: Vec<_> = places
        .into_iter()
        .map(|(changeling, repo)| {
            let standing = standings.next().unwrap_or_default();
            let app = elsewhere.of(&changeling.name);
            let is_paused = changeling.is_paused_after(standing.failures);
            Target {
                next: Next::of(
                    changeling,
                    app.map(|app| &app.deployed),
                    app.is_none_or(App::is_there),
                    is_paused,
                    now,
                ),
                changeling,
                repo,
                last: standing.last,
                failures: standing.failures,
                cost: standing.cost_usd,
            }
        })
        .collect();
    let mut month = Month {
        since,
        cost_usd: 0.0,
        budget_usd: config.defaults.monthly_budget_usd,
    };
    let (mut living, mut open, mut waiting) = (Vec::new(), Vec::new(), Vec::new());
    if let Some(store) = store {
        month.cost_usd = store.cost_since(None, None, since)?;
        living = store.living()?;
        open = store.open_deliveries()?;
        waiting = store.needing_person()?;
    }
    living.retain(|record| is_meant(&record.changeling));
    open.retain(|delivery| is_meant(&delivery.changeling));
    waiting.retain(|record| is_meant(&record.changeling));
    let mut needs = needs(&waiting, &targets, &month, store);
    needs.extend(elsewhere.needs(config, now));
    Ok(Status {
        needs,
        living,
        targets,
        open,
        month,
        elsewhere,
    })
}

fn needs(
    waiting: &[Record],
    targets: &[Target],
    month: &Month,
    store: Option<&Store>,
) -> Vec<Need> {
    let mut needs = Vec::new();
    if month.budget_usd - month.cost_usd < LEAST_USD {
        needs.push(Need {
            what: "budget",
            changeling: None,
            repo: None,
            run: None,
            says: "the monthly budget is spent: nothing starts before the next month".to_owned(),
            command: "changeling config path   # monthly_budget_usd in [defaults]".to_owned(),
        });
    }
    for target in targets.iter().filter(|target| target.is_paused()) {
        let name = &target.changeling.name;
        // One that waits for a person is told of by itself.
        let last = target.last.as_ref().filter(|last| !last.needs_person());
        let last = last.map_or_else(String::new, |last| format!("; {}", sentence(last)));
        needs.push(Need {
            what: "paused",
            changeling: Some(name.clone()),
            repo: Some(target.repo.to_string()),
            run: target.last.as_ref().map(|run| run.id.clone()),
            says: format!("paused after {} failures in a row{last}", target.failures),
            command: format!("changeling enable {name}   # once it is mended"),
        });
    }
    for record in waiting {
        needs.push(Need {
            what: "needs-attention",
            changeling: Some(record.changeling.clone()),
            repo: Some(record.repo.clone()),
            run: Some(record.id.clone()),
            says: sentence(record),
            command: format!("changeling runs show {}", shown::short_id(&record.id)),
        });
    }
    for target in targets.iter().filter(|target| !target.is_paused()) {
        let Some(record) = target
            .last
            .as_ref()
            .filter(|record| record.settled_at.is_none())
        else {
            continue;
        };
        let left = || store.is_some_and(|store| store.has_unpublished_work(record));
        let says = match &record.outcome {
            Some(Outcome::Failed { .. } | Outcome::TimedOut { .. }) => sentence(record),
            Some(Outcome::Interrupted) if left() => {
                format!("{}; it left work", sentence(record))
            }
            _ => continue,
        };
        needs.push(Need {
            what: shown::word(record),
            changeling: Some(record.changeling.clone()),
            repo: Some(record.repo.clone()),
            run: Some(record.id.clone()),
            says,
            command: format!("changeling runs show {}", shown::short_id(&record.id)),
        });
    }
    needs
}

/// `failed (agent: it ended with exit code 7)`.
fn sentence(record: &Record) -> String {
    match &record.outcome {
        Some(outcome) => format!("{} ({})", outcome.word(), outcome.sentence()),
        None => "running".to_owned(),
    }
}

/// What scripts get. Fields are added, never renamed.
#[derive(Debug, Serialize)]
pub(super) struct Document<'a> {
    needs_person: &'a [Need],
    running: Vec<Summary>,
    changelings: Vec<Item<'a>>,
    /// Open when a run asked last.
    open: &'a [Delivery],
    /// Runs and rehearsals of all changelings.
    month: &'a Month,
    /// null: nothing is deployed.
    modal: Option<Asked>,
}

/// A changeling on one of its repositories.
#[derive(Debug, Serialize)]
struct Item<'a> {
    name: &'a Name,
    repo: &'a RepoUrl,
    state: State,
    /// RFC 3339, in the changeling's time zone; null when it does not fire.
    next_fire: Option<String>,
    /// `disabled`, `paused`, `not-deployed`, `not-at-modal` or `by-hand`; null when it fires.
    why_no_fire: Option<&'static str>,
    last: Option<Summary>,
    consecutive_failures: u32,
    /// This month.
    cost_usd: f64,
    /// null: it is not deployed.
    deployment: Option<Shown<'a>>,
}

impl Status<'_> {
    /// There is nothing to tell.
    pub(super) fn is_empty(&self) -> bool {
        let nothing_here = self.needs.is_empty() && self.living.is_empty();
        nothing_here && self.targets.is_empty() && self.elsewhere.apps.is_empty()
    }

    pub(super) fn document(&self, store: Option<&Store>, context: &Context) -> Document<'_> {
        let now = context.clock.now();
        let summary = |record: &Record| store.map(|store| Summary::of(record, store, now));
        let items = self.targets.iter().map(|target| Item {
            name: &target.changeling.name,
            repo: target.repo,
            state: target.state(),
            next_fire: target.next.fires().map(rfc3339),
            why_no_fire: target.next.why_no_fire(),
            last: target.last.as_ref().and_then(summary),
            consecutive_failures: target.failures,
            cost_usd: target.cost,
            deployment: self.elsewhere.of(&target.changeling.name).map(App::shown),
        });
        Document {
            needs_person: &self.needs,
            running: self.living.iter().filter_map(summary).collect(),
            changelings: items.collect(),
            open: &self.open,
            month: &self.month,
            modal: self.elsewhere.asked(),
        }
    }

    /// Runs of a kind that live.
    pub(super) fn living_of(&self, kind: Kind) -> impl Iterator<Item = &Record> {
        self.living.iter().filter(move |record| record.kind == kind)
    }
}
