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
    let mut length = 0;
    for source in sources {
        let known = source.stem.as_deref().map(|stem| (stem, true));
        let declared = source.names.iter().map(|name| (name.as_str(), false));
        for (name, is_stem) in known.into_iter().chain(declared) {
            length += name.len() + 2;
            if length < MAX_PATTERN {
                by_name.entry(name).or_default().push(source);
                if is_stem { &mut stems } else { &mut names }.push(style::escaped(name));
            }
        }
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
        let paths: Vec<&str> = words
            .filter_map(|word| by_name.get(word))
            .flatten()
            .map(|source| source.path.as_str())
            .filter(|path| is_related(path, &found.path))
            .collect();
        for path in paths {
            mentions.entry(path).or_insert_with(|| found.clone());
        }
    }
    Ok(mentions)
}

/// Same language family, so that a Python test does not speak for a TypeScript file.
fn is_related(source: &str, test: &str) -> bool {
    let family = |path| {
        language::of(path)
            .and_then(|language| ecosystem::of_language(language.name))
            .map(|ecosystem| ecosystem.name)
    };
    family(source) == family(test)
}
