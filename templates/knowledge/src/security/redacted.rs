//! Code that can be shown: what its strings hold is gone.

use crate::language::Syntax;
use crate::lexer::{self, Kind};

/// The lines of a file, without comments and without what strings hold.
#[derive(Debug)]
pub struct Redacted {
    /// For people: `run("…", shell=True)`; a route's path is kept.
    shown: Vec<String>,
    /// For looking for code: strings and comments are blank.
    pub code: Vec<String>,
    /// For looking for what strings say; comments are blank.
    pub with_strings: Vec<String>,
}

impl Redacted {
    pub fn new(text: &str, syntax: &Syntax) -> Self {
        let mut shown = String::new();
        let mut code = String::new();
        let mut with_strings = String::new();
        for region in lexer::regions(text, syntax) {
            let breaks: String = region.text.chars().filter(|c| *c == '\n').collect();
            match region.kind {
                Kind::Code => {
                    shown += region.text;
                    code += region.text;
                    with_strings += region.text;
                }
                Kind::Comment => {
                    for lines in [&mut shown, &mut code, &mut with_strings] {
                        *lines += &breaks;
                    }
                }
                Kind::String => {
                    shown += &without_value(region.text);
                    shown += &breaks;
                    code += "\"\"";
                    code += &breaks;
                    with_strings += region.text;
                }
            }
        }
        let lines = |text: &str| text.split('\n').map(str::to_owned).collect();
        Self {
            shown: lines(&shown),
            code: lines(&code),
            with_strings: lines(&with_strings),
        }
    }

    /// A line (from 1) that can be shown.
    pub fn line(&self, line: u32) -> &str {
        usize::try_from(line)
            .ok()
            .and_then(|line| self.shown.get(line.checked_sub(1)?))
            .map_or("", |line| line.trim())
    }
}

/// A string with its quotes and an ellipsis; the path of a route stays as it is.
fn without_value(string: &str) -> String {
    let quote = |c: Option<char>| {
        c.filter(|c| "\"'`".contains(*c))
            .map_or(String::new(), String::from)
    };
    let open = quote(string.chars().find(|c| "\"'`".contains(*c)));
    let inside = string.trim_matches(['"', '\'', '`']);
    if inside.is_empty() {
        return format!("{open}{open}");
    }
    if is_route(inside) {
        return format!("{open}{inside}{open}");
    }
    format!("{open}…{open}")
}

/// `/users/:id`: short, of short lower-case words.
fn is_route(text: &str) -> bool {
    text.len() <= 60
        && text.strip_prefix('/').is_some_and(|rest| {
            rest.split('/').all(|part| {
                part.len() <= 24
                    && part
                        .chars()
                        .all(|c| c.is_ascii_lowercase() || "_-:{}<>*.".contains(c))
            })
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language;

    #[test]
    fn no_string_is_shown_but_a_route() {
        let text = "@app.get(\"/search/<id>\")\nf(\"hunter2\", auth=('a', \"b\\\"c\"))  # hunter2\nx = \"\"\"two\nlines\"\"\" + y\nz = \"/Zm9vYmFy12\"\n";
        let redacted = Redacted::new(text, language::of("a.py").unwrap().syntax);
        let lines: Vec<&str> = (1..=5).map(|line| redacted.line(line)).collect();
        assert_eq!(
            lines,
            [
                "@app.get(\"/search/<id>\")",
                "f(\"…\", auth=('…', \"…\"))",
                "x = \"…\"",
                "+ y",
                "z = \"…\"",
            ]
        );
        assert_eq!(redacted.code[1].trim(), "f(\"\", auth=(\"\", \"\"))");
    }
}
