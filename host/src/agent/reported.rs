//! What agents report in lines of JSON: `claude -p --output-format stream-json`, `codex exec --json`.

use serde::Deserialize;
use serde_json::Value;

use crate::record::Usage;

/// One line that was understood.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Reported {
    /// A message of the model began or went on; its id, and what it says or does, a line each.
    Turn {
        id: Option<String>,
        lines: Vec<String>,
    },
    /// It does something that is no message.
    Does(String),
    /// The API did not answer as it should, and is asked again.
    Retry { refused: bool, words: String },
    /// The key or login was refused, for good.
    Refused(String),
    /// The last line of all.
    Result {
        usage: Usage,
        failed: bool,
        text: Option<String>,
    },
    /// Part of a report, and of no interest.
    Nothing,
}

/// Inputs of tools that say what is done, the best first.
const TELLING: [&str; 6] = [
    "command",
    "file_path",
    "pattern",
    "url",
    "description",
    "prompt",
];

/// The meaning of a line; `None` when it is no report known here.
pub(super) fn read(line: &str) -> Option<Reported> {
    if !line.starts_with('{') {
        return None;
    }
    let event: Value = serde_json::from_str(line).ok()?;
    Some(match event.get("type")?.as_str()? {
        "assistant" => assistant(&event),
        "system" if text(&event, "subtype") == Some("api_retry") => retry(&event),
        "result" => result(event)?,
        "system" | "user" | "rate_limit_event" | "stream_event" => Reported::Nothing,
        kind => codex(kind, &event)?,
    })
}

fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key)?.as_str()
}

fn assistant(event: &Value) -> Reported {
    let message = event.get("message").unwrap_or(&Value::Null);
    let content = message.get("content").and_then(Value::as_array);
    let content = content.map(Vec::as_slice).unwrap_or_default();
    let lines: Vec<_> = content.iter().filter_map(said_or_done).collect();
    if text(event, "error") == Some("authentication_failed") {
        return Reported::Refused(lines.join(" "));
    }
    Reported::Turn {
        id: text(message, "id").map(str::to_owned),
        lines,
    }
}

fn said_or_done(block: &Value) -> Option<String> {
    match text(block, "type")? {
        "text" => first_line(text(block, "text")?),
        "tool_use" => {
            let name = text(block, "name")?;
            let input = block.get("input")?;
            let what = TELLING.iter().find_map(|key| first_line(text(input, key)?));
            Some(what.map_or_else(|| name.to_owned(), |what| format!("{name}: {what}")))
        }
        _ => None,
    }
}

fn first_line(text: &str) -> Option<String> {
    let line = text.lines().find(|line| !line.trim().is_empty())?;
    Some(line.trim().to_owned())
}

fn retry(event: &Value) -> Reported {
    let number = |key: &str| event.get(key).and_then(Value::as_u64);
    let status = number("error_status");
    let what = match status {
        Some(status) => format!("the API answers {status}"),
        None => "the API does not answer".to_owned(),
    };
    let why = text(event, "error").filter(|error| *error != "unknown");
    let why = why.map_or_else(String::new, |why| format!(" ({why})"));
    let attempt = match (number("attempt"), number("max_retries")) {
        (Some(attempt), Some(most)) => format!("; retry {attempt} of {most}"),
        _ => String::new(),
    };
    Reported::Retry {
        refused: matches!(status, Some(401 | 403)),
        words: format!("{what}{why}{attempt}"),
    }
}

/// The last line of `claude --output-format json` (or `stream-json`).
#[derive(Deserialize)]
struct Ending {
    subtype: Option<String>,
    is_error: Option<bool>,
    total_cost_usd: Option<f64>,
    num_turns: Option<u32>,
    result: Option<String>,
    #[serde(default)]
    errors: Vec<String>,
}

fn result(event: Value) -> Option<Reported> {
    let ending: Ending = serde_json::from_value(event).ok()?;
    // Without an answer of the model, why there is none: `error_max_turns`.
    let why = ending
        .subtype
        .filter(|subtype| subtype.starts_with("error"));
    let why = why.map(|why| {
        let why = why.trim_start_matches("error_").replace('_', " ");
        match ending.errors.first() {
            Some(error) => format!("{why}: {error}"),
            None => why,
        }
    });
    Some(Reported::Result {
        usage: Usage {
            cost_usd: ending.total_cost_usd,
            turns: ending.num_turns,
        },
        failed: ending.is_error == Some(true),
        text: ending.result.or(why),
    })
}

fn codex(kind: &str, event: &Value) -> Option<Reported> {
    let item = event.get("item").unwrap_or(&Value::Null);
    Some(match kind {
        "item.completed" if text(item, "type") == Some("agent_message") => Reported::Turn {
            id: text(item, "id").map(str::to_owned),
            lines: text(item, "text").and_then(last_line).into_iter().collect(),
        },
        "item.started" => match text(item, "command") {
            Some(command) => Reported::Does(first_line(command)?),
            None => Reported::Nothing,
        },
        "turn.failed" => {
            let error = event.get("error").unwrap_or(&Value::Null);
            Reported::Result {
                usage: Usage::default(),
                failed: true,
                text: text(error, "message").map(str::to_owned),
            }
        }
        "error" => Reported::Does(first_line(text(event, "message")?)?),
        "thread.started" | "turn.started" | "turn.completed" | "item.updated"
        | "item.completed" => Reported::Nothing,
        _ => return None,
    })
}

fn last_line(text: &str) -> Option<String> {
    let line = text.lines().rev().find(|line| !line.trim().is_empty())?;
    Some(line.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_agents() {
        let lines = [
            r#"{"type":"system","subtype":"init","tools":["Bash"]}"#,
            r#"{"type":"assistant","message":{"id":"m1","content":[{"type":"text","text":"\nI look.\nMore."},{"type":"tool_use","name":"Bash","input":{"command":"cargo test\n","description":"Tests"}},{"type":"tool_use","name":"TaskList","input":{}}]}}"#,
            r#"{"type":"user","message":{"content":[{"type":"tool_result","content":"ok"}]}}"#,
            r#"{"type":"system","subtype":"api_retry","attempt":2,"max_retries":10,"error_status":401,"error":"authentication_failed"}"#,
            r#"{"type":"system","subtype":"api_retry","attempt":1,"max_retries":10,"error_status":null,"error":"unknown"}"#,
            r#"{"type":"assistant","message":{"id":"x","content":[{"type":"text","text":"Not logged in"}]},"error":"authentication_failed"}"#,
            r#"{"type":"result","subtype":"success","is_error":false,"total_cost_usd":0.5,"num_turns":3,"result":"Fixed.\nDone."}"#,
            r#"{"type":"result","subtype":"error_max_turns","is_error":true,"num_turns":6,"errors":["Reached maximum number of turns (5)"]}"#,
            r#"{"type":"thread.started","thread_id":"t"}"#,
            r#"{"type":"item.started","item":{"id":"i1","type":"command_execution","command":"bash -lc ls"}}"#,
            r#"{"type":"item.completed","item":{"id":"i2","type":"agent_message","text":"I did it.\n\nAll green.\n"}}"#,
            r#"{"type":"turn.completed","usage":{"input_tokens":1}}"#,
            r#"{"type":"error","message":"stream disconnected"}"#,
            r#"{"type":"turn.failed","error":{"message":"401 Unauthorized"}}"#,
            r#"{"type":"something-else"}"#,
            r#"{"level":"info"}"#,
            "{broken",
            "plain",
        ];
        let read: Vec<_> = lines
            .iter()
            .map(|line| format!("{line}\n  {:?}", read(line)))
            .collect();
        insta::assert_snapshot!(read.join("\n"));
    }
}
