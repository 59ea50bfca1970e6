//! What an agent says, line by line: for whoever watches, and in the end what is to be kept of it.

use std::collections::VecDeque;

use super::Heard;
use super::reported::{self, Reported};
use crate::names::printable;
use crate::process::Stream;
use crate::record::Usage;

/// Longest line that is looked at. The result of an agent can be long.
const MAX_LINE: usize = 1024 * 1024;
/// Lines kept of the end.
const LINES: usize = 12;
/// Longest line shown.
const WIDTH: usize = 400;
/// A key that was refused is tried once more, no longer: a rollout takes seconds, ten tries minutes.
const REFUSALS: u32 = 2;

/// Takes in what an agent says, redacted.
#[derive(Debug, Default)]
pub(crate) struct LastWords {
    stdout: Line,
    stderr: Line,
    /// The end of both streams in words.
    lines: VecDeque<String>,
    /// Last line of standard output that is no report.
    plain: Option<String>,
    /// Last words of the model, as reported.
    said: Option<String>,
    usage: Usage,
    /// Of the message that was heard last.
    message: Option<String>,
    result: Option<(bool, Option<String>)>,
    refusals: u32,
    refused: Option<String>,
}

/// A line that is not complete yet.
#[derive(Debug, Default)]
struct Line {
    bytes: Vec<u8>,
    is_too_long: bool,
}

impl LastWords {
    pub(crate) fn hear(&mut self, stream: Stream, bytes: &[u8], tell: &mut dyn FnMut(Heard)) {
        let mut rest = bytes;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            self.add(stream, &rest[..end]);
            self.end_line(stream, tell);
            rest = &rest[end + 1..];
        }
        self.add(stream, rest);
    }

    /// What was not ended by a line break counts, too.
    pub(crate) fn finish(&mut self, tell: &mut dyn FnMut(Heard)) {
        self.end_line(Stream::Stdout, tell);
        self.end_line(Stream::Stderr, tell);
    }

    fn line(&mut self, stream: Stream) -> &mut Line {
        match stream {
            Stream::Stdout => &mut self.stdout,
            Stream::Stderr => &mut self.stderr,
        }
    }

    fn add(&mut self, stream: Stream, bytes: &[u8]) {
        let line = self.line(stream);
        let room = MAX_LINE - line.bytes.len();
        line.is_too_long |= bytes.len() > room;
        line.bytes
            .extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    fn end_line(&mut self, stream: Stream, tell: &mut dyn FnMut(Heard)) {
        let Line { bytes, is_too_long } = std::mem::take(self.line(stream));
        let text = String::from_utf8_lossy(&bytes);
        let text = text.trim();
        if text.is_empty() {
            return;
        }
        let reported = (stream == Stream::Stdout && !is_too_long)
            .then(|| reported::read(text))
            .flatten();
        let Some(reported) = reported else {
            let line = shortened(&printable(text));
            if stream == Stream::Stdout {
                self.plain = Some(line.clone());
            }
            self.keep(line, tell);
            return;
        };
        let before = self.usage;
        self.take(reported, tell);
        if self.usage != before {
            tell(Heard::Usage(self.usage));
        }
    }

    fn take(&mut self, reported: Reported, tell: &mut dyn FnMut(Heard)) {
        match reported {
            Reported::Turn { id, lines } => {
                if id.is_none() || id != self.message {
                    self.usage.turns = Some(self.usage.turns.unwrap_or(0) + 1);
                    self.message = id;
                }
                for line in lines {
                    let line = shortened(&printable(&line));
                    self.said = Some(line.clone());
                    self.keep(line, tell);
                }
            }
            Reported::Does(line) => self.keep(shortened(&printable(&line)), tell),
            Reported::Retry { refused, words } => {
                let words = shortened(&printable(&words));
                if refused {
                    self.refusals += 1;
                    if self.refusals >= REFUSALS {
                        self.refused = Some(words.clone());
                    }
                }
                self.keep(words, tell);
            }
            Reported::Refused(words) => {
                let words = shortened(&printable(&words));
                self.refused = Some(words.clone());
                self.keep(words, tell);
            }
            Reported::Result {
                usage,
                failed,
                text,
            } => {
                self.usage = Usage {
                    cost_usd: usage.cost_usd.or(self.usage.cost_usd),
                    turns: usage.turns.or(self.usage.turns),
                };
                let last = text.and_then(|text| {
                    let line = text.lines().rev().find(|line| !line.trim().is_empty())?;
                    Some(shortened(&printable(line.trim())))
                });
                if failed && let Some(last) = last.clone() {
                    self.keep(last, tell);
                }
                self.result = Some((failed, last));
            }
            Reported::Nothing => {}
        }
    }

    fn keep(&mut self, line: String, tell: &mut dyn FnMut(Heard)) {
        tell(Heard::Says(&line));
        // A result repeats what was said last.
        if self.lines.back() == Some(&line) {
            return;
        }
        if self.lines.len() == LINES {
            self.lines.pop_front();
        }
        self.lines.push_back(line);
    }

    /// What it cost, as far as it said so in a form known here.
    pub(crate) fn usage(&self) -> Usage {
        self.usage
    }

    /// It said that it failed. Its exit code alone does not tell.
    pub(crate) fn is_failure(&self) -> bool {
        matches!(self.result, Some((true, _)))
    }

    /// Why it will get nowhere: its key or login is refused again and again.
    pub(crate) fn refused(&self) -> Option<&str> {
        self.refused.as_deref()
    }

    /// Last line of the result it reported, else of what it said.
    pub(crate) fn message(&self) -> Option<String> {
        let result = self.result.as_ref().and_then(|(_, text)| text.clone());
        result
            .or_else(|| self.plain.clone())
            .or_else(|| self.said.clone())
    }

    /// The last lines of both streams.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.lines.iter().cloned().collect()
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

    /// Also what was told on the way: lines, and `turns` or `cost` as they changed.
    fn said(pieces: &[(Stream, &str)]) -> (LastWords, Vec<String>) {
        let mut words = LastWords::default();
        let mut told = Vec::new();
        let mut tell = |heard: Heard| match heard {
            Heard::Says(line) => told.push(line.to_owned()),
            Heard::Usage(usage) => told.push(format!("{:?} {:?}", usage.turns, usage.cost_usd)),
            Heard::Output(_) => {}
        };
        for (stream, text) in pieces {
            words.hear(*stream, text.as_bytes(), &mut tell);
        }
        words.finish(&mut tell);
        (words, told)
    }

    #[test]
    fn plain_text() {
        let (words, told) = said(&[
            (Stream::Stdout, "one\nShall I go \x1b[1m"),
            (Stream::Stderr, "warning\n"),
            (Stream::Stdout, "on?\n\n"),
        ]);
        assert_eq!(words.message().unwrap(), "Shall I go \\u{1b}[1mon?");
        assert_eq!(
            words.lines(),
            ["one", "warning", "Shall I go \\u{1b}[1mon?"]
        );
        assert_eq!(told, words.lines());
        assert_eq!(words.usage(), Usage::default());
        assert_eq!(said(&[]).0.message(), None);
    }

    #[test]
    fn a_result_made_for_machines() {
        let (words, told) = said(&[
            (
                Stream::Stdout,
                "{\"type\":\"assistant\",\"message\":{\"id\":\"a\",\"content\":[{\"type\":\"text\",\"text\":\"I look.\"}]}}\n{\"type\":\"assist",
            ),
            (
                Stream::Stdout,
                "ant\",\"message\":{\"id\":\"a\",\"content\":[{\"type\":\"tool_use\",\"name\":\"Bash\",\"input\":{\"command\":\"ls\"}}]}}\n",
            ),
            (
                Stream::Stdout,
                "{\"type\":\"result\",\"is_error\":false,\"total_cost_usd\":0.5,\"num_turns\":3,\"result\":\"Fixed.\\nDone.\"}",
            ),
        ]);
        assert_eq!(
            told,
            ["I look.", "Some(1) None", "Bash: ls", "Some(3) Some(0.5)"]
        );
        assert_eq!(words.message().unwrap(), "Done.");
        assert!(!words.is_failure());
        let failed = "{\"type\":\"result\",\"is_error\":true,\"result\":\"No credit\"}";
        let (words, _) = said(&[(Stream::Stdout, failed), (Stream::Stderr, failed)]);
        assert!(words.is_failure());
        assert_eq!(words.message().unwrap(), "No credit");
    }

    #[test]
    fn a_key_that_is_refused() {
        let retry = "{\"type\":\"system\",\"subtype\":\"api_retry\",\"error_status\":401}\n";
        let (words, _) = said(&[(Stream::Stdout, retry)]);
        assert_eq!(words.refused(), None);
        let (words, _) = said(&[(Stream::Stdout, retry), (Stream::Stdout, retry)]);
        assert_eq!(words.refused(), Some("the API answers 401"));
    }

    #[test]
    fn a_flood_keeps_its_end() {
        let mut words = LastWords::default();
        for _ in 0..40 {
            words.hear(Stream::Stdout, &vec![b'x'; 64 * 1024], &mut |_| {});
        }
        assert_eq!(words.stdout.bytes.len(), MAX_LINE);
        words.hear(Stream::Stdout, b"\nend", &mut |_| {});
        words.finish(&mut |_| {});
        assert_eq!(words.message().unwrap(), "end");
        assert!(words.lines()[0].chars().count() <= WIDTH + 1);
    }
}
