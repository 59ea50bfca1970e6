//! What a run costs beside mngr, git and its agent.

use std::path::Path;
use std::time::Duration;

use changelings_tests::{Invocation, TestEnv, tools};

use super::measure::{alternate, cpu_of, run};
use super::table::{Table, milliseconds};
use super::trees;

/// A run through mngr takes seconds.
const FEW_TURNS: usize = 5;

/// How long an agent is waited for.
const WAIT: u32 = 60;

pub(crate) fn figures(table: &mut Table) {
    let mngr = tools::mngr();
    let way = if mngr.is_some() {
        "through mngr"
    } else {
        "as a command, for want of mngr"
    };
    waiting(table, mngr, way);
    match mngr {
        Some(mngr) => against_by_hand(table, mngr),
        None => table.information(
            "a run against the same by hand",
            "not measured",
            "mngr is not installed",
        ),
    }
}

/// A world with one changeling whose agent is a program.
struct World {
    env: TestEnv,
    repo: String,
    through_mngr: bool,
}

impl World {
    fn new(mngr: Option<&Path>) -> Self {
        let env = TestEnv::new();
        let repo = trees::repository(&env, "measured", 100);
        let repo = repo.path().to_string_lossy().into_owned();
        if let Some(mngr) = mngr {
            env.link_program("mngr", mngr);
        }
        Self {
            through_mngr: mngr.is_some(),
            env,
            repo,
        }
    }

    /// A run with an agent that waits so many seconds and changes nothing.
    fn run(&self, seconds: u32) -> Invocation {
        let sleep = format!("/bin/sleep {seconds}");
        let agent = if self.through_mngr {
            format!("agent_type = \"command\"\nextra_mngr_args = \"-- {sleep}\"")
        } else {
            String::new()
        };
        self.env.write_config(&format!(
            "[changelings.measured]\ntemplate = \"fixme-fairy\"\nrepo = \"{}\"\ntimezone = \"UTC\"\n\
             identity = {{ name = \"Ada\", email = \"ada@example.org\" }}\n{agent}\n",
            self.repo
        ));
        let run = self.env.command(["run", "measured", "--local"]);
        let run = run.patience(Duration::from_mins(5));
        if self.through_mngr {
            run
        } else {
            run.arg("--agent-command").arg(sleep)
        }
    }

    /// The same without us: clone, create, wait for the exit, destroy.
    fn by_hand(&self) -> Invocation {
        let script = format!(
            r#"set -eu
room=$(mktemp -d)
mkdir "$room/empty" "$room/host" "$room/tmux"
git clone --quiet '{}' "$room/workspace"
printf '#!/bin/sh\n/bin/sleep 0\necho $? > %s/exit\n' "$room" > "$room/agent"
chmod 700 "$room/agent"
cd "$room/empty"
export MNGR_HOST_DIR="$room/host" MNGR_PROJECT_CONFIG_DIR="$room/empty" TMUX_TMPDIR="$room/tmux"
mngr create "hand-$$" --type command --no-connect --yes --headless \
    --from ":$room/workspace" --transfer none --format json -- "$room/agent" > /dev/null
until [ -e "$room/exit" ]; do sleep 0.05; done
mngr destroy "hand-$$" --force > /dev/null
tmux kill-server 2>/dev/null || true
rm -rf "$room"
"#,
            self.repo
        );
        let by_hand = self.env.external("sh", ["-c", &script]);
        by_hand.patience(Duration::from_mins(5))
    }
}

/// What a minute of waiting costs: a run that waits against one that does not.
fn waiting(table: &mut Table, mngr: Option<&Path>, way: &str) {
    let world = World::new(mngr);
    // The first makes the mirror.
    run(world.run(0));
    let [long, short] = [WAIT, 0].map(|seconds| cpu_of(&world.run(seconds)));
    let cost = long.saturating_sub(short);
    let what = format!("a run that waits {WAIT} s {way}, processor time of waiting");
    let measured = milliseconds(cost);
    let against = format!("the same without waiting {}", milliseconds(short));
    let limit = Duration::from_millis(600);
    table.row(&what, &measured, &against, "600 ms", cost <= limit);
}

fn against_by_hand(table: &mut Table, mngr: &Path) {
    let world = World::new(Some(mngr));
    let (ours, theirs) = alternate(FEW_TURNS, || run(world.run(0)), || run(world.by_hand()));
    let ratio = ours.as_secs_f64() / theirs.as_secs_f64();
    table.row(
        "a run through mngr, agent `sleep 0`",
        &format!("{} = {ratio:.2} ×", milliseconds(ours)),
        &format!(
            "clone, create, wait, destroy by hand {}",
            milliseconds(theirs)
        ),
        "1.1 ×",
        ratio <= 1.1,
    );
}
