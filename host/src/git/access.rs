//! How remotes are reached: the user's ssh, his credential helpers, or a token of ours.

use std::ffi::OsString;
use std::fmt;
use std::sync::Arc;

use super::ssh::Ssh;
use crate::context::Environment;
use crate::process::Command;
use crate::repo_url::RepoUrl;

/// Holds the token while git runs; read by the helper below.
const TOKEN_VARIABLE: &str = "CHANGELINGS_GIT_TOKEN";

/// Answers git's question for a password from the environment. GitHub takes any user name with a
/// token; `x-access-token` is the one it documents.
const HELPER: &str = r#"!f() { test "$1" = get && printf 'username=x-access-token\npassword=%s\n' "$CHANGELINGS_GIT_TOKEN"; }; f"#;

/// The same for an agent that holds the token under its own name.
const AGENT_HELPER: &str = r#"!f() { test "$1" = get && printf 'username=x-access-token\npassword=%s\n' "$GITHUB_TOKEN"; }; f"#;

/// The setting that lets an agent's git find the token in its environment, for the host of this
/// repository only; `None`: it is not reached over https.
pub fn agent_credentials(repo: &RepoUrl) -> Option<(String, &'static str)> {
    let origin = origin(repo)?;
    Some((format!("credential.{origin}.helper"), AGENT_HELPER))
}

/// What ssh may not do unattended: ask, or wait for ever.
const SSH_OPTIONS: &str = "-o BatchMode=yes -o ConnectTimeout=30";

#[derive(Clone)]
pub(super) struct Access {
    ssh_command: Option<OsString>,
    ssh_agent: Option<OsString>,
    /// A key of the changeling's own, instead of the user's ssh command.
    pub(super) key: Option<Arc<Ssh>>,
    /// Origin (`https://host[:port]`) and the token for it.
    token: Option<(String, String)>,
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let token = self.token.as_ref().map(|(origin, _)| origin);
        f.debug_struct("Access")
            .field("token_for", &token)
            .finish_non_exhaustive()
    }
}

impl Access {
    pub(super) fn of_user(env: &Environment) -> Self {
        Self {
            ssh_command: env.get_os("GIT_SSH_COMMAND").map(ToOwned::to_owned),
            ssh_agent: env.get_os("SSH_AUTH_SOCK").map(ToOwned::to_owned),
            key: None,
            token: None,
        }
    }

    pub(super) fn offer_token(&mut self, repo: &RepoUrl, token: &str) {
        // A line break would end the helper's answer early.
        if let (Some(origin), false) = (origin(repo), token.contains(['\n', '\r', '\0'])) {
            self.token = Some((origin, token.to_owned()));
        }
    }

    /// Adds what this remote needs. `configured_ssh` is the user's `core.sshCommand`.
    pub(super) fn equip(
        &self,
        mut command: Command,
        repo: &RepoUrl,
        configured_ssh: impl FnOnce() -> Option<String>,
    ) -> Command {
        match repo {
            RepoUrl::Web { secure, .. } => {
                if !secure {
                    command = command.env("GIT_ALLOW_PROTOCOL", "http:https:ssh:file");
                }
                // A transfer slower than 1 kB/s for a minute has died.
                for setting in ["http.lowSpeedLimit=1000", "http.lowSpeedTime=60"] {
                    command = command.arg("-c").arg(setting);
                }
                if let Some((origin, token)) = &self.token
                    && Some(origin) == self::origin(repo).as_ref()
                {
                    command = command
                        .arg("-c")
                        .arg("credential.helper=")
                        .arg("-c")
                        .arg(format!("credential.{origin}.helper={HELPER}"))
                        .env(TOKEN_VARIABLE, token);
                }
                command
            }
            RepoUrl::Ssh { .. } => {
                if let Some(agent) = &self.ssh_agent {
                    command = command.env("SSH_AUTH_SOCK", agent);
                }
                if let Some(key) = &self.key {
                    return command.env("GIT_SSH_COMMAND", key.command());
                }
                let mut ssh = self
                    .ssh_command
                    .clone()
                    .or_else(|| configured_ssh().map(OsString::from))
                    .unwrap_or_else(|| "ssh".into());
                ssh.push(" ");
                ssh.push(SSH_OPTIONS);
                command.env("GIT_SSH_COMMAND", ssh)
            }
            RepoUrl::Local(_) => command,
        }
    }
}

/// `https://host[:port]`.
fn origin(repo: &RepoUrl) -> Option<String> {
    let RepoUrl::Web { path, .. } = repo else {
        return None;
    };
    repo.to_string()
        .strip_suffix(path.as_str())?
        .strip_suffix('/')
        .map(ToOwned::to_owned)
}
