//! Children that answer requests, such as `git cat-file --batch`.

use std::io;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::{Command, Group, ProcessError, interrupted};

/// Requests on standard input, answers on standard output. The child's group dies with this value,
/// at its deadline, or when we are interrupted: a reader then meets the end of the answers.
#[derive(Debug)]
pub struct Conversation {
    /// `None` once closed by `take`.
    pub stdin: Option<ChildStdin>,
    pub stdout: ChildStdout,
    child: Child,
    group: Group,
    watchdog: Option<(mpsc::Sender<()>, JoinHandle<()>)>,
}

impl Command {
    /// Starts a conversation. Standard error is dropped.
    pub fn converse(&self) -> Result<Conversation, ProcessError> {
        let mut child = self.spawn(Stdio::null())?;
        let group = Group::of(&child);
        let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(ProcessError::Pipe(self.name(), io::Error::other("no pipe")));
        };
        let (done, is_done) = mpsc::channel();
        let (watched, deadline) = (group, Instant::now() + self.timeout);
        let watchdog = thread::spawn(move || {
            while is_done.recv_timeout(Duration::from_millis(100))
                == Err(mpsc::RecvTimeoutError::Timeout)
            {
                if interrupted() || Instant::now() >= deadline {
                    watched.kill();
                    return;
                }
            }
        });
        Ok(Conversation {
            stdin: Some(stdin),
            stdout,
            child,
            group,
            watchdog: Some((done, watchdog)),
        })
    }
}

impl Drop for Conversation {
    fn drop(&mut self) {
        // The watchdog first: it must not kill a number that is no longer the child's.
        if let Some((done, watchdog)) = self.watchdog.take() {
            drop(done);
            let _ = watchdog.join();
        }
        self.stdin = None;
        self.group.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Read, Write};

    use super::*;

    #[test]
    fn answers_requests() {
        let mut talk = Command::new("/bin/cat").converse().unwrap();
        talk.stdin.as_mut().unwrap().write_all(b"hello\n").unwrap();
        let mut line = String::new();
        BufReader::new(&mut talk.stdout)
            .read_line(&mut line)
            .unwrap();
        assert_eq!(line, "hello\n");
    }

    #[test]
    fn a_silent_child_meets_its_deadline() {
        let mut talk = Command::new("/bin/cat")
            .timeout(Duration::from_millis(150))
            .converse()
            .unwrap();
        let mut rest = Vec::new();
        talk.stdout.read_to_end(&mut rest).unwrap();
        assert!(rest.is_empty());
    }
}
