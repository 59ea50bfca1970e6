//! Python: modules, classes, functions and methods whose names do not start with an underscore.

use super::page::{self, Page};
use super::{Item, identifier};

/// Decorators after which a function needs no docstring of its own.
const INHERITED: &[&str] = &[
    "overload",
    "override",
    ".setter",
    ".deleter",
    "singledispatch.register",
];

pub(super) fn items(page: &Page) -> Vec<Item> {
    let mut found = Vec::new();
    // The blocks around a line: their indentation, and the class's name when it is a public class.
    let mut blocks: Vec<(usize, Option<String>)> = Vec::new();
    for (line, code) in page.lines() {
        let content = code.trim_start();
        if content.is_empty() {
            continue;
        }
        let indent = code.len() - content.len();
        let declaration = content.strip_prefix("async ").unwrap_or(content);
        let (kind, rest) = if let Some(rest) = declaration.strip_prefix("def ") {
            ("function", rest)
        } else if let Some(rest) = declaration.strip_prefix("class ") {
            ("class", rest)
        } else {
            continue;
        };
        blocks.retain(|(outer, _)| *outer < indent);
        let name = identifier(rest.trim_start());
        let is_public = !name.is_empty() && !name.starts_with('_');
        let owner = match blocks.last() {
            None => Some(None),
            Some((_, Some(class))) => Some(Some(class.clone())),
            // Inside a function, or in something private.
            Some((_, None)) => None,
        };
        let Some(owner) = owner.filter(|_| is_public) else {
            blocks.push((indent, None));
            continue;
        };
        let full = match &owner {
            Some(class) => format!("{class}.{name}"),
            None => name.to_owned(),
        };
        blocks.push((indent, (kind == "class").then(|| full.clone())));
        let above = page.above(line, |code| code.starts_with('@'));
        if INHERITED
            .iter()
            .any(|decorator| page::has_attribute(&above, decorator))
        {
            continue;
        }
        found.push(Item {
            kind: if owner.is_some() && kind == "function" {
                "method"
            } else {
                kind
            },
            name: full,
            line: page::number(line),
            is_documented: has_docstring(page, page.start(line) + indent),
        });
    }
    if !found.is_empty() {
        let is_documented = starts_with_string(page, 0);
        let module = Item {
            kind: "module",
            name: "the module itself".into(),
            line: 1,
            is_documented,
        };
        found.insert(0, module);
    }
    found
}

/// Whether the body of the declaration at this offset starts with a string.
fn has_docstring(page: &Page, at: usize) -> bool {
    let mut depth = 0_i32;
    for (offset, byte) in page.code[at..].bytes().enumerate() {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth -= 1,
            b':' if depth == 0 => return starts_with_string(page, at + offset + 1),
            _ => {}
        }
    }
    false
}

/// Whether the first thing from this offset on is a string (comments are no things).
fn starts_with_string(page: &Page, at: usize) -> bool {
    let rest = &page.code[at..];
    let code = rest
        .find(|c: char| !c.is_whitespace())
        .unwrap_or(rest.len());
    // `r"""` starts with code; an f-string is no docstring.
    let is_prefix = |text: &str| ["r", "R", "u", "U"].contains(&identifier(text));
    let end = if is_prefix(&rest[code..]) {
        code + 1
    } else {
        code
    };
    page.string_in(at..at + end + 1)
}
