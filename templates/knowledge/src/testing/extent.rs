//! How far things reach in a masked text (see [`super::mask`]): brackets, bodies, lines.

use super::style::Body;

/// After the bracket that closes the one at `open`; the end of the text when none does.
pub(super) fn closing(masked: &str, open: usize) -> usize {
    let bytes = masked.as_bytes();
    let (opens, closes) = match bytes.get(open) {
        Some(b'(') => (b'(', b')'),
        Some(b'[') => (b'[', b']'),
        Some(b'{') => (b'{', b'}'),
        _ => return open,
    };
    let mut depth = 0_usize;
    for (at, byte) in bytes.iter().enumerate().skip(open) {
        if *byte == opens {
            depth += 1;
        } else if *byte == closes {
            depth -= 1;
            if depth == 0 {
                return at + 1;
            }
        }
    }
    masked.len()
}

/// The end of the line that `at` is on, before its line break.
pub(super) fn line_end(text: &str, at: usize) -> usize {
    text[at..]
        .find('\n')
        .map_or(text.len(), |length| at + length)
}

/// White space before the first character of the line that `at` is on.
pub(super) fn indentation(text: &str, at: usize) -> usize {
    let start = text[..at].rfind('\n').map_or(0, |end| end + 1);
    let line = &text[start..line_end(text, start)];
    line.len() - line.trim_start().len()
}

/// The body of a function whose parameters end before `from` and whose declaration starts at
/// `start`: from where to where. `None`: it has none.
pub(super) fn body(masked: &str, start: usize, from: usize, kind: Body) -> Option<(usize, usize)> {
    match kind {
        Body::Braces | Body::BracesOrExpression => {
            in_braces(masked, from, kind == Body::BracesOrExpression)
        }
        Body::Indentation => {
            let colon = from + top_level(&masked[from..], |byte| byte == b':')?;
            Some((colon + 1, indented(masked, start, colon + 1)))
        }
        Body::End => {
            let first = line_end(masked, from);
            let is_one_line =
                masked[from..first].contains(" do:") || masked[from..first].contains(',');
            let is_one_line = is_one_line && !masked[..first].trim_end().ends_with("do");
            Some((
                from,
                if is_one_line {
                    first
                } else {
                    until_end(masked, start, first)
                },
            ))
        }
    }
}

fn in_braces(masked: &str, from: usize, or_expression: bool) -> Option<(usize, usize)> {
    let stop = top_level(&masked[from..], |byte| {
        byte == b'{' || byte == b';' || (or_expression && byte == b'=')
    })?;
    let at = from + stop;
    match masked.as_bytes()[at] {
        b'{' => Some((at, closing(masked, at))),
        b'=' => {
            // A block on the same line belongs to the expression; else the line is all of it.
            let end = line_end(masked, at);
            let open = masked[at..end].find(['{', '(']);
            let end = open.map_or(end, |open| line_end(masked, closing(masked, at + open)));
            Some((at, end))
        }
        _ => None,
    }
}

/// Where the first byte outside of round and square brackets is that satisfies the condition.
fn top_level(masked: &str, is_it: impl Fn(u8) -> bool) -> Option<usize> {
    let mut depth = 0_i32;
    for (at, byte) in masked.bytes().enumerate() {
        match byte {
            _ if depth == 0 && is_it(byte) => return Some(at),
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth -= 1,
            _ => {}
        }
        if depth < 0 {
            return None;
        }
    }
    None
}

/// The end of the lines after `from` that are indented more than the line of `start`.
pub(super) fn indented(masked: &str, start: usize, from: usize) -> usize {
    let outer = indentation(masked, start);
    let mut end = line_end(masked, from);
    let mut at = end;
    while at < masked.len() {
        let next = line_end(masked, at + 1);
        let line = &masked[at + 1..next];
        let trimmed = line.trim_start();
        if !trimmed.is_empty() {
            if line.len() - trimmed.len() <= outer && !trimmed.starts_with([')', ']', '}']) {
                break;
            }
            end = next;
        }
        at = next;
    }
    end
}

/// The end of the line `end` that is indented as the line of `start`.
fn until_end(masked: &str, start: usize, from: usize) -> usize {
    let outer = indentation(masked, start);
    let mut at = from;
    while at < masked.len() {
        let next = line_end(masked, at + 1);
        let line = &masked[at + 1..next];
        let trimmed = line.trim();
        if line.len() - line.trim_start().len() <= outer && !trimmed.is_empty() {
            let is_end = trimmed
                .strip_prefix("end")
                .is_some_and(|rest| !rest.starts_with(is_word));
            return if is_end { next } else { at };
        }
        at = next;
    }
    masked.len()
}

/// Whether a character belongs to a name.
pub(super) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, from: &str, kind: Body) -> String {
        let at = text.find(from).unwrap() + from.len();
        let start = text.find(|c: char| !c.is_whitespace()).unwrap();
        body(text, start, at, kind).map_or("-".into(), |(from, to)| text[from..to].to_owned())
    }

    #[test]
    fn bodies() {
        let cases = [
            (
                Body::Braces,
                "fn a() -> [u8; 2] { b({}) } c",
                "a()",
                "{ b({}) }",
            ),
            (Body::Braces, "fn a(); fn b() {}", "a()", "-"),
            (
                Body::BracesOrExpression,
                "fun a() = run {\n b\n}\nc",
                "a()",
                "= run {\n b\n}",
            ),
            (
                Body::BracesOrExpression,
                "void A() => B();\nc",
                "A()",
                "=> B();",
            ),
            (
                Body::Indentation,
                "def a() -> b:\n  c\n\n  d\ne",
                "a()",
                "\n  c\n\n  d",
            ),
            (Body::Indentation, "def a(): pass\nb", "a()", " pass"),
            (Body::End, "it '' do\n  a\nend\nb", "''", " do\n  a\nend"),
            (Body::End, "def a, do: b\nc", "a", ", do: b"),
        ];
        for (kind, text, from, expected) in cases {
            assert_eq!(shown(text, from, kind), expected, "{text}");
        }
    }

    #[test]
    fn brackets_close() {
        assert_eq!(closing("a(b(c)) d", 1), 7);
        assert_eq!(closing("a(b", 1), 3);
    }
}
