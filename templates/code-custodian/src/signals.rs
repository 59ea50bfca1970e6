//! What a program can see of code that is hard to change.

mod commented_out;
mod copies;
mod long_functions;
mod silenced;

use changelings_sdk::prompt;

/// Most items told of one kind.
const MAX_TOLD: usize = 5;

/// A file that was read.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) path: String,
    pub(crate) text: String,
    /// Strings and comments blanked out.
    pub(crate) code: String,
    /// Strings blanked out.
    pub(crate) code_and_comments: String,
    pub(crate) syntax: &'static knowledge::language::Syntax,
}

/// Something that stands out, and how much.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Signal {
    pub(crate) path: String,
    /// For a list: a place and what is there.
    pub(crate) told: String,
    pub(crate) weight: usize,
}

/// One kind of signals.
#[derive(Debug)]
pub(crate) struct Kind {
    one: &'static str,
    many: &'static str,
    /// The weightiest first.
    pub(crate) signals: Vec<Signal>,
}

/// All signals of these files, kinds without any left out.
pub(crate) fn find(sources: &[Source]) -> Vec<Kind> {
    let of_each = |find: fn(&Source) -> Vec<Signal>| -> Vec<Signal> {
        sources.iter().flat_map(find).collect()
    };
    let kinds = [
        (
            [
                "check silenced in the source",
                "checks silenced in the source",
            ],
            of_each(silenced::find),
        ),
        (
            ["long function", "long functions"],
            of_each(long_functions::find),
        ),
        (
            [
                "piece of code that is there twice",
                "pieces of code that are there twice",
            ],
            copies::find(sources),
        ),
        (
            [
                "piece of code commented out",
                "pieces of code commented out",
            ],
            of_each(commented_out::find),
        ),
    ];
    kinds
        .into_iter()
        .filter(|(_, signals)| !signals.is_empty())
        .map(|([one, many], mut signals)| {
            signals.sort_by(|a, b| b.weight.cmp(&a.weight).then_with(|| a.told.cmp(&b.told)));
            Kind { one, many, signals }
        })
        .collect()
}

impl Kind {
    /// Heading and bullets.
    pub(crate) fn in_words(&self) -> String {
        let all = self.signals.len();
        let head = match all {
            1 => format!("1 {}:", self.one),
            2..=MAX_TOLD => format!("{all} {}:", self.many),
            _ => format!(
                "{} {}, the {MAX_TOLD} that weigh most:",
                prompt::number(all),
                self.many
            ),
        };
        let told = self
            .signals
            .iter()
            .take(MAX_TOLD)
            .map(|signal| &signal.told);
        format!("{head}\n\n{}\n", prompt::bullets(told))
    }

    /// Files of what `in_words` tells.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &str> {
        self.signals
            .iter()
            .take(MAX_TOLD)
            .map(|signal| signal.path.as_str())
    }
}
