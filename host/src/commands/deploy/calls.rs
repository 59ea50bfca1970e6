//! What a deploy asks Modal for, in its order, for a reader.

use serde::Serialize;

use crate::modal::deploy::Prepared;
use crate::modal::document::App;
use crate::modal::image::Step;
use crate::ui::time::span;

/// One thing Modal is told.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Call {
    /// One word: what it is about.
    pub(super) about: &'static str,
    pub(super) does: String,
    /// What a layer of the image runs or installs.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    pub(super) parts: Vec<String>,
}

fn call(about: &'static str, does: String) -> Call {
    Call {
        about,
        does,
        parts: Vec::new(),
    }
}

/// All of them for one app.
pub(super) fn of(prepared: &Prepared) -> Vec<Call> {
    let document = prepared.document();
    let app = &document.app;
    let mut calls = vec![call("look", look(app))];
    if let Some(secret) = &app.secret {
        calls.push(call(
            "secret",
            format!(
                "create or update {} with {} (values are not shown)",
                secret.name,
                secret.variables.join(", ")
            ),
        ));
    }
    calls.push(call(
        "volume",
        format!("{}, created when it is not there", app.volume),
    ));
    calls.push(call(
        "dict",
        format!("{}, created when it is not there", app.guard),
    ));
    let python = app.image.python.as_ref();
    let python = python.map_or_else(String::new, |version| format!(", Python {version} added"));
    calls.push(call("image", format!("from {}{python}", app.image.base)));
    calls.extend(app.image.steps.iter().map(layer));
    let files: Vec<_> = prepared.files().iter().map(|file| file.name).collect();
    calls.push(call(
        "files",
        format!(
            "app.py, {}, when Modal does not have them",
            files.join(", ")
        ),
    ));
    calls.extend(functions(app, document.jobs.len()));
    calls.push(call("app", of_app(prepared)));
    let more = if document.template.built_in {
        ""
    } else {
        " and template.wasm"
    };
    calls.push(call(
        "copy",
        format!("deployed.json{more}, onto the volume, for `deploy --adopt`"),
    ));
    calls
}

fn look(app: &App) -> String {
    let place = match &app.environment {
        Some(environment) => format!("the environment {environment}"),
        None => "the default environment".to_owned(),
    };
    let crons = match app.schedule {
        Some(_) => ", and how many crons the workspace has",
        None => "",
    };
    format!("whether {place} has an app {}{crons}", app.name)
}

fn layer(step: &Step) -> Call {
    let (does, parts) = match step {
        Step::AptInstall(packages) => (format!("apt: {}", packages.join(" ")), packages.clone()),
        Step::PipInstall(packages) => (format!("pip: {}", packages.join(" ")), packages.clone()),
        Step::RunCommands(commands) => {
            let first = commands.first().map_or("", String::as_str);
            let more = match commands.len() {
                0 | 1 => String::new(),
                count => format!(" (and {} more)", count - 1),
            };
            (format!("run: {first}{more}"), commands.clone())
        }
        Step::Copy([from, to]) => (format!("copy: {from} to {to}"), Vec::new()),
    };
    Call {
        about: "layer",
        does,
        parts,
    }
}

fn functions(app: &App, repositories: usize) -> Vec<Call> {
    let cron = match &app.schedule {
        Some(schedule) => format!("cron \"{schedule}\" {}", app.timezone),
        None => "no cron".to_owned(),
    };
    let mut limits = vec![format!(
        "at most {} a call",
        span(i64::try_from(app.timeout_seconds).unwrap_or(i64::MAX))
    )];
    limits.extend(app.cpu.map(|cores| format!("{cores} cores")));
    limits.extend(app.memory.map(|memory| format!("{memory} MiB")));
    limits.extend(app.gpu.clone());
    let disk = app.ephemeral_disk;
    limits.extend(disk.map(|disk| format!("{disk} MiB of disk")));
    limits.extend(app.region.as_ref().map(|region| format!("in {region}")));
    let limits = limits.join(", ");
    let (run, fire) = if repositories > 1 {
        let run = format!("run: {} at once, {limits}", app.max_containers);
        let fire = format!("fire: {cron}; starts `run` for each of {repositories} repositories");
        (run, Some(fire))
    } else {
        (format!("run: {cron}; {limits}"), None)
    };
    let check = "check: for --verify quick".to_owned();
    std::iter::once(run)
        .chain(fire)
        .chain(std::iter::once(check))
        .map(|does| call("function", does))
        .collect()
}

fn of_app(prepared: &Prepared) -> String {
    let app = &prepared.document().app;
    match &prepared.before {
        Some(before) if before.deployment > 0 => {
            format!(
                "update {}, of which version {} is deployed from here",
                app.name, before.deployment
            )
        }
        Some(_) => format!("update {}", app.name),
        None => format!("create {}; nothing is deployed from here yet", app.name),
    }
}
