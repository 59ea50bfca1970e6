//! What is said and left when Modal, the network or the account is not as hoped.

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

#[track_caller]
fn says(output: &Output, text: &str) {
    assert!(output.stderr.contains(text), "{text}:\n{output}");
}

/// Whether it says so, and what to look at.
fn nobody_answers(output: &Output) -> bool {
    ["cannot be reached", "did not answer within 20 s"]
        .iter()
        .any(|words| output.stderr.contains(words))
        && output.stderr.contains("status.modal.com")
}

#[test]
fn a_token_that_is_missing_or_wrong() {
    let Some(cloud) = cloud() else { return };
    let none = cloud
        .command(["deploy", "nightly"])
        .env_remove("MODAL_TOKEN_ID")
        .env_remove("MODAL_TOKEN_SECRET");
    let none = soon(none).exits(3);
    says(&none, "modal token new");
    let wrong = cloud
        .command(["deploy", "nightly"])
        .env("MODAL_TOKEN_SECRET", "as-of-somebody-else");
    let wrong = soon(wrong).exits(3);
    says(&wrong, "token");
    assert!(cloud.modal.apps().is_empty());
    assert!(!format!("{none}{wrong}").contains("as-of-somebody-else"));
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
            for line in ["deploy nightly", "run nightly", UNDEPLOY] {
                let call = cloud.command(line.split(' '));
                scope.spawn(|| {
                    let output = soon(call);
                    assert_ne!(output.code, 0, "{output}");
                    assert!(nobody_answers(&output), "{output}");
                });
            }
            // What is known is told all the same.
            let status = soon(cloud.command(["status"])).success();
            assert!(status.stdout.contains("nightly"), "{status}");
            assert!(nobody_answers(&status), "{status}");
        });
    }
}

#[test]
fn a_control_plane_that_is_slow_or_flaps() {
    let Some(cloud) = cloud() else { return };
    cloud
        .modal
        .fails(ANY, Fault::Slow(Duration::from_millis(200)), 1_000);
    cloud.does("deploy nightly");
    cloud.modal.recovers();
    for call in [
        "ClientHello",
        "SecretGetOrCreate",
        "ImageGetOrCreate",
        "FunctionCreate",
        "AppPublish",
    ] {
        cloud
            .modal
            .fails(call, Fault::Error("UNAVAILABLE", "a moment, please"), 2);
    }
    cloud.does("deploy nightly");
    let apps = cloud.modal.apps();
    assert_eq!(
        (apps.len(), &apps[0]["versions"]),
        (1, &2.into()),
        "{apps:#?}"
    );
}

#[test]
fn an_image_that_cannot_be_built() {
    let Some(mut cloud) = cloud() else { return };
    cloud.does("deploy nightly");
    cloud.config = cloud
        .config
        .replace("[modal]\n", "[modal]\napt = [\"no-such-package\"]\n");
    cloud.env.write_config(&cloud.config);
    cloud
        .modal
        .set("broken_images", serde_json::json!(["no-such-package"]));
    let output = cloud.command(["deploy", "nightly"]).run().exits(1);
    says(&output, "modal image logs im-");
    // What was deployed before goes on.
    let apps = cloud.modal.apps();
    assert_eq!(
        (&apps[0]["state"], &apps[0]["versions"]),
        (&"deployed".into(), &1.into()),
        "{apps:#?}"
    );
    assert_eq!(cloud.modal.fire("changeling-nightly").len(), 1);
}

#[test]
fn a_secret_that_is_not_here() {
    let Some(mut cloud) = cloud() else { return };
    cloud.add(
        "other",
        COMMIT,
        "secrets = [\"GITHUB_TOKEN\", \"SOMEBODYS_KEY\", \"ANOTHER_KEY\"]",
    );
    let output = cloud.command(["deploy", "--all"]).run().exits(3);
    says(&output, "SOMEBODYS_KEY");
    says(&output, "ANOTHER_KEY");
    // It is known before anything is done.
    assert!(cloud.modal.apps().is_empty() && cloud.modal.secrets() == serde_json::json!({}));
}

#[test]
fn the_limit_of_crons() {
    let Some(mut cloud) = cloud() else { return };
    for name in ["b", "c", "d", "e", "f"] {
        cloud.add(name, COMMIT, "");
    }
    cloud.modal.set("cron_limit", 5.into());
    let output = cloud.command(["deploy", "--all"]).run();
    assert_ne!(output.code, 0, "{output}");
    says(&output, "cron");
    says(&output, "repos");
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
    says(&run, "changeling deploy");
    // Gone already is fine.
    cloud.does(UNDEPLOY);
}
