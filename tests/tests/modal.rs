//! Changelings on Modal: the real client and the real container entrypoint against a control plane of the
//! test's own (`changelings_tests::modal`).

mod app;
mod causes;
mod deliveries;
mod deploy;
mod ends;
mod exec;
mod faults;
mod forgiven;
mod interrupts;
mod night;
mod outcomes;
mod secrets;
mod several;
mod view;
mod volume;

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use changelings_tests::github::GitHub;
use changelings_tests::modal::{Modal, Setup, small_runner};
use changelings_tests::traces::wait_for;
use changelings_tests::{ADA, Invocation, NOW, Output, TestEnv, changeling, needs, tools};
use serde_json::Value;

/// `NOW` in seconds since 1970.
const NOW_SECONDS: u64 = 1_772_442_000;

/// What the forge takes.
const TOKEN: &str = "ghp_0123456789abcdefghijABCDEFGHIJ012345";

/// What the agents' scripts do most.
const COMMIT: &str = "echo '    # mended' >> app.py; git commit -qam 'Mend the total'";

/// Tells the test that an agent began, and waits until the test says that it may go on.
const WAIT: &str = "echo $$ >> $shared/starts; until [ -e $shared/gate ]; do sleep 0.05; done";

/// A machine with changelings, a forge, and a Modal, each of the test's own.
struct Cloud {
    modal: Modal,
    github: GitHub,
    /// A folder that is the same here and in containers.
    shared: PathBuf,
    config: String,
    /// Of this machine's clock: each command is a minute later than the one before.
    minute: AtomicU32,
    // Last: its folders go when all else has ended.
    env: TestEnv,
}

impl Cloud {
    /// With a repository `acme/shop` at the forge, and mngr in the images; `None` after a loud word.
    #[track_caller]
    fn new() -> Option<Self> {
        let mut cloud = Self::without_containers()?;
        if !needs::containers() {
            return None;
        }
        if fits_the_image() {
            let runner = small_runner(&cloud.env);
            cloud.config = cloud.config.replace(&runner.display().to_string(), "auto");
        }
        cloud.modal.containers_have(&cloud.setup()?);
        Some(cloud)
    }

    /// For what needs no container.
    #[track_caller]
    fn without_containers() -> Option<Self> {
        let env = TestEnv::new();
        let modal = Modal::start(&env)?;
        let github = GitHub::start();
        let repo = env.repo("shop");
        repo.write(
            "app.py",
            "def total(items):\n    # FIXME: rounds the wrong way\n    return sum(items)\n",
        );
        repo.commit(ADA, "2025-11-03", "Add the shop");
        github.serve(&repo, "acme/shop");
        github.require(TOKEN);
        let config = format!(
            "[defaults]\nidentity = {{ name = \"Night Shift\", email = \"night@example.org\" }}\n\
             secrets = [\"GITHUB_TOKEN\"]\n\n[modal]\nrunner = \"{}\"\n",
            small_runner(&env).display()
        );
        let shared = env.root().join("shared");
        modal.set("clock", NOW_SECONDS.into());
        Some(Self {
            modal,
            github,
            shared,
            config,
            minute: AtomicU32::new(0),
            env,
        })
    }

    /// What every container here has.
    #[track_caller]
    fn setup(&self) -> Option<Setup> {
        let (mngr, tmux, jq) = (tools::mngr()?, needs::tool("tmux")?, needs::tool("jq")?);
        let git = needs::tool("git")?;
        let mut setup = Setup::default()
            .program("mngr", mngr)
            .program("tmux", &tmux)
            .program("jq", &jq)
            .program("git", &git)
            .shared(&self.shared)
            .variable("GITHUB_API_URL", &self.github.url())
            .variable("CHANGELINGS_NOW", NOW);
        if !fits_the_image() {
            setup = setup.file("/changeling/changeling", changeling());
        }
        Some(setup)
    }

    /// Adds a changeling whose agent is a script, with more lines of configuration; `$shared` is a folder
    /// that the test sees too.
    fn add(&mut self, name: &str, agent: &str, more: &str) {
        let shared = self.shared.display();
        let script = format!("#!/bin/sh\nset -e\nshared='{shared}'\n{agent}\n");
        let script = self.env.write(&format!("shared/agent-{name}"), script);
        std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755))
            .expect("making a file executable");
        let repos = if more.contains("repos = ") {
            String::new()
        } else {
            format!("repo = \"{}\"\n", self.github.repository("acme/shop"))
        };
        let timeout = if more.contains("timeout") {
            ""
        } else {
            "timeout = \"2m\"\n"
        };
        self.config += &format!(
            "\n[changelings.{name}]\ntemplate = \"fixme-fairy\"\n{repos}schedule = \"0 3 * * *\"\ntimezone = \"UTC\"\n\
             agent_type = \"command\"\nextra_mngr_args = \"-- {}\"\n{timeout}{more}\n",
            script.display()
        );
        self.env.write_config(&self.config);
    }

    /// Prepares `changeling ARGS`, with the forge's token and Modal's.
    fn command<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Invocation {
        let minute = self.minute.fetch_add(1, Ordering::Relaxed);
        let now = format!("2026-03-02T{:02}:{:02}:00Z", 9 + minute / 60, minute % 60);
        let call = self
            .env
            .command(args)
            .env("CHANGELINGS_NOW", now)
            .env("GITHUB_API_URL", self.github.url())
            .env("GITHUB_TOKEN", TOKEN);
        self.modal.call(call)
    }

    /// Runs `changeling ARGS` (words) to a good end.
    #[track_caller]
    fn does(&self, line: &str) -> Output {
        self.command(line.split(' ')).run().success()
    }

    /// Fires the cron of a changeling and waits for the end of the one call.
    #[track_caller]
    fn fires(&self, name: &str) -> Value {
        let calls = self.modal.fire(&format!("changeling-{name}"));
        let [call] = &calls[..] else {
            panic!("one cron: {calls:?}")
        };
        self.modal.wait_for(call)
    }

    /// Records on the volume of a changeling, the complete ones.
    fn records(&self, name: &str) -> Vec<Value> {
        let folder = self.modal.volume(&format!("changeling-{name}"));
        let entries = std::fs::read_dir(folder.join("records"))
            .into_iter()
            .flatten();
        let mut files: Vec<_> = entries
            .flatten()
            .map(|entry| entry.path().join("record.json"))
            .collect();
        files.sort();
        let texts = files.iter().filter_map(|file| std::fs::read(file).ok());
        texts
            .map(|text| serde_json::from_slice(&text).expect("a record is JSON"))
            .collect()
    }

    /// How many agents began, of those that tell.
    fn starts(&self) -> usize {
        let text = std::fs::read_to_string(self.shared.join("starts")).unwrap_or_default();
        text.lines().count()
    }

    /// Deploys `nightly`, whose agent waits at the gate, and fires it: the call, once its agent began.
    #[track_caller]
    fn has_an_agent_at_work(&mut self) -> String {
        self.add("nightly", WAIT, "");
        self.does("deploy nightly");
        let call = self.modal.fire("changeling-nightly").remove(0);
        self.starts_become(1);
        call
    }

    /// Waits until so many agents began.
    #[track_caller]
    fn starts_become(&self, count: usize) {
        wait_for("an agent begins", || self.starts() == count);
    }

    /// Agents that wait may go on, and none waits any more.
    fn opens_the_gate(&self) {
        std::fs::write(self.shared.join("gate"), "").expect("writing a file of the test");
    }

    fn pulls(&self) -> Vec<Value> {
        self.github.pulls("acme/shop")
    }

    /// No process outlived the function of its container.
    #[track_caller]
    fn nothing_was_left_behind(&self) {
        for container in self.modal.containers() {
            assert_eq!(
                container["left_behind"],
                serde_json::json!([]),
                "{container}"
            );
        }
    }
}

/// Whether the program under test, which was built for this machine, would find its libraries in the
/// image. Where not, deploying it is refused; containers here are given it all the same.
fn fits_the_image() -> bool {
    let output = std::process::Command::new("getconf")
        .arg("GNU_LIBC_VERSION")
        .output();
    let text = output.map(|output| output.stdout).unwrap_or_default();
    let text = String::from_utf8_lossy(&text).into_owned();
    let minor = text
        .trim()
        .rsplit('.')
        .next()
        .and_then(|minor| minor.parse().ok());
    minor.is_some_and(|minor: u32| minor <= 36) && cfg!(target_arch = "x86_64")
}
