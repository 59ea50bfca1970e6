//! How plain types are read: text, numbers, lists, tables. Wrong ones are reported with what to
//! write instead.

use std::ops::Range;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use toml::de::{DeTable, DeValue};

use super::key::{At, Value};
use super::problem::Reader;

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

    fn kind() -> String {
        format!("array: {}", T::kind())
    }

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
