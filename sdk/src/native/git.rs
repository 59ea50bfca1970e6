//! Running git on a repository, apart from the user's and the machine's configuration.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::Failure;

/// A repository.
#[derive(Debug, Clone)]
pub(crate) struct Git {
    root: PathBuf,
}

impl Git {
    pub(crate) fn at(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
        }
    }

    /// What git writes to stdout.
    pub(crate) fn run(&self, args: &[&str]) -> Result<Vec<u8>, Failure> {
        self.run_with(args, None)
    }

    /// As `run`, with something on stdin.
    pub(crate) fn run_with(
        &self,
        args: &[&str],
        input: Option<Vec<u8>>,
    ) -> Result<Vec<u8>, Failure> {
        let failed = |what: String| {
            let verb = args.first().unwrap_or(&"");
            Failure::new("unavailable", format!("git {verb} {what}"))
        };
        let mut command = self.command(args);
        if input.is_some() {
            command.stdin(Stdio::piped());
        }
        let mut child = command
            .spawn()
            .map_err(|error| failed(format!("did not start: {error}")))?;
        let writer = input.and_then(|input| {
            let mut stdin = child.stdin.take()?;
            Some(std::thread::spawn(move || stdin.write_all(&input)))
        });
        let output = child
            .wait_with_output()
            .map_err(|error| failed(format!("cannot be read: {error}")))?;
        if let Some(writer) = writer {
            // A git that stopped reading says so with its exit status.
            let _ = writer.join();
        }
        if output.status.success() {
            return Ok(output.stdout);
        }
        let why = String::from_utf8_lossy(&output.stderr);
        Err(failed(format!("failed: {}", why.trim())))
    }

    fn command(&self, args: &[&str]) -> Command {
        #[expect(
            clippy::disallowed_methods,
            reason = "tests of templates run outside the host"
        )]
        let mut command = Command::new("git");
        // A GIT_DIR of a hook that runs the tests must not redirect us.
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("GIT_") {
                command.env_remove(name);
            }
        }
        for setting in [
            "core.quotePath=false",
            "core.autocrlf=false",
            "core.hooksPath=/dev/null",
        ] {
            command.args(["-c", setting]);
        }
        let above = self.root.parent().unwrap_or(&self.root);
        command
            .args(args)
            .current_dir(&self.root)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_SYSTEM", "/dev/null")
            .env("GIT_CEILING_DIRECTORIES", above)
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("LC_ALL", "C")
            .env("TZ", "UTC")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }
}
