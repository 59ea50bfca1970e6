//! Several repositories: one app, one cron, a run for each.

use changelings_tests::traces::wait_for;
use changelings_tests::{ADA, needs, tools};
use serde_json::Value;

use super::{COMMIT, Cloud};

/// Calls of a function of `nightly`.
fn calls(cloud: &Cloud, function: &str) -> Vec<Value> {
    let mut calls = cloud.modal.calls("changeling-nightly");
    calls.retain(|call| call["function"] == function);
    calls
}

const NAMES: [&str; 3] = ["acme/shop", "acme/stock", "acme/post"];

/// Three repositories at the forge: as `repos`.
fn serve(cloud: &Cloud) -> String {
    for name in &NAMES[1..] {
        let repo = cloud.env.repo(&name.replace('/', "-"));
        repo.write(
            "app.py",
            "def total():\n    # FIXME: is wrong\n    return 1\n",
        );
        repo.commit(ADA, "2025-11-03", "Begin");
        cloud.github.serve(&repo, name);
    }
    let urls = NAMES.map(|name| format!("\"{}\"", cloud.github.repository(name)));
    format!("repos = [{}]", urls.join(", "))
}

/// All that is kept of the latest run on each repository, without what says which run it was, when and
/// where.
fn kept(cloud: &Cloud) -> Vec<Value> {
    fn without_time(value: &mut Value) {
        const OF_ONE_RUN: [&str; 8] = [
            "at",
            "started_at",
            "ended_at",
            "seconds",
            "folder",
            "origin",
            "updated_at",
            "files",
        ];
        match value {
            Value::Object(fields) => {
                fields.retain(|name, _| !OF_ONE_RUN.contains(&name.as_str()));
                // It holds the time.
                if fields.get("event").is_some_and(|event| event == "pushed") {
                    fields.remove("commit");
                }
                fields.values_mut().for_each(without_time);
            }
            Value::Array(items) => items.iter_mut().for_each(without_time),
            _ => {}
        }
    }
    let runs = cloud.does("runs --json").json();
    let runs = runs["runs"].as_array().expect("a list").iter();
    let mut kept: Vec<_> = runs
        .map(|run| {
            let id = run["id"].as_str().expect("an id");
            let text = cloud.does(&format!("runs show {id} --json")).stdout;
            let forge = cloud.github.url();
            let text = text.replace(id, "ID").replace(&id[id.len() - 6..], "ID");
            let text = text.replace(forge.trim_end_matches('/'), "FORGE");
            let text = text.replace(&*cloud.env.changelings_home().to_string_lossy(), "HOME");
            let text = text.replace("/changeling/home", "HOME");
            let text = text.replace(&*cloud.env.root().to_string_lossy(), "ROOT");
            let mut kept: Value = serde_json::from_str(&text).expect("it is JSON");
            without_time(&mut kept);
            kept
        })
        .collect();
    kept.sort_by_key(|run| run["run"]["repo"].to_string());
    kept
}

#[test]
fn their_records_are_those_of_runs_on_this_machine() {
    let (Some(mut cloud), Some(mut here)) = (Cloud::new(), Cloud::new()) else {
        return;
    };
    let (Some(mngr), Some(tmux), Some(jq)) =
        (tools::mngr(), needs::tool("tmux"), needs::tool("jq"))
    else {
        return;
    };
    for program in [mngr, &tmux, &jq] {
        let name = program.file_name().expect("a program has a name");
        here.env.link_program(&name.to_string_lossy(), program);
    }
    let agent = format!("echo 'I mend it'; {COMMIT}");
    for cloud in [&mut cloud, &mut here] {
        let repos = serve(cloud);
        cloud.add("nightly", &agent, &repos);
    }
    here.does("run nightly --local");
    cloud.does("deploy nightly");
    cloud.does("run nightly");
    let (there, here) = (kept(&cloud), kept(&here));
    assert_eq!(there.len(), 3, "{there:#?}");
    for (there, here) in there.iter().zip(&here) {
        assert_eq!(here["run"]["outcome"], "pull-request", "{here:#}");
        assert!(
            there == here,
            "at Modal: {there:#}\non this machine: {here:#}"
        );
    }
}

#[test]
fn a_fire_starts_a_run_for_each_of_them() {
    let Some(mut cloud) = Cloud::new() else {
        return;
    };
    let names = NAMES;
    let more = format!("{}\nmax_parallel = 2", serve(&cloud));
    // Each says that it is there, and waits for the word to go on.
    let agent = format!(
        "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' '\\n' | grep -a '^--fired=' >> $shared/fired
         echo x >> $shared/starts; while [ ! -e $shared/go ]; do sleep 0.1; done; {COMMIT}"
    );
    cloud.add("nightly", &agent, &more);
    cloud.does("deploy nightly");

    let fired = cloud.modal.fire("changeling-nightly");
    let [fire] = &fired[..] else {
        panic!("one cron: {fired:?}")
    };
    // It waits for nobody.
    assert_eq!(cloud.modal.wait_for(fire)["status"], "success");
    let starts = || {
        let text = std::fs::read_to_string(cloud.shared.join("starts")).unwrap_or_default();
        text.lines().count()
    };
    wait_for("two at once", || starts() == 2);
    let runs = calls(&cloud, "run");
    assert_eq!(runs.len(), 3, "{runs:#?}");
    let waiting = runs.iter().filter(|call| call["status"] == "pending");
    assert_eq!(waiting.count(), 1, "{runs:#?}");
    std::fs::write(cloud.shared.join("go"), "").expect("they look for it");
    for call in &runs {
        let id = call["call"].as_str().expect("an id");
        let ended = cloud.modal.wait_for(id);
        assert_eq!(
            ended["status"],
            "success",
            "{}",
            cloud.modal.printed(Some(id))
        );
    }
    for name in names {
        assert_eq!(cloud.github.pulls(name).len(), 1, "{name}");
    }
    let mut repos: Vec<_> = cloud
        .records("nightly")
        .iter()
        .map(|record| record["record"]["repo"].as_str().expect("a URL").to_owned())
        .collect();
    repos.sort();
    let mut expected = names.map(|name| cloud.github.repository(name));
    expected.sort();
    assert_eq!(repos, expected);

    // When the schedule fired is told to all of them: what waits for too long is for nothing.
    let fired = std::fs::read_to_string(cloud.shared.join("fired")).expect("arguments");
    let fired = fired
        .lines()
        .filter_map(|line| line.strip_prefix("--fired="));
    let now = jiff::Timestamp::now().as_second();
    let mut seconds = fired.map(|at| now - at.parse::<i64>().expect("seconds"));
    assert!(seconds.any(|ago| (0..3600).contains(&ago)), "{now}");

    // Modal delivers the fire once more: nothing runs a second time.
    cloud.modal.redeliver(fire);
    wait_for("it was answered again", || {
        calls(&cloud, "fire")[0]["tasks"].as_array().map(Vec::len) == Some(2)
    });
    cloud.modal.wait_for(fire);
    assert_eq!(calls(&cloud, "run").len(), 3);
    cloud.nothing_was_left_behind();
}

/// What `--verify quick` asks is answered by the container itself.
#[test]
fn a_deployment_tells_whether_its_runs_could_work() {
    let Some(mut cloud) = Cloud::new() else {
        return;
    };
    cloud.add("nightly", COMMIT, "");
    let told = cloud.does("deploy nightly --verify quick");
    assert!(told.to_string().contains("fixme-fairy"), "{told}");
    let calls = calls(&cloud, "check");
    assert_eq!(calls.len(), 1, "{calls:#?}");
    assert_eq!(calls[0]["status"], "success", "{calls:#?}");
    assert!(cloud.records("nightly").is_empty());
    // What is wrong there is told here.
    cloud.github.require("another token");
    let told = cloud
        .command(["deploy", "nightly", "--verify", "quick"])
        .run();
    assert_ne!(told.code, 0, "{told}");
    assert!(told.to_string().contains("acme/shop"), "{told}");
}
