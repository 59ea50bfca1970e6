//! What other commands than `deploy` (`deploy/trouble.rs`) and `status` (`view.rs`) say when Modal is not as
//! hoped.

use std::thread;
use std::time::Duration;

use changelings_tests::modal::{ANY, Fault};
use changelings_tests::{Output, needs};

use super::{COMMIT, Cloud, WAIT};

/// Longer than a command may take to say that nobody answers, on a busy machine; shorter than two that wait
/// 20 s one after the other.
const BOUND: Duration = Duration::from_secs(35);

const ALL: usize = usize::MAX >> 12;

/// As somebody says it who is not asked.
const UNDEPLOY: &str = "undeploy nightly --yes --keep-secret --keep-volume";

/// With `nightly` and, disabled, `weary` deployed.
fn cloud() -> Option<Cloud> {
    let mut cloud = Cloud::without_containers()?;
    for name in ["nightly", "weary"] {
        cloud.add(name, COMMIT, "");
    }
    cloud.does("deploy nightly weary");
    cloud.does("disable weary");
    Some(cloud)
}

/// Runs these lines side by side: each waits as long as it may. Each ends soon, and not well, and says
/// something.
#[track_caller]
fn all_say(cloud: &Cloud, lines: &[&str], says: impl Fn(&str, &Output) -> bool + Sync) {
    let says = &says;
    thread::scope(|scope| {
        for line in lines {
            let call = cloud.command(line.split(' ')).patience(BOUND);
            scope.spawn(move || {
                let output = call.run();
                assert_ne!(output.code, 0, "{output}");
                assert!(says(line, &output), "{output}");
            });
        }
    });
}

/// Whether it says one of these, and what to look at.
fn tells(output: &Output, words: &[&str]) -> bool {
    let text = format!("{}{}", output.stdout, output.stderr);
    words.iter().any(|words| text.contains(words)) && text.contains("status.modal.com")
}

/// Every command that asks Modal and needs something of it.
const LINES: [&str; 7] = [
    "run nightly",
    "run nightly --detach",
    "enable weary",
    "deploy nightly --verify quick",
    "runs --fetch",
    "doctor",
    UNDEPLOY,
];

#[test]
fn a_control_plane_that_is_down_or_hangs() {
    let Some(cloud) = cloud() else { return };
    for down in [false, true] {
        if down {
            cloud.modal.down();
        } else {
            cloud.modal.fails(ANY, Fault::Hang, ALL);
        }
        let nobody = ["cannot be reached", "did not answer within 20 s"];
        all_say(&cloud, &LINES, |_, output| tells(output, &nobody));
        // It was on its schedule for a moment: in the configuration.
        cloud.command(["disable", "weary"]).patience(BOUND).run();
    }
}

#[test]
fn a_control_plane_that_answers_once_and_then_hangs() {
    let Some(cloud) = cloud() else { return };
    cloud.modal.fails(ANY, Fault::Hang, ALL);
    cloud
        .modal
        .fails("ClientHello", Fault::Slow(Duration::ZERO), ALL);
    let nothing = ["said nothing more for 20 s", "within 20 s"];
    all_say(&cloud, &LINES, |_, output| tells(output, &nothing));
}

/// The rest of Modal answers: who waits is not held by that.
#[test]
fn one_question_that_gets_no_answer() {
    let Some(mut cloud) = cloud() else { return };
    if !needs::containers() {
        return;
    }
    // A call that left nothing but what its container said.
    let call = cloud.modal.fire("changeling-nightly").remove(0);
    cloud.modal.finish(&call, "init_failure");
    cloud.does("status");
    let hangs = |name: &str| cloud.modal.fails(name, Fault::Hang, ALL);
    let no_answer = |output: &Output, to: &str| {
        let words = format!("no answer to {to} within 20 s");
        tells(output, &[&words])
    };

    hangs("FunctionGet");
    hangs("AppStop");
    let lines = [
        "run nightly",
        "run nightly --detach",
        "runs --fetch",
        UNDEPLOY,
    ];
    all_say(&cloud, &lines, |line, output| {
        no_answer(
            output,
            if line == UNDEPLOY {
                "AppStop"
            } else {
                "FunctionGet"
            },
        )
    });
    cloud.modal.recovers();

    hangs("AppFetchLogs");
    hangs("FunctionMap");
    let logs = format!("logs {call}");
    let lines = ["run nightly", "deploy weary --verify quick", &logs];
    all_say(&cloud, &lines, |line, output| match line {
        "run nightly" => {
            let words = "whether Modal took the call: changeling status nightly";
            output.stderr.contains(words)
        }
        line if line == logs => no_answer(output, "AppFetchLogs"),
        _ => no_answer(output, "FunctionMap"),
    });
    cloud.modal.recovers();

    // On another machine.
    cloud.config.truncate(0);
    cloud.env.write_config("# mine\n");
    hangs("VolumeGetFile2");
    all_say(&cloud, &["deploy nightly --adopt"], |_, output| {
        no_answer(output, "VolumeGetFile2")
    });
}

/// Slower than signs of life come otherwise: it lives all the same. (`deploy`: in `deploy/trouble.rs`.)
#[test]
fn a_control_plane_that_is_slow() {
    let Some(cloud) = cloud() else { return };
    cloud
        .modal
        .fails(ANY, Fault::Slow(Duration::from_secs(6)), ALL);
    let [doctor, status] = thread::scope(|scope| {
        let run = |line: &str| {
            let call = cloud.command(line.split(' '));
            scope.spawn(|| call.run())
        };
        let both = ["doctor --json", "status --json"].map(run);
        both.map(|one| one.join().expect("it ends"))
    });
    let report = doctor.json();
    let checks = report["checks"].as_array().expect("a list").iter();
    let ours = checks.filter(|check| check["name"] == "modal");
    let levels: Vec<_> = ours.map(|check| &check["level"]).collect();
    assert_eq!(levels, ["ok"; 3], "{doctor}");
    assert_eq!(status.success().json()["modal"]["fresh"], true);
}

/// The run goes on, and so does the looking.
#[test]
fn a_silence_while_a_run_is_followed() {
    let Some(mut cloud) = Cloud::new() else {
        return;
    };
    cloud.add("nightly", &format!("{WAIT}; {COMMIT}"), "");
    cloud.does("deploy nightly");
    let mut terminal = cloud.command(["run", "nightly"]).terminal(100);
    cloud.starts_become(1);
    cloud.modal.fails(ANY, Fault::Hang, ALL);
    terminal.wait_for("the run goes on there, and Ctrl-C leaves it");
    cloud.modal.recovers();
    cloud.opens_the_gate();
    terminal.wait_for("pull-request");
    terminal.finish().success();
}

#[test]
fn an_app_that_somebody_stopped() {
    let Some(cloud) = cloud() else { return };
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
