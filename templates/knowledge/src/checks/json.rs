//! Just enough JSON to find values with their lines; what is malformed yields what came before it.

/// A string, number, boolean or null and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Keys that lead to it; elements of a list are named by their number.
    pub keys: Vec<String>,
    /// Strings unescaped; the others as written.
    pub value: String,
    pub line: u32,
}

/// All values of a text, comments (as in `tsconfig.json`) skipped.
pub fn entries(text: &str) -> Vec<Entry> {
    let mut reader = Reader {
        chars: text.char_indices().peekable(),
        text,
        line: 1,
        keys: Vec::new(),
        entries: Vec::new(),
    };
    reader.value(0);
    reader.entries
}

/// Deeper nesting is given up on.
const MAX_DEPTH: usize = 64;

struct Reader<'a> {
    chars: std::iter::Peekable<std::str::CharIndices<'a>>,
    text: &'a str,
    line: u32,
    keys: Vec<String>,
    entries: Vec<Entry>,
}

impl Reader<'_> {
    fn next(&mut self) -> Option<(usize, char)> {
        let next = self.chars.next();
        if matches!(next, Some((_, '\n'))) {
            self.line += 1;
        }
        next
    }

    /// The next character that is neither white space nor comment, not taken.
    fn peek(&mut self) -> Option<char> {
        loop {
            let (at, c) = *self.chars.peek()?;
            let rest = &self.text[at..];
            if c.is_whitespace() {
                self.next();
            } else if rest.starts_with("//") {
                while self.chars.peek().is_some_and(|(_, c)| *c != '\n') {
                    self.next();
                }
            } else if rest.starts_with("/*") {
                let end = at + rest.find("*/").map_or(rest.len(), |end| end + 2);
                while self.chars.peek().is_some_and(|(at, _)| *at < end) {
                    self.next();
                }
            } else {
                return Some(c);
            }
        }
    }

    /// `None`: malformed, stop.
    fn value(&mut self, depth: usize) -> Option<()> {
        if depth > MAX_DEPTH {
            return None;
        }
        match self.peek()? {
            '{' => self.members(depth, '}'),
            '[' => self.members(depth, ']'),
            '"' => {
                let line = self.line;
                let value = self.string()?;
                self.found(value, line);
                Some(())
            }
            _ => {
                let line = self.line;
                let mut value = String::new();
                while self
                    .chars
                    .peek()
                    .is_some_and(|(_, c)| c.is_alphanumeric() || "+-.".contains(*c))
                {
                    value.extend(self.next().map(|(_, c)| c));
                }
                if value.is_empty() {
                    return None;
                }
                self.found(value, line);
                Some(())
            }
        }
    }

    fn members(&mut self, depth: usize, close: char) -> Option<()> {
        self.next();
        for number in 0_usize.. {
            if self.peek()? == close {
                break;
            }
            let key = if close == '}' {
                let key = self.string()?;
                if self.peek()? != ':' {
                    return None;
                }
                self.next();
                key
            } else {
                number.to_string()
            };
            self.keys.push(key);
            self.value(depth + 1)?;
            self.keys.pop();
            if self.peek()? == ',' {
                self.next();
            }
        }
        self.next();
        Some(())
    }

    fn found(&mut self, value: String, line: u32) {
        self.entries.push(Entry {
            keys: self.keys.clone(),
            value,
            line,
        });
    }

    fn string(&mut self) -> Option<String> {
        if self.peek()? != '"' {
            return None;
        }
        self.next();
        let mut value = String::new();
        loop {
            match self.next()?.1 {
                '"' => return Some(value),
                '\\' => match self.next()?.1 {
                    'n' => value.push('\n'),
                    't' => value.push('\t'),
                    'r' => value.push('\r'),
                    'u' => {
                        let mut code = 0;
                        for _ in 0..4 {
                            code = code * 16 + self.next()?.1.to_digit(16)?;
                        }
                        value.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
                    }
                    other => value.push(other),
                },
                other => value.push(other),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<String> {
        entries(text)
            .iter()
            .map(|entry| format!("{} {}={}", entry.line, entry.keys.join("."), entry.value))
            .collect()
    }

    #[test]
    fn values_with_their_lines() {
        let text = "{\n // note\n \"scripts\": {\n  \"test\": \"vitest \\\"x\\\"\",\n },\n \"files\": [\"a\", 1, true]\n}";
        assert_eq!(
            shown(text),
            [
                "4 scripts.test=vitest \"x\"",
                "6 files.0=a",
                "6 files.1=1",
                "6 files.2=true"
            ]
        );
    }

    #[test]
    fn malformed_ends_quietly() {
        for text in [
            "",
            "{",
            "{\"a\"",
            "[[[[",
            "{\"a\": \"\\u12",
            "{a: 1}",
            "\"",
            &"[".repeat(10_000),
        ] {
            let _ = entries(text);
        }
        assert_eq!(shown("{\"a\": 1, b"), ["1 a=1"]);
    }
}
