//! How plain types are read: text, numbers, lists, tables. Wrong ones are reported with what to
//! write instead.

use std::collections::BTreeMap;
use std::ops::Range;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use toml::de::{DeTable, DeValue};

use super::key::{At, Value};
use super::problem::Reader;
use crate::names::printable;

/// The JSON Schema of a type that derives one, without a reference to elsewhere.
pub(crate) fn derived<T: JsonSchema>() -> Schema {
    T::json_schema(&mut SchemaGenerator::default())
}

/// What a value is, for `expected X, not Y`.
fn what(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "an integer",
        DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "an array",
        DeValue::Table(_) => "a table",
    }
}

/// Reports a value of the wrong type; the help never repeats more than a number or a boolean.
pub(crate) fn wrong_type(
    expected: &str,
    value: &DeValue<'_>,
    span: Range<usize>,
    reader: &mut Reader<'_>,
) {
    let scalar = match value {
        DeValue::Integer(number) => Some(number.to_string()),
        DeValue::Float(number) => Some(number.to_string()),
        DeValue::Boolean(boolean) => Some(boolean.to_string()),
        DeValue::Datetime(date) => Some(date.to_string()),
        _ => None,
    };
    let help = match (expected, value, scalar) {
        (_, _, Some(scalar)) if expected.contains("string") => {
            Some(format!("put it in quotes: \"{scalar}\""))
        }
        ("a boolean", DeValue::String(_), _) => Some("write true or false, without quotes".into()),
        (_, DeValue::String(_), _)
            if expected.contains("number") || expected.contains("integer") =>
        {
            Some("write it without quotes".into())
        }
        (_, DeValue::String(_), _) if expected.starts_with("an array") => {
            Some("put it in brackets: [\"...\"]".into())
        }
        _ => None,
    };
    reader.problem(
        span,
        format!("expected {expected}, not {}", what(value)),
        help,
    );
}

/// The text of a string value; anything else is reported as not being `expected`.
pub(crate) fn text<'v>(
    expected: &str,
    value: &'v DeValue<'_>,
    span: Range<usize>,
    reader: &mut Reader<'_>,
) -> Option<&'v str> {
    if let DeValue::String(text) = value {
        return Some(text.as_ref());
    }
    wrong_type(expected, value, span, reader);
    None
}

/// The table of a table value.
pub(crate) fn table<'v, 'i>(
    value: &'v DeValue<'i>,
    span: Range<usize>,
    reader: &mut Reader<'_>,
) -> Option<&'v DeTable<'i>> {
    if let DeValue::Table(table) = value {
        return Some(table);
    }
    wrong_type("a table", value, span, reader);
    None
}

/// Longest text the file may hold for one key.
pub(crate) const MAX_TEXT: usize = 100_000;

/// Any text: several lines are fine.
impl Value for String {
    const KIND: &'static str = "string";

    fn read(value: &DeValue<'_>, span: Range<usize>, reader: &mut Reader<'_>) -> Option<Self> {
        let text = text("a string", value, span.clone(), reader)?;
        if text.len() > MAX_TEXT {
            let message = format!("is {} bytes long; at most {MAX_TEXT}", text.len());
            reader.problem(span, message, None);
            return None;
        }
        if text.contains('\0') {
            reader.problem(span, "holds a NUL character", None);
            return None;
        }
        Some(text.to_owned())
    }

    fn schema() -> Schema {
        json_schema!({ "type": "string" })
    }
}

/// One line of text: not empty, no control characters, at most 1,000 characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line(pub(crate) String);

impl Value for Line {
    const KIND: &'static str = "string (one line)";

    fn read(value: &DeValue<'_>, span: Range<usize>, reader: &mut Reader<'_>) -> Option<Self> {
        let text = text("a string", value, span.clone(), reader)?;
        let fault = if text.trim().is_empty() {
            "is empty"
        } else if text.chars().any(char::is_control) {
            "must be one line without control characters"
        } else if text.chars().count() > 1000 {
            "is longer than 1000 characters"
        } else {
            return Some(Self(text.to_owned()));
        };
        reader.problem(span, fault, None);
        None
    }

    fn schema() -> Schema {
        json_schema!({ "type": "string", "minLength": 1, "maxLength": 1000 })
    }
}

impl Value for bool {
    const KIND: &'static str = "boolean";

    fn read(value: &DeValue<'_>, span: Range<usize>, reader: &mut Reader<'_>) -> Option<Self> {
        if let DeValue::Boolean(boolean) = value {
            return Some(*boolean);
        }
        wrong_type("a boolean", value, span, reader);
        None
    }

    fn schema() -> Schema {
        json_schema!({ "type": "boolean" })
    }
}

/// An integer in a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Count<const MIN: u32, const MAX: u32>(pub(crate) u32);

impl<const MIN: u32, const MAX: u32> Value for Count<MIN, MAX> {
    const KIND: &'static str = "integer";

    fn read(value: &DeValue<'_>, span: Range<usize>, reader: &mut Reader<'_>) -> Option<Self> {
        let DeValue::Integer(number) = value else {
            wrong_type("an integer", value, span, reader);
            return None;
        };
        match u32::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) if (MIN..=MAX).contains(&number) => Some(Self(number)),
            _ => {
                let help = format!("write a number from {MIN} to {MAX}");
                reader.problem(span, format!("{number} is out of range"), Some(help));
                None
            }
        }
    }

    fn schema() -> Schema {
        json_schema!({ "type": "integer", "minimum": MIN, "maximum": MAX })
    }
}

/// A positive, finite number up to a limit; whole ones may be written as integers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Amount<const MAX: u32>(pub(crate) f64);

impl<const MAX: u32> Value for Amount<MAX> {
    const KIND: &'static str = "number";

    fn read(value: &DeValue<'_>, span: Range<usize>, reader: &mut Reader<'_>) -> Option<Self> {
        let (shown, number) = match value {
            DeValue::Integer(n) => {
                let integer = u32::from_str_radix(n.as_str(), n.radix());
                (n.to_string(), integer.ok().map(f64::from))
            }
            DeValue::Float(n) => (n.to_string(), n.as_str().parse().ok()),
            _ => {
                wrong_type("a number", value, span, reader);
                return None;
            }
        };
        match number {
            Some(number) if number > 0.0 && number <= f64::from(MAX) => Some(Self(number)),
            _ => {
                let help = format!("write a number above 0, at most {MAX}");
                reader.problem(span, format!("{shown} is out of range"), Some(help));
                None
            }
        }
    }

    fn schema() -> Schema {
        json_schema!({ "type": "number", "exclusiveMinimum": 0, "maximum": MAX })
    }
}

/// Reads every element, so that every wrong one is reported.
fn elements<T: Value>(
    array: &toml::de::DeArray<'_>,
    reader: &mut Reader<'_>,
) -> Option<Vec<At<T>>> {
    let read: Vec<_> = array
        .iter()
        .map(|element| {
            let value = T::read(element.get_ref(), element.span(), reader)?;
            Some(At {
                value,
                span: element.span(),
            })
        })
        .collect();
    read.into_iter().collect()
}

/// An array.
impl<T: Value> Value for Vec<T> {
    const KIND: &'static str = "array";

    fn read(value: &DeValue<'_>, span: Range<usize>, reader: &mut Reader<'_>) -> Option<Self> {
        let DeValue::Array(array) = value else {
            wrong_type("an array", value, span, reader);
            return None;
        };
        Some(
            elements(array, reader)?
                .into_iter()
                .map(|at| at.value)
                .collect(),
        )
    }

    fn schema() -> Schema {
        json_schema!({ "type": "array", "items": T::schema() })
    }
}

/// Words of a command line: a string split as a shell would, or an array taken as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Words(pub(crate) Vec<String>);

impl Value for Words {
    const KIND: &'static str = "string (shell words) or array of strings";

    fn read(value: &DeValue<'_>, span: Range<usize>, reader: &mut Reader<'_>) -> Option<Self> {
        match value {
            DeValue::Array(array) => {
                let words = elements::<String>(array, reader)?;
                Some(Self(words.into_iter().map(|at| at.value).collect()))
            }
            DeValue::String(line) => {
                if let Ok(words) = shell_words::split(line) {
                    return Some(Self(words));
                }
                let help = "close the quote, or write an array of strings".to_owned();
                reader.problem(span, "a quote is not closed", Some(help));
                None
            }
            _ => {
                wrong_type("a string or an array of strings", value, span, reader);
                None
            }
        }
    }

    fn schema() -> Schema {
        json_schema!({ "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }] })
    }
}

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
