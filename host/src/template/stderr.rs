//! What a guest writes to its standard error: the last of it is kept, for error messages.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

use crate::names::printable;

/// Bytes that are kept.
const KEPT: usize = 4 << 10;

/// Lines that are told, and characters of each.
const LINES: usize = 10;
const LINE: usize = 300;

/// The end of everything written so far. Clones share it: the stream in the guest's context and the
/// reader outside.
#[derive(Debug, Clone, Default)]
pub(super) struct LastLines(Arc<Mutex<VecDeque<u8>>>);

impl LastLines {
    fn bytes(&self) -> MutexGuard<'_, VecDeque<u8>> {
        // A writer that panicked left bytes behind, which is all we want.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, written: &[u8]) {
        let mut bytes = self.bytes();
        bytes.extend(&written[written.len().saturating_sub(KEPT)..]);
        let excess = bytes.len().saturating_sub(KEPT);
        bytes.drain(..excess);
    }

    /// A Rust guest says so before it traps.
    pub(super) fn tells_of_a_panic(&self) -> bool {
        self.lines()
            .iter()
            .any(|line| line.contains(" panicked at "))
    }

    /// The last lines that say something, oldest first, control characters visible.
    pub(super) fn lines(&self) -> Vec<String> {
        let bytes: Vec<u8> = self.bytes().iter().copied().collect();
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<_> = text
            .lines()
            .map(str::trim_end)
            // Advice for somebody who can set the guest's environment.
            .filter(|line| {
                !line.trim().is_empty() && !line.starts_with("note: run with `RUST_BACKTRACE")
            })
            .map(|line| printable(&line.chars().take(LINE).collect::<String>()))
            .collect();
        lines[lines.len().saturating_sub(LINES)..].to_vec()
    }
}

impl IsTerminal for LastLines {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for LastLines {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    /// Without the task in between that the default implementation has: what was written before a
    /// trap must be there.
    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for LastLines {
    async fn ready(&mut self) {}
}

impl OutputStream for LastLines {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.keep(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(64 << 10)
    }
}

impl AsyncWrite for LastLines {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        self.keep(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_kept() {
        let lines = LastLines::default();
        for _ in 0..100_000 {
            lines.keep(b"flood\n");
        }
        lines.keep(b"\nthread 'main' panicked: \x1b[31mboom\nnote: run with `RUST_BACKTRACE=1`");
        assert!(lines.bytes().len() <= KEPT);
        assert_eq!(
            lines.lines().last().unwrap(),
            "thread 'main' panicked: \\u{1b}[31mboom"
        );
        assert_eq!(lines.lines().len(), LINES);
    }
}
