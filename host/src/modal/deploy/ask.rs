//! What Modal knows of apps.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::ANSWER;
use crate::error::{Error, Result};
use crate::modal::client::{Answer, Client};

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
}

/// What was asked.
#[derive(Debug, Default)]
pub struct Inspected {
    pub apps: BTreeMap<String, Found>,
    /// `None`: not asked for.
    pub crons: Option<Crons>,
}

impl Found {
    pub fn of(answer: &Answer) -> Self {
        let tags = answer.fields.get("tags").and_then(Value::as_object);
        let tags = tags.into_iter().flatten();
        let version = answer.fields.get("version").and_then(Value::as_u64);
        Self {
            state: answer.text("state").unwrap_or("unknown").to_owned(),
            app_id: answer.text("app_id").map(str::to_owned),
            environment: answer.text("environment").map(str::to_owned),
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
        Self {
            apps: apps.into_iter().flatten().filter_map(one).collect(),
        }
    }
}

/// Asks about apps of an environment, and for `crons` about all of the workspace.
///
/// # Errors
/// Modal cannot be asked, or not about one of them.
pub fn inspect(
    client: &Client,
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
    client.call(
        &request,
        ANSWER,
        &mut |answer| match answer.event.as_str() {
            "app" => {
                let name = answer.app.clone().unwrap_or_default();
                inspected.apps.insert(name, Found::of(&answer));
            }
            "crons" => inspected.crons = Some(Crons::of(&answer)),
            _ => failed = failed.take().or_else(|| answer.trouble()),
        },
    )?;
    match failed {
        Some(trouble) => Err(Error::from(trouble)),
        None => Ok(inspected),
    }
}
