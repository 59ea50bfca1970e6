//! Whether what is deployed is what the configuration says now. Pure.

use serde::Serialize;
use serde_json::Value;

use super::deployment::TAG_JOB;
use super::document::Document;
use crate::names::printable;

/// Longest value shown, in characters.
const SHOWN: usize = 60;

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Drift {
    /// A key of the configuration, or `template`, `version`, `program`, `image`, `grants`, `app.py`.
    pub what: String,
    /// What Modal has.
    pub deployed: String,
    /// What a deploy would send.
    pub here: String,
}

impl std::fmt::Display for Drift {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.what.as_str() {
            "version" => write!(f, "deployed by {}, you have {}", self.deployed, self.here),
            what => write!(
                f,
                "{what}: {} is deployed, here it is {}",
                self.deployed, self.here
            ),
        }
    }
}

/// What differs between a document that would be deployed now and the one that is.
pub fn between(here: &Document, deployed: &Document) -> Vec<Drift> {
    let mut found = Vec::new();
    let mut compare = |what: &str, here: Value, deployed: Value| {
        if here != deployed {
            found.push(Drift {
                what: what.to_owned(),
                deployed: shown(&deployed),
                here: shown(&here),
            });
        }
    };
    let is_same_program = here.changelings == deployed.changelings;
    compare(
        "version",
        here.changelings.as_str().into(),
        deployed.changelings.as_str().into(),
    );
    compare("template", template(here), template(deployed));
    let (now, then) = (entry(here), entry(deployed));
    let keys = now
        .keys()
        .chain(then.keys().filter(|key| !now.contains_key(*key)));
    for key in keys {
        // It differs by its digest, which is told above, or its place, which decides nothing.
        if key == "template" {
            continue;
        }
        let of =
            |table: &serde_json::Map<String, Value>| table.get(key).cloned().unwrap_or(Value::Null);
        compare(key, of(&now), of(&then));
    }
    for section in ["defaults", "mngr", "notify"] {
        compare(
            section,
            section_of(here, section),
            section_of(deployed, section),
        );
    }
    compare("grants", grants(here), grants(deployed));
    compare(
        "environment",
        here.app.environment.clone().into(),
        deployed.app.environment.clone().into(),
    );
    if is_same_program {
        let digest = |document: &Document| {
            let digest = document.app.runner_digest.as_ref();
            digest.map_or(Value::Null, |digest| digest.short().into())
        };
        compare("program", digest(here), digest(deployed));
    }
    let image = |document: &Document| serde_json::to_value(&document.app.image).unwrap_or_default();
    if found.iter().all(|drift| !drift.what.starts_with("modal.")) && image(here) != image(deployed)
    {
        found.push(Drift {
            what: "image".to_owned(),
            deployed: deployed.app.image.base.clone(),
            here: if here.app.image.base == deployed.app.image.base {
                "made by other steps".to_owned()
            } else {
                here.app.image.base.clone()
            },
        });
    }
    let tag = |document: &Document| document.app.tags.get(TAG_JOB).cloned();
    if found.is_empty() && tag(here) != tag(deployed) {
        found.push(Drift {
            what: "app.py".to_owned(),
            deployed: tag(deployed).unwrap_or_default(),
            here: tag(here).unwrap_or_default(),
        });
    }
    found
}

fn template(document: &Document) -> Value {
    let id = &document.template;
    format!("{} {} ({})", id.name, id.version, id.digest.short()).into()
}

/// The changeling's own keys; those of its tables as `modal.cpu`.
fn entry(document: &Document) -> serde_json::Map<String, Value> {
    let all = section_of(document, "changelings");
    let own = all.get(document.changeling.as_str()).cloned();
    let mut keys = serde_json::Map::new();
    for (key, value) in own
        .as_ref()
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        match value {
            Value::Object(table) => {
                let below = table
                    .iter()
                    .map(|(name, value)| (format!("{key}.{name}"), value.clone()));
                keys.extend(below);
            }
            value => drop(keys.insert(key.clone(), value.clone())),
        }
    }
    keys
}

fn section_of(document: &Document, section: &str) -> Value {
    let section = document.config.get(section);
    section.map_or(Value::Null, |table| {
        serde_json::to_value(table).unwrap_or_default()
    })
}

fn grants(document: &Document) -> Value {
    let granted = document.jobs.first().map(|job| &job.granted);
    serde_json::to_value(granted).unwrap_or_default()
}

/// A value for a person: short, on one line.
fn shown(value: &Value) -> String {
    let text = match value {
        Value::Null => return "nothing".to_owned(),
        Value::String(text) if text.is_empty() => return "empty".to_owned(),
        Value::String(text) => printable(text),
        Value::Array(items) if items.is_empty() => return "none".to_owned(),
        Value::Array(items) if items.iter().all(Value::is_string) => {
            let items: Vec<_> = items
                .iter()
                .filter_map(Value::as_str)
                .map(printable)
                .collect();
            items.join(", ")
        }
        other => printable(&other.to_string()),
    };
    if text.chars().count() <= SHOWN {
        return text;
    }
    let start: String = text.chars().take(SHOWN - 1).collect();
    format!("{start}…")
}

#[cfg(test)]
mod tests;
