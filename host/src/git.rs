//! The only place that knows the git binary. Every call is hardened the same way: no prompt, no
//! hook, no pager, no fsmonitor, no LFS, a short list of protocols, a deadline, and an environment
//! of our own making. Nothing here trusts the configuration of a repository an agent could write to.

mod snapshot;

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::context::Environment;
use crate::process::{Command, Finished, ProcessError};

pub use snapshot::{Changed, Commit, Content, Entry, Files, Left, Listing, Origin, Snapshot};

/// The git program and the environment its calls get.
#[derive(Debug, Clone)]
pub struct Git {
    env: Vec<(String, std::ffi::OsString)>,
}

/// A git call that did not do its work.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// `command` is git's subcommand; `message` its last lines, control characters made visible.
    #[error("git {command} failed (exit {code}): {message}")]
    Failed {
        command: String,
        code: i32,
        message: String,
    },
    #[error("git {command} answered something unexpected: {message}")]
    Unexpected { command: String, message: String },
}

/// Variables of the user's environment that git may see; nothing that changes what git does.
const PASSED_ON: &[&str] = &[
    "PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "http_proxy", "https_proxy", "no_proxy",
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "all_proxy", "SSL_CERT_FILE",
    "SSL_CERT_DIR", "GIT_SSL_CAINFO", "XDG_CONFIG_HOME",
];

/// Configuration of every call, against what a repository or the user's files say.
const CONFIG: &[&str] = &[
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.pager=cat",
    "core.quotePath=false",
    "credential.interactive=false",
    "protocol.ext.allow=never",
    "submodule.recurse=false",
    "fetch.recurseSubmodules=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "advice.detachedHead=false",
    "log.showSignature=false",
    "filter.lfs.smudge=",
    "filter.lfs.process=",
    "filter.lfs.required=false",
];

impl Git {
    pub fn new(env: &Environment) -> Self {
        let mut variables: Vec<_> = PASSED_ON
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), env.get_os(name)?.to_owned())))
            .collect();
        for (name, value) in [
            ("GIT_ALLOW_PROTOCOL", "https:ssh:file"),
            ("GIT_TERMINAL_PROMPT", "0"),
            ("GIT_ASKPASS", ""),
            ("SSH_ASKPASS", ""),
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_NO_LAZY_FETCH", "1"),
            ("GIT_LFS_SKIP_SMUDGE", "1"),
            ("GIT_OPTIONAL_LOCKS", "0"),
            ("LC_MESSAGES", "C"),
        ] {
            variables.push((name.to_owned(), value.into()));
        }
        Self { env: variables }
    }

    /// A call in a git directory (`--git-dir`), never in whatever folder we happen to stand in.
    pub fn in_dir(&self, git_dir: &Path) -> Command {
        self.bare().arg("--git-dir").arg(git_dir)
    }

    /// A call that belongs to no repository (`clone`, `ls-remote`, `--version`).
    pub fn bare(&self) -> Command {
        let mut command = Command::new("git").timeout(Duration::from_secs(120));
        for (name, value) in &self.env {
            command = command.env(name, value);
        }
        for setting in CONFIG {
            command = command.arg("-c").arg(*setting);
        }
        command
    }

    /// The repository a folder belongs to: its git directory and work tree (`None` when bare).
    pub fn discover(&self, folder: &Path) -> Result<(PathBuf, Option<PathBuf>), GitError> {
        let finished = checked(
            "rev-parse",
            &self.bare().arg("-C").arg(folder).args(["rev-parse", "--absolute-git-dir", "--is-bare-repository", "--show-cdup"]),
        )?;
        let text = finished.text();
        let mut lines = text.lines();
        let git_dir = PathBuf::from(lines.next().unwrap_or_default());
        let bare = lines.next() == Some("true");
        let up = lines.next().unwrap_or_default();
        Ok((git_dir, (!bare).then(|| folder.join(up))))
    }
}

/// Runs and turns a non-zero exit into an error that quotes git's last lines.
pub fn checked(command: &str, call: &Command) -> Result<Finished, GitError> {
    let finished = call.run()?;
    if finished.success() {
        return Ok(finished);
    }
    Err(GitError::Failed {
        command: command.to_owned(),
        code: finished.code(),
        message: last_lines(&finished.stderr),
    })
}

fn last_lines(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let lines: Vec<_> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let tail = &lines[lines.len().saturating_sub(3)..];
    crate::names::printable(&tail.join("; "))
}
