//! Which test files are read: a large repository has more than one look can hold.

use std::collections::{BTreeMap, HashSet};

use changelings_sdk::{Date, Failure, repo};
use knowledge::decoy;
use knowledge::history::Churn;
use knowledge::hotspot::Code;
use knowledge::testing::style::{self, Style};

/// Most files read; of more than those so many of each group: with suspicious lines, changed lately,
/// others.
const MAX_FILES: usize = 250;
const MAX_SUSPICIOUS: usize = 100;
const MAX_CHANGED: usize = 100;
const MAX_OTHERS: usize = 50;
/// Most bytes read of one file and of all.
pub(crate) const MAX_FILE_BYTES: u32 = 150_000;
const MAX_BYTES: usize = 2_000_000;
/// Most suspicious lines asked for.
const MAX_MATCHES: u32 = 10_000;

/// Path and text of the test files that are read, and how many the bounds left out. What one day
/// leaves out has its turn on another.
pub(crate) fn texts(
    code: &Code,
    churn: &Churn,
    today: Date,
) -> Result<(Vec<(String, String)>, usize), Failure> {
    let suspicious = suspicious(code)?;
    let (first, others): (Vec<&str>, Vec<&str>) =
        paths(code).partition(|path| suspicious.contains(*path));
    let (mut changed, others): (Vec<&str>, Vec<&str>) =
        others.into_iter().partition(|path| churn.commits(path) > 0);
    changed.sort_by_key(|path| std::cmp::Reverse(churn.commits(path)));
    let all = first.len() + changed.len() + others.len();
    let picked: Vec<&str> = if all <= MAX_FILES {
        [first, changed, others].concat()
    } else {
        changed.truncate(MAX_CHANGED);
        [
            turn(first, MAX_SUSPICIOUS, today),
            changed,
            turn(others, MAX_OTHERS, today),
        ]
        .concat()
    };
    let mut left_out = all - picked.len();
    let mut texts = Vec::new();
    let mut bytes = 0;
    for path in picked {
        if bytes > MAX_BYTES {
            left_out += 1;
            continue;
        }
        let Some(file) = repo::read_if_text(path, MAX_FILE_BYTES)? else {
            continue;
        };
        let text = if file.truncated {
            // The test in which the text was cut would look weaker than it is.
            file.text
                .rsplit_once("\n\n")
                .map(|(text, _)| text.to_owned())
                .unwrap_or_default()
        } else {
            file.text
        };
        if decoy::of_path(path).is_none() && decoy::of_text(&text).is_none() {
            bytes += text.len();
            texts.push((path.to_owned(), text));
        }
    }
    Ok((texts, left_out))
}

/// As many as the bound allows, others every day.
fn turn(mut paths: Vec<&str>, most: usize, today: Date) -> Vec<&str> {
    if paths.len() > most {
        let turns = paths.len().div_ceil(most);
        let turn = today.day_number().unsigned_abs() % turns as u64;
        paths.rotate_left(usize::try_from(turn).unwrap_or(0) * most);
        paths.truncate(most);
    }
    paths
}

/// All files that hold tests.
fn paths(code: &Code) -> impl Iterator<Item = &str> {
    let files = code.tests.iter().map(|file| file.path.as_str());
    files.chain(code.inside.iter().map(String::as_str))
}

/// Those with a line that may skip, single out or wait: one search a language.
fn suspicious(code: &Code) -> Result<HashSet<String>, Failure> {
    let mut by_language: BTreeMap<&str, (&Style, HashSet<&str>)> = BTreeMap::new();
    for path in paths(code) {
        if let Some((style, _)) = style::of_path(path)
            && let Some((_, extension)) = path.rsplit_once('.')
        {
            let of_language = by_language.entry(style.languages[0]);
            of_language
                .or_insert((style, HashSet::new()))
                .1
                .insert(extension);
        }
    }
    let tests: HashSet<&str> = paths(code).collect();
    let mut suspicious = HashSet::new();
    for (style, extensions) in by_language.values() {
        let mut globs: Vec<String> = extensions
            .iter()
            .map(|extension| format!("**/*.{extension}"))
            .collect();
        globs.extend(decoy::excluding());
        let globs: Vec<&str> = globs.iter().map(String::as_str).collect();
        let lines = repo::search(&style.suspicious(), &globs, MAX_MATCHES)?;
        let paths = lines.into_iter().map(|line| line.path);
        suspicious.extend(paths.filter(|path| tests.contains(path.as_str())));
    }
    Ok(suspicious)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_has_its_turn() {
        let paths: Vec<String> = (0..23).map(|number| format!("{number:02}")).collect();
        let start = Date::parse("2026-11-22").unwrap().day_number();
        let mut seen = HashSet::new();
        for day in start..start + 3 {
            let all = paths.iter().map(String::as_str).collect();
            let picked = turn(all, 10, Date::from_day_number(day));
            assert_eq!(picked.len(), 10);
            seen.extend(picked);
        }
        assert_eq!(seen.len(), 23);
    }
}
