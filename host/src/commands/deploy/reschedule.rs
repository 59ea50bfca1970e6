//! What `enable` and `disable` do to what is deployed: it gets its schedule back, or loses it, and stays
//! otherwise as it is.

use std::collections::BTreeMap;

use crate::config::Config;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::modal::client::Client;
use crate::modal::deploy::{self, Found, How, News, Place, Rescheduled, Sending};
use crate::modal::deployment::{Deployed, Deployments};
use crate::names::Name;

/// Sends those of `names` that are deployed with the other setting. `all`: stops everything, runs that
/// are going on included. `away`: what was heard when Modal was asked before.
pub(in crate::commands) fn reschedule(
    names: &[Name],
    enabled: bool,
    all: bool,
    dry_run: bool,
    away: Option<&Error>,
    config: &Config,
    context: &Context,
) -> Result<()> {
    let deployments = Deployments::of(&context.home);
    let ends_all = all && !enabled;
    let mut names = names.to_vec();
    if ends_all {
        // What was renamed, or taken out of the configuration by hand, runs all the same.
        names.extend(deployments.names()?);
        names.sort();
        names.dedup();
    }
    let mut others = Vec::new();
    for name in &names {
        let Some(deployed) = deployments.deployed(name)? else {
            continue;
        };
        // One that is off its schedule may have a run going on; and what an interrupted deploy left is
        // known to Modal alone.
        if ends_all || is_other(&deployed, enabled) || deployments.unseen(name)?.is_some() {
            others.push(deployed);
        }
    }
    if others.is_empty() {
        return Ok(());
    }
    let ui = &context.ui;
    let done = |name: &Name| {
        if enabled {
            format!("{name} runs on its schedule again on Modal")
        } else {
            format!("{name} is off its schedule on Modal")
        }
    };
    if dry_run {
        for deployed in &others {
            let name = &deployed.document.changeling;
            ui.note(format!("would be deployed again, so that {}", done(name)));
        }
        return Ok(());
    }
    let names: Vec<_> = others
        .iter()
        .map(|deployed| deployed.document.changeling.as_str())
        .collect();
    let names = names.join(" ");
    let unfinished = |error| unfinished(error, &names, enabled);
    if let Some(away) = away {
        return Err(unfinished(away.once_more()));
    }
    let modal = Client::find(config, context).and_then(|client| client.connect());
    let mut modal = modal.map_err(|error| unfinished(error.into()))?;
    let how = How { end_runs: ends_all };
    let progress = ui.progress("telling Modal");
    let (mut first, mut going_on) = (None, Vec::new());
    let home = deployments.id()?;
    let mut environments: BTreeMap<Option<&str>, Vec<&Deployed>> = BTreeMap::new();
    for deployed in &others {
        let here = environments.entry(deployed.environment()).or_default();
        here.push(deployed);
    }
    for (environment, there) in environments {
        let apps: Vec<_> = there
            .iter()
            .map(|deployed| deployed.document.app.name.as_str())
            .collect();
        let inspected =
            deploy::inspect(&mut modal, environment, &apps, false).map_err(unfinished)?;
        let mut changed: Vec<Rescheduled> = Vec::new();
        for deployed in there {
            let name = &deployed.document.changeling;
            let found = inspected.apps.get(&deployed.document.app.name);
            let Some(found) = found.filter(|found| found.is_there()) else {
                ui.note(format!("there is no app of {name} on Modal any more"));
                continue;
            };
            let one = ours(deployed, found, &inspected.place, &home).and_then(|()| {
                deploy::settle(name, found, context)?;
                match deployments.deployed(name)? {
                    Some(settled) if ends_all || is_other(&settled, enabled) => {
                        deploy::rescheduled(&settled, enabled, config, context).map(Some)
                    }
                    Some(_) => {
                        ui.note(done(name));
                        Ok(None)
                    }
                    None => Ok(None),
                }
            });
            match one {
                Ok(one) => changed.extend(one),
                Err(error) => drop(first.get_or_insert(error)),
            }
        }
        for one in changed.iter().filter(|one| one.is_replaced) {
            let name = &one.document.changeling;
            ui.note(format!(
                "the program that was deployed of {name} is not on this machine: this one takes its place"
            ));
        }
        let sendings: Vec<_> = changed
            .iter()
            .map(|one| Sending {
                document: &one.document,
                folder: one.folder.clone(),
                values: None,
            })
            .collect();
        if sendings.is_empty() {
            continue;
        }
        let mut hear = |news: News<'_>| match news {
            News::Begun(_) => {}
            News::Done(name, _) => ui.note(done(name)),
            News::Failed(name, error) => {
                first.get_or_insert_with(|| error.context(name.clone()));
            }
            News::GoesOn(name, why) => {
                going_on.push(goes_on(name, &why, environment));
            }
        };
        let place = &inspected.place;
        deploy::send(&mut modal, &sendings, place, how, context, &mut hear).map_err(unfinished)?;
    }
    drop(progress);
    let end = first.map(unfinished).or_else(|| going_on.pop());
    for error in &going_on {
        ui.error(error);
    }
    end.map_or(Ok(()), Err)
}

/// It is off its schedule, and costs money all the same.
fn goes_on(name: &Name, why: &str, environment: Option<&str>) -> Error {
    let place = environment.map_or_else(String::new, |name| format!(" --env {name}"));
    let error = format!("what {name} has under way on Modal may go on: {why}");
    Error::needs_person(error).with_hint(format!(
        "`modal app stop changeling-{name}{place}` ends it with its app; `modal container list{place}` and \
         `modal container stop ID` end a run alone; `changeling disable --all` tries again"
    ))
}

/// It is the one that was deployed from here, or adopted.
fn ours(deployed: &Deployed, found: &Found, place: &Place, home: &str) -> Result<()> {
    deploy::check_place(deployed, place)?;
    if deploy::is_as_noted(deployed, found) {
        return Ok(());
    }
    deploy::check_owner(home, &deployed.document, found, Some(deployed), false)
}

/// Its schedule at Modal is not what the configuration says from now on.
fn is_other(deployed: &Deployed, enabled: bool) -> bool {
    let document = &deployed.document;
    let entry = document.config.get("changelings");
    let entry = entry.and_then(|table| table.get(document.changeling.as_str()));
    let has_one = entry.is_some_and(|entry| entry.get("schedule").is_some());
    has_one && document.app.schedule.is_some() != enabled
}

/// The configuration is changed, and Modal does not know.
fn unfinished(error: Error, names: &str, enabled: bool) -> Error {
    let hint = error.hint.clone();
    let (told, again) = if enabled {
        (
            "enabled here, and still off its schedule on Modal",
            "enable",
        )
    } else {
        (
            "disabled here, and still on its schedule on Modal",
            "disable",
        )
    };
    let error = error.context(told);
    let again = format!("`changeling {again} {names}` tries again");
    error.with_hint(match hint {
        Some(hint) => format!("{hint}; {again}"),
        None => again,
    })
}
