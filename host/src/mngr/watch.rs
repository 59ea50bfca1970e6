//! An agent from its first to its last process: create, watch, end.

use std::time::{Duration, Instant};

use rustix::process::{Pid, test_kill_process};

use super::create::{CREATE, Caller, Failed};
use super::files::Files;
use super::launch::{Launch, Wrapped};
use super::native;
use super::pipe::Pipe;
use super::tmux::{self, Server};
use super::wrapper::{Wrapper, carried};
use crate::agent::{Ended, Heard, How, LastWords, Room, end_all};
use crate::process::{self, Stream};
use crate::redact;

/// How often the agent is looked at: soon after its start, and when it has gone on for a while.
const BRIEF: Duration = Duration::from_millis(10);
const LONG: Duration = Duration::from_millis(100);
/// When a look becomes worth so much less.
const SETTLED: Duration = Duration::from_secs(5);
/// How often we look whether tmux and the wrapper live.
const ALIVE: Duration = Duration::from_secs(2);
/// How long the wrapper may take from its making to its first line.
const START: Duration = Duration::from_mins(1);

/// What is heard of an agent, on its way to the log and to whoever watches.
pub(super) struct Ears<'a> {
    hear: &'a mut dyn FnMut(Heard),
    pub(super) words: LastWords,
    streams: Vec<redact::Stream>,
}

impl Ears<'_> {
    pub(super) fn take(&mut self, stream: Stream, bytes: &[u8]) {
        let clean = self.streams[usize::from(stream == Stream::Stderr)].push(bytes);
        self.pass_on(stream, &clean);
    }

    fn pass_on(&mut self, stream: Stream, clean: &[u8]) {
        if !clean.is_empty() {
            (self.hear)(Heard::Output(clean));
            self.words.hear(stream, clean, self.hear);
        }
    }

    /// What was held back, and what it all came to.
    fn finish(mut self) -> LastWords {
        let held = std::mem::take(&mut self.streams);
        for (stream, held) in [Stream::Stdout, Stream::Stderr].into_iter().zip(held) {
            self.pass_on(stream, &held.finish());
        }
        self.words.finish(self.hear);
        self.words
    }
}

/// Lets the agent work until it ends or has to be ended; then nothing of it is left.
pub(super) fn work(
    launch: &Launch,
    room: &Room,
    hear: &mut dyn FnMut(Heard),
) -> std::io::Result<Ended> {
    let started = Instant::now();
    let mut ears = Ears {
        hear,
        words: LastWords::default(),
        streams: vec![room.redactor.stream(), room.redactor.stream()],
    };
    let files = Files::of(room.run_dir);
    tmux::remove_outside(room.run_dir);
    files.make()?;
    Files::write(&files.prompt(), room.plan.prompt.as_bytes(), 0o600)?;
    let server = Server::prepare(&launch.tmux, &files, room.env, room.user)?;
    let deadline = started + Duration::from_secs(room.plan.limits.timeout_seconds);
    let mut agent = match &launch.wrapped {
        Some(wrapped) => Some(InWrapper::prepare(wrapped, room, &files)?),
        None => None,
    };
    let carriers = agent
        .as_mut()
        .map(|agent| std::mem::take(&mut agent.carriers));
    let caller = Caller::new(launch, room, &files, &server, carriers.unwrap_or_default())?;
    if let Some(user) = room.user {
        // All there is in it is the agent's from here on.
        user.give(&files.root)?;
        user.give(&server.folder)?;
    }
    let mut last_lines = None;
    let how = match caller.demand(&launch.argv(room)[1..], left(deadline).min(CREATE)) {
        Ok(_) => match &mut agent {
            Some(agent) => agent.watch(&files, &server, deadline, &mut ears),
            None => native::watch(launch, &caller, room, deadline),
        },
        Err(Failed::Interrupted) => How::Interrupted,
        Err(Failed::Because(..)) if Instant::now() >= deadline => How::TimedOut,
        Err(Failed::Because(why, lines)) => {
            let text = lines.join("\n") + "\n";
            (ears.hear)(Heard::Output(text.as_bytes()));
            last_lines = Some(lines);
            How::NotStarted(why)
        }
    };
    let seconds = started.elapsed().as_secs();
    if agent.is_none() {
        native::destroy(&caller, room);
    }
    server.end();
    let processes_left = end_all(room);
    if let Some(agent) = &mut agent {
        // What it said with its last breath: nobody is left who could say more.
        while agent.listen(&mut ears) {}
    }
    let words = ears.finish();
    tmux::remove_outside(room.run_dir);
    if let Err(error) = files.remove() {
        tracing::warn!(
            "cannot remove {}: {error}",
            super::create::shown(&files.root)
        );
    }
    Ok(Ended {
        how,
        seconds,
        usage: words.usage(),
        reported_failure: words.is_failure(),
        last_message: words.message(),
        last_lines: last_lines.unwrap_or_else(|| words.lines()),
        processes_left,
    })
}

pub(super) fn left(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now())
}

/// An agent in our wrapper.
struct InWrapper {
    stdout: Pipe,
    stderr: Pipe,
    carriers: crate::agent::Variables,
}

impl InWrapper {
    fn prepare(wrapped: &Wrapped, room: &Room, files: &Files) -> std::io::Result<Self> {
        let (names, carriers) = carried(wrapped.variables(room, files)?);
        let script = Wrapper {
            run_id: &room.plan.run_id,
            files,
            workspace: room.workspace,
            argv: &wrapped.argv(room.plan),
            names: &names,
        }
        .script();
        Files::write(&files.script(), script.as_bytes(), 0o700)?;
        Ok(Self {
            stdout: Pipe::make(&files.stdout())?,
            stderr: Pipe::make(&files.stderr())?,
            carriers,
        })
    }

    /// Whether it said anything.
    fn listen(&mut self, ears: &mut Ears) -> bool {
        let (stdout, stderr) = (self.stdout.read(), self.stderr.read());
        ears.take(Stream::Stdout, &stdout);
        ears.take(Stream::Stderr, &stderr);
        !stdout.is_empty() || !stderr.is_empty()
    }

    fn watch(&mut self, files: &Files, server: &Server, deadline: Instant, ears: &mut Ears) -> How {
        let created = Instant::now();
        let mut looked = created;
        let mut pid = None;
        loop {
            let spoke = self.listen(ears);
            if let Some(code) = files.exit() {
                return ended(code, server);
            }
            if process::interrupted() {
                return How::Interrupted;
            }
            let now = Instant::now();
            if now >= deadline {
                return How::TimedOut;
            }
            if let Some(why) = ears.words.refused() {
                return How::Failed(format!("its key or login is refused: {why}"));
            }
            if now - looked >= ALIVE {
                looked = now;
                pid = pid.or_else(|| files.pid());
                let gone = gone(pid, server, now - created);
                // It can have ended while we looked.
                match (gone, files.exit()) {
                    (_, Some(code)) => return ended(code, server),
                    (Some(why), None) => return How::Failed(why),
                    (None, None) => {}
                }
            }
            if !spoke {
                let pause = if now - created < SETTLED { BRIEF } else { LONG };
                std::thread::sleep(pause.min(deadline - now));
            }
        }
    }
}

/// A hangup is what the end of a terminal sends.
fn ended(code: i32, server: &Server) -> How {
    const HANGUP: i32 = 129;
    if code == HANGUP && !server.lives() {
        return How::Failed(SERVER_GONE.to_owned());
    }
    How::Exited(code)
}

const SERVER_GONE: &str = "the tmux server it ran in was ended from outside";

/// Why nothing more will come of it.
fn gone(pid: Option<i32>, server: &Server, age: Duration) -> Option<String> {
    if !server.lives() {
        return Some(SERVER_GONE.to_owned());
    }
    match pid {
        Some(pid) => {
            let lives = Pid::from_raw(pid)
                .is_some_and(|pid| test_kill_process(pid) != Err(rustix::io::Errno::SRCH));
            (!lives).then(|| {
                "the script it ran in was ended from outside, and its exit code is lost".to_owned()
            })
        }
        None if age >= START => Some(format!(
            "mngr created it, and nothing started within {} s",
            START.as_secs()
        )),
        None => None,
    }
}
