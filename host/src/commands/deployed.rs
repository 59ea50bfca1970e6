//! A changeling's deployment as commands see it that look at it and change nothing: read from its folder,
//! without Modal.

use std::path::PathBuf;

use jiff::{Timestamp, Zoned};

use crate::config::{Config, parse_name};
use crate::context::Context;
use crate::error::Result;
use crate::modal::remote::{
    self, FIRE, Facts, Joined, Presence, Promise, RUN, Recorded, Seen, Wanted,
};
use crate::modal::{Client, Deployments, deploy, deployment, drift};
use crate::names::Name;
use crate::record::{File, Record, Store};
use crate::repo_url::RepoUrl;
use crate::schedule::{Schedule, Zone};
use crate::ui::time;

pub(super) struct Deployed {
    pub(super) folder: PathBuf,
    pub(super) confirmed: deployment::Deployed,
    /// What it fires by, there.
    pub(super) schedule: Option<(Schedule, Zone)>,
}

impl Deployed {
    /// `None`: it is not deployed from here.
    pub(super) fn of(name: &Name, context: &Context) -> Result<Option<Self>> {
        let deployments = Deployments::of(&context.home);
        let Some(confirmed) = deployments.deployed(name)? else {
            return Ok(None);
        };
        let app = &confirmed.document.app;
        let schedule = app.schedule.as_deref().map(Schedule::parse).transpose()?;
        let zone = Zone::parse(&app.timezone)?;
        Ok(Some(Self {
            folder: deployments.folder(name),
            schedule: schedule.map(|schedule| (schedule, zone)),
            confirmed,
        }))
    }

    /// All that are deployed from here, by name. Of one that cannot be read that is said.
    pub(super) fn all(context: &Context) -> Result<Vec<Self>> {
        let names = Deployments::of(&context.home).names()?;
        let read = |name: &Name| match Self::of(name, context) {
            Ok(deployed) => deployed,
            Err(error) => {
                let what = format!("what is deployed of {name} is not known: {error}");
                let hint = error
                    .hint
                    .map_or_else(String::new, |hint| format!("; {hint}"));
                context.ui.warn(what + &hint);
                None
            }
        };
        Ok(names.iter().filter_map(read).collect())
    }

    /// The app was there when Modal was last asked, or Modal was not asked since it was deployed.
    pub(super) fn was_there(&self) -> bool {
        Presence::read(&self.folder).is_none_or(|presence| self.is_there(presence))
    }

    /// The same, from what was seen. What was seen before it was deployed again says nothing.
    pub(super) fn is_there(&self, seen: Presence) -> bool {
        seen.deployed || seen.at < self.confirmed.at
    }

    /// Asks Modal what became of deploys whose end was not seen, where there are any.
    pub(super) fn settle(all: &mut [Self], client: &Client, context: &Context) -> Result<()> {
        let deployments = Deployments::of(&context.home);
        for deployed in all.iter_mut() {
            if deployments.unseen(deployed.name())?.is_none() {
                continue;
            }
            let app = deployed.confirmed.document.app.name.clone();
            let environment = deployed.confirmed.environment();
            let asked = deploy::inspect(&mut client.connect()?, environment, &[&app], false)?;
            if let Some(found) = asked.apps.get(&app) {
                deploy::settle(deployed.name(), found, context)?;
            }
            if let Some(settled) = Self::of(deployed.name(), context)? {
                *deployed = settled;
            }
        }
        Ok(())
    }

    /// When it fires next by itself, as it was deployed.
    pub(super) fn next(&self, now: Timestamp) -> Option<Zoned> {
        let (schedule, zone) = self.schedule.as_ref()?;
        schedule.next_after(now, zone)
    }

    /// How what is configured differs from what is deployed. What can no longer be deployed at all differs,
    /// too: why.
    pub(super) fn drift(&self, config: &Config, context: &Context) -> Vec<String> {
        let mut found = Vec::new();
        if let Ok(Some(unseen)) = Deployments::of(&context.home).unseen(self.name()) {
            let begun = time::ago(unseen.at, context.clock.now());
            found.push(format!(
                "a deploy begun {begun} is not done, or was interrupted"
            ));
        }
        let Ok(changeling) = config.changeling(self.name()) else {
            return found;
        };
        match deploy::here(changeling, config, &self.confirmed, context) {
            Ok(here) => {
                let drift = drift::between(&here, &self.confirmed.document);
                found.extend(drift.iter().map(ToString::to_string));
            }
            Err(error) => found.push(format!("it could not be deployed as it is: {error}")),
        }
        found
    }

    pub(super) fn name(&self) -> &Name {
        &self.confirmed.document.changeling
    }

    pub(super) fn repos(&self) -> Vec<RepoUrl> {
        self.confirmed
            .document
            .jobs
            .iter()
            .map(|job| job.repo.clone())
            .collect()
    }

    /// As it is written in records.
    pub(super) fn repo(&self, target: usize) -> String {
        let job = self.confirmed.document.jobs.get(target);
        job.map_or_else(String::new, |job| job.repo.to_string())
    }

    pub(super) fn wanted(&self) -> Wanted<'_> {
        let app = &self.confirmed.document.app;
        Wanted {
            changeling: self.name(),
            app: &app.name,
            environment: self.confirmed.environment(),
            volume: &app.volume,
            targets: self.confirmed.document.jobs.len(),
            folder: &self.folder,
        }
    }

    fn fans_out(&self) -> bool {
        self.confirmed.document.jobs.len() > 1
    }

    /// What became of its calls, from what Modal said when it was last asked.
    pub(super) fn join(&self, seen: &Seen, store: &Store) -> Result<Joined> {
        // As many as Modal lists calls, and again for those that were restarted.
        let most = 2 * remote::most_calls(self.confirmed.document.jobs.len());
        let runs = store.runs_elsewhere(self.name(), u32::try_from(most).unwrap_or(u32::MAX))?;
        let records: Vec<Recorded> = runs.iter().filter_map(recorded).collect();
        let promise = self.schedule.as_ref().filter(|_| seen.deployed);
        let promise = promise.map(|(schedule, zone)| Promise {
            schedule,
            zone,
            function: if self.fans_out() { FIRE } else { RUN },
            since: self.confirmed.at,
            cut: seen.cut,
        });
        Ok(remote::join(&Facts {
            calls: &seen.calls,
            begun: &seen.begun,
            records: &records,
            promise,
            at: seen.at,
        }))
    }

    /// Says that a run there is not what is configured here.
    pub(super) fn warn_of_drift(&self, config: &Config, context: &Context) {
        let drift = self.drift(config, context);
        if !drift.is_empty() {
            context.ui.warn(format_args!(
                "it runs as it was deployed ({}); `changeling deploy {}` brings it up to date",
                drift.join("; "),
                self.name()
            ));
        }
    }
}

fn recorded(run: &Record) -> Option<Recorded<'_>> {
    let origin = run.origin.as_ref()?;
    Some(Recorded {
        run: &run.id,
        call: &origin.call,
        attempt: &origin.attempt,
        repo: &run.repo,
        trigger: origin.by,
        started_at: run.started_at,
    })
}

/// Takes the records of everything that is deployed into the history, or of those named.
///
/// # Errors
/// Modal cannot be asked.
pub(super) fn fetch(only: Option<&[Name]>, context: &Context) -> Result<()> {
    let mut all = Deployed::all(context)?;
    all.retain(|deployed| only.is_none_or(|only| only.contains(deployed.name())));
    if all.is_empty() {
        return Ok(());
    }
    let config = Config::load(&context.home)?;
    let client = Client::find(&config, context)?;
    let store = Store::open(&context.home)?;
    let wanted: Vec<Wanted> = all.iter().map(Deployed::wanted).collect();
    let progress = context.ui.quick_progress("asking Modal");
    let fetched = remote::look(&client, &wanted, &store, context.clock.now());
    drop(progress);
    let fetched = fetched?;
    for (name, trouble) in &fetched.troubles {
        context.ui.warn(format_args!(
            "the records of {name} are not known: {trouble}"
        ));
    }
    for what in &fetched.unread {
        context.ui.warn(what);
    }
    Ok(())
}

/// Brings the files of a run elsewhere here, once. That they cannot be had is a warning: the record says
/// the rest.
pub(super) fn bring_files(record: &Record, store: &Store, context: &Context) {
    let Some(origin) = &record.origin else {
        return;
    };
    // Every run has written down what happened.
    if store.path_of(&record.id, File::Events).is_some() {
        return;
    }
    let bring = || -> Result<()> {
        let config = Config::load(&context.home)?;
        let client = Client::find(&config, context)?;
        let _progress = context.ui.quick_progress("fetching its files from Modal");
        let deployed = Deployed::of(&record.changeling, context)?;
        // What was undeployed may have left its volume.
        let name = format!("changeling-{}", record.changeling);
        let wanted = deployed.as_ref().map_or_else(
            || Wanted {
                changeling: &record.changeling,
                app: &name,
                environment: config.modal.environment.as_deref(),
                volume: &name,
                targets: 1,
                folder: context.home.root(),
            },
            Deployed::wanted,
        );
        remote::files(&client, &wanted, &origin.key(), &record.id, store)
    };
    if let Err(error) = bring() {
        context.ui.warn(format_args!(
            "the files of run {} are at Modal, and cannot be fetched: {error}",
            record.id
        ));
    }
}

/// The changeling of that name, when it is deployed.
pub(super) fn named(text: &str, context: &Context) -> Result<Option<Deployed>> {
    match parse_name(text) {
        Ok(name) => Deployed::of(&name, context),
        Err(_) => Ok(None),
    }
}
