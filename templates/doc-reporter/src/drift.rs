//! Documents that are older than the code they describe.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use changelings_sdk::repo::{self, Place};
use changelings_sdk::{Date, Failure, prompt};
use knowledge::docs::{self, Form, Tree};
use knowledge::history::{Churn, Origins};
use knowledge::testing::counterpart;
use knowledge::{decoy, ecosystem, language};

use crate::documents::Document;
use crate::names::Defined;

/// Documents whose history is looked up, and places whose age is: history is slow to read.
const MAX_DOCUMENTS: usize = 10;
const MAX_PLACES: usize = 80;
const MAX_FILES: usize = 12;
/// Most changed files of code that documents are held against.
const MAX_CHANGED: usize = 500;

/// Most files and lines told of a document.
const MAX_TOLD_CODE: usize = 5;
const MAX_TOLD_LINES: usize = 6;

/// A document and the code that changed after it.
#[derive(Debug)]
pub(crate) struct Drift {
    pub(crate) path: String,
    /// When the document changed last, where that is known.
    changed: Option<Date>,
    /// The code, and how the document names it.
    code: BTreeMap<String, String>,
    /// Names whose definition is younger than the line that mentions them, each with the file that
    /// defines it.
    lines: Vec<(String, String)>,
    commits: u32,
}

/// Documents with code that changed after them, those with the most certain signs first.
pub(crate) fn find(
    documents: &[Document],
    defined: &[Defined],
    tree: &Tree,
    churn: &Churn,
) -> Result<Vec<Drift>, Failure> {
    let mut drifts: Vec<Drift> = Vec::new();
    let changed = changed_code(churn);
    for document in documents {
        let code = described(document, defined, tree, &changed);
        if !code.is_empty() {
            let commits = code.keys().map(|path| churn.commits(path)).sum();
            drifts.push(Drift {
                path: document.path.clone(),
                changed: None,
                code,
                lines: Vec::new(),
                commits,
            });
        }
    }
    drifts.sort_by_key(|drift| (std::cmp::Reverse(drift.commits), drift.path.clone()));
    drifts.truncate(MAX_DOCUMENTS);
    younger_lines(&mut drifts, defined, churn)?;
    for drift in &mut drifts {
        let last = repo::commits(Some(&drift.path), 0, 1)
            .map(|commits| commits.items)
            .unwrap_or_default();
        drift.changed = last.first().and_then(|commit| Date::parse(&commit.date));
        let changed = drift.changed;
        // Without history of the document only what its lines tell counts.
        drift.code.retain(|path, _| {
            changed
                .zip(churn.last_changed(path))
                .is_some_and(|(document, code)| document < code)
        });
    }
    drifts.retain(|drift| !drift.code.is_empty() || !drift.lines.is_empty());
    drifts.sort_by_key(|drift| {
        (
            std::cmp::Reverse((drift.lines.len(), drift.commits)),
            drift.path.clone(),
        )
    });
    Ok(drifts)
}

/// A file of code that changed lately.
struct Changed {
    path: String,
    /// Its name without extension.
    stem: String,
}

/// Those that changed most.
fn changed_code(churn: &Churn) -> Vec<Changed> {
    churn
        .files()
        .into_iter()
        .filter(|file| {
            language::of(&file.path).is_some_and(|language| language.is_code)
                && decoy::of_path(&file.path).is_none()
                && !ecosystem::is_test_file(&file.path)
        })
        .take(MAX_CHANGED)
        .map(|file| Changed {
            path: file.path.clone(),
            stem: stem_of(&file.path),
        })
        .collect()
}

fn stem_of(path: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.split('.').next().unwrap_or(name).to_owned()
}

/// The recently changed code that a document is about, and how that shows.
fn described(
    document: &Document,
    defined: &[Defined],
    tree: &Tree,
    changed: &[Changed],
) -> BTreeMap<String, String> {
    let mut code: BTreeMap<String, String> = BTreeMap::new();
    let words: BTreeSet<&str> = document
        .mentions
        .iter()
        .filter(|mention| mention.form != Form::Link)
        .flat_map(|mention| {
            mention
                .text
                .split(|c: char| !(c.is_alphanumeric() || c == '_'))
        })
        .collect();
    // Paths of files and folders, with the line.
    let paths: Vec<(String, u32)> = document
        .mentions
        .iter()
        .filter_map(|mention| {
            let path = match mention.form {
                Form::Link => docs::target(&mention.text)?,
                Form::Code | Form::Command => mention.text.clone(),
            };
            let path = path.trim_start_matches(['.', '/']).trim_end_matches('/');
            let is_path = path.contains('/') && (tree.has(path) || tree.has_end(path));
            is_path.then(|| (path.to_owned(), mention.line))
        })
        .collect();
    let own: BTreeMap<&str, &Defined> = defined
        .iter()
        .filter(|defined| defined.named.path == document.path)
        .map(|defined| (defined.path.as_str(), defined))
        .rev()
        .collect();
    let own_stem = stem_of(&document.path).to_lowercase();
    for file in changed {
        let stem = &file.stem;
        let names_path = paths.iter().find(|(path, _)| {
            file.path.ends_with(path.as_str())
                || file
                    .path
                    .strip_prefix(path.as_str())
                    .is_some_and(|rest| rest.starts_with('/'))
        });
        let names_definition = own.get(file.path.as_str());
        let is_telling = stem.len() >= 4 && !counterpart::is_common(stem);
        let how = if let Some((path, line)) = names_path {
            if file.path.ends_with(path.as_str()) {
                format!("named in line {line}")
            } else {
                format!("in {}, named in line {line}", prompt::code(path))
            }
        } else if let Some(defined) = names_definition {
            defined.named.as_defined()
        } else if own_stem == stem.to_lowercase() {
            "has the document's name".to_owned()
        } else if is_telling && words.contains(stem.as_str()) {
            format!("the document says {}", prompt::code(stem))
        } else {
            continue;
        };
        code.insert(file.path.clone(), how);
    }
    code
}

/// Names whose definition changed after the line of the document that mentions them.
fn younger_lines(drifts: &mut [Drift], defined: &[Defined], churn: &Churn) -> Result<(), Failure> {
    let mut files: BTreeSet<&str> = BTreeSet::new();
    let mut pairs: Vec<&Defined> = Vec::new();
    for found in defined {
        let is_shown = drifts.iter().any(|drift| drift.path == found.named.path);
        if !is_shown || churn.commits(&found.path) == 0 {
            continue;
        }
        let new: Vec<&str> = [found.path.as_str(), found.named.path.as_str()]
            .into_iter()
            .filter(|path| !files.contains(path))
            .collect();
        if files.len() + new.len() <= MAX_FILES && pairs.len() < MAX_PLACES {
            files.extend(new);
            pairs.push(found);
        }
    }
    let place = |path: &str, line| Place {
        path: path.to_owned(),
        line,
    };
    let mut places: Vec<Place> = pairs
        .iter()
        .flat_map(|found| {
            [
                place(&found.path, found.line),
                place(&found.named.path, found.named.line),
            ]
        })
        .collect();
    places.sort();
    places.dedup();
    let origins = Origins::of(&places)?;
    for found in pairs {
        let code = origins.date(&place(&found.path, found.line));
        let document = origins.date(&place(&found.named.path, found.named.line));
        let (Some(code), Some(document)) = (code, document) else {
            continue;
        };
        if document < code
            && let Some(drift) = drifts
                .iter_mut()
                .find(|drift| drift.path == found.named.path)
        {
            let told = format!(
                "{} (written {document}) names {}, whose definition at {} changed on {code}",
                prompt::place(&found.named.path, found.named.line),
                prompt::code_bounded(&found.named.text, 80),
                prompt::place(&found.path, found.line)
            );
            drift.lines.push((found.path.clone(), told));
        }
    }
    Ok(())
}

impl Drift {
    /// The document and the code that [`Self::told`] names.
    pub(crate) fn places(&self) -> impl Iterator<Item = &str> {
        let code = self.code.keys().take(MAX_TOLD_CODE);
        let lines = self.lines.iter().take(MAX_TOLD_LINES);
        std::iter::once(&self.path)
            .chain(code)
            .chain(lines.map(|(path, _)| path))
            .map(String::as_str)
    }

    /// One item of a list, with what belongs to it indented.
    pub(crate) fn told(&self, today: Date, churn: &Churn) -> String {
        let age = match self.changed {
            Some(changed) => format!(", last changed {changed} ({} ago)", today.age_of(changed)),
            None => String::new(),
        };
        let code: Vec<String> = self
            .code
            .iter()
            .take(MAX_TOLD_CODE)
            .map(|(path, how)| {
                let last = churn
                    .last_changed(path)
                    .map_or(String::new(), |date| format!(", last {date}"));
                format!(
                    "{} ({}{last}; {how})",
                    prompt::code(path),
                    churn.in_words(path)
                )
            })
            .collect();
        let mut text = format!("{}{age}", prompt::code(&self.path));
        if !code.is_empty() {
            let _ = write!(text, ". Changed since: {}", code.join(", "));
        }
        for (_, line) in self.lines.iter().take(MAX_TOLD_LINES) {
            let _ = write!(text, "\n   - {line}");
        }
        text
    }
}
