//! The log of a run: what its agent said, with a bound. An agent that never stops talking fills no disk,
//! and how it began and how it ended can be read all the same.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Write};

/// Bytes kept of the beginning.
const HEAD: u64 = 16 * 1024 * 1024;
/// Bytes kept of the end.
const TAIL: usize = 8 * 1024 * 1024;

/// A log that is being written. What comes after its beginning is held back until it ends, since nobody
/// knows before whether it is the end.
#[derive(Debug)]
pub(super) struct Log<W = File> {
    out: W,
    /// Bytes that may still be written at once.
    room: u64,
    /// Bytes held back at most.
    most: usize,
    held: VecDeque<u8>,
    /// Bytes that are neither written nor held.
    left_out: usize,
}

impl Log {
    /// Goes on with a log that may hold something already.
    pub(super) fn new(file: File) -> io::Result<Self> {
        let room = HEAD.saturating_sub(file.metadata()?.len());
        Ok(Self::with(file, room, TAIL))
    }
}

impl<W: Write> Log<W> {
    const fn with(out: W, room: u64, most: usize) -> Self {
        Self {
            out,
            room,
            most,
            held: VecDeque::new(),
            left_out: 0,
        }
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let fits = usize::try_from(self.room).map_or(bytes.len(), |room| room.min(bytes.len()));
        let (now, later) = bytes.split_at(fits);
        self.out.write_all(now)?;
        self.room -= now.len() as u64;
        self.held.extend(later);
        let over = self.held.len().saturating_sub(self.most);
        self.held.drain(..over);
        if self.left_out == 0 && over > 0 {
            // For those who follow it, and should the run die.
            self.out
                .write_all(b"\n[too long: the rest is left out but for its end, which comes when the run ends]\n")?;
        }
        self.left_out += over;
        Ok(())
    }

    /// Writes the end of it.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        let end = self.held.make_contiguous();
        let mut start = 0;
        if self.left_out > 0 {
            // Whole lines: they may be JSON. Unless it is all one.
            let line = end.iter().position(|byte| *byte == b'\n');
            start = line.map_or(0, |at| at + 1);
            let left_out = self.left_out + start;
            writeln!(self.out, "[{left_out} bytes are left out here]")?;
        }
        self.out.write_all(&end[start..])?;
        self.held.clear();
        self.left_out = 0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTE: &str =
        "\n[too long: the rest is left out but for its end, which comes when the run ends]\n";

    fn logged(pieces: &[&str]) -> String {
        let mut log = Log::with(Vec::new(), 8, 6);
        for piece in pieces {
            log.write(piece.as_bytes()).unwrap();
        }
        log.finish().unwrap();
        String::from_utf8(log.out).unwrap()
    }

    #[test]
    fn beginning_and_end_are_kept() {
        assert_eq!(logged(&["one\n", "two\n"]), "one\ntwo\n");
        // As long as it may be, in whatever pieces it comes.
        assert_eq!(logged(&["one\ntwo\nthr\nfo"]), "one\ntwo\nthr\nfo");
        assert_eq!(logged(&["one\ntw", "o\nthr\n", "fo"]), "one\ntwo\nthr\nfo");
        assert_eq!(
            logged(&["one\ntw", "o\nthree\n", "four\nx\n"]),
            format!("one\ntwo\n{NOTE}[11 bytes are left out here]\nx\n")
        );
        // No line ends there.
        assert_eq!(
            logged(&["0123456789", "0123456789"]),
            format!("01234567{NOTE}[6 bytes are left out here]\n456789")
        );
        assert_eq!(logged(&[]), "");
    }

    #[test]
    fn whoever_looks_before_the_end_is_told() {
        let mut log = Log::with(Vec::new(), 4, 2);
        log.write(b"12345678").unwrap();
        assert_eq!(log.out, format!("1234{NOTE}").as_bytes());
    }

    #[test]
    fn a_log_that_is_gone_on_with_is_no_longer() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"before\n").unwrap();
        let log = Log::new(file).unwrap();
        assert_eq!((log.room, log.most), (HEAD - 7, TAIL));
    }
}
