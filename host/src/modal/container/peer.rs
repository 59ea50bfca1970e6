//! Whoever started this program: it does what only Modal's own client can do. Questions go to it
//! on standard output, one JSON document a line, and each is answered by a line on standard input.

use std::io::BufRead;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::ended::Ended;
use crate::error::{Error, Kind};
use crate::names::printable;
use crate::ui::Ui;

/// How long an answer may take: Modal's client tries again for a while when Modal does not answer.
const PATIENCE: Duration = Duration::from_mins(5);

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum PeerError {
    #[error("cannot {0}: whoever started this program is gone")]
    Gone(&'static str),
    #[error("cannot {what}: no answer within {} s", PATIENCE.as_secs())]
    Silent { what: &'static str },
    #[error("cannot {what}: {why}")]
    Refused { what: &'static str, why: String },
}

impl From<PeerError> for Error {
    fn from(error: PeerError) -> Self {
        Self::from_source(Kind::Failed, error)
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "lowercase")]
enum Ask {
    Start,
    Commit,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "lowercase")]
enum Line<'a> {
    Ask(Ask),
    Ended(&'a Ended<'a>),
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Answer {
    Answer(bool),
    Error(String),
}

#[derive(Debug)]
pub(super) struct Peer<'a> {
    ui: &'a Ui,
    answers: Receiver<String>,
}

impl<'a> Peer<'a> {
    pub(super) fn new(ui: &'a Ui) -> Self {
        let (sender, answers) = mpsc::channel();
        // Ends with the process: nothing interrupts who reads.
        thread::spawn(move || {
            for line in std::io::stdin().lock().lines() {
                if line.is_ok_and(|line| sender.send(line).is_ok()) {
                    continue;
                }
                return;
            }
        });
        Self { ui, answers }
    }

    /// Whether the agent may start: no other attempt at this call has asked before.
    pub(super) fn may_start(&self) -> Result<bool, PeerError> {
        self.ask(Ask::Start, "ask whether the agent may start")
    }

    /// Makes everybody see what is on the volume.
    pub(super) fn commit(&self) -> Result<(), PeerError> {
        self.ask(Ask::Commit, "commit the volume").map(drop)
    }

    /// The last line.
    pub(super) fn tell(&self, ended: &Ended) {
        self.say(&Line::Ended(ended));
    }

    fn ask(&self, ask: Ask, what: &'static str) -> Result<bool, PeerError> {
        if !self.say(&Line::Ask(ask)) {
            return Err(PeerError::Gone(what));
        }
        let line = match self.answers.recv_timeout(PATIENCE) {
            Ok(line) => line,
            Err(RecvTimeoutError::Timeout) => return Err(PeerError::Silent { what }),
            Err(RecvTimeoutError::Disconnected) => return Err(PeerError::Gone(what)),
        };
        let why = match serde_json::from_str(&line) {
            Ok(Answer::Answer(answer)) => return Ok(answer),
            Ok(Answer::Error(why)) => printable(&why),
            Err(_) => "the answer makes no sense".to_owned(),
        };
        Err(PeerError::Refused { what, why })
    }

    fn say(&self, line: &Line) -> bool {
        // A `Line` holds nothing that JSON does not know.
        serde_json::to_string(line).is_ok_and(|text| self.ui.stream(&(text + "\n")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_the_protocol() {
        let text = |line: &Line| serde_json::to_string(line).unwrap();
        assert_eq!(text(&Line::Ask(Ask::Start)), r#"{"ask":"start"}"#);
        assert_eq!(text(&Line::Ask(Ask::Commit)), r#"{"ask":"commit"}"#);
        let error = Error::usage("no such repository");
        assert_eq!(
            text(&Line::Ended(&Ended::without_record(&error))),
            r#"{"ended":{"run":null,"outcome":"failed","sentence":"no such repository","exit_code":2}}"#
        );
        let answer = |text: &str| serde_json::from_str::<Answer>(text);
        assert!(matches!(
            answer(r#"{"answer": true}"#),
            Ok(Answer::Answer(true))
        ));
        assert!(matches!(
            answer(r#"{"error": "gone"}"#),
            Ok(Answer::Error(_))
        ));
        assert!(answer("true").is_err());
    }
}
