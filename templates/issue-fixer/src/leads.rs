//! Where in the repository an issue points: the files it names and the words it puts in backticks.
//! Everything here comes from a stranger's text and is used as plain words only.

use changelings_sdk::{Failure, prompt, repo};
use knowledge::decoy;

/// Most files and words looked for, most places told.
const MAX_PATHS: usize = 12;
const MAX_WORDS: usize = 8;
const MAX_PLACES: usize = 10;
const MAX_MATCHES: u32 = 400;

/// Places, each with the reason, the most telling first; as bullets.
pub(crate) fn find(text: &str) -> Result<Vec<(String, String)>, Failure> {
    let mut leads = named_files(text)?;
    let files: Vec<String> = leads.iter().map(|(path, _)| path.clone()).collect();
    leads.extend(named_words(text, &files)?);
    leads.truncate(MAX_PLACES);
    Ok(leads)
}

/// `src/parser.rs` or `parser.rs:24`, when the repository tracks such a file.
fn named_files(text: &str) -> Result<Vec<(String, String)>, Failure> {
    let mut names: Vec<(&str, Option<u32>)> = Vec::new();
    for token in text.split(|c: char| !(c.is_ascii_alphanumeric() || "_-./:".contains(c))) {
        let token = token.trim_end_matches(['.', ':']);
        let (name, line) = match token.split_once(':') {
            Some((name, rest)) => (
                name,
                rest.split(':').next().and_then(|line| line.parse().ok()),
            ),
            None => (token, None),
        };
        let name = name.trim_start_matches("./").trim_matches(['.', '/']);
        let is_file = knowledge::language::of(name).is_some() && !name.contains("..");
        if is_file && names.len() < MAX_PATHS && names.iter().all(|(known, _)| *known != name) {
            names.push((name, line));
        }
    }
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let globs: Vec<String> = names
        .iter()
        .map(|(name, _)| format!("**/{name}"))
        .chain(decoy::excluding_folders())
        .collect();
    let globs: Vec<&str> = globs.iter().map(String::as_str).collect();
    let tracked = repo::files(&globs, 100)?.items;
    Ok(names
        .iter()
        .filter_map(|(name, line)| {
            let is_it = |path: &str| path == *name || path.ends_with(&format!("/{name}"));
            let mut hits = tracked
                .iter()
                .map(|file| file.path.as_str())
                .filter(|path| is_it(path));
            let path = hits.next()?;
            // A name that fits many files leads nowhere.
            if hits.count() > 2 {
                return None;
            }
            let place = line.map_or_else(|| prompt::code(path), |line| prompt::place(path, line));
            Some((path.to_owned(), format!("{place} is named in it")))
        })
        .collect())
}

/// Lines of code that define, or else use, a word the issue puts in backticks; those in `files` or
/// in a file of the name before the word (`parser::parse`, `queue.Push`) first.
fn named_words(text: &str, files: &[String]) -> Result<Vec<(String, String)>, Failure> {
    // (what stands before the word, the word)
    let mut words: Vec<(&str, &str)> = Vec::new();
    for quoted in text.split('`').skip(1).step_by(2) {
        let name = quoted.split('(').next().unwrap_or(quoted).trim();
        let (before, word) = name.rsplit_once(['.', ':']).unwrap_or(("", name));
        let is_word = word.len() >= 4
            && word.len() <= 60
            && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            && word.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        if is_word && words.len() < MAX_WORDS && words.iter().all(|(_, known)| *known != word) {
            let before = before
                .trim_end_matches(':')
                .rsplit(['.', ':'])
                .next()
                .unwrap_or_default();
            words.push((before, word));
        }
    }
    if words.is_empty() {
        return Ok(Vec::new());
    }
    let excluding = decoy::excluding();
    let globs: Vec<&str> = excluding.iter().map(String::as_str).collect();
    let alternatives: Vec<&str> = words.iter().map(|(_, word)| *word).collect();
    let pattern = format!(r"\b({})\b", alternatives.join("|"));
    let matches = repo::search(&pattern, &globs, MAX_MATCHES)?.items;
    Ok(words
        .iter()
        .filter_map(|(before, word)| {
            let best = matches
                .iter()
                .filter(|line| line.text.contains(word))
                .filter(|line| {
                    knowledge::language::of(&line.path).is_some_and(|language| language.is_code)
                })
                .min_by_key(|line| {
                    let is_near = files.contains(&line.path)
                        || (!before.is_empty()
                            && line.path.to_lowercase().contains(&before.to_lowercase()));
                    (!defines(&line.text, word), !is_near)
                })?;
            let verb = if defines(&best.text, word) {
                "defines"
            } else {
                "uses"
            };
            let place = prompt::place(&best.path, best.line);
            Some((
                best.path.clone(),
                format!("{place} {verb} {}", prompt::code(word)),
            ))
        })
        .collect())
}

fn defines(line: &str, word: &str) -> bool {
    const KEYWORDS: &[&str] = &[
        "fn",
        "def",
        "class",
        "func",
        "function",
        "fun",
        "struct",
        "enum",
        "trait",
        "interface",
        "type",
        "const",
        "static",
        "let",
        "var",
        "val",
        "module",
        "mod",
        "object",
    ];
    let line = line.trim_start();
    // `func (r *Relay) Push(`
    let is_method = line.starts_with("func (") && line.contains(&format!(") {word}("));
    let words: Vec<&str> = line
        .split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .filter(|part| !part.is_empty())
        .collect();
    let follows_keyword = words
        .windows(2)
        .any(|pair| KEYWORDS.contains(&pair[0]) && pair[1] == word);
    is_method || follows_keyword || line.starts_with(&format!("{word} ="))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definitions() {
        assert!(defines("pub(crate) fn parse(text: &str) {", "parse"));
        assert!(defines("func (q *Queue) Push(m Message) {", "Push"));
        assert!(defines("PERIOD_DAYS = 28", "PERIOD_DAYS"));
        assert!(!defines("    parse(text)", "parse"));
        assert!(!defines(
            "if let Some(amount) = Amount::parse(&text) {",
            "parse"
        ));
    }
}
