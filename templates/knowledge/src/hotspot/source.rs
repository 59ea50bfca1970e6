//! One source file: how much there is to test in it, and the names tests would know it by.

use changelings_sdk::{Failure, repo};

use crate::decoy;
use crate::language::Language;
use crate::testing::{counterpart, mask, style};

/// Most bytes read of a file.
const MAX_BYTES: u32 = 200_000;
/// Most names kept of a file, and the shortest that tells something.
const MAX_NAMES: usize = 12;
const MIN_NAME: usize = 5;

/// Words that count as a branch or a function.
#[rustfmt::skip]
const LOGIC: &[&str] = &[
    "fn", "def", "defp", "func", "function", "fun", "lambda", "proc", "if", "elif", "elsif", "unless", "for",
    "foreach", "while", "until", "loop", "match", "switch", "case", "when", "catch", "except", "rescue",
    "guard", "cond", "and", "or", "public", "private", "protected",
];
const SIGNS: [&str; 3] = ["=>", "&&", "||"];

/// Words before the name of something that other files can use.
#[rustfmt::skip]
const DECLARING: &[&str] = &[
    "fn", "def", "func", "function", "fun", "class", "struct", "enum", "trait", "interface", "type", "object",
    "record", "module", "defmodule", "const", "macro_rules",
];

/// A source file that was read.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) path: String,
    /// Its functions and branches.
    pub(super) logic: usize,
    /// The name it would be imported by, when that tells.
    pub(super) stem: Option<String>,
    /// Names of what it declares, the public ones first.
    pub(super) names: Vec<String>,
    /// The declaration with most functions and branches, and its line.
    pub(super) busiest: Option<(String, u32)>,
}

/// Reads a file; `None` when it turns out to be generated, or not to be text.
pub(super) fn read(path: &str) -> Result<Option<Source>, Failure> {
    let Some((_, language)) = style::of_path(path) else {
        return Ok(None);
    };
    if decoy::of_path(path).is_some() {
        return Ok(None);
    }
    let text = repo::read_if_text(path, MAX_BYTES)?.map(|file| file.text);
    Ok(text
        .filter(|text| decoy::of_text(text).is_none())
        .map(|text| {
            let masked = mask(own_part(path, &text), language.syntax);
            Source {
                path: path.to_owned(),
                logic: logic(&masked),
                stem: stem_that_tells(path),
                names: names(&masked, language),
                busiest: busiest(&masked),
            }
        }))
}

/// Without Rust's tests, which stand at the end.
fn own_part<'a>(path: &str, text: &'a str) -> &'a str {
    let end = text.find("#[cfg(test)]").filter(|_| path.ends_with(".rs"));
    &text[..end.unwrap_or(text.len())]
}

fn logic(masked: &str) -> usize {
    let words = words(masked).filter(|word| LOGIC.contains(word)).count();
    words
        + SIGNS
            .iter()
            .map(|sign| masked.matches(sign).count())
            .sum::<usize>()
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .filter(|word| !word.is_empty())
}

/// The name that a line declares, and its first words.
fn declared(line: &str) -> Option<(&str, Vec<&str>)> {
    let first = |text| -> Vec<&str> { words(text).take(8).collect() };
    // Go: `func (q *Queue) Push`
    let method = line
        .strip_prefix("func (")
        .and_then(|rest| rest.split_once(')'));
    if let Some((_, method)) = method {
        let all = first(method);
        return all.first().copied().map(|name| (name, all));
    }
    let all = first(line);
    let at = all
        .windows(2)
        .position(|pair| DECLARING.contains(&pair[0]))?;
    let name = all[at + 1];
    // Inside of a function a constant or a type is a detail.
    let is_detail = line.starts_with(char::is_whitespace) && ["const", "type"].contains(&all[at]);
    if DECLARING.contains(&name) || is_detail {
        return None;
    }
    Some((name, all))
}

/// What follows a declaration counts for it, up to the next one.
fn busiest(masked: &str) -> Option<(String, u32)> {
    let mut best: Option<(usize, &str, u32)> = None;
    let mut current: Option<(usize, &str, u32)> = None;
    for (number, line) in (1..).zip(masked.lines()) {
        if let Some((name, _)) = declared(line) {
            current = Some((0, name, number));
        }
        if let Some((found, name, start)) = &mut current {
            *found += logic(line);
            if best.is_none_or(|(most, ..)| *found > most) {
                best = Some((*found, name, *start));
            }
        }
    }
    best.filter(|(found, ..)| *found > 1)
        .map(|(_, name, line)| (name.to_owned(), line))
}

/// What tests could name: first what is marked as public, each in the order of the text.
fn names(masked: &str, language: &Language) -> Vec<String> {
    let mut names: Vec<(bool, &str)> = Vec::new();
    for line in masked.lines() {
        let Some((name, all)) = declared(line) else {
            continue;
        };
        let is_public = match language.name {
            "Go" => name.starts_with(char::is_uppercase),
            "Python" | "Ruby" => !line.starts_with(' '),
            _ => ["pub", "export", "public", "open"].contains(&all[0]),
        };
        let is_telling = name.len() >= MIN_NAME && !name.starts_with('_');
        if is_telling && !names.iter().any(|(_, known)| *known == name) {
            names.push((!is_public, name));
        }
    }
    names.sort_by_key(|(is_private, _)| *is_private);
    names
        .into_iter()
        .take(MAX_NAMES)
        .map(|(_, name)| name.to_owned())
        .collect()
}

/// The name tests would import a file by, where it is not one of many.
fn stem_that_tells(path: &str) -> Option<String> {
    let name = path.rsplit('/').next()?;
    let (stem, _) = name.split_once('.')?;
    let stem = stem.trim_start_matches('_');
    let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    let is_telling = stem.len() > 3 && !counterpart::is_common(stem) && stem.chars().all(is_word);
    is_telling.then(|| stem.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language;

    fn logic_of(path: &str, text: &str) -> usize {
        logic(&mask(text, language::of(path).unwrap().syntax))
    }

    #[test]
    fn logic_is_code() {
        assert_eq!(
            logic_of(
                "a.rs",
                "if a && b { match c { 1 => x, _ => y } } // if not\n\"for\";"
            ),
            5
        );
        assert_eq!(
            logic_of(
                "a.py",
                "\"\"\"if or and\"\"\"\ndef f():\n  for x in y:\n    if z or w: pass\n"
            ),
            4
        );
        assert_eq!(
            logic_of("a.ts", "export * from \"./b\";\nexport type A = string;"),
            0
        );
    }

    #[test]
    fn the_busiest_declaration() {
        let text = "fn a() {}\nfn b() {\n  if x { y }\n  for z in w {}\n}\nfn c() { if x {} }\n";
        assert_eq!(busiest(text), Some(("b".into(), 2)));
        assert_eq!(busiest("type A = B;\n"), None);
        let text = "func (q *Queue) Push(m Message) {\n\tif x && y {\n\t}\n}\n";
        assert_eq!(busiest(text), Some(("Push".into(), 1)));
    }

    #[test]
    fn names_that_tests_could_use() {
        let names_of = |path: &str, text: &str| names(text, language::of(path).unwrap());
        assert_eq!(
            names_of(
                "a.rs",
                "fn inner() {}\npub(crate) struct Parser;\npub fn parse_all() {}\nfn f() {}"
            ),
            ["Parser", "parse_all", "inner"]
        );
        assert_eq!(
            names_of(
                "a.go",
                "func (p *Parser) Parse() {}\nfunc helper() {}\ntype Parser struct {}"
            ),
            ["Parse", "Parser", "helper"]
        );
        assert_eq!(
            names_of(
                "a.py",
                "class Parser:\n    def parse(self):\n    def _hidden(self):\n"
            ),
            ["Parser", "parse"]
        );
    }
}
