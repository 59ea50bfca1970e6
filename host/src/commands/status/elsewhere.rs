//! What is deployed, as Modal shows it now, or showed it when it could last be asked.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::gather::Need;
use crate::commands::deployed::Deployed;
use crate::commands::runs::shown;
use crate::config::Config;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::modal::Client;
use crate::modal::client::Trouble;
use crate::modal::remote::{self, Fate, Fetched, Joined, Seen, Wanted};
use crate::names::Name;
use crate::record::{Record, Store};

/// Fires that are named; the rest is counted.
const MOST_FIRES: usize = 2;

/// Everything that is deployed from here.
#[derive(Default)]
pub(super) struct Elsewhere {
    pub(super) apps: BTreeMap<Name, App>,
    /// Why what is shown is old.
    pub(super) failed: Option<Error>,
    /// Modal was asked now.
    pub(super) is_fresh: bool,
}

/// One app.
pub(super) struct App {
    pub(super) deployed: Deployed,
    /// `None`: Modal was never asked.
    seen: Option<Seen>,
    pub(super) joined: Joined,
    trouble: Option<Trouble>,
    /// How the configuration differs from it.
    pub(super) drift: Vec<String>,
}

/// In `--json`. Fields are added, never renamed.
#[derive(Debug, Serialize)]
pub(super) struct Asked {
    /// Modal answered now; else what is shown is what it said before.
    fresh: bool,
    /// Why it did not.
    error: Option<String>,
    hint: Option<String>,
}

/// In `--json`: a changeling's app.
#[derive(Debug, Serialize)]
pub(super) struct Shown<'a> {
    app: &'a str,
    environment: Option<&'a str>,
    deployed_at: Timestamp,
    /// Version of the program that deployed it.
    by: &'a str,
    /// null: Modal was never asked.
    at_modal: Option<bool>,
    /// When Modal was asked.
    as_of: Option<Timestamp>,
    error: Option<String>,
    /// Newest first.
    calls: &'a [Fate],
    missed_fires: &'a [Timestamp],
    drift: &'a [String],
}

impl Elsewhere {
    /// Asks Modal about everything that is deployed, or only about one; in one process. New records go
    /// into the history on the way. With nothing deployed, or `offline`, nothing is asked.
    pub(super) fn ask(
        config: &Config,
        only: Option<&Name>,
        offline: bool,
        context: &Context,
    ) -> Result<Self> {
        let mut all = Deployed::all(context)?;
        all.retain(|deployed| only.is_none_or(|only| only == deployed.name()));
        if all.is_empty() {
            return Ok(Self::default());
        }
        let store = Store::open(&context.home)?;
        let (mut fetched, mut failed) = (Fetched::default(), None);
        if !offline {
            let progress = context.ui.quick_progress("asking Modal");
            let asked = Client::find(config, context)
                .map_err(Error::from)
                .and_then(|client| {
                    Deployed::settle(&mut all, &client, context)?;
                    let wanted: Vec<Wanted> = all.iter().map(Deployed::wanted).collect();
                    remote::look(&client, &wanted, &store, context.clock.now())
                });
            drop(progress);
            match asked {
                Ok(asked) => fetched = asked,
                Err(error) => failed = Some(error),
            }
        }
        for what in &fetched.unread {
            context.ui.warn(what);
        }
        let is_fresh = !offline && failed.is_none();
        let mut apps = BTreeMap::new();
        for deployed in all {
            let name = deployed.name().clone();
            let seen = fetched.seen.remove(&name);
            let seen = seen.or_else(|| Seen::read(&deployed.folder));
            let joined = match &seen {
                Some(seen) => deployed.join(seen, &store)?,
                None => Joined::default(),
            };
            let trouble = fetched.troubles.remove(&name);
            let drift = deployed.drift(config, context);
            let app = App {
                deployed,
                seen,
                joined,
                trouble,
                drift,
            };
            apps.insert(name, app);
        }
        Ok(Self {
            apps,
            failed,
            is_fresh,
        })
    }

    pub(super) fn of(&self, name: &Name) -> Option<&App> {
        self.apps.get(name)
    }

    pub(super) fn asked(&self) -> Option<Asked> {
        (!self.apps.is_empty()).then(|| Asked {
            fresh: self.is_fresh,
            error: self.failed.as_ref().map(ToString::to_string),
            hint: self.failed.as_ref().and_then(|error| error.hint.clone()),
        })
    }

    /// When what is known is from, unless it is from now.
    pub(super) fn as_of(&self) -> Option<Timestamp> {
        let seen = self.apps.values().filter_map(|app| app.seen.as_ref());
        seen.map(|seen| seen.at).min().filter(|_| !self.is_fresh)
    }

    /// What a person has to do something about, of which no record tells.
    pub(super) fn needs(&self, config: &Config, now: Timestamp) -> Vec<Need> {
        let apps = self.apps.values();
        apps.flat_map(|app| app.needs(config, now)).collect()
    }
}

impl App {
    /// The app is there, as far as is known.
    pub(super) fn is_there(&self) -> bool {
        let seen = self.seen.as_ref();
        seen.is_none_or(|seen| self.deployed.is_there(seen.presence()))
    }

    /// The latest call on a repository, when it says more than the latest record does.
    pub(super) fn news(&self, repo: &str, last: Option<&Record>) -> Option<&Fate> {
        let fate = self.joined.last(repo)?;
        let is_news = fate.state.is_open() || fate.state.is_bad();
        let is_newer = last.is_none_or(|last| last.started_at <= fate.at);
        (is_news && (is_newer || fate.state.is_open())).then_some(fate)
    }

    pub(super) fn running(&self) -> impl Iterator<Item = &Fate> {
        let calls = self.joined.calls.iter();
        calls.filter(|fate| fate.state.is_open() && !fate.state.is_bad())
    }

    pub(super) fn shown(&self) -> Shown<'_> {
        let document = &self.deployed.confirmed.document;
        Shown {
            app: &document.app.name,
            environment: self.deployed.confirmed.environment(),
            deployed_at: self.deployed.confirmed.at,
            by: &document.changelings,
            at_modal: self.seen.as_ref().map(|_| self.is_there()),
            as_of: self.seen.as_ref().map(|seen| seen.at),
            error: self.trouble.as_ref().map(ToString::to_string),
            calls: &self.joined.calls,
            missed_fires: &self.joined.missed,
            drift: &self.drift,
        }
    }

    fn needs(&self, config: &Config, now: Timestamp) -> Vec<Need> {
        let name = self.deployed.name();
        let need = |what, repo: Option<&str>, says: String, command: String| Need {
            what,
            changeling: Some(name.clone()),
            repo: repo.map(str::to_owned),
            run: None,
            says,
            command,
        };
        let mut needs = Vec::new();
        if let Some(trouble) = &self.trouble {
            let command = trouble
                .hint()
                .unwrap_or_else(|| "changeling doctor".to_owned());
            let command = command.replace("NAME", name.as_str());
            needs.push(need("modal", None, trouble.to_string(), command));
        }
        if !config.changelings.contains_key(name) {
            let says = "is deployed, and no longer in the configuration".to_owned();
            needs.push(need(
                "forgotten",
                None,
                says,
                format!("changeling undeploy {name}"),
            ));
        }
        if self.is_there()
            && self.deployed.schedule.is_some()
            && config.changelings.get(name).is_some_and(|one| !one.enabled)
        {
            needs.push(need(
                "still-fires",
                None,
                "is disabled here, and still on its schedule on Modal".to_owned(),
                format!("changeling disable {name}"),
            ));
        }
        if !self.is_there() {
            let says =
                "its app is not at Modal any more: somebody stopped or deleted it".to_owned();
            let command = format!("changeling deploy {name}   # or: changeling undeploy {name}");
            needs.push(need("not-at-modal", None, says, command));
            return needs;
        }
        for repo in self.deployed.repos() {
            let repo = repo.to_string();
            if let Some(fate) = self.joined.last(&repo).filter(|fate| fate.state.is_bad())
                && let Some(command) = fate.command(name)
            {
                let says = format!("{} ({})", fate.state.word(), fate.sentence(now));
                let of = fate.repo.as_deref();
                needs.push(need(fate.state.word(), of, says, command));
                if of.is_none() {
                    // Nobody knows which it was meant for: once is enough.
                    break;
                }
            }
        }
        needs.extend(self.missed().map(|says| {
            need(
                "missed-fire",
                None,
                says,
                format!("changeling deploy {name}"),
            )
        }));
        needs
    }

    /// Fires that nothing answered to, unless one did since.
    fn missed(&self) -> Option<String> {
        let since = self.joined.calls.iter().map(|fate| fate.at).max();
        let missed = self.joined.missed.iter();
        let missed: Vec<_> = missed
            .filter(|fire| since.is_none_or(|since| **fire > since))
            .collect();
        let (_, zone) = self.deployed.schedule.as_ref()?;
        let at = self.seen.as_ref()?.at;
        let shown: Vec<_> = missed
            .iter()
            .rev()
            .take(MOST_FIRES)
            .map(|fire| crate::ui::time::when(**fire, at, zone))
            .collect();
        let more = match missed.len().saturating_sub(MOST_FIRES) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        (!missed.is_empty()).then(|| {
            format!(
                "it should have fired {}{more}, and Modal lists no call for it",
                shown.join(", ")
            )
        })
    }
}

/// A call without a record, as the latest run is shown.
pub(super) fn last(fate: &Fate, now: Timestamp) -> crate::ui::Cell {
    use crate::ui::{Cell, style, time};
    let word = fate.state.word();
    let seconds = now.duration_since(fate.at).as_secs();
    let (style, text) = if fate.state.is_bad() {
        (style::BAD, format!("{word} {}", time::ago(fate.at, now)))
    } else {
        (
            style::NAME,
            format!("{word} for {}", time::brief_span(seconds)),
        )
    };
    Cell::styled(style, text).or(format!("{word} {}", time::brief_span(seconds)))
}

/// `owner/name at Modal for 5 min`, and how to follow it.
pub(super) fn line(fate: &Fate, app: &App, now: Timestamp, context: &Context) -> String {
    use crate::ui::style::{self, paint};
    let on = match (&fate.repo, app.deployed.repos().as_slice()) {
        (Some(repo), _) => format!(" on {}", shown::repository(repo, context)),
        (None, [only]) => format!(" on {}", shown::repository_of(only, context)),
        _ => String::new(),
    };
    let seconds = now.duration_since(fate.at).as_secs();
    let name = app.deployed.name();
    format!(
        "{} at Modal for {}{on}  {}",
        fate.state.word(),
        crate::ui::time::span(seconds),
        paint(style::NAME, format!("changeling logs -f {name}"))
    )
}
