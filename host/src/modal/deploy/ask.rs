//! What Modal knows of apps.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::error::{Error, Result};
use crate::modal::client::{Answer, Session};
use crate::names::printable;

/// An app as Modal describes it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// `deployed`, `initializing`, `stopping`, `stopped`, `absent`.
    pub state: String,
    pub app_id: Option<String>,
    pub environment: Option<String>,
    /// Modal's number of this state of the app; 0: it did not say.
    pub version: u32,
    pub tags: BTreeMap<String, String>,
}

/// Crons of the whole workspace, by app.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Crons {
    pub apps: Vec<(String, usize)>,
    /// What could not be counted, and why.
    pub unknown: Vec<String>,
}

/// Where apps are, by the names Modal has for it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// `None`: the token may not ask.
    pub workspace: Option<String>,
    /// `None`: the default, whatever its name.
    pub environment: Option<String>,
}

/// What was asked.
#[derive(Debug, Default)]
pub struct Inspected {
    pub apps: BTreeMap<String, Found>,
    pub place: Place,
    /// `None`: not asked for.
    pub crons: Option<Crons>,
}

impl Found {
    pub fn of(fields: &Map<String, Value>) -> Self {
        let tags = fields.get("tags").and_then(Value::as_object);
        let tags = tags.into_iter().flatten();
        let version = fields.get("version").and_then(Value::as_u64);
        let text = |name: &str| fields.get(name)?.as_str().map(str::to_owned);
        Self {
            state: text("state").unwrap_or_else(|| "unknown".to_owned()),
            app_id: text("app_id"),
            environment: text("environment"),
            version: version
                .and_then(|version| u32::try_from(version).ok())
                .unwrap_or(0),
            tags: tags
                .filter_map(|(tag, value)| Some((tag.clone(), value.as_str()?.to_owned())))
                .collect(),
        }
    }

    /// There is an app of this name that runs, or is about to.
    pub fn is_there(&self) -> bool {
        self.app_id.is_some() && !matches!(self.state.as_str(), "stopped" | "stopping" | "absent")
    }
}

impl Crons {
    fn of(answer: &Answer) -> Self {
        let apps = answer.fields.get("apps").and_then(Value::as_array);
        let one = |app: &Value| {
            let count = app["crons"]
                .as_u64()
                .and_then(|count| usize::try_from(count).ok())?;
            Some((app["app"].as_str()?.to_owned(), count))
        };
        let unknown = answer.fields.get("unknown").and_then(Value::as_array);
        let unknown = unknown.into_iter().flatten().filter_map(Value::as_str);
        Self {
            apps: apps.into_iter().flatten().filter_map(one).collect(),
            unknown: unknown.map(printable).collect(),
        }
    }
}

/// Asks about apps of an environment, and for `crons` about all of the workspace.
///
/// # Errors
/// Modal cannot be asked, or not about one of them.
pub fn inspect(
    modal: &mut Session,
    environment: Option<&str>,
    apps: &[&str],
    crons: bool,
) -> Result<Inspected> {
    let request = json!({
        "op": "inspect",
        "environment": environment,
        "apps": apps,
        "crons": crons,
    });
    let mut inspected = Inspected::default();
    let mut failed = None;
    modal.ask(&request, &mut |answer| match answer.event.as_str() {
        "app" => {
            let name = answer.app.clone().unwrap_or_default();
            inspected.apps.insert(name, Found::of(&answer.fields));
        }
        "place" => {
            inspected.place = Place {
                workspace: answer.text("workspace").map(str::to_owned),
                environment: answer.text("environment").map(str::to_owned),
            };
        }
        "crons" => inspected.crons = Some(Crons::of(&answer)),
        _ => failed = failed.take().or_else(|| answer.trouble()),
    })?;
    if inspected.place.environment.is_none() {
        inspected.place.environment = environment.map(str::to_owned);
    }
    match failed {
        Some(trouble) => Err(Error::from(trouble)),
        None => Ok(inspected),
    }
}
