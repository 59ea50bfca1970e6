//! The only place that prints. Standard output is data, standard error is messages.

use std::io::{IsTerminal, Write};

use serde::Serialize;

use crate::error::Error;

/// How to talk to whoever runs this.
#[derive(Debug, Clone)]
pub struct Ui {
    /// Messages that are not errors are left out.
    pub quiet: bool,
    /// Standard output is a terminal.
    pub stdout_is_terminal: bool,
    /// Standard error is a terminal: progress may be drawn.
    pub stderr_is_terminal: bool,
    /// Standard input is a terminal: questions may be asked.
    pub can_ask: bool,
    /// Columns of the terminal; 80 when there is none.
    pub width: usize,
}

impl Ui {
    pub fn from_terminal(quiet: bool) -> Self {
        let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok();
        let stderr_is_terminal = std::io::stderr().is_terminal();
        Self {
            quiet,
            stdout_is_terminal: std::io::stdout().is_terminal(),
            stderr_is_terminal,
            can_ask: std::io::stdin().is_terminal() && stderr_is_terminal,
            width: size.map_or(80, |size| usize::from(size.ws_col)).max(40),
        }
    }

    /// Data, with a line break after it. Styles in it are dropped when standard output is no
    /// terminal or `NO_COLOR` is set (`anstream`).
    pub fn out(&self, text: impl std::fmt::Display) {
        // A closed pipe (`| head`) is the reader's choice, not our failure.
        let _ = writeln!(anstream::stdout().lock(), "{text}");
    }

    /// One JSON document: the answer of a command run with `--json`.
    pub fn json(&self, value: &impl Serialize) {
        match serde_json::to_string_pretty(value) {
            Ok(text) => self.out(text),
            Err(error) => self.error(&Error::failed(format!("cannot write JSON: {error}"))),
        }
    }

    /// A message for the person, left out with `--quiet`.
    pub fn note(&self, text: impl std::fmt::Display) {
        if !self.quiet {
            let _ = writeln!(anstream::stderr().lock(), "{text}");
        }
    }

    pub fn warn(&self, text: impl std::fmt::Display) {
        let style = anstyle::AnsiColor::Yellow.on_default().bold();
        let _ = writeln!(anstream::stderr().lock(), "{style}warning:{style:#} {text}");
    }

    /// `error: what: why` and, on a line of its own, what to do.
    pub fn error(&self, error: &Error) {
        let red = anstyle::AnsiColor::Red.on_default().bold();
        let cyan = anstyle::AnsiColor::Cyan.on_default().bold();
        let mut stderr = anstream::stderr().lock();
        let _ = writeln!(stderr, "{red}error:{red:#} {error}");
        if let Some(hint) = &error.hint {
            let _ = writeln!(stderr, " {cyan}help:{cyan:#} {hint}");
        }
    }
}
