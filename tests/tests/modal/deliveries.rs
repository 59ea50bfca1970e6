//! Modal delivers an input again when its container is gone, and may do so while it is not: the agent runs
//! once.

use std::time::Duration;

use changelings_tests::http::Reply;
use changelings_tests::modal::Fault;
use changelings_tests::traces::wait_for;
use serde_json::Value;

use super::{COMMIT, Cloud, WAIT};

/// What `status --json` says of `nightly`, and of its latest call.
#[track_caller]
fn told(cloud: &Cloud) -> (Value, Value) {
    let status = cloud.does("status nightly --json").json();
    let item = status["changelings"][0].clone();
    let call = item["deployment"]["calls"][0].clone();
    (item, call)
}

/// The run that a call is told as.
#[track_caller]
fn run_of(cloud: &Cloud, call: &str) -> Value {
    cloud.does(&format!("runs show {call} --json")).json()["run"].clone()
}

#[test]
fn a_container_that_is_taken_away_while_the_agent_works() {
    let Some(mut cloud) = Cloud::new() else {
        return;
    };
    let call = cloud.has_an_agent_at_work();
    cloud.modal.preempt(&call);
    let ended = cloud.modal.wait_for(&call);
    assert_eq!(ended["tasks"].as_array().map(Vec::len), Some(2), "{ended}");
    assert_eq!(cloud.starts(), 1, "{}", cloud.modal.printed(None));
    assert!(cloud.pulls().is_empty());
    // What the first attempt knew is not lost: it was asked, and had the time.
    let records = cloud.records("nightly");
    assert!(
        records
            .iter()
            .any(|record| record.to_string().contains("interrupted")),
        "{records:#?}"
    );
    cloud.does("status nightly");
    let runs = cloud.does("runs --json").json();
    let shown: Vec<_> = runs["runs"].as_array().into_iter().flatten().collect();
    assert_eq!(shown.len(), 2, "{runs:#}");
    for run in shown {
        assert_eq!(run["outcome"], "interrupted", "{run:#}");
        assert_eq!(run["origin"]["call"], call.as_str(), "{run:#}");
    }
    let printed = cloud.modal.printed(Some(&call));
    assert!(printed.contains("not started twice"), "{printed}");
    // What was cut off has a word of its own, and what was refused says why.
    let refused = |run: &&Value| run["record"]["origin"]["refused"] == true;
    let records = cloud.records("nightly");
    let [own] = &records.iter().filter(refused).collect::<Vec<_>>()[..] else {
        panic!("one was refused: {records:#?}")
    };
    assert!(
        own["sentence"]
            .as_str()
            .is_some_and(|says| says.contains("Modal delivered the call again")),
        "{own:#}"
    );
    let (_, call_told) = told(&cloud);
    assert_eq!(call_told["state"], "ended", "{call_told}");
    assert_ne!(call_told["run"], own["record"]["id"], "{call_told}");
    cloud.nothing_was_left_behind();
}

#[test]
fn a_container_that_is_taken_away_before_the_agent_starts() {
    let Some(mut cloud) = Cloud::new() else {
        return;
    };
    cloud.add(
        "nightly",
        &format!("echo $$ >> $shared/starts; {COMMIT}"),
        "",
    );
    cloud.does("deploy nightly");
    cloud.github.answers("", "info/refs", Reply::never(), 1);
    let call = cloud.modal.fire("changeling-nightly").remove(0);
    wait_for("it asks the forge", || !cloud.github.transfers().is_empty());
    let setup = cloud.setup().expect("it was there");
    let later = setup.variable("CHANGELINGS_NOW", "2026-03-02T09:05:00Z");
    cloud.modal.containers_have(&later);
    cloud.modal.preempt(&call);
    let ended = cloud.modal.wait_for(&call);
    assert_eq!(ended["status"], "success", "{}", cloud.modal.printed(None));
    assert_eq!((cloud.starts(), cloud.pulls().len()), (1, 1));
    assert_eq!(cloud.records("nightly").len(), 2);
    let (item, call) = told(&cloud);
    assert_eq!(
        (&call["state"], &call["attempts"]),
        (&"ended".into(), &2.into())
    );
    assert_eq!(item["last"]["outcome"], "pull-request", "{item:#}");
    assert_eq!(item["last"]["id"], call["run"], "{item:#}");
}

/// The call of a run whose record is committed, and what comes after it is not.
fn has_written_down(cloud: &mut Cloud, agent: &str) -> String {
    cloud.add("nightly", &format!("{WAIT}; {agent}"), "");
    cloud.does("deploy nightly");
    let call = cloud.modal.fire("changeling-nightly").remove(0);
    cloud.starts_become(1);
    cloud.modal.fails("VolumeCommit", Fault::Hang, 1);
    cloud
        .modal
        .fails("VolumeCommit", Fault::Slow(Duration::ZERO), 1);
    cloud.opens_the_gate();
    cloud.modal.wait_for_request("VolumeCommit", 3);
    call
}

/// While the mirror is kept, which can take long, the record is there already.
#[test]
fn a_container_that_dies_when_all_is_written_down() {
    let Some(mut cloud) = Cloud::new() else {
        return;
    };
    let call = has_written_down(&mut cloud, COMMIT);
    let [record] = &cloud.records("nightly")[..] else {
        panic!("one record: {:#?}", cloud.records("nightly"))
    };
    let setup = cloud.setup().expect("it was there");
    let later = setup.variable("CHANGELINGS_NOW", "2026-03-02T09:05:00Z");
    cloud.modal.containers_have(&later);
    cloud.modal.crash(&call);
    let ended = cloud.modal.wait_for(&call);
    let printed = cloud.modal.printed(Some(&call));
    assert_eq!(ended["tasks"].as_array().map(Vec::len), Some(2), "{ended}");
    // The second container answers with the end of the first one, at Modal, too.
    assert_eq!(ended["status"], "success", "{printed}");
    assert!(printed.contains("delivered the call"), "{printed}");
    assert_eq!((cloud.starts(), cloud.pulls().len()), (1, 1), "{printed}");
    assert_eq!(cloud.records("nightly"), std::slice::from_ref(record));
    let (item, told_call) = told(&cloud);
    assert_eq!(told_call["state"], "ended", "{told_call}");
    assert_eq!(told_call["run"], record["record"]["id"], "{told_call}");
    assert_eq!(item["last"]["outcome"], "pull-request", "{item:#}");
    let runs = cloud.does("runs --json").json();
    assert_eq!(runs["runs"].as_array().map(Vec::len), Some(1), "{runs:#}");
    assert_eq!(run_of(&cloud, &call)["outcome"], "pull-request");
}

/// As above, of a run that did not go well: the call fails as it would have.
#[test]
fn a_container_that_dies_when_a_failure_is_written_down() {
    let Some(mut cloud) = Cloud::new() else {
        return;
    };
    let call = has_written_down(&mut cloud, "exit 7");
    cloud.modal.crash(&call);
    let ended = cloud.modal.wait_for(&call);
    assert_eq!(ended["status"], "failure", "{ended}");
    let [record] = &cloud.records("nightly")[..] else {
        panic!("one record: {:#?}", cloud.records("nightly"))
    };
    let says = record["sentence"].as_str().expect("a sentence");
    let raised = ended["exception"].as_str().expect("it was raised");
    assert!(
        raised.starts_with("RuntimeError") && raised.contains("exit code 7"),
        "{raised}"
    );
    assert!(says.contains("exit code 7"), "{says}");
    let (item, _) = told(&cloud);
    assert_eq!(item["last"]["outcome"], "failed", "{item:#}");
}

#[test]
fn a_container_that_crashes() {
    let Some(mut cloud) = Cloud::new() else {
        return;
    };
    let call = cloud.has_an_agent_at_work();
    cloud.modal.crash(&call);
    let ended = cloud.modal.wait_for(&call);
    assert_eq!(ended["tasks"].as_array().map(Vec::len), Some(2), "{ended}");
    assert_eq!(cloud.starts(), 1, "{}", cloud.modal.printed(None));
    let (_, told_call) = told(&cloud);
    assert_eq!(
        (&told_call["state"], &told_call["attempts"]),
        (&"crashed".into(), &2.into()),
        "{told_call}"
    );
    let shown = cloud.does("status nightly");
    assert!(
        shown
            .stdout
            .contains("crashed (its container died while the run was under way"),
        "{shown}"
    );
    // The latest is not the attempt that was refused.
    assert!(!shown.stdout.contains("interrupted"), "{shown}");
    // The next night is another call.
    let setup = cloud.setup().expect("it was there");
    let setup = setup.variable("CHANGELINGS_NOW", "2026-03-03T03:00:05Z");
    cloud.modal.containers_have(&setup);
    let next = cloud.modal.fire("changeling-nightly").remove(0);
    cloud.starts_become(2);
    cloud.modal.crash(&next);
    cloud.modal.wait_for(&next);
}

#[test]
fn an_input_that_is_delivered_twice_at_once() {
    let Some(mut cloud) = Cloud::new() else {
        return;
    };
    let agent = format!("{WAIT}; {COMMIT}");
    cloud.add("nightly", &agent, "");
    cloud.does("deploy nightly");
    let call = cloud.modal.fire("changeling-nightly").remove(0);
    cloud.starts_become(1);
    cloud.modal.redeliver(&call);
    wait_for("the second one has ended", || {
        cloud.modal.containers().len() == 1
    });
    // Modal takes that for the end of the call; the agent works.
    let at_modal = cloud.modal.calls("changeling-nightly");
    assert_eq!(at_modal[0]["status"], "failure", "{at_modal:#?}");
    let raised = at_modal[0]["exception"].to_string();
    assert!(raised.contains("not started twice"), "{raised}");
    let (item, told_call) = told(&cloud);
    assert_eq!(told_call["state"], "running", "{item:#}");
    let shown = cloud.does("status nightly");
    assert!(shown.stdout.contains("running at Modal for"), "{shown}");
    assert!(!shown.stdout.contains("interrupted"), "{shown}");
    let logs = cloud.does("logs nightly");
    assert!(logs.stderr.contains("runs at Modal"), "{logs}");
    let logs = cloud.does("logs nightly --follow");
    assert!(logs.stderr.contains("delivered the call again"), "{logs}");

    cloud.opens_the_gate();
    cloud.modal.wait_for(&call);
    assert_eq!(
        (cloud.starts(), cloud.pulls().len()),
        (1, 1),
        "{}",
        cloud.modal.printed(None)
    );
    let (item, told_call) = told(&cloud);
    assert_eq!(told_call["state"], "ended", "{item:#}");
    assert_eq!(item["last"]["outcome"], "pull-request", "{item:#}");
    assert_eq!(item["last"]["id"], told_call["run"], "{item:#}");
    for what in ["nightly", &call] {
        let run = run_of(&cloud, what);
        assert_eq!(run["outcome"], "pull-request", "{what}: {run:#}");
    }
    let logs = cloud.does("logs nightly");
    assert!(logs.to_string().contains("pull-request"), "{logs}");
    cloud.nothing_was_left_behind();
}

/// A second container that comes so late that it would be skipped says nothing of what the first one does.
#[test]
fn an_input_that_is_delivered_again_too_late() {
    let Some(mut cloud) = Cloud::new() else {
        return;
    };
    let agent = format!("{WAIT}; {COMMIT}");
    cloud.add("nightly", &agent, "");
    cloud.does("deploy nightly");
    let call = cloud.modal.fire("changeling-nightly").remove(0);
    cloud.starts_become(1);
    let setup = cloud.setup().expect("it was there");
    let later = setup.variable("CHANGELINGS_NOW", "2026-03-02T09:30:00Z");
    cloud.modal.containers_have(&later);
    cloud.modal.redeliver(&call);
    wait_for("the second one has ended", || {
        cloud.modal.containers().len() == 1
    });
    let (item, told_call) = told(&cloud);
    assert_eq!(told_call["state"], "running", "{item:#}");
    cloud.opens_the_gate();
    cloud.modal.wait_for(&call);
    let (item, told_call) = told(&cloud);
    assert_eq!(told_call["state"], "ended", "{item:#}");
    assert_eq!(item["last"]["outcome"], "pull-request", "{item:#}");
    assert_eq!(run_of(&cloud, &call)["outcome"], "pull-request");
}

/// Who waits for it hears that another attempt is at work, and not that all is over.
#[test]
fn a_run_by_hand_that_is_delivered_twice_at_once() {
    let Some(mut cloud) = Cloud::new() else {
        return;
    };
    cloud.add("nightly", &format!("{WAIT}; {COMMIT}"), "");
    cloud.does("deploy nightly");
    let terminal = cloud.command(["run", "nightly"]).terminal(200);
    cloud.starts_become(1);
    let calls = cloud.modal.calls("changeling-nightly");
    let call = calls[0]["call"].as_str().expect("an id");
    cloud.modal.redeliver(call);
    let left = terminal.finish().exits(130);
    assert!(
        left.screen.contains("Modal delivered the call again"),
        "{left}"
    );
    assert!(left.screen.contains("changeling status nightly"), "{left}");
    cloud.opens_the_gate();
    cloud.modal.wait_for(call);
    let run = run_of(&cloud, call);
    assert_eq!(run["outcome"], "interrupted", "not fetched yet: {run:#}");
    cloud.does("status");
    assert_eq!(run_of(&cloud, call)["outcome"], "pull-request");
}

#[test]
fn fires_that_overlap() {
    let Some(mut cloud) = Cloud::new() else {
        return;
    };
    let agent = format!("{WAIT}; {COMMIT}");
    cloud.add("nightly", &agent, "");
    cloud.does("deploy nightly");
    let first = cloud.modal.fire("changeling-nightly").remove(0);
    let second = cloud.modal.fire("changeling-nightly").remove(0);
    cloud.starts_become(1);
    let waiting = cloud.modal.calls("changeling-nightly");
    assert_eq!(waiting[1]["status"], "pending", "{waiting:#?}");
    cloud.opens_the_gate();
    assert_eq!(cloud.modal.wait_for(&first)["status"], "success");
    assert_eq!(
        cloud.modal.wait_for(&second)["status"],
        "success",
        "{}",
        cloud.modal.printed(Some(&second))
    );
    // By then the night's work is done.
    assert_eq!(
        (cloud.starts(), cloud.pulls().len()),
        (1, 1),
        "{}",
        cloud.modal.printed(Some(&second))
    );
    let told: Vec<_> = cloud
        .records("nightly")
        .iter()
        .map(ToString::to_string)
        .collect();
    assert!(
        told.iter().any(|record| record.contains("skipped")),
        "{told:#?}"
    );
}
