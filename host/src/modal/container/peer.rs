//! Whoever started this program: it does what only Modal's own client can do. Questions go to it
//! on standard output, one JSON document a line, and each is answered by a line on standard input.
//! They are numbered: an answer that comes when nobody waits for it any more is no answer to the next.

use std::cell::Cell;
use std::io::BufRead;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

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
#[serde(untagged)]
enum Line<'a> {
    Question { ask: Ask, number: u32 },
    End { ended: &'a Ended<'a> },
}

#[derive(Debug, Deserialize)]
struct Reply {
    /// Of the question.
    number: u32,
    #[serde(flatten)]
    answer: Answer,
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
    /// Of the last question.
    number: Cell<u32>,
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
        Self {
            ui,
            answers,
            number: Cell::new(0),
        }
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
        self.say(&Line::End { ended });
    }

    fn ask(&self, ask: Ask, what: &'static str) -> Result<bool, PeerError> {
        let number = self.number.get() + 1;
        self.number.set(number);
        if !self.say(&Line::Question { ask, number }) {
            return Err(PeerError::Gone(what));
        }
        wait_for(number, &self.answers, what, PATIENCE)
    }

    fn say(&self, line: &Line) -> bool {
        // A `Line` holds nothing that JSON does not know.
        serde_json::to_string(line).is_ok_and(|text| self.ui.stream(&(text + "\n")))
    }
}

/// The answer to the question of this number.
fn wait_for(
    number: u32,
    answers: &Receiver<String>,
    what: &'static str,
    patience: Duration,
) -> Result<bool, PeerError> {
    let until = Instant::now() + patience;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let line = match answers.recv_timeout(left) {
            Ok(line) => line,
            Err(RecvTimeoutError::Timeout) => return Err(PeerError::Silent { what }),
            Err(RecvTimeoutError::Disconnected) => return Err(PeerError::Gone(what)),
        };
        let why = match serde_json::from_str(&line) {
            // To a question that was given up.
            Ok(Reply { number: other, .. }) if other < number => continue,
            Ok(Reply {
                number: own,
                answer,
            }) if own == number => match answer {
                Answer::Answer(answer) => return Ok(answer),
                Answer::Error(why) => printable(&why),
            },
            _ => "the answer makes no sense".to_owned(),
        };
        return Err(PeerError::Refused { what, why });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_the_protocol() {
        let text = |line: &Line| serde_json::to_string(line).unwrap();
        let ask = |ask, number| text(&Line::Question { ask, number });
        assert_eq!(ask(Ask::Start, 2), r#"{"ask":"start","number":2}"#);
        assert_eq!(ask(Ask::Commit, 3), r#"{"ask":"commit","number":3}"#);
        let error = Error::usage("no such repository");
        let ended = &Ended::without_record(&error);
        assert_eq!(
            text(&Line::End { ended }),
            r#"{"ended":{"run":null,"outcome":"failed","sentence":"no such repository","exit_code":2}}"#
        );
    }

    #[test]
    fn an_answer_belongs_to_its_question() {
        let (sender, answers) = mpsc::channel();
        let hear = |lines: &[&str]| {
            for line in lines {
                sender.send((*line).to_owned()).unwrap();
            }
            wait_for(2, &answers, "ask", Duration::from_millis(20)).map_err(|e| e.to_string())
        };
        let no = |why: &str| Err(format!("cannot ask: {why}"));
        assert_eq!(hear(&[r#"{"number": 2, "answer": true}"#]), Ok(true));
        // The first question was given up before this came.
        let late = r#"{"number": 1, "answer": true}"#;
        assert_eq!(
            hear(&[late, r#"{"number": 2, "answer": false}"#]),
            Ok(false)
        );
        assert_eq!(
            hear(&[late, r#"{"number": 2, "error": "gone"}"#]),
            no("gone")
        );
        assert!(hear(&[late]).unwrap_err().contains("no answer within"));
        for strange in ["true", r#"{"answer": true}"#, r#"{"number": 2}"#] {
            assert_eq!(hear(&[strange]), no("the answer makes no sense"));
        }
        assert!(hear(&[r#"{"number": 3, "answer": true}"#]).is_err());
        drop(sender);
        assert!(matches!(
            wait_for(2, &answers, "ask", PATIENCE),
            Err(PeerError::Gone("ask"))
        ));
    }
}
