//! The only place that spawns. A child gets exactly the environment it is given, its own process
//! group, a deadline and bounded output; when it ends, or when we give up on it, its whole group dies.

mod converse;
mod marked;
mod output;
mod running;
mod signals;
mod user;

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, ExitStatus, Stdio};
use std::time::Duration;

pub use converse::Conversation;
pub use marked::{kill_marked, kill_of_user};
pub use running::Running;
pub use signals::{despite_interrupt, end_after, interrupted, pause, time_left, time_up};
pub use user::User;

/// Output kept of each stream unless told otherwise.
pub const DEFAULT_MAX_OUTPUT: usize = 64 * 1024 * 1024;

/// A program to run. The environment starts empty.
#[derive(Clone)]
pub struct Command {
    program: OsString,
    args: Vec<OsString>,
    cwd: Option<PathBuf>,
    env: BTreeMap<OsString, OsString>,
    stdin: Vec<u8>,
    timeout: Duration,
    max_output: usize,
    cleans_up: bool,
    user: Option<(u32, u32)>,
}

/// A child that ended by itself.
#[derive(Debug, Clone)]
pub struct Finished {
    pub status: ExitStatus,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
    /// A stream was longer than the limit and its rest was dropped.
    pub truncated: bool,
}

/// Why there is no `Finished`.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    #[error("`{0}` is not installed or not on PATH")]
    NotFound(String),
    #[error("cannot start `{0}`")]
    Spawn(String, #[source] io::Error),
    #[error("`{program}` did not end within {}", seconds(*.timeout))]
    TimedOut { program: String, timeout: Duration },
    #[error("`{program}` said nothing for {}", seconds(*.silence))]
    Silent { program: String, silence: Duration },
    #[error("`{0}` was interrupted")]
    Interrupted(String),
    #[error("cannot talk to `{0}`")]
    Pipe(String, #[source] io::Error),
}

fn seconds(duration: Duration) -> String {
    format!("{} s", duration.as_secs())
}

impl Finished {
    pub fn success(&self) -> bool {
        self.status.success()
    }

    /// Exit code; a signal counts as 128 + its number, as in a shell.
    pub fn code(&self) -> i32 {
        self.status
            .code()
            .unwrap_or_else(|| 128 + self.status.signal().unwrap_or(0))
    }

    /// Standard output as text, without the last line break.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout)
            .trim_end_matches('\n')
            .to_owned()
    }
}

/// Without the values of variables and without the input: either may be secret.
impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Command")
            .field("argv", &self.argv())
            .field("cwd", &self.cwd)
            .field("env", &self.env.keys().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

impl Command {
    pub fn new(program: impl Into<OsString>) -> Self {
        Self {
            program: program.into(),
            args: Vec::new(),
            cwd: None,
            env: BTreeMap::new(),
            stdin: Vec::new(),
            timeout: Duration::from_mins(1),
            max_output: DEFAULT_MAX_OUTPUT,
            cleans_up: false,
            user: None,
        }
    }

    #[must_use]
    pub fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.args.push(arg.into());
        self
    }

    #[must_use]
    pub fn args<S: Into<OsString>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    #[must_use]
    pub fn cwd(mut self, cwd: impl Into<PathBuf>) -> Self {
        self.cwd = Some(cwd.into());
        self
    }

    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.env.insert(name.into(), value.into());
        self
    }

    /// What the child reads first; without it, nothing.
    #[must_use]
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = bytes.into();
        self
    }

    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// It cleans up: a first signal that asks us to end does not end it.
    #[must_use]
    pub const fn cleans_up(mut self) -> Self {
        self.cleans_up = true;
        self
    }

    /// It runs as this user, without any of our groups; `None`: as we do.
    #[must_use]
    pub fn user(mut self, user: Option<&User>) -> Self {
        self.user = user.map(|user| (user.uid, user.gid));
        self
    }

    #[must_use]
    pub const fn max_output(mut self, bytes: usize) -> Self {
        self.max_output = bytes;
        self
    }

    /// Program and arguments, for messages and plans. Never holds a secret: secrets go by environment.
    pub fn argv(&self) -> Vec<String> {
        std::iter::once(&self.program)
            .chain(&self.args)
            .map(|part| part.to_string_lossy().into_owned())
            .collect()
    }

    /// What the child will see of one variable.
    #[cfg(test)]
    pub(crate) fn env_value(&self, name: &str) -> Option<&OsStr> {
        self.env.get(OsStr::new(name)).map(OsString::as_os_str)
    }

    fn name(&self) -> String {
        self.program.to_string_lossy().into_owned()
    }

    fn spawn(&self, stderr: Stdio) -> Result<Child, ProcessError> {
        signals::watch();
        #[expect(clippy::disallowed_methods, reason = "this module owns spawning")]
        let mut command = std::process::Command::new(&self.program);
        command
            .args(&self.args)
            .env_clear()
            .envs(&self.env)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(stderr)
            .process_group(0);
        if let Some((uid, gid)) = self.user {
            // As root this lets go of our other groups, too.
            command.uid(uid).gid(gid);
        }
        if let Some(cwd) = &self.cwd {
            command.current_dir(cwd);
        }
        command.spawn().map_err(|error| {
            if error.kind() == io::ErrorKind::NotFound
                && self.cwd.as_ref().is_none_or(|cwd| cwd.is_dir())
            {
                ProcessError::NotFound(self.name())
            } else {
                ProcessError::Spawn(self.name(), error)
            }
        })
    }

    /// Gives our own standard streams and our process group to the program until it ends: an editor.
    pub fn hand_over(&self) -> Result<ExitStatus, ProcessError> {
        // Ctrl-C is for the program; without this it would end us too.
        signals::watch();
        #[expect(clippy::disallowed_methods, reason = "this module owns spawning")]
        let mut command = std::process::Command::new(&self.program);
        command.args(&self.args).env_clear().envs(&self.env);
        if let Some(cwd) = &self.cwd {
            command.current_dir(cwd);
        }
        command.status().map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => ProcessError::NotFound(self.name()),
            _ => ProcessError::Spawn(self.name(), error),
        })
    }

    /// Runs to the end and keeps the output.
    pub fn run(&self) -> Result<Finished, ProcessError> {
        self.run_streaming(|_, _| {})
    }

    /// As `run`, and shows each piece of output to `watch` as it arrives.
    pub fn run_streaming(
        &self,
        mut watch: impl FnMut(Stream, &[u8]),
    ) -> Result<Finished, ProcessError> {
        let mut running = self.start()?;
        running.say_no_more();
        while let Some((stream, bytes)) = running.next(Duration::MAX)? {
            watch(stream, &bytes);
        }
        running.finish()
    }
}

/// Which stream a piece of output came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    Stdout,
    Stderr,
}

/// A process group of ours.
#[derive(Debug, Clone, Copy)]
struct Group {
    id: Option<rustix::process::Pid>,
}

impl Group {
    fn of(child: &Child) -> Self {
        Self {
            id: i32::try_from(child.id())
                .ok()
                .and_then(rustix::process::Pid::from_raw),
        }
    }

    fn kill(self) {
        if let Some(id) = self.id {
            // Gone already is what we want.
            let _ = rustix::process::kill_process_group(id, rustix::process::Signal::KILL);
        }
    }
}

/// Where `program` is on this `PATH`, without running it.
pub fn find_on_path(program: &str, path: &OsStr) -> Option<PathBuf> {
    use std::os::unix::fs::PermissionsExt;
    std::env::split_paths(path)
        .filter(|dir| dir.is_absolute())
        .map(|dir| dir.join(program))
        .find(|file| {
            file.metadata()
                .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
        })
}

#[cfg(test)]
mod tests;
