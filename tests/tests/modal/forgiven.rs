//! A changeling that paused at Modal, by the failures on its volume, and is let go again from here.

use std::time::Duration;

use changelings_tests::modal::Fault;

use super::Cloud;

/// Tells that it began, and fails.
const FAILS: &str = "echo $$ >> $shared/starts; exit 7";

#[test]
fn what_paused_at_modal_is_let_go_from_here() {
    let Some(mut cloud) = Cloud::new() else {
        return;
    };
    cloud.add("weary", FAILS, "pause_after = 2");
    cloud.does("deploy weary");
    cloud.fires("weary");
    cloud.fires("weary");
    cloud.fires("weary");
    assert_eq!(cloud.starts(), 2, "the third is skipped");

    // A record takes longer than Modal may be silent, and is waited for, as Modal answers otherwise.
    let slow = Fault::Slow(Duration::from_secs(20));
    cloud.modal.fails("VolumeGetFile2", slow, 1);
    let status = cloud.does("status weary");
    assert!(status.stdout.contains("paused"), "{status}");

    for call in ["VolumePutFiles", "VolumePutFiles2"] {
        let refused = Fault::Error("FAILED_PRECONDITION", "not today");
        cloud.modal.fails(call, refused, 1);
    }
    let refused = cloud.command(["enable", "weary"]).run().exits(1);
    assert!(refused.stderr.contains("still count on Modal"), "{refused}");
    assert!(refused.stderr.contains("not today"), "{refused}");
    let again = "`changeling enable weary` tries again";
    assert!(refused.stderr.contains(again), "{refused}");
    cloud.fires("weary");
    assert_eq!(cloud.starts(), 2, "it has not heard of it");

    cloud.modal.recovers();
    let told = cloud.does("enable weary");
    assert!(told.stderr.contains("Modal knows"), "{told}");
    cloud.fires("weary");
    assert_eq!(cloud.starts(), 3);
    // That is said once.
    let told = cloud.does("enable weary");
    assert!(!told.stderr.contains("Modal knows"), "{told}");
}

#[test]
fn what_is_settled_here_counts_no_more_at_modal() {
    let Some(mut cloud) = Cloud::new() else {
        return;
    };
    cloud.add("weary", FAILS, "pause_after = 2");
    cloud.does("deploy weary");
    let failed = [cloud.fires("weary"), cloud.fires("weary")];
    cloud.does("runs --fetch");
    for call in failed {
        let call = call["call"].as_str().expect("an id");
        cloud.does(&format!("runs settle {call}"));
    }
    cloud.fires("weary");
    assert_eq!(cloud.starts(), 3);
}
