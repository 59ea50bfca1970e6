//! Taking out what a reader cannot see.

/// Characters that a reader cannot see or that reorder what he sees: zero-width, bidirectional
/// controls, tags, variation selectors, fillers, soft hyphen, byte order mark.
pub fn is_invisible(c: char) -> bool {
    matches!(
        u32::from(c),
        0x00AD | 0x034F | 0x061C | 0x115F | 0x1160 | 0x17B4 | 0x17B5 | 0x180B..=0x180F
            | 0x200B..=0x200F | 0x2028..=0x202E | 0x2060..=0x206F | 0x3164 | 0xFE00..=0xFE0F
            | 0xFEFF | 0xFFA0 | 0xFFF9..=0xFFFB | 0x1BCA0..=0x1BCA3 | 0x1D173..=0x1D17A
            | 0xE0000..=0xE0FFF
    )
}

/// Text on one line: white space runs become one space, control and invisible characters go, and
/// what is longer than `max` characters is cut with an ellipsis.
pub fn one_line(text: &str, max: usize) -> String {
    let mut line = String::new();
    for c in text.chars().filter(|&c| !is_invisible(c)) {
        if c.is_whitespace() {
            if !line.is_empty() && !line.ends_with(' ') {
                line.push(' ');
            }
        } else if !c.is_control() {
            line.push(c);
        }
    }
    let line = line.trim_end();
    match line.char_indices().nth(max) {
        Some((end, _)) => format!("{}…", line[..end].trim_end()),
        None => line.to_owned(),
    }
}

/// Text of several lines: `\n` between lines, control and invisible characters gone, at most one
/// empty line in a row.
pub(super) fn lines(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let visible: String = text
        .chars()
        .filter(|&c| matches!(c, '\n' | '\t') || !(c.is_control() || is_invisible(c)))
        .collect();
    let mut kept: Vec<&str> = Vec::new();
    for line in visible.lines().map(str::trim_end) {
        if !(line.is_empty() && kept.last().is_none_or(|last| last.is_empty())) {
            kept.push(line);
        }
    }
    kept.join("\n").trim_end().to_owned()
}

/// Without HTML comments, also those that appear once others are taken out; one that is never
/// closed reaches to the end.
pub(super) fn without_html_comments(text: &str) -> String {
    let mut text = text.to_owned();
    while let Some(start) = text.find("<!--") {
        match text[start..].find("-->") {
            Some(length) => text.replace_range(start..start + length + 3, ""),
            None => text.truncate(start),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_go_however_they_are_nested() {
        assert_eq!(without_html_comments("a<!-- b -->c"), "ac");
        assert_eq!(without_html_comments("a<!-<!-- x -->- b -->c"), "ac");
        assert_eq!(without_html_comments("a<!-- never closed"), "a");
    }

    #[test]
    fn lines_lose_what_cannot_be_seen() {
        assert_eq!(
            lines("a\u{200b}b\r\n\r\n\r\n\u{1b}[31mc  \n"),
            "ab\n\n[31mc"
        );
        assert_eq!(one_line("  a \n\t b\u{202e} ", 10), "a b");
    }
}
