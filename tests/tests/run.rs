//! `run`: from the configuration to a pull request, and the truth about every other end.

mod agent_types;
mod deaths;
mod dialects;
mod disk;
mod forge;
mod hostile;
mod limits;
mod many;
mod night;
mod outcomes;
mod secrets;
mod ssh;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use changelings_tests::github::GitHub;
use changelings_tests::traces::processes_of;
use changelings_tests::{ADA, Invocation, Output, Repo, TestEnv, needs};
use serde_json::Value;

/// What the forge takes.
const TOKEN: &str = "ghp_0123456789abcdefghijABCDEFGHIJ012345";

/// A repository on a GitHub of the test's own, and changelings that look after it.
struct Shop {
    env: TestEnv,
    github: GitHub,
    /// What the forge serves.
    bare: PathBuf,
    config: String,
    /// Of its clock: each command is a minute later than the one before.
    minute: AtomicU32,
}

/// A run that ended, by its record.
struct Ran {
    output: Output,
    folder: PathBuf,
    events: Vec<Value>,
    /// As its end says it.
    outcome: Value,
}

impl Shop {
    /// With one marker for fixme-fairy, and a changeling `nightly` that gives its agent a minute.
    fn new() -> Self {
        Self::of(|env| {
            let repo = env.repo("shop");
            repo.write(
                "app.py",
                "def total(items):\n    # FIXME: rounds the wrong way\n    return sum(items)\n",
            );
            repo.commit(ADA, "2025-11-03", "Add the shop");
            repo
        })
    }

    fn of(repository: impl for<'a> FnOnce(&'a TestEnv) -> Repo<'a>) -> Self {
        let env = TestEnv::new();
        if cfg!(target_os = "macos") {
            // It has none.
            env.program(
                "setsid",
                "#!/usr/bin/perl\nuse POSIX;\nPOSIX::setsid();\nexec @ARGV;\n",
            );
        }
        let github = GitHub::start();
        let bare = github.serve(&repository(&env), "acme/shop");
        github.require(TOKEN);
        let config =
            "[defaults]\nidentity = { name = \"Night Shift\", email = \"night@example.org\" }\n";
        let mut shop = Self {
            env,
            github,
            bare,
            config: config.to_owned(),
            minute: AtomicU32::new(0),
        };
        shop.add("nightly", "");
        shop
    }

    /// Adds a changeling, with more lines of configuration.
    fn add(&mut self, name: &str, more: &str) {
        self.add_of("fixme-fairy", name, more);
    }

    /// Adds a changeling of a template.
    fn add_of(&mut self, template: &str, name: &str, more: &str) {
        let repo = self.github.repository("acme/shop");
        let timeout = if more.contains("timeout") {
            ""
        } else {
            "timeout = \"1m\"\n"
        };
        self.config += &format!(
            "\n[changelings.{name}]\ntemplate = \"{template}\"\nrepo = \"{repo}\"\nschedule = \"0 3 * * *\"\n\
             timezone = \"UTC\"\n{timeout}{more}\n"
        );
        self.env.write_config(&self.config);
    }

    /// More lines for the last changeling added.
    fn with(&mut self, more: &str) {
        self.config += &format!("{more}\n");
        self.env.write_config(&self.config);
    }

    /// Puts mngr and what it needs on the PATH; `false` after a loud word.
    #[track_caller]
    fn link_mngr(&self, mngr: Option<&Path>) -> bool {
        let (Some(mngr), Some(tmux), Some(jq)) = (mngr, needs::tool("tmux"), needs::tool("jq"))
        else {
            return false;
        };
        for program in [mngr, &tmux, &jq] {
            let name = program.file_name().expect("a program has a name");
            self.env.link_program(&name.to_string_lossy(), program);
        }
        true
    }

    /// Prepares `changeling ARGS` with the forge's address and token.
    fn command<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Invocation {
        // Runs come one after the other: what is the latest must be told by the clock.
        let minute = self.minute.fetch_add(1, Ordering::Relaxed);
        let now = format!("2026-03-02T{:02}:{:02}:00Z", 9 + minute / 60, minute % 60);
        self.env
            .command(args)
            .env("CHANGELINGS_NOW", now)
            .env("GITHUB_API_URL", self.github.url())
            .env("GITHUB_TOKEN", TOKEN)
    }

    /// Prepares a run of a changeling with whatever agent is configured.
    fn prepare(&self, name: &str) -> Invocation {
        self.command(["run", name, "--local", "--json"])
    }

    /// Prepares a run of `nightly` with a script as agent.
    fn prepare_with(&self, script: &str) -> Invocation {
        self.prepare("nightly")
            .arg("--agent-command")
            .arg(self.agent(script))
    }

    /// A script in the place of an agent; `$root` is the test's folder.
    fn agent(&self, script: &str) -> PathBuf {
        let root = self.env.root().display();
        self.env
            .program("agent", &format!("#!/bin/sh\nroot='{root}'\n{script}\n"))
    }

    /// Runs `nightly` with a script as agent.
    #[track_caller]
    fn with_agent(&self, script: &str) -> Ran {
        self.ran(self.prepare_with(script))
    }

    /// Runs to the end, and reads the record.
    #[track_caller]
    fn ran(&self, invocation: Invocation) -> Ran {
        let before = self.records();
        let output = invocation.run();
        let mut new = self.records();
        new.retain(|folder| !before.contains(folder));
        let [folder] = &new[..] else {
            panic!("{} records of one run:\n{output}", new.len())
        };
        let events = events(folder);
        let end = events.iter().find(|event| event["event"] == "ended");
        let outcome = end
            .map(|event| event["outcome"].clone())
            .unwrap_or_default();
        Ran {
            output,
            folder: folder.clone(),
            events,
            outcome,
        }
    }

    /// Folders of all runs.
    fn records(&self) -> Vec<PathBuf> {
        let runs = self.env.changelings_home().join("runs");
        let entries = std::fs::read_dir(runs).into_iter().flatten().flatten();
        entries
            .map(|entry| entry.path())
            .filter(|path| path.is_dir())
            .collect()
    }

    /// Branches the forge holds beside `main`.
    fn branches(&self) -> Vec<String> {
        let list = self.in_bare(["for-each-ref", "--format=%(refname)"]);
        let names = list
            .lines()
            .filter_map(|name| name.strip_prefix("refs/heads/"));
        names
            .filter(|name| *name != "main")
            .map(ToOwned::to_owned)
            .collect()
    }

    /// What git says in the forge's repository.
    fn in_bare<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> String {
        let call = self.env.external("git", ["--git-dir"]).arg(&self.bare);
        let call = args.into_iter().fold(call, |call, arg| call.arg(arg));
        call.run().success().stdout
    }

    fn pulls(&self) -> Vec<Value> {
        self.github.pulls("acme/shop")
    }

    /// Nothing that a run started is alive.
    #[track_caller]
    fn nothing_lives(&self) {
        let left = processes_of(self.env.root());
        assert!(left.is_empty(), "{left:#?}");
    }
}

impl Ran {
    /// # Panics
    /// It ended another way.
    #[track_caller]
    fn is(self, outcome: &str, exit: i32) -> Self {
        let Self {
            output,
            outcome: truth,
            ..
        } = &self;
        assert_eq!(truth["outcome"], outcome, "{truth:#}\n{output}");
        assert_eq!(output.code, exit, "{truth:#}\n{output}");
        self
    }

    /// # Panics
    /// The outcome does not say so.
    #[track_caller]
    fn says(self, text: &str) -> Self {
        let truth = self.outcome.to_string();
        assert!(truth.contains(text), "{text}: {truth}\n{}", self.output);
        self
    }

    /// A file of the record; empty when it is not there.
    fn file(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.join(name)).unwrap_or_default()
    }

    fn event(&self, name: &str) -> Option<&Value> {
        self.events.iter().find(|event| event["event"] == name)
    }
}

fn events(folder: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(folder.join("events.jsonl")).unwrap_or_default();
    let lines = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("lines of JSON"));
    lines.collect()
}

/// What the agents' scripts do most.
const COMMIT: &str = "echo '    # mended' >> app.py; git commit -qam 'Mend the total'";

/// Pushes what follows with the token the agent was given.
const PUSH: &str = "git -c credential.helper='!f() { echo username=x-access-token; echo password=$GITHUB_TOKEN; }; f' push -q origin";
