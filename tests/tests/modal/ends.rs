//! Ends that leave no record: what status makes of them.

use changelings_tests::modal::Fault;

use super::{COMMIT, Cloud};

#[test]
fn a_container_that_dies_before_it_starts() {
    let Some(mut cloud) = Cloud::new() else {
        return;
    };
    cloud.add("nightly", COMMIT, "");
    cloud.does("deploy nightly");
    cloud.modal.delete_secret("changeling-nightly");
    let call = cloud.modal.fire("changeling-nightly").remove(0);
    assert_eq!(cloud.modal.wait_for(&call)["status"], "init_failure");
    let told = cloud.does("status nightly --json");
    assert!(told.stdout.contains("died-at-start"), "{told}");
    assert!(cloud.records("nightly").is_empty());
    // The next one is well again once it is deployed again.
    cloud.does("deploy nightly");
    cloud.command(["run", "nightly"]).run().exits(0);
}

#[test]
fn modals_own_limit_of_time() {
    let Some(mut cloud) = Cloud::new() else {
        return;
    };
    let call = cloud.has_an_agent_at_work();
    cloud.modal.times_out(&call);
    assert_eq!(cloud.modal.wait_for(&call)["status"], "timeout");
    let told = cloud.does("status nightly --json");
    assert!(told.stdout.contains("timed-out"), "{told}");
}

#[test]
fn an_app_that_is_stopped_while_its_agent_works() {
    let Some(mut cloud) = Cloud::new() else {
        return;
    };
    let call = cloud.has_an_agent_at_work();
    cloud.does("undeploy nightly --yes --keep-secret --keep-volume");
    assert_eq!(cloud.modal.wait_for(&call)["status"], "terminated");
    assert_eq!(cloud.modal.apps()[0]["state"], "stopped");
    assert!(cloud.pulls().is_empty());
    cloud.nothing_was_left_behind();
}

/// With one that waits for its turn, started by a person.
#[test]
fn everything_is_disabled_while_its_agent_works() {
    let Some(mut cloud) = Cloud::new() else {
        return;
    };
    let works = cloud.has_an_agent_at_work();
    let waits = cloud.does("run nightly --detach --json").json();
    let waits = waits["runs"][0]["call"].as_str().expect("an id");

    // Modal does not let go of it: that is no success, whatever became of the schedule.
    let denied = Fault::Error("PERMISSION_DENIED", "not for you");
    for asked in ["FunctionCallCancel", "TaskList"] {
        cloud.modal.fails(asked, denied, 1_000);
        let told = cloud.command(["disable", "--all"]).run().exits(3);
        assert!(
            told.stderr.contains("nightly is off its schedule"),
            "{told}"
        );
        assert!(
            told.stderr
                .contains("what nightly has under way on Modal may go on: not for you"),
            "{told}"
        );
        for hint in ["modal app stop changeling-nightly", "modal container stop"] {
            assert!(told.stderr.contains(hint), "{told}");
        }
        cloud.modal.recovers();
        if asked == "FunctionCallCancel" {
            assert_eq!(
                cloud.modal.calls("changeling-nightly")[0]["status"],
                "running"
            );
        }
    }

    cloud.does("disable --all");
    for call in [&works, waits] {
        assert_eq!(cloud.modal.wait_for(call)["status"], "terminated", "{call}");
    }
    assert_eq!((cloud.starts(), cloud.pulls().len()), (1, 0));
    cloud.nothing_was_left_behind();
    // What was ended had the time to say so, and nothing began in its place.
    let [record] = &cloud.records("nightly")[..] else {
        panic!("one record: {:#?}", cloud.records("nightly"))
    };
    assert_eq!(
        record["record"]["outcome"]["outcome"], "interrupted",
        "{record:#}"
    );
    let told = cloud.does("status --json").json();
    assert_eq!(told["needs_person"], serde_json::json!([]), "{told:#}");
    let calls = &told["changelings"][0]["deployment"]["calls"];
    let states = [&calls[0]["state"], &calls[1]["state"]];
    assert_eq!(states, ["stopped", "ended"], "{told:#}");
}
