//! What is seen of deployed changelings: `status`, `run`, `logs`, `runs`, `list`, `show`, `doctor`.

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use changelings_tests::counted::CountedClient;
use changelings_tests::modal::{ANY, Fault};
use changelings_tests::{Invocation, Output, needs};
use serde_json::Value;

use super::{COMMIT, Cloud, NOW_SECONDS};

/// Longer than a command may take to say that nobody answers.
const BOUND: Duration = Duration::from_secs(35);

/// An app in the place of the deployed one, whose containers do nothing but begin, and wait for what the
/// test makes of them. One with `mute` in its arguments dies before it notes that it began.
const SCRIPTED: &str = r#"
import json, pathlib, time
import modal

app = modal.App("changeling-NAME")
volume = modal.Volume.from_name("changeling-NAME", create_if_missing=True)


@app.function(schedule=modal.Cron("0 3 * * *"), volumes={"/changeling/volume": volume}, max_containers=1, timeout=600)
def run(target: int = 0, by: str = "schedule"):
    call = modal.current_function_call_id()
    note = {"version": 1, "place": "modal", "call": call, "attempt": "a", "by": by, "changeling": "NAME"}
    note |= {"repo": "REPO", "at": "2026-03-02T09:01:00Z"}
    folder = pathlib.Path("/changeling/volume/started")
    folder.mkdir(exist_ok=True)
    (folder / f"{call}.a.json").write_text(json.dumps(note))
    volume.commit()
    print("has begun", call, flush=True)
    time.sleep(600)
"#;

/// Puts the scripted app in the place of a deployed one.
fn script(cloud: &Cloud, name: &str) {
    let repo = cloud.github.repository("acme/shop");
    let app = SCRIPTED.replace("NAME", name).replace("REPO", &repo);
    let file = format!("work/scripted_{name}.py");
    cloud.env.write(&file, app);
    let args = [
        "deploy",
        &format!("scripted_{name}.py"),
        "--name",
        &format!("changeling-{name}"),
    ];
    let call = cloud.modal.client(&cloud.env, args).expect("it is there");
    call.run().success();
}

/// Fires, and waits until the container has noted that it began.
fn begins(cloud: &Cloud, name: &str) -> String {
    let call = cloud.modal.fire(&format!("changeling-{name}")).remove(0);
    cloud.modal.wait_for_log(&format!("has begun {call}"));
    call
}

fn at_80(cloud: &Cloud, line: &str, now: &str) -> String {
    let call = cloud.command(line.split(' ')).env("CHANGELINGS_NOW", now);
    let call = call.env("TZ", "UTC");
    let shown = call.terminal(80).finish().nothing_wrapped().to_string();
    // Of as many digits, so that lines break where they do.
    let forge = cloud
        .github
        .repository("acme/shop")
        .replace("/acme/shop", "");
    shown.replace(forge.trim_end_matches(".git"), "http://127.0.0.1:12345")
}

#[test]
fn status_tells_apart_how_calls_without_a_record_ended() {
    let Some(mut cloud) = Cloud::without_containers() else {
        return;
    };
    if !needs::containers() {
        return;
    }
    let names = ["crashed", "died", "memory", "queue", "stopped", "timeout"];
    for name in names {
        cloud.add(name, COMMIT, "");
    }
    cloud.add("here", COMMIT, "");
    let config = cloud.env.read_config();
    let config = config.replace("[modal]\n", "[modal]\nmax_crons = 10\n");
    cloud.env.write_config(&config);
    let deploy = format!("deploy {}", names.join(" "));
    cloud.does(&deploy);
    for name in names {
        script(&cloud, name);
    }
    // However long this takes, all of it happens in one minute.
    let now = || cloud.modal.set("clock", NOW_SECONDS.into());
    now();
    let call = cloud.modal.fire("changeling-died").remove(0);
    cloud.modal.finish(&call, "init_failure");
    for (name, status) in [
        ("crashed", "failure"),
        ("memory", "kernel_oom_kill"),
        ("timeout", "timeout"),
    ] {
        now();
        let call = begins(&cloud, name);
        cloud.modal.finish(&call, status);
    }
    now();
    begins(&cloud, "queue");
    // It has to wait for the one before.
    now();
    cloud.modal.fire("changeling-queue");
    cloud.modal.stop_app("changeling-stopped");
    let config = cloud.env.read_config();
    let (before, queue) = config
        .split_once("[changelings.queue]")
        .expect("it is there");
    let queue = queue.replacen("0 3 * * *", "30 3 * * *", 1);
    cloud
        .env
        .write_config(&format!("{before}[changelings.queue]{queue}"));

    let shown = at_80(&cloud, "status", "2026-03-02T09:10:00Z");
    insta::assert_snapshot!("status_of_calls", shown);

    let told = cloud.does("status --json").json();
    assert_eq!(told["modal"]["fresh"], true, "{told:#}");
    let of = |name: &str| {
        let items = told["changelings"].as_array().expect("a list");
        let item = items.iter().find(|item| item["name"] == name);
        item.expect("it is there")["deployment"].clone()
    };
    let state = |name: &str| of(name)["calls"][0]["state"].clone();
    assert_eq!(
        ["crashed", "died", "memory", "timeout", "queue"].map(state),
        [
            "crashed",
            "died-at-start",
            "out-of-memory",
            "timed-out",
            "waiting"
        ]
    );
    assert_eq!(of("queue")["calls"][1]["state"], "running");
    assert_eq!(of("stopped")["at_modal"], false);
    assert_eq!(of("here"), Value::Null);

    // What the container said of a call that left no record, and that one can go on looking.
    let call = of("crashed")["calls"][0]["call"].clone();
    let call = call.as_str().expect("an id");
    let logs = cloud.does(&format!("logs {call}"));
    assert_eq!(logs.stdout, format!("has begun {call}\n"));
    assert!(
        logs.stderr.contains("died while the run was under way"),
        "{logs}"
    );
    let logs = cloud.command(["logs", "fc-unknown"]).run().exits(2);
    assert!(logs.stderr.contains("changeling status"), "{logs}");

    // A run is asked of an app that is gone.
    let gone = cloud.command(["run", "stopped"]).run().exits(3);
    assert!(gone.stderr.contains("changeling deploy stopped"), "{gone}");
}

#[test]
fn a_fire_that_never_came_is_missed() {
    let Some(mut cloud) = Cloud::without_containers() else {
        return;
    };
    cloud.add("nightly", COMMIT, "");
    cloud.does("deploy nightly");
    let early = cloud.does("status --json").json();
    assert_eq!(
        early["changelings"][0]["deployment"]["missed_fires"],
        Value::Array(Vec::new())
    );
    // Two nights later.
    let shown = at_80(&cloud, "status", "2026-03-04T09:00:00Z");
    insta::assert_snapshot!("status_of_missed_fires", shown);
    let offline = cloud
        .command(["status", "--offline", "--json"])
        .env("CHANGELINGS_NOW", "2026-03-05T09:00:00Z")
        .run()
        .success()
        .json();
    assert_eq!(offline["modal"]["fresh"], false);
    assert_eq!(
        offline["changelings"][0]["deployment"]["missed_fires"],
        serde_json::json!(["2026-03-03T03:00:00Z", "2026-03-04T03:00:00Z"])
    );
}

/// With several repositories the cron is that of another function than the runs'.
#[test]
fn a_fire_that_never_came_is_missed_by_all_its_repositories() {
    let Some(mut cloud) = Cloud::without_containers() else {
        return;
    };
    cloud.modal.set("room", false.into());
    let [shop, depot] = ["acme/shop", "acme/depot"].map(|name| cloud.github.repository(name));
    let repos = format!("repos = [\"{shop}\", \"{depot}\"]");
    cloud.add("both", COMMIT, &repos);
    cloud.does("deploy both");
    let told = |now: &str| {
        let call = cloud.command(["status", "--json"]);
        call.env("CHANGELINGS_NOW", now).run().success().json()
    };
    let missed = |told: &Value| told["changelings"][0]["deployment"]["missed_fires"].clone();
    let third = "2026-03-03T03:00:00Z";
    assert_eq!(missed(&told("2026-03-03T03:05:00Z")), serde_json::json!([]));
    let late = told("2026-03-03T03:11:00Z");
    assert_eq!(missed(&late), serde_json::json!([third]));
    let needs = late["needs_person"].as_array().expect("a list");
    let whats: Vec<_> = needs.iter().map(|need| &need["what"]).collect();
    assert_eq!(whats, ["missed-fire"], "{late:#}");

    // A run that somebody asks for at the time answers to no fire, and the call of `fire` does.
    let seconds = |time: &str| time.parse::<jiff::Timestamp>().expect("a time").as_second();
    cloud
        .modal
        .set("clock", seconds("2026-03-04T03:00:20Z").into());
    let hand = cloud.does(&format!("run both --repo {shop} --detach --json"));
    let hand = hand.json()["runs"][0]["call"].clone();
    cloud.modal.finish(hand.as_str().expect("an id"), "success");
    let fourth = "2026-03-04T03:00:00Z";
    let by_hand = told("2026-03-04T09:00:00Z");
    assert_eq!(missed(&by_hand), serde_json::json!([third, fourth]));
    let [fire] = &cloud.modal.fire("changeling-both")[..] else {
        panic!("one cron")
    };
    cloud.modal.finish(fire, "success");
    assert_eq!(
        missed(&told("2026-03-04T09:00:00Z")),
        serde_json::json!([third])
    );
}

#[test]
fn a_call_that_gets_no_container() {
    let Some(mut cloud) = Cloud::without_containers() else {
        return;
    };
    cloud.add("nightly", COMMIT, "");
    cloud.does("deploy nightly");
    cloud.modal.set("room", false.into());
    let call = cloud.modal.fire("changeling-nightly").remove(0);
    let told = |now: &str| {
        let call = cloud.command(["status", "--json"]);
        let told = call.env("CHANGELINGS_NOW", now).run().success().json();
        (
            told["changelings"][0]["deployment"]["calls"][0].clone(),
            told["needs_person"].clone(),
        )
    };
    // Containers may take some time to come.
    let (soon, needs) = told("2026-03-02T09:12:00Z");
    assert_eq!(
        (&soon["call"], &soon["state"]),
        (&Value::from(&*call), &"waiting".into())
    );
    assert_eq!(needs, serde_json::json!([]));
    let (late, needs) = told("2026-03-02T09:20:00Z");
    assert_eq!(late["state"], "never-started", "{late}");
    assert_eq!(needs[0]["what"], "never-started", "{needs}");
    let says = needs[0]["says"].as_str().expect("a sentence");
    assert!(
        says.contains("Modal has given it no container for "),
        "{says}"
    );
    let shown = at_80(&cloud, "status", "2026-03-02T09:20:00Z");
    assert!(shown.contains("never-started"), "{shown}");
    // One died at its start, which is something else.
    cloud.modal.finish(&call, "init_failure");
    let (died, _) = told("2026-03-02T09:20:00Z");
    assert_eq!(died["state"], "died-at-start", "{died}");
}

#[test]
fn a_run_is_left_followed_and_kept() {
    let Some(mut cloud) = Cloud::new() else {
        return;
    };
    let agent =
        format!("echo 'I am at it'; while [ ! -e $shared/go ]; do sleep 0.1; done; {COMMIT}");
    cloud.add("nightly", &agent, "");
    cloud.does("deploy nightly");

    // Ctrl-C ends the looking, and not the run.
    let mut terminal = cloud.command(["run", "nightly"]).terminal(100);
    terminal.wait_for("I am at it");
    terminal.type_text("\x03");
    let left = terminal.finish().exits(130);
    assert!(left.screen.contains("the run goes on at Modal"), "{left}");
    assert!(
        left.screen.contains("changeling logs --follow nightly"),
        "{left}"
    );
    let running = cloud.does("status --json").json();
    let calls = &running["changelings"][0]["deployment"]["calls"];
    assert_eq!(calls[0]["state"], "running", "{running:#}");
    let now = cloud.does("logs nightly");
    assert!(
        now.stderr.contains("changeling logs --follow nightly"),
        "{now}"
    );

    // Somebody looks again, to its end.
    let mut terminal = cloud.command(["logs", "--follow", "nightly"]).terminal(100);
    terminal.wait_for("I am at it");
    cloud.env.write("shared/go", "");
    let seen = terminal.finish().success();
    assert!(seen.screen.contains("ended: pull-request"), "{seen}");

    // It is in the history, and its files come when they are asked for.
    let runs = cloud.does("runs --json").json();
    let run = &runs["runs"][0];
    assert_eq!(
        (&run["outcome"], &run["origin"]["by"]),
        (&"pull-request".into(), &"hand".into())
    );
    let id = run["id"].as_str().expect("an id");
    let folder = cloud.env.changelings_home().join("runs").join(id);
    assert!(!folder.join("log").exists());
    let said = cloud.does("logs nightly");
    assert!(said.stdout.contains("I am at it"), "{said}");
    let patch = cloud.does(&format!("runs show {id} --patch"));
    assert!(patch.stdout.contains("# mended"), "{patch}");
    assert!(folder.join("log").exists());

    // And one that nobody waits for.
    let detached = cloud.does("run nightly --detach");
    assert!(
        detached.stdout.contains("changeling status nightly"),
        "{detached}"
    );
    let calls = cloud.modal.calls("changeling-nightly");
    assert_eq!(calls.len(), 2);
    for call in &calls {
        cloud.modal.wait_for(call["call"].as_str().expect("an id"));
    }
    let later = cloud.does("status --json").json();
    assert_eq!(
        later["changelings"][0]["deployment"]["calls"][0]["state"], "ended",
        "{later:#}"
    );
    assert_eq!(
        cloud.does("runs --json").json()["runs"]
            .as_array()
            .map(Vec::len),
        Some(2)
    );
}

#[test]
fn several_repositories_run_side_by_side_or_one_alone() {
    let Some(mut cloud) = Cloud::new() else {
        return;
    };
    let depot = cloud.env.repo("depot");
    depot.write("app.py", "# FIXME: empty\n");
    depot.commit(changelings_tests::ADA, "2025-11-03", "Begin");
    cloud.github.serve(&depot, "acme/depot");
    let [shop, depot] = ["acme/shop", "acme/depot"].map(|name| cloud.github.repository(name));
    let repos = format!("repos = [\"{shop}\", \"{depot}\"]\nmax_parallel = 2");
    cloud.add("both", COMMIT, &repos);
    cloud.does("deploy both");
    let one = cloud
        .does(&format!("run both --repo {depot} --json"))
        .json();
    let runs = one["runs"].as_array().expect("a list");
    assert_eq!(runs.len(), 1, "{one:#}");
    assert_eq!(
        (&runs[0]["repo"], &runs[0]["outcome"]),
        (&depot.clone().into(), &"pull-request".into())
    );

    let both = cloud.does("run both");
    assert!(
        both.stderr.contains("shop: ") && both.stderr.contains("depot: "),
        "{both}"
    );
    let status = cloud.does("status --json").json();
    let items = status["changelings"].as_array().expect("a list");
    let last = |item: &Value| (item["repo"].clone(), item["last"]["outcome"].clone());
    let told: Vec<_> = items.iter().map(last).collect();
    assert_eq!(
        told,
        [shop, depot].map(|repo| (repo.into(), Value::from("pull-request")))
    );
    let stranger = cloud
        .command(["run", "both", "--repo", "acme/other"])
        .run()
        .exits(2);
    assert!(stranger.stderr.contains("acme/depot"), "{stranger}");
}

#[test]
fn what_was_known_is_shown_when_modal_is_away() {
    let Some(mut cloud) = Cloud::without_containers() else {
        return;
    };
    cloud.add("nightly", COMMIT, "");
    cloud.does("deploy nightly");
    cloud.does("status");
    let soon = |line: &str| {
        let call = cloud.command(line.split(' '));
        call.patience(BOUND).run()
    };
    let says = |output: &Output| {
        assert!(output.stdout.contains("nightly  Modal"), "{output}");
        assert!(
            output.stderr.contains("what is shown of Modal is as of"),
            "{output}"
        );
    };
    // It hangs at once, or only after it has answered.
    for call in [ANY, "FunctionCallFetch"] {
        cloud.modal.fails(call, Fault::Hang, 1_000);
        says(&soon("status").success());
        cloud.modal.recovers();
    }
    // Twice it is not well, and nobody notices.
    cloud.modal.fails(
        "FunctionCallFetch",
        Fault::Error("UNAVAILABLE", "not now"),
        2,
    );
    assert_eq!(soon("status --json").json()["modal"]["fresh"], true);
    cloud.modal.down();
    says(&soon("status").success());
    let run = soon("run nightly").exits(1);
    assert!(run.stderr.contains("status.modal.com"), "{run}");
}

/// A `modal` that cannot do what is asked, as pip installs it.
fn old_client(cloud: &Cloud) -> String {
    let write = |file: &str, text: &str| {
        let file = cloud.env.write(&format!("old/{file}"), text);
        std::fs::set_permissions(&file, PermissionsExt::from_mode(0o755)).expect("it is ours");
        file
    };
    let python = write("bin/python3.12", "#!/bin/false\n");
    let shebang = format!("#!{}\n", python.display());
    write(
        "lib/python3.12/site-packages/modal-1.5.9.dist-info/METADATA",
        "Version: 1.5.9\n",
    );
    write("bin/modal", &shebang).display().to_string()
}

#[test]
fn doctor_looks_at_the_account() {
    let Some(mut cloud) = Cloud::without_containers() else {
        return;
    };
    cloud.add("nightly", COMMIT, "");
    cloud.does("deploy nightly");
    let look_as = |cloud: &Cloud, change: &dyn Fn(Invocation) -> Invocation| {
        let report = change(cloud.command(["doctor", "--json"])).run().json();
        let checks = report["checks"].as_array().expect("a list").clone();
        let ours = checks.into_iter().filter(|check| check["name"] == "modal");
        let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
        ours.map(|check| {
            let message = text(&check["message"]);
            let message = message.split(" (/").next().unwrap_or_default().to_owned();
            format!(
                "{} {message}\n  {}",
                text(&check["level"]),
                text(&check["mend"])
            )
        })
        .collect::<Vec<_>>()
        .join("\n")
    };
    let look = |cloud: &Cloud| look_as(cloud, &|call| call);
    let mut said = vec![("in order", look(&cloud))];
    let without = |call: Invocation| {
        let call = call.env_remove("MODAL_TOKEN_ID");
        call.env_remove("MODAL_TOKEN_SECRET")
    };
    said.push(("no token", look_as(&cloud, &without)));
    let wrong = |call: Invocation| call.env("MODAL_TOKEN_SECRET", "as-wrong");
    said.push(("a wrong token", look_as(&cloud, &wrong)));
    let config = cloud.env.read_config();
    let full = config.replace(
        "[modal]\n",
        "[modal]\nmax_crons = 1\nenvironment = \"nights\"\n",
    );
    cloud.env.write_config(&full);
    said.push(("full, and another environment", look(&cloud)));
    cloud.env.write_config(&config);
    let variable = |call: Invocation| call.env("MODAL_ENVIRONMENT", "nights");
    said.push(("a variable for it", look_as(&cloud, &variable)));
    let denied = Fault::Error("PERMISSION_DENIED", "not for this token");
    cloud.modal.fails("AppList", denied, 9);
    said.push(("apps that may not be listed", look(&cloud)));
    cloud.modal.recovers();
    cloud
        .env
        .write_config(&config.replace("[modal]\n", "[modal]\nbinary = \"/nowhere/modal\"\n"));
    said.push(("no client", look(&cloud)));
    let old = old_client(&cloud);
    cloud
        .env
        .write_config(&config.replace("[modal]\n", &format!("[modal]\nbinary = \"{old}\"\n")));
    let of_old = look(&cloud).replace(&old, "[old]/bin/modal");
    said.push(("a client that is too old", of_old));
    let said: Vec<_> = said
        .iter()
        .map(|(what, said)| format!("# {what}\n{said}\n"))
        .collect();
    insta::assert_snapshot!("doctor_of_modal", said.join("\n"));
}

#[test]
fn one_process_asks_about_all_and_none_is_started_offline() {
    let Some(mut cloud) = Cloud::without_containers() else {
        return;
    };
    for name in ["one", "two", "three", "four"] {
        cloud.add(name, COMMIT, "");
    }
    let Some(client) = CountedClient::new(&cloud.env) else {
        return;
    };
    let config = cloud.env.read_config();
    let own = format!("[modal]\nbinary = \"{}\"\n", client.program().display());
    cloud.env.write_config(&config.replace("[modal]\n", &own));
    let during = |line: &str| {
        let before = client.calls();
        cloud.does(line);
        client.calls() - before
    };
    assert_eq!(during("deploy --all"), 1);
    assert_eq!(during("status"), 1);
    let logs = cloud.command(["logs", "one"]).run().exits(2);
    assert!(logs.stderr.contains("one has not run yet"), "{logs}");
    for line in [
        "list",
        "list --json",
        "show one",
        "status --offline",
        "runs",
        "config check",
        "schedule",
        "template list",
    ] {
        let before = client.calls();
        cloud.command(line.split(' ')).run();
        assert_eq!(client.calls() - before, 0, "{line}");
    }
}

#[test]
fn list_and_show_say_what_is_deployed() {
    let Some(mut cloud) = Cloud::without_containers() else {
        return;
    };
    for name in ["asleep", "abroad", "by-hand", "here", "nightly", "stopped"] {
        cloud.add(name, COMMIT, "");
    }
    let with = |cloud: &Cloud, name: &str, old: &str, new: &str| {
        let config = cloud.env.read_config();
        let title = format!("[changelings.{name}]");
        let (before, entry) = config.split_once(&title).expect("it is there");
        let entry = entry.replacen(old, new, 1);
        cloud.env.write_config(&format!("{before}{title}{entry}"));
    };
    with(&cloud, "abroad", "\"UTC\"", "\"America/New_York\"");
    with(&cloud, "by-hand", "schedule = \"0 3 * * *\"\n", "");
    let config = cloud.env.read_config();
    let config = config.replace("[modal]\n", "[modal]\nmax_crons = 10\n");
    cloud.env.write_config(&config);
    cloud.does("deploy asleep abroad by-hand nightly stopped");
    cloud.does("disable asleep");
    // Edited since: it fires as it was deployed.
    with(&cloud, "nightly", "timeout = \"2m\"", "timeout = \"3m\"");
    with(&cloud, "nightly", "0 3 * * *", "0 5 * * *");
    cloud.modal.stop_app("changeling-stopped");
    // Nobody has asked Modal since.
    let before = cloud.does("show stopped --json").json();
    assert_eq!(before["next_fires"].as_array().map(Vec::len), Some(3));
    cloud.does("status");

    let list = at_80(&cloud, "list", "2026-03-02T09:10:00Z");
    insta::assert_snapshot!("list_of_deployed", list);
    let told = cloud.does("list --json").json();
    let items = told["changelings"].as_array().expect("a list").iter();
    let fires = items.map(|item| (&item["next_fire"], &item["why_no_fire"]));
    let fires: Vec<_> = fires
        .map(|(at, why)| at.as_str().or(why.as_str()))
        .collect();
    assert_eq!(
        fires.iter().flatten().collect::<Vec<_>>(),
        [
            &"2026-03-03T03:00:00-05:00",
            &"disabled",
            &"by-hand",
            &"not-deployed",
            &"2026-03-03T03:00:00+00:00",
            &"not-at-modal"
        ],
        "{told:#}"
    );

    let shown = cloud.does("show nightly --json").json();
    let deployment = &shown["deployment"];
    assert_eq!(deployment["schedule"], "0 3 * * *");
    assert_eq!(shown["next_fires"][0], "2026-03-03T03:00:00+00:00");
    let drift = deployment["drift"].as_array().expect("a list");
    assert_eq!(drift.len(), 2, "{drift:#?}");
    let text = cloud.does("show nightly").stdout;
    assert!(text.contains("changeling deploy nightly"), "{text}");

    let text = cloud.does("show stopped").stdout;
    assert!(
        text.contains("does not fire") && text.contains("changeling deploy stopped"),
        "{text}"
    );
    let shown = cloud.does("show stopped --json").json();
    assert_eq!(shown["deployment"]["at_modal"], false, "{shown:#}");
    assert_eq!(shown["next_fires"], serde_json::json!([]));
    // What was seen before it came back is no news.
    cloud.does("deploy stopped");
    for line in ["list --json", "status --offline --json"] {
        let told = cloud.does(line).json();
        let items = told["changelings"].as_array().expect("a list");
        let item = items.iter().find(|item| item["name"] == "stopped");
        assert!(
            item.expect("it is there")["next_fire"].is_string(),
            "{told:#}"
        );
    }
}

/// What a person with an account runs (`./dev modal-smoke`) holds here, too.
#[test]
fn the_smoke_test_of_the_real_modal_passes_on_this_one() {
    let Some(cloud) = Cloud::new() else { return };
    let (Some(_), Some(_)) = (needs::tool("jq"), needs::tool("curl")) else {
        return;
    };
    // Whatever its own configuration says of the program for containers.
    let runner = cloud.config.split("[modal]").nth(1).expect("it is there");
    let script = changelings_tests::project_root().join("tests/modal/smoke.sh");
    let call = cloud
        .env
        .external("bash", [script.as_os_str()])
        .arg(changelings_tests::changeling())
        .arg("acme/shop")
        .env("SMOKE_URL", cloud.github.repository("acme/shop"))
        .env("SMOKE_CONFIG", format!("[modal]{runner}"))
        .env("SMOKE_CLOCK", cloud.modal.clock("changeling-smoke-fired"))
        .env("GITHUB_API_URL", cloud.github.url())
        .env("GITHUB_TOKEN", super::TOKEN)
        .patience(Duration::from_mins(9));
    let output = cloud.modal.call(call).run();
    assert!(
        output.code == 0 && output.stdout.contains(", 0 failed"),
        "{output}"
    );
    let apps = cloud.modal.apps();
    assert!(
        apps.iter().all(|app| app["state"] == "stopped"),
        "{apps:#?}"
    );
    assert_eq!(cloud.modal.volumes(), Vec::<String>::new());
}
