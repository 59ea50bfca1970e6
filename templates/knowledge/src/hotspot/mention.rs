//! Tests that name a source file or something it declares, though none is named after it.

use std::collections::HashMap;

use changelings_sdk::Failure;
use changelings_sdk::repo::{self, Match};

use super::source::Source;
use crate::testing::{counterpart, style};
use crate::{decoy, ecosystem, language};

const MAX_MATCHES: u32 = 10_000;
/// The host takes patterns of 4,096 characters.
const MAX_PATTERN: usize = 3_500;

/// By path of the source, the first line of a test that names it.
pub(super) fn of<'a>(sources: &[&'a Source]) -> Result<HashMap<&'a str, Match>, Failure> {
    let mut by_name: HashMap<&str, Vec<&'a Source>> = HashMap::new();
    let mut stems = Vec::new();
    let mut names = Vec::new();
    for source in sources {
        if let Some(stem) = &source.stem {
            by_name.entry(stem).or_default().push(source);
            stems.push(style::escaped(stem));
        }
    }
    let mut length: usize = stems.iter().map(|stem| stem.len() * 2).sum();
    // Each source has its first name looked for before any has its second.
    let most = sources
        .iter()
        .map(|source| source.names.len())
        .max()
        .unwrap_or(0);
    for (turn, source) in
        (0..most).flat_map(|turn| sources.iter().map(move |source| (turn, source)))
    {
        let Some(name) = source.names.get(turn) else {
            continue;
        };
        length += name.len() + 1;
        if length > MAX_PATTERN {
            break;
        }
        by_name.entry(name).or_default().push(source);
        names.push(style::escaped(name));
    }
    let mut patterns = Vec::new();
    if !stems.is_empty() {
        // Alone it may be a word of any sentence.
        let words = "import|from|require|use|include|mod|describe|class|new";
        patterns.push(format!(r"\b({words})\b.*\b({})\b", stems.join("|")));
    }
    if !names.is_empty() {
        patterns.push(format!(r"\b({})\b", names.join("|")));
    }
    if patterns.is_empty() {
        return Ok(HashMap::new());
    }
    let mut globs = counterpart::globs();
    globs.extend(decoy::excluding());
    let globs: Vec<&str> = globs.iter().map(String::as_str).collect();
    let mut mentions: HashMap<&str, Match> = HashMap::new();
    for found in repo::search(&patterns.join("|"), &globs, MAX_MATCHES)? {
        let words = found
            .text
            .split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-'));
        let mut new: Vec<&'a Source> = words
            .filter_map(|word| by_name.get(word))
            .flatten()
            .filter(|source| !mentions.contains_key(source.path.as_str()))
            .copied()
            .collect();
        if !new.is_empty() {
            // A Python test does not speak for a TypeScript file.
            let of_test = family(&found.path);
            new.retain(|source| family(&source.path) == of_test);
        }
        for source in new {
            mentions.insert(&source.path, found.clone());
        }
    }
    Ok(mentions)
}

/// The ecosystem of a file's language.
fn family(path: &str) -> Option<&'static str> {
    let language = language::of(path)?;
    Some(ecosystem::of_language(language.name)?.name)
}
