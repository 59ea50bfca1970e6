//! Docstrings: which names a file offers to others, and which of them say what they are.
//!
//! Light lexing, no parser: what stands on a line of code, what comment or string belongs to it.
//! What a macro makes, what is exported somewhere else than where it is declared, and fields are not
//! seen.

mod c_like;
mod go;
mod page;
mod python;
pub mod rules;
mod rust;
mod script;

use crate::language::Language;
use page::Page;

/// A name that others can use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The language's word: `fn`, `class`, `method`, ...
    pub kind: &'static str,
    /// With the type it belongs to, where that can be seen: `Queue.Pop`, `Amount::parse`.
    pub name: String,
    /// Where it is declared, from 1.
    pub line: u32,
    pub is_documented: bool,
}

impl Item {
    /// Its own part of the name: what callers write.
    pub fn own_name(&self) -> &str {
        self.name.rsplit(['.', ':']).next().unwrap_or(&self.name)
    }
}

/// How a language's people document a name.
#[derive(Debug)]
pub struct Convention {
    /// Name in [`crate::language::LANGUAGES`].
    pub language: &'static str,
    /// As a sentence about it says: `` `///` comments ``.
    pub form: &'static str,
    read: fn(&Page) -> Vec<Item>,
}

/// All conventions known.
pub static CONVENTIONS: &[Convention] = &[
    Convention {
        language: "Rust",
        form: "`///` comments above the item",
        read: rust::items,
    },
    Convention {
        language: "Python",
        form: "a docstring as the first statement of the body",
        read: python::items,
    },
    Convention {
        language: "TypeScript",
        form: "`/** */` comments above the export",
        read: script::items,
    },
    Convention {
        language: "JavaScript",
        form: "`/** */` comments above the export",
        read: script::items,
    },
    Convention {
        language: "Go",
        form: "`//` comments above the declaration that start with its name",
        read: go::items,
    },
    Convention {
        language: "Java",
        form: "`/** */` comments (Javadoc) above the declaration",
        read: c_like::java,
    },
    Convention {
        language: "C#",
        form: "`///` XML comments above the declaration",
        read: c_like::c_sharp,
    },
    Convention {
        language: "PHP",
        form: "`/** */` comments (PHPDoc) above the declaration",
        read: c_like::php,
    },
    Convention {
        language: "Swift",
        form: "`///` comments above the declaration",
        read: c_like::swift,
    },
];

/// The convention of a language, if it has one known here.
pub fn convention(language: &Language) -> Option<&'static Convention> {
    CONVENTIONS
        .iter()
        .find(|convention| convention.language == language.name)
}

impl Convention {
    /// The public names of a file, in order.
    pub fn items(&self, text: &str, language: &Language) -> Vec<Item> {
        (self.read)(&Page::new(text, language.syntax))
    }
}

/// The identifier that a text starts with; empty when there is none.
fn identifier(text: &str) -> &str {
    let end = text
        .find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$'))
        .unwrap_or(text.len());
    &text[..end]
}

#[cfg(test)]
mod tests;
