//! What a deploy prints.

use serde::Serialize;

use super::calls::{self, Call};
use super::verify::Verified;
use super::{Sent, failed};
use crate::context::Context;
use crate::error::{Error, Kind, Result};
use crate::modal::APP;
use crate::modal::deploy::{Check, File, Prepared};
use crate::modal::deployment::{APP_FILE, Deployed};
use crate::modal::document::{Document, JOB};
use crate::names::{Name, printable};
use crate::schedule::{Schedule, Zone, in_words};
use crate::ui::text;

/// What would be sent.
#[derive(Serialize)]
struct Planned<'a> {
    changeling: &'a Name,
    app: &'a str,
    calls: Vec<Call>,
    files: Vec<File<'a>>,
    secret: Vec<&'a str>,
    missing: Vec<Missing<'a>>,
    document: &'a Document,
}

/// What a person must do first.
#[derive(Serialize)]
struct Missing<'a> {
    what: String,
    hint: Option<&'a str>,
}

/// What became of one.
#[derive(Serialize)]
struct Ended<'a> {
    changeling: &'a Name,
    deployed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    app: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    app_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    schedule: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    checks: Option<&'a [Check]>,
}

/// What Modal would get: the calls, and the files as they would be written.
pub(super) fn dry_run(prepared: &[Prepared], json: bool, context: &Context) {
    let ui = &context.ui;
    if json {
        let planned: Vec<_> = prepared.iter().map(planned).collect();
        ui.json(&serde_json::json!({ "version": 1, "dry_run": true, "apps": planned }));
        return;
    }
    for one in prepared {
        let app = &one.document().app;
        ui.chapter(&app.name);
        ui.heading("calls to Modal");
        let calls = calls::of(one);
        let pairs: Vec<_> = calls
            .iter()
            .map(|call| (call.about, printable(&call.does)))
            .collect();
        ui.pairs(&pairs);
        ui.heading("files");
        let size = |bytes: Option<u64>| bytes.map_or_else(|| "?".to_owned(), text::bytes);
        let rows = files(one).into_iter().map(|file| {
            let path = file.path.unwrap_or("where Modal puts it");
            [file.name.to_owned(), size(file.bytes), path.to_owned()]
        });
        ui.table(["FILE", "SIZE", "IN THE CONTAINER"], rows);
    }
    for one in prepared {
        let document = one.document();
        ui.chapter(format!("{JOB} of {}", document.changeling));
        ui.out(document.text().trim_end());
    }
    if !prepared.is_empty() {
        ui.chapter(format!("{APP_FILE}, the same for all"));
        ui.out(APP.trim_end());
    }
    ui.note("nothing was sent (--dry-run)");
}

fn files(prepared: &Prepared) -> Vec<File<'_>> {
    let own = File {
        name: APP_FILE,
        path: None,
        bytes: Some(APP.len() as u64),
    };
    std::iter::once(own).chain(prepared.files()).collect()
}

fn planned(prepared: &Prepared) -> Planned<'_> {
    let document = prepared.document();
    let secret = document.app.secret.as_ref();
    Planned {
        changeling: &document.changeling,
        app: &document.app.name,
        calls: calls::of(prepared),
        files: files(prepared),
        secret: secret.map_or(Vec::new(), |secret| {
            secret.variables.iter().map(String::as_str).collect()
        }),
        missing: prepared
            .frozen
            .missing
            .iter()
            .map(|error| Missing {
                what: error.to_string(),
                hint: error.hint.as_deref(),
            })
            .collect(),
        document,
    }
}

/// One that is deployed, in one line.
pub(super) fn line(deployed: &Deployed, context: &Context) -> String {
    let name = &deployed.document.changeling;
    if is_disabled(&deployed.document) {
        return format!(
            "deployed {name}: it is disabled, and has no cron at Modal until: changeling enable {name}"
        );
    }
    format!("deployed {name}: {}", next_fire(deployed, context))
}

/// It would have a schedule, were it enabled.
fn is_disabled(document: &Document) -> bool {
    let entry = document.config.get("changelings");
    let entry = entry.and_then(|table| table.get(document.changeling.as_str()));
    document.app.schedule.is_none()
        && entry.is_some_and(|entry| {
            entry.get("schedule").is_some()
                && entry.get("enabled").and_then(toml::Value::as_bool) == Some(false)
        })
}

fn next_fire(deployed: &Deployed, context: &Context) -> String {
    let app = &deployed.document.app;
    let by_hand = || {
        format!(
            "runs by hand: changeling run {}",
            deployed.document.changeling
        )
    };
    let Some(schedule) = &app.schedule else {
        return by_hand();
    };
    let next = Schedule::parse(schedule)
        .ok()
        .zip(Zone::parse(&app.timezone).ok());
    let now = context.clock.now();
    match next.and_then(|(schedule, zone)| schedule.next_after(now, &zone)) {
        Some(next) => format!("runs {}", in_words(&next, now)),
        None => by_hand(),
    }
}

/// What became of all, and how the command ends.
pub(super) fn end(json: bool, sent: &[Sent], verified: &Verified, context: &Context) -> Result<()> {
    if json {
        let ended: Vec<_> = sent.iter().map(|sent| ended(sent, verified)).collect();
        context
            .ui
            .json(&serde_json::json!({ "version": 1, "apps": ended }));
    } else {
        for (name, checks) in verified {
            show_checks(name, checks, context);
        }
    }
    let failures: Vec<_> = sent
        .iter()
        .filter_map(|sent| sent.result.as_ref().err())
        .collect();
    if let Some(kind) = worst(failures.iter().map(|error| error.kind)) {
        return Err(match (sent, &failures[..]) {
            ([_], [error]) => Error {
                kind,
                error: anyhow::anyhow!("{error}"),
                hint: error.hint.clone(),
            },
            _ => failed(failures.len(), sent.len(), kind),
        });
    }
    let unwell = verified
        .iter()
        .filter(|(_, checks)| !is_well(checks))
        .count();
    if unwell > 0 {
        let names: Vec<_> = verified
            .iter()
            .filter(|(_, checks)| !is_well(checks))
            .map(|(name, _)| name.as_str())
            .collect();
        let names = names.join(" ");
        return Err(Error::needs_person(match sent {
            [one] => format!("{} is deployed, and a run of it would not work", one.name),
            _ => format!(
                "{unwell} of {} are deployed, and a run of them would not work",
                sent.len()
            ),
        })
        .with_hint(format!(
            "mend what is wrong, then: changeling deploy {names} --verify quick; until then: changeling disable {names}"
        )));
    }
    Ok(())
}

fn worst(kinds: impl Iterator<Item = Kind>) -> Option<Kind> {
    kinds.max_by_key(|kind| kind.exit_code())
}

fn is_well(checks: &Result<Vec<Check>>) -> bool {
    checks
        .as_ref()
        .is_ok_and(|checks| checks.iter().all(|check| check.ok))
}

fn show_checks(name: &Name, checks: &Result<Vec<Check>>, context: &Context) {
    let ui = &context.ui;
    match checks {
        Ok(checks) => {
            ui.heading(name);
            for check in checks {
                let what = match &check.of {
                    Some(of) => format!("{} {of}", check.what),
                    None => check.what.clone(),
                };
                let mark = if check.ok { "ok" } else { "WRONG" };
                let columns = ui.columns.unwrap_or(usize::MAX);
                let told = format!("{}: {}", printable(&what), printable(&check.says));
                ui.out(text::wrap(&format!("{mark:<5}  "), &told, columns));
                if let Some(hint) = &check.hint {
                    ui.out(text::wrap("       help: ", &printable(hint), columns));
                }
            }
        }
        Err(error) => ui.error(&Error {
            kind: error.kind,
            error: anyhow::anyhow!("{name}: {error}"),
            hint: error.hint.clone(),
        }),
    }
}

fn ended<'a>(sent: &'a Sent, verified: &'a Verified) -> Ended<'a> {
    let deployed = sent.result.as_ref().ok();
    let checks = verified.iter().find(|(name, _)| *name == sent.name);
    let unknown = checks.and_then(|(_, checks)| checks.as_ref().err());
    let error = sent.result.as_ref().err().or(unknown);
    Ended {
        changeling: &sent.name,
        deployed: deployed.is_some(),
        app: deployed.map(|deployed| deployed.document.app.name.as_str()),
        app_id: deployed.map(|deployed| deployed.app_id.as_str()),
        schedule: deployed.and_then(|deployed| deployed.document.app.schedule.as_deref()),
        error: error.map(ToString::to_string),
        hint: error.and_then(|error| error.hint.as_deref()),
        checks: checks.and_then(|(_, checks)| checks.as_deref().ok()),
    }
}
