//! `kill -9` at every event of a run: the next command tells the truth, and cleans up.

use std::path::{Path, PathBuf};
use std::time::Duration;

use changelings::exec::Event;
use changelings_tests::traces::wait_for;
use changelings_tests::{Invocation, outside_template};

use super::{COMMIT, Shop, events};

/// Starts it, and kills it as soon as its record tells of an event.
fn kill_at(shop: &Shop, run: Invocation, event: &str) -> PathBuf {
    let mut child = run.spawn();
    let mark = format!("\"event\":\"{event}\"");
    let found = |folder: &Path| {
        let text = std::fs::read_to_string(folder.join("events.jsonl")).unwrap_or_default();
        text.contains(&mark)
    };
    let mut folder = None;
    wait_for(event, || {
        folder = shop.records().into_iter().find(|folder| found(folder));
        let over = child.try_wait().expect("asking for a child").is_some();
        assert!(
            folder.is_some() || !over,
            "the run ended and never told of {event}"
        );
        folder.is_some()
    });
    child.kill().expect("killing a child");
    child.wait().expect("waiting for a child");
    folder.expect("it was found")
}

/// The outcome that `runs --json` tells of a run, and all it says of it.
fn told(shop: &Shop, folder: &Path) -> (String, String) {
    let runs = shop.command(["runs", "--json"]).run().success().json();
    let id = folder
        .file_name()
        .expect("a folder has a name")
        .to_string_lossy()
        .into_owned();
    let runs = runs["runs"].as_array().expect("a list of runs").clone();
    let run = runs.iter().find(|run| run["id"] == id.as_str());
    let run = run.unwrap_or_else(|| panic!("{id} is not told of: {runs:?}"));
    (
        run["outcome"].as_str().unwrap_or_default().to_owned(),
        run.to_string(),
    )
}

/// What must be true after a death, whenever it came.
#[track_caller]
fn truth_after(shop: &Shop, folder: &Path, event: &str) {
    let events: Vec<_> = events(folder)
        .iter()
        .map(|told| told["event"].clone())
        .collect();
    let last = |name: &str| events.iter().any(|event| event == name);
    // By what it had told of when it died; the process may have come further than the event.
    let words: &[_] = match () {
        () if last("ended") || last("pull-request") => &["pull-request"],
        () if last("pushed") => &["needs-attention", "pull-request"],
        () if last("pushing") => &["needs-attention"],
        () => &["interrupted"],
    };
    // Readers tell it as it is, and touch nothing. A child that was just being started holds the
    // run's lock until it is a program of its own.
    wait_for("the end of the run to be told", || {
        !told(shop, folder).0.is_empty()
    });
    let (word, told) = told(shop, folder);
    assert!(words.contains(&word.as_str()), "{event}: {told}");

    let next = shop.with_agent("echo '    # by the next' >> app.py; git commit -qam Next");
    let next = next.is("pull-request", 0);
    shop.nothing_lives();
    assert!(!next.folder.join("workspace").exists(), "{event}");
    assert!(
        !folder.join("workspace").exists(),
        "{event}: the dead run's workspace stays"
    );
    assert_eq!(
        shop.pulls()
            .iter()
            .filter(|pull| pull["state"] == "open")
            .count(),
        1,
        "{event}"
    );
    // What it had committed is with the forge or in its record.
    let committed = shop.env.root().join("committed").exists();
    let patch = std::fs::read_to_string(folder.join("patch.diff")).unwrap_or_default();
    let published = shop.branches().iter().any(|branch| {
        shop.in_bare(["show", &format!("refs/heads/{branch}:app.py")])
            .contains("# mended")
    });
    assert!(
        !committed || published || patch.contains("+    # mended"),
        "{event}: its work is lost"
    );
}

fn at_an_ordinary_event(event: &str) {
    let shop = Shop::new();
    let script =
        format!("{COMMIT}; touch $root/committed; setsid sleep 600 >/dev/null 2>&1 & sleep 0.05");
    let folder = kill_at(&shop, shop.prepare_with(&script), event);
    truth_after(&shop, &folder, event);
}

/// A changeling whose result is an issue.
fn at_an_opened_issue(event: &str) {
    let mut shop = Shop::new();
    shop.add_of("docstring-reporter", "reporter", "deliver = \"issue\"");
    let run = |text: &str| {
        let agent = shop.agent(&format!("echo '{text}' > $CHANGELING_REPORT"));
        shop.prepare("reporter").arg("--agent-command").arg(agent)
    };
    let folder = kill_at(&shop, run("It says nothing of itself."), event);
    assert_eq!(shop.github.issues("acme/shop").len(), 1);
    assert_eq!(told(&shop, &folder).0, "report");
    shop.ran(run("It still does not.")).is("report", 0);
    shop.nothing_lives();
}

/// Somebody is to be told of the end, and cannot be.
fn at_a_word_that_does_not_arrive(event: &str) {
    let mut shop = Shop::new();
    shop.with("[notify]\ncommand = \"false\"\non = [\"pull-request\"]");
    let folder = kill_at(&shop, shop.prepare_with(COMMIT), event);
    truth_after(&shop, &folder, event);
}

/// Dies while it takes out what another one that died had left.
fn at_a_salvage(event: &str) {
    let shop = Shop::new();
    let script = format!("{COMMIT}; touch $root/committed; sleep 600");
    let mut first = shop.prepare_with(&script).spawn();
    wait_for("a commit", || shop.env.root().join("committed").exists());
    first.kill().expect("killing a child");
    first.wait().expect("waiting for a child");
    let dead = shop.records().pop().expect("a record");
    kill_at(&shop, shop.prepare_with("sleep 600"), event);
    truth_after(&shop, &dead, event);
}

/// A template that says something while it composes.
fn at_a_note(event: &str) {
    let mut shop = Shop::new();
    let template = shop.env.root().join("x.wasm");
    std::fs::copy(outside_template(), &template).expect("a copy");
    let path = template.to_string_lossy().into_owned();
    shop.command(["permission", "grant", &path, "agent", "repo:read", "--yes"])
        .run()
        .success();
    shop.add_of(&path, "counter", "");
    let run = shop
        .prepare("counter")
        .arg("--agent-command")
        .arg(shop.agent("sleep 600"));
    let folder = kill_at(&shop, run, event);
    truth_after(&shop, &folder, event);
}

fn deaths(names: impl Iterator<Item = &'static &'static str>) {
    for event in names {
        match *event {
            "started" | "step-started" | "step-ended" | "agent-started" | "agent-ended"
            | "collected" | "pushing" | "pushed" | "pull-request" | "ended" => {
                at_an_ordinary_event(event)
            }
            "issue-opened" => at_an_opened_issue(event),
            "salvaged" => at_a_salvage(event),
            "note" => at_a_note(event),
            "not-told" => at_a_word_that_does_not_arrive(event),
            // A process that cannot be killed cannot be made, so that no run tells of one.
            "processes-left" => {}
            event => panic!("no test kills a run at its event `{event}`"),
        }
    }
}

#[test]
fn at_the_first_events() {
    deaths(Event::NAMES.iter().step_by(2));
}

#[test]
fn at_the_others() {
    deaths(Event::NAMES.iter().skip(1).step_by(2));
}

/// What a dead run left is kept without its secrets, or not at all.
#[test]
fn with_a_secret_that_is_not_there_when_its_work_is_taken() {
    const SECRET: &str = "sk-ant-0123456789abcdef";
    let mut shop = Shop::new();
    shop.with("secrets = [\"GITHUB_TOKEN\", \"DEPLOY_KEY\"]\npermissions = [\"publish\", \"repo:read\", \"env:DEPLOY_KEY\"]");
    let script = format!(
        "echo \"# $DEPLOY_KEY\" >> app.py; {COMMIT}; echo \"$DEPLOY_KEY\" > left; touch $root/committed; sleep 600"
    );
    let die = || {
        let _ = std::fs::remove_file(shop.env.root().join("committed"));
        let before = shop.records();
        let run = shop.prepare_with(&script).env("DEPLOY_KEY", SECRET);
        let mut run = run.spawn();
        wait_for("a commit", || shop.env.root().join("committed").exists());
        run.kill().expect("killing a child");
        run.wait().expect("waiting for a child");
        let mut new = shop.records();
        new.retain(|folder| !before.contains(folder));
        new.pop().expect("a record")
    };
    let folder = die();
    let patches = ["patch.diff", "uncommitted.diff"].map(|name| folder.join(name));
    // In another shell, where it is not set.
    for _ in 0..2 {
        let doctor = shop.command(["doctor"]).run();
        assert!(doctor.stderr.contains("set DEPLOY_KEY"), "{doctor}");
        assert!(folder.join("workspace").exists());
        assert!(!patches.iter().any(|patch| patch.exists()));
    }
    shop.command(["doctor"]).env("DEPLOY_KEY", SECRET).run();
    assert!(!folder.join("workspace").exists());
    for patch in &patches {
        let patch = std::fs::read_to_string(patch).expect("its work is taken");
        assert!(patch.contains("[redacted DEPLOY_KEY]"), "{patch}");
        assert!(!patch.contains(SECRET), "{patch}");
    }
    // Or nobody wants it.
    let folder = die();
    shop.command(["doctor"]).run();
    let id = folder
        .file_name()
        .expect("a name")
        .to_string_lossy()
        .into_owned();
    shop.command(["runs", "settle", &id]).run().success();
    let doctor = shop.command(["doctor"]).run();
    assert!(!doctor.stderr.contains("DEPLOY_KEY"), "{doctor}");
    assert!(!folder.join("workspace").exists() && !folder.join("patch.diff").exists());
    shop.nothing_lives();
}

/// Ctrl-C is no death: the run ends itself, and says so.
#[test]
fn interrupted_by_a_person() {
    let shop = Shop::new();
    let agent = shop.agent("touch $root/started; setsid sleep 600 & sleep 600");
    let run = shop
        .command(["run", "nightly", "--local", "--agent-command"])
        .arg(agent);
    let mut terminal = run.patience(Duration::from_mins(1)).terminal(100);
    wait_for("the agent", || shop.env.root().join("started").exists());
    terminal.type_text("\x03");
    assert_eq!(terminal.finish().code, 130);
    let [folder] = &shop.records()[..] else {
        panic!("one record")
    };
    assert_eq!(
        events(folder).pop().unwrap()["outcome"]["outcome"],
        "interrupted"
    );
    shop.nothing_lives();
    assert!(!folder.join("workspace").exists());
}
