//! The command lines of `mngr create`, in the dialects that can be installed today.

use serde::{Deserialize, Serialize};

/// Which flags an installed mngr understands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dialect {
    /// `mng` up to 0.1.6: the original's own flags.
    Legacy,
    /// 0.1.7 to 0.2.5.
    Middle,
    /// 0.2.6 and later.
    #[default]
    Current,
}

/// One agent to create, whatever the dialect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Create<'a> {
    /// Unique per run: a failed create can leave things behind under its name.
    pub agent: &'a str,
    /// The clone of this run, absolute.
    pub workspace: &'a str,
    /// Our wrapper script, absolute, one word: how more words are quoted differs between versions.
    pub wrapper: &'a str,
    pub labels: &'a [(&'a str, &'a str)],
    /// Checked arguments of the template, then the user's own.
    pub extra: &'a [String],
}

impl Dialect {
    pub const ALL: [Self; 3] = [Self::Legacy, Self::Middle, Self::Current];

    /// The binary's name.
    pub const fn program(self) -> &'static str {
        match self {
            Self::Legacy => "mng",
            Self::Middle | Self::Current => "mngr",
        }
    }

    /// The whole command line that creates an agent running our wrapper.
    pub fn create(self, create: &Create) -> Vec<String> {
        let mut argv = vec![
            self.program().to_owned(),
            "create".into(),
            create.agent.into(),
        ];
        let mut push = |words: &[&str]| argv.extend(words.iter().map(|word| (*word).to_owned()));
        match self {
            Self::Legacy => push(&["--agent-cmd", create.wrapper]),
            Self::Middle => push(&["--command", create.wrapper]),
            Self::Current => push(&["--type", "command"]),
        }
        push(&["--no-connect", "--yes"]);
        if self != Self::Legacy {
            push(&["--headless"]);
        }
        push(&["--from", &format!(":{}", create.workspace)]);
        if self == Self::Legacy {
            push(&["--in-place"]);
        } else {
            push(&["--transfer", "none"]);
        }
        for (key, value) in create.labels {
            push(&["--label", &format!("{key}={value}")]);
        }
        push(&["--format", "json"]);
        argv.extend(create.extra.iter().cloned());
        if self == Self::Current {
            argv.extend(["--".into(), create.wrapper.into()]);
        }
        argv
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
    fn one_agent_in_three_dialects() {
        let extra = [
            "--label=team=core".to_owned(),
            "--idle-timeout=5m".to_owned(),
        ];
        let create = Create {
            agent: "changeling-7k2m",
            workspace: "/home/ada/.changelings/runs/7k2m/workspace",
            wrapper: "/home/ada/.changelings/runs/7k2m/agent.sh",
            labels: &labels("nightly-fixmes", "7k2m"),
            extra: &extra,
        };
        let lines: Vec<_> = Dialect::ALL
            .iter()
            .map(|dialect| dialect.create(&create).join(" "))
            .collect();
        insta::assert_snapshot!(lines.join("\n\n"));
    }
}
