//! Tonight's part of the source: chosen by the date alone, so that every file comes once a round.

use changelings_sdk::repo::{self, File};
use changelings_sdk::{Context, Date, Failure};
use knowledge::docstring::{self, CONVENTIONS};
use knowledge::{decoy, ecosystem, language};

/// Most files listed.
const MAX_FILES: u32 = 100_000;
/// Rounds that fit into each other: a file's night in a short round is one of its nights in a
/// longer one, so a repository that grows past a bound still has every file looked at in 28 days.
const ROUNDS: [u32; 6] = [1, 2, 4, 7, 14, 28];
/// A slice of fewer files is not worth a night.
const FEWEST: usize = 40;

/// Tonight's files.
#[derive(Debug)]
pub(crate) struct Slice {
    /// From 1 to `round`.
    pub(crate) number: u32,
    /// In how many nights everything is looked at.
    pub(crate) round: u32,
    /// Sorted by path.
    pub(crate) files: Vec<File>,
    /// Files of all slices.
    pub(crate) all: usize,
    /// There are more files than were listed.
    pub(crate) truncated: bool,
}

impl Slice {
    /// The files of the date, of those that the parameters ask for.
    pub(crate) fn of(context: &Context) -> Result<Self, Failure> {
        let choices: Vec<String> = ROUNDS.iter().map(ToString::to_string).collect();
        let choices: Vec<&str> = choices.iter().map(String::as_str).collect();
        let asked = context.choice_param("round", &choices)?;
        let (files, truncated) = sources(&context.list_param("paths"))?;
        let round = asked
            .and_then(|round| round.parse().ok())
            .unwrap_or_else(|| round_for(files.len()));
        let turn = turn(context.date, round);
        let all = files.len();
        Ok(Self {
            number: turn + 1,
            round,
            files: files
                .into_iter()
                .filter(|file| slot(&file.path) % round == turn)
                .collect(),
            all,
            truncated,
        })
    }
}

/// The owners' own code in languages that have docstrings; tests need none.
fn sources(paths: &[&str]) -> Result<(Vec<File>, bool), Failure> {
    let extensions: Vec<&str> = language::LANGUAGES
        .iter()
        .filter(|language| docstring::convention(language).is_some())
        .flat_map(|language| language.extensions.iter().copied())
        .collect();
    let wanted = if paths.is_empty() {
        vec![format!("**/*.{{{}}}", extensions.join(","))]
    } else {
        paths.iter().map(|&path| path.to_owned()).collect()
    };
    let globs: Vec<String> = wanted.into_iter().chain(decoy::excluding()).collect();
    let globs: Vec<&str> = globs.iter().map(String::as_str).collect();
    let listed = repo::files(&globs, MAX_FILES)?;
    let is_source = |file: &File| {
        decoy::of_path(&file.path).is_none()
            && !ecosystem::is_test_file(&file.path)
            && language::of(&file.path)
                .is_some_and(|language| docstring::convention(language).is_some())
    };
    let truncated = listed.truncated;
    let files = listed.items.into_iter().filter(is_source).collect();
    Ok((files, truncated))
}

/// Nights for so many files: no more than 28, and no slices that are hardly worth a run.
fn round_for(files: usize) -> u32 {
    ROUNDS
        .into_iter()
        .rev()
        .find(|round| files / *round as usize >= FEWEST)
        .unwrap_or(1)
}

/// Which slice a date has, from 0.
fn turn(date: Date, round: u32) -> u32 {
    u32::try_from(date.day_number().rem_euclid(i64::from(round))).unwrap_or(0)
}

/// Spreads paths evenly and the same way everywhere (FNV-1a).
fn slot(path: &str) -> u32 {
    let hash = path.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    // The low bits alone hardly mix.
    u32::try_from((hash ^ (hash >> 32)) % 28).unwrap_or(0)
}

/// Languages known, for people.
pub(crate) fn languages() -> String {
    let names: Vec<&str> = CONVENTIONS
        .iter()
        .map(|convention| convention.language)
        .collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn everything_is_covered_in_28_days_whatever_the_round_becomes_meanwhile() {
        let start = Date::parse("2026-11-22").unwrap().day_number();
        for number in 0..500 {
            let path = format!("src/a{number}.rs");
            for round in ROUNDS {
                let grown = |day: i64| if day < 10 { round } else { 28 };
                let seen = (0..28).filter(|day| {
                    let date = Date::from_day_number(start + day);
                    slot(&path) % grown(*day) == turn(date, grown(*day))
                });
                assert!(seen.count() >= 1, "{path} {round}");
            }
        }
    }

    #[test]
    fn slices_are_even() {
        let mut sizes = [0; 28];
        for number in 0..2_800 {
            sizes[slot(&format!("pkg/m{number}/file.go")) as usize] += 1;
        }
        let all: HashSet<bool> = sizes.iter().map(|size| (50..160).contains(size)).collect();
        assert_eq!(all, HashSet::from([true]), "{sizes:?}");
    }

    #[test]
    fn small_repositories_have_short_rounds() {
        assert_eq!(
            [0, 79, 80, 300, 560, 1_120, 50_000].map(round_for),
            [1, 1, 2, 7, 14, 28, 28]
        );
    }
}
