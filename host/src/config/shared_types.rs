//! How types that belong to other modules are read from the configuration.

use std::ops::Range;

use schemars::{Schema, json_schema};
use toml::de::DeValue;

use super::key::{Layer, Section, Value};
use super::keys::IdentityKeys;
use super::problem::Reader;
use super::types::is_address;
use super::value::{derived, table, text};
use super::words::choice;
use crate::brief::Delivery;
use crate::git::Identity;
use crate::permission::{Permission, UnknownPermission};
use crate::repo_url::RepoUrl;
use crate::schedule::{Schedule, Zone};

impl Value for Delivery {
    const KIND: &'static str = "`\"pull-request\"` \\| `\"issue\"` \\| `\"record\"`";

    fn read(value: &DeValue<'_>, span: Range<usize>, reader: &mut Reader<'_>) -> Option<Self> {
        choice(
            &Self::ALL.map(|delivery| (delivery.as_str(), delivery)),
            value,
            span,
            reader,
        )
    }

    fn schema() -> Schema {
        derived::<Self>()
    }
}

impl Value for Identity {
    const KIND: &'static str = "table { name, email }";

    fn read(value: &DeValue<'_>, span: Range<usize>, reader: &mut Reader<'_>) -> Option<Self> {
        let before = reader.count();
        let keys = IdentityKeys::read(
            table(value, span.clone(), reader)?,
            Layer::Changeling,
            reader,
        );
        let email_is_sound = keys.email.as_ref().is_none_or(|email| {
            let sound = is_address(&email.value.0);
            if !sound {
                reader.within("email", |reader| {
                    reader.problem(email.span.clone(), "is not an email address", None);
                });
            }
            sound
        });
        match (keys.name, keys.email) {
            (Some(name), Some(email)) if email_is_sound => Some(Self {
                name: name.value.0,
                email: email.value.0,
            }),
            _ => {
                if reader.count() == before {
                    let help = "write { name = \"...\", email = \"...\" }".to_owned();
                    reader.problem(span, "needs both a name and an email", Some(help));
                }
                None
            }
        }
    }

    fn schema() -> Schema {
        derived::<Self>()
    }
}

impl Value for Permission {
    const KIND: &'static str = "permission";

    fn read(value: &DeValue<'_>, span: Range<usize>, reader: &mut Reader<'_>) -> Option<Self> {
        let word = text("a string", value, span.clone(), reader)?;
        word.parse()
            .map_err(|error: UnknownPermission| {
                let help = match error.suggestion {
                    Some(meant) => format!("did you mean \"{meant}\"?"),
                    None => format!("known: {}", Self::VOCABULARY.join(", ")),
                };
                reader.problem(
                    span,
                    format!("unknown permission `{}`", error.name),
                    Some(help),
                );
            })
            .ok()
    }

    fn schema() -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^(agent|github|github:read|publish|repo:read|env:[A-Za-z_][A-Za-z0-9_]*|mngr-arg:--[a-z0-9][a-z0-9-]*)$"
        })
    }
}

impl Value for RepoUrl {
    const KIND: &'static str = "repository";

    fn read(value: &DeValue<'_>, span: Range<usize>, reader: &mut Reader<'_>) -> Option<Self> {
        let url = text("a string", value, span.clone(), reader)?;
        Self::parse(url, reader.base)
            .map_err(|error| {
                let message = error.to_string();
                reader.problem(span, message, crate::error::Error::from(error).hint);
            })
            .ok()
    }

    fn schema() -> Schema {
        json_schema!({ "type": "string", "minLength": 1 })
    }
}

impl Value for Schedule {
    const KIND: &'static str = "schedule";

    fn read(value: &DeValue<'_>, span: Range<usize>, reader: &mut Reader<'_>) -> Option<Self> {
        let pattern = text("a string", value, span.clone(), reader)?;
        Self::parse(pattern)
            .map_err(|error| reader.problem(span, error.to_string(), Some(error.hint())))
            .ok()
    }

    fn schema() -> Schema {
        json_schema!({ "type": "string", "examples": ["0 3 * * *", "@daily"] })
    }
}

impl Value for Zone {
    const KIND: &'static str = "time zone";

    fn read(value: &DeValue<'_>, span: Range<usize>, reader: &mut Reader<'_>) -> Option<Self> {
        let name = text("a string", value, span.clone(), reader)?;
        Self::parse(name)
            .map_err(|error| reader.problem(span, error.to_string(), Some(error.hint())))
            .ok()
    }

    fn schema() -> Schema {
        json_schema!({ "type": "string", "examples": ["Europe/Zurich", "UTC"] })
    }
}
