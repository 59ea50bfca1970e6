//! A changeling that paused at Modal, by the failures on its volume, and is let go again from here.

use std::time::Duration;

use changelings_tests::modal::{FILES, Fault};
use serde_json::Value;

use super::Cloud;

/// Tells that it began, and fails.
const FAILS: &str = "echo $$ >> $shared/starts; exit 7";

/// Fires on that day, on time: nothing has to be skipped because it is late.
fn fires(cloud: &Cloud, day: &str) -> Value {
    let now = format!("{day}T03:00:05Z");
    let setup = cloud.setup().expect("it was there before");
    let setup = setup.variable("CHANGELINGS_NOW", &now);
    cloud.modal.containers_have(&setup);
    cloud.fires("weary")
}

#[test]
fn what_paused_at_modal_is_let_go_from_here() {
    let Some(mut cloud) = Cloud::new() else {
        return;
    };
    cloud.add("weary", FAILS, "pause_after = 2");
    cloud.does("deploy weary");
    for day in ["2026-02-26", "2026-02-27", "2026-02-28"] {
        fires(&cloud, day);
    }
    assert_eq!(cloud.starts(), 2, "the third is skipped");

    // A record takes longer than Modal may be silent, and is waited for, as Modal answers otherwise.
    let slow = Fault::Slow(Duration::from_secs(22));
    cloud.modal.fails(FILES, slow, 1);
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
    fires(&cloud, "2026-03-01");
    assert_eq!(cloud.starts(), 2, "it has not heard of it");

    cloud.modal.recovers();
    let told = cloud.does("enable weary");
    let said = "failures of weary that were forgiven here no longer keep it paused on Modal";
    assert!(told.stderr.contains(said), "{told}");
    fires(&cloud, "2026-03-03");
    assert_eq!(cloud.starts(), 3);
    // That is said once.
    let told = cloud.does("enable weary");
    assert!(!told.stderr.contains(said), "{told}");
}

#[test]
fn what_is_settled_here_counts_no_more_at_modal() {
    let Some(mut cloud) = Cloud::new() else {
        return;
    };
    cloud.add("weary", FAILS, "pause_after = 2");
    cloud.does("deploy weary");
    let failed = ["2026-02-26", "2026-02-27"].map(|day| fires(&cloud, day));
    cloud.does("runs --fetch");
    for call in failed {
        let call = call["call"].as_str().expect("an id");
        cloud.does(&format!("runs settle {call}"));
    }
    fires(&cloud, "2026-03-01");
    assert_eq!(cloud.starts(), 3);
}
