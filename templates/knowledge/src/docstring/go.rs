//! Go: exported declarations of packages that others can import.

use super::page::{self, Above, Page};
use super::{Item, identifier};

/// Methods that everyone knows, because an interface of the standard library asks for them.
const WELL_KNOWN: &[&str] = &[
    "Error",
    "String",
    "GoString",
    "Read",
    "Write",
    "Close",
    "ServeHTTP",
    "Unwrap",
    "Is",
    "As",
    "Len",
    "Less",
    "Swap",
    "MarshalJSON",
    "UnmarshalJSON",
    "MarshalText",
    "UnmarshalText",
    "Scan",
    "Value",
    "Format",
];

pub(super) fn items(page: &Page) -> Vec<Item> {
    if page.lines().any(|(_, code)| code.trim() == "package main") {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut in_types = false;
    for (line, code) in page.lines() {
        if in_types && code.starts_with(')') {
            in_types = false;
        }
        if code.trim_end() == "type (" {
            in_types = true;
            continue;
        }
        let grouped = in_types
            .then(|| code.strip_prefix('\t'))
            .flatten()
            .map(|rest| ("type", None, identifier(rest)));
        let Some((kind, owner, name)) = grouped.or_else(|| declared(code)) else {
            continue;
        };
        let is_exported = |name: &str| name.starts_with(char::is_uppercase);
        if !is_exported(name) || owner.is_some_and(|owner| !is_exported(owner)) {
            continue;
        }
        if owner.is_some() && WELL_KNOWN.contains(&name) {
            continue;
        }
        let above = page.above(line, |_| false);
        let is_documented = above
            .iter()
            .any(|part| matches!(part, Above::Comment(text) if is_doc(text)));
        found.push(Item {
            kind,
            name: owner.map_or_else(|| name.to_owned(), |owner| format!("{owner}.{name}")),
            line: page::number(line),
            is_documented,
        });
    }
    found
}

/// Kind, receiver's type and name.
fn declared(code: &str) -> Option<(&'static str, Option<&str>, &str)> {
    if let Some(rest) = code.strip_prefix("func ") {
        let Some(receiver) = rest.strip_prefix('(') else {
            return Some(("func", None, identifier(rest)));
        };
        let (receiver, rest) = receiver.split_once(')')?;
        let owner = receiver.split_whitespace().last()?;
        let owner = identifier(owner.trim_start_matches('*'));
        return Some(("method", Some(owner), identifier(rest.trim_start())));
    }
    ["type", "const", "var"].into_iter().find_map(|kind| {
        let rest = code.strip_prefix(kind)?.strip_prefix(' ')?;
        Some((kind, None, identifier(rest)))
    })
}

/// Directives to tools are no documentation.
fn is_doc(comment: &str) -> bool {
    let is_directive = comment.strip_prefix("//").is_some_and(|rest| {
        rest.starts_with(|c: char| c.is_ascii_lowercase()) && rest.contains(':')
    });
    let is_note_to_linter = comment.starts_with("//nolint") || comment.starts_with("//lint");
    !is_directive && !is_note_to_linter && comment.chars().any(char::is_alphanumeric)
}
