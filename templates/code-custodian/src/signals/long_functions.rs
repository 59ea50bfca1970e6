//! Functions longer than a screen. A function is told by its keyword and ends where the indentation
//! comes back to its beginning's: true of all code that was formatted.

use changelings_sdk::prompt;

use super::{Signal, Source};

/// Lines from which on a function is long.
const LONG: usize = 50;

const MODIFIERS: &[&str] = &[
    "pub",
    "pub(crate)",
    "pub(super)",
    "async",
    "unsafe",
    "const",
    "static",
    "extern",
    "\"C\"",
    "export",
    "default",
    "public",
    "private",
    "protected",
    "internal",
    "override",
    "open",
    "suspend",
    "inline",
    "final",
    "abstract",
    "local",
];
const KEYWORDS: &[&str] = &[
    "fn",
    "def",
    "defp",
    "func",
    "function",
    "function*",
    "fun",
    "sub",
];

pub(super) fn find(source: &Source) -> Vec<Signal> {
    let lines: Vec<&str> = source.code.lines().collect();
    let mut signals = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let Some(name) = function_name(line) else {
            continue;
        };
        let length = length(&lines[index..]);
        if length >= LONG {
            let place = prompt::place(&source.path, u32::try_from(index + 1).unwrap_or(u32::MAX));
            let name = prompt::code_bounded(name, 80);
            signals.push(Signal {
                path: source.path.clone(),
                told: format!("{place} {name}, {length} lines"),
                weight: length,
            });
        }
    }
    signals
}

fn function_name(line: &str) -> Option<&str> {
    let mut rest = line.trim_start();
    loop {
        let (word, after) = rest.split_once([' ', '\t'])?;
        if KEYWORDS.contains(&word) {
            // Go's receiver.
            let after = match after.trim_start().strip_prefix('(') {
                Some(receiver) => receiver.split_once(')')?.1,
                None => after,
            };
            let after = after.trim_start();
            let end = after.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '.'))?;
            return Some(&after[..end]).filter(|name| !name.is_empty());
        }
        if !MODIFIERS.contains(&word) {
            return None;
        }
        rest = after.trim_start();
    }
}

/// Lines of the function that starts on the first line.
fn length(lines: &[&str]) -> usize {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let own = indent(lines[0]);
    let mut last = 0;
    for (index, line) in lines.iter().enumerate().skip(1) {
        let content = line.trim_start();
        if content.is_empty() {
            continue;
        }
        let goes_on = content.starts_with([')', '{', ']'])
            || content.starts_with("where")
            || content.starts_with("->");
        if indent(line) <= own && !goes_on {
            let closes = content.starts_with('}') || content.starts_with("end");
            return if closes { index + 1 } else { last + 1 };
        }
        last = index;
    }
    last + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        assert_eq!(function_name("    pub async fn run(self) {"), Some("run"));
        assert_eq!(
            function_name("func (q *Queue) Push(m Message) {"),
            Some("Push")
        );
        assert_eq!(function_name("export function f<T>() {"), Some("f"));
        assert_eq!(function_name("def f():"), Some("f"));
        assert_eq!(function_name("let fn_ = 1;"), None);
        assert_eq!(function_name("fn(x)"), None);
    }

    #[test]
    fn lengths() {
        let of = |text: &str| length(&text.lines().collect::<Vec<_>>());
        assert_eq!(
            of("fn a(\n    x: u8,\n) -> u8\nwhere\n    X: Y,\n{\n    1\n}\nfn b() {}"),
            8
        );
        assert_eq!(of("def a():\n    x\n\n    y\n\n\ndef b():"), 4);
    }
}
