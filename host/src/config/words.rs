//! Closed sets of words.

use std::ops::Range;

use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};
use toml::de::DeValue;

use super::key::Value;
use super::problem::{Reader, nearest};
use super::value::{derived, text};
use crate::names::printable;

/// Reads one of a closed set of words.
pub(super) fn choice<T: Copy>(
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
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
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
    /// What to do when a pull request of the same changeling is open.
    OnOpenPr {
        /// Work on its branch.
        Update = "update",
        /// Do not run.
        Skip = "skip",
        /// Open another one.
        New = "new",
    }
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
