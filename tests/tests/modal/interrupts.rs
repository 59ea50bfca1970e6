//! Ctrl-C at any moment leaves a state that the next command understands.

use changelings_tests::modal::Fault;
use rustix::process::{Pid, Signal, kill_process_group};

use super::{COMMIT, Cloud, WAIT};

/// Starts a command, waits for a moment, interrupts it as a terminal does, and tells its exit code.
fn interrupted(cloud: &Cloud, line: &str, moment: impl FnOnce()) -> Option<i32> {
    let mut child = cloud.command(line.split(' ')).spawn();
    moment();
    let group = Pid::from_child(&child);
    kill_process_group(group, Signal::INT).expect("it lives");
    child.wait().expect("a child of ours").code()
}

#[test]
fn deploying() {
    let Some(mut cloud) = Cloud::without_containers() else {
        return;
    };
    cloud.add("nightly", COMMIT, "");
    for (number, call) in [
        "ClientHello",
        "SecretGetOrCreate",
        "FunctionCreate",
        "AppPublish",
    ]
    .iter()
    .enumerate()
    {
        let before = cloud.modal.received(call).len();
        cloud.modal.fails(call, Fault::Hang, 1);
        let code = interrupted(&cloud, "deploy nightly", || {
            cloud.modal.wait_for_request(call, before + 1);
        });
        assert_eq!(code, Some(130), "{call}");
        cloud.modal.recovers();
        cloud.does("deploy nightly");
        let mut apps = cloud.modal.apps();
        apps.retain(|app| app["state"] == "deployed");
        assert_eq!(apps.len(), 1, "{call}: {apps:#?}");
        assert_eq!(apps[0]["versions"], number + 1, "{call}: {apps:#?}");
    }
}

#[test]
fn following_a_run() {
    let Some(mut cloud) = Cloud::new() else {
        return;
    };
    let agent = format!("{WAIT}; {COMMIT}");
    cloud.add("nightly", &agent, "");
    cloud.does("deploy nightly");
    let code = interrupted(&cloud, "run nightly", || {
        cloud.starts_become(1);
    });
    assert_eq!(code, Some(130));
    // It ended the looking, and not the run.
    cloud.opens_the_gate();
    let calls = cloud.modal.calls("changeling-nightly");
    let call = calls[0]["call"].as_str().expect("an id");
    assert_eq!(cloud.modal.wait_for(call)["status"], "success");
    let status = cloud.does("status nightly --json");
    let url = cloud.pulls()[0]["html_url"].to_string();
    assert!(status.stdout.contains(&url), "{url}: {status}");
}
