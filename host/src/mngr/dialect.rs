//! The command lines of `mngr create`, in the dialects that can be installed today.

use serde::{Deserialize, Serialize};

use super::Version;

/// Which flags an installed mngr understands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dialect {
    /// `mng` 0.1.1 to 0.1.6: the original's own flags.
    Legacy,
    /// `mng` 0.1.7 and 0.1.8: on the way between its neighbours.
    Early,
    /// 0.2.0 to 0.2.5.
    Middle,
    /// 0.2.6 and later.
    #[default]
    Current,
}

/// What an agent is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Runs<'a> {
    /// Our wrapper script, absolute: one word, for how more words are quoted differs between versions.
    Wrapper(&'a str),
    /// An agent type of mngr's.
    Native {
        agent_type: &'a str,
        /// File with the prompt.
        message: &'a str,
        /// What the agent's own program gets.
        args: &'a [String],
    },
}

/// One agent to create, whatever the dialect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Create<'a> {
    /// Unique per run: a failed create can leave things behind under its name.
    pub agent: &'a str,
    /// The clone of this run, absolute.
    pub workspace: &'a str,
    pub runs: Runs<'a>,
    pub labels: &'a [(&'a str, &'a str)],
    /// Checked arguments of the template, then the user's own.
    pub extra: &'a [String],
}

impl Dialect {
    pub const ALL: [Self; 4] = [Self::Legacy, Self::Early, Self::Middle, Self::Current];

    /// What a version speaks; `None`: nothing that is of use.
    pub const fn of(version: Version) -> Option<Self> {
        Some(match (version.major, version.minor, version.patch) {
            // Labels begin with 0.1.1.
            (0, 0, _) | (0, 1, 0) => return None,
            (0, 1, 1..=6) => Self::Legacy,
            (0, 1, _) => Self::Early,
            (0, 2, 0..=5) => Self::Middle,
            _ => Self::Current,
        })
    }

    /// The arguments that create an agent.
    pub fn create(self, create: &Create) -> Vec<String> {
        let mut argv = vec!["create".to_owned(), create.agent.to_owned()];
        let mut push = |words: &[&str]| argv.extend(words.iter().map(|word| (*word).to_owned()));
        match (create.runs, self) {
            // A line of shell to them, a word to the others.
            (Runs::Wrapper(script), Self::Legacy) => {
                push(&["--agent-cmd", &shell_words::quote(script)]);
            }
            (Runs::Wrapper(script), Self::Early | Self::Middle) => {
                push(&["--command", &shell_words::quote(script)]);
            }
            (Runs::Wrapper(_), Self::Current) => push(&["--type", "command"]),
            (Runs::Native { agent_type, .. }, Self::Legacy) => push(&["--agent-type", agent_type]),
            (Runs::Native { agent_type, .. }, _) => push(&["--type", agent_type]),
        }
        push(&["--no-connect", "--yes"]);
        if self == Self::Legacy {
            // Else it goes on in the background, and nobody hears that it failed.
            push(&["--await-ready"]);
        } else {
            push(&["--headless"]);
        }
        push(&["--from", &format!(":{}", create.workspace)]);
        if matches!(self, Self::Legacy | Self::Early) {
            push(&["--in-place"]);
        } else {
            push(&["--transfer", "none"]);
        }
        for (key, value) in create.labels {
            push(&["--label", &format!("{key}={value}")]);
        }
        if let Runs::Native { message, .. } = create.runs {
            push(&["--message-file", message]);
        }
        push(&["--format", "json"]);
        argv.extend(create.extra.iter().cloned());
        match create.runs {
            Runs::Wrapper(script) if self == Self::Current => {
                argv.extend(["--".to_owned(), script.to_owned()]);
            }
            Runs::Native { args, .. } if !args.is_empty() => {
                argv.push("--".to_owned());
                argv.extend(args.iter().cloned());
            }
            _ => {}
        }
        argv
    }
}

/// The name of a run's agent.
pub fn agent_name(run_id: &str) -> String {
    format!("changeling-{run_id}")
}

/// Arguments for `mngr create`, and those after `--`, which are the agent's own.
pub fn split(args: &[String]) -> (&[String], &[String]) {
    match args.iter().position(|arg| arg == "--") {
        Some(place) => (&args[..place], &args[place + 1..]),
        None => (args, &[]),
    }
}

/// The labels every agent of a run carries.
pub const fn labels<'a>(changeling: &'a str, run: &'a str) -> [(&'static str, &'a str); 3] {
    [
        ("creator", "changeling"),
        ("changeling", changeling),
        ("run", run),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agents_in_every_dialect() {
        let extra = [
            "--label=team=core".to_owned(),
            "--idle-timeout=5m".to_owned(),
        ];
        let args = ["--model".to_owned(), "opus".to_owned()];
        let native = Runs::Native {
            agent_type: "claude",
            message: "/home/ada/.changelings/runs/7k2m/agent/prompt",
            args: &args,
        };
        let wrapper = Runs::Wrapper("/home/ada/the runs/7k2m/agent/run");
        let mut lines = Vec::new();
        for runs in [wrapper, native] {
            let create = Create {
                agent: &agent_name("7k2m"),
                workspace: "/home/ada/.changelings/runs/7k2m/workspace",
                runs,
                labels: &labels("nightly-fixmes", "7k2m"),
                extra: &extra,
            };
            for dialect in Dialect::ALL {
                lines.push(format!(
                    "{dialect:?}: {}",
                    dialect.create(&create).join(" ")
                ));
            }
        }
        insta::assert_snapshot!(lines.join("\n\n"));
    }

    #[test]
    fn versions() {
        let of = |text: &str| Dialect::of(text.parse().unwrap());
        for (version, dialect) in [
            ("0.1.0", None),
            ("0.1.1", Some(Dialect::Legacy)),
            ("0.1.6", Some(Dialect::Legacy)),
            ("0.1.8", Some(Dialect::Early)),
            ("0.2.0", Some(Dialect::Middle)),
            ("0.2.5", Some(Dialect::Middle)),
            ("0.2.6", Some(Dialect::Current)),
            ("0.2.17", Some(Dialect::Current)),
            ("0.3.0", Some(Dialect::Current)),
            ("1.0", Some(Dialect::Current)),
        ] {
            assert_eq!(of(version), dialect, "{version}");
        }
    }

    #[test]
    fn what_comes_after_two_dashes_is_the_agents() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let args = words("--label=a=b -- ./fix --all -- x");
        let (ours, theirs) = split(&args);
        assert_eq!((ours, theirs), (&args[..1], &args[2..]));
        assert_eq!(split(&args[..1]), (&args[..1], &[][..]));
    }
}
