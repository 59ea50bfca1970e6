//! A model of the test's own, on this machine: the Messages API as the real claude speaks it, with an
//! answer for each turn that the test wrote down, so that the real claude really edits and commits.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::{Value, json};

use crate::http::{Reply, Request, Server};

/// What a claude of a test is given as its key.
pub const KEY: &str = "sk-ant-api03-of-a-test-0123456789abcdefghijklmnopqrstuvwxyz";

/// The server; ends with the test.
#[derive(Debug)]
pub struct Anthropic {
    server: Server,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    /// Turns for conversations whose first message holds a text, the last given first.
    scripts: Vec<(String, Vec<Turn>)>,
    /// What is answered instead, how many times.
    faults: Vec<(Reply, usize)>,
    asked: Vec<Request>,
}

/// What the model says at once.
#[derive(Debug, Clone, Default)]
pub struct Turn {
    text: String,
    calls: Vec<(&'static str, Value)>,
}

impl Turn {
    /// A FIXME that is fixed: in `app.py`, in one commit, with a summary.
    pub fn rounds_the_total() -> Vec<Self> {
        vec![
            Self::read("app.py"),
            Self::edit(
                "app.py",
                "    # FIXME: rounds the wrong way\n    return sum(items)",
                "    return round(sum(items), 2)",
            ),
            Self::bash(
                "git commit -qam 'Round the total' && echo 'Rounded it.' > \"$CHANGELING_SUMMARY\"",
            ),
            Self::say("The total is rounded now."),
        ]
    }

    /// Words, and the end of the work when no call of a tool follows.
    pub fn say(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            calls: Vec::new(),
        }
    }

    /// Runs a shell command in the workspace.
    pub fn bash(command: &str) -> Self {
        Self::call(
            "Bash",
            json!({ "command": command, "description": "Works" }),
        )
    }

    /// Writes a file of the workspace.
    pub fn write(path: &str, content: &str) -> Self {
        Self::call(
            "Write",
            json!({ "file_path": format!("{CWD}/{path}"), "content": content }),
        )
    }

    /// Reads a file of the workspace, as one must before an edit.
    pub fn read(path: &str) -> Self {
        Self::call("Read", json!({ "file_path": format!("{CWD}/{path}") }))
    }

    /// Replaces a text in a file of the workspace.
    pub fn edit(path: &str, old: &str, new: &str) -> Self {
        let input =
            json!({ "file_path": format!("{CWD}/{path}"), "old_string": old, "new_string": new });
        Self::call("Edit", input)
    }

    fn call(tool: &'static str, input: Value) -> Self {
        Self {
            text: String::new(),
            calls: vec![(tool, input)],
        }
    }
}

/// Stands for the folder claude works in, which it tells the model.
const CWD: &str = "{cwd}";

impl Anthropic {
    /// Takes these turns in every conversation, then says it is done.
    pub fn with(turns: Vec<Turn>) -> Self {
        let state = State {
            scripts: vec![(String::new(), turns)],
            ..State::default()
        };
        let state = Arc::new(Mutex::new(state));
        let asked = Arc::clone(&state);
        let server = Server::start(move |request| answer(request, &asked));
        Self { server, state }
    }

    /// Takes these turns in conversations whose first message holds a text.
    pub fn when(&self, text: &str, turns: Vec<Turn>) {
        self.lock().scripts.insert(0, (text.to_owned(), turns));
    }

    /// Answers the next requests for a message with an error of the API, that many times.
    pub fn fails(&self, status: u16, kind: &str, message: &str, times: usize) {
        self.answers(error(status, kind, message), times);
    }

    /// Answers the next requests for a message this way, that many times.
    pub fn answers(&self, reply: Reply, times: usize) {
        self.lock().faults.push((reply, times));
    }

    /// For `ANTHROPIC_BASE_URL`.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Requests so far, whatever they were for.
    pub fn asked(&self) -> Vec<Request> {
        self.lock().asked.clone()
    }

    /// First messages of the conversations that work was done in, each once, in their order.
    pub fn prompts(&self) -> Vec<String> {
        let mut prompts = Vec::new();
        for request in self.asked() {
            let body = request.json();
            if request.path == "/v1/messages" && works(&body) {
                let prompt = first_message(&body);
                if !prompts.contains(&prompt) {
                    prompts.push(prompt);
                }
            }
        }
        prompts
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing panics with it")
    }
}

fn answer(request: &Request, state: &Mutex<State>) -> Reply {
    let mut state = state.lock().expect("nothing panics with it");
    state.asked.push(request.clone());
    match (request.method.as_str(), request.path.as_str()) {
        ("POST", "/v1/messages") => message(request, &mut state),
        ("POST", "/v1/messages/count_tokens") => {
            Reply::json(200, &json!({ "input_tokens": 1_000 }))
        }
        ("HEAD", _) => Reply::new(200, "text/plain", ""),
        _ => error(404, "not_found_error", "not found"),
    }
}

fn message(request: &Request, state: &mut State) -> Reply {
    let bearer = format!("Bearer {KEY}");
    if request.header("x-api-key") != Some(KEY) && request.authorization() != bearer {
        return error(401, "authentication_error", "invalid x-api-key");
    }
    state.faults.retain(|(_, times)| *times > 0);
    if let Some((reply, times)) = state.faults.first_mut() {
        *times -= 1;
        return reply.clone();
    }
    let body = request.json();
    let first = first_message(&body);
    let script = state.scripts.iter().find(|(text, _)| first.contains(text));
    // What was answered before is in every request: asking again changes nothing.
    let messages = body["messages"].as_array().into_iter().flatten();
    let turn = messages
        .filter(|message| message["role"] == "assistant")
        .count();
    let turn = script
        .filter(|_| works(&body))
        .and_then(|(_, turns)| turns.get(turn).cloned());
    let turn = turn.unwrap_or_else(|| Turn::say("Done."));
    let content = content(&turn, &body, state.asked.len());
    let stop = if turn.calls.is_empty() {
        "end_turn"
    } else {
        "tool_use"
    };
    let whole = json!({
        "id": format!("msg_{:04}", state.asked.len()),
        "type": "message",
        "role": "assistant",
        "model": body["model"],
        "content": content,
        "stop_reason": stop,
        "stop_sequence": null,
        "usage": { "input_tokens": 1_000, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0,
                   "output_tokens": 100 },
    });
    if body["stream"] == true {
        stream(&whole)
    } else {
        Reply::json(200, &whole)
    }
}

/// A conversation with tools is the work itself; without, it is about a title or the like.
fn works(body: &Value) -> bool {
    body["tools"]
        .as_array()
        .is_some_and(|tools| !tools.is_empty())
}

fn first_message(body: &Value) -> String {
    let content = &body["messages"][0]["content"];
    let parts = content.as_array().into_iter().flatten();
    let parts: Vec<_> = parts.filter_map(|part| part["text"].as_str()).collect();
    content
        .as_str()
        .map_or_else(|| parts.join("\n"), ToOwned::to_owned)
}

fn content(turn: &Turn, body: &Value, request: usize) -> Vec<Value> {
    let mut content = Vec::new();
    if !turn.text.is_empty() {
        content.push(json!({ "type": "text", "text": turn.text }));
    }
    for (index, (tool, input)) in turn.calls.iter().enumerate() {
        let mut input = input.clone();
        if let Some(path) = input["file_path"].as_str() {
            input["file_path"] = path.replace(CWD, &working_folder(body)).into();
        }
        let id = format!("toolu_{request:04}_{index}");
        content.push(json!({ "type": "tool_use", "id": id, "name": tool, "input": input }));
    }
    content
}

/// Claude tells it among other facts: `Primary working directory: /...`.
fn working_folder(body: &Value) -> String {
    const LABEL: &str = "orking directory: ";
    let mut texts = vec![&body["system"], &body["messages"]];
    while let Some(value) = texts.pop() {
        match value {
            Value::String(text) => {
                if let Some((_, rest)) = text.split_once(LABEL) {
                    return rest.lines().next().unwrap_or_default().trim().to_owned();
                }
            }
            Value::Array(values) => texts.extend(values),
            Value::Object(fields) => texts.extend(fields.values()),
            _ => {}
        }
    }
    ".".to_owned()
}

/// The same message, piece by piece, as server-sent events.
fn stream(whole: &Value) -> Reply {
    let mut events = String::new();
    let mut send = |name: &str, mut data: Value| {
        data["type"] = name.into();
        let _ = write!(events, "event: {name}\ndata: {data}\n\n");
    };
    let mut begun = whole.clone();
    begun["content"] = json!([]);
    begun["stop_reason"] = Value::Null;
    send("message_start", json!({ "message": begun }));
    for (index, block) in whole["content"]
        .as_array()
        .into_iter()
        .flatten()
        .enumerate()
    {
        let mut empty = block.clone();
        let delta = if block["type"] == "text" {
            empty["text"] = "".into();
            json!({ "type": "text_delta", "text": block["text"] })
        } else {
            empty["input"] = json!({});
            json!({ "type": "input_json_delta", "partial_json": block["input"].to_string() })
        };
        send(
            "content_block_start",
            json!({ "index": index, "content_block": empty }),
        );
        send(
            "content_block_delta",
            json!({ "index": index, "delta": delta }),
        );
        send("content_block_stop", json!({ "index": index }));
    }
    let delta = json!({ "stop_reason": whole["stop_reason"], "stop_sequence": null });
    send(
        "message_delta",
        json!({ "delta": delta, "usage": whole["usage"] }),
    );
    send("message_stop", json!({}));
    Reply::new(200, "text/event-stream", events)
}

fn error(status: u16, kind: &str, message: &str) -> Reply {
    let error = json!({ "type": kind, "message": message });
    Reply::json(status, &json!({ "type": "error", "error": error }))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{ADA, Output, TestEnv, tools};

    fn claude(env: &TestEnv, api: &Anthropic) -> Option<Output> {
        let claude = tools::claude()?;
        let repo = env.repo("shop");
        repo.write("app.py", "total = 1\n");
        repo.commit(ADA, "2025-01-10", "Begin");
        let call = env
            .external(
                claude,
                [
                    "-p",
                    "--output-format",
                    "stream-json",
                    "--verbose",
                    "--dangerously-skip-permissions",
                ],
            )
            .dir(repo.path())
            .stdin("Mend the total.")
            .env("IS_SANDBOX", "1")
            .env("ANTHROPIC_BASE_URL", api.url())
            .env("ANTHROPIC_API_KEY", KEY)
            .env("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1")
            .env("DISABLE_AUTOUPDATER", "1");
        Some(call.patience(Duration::from_mins(3)).run())
    }

    fn result(output: &Output) -> Value {
        let last = output.stdout.lines().next_back().expect("a last line");
        serde_json::from_str(last).expect("JSON lines")
    }

    #[test]
    fn the_real_claude_edits_and_commits() {
        let env = TestEnv::untouched();
        let api = Anthropic::with(vec![
            Turn::read("app.py"),
            Turn::edit("app.py", "total = 1", "total = 2"),
            Turn::write("b.txt", "new\n"),
            Turn::bash(
                "git add -A && git -c user.name=x -c user.email=x@y commit -qm 'Mend the total'",
            ),
            Turn::say("It is mended."),
        ]);
        let Some(output) = claude(&env, &api) else {
            return;
        };
        let output = output.success();
        let result = result(&output);
        assert_eq!(
            (&result["is_error"], &result["result"]),
            (&json!(false), &json!("It is mended."))
        );
        assert!(
            result["total_cost_usd"]
                .as_f64()
                .is_some_and(|cost| cost > 0.0),
            "{result}"
        );
        let log = env
            .external("git", ["log", "-1", "-p", "--format=%s"])
            .dir(env.root().join("repos/shop"))
            .run();
        assert!(
            log.stdout.contains("Mend the total") && log.stdout.contains("+total = 2"),
            "{log}"
        );
        assert!(log.stdout.contains("b/b.txt"), "{log}");
        assert_eq!(api.prompts().len(), 1);
        assert!(api.prompts()[0].contains("Mend the total."));
    }

    #[test]
    fn an_overload_is_overcome() {
        let env = TestEnv::untouched();
        let api = Anthropic::with(vec![Turn::say("Nothing to do.")]);
        api.fails(529, "overloaded_error", "Overloaded", 1);
        let Some(output) = claude(&env, &api) else {
            return;
        };
        assert_eq!(result(&output.success())["result"], "Nothing to do.");
        assert!(api.asked().len() > 1);
    }
}
