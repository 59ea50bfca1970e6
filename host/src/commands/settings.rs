//! The flags that set a changeling's keys, shared by `add` and `edit`.

mod preview;

use std::path::Path;

use toml_edit::{Array, InlineTable, TableLike, Value};

use crate::config::edit::entry;
use crate::error::{Error, Result};
use crate::repo_url::RepoUrl;

pub(super) use preview::preview;

const WHAT: &str = "What it does";

/// One flag a key of the configuration.
#[derive(Debug, Default, clap::Args)]
pub(super) struct Settings {
    /// What to do: a template's name, or the path of a .wasm file
    #[arg(short, long, help_heading = WHAT)]
    pub(super) template: Option<String>,
    /// Target repository: owner/name, a URL, or a folder; again for several
    #[arg(short, long, help_heading = WHAT)]
    pub(super) repo: Vec<String>,
    /// Base branch (default: the remote's)
    #[arg(long, help_heading = WHAT)]
    pub(super) branch: Option<String>,
    /// Set a parameter of the template; again for more
    #[arg(short, long, value_name = "NAME=VALUE", value_parser = pair, help_heading = WHAT)]
    pub(super) param: Vec<(String, String)>,
    /// Replace the template's prompt
    #[arg(long, value_name = "TEXT", help_heading = WHAT)]
    pub(super) message: Option<String>,
    /// Add to the end of the prompt
    #[arg(long, value_name = "TEXT", help_heading = WHAT)]
    pub(super) message_append: Option<String>,

    /// When: five cron fields, or @daily and friends
    #[arg(short, long, value_name = "CRON", help_heading = "When")]
    pub(super) schedule: Option<String>,
    /// IANA time zone of the schedule
    #[arg(long, value_name = "ZONE", help_heading = "When")]
    pub(super) timezone: Option<String>,
    /// When the previous run is still going on
    #[arg(long, value_parser = ["skip", "wait", "replace"], help_heading = "When")]
    pub(super) overlap: Option<String>,
    /// Make up for a run that was missed while the machine was off
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_missing_value = "true", help_heading = "When")]
    pub(super) catch_up: Option<bool>,
    /// Pause after so many failures in a row (0: never)
    #[arg(long, value_name = "COUNT", help_heading = "When")]
    pub(super) pause_after: Option<u32>,

    /// How the agent runs: claude, codex, command, ... (default: the template's)
    #[arg(long, value_name = "TYPE", help_heading = "Agent")]
    pub(super) agent_type: Option<String>,
    /// Time limit of a run: 90m, 1h
    #[arg(long, value_name = "DURATION", help_heading = "Agent")]
    pub(super) timeout: Option<String>,
    /// Most US dollars a run may cost
    #[arg(
        long,
        value_name = "USD",
        allow_negative_numbers = true,
        help_heading = "Agent"
    )]
    pub(super) max_budget_usd: Option<f64>,
    /// Most turns a run's agent may take
    #[arg(long, value_name = "COUNT", help_heading = "Agent")]
    pub(super) max_turns: Option<u32>,
    /// Set a variable (no secret) in the agent's environment; again for more
    #[arg(short, long, value_name = "NAME=VALUE", value_parser = pair, help_heading = "Agent")]
    pub(super) env: Vec<(String, String)>,
    /// More arguments for `mngr create`, as one string of shell words
    #[arg(
        long,
        value_name = "WORDS",
        allow_hyphen_values = true,
        help_heading = "Agent"
    )]
    pub(super) extra_mngr_args: Option<String>,
    /// Agree to an agent that skips permission prompts on this machine
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_missing_value = "true", help_heading = "Agent")]
    pub(super) unattended: Option<bool>,

    /// What a run may do, instead of what the template was granted; again for more
    #[arg(long, help_heading = "Trust")]
    pub(super) permission: Vec<String>,
    /// Name of a secret a run may use; again for more
    #[arg(long, value_name = "NAME", help_heading = "Trust")]
    pub(super) secret: Vec<String>,
    /// Private key for ssh: a file, or the name of a secret
    #[arg(long, value_name = "KEY", help_heading = "Trust")]
    pub(super) ssh_key: Option<String>,
    /// Glob of protected paths a run may change; again for more
    #[arg(long, value_name = "GLOB", help_heading = "Trust")]
    pub(super) allow_path: Vec<String>,

    /// How the result reaches you
    #[arg(long, value_parser = ["pull-request", "issue", "record"], help_heading = "Result")]
    pub(super) deliver: Option<String>,
    /// When a pull request of this changeling is open
    #[arg(long, value_parser = ["update", "skip", "new"], help_heading = "Result")]
    pub(super) on_open_pr: Option<String>,
    /// Work on this branch instead of one the host names
    #[arg(long, value_name = "BRANCH", help_heading = "Result")]
    pub(super) work_branch: Option<String>,
    /// Title of the pull request
    #[arg(long, value_name = "TEXT", help_heading = "Result")]
    pub(super) pr_title: Option<String>,
    /// Who commits: 'Name <email>'
    #[arg(long, value_name = "IDENTITY", help_heading = "Result")]
    pub(super) identity: Option<String>,
    /// Records kept
    #[arg(long, value_name = "COUNT", help_heading = "Result")]
    pub(super) keep_runs: Option<u32>,
    /// Days records are kept
    #[arg(long, value_name = "DAYS", help_heading = "Result")]
    pub(super) keep_days: Option<u32>,

    /// Most repositories worked on at once
    #[arg(long, value_name = "COUNT", help_heading = "Modal")]
    pub(super) max_parallel: Option<u32>,
    /// Set a key of the changeling's `modal` table, such as cpu=2; again for more
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair, help_heading = "Modal")]
    pub(super) modal: Vec<(String, String)>,
}

fn pair(text: &str) -> std::result::Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => {
            Ok((name.trim().to_owned(), value.to_owned()))
        }
        _ => Err("expected NAME=VALUE".to_owned()),
    }
}

/// Keys whose flag has another name; every other flag is the key with hyphens.
const FLAGS: [(&str, &str); 7] = [
    ("repos", "--repo"),
    ("permissions", "--permission"),
    ("secrets", "--secret"),
    ("params", "--param"),
    ("env_vars", "--env"),
    ("allow_paths", "--allow-path"),
    ("modal", "--modal"),
];

/// The flag that sets a key.
pub(super) fn flag_of(key: &str) -> String {
    match FLAGS.iter().find(|(name, _)| *name == key) {
        Some((_, flag)) => (*flag).to_owned(),
        None => format!("--{}", key.replace('_', "-")),
    }
}

/// What a flag does to an entry.
#[derive(Debug, Clone)]
pub(super) enum Change {
    Set(&'static str, Value),
    /// In a table below the entry.
    SetIn(&'static str, String, Value),
    Unset(String),
}

impl Change {
    pub(super) fn apply(&self, to: &mut dyn TableLike) {
        match self {
            Self::Set(key, value) => entry::set(to, key, value.clone()),
            Self::SetIn(table, key, value) => entry::set_in(to, table, key, value.clone()),
            Self::Unset(key) => drop(entry::unset(to, key)),
        }
    }
}

fn list(texts: &[String]) -> Value {
    Value::Array(texts.iter().collect::<Array>())
}

/// A whole number of dollars is written as one.
fn amount(number: f64) -> Value {
    #[expect(clippy::cast_possible_truncation, reason = "whole, and in range")]
    if number.fract() == 0.0 && number.abs() < 1e9 {
        Value::from(number as i64)
    } else {
        Value::from(number)
    }
}

impl Settings {
    /// The changes the flags ask for, in the order of the reference. Relative paths are taken from
    /// `cwd` and written in full.
    ///
    /// # Errors
    /// A repository that is none, an identity of another form.
    pub(super) fn changes(&self, cwd: &Path) -> Result<Vec<Change>> {
        let mut changes = Vec::new();
        let mut set = |key, value: Option<Value>| {
            changes.extend(value.map(|value| Change::Set(key, value)));
        };
        let text = |text: &Option<String>| text.as_deref().map(Value::from);
        let count = |count: Option<u32>| count.map(|count| Value::from(i64::from(count)));
        let some = |texts: &[String]| (!texts.is_empty()).then(|| list(texts));
        set(
            "template",
            self.template
                .as_deref()
                .map(|text| template(text, cwd).into()),
        );
        let repos = self.repos(cwd)?;
        if let [repo] = &repos[..] {
            set("repo", Some(repo.into()));
        } else {
            set("repos", some(&repos));
        }
        set("schedule", text(&self.schedule));
        set("timezone", text(&self.timezone));
        set("branch", text(&self.branch));
        set("agent_type", text(&self.agent_type));
        set("message", text(&self.message));
        set("message_append", text(&self.message_append));
        set("permissions", some(&self.permission));
        set("extra_mngr_args", text(&self.extra_mngr_args));
        set("secrets", some(&self.secret));
        set("timeout", text(&self.timeout));
        set("work_branch", text(&self.work_branch));
        set("pr_title", text(&self.pr_title));
        set("max_budget_usd", self.max_budget_usd.map(amount));
        set("max_turns", count(self.max_turns));
        set("pause_after", count(self.pause_after));
        set("on_open_pr", text(&self.on_open_pr));
        set("overlap", text(&self.overlap));
        set("catch_up", self.catch_up.map(Value::from));
        set("keep_runs", count(self.keep_runs));
        set("keep_days", count(self.keep_days));
        set("max_parallel", count(self.max_parallel));
        set(
            "ssh_key",
            self.ssh_key.as_deref().map(|key| file(key, cwd).into()),
        );
        set("deliver", text(&self.deliver));
        set("allow_paths", some(&self.allow_path));
        set("unattended", self.unattended.map(Value::from));
        set(
            "identity",
            self.identity.as_deref().map(identity).transpose()?,
        );
        let tables = [("params", &self.param), ("env_vars", &self.env)];
        for (table, pairs) in tables {
            for (name, value) in pairs {
                changes.push(Change::SetIn(table, name.clone(), value.into()));
            }
        }
        for (name, value) in &self.modal {
            // `2`, `true` and `["jq"]` mean what they mean in the file; the rest is text.
            let value = value.parse().unwrap_or_else(|_| Value::from(value));
            changes.push(Change::SetIn("modal", name.clone(), value));
        }
        match repos.len() {
            0 => {}
            1 => changes.push(Change::Unset("repos".to_owned())),
            _ => changes.push(Change::Unset("repo".to_owned())),
        }
        Ok(changes)
    }

    /// As typed where that means the same everywhere, else in full.
    fn repos(&self, cwd: &Path) -> Result<Vec<String>> {
        let written = |text: &String| {
            let here =
                RepoUrl::parse(text, cwd).map_err(|error| Error::from(error).context("--repo"))?;
            // From a folder that does not exist nothing is found by accident.
            let anywhere = RepoUrl::parse(text, Path::new("/nonexistent/changelings"));
            Ok(if anywhere.as_ref() == Ok(&here) {
                text.clone()
            } else {
                here.to_string()
            })
        };
        self.repo.iter().map(written).collect()
    }
}

/// A template as it is written down: a name as it is, a path in full.
fn template(text: &str, cwd: &Path) -> String {
    let is_path =
        text.contains('/') || Path::new(text).extension().is_some_and(|end| end == "wasm");
    if is_path {
        full(text, cwd)
    } else {
        text.to_owned()
    }
}

fn file(text: &str, cwd: &Path) -> String {
    let is_path = text.contains(['/', '.']) && !text.starts_with("~/");
    if is_path {
        full(text, cwd)
    } else {
        text.to_owned()
    }
}

fn full(text: &str, cwd: &Path) -> String {
    let path = cwd.join(text);
    std::path::absolute(&path)
        .unwrap_or(path)
        .to_string_lossy()
        .into_owned()
}

fn identity(text: &str) -> Result<Value> {
    let parts = text.strip_suffix('>').and_then(|text| text.split_once('<'));
    let Some((name, email)) = parts else {
        return Err(Error::usage("--identity: expected 'Name <email>'")
            .with_hint("for example --identity 'Night Fairy <fairy@example.org>'"));
    };
    let mut table = InlineTable::new();
    table.insert("name", name.trim().into());
    table.insert("email", email.trim().into());
    Ok(table.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{CommandFactory as _, Parser};

    #[derive(Parser)]
    struct Flags {
        #[command(flatten)]
        settings: Settings,
    }

    /// Every key of a changeling can be set on the command line.
    #[test]
    fn every_key_has_a_flag() {
        let command = Flags::command();
        let flags: Vec<_> = command
            .get_arguments()
            .filter_map(clap::Arg::get_long)
            .collect();
        for key in crate::config::schema::changeling_keys() {
            // `enable`, `disable` and `add --disabled` are for this one.
            if key != "enabled" {
                let flag = flag_of(key);
                assert!(
                    flags.contains(&flag.trim_start_matches("--")),
                    "{key}: no {flag}"
                );
            }
        }
    }

    #[test]
    fn flags_become_keys() {
        let flags = [
            "x",
            "--template",
            "./my.wasm",
            "--repo",
            "me/it",
            "--repo",
            "./sub",
            "--max-budget-usd",
            "5",
            "--max-turns",
            "9",
            "--param",
            "a=b=c",
            "--env",
            "A=",
            "--modal",
            "cpu=2",
            "--modal",
            "apt=[\"jq\"]",
            "--modal",
            "gpu=T4",
            "--unattended",
            "--catch-up=false",
            "--extra-mngr-args",
            "--label x",
            "--identity",
            "A B <a@b.c>",
            "--secret",
            "S",
            "--ssh-key",
            "SSH_KEY",
        ];
        let settings = Flags::parse_from(flags).settings;
        let mut table = toml_edit::Table::new();
        for change in settings.changes(Path::new("/cwd")).unwrap() {
            change.apply(&mut table);
        }
        insta::assert_snapshot!(table.to_string());
    }
}
