//! The same lines in two places.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use changelings_sdk::prompt;

use super::{Signal, Source};

/// Telling lines in a row that make a copy.
const MIN_LINES: usize = 6;
/// Lines looked at in all: the table of them must fit.
const MAX_LINES: usize = 150_000;

/// A line that tells something: its number and the hash of its words.
type Line = (u32, u64);

/// Pairs of places with the same telling lines, the longest first.
pub(super) fn find(sources: &[Source]) -> Vec<Signal> {
    let mut budget = MAX_LINES;
    let files: Vec<Vec<Line>> = sources
        .iter()
        .map(|source| {
            let lines = telling_lines(source, budget);
            budget -= lines.len();
            lines
        })
        .collect();
    let mut first_seen: HashMap<u64, (usize, usize)> = HashMap::new();
    let mut signals = Vec::new();
    for (file, lines) in files.iter().enumerate() {
        let mut at = 0;
        while at + MIN_LINES <= lines.len() {
            let window = hash_of(lines[at..at + MIN_LINES].iter().map(|(_, hash)| *hash));
            let Some(&(other, start)) = first_seen.get(&window) else {
                first_seen.insert(window, (file, at));
                at += 1;
                continue;
            };
            let length = common(&files[other][start..], &lines[at..]);
            if length < MIN_LINES || (other == file && start + length > at) {
                at += 1;
                continue;
            }
            signals.push(pair(
                (&sources[other], &files[other][start..start + length]),
                (&sources[file], &lines[at..at + length]),
            ));
            at += length;
        }
    }
    signals
}

fn pair(first: (&Source, &[Line]), second: (&Source, &[Line])) -> Signal {
    let span = |(source, lines): (&Source, &[Line])| {
        let (from, to) = (lines[0].0, lines[lines.len() - 1].0);
        prompt::code(&format!("{}:{from}-{to}", source.path))
    };
    Signal {
        path: second.0.path.clone(),
        told: format!(
            "{} and {}: {} lines alike",
            span(first),
            span(second),
            alike(first, second)
        ),
        weight: first.1.len(),
    }
}

/// How many lines are the same: all of two equal pieces, else those that tell something.
fn alike(first: (&Source, &[Line]), second: (&Source, &[Line])) -> usize {
    let piece = |(source, lines): (&Source, &[Line])| -> Vec<String> {
        let (from, to) = (lines[0].0 as usize, lines[lines.len() - 1].0 as usize);
        let lines = source.text.lines().skip(from - 1).take(to + 1 - from);
        lines.map(|line| line.trim().to_owned()).collect()
    };
    let (one, other) = (piece(first), piece(second));
    if one == other {
        one.len()
    } else {
        first.1.len()
    }
}

/// Lines with at least two words that are no imports: brackets and blanks are the same everywhere.
fn telling_lines(source: &Source, most: usize) -> Vec<Line> {
    const IMPORTS: &[&str] = &[
        "use ", "import ", "from ", "#include", "package ", "require", "export *",
    ];
    (1..)
        .zip(source.code_and_comments.lines().zip(source.text.lines()))
        .filter(|(_, (code, _))| !code.trim().is_empty())
        .filter_map(|(number, (_, line))| {
            let line = line.trim();
            let letters = line.chars().filter(|c| c.is_alphanumeric()).count();
            let is_telling = letters >= 4
                && !IMPORTS.iter().any(|import| line.starts_with(import))
                && !["//", "#", "*", "/*"]
                    .iter()
                    .any(|comment| line.starts_with(comment));
            is_telling.then(|| (number, hash_of(line.split_whitespace())))
        })
        .take(most)
        .collect()
}

fn hash_of<T: Hash>(parts: impl Iterator<Item = T>) -> u64 {
    let mut hasher = DefaultHasher::new();
    for part in parts {
        part.hash(&mut hasher);
    }
    hasher.finish()
}

fn common(a: &[Line], b: &[Line]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a.1 == b.1).count()
}
