//! Headings, names with values, quoted text and patches, as text with styles.

use std::fmt::Display;

use super::style::{self, paint};
use super::text::{width, wrap, wrap_line};
use crate::names::printable_lines;

/// Stands left of every quoted line: what comes behind it was written by somebody else.
const BAR: &str = "│ ";

/// Tabs have no width of their own; a terminal's stops do not know about our indentation.
const TAB: &str = "    ";

pub fn heading(title: impl Display) -> String {
    paint(style::HEADING, title)
}

/// The title of one of the few large parts of a long answer, found again when scrolling back.
pub fn chapter(title: impl Display, columns: Option<usize>) -> String {
    let title = format!("━━ {title} ");
    let room = columns.unwrap_or(80).min(100);
    let rest = "━".repeat(room.saturating_sub(width(&title)));
    paint(style::HEADING, format!("{title}{rest}"))
}

/// Names in one column, values beside them; long values are wrapped in theirs.
pub fn pairs<K: AsRef<str>, V: AsRef<str>>(pairs: &[(K, V)], columns: Option<usize>) -> String {
    let longest = pairs
        .iter()
        .map(|(name, _)| width(name.as_ref()))
        .max()
        .unwrap_or(0);
    let lines: Vec<String> = pairs
        .iter()
        .map(|(name, value)| {
            let (name, value) = (name.as_ref(), value.as_ref());
            let padding = " ".repeat(longest - width(name));
            let label = format!("  {}{padding}  ", paint(style::FAINT, name));
            wrap(&label, value, columns.unwrap_or(usize::MAX))
        })
        .collect();
    lines.join("\n")
}

/// Text of several lines from outside: made printable, wrapped, with a bar at its left.
pub fn quote(text: &str, columns: Option<usize>) -> String {
    barred(text, columns, |_| None)
}

/// A patch: added, removed and position lines in their usual colours.
pub fn diff(patch: &str, columns: Option<usize>) -> String {
    barred(patch, columns, |line| {
        Some(match line.as_bytes() {
            [b'+', b'+', b'+', ..] | [b'-', b'-', b'-', ..] => style::HEADING,
            [b'+', ..] => style::GOOD,
            [b'-', ..] => style::BAD,
            [b'@', b'@', ..] => style::NAME,
            _ if line.starts_with("diff --git ") => style::HEADING,
            _ => return None,
        })
    })
}

fn barred(
    text: &str,
    columns: Option<usize>,
    style_of: impl Fn(&str) -> Option<anstyle::Style>,
) -> String {
    let bar = format!("  {}", paint(style::FAINT, BAR));
    let room = columns.map_or(usize::MAX, |columns| {
        columns.saturating_sub(width(&bar)).max(10)
    });
    let text = printable_lines(text).replace('\t', TAB);
    let lines: Vec<String> = text
        .trim_end_matches('\n')
        .split('\n')
        .flat_map(|line| {
            let style = style_of(line);
            let bar = &bar;
            wrap_line(line, room)
                .into_iter()
                .map(move |piece| match style {
                    _ if piece.is_empty() => bar.replace(BAR, BAR.trim_end()),
                    Some(style) => format!("{bar}{}", paint(style, piece)),
                    None => format!("{bar}{piece}"),
                })
        })
        .collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> String {
        anstream::adapter::strip_str(text).to_string()
    }

    #[test]
    fn blocks() {
        let repo = "https://github.com/myorg/a-repository-with-a-rather-long-name (origin)";
        let shown = [
            pairs(&[("template", "fixme-fairy"), ("repo", repo)], Some(50)),
            quote("# Task\n\nFix the \x1b[31mmarkers\r that are listed below, oldest first.\n\n\tsrc/a.py:3\n", Some(40)),
            diff("diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-old\n+new\n same\n", Some(40)),
        ]
        .map(|text| plain(&text))
        .join("\n\n");
        insta::assert_snapshot!(shown);
    }

    #[test]
    fn patches_are_coloured() {
        let shown = diff("+new\n-old", None);
        assert!(shown.contains("\x1b[32m+new\x1b[0m"), "{shown:?}");
        assert!(shown.contains("\x1b[31m-old\x1b[0m"), "{shown:?}");
    }
}
