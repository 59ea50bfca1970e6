//! A text with its comments and strings blanked out, so that what is left is code.

use crate::language::Syntax;
use crate::lexer::{Kind, regions};

/// The text with comments replaced by spaces, and strings by spaces between their first and last
/// character. Every byte and every line stays where it was.
pub fn mask(text: &str, syntax: &Syntax) -> String {
    let mut masked = String::with_capacity(text.len());
    for region in regions(text, syntax) {
        let mut blank = |part: &str| {
            masked.extend(
                part.bytes()
                    .map(|byte| if byte == b'\n' { '\n' } else { ' ' }),
            );
        };
        let (first, last) = (region.text.chars().next(), region.text.chars().next_back());
        match (region.kind, first, last) {
            (Kind::Code, ..) => masked.push_str(region.text),
            (Kind::String, Some(first), Some(last))
                if region.text.len() >= first.len_utf8() + last.len_utf8() && last != '\n' =>
            {
                let inside = first.len_utf8()..region.text.len() - last.len_utf8();
                masked.push(first);
                masked.extend(
                    region.text[inside]
                        .bytes()
                        .map(|byte| if byte == b'\n' { '\n' } else { ' ' }),
                );
                masked.push(last);
            }
            _ => blank(region.text),
        }
    }
    masked
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language;

    #[test]
    fn only_code_is_left() {
        let rust = language::of("a.rs").unwrap().syntax;
        assert_eq!(
            mask("f(\"a // ö\"); // x\n/* y\n*/ g()", rust),
            "f(\"       \");     \n    \n   g()"
        );
        let python = language::of("a.py").unwrap().syntax;
        assert_eq!(
            mask("\"\"\"a\nb\"\"\"\nx = ''", python),
            "\"   \n   \"\nx = ''"
        );
    }
}
