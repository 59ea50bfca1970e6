use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::{Timestamp, Zoned};
use serde::Serialize;
use serde_json::Value;

use super::deployed::Deployed;
use super::list::is_paused;
use super::next::{Next, Why, in_words_of, rfc3339};
use crate::config::{Changeling, Config, Layer, Origin};
use crate::context::Context;
use crate::error::{Error, Kind, Result};
use crate::names::{Digest, Name, printable, printable_lines};
use crate::permission::{Grants, Permission};
use crate::record::Store;
use crate::schedule::Zone;
use crate::template::{Template, catalog};
use crate::ui::style::{self, paint};
use crate::ui::{text, time};

/// Show one changeling, with where each value comes from
///
/// When it runs by itself, or why it does not; what its template says of itself, and every value in force with the layer
/// that sets it: the changeling's entry, `[defaults]` or this program.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Name of the changeling
    name: String,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// Next fires that are shown.
const FIRES: usize = 3;

/// What scripts get. Fields are added, never renamed.
#[derive(Debug, Serialize)]
struct Shown<'a> {
    changeling: &'a Changeling,
    /// By key: where the value comes from.
    origins: BTreeMap<String, Origin>,
    /// The configuration file that `line` counts in.
    file: &'a std::path::Path,
    /// RFC 3339, in the changeling's time zone; empty when it does not fire.
    next_fires: Vec<String>,
    /// `disabled`, `paused`, `not-deployed`, `not-at-modal` or `by-hand`; null when it fires.
    why_no_fire: Option<&'static str>,
    /// null: it cannot be loaded, `template_error` says why.
    template: Option<TemplateShown>,
    template_error: Option<String>,
    /// null: it is not deployed.
    deployment: Option<Deployment>,
}

/// What Modal has of it, as far as this machine knows.
#[derive(Debug, Serialize)]
struct Deployment {
    #[serde(skip)]
    changeling: Name,
    app: String,
    /// null: the workspace's default.
    environment: Option<String>,
    deployed_at: Timestamp,
    /// `false`: Modal did not have it any more when it was last asked.
    at_modal: bool,
    /// Version of the program that deployed it.
    by: String,
    /// Five cron fields.
    schedule: Option<String>,
    timezone: String,
    /// How what is configured differs from it.
    drift: Vec<String>,
    /// Names of the secrets it has there.
    secrets: Vec<String>,
    folder: std::path::PathBuf,
}

impl Deployment {
    fn of(deployed: &Deployed, config: &Config, context: &Context) -> Self {
        let document = &deployed.confirmed.document;
        let app = &document.app;
        let secret = app.secret.as_ref();
        Self {
            changeling: document.changeling.clone(),
            app: app.name.clone(),
            environment: app.environment.clone(),
            deployed_at: deployed.confirmed.at,
            at_modal: deployed.was_there(),
            by: document.changelings.clone(),
            schedule: app.schedule.clone(),
            timezone: app.timezone.clone(),
            drift: deployed.drift(config, context),
            secrets: secret.map_or_else(Vec::new, |secret| secret.variables.clone()),
            folder: deployed.folder.clone(),
        }
    }

    fn pairs(&self, now: Timestamp, here: &Zone, context: &Context) -> Vec<(&'static str, String)> {
        let environment = match &self.environment {
            Some(name) => format!(" in environment {name}"),
            None => String::new(),
        };
        let at = time::when(self.deployed_at, now, here);
        let mut pairs = vec![
            ("app", format!("{}{environment}", self.app)),
            ("deployed", format!("{at} by {}", self.by)),
        ];
        if !self.secrets.is_empty() {
            pairs.push(("has", self.secrets.join(", ")));
        }
        pairs.push(("files", context.shown(&self.folder)));
        if !self.drift.is_empty() {
            let command = paint(
                style::NAME,
                format!("changeling deploy {}", self.changeling),
            );
            let arrow = paint(style::HELP, "→");
            pairs.push((
                "differs",
                format!("{}\n{arrow} {command}", self.drift.join("\n")),
            ));
        }
        pairs
    }
}

/// What the template says of itself, and what it may.
#[derive(Debug, Serialize)]
struct TemplateShown {
    name: Name,
    version: String,
    description: String,
    digest: Digest,
    built_in: bool,
    asks_for: Vec<Permission>,
    granted: Vec<Permission>,
}

impl TemplateShown {
    fn load(changeling: &Changeling, config: &Config, context: &Context) -> Result<Self> {
        let source = catalog::find(&changeling.template, config.base())?;
        let _progress = context.ui.quick_progress("loading the template");
        let Template {
            manifest,
            digest,
            built_in,
            ..
        } = Template::load(&source, &context.home.components_dir())?;
        let grants = Grants::load(&context.home.grants_file())?;
        Ok(Self {
            granted: grants.granted(&manifest, &digest, built_in),
            name: manifest.name,
            version: manifest.version,
            description: manifest.description,
            digest,
            built_in,
            asks_for: manifest.permissions,
        })
    }

    fn pairs(&self) -> Vec<(&'static str, String)> {
        let list = |permissions: &[Permission]| match permissions {
            [] => "nothing".to_owned(),
            all => all
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(", "),
        };
        let origin = if self.built_in {
            "built in".to_owned()
        } else {
            format!("sha256:{}", self.digest.short())
        };
        let mut pairs = vec![
            (
                "name",
                format!("{} {} ({origin})", self.name, printable(&self.version)),
            ),
            ("about", printable(&self.description)),
            ("asks for", list(&self.asks_for)),
        ];
        if !self.built_in {
            pairs.push(("granted", list(&self.granted)));
        }
        pairs
    }
}

pub fn run(args: &Args, context: &Context) -> Result<()> {
    let config = Config::load(&context.home)?;
    let changeling = config.named(&args.name)?;
    let now = context.clock.now();
    let deployed = Deployed::of(&changeling.name, context)?;
    let is_there = deployed.as_ref().is_none_or(Deployed::was_there);
    let is_paused = paused(changeling, context);
    let next = Next::of(changeling, deployed.as_ref(), is_there, is_paused, now);
    let schedule = deployed.as_ref().and_then(|one| one.schedule.as_ref());
    let fires: Vec<_> = schedule
        .filter(|_| next.fires().is_some())
        .into_iter()
        .flat_map(|(schedule, zone)| schedule.fires_after(now, zone))
        .take(FIRES)
        .collect();
    let deployment = deployed
        .as_ref()
        .map(|deployed| Deployment::of(deployed, &config, context));
    let values = values(changeling)?;
    let template = TemplateShown::load(changeling, &config, context);
    if args.json {
        context.ui.json(&Shown {
            changeling,
            origins: values
                .iter()
                .map(|(key, _)| (key.clone(), changeling.origin(key)))
                .collect(),
            file: &config.file,
            next_fires: fires.iter().map(rfc3339).collect(),
            why_no_fire: next.why_no_fire(),
            template_error: template.as_ref().err().map(ToString::to_string),
            template: template.ok(),
            deployment,
        });
        return Ok(());
    }

    let ui = &context.ui;
    let state = match &next {
        Next::Not(Why::Disabled) => "  disabled: it does not run",
        Next::StillFires(_) => "  disabled here, and still on its schedule at Modal",
        _ => "",
    };
    ui.out(format_args!(
        "{}{}",
        paint(style::HEADING, &changeling.name),
        paint(style::CAREFUL, state)
    ));

    let here = Zone::system_or_utc().0;
    let lines = when(&next, &fires, &changeling.name, now, &here);
    if !lines.is_empty() {
        ui.heading("Next");
        for line in &lines {
            ui.out(text::wrap("  ", line, ui.columns.unwrap_or(usize::MAX)));
        }
    }
    if let Some(deployment) = &deployment {
        ui.heading("At Modal");
        ui.pairs(&deployment.pairs(now, &here, context));
    }
    ui.heading("Template");
    match template {
        Ok(template) => ui.pairs(&template.pairs()),
        Err(error) => {
            let columns = ui.columns.unwrap_or(usize::MAX);
            let label = format!("  {} ", paint(style::BAD, "cannot be loaded:"));
            ui.out(text::wrap(&label, &error.to_string(), columns));
            if let Some(hint) = error.hint {
                ui.out(text::wrap(
                    &format!("  {} ", paint(style::HELP, "→")),
                    &hint,
                    columns,
                ));
            }
        }
    }
    for (layer, title) in [
        (
            Layer::Changeling,
            format!("Set for it, in {}", context.shown(&config.file)),
        ),
        (Layer::Defaults, "Set for all, in [defaults]".to_owned()),
        (Layer::BuiltIn, "Not set: as built in".to_owned()),
    ] {
        let pairs: Vec<(&str, String)> = values
            .iter()
            .filter(|(key, _)| changeling.origin(key).layer == layer)
            .filter_map(|(key, value)| {
                let text = in_force(key, value, changeling)?;
                // Most have one repository, and wrote `repo`.
                let shown = match key.as_str() {
                    "repos" if changeling.repos.len() == 1 => "repo",
                    key => key,
                };
                Some((shown, with_line(text, changeling.origin(key))))
            })
            .collect();
        if !pairs.is_empty() {
            ui.heading(title);
            ui.pairs(&pairs);
        }
    }
    Ok(())
}

/// Whether it failed too often. A history that cannot be read is no reason not to show the rest.
fn paused(changeling: &Changeling, context: &Context) -> bool {
    let read = || -> Result<bool> {
        let Some(store) = Store::open_existing(&context.home)? else {
            return Ok(false);
        };
        let repos = changeling.repos.iter();
        let places = repos.map(|repo| (&changeling.name, repo.to_string()));
        let standings = store.standings(places, context.clock.now())?;
        Ok(is_paused(changeling, &standings))
    };
    read().unwrap_or_else(|error| {
        context.ui.warn(error);
        false
    })
}

/// When it fires; else why it does not, and what to type.
fn when(next: &Next, fires: &[Zoned], name: &Name, now: Timestamp, here: &Zone) -> Vec<String> {
    let to_type = |command: &str| {
        let command = paint(style::NAME, format!("changeling {command} {name}"));
        format!("{} {command}", paint(style::HELP, "→"))
    };
    let in_words = |fire| in_words_of(fire, now, here);
    match next {
        Next::Fires(_) => fires.iter().map(in_words).collect(),
        Next::StillFires(_) => {
            let fires = fires.iter().map(in_words);
            fires.chain([to_type("disable")]).collect()
        }
        Next::Not(Why::NotDeployed(next)) => vec![
            format!("not deployed; would run {} once deployed:", in_words(next)),
            to_type("deploy"),
        ],
        Next::Not(Why::NotAtModal) => vec![
            "does not fire: somebody stopped or deleted its app at Modal".to_owned(),
            to_type("deploy"),
        ],
        Next::Not(Why::Paused) => vec![
            "paused: it failed too often; once that is mended:".to_owned(),
            to_type("enable"),
        ],
        Next::Not(Why::Disabled | Why::ByHand) => Vec::new(),
    }
}

/// Every key and its value, in the order of the reference; `modal.cpu` for what is in a table.
fn values(changeling: &Changeling) -> Result<Vec<(String, Value)>> {
    let Value::Object(all) = serde_json::to_value(changeling)
        .map_err(|error| Error::from_source(Kind::Failed, error))?
    else {
        return Ok(Vec::new());
    };
    let mut values = Vec::new();
    for (key, value) in all {
        match value {
            Value::Object(modal) if key == "modal" => {
                values.extend(
                    modal
                        .into_iter()
                        .map(|(key, value)| (format!("modal.{key}"), value)),
                );
            }
            _ if key == "name" => {}
            value => values.push((key, value)),
        }
    }
    Ok(values)
}

/// A value as a person reads it; `None`: not worth a line.
fn in_force(key: &str, value: &Value, changeling: &Changeling) -> Option<String> {
    let set = changeling.origin(key).layer != Layer::BuiltIn;
    if value.is_null() || (!set && is_empty(value)) {
        let unset = match key {
            "schedule" => "none: it runs only by hand",
            "branch" => "the repository's default branch",
            "agent_type" => "the template's, else claude",
            "message" | "pr_title" | "deliver" => "the template's",
            "permissions" => "what the template asks for and was granted",
            "work_branch" => "named after the template's slug and the date",
            "identity" => "git's own",
            _ => return None,
        };
        return Some(paint(style::FAINT, unset));
    }
    // What Modal gets is of interest when somebody set it.
    if !set && key.starts_with("modal.") {
        return None;
    }
    let plain = match value {
        Value::String(text) => printable_lines(text.trim_end()),
        Value::Array(items) => items.iter().map(inline).collect::<Vec<_>>().join(", "),
        Value::Object(fields) => {
            let fields = fields
                .iter()
                .map(|(key, value)| format!("{} = {}", printable(key), inline(value)));
            fields.collect::<Vec<_>>().join(", ")
        }
        value => inline(value),
    };
    Some(match (key, &changeling.schedule) {
        ("schedule", Some(schedule)) if schedule.describe() != plain => {
            format!("{plain} ({})", schedule.describe())
        }
        _ if plain.is_empty() => "empty".to_owned(),
        _ => plain,
    })
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    }
}

fn inline(value: &Value) -> String {
    match value {
        Value::String(text) => printable(text),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        // 5.0 dollars are 5.
        Value::Number(number) => number.to_string().trim_end_matches(".0").to_owned(),
        value => value.to_string(),
    }
}

fn with_line(mut text: String, origin: Origin) -> String {
    if let Some(line) = origin.line {
        let _ = write!(
            text,
            " {}",
            paint(style::FAINT, format_args!("(line {line})"))
        );
    }
    text
}
