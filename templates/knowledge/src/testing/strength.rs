//! Whether a test can fail: by what it calls, and by what the functions it calls do.

use std::collections::HashSet;

use super::extent::is_word;
use super::read::{Function, Test};
use super::style::{CHECKS, CONSTANTS, Style};

/// Names of tests that are about not failing: they need no assertion.
const SMOKE: &[&str] = &[
    "smoke",
    "compiles",
    "contextloads",
    "notpanic",
    "notthrow",
    "notcrash",
    "notraise",
    "notfail",
    "nothang",
    "withoutcrash",
    "withoutthrow",
    "withoutpanic",
    "withouterror",
    "withoutraising",
    "nopanic",
    "nothrow",
    "nocrash",
    "noerror",
    "neverpanic",
    "doesntpanic",
    "doesntthrow",
    "doesntcrash",
    "doesntraise",
    "issend",
    "issync",
    "sendsync",
    "deadlock",
    "norace",
    "overflow",
];

/// Whether the test's name says that it is only about getting through.
pub fn is_smoke_test(name: &str) -> bool {
    let name: String = name
        .chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect();
    SMOKE.iter().any(|word| name.contains(word))
}

/// What a piece of masked code checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Strength {
    /// Calls and statements that can fail.
    pub(super) checks: usize,
    /// Assertions that cannot: their argument is a constant.
    pub(super) constants: usize,
}

pub(super) fn of(body: &str, style: &Style) -> Strength {
    let mut strength = Strength::default();
    for line in body.lines() {
        for statement in line.split_inclusive([';', '{', '}']) {
            if CONSTANTS.contains(&statement.trim_matches([' ', '\t', ';', '{', '}'])) {
                strength.constants += 1;
            } else {
                strength.checks += called(statement)
                    .filter(|(name, ..)| is_check(name, style))
                    .count();
                strength.checks += usize::from(
                    style
                        .check_code
                        .iter()
                        .any(|piece| has_piece(statement, piece)),
                );
            }
        }
    }
    strength
}

/// Whether a line contains a piece of code, not as the end of a longer name.
pub(super) fn has_piece(line: &str, piece: &str) -> bool {
    pieces(line, piece).next().is_some()
}

/// Where a piece of code stands, not as the end of a longer name.
pub(super) fn pieces<'a>(text: &'a str, piece: &'a str) -> impl Iterator<Item = usize> + 'a {
    text.match_indices(piece)
        .map(|(at, _)| at)
        .filter(move |&at| {
            let before = text[..at].chars().next_back();
            !piece.starts_with(is_word) || before.is_none_or(|c| !is_word(c) && c != '$')
        })
}

/// Whether one of the words of a name is a check: `assert_eq`, `assertEquals`, `toMatchSnapshot`.
fn is_check(name: &str, style: &Style) -> bool {
    let mut start = 0;
    let bytes = name.as_bytes();
    (1..=bytes.len()).any(|end| {
        let ends = bytes.get(end).is_none_or(|byte| {
            *byte == b'_' || (byte.is_ascii_uppercase() && !bytes[end - 1].is_ascii_uppercase())
        });
        if !ends {
            return false;
        }
        let word = name.get(start..end).unwrap_or_default();
        let word = word.trim_start_matches('_');
        start = end;
        let is_it = |check: &&str| check.eq_ignore_ascii_case(word);
        CHECKS.iter().any(is_it) || style.checks.iter().any(is_it)
    })
}

/// Statements that can fail.
const KEYWORDS: &[&str] = &["assert", "raise", "throw", "raises", "throws", "refute"];

/// Names in a line that are called, looked into (`expect.soft`) or keywords that check (`assert x`,
/// `raise`), with where they are.
pub(super) fn called(line: &str) -> impl Iterator<Item = (&str, usize)> {
    // Bytes of characters outside of ASCII count as letters: a name never ends inside of one.
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80;
    let bytes = line.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let from = at + bytes[at..].iter().position(|byte| is_letter(*byte))?;
            let length = bytes[from..].iter().position(|byte| !is_letter(*byte));
            at = length.map_or(bytes.len(), |length| from + length);
            let name = &line[from..at];
            let is_number = bytes[from].is_ascii_digit();
            if !is_number && (is_followed_by_call(line, from, at) || KEYWORDS.contains(&name)) {
                return Some((name, from));
            }
        }
    })
}

fn is_followed_by_call(line: &str, from: usize, to: usize) -> bool {
    let after = line[to..].trim_start_matches(['!', '?']).trim_start();
    // `f(`, `f!(`, `f.g`, `f::<T>(`
    if after.starts_with("::<") {
        return true;
    }
    if after.starts_with(['(', '.', '<', '{', '[']) {
        return !line[to..].starts_with("!=");
    }
    // `assert_equal 1, a`, `a.should == b`: the parentheses may be left out.
    let before = line[..from].trim_start();
    (before.is_empty() || before.ends_with('.'))
        && line[to..].starts_with(' ')
        && (after.starts_with(|c: char| is_word(c) || "\"':@%-".contains(c))
            || after.starts_with("=="))
}

/// Names of functions that check something, directly or through each other, over many files.
#[derive(Debug, Default)]
pub struct Helpers<'a>(HashSet<&'a str>);

impl<'a> Helpers<'a> {
    pub fn among(functions: impl IntoIterator<Item = &'a Function<'a>>) -> Self {
        let (mut checking, mut others): (Vec<&Function>, Vec<&Function>) =
            functions.into_iter().partition(|function| function.checks);
        let mut names = HashSet::new();
        // Each round finds the callers of what the round before found.
        while !checking.is_empty() {
            names.extend(checking.iter().map(|function| function.name));
            (checking, others) = others
                .into_iter()
                .partition(|function| function.calls.iter().any(|call| names.contains(call)));
        }
        Self(names)
    }

    /// Whether running the test can show anything but a crash.
    pub fn can_fail(&self, test: &Test) -> bool {
        test.checks > 0 || test.calls.iter().any(|call| self.0.contains(call))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::style;

    fn strength(language: &str, body: &str) -> (usize, usize) {
        let strength = of(body, style::of_language(language).unwrap());
        (strength.checks, strength.constants)
    }

    #[test]
    fn what_can_fail() {
        for (language, body) in [
            ("Rust", "assert_eq!(a, b);"),
            ("Rust", "parse(x)?;"),
            ("Rust", "x.unwrap();"),
            ("Rust", "insta::assert_snapshot!(x);"),
            ("Python", "assert x"),
            ("Python", "with pytest.raises(KeyError):"),
            ("Python", "self.assertEqual(a, b)"),
            ("Python", "mock.assert_called_once_with(1)"),
            ("TypeScript", "expect(a).toBe(b)"),
            ("TypeScript", "await screen.findByText('x')"),
            ("Go", "t.Errorf(\"x\")"),
            ("Go", "helper(t, a)"),
            ("Java", "mockMvc.perform(x).andExpect(y)"),
            ("Ruby", "expect { a }.to raise_error"),
            ("Rust", "assert_send::<A>();"),
            ("Ruby", "a.should == b"),
            ("C++", "EXPECT_EQ(a, b);"),
        ] {
            assert!(strength(language, body).0 > 0, "{language}: {body}");
        }
    }

    #[test]
    fn what_cannot() {
        for (language, body) in [
            ("Rust", "let expected = 5; let assertion = f();"),
            ("Python", "client.get(url)\nexpected = 5"),
            ("TypeScript", "const store = createStore(); store.set(1);"),
            ("Go", "t.Run(name, func(t *testing.T) { f() })"),
            ("Go", "for _, tt := range tests {\n f(tt.in)\n}"),
            ("Java", "service.start();"),
        ] {
            assert_eq!(strength(language, body), (0, 0), "{language}: {body}");
        }
        assert_eq!(strength("Rust", "  assert!(true);"), (0, 1));
        assert_eq!(strength("Python", "f()\n    assert True"), (0, 1));
    }

    #[test]
    fn names_that_promise_little() {
        assert!(is_smoke_test("does_not_panic_on_empty"));
        assert!(is_smoke_test("renders without crashing"));
        assert!(!is_smoke_test("adds two numbers"));
    }
}
