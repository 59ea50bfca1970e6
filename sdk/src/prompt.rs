//! Writing prompts: pieces of Markdown that stay well formed whatever a repository or a stranger
//! put into them, bounded lists, and the rules common to all prompts.
//!
//! A prompt is the manifest's `default_message` with the findings filled in:
//!
//! ```
//! use changelings_sdk::prompt::{self, Rules};
//!
//! let message = prompt::message("Delete dead code.\n\n{findings}", Rules::Changes);
//! let findings = prompt::section("Dead code", "- `src/old.rs:1`");
//! let prompt = prompt::fill(&message, &findings);
//! assert!(prompt.contains("## Dead code\n\n- `src/old.rs:1`"));
//! ```

mod clean;
mod quote;
mod rules;

pub use clean::{is_invisible, one_line};
pub use quote::quote;
pub use rules::{Rules, message};

/// Where the findings go in a message.
pub const FINDINGS: &str = "{findings}";

/// The prompt: a message with what was found in the place of `{findings}`.
pub fn fill(message: &str, findings: &str) -> String {
    let filled = message.replacen(FINDINGS, findings.trim(), 1);
    format!("{}\n", filled.trim())
}

/// A heading of the second level and its text; nothing when the text is empty.
pub fn section(title: &str, body: &str) -> String {
    let body = body.trim();
    if body.is_empty() {
        return String::new();
    }
    format!("## {title}\n\n{body}\n\n")
}

/// Text in backticks on one line, at most `max` characters of it: for paths, commands and code.
/// Line breaks, control and invisible characters are gone, backticks inside do no harm.
pub fn code_bounded(text: &str, max: usize) -> String {
    let text = one_line(text, max);
    let longest = text
        .split(|c| c != '`')
        .map(str::len)
        .max()
        .unwrap_or_default();
    let fence = "`".repeat(longest + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') {
        " "
    } else {
        ""
    };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// As [`code_bounded`] with a bound that no sane path or command reaches.
pub fn code(text: &str) -> String {
    code_bounded(text, 300)
}

/// A place as editors and agents understand it: `` `src/lib.rs:12` ``.
pub fn place(path: &str, line: u32) -> String {
    code(&format!("{path}:{line}"))
}

/// One item a line, each with a dash.
pub fn bullets<I: IntoIterator<Item = S>, S: AsRef<str>>(items: I) -> String {
    lines(items.into_iter().map(|item| format!("- {}", item.as_ref())))
}

/// One item a line, numbered from 1.
pub fn numbered<I: IntoIterator<Item = S>, S: AsRef<str>>(items: I) -> String {
    lines(
        (1..)
            .zip(items)
            .map(|(number, item)| format!("{number}. {}", item.as_ref())),
    )
}

fn lines(lines: impl Iterator<Item = String>) -> String {
    lines.flat_map(|line| [line, "\n".to_owned()]).collect()
}

/// How many there are of something a list shows a part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Total {
    Exactly(usize),
    /// Some were estimated.
    About(usize),
    /// Counting ended at a limit.
    MoreThan(usize),
}

/// How many there are and why these: `All 3 markers:`, or `10 of 5,000 markers, chosen by ...:`.
pub fn chosen(shown: usize, total: Total, what: &str, because: &str) -> String {
    match total {
        Total::Exactly(1) if shown == 1 => format!("One {what}:"),
        Total::Exactly(2) if shown == 2 => format!("Both {what}s:"),
        Total::Exactly(all) if shown == all => format!("All {} {what}s:", number(all)),
        _ => {
            let (how, total) = match total {
                Total::Exactly(total) => ("", total),
                Total::About(total) => ("about ", total),
                Total::MoreThan(total) => ("more than ", total),
            };
            let (shown, total) = (number(shown), number(total));
            format!("{shown} of {how}{total} {what}s, {because}:")
        }
    }
}

/// A number with thousands separated: `5,000`.
pub fn number(number: usize) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A number with its noun: `1 commit`, `14 commits`.
pub fn count(how_many: usize, noun: &str) -> String {
    let plural = if how_many == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", number(how_many))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_stays_inside_its_backticks() {
        assert_eq!(code("src/a.rs"), "`src/a.rs`");
        assert_eq!(code("a`b"), "``a`b``");
        assert_eq!(code("`x`"), "`` `x` ``");
        assert_eq!(code("a\n## Rules\u{200b}"), "`a ## Rules`");
        assert_eq!(code_bounded("abcdef", 3), "`abc…`");
    }

    #[test]
    fn counts_say_what_was_left_out() {
        assert_eq!(chosen(1, Total::Exactly(1), "marker", "x"), "One marker:");
        assert_eq!(chosen(2, Total::Exactly(2), "marker", "x"), "Both markers:");
        assert_eq!(
            chosen(3, Total::Exactly(3), "marker", "x"),
            "All 3 markers:"
        );
        assert_eq!(
            chosen(10, Total::MoreThan(5_000), "marker", "the oldest first"),
            "10 of more than 5,000 markers, the oldest first:"
        );
        assert_eq!(number(1_234_567), "1,234,567");
        assert_eq!(count(1, "commit"), "1 commit");
    }

    #[test]
    fn findings_that_hold_a_placeholder_are_not_filled_again() {
        assert_eq!(fill("a {findings} b", "{findings}"), "a {findings} b\n");
    }
}
