//! Types of the configuration with a meaning of their own, and how each is read.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use schemars::{Schema, json_schema};
use serde::{Serialize, Serializer};
use toml::de::DeValue;

use super::key::Value;
use super::problem::Reader;
use super::tables::is_variable_name;
use super::value::{text, wrong_type};
use crate::names::printable;

/// How long a run may take: 1 second to 24 hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeout(Duration);

/// Why a text is no time-out.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum TimeoutError {
    #[error("is not a duration")]
    Malformed,
    #[error("is out of range")]
    OutOfRange,
}

impl Timeout {
    pub const HOUR: Self = Self(Duration::from_hours(1));
    const MAX: Duration = Duration::from_hours(24);

    pub const fn seconds(self) -> u64 {
        self.0.as_secs()
    }

    pub const fn duration(self) -> Duration {
        self.0
    }
}

impl FromStr for Timeout {
    type Err = TimeoutError;

    fn from_str(text: &str) -> Result<Self, TimeoutError> {
        let duration = jiff::fmt::friendly::SpanParser::new()
            .parse_unsigned_duration(text.trim())
            .map_err(|_| TimeoutError::Malformed)?;
        if duration < Duration::from_secs(1) || duration > Self::MAX {
            return Err(TimeoutError::OutOfRange);
        }
        Ok(Self(Duration::from_secs(duration.as_secs())))
    }
}

impl fmt::Display for Timeout {
    /// `1h 30m`, readable by `FromStr`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.seconds();
        let parts = [
            (seconds / 3600, 'h'),
            (seconds / 60 % 60, 'm'),
            (seconds % 60, 's'),
        ];
        let text: Vec<_> = parts
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, unit)| format!("{count}{unit}"))
            .collect();
        f.pad(&text.join(" "))
    }
}

impl Serialize for Timeout {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Value for Timeout {
    const KIND: &'static str = "duration";

    fn read(value: &DeValue<'_>, span: Range<usize>, reader: &mut Reader<'_>) -> Option<Self> {
        if let DeValue::Integer(number) = value {
            let help = format!("write it with a unit: \"{number}s\", \"90m\", \"1h\"");
            reader.problem(span, "expected a duration, not an integer", Some(help));
            return None;
        }
        let text = text("a duration in a string", value, span.clone(), reader)?;
        match text.parse() {
            Ok(timeout) => Some(timeout),
            Err(error) => {
                let help = "write 1s to 24h, such as \"90m\" or \"1h 30m\"".to_owned();
                reader.problem(span, format!("`{}` {error}", printable(text)), Some(help));
                None
            }
        }
    }

    fn schema() -> Schema {
        json_schema!({ "type": "string", "examples": ["1h", "90m", "1h 30m"] })
    }
}

/// An amount of memory or disk, in MiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Mebibytes(pub u32);

impl Value for Mebibytes {
    const KIND: &'static str = "integer (MiB) or string such as \"4GiB\"";

    fn read(value: &DeValue<'_>, span: Range<usize>, reader: &mut Reader<'_>) -> Option<Self> {
        let read = match value {
            DeValue::Integer(n) => u32::from_str_radix(n.as_str(), n.radix()).ok(),
            DeValue::String(text) => {
                let (number, factor) = match text.trim() {
                    t if t.ends_with("GiB") => (t.strip_suffix("GiB"), 1024),
                    t => (t.strip_suffix("MiB"), 1),
                };
                number
                    .and_then(|number| number.trim().parse::<u32>().ok())
                    .and_then(|number| number.checked_mul(factor))
            }
            _ => {
                wrong_type(
                    "an integer (MiB) or a string such as \"4GiB\"",
                    value,
                    span,
                    reader,
                );
                return None;
            }
        };
        if let Some(mebibytes @ 1..=4_194_304) = read {
            return Some(Self(mebibytes));
        }
        let help = "write MiB as a number, or a string such as \"512MiB\" or \"4GiB\"".to_owned();
        reader.problem(span, "is not an amount of memory", Some(help));
        None
    }

    fn schema() -> Schema {
        json_schema!({ "anyOf": [
            { "type": "integer", "minimum": 1 },
            { "type": "string", "pattern": "^[0-9]+ *(MiB|GiB)$" }
        ] })
    }
}

/// A branch name git accepts and no command line mistakes for an option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BranchName(pub(crate) String);

/// The rules of `git check-ref-format --branch`, and no more than 200 bytes.
pub fn is_branch_name(name: &str) -> bool {
    let part_is_sound = |part: &str| {
        !part.is_empty() && !part.starts_with('.') && part.strip_suffix(".lock").is_none()
    };
    let forbidden = |c: char| c.is_control() || " ~^:?*[\\".contains(c);
    name != "@"
        && name != "HEAD"
        && name.len() <= 200
        && !name.starts_with('-')
        && !name.ends_with('.')
        && !name.contains("..")
        && !name.contains("@{")
        && !name.contains(forbidden)
        && name.split('/').all(part_is_sound)
}

impl Value for BranchName {
    const KIND: &'static str = "branch name";

    fn read(value: &DeValue<'_>, span: Range<usize>, reader: &mut Reader<'_>) -> Option<Self> {
        let name = text("a string", value, span.clone(), reader)?;
        if is_branch_name(name) {
            return Some(Self(name.to_owned()));
        }
        let message = format!("`{}` is not a branch name git accepts", printable(name));
        let help = "write the short name, such as \"main\" or \"release/2.0\"".to_owned();
        reader.problem(span, message, Some(help));
        None
    }

    fn schema() -> Schema {
        json_schema!({ "type": "string", "minLength": 1 })
    }
}

/// mngr's word for how an agent runs: `claude`, `codex`, `command`, ...
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AgentType(pub(crate) String);

impl Value for AgentType {
    const KIND: &'static str = "agent type";

    fn read(value: &DeValue<'_>, span: Range<usize>, reader: &mut Reader<'_>) -> Option<Self> {
        let name = text("a string", value, span.clone(), reader)?;
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
        if !name.is_empty() && name.len() <= 64 && !name.starts_with('-') && name.bytes().all(plain)
        {
            return Some(Self(name.to_owned()));
        }
        let message = format!("`{}` is not an agent type", printable(name));
        let help = "write a name mngr knows, such as \"claude\" or \"codex\"".to_owned();
        reader.problem(span, message, Some(help));
        None
    }

    fn schema() -> Schema {
        json_schema!({ "type": "string", "pattern": "^[A-Za-z0-9_.][A-Za-z0-9_.-]*$" })
    }
}

/// A file, as written: absolute, `~/...`, or relative to the configuration's folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct FilePath(pub String);

impl FilePath {
    /// `user_home` is what `~` stands for.
    pub fn resolve(&self, base: &Path, user_home: Option<&Path>) -> PathBuf {
        match (self.0.strip_prefix("~/"), user_home) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => base.join(&self.0),
        }
    }
}

impl Value for FilePath {
    const KIND: &'static str = "path";

    fn read(value: &DeValue<'_>, span: Range<usize>, reader: &mut Reader<'_>) -> Option<Self> {
        let path = text("a string", value, span.clone(), reader)?;
        if path.is_empty() || path.chars().any(char::is_control) {
            reader.problem(
                span,
                "is not a path",
                Some("write the path of a file".to_owned()),
            );
            return None;
        }
        Some(Self(path.to_owned()))
    }

    fn schema() -> Schema {
        json_schema!({ "type": "string", "minLength": 1 })
    }
}

/// A glob over paths of the repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PathGlob(pub(crate) String);

impl Value for PathGlob {
    const KIND: &'static str = "glob";

    fn read(value: &DeValue<'_>, span: Range<usize>, reader: &mut Reader<'_>) -> Option<Self> {
        let glob = text("a string", value, span.clone(), reader)?;
        match globset::Glob::new(glob) {
            Ok(_) if !glob.is_empty() => Some(Self(glob.to_owned())),
            Ok(_) => {
                reader.problem(span, "is empty", None);
                None
            }
            Err(error) => {
                let message = format!("`{}` is not a glob: {}", printable(glob), error.kind());
                reader.problem(span, message, None);
                None
            }
        }
    }

    fn schema() -> Schema {
        json_schema!({ "type": "string", "minLength": 1 })
    }
}

/// Where a message is posted: an https URL, or the name of the secret that holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Webhook(pub(crate) String);

impl Value for Webhook {
    const KIND: &'static str = "https URL or name of a secret";

    fn read(value: &DeValue<'_>, span: Range<usize>, reader: &mut Reader<'_>) -> Option<Self> {
        let place = text("a string", value, span.clone(), reader)?;
        // Plain http only for what never leaves the machine.
        let is_url = url::Url::parse(place).is_ok_and(|url| {
            url.scheme() == "https"
                || url.scheme() == "http"
                    && matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"))
        });
        if is_url || is_variable_name(place) {
            return Some(Self(place.to_owned()));
        }
        // Such URLs are secrets: they are not repeated.
        let help = "write an https URL, or the name of the secret that holds it".to_owned();
        reader.problem(span, "is no place to post to", Some(help));
        None
    }

    fn schema() -> Schema {
        json_schema!({ "type": "string", "minLength": 1 })
    }
}

/// A mail address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address(pub(crate) String);

/// One part on each side of the `@`, nothing that ends a header or starts another address.
pub(crate) fn is_address(text: &str) -> bool {
    let forbidden = |c: char| c.is_control() || c.is_whitespace() || "<>,;\"".contains(c);
    text.len() <= 254
        && !text.contains(forbidden)
        && text.split_once('@').is_some_and(|(name, host)| {
            !name.is_empty() && !name.starts_with('-') && !host.is_empty() && !host.contains('@')
        })
}

impl Value for Address {
    const KIND: &'static str = "mail address";

    fn read(value: &DeValue<'_>, span: Range<usize>, reader: &mut Reader<'_>) -> Option<Self> {
        let address = text("a string", value, span.clone(), reader)?;
        if is_address(address) {
            return Some(Self(address.to_owned()));
        }
        let message = format!("`{}` is not a mail address", printable(address));
        reader.problem(span, message, Some("write name@example.org".to_owned()));
        None
    }

    fn schema() -> Schema {
        json_schema!({ "type": "string", "format": "email" })
    }
}
