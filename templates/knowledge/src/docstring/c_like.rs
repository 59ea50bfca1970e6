//! Languages that say `public` before what is public: Java, C#, PHP, Swift.

use super::page::{self, Page};
use super::{Item, identifier};

/// What differs from one such language to the other.
struct Style {
    /// Words that make a declaration public.
    public: &'static [&'static str],
    modifiers: &'static [&'static str],
    /// Words before a type's name.
    types: &'static [&'static str],
    /// The word before a function's name; `None`: a type stands there.
    function: Option<&'static str>,
    is_doc: fn(&str) -> bool,
    is_attribute: fn(&str) -> bool,
    /// Attributes and modifiers of what inherits its documentation.
    inherited: &'static [&'static str],
}

static JAVA: Style = Style {
    public: &["public"],
    modifiers: &[
        "static",
        "final",
        "abstract",
        "synchronized",
        "native",
        "default",
        "sealed",
        "strictfp",
        "non-sealed",
    ],
    types: &["class", "interface", "enum", "record", "@interface"],
    function: None,
    is_doc: page::is_block_doc,
    is_attribute: |code| code.starts_with('@'),
    inherited: &["@Override"],
};

static C_SHARP: Style = Style {
    public: &["public"],
    modifiers: &[
        "static", "sealed", "abstract", "virtual", "async", "partial", "readonly", "unsafe",
        "extern", "new", "ref",
    ],
    types: &["class", "interface", "enum", "struct", "record"],
    function: None,
    is_doc: page::is_line_doc,
    is_attribute: |code| code.starts_with('['),
    inherited: &[],
};

static PHP: Style = Style {
    public: &["public"],
    modifiers: &["static", "final", "abstract", "readonly"],
    types: &[],
    function: Some("function"),
    is_doc: page::is_block_doc,
    is_attribute: |code| code.starts_with("#["),
    inherited: &["Override"],
};

static SWIFT: Style = Style {
    public: &["public", "open"],
    modifiers: &[
        "static",
        "final",
        "class",
        "mutating",
        "convenience",
        "required",
        "nonisolated",
    ],
    types: &["class", "struct", "enum", "protocol", "actor"],
    function: Some("func"),
    is_doc: |comment| page::is_line_doc(comment) || page::is_block_doc(comment),
    is_attribute: |code| code.starts_with('@'),
    inherited: &[],
};

pub(super) fn java(page: &Page) -> Vec<Item> {
    items(page, &JAVA)
}

pub(super) fn c_sharp(page: &Page) -> Vec<Item> {
    items(page, &C_SHARP)
}

pub(super) fn php(page: &Page) -> Vec<Item> {
    items(page, &PHP)
}

pub(super) fn swift(page: &Page) -> Vec<Item> {
    items(page, &SWIFT)
}

fn items(page: &Page, style: &Style) -> Vec<Item> {
    let mut found: Vec<Item> = Vec::new();
    let mut types: Vec<&str> = Vec::new();
    for (line, code) in page.lines() {
        let Some((kind, name)) = declared(code.trim(), style) else {
            continue;
        };
        // A constructor has its type's name.
        if kind == "method" && (types.contains(&name) || name.starts_with("__")) {
            continue;
        }
        if kind != "method" {
            types.push(name);
        }
        let above = page.above(line, style.is_attribute);
        if style
            .inherited
            .iter()
            .any(|word| page::has_attribute(&above, word))
        {
            continue;
        }
        found.push(Item {
            kind,
            name: name.to_owned(),
            line: page::number(line),
            is_documented: page::has_doc(&above, style.is_doc),
        });
    }
    found
}

/// Kind and name of the public declaration on a line; fields and properties are left out.
fn declared<'a>(code: &'a str, style: &Style) -> Option<(&'static str, &'a str)> {
    let mut words = code.split_whitespace();
    if !words
        .next()
        .is_some_and(|word| style.public.contains(&word))
    {
        return None;
    }
    let mut rest: Vec<&str> = words.collect();
    loop {
        let first = *rest.first()?;
        // `record struct`, and `class func` in Swift.
        let next_is_kind = rest.get(1).is_some_and(|next| {
            style.types.contains(next) || style.function.is_some_and(|word| *next == word)
        });
        if let Some(kind) = style.types.iter().find(|kind| **kind == first)
            && !next_is_kind
        {
            let name = identifier(rest.get(1)?);
            return (!name.is_empty()).then_some((*kind, name));
        }
        if style.modifiers.contains(&first) || style.types.contains(&first) {
            rest.remove(0);
            continue;
        }
        break;
    }
    if rest.contains(&"override") {
        return None;
    }
    if let Some(function) = style.function {
        let name = rest
            .first()
            .filter(|word| **word == function)
            .and(rest.get(1))?;
        let name = identifier(name.trim_start_matches('&'));
        return (!name.is_empty()).then_some(("method", name));
    }
    // A type, the name, and a bracket; without the bracket, or with `=` before it, it is a field.
    let open = code.find('(')?;
    let before = code[..open].trim_end();
    if before.contains('=') {
        return None;
    }
    let before = before.strip_suffix('>').map_or(before, |generic| {
        generic.rsplit_once('<').map_or(generic, |(name, _)| name)
    });
    let start = before
        .rfind(|c: char| !(c.is_alphanumeric() || c == '_'))
        .map_or(0, |at| at + 1);
    let name = &before[start..];
    (!name.is_empty()).then_some(("method", name))
}
