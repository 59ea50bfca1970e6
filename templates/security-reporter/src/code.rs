//! Risky places, entry points and credentials in the code.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use changelings_sdk::Failure;
use changelings_sdk::repo;
use knowledge::history::Churn;
use knowledge::security::{Redacted, credentials, entries, risks};
use knowledge::{decoy, ecosystem, language};

/// Most matching lines asked for in each search, files read, and how much of each and of all.
const MAX_MATCHES: u32 = 5_000;
const MAX_FILES: usize = 250;
const MAX_BYTES: u32 = 200_000;
const MAX_TOTAL: usize = 6_000_000;
/// An entry point that many lines above counts as close by.
const CLOSE: u32 = 12;

/// Marks of checks that were told to be quiet.
const SILENCERS: &[&str] = &[
    "noqa",
    "nosec",
    "nolint",
    "eslint-disable",
    "NOSONAR",
    "nosemgrep",
    "rubocop:disable",
];

/// Something on a line.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) path: String,
    pub(crate) line: u32,
    /// The danger, or the kind of entry point.
    pub(crate) what: &'static str,
    weight: u32,
    /// The line without what its strings hold; empty where that could still tell a secret.
    pub(crate) shown: String,
    /// Line of the entry point close above it, and what it looks like.
    pub(crate) entry: Option<(u32, String)>,
    pub(crate) is_silenced: bool,
    commits: u32,
}

/// Where a credential may be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Credential {
    /// False comes first: files and well-known tokens.
    is_by_name: bool,
    pub(crate) path: String,
    /// 0: the whole file.
    pub(crate) line: u32,
    /// The name it is given to.
    pub(crate) name: String,
}

/// What was found in the code.
#[derive(Debug, Default)]
pub(crate) struct Code {
    /// The gravest first.
    pub(crate) risky: Vec<Place>,
    /// Those that strangers reach first.
    pub(crate) entries: Vec<Place>,
    pub(crate) credentials: Vec<Credential>,
    /// Files with possible places that were not read.
    pub(crate) unread: usize,
    /// A search ended at its limit.
    pub(crate) truncated: bool,
}

/// Looks at the files that match `paths` (all when empty).
pub(crate) fn look(paths: &[&str], churn: &Churn) -> Result<Code, Failure> {
    let mut code = Code::default();
    let excluding = decoy::excluding();
    let globs: Vec<&str> = paths
        .iter()
        .copied()
        .chain(excluding.iter().map(String::as_str))
        .collect();
    let mut files: BTreeMap<String, Signs> = BTreeMap::new();
    let searches: [(String, Count); 3] = [
        (risks::pattern(7..10), |signs| signs.grave += 1),
        (entries::pattern(), |signs| signs.entries += 1),
        (risks::pattern(1..7), |signs| signs.light += 1),
    ];
    for (pattern, add) in searches {
        let found = repo::search(&pattern, &globs, MAX_MATCHES)?;
        code.truncated |= found.truncated;
        for line in found {
            add(files.entry(line.path).or_default());
        }
    }
    files.retain(|path, _| decoy::of_path(path).is_none() && language::of(path).is_some());
    let mut files: Vec<(String, Signs)> = files.into_iter().collect();
    files.sort_by_key(|(path, signs)| {
        let is_test = ecosystem::is_test_file(path);
        let weight = signs.weight() + churn.commits(path).min(10);
        (is_test, Reverse(weight), path.clone())
    });
    code.credentials = find_credentials(&globs)?;
    let secret_lines: BTreeSet<(String, u32)> = code
        .credentials
        .iter()
        .map(|found| (found.path.clone(), found.line))
        .collect();
    let mut total = 0;
    for (index, (path, _)) in files.iter().enumerate() {
        if index >= MAX_FILES || total > MAX_TOTAL {
            code.unread = files.len() - index;
            break;
        }
        if let Some(file) = repo::read_if_text(path, MAX_BYTES)? {
            total += file.text.len();
            code.read_file(path, &file.text, churn.commits(path), &secret_lines);
        }
    }
    code.risky
        .sort_by_key(|place| (Reverse(weight(place)), place.path.clone(), place.line));
    code.entries.sort_by_key(|place| {
        (
            Reverse((place.weight, place.commits)),
            place.path.clone(),
            place.line,
        )
    });
    Ok(code)
}

/// Counts a line.
type Count = fn(&mut Signs);

/// How many lines of a file may be something, as far as single lines tell.
#[derive(Debug, Default)]
struct Signs {
    grave: u32,
    entries: u32,
    light: u32,
}

impl Signs {
    /// Many of a kind say little more than a few; a grave sign beside an entry point says most.
    fn weight(&self) -> u32 {
        let both = u32::from(self.grave > 0 && self.entries > 0);
        both * 15 + self.grave.min(3) * 5 + self.entries.min(3) * 3 + self.light.min(3)
    }
}

impl Code {
    fn read_file(
        &mut self,
        path: &str,
        text: &str,
        commits: u32,
        secrets: &BTreeSet<(String, u32)>,
    ) {
        let Some(language) = language::of(path) else {
            return;
        };
        if decoy::of_text(text).is_some() {
            return;
        }
        let is_test = ecosystem::is_test_file(path);
        let redacted = Redacted::new(text, language.syntax);
        let shown = |line: u32| {
            let can_be_shown =
                risks::can_be_shown(language.name) && !secrets.contains(&(path.to_owned(), line));
            if can_be_shown {
                redacted.line(line).to_owned()
            } else {
                String::new()
            }
        };
        let mut open: Option<Open> = None;
        let lines = (1..).zip(redacted.code.iter().zip(&redacted.with_strings));
        for ((line, (code, with_strings)), original) in lines.zip(text.split('\n')) {
            if open.as_mut().is_some_and(|open| open.ends_at(code)) {
                open = None;
            }
            let place = |what, weight| Place {
                path: path.to_owned(),
                line,
                what,
                weight,
                shown: shown(line),
                entry: None,
                is_silenced: SILENCERS.iter().any(|mark| original.contains(mark)),
                commits,
            };
            if let Some(entry) = entries::of_line(language.name, code).filter(|_| !is_test) {
                self.entries.push(place(entry.kind, entry.weight));
                open = (entry.weight > 3).then(|| Open::new(line, code));
            }
            if let Some(risk) = risks::of_line(language.name, code, with_strings) {
                let weight = if is_test {
                    risk.weight / 3
                } else {
                    risk.weight
                };
                let near = open.as_ref().map(|open| open.line);
                let near = near.filter(|entry| *entry < line && line - entry <= CLOSE);
                self.risky.push(Place {
                    entry: near.map(|entry| (entry, shown(entry))),
                    ..place(risk.name, weight)
                });
            }
        }
    }

    /// The gravest places, no more than a few of a kind from one file.
    pub(crate) fn gravest(&self, limit: usize) -> Vec<&Place> {
        let mut taken: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        self.risky
            .iter()
            .filter(|place| {
                let of_kind = taken.entry((place.path.as_str(), place.what)).or_default();
                *of_kind += 1;
                *of_kind <= 3
            })
            .take(limit)
            .collect()
    }
}

/// An entry point whose code we are in.
struct Open {
    line: u32,
    indent: usize,
    /// Python's and Java's decorators come before the function they are about.
    has_begun: bool,
}

impl Open {
    fn new(line: u32, code: &str) -> Self {
        let content = code.trim_start();
        Self {
            line,
            indent: code.len() - content.len(),
            has_begun: !content.starts_with(['@', '[', '#']),
        }
    }

    /// Whether the code of the entry point is over on this line.
    fn ends_at(&mut self, code: &str) -> bool {
        let content = code.trim_start();
        if content.is_empty() || code.len() - content.len() > self.indent {
            return false;
        }
        if self.has_begun || content.starts_with('}') {
            return true;
        }
        self.has_begun = !content.starts_with(['@', '[', '#']);
        false
    }
}

fn weight(place: &Place) -> u32 {
    place.weight * 3 + u32::from(place.entry.is_some()) * 6 + place.commits.min(5)
}

/// Places where a credential is written down; tests often have made-up ones and are left out.
fn find_credentials(globs: &[&str]) -> Result<Vec<Credential>, Failure> {
    let found = repo::search(credentials::PATTERN, globs, 2_000)?;
    let mut places: Vec<Credential> = found
        .into_iter()
        .filter(|line| decoy::of_path(&line.path).is_none() && !ecosystem::is_test_file(&line.path))
        .filter_map(|line| {
            let name = credentials::name_of(&line.text)?;
            Some(Credential {
                is_by_name: !name.contains(' '),
                name,
                path: line.path,
                line: line.line,
            })
        })
        .collect();
    let excluding = decoy::excluding_folders();
    let files: Vec<&str> = credentials::FILES
        .iter()
        .copied()
        .chain(excluding.iter().map(String::as_str))
        .collect();
    places.extend(
        repo::files(&files, 200)?
            .into_iter()
            .map(|file| Credential {
                is_by_name: false,
                name: String::new(),
                path: file.path,
                line: 0,
            }),
    );
    places.sort();
    Ok(places)
}
