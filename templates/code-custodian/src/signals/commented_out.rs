//! Code left in comments.

use changelings_sdk::prompt;
use knowledge::lexer;

use super::{Signal, Source};

/// Lines in a row from which on it is no example.
const MIN_LINES: usize = 3;

pub(super) fn find(source: &Source) -> Vec<Signal> {
    let comments: Vec<(u32, &str)> = lexer::comment_lines(&source.text, source.syntax)
        .into_iter()
        .filter_map(|comment| Some((comment.line, body(comment.text)?)))
        .collect();
    comments
        .chunk_by(|(line, _), (next, _)| *next == line + 1)
        .filter_map(|block| {
            let code = block
                .iter()
                .filter(|(_, body)| looks_like_code(body))
                .count();
            if block.len() < MIN_LINES || code * 3 < block.len() * 2 {
                return None;
            }
            let place = prompt::place(&source.path, block[0].0);
            let first = prompt::code_bounded(block[0].1, 80);
            Some(Signal {
                path: source.path.clone(),
                told: format!(
                    "{place} {} that begin with {first}",
                    prompt::count(block.len(), "line")
                ),
                weight: block.len(),
            })
        })
        .collect()
}

/// What follows the mark of a plain line comment; documentation holds examples and is left alone.
fn body(comment: &str) -> Option<&str> {
    let is_doc = ["///", "//!", "/**", "##", "#!"]
        .iter()
        .any(|mark| comment.starts_with(mark));
    let mark = ["//", "#", "--", ";"]
        .iter()
        .find(|mark| comment.starts_with(**mark))?;
    (!is_doc).then(|| comment[mark.len()..].trim())
}

fn looks_like_code(line: &str) -> bool {
    let starts = [
        "let ", "const ", "var ", "if (", "return ", "def ", "for (", "import ", "fn ", "func ",
        "} else",
    ];
    line.ends_with([';', '{', '}'])
        || starts.iter().any(|start| line.starts_with(start))
        || (line.contains(" = ") && !line.ends_with('.'))
        || is_call(line)
}

/// `name(...)` and nothing else.
fn is_call(line: &str) -> bool {
    let Some((name, _)) = line.split_once('(') else {
        return false;
    };
    line.ends_with(')')
        && !name.is_empty()
        && name
            .chars()
            .all(|c| c.is_alphanumeric() || "_.:".contains(c))
}
