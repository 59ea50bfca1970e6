//! What `enable` and `disable` do to what is deployed: it gets its schedule back, or loses it, and stays
//! otherwise as it is.

use std::collections::BTreeMap;

use crate::config::Config;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::modal::Document;
use crate::modal::client::Client;
use crate::modal::deploy::{self, How, News, Sending};
use crate::modal::deployment::{Deployed, Deployments};
use crate::names::Name;

/// Sends those of `names` that are deployed with the other setting. `all`: stops everything, runs that
/// are going on included.
pub(in crate::commands) fn reschedule(
    names: &[Name],
    enabled: bool,
    all: bool,
    dry_run: bool,
    config: &Config,
    context: &Context,
) -> Result<()> {
    let deployments = Deployments::of(&context.home);
    let mut others = Vec::new();
    for name in names {
        if let Some(deployed) = deployments.deployed(name)?
            && is_other(&deployed, enabled)
        {
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
    let client = Client::find(config, context).map_err(|error| unfinished(error.into()))?;
    let how = How {
        end_runs: all && !enabled,
    };
    let progress = ui.progress("telling Modal");
    let mut first = None;
    let mut environments: BTreeMap<Option<&str>, Vec<Document>> = BTreeMap::new();
    for deployed in &others {
        let document = deploy::rescheduled(deployed, enabled, context).map_err(unfinished)?;
        let here = environments.entry(deployed.environment()).or_default();
        here.push(document);
    }
    for (environment, documents) in environments {
        let sendings: Vec<_> = documents
            .iter()
            .map(|document| Sending {
                document,
                values: None,
            })
            .collect();
        let mut hear = |news: News<'_>| match news {
            News::Begun(_) => {}
            News::Done(name, _) => ui.note(done(name)),
            News::Failed(name, error) => {
                first.get_or_insert_with(|| error.context(name.clone()));
            }
        };
        deploy::send(&client, &sendings, environment, how, context, &mut hear)
            .map_err(unfinished)?;
    }
    drop(progress);
    match first {
        None => Ok(()),
        Some(error) => Err(unfinished(error)),
    }
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
