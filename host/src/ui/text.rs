//! Fitting text into columns: widths as a terminal counts them, styles counted as nothing.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthStr;

/// What stands for the part that was left out.
const ELLIPSIS: char = '…';

/// Which part of a text gives way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    Start,
    End,
}

/// Columns the text takes on a terminal. Escape sequences (styles) take none.
pub fn width(text: &str) -> usize {
    pieces(text)
        .map(|piece| match piece {
            Piece::Style(_) => 0,
            Piece::Text(text) => text.width(),
        })
        .sum()
}

/// "12 kB", as people count files.
pub fn bytes(size: u64) -> String {
    match size {
        0..1_000 => format!("{size} bytes"),
        1_000..1_000_000 => format!("{} kB", size / 1_000),
        _ => format!("{} MB", size / 1_000_000),
    }
}

/// The text in at most `columns`, the left-out part marked. Plain text only: no styles, no line
/// breaks.
pub fn shorten(text: &str, columns: usize, cut: Cut) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let Some(room) = columns.checked_sub(1) else {
        return String::new();
    };
    // A character's width can depend on the one before it, so whole pieces are measured.
    let mut boundaries = text.char_indices().map(|(index, _)| index);
    match cut {
        Cut::End => {
            let kept = boundaries.rfind(|index| text[..*index].width() <= room);
            let kept = &text[..kept.unwrap_or_default()];
            format!("{}{ELLIPSIS}", kept.trim_end())
        }
        Cut::Start => {
            let kept = boundaries.find(|index| text[*index..].width() <= room);
            let kept = &text[kept.unwrap_or(text.len())..];
            format!("{ELLIPSIS}{}", kept.trim_start())
        }
    }
}

/// `label` and the text behind it, broken at spaces so that no line is wider than `columns`; lines
/// after the first are indented by the label's width. Line breaks stay. Only a word that is wider
/// than a line is broken anywhere else.
pub fn wrap(label: &str, text: &str, columns: usize) -> String {
    let indent = " ".repeat(width(label));
    let room = columns.saturating_sub(indent.len()).max(10);
    let mut wrapped = label.to_owned();
    for (index, line) in text
        .split('\n')
        .flat_map(|line| wrap_line(line, room))
        .enumerate()
    {
        if index > 0 {
            wrapped.push('\n');
            wrapped.push_str(&indent);
        }
        wrapped.push_str(&line);
    }
    wrapped
}

/// One line as lines of at most `room` columns. Continuations keep the line's own indentation, and in
/// an item of a list stand below its text.
pub fn wrap_line(line: &str, room: usize) -> Vec<String> {
    if width(line) <= room {
        return vec![line.to_owned()];
    }
    let own_indent: String = line
        .chars()
        .take_while(|c| *c == ' ')
        .take(room / 2)
        .collect();
    let hanging = match own_indent.len() + list_mark(&line[own_indent.len()..]) {
        columns if columns <= room / 2 => " ".repeat(columns),
        _ => own_indent.clone(),
    };
    let mut lines = Vec::new();
    let mut current = own_indent.clone();
    for word in line[own_indent.len()..].split_inclusive(' ') {
        // The space behind a word may hang over the edge, where it is dropped.
        let bare = word.trim_end_matches(' ');
        let with_word = |current: &str| width(&format!("{current}{bare}"));
        let empty = if lines.is_empty() {
            own_indent.len()
        } else {
            hanging.len()
        };
        if with_word(&current) > room && current.len() > empty {
            lines.push(std::mem::replace(&mut current, hanging.clone()));
        }
        let mut rest = word;
        while with_word(&hanging) > room && width(rest) > room - hanging.len() {
            let (piece, after) = rest.split_at(prefix(rest, room - hanging.len()));
            current.push_str(piece);
            lines.push(std::mem::replace(&mut current, hanging.clone()));
            rest = after;
        }
        current.push_str(rest);
    }
    lines.push(current);
    for line in &mut lines {
        line.truncate(line.trim_end_matches(' ').len());
    }
    lines
}

/// Columns of `- `, `* ` or `12. ` at the start of a line.
fn list_mark(line: &str) -> usize {
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let rest = &line[digits..];
    match digits {
        0 if rest.starts_with("- ") || rest.starts_with("* ") => 2,
        1..=3 if rest.starts_with(". ") => digits + 2,
        _ => 0,
    }
}

/// Length in bytes of the longest start of `text` that fits; at least one character.
fn prefix(text: &str, room: usize) -> usize {
    let mut end = 0;
    for piece in pieces(text) {
        let piece = match piece {
            Piece::Style(style) => {
                end += style.len();
                continue;
            }
            Piece::Text(piece) => piece,
        };
        let start = end;
        for c in piece.chars() {
            let after = end + c.len_utf8();
            if end > 0 && width(&text[..start]) + text[start..after].width() > room {
                return end;
            }
            end = after;
        }
    }
    end
}

enum Piece<'a> {
    Text(&'a str),
    Style(&'a str),
}

/// Splits our own styles (`ESC [ … m`) from the text between them.
fn pieces(text: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (piece, after, style) = match rest.find("\x1b[") {
            Some(0) => {
                let end = rest.find('m').map_or(rest.len(), |end| end + 1);
                (&rest[..end], &rest[end..], true)
            }
            Some(start) => (&rest[..start], &rest[start..], false),
            None => (rest, "", false),
        };
        rest = after;
        Some(if style {
            Piece::Style(piece)
        } else {
            Piece::Text(piece)
        })
    })
}

/// A JSON document in which no character acts on a terminal or hides: those that JSON lets stand in
/// its strings (C1 controls, invisible ones) become `\\u....`, which means the same.
pub fn escaped_json(document: &str) -> String {
    let mut escaped = String::with_capacity(document.len());
    for c in document.chars() {
        if c != '\n' && (c.is_control() || crate::names::is_invisible(c)) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(escaped, "\\u{unit:04x}");
            }
        } else {
            escaped.push(c);
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ui::style;

    #[test]
    fn shortened() {
        assert_eq!(shorten("myorg/myrepo", 12, Cut::End), "myorg/myrepo");
        assert_eq!(shorten("myorg/myrepo", 8, Cut::End), "myorg/m…");
        assert_eq!(shorten("myorg/myrepo", 8, Cut::Start), "…/myrepo");
        assert_eq!(shorten("日本語", 4, Cut::End), "日…");
        assert_eq!(shorten("日本語", 4, Cut::Start), "…語");
        assert_eq!(shorten("abc", 1, Cut::End), "…");
        assert_eq!(shorten("abc", 0, Cut::End), "");
    }

    #[test]
    fn wrapped() {
        let label = style::paint(style::ERROR, "error:") + " ";
        assert_eq!(
            anstream::adapter::strip_str(&wrap(&label, "one two three four\nfive", 20)).to_string(),
            "error: one two three\n       four\n       five"
        );
        assert_eq!(
            wrap("", "  - indented words that go on", 14),
            "  - indented\n    words that\n    go on"
        );
        assert_eq!(
            wrap("", "12. to be listed and so on", 16),
            "12. to be listed\n    and so on"
        );
        assert_eq!(
            wrap("", "1234. no list and so on", 14),
            "1234. no list\nand so on"
        );
        assert_eq!(
            wrap("", "aaaaaaaaaaaaaaaaaaaaaaaa b", 10),
            "aaaaaaaaaa\naaaaaaaaaa\naaaa b"
        );
        assert_eq!(wrap("", "a  b\n\nc", 40), "a  b\n\nc");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn nothing_is_too_wide_and_nothing_is_lost(text in "([a-z日\u{301} \n]|\\PC){0,80}", columns in 10_usize..40) {
            let wrapped = wrap("", &text, columns);
            for line in wrapped.lines() {
                prop_assert!(width(line) <= columns, "{:?}", line);
            }
            let letters = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            prop_assert_eq!(letters(&wrapped), letters(&text));
        }

        #[test]
        fn shortened_fits(text in "\\PC{0,40}", columns in 0_usize..30) {
            for cut in [Cut::Start, Cut::End] {
                prop_assert!(width(&shorten(&text, columns, cut)) <= columns);
            }
        }
    }
}
