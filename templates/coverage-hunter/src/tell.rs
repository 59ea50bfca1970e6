//! What was found, in words.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use changelings_sdk::prompt::{self, Total};
use knowledge::coverage::tool::TOOLS;
use knowledge::coverage::{self, Measure, Pattern};
use knowledge::hotspot::{self, Code, Hotspot, Tested};
use knowledge::language;

use crate::Hunt;

/// Most patterns of files that are measured, or not, named.
const MAX_PATTERNS: usize = 8;

/// Why there is nothing to do: no code.
pub(crate) fn no_sources(paths: &[&str]) -> String {
    let place = match paths {
        [] => String::new(),
        paths => format!(" in {}", paths.join(", ")),
    };
    format!("no source file{place} in a language whose coverage tools are known")
}

/// Why there is nothing to do: nothing measures.
pub(crate) fn no_measure(code: &Code) -> String {
    let languages = languages(code);
    let tools: Vec<&str> = TOOLS
        .iter()
        .filter(|tool| {
            tool.languages
                .iter()
                .any(|language| languages.contains(language))
        })
        .map(|tool| tool.name)
        .collect();
    format!(
        "no way to measure coverage found for {}: CI, task files, manifests and configuration name none of {}; the \
         parameter `command` can say how",
        languages.into_iter().collect::<Vec<_>>().join(", "),
        tools.join(", ")
    )
}

/// Why there is nothing to do: no file to write tests for.
pub(crate) fn no_files(code: &Code, measures: &[Measure]) -> String {
    format!(
        "no file to write tests for among {}: those that changed hold things together or only declare something, \
         are left out of what `{}` measures, or history cannot be read",
        prompt::count(code.sources.len(), "source file"),
        measures[0].command
    )
}

/// The commands that measure the chosen files, and what the owners hold coverage against.
pub(crate) fn measuring(chosen: &[&Hotspot], hunt: &Hunt) -> String {
    let used = used(chosen, hunt);
    let mut text = String::new();
    for (number, measure) in used.iter().enumerate() {
        let letter = if used.len() > 1 {
            format!("{}: ", letter(number))
        } else {
            String::new()
        };
        let _ = writeln!(text, "- {letter}{}", measure.in_words());
        if let Some(missed) = measure.missed_lines() {
            let _ = writeln!(text, "  Lines that no test runs: {missed}.");
        }
    }
    if !hunt.limits.thresholds.is_empty() {
        let limits = hunt.limits.thresholds.iter().map(|limit| {
            format!(
                "{} {}",
                prompt::place(&limit.path, limit.line),
                prompt::code(&limit.text)
            )
        });
        let _ = write!(
            text,
            "\nWhat coverage is held against; it stays as it is:\n\n{}",
            prompt::bullets(limits)
        );
    }
    for (what, patterns) in [
        ("Only measured", &hunt.limits.inclusions),
        ("Not measured", &hunt.limits.exclusions),
    ] {
        if !patterns.is_empty() {
            let _ = writeln!(text, "\n{what}: {}.", named(patterns));
        }
    }
    text
}

fn named(patterns: &[Pattern]) -> String {
    let named = patterns.iter().take(MAX_PATTERNS).map(|pattern| {
        format!(
            "{} ({})",
            prompt::code(&pattern.pattern),
            prompt::place(&pattern.path, pattern.line)
        )
    });
    let more = match patterns.len().saturating_sub(MAX_PATTERNS) {
        0 => String::new(),
        more => format!(" and {}", prompt::count(more, "other pattern")),
    };
    format!("{}{more}", named.collect::<Vec<_>>().join(", "))
}

/// The files, why these, and how many to take on.
pub(crate) fn files(chosen: &[&Hotspot], total: Total, hunt: &Hunt) -> String {
    let used = used(chosen, hunt);
    let packages = hunt.survey.packages();
    let counterparts = hunt
        .code
        .counterparts(packages.iter().map(|package| package.folder));
    let items = chosen.iter().map(|spot| {
        let letter = coverage::of_path(hunt.measures, &spot.path)
            .and_then(|measure| used.iter().position(|known| *known == measure))
            .filter(|_| used.len() > 1)
            .map(|number| format!(" (measured by {})", letter(number)))
            .unwrap_or_default();
        let nearest = match &spot.tested {
            Tested::By(..) => None,
            _ => counterparts.nearest(&spot.path),
        };
        let nearest = nearest
            .map(|test| format!("; nearest test: {}", prompt::code(test)))
            .unwrap_or_default();
        format!(
            "{}{letter}: {}; {}{nearest}",
            prompt::code(&spot.path),
            spot.why(hunt.churn),
            spot.tests_in_words()
        )
    });
    let because = "first those that no test names, then those that tests only mention, then those with a test of their \
                   own; in each group by commits times functions and branches";
    let head = prompt::chosen(chosen.len(), total, "changed file", because);
    let quiet = if hunt.is_quiet {
        "No source file changed lately, so all of history counts.\n\n"
    } else {
        ""
    };
    format!(
        "{quiet}{head}\n\n{}\nTake on {} of them at most. A file is covered well enough at {} %.",
        prompt::numbered(items),
        prompt::number(hunt.limit.min(chosen.len())),
        hunt.enough
    )
}

/// The measures of the chosen files, in the order of the files.
fn used<'a>(chosen: &[&Hotspot], hunt: &Hunt<'a>) -> Vec<&'a Measure> {
    let mut used: Vec<&Measure> = Vec::new();
    for measure in chosen
        .iter()
        .filter_map(|spot| coverage::of_path(hunt.measures, &spot.path))
    {
        if !used.contains(&measure) {
            used.push(measure);
        }
    }
    used
}

fn letter(number: usize) -> char {
    char::from(b'A' + u8::try_from(number % 26).unwrap_or(0))
}

fn languages(code: &Code) -> BTreeSet<&'static str> {
    code.sources
        .iter()
        .filter(|file| !hotspot::is_scaffold(&file.path))
        .filter_map(|file| language::of(&file.path).map(|language| language.name))
        .collect()
}
