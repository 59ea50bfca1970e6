//! Requests to Modal, one after the other, in one process.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

use super::{Answer, ModalError};
use crate::names::{printable, printable_lines};
use crate::process::{ProcessError, Running, Stream};

/// The process while it is asked. It ends with this value.
#[derive(Debug)]
pub struct Session {
    running: Running,
    python: PathBuf,
    /// How long it may say nothing.
    patience: Duration,
    /// Modal answered at all.
    connected: bool,
    /// The beginning of an answer.
    pending: Vec<u8>,
}

impl Session {
    pub(super) fn of(running: Running, python: PathBuf, patience: Duration) -> Self {
        Self {
            running,
            python,
            patience,
            connected: false,
            pending: Vec::new(),
        }
    }

    /// Asks, and shows every answer to `hear` as it comes. What went wrong with one app is such an
    /// answer. What takes long says every few seconds that Modal still answers.
    ///
    /// # Errors
    /// Modal cannot be reached, refuses the token, or something else that concerns the whole request:
    /// nothing more can be asked here.
    pub fn ask(&mut self, request: &Value, hear: &mut dyn FnMut(Answer)) -> Result<(), ModalError> {
        self.running.say(format!("{request}\n"));
        loop {
            let (stream, bytes) = match self.running.next(self.patience) {
                Ok(Some(piece)) => piece,
                Ok(None) => return Err(self.ended()),
                Err(ProcessError::Silent { silence, .. }) if self.connected => {
                    return Err(ModalError::Silent(silence));
                }
                Err(ProcessError::Silent { silence, .. }) => {
                    return Err(ModalError::NoAnswer(silence));
                }
                Err(error) => return Err(error.into()),
            };
            if stream == Stream::Stderr {
                continue;
            }
            self.pending.extend_from_slice(&bytes);
            while let Some(end) = self.pending.iter().position(|byte| *byte == b'\n') {
                let line: Vec<_> = self.pending.drain(..=end).collect();
                let Ok(answer) = serde_json::from_slice::<Answer>(&line) else {
                    tracing::warn!(
                        "not understood: {}",
                        printable(&String::from_utf8_lossy(&line))
                    );
                    continue;
                };
                match (answer.event.as_str(), answer.trouble()) {
                    ("connected", _) => self.connected = true,
                    ("done", _) => return Ok(()),
                    (_, Some(trouble)) if answer.app.is_none() => return Err(trouble.into()),
                    _ => hear(answer),
                }
            }
        }
    }

    /// It ended, and was not done.
    fn ended(&mut self) -> ModalError {
        match self.running.finish() {
            Ok(finished) => ModalError::Ended {
                python: self.python.clone(),
                code: finished.code(),
                said: last_lines(&finished.stderr),
            },
            Err(error) => error.into(),
        }
    }
}

/// The end of what a program says before it dies: what it died of.
fn last_lines(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let mut lines: Vec<_> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .rev()
        .take(3)
        .collect();
    lines.reverse();
    printable_lines(&lines.join("\n"))
}
