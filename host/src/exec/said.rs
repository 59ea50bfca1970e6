//! What an agent says while it works, as one line for whoever watches.

use serde_json::Value;

use crate::names::{is_invisible, printable};

/// Longest line shown, in characters.
const WIDTH: usize = 120;

/// The last line of a piece of output that tells something; `None` when none does. Agents that speak
/// JSON, a message a line (`claude --output-format stream-json`), are understood.
pub(super) fn last_line(output: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(output);
    text.lines().rev().find_map(told)
}

fn told(line: &str) -> Option<String> {
    let line = line.trim();
    if line.starts_with('{') {
        // A piece may end in the middle of a line: half a message tells nothing.
        let message: Value = serde_json::from_str(line).ok()?;
        return message_of(&message).and_then(|text| shortened(&text));
    }
    shortened(line)
}

/// What an `assistant` message says or does.
fn message_of(message: &Value) -> Option<String> {
    if message["type"] != "assistant" {
        return None;
    }
    let parts = message["message"]["content"].as_array()?;
    parts
        .iter()
        .rev()
        .find_map(|part| match part["type"].as_str()? {
            "text" => {
                let text = part["text"].as_str()?;
                text.lines()
                    .rev()
                    .find(|line| !line.trim().is_empty())
                    .map(str::to_owned)
            }
            "tool_use" => {
                let input = &part["input"];
                let on = ["file_path", "path", "command", "pattern", "description"];
                let on = on.iter().find_map(|key| input[*key].as_str());
                let name = part["name"].as_str()?;
                Some(on.map_or_else(|| name.to_owned(), |on| format!("{name}: {on}")))
            }
            _ => None,
        })
}

fn shortened(text: &str) -> Option<String> {
    let flat: String = text
        .chars()
        .filter(|c| !is_invisible(*c))
        .take(4 * WIDTH)
        .collect();
    let flat = printable(&flat.split_whitespace().collect::<Vec<_>>().join(" "));
    let mut short: String = flat.chars().take(WIDTH).collect();
    if short.len() < flat.len() {
        short.push('…');
    }
    (!short.is_empty()).then_some(short)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_tell() {
        let of = |text: &str| last_line(text.as_bytes()).unwrap_or_default();
        assert_eq!(of("one\n  two  words\n\n"), "two words");
        assert_eq!(of("\n \n"), "");
        assert_eq!(of("a \u{1b}[1mb"), "a \\u{1b}[1mb");
        assert_eq!(of(&"x".repeat(500)).chars().count(), WIDTH + 1);
        let text =
            r#"{"type":"assistant","message":{"content":[{"type":"text","text":"I look.\n"}]}}"#;
        assert_eq!(of(text), "I look.");
        let tool = r#"{"type":"assistant","message":{"content":[{"type":"text","text":"x"},
            {"type":"tool_use","name":"Bash","input":{"command":"cargo test"}}]}}"#;
        assert_eq!(of(&tool.replace('\n', "")), "Bash: cargo test");
        assert_eq!(
            of(&format!("{text}\n{{\"type\":\"user\"}}\n{{\"type\":\"assi")),
            "I look."
        );
    }
}
