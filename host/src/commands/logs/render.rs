//! An agent's output as something a person reads.

use anstyle::Style;
use serde_json::Value;

use crate::names::{is_invisible, printable};
use crate::ui::style::{self, paint};
use crate::ui::text::wrap;
use crate::ui::time;

/// Lines shown of what a tool answered, and of what it was asked.
const FEW: usize = 6;

/// A longer line is no line of a message: it is shown as far as it came.
const MAX_LINE: usize = 16 * 1024 * 1024;

/// Columns of a tab.
const TAB: &str = "    ";

/// Turns output into text with styles, line by line.
#[derive(Debug)]
pub(super) struct Renderer {
    /// A line whose end has not come yet.
    held: Vec<u8>,
    columns: usize,
}

impl Renderer {
    /// `columns`: `None` for no limit.
    pub(super) fn new(columns: Option<usize>) -> Self {
        Self {
            held: Vec::new(),
            columns: columns.unwrap_or(usize::MAX),
        }
    }

    /// What can be shown by now.
    pub(super) fn push(&mut self, bytes: &[u8]) -> String {
        self.held.extend_from_slice(bytes);
        let end = match self.held.iter().rposition(|byte| *byte == b'\n') {
            Some(last) => last + 1,
            None if self.held.len() > MAX_LINE => self.held.len(),
            None => return String::new(),
        };
        let lines: Vec<u8> = self.held.drain(..end).collect();
        self.lines(&lines)
    }

    /// The rest.
    pub(super) fn finish(mut self) -> String {
        let rest = std::mem::take(&mut self.held);
        self.lines(&rest)
    }

    fn lines(&self, bytes: &[u8]) -> String {
        let text = String::from_utf8_lossy(bytes);
        let mut shown = String::new();
        for line in text.lines() {
            let line = match message(line) {
                Some(message) => self.message(&message),
                None => Some(wrap("", &clean(line), self.columns)),
            };
            if let Some(line) = line {
                shown.push_str(&line);
                shown.push('\n');
            }
        }
        shown
    }

    /// `None`: it says nothing worth a line.
    fn message(&self, message: &Value) -> Option<String> {
        let word = |key: &str| message[key].as_str().unwrap_or_default();
        match word("type") {
            "assistant" | "user" => {
                let parts = match &message["message"]["content"] {
                    Value::String(text) => vec![self.text(Style::new(), text)],
                    Value::Array(parts) => {
                        parts.iter().filter_map(|part| self.part(part)).collect()
                    }
                    _ => Vec::new(),
                };
                (!parts.is_empty()).then(|| parts.join("\n"))
            }
            "result" => Some(self.result(message)),
            "system" => match word("subtype") {
                "init" => Some(self.line(style::FAINT, "· ", &format!("model {}", word("model")))),
                "api_retry" => {
                    let number = |key: &str| message[key].as_u64().unwrap_or(0);
                    let (attempt, of) = (number("attempt"), number("max_retries"));
                    let text = format!(
                        "the API fails; trying again ({attempt} of {of}) {}",
                        word("error")
                    );
                    Some(self.line(style::CAREFUL, "· ", text.trim_end()))
                }
                other => Some(self.line(style::FAINT, "· ", other)),
            },
            // Pieces of messages that come whole, too.
            "stream_event" => None,
            other => Some(self.line(style::FAINT, "· ", other)),
        }
    }

    fn part(&self, part: &Value) -> Option<String> {
        match part["type"].as_str()? {
            "text" => Some(self.text(Style::new(), part["text"].as_str()?)),
            "thinking" => {
                let text = part["thinking"].as_str()?.trim();
                (!text.is_empty()).then(|| self.text(style::FAINT, text))
            }
            "tool_use" => Some(self.tool(part)),
            "tool_result" => Some(self.answer(part)),
            _ => None,
        }
    }

    fn tool(&self, part: &Value) -> String {
        let name = part["name"].as_str().unwrap_or("?");
        let input = &part["input"];
        let keys = [
            "command",
            "file_path",
            "path",
            "pattern",
            "query",
            "url",
            "description",
            "prompt",
        ];
        let on = keys.iter().find_map(|key| input[*key].as_str());
        let on = on.map_or_else(
            || match input {
                Value::Null => String::new(),
                input => input.to_string(),
            },
            str::to_owned,
        );
        let label = format!("{} ", paint(style::NAME, format!("→ {}", printable(name))));
        wrap(&label, &few(&on), self.columns)
    }

    fn answer(&self, part: &Value) -> String {
        let text = match &part["content"] {
            Value::String(text) => text.clone(),
            Value::Array(parts) => {
                let texts = parts.iter().filter_map(|part| part["text"].as_str());
                texts.collect::<Vec<_>>().join("\n")
            }
            _ => String::new(),
        };
        let (style, text) = match part["is_error"].as_bool() {
            Some(true) => (style::BAD, text),
            _ => (style::FAINT, text),
        };
        let text = match text.trim_end() {
            "" => "(nothing)",
            text => text,
        };
        let lines: Vec<_> = few(text)
            .lines()
            .map(|line| self.line(style, "  │ ", line))
            .collect();
        lines.join("\n")
    }

    fn result(&self, message: &Value) -> String {
        let failed = message["is_error"].as_bool() == Some(true);
        let mut said = vec![if failed { "it failed" } else { "it is done" }.to_owned()];
        if let Some(turns) = message["num_turns"].as_u64() {
            said.push(format!("{turns} turns"));
        }
        if let Some(cost) = message["total_cost_usd"].as_f64() {
            said.push(format!("{} USD", time::dollars(cost)));
        }
        if let Some(took) = message["duration_ms"].as_i64() {
            said.push(time::span(took / 1000));
        }
        let style = if failed { style::BAD } else { style::GOOD };
        let line = self.line(style, "· ", &said.join(", "));
        // Done, its last words were shown already.
        match message["result"].as_str().filter(|_| failed) {
            Some(text) => format!("{line}\n{}", self.text(style::BAD, text)),
            None => line,
        }
    }

    /// One line; more than fits is wrapped behind the mark.
    fn line(&self, style: Style, mark: &str, text: &str) -> String {
        paint_lines(style, &wrap(mark, &clean(text), self.columns))
    }

    /// Paragraphs.
    fn text(&self, style: Style, text: &str) -> String {
        let lines: Vec<_> = text.trim_end().lines().map(clean).collect();
        paint_lines(style, &wrap("", &lines.join("\n"), self.columns))
    }
}

fn paint_lines(style: Style, text: &str) -> String {
    if style == Style::new() {
        return text.to_owned();
    }
    let lines: Vec<_> = text.lines().map(|line| paint(style, line)).collect();
    lines.join("\n")
}

/// A line that is a message of an agent.
fn message(line: &str) -> Option<Value> {
    if !line.starts_with('{') {
        return None;
    }
    let value: Value = serde_json::from_str(line).ok()?;
    value["type"].is_string().then_some(value)
}

/// The first lines, made printable, and how many more there are.
fn few(text: &str) -> String {
    let count = text.lines().count();
    let mut lines: Vec<String> = text.lines().take(FEW).map(clean).collect();
    if count > FEW {
        lines.push(format!("… {} more lines", count - FEW));
    }
    lines.join("\n")
}

/// A line as a terminal would leave it: without colours and cursor movements, and without what was
/// overwritten from its start.
fn clean(line: &str) -> String {
    let plain = anstream::adapter::strip_str(line).to_string();
    let last = plain.trim_end_matches('\r').rsplit('\r').next();
    let mut shown = String::new();
    for c in last.unwrap_or_default().chars() {
        match c {
            '\t' => shown.push_str(TAB),
            c if is_invisible(c) => shown.extend(c.escape_default()),
            c if c.is_control() => {}
            c => shown.push(c),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ui::text::width;

    /// As claude says it, shortened.
    const STREAM: &str = r#"{"type":"system","subtype":"init","session_id":"s","model":"claude-sonnet-4-5","tools":["Bash","Edit"]}
{"type":"assistant","message":{"role":"assistant","content":[{"type":"thinking","thinking":"Where is it?\n","signature":"x"}]}}
{"type":"assistant","message":{"role":"assistant","content":[{"type":"text","text":"I'll look at the markers first, oldest first, and run the tests before I change anything at all."},{"type":"tool_use","id":"t1","name":"Bash","input":{"command":"git status --short\nls","description":"Look"}}]}}
{"type":"user","message":{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":"1\n2\n3\n4\n5\n6\n7\n8\n","is_error":false}]}}
{"type":"assistant","message":{"role":"assistant","content":[{"type":"tool_use","id":"t2","name":"Edit","input":{"file_path":"src/a.py","old_string":"x","new_string":"y"}},{"type":"tool_use","id":"t3","name":"TodoWrite","input":{"todos":[1]}}]}}
{"type":"user","message":{"role":"user","content":[{"type":"tool_result","tool_use_id":"t2","content":[{"type":"text","text":"\u001b[31mno such file\u001b[0m"}],"is_error":true}]}}
{"type":"system","subtype":"api_retry","attempt":2,"max_retries":10,"error":"overloaded"}
{"type":"stream_event","event":{}}
not json, from another program
{"half a message
{"type":"result","subtype":"success","is_error":false,"duration_ms":65000,"num_turns":4,"result":"Done.","total_cost_usd":0.4242}
{"type":"result","subtype":"error_max_turns","is_error":true,"num_turns":200,"result":"It went on and on."}
"#;

    fn render(text: &str, columns: usize) -> String {
        let mut renderer = Renderer::new(Some(columns));
        let shown = renderer.push(text.as_bytes()) + &renderer.finish();
        anstream::adapter::strip_str(&shown).to_string()
    }

    #[test]
    fn messages_become_text() {
        insta::assert_snapshot!(render(STREAM, 60));
    }

    #[test]
    fn lines_are_cleaned() {
        assert_eq!(
            render(
                "10%\r50%\r100%\r\n\u{1b}]0;title\u{7}a\u{1b}[2Jb\u{8}\tc\u{202e}\nend",
                80
            ),
            "100%\nab    c\\u{202e}\nend\n"
        );
        assert_eq!(render("", 80), "");
        assert_eq!(render("\n\n", 80), "\n\n");
    }

    #[test]
    fn pieces_do_not_matter() {
        let whole = render(STREAM, 60);
        for size in [1, 7, 100] {
            let mut renderer = Renderer::new(Some(60));
            let mut shown = String::new();
            for piece in STREAM.as_bytes().chunks(size) {
                shown += &renderer.push(piece);
            }
            shown += &renderer.finish();
            assert_eq!(anstream::adapter::strip_str(&shown).to_string(), whole);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn nothing_acts_on_the_terminal(text in "([\u{0}-\u{ff}]|\u{1b}\\[[0-9;]*[A-Za-z]|\n|\\{){0,80}", columns in 20_usize..80) {
            for line in render(&text, columns).lines() {
                prop_assert!(!line.chars().any(char::is_control), "{:?}", line);
                prop_assert!(width(line) <= columns, "{:?}", line);
            }
        }
    }
}
