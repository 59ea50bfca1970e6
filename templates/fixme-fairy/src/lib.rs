//! Fixme Fairy: resolves the markers (FIXME, TODO, ...) that matter most.

mod markers;

use changelings_sdk::prompt::{self, Rules};
use changelings_sdk::repo::Place;
use changelings_sdk::{Brief, Composition, Context, Date, Failure, Manifest, Param, Template};
use knowledge::Survey;
use knowledge::history::{Churn, LATELY, Origins};

use markers::{Found, Marker, weight};

/// The gravest first.
const MARKERS: &str = "FIXME,XXX,HACK,TODO";
/// Places whose age is looked up, in how many files: history is slow to read.
const MAX_PLACES_WITH_AGE: usize = 40;
const MAX_FILES_WITH_AGE: usize = 12;

/// The template.
#[derive(Debug)]
pub struct FixmeFairy;

impl Template for FixmeFairy {
    fn manifest() -> Manifest {
        Manifest::new(
            "fixme-fairy",
            env!("CARGO_PKG_VERSION"),
            "Resolves the FIXME, TODO, XXX and HACK markers that matter most, one commit each",
        )
        .param(
            Param::optional(
                "markers",
                "Words to look for, the gravest first, separated by commas",
            )
            .default(MARKERS),
        )
        .param(Param::optional("limit", "Most markers a run takes on, 1 to 25").default("10"))
        .param(Param::optional(
            "paths",
            "Where to look: globs separated by commas, such as src/**; everywhere when empty",
        ))
        .permissions(["repo:read", "publish"])
        .default_message(prompt::message(
            include_str!("instructions.md"),
            Rules::Changes,
        ))
    }

    fn compose(context: &Context) -> Result<Composition, Failure> {
        let words = words(context)?;
        let limit = context.number_param("limit", 1..=25)?.unwrap_or(10) as usize;
        let churn = Churn::of_last(LATELY)?;
        let found = markers::find(&words, &context.list_param("paths"), &churn)?;
        if found.markers.is_empty() {
            return Ok(Composition::skip(nothing_found(&words, &found)));
        }
        let (chosen, origins) = choose(&found.markers, words.len(), limit, &churn, context.date)?;
        let places: Vec<&str> = chosen
            .iter()
            .map(|marker| marker.place.path.as_str())
            .collect();
        let survey = Survey::near(&places)?;
        let findings = [
            prompt::section(
                "Markers",
                &listed(&chosen, &found, &words, &churn, &origins, context.date),
            ),
            survey.section(&places),
        ]
        .concat();
        let prompt = prompt::fill(&Self::manifest().default_message, &findings);
        let considered = chosen.iter().map(|marker| {
            format!(
                "{} {}",
                prompt::place(&marker.place.path, marker.place.line),
                marker.word
            )
        });
        Ok(Brief::new("fixmes", prompt)
            .permissions(["publish"])
            .title("Fixme Fairy: Fixed {commits} FIXMEs")
            .body(format!(
                "Markers looked at in this run:\n\n{}",
                prompt::bullets(considered)
            ))
            .into())
    }
}

changelings_sdk::export!(FixmeFairy);

/// The words to look for; they go into a regular expression.
fn words(context: &Context) -> Result<Vec<&str>, Failure> {
    let words = context.list_param("markers");
    let words = if words.is_empty() {
        MARKERS.split(',').collect()
    } else {
        words
    };
    let is_word = |word: &&str| word.chars().all(|c| c.is_alphanumeric() || c == '_');
    match words.iter().find(|word| !is_word(word)) {
        Some(odd) => Err(
            Failure::invalid(format!("the parameter `markers` holds `{odd}`"))
                .hint(format!("words separated by commas, such as {MARKERS}")),
        ),
        None => Ok(words),
    }
}

/// The markers that matter, the weightiest first, and what is known of their age.
fn choose<'a>(
    markers: &'a [Marker],
    words: usize,
    limit: usize,
    churn: &Churn,
    today: Date,
) -> Result<(Vec<&'a Marker>, Origins), Failure> {
    let mut ranked: Vec<&Marker> = markers.iter().collect();
    ranked.sort_by_key(|marker| {
        (
            -weight(marker, words, churn, None),
            &marker.place.path,
            marker.place.line,
        )
    });
    let mut files: Vec<&str> = Vec::new();
    let mut places: Vec<Place> = Vec::new();
    for marker in ranked.iter().take(MAX_PLACES_WITH_AGE) {
        let path = marker.place.path.as_str();
        if !files.contains(&path) {
            files.push(path);
        }
        if files.len() <= MAX_FILES_WITH_AGE {
            places.push(marker.place.clone());
        }
    }
    let origins = Origins::of(&places)?;
    ranked.sort_by_key(|marker| {
        let years = origins
            .date(&marker.place)
            .map(|date| today.days_since(date) / 365);
        (
            -weight(marker, words, churn, years),
            &marker.place.path,
            marker.place.line,
        )
    });
    ranked.truncate(limit);
    Ok((ranked, origins))
}

fn listed(
    chosen: &[&Marker],
    found: &Found,
    words: &[&str],
    churn: &Churn,
    origins: &Origins,
    today: Date,
) -> String {
    let because = format!(
        "chosen by word ({}), by how often people changed the file in the last {LATELY} days, and by age",
        words.join(" before ")
    );
    let head = prompt::chosen(chosen.len(), found.total(), "marker", &because);
    let items = chosen.iter().map(|marker| {
        let Place { path, line } = &marker.place;
        let age = origins
            .in_words(&marker.place, today)
            .map(|age| format!(", {age}"))
            .unwrap_or_default();
        let says = match marker.text.as_str() {
            "" => "says nothing".to_owned(),
            text => prompt::code(text),
        };
        format!(
            "{} {}{age}, file: {}: {says}",
            prompt::place(path, *line),
            marker.word,
            churn.in_words(path)
        )
    });
    format!("{head}\n\n{}", prompt::numbered(items))
}

fn nothing_found(words: &[&str], found: &Found) -> String {
    let words = words.join(", ");
    match found.look_alikes {
        0 => format!("no comment has a marker ({words})"),
        look_alikes => format!(
            "no comment has a marker ({words}); {} in strings, prose or generated code",
            prompt::count(look_alikes, "look-alike")
        ),
    }
}

#[cfg(test)]
mod tests;
