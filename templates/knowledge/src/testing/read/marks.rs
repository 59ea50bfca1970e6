//! Marks: what is skipped, and where tests wait for a fixed time.

use std::ops::Range;

use super::{Mark, MarkKind, Reader, closing, indentation, line_end};
use crate::testing::extent::{body, indented, is_word};
use crate::testing::strength::pieces;

/// What declares a group of tests that attributes can skip.
const GROUPS: &[&str] = &[
    "class ",
    "mod ",
    "struct ",
    "object ",
    "enum ",
    "module ",
    "interface ",
    "defmodule ",
];

/// Lines that start a loop which runs until something is so.
const WAITING_LOOPS: &[&str] = &[
    "while", "until", "loop", "repeat", "do {", "for {", "for (;;)", "} while",
];

impl<'a> Reader<'a, '_> {
    pub(super) fn mark(&mut self, kind: MarkKind, at: usize, name: &'a str) {
        let reason = self.reason(at);
        self.mark_with(kind, at, name, reason);
    }

    pub(super) fn mark_with(
        &mut self,
        kind: MarkKind,
        at: usize,
        name: &'a str,
        reason: Option<&'a str>,
    ) {
        let code = self.line_text(at);
        self.file.marks.push(Mark {
            kind,
            line: self.line(at),
            code,
            name,
            reason,
        });
    }

    /// A text given with the mark, or a comment beside or above it.
    fn reason(&self, at: usize) -> Option<&'a str> {
        let attribute = self
            .attributes
            .iter()
            .find(|attribute| attribute.at.start == at);
        let part = attribute.map_or(at..line_end(self.masked, at), |attribute| {
            attribute.at.clone()
        });
        self.strings(&part)
            .into_iter()
            .find(|text| text.starts_with(|c: char| c.is_alphanumeric() || "#(".contains(c)))
            .or_else(|| self.comment_near(at))
    }

    /// The comment at the end of the line of `at`, or on the line above.
    pub(super) fn comment_near(&self, at: usize) -> Option<&'a str> {
        let start = self.text[..at].rfind('\n').map_or(0, |end| end + 1);
        let line = start..line_end(self.text, at);
        let code = self.masked[line.clone()].trim_end().len();
        let above = start
            .checked_sub(1)
            .map(|end| self.text[..end].rfind('\n').map_or(0, |end| end + 1)..end);
        let above = above.filter(|line| self.masked[line.clone()].trim().is_empty());
        [Some(line.start + code..line.end), above]
            .into_iter()
            .flatten()
            .find_map(|part| {
                let comment = self.text[part]
                    .trim()
                    .trim_start_matches(['/', '#', '*', '!', ' ', '-', ';']);
                let comment = comment.trim_end_matches(['*', '/', ' ']);
                (!comment.is_empty()).then_some(comment)
            })
    }

    /// Where the attribute is that skips the declaration below.
    pub(super) fn skip_attribute(&self) -> Option<usize> {
        let skips = |words: &[&str], part: &Range<usize>| {
            let masked = &self.masked[part.clone()];
            words.iter().any(|word| {
                pieces(masked, word).any(|at| !masked[at + word.len()..].starts_with(is_word))
            })
        };
        self.attributes
            .iter()
            .find(|attribute| {
                self.style.skip_attributes.contains(&attribute.last_word)
                    || skips(self.style.skip_arguments, &attribute.at)
            })
            .map(|attribute| attribute.at.start)
    }

    /// A class or module whose attribute skips all that is in it.
    pub(super) fn skipped_group(&mut self, start: usize) {
        let Some(at) = self.skip_attribute() else {
            return;
        };
        let end = line_end(self.masked, start);
        let Some(word) = GROUPS.iter().find_map(|word| {
            pieces(&self.masked[start..end], word)
                .next()
                .map(|at| at + word.len())
        }) else {
            return;
        };
        let from = start + word;
        let length = self.masked[from..end]
            .find(|c| !is_word(c))
            .unwrap_or(end - from);
        self.mark(MarkKind::Skipped, at, &self.text[from..from + length]);
        let body = body(self.masked, start, from, self.style.body);
        self.skipped.push(start..body.map_or(end, |(_, to)| to));
    }

    /// A statement that skips the test whatever happens: it stands at the top level of the body.
    pub(super) fn skip_statement(&mut self, body: &Range<usize>, name: &'a str) {
        let mut top = None;
        let mut at = line_end(self.masked, body.start);
        while at < body.end {
            let start = at + 1;
            let end = line_end(self.masked, start.min(self.masked.len())).min(body.end);
            let line = self.masked.get(start..end).unwrap_or_default();
            let code = line.trim_start();
            if !code.is_empty() {
                let indent = line.len() - code.len();
                let is_skip = self.style.skip_statements.iter().any(|statement| {
                    let rest = code.strip_prefix(statement);
                    rest.is_some_and(|rest| {
                        !statement.ends_with(is_word)
                            || rest.is_empty()
                            || rest.starts_with([' ', '('])
                    })
                });
                // Ruby: `skip "x" if y`
                let is_conditional = code.contains(" if ") || code.contains(" unless ");
                if is_skip && !is_conditional && *top.get_or_insert(indent) == indent {
                    self.mark(MarkKind::Skipped, start + indent, name);
                    if let Some(test) = self.file.tests.last_mut() {
                        test.is_skipped = true;
                    }
                    return;
                }
                top.get_or_insert(indent);
            }
            at = end;
        }
    }

    /// Calls that wait for a fixed time, apart from loops that wait for something.
    pub(super) fn find_sleeps(&mut self) {
        let style = self.style;
        if style
            .fake_clocks
            .iter()
            .any(|clock| self.text.contains(clock))
        {
            return;
        }
        let mut found: Vec<usize> = Vec::new();
        for call in style.sleeps {
            for at in pieces(self.masked, call) {
                let is_method = call.starts_with(is_word) && self.masked[..at].ends_with('.');
                let open = at + call.len();
                let rest = self.masked[open..].trim_start_matches(' ');
                if (!is_method || call.contains('.'))
                    && self.is_fixed_time(call, self.masked.len() - rest.len())
                {
                    found.push(at);
                }
            }
        }
        // `sleep` is also the end of `time.sleep`.
        found.sort_unstable();
        let mut lines: Vec<u32> = Vec::new();
        for at in found {
            let line = self.line(at);
            if lines.last() == Some(&line) || self.is_in_waiting_loop(at) {
                continue;
            }
            lines.push(line);
            // Elsewhere it stands for something slow: a server, a fixture.
            let Some(index) = self.bodies.iter().position(|body| body.contains(&at)) else {
                continue;
            };
            let test = &self.file.tests[index];
            if test.is_skipped {
                continue;
            }
            let name = test.name;
            let reason = self.comment_near(at);
            self.mark_with(MarkKind::Sleeps, at, name, reason);
        }
    }

    /// Whether the arguments that start at `open` are a time other than zero.
    fn is_fixed_time(&self, call: &str, open: usize) -> bool {
        let end = line_end(self.masked, open);
        let arguments = match self.masked.as_bytes().get(open) {
            Some(b'(') => self.masked[open + 1..closing(self.masked, open)].trim_end_matches(')'),
            // Ruby and Elixir leave the parentheses out.
            Some(c) if c.is_ascii_digit() => &self.masked[open..end],
            _ => return false,
        };
        let arguments = arguments.trim();
        // `cy.wait("@alias")` waits for something; `function sleep(ms: number)` is a declaration.
        let is_time = arguments.contains(|c: char| c.is_ascii_digit())
            && !arguments.starts_with(['"', '\'', '`'])
            && !matches!(arguments, "0" | "0.0");
        // A timer is a sleep only when something awaits it.
        let is_timer = matches!(call, "setTimeout" | "setImmediate");
        let start = self.masked[..open].rfind('\n').map_or(0, |end| end + 1);
        is_time && (!is_timer || self.masked[start..open].contains("Promise"))
    }

    /// Whether a loop around `at` ends when something has happened.
    fn is_in_waiting_loop(&self, at: usize) -> bool {
        let mut indent = indentation(self.masked, at);
        let mut end = self.masked[..at].rfind('\n').map_or(0, |end| end + 1);
        while end > 0 && indent > 0 {
            let start = self.masked[..end - 1].rfind('\n').map_or(0, |end| end + 1);
            let line = &self.masked[start..end];
            let code = line.trim_start();
            let own = line.len() - code.len();
            if !code.trim().is_empty() && own < indent {
                indent = own;
                let block = || &self.masked[start..indented(self.masked, start, start)];
                let leaves = || {
                    ["break", "return"]
                        .iter()
                        .any(|word| block().contains(word))
                };
                if WAITING_LOOPS.iter().any(|word| code.starts_with(word))
                    || (code.starts_with("for") && leaves())
                {
                    return true;
                }
            }
            end = start;
        }
        false
    }
}
