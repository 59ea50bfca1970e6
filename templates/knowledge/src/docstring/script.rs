//! TypeScript and JavaScript: what a module exports where it is declared.

use super::page::{self, Page};
use super::{Item, identifier};

const MODIFIERS: &[&str] = &["default", "declare", "async", "abstract"];
const KINDS: &[&str] = &[
    "function",
    "class",
    "interface",
    "type",
    "enum",
    "const",
    "let",
    "var",
    "namespace",
];

pub(super) fn items(page: &Page) -> Vec<Item> {
    let mut found: Vec<Item> = Vec::new();
    for (line, code) in page.lines() {
        let Some((kind, name)) = code.trim_start().strip_prefix("export ").and_then(declared)
        else {
            continue;
        };
        // The first of several signatures of a function has the documentation.
        if found
            .last()
            .is_some_and(|last| kind == "function" && last.name == name)
        {
            continue;
        }
        let above = page.above(line, |code| code.starts_with('@'));
        found.push(Item {
            kind,
            name: name.to_owned(),
            line: page::number(line),
            is_documented: page::has_doc(&above, page::is_block_doc),
        });
    }
    found
}

fn declared(code: &str) -> Option<(&'static str, &str)> {
    let mut rest = code.trim_start();
    let mut is_default = false;
    loop {
        let word = identifier(rest);
        let after = rest[word.len()..]
            .trim_start()
            .trim_start_matches('*')
            .trim_start();
        if MODIFIERS.contains(&word) {
            is_default |= word == "default";
            rest = after;
            continue;
        }
        let kind = KINDS.iter().find(|kind| **kind == word)?;
        // `export const enum`.
        if *kind == "const" && identifier(after) == "enum" {
            rest = after;
            continue;
        }
        let name = identifier(after);
        return match name {
            // `export default class extends X`.
            "" | "extends" if is_default => Some((*kind, "default")),
            "" => None,
            name => Some((*kind, name)),
        };
    }
}
