//! Tables of names the user chooses, and names of variables.

use std::collections::BTreeMap;
use std::ops::Range;

use schemars::{Schema, json_schema};
use toml::de::DeValue;

use super::key::Value;
use super::problem::Reader;
use super::value::{table, text};
use crate::names::printable;

/// Parameters of a template: text; numbers and booleans are taken as their text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Params(pub(crate) BTreeMap<String, String>);

impl Value for Params {
    const KIND: &'static str = "table";

    fn read(value: &DeValue<'_>, span: Range<usize>, reader: &mut Reader<'_>) -> Option<Self> {
        let mut params = BTreeMap::new();
        let mut sound = true;
        for (name, value) in table(value, span, reader)? {
            let text = reader.within(name.get_ref(), |reader| match value.get_ref() {
                DeValue::Integer(number) => Some(number.to_string()),
                DeValue::Float(number) => Some(number.to_string()),
                DeValue::Boolean(boolean) => Some(boolean.to_string()),
                other => String::read(other, value.span(), reader),
            });
            match text {
                Some(text) => drop(params.insert(name.get_ref().clone().into_owned(), text)),
                None => sound = false,
            }
        }
        sound.then_some(Self(params))
    }

    fn schema() -> Schema {
        json_schema!({
            "type": "object",
            "additionalProperties": { "type": ["string", "number", "integer", "boolean"] }
        })
    }
}

/// Environment variables.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Variables(pub(crate) BTreeMap<String, String>);

impl Value for Variables {
    const KIND: &'static str = "table of strings";

    fn read(value: &DeValue<'_>, span: Range<usize>, reader: &mut Reader<'_>) -> Option<Self> {
        let mut variables = BTreeMap::new();
        let mut sound = true;
        for (name, value) in table(value, span, reader)? {
            let read = reader.within(name.get_ref(), |reader| {
                let name_is_sound = variable_name(name.get_ref(), name.span(), reader);
                String::read(value.get_ref(), value.span(), reader).filter(|_| name_is_sound)
            });
            match read {
                Some(text) => drop(variables.insert(name.get_ref().clone().into_owned(), text)),
                None => sound = false,
            }
        }
        sound.then_some(Self(variables))
    }

    fn schema() -> Schema {
        json_schema!({
            "type": "object",
            "propertyNames": { "pattern": VARIABLE },
            "additionalProperties": { "type": "string" }
        })
    }
}

pub(crate) const VARIABLE: &str = "^[A-Za-z_][A-Za-z0-9_]*$";

/// The text can be the name of an environment variable.
pub fn is_variable_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes
        .next()
        .is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && text.len() <= 256
}

pub(crate) fn variable_name(text: &str, span: Range<usize>, reader: &mut Reader<'_>) -> bool {
    let sound = is_variable_name(text);
    if !sound {
        let message = format!("`{}` cannot be the name of a variable", printable(text));
        let help = "letters, digits and underscores, not starting with a digit".to_owned();
        reader.problem(span, message, Some(help));
    }
    sound
}

/// Name of an environment variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct VariableName(pub(crate) String);

impl Value for VariableName {
    const KIND: &'static str = "name of a variable";

    fn read(value: &DeValue<'_>, span: Range<usize>, reader: &mut Reader<'_>) -> Option<Self> {
        let name = text("a string", value, span.clone(), reader)?;
        if name.contains('=') {
            // Whatever stands behind it may be a secret: it is not repeated.
            let help = "write the name alone; the value is looked up when it is used".to_owned();
            reader.problem(span, "holds a value, not only a name", Some(help));
            return None;
        }
        // Nor is anything that is no name: it may be the secret itself.
        let looks_like_a_token = ["ghp_", "gho_", "github_pat_", "sk_live_"];
        if !is_variable_name(name)
            || looks_like_a_token
                .iter()
                .any(|start| name.starts_with(start))
        {
            let help = "write the name, such as GITHUB_TOKEN; where its value is found is said in \
                        `[secrets]`";
            reader.problem(span, "is not the name of a variable", Some(help.to_owned()));
            return None;
        }
        Some(Self(name.to_owned()))
    }

    fn schema() -> Schema {
        json_schema!({ "type": "string", "pattern": VARIABLE })
    }
}
