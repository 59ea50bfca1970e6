//! The only place that knows the git binary. Every call is hardened the same way: no prompt, no
//! hook, no pager, no fsmonitor, no LFS, no replaced objects, a short list of protocols, a
//! deadline, and an environment of our own making.
//!
//! Nothing here trusts the configuration of a repository an agent could write to, and only calls
//! that talk to a remote or ask who the user is see the user's own configuration: everything else
//! behaves the same on every machine.

mod access;
mod commit;
mod error;
mod mirror;
mod remote;
mod snapshot;
mod ssh;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::context::Environment;
use crate::process::{Command, Finished};
use crate::repo_url::RepoUrl;

use access::Access;
pub use access::agent_credentials;
pub use commit::NewFile;
pub use error::GitError;
pub use mirror::{Mirror, Unbundled};
pub use remote::{Listing, Push};
pub use snapshot::{Changed, Commit, Content, Entry, Files, Left, Origin, Snapshot, Tree};
pub use ssh::{Key, Ssh};

/// Author and committer of the run's commits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    pub name: String,
    pub email: String,
}

/// The git program and the environment its calls get.
#[derive(Debug, Clone)]
pub struct Git {
    env: Vec<(&'static str, OsString)>,
    /// Where the user's own configuration is, for the calls that may see it.
    user_env: Vec<(&'static str, OsString)>,
    access: Access,
}

/// Variables of the user's environment that git may see; nothing that changes what git does.
const PASSED_ON: &[&str] = &[
    "PATH",
    "HOME",
    "TMPDIR",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
    "all_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "GIT_SSL_CAINFO",
];

/// Variables that say where the user's configuration is.
const USER_CONFIG: &[&str] = &[
    "XDG_CONFIG_HOME",
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_SYSTEM",
    "GIT_CONFIG_NOSYSTEM",
];

/// The user's and the machine's configuration, absent.
const NO_USER_CONFIG: &[(&str, &str)] = &[
    ("GIT_CONFIG_GLOBAL", "/dev/null"),
    ("GIT_CONFIG_NOSYSTEM", "1"),
    ("GIT_ATTR_NOSYSTEM", "1"),
];

const FIXED: &[(&str, &str)] = &[
    ("GIT_ALLOW_PROTOCOL", "https:ssh:file"),
    ("GIT_TERMINAL_PROMPT", "0"),
    // Set and empty: asks no program, whatever the configuration names.
    ("GIT_ASKPASS", ""),
    ("SSH_ASKPASS", ""),
    ("GIT_NO_LAZY_FETCH", "1"),
    ("GIT_NO_REPLACE_OBJECTS", "1"),
    ("GIT_LFS_SKIP_SMUDGE", "1"),
    ("GIT_OPTIONAL_LOCKS", "0"),
    // Messages are read below (`error`).
    ("LC_ALL", "C"),
];

/// Configuration of every call, against what a repository or the user's files say.
const CONFIG: &[&str] = &[
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.untrackedCache=false",
    "core.pager=cat",
    "core.quotePath=false",
    "core.attributesFile=/dev/null",
    "core.excludesFile=/dev/null",
    "core.protectHFS=true",
    "core.protectNTFS=true",
    "credential.interactive=false",
    "protocol.ext.allow=never",
    "submodule.recurse=false",
    "fetch.recurseSubmodules=false",
    "push.recurseSubmodules=no",
    "push.gpgSign=false",
    "push.followTags=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "advice.detachedHead=false",
    "log.showSignature=false",
    // Or a repository's configuration names any file of this machine.
    "mailmap.file=",
    "mailmap.blob=",
    "filter.lfs.smudge=",
    "filter.lfs.process=",
    "filter.lfs.required=false",
];

impl Git {
    pub fn new(env: &Environment) -> Self {
        let set = |name: &&'static str| Some((*name, env.get_os(name)?.to_owned()));
        let mut variables: Vec<_> = PASSED_ON.iter().filter_map(set).collect();
        variables.extend(
            FIXED
                .iter()
                .map(|(name, value)| (*name, OsString::from(*value))),
        );
        Self {
            env: variables,
            user_env: USER_CONFIG.iter().filter_map(set).collect(),
            access: Access::of_user(env),
        }
    }

    /// Offers this token to the host of this https repository, and to no other. It travels in the
    /// environment of the calls that talk to a remote.
    #[must_use]
    pub fn with_token(mut self, repo: &RepoUrl, token: &str) -> Self {
        self.access.offer_token(repo, token);
        self
    }

    /// Remotes over ssh are reached with this key.
    #[must_use]
    pub fn with_ssh(mut self, ssh: Ssh) -> Self {
        self.access.key = Some(Arc::new(ssh));
        self
    }

    /// The same for remotes that are folders of ours: not even those calls see the user's
    /// configuration.
    #[must_use]
    pub fn without_user(mut self) -> Self {
        self.user_env = NO_USER_CONFIG
            .iter()
            .map(|(name, value)| (*name, OsString::from(*value)))
            .collect();
        self
    }

    /// A call in a git directory (`--git-dir`), never in whatever folder we happen to stand in.
    pub fn in_dir(&self, git_dir: &Path) -> Command {
        self.bare().arg("--git-dir").arg(git_dir)
    }

    /// A call that belongs to no repository (`init`, `--version`).
    pub fn bare(&self) -> Command {
        let mut command = self.hardened();
        for (name, value) in NO_USER_CONFIG {
            command = command.env(*name, *value);
        }
        command
    }

    /// A call that sees the user's own configuration: who he is, which folders he trusts.
    fn as_user(&self) -> Command {
        let mut command = self.hardened();
        for (name, value) in &self.user_env {
            command = command.env(*name, value);
        }
        command
    }

    fn hardened(&self) -> Command {
        let mut command = Command::new("git").timeout(Duration::from_mins(2));
        for (name, value) in &self.env {
            command = command.env(*name, value);
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
            &self
                .as_user()
                // Its configuration may lead to a pipe that nobody writes to.
                .timeout(Duration::from_secs(20))
                .arg("-C")
                .arg(folder)
                .args([
                    "rev-parse",
                    "--absolute-git-dir",
                    "--is-bare-repository",
                    "--show-cdup",
                ]),
        )?;
        let text = finished.text();
        let mut lines = text.lines();
        let git_dir = PathBuf::from(lines.next().unwrap_or_default());
        let bare = lines.next() == Some("true");
        let up = lines.next().unwrap_or_default();
        Ok((git_dir, (!bare).then(|| folder.join(up))))
    }

    /// Who the user is to git, in this repository of his or anywhere; `None` when he never said.
    pub fn identity(&self, git_dir: Option<&Path>) -> Result<Option<Identity>, GitError> {
        let mut ask = self.as_user();
        // Without a repository: from where no repository can be.
        ask = match git_dir {
            Some(git_dir) => ask.arg("--git-dir").arg(git_dir),
            None => ask.cwd("/"),
        };
        let finished = ask
            .args(["config", "-z", "--get-regexp", r"^user\.(name|email)$"])
            .run()?;
        let (mut name, mut email) = (None, None);
        for entry in String::from_utf8_lossy(&finished.stdout).split('\0') {
            match entry.split_once('\n') {
                Some(("user.name", value)) => name = clean(value),
                Some(("user.email", value)) => email = clean(value),
                _ => {}
            }
        }
        Ok(name
            .zip(email)
            .map(|(name, email)| Identity { name, email }))
    }

    /// The files of the last commit of the repository in `folder`, packed, the same bytes every time.
    pub fn archive(&self, folder: &Path) -> Result<Vec<u8>, GitError> {
        let call = self
            .as_user()
            .arg("-C")
            .arg(folder)
            .args(["-c", "tar.tgz.command=gzip -cn"])
            .args(["archive", "--format=tgz", "HEAD"])
            .max_output(256 << 20);
        Ok(checked("archive", &call)?.stdout)
    }

    /// Makes an empty bare repository that no template folder, hook or default of the user shaped.
    pub fn init_bare(&self, git_dir: &Path, object_format: &str) -> Result<(), GitError> {
        let format = format!("--object-format={object_format}");
        let init = [
            "init",
            "--quiet",
            "--bare",
            "--template=",
            &format,
            "--initial-branch=main",
        ];
        checked("init", &self.bare().args(init).arg("--").arg(git_dir))?;
        Ok(())
    }
}

/// One line without what would break a commit's header; `None` when nothing is left.
fn clean(value: &str) -> Option<String> {
    let value: String = value
        .chars()
        .filter(|c| !c.is_control() && !matches!(c, '<' | '>'))
        .collect();
    let value = value.trim();
    (!value.is_empty()).then(|| value.to_owned())
}

/// Runs and turns a non-zero exit into an error that says why.
pub fn checked(command: &str, call: &Command) -> Result<Finished, GitError> {
    let finished = call.run()?;
    if finished.success() {
        return Ok(finished);
    }
    Err(GitError::of(command, &finished))
}

#[cfg(test)]
mod tests;
