//! Telling whoever wants to know how a run ended: the last step, which cannot change its outcome.
//!
//! Everything that is told is one JSON document, without secrets. What cannot be told is a warning and
//! an event in the record.

mod mail;
mod post;

use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use crate::advice::{self, Advice};
use crate::config::Config;
use crate::context::{Context, Environment};
use crate::error::with_causes;
use crate::exec::Event;
use crate::plan::PASSED_ON;
use crate::process::{Command, ProcessError, find_on_path};
use crate::record::{Kind, Record, RecordError, Store, Summary};
use crate::redact::Redactor;
use crate::secret::{self, SecretError};

/// How long a command or a mail program may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Beside what every child gets: what desktop notifications need.
const ALSO_PASSED_ON: &[&str] = &[
    "TMPDIR",
    "USER",
    "LOGNAME",
    "SHELL",
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "XDG_RUNTIME_DIR",
    "DBUS_SESSION_BUS_ADDRESS",
];

/// Why somebody could not be told. No variant holds the webhook's URL.
#[derive(Debug, thiserror::Error)]
pub enum NotifyError {
    #[error("cannot run it")]
    Run(#[source] ProcessError),
    #[error("it ended with exit code {code}{said}")]
    Ended { code: i32, said: String },
    #[error("no `sendmail` on PATH, nor in /usr/sbin")]
    NoSendmail,
    #[error(transparent)]
    Secret(#[from] SecretError),
    #[error("the secret {0}, which holds its URL, is not set")]
    NoUrl(String),
    #[error("its URL is neither https nor on this machine")]
    Url,
    #[error("{host} cannot be reached: {reason}")]
    Network { host: String, reason: String },
    #[error("{host} did not answer within {} s", .timeout.as_secs())]
    TimedOut { host: String, timeout: Duration },
    #[error("{host} answers {status}")]
    Refused { host: String, status: u16 },
}

/// What is told, as JSON. Fields are added, never renamed.
#[derive(Debug, Serialize)]
struct Message<'a> {
    version: u32,
    /// One line. Chat services take it from here.
    text: &'a str,
    /// The same, where others look for it.
    content: &'a str,
    run: &'a Summary,
    /// What to type next.
    next: &'a [Advice],
}

/// A message ready to go, without secrets.
struct Letter {
    line: String,
    json: String,
    run: Summary,
    next: Vec<Advice>,
}

/// Tells what became of a run, when the configuration wants that. Never fails: what could not be
/// told is warned of, and noted in the record. To be called when the outcome is written down.
pub fn tell(store: &Store, run_id: &str, redactor: &Redactor, config: &Config, context: &Context) {
    let warn = |text: String| context.ui.warn(redactor.text(&text));
    let record = match wanted(store, run_id, config) {
        Ok(Some(record)) => record,
        Ok(None) => return,
        Err(error) => return warn(format!("nobody is told of run {run_id}: {error}")),
    };
    let letter = Letter::about(&record, store, redactor, context);
    for (how, why) in send(&letter, config, &context.env) {
        let why = redactor.text(&with_causes(&why)).into_owned();
        warn(format!("nobody is told by {how} of run {run_id}: {why}"));
        let event = Event::NotTold {
            how: how.to_owned(),
            why,
        };
        if let Err(error) = store.add_event(run_id, context.clock.now(), &event) {
            tracing::warn!("cannot note it in the record: {error}");
        }
    }
}

/// The run, when somebody wants to hear of it. Rehearsals are nobody's business.
fn wanted(store: &Store, run_id: &str, config: &Config) -> Result<Option<Record>, RecordError> {
    let notify = &config.notify;
    if notify.command.is_empty() && notify.webhook.is_none() && notify.mail.is_empty() {
        return Ok(None);
    }
    let is_wanted = |record: &Record| {
        let word = record.outcome.as_ref().map(crate::exec::Outcome::word);
        record.kind == Kind::Run && notify.on.iter().any(|on| Some(on.as_str()) == word)
    };
    Ok(store.run(run_id)?.filter(is_wanted))
}

impl Letter {
    fn about(record: &Record, store: &Store, redactor: &Redactor, context: &Context) -> Self {
        let run = Summary::of(record, store, context.clock.now());
        let next = advice::of(record, store, context);
        let line = redactor.text(&one_line(&run)).into_owned();
        let message = Message {
            version: 1,
            text: &line,
            content: &line,
            run: &run,
            next: &next,
        };
        // Of plain structs and strings: there is nothing that could not be written.
        let mut document = serde_json::to_value(&message).unwrap_or_default();
        redact(&mut document, redactor);
        Self {
            json: document.to_string(),
            line,
            run,
            next,
        }
    }
}

/// Texts only: a secret of digits must not break a number.
fn redact(value: &mut Value, redactor: &Redactor) {
    match value {
        Value::String(text) => *text = redactor.text(text).into_owned(),
        Value::Array(items) => items.iter_mut().for_each(|item| redact(item, redactor)),
        Value::Object(fields) => fields
            .values_mut()
            .for_each(|field| redact(field, redactor)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// `nightly-fixmes on myorg/myrepo: failed (agent: it ended with exit code 7)`.
fn one_line(run: &Summary) -> String {
    let word = run.outcome.unwrap_or("running");
    let says = run.says.as_deref().unwrap_or_default();
    let line = format!("{} on {}: {word} ({says})", run.changeling, run.repo);
    crate::names::printable(&line)
}

/// By every way that is configured; those that failed, with the reason.
fn send(letter: &Letter, config: &Config, env: &Environment) -> Vec<(&'static str, NotifyError)> {
    let notify = &config.notify;
    let mut failed = Vec::new();
    let mut note = |how, sent: Result<(), NotifyError>| {
        if let Err(error) = sent {
            failed.push((how, error));
        }
    };
    if !notify.command.is_empty() {
        note("command", command(&notify.command, letter, env));
    }
    if let Some(place) = &notify.webhook {
        note("webhook", webhook(place, letter, config, env));
    }
    if !notify.mail.is_empty() {
        note("mail", mail::send(&notify.mail, letter, env));
    }
    failed
}

fn command(argv: &[String], letter: &Letter, env: &Environment) -> Result<(), NotifyError> {
    let [program, options @ ..] = argv else {
        return Ok(());
    };
    let found = env
        .get_os("PATH")
        .filter(|_| !program.contains('/'))
        .and_then(|path| find_on_path(program, path));
    let program = found.map_or_else(|| program.into(), std::ffi::OsString::from);
    let call = Command::new(program)
        .args(options)
        .stdin(letter.json.as_bytes());
    run(call, env)
}

/// Runs a program that is told: own minimal environment, deadline.
fn run(call: Command, env: &Environment) -> Result<(), NotifyError> {
    let mut call = call.timeout(PATIENCE).max_output(64 * 1024);
    for name in PASSED_ON.iter().chain(ALSO_PASSED_ON) {
        if let Some(value) = env.get_os(name) {
            call = call.env(*name, value);
        }
    }
    let finished = call.run().map_err(NotifyError::Run)?;
    if finished.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&finished.stderr);
    let last = said.lines().rev().find(|line| !line.trim().is_empty());
    Err(NotifyError::Ended {
        code: finished.code(),
        said: last.map_or_else(String::new, |line| {
            let line: String = line.trim().chars().take(200).collect();
            format!(": {}", crate::names::printable(&line))
        }),
    })
}

/// `place`: the URL, or the name of the secret that holds it.
fn webhook(
    place: &str,
    letter: &Letter,
    config: &Config,
    env: &Environment,
) -> Result<(), NotifyError> {
    let url = if crate::config::is_variable_name(place) {
        secret::find(place, config, env)?
            .ok_or_else(|| NotifyError::NoUrl(place.to_owned()))?
            .expose()
            .trim()
            .to_owned()
    } else {
        place.to_owned()
    };
    post::post(&url, letter.json.clone())
}

#[cfg(test)]
mod tests;
