//! Deploying: everything is prepared and checked before Modal is told anything, and what Modal has is
//! confirmed before it is taken for deployed.

mod ask;
mod prepare;
mod reschedule;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};

pub use ask::{Crons, Found, Inspected, Place, inspect};
pub use prepare::{File, Preparation, Prepared, here};
pub use reschedule::{Rescheduled, rescheduled};

use super::client::{Cause, Session, Trouble};
use super::deployment::{Deployed, Deployments, TAG_HOME, TAG_JOB};
use super::document::Document;
use crate::context::Context;
use crate::error::{Error, Kind, Result};
use crate::names::{Name, printable};

/// Apps that are worked on at once.
const PARALLEL: usize = 12;

/// How long a deploy that nobody saw end may be one that is not done: images take their time.
const UNDER_WAY: Duration = Duration::from_hours(1);

/// An app to send: a document that lies in a folder with its files.
#[derive(Debug)]
pub struct Sending<'a> {
    pub document: &'a Document,
    pub folder: PathBuf,
    /// Values of its secret; `None`: the secret stays as it is.
    pub values: Option<&'a BTreeMap<String, String>>,
}

/// How to send.
#[derive(Debug, Clone, Copy, Default)]
pub struct How {
    /// End the runs that are going on, instead of letting them end.
    pub end_runs: bool,
}

/// What happens meanwhile.
#[derive(Debug)]
pub enum News<'a> {
    Begun(&'a Name),
    Done(&'a Name, &'a Deployed),
    Failed(&'a Name, Error),
    /// It is there, and what it had under way may go on: why.
    GoesOn(&'a Name, String),
}

/// Apps that somebody else deployed, or a home other than this one.
///
/// # Errors
/// There is one, and `take_over` was not said.
pub fn check_owner(
    home: &str,
    document: &Document,
    found: &Found,
    before: Option<&Deployed>,
    take_over: bool,
) -> Result<()> {
    if take_over || !found.is_there() {
        return Ok(());
    }
    let is_ours = match found.tags.get(TAG_HOME) {
        Some(owner) => owner == home,
        // Somebody took the tags off; it is still the app that was made here.
        None => before.is_some_and(|before| Some(&before.app_id) == found.app_id.as_ref()),
    };
    if is_ours {
        return Ok(());
    }
    let name = &document.changeling;
    let app = &document.app.name;
    let whose = match found.tags.get(TAG_HOME) {
        Some(home) => format!(
            "was deployed from another CHANGELINGS_HOME ({})",
            printable(home)
        ),
        None => "was not deployed by changelings".to_owned(),
    };
    Err(Error::needs_person(format!("the app {app} {whose}")).with_hint(format!(
        "to replace it: changeling deploy {name} --take-over; to take its configuration over instead: \
         changeling deploy {name} --adopt"
    )))
}

/// What is deployed stays where it is until it is undeployed: elsewhere there would be a second one, and
/// nobody here would know of the first.
///
/// # Errors
/// It is in another place.
pub fn check_place(before: &Deployed, place: &Place) -> Result<()> {
    let name = &before.document.changeling;
    let differ = |there: Option<&str>, here: &Option<String>| {
        let (there, here) = (there?, here.as_deref()?);
        (there != here).then(|| (printable(there), printable(here)))
    };
    if let Some((there, here)) = differ(before.workspace.as_deref(), &place.workspace) {
        return Err(Error::needs_person(format!(
            "{name} is deployed in the workspace {there}, and the token is for {here}"
        ))
        .with_hint(format!(
            "to move it: `modal profile activate` with a profile of {there}, changeling undeploy {name}, and back"
        )));
    }
    if let Some((there, here)) = differ(before.environment(), &place.environment) {
        return Err(Error::needs_person(format!(
            "{name} is deployed in the environment {there}, and would be deployed to {here}"
        ))
        .with_hint(format!(
            "to move it: changeling undeploy {name} first; to leave it there: `[modal] environment = \"{there}\"`"
        )));
    }
    Ok(())
}

/// What is there is what is noted here, whoever deployed it: what was adopted, and not deployed again since.
pub fn is_as_noted(deployed: &Deployed, found: &Found) -> bool {
    let document = &deployed.document;
    found.app_id.as_ref() == Some(&deployed.app_id)
        && found.tags.get(TAG_HOME) == Some(&document.home)
        && found.tags.get(TAG_JOB) == document.app.tags.get(TAG_JOB)
}

/// Whether the crons of these documents fit into the workspace.
///
/// # Errors
/// They do not.
pub fn check_crons(documents: &[&Document], crons: &Crons, limit: u32) -> Result<()> {
    let wanted = documents
        .iter()
        .filter(|document| document.app.schedule.is_some());
    let wanted = wanted.count();
    let ours = |app: &str| documents.iter().any(|document| document.app.name == app);
    let others: usize = crons
        .apps
        .iter()
        .filter(|(app, _)| !ours(app))
        .map(|(_, count)| count)
        .sum();
    let limit = limit as usize;
    if wanted == 0 || others + wanted <= limit {
        return Ok(());
    }
    let has = match others {
        0 => String::new(),
        1 => " beside the one that is deployed".to_owned(),
        others => format!(" beside the {others} that are deployed"),
    };
    Err(Error::needs_person(format!(
        "{wanted} cron{} {} needed{has}, and the workspace may have {limit}",
        if wanted == 1 { "" } else { "s" },
        if wanted == 1 { "is" } else { "are" },
    ))
    .with_hint(
        "one changeling with several repositories (`repos`) needs one cron for all of them; \
         `changeling undeploy NAME` frees one; and when your plan allows more: [modal] max_crons = N",
    ))
}

/// Sends documents that lie in their folders, all at once, and notes what Modal has then. One that
/// fails leaves what was deployed before as it was.
///
/// # Errors
/// Modal cannot be asked at all. What goes wrong with one app is news.
pub fn send(
    modal: &mut Session,
    sendings: &[Sending<'_>],
    place: &Place,
    how: How,
    context: &Context,
    hear: &mut dyn FnMut(News<'_>),
) -> Result<()> {
    let deployments = Deployments::of(&context.home);
    let mut before = BTreeMap::new();
    for sending in sendings {
        let name = &sending.document.changeling;
        before.insert(name, deployments.deployed(name)?);
        let deploying = of(sending.document, place, context);
        deployments.begin(&deploying)?;
    }
    let app = |sending: &Sending<'_>| {
        let app = &sending.document.app;
        let secret = sending.values.zip(app.secret.as_ref());
        json!({
            "name": app.name,
            "folder": sending.folder,
            "volume": app.volume,
            "keep_template": !sending.document.template.built_in,
            "end_runs": how.end_runs,
            "secret": secret.map(|(values, secret)| json!({ "name": secret.name, "values": values })),
        })
    };
    let mut open: BTreeMap<&str, &Sending<'_>> = sendings
        .iter()
        .map(|sending| (sending.document.app.name.as_str(), sending))
        .collect();
    let request = json!({
        "op": "deploy",
        "environment": place.environment,
        "apps": sendings.iter().map(app).collect::<Vec<_>>(),
        "parallel": PARALLEL,
    });
    let asked = modal.ask(&request, &mut |answer| {
        let Some(sending) = answer.app.as_deref().and_then(|app| open.get(app).copied()) else {
            return;
        };
        let document = sending.document;
        let name = &document.changeling;
        if answer.event == "deploying" {
            hear(News::Begun(name));
            return;
        }
        open.remove(document.app.name.as_str());
        let note = |found: &Found| {
            let deployed = confirmed(document, found, place, context)?;
            deployments.confirm(&deployed, &sending.folder)?;
            Ok(deployed)
        };
        if let Some(trouble) = answer.trouble() {
            let mut error = about(trouble, document);
            // What failed may have failed after Modal had it.
            let found = answer.fields.get("found").and_then(Value::as_object);
            let before = before.get(name).and_then(Option::as_ref);
            match found.map(Found::of) {
                Some(found) if is_new(document, &found, before) => {
                    error = match note(&found) {
                        Ok(_) => error.context("it is deployed, and not all of that went well"),
                        Err(error) => error,
                    };
                }
                Some(found) if before.is_some() || !found.is_there() => {
                    if let Err(trouble) = deployments.give_up(name) {
                        tracing::warn!("{trouble}");
                    }
                }
                _ => {}
            }
            hear(News::Failed(name, error));
            return;
        }
        match note(&Found::of(&answer.fields)) {
            Ok(deployed) => {
                hear(News::Done(name, &deployed));
                if let Some(why) = answer.text("goes_on") {
                    hear(News::GoesOn(name, printable(why)));
                }
            }
            Err(error) => hear(News::Failed(name, error)),
        }
    });
    asked.map_err(|error| {
        let error = Error::from(error);
        let names: Vec<_> = open
            .values()
            .map(|sending| sending.document.changeling.as_str())
            .collect();
        let names = names.join(", ");
        if error.kind == Kind::Interrupted {
            Error::new(
                Kind::Interrupted,
                format!("interrupted; what Modal has now is not known of {names}"),
            )
            .with_hint("changeling status")
        } else if open.len() < sendings.len() && !open.is_empty() {
            error.context(format!("not known to be deployed: {names}"))
        } else {
            error
        }
    })
}

/// Notes what became of a deploy whose end was not seen, now that Modal says what it has.
///
/// # Errors
/// It cannot be noted.
pub fn settle(name: &Name, found: &Found, context: &Context) -> Result<()> {
    let deployments = Deployments::of(&context.home);
    let Some(deploying) = deployments.unseen(name)? else {
        return Ok(());
    };
    let tag = deploying.document.app.tags.get(TAG_JOB);
    let age = context
        .clock
        .now()
        .duration_since(deploying.at)
        .unsigned_abs();
    match found.app_id.clone().filter(|_| found.is_there()) {
        Some(app_id) if found.tags.get(TAG_JOB) == tag => {
            let sent = deployments.sent(&deploying);
            let deployed = Deployed {
                app_id,
                deployment: found.version,
                environment: found.environment.clone(),
                ..deploying
            };
            deployments.confirm(&deployed, &sent)?;
        }
        _ if age > UNDER_WAY => deployments.give_up(name)?,
        _ => {}
    }
    Ok(())
}

/// Modal has what was sent, and did not have it before.
fn is_new(document: &Document, found: &Found, before: Option<&Deployed>) -> bool {
    let is_same = found.tags.get(TAG_JOB) == document.app.tags.get(TAG_JOB);
    let is_old = before.is_some_and(|old| {
        Some(&old.app_id) == found.app_id.as_ref() && old.deployment == found.version
    });
    found.is_there() && is_same && !is_old
}

/// A deployment of it, of which nothing was heard yet.
fn of(document: &Document, place: &Place, context: &Context) -> Deployed {
    Deployed {
        version: 1,
        at: context.clock.now(),
        app_id: String::new(),
        deployment: 0,
        environment: place.environment.clone(),
        workspace: place.workspace.clone(),
        document: document.clone(),
    }
}

/// Modal says it has what was sent.
fn confirmed(
    document: &Document,
    found: &Found,
    place: &Place,
    context: &Context,
) -> Result<Deployed> {
    let app_id = found.app_id.clone().filter(|_| found.state == "deployed");
    let is_same = found.tags.get(TAG_JOB) == document.app.tags.get(TAG_JOB);
    match app_id {
        Some(app_id) if is_same => Ok(Deployed {
            app_id,
            deployment: found.version,
            environment: found.environment.clone(),
            ..of(document, place, context)
        }),
        Some(_) => Err(Error::failed(
            "Modal took it, and now has something else under this name: somebody deploys it at the same time",
        )
        .with_hint(format!("changeling deploy {}", document.changeling))),
        None => Err(Error::failed(format!(
            "Modal took it, and now says that the app is {}",
            printable(&found.state)
        ))
        .with_hint(format!("changeling deploy {}", document.changeling))),
    }
}

/// What went wrong with one app, with what to type about it.
fn about(trouble: Trouble, document: &Document) -> Error {
    let name = document.changeling.as_str();
    let mut error = Error::from(trouble);
    error.hint = error.hint.map(|hint| hint.replace("NAME", name));
    error
}

/// What to stop, and what to delete with it.
#[derive(Debug, Clone, Copy)]
pub struct Stop {
    pub delete_volume: bool,
    pub delete_secret: bool,
    /// Somebody else's, too.
    pub take_over: bool,
}

/// Stops apps. `hear` gets each name with the state the app was in, or what went wrong.
///
/// # Errors
/// Modal cannot be asked at all.
pub fn stop(
    modal: &mut Session,
    deployed: &BTreeMap<Name, Deployed>,
    stop: Stop,
    home: &str,
    hear: &mut dyn FnMut(&Name, Result<String>),
) -> Result<()> {
    let app = |deployed: &Deployed| {
        let app = &deployed.document.app;
        json!({
            "name": app.name,
            "home": home,
            "app_id": deployed.app_id,
            "workspace": deployed.workspace,
            "take_over": stop.take_over,
            "volume": app.volume,
            "delete": {
                "dict": app.guard,
                "secret": app.secret.as_ref().filter(|_| stop.delete_secret).map(|secret| &secret.name),
                "volume": stop.delete_volume.then_some(&app.volume),
            },
        })
    };
    // Each in the environment it was deployed to.
    let mut environments: BTreeMap<Option<&str>, Vec<(&Name, &Deployed)>> = BTreeMap::new();
    for (name, deployed) in deployed {
        environments
            .entry(deployed.environment())
            .or_default()
            .push((name, deployed));
    }
    for (environment, apps) in environments {
        let request = json!({
            "op": "stop",
            "environment": environment,
            "apps": apps.iter().map(|(_, deployed)| app(deployed)).collect::<Vec<_>>(),
        });
        modal.ask(&request, &mut |answer| {
            let known = apps
                .iter()
                .find(|(_, deployed)| Some(&deployed.document.app.name) == answer.app.as_ref());
            let Some((name, deployed)) = known else {
                return;
            };
            match answer.trouble() {
                Some(trouble) => hear(name, Err(about(trouble, &deployed.document))),
                None => hear(name, Ok(answer.text("was").unwrap_or("gone").to_owned())),
            }
        })?;
    }
    Ok(())
}

/// One thing a deployed function was asked about itself.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
pub struct Check {
    pub what: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    pub ok: bool,
    pub says: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// Starts the function `check` of each app: whether a run could work there.
///
/// # Errors
/// Modal cannot be asked at all.
pub fn verify(
    modal: &mut Session,
    documents: &[&Document],
    environment: Option<&str>,
    hear: &mut dyn FnMut(&Name, Result<Vec<Check>>),
) -> Result<()> {
    let request = json!({
        "op": "verify",
        "environment": environment,
        "apps": documents.iter().map(|document| &document.app.name).collect::<Vec<_>>(),
    });
    modal.ask(&request, &mut |answer| {
        let known = documents
            .iter()
            .find(|document| Some(&document.app.name) == answer.app.as_ref());
        let Some(document) = known else { return };
        let result = match answer.trouble() {
            Some(trouble) => Err(about(trouble, document)),
            None => checks(&answer.fields).ok_or_else(|| {
                let message = "`changeling exec` ends without a report".to_owned();
                let cause = Cause::Container;
                about(Trouble { cause, message }, document)
            }),
        };
        hear(&document.changeling, result);
    })?;
    Ok(())
}

fn checks(fields: &serde_json::Map<String, Value>) -> Option<Vec<Check>> {
    let checks = fields.get("report")?.get("checks")?.clone();
    serde_json::from_value(checks).ok()
}

#[cfg(test)]
mod tests;
