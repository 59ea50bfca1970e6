//! A text as lines of code, with the comments and strings beside them.

use crate::language::Syntax;
use crate::lexer::{self, Kind};

/// A comment that has its lines for itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct Comment<'a> {
    pub(super) text: &'a str,
    /// Lines from 0.
    first: usize,
    last: usize,
}

/// A text taken apart. Lines count from 0 here.
#[derive(Debug)]
pub(super) struct Page<'a> {
    /// The text with comments and strings blanked out, byte by byte: offsets stay.
    pub(super) code: String,
    /// Offset in `code` at which each line starts.
    starts: Vec<usize>,
    comments: Vec<Comment<'a>>,
    /// Where strings start, and the kind of quote, in order.
    strings: Vec<usize>,
}

impl<'a> Page<'a> {
    pub(super) fn new(text: &'a str, syntax: &Syntax) -> Self {
        let mut page = Self {
            code: String::with_capacity(text.len()),
            starts: vec![0],
            comments: Vec::new(),
            strings: Vec::new(),
        };
        for region in lexer::regions(text, syntax) {
            match region.kind {
                Kind::Code => page.code.push_str(region.text),
                Kind::Comment | Kind::String => {
                    if region.kind == Kind::String {
                        page.strings.push(page.code.len());
                    } else {
                        let first = region.line as usize - 1;
                        let last = first + region.text.trim_end().matches('\n').count();
                        page.comments.push(Comment {
                            text: region.text,
                            first,
                            last,
                        });
                    }
                    let blank = region.text.bytes().map(|byte| match byte {
                        b'\n' => '\n',
                        _ => ' ',
                    });
                    page.code.extend(blank);
                }
            }
        }
        let ends = page.code.match_indices('\n').map(|(at, _)| at + 1);
        page.starts.extend(ends);
        let lone: Vec<Comment> = page
            .comments
            .iter()
            .filter(|comment| {
                (comment.first..=comment.last).all(|line| page.line(line).trim().is_empty())
            })
            .copied()
            .collect();
        page.comments = lone;
        page
    }

    /// How many lines there are.
    pub(super) fn len(&self) -> usize {
        self.starts.len()
    }

    /// The code of a line, without its end.
    pub(super) fn line(&self, line: usize) -> &str {
        let start = self.starts[line];
        let end = self
            .starts
            .get(line + 1)
            .map_or(self.code.len(), |next| next - 1);
        self.code[start..end].trim_end_matches('\r')
    }

    /// All lines of code with their numbers from 0.
    pub(super) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        (0..self.len()).map(|line| (line, self.line(line)))
    }

    /// Offset at which a line starts.
    pub(super) fn start(&self, line: usize) -> usize {
        self.starts[line]
    }

    /// Whether a string starts somewhere in these offsets.
    pub(super) fn string_in(&self, offsets: std::ops::Range<usize>) -> bool {
        let next = self.strings.partition_point(|at| *at < offsets.start);
        self.strings.get(next).is_some_and(|at| *at < offsets.end)
    }

    /// What stands directly above a line, nearest first: comments, and attributes or annotations
    /// (as `is_attribute` knows them by their first line). Ends at a blank line or other code.
    pub(super) fn above(&self, line: usize, is_attribute: fn(&str) -> bool) -> Vec<Above<'_>> {
        let mut found = Vec::new();
        let mut next = line;
        while next > 0 {
            let here = next - 1;
            let index = self.comments.partition_point(|comment| comment.last < here);
            if let Some(comment) = self.comments.get(index)
                && comment.last == here
            {
                found.push(Above::Comment(comment.text));
                next = comment.first;
                continue;
            }
            match self.attribute_ending(here, is_attribute) {
                Some(first) => {
                    found.push(Above::Attribute(
                        self.code[self.starts[first]..self.starts[next]].trim(),
                    ));
                    next = first;
                }
                None => break,
            }
        }
        found
    }

    /// First line of the attribute that ends on this line; it may go over several.
    fn attribute_ending(&self, last: usize, is_attribute: fn(&str) -> bool) -> Option<usize> {
        let mut depth = 0;
        for line in (last.saturating_sub(20)..=last).rev() {
            let code = self.line(line).trim();
            for c in code.chars() {
                match c {
                    ')' | ']' | '}' => depth += 1,
                    '(' | '[' | '{' => depth -= 1,
                    _ => {}
                }
            }
            if depth <= 0 {
                return (depth == 0 && is_attribute(code)).then_some(line);
            }
        }
        None
    }

    /// Lines that lie in a block: for each line the depth of curly brackets at its start.
    pub(super) fn depths(&self) -> Vec<i32> {
        let mut depth = 0;
        self.lines()
            .map(|(_, code)| {
                let at_start = depth;
                for byte in code.bytes() {
                    match byte {
                        b'{' => depth += 1,
                        b'}' => depth -= 1,
                        _ => {}
                    }
                }
                at_start
            })
            .collect()
    }
}

/// Something above a declaration.
#[derive(Debug, Clone, Copy)]
pub(super) enum Above<'a> {
    Comment(&'a str),
    /// Strings in it are blank.
    Attribute(&'a str),
}

/// Whether one of the comments is documentation.
pub(super) fn has_doc(above: &[Above], is_doc: fn(&str) -> bool) -> bool {
    above
        .iter()
        .any(|part| matches!(part, Above::Comment(text) if is_doc(text)))
}

/// Whether one of the attributes contains a word.
pub(super) fn has_attribute(above: &[Above], word: &str) -> bool {
    above
        .iter()
        .any(|part| matches!(part, Above::Attribute(text) if text.contains(word)))
}

/// `/** ... */`, but no `/***` and not empty.
pub(super) fn is_block_doc(comment: &str) -> bool {
    comment.starts_with("/**")
        && !comment.starts_with("/***")
        && comment.chars().any(char::is_alphanumeric)
}

/// `/// ...`, but no `////` and not empty.
pub(super) fn is_line_doc(comment: &str) -> bool {
    comment.starts_with("///")
        && !comment.starts_with("////")
        && comment.chars().any(char::is_alphanumeric)
}

/// Line numbers for people start at 1.
pub(super) fn number(line: usize) -> u32 {
    u32::try_from(line + 1).unwrap_or(u32::MAX)
}
