//! The tests of one text, read line by line from its masked form: light reading, no parsing.

use std::collections::HashMap;

use super::extent::{self, closing, indentation, is_word, line_end};
use super::mask::mask;
use super::strength;
use super::style::{Body, Style};
use crate::language::Syntax;

mod declaration;
mod marks;

use declaration::{Call, Declared};

/// What one file holds, as far as tests go.
#[derive(Debug, Clone, Default)]
pub struct TestFile<'a> {
    /// In the order of the text.
    pub tests: Vec<Test<'a>>,
    /// Other functions.
    pub functions: Vec<Function<'a>>,
    /// By line.
    pub marks: Vec<Mark<'a>>,
}

/// A test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Test<'a> {
    /// Its function's name or its title.
    pub name: &'a str,
    /// Name of the class it is in, where that matters; else empty.
    pub class: &'a str,
    /// Of the declaration.
    pub line: u32,
    /// Of the end.
    pub end: u32,
    /// Lines of the body that do something: no blanks, comments or rows of constants.
    pub code_lines: usize,
    /// Calls and statements that can fail.
    pub checks: usize,
    /// Assertions of a constant.
    pub constants: usize,
    /// Names it calls.
    pub calls: Vec<&'a str>,
    /// A mark skips it, or the group it is in.
    pub is_skipped: bool,
    /// Line of a later one of the same name and class, which takes its place.
    pub replaced_by: Option<u32>,
}

/// A function that is no test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function<'a> {
    pub name: &'a str,
    /// Something in it can fail.
    pub checks: bool,
    /// Names it calls.
    pub calls: Vec<&'a str>,
}

/// Something that keeps tests from telling the truth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark<'a> {
    pub kind: MarkKind,
    pub line: u32,
    /// The line it is on, as written, trimmed.
    pub code: &'a str,
    /// The test or group it stands for; empty: unknown.
    pub name: &'a str,
    /// What its author says about why.
    pub reason: Option<&'a str>,
}

/// What a mark does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum MarkKind {
    /// The others of the file do not run.
    Focused,
    /// It does not run.
    Skipped,
    /// It waits for a fixed time.
    Sleeps,
}

/// Reads a text in the given style.
pub fn read<'a>(text: &'a str, style: &Style, syntax: &Syntax) -> TestFile<'a> {
    let masked = mask(text, syntax);
    let mut reader = Reader {
        text,
        masked: &masked,
        style,
        lines: std::iter::once(0)
            .chain(text.match_indices('\n').map(|(at, _)| at + 1))
            .collect(),
        attributes: Vec::new(),
        classes: Vec::new(),
        skipped: Vec::new(),
        bodies: Vec::new(),
        file: TestFile::default(),
    };
    reader.run();
    reader.find_sleeps();
    let mut file = reader.file;
    file.marks.sort_by_key(|mark| mark.line);
    mark_replaced(&mut file.tests, style);
    file
}

struct Reader<'a, 'm> {
    text: &'a str,
    masked: &'m str,
    style: &'m Style,
    /// Where each line starts.
    lines: Vec<usize>,
    /// Those above the declaration that comes next.
    attributes: Vec<Attribute<'a>>,
    /// Classes that are open, with their indentation.
    classes: Vec<(usize, &'a str)>,
    /// Parts of the text that a mark skips.
    skipped: Vec<std::ops::Range<usize>>,
    /// Where the body of each test is, in the order of `file.tests`.
    bodies: Vec<std::ops::Range<usize>>,
    file: TestFile<'a>,
}

/// `#[tokio::test(flavor = "x")]`, `@Test`, `[Fact]`.
struct Attribute<'a> {
    /// `test`, `Test`, `Fact`.
    last_word: &'a str,
    /// All of it.
    at: std::ops::Range<usize>,
}

impl<'a> Reader<'a, '_> {
    fn run(&mut self) {
        let mut at = 0;
        while at < self.masked.len() {
            let end = line_end(self.masked, at);
            let code = &self.masked[at..end];
            let start = at + code.len() - code.trim_start().len();
            at = if code.trim().is_empty() {
                end + 1
            } else if let Some(attribute) = self.attribute(start) {
                let end = attribute.at.end;
                self.attributes.push(attribute);
                end
            } else {
                let next = self.declaration(start).unwrap_or(end + 1);
                self.attributes.clear();
                next.max(start + 1)
            };
        }
    }

    fn line(&self, at: usize) -> u32 {
        u32::try_from(self.lines.partition_point(|start| *start <= at)).unwrap_or(u32::MAX)
    }

    /// The line that `at` is on, as written.
    fn line_text(&self, at: usize) -> &'a str {
        let start = self.text[..at].rfind('\n').map_or(0, |end| end + 1);
        self.text[start..line_end(self.text, at)].trim()
    }

    fn attribute(&self, start: usize) -> Option<Attribute<'a>> {
        let style = self.style;
        let rest = self.masked[start..]
            .strip_prefix(style.attribute)
            .filter(|_| !style.attribute.is_empty())?;
        if !rest.starts_with(|c: char| c.is_alphabetic()) {
            return None;
        }
        let path = rest
            .find(|c| !(is_word(c) || c == ':' || c == '.'))
            .unwrap_or(rest.len());
        let from = start + style.attribute.len();
        let path = self.text[from..from + path].trim_end_matches([':', '.']);
        let last_word = path.rsplit([':', '.']).next().unwrap_or(path);
        let end = match (style.body, style.attribute) {
            (Body::End, _) => line_end(self.masked, start),
            (_, "@") if self.masked[from + path.len()..].starts_with('(') => {
                closing(self.masked, from + path.len())
            }
            (_, "@") => from + path.len(),
            _ => closing(self.masked, from - 1),
        };
        Some(Attribute {
            last_word,
            at: start..end,
        })
    }

    /// Reads what is declared at `start`; where to go on, when that is not the next line.
    fn declaration(&mut self, start: usize) -> Option<usize> {
        let indent = indentation(self.masked, start);
        self.classes.retain(|(outer, _)| *outer < indent);
        if self.style.body == Body::Indentation {
            self.class_or_module(start, indent);
        }
        if let Some(call) = self.call(start) {
            return self.called(&call);
        }
        if let Some(declared) = self.function(start) {
            return self.declared(&declared);
        }
        self.skipped_group(start);
        None
    }

    fn declared(&mut self, declared: &Declared<'a>) -> Option<usize> {
        let style = self.style;
        let has = |words: &[&str]| {
            let mut attributes = self.attributes.iter();
            attributes.any(|attribute| words.contains(&attribute.last_word))
        };
        let is_named = declared.is_title
            || style
                .test_names
                .iter()
                .any(|prefix| declared.starts_with(prefix));
        let declaration = &self.masked[declared.start..declared.body.start];
        // A fixture may be called `test_app`.
        let is_test = has(style.test_attributes)
            || (is_named && declaration.contains(style.signature) && !has(&["fixture"]));
        let body = &self.masked[declared.body.clone()];
        let mut strength = strength::of(body, style);
        for attribute in &self.attributes {
            // `#[should_panic]`, `@Test(expected = X.class)`, `@should_fail`
            let words = &self.masked[attribute.at.clone()];
            strength.checks += usize::from(words.contains("should_") || words.contains("expected"));
        }
        let calls = self.calls(&declared.body);
        if !is_test {
            self.file.functions.push(Function {
                name: declared.name,
                checks: strength.checks > 0,
                calls,
            });
            return None;
        }
        let mark = self.skip_attribute();
        let class = self.classes.last().map_or("", |(_, name)| name);
        let is_skipped = self.push_test(
            declared.name,
            class,
            declared.start,
            &declared.body,
            strength,
            calls,
        );
        if let Some(at) = mark {
            self.mark(MarkKind::Skipped, at, declared.name);
        } else if !is_skipped {
            self.skip_statement(&declared.body, declared.name);
        }
        Some(declared.body.end)
    }

    fn called(&mut self, call: &Call<'a>) -> Option<usize> {
        if let Some(at) = self.skip_attribute() {
            self.mark(MarkKind::Skipped, at, call.name);
            self.skipped.push(call.start..call.body.end);
        } else if call.is_skipped {
            self.mark_with(
                MarkKind::Skipped,
                call.start,
                call.name,
                self.comment_near(call.start).or(call.reason),
            );
            self.skipped.push(call.start..call.body.end);
        }
        if call.is_focused {
            self.mark_with(
                MarkKind::Focused,
                call.start,
                call.name,
                self.comment_near(call.start),
            );
        }
        if call.is_group {
            return None;
        }
        let strength = strength::of(&self.masked[call.body.clone()], self.style);
        let calls = self.calls(&call.body);
        let is_skipped = self.push_test(call.name, "", call.start, &call.body, strength, calls);
        if !is_skipped {
            self.skip_statement(&call.body, call.name);
        }
        Some(call.body.end)
    }

    /// Adds a test; whether something skips it already.
    fn push_test(
        &mut self,
        name: &'a str,
        class: &'a str,
        start: usize,
        body: &std::ops::Range<usize>,
        strength: strength::Strength,
        calls: Vec<&'a str>,
    ) -> bool {
        let is_skipped = self.skip_attribute().is_some()
            || self.skipped.iter().any(|part| part.contains(&start));
        self.bodies.push(body.clone());
        self.file.tests.push(Test {
            name,
            class,
            line: self.line(start),
            end: self.line(body.end.saturating_sub(1)),
            code_lines: self.masked[body.clone()]
                .lines()
                .filter(|line| is_code(line))
                .count(),
            checks: strength.checks,
            constants: strength.constants,
            calls,
            is_skipped,
            replaced_by: None,
        });
        is_skipped
    }

    fn calls(&self, body: &std::ops::Range<usize>) -> Vec<&'a str> {
        let mut calls: Vec<&str> = Vec::new();
        let mut start = body.start;
        for line in self.masked[body.clone()].split_inclusive('\n') {
            let names = strength::called(line);
            calls.extend(names.map(|(name, at)| &self.text[start + at..start + at + name.len()]));
            start += line.len();
        }
        calls.sort_unstable();
        calls.dedup();
        calls
    }
}

/// Whether a line does something; rows of constants in a table do not.
fn is_code(line: &str) -> bool {
    #[rustfmt::skip]
    const CONSTANTS: &[&str] =
        &["true", "false", "nil", "null", "None", "Some", "True", "False", "undefined"];
    line.split(|c| !is_word(c))
        .filter(|word| word.starts_with(|c: char| c.is_alphabetic() || c == '_'))
        .any(|word| !CONSTANTS.contains(&word))
}

/// Where a later definition takes the place of an earlier one, the earlier never runs.
fn mark_replaced(tests: &mut [Test], style: &Style) {
    if !matches!(style.body, Body::Indentation) {
        return;
    }
    let mut last: HashMap<(&str, &str), u32> = HashMap::new();
    for test in tests.iter_mut().rev() {
        test.replaced_by = last.insert((test.class, test.name), test.line);
    }
}

#[cfg(test)]
mod tests;
