//! A child that runs, heard piece by piece and told more meanwhile.

use std::io;
use std::process::{ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use super::output::{Event, Output, feed, read_into};
use super::{Command, Finished, Group, ProcessError, Stream, interrupted};

/// How long a reader may go on after the child ended: a grandchild in another group may hold the pipe.
const READER_GRACE: Duration = Duration::from_secs(2);

/// A child until it ended. Its group dies with this value.
#[derive(Debug)]
pub struct Running {
    program: String,
    group: Group,
    timeout: Duration,
    cleans_up: bool,
    /// `None` once nothing more will be said.
    stdin: Option<mpsc::Sender<Vec<u8>>>,
    events: mpsc::Receiver<Event>,
    deadline: Instant,
    /// It said something, or we did.
    heard_at: Instant,
    output: Output,
    status: Option<ExitStatus>,
    grace: Option<Instant>,
    /// Streams that have not ended.
    open: usize,
}

impl Command {
    /// Starts it, with its standard input open after what [`Command::stdin`] has for it.
    pub fn start(&self) -> Result<Running, ProcessError> {
        let mut child = self.spawn(Stdio::piped())?;
        let group = Group::of(&child);
        // Bounded: a child that writes faster than it is heard has to wait.
        let (sender, events) = mpsc::sync_channel(16);
        let stdin = feed(child.stdin.take());
        read_into(child.stdout.take(), Stream::Stdout, sender.clone());
        read_into(child.stderr.take(), Stream::Stderr, sender.clone());
        thread::spawn(move || {
            let _ = sender.send(Event::Exit(child.wait()));
        });
        let mut running = Running {
            program: self.name(),
            group,
            timeout: self.timeout,
            cleans_up: self.cleans_up,
            stdin: Some(stdin),
            events,
            deadline: Instant::now() + self.timeout,
            heard_at: Instant::now(),
            output: Output::new(self.max_output),
            status: None,
            grace: None,
            open: 2,
        };
        running.say(self.stdin.clone());
        Ok(running)
    }
}

impl Running {
    /// Adds to its standard input, without waiting until it reads that. From here on its silence counts.
    pub fn say(&mut self, bytes: impl Into<Vec<u8>>) {
        self.heard_at = Instant::now();
        if let Some(stdin) = &self.stdin {
            // A child that does not read its input is no error of ours.
            let _ = stdin.send(bytes.into());
        }
    }

    /// Nothing more will be said.
    pub fn say_no_more(&mut self) {
        self.stdin = None;
    }

    /// The next piece of its output; `None`: it ended. `silence` is how long it may print nothing on
    /// standard output.
    ///
    /// # Errors
    /// It took too long, or we are to end: its group is dead.
    pub fn next(&mut self, silence: Duration) -> Result<Option<(Stream, Vec<u8>)>, ProcessError> {
        while self.status.is_none() || self.open > 0 {
            // What was said while nobody listened is no silence.
            let is_over = self.status.is_none()
                && (Instant::now() >= self.deadline || (interrupted() && !self.cleans_up));
            let event = match self.events.try_recv() {
                Ok(event) if !is_over => event,
                Ok(_) | Err(mpsc::TryRecvError::Empty) => match self.wait(silence)? {
                    Some(event) => event,
                    None => break,
                },
                Err(mpsc::TryRecvError::Disconnected) => break,
            };
            match event {
                Event::Bytes(stream, bytes) => {
                    if stream == Stream::Stdout {
                        self.heard_at = Instant::now();
                    }
                    self.output.keep(stream, &bytes);
                    return Ok(Some((stream, bytes)));
                }
                Event::End => self.open -= 1,
                Event::Exit(result) => {
                    let pipe = |error| ProcessError::Pipe(self.program.clone(), error);
                    self.status = Some(result.map_err(pipe)?);
                    // Whatever it left behind in its group goes with it, and lets go of the pipes.
                    self.group.kill();
                    self.grace = Some(Instant::now() + READER_GRACE);
                }
            }
        }
        Ok(None)
    }

    /// The next thing that happens; `None`: after its exit nothing more does.
    fn wait(&mut self, silence: Duration) -> Result<Option<Event>, ProcessError> {
        loop {
            let silent_until = self.heard_at.checked_add(silence);
            let is_last = silent_until.is_none_or(|until| until >= self.deadline);
            let patient_until =
                silent_until.map_or(self.deadline, |until| until.min(self.deadline));
            let until = self.grace.unwrap_or(patient_until);
            let now = Instant::now();
            if now >= until && self.status.is_some() {
                return Ok(None);
            }
            if now >= until || (interrupted() && self.status.is_none() && !self.cleans_up) {
                self.group.kill();
                let program = self.program.clone();
                return Err(if now >= until && !is_last {
                    ProcessError::Silent { program, silence }
                } else if now >= until {
                    ProcessError::TimedOut {
                        program,
                        timeout: self.timeout,
                    }
                } else {
                    ProcessError::Interrupted(program)
                });
            }
            let patience = until
                .saturating_duration_since(now)
                .min(Duration::from_millis(100));
            match self.events.recv_timeout(patience) {
                Ok(event) => return Ok(Some(event)),
                Err(mpsc::RecvTimeoutError::Timeout) => {}
                Err(mpsc::RecvTimeoutError::Disconnected) => return Ok(None),
            }
        }
    }

    /// How it ended, after `next` said that it did.
    ///
    /// # Errors
    /// It did not.
    pub fn finish(&mut self) -> Result<Finished, ProcessError> {
        let output = std::mem::take(&mut self.output);
        match self.status {
            Some(status) => Ok(output.finish(status)),
            None => Err(ProcessError::Pipe(
                self.program.clone(),
                io::Error::other("its exit status was lost"),
            )),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // After its exit the number may be somebody else's.
        if self.status.is_none() {
            self.group.kill();
        }
    }
}
