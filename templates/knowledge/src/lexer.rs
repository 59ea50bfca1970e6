//! Light lexing: which parts of a text are comments, which are strings, which are code. Not a
//! parser: it knows how comments and strings begin and end in each family of languages, and what
//! it mistakes stays within a line.

use crate::language::{Quote, Syntax};

/// What a part of a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Code,
    Comment,
    String,
}

/// A part of a text; the regions of a text follow each other without gaps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Region<'a> {
    pub kind: Kind,
    /// Delimiters included.
    pub text: &'a str,
    /// Line it starts on, from 1.
    pub line: u32,
}

/// A line of a comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommentLine<'a> {
    /// From 1.
    pub line: u32,
    /// The part of the line that is comment, delimiters included.
    pub text: &'a str,
}

/// All regions of a text.
pub fn regions<'a>(text: &'a str, syntax: &Syntax) -> Vec<Region<'a>> {
    let mut lexer = Lexer {
        text,
        syntax,
        at: 0,
        start: 0,
        line: 1,
        regions: Vec::new(),
    };
    lexer.run();
    lexer.regions
}

/// The comments of a text, line by line.
pub fn comment_lines<'a>(text: &'a str, syntax: &Syntax) -> Vec<CommentLine<'a>> {
    regions(text, syntax)
        .into_iter()
        .filter(|region| region.kind == Kind::Comment)
        .flat_map(|region| {
            (region.line..)
                .zip(region.text.split('\n'))
                .map(|(line, text)| CommentLine { line, text })
        })
        .filter(|line| !line.text.trim().is_empty())
        .collect()
}

/// The text with everything but the kinds to keep blanked out; lines and columns (in characters)
/// stay where they are. For looking for patterns in code that strings and comments would fake.
pub fn masked(text: &str, syntax: &Syntax, keep: &[Kind]) -> String {
    let blank = |c: char| if c == '\n' { '\n' } else { ' ' };
    regions(text, syntax)
        .into_iter()
        .flat_map(|region| {
            let kept = keep.contains(&region.kind);
            region
                .text
                .chars()
                .map(move |c| if kept { c } else { blank(c) })
        })
        .collect()
}

struct Lexer<'a, 's> {
    text: &'a str,
    syntax: &'s Syntax,
    /// What was looked at up to here.
    at: usize,
    /// Where the region that is being read starts, and on which line.
    start: usize,
    line: u32,
    regions: Vec<Region<'a>>,
}

impl<'a> Lexer<'a, '_> {
    fn run(&mut self) {
        while self.at < self.text.len() {
            if let Some((kind, end)) = self.something_starts() {
                self.close(Kind::Code, self.at);
                self.at = end;
                self.close(kind, end);
            } else {
                // A backslash outside of strings takes the meaning from what follows: `\'`, `\%`.
                let escapes = self.rest().starts_with('\\');
                self.at += self.char_len();
                if escapes && self.at < self.text.len() {
                    self.at += self.char_len();
                }
            }
        }
        self.close(Kind::Code, self.text.len());
    }

    /// Ends the region being read at `end`.
    fn close(&mut self, kind: Kind, end: usize) {
        let text = &self.text[self.start..end];
        if !text.is_empty() {
            self.regions.push(Region {
                kind,
                text,
                line: self.line,
            });
            let breaks = text.bytes().filter(|&byte| byte == b'\n').count();
            self.line += u32::try_from(breaks).unwrap_or(u32::MAX - self.line);
        }
        self.start = end;
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn char_len(&self) -> usize {
        self.rest().chars().next().map_or(1, char::len_utf8)
    }

    /// The comment or string that starts here and where it ends.
    fn something_starts(&self) -> Option<(Kind, usize)> {
        // Most characters start nothing.
        let byte = self.text.as_bytes()[self.at];
        if byte.is_ascii_alphanumeric() && byte != b'r' || byte == b' ' {
            return None;
        }
        if let Some(end) = self.block_comment() {
            return Some((Kind::Comment, end));
        }
        if self.line_comment_starts() {
            return Some((Kind::Comment, self.line_end(self.at)));
        }
        let string = self
            .raw_rust_string()
            .or_else(|| self.heredoc())
            .or_else(|| self.string())
            .or_else(|| self.regex())?;
        Some((Kind::String, string))
    }

    fn line_end(&self, from: usize) -> usize {
        self.text[from..]
            .find('\n')
            .map_or(self.text.len(), |length| from + length)
    }

    fn line_comment_starts(&self) -> bool {
        let starts = self
            .syntax
            .line
            .iter()
            .any(|mark| self.rest().starts_with(mark));
        let before = self.text[..self.at].chars().next_back();
        starts && (!self.syntax.after_space || before.is_none_or(|c| c.is_whitespace() || c == ';'))
    }

    fn block_comment(&self) -> Option<usize> {
        let (open, close) = self.syntax.block.iter().find(|(open, _)| {
            // Openings that must start a line carry the line break.
            match open.strip_prefix('\n') {
                Some(word) => self.is_at_line_start() && self.rest().starts_with(word),
                None => self.rest().starts_with(open),
            }
        })?;
        let mut depth = 1;
        let mut at = self.at + open.trim_start().len();
        loop {
            let Some(end) = self.text[at..].find(close) else {
                return Some(self.text.len());
            };
            if self.syntax.nested
                && let Some(inner) = self.text[at..at + end].find(open)
            {
                depth += 1;
                at += inner + open.len();
                continue;
            }
            at += end + close.len();
            depth -= 1;
            if depth == 0 {
                return Some(at);
            }
        }
    }

    fn is_at_line_start(&self) -> bool {
        self.at == 0 || self.text.as_bytes()[self.at - 1] == b'\n'
    }

    fn string(&self) -> Option<usize> {
        let rest = self.rest();
        if self.syntax.rust && rest.starts_with('\'') {
            return rust_char(rest).map(|length| self.at + length);
        }
        let quote = self
            .syntax
            .strings
            .iter()
            .find(|quote| rest.starts_with(quote.open))?;
        Some(self.string_end(quote))
    }

    fn string_end(&self, quote: &Quote) -> usize {
        let from = self.at + quote.open.len();
        let mut chars = self.text[from..].char_indices();
        while let Some((offset, c)) = chars.next() {
            if c == '\\' && quote.escape {
                chars.next();
            } else if c == '\n' && !quote.multiline {
                return from + offset;
            } else if self.text[from + offset..].starts_with(quote.close) {
                return from + offset + quote.close.len();
            }
        }
        self.text.len()
    }

    /// `r"..."`, `r#"..."#`, with `b` or `c` before.
    fn raw_rust_string(&self) -> Option<usize> {
        if !self.syntax.rust {
            return None;
        }
        let inside_word = self.text[..self.at]
            .chars()
            .next_back()
            .is_some_and(|c| (c.is_alphanumeric() || c == '_') && c != 'b' && c != 'c');
        let after = self.rest().strip_prefix('r')?;
        let hashes = after.bytes().take_while(|&byte| byte == b'#').count();
        if inside_word || !after[hashes..].starts_with('"') {
            return None;
        }
        let close = format!("\"{}", "#".repeat(hashes));
        let body = self.at + 1 + hashes + 1;
        let end = self.text[body..].find(&close);
        Some(end.map_or(self.text.len(), |end| body + end + close.len()))
    }

    /// `<<WORD`, `<<-"WORD"`, `<<~WORD`: the text from the next line to the line that is `WORD`.
    /// What follows on the first line is swallowed with it; that costs little.
    fn heredoc(&self) -> Option<usize> {
        if !self.syntax.heredoc {
            return None;
        }
        let after = self.rest().strip_prefix("<<")?;
        let after = after.strip_prefix('<').unwrap_or(after);
        let after = after
            .trim_start_matches(['-', '~'])
            .trim_start_matches([' ', '"', '\'']);
        let length = after
            .find(|c: char| !(c.is_alphanumeric() || c == '_'))
            .unwrap_or(after.len());
        let word = &after[..length];
        if !word.starts_with(|c: char| c.is_alphabetic() || c == '_') {
            return None;
        }
        let mut at = self.line_end(self.at);
        while at < self.text.len() {
            let end = self.line_end(at + 1);
            if self.text[at..end].trim().trim_end_matches(';') == word {
                return Some(end);
            }
            at = end;
        }
        // No end: it was a shift.
        None
    }

    /// `/.../flags` where a value can stand, on one line.
    fn regex(&self) -> Option<usize> {
        if !(self.syntax.regex && self.rest().starts_with('/')) {
            return None;
        }
        let before = self.text[..self.at].trim_end_matches([' ', '\t']);
        let value_can_stand = before.ends_with(|c| "(,=:[!&|?{};~+-*%^\n".contains(c))
            || before.is_empty()
            || before.ends_with("=>")
            || ["return", "typeof", "case", "in", "of"]
                .iter()
                .any(|word| before.ends_with(word));
        if !value_can_stand {
            return None;
        }
        let mut in_class = false;
        let mut chars = self.rest().char_indices().skip(1);
        while let Some((offset, c)) = chars.next() {
            match c {
                '\n' => return None,
                '\\' => {
                    chars.next();
                }
                '[' => in_class = true,
                ']' => in_class = false,
                '/' if !in_class => return Some(self.at + offset + 1),
                _ => {}
            }
        }
        None
    }
}

/// Length of the character literal that `text` starts with; `None` for a lifetime.
fn rust_char(text: &str) -> Option<usize> {
    let mut chars = text.char_indices().skip(1);
    let (_, first) = chars.next()?;
    if first == '\\' {
        let line = text.lines().next().unwrap_or(text);
        return line[2..]
            .char_indices()
            .skip(1)
            .find(|(_, c)| *c == '\'')
            .map(|(offset, _)| 2 + offset + 1);
    }
    match chars.next()? {
        (offset, '\'') => Some(offset + 1),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
