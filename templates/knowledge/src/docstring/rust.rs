//! Rust: `pub` items and the methods of `pub` traits.

use super::page::{self, Page};
use super::{Item, identifier};

const MODIFIERS: &[&str] = &["async", "unsafe", "extern", "default"];
const KINDS: &[&str] = &[
    "fn", "struct", "enum", "trait", "type", "const", "static", "union",
];

pub(super) fn items(page: &Page) -> Vec<Item> {
    let depths = page.depths();
    let mut found = Vec::new();
    // A block that is left out, or the public trait we are in: its name and depth.
    let mut hidden: Option<i32> = None;
    let mut inside: Option<(String, i32)> = None;
    // The type whose `impl` we are in.
    let mut implemented: Option<(String, i32)> = None;
    for (line, code) in page.lines() {
        let depth = depths[line];
        let code = code.trim();
        if code.is_empty() {
            continue;
        }
        if hidden.is_some_and(|outer| depth > outer) {
            continue;
        }
        if hidden.is_some_and(|outer| depth == outer && !code.starts_with('}')) {
            hidden = None;
        }
        for block in [&mut inside, &mut implemented] {
            let ends = |(_, outer): &(String, i32)| code.starts_with('}') && depth <= outer + 1;
            if block.as_ref().is_some_and(ends) {
                *block = None;
            }
        }
        if let Some(name) = implemented_type(code) {
            implemented = (!code.ends_with('}')).then(|| (name.to_owned(), depth));
            continue;
        }
        let above = || page.above(line, is_attribute);
        if is_word(code, "mod") && page::has_attribute(&above(), "cfg(test)")
            || code.starts_with("macro_rules!")
        {
            hidden = Some(depth);
            continue;
        }
        let declared = match code.strip_prefix("pub ") {
            Some(rest) => declared(rest),
            None => inside
                .as_ref()
                .filter(|(_, outer)| depth == outer + 1)
                .and_then(|_| declared(code))
                .filter(|(kind, _)| *kind == "fn"),
        };
        let Some((kind, name)) = declared else {
            continue;
        };
        let above = above();
        if page::has_attribute(&above, "doc(hidden)") || page::has_attribute(&above, "cfg(test)") {
            continue;
        }
        let is_documented = page::has_doc(&above, |comment| {
            page::is_line_doc(comment) || page::is_block_doc(comment)
        }) || page::has_attribute(&above, "doc =")
            || page::has_attribute(&above, "include_str");
        let owner = if code.starts_with("pub ") {
            &implemented
        } else {
            &inside
        };
        let name = match owner {
            Some((owner, outer)) if depth == outer + 1 => format!("{owner}::{name}"),
            _ => name.to_owned(),
        };
        if kind == "trait" && !code.ends_with('}') {
            inside = Some((name.clone(), depth));
        }
        found.push(Item {
            kind,
            name,
            line: page::number(line),
            is_documented,
        });
    }
    found
}

/// Kind and name of what the code declares.
fn declared(code: &str) -> Option<(&'static str, &str)> {
    let mut rest = code.trim_start();
    loop {
        let word = identifier(rest);
        let after = rest[word.len()..].trim_start();
        let is_const_fn =
            word == "const" && ["fn", "async", "unsafe", "extern"].contains(&identifier(after));
        if MODIFIERS.contains(&word) || is_const_fn {
            rest = after;
            continue;
        }
        let kind = KINDS.iter().find(|kind| **kind == word)?;
        let after = match *kind {
            "static" => after.strip_prefix("mut ").unwrap_or(after),
            _ => after,
        };
        let name = identifier(after);
        return (!name.is_empty() && name != "_").then_some((*kind, name));
    }
}

/// `impl<T> fmt::Display for Amount<T> where ...` is about `Amount`.
fn implemented_type(code: &str) -> Option<&str> {
    let code = code.strip_prefix("unsafe ").unwrap_or(code);
    let mut rest = code.strip_prefix("impl")?;
    if let Some(generics) = rest.strip_prefix('<') {
        let mut depth = 1;
        let end = generics.find(|c: char| {
            depth += i32::from(c == '<') - i32::from(c == '>');
            depth == 0
        })?;
        rest = &generics[end + 1..];
    }
    let rest = rest.strip_prefix(' ')?;
    let named = rest.split_once(" for ").map_or(rest, |(_, named)| named);
    let path = named.split(['<', '{', ' ']).next()?;
    let name = identifier(path.rsplit("::").next()?);
    (!name.is_empty()).then_some(name)
}

fn is_word(code: &str, word: &str) -> bool {
    let code = code.strip_prefix("pub ").unwrap_or(code);
    identifier(code) == word
}

fn is_attribute(code: &str) -> bool {
    code.starts_with("#[")
}
