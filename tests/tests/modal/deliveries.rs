//! Modal delivers an input again when its container is gone, and may do so while it is not: the agent runs
//! once.

use changelings_tests::http::Reply;
use changelings_tests::traces::wait_for;

use super::{COMMIT, Cloud, WAIT};

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
    let told: Vec<_> = runs["runs"].as_array().into_iter().flatten().collect();
    assert_eq!(told.len(), 2, "{runs:#}");
    for run in told {
        assert_eq!(run["outcome"], "interrupted", "{run:#}");
        assert_eq!(run["origin"]["call"], call.as_str(), "{run:#}");
    }
    let printed = cloud.modal.printed(Some(&call));
    assert!(printed.contains("not started twice"), "{printed}");
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
    cloud.modal.preempt(&call);
    let ended = cloud.modal.wait_for(&call);
    assert_eq!(ended["status"], "success", "{}", cloud.modal.printed(None));
    assert_eq!((cloud.starts(), cloud.pulls().len()), (1, 1));
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
    let told = cloud.does("status nightly");
    assert!(told.stdout.contains("nightly"), "{told}");
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
    cloud.opens_the_gate();
    cloud.modal.wait_for(&call);
    assert_eq!(
        (cloud.starts(), cloud.pulls().len()),
        (1, 1),
        "{}",
        cloud.modal.printed(None)
    );
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
