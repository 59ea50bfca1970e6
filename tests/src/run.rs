//! Running a program without a terminal, and what it answered.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io::{Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::terminal::Terminal;

/// How long a command may take before the test fails: generous, machines are busy.
const PATIENCE: Duration = Duration::from_mins(2);

/// A command to run. Its environment holds what the test's world gives and nothing else.
#[derive(Debug)]
pub struct Invocation {
    pub(crate) command: Command,
    pub(crate) shown_as: String,
    pub(crate) replacements: Vec<(String, &'static str)>,
    pub(crate) patience: Duration,
    stdin: Vec<u8>,
}

impl Invocation {
    pub(crate) fn new(program: &OsStr, replacements: Vec<(String, &'static str)>) -> Self {
        let mut command = Command::new(program);
        command.env_clear();
        let name = PathBuf::from(program)
            .file_name()
            .map(OsStr::to_owned)
            .unwrap_or_default();
        Self {
            command,
            shown_as: name.to_string_lossy().into_owned(),
            replacements,
            patience: PATIENCE,
            stdin: Vec::new(),
        }
    }

    #[must_use]
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        let text = arg.as_ref().to_string_lossy();
        let plain = !text.is_empty() && !text.contains([' ', '\'', '"', '\n', '$', '\\', '*']);
        self.shown_as += &if plain {
            format!(" {text}")
        } else {
            format!(" '{text}'")
        };
        self.command.arg(arg);
        self
    }

    /// The same call made by another program, which gets it as its last arguments.
    #[must_use]
    pub fn started_by<S: AsRef<OsStr>>(
        &self,
        program: impl AsRef<OsStr>,
        args: impl IntoIterator<Item = S>,
    ) -> Self {
        let mut outer = Self::new(program.as_ref(), self.replacements.clone());
        outer
            .command
            .args(args)
            .arg(self.command.get_program())
            .args(self.command.get_args());
        outer.shown_as = format!("{} ... {}", outer.shown_as, self.shown_as);
        if let Some(folder) = self.command.get_current_dir() {
            outer.command.current_dir(folder);
        }
        for (name, value) in self.command.get_envs() {
            match value {
                Some(value) => outer.command.env(name, value),
                None => outer.command.env_remove(name),
            };
        }
        outer.patience = self.patience;
        outer
    }

    /// The folder it runs in.
    #[must_use]
    pub fn dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.command.current_dir(folder.into());
        self
    }

    #[must_use]
    pub fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.command.env(name, value.into());
        self
    }

    #[must_use]
    pub fn env_remove(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    /// What it reads from standard input; without it, nothing.
    #[must_use]
    pub fn stdin(mut self, text: impl Into<Vec<u8>>) -> Self {
        self.stdin = text.into();
        self
    }

    /// How long it may take before the test fails.
    #[must_use]
    pub const fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Starts it in a terminal of that many columns.
    pub fn terminal(self, columns: u16) -> Terminal {
        Terminal::start(self, columns)
    }

    /// Starts it without waiting, for tests that signal, race or kill it. It leads its own process
    /// group; output is dropped.
    ///
    /// # Panics
    /// It cannot be started.
    pub fn spawn(mut self) -> Child {
        self.command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .unwrap_or_else(|e| panic!("starting {}: {e}", self.shown_as))
    }

    /// Runs it to its end.
    ///
    /// # Panics
    /// It cannot be started, or does not end in time.
    pub fn run(mut self) -> Output {
        let mut child = self
            .command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .unwrap_or_else(|e| panic!("starting {}: {e}", self.shown_as));
        let mut stdin = child.stdin.take().expect("piped");
        let input = std::mem::take(&mut self.stdin);
        // A program that does not read its input is no failure of the test.
        thread::spawn(move || stdin.write_all(&input));
        let stdout = read(child.stdout.take().expect("piped"));
        let stderr = read(child.stderr.take().expect("piped"));
        let status = wait(child, self.patience, &self.shown_as);
        let [stdout_bytes, stderr_bytes] = [stdout, stderr].map(|reader| {
            reader
                .recv_timeout(Duration::from_secs(10))
                .unwrap_or_else(|_| {
                    panic!(
                        "{} ended, but something it started holds its output open",
                        self.shown_as
                    )
                })
        });
        Output {
            command: self.shown_as,
            code: code(status),
            stdout: String::from_utf8_lossy(&stdout_bytes).into_owned(),
            stderr: String::from_utf8_lossy(&stderr_bytes).into_owned(),
            stdout_bytes,
            replacements: self.replacements,
        }
    }
}

fn read(mut pipe: impl Read + Send + 'static) -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = pipe.read_to_end(&mut bytes);
        let _ = sender.send(bytes);
    });
    receiver
}

/// Waits for the end of a group leader; past the time its whole group is killed and the test fails.
pub(crate) fn wait(mut child: Child, patience: Duration, shown_as: &str) -> ExitStatus {
    let id = rustix::process::Pid::from_child(&child);
    let (sender, ended) = mpsc::channel();
    let waiter = thread::spawn(move || {
        let _ = sender.send(child.wait());
    });
    match ended.recv_timeout(patience) {
        Ok(status) => status.expect("waiting for a child"),
        Err(_) => {
            let _ = rustix::process::kill_process_group(id, rustix::process::Signal::KILL);
            let _ = waiter.join();
            panic!("{shown_as} did not end within {patience:?}");
        }
    }
}

/// The exit code; 128 + n for signal n, as a shell says it.
pub(crate) fn code(status: ExitStatus) -> i32 {
    status
        .code()
        .or_else(|| Some(128 + status.signal()?))
        .expect("ended by code or signal")
}

/// What a command answered. As text (`insta::assert_snapshot!(output)`) it is the command line, the
/// exit code and both streams, with paths and digests replaced by words.
#[derive(Debug, Clone)]
pub struct Output {
    pub code: i32,
    /// As it was printed.
    pub stdout: String,
    /// As it was printed.
    pub stderr: String,
    pub stdout_bytes: Vec<u8>,
    command: String,
    replacements: Vec<(String, &'static str)>,
}

impl Output {
    /// # Panics
    /// The exit code is not 0.
    #[track_caller]
    pub fn success(self) -> Self {
        self.exits(0)
    }

    /// # Panics
    /// The exit code is another one.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "exit code of:\n{self}");
        self
    }

    /// Standard output as one JSON document.
    ///
    /// # Panics
    /// It is none.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.stdout_bytes)
            .unwrap_or_else(|error| panic!("no JSON document ({error}):\n{self}"))
    }

    /// Standard output with paths and digests replaced by words.
    pub fn normalised_stdout(&self) -> String {
        normalise(&self.stdout, &self.replacements)
    }

    /// Standard error with paths and digests replaced by words.
    pub fn normalised_stderr(&self) -> String {
        normalise(&self.stderr, &self.replacements)
    }
}

impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "$ {}", normalise(&self.command, &self.replacements))?;
        writeln!(f, "exit code: {}", self.code)?;
        for (name, text) in [
            ("out", self.normalised_stdout()),
            ("err", self.normalised_stderr()),
        ] {
            if !text.is_empty() {
                writeln!(f, "----- std{name} -----\n{}", text.trim_end_matches('\n'))?;
            }
        }
        Ok(())
    }
}

/// Replaces what differs from run to run: given paths, and digests after `sha256:`.
pub(crate) fn normalise(text: &str, replacements: &[(String, &'static str)]) -> String {
    let mut text = text.to_owned();
    for (path, word) in replacements {
        text = text.replace(path, word);
    }
    let mut parts = text.split("sha256:");
    let mut result = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_hexdigit());
        let digest = if rest.len() == part.len() {
            "sha256:"
        } else {
            "sha256:[DIGEST]"
        };
        result.push_str(digest);
        result.push_str(rest);
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_from_run_to_run_becomes_a_word() {
        let replacements = [("/tmp/x".to_owned(), "[ROOT]")];
        assert_eq!(
            normalise(
                "/tmp/x/a sha256:0123abcd, sha256: and /tmp/y",
                &replacements
            ),
            "[ROOT]/a sha256:[DIGEST], sha256: and /tmp/y",
        );
    }

    #[test]
    fn a_command_that_does_not_end_fails_the_test() {
        let env = crate::TestEnv::untouched();
        let slow = env
            .external("sh", ["-c", "sleep 600 & wait"])
            .patience(Duration::from_millis(50));
        let message = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| slow.run()))
            .expect_err("it cannot have ended");
        let message = message.downcast_ref::<String>().expect("a message");
        assert_eq!(message, "sh -c 'sleep 600 & wait' did not end within 50ms");
    }

    #[test]
    fn the_environment_is_the_worlds_own() {
        let env = crate::TestEnv::untouched();
        let output = env.external("env", [""; 0]).run().success();
        let mut names: Vec<_> = output
            .stdout
            .lines()
            .filter_map(|line| line.split('=').next())
            .collect();
        names.sort_unstable();
        let mut ours: Vec<_> = env.variables().into_iter().map(|(name, _)| name).collect();
        ours.sort_unstable();
        assert_eq!(names, ours);
    }
}
