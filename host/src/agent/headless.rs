//! Agents whose command line without a terminal is known: the prompt comes on standard input, they
//! never ask, and end with an exit code.

use std::ffi::OsString;
use std::path::Path;

use super::Variables;
use crate::context::Environment;
use crate::plan::Limits;

/// Such an agent type, in mngr's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Headless {
    Claude,
    Codex,
    /// A program of the user's own.
    Command,
}

/// How one is started.
#[derive(Debug)]
pub(crate) struct Start<'a> {
    pub(crate) program: &'a str,
    /// The user's own arguments for it.
    pub(crate) args: &'a [String],
    pub(crate) limits: &'a Limits,
    /// Permission prompts are skipped.
    pub(crate) unattended: bool,
}

impl Headless {
    /// `None`: mngr's own way is the only one known.
    pub fn of(agent_type: &str) -> Option<Self> {
        match agent_type {
            "claude" => Some(Self::Claude),
            "codex" => Some(Self::Codex),
            "command" => Some(Self::Command),
            _ => None,
        }
    }

    /// Started so that it never asks for permission: without that it would hang, or refuse to work,
    /// at night. On the user's own machine that needs the user's word.
    pub const fn skips_prompts(self) -> bool {
        matches!(self, Self::Claude | Self::Codex)
    }

    /// What is looked for on PATH; `None`: the user names it.
    pub const fn program(self) -> Option<&'static str> {
        match self {
            Self::Claude => Some("claude"),
            Self::Codex => Some("codex"),
            Self::Command => None,
        }
    }

    /// With one of these set it needs no login of the user's. `codex exec` takes the first of its
    /// own; the second stands in for it.
    pub const fn keys(self) -> &'static [&'static str] {
        match self {
            Self::Claude => &[
                "ANTHROPIC_API_KEY",
                "ANTHROPIC_AUTH_TOKEN",
                "CLAUDE_CODE_OAUTH_TOKEN",
                "CLAUDE_CODE_USE_BEDROCK",
                "CLAUDE_CODE_USE_VERTEX",
                "CLAUDE_CODE_USE_FOUNDRY",
            ],
            Self::Codex => &["CODEX_API_KEY", "OPENAI_API_KEY"],
            Self::Command => &[],
        }
    }

    /// The variable that names its folder for settings, sessions and login.
    const fn folder(self) -> Option<&'static str> {
        match self {
            Self::Claude => Some("CLAUDE_CONFIG_DIR"),
            Self::Codex => Some("CODEX_HOME"),
            Self::Command => None,
        }
    }

    /// The whole command line.
    pub(crate) fn command_line(self, start: &Start) -> Vec<String> {
        let Start {
            limits, unattended, ..
        } = start;
        let mut words = vec![start.program.to_owned()];
        let mut push = |more: &[&str]| words.extend(more.iter().map(|word| (*word).to_owned()));
        match self {
            Self::Claude => {
                push(&["-p", "--output-format", "stream-json", "--verbose"]);
                // Nothing the target repository says about claude is followed.
                push(&["--setting-sources", "user", "--strict-mcp-config"]);
                push(&["--max-turns", &limits.max_turns.to_string()]);
                push(&["--max-budget-usd", &limits.max_budget_usd.to_string()]);
                if *unattended {
                    push(&["--dangerously-skip-permissions"]);
                }
            }
            Self::Codex => {
                push(&[
                    "exec",
                    "--json",
                    "--color",
                    "never",
                    "--skip-git-repo-check",
                ]);
                if *unattended {
                    push(&["--dangerously-bypass-approvals-and-sandbox"]);
                } else {
                    push(&["--sandbox", "workspace-write"]);
                }
            }
            Self::Command => {}
        }
        words.extend(start.args.iter().cloned());
        if self == Self::Codex {
            words.push("-".to_owned());
        }
        words
    }

    /// What it gets beside the variables every agent gets, `given`. With a key of its own it also
    /// gets a folder of its own for settings, sessions and whatever else it keeps. Without one it
    /// uses the user's login, and for that the user's folder: only there it can renew the login
    /// without ending the user's own.
    pub(crate) fn variables(
        self,
        given: &Variables,
        own_folder: &Path,
        users: &Environment,
        unattended: bool,
    ) -> Variables {
        let mut variables = Variables::new();
        let mut add = |name: &str, value: OsString| variables.push((name.to_owned(), value));
        let value = |name: &str| {
            let found = given.iter().rev().find(|(other, _)| other == name);
            found
                .map(|(_, value)| value)
                .filter(|value| !value.is_empty())
        };
        if let Some(folder) = self.folder() {
            if self.keys().iter().any(|key| value(key).is_some()) {
                add(folder, own_folder.into());
            } else if let Some(users) = users.get_os(folder) {
                add(folder, users.to_owned());
            }
        }
        match self {
            Self::Claude => {
                add("DISABLE_AUTOUPDATER", "1".into());
                add("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1".into());
                // Without it claude refuses to skip prompts as root.
                if unattended && rustix::process::geteuid().is_root() {
                    add("IS_SANDBOX", "1".into());
                }
            }
            Self::Codex => {
                if let [takes, stands_in] = self.keys()
                    && value(takes).is_none()
                    && let Some(key) = value(stands_in)
                {
                    add(takes, key.clone());
                }
            }
            Self::Command => {}
        }
        variables
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_lines() {
        let limits = Limits {
            timeout_seconds: 3600,
            max_turns: 200,
            max_budget_usd: 2.5,
        };
        let own = ["--model".to_owned(), "opus".to_owned()];
        let mut lines = Vec::new();
        for (agent, program) in [
            (Headless::Claude, "/usr/local/bin/claude"),
            (Headless::Codex, "/usr/local/bin/codex"),
            (Headless::Command, "./agent.sh"),
        ] {
            for unattended in [true, false] {
                let start = Start {
                    program,
                    args: &own,
                    limits: &limits,
                    unattended,
                };
                lines.push(agent.command_line(&start).join(" "));
            }
        }
        insta::assert_snapshot!(lines.join("\n"));
    }

    #[test]
    fn a_folder_of_its_own_with_a_key_of_its_own() {
        let users = Environment::from_pairs([("CODEX_HOME", "/home/ada/codex")]);
        let given = |agent: Headless, key: &str| {
            let given = vec![(key.to_owned(), OsString::from("value"))];
            let variables = agent.variables(&given, Path::new("/run/own"), &users, false);
            let shown =
                |(name, value): (String, OsString)| format!("{name}={}", value.to_string_lossy());
            variables
                .into_iter()
                .map(shown)
                .collect::<Vec<_>>()
                .join(" ")
        };
        let quiet = "DISABLE_AUTOUPDATER=1 CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1";
        assert_eq!(given(Headless::Claude, "NONE"), quiet);
        for key in ["ANTHROPIC_API_KEY", "CLAUDE_CODE_OAUTH_TOKEN"] {
            let own = format!("CLAUDE_CONFIG_DIR=/run/own {quiet}");
            assert_eq!(given(Headless::Claude, key), own);
        }
        assert_eq!(
            given(Headless::Codex, "OPENAI_API_KEY"),
            "CODEX_HOME=/run/own CODEX_API_KEY=value"
        );
        assert_eq!(
            given(Headless::Codex, "CODEX_API_KEY"),
            "CODEX_HOME=/run/own"
        );
        assert_eq!(given(Headless::Codex, "NONE"), "CODEX_HOME=/home/ada/codex");
        assert_eq!(given(Headless::Command, "ANTHROPIC_API_KEY"), "");
    }
}
