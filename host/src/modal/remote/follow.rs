//! Starting runs at Modal, and following them to their end.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::fetch::Look;
use super::{Fetched, RUN, Status, Wanted};
use crate::error::{Error, Kind, Result};
use crate::modal::client::{Answer, Client};
use crate::names::printable_lines;
use crate::record::Store;

/// What happens meanwhile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News<'a> {
    /// Modal has taken the call for a repository.
    Asked {
        target: usize,
        call: &'a str,
    },
    /// A piece of the log: not always whole lines.
    Said {
        call: &'a str,
        text: &'a str,
    },
    /// Modal has not answered for so many seconds; it is asked again.
    Silent(u64),
    /// The log cannot be read any more; the end will still be told.
    LogLost(&'a str),
    Ended(&'a Ended),
}

/// How Modal says a call ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    pub call: String,
    pub status: Status,
    /// Of what was raised there, printable.
    pub message: Option<String>,
}

/// What was learnt.
#[derive(Debug, Default)]
pub struct Followed {
    /// By repository: its place in the deployment, and the call.
    pub asked: Vec<(usize, String)>,
    pub ended: Vec<Ended>,
    pub fetched: Fetched,
    /// Why the end was not seen. The runs go on.
    pub lost: Option<Error>,
}

/// Asks for a run of each of these repositories; unless `detach`, follows them to their end and takes
/// their records into the history.
///
/// # Errors
/// No run was asked for. After that, what goes wrong is `lost`.
pub fn spawn(
    client: &Client,
    wanted: &Wanted,
    targets: &[usize],
    detach: bool,
    store: &Store,
    at: Timestamp,
    hear: &mut dyn FnMut(News),
) -> Result<Followed> {
    let calls: Vec<_> = targets
        .iter()
        .map(|target| json!({"target": target, "by": "hand"}))
        .collect();
    let look = Look::new(*wanted, store, at)?;
    let request = json!({
        "op": "spawn",
        "environment": wanted.environment,
        "app": wanted.app,
        "function": RUN,
        "calls": calls,
        "follow": !detach,
        "look": look.request(),
    });
    ask(client, &request, look, hear)
}

/// Follows calls, from what they said since `since`, to their end.
///
/// # Errors
/// Modal cannot be asked at all.
pub fn follow(
    client: &Client,
    wanted: &Wanted,
    calls: &[&str],
    since: Timestamp,
    store: &Store,
    at: Timestamp,
    hear: &mut dyn FnMut(News),
) -> Result<Followed> {
    let look = Look::new(*wanted, store, at)?;
    let request = json!({
        "op": "follow",
        "environment": wanted.environment,
        "app": wanted.app,
        "function": RUN,
        "calls": calls,
        "since": since,
        "look": look.request(),
    });
    ask(client, &request, look, hear)
}

/// What was said in a call that is over.
///
/// # Errors
/// Modal cannot be asked, or does not know it.
pub fn log(
    client: &Client,
    wanted: &Wanted,
    call: &str,
    since: Timestamp,
    hear: &mut dyn FnMut(&str),
) -> Result<()> {
    let request = json!({
        "op": "logs",
        "environment": wanted.environment,
        "app": wanted.app,
        "function": RUN,
        "calls": [call],
        "since": since,
    });
    client.call(&request, &mut |answer| {
        if answer.event == "log"
            && let Some(text) = answer.text("text")
        {
            hear(text);
        }
    })?;
    Ok(())
}

fn ask(
    client: &Client,
    request: &Value,
    mut look: Look,
    hear: &mut dyn FnMut(News),
) -> Result<Followed> {
    let mut followed = Followed::default();
    let mut failed = Ok(());
    let mut looked = false;
    let wanted = look.wanted;
    let is_spawn = request["op"] == "spawn";
    let mut is_calling = false;
    let asked = client.call(request, &mut |answer| {
        if let Some(trouble) = answer.trouble() {
            if failed.is_ok() {
                failed = Err(about(trouble.into(), wanted));
            }
            return;
        }
        is_calling |= answer.event == "calling";
        match look.hear(&answer) {
            Ok(true) => looked |= answer.event == "looked",
            Ok(false) => followed.hear(&answer, hear),
            Err(error) if failed.is_ok() => failed = Err(error),
            Err(_) => {}
        }
    });
    let outcome = match asked {
        Ok(()) => failed,
        Err(error) if error.is_silence() && is_calling && followed.asked.is_empty() => {
            let look = format!(
                "whether Modal took the call: changeling status {}",
                wanted.changeling
            );
            Err(Error::from(error).with_hint(look))
        }
        Err(error) => Err(about(error.into(), wanted)),
    };
    if looked {
        look.finish(&mut followed.fetched)?;
    }
    match outcome {
        Ok(()) => {}
        // Nothing was begun: it is an error like any other.
        Err(error) if followed.asked.is_empty() && is_spawn => return Err(error),
        Err(error) => followed.lost = Some(error),
    }
    Ok(followed)
}

/// Hints speak of NAME where they do not know whom they are about.
fn about(error: Error, wanted: Wanted) -> Error {
    Error {
        hint: error
            .hint
            .map(|hint| hint.replace("NAME", wanted.changeling.as_str())),
        ..error
    }
}

impl Followed {
    fn hear(&mut self, answer: &Answer, hear: &mut dyn FnMut(News)) {
        let number = |name: &str| answer.fields.get(name).and_then(Value::as_u64);
        let call = answer.text("call").unwrap_or_default();
        match answer.event.as_str() {
            "spawned" => {
                let target = answer.fields.get("arguments").map(|given| &given["target"]);
                let target = target.and_then(Value::as_u64).unwrap_or_default();
                let target = usize::try_from(target).unwrap_or_default();
                self.asked.push((target, call.to_owned()));
                hear(News::Asked { target, call });
            }
            "log" => hear(News::Said {
                call,
                text: answer.text("text").unwrap_or_default(),
            }),
            "log-lost" => hear(News::LogLost(call)),
            "silent" => hear(News::Silent(number("seconds").unwrap_or_default())),
            "ended" => {
                let status = answer.fields.get("status").cloned().unwrap_or_default();
                let ended = Ended {
                    call: call.to_owned(),
                    status: serde_json::from_value(status).unwrap_or(Status::Unknown),
                    message: answer.text("message").map(printable_lines),
                };
                hear(News::Ended(&ended));
                self.ended.push(ended);
            }
            _ => {}
        }
    }

    /// A person wanted the end of the looking.
    pub fn is_interrupted(&self) -> bool {
        let kind = self.lost.as_ref().map(|error| error.kind);
        kind == Some(Kind::Interrupted)
    }
}
