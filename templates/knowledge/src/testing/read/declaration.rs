//! What a line declares: a function, or a call with a title and a body.

use std::ops::Range;

use super::{Body, Reader, closing, extent, indentation, is_word, line_end};

/// A function.
pub(super) struct Declared<'a> {
    pub(super) name: &'a str,
    /// The name is a text in quotes, as Spock's tests have it.
    pub(super) is_title: bool,
    /// Where the declaration starts.
    pub(super) start: usize,
    pub(super) body: Range<usize>,
}

impl Declared<'_> {
    /// `Test` is the beginning of `TestParse` and not of `Testify`.
    pub(super) fn starts_with(&self, prefix: &str) -> bool {
        self.name.strip_prefix(prefix).is_some_and(|rest| {
            !(prefix.ends_with(|c: char| c.is_uppercase() || prefix == "Test")
                && rest.starts_with(|c: char| c.is_lowercase()))
        })
    }
}

/// `it("adds", () => { ... })`, `describe.skip(...)`, `it "adds" do`.
pub(super) struct Call<'a> {
    pub(super) name: &'a str,
    pub(super) start: usize,
    /// Arguments included.
    pub(super) body: Range<usize>,
    pub(super) is_group: bool,
    pub(super) is_skipped: bool,
    pub(super) is_focused: bool,
    /// Given as an argument.
    pub(super) reason: Option<&'a str>,
}

/// Words before the name or keyword of a function.
#[rustfmt::skip]
const MODIFIERS: &[&str] = &[
    "pub", "async", "unsafe", "const", "extern", "static", "public", "private", "protected", "internal",
    "override", "final", "suspend", "open", "export", "default", "virtual", "abstract", "sealed", "inline",
    "fileprivate", "mutating", "implicit", "synchronized",
];

/// What follows `it.` or `test.` in calls that declare tests.
#[rustfmt::skip]
const TEST_MODIFIERS: &[&str] = &[
    "skip", "only", "each", "for", "concurrent", "sequential", "serial", "parallel", "failing", "fails",
    "skipIf", "runIf", "fixme", "describe", "prop", "effect",
];

/// Never the name of a function.
#[rustfmt::skip]
const CONTROL: &[&str] = &[
    "if", "else", "for", "while", "switch", "catch", "return", "new", "do", "try", "synchronized", "using",
    "lock", "when", "match", "foreach", "with", "await", "throw", "in", "super", "this",
];

impl<'a> Reader<'a, '_> {
    /// The function declared at `start`.
    pub(super) fn function(&self, start: usize) -> Option<Declared<'a>> {
        let end = line_end(self.masked, start);
        let mut at = start;
        // `pub(crate) async unsafe`
        loop {
            let word = self.word(at);
            if !MODIFIERS.contains(&word) {
                break;
            }
            at += word.len();
            if self.masked[at..].starts_with('(') {
                at = closing(self.masked, at);
            }
            let next = &self.masked[at..end];
            at += next.len() - next.trim_start().len();
        }
        let keyword = self.style.functions.iter().find(|keyword| {
            self.masked[at..]
                .strip_prefix(**keyword)
                .is_some_and(|rest| rest.starts_with([' ', '(']))
        });
        let (name, from) = match keyword {
            Some(keyword) => self.name_after(at + keyword.len(), end)?,
            None if self.style.functions.contains(&"function") => {
                return self.arrow(start, at, end);
            }
            None if self.style.functions.is_empty() => self.bare_name(at, end)?,
            None => return None,
        };
        let after_name = from;
        let parameters = self.masked[from..]
            .find(|c: char| c != ' ')
            .map(|skip| from + skip)?;
        let after = match self.masked.as_bytes().get(parameters) {
            Some(b'(') => closing(self.masked, parameters),
            Some(b'<') => {
                let open = self.masked[parameters..].find('(')? + parameters;
                closing(self.masked, open)
            }
            _ => parameters,
        };
        let (from, to) = extent::body(self.masked, start, after, self.style.body)?;
        let is_title = self.text[..after_name].ends_with(['"', '\'']);
        Some(Declared {
            name,
            is_title,
            start,
            body: from..to,
        })
    }

    fn word(&self, at: usize) -> &'a str {
        let rest = &self.masked[at..];
        let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        &self.text[at..at + length]
    }

    /// The name after a keyword, and where it ends: `parse`, `(r *Reader) Parse`, `` `adds two` ``,
    /// `"adds two"`, `<T> parse`.
    fn name_after(&self, at: usize, end: usize) -> Option<(&'a str, usize)> {
        let mut at = at + self.masked[at..end].find(|c: char| c != ' ')?;
        if self.masked[at..].starts_with('(') {
            at = closing(self.masked, at);
        }
        if self.masked[at..].starts_with('<') {
            at += self.masked[at..end].find('>')? + 1;
        }
        at += self.masked[at..].find(|c: char| c != ' ')?;
        for quote in ['`', '"', '\''] {
            if let Some(inside) = self.text.get(at..)?.strip_prefix(quote) {
                let length = inside.find([quote, '\n'])?;
                return Some((&self.text[at + 1..at + 1 + length], at + length + 2));
            }
        }
        // Ruby and Scala names end in more than letters.
        let rest = &self.masked[at..];
        let length = rest
            .find(|c| !(is_word(c) || "?!.".contains(c)))
            .unwrap_or(rest.len());
        (length > 0).then(|| (&self.text[at..at + length], at + length))
    }

    /// `void parse() {`: a name before a parenthesis, in a language that has no keyword.
    fn bare_name(&self, at: usize, end: usize) -> Option<(&'a str, usize)> {
        let open = self.masked[at..end].find('(')?;
        let before = &self.masked[at..at + open];
        let from = at + before.rfind(|c| !is_word(c)).map_or(0, |last| last + 1);
        let name = &self.text[from..at + open];
        let is_type = |c: char| is_word(c) || " <>[],.?&*:~".contains(c);
        let first = self.word(at);
        (!name.is_empty()
            && before.chars().all(is_type)
            && !CONTROL.contains(&first)
            && !CONTROL.contains(&name))
        .then_some((name, at + open))
    }

    /// `const parse = (text) => {`.
    fn arrow(&self, start: usize, at: usize, end: usize) -> Option<Declared<'a>> {
        let rest = ["let ", "var "]
            .iter()
            .find_map(|word| self.masked[at..end].strip_prefix(word));
        let at = match rest {
            Some(rest) => end - rest.len(),
            None if at > start => at,
            None => return None,
        };
        let name = self.word(at);
        let line = &self.masked[at..end];
        let (_, value) = line.split_once('=')?;
        if name.is_empty() || !(value.contains("=>") || value.trim_start().starts_with("function"))
        {
            return None;
        }
        let value = end - value.len();
        let arrow = self.masked[value..end]
            .find("=>")
            .map_or(value, |arrow| value + arrow + 2);
        let to = match self.masked[arrow..end].find(['{', '(']) {
            Some(open) => closing(self.masked, arrow + open),
            None => end,
        };
        Some(Declared {
            name,
            is_title: false,
            start,
            body: arrow..to,
        })
    }

    /// The test or group of tests that a call at `start` declares.
    pub(super) fn call(&self, start: usize) -> Option<Call<'a>> {
        let mut at = start;
        for word in ["await ", "return ", "void ", "export "] {
            if self.masked[at..].starts_with(word) {
                at += word.len();
            }
        }
        let mut chain = vec![self.word(at)];
        at += chain[0].len();
        while self.masked[at..].starts_with('.') {
            let word = self.word(at + 1);
            at += 1 + word.len();
            chain.push(word);
        }
        if chain.len() > 1 && ["t", "Deno", "QUnit", "RSpec", "self"].contains(&chain[0]) {
            chain.remove(0);
        }
        let (base, modifiers) = chain.split_first()?;
        let (is_test, is_group) = self.declares(base);
        let letter = base
            .chars()
            .next()
            .filter(|letter| self.style.x_and_f && matches!(letter, 'x' | 'f'));
        let (letter, is_test, is_group) = match letter {
            Some(letter) if !is_test && !is_group => {
                let (is_test, is_group) = self.declares(&base[1..]);
                (Some(letter), is_test, is_group)
            }
            _ => (None, is_test, is_group),
        };
        if !(is_test || is_group) || !modifiers.iter().all(|word| TEST_MODIFIERS.contains(word)) {
            return None;
        }
        // `it.each([...])`, `` it.each`...` ``, `it.skipIf(x)`: a first call makes the function.
        if modifiers
            .last()
            .is_some_and(|word| matches!(*word, "each" | "for" | "skipIf" | "runIf" | "prop"))
        {
            at = match self.masked.as_bytes().get(at)? {
                b'(' => closing(self.masked, at),
                b'`' => at + 2 + self.masked[at + 1..].find('`')?,
                _ => return None,
            };
        }
        let has = |word: &str| modifiers.contains(&word);
        let (header, body) = self.call_extent(start, at)?;
        let (name, reason, is_skipped_by_argument) = self.arguments(&header)?;
        Some(Call {
            name,
            start,
            body,
            is_group: is_group || has("describe"),
            is_skipped: letter == Some('x')
                || has("skip")
                || has("fixme")
                || is_skipped_by_argument,
            is_focused: letter == Some('f') || has("only"),
            reason,
        })
    }

    fn declares(&self, name: &str) -> (bool, bool) {
        (
            self.style.test_calls.contains(&name),
            self.style.group_calls.contains(&name),
        )
    }

    /// Where the arguments before the body are, and where everything is.
    fn call_extent(&self, start: usize, at: usize) -> Option<(Range<usize>, Range<usize>)> {
        let end = line_end(self.masked, at);
        let rest = &self.masked[at..end];
        if self.style.body == Body::End {
            let opens = rest.trim_end();
            if let Some(brace) = rest
                .find('{')
                .filter(|_| !opens.ends_with("do") && !opens.ends_with('|'))
            {
                return Some((at..at + brace, at..closing(self.masked, at + brace)));
            }
            let header = ["do", "do |"].iter().find_map(|word| rest.rfind(word))?;
            let (_, to) = extent::body(self.masked, start, at + header, Body::End)?;
            return Some((at..at + header, at..to));
        }
        if !rest.starts_with('(') {
            return None;
        }
        let mut to = closing(self.masked, at);
        // `TEST(A, b) {`, `test("a") {`
        let after = self.masked[to..].trim_start();
        let block = self.masked.len() - after.len();
        if after.starts_with('{')
            && (self.style.body != Body::Braces || self.style.functions.is_empty())
        {
            to = closing(self.masked, block);
        }
        Some((at..line_end(self.masked, at).min(to), at..to))
    }

    /// The title, a reason for skipping, and whether an argument skips. `None`: no arguments of a test.
    fn arguments(&self, header: &Range<usize>) -> Option<(&'a str, Option<&'a str>, bool)> {
        let masked = &self.masked[header.clone()];
        let strings = self.strings(header);
        let inside = masked.trim_start_matches('(').trim_start();
        let is_string_first = inside.starts_with(['"', '\'', '`']);
        let name = match strings.first() {
            Some(title) if is_string_first => title,
            _ => {
                // `TEST(Suite, Case)`, `it(Type.name, ...)`
                let end = inside.find([')', '\n', '{']).unwrap_or(inside.len());
                let from = header.start + masked.len() - inside.len();
                self.text[from..from + end].trim()
            }
        };
        let argument = ["skip:", "pending:", ", :skip", ", :pending", "skip: true"]
            .iter()
            .any(|word| masked.contains(word));
        let is_test = self.style.body == Body::End
            || self.style.functions.is_empty()
            || masked.contains(',')
            || masked.trim_end().ends_with('(');
        is_test.then(|| (name, strings.get(1).copied().filter(|_| argument), argument))
    }

    /// The strings in a part of the text, without their quotes.
    pub(super) fn strings(&self, part: &Range<usize>) -> Vec<&'a str> {
        let mut strings = Vec::new();
        let mut at = part.start;
        while let Some(open) = self.masked[at..part.end].find(['"', '\'', '`']) {
            let from = at + open + 1;
            let quote = &self.masked[from - 1..from];
            let Some(length) = self.masked[from..part.end].find(quote) else {
                break;
            };
            if length > 0 {
                strings.push(self.text[from..from + length].trim_matches(['"', '\'']));
            }
            at = from + length + 1;
        }
        strings
    }

    /// Classes give their tests a name of their own; a module can be skipped as a whole.
    pub(super) fn class_or_module(&mut self, start: usize, indent: usize) {
        if let Some(rest) = self.masked[start..].strip_prefix("class ") {
            let name = self.word(self.masked.len() - rest.len());
            self.classes
                .push((indentation(self.masked, start).min(indent), name));
        }
        let line = &self.masked[start..line_end(self.masked, start)];
        if line.starts_with("pytestmark")
            && ["mark.skip(", "mark.skip]"]
                .iter()
                .any(|mark| line.contains(mark))
            || line.starts_with("pytestmark") && line.trim_end().ends_with("mark.skip")
        {
            self.mark(super::MarkKind::Skipped, start, "the whole file");
            self.skipped.push(start..self.masked.len());
        }
    }
}
