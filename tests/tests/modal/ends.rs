//! Ends that leave no record: what status makes of them.

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
