//! Security Reporter: what matters for security, privately, the three gravest first.

mod code;
mod settings;

use std::fmt::Write as _;

use changelings_sdk::prompt::{self, Rules, Total};
use changelings_sdk::{Brief, Composition, Context, Delivery, Failure, Manifest, Param, Template};
use knowledge::Survey;
use knowledge::history::{Churn, LATELY};

use code::{Code, Place};
use settings::Settings;

/// The template.
#[derive(Debug)]
pub struct SecurityReporter;

impl Template for SecurityReporter {
    fn manifest() -> Manifest {
        Manifest::new(
            "security-reporter",
            env!("CARGO_PKG_VERSION"),
            "Reports what matters for security, the three gravest first; the report stays in the run's record",
        )
        .param(Param::optional("limit", "Most risky places a report starts from, 1 to 60").default("20"))
        .param(Param::optional(
            "paths",
            "Whose code to look at: globs separated by commas, such as src/**; everywhere when empty",
        ))
        .permissions(["repo:read", "publish"])
        .default_message(prompt::message(
            include_str!("instructions.md"),
            Rules::Report,
        ))
    }

    fn compose(context: &Context) -> Result<Composition, Failure> {
        let limit = context.number_param("limit", 1..=60)?.unwrap_or(20) as usize;
        let churn = Churn::of_last(LATELY)?;
        let code = code::look(&context.list_param("paths"), &churn)?;
        let risky = code.gravest(limit);
        let places: Vec<&str> = risky.iter().map(|place| place.path.as_str()).collect();
        let survey = Survey::near(&places)?;
        let settings = settings::look(&survey)?;
        let findings = [
            prompt::section("Risky places", &risky_places(&risky, &code, &churn)),
            prompt::section(
                "Places where a credential seems to be written down",
                &credentials(&code),
            ),
            prompt::section("Where input comes in", &entries(&code)),
            prompt::section("Dependencies", &settings.dependencies),
            prompt::section("Workflows and images", &workflows(&settings)),
            survey.section(&places),
        ]
        .concat();
        let prompt = prompt::fill(&Self::manifest().default_message, &findings);
        // `publish` only matters when the user chooses another delivery; the record is published nowhere.
        Ok(Brief::new("security", prompt)
            .permissions(["publish"])
            .delivery(Delivery::Record)
            .title(format!("Security Reporter: report of {}", context.date))
            .into())
    }
}

changelings_sdk::export!(SecurityReporter);

fn risky_places(risky: &[&Place], code: &Code, churn: &Churn) -> String {
    if risky.is_empty() {
        return "The calls and settings this program knows as risky do not occur in this repository's own code. \
                Start from where input comes in."
            .into();
    }
    let because = format!(
        "chosen by how bad it is when it is real, by whether input comes in close by, and by how often people \
         changed the file in the last {LATELY} days"
    );
    let total = if code.truncated || code.unread > 0 {
        Total::MoreThan(code.risky.len())
    } else {
        Total::Exactly(code.risky.len())
    };
    let items = risky.iter().map(|place| {
        let shown = match place.shown.as_str() {
            "" => String::new(),
            shown => format!(" {}", prompt::code_bounded(shown, 160)),
        };
        let entry = match &place.entry {
            Some((line, shown)) => format!(
                ", below the entry point {} {}",
                prompt::place(&place.path, *line),
                prompt::code_bounded(shown, 80)
            ),
            None => String::new(),
        };
        let silenced = if place.is_silenced {
            ", a check is silenced on the line"
        } else {
            ""
        };
        format!(
            "{}: {}{shown}{entry}{silenced}, file: {}",
            place.what,
            prompt::place(&place.path, place.line),
            churn.in_words(&place.path)
        )
    });
    let mut text = format!(
        "{}\n\n{}",
        prompt::chosen(risky.len(), total, "place", &because),
        prompt::numbered(items)
    );
    if code.unread > 0 {
        let _ = write!(
            text,
            "\n{} with possible places were not read; those with the gravest signs were.\n",
            prompt::count(code.unread, "more file")
        );
    }
    text + "\nWhat strings hold is left out here; read it in the file.\n"
}

fn credentials(code: &Code) -> String {
    if code.credentials.is_empty() {
        return String::new();
    }
    let most = 10;
    let named = code
        .credentials
        .iter()
        .take(most)
        .map(|found| match found.line {
            0 => format!("{} is tracked by git", prompt::code(&found.path)),
            line => format!(
                "{} {}",
                prompt::place(&found.path, line),
                prompt::code_bounded(&found.name, 60)
            ),
        });
    let shown = code.credentials.len().min(most);
    format!(
        "{}\n\n{}\nFind out whether each is real and in use. Never write a value, or a part of one, into the report or \
         anywhere else, and never try it out.",
        prompt::chosen(
            shown,
            Total::Exactly(code.credentials.len()),
            "place",
            "tracked files and well-known tokens first"
        ),
        prompt::bullets(named)
    )
}

fn entries(code: &Code) -> String {
    if code.entries.is_empty() {
        return "No route, server, message handler or command line of a framework this program knows was found. Find out \
                how this code is started and who can reach it."
            .into();
    }
    let most = 15;
    let named = code.entries.iter().take(most).map(|place| {
        format!(
            "{}: {} {}",
            place.what,
            prompt::place(&place.path, place.line),
            prompt::code_bounded(&place.shown, 120)
        )
    });
    format!(
        "{}\n\n{}",
        prompt::chosen(
            code.entries.len().min(most),
            Total::Exactly(code.entries.len()),
            "entry point",
            "those that strangers reach first, then by how often the file changed"
        ),
        prompt::bullets(named)
    )
}

fn workflows(settings: &Settings) -> String {
    let most = 12;
    let shown = settings
        .issues
        .iter()
        .take(most)
        .map(|issue| issue.told.as_str());
    let mut text = String::new();
    if !settings.issues.is_empty() {
        text = format!(
            "{}\n\n{}",
            prompt::chosen(
                settings.issues.len().min(most),
                Total::Exactly(settings.issues.len()),
                "place",
                "the gravest first"
            ),
            prompt::bullets(shown)
        );
    }
    for note in &settings.notes {
        let _ = write!(text, "\n{note}\n");
    }
    text
}

#[cfg(test)]
mod tests;
