//! The end of what an agent said: for a person, and for what agents report in JSON.

use serde::Deserialize;

use crate::names::{printable, printable_lines};
use crate::process::Stream;
use crate::record::Usage;

/// So much of each stream's end is kept: the result line of an agent can be long.
const KEPT: usize = 256 * 1024;
const LINES: usize = 12;
/// Longest line shown.
const WIDTH: usize = 400;

#[derive(Debug, Default)]
pub(super) struct LastWords {
    stdout: Vec<u8>,
    /// Both streams, as they came.
    all: Vec<u8>,
}

/// The last line of `claude --output-format json` (or `stream-json`).
#[derive(Deserialize)]
struct Report {
    r#type: String,
    is_error: Option<bool>,
    total_cost_usd: Option<f64>,
    num_turns: Option<u32>,
    result: Option<String>,
}

impl LastWords {
    pub(super) fn hear(&mut self, stream: Stream, bytes: &[u8]) {
        keep(&mut self.all, bytes);
        if stream == Stream::Stdout {
            keep(&mut self.stdout, bytes);
        }
    }

    /// What it cost, when it said so in the form known here.
    pub(super) fn usage(&self) -> Usage {
        let report = self.report();
        Usage {
            cost_usd: report.as_ref().and_then(|report| report.total_cost_usd),
            turns: report.and_then(|report| report.num_turns),
        }
    }

    /// It said that it failed. Its exit code alone does not tell.
    pub(super) fn is_failure(&self) -> bool {
        self.report()
            .is_some_and(|report| report.is_error == Some(true))
    }

    /// Last line of its standard output, or of the result it reported.
    pub(super) fn message(&self) -> Option<String> {
        let said = match self.report().and_then(|report| report.result) {
            Some(result) => result,
            None => String::from_utf8_lossy(&self.stdout).into_owned(),
        };
        let line = said.lines().rev().find(|line| !line.trim().is_empty())?;
        Some(shortened(&printable(line.trim())))
    }

    /// The last lines of both streams.
    pub(super) fn lines(&self) -> Vec<String> {
        let text = String::from_utf8_lossy(&self.all);
        let text = printable_lines(&text);
        let lines: Vec<_> = text
            .lines()
            .filter(|line| !line.trim().is_empty())
            .collect();
        lines[lines.len().saturating_sub(LINES)..]
            .iter()
            .map(|line| shortened(line))
            .collect()
    }

    fn report(&self) -> Option<Report> {
        let text = String::from_utf8_lossy(&self.stdout);
        let line = text.lines().rev().find(|line| !line.trim().is_empty())?;
        let report: Report = serde_json::from_str(line).ok()?;
        (report.r#type == "result").then_some(report)
    }
}

fn keep(kept: &mut Vec<u8>, bytes: &[u8]) {
    kept.extend_from_slice(bytes);
    if kept.len() > 2 * KEPT {
        kept.drain(..kept.len() - KEPT);
    }
}

fn shortened(line: &str) -> String {
    if line.chars().count() <= WIDTH {
        return line.to_owned();
    }
    let mut short: String = line.chars().take(WIDTH).collect();
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(pieces: &[(Stream, &str)]) -> LastWords {
        let mut words = LastWords::default();
        for (stream, text) in pieces {
            words.hear(*stream, text.as_bytes());
        }
        words
    }

    #[test]
    fn plain_text() {
        let words = said(&[
            (Stream::Stdout, "one\nShall I go \x1b[1mon?\n\n"),
            (Stream::Stderr, "warning\n"),
        ]);
        assert_eq!(words.message().unwrap(), "Shall I go \\u{1b}[1mon?");
        assert_eq!(
            words.lines(),
            ["one", "Shall I go \\u{1b}[1mon?", "warning"]
        );
        assert_eq!(words.usage(), Usage::default());
        assert_eq!(said(&[]).message(), None);
    }

    #[test]
    fn a_result_made_for_machines() {
        let words = said(&[(
            Stream::Stdout,
            "{\"type\":\"assistant\"}\n{\"type\":\"result\",\"is_error\":false,\"total_cost_usd\":0.5,\"num_turns\":3,\"result\":\"Fixed.\\nDone.\"}\n",
        )]);
        assert_eq!(
            words.usage(),
            Usage {
                cost_usd: Some(0.5),
                turns: Some(3)
            }
        );
        assert_eq!(words.message().unwrap(), "Done.");
        assert!(!words.is_failure());
        assert!(said(&[(Stream::Stdout, "{\"type\":\"result\",\"is_error\":true}")]).is_failure());
    }

    #[test]
    fn a_flood_keeps_its_end() {
        let mut words = LastWords::default();
        for _ in 0..40 {
            words.hear(Stream::Stdout, &vec![b'x'; 64 * 1024]);
        }
        words.hear(Stream::Stdout, b"\nend\n");
        assert!(words.all.len() <= 2 * KEPT);
        assert_eq!(words.message().unwrap(), "end");
        assert!(words.lines()[0].chars().count() <= WIDTH + 1);
    }
}
