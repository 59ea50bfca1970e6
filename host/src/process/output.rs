//! What a child says, taken in by threads of its own: a slow reader must not block the child's other
//! stream, and a child that is silent must not block its deadline.

use std::io::{self, Read, Write};
use std::process::{ChildStdin, ExitStatus};
use std::sync::mpsc;
use std::thread;

use super::{Finished, Stream};

#[derive(Debug)]
pub(super) enum Event {
    Bytes(Stream, Vec<u8>),
    End,
    Exit(io::Result<ExitStatus>),
}

/// Writes what is sent, until nothing more can come.
pub(super) fn feed(stdin: Option<ChildStdin>) -> mpsc::Sender<Vec<u8>> {
    let (sender, pieces) = mpsc::channel::<Vec<u8>>();
    thread::spawn(move || {
        let Some(mut stdin) = stdin else { return };
        while let Ok(piece) = pieces.recv() {
            if stdin.write_all(&piece).is_err() {
                return;
            }
        }
    });
    sender
}

pub(super) fn read_into(
    stream: Option<impl Read + Send + 'static>,
    which: Stream,
    events: mpsc::SyncSender<Event>,
) {
    thread::spawn(move || {
        if let Some(mut stream) = stream {
            let mut buffer = vec![0; 64 * 1024];
            while let Ok(count @ 1..) = stream.read(&mut buffer) {
                if events
                    .send(Event::Bytes(which, buffer[..count].to_vec()))
                    .is_err()
                {
                    return;
                }
            }
        }
        let _ = events.send(Event::End);
    });
}

#[derive(Debug, Default)]
pub(super) struct Output {
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    limit: usize,
    truncated: bool,
}

impl Output {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            stdout: Vec::new(),
            stderr: Vec::new(),
            limit,
            truncated: false,
        }
    }

    pub(super) fn keep(&mut self, stream: Stream, bytes: &[u8]) {
        let kept = match stream {
            Stream::Stdout => &mut self.stdout,
            Stream::Stderr => &mut self.stderr,
        };
        let room = self.limit.saturating_sub(kept.len());
        self.truncated |= room < bytes.len();
        kept.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    pub(super) fn finish(self, status: ExitStatus) -> Finished {
        Finished {
            status,
            stdout: self.stdout,
            stderr: self.stderr,
            truncated: self.truncated,
        }
    }
}
