//! What is wrong with a configuration file, where, and what to write instead.

use std::cell::OnceCell;
use std::fmt::{self, Write as _};
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::names::printable;
use crate::schedule::Zone;

/// One mistake in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    pub file: PathBuf,
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// Where in the file's own terms: `changelings.nightly.schedule`; empty for a syntax error.
    pub key: String,
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
}

impl Problem {
    /// `line:column: key: message; help`, for a list under the file's name.
    pub fn without_file(&self) -> String {
        let mut text = format!("{}:{}: ", self.line, self.column);
        if !self.key.is_empty() {
            let _ = write!(text, "`{}`: ", self.key);
        }
        text += &self.message;
        if let Some(help) = &self.help {
            let _ = write!(text, "; {help}");
        }
        text
    }
}

impl fmt::Display for Problem {
    /// `file:line:column: key: message; help`, on one line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file.display(), self.without_file())
    }
}

/// Collects the problems of one file while it is read.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    file: &'a Path,
    text: &'a str,
    /// Byte offset of each line: every value asks for its own.
    lines: Vec<usize>,
    /// This machine's, looked up once.
    system_zone: OnceCell<Zone>,
    /// What relative paths in the file are relative to.
    pub(crate) base: &'a Path,
    path: Vec<String>,
    problems: Vec<(usize, Problem)>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(file: &'a Path, text: &'a str, base: &'a Path) -> Self {
        Self {
            file,
            text,
            lines: line_starts(text),
            system_zone: OnceCell::new(),
            base,
            path: Vec::new(),
            problems: Vec::new(),
        }
    }

    /// Reads something one level further down.
    pub(crate) fn within<T>(&mut self, key: &str, read: impl FnOnce(&mut Self) -> T) -> T {
        self.path.push(key.to_owned());
        let value = read(self);
        self.path.pop();
        value
    }

    pub(crate) fn problem(
        &mut self,
        span: Range<usize>,
        message: impl Into<String>,
        help: Option<String>,
    ) {
        let (line, column) = position(self.text, &self.lines, span.start);
        let problem = Problem {
            file: self.file.to_owned(),
            line,
            column,
            key: printable(&self.path.join(".")),
            message: message.into(),
            help,
        };
        self.problems.push((span.start, problem));
    }

    /// What is being read is this key's value.
    pub(crate) fn is_in(&self, key: &str) -> bool {
        self.path.last().is_some_and(|last| last == key)
    }

    /// How many there are so far.
    pub(crate) fn count(&self) -> usize {
        self.problems.len()
    }

    /// From 1.
    pub(crate) fn line(&self, offset: usize) -> usize {
        self.lines.partition_point(|start| *start <= offset)
    }

    /// The zone of changelings that name none.
    pub(crate) fn system_zone(&self) -> Zone {
        self.system_zone
            .get_or_init(|| Zone::system_or_utc().0)
            .clone()
    }

    /// Everything found, in the order of the file.
    pub(crate) fn finish(mut self) -> Vec<Problem> {
        self.problems.sort_by_key(|(offset, _)| *offset);
        self.problems
            .into_iter()
            .map(|(_, problem)| problem)
            .collect()
    }
}

fn line_starts(text: &str) -> Vec<usize> {
    let newlines = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
    std::iter::once(0)
        .chain(newlines.map(|(offset, _)| offset + 1))
        .collect()
}

/// Line and column (characters) of a byte offset, both from 1.
fn position(text: &str, lines: &[usize], offset: usize) -> (usize, usize) {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    let line = lines.partition_point(|start| *start <= offset);
    let start = lines[line - 1];
    (line, text[start..offset].chars().count() + 1)
}

/// The most similar of some words, when one is similar enough to be meant.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(word, candidate), candidate))
        .filter(|(similarity, _)| *similarity > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_characters() {
        let at = |text: &str, offset| position(text, &line_starts(text), offset);
        assert_eq!(at("a\nüb = 1", 4), (2, 2));
        assert_eq!(at("a\n", 2), (2, 1));
        assert_eq!(at("", 10), (1, 1));
        assert_eq!(at("ü", 1), (1, 1));
    }

    #[test]
    fn nearest_word() {
        assert_eq!(
            nearest("shedule", ["schedule", "secrets"]),
            Some("schedule")
        );
        assert_eq!(nearest("colour", ["schedule", "secrets"]), None);
    }
}
