//! The documents of a repository, read.

use changelings_sdk::Failure;
use changelings_sdk::repo;
use knowledge::decoy;
use knowledge::docs::{self, Form, Purpose};

/// Most documents listed and read, and how much of each and of all.
const MAX_LISTED: u32 = 20_000;
const MAX_READ: usize = 200;
const MAX_BYTES: u32 = 120_000;
const MAX_TOTAL: usize = 3_000_000;

/// A document that says what is true today.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) path: String,
    pub(crate) mentions: Vec<Mention>,
}

/// Something it points at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mention {
    pub(crate) form: Form,
    pub(crate) line: u32,
    pub(crate) text: String,
}

/// All documents.
#[derive(Debug, Default)]
pub(crate) struct Documents {
    /// Those read, the most prominent first.
    pub(crate) guides: Vec<Document>,
    /// Path and text of the list of changes.
    pub(crate) changelog: Option<(String, String)>,
    pub(crate) unread: usize,
    /// Documents that tell what was true once.
    pub(crate) history: usize,
}

/// Reads the documents that match `paths` (all when empty).
pub(crate) fn read(paths: &[&str]) -> Result<Documents, Failure> {
    let wanted = if paths.is_empty() { docs::GLOBS } else { paths };
    let excluding = decoy::excluding();
    let globs: Vec<&str> = wanted
        .iter()
        .copied()
        .chain(excluding.iter().map(String::as_str))
        .collect();
    let mut found = Documents::default();
    let mut guides: Vec<String> = Vec::new();
    for file in repo::files(&globs, MAX_LISTED)? {
        match docs::purpose(&file.path) {
            Purpose::Guide if decoy::of_path(&file.path).is_none() => guides.push(file.path),
            Purpose::History => {
                found.history += 1;
                if docs::is_changelog(&file.path) {
                    let text = repo::read_if_text(&file.path, MAX_BYTES)?;
                    found.changelog = text.map(|text| (file.path, text.text));
                }
            }
            Purpose::Guide | Purpose::Other => {}
        }
    }
    guides.sort_by_key(|path| (path.matches('/').count(), path.clone()));
    let mut total = 0;
    for (index, path) in guides.iter().enumerate() {
        if index >= MAX_READ || total > MAX_TOTAL {
            found.unread = guides.len() - index;
            break;
        }
        let Some(file) = repo::read_if_text(path, MAX_BYTES)? else {
            continue;
        };
        total += file.text.len();
        let mentions = docs::mentions(path, &file.text)
            .into_iter()
            .map(|mention| Mention {
                form: mention.form,
                line: mention.line,
                text: mention.text.to_owned(),
            })
            .collect();
        found.guides.push(Document {
            path: path.clone(),
            mentions,
        });
    }
    Ok(found)
}
