//! Docstring Reporter: public names without a docstring, a rotating slice of the source a night.

mod missing;
mod slice;

use std::fmt::Write as _;

use changelings_sdk::prompt::{self, Rules, Total};
use changelings_sdk::{Brief, Composition, Context, Failure, Manifest, Param, Template};
use knowledge::Survey;
use knowledge::docstring::rules;
use knowledge::history::{Churn, LATELY};

use missing::{Missing, Read};
use slice::Slice;

/// The template.
#[derive(Debug)]
pub struct DocstringReporter;

impl Template for DocstringReporter {
    fn manifest() -> Manifest {
        Manifest::new(
            "docstring-reporter",
            env!("CARGO_PKG_VERSION"),
            "Reports public names without a docstring and proposes one for each, a slice of the source a night",
        )
        .param(Param::optional("limit", "Most names a report is about, 1 to 60").default("20"))
        .param(Param::optional(
            "paths",
            "Where to look: globs separated by commas, such as src/**; everywhere when empty",
        ))
        .param(Param::optional(
            "round",
            "Nights in which all of the source is looked at: 1, 2, 4, 7, 14 or 28; by its size when empty. Use 1 or 4 when it runs once a week",
        ))
        .permissions(["repo:read", "publish"])
        .default_message(prompt::message(
            include_str!("instructions.md"),
            Rules::Report,
        ))
    }

    fn compose(context: &Context) -> Result<Composition, Failure> {
        let limit = context.number_param("limit", 1..=60)?.unwrap_or(20) as usize;
        let slice = Slice::of(context)?;
        if slice.all == 0 {
            return Ok(Composition::skip(format!(
                "no source file in a language whose docstrings are known here ({})",
                slice::languages()
            )));
        }
        let churn = Churn::of_last(LATELY)?;
        let read = missing::read(&slice.files, &churn)?;
        if read.missing.is_empty() {
            return Ok(Composition::skip(nothing(&slice, &read, context)));
        }
        let chosen = missing::choose(&read, limit, &churn)?;
        let places: Vec<&str> = chosen
            .iter()
            .map(|(missing, _)| missing.path.as_str())
            .collect();
        let survey = Survey::near(&places)?;
        let findings = [
            prompt::section("Tonight's slice", &described(&slice, &read, context)),
            prompt::section("Names without a docstring", &listed(&chosen, &read, &churn)),
            prompt::section(
                "How this repository documents its names",
                &[read.conventions(&places), rules::in_words()?].concat(),
            ),
            survey.section(&places),
        ]
        .concat();
        let prompt = prompt::fill(&Self::manifest().default_message, &findings);
        let count = prompt::count(read.missing.len(), "public name");
        Ok(Brief::new("docstrings", prompt)
            .permissions(["publish"])
            .title(format!("Docstring Reporter: {count} without a docstring"))
            .body(format!(
                "A report on {}; nothing else is changed.\n",
                which(&slice, &read, context)
            ))
            .extra("report", "true")
            .into())
    }
}

changelings_sdk::export!(DocstringReporter);

/// `all 12 source files`, or `slice 3 of 28 (12 of 320 source files, 2026-11-22)`.
fn which(slice: &Slice, read: &Read, context: &Context) -> String {
    let more = if slice.truncated { "more than " } else { "" };
    if slice.round == 1 {
        let own = prompt::count(slice.all - read.decoys, "source file");
        return format!("{more}{own}, which is all of them");
    }
    let all = prompt::count(slice.all, "source file");
    format!(
        "slice {} of {} ({} of {more}{all}, {})",
        slice.number,
        slice.round,
        prompt::number(slice.files.len() - read.decoys),
        context.date
    )
}

fn nothing(slice: &Slice, read: &Read, context: &Context) -> String {
    let which = which(slice, read, context);
    if read.public == 0 {
        return format!("no public name that a docstring would be for in {which}");
    }
    format!(
        "nothing without a docstring in {which}: {} looked at",
        prompt::count(read.public, "public name")
    )
}

fn described(slice: &Slice, read: &Read, context: &Context) -> String {
    let mut text = format!("Looked at: {}", which(slice, read, context));
    if slice.round > 1 {
        let round = slice.round;
        let _ = write!(
            text,
            ", by a hash of their paths, so that each file has its turn once in {round} days. The other files are not your concern tonight"
        );
    }
    text += ". Tests, vendored and generated code are left out.";
    if read.unread > 0 {
        let _ = write!(
            text,
            " {} of the slice were not read, because it is large; those that changed most were.",
            prompt::count(read.unread, "file")
        );
    }
    text += "\n\nPublic names with a docstring: ";
    text += &read.coverage();
    text + "."
}

fn listed(chosen: &[(&Missing, Option<usize>)], read: &Read, churn: &Churn) -> String {
    let because = format!(
        "chosen by in how many other files the name's last word occurs and by how often people changed its file in the last {LATELY} days"
    );
    let head = prompt::chosen(
        chosen.len(),
        Total::Exactly(read.missing.len()),
        "name",
        &because,
    );
    let items = chosen.iter().map(|(missing, mentions)| {
        let word = prompt::code_bounded(missing.item.own_name(), 60);
        let used = match mentions {
            None => format!(", other files with the word {word} not counted"),
            Some(0) => format!(", the word {word} occurs in the code of no other file"),
            Some(files) => format!(
                ", the word {word} occurs in the code of {}",
                prompt::count(*files, "other file")
            ),
        };
        format!(
            "{} {} {}{used}, file: {}",
            prompt::place(&missing.path, missing.item.line),
            missing.item.kind,
            prompt::code_bounded(&missing.item.name, 120),
            churn.in_words(&missing.path)
        )
    });
    format!("{head}\n\n{}", prompt::numbered(items))
}

#[cfg(test)]
mod tests;
