//! Agents that are a program of this machine: the built-in stand-in, and any command. The prompt
//! comes on standard input; what the program says goes to the log; what it did is in the workspace.

mod last_words;
pub mod stand_in;
mod written;

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::context::Environment;
use crate::job::Identity;
use crate::plan::{PASSED_ON, Plan};
use crate::process::{Command, ProcessError, Stream, kill_marked};
use crate::record::Usage;
use crate::redact::Redactor;

use last_words::LastWords;
pub use written::Written;
use written::{REPORT, SUMMARY};

/// In the environment of everything an agent starts: how its processes are found in the end.
const MARKER: &str = "CHANGELING_RUN_ID";

/// Beside `PASSED_ON`: harmless things that programs expect.
const ALSO_PASSED_ON: &[&str] = &["TMPDIR", "USER", "LOGNAME", "SHELL"];

/// Who does the work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Agent {
    /// This program itself: changes nothing, and says so.
    StandIn {
        /// Where this program is.
        program: PathBuf,
    },
    /// A command of the user's.
    Command(Vec<String>),
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

    /// Program and arguments.
    pub fn argv(&self) -> Vec<String> {
        match self {
            Self::StandIn { program } => {
                vec![
                    program.to_string_lossy().into_owned(),
                    "stand-in".to_owned(),
                ]
            }
            Self::Command(words) => words.clone(),
        }
    }

    /// Lets it work until it ends or its time is up, then ends everything it started. `log` gets
    /// its output, redacted, as it arrives.
    pub fn work(&self, room: &Room, mut log: impl FnMut(&[u8])) -> std::io::Result<Ended> {
        let mut argv = self.argv().into_iter();
        let mut command = Command::new(argv.next().unwrap_or_default())
            .args(argv)
            .cwd(room.workspace)
            .stdin(room.plan.prompt.as_bytes())
            .timeout(Duration::from_secs(room.plan.limits.timeout_seconds))
            // Everything is in the log; what is needed of the end is kept in `words`.
            .max_output(0);
        for (name, value) in environment(room)? {
            command = command.env(name, value);
        }
        let mut words = LastWords::default();
        let (mut stdout, mut stderr) = (room.redactor.stream(), room.redactor.stream());
        let mut hear = |stream: Stream, clean: &[u8]| {
            log(clean);
            words.hear(stream, clean);
        };
        let started = Instant::now();
        let finished = command.run_streaming(|stream, bytes| {
            let redacted = match stream {
                Stream::Stdout => stdout.push(bytes),
                Stream::Stderr => stderr.push(bytes),
            };
            hear(stream, &redacted);
        });
        hear(Stream::Stdout, &stdout.finish());
        hear(Stream::Stderr, &stderr.finish());
        let processes_left = kill_marked(MARKER, &room.plan.run_id);
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

/// Ends what an earlier process of ours left running.
pub fn end_processes_of(run_id: &str) -> usize {
    kill_marked(MARKER, run_id)
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

/// The whole environment of an agent: it starts empty.
fn environment(room: &Room) -> std::io::Result<Vec<(String, OsString)>> {
    let mut variables: Vec<(String, OsString)> = Vec::new();
    for name in PASSED_ON.iter().chain(ALSO_PASSED_ON) {
        if let Some(value) = room.env.get_os(name) {
            variables.push(((*name).to_owned(), value.to_owned()));
        }
    }
    let mut add = |name: &str, value: OsString| variables.push((name.to_owned(), value));
    for (name, value) in &room.plan.env_vars {
        add(name, value.into());
    }
    for (name, value) in room.secrets {
        add(name, value.into());
    }
    // Git and gh find nothing of the user's: no credential helper, no login.
    let git_config = room.run_dir.join("gitconfig");
    fs::write(&git_config, git_config_text(room.identity))?;
    let gh = room.run_dir.join("gh");
    crate::context::create_private_dir(&gh)?;
    add("GIT_CONFIG_GLOBAL", git_config.into());
    add("GH_CONFIG_DIR", gh.into());
    add("GIT_TERMINAL_PROMPT", "0".into());
    // An agent that deletes `.git` must not find a repository around our own folder.
    add("GIT_CEILING_DIRECTORIES", room.run_dir.into());
    add(MARKER, room.plan.run_id.clone().into());
    add("CHANGELING_SUMMARY", room.run_dir.join(SUMMARY).into());
    if room.plan.report.is_some() {
        add("CHANGELING_REPORT", room.run_dir.join(REPORT).into());
    }
    Ok(variables)
}

fn git_config_text(identity: &Identity) -> String {
    let quoted = |value: &str| value.replace('\\', r"\\").replace('"', "\\\"");
    format!(
        "[user]\n\tname = \"{}\"\n\temail = \"{}\"\n[init]\n\tdefaultBranch = main\n[commit]\n\tgpgSign = false\n[tag]\n\tgpgSign = false\n[gc]\n\tautoDetach = false\n[maintenance]\n\tautoDetach = false\n",
        quoted(&identity.name),
        quoted(&identity.email),
    )
}

#[cfg(test)]
mod tests;
