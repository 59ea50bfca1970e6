//! What happened during a run, line by line.

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::names::printable;
use crate::record::Happened;
use crate::schedule::Zone;
use crate::ui::style::{self, paint};
use crate::ui::time;

/// Longest argument list shown, in characters.
const MAX_ARGV: usize = 200;

/// Times on the left, words on the right. What a newer program wrote is shown field by field.
pub(super) fn lines(events: &[Happened], zone: &Zone) -> Vec<(String, String)> {
    let mut lines = Vec::new();
    let mut within = false;
    for (index, happened) in events.iter().enumerate() {
        let text = |key: &str| field(&happened.fields, key);
        let words = match happened.word() {
            "step-started" => {
                within = true;
                let step = text("step");
                let took = took(&step, happened.at, &events[index..]);
                format!("{}{took}", paint(style::HEADING, step))
            }
            "step-ended" => {
                within = false;
                continue;
            }
            word => {
                let words = words(word, &happened.fields);
                // What happens within a step stands below it.
                if within && word != "ended" {
                    format!("  {words}")
                } else {
                    words
                }
            }
        };
        let at = happened.at.to_zoned(zone.time_zone().clone());
        lines.push((at.strftime("%H:%M:%S").to_string(), words));
    }
    lines
}

/// How long a step took, when that is worth telling, or that it did not end.
fn took(step: &str, started: Timestamp, events: &[Happened]) -> String {
    let ended = events
        .iter()
        .find(|later| later.word() == "step-ended" && field(&later.fields, "step") == step);
    let took = match ended {
        Some(ended) => {
            let took = ended.at.duration_since(started);
            match took.as_millis() {
                ..100 => return String::new(),
                100..10_000 => format!("{:.1} s", took.as_secs_f64()),
                _ => time::span(took.as_secs()),
            }
        }
        // The last step writes the outcome down, which ends everything.
        None if step == "record" => return String::new(),
        None => "did not end".to_owned(),
    };
    format!("  {}", paint(style::FAINT, took))
}

fn words(word: &str, fields: &Map<String, Value>) -> String {
    let text = |key: &str| field(fields, key);
    let count = |key: &str, one: &str, many: &str| {
        let count = fields.get(key).and_then(Value::as_u64).unwrap_or(0);
        format!("{count} {}", if count == 1 { one } else { many })
    };
    match word {
        "note" => text("message"),
        "agent-started" => {
            let argv: Vec<&str> = fields
                .get("argv")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .collect();
            let mut line = printable(&shell_words::join(argv));
            if let Some((end, _)) = line.char_indices().nth(MAX_ARGV) {
                line.truncate(end);
                line.push('…');
            }
            line
        }
        "agent-ended" => {
            let seconds = fields.get("seconds").and_then(Value::as_i64).unwrap_or(0);
            let took = time::span(seconds);
            match fields.get("exit").and_then(Value::as_i64) {
                Some(code) => format!("ended with exit code {code} after {took}"),
                None => format!("was ended after {took}"),
            }
        }
        "processes-left" => paint(
            style::BAD,
            format!(
                "{} could not be ended",
                count("count", "process", "processes")
            ),
        ),
        "collected" => {
            let rest = match fields.get("uncommitted").and_then(Value::as_bool) {
                Some(true) => ", and work it did not commit",
                _ => "",
            };
            let commits = count("commits", "commit", "commits");
            format!("{commits}, {}{rest}", count("files", "file", "files"))
        }
        "pushing" => format!("pushing {}", text("branch")),
        "pushed" => {
            let commit = text("commit");
            let commit = commit.get(..12).unwrap_or(&commit).to_owned();
            format!("pushed {} at {commit}", text("branch"))
        }
        "pull-request" => format!("pull request {}: {}", text("action"), text("url")),
        "issue-opened" => format!("issue opened: {}", text("url")),
        "salvaged" => format!(
            "taken out of the workspace after it died: {}",
            count("commits", "commit", "commits")
        ),
        "ended" => {
            let outcome = fields.get("outcome").and_then(Value::as_object);
            let word = outcome.map(|outcome| field(outcome, "outcome"));
            format!("ended: {}", word.unwrap_or_default())
        }
        "not-told" => paint(
            style::CAREFUL,
            format!("nobody was told by {}: {}", text("how"), text("why")),
        ),
        word => {
            let fields = fields.iter().filter(|(key, _)| *key != "event");
            let fields: Vec<_> = fields
                .map(|(key, _)| format!("{} {}", printable(key), text(key)))
                .collect();
            let word = printable(word);
            if fields.is_empty() {
                word
            } else {
                format!("{word}: {}", fields.join(", "))
            }
        }
    }
}

/// A field as text: its own when it is one, else JSON.
fn field(fields: &Map<String, Value>, key: &str) -> String {
    match fields.get(key) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => printable(text),
        Some(value) => printable(&value.to_string()),
    }
}
