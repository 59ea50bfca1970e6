//! Who does the work of a run: the built-in stand-in, any command, or an agent that mngr creates. The
//! prompt comes on standard input; what the agent says is heard, redacted; what it did is in the
//! workspace.

mod environment;
mod headless;
mod last_words;
mod reported;
pub mod stand_in;
mod user;
mod written;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::context::Environment;
use crate::error::with_causes;
use crate::git::Identity;
use crate::mngr::Launch;
use crate::plan::Plan;
use crate::process::{Command, ProcessError, Stream, User, kill_marked, kill_of_user};
use crate::record::Usage;
use crate::redact::Redactor;

pub(crate) use environment::{Variables, environment, git_config, passed_on};
pub use headless::Headless;
pub(crate) use headless::Start;
pub(crate) use last_words::LastWords;
pub use written::Written;

/// In the environment of everything an agent starts: how its processes are found in the end.
pub(crate) const MARKER: &str = "CHANGELING_RUN_ID";

/// Who does the work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Agent {
    /// This program itself: changes nothing, and says so.
    StandIn {
        /// Where this program is.
        program: PathBuf,
    },
    /// A command of the user's, started by us.
    Command(Vec<String>),
    /// An agent that mngr creates.
    Mngr(Launch),
}

/// What is heard of an agent while it works.
#[derive(Debug)]
pub enum Heard<'a> {
    /// A piece of its output, redacted: for the log.
    Output(&'a [u8]),
    /// What it says or does now, in one printable line: for showing progress.
    Says(&'a str),
    /// What it cost so far, as far as it says so in a form made for machines.
    Usage(Usage),
}

/// A command line that cannot be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum AgentError {
    #[error("the agent's command is empty")]
    Empty,
    #[error("the agent's command has a quote that is not closed")]
    Quotes,
}

impl From<AgentError> for crate::error::Error {
    fn from(error: AgentError) -> Self {
        Self::from_source(crate::error::Kind::Usage, error)
            .with_hint("write it as for a shell, such as --agent-command 'claude -p'")
    }
}

/// Where an agent works, and with what.
#[derive(Debug)]
pub struct Room<'a> {
    pub plan: &'a Plan,
    pub workspace: &'a Path,
    /// The run's own folder.
    pub run_dir: &'a Path,
    pub identity: &'a Identity,
    /// What the host was started with.
    pub env: &'a Environment,
    /// Values for names of `plan.env_names` that are secret.
    pub secrets: &'a [(String, String)],
    pub redactor: &'a Redactor,
    /// Whom the agent runs as; `None`: as we do.
    pub user: Option<&'a User>,
}

/// How an agent ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Ended {
    pub how: How,
    pub seconds: u64,
    pub usage: Usage,
    /// It reported a failure in a form made for machines, whatever its exit code.
    pub reported_failure: bool,
    /// Last line of what it said, or the result it reported in a form made for machines.
    pub last_message: Option<String>,
    /// The end of its output, redacted and printable.
    pub last_lines: Vec<String>,
    /// Processes that could not be killed.
    pub processes_left: usize,
}

/// The fact of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum How {
    Exited(i32),
    TimedOut,
    Interrupted,
    /// The reason.
    NotStarted(String),
    /// It came to no end of its own: what happened.
    Failed(String),
    /// It waits for a person; what for.
    Stuck(String),
}

impl Agent {
    /// A command line in a shell's words; nothing of it is expanded. A program given by a relative
    /// path is taken from `base`.
    pub fn command(line: &str, base: &Path) -> Result<Self, AgentError> {
        let mut words = shell_words::split(line).map_err(|_| AgentError::Quotes)?;
        let program = words.first_mut().ok_or(AgentError::Empty)?;
        if program.contains('/') {
            *program = base.join(&*program).to_string_lossy().into_owned();
        }
        Ok(Self::Command(words))
    }

    pub fn is_stand_in(&self) -> bool {
        matches!(self, Self::StandIn { .. })
    }

    /// Program and arguments that start it.
    pub fn argv(&self, room: &Room) -> Vec<String> {
        match self {
            Self::StandIn { program } => {
                vec![
                    program.to_string_lossy().into_owned(),
                    "stand-in".to_owned(),
                ]
            }
            Self::Command(words) => words.clone(),
            Self::Mngr(launch) => launch.argv(room),
        }
    }

    /// Lets it work until it ends or its time is up, then ends everything it started. `hear` gets
    /// what it says as it arrives.
    ///
    /// # Errors
    /// Files of the run cannot be written. Whatever happens to the agent is no error.
    pub fn work(&self, room: &Room, hear: &mut dyn FnMut(Heard)) -> std::io::Result<Ended> {
        match self {
            Self::Mngr(launch) => launch.work(room, hear),
            Self::StandIn { .. } | Self::Command(_) => self.work_here(room, hear),
        }
    }

    /// As a child of this process.
    fn work_here(&self, room: &Room, hear: &mut dyn FnMut(Heard)) -> std::io::Result<Ended> {
        let mut argv = self.argv(room).into_iter();
        let mut command = Command::new(argv.next().unwrap_or_default())
            .args(argv)
            .cwd(room.workspace)
            .stdin(room.plan.prompt.as_bytes())
            .timeout(Duration::from_secs(room.plan.limits.timeout_seconds))
            // Everything is in the log; what is needed of the end is kept in `words`.
            .max_output(0)
            .user(room.user);
        for (name, value) in environment(room)? {
            command = command.env(name, value);
        }
        let mut words = LastWords::default();
        let (mut stdout, mut stderr) = (room.redactor.stream(), room.redactor.stream());
        let mut take = |stream: Stream, clean: &[u8]| {
            hear(Heard::Output(clean));
            words.hear(stream, clean, hear);
        };
        let started = Instant::now();
        let finished = command.run_streaming(|stream, bytes| {
            let redacted = match stream {
                Stream::Stdout => stdout.push(bytes),
                Stream::Stderr => stderr.push(bytes),
            };
            take(stream, &redacted);
        });
        take(Stream::Stdout, &stdout.finish());
        take(Stream::Stderr, &stderr.finish());
        words.finish(hear);
        let processes_left = end_all(room);
        let how = match finished {
            Ok(finished) => How::Exited(finished.code()),
            Err(ProcessError::TimedOut { .. }) => How::TimedOut,
            Err(ProcessError::Interrupted(_)) => How::Interrupted,
            Err(error) => How::NotStarted(with_causes(&error)),
        };
        Ok(Ended {
            how,
            seconds: started.elapsed().as_secs(),
            usage: words.usage(),
            reported_failure: words.is_failure(),
            last_message: words.message(),
            last_lines: words.lines(),
            processes_left,
        })
    }
}

/// Whether this agent type is started so that it never asks for permission, which on the user's own
/// machine needs the user's word (`unattended`).
pub fn skips_prompts(agent_type: &str) -> bool {
    Headless::of(agent_type).is_some_and(Headless::skips_prompts)
}

/// Ends everything an agent started. Returns how many processes live on all the same.
pub(crate) fn end_all(room: &Room) -> usize {
    match room.user {
        Some(user) => kill_of_user(user.uid),
        None => kill_marked(MARKER, &room.plan.run_id),
    }
}

/// Ends what an earlier process of ours left running, and removes what it left outside `run_dir`.
pub fn end_run(run_dir: &Path, run_id: &str) -> usize {
    let left = kill_marked(MARKER, run_id);
    crate::mngr::remove_outside(run_dir);
    left
}

#[cfg(test)]
mod tests;
