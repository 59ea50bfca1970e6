//! What other commands than `deploy` (`deploy/trouble.rs`) and `status` (`view.rs`) say when Modal is not as
//! hoped.

use std::thread;
use std::time::{Duration, Instant};

use changelings_tests::modal::{ANY, Fault};
use changelings_tests::{Invocation, Output};

use super::{COMMIT, Cloud};

/// Longer than a command may take to say that nobody answers.
const BOUND: Duration = Duration::from_secs(25);

/// As somebody says it who is not asked.
const UNDEPLOY: &str = "undeploy nightly --yes --keep-secret --keep-volume";

/// A changeling that is to be deployed.
fn cloud() -> Option<Cloud> {
    let mut cloud = Cloud::without_containers()?;
    cloud.add("nightly", COMMIT, "");
    Some(cloud)
}

/// Runs it to its end, which comes soon.
#[track_caller]
fn soon(call: Invocation) -> Output {
    let started = Instant::now();
    let output = call.run();
    assert!(
        started.elapsed() < BOUND,
        "{:?}:\n{output}",
        started.elapsed()
    );
    output
}

/// Whether it says so, and what to look at.
fn nobody_answers(output: &Output) -> bool {
    ["cannot be reached", "did not answer within 20 s"]
        .iter()
        .any(|words| output.stderr.contains(words))
        && output.stderr.contains("status.modal.com")
}

#[test]
fn a_control_plane_that_is_down_or_hangs() {
    let Some(cloud) = cloud() else { return };
    cloud.does("deploy nightly");
    for down in [false, true] {
        if down {
            cloud.modal.down();
        } else {
            cloud.modal.fails(ANY, Fault::Hang, usize::MAX >> 12);
        }
        // Each waits as long as it may: side by side.
        thread::scope(|scope| {
            for line in ["run nightly", "run nightly --detach", UNDEPLOY] {
                let call = cloud.command(line.split(' '));
                scope.spawn(|| {
                    let output = soon(call);
                    assert_ne!(output.code, 0, "{output}");
                    assert!(nobody_answers(&output), "{output}");
                });
            }
        });
    }
}

#[test]
fn an_app_that_somebody_stopped() {
    let Some(cloud) = cloud() else { return };
    cloud.does("deploy nightly");
    cloud.modal.stop_app("changeling-nightly");
    let status = cloud.does("status nightly");
    assert!(
        status.stdout.contains("changeling deploy nightly"),
        "{status}"
    );
    let run = cloud.command(["run", "nightly"]).run().exits(3);
    assert!(run.stderr.contains("changeling deploy"), "{run}");
    // Gone already is fine.
    cloud.does(UNDEPLOY);
}
