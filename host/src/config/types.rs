//! Types of the configuration with a meaning of their own, and how each is read.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use schemars::{JsonSchema, Schema, json_schema};
use serde::{Serialize, Serializer};
use toml::de::DeValue;

use super::key::{Layer, Section, Value};
use super::keys::IdentityKeys;
use super::problem::{Reader, nearest};
use super::value::{derived, table, text, wrong_type};
use crate::brief::Delivery;
use crate::job::{Identity, OnOpenPr};
use crate::names::printable;
use crate::permission::{Permission, UnknownPermission};
use crate::repo_url::RepoUrl;
use crate::schedule::{Schedule, Zone};

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

/// Reads one of a closed set of words.
fn choice<T: Copy>(
    choices: &[(&str, T)],
    value: &DeValue<'_>,
    span: Range<usize>,
    reader: &mut Reader<'_>,
) -> Option<T> {
    let word = text("a string", value, span.clone(), reader)?;
    if let Some((_, choice)) = choices.iter().find(|(name, _)| *name == word) {
        return Some(*choice);
    }
    let names = choices.iter().map(|(name, _)| *name);
    let help = match nearest(word, names.clone()) {
        Some(meant) => format!("did you mean \"{meant}\"?"),
        None => format!("one of: {}", names.collect::<Vec<_>>().join(", ")),
    };
    reader.problem(
        span,
        format!("unknown value `{}`", printable(word)),
        Some(help),
    );
    None
}

/// Declares a closed set of words, each with its meaning.
macro_rules! words {
    ($(#[doc = $about:literal])* $name:ident {
        $( $(#[doc = $doc:literal])+ $variant:ident = $word:literal, )*
    }) => {
        $(#[doc = $about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
        #[serde(rename_all = "kebab-case")]
        pub enum $name { $( $(#[doc = $doc])+ $variant, )* }

        impl $name {
            pub const fn as_str(self) -> &'static str {
                match self { $( Self::$variant => $word, )* }
            }
        }

        impl Value for $name {
            const KIND: &'static str = words!(@kind $($word)*);

            fn read(value: &DeValue<'_>, span: Range<usize>, reader: &mut Reader<'_>) -> Option<Self> {
                choice(&[$(($word, Self::$variant)),*], value, span, reader)
            }

            fn schema() -> Schema {
                derived::<Self>()
            }
        }
    };
    (@kind $first:literal $($word:literal)*) => {
        concat!("`\"", $first, "\"`" $(, " \\| `\"", $word, "\"`")*)
    };
}

words! {
    /// What a run does when one of the same changeling and repository is still going on.
    Overlap {
        /// Does not start.
        Skip = "skip",
        /// Waits for the other to end.
        Wait = "wait",
        /// Ends the other and takes its place.
        Replace = "replace",
    }
}

words! {
    /// How agents are started.
    Launch {
        /// The wrapper for agents it knows (claude, codex, command), else mngr's own way.
        Auto = "auto",
        /// Our wrapper, which keeps prompt, exit code, output and cost in files.
        Wrapper = "wrapper",
        /// mngr's own agent type, then wait.
        Native = "native",
    }
}

words! {
    /// Outcomes worth a message.
    NotifyOn {
        /// A pull request was opened or updated.
        PullRequest = "pull-request",
        /// A branch was pushed without a pull request.
        Pushed = "pushed",
        /// A report was delivered.
        Report = "report",
        /// The agent changed nothing.
        NoChanges = "no-changes",
        /// The template found nothing to do.
        Skipped = "skipped",
        /// The run failed.
        Failed = "failed",
        /// The run took too long.
        TimedOut = "timed-out",
        /// The run was ended from outside.
        Interrupted = "interrupted",
        /// A person has to look.
        NeedsAttention = "needs-attention",
    }
}

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

impl Value for OnOpenPr {
    const KIND: &'static str = "`\"update\"` \\| `\"skip\"` \\| `\"new\"`";

    fn read(value: &DeValue<'_>, span: Range<usize>, reader: &mut Reader<'_>) -> Option<Self> {
        let choices = [
            ("update", Self::Update),
            ("skip", Self::Skip),
            ("new", Self::New),
        ];
        choice(&choices, value, span, reader)
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
            let sound = email.value.0.contains('@') && !email.value.0.contains(['<', '>', ' ']);
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
