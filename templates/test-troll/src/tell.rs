//! What was found, in words.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use changelings_sdk::prompt;
use knowledge::hotspot::Code;
use knowledge::testing::{counterpart, style};
use knowledge::{Survey, language};

use crate::finding::{Finding, Kind};
use crate::look::Seen;

/// Why there is nothing to do: no tests.
pub(crate) fn no_tests(code: &Code) -> String {
    let languages = languages(code.sources.iter().map(|file| file.path.as_str()));
    if languages.is_empty() {
        return "no tests found: no source file of a language whose tests are known".into();
    }
    let mut names: Vec<String> = Vec::new();
    for file in &code.sources {
        let expected = counterpart::expected_names(&file.path);
        let language = language::of(&file.path).map(|language| language.name);
        let is_new = names.len() < 6
            && !code
                .sources
                .iter()
                .take_while(|other| other.path != file.path)
                .any(|other| language::of(&other.path).map(|language| language.name) == language);
        if is_new {
            names.extend(expected);
        }
    }
    format!(
        "no tests found: looked through {} ({}) for names such as {}",
        prompt::count(code.sources.len(), "source file"),
        languages.join(", "),
        names.join(", ")
    )
}

/// Why there is nothing to do: nothing runs the tests.
pub(crate) fn no_runner(code: &Code) -> String {
    let paths = code.tests.iter().map(|file| file.path.as_str());
    let paths: Vec<&str> = paths
        .chain(code.inside.iter().map(String::as_str))
        .collect();
    let more = if paths.len() > 1 { ", ..." } else { "" };
    format!(
        "{} ({}{more}), but no runner found: no CI file, task file or package manifest names one",
        prompt::count(paths.len(), "test file"),
        paths.first().unwrap_or(&"")
    )
}

/// Why there is nothing to do: nothing to improve.
pub(crate) fn all_well(seen: &Seen, kinds: &[Kind], days: u32) -> String {
    let looked_for: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
    format!(
        "nothing to improve in {} of {} (looked for: {}; lately means {days} days)",
        prompt::count(seen.tests, "test"),
        prompt::count(seen.read, "file"),
        looked_for.join(", "),
    )
}

/// How the tests are laid out, and how many of them were read.
pub(crate) fn layout(code: &Code, seen: &Seen) -> String {
    let mut parts = Vec::new();
    let mut by_language: BTreeMap<&str, usize> = BTreeMap::new();
    for file in &code.tests {
        if let Some((_, language)) = style::of_path(&file.path) {
            *by_language.entry(language.name).or_default() += 1;
        }
    }
    parts.extend(
        by_language.iter().map(|(language, files)| {
            format!("{} ({language})", prompt::count(*files, "test file"))
        }),
    );
    if !code.inside.is_empty() {
        parts.push(format!(
            "{} with tests inside (Rust)",
            prompt::count(code.inside.len(), "source file")
        ));
    }
    let mut text = format!("{}.", parts.join(", "));
    let read = prompt::count(seen.tests, "test");
    if seen.left_out > 0 {
        let _ = write!(
            text,
            " Too many to read in one look: {} of them were read, with {read}, those with suspicious lines and those that changed \
             lately first; {} have their turn on another day. So the numbers below are of a part.",
            prompt::number(seen.read),
            prompt::number(seen.left_out),
        );
    } else {
        let _ = write!(text, " All were read: {read}.");
    }
    let mut runners: Vec<(&str, String, usize)> = Vec::new();
    for found in &seen.runners {
        match runners
            .iter_mut()
            .find(|(name, ..)| *name == found.runner.name)
        {
            Some((.., more)) => *more += 1,
            None => runners.push((found.runner.name, found.evidence(), 0)),
        }
    }
    let runners: Vec<String> = runners
        .into_iter()
        .map(|(name, evidence, more)| match more {
            0 => format!("{name} ({evidence})"),
            more => format!("{name} ({evidence} and {more} more)"),
        })
        .collect();
    let _ = write!(text, " They run with {}.", runners.join(", "));
    text
}

/// The places, a heading for each kind with what to do about it.
pub(crate) fn places(chosen: &[&Finding], seen: &Seen, days: u32) -> String {
    let total = seen.findings.len();
    let head = if chosen.len() == total {
        match total {
            1 => "One place:".to_owned(),
            2 => "Both that were found:".to_owned(),
            _ => format!("All {} that were found:", prompt::number(total)),
        }
    } else {
        format!(
            "{} of {}: of each kind in turn the weightiest. Lately means in the last {days} days.",
            prompt::number(chosen.len()),
            prompt::count(total, "place")
        )
    };
    let mut text = format!("## Places\n\n{head}\n");
    let mut number = 0;
    for kind in Kind::ALL {
        let of_kind: Vec<&&Finding> = chosen
            .iter()
            .filter(|finding| finding.kind == kind)
            .collect();
        let all = seen
            .findings
            .iter()
            .filter(|finding| finding.kind == kind)
            .count();
        if of_kind.is_empty() {
            continue;
        }
        let bound = if of_kind.len() < all {
            format!(
                " ({} of {}, {})",
                of_kind.len(),
                prompt::number(all),
                kind.because()
            )
        } else {
            String::new()
        };
        let _ = write!(
            text,
            "\n### {}{bound}\n\n{}\n\n",
            kind.heading(),
            kind.remedy()
        );
        for finding in of_kind {
            number += 1;
            let name = match finding.name.as_str() {
                "" => String::new(),
                name => format!(" {}", prompt::code_bounded(name, 100)),
            };
            let _ = writeln!(
                text,
                "{number}. {}{name}: {}",
                finding.place(),
                finding.seen
            );
        }
    }
    text.push('\n');
    text
}

/// For each runner the command for the first place it runs.
pub(crate) fn running(chosen: &[&Finding], survey: &Survey) -> String {
    let mut told: BTreeSet<(&str, &str)> = BTreeSet::new();
    let mut lines = Vec::new();
    for finding in chosen {
        let (Some(found), Some(line)) = (&finding.runner, finding.test_line) else {
            continue;
        };
        if !told.insert((found.runner.name, &found.folder)) {
            continue;
        }
        let Some(command) = found.one(survey, &finding.path, line, &finding.name) else {
            continue;
        };
        let folder = match found.folder.as_str() {
            "" => String::new(),
            folder => format!(" in {}", prompt::code(folder)),
        };
        lines.push(format!(
            "{}{folder}, for {}",
            prompt::code(&command),
            finding.place()
        ));
    }
    prompt::bullets(lines)
}

fn languages<'a>(paths: impl Iterator<Item = &'a str>) -> Vec<&'static str> {
    let names: BTreeSet<&str> = paths
        .filter_map(|path| language::of(path).map(|language| language.name))
        .collect();
    names.into_iter().collect()
}
