//! Somebody else's Markdown made harmless inside ours: it calls nobody, loads nothing, hides nothing,
//! and ends where it should.

use crate::names::is_invisible;

/// Put between two characters that must not be read together. Invisible, so that the text reads as
/// it was written; inside code it does no harm but to whoever copies it.
const BREAK: char = '\u{200b}';

/// Tags GitHub renders. Others (`Vec<T>`) are left: it drops or shows them.
const TAGS: &[&str] = &[
    "a",
    "audio",
    "b",
    "blockquote",
    "br",
    "center",
    "code",
    "dd",
    "del",
    "details",
    "div",
    "dl",
    "dt",
    "em",
    "font",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "iframe",
    "img",
    "input",
    "ins",
    "kbd",
    "li",
    "link",
    "math",
    "meta",
    "object",
    "ol",
    "p",
    "picture",
    "pre",
    "q",
    "s",
    "script",
    "source",
    "span",
    "strike",
    "strong",
    "style",
    "sub",
    "summary",
    "sup",
    "svg",
    "table",
    "tbody",
    "td",
    "template",
    "textarea",
    "tfoot",
    "th",
    "thead",
    "title",
    "tr",
    "tt",
    "ul",
    "var",
    "video",
];

/// At most `longest` characters of the text, made harmless. An open code block is closed.
pub(super) fn text(text: &str, longest: usize) -> String {
    let text = cut(text, longest);
    let mut clean = String::with_capacity(text.len());
    let mut fence: Option<Fence> = None;
    for line in text.lines() {
        let line: String = line
            .chars()
            .filter(|c| *c == '\t' || !(c.is_control() || is_invisible(*c)))
            .collect();
        if let Some(open) = fence {
            clean.push_str(&line);
            fence = (!open.is_closed_by(&line)).then_some(open);
        } else {
            fence = Fence::opened_by(&line);
            if fence.is_some() {
                clean.push_str(&line);
            } else {
                push_neutral(&mut clean, &line);
            }
        }
        clean.push('\n');
    }
    if let Some(open) = fence {
        clean.push_str(&open.closing());
    }
    clean.trim_matches('\n').trim_end().to_owned()
}

fn cut(text: &str, longest: usize) -> String {
    let mut head: String = text.chars().take(longest).collect();
    if head.len() < text.len() {
        head.push_str("\n\n");
        // What follows must not be part of a code block that was cut open.
        if let Some(open) = open_fence(&head) {
            head.push_str(&open.closing());
            head.push('\n');
        }
        head.push_str("(cut here)");
    }
    head
}

/// The code block this text ends in.
fn open_fence(text: &str) -> Option<Fence> {
    text.lines()
        .fold(None, |fence: Option<Fence>, line| match fence {
            Some(open) if open.is_closed_by(line) => None,
            Some(open) => Some(open),
            None => Fence::opened_by(line),
        })
}

fn push_neutral(clean: &mut String, line: &str) {
    let mut previous = ' ';
    for (at, c) in line.char_indices() {
        let rest = &line[at + c.len_utf8()..];
        clean.push(c);
        let calls =
            c == '@' && !is_word(previous) && rest.starts_with(|c: char| c.is_ascii_alphanumeric());
        let loads = c == '!' && rest.starts_with('[');
        if calls || loads || (c == '<' && is_markup(rest)) {
            clean.push(BREAK);
        }
        previous = c;
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn is_markup(rest: &str) -> bool {
    let name = rest.strip_prefix('/').unwrap_or(rest);
    if name.starts_with(['!', '?']) {
        return true;
    }
    let end = name
        .find(|c: char| !c.is_ascii_alphanumeric())
        .unwrap_or(name.len());
    let name = name[..end].to_ascii_lowercase();
    TAGS.contains(&name.as_str())
}

/// A code block between lines of backticks or tildes, by the rules of `CommonMark`. What is less than
/// certain (in a list, in a quotation) counts as ordinary text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fence {
    mark: char,
    length: usize,
}

impl Fence {
    pub(super) fn opened_by(line: &str) -> Option<Self> {
        let (mark, length, info) = Self::marks(line)?;
        let opens = length >= 3 && !(mark == '`' && info.contains('`'));
        opens.then_some(Self { mark, length })
    }

    pub(super) fn is_closed_by(self, line: &str) -> bool {
        Self::marks(line).is_some_and(|(mark, length, rest)| {
            mark == self.mark && length >= self.length && rest.trim_matches([' ', '\t']).is_empty()
        })
    }

    /// The line that ends it.
    fn closing(self) -> String {
        std::iter::repeat_n(self.mark, self.length).collect()
    }

    fn marks(line: &str) -> Option<(char, usize, &str)> {
        let inner = line.trim_start_matches(' ');
        if line.len() - inner.len() > 3 {
            return None;
        }
        let mark = inner.chars().next().filter(|c| matches!(c, '`' | '~'))?;
        let rest = inner.trim_start_matches(mark);
        Some((mark, inner.len() - rest.len(), rest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(input: &str) -> String {
        text(input, 1_000).replace(BREAK, "·")
    }

    #[test]
    fn nobody_is_called_and_nothing_is_loaded_or_hidden() {
        for (input, expected) in [
            (
                "ask @team, (@a/b) or me@x.org",
                "ask @·team, (@·a/b) or me@x.org",
            ),
            ("![x](http://e/?s)", "!·[x](http://e/?s)"),
            ("a <!-- hidden --> b", "a <·!-- hidden --> b"),
            (
                "<IMG src=x><details></details>",
                "<·IMG src=x><·details><·/details>",
            ),
            ("Vec<T> and 1 < 2 and a<b>c", "Vec<T> and 1 < 2 and a<·b>c"),
            ("a\u{200b}\u{202e}\u{1b}[2Jb\r\nc", "a[2Jb\nc"),
            ("\\`@team\\`", "\\`@·team\\`"),
        ] {
            assert_eq!(shown(input), expected);
        }
    }

    #[test]
    fn code_blocks_stay_as_they_are() {
        assert_eq!(
            shown("```rust\n@Override <img>\n```\n@x"),
            "```rust\n@Override <img>\n```\n@·x"
        );
        assert_eq!(shown("~~~~\n@a\n~~~\n```"), "~~~~\n@a\n~~~\n```\n~~~~");
        // Only looks like one.
        assert_eq!(shown("    ```\n@a"), "    ```\n@·a");
        assert_eq!(shown("``` a`b\n@a"), "``` a`b\n@·a");
        assert_eq!(shown("> ```\n@a"), "> ```\n@·a");
    }

    #[test]
    fn long_text_is_cut_outside_code() {
        assert_eq!(text("abcdef", 3), "abc\n\n(cut here)");
        assert_eq!(text("```\nabcdef\n```", 6), "```\nab\n\n```\n(cut here)");
    }
}
