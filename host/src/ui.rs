//! The only place that prints. Standard output is data, standard error is messages.
//!
//! What is printed is made by pure functions (`table`, `block`, `text`), as text with styles;
//! `anstream` drops the styles where they do not belong (no terminal, `NO_COLOR`, `--color never`).

use std::fmt::Display;
use std::io::{BufRead, IsTerminal, Write as _};
use std::sync::mpsc;
use std::time::Duration;

use indicatif::MultiProgress;
use serde::Serialize;

use crate::context::Environment;
use crate::error::{Error, Kind, Result};

pub mod block;
mod progress;
mod screen;
pub mod style;
pub mod table;
pub mod text;
pub mod time;

pub use progress::Progress;
pub use table::{Cell, Column};

/// Columns when nobody says how many there are.
const DEFAULT_WIDTH: usize = 80;

/// A narrower terminal is taken for this wide: no layout is readable below.
const NARROWEST: usize = 40;

/// How to talk to whoever runs this.
#[derive(Debug, Clone)]
pub struct Ui {
    /// Messages that are not warnings or errors are left out.
    pub quiet: bool,
    /// Standard error is a terminal: progress may be drawn.
    pub stderr_is_terminal: bool,
    /// A person sits there: questions may be asked.
    pub can_ask: bool,
    /// Columns for data. `None`: standard output goes to a file or a program, which wants
    /// everything; nothing is wrapped or shortened.
    pub columns: Option<usize>,
    /// Columns for messages; `None`: they are not wrapped.
    pub message_columns: Option<usize>,
    /// The lines on standard error that are drawn over and over.
    drawn: MultiProgress,
}

impl Ui {
    /// Looks at the three standard streams. Without a terminal, `COLUMNS` counts when it is set.
    pub fn from_terminal(quiet: bool, env: &Environment) -> Self {
        let stated = env
            .get("COLUMNS")
            .and_then(|columns| columns.parse().ok())
            .filter(|columns| *columns > 0);
        let columns = |terminal: bool, size: rustix::io::Result<rustix::termios::Winsize>| {
            let real = size
                .ok()
                .map(|size| usize::from(size.ws_col))
                .filter(|columns| *columns > 0);
            let columns = if terminal {
                real.or(stated).or(Some(DEFAULT_WIDTH))
            } else {
                stated
            };
            columns.map(|columns| columns.max(NARROWEST))
        };
        let stdout_is_terminal = std::io::stdout().is_terminal();
        let stderr_is_terminal = std::io::stderr().is_terminal();
        // One that cannot move its cursor is fine for questions, not for drawing.
        let drawable = stderr_is_terminal && env.get("TERM") != Some("dumb");
        Self {
            quiet,
            stderr_is_terminal,
            can_ask: std::io::stdin().is_terminal() && stderr_is_terminal,
            columns: columns(
                stdout_is_terminal,
                rustix::termios::tcgetwinsize(std::io::stdout()),
            ),
            message_columns: columns(
                stderr_is_terminal,
                rustix::termios::tcgetwinsize(std::io::stderr()),
            ),
            drawn: progress::lines(drawable),
        }
    }

    /// For tests: no terminal anywhere.
    pub fn without_terminal() -> Self {
        Self {
            quiet: false,
            stderr_is_terminal: false,
            can_ask: false,
            columns: None,
            message_columns: None,
            drawn: progress::lines(false),
        }
    }

    /// Data, with a line break after it.
    pub fn out(&self, text: impl Display) {
        self.drawn
            .suspend(|| print(std::io::stdout(), &format!("{text}\n")));
    }

    /// As `out`, without a line break of its own, for what comes piece by piece. `false`: nobody
    /// reads any more.
    pub fn stream(&self, text: &str) -> bool {
        self.drawn
            .suspend(|| try_print(std::io::stdout(), text))
            .is_ok()
    }

    /// Bytes as they are, for another program; on a terminal they may do anything. `false`: nobody
    /// reads any more.
    pub fn bytes(&self, bytes: &[u8]) -> bool {
        self.drawn.suspend(|| {
            let mut stdout = std::io::stdout().lock();
            stdout
                .write_all(bytes)
                .and_then(|()| stdout.flush())
                .is_ok()
        })
    }

    /// One JSON document: the answer of a command run with `--json`.
    pub fn json(&self, value: &impl Serialize) {
        match serde_json::to_string_pretty(value) {
            Ok(text) => self.out(text::escaped_json(&text)),
            Err(error) => self.error(&Error::failed(format!("cannot write JSON: {error}"))),
        }
    }

    /// An aligned table. No row is wider than the terminal: columns give way as they allow.
    pub fn table<R>(
        &self,
        columns: impl IntoIterator<Item = impl Into<Column>>,
        rows: impl IntoIterator<Item = R>,
    ) where
        R: IntoIterator<Item: Into<Cell>>,
    {
        let columns: Vec<Column> = columns.into_iter().map(Into::into).collect();
        let rows: Vec<Vec<Cell>> = rows
            .into_iter()
            .map(|row| row.into_iter().map(Into::into).collect())
            .collect();
        self.out(table::render(&columns, &rows, self.columns));
    }

    /// The title of what follows, after an empty line.
    pub fn heading(&self, title: impl Display) {
        self.out(format_args!("\n{}", block::heading(title)));
    }

    /// The title of a large part, after an empty line.
    pub fn chapter(&self, title: impl Display) {
        self.out(format_args!("\n{}", block::chapter(title, self.columns)));
    }

    /// Names on the left, values on the right. Values may hold styles and must be printable.
    pub fn pairs<K: AsRef<str>, V: AsRef<str>>(&self, pairs: &[(K, V)]) {
        self.out(block::pairs(pairs, self.columns));
    }

    /// What a person can type, and what for; a command may have several lines. Never wrapped by us:
    /// what is copied must be what is meant.
    pub fn to_type(&self, what: &str, command: &str) {
        self.out(format_args!("  {what}"));
        for line in crate::names::printable_lines(command).lines() {
            self.out(format_args!("    {}", style::paint(style::NAME, line)));
        }
    }

    /// Somebody else's text, with a line down its left side.
    pub fn quote(&self, text: &str) {
        self.out(block::quote(text, self.columns));
    }

    /// A patch, indented and coloured.
    pub fn diff(&self, patch: &str) {
        self.out(block::diff(patch, self.columns));
    }

    /// A message for the person, left out with `--quiet`.
    pub fn note(&self, text: impl Display) {
        if !self.quiet {
            self.message("", &text.to_string());
        }
    }

    pub fn warn(&self, text: impl Display) {
        let label = format!("{}warning:{:#} ", style::WARNING, style::WARNING);
        self.message(&label, &text.to_string());
    }

    /// `error: what: why` and, on a line of its own, what to do.
    pub fn error(&self, error: &Error) {
        let label = format!("{}error:{:#} ", style::ERROR, style::ERROR);
        self.message(&label, &error.to_string());
        if let Some(hint) = &error.hint {
            let label = format!(" {}help:{:#} ", style::HELP, style::HELP);
            self.message(&label, hint);
        }
    }

    fn message(&self, label: &str, text: &str) {
        let text = match self.message_columns {
            Some(columns) => text::wrap(label, text, columns),
            None => format!("{label}{text}"),
        };
        self.drawn
            .suspend(|| print(std::io::stderr(), &format!("{text}\n")));
    }

    /// Says what is going on until the returned value is dropped: on a terminal a spinner, once it
    /// takes longer than half a second, and nothing stays on the screen; elsewhere one plain line.
    pub fn progress(&self, what: impl Display) -> Progress {
        if !self.stderr_is_terminal {
            self.note(&what);
        }
        self.quick_progress(what)
    }

    /// As `progress`, for what is nearly always over at once: no line where there is no terminal.
    pub fn quick_progress(&self, what: impl Display) -> Progress {
        let shown = !self.quiet && self.stderr_is_terminal;
        Progress::start(shown.then_some(&self.drawn), &what.to_string())
    }

    /// Asks a yes-or-no question; `yes` answers it beforehand (`--yes`). Anything but a yes is a no.
    ///
    /// # Errors
    /// Nobody can be asked (it never waits without a terminal), or Ctrl-C was the answer.
    pub fn confirm(&self, question: &str, yes: bool) -> Result<bool> {
        if yes {
            return Ok(true);
        }
        if !self.can_ask {
            return Err(
                Error::needs_person(format!("cannot ask without a terminal: {question}"))
                    .with_hint("add --yes to answer it beforehand"),
            );
        }
        let text = format!("{}{question}{:#} [y/N]", style::QUESTION, style::QUESTION);
        let text = match self.message_columns {
            Some(columns) => text::wrap("", &text, columns),
            None => text,
        };
        self.drawn.suspend(|| {
            print(std::io::stderr(), &format!("{text} "));
            let answer = read_line();
            if matches!(answer, Ok(None) | Err(_)) {
                // The cursor is still behind the question.
                print(std::io::stderr(), "\n");
            }
            Ok(answer?
                .is_some_and(|answer| matches!(answer.trim().to_lowercase().as_str(), "y" | "yes")))
        })
    }
}

/// Writes the text at once, so that two programs on one terminal do not mix lines; styles only where
/// they belong.
fn print(stream: impl anstream::stream::RawStream, text: &str) {
    // A closed pipe (`| head`) is the reader's choice, not our failure.
    let _ = try_print(stream, text);
}

fn try_print(mut stream: impl anstream::stream::RawStream, text: &str) -> std::io::Result<()> {
    match anstream::AutoStream::choice(&stream) {
        anstream::ColorChoice::Never => {
            let plain = anstream::adapter::strip_str(text).to_string();
            stream.write_all(plain.as_bytes())?;
        }
        _ => stream.write_all(text.as_bytes())?,
    }
    stream.flush()
}

/// A line from the keyboard; `None` at its end (Ctrl-D). Reading happens aside, because a blocked
/// read does not notice the signal that should end it.
fn read_line() -> Result<Option<String>> {
    let (sender, answer) = mpsc::channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        let read = std::io::stdin().lock().read_line(&mut line);
        let _ = sender.send(read.map(|count| (count > 0).then_some(line)));
    });
    loop {
        match answer.recv_timeout(Duration::from_millis(50)) {
            Ok(line) => return Ok(line?),
            Err(mpsc::RecvTimeoutError::Timeout) if crate::process::interrupted() => {
                return Err(Error::new(Kind::Interrupted, "interrupted"));
            }
            Err(mpsc::RecvTimeoutError::Timeout) => {}
            Err(mpsc::RecvTimeoutError::Disconnected) => return Ok(None),
        }
    }
}
