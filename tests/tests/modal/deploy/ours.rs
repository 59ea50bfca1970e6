//! Whose apps they are, and where: nothing is done to another's, and nothing is left behind.

use std::path::PathBuf;
use std::time::Duration;

use changelings_tests::Output;
use changelings_tests::modal::Fault;
use serde_json::json;

use super::{NIGHTLY, STOP, World};

/// Another home with the same configuration, which has taken the app over.
fn taken_over(world: &World) -> PathBuf {
    world.run(["deploy", "nightly"]).success();
    let elsewhere = world.env.root().join("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    std::fs::copy(world.env.config_file(), elsewhere.join("config.toml")).unwrap();
    let command = world.command(["deploy", "nightly", "--take-over"]);
    let command = command.env("CHANGELINGS_HOME", elsewhere.as_os_str());
    command.run().success();
    elsewhere
}

#[track_caller]
fn says(output: &Output, text: &str) {
    assert!(output.stderr.contains(text), "{output}");
}

#[test]
fn what_another_home_has_taken_over() {
    let Some(world) = World::new(NIGHTLY) else {
        return;
    };
    taken_over(&world);
    let versions = world.app("changeling-nightly")["versions"].clone();
    for args in [&STOP[..], &["disable", "nightly"], &["disable", "--all"]] {
        let output = world.run(args.iter().copied()).exits(3);
        says(&output, "was deployed from another CHANGELINGS_HOME");
        says(&output, "--take-over");
    }
    assert_eq!(world.app("changeling-nightly")["state"], "deployed");
    assert_eq!(world.app("changeling-nightly")["versions"], versions);
    let mut all_the_same = STOP.to_vec();
    all_the_same.push("--take-over");
    world.run(all_the_same).success();
    assert_eq!(world.app("changeling-nightly")["state"], "stopped");
}

/// The app is gone, and what is left of it is still another's.
#[test]
fn what_another_home_has_left() {
    let Some(world) = World::new(NIGHTLY) else {
        return;
    };
    let elsewhere = taken_over(&world);
    world.modal.stop_app("changeling-nightly");
    let all = [
        "undeploy",
        "nightly",
        "--yes",
        "--delete-volume",
        "--delete-secret",
    ];
    let output = world.run(all).exits(3);
    says(&output, "was deployed from another CHANGELINGS_HOME");
    assert_eq!(world.modal.volumes(), ["changeling-nightly"]);
    assert!(world.modal.secrets().get("changeling-nightly").is_some());
    let command = world.command(all);
    let command = command.env("CHANGELINGS_HOME", elsewhere.as_os_str());
    command.run().success();
    assert_eq!(world.modal.volumes(), Vec::<String>::new());
    // Nothing is left to be whose ever.
    world.run(all).success();
}

/// Nobody's wish to have it stopped is undone.
#[test]
fn one_stopped_by_hand_stays_stopped() {
    let Some(world) = World::new(NIGHTLY) else {
        return;
    };
    world.run(["deploy", "nightly"]).success();
    world.modal.stop_app("changeling-nightly");
    let output = world.run(["disable", "nightly"]).success();
    says(&output, "there is no app of nightly on Modal any more");
    assert_eq!(world.app("changeling-nightly")["state"], "stopped");
}

/// `disable --all` reaches what the configuration has no more, and ends runs of what has no schedule.
#[test]
fn all_is_all_that_is_deployed() {
    let by_hand = NIGHTLY
        .replace("nightly", "byhand")
        .replace("schedule = \"0 3 * * *\"\n", "");
    let Some(world) = World::new(&format!("{NIGHTLY}{by_hand}")) else {
        return;
    };
    world.run(["deploy", "--all"]).success();
    world.configure(&by_hand);
    world.run(["disable", "--all"]).success();
    let run = world.function("changeling-nightly", "run");
    assert!(run.get("schedule").is_none(), "{run}");
    assert_eq!(world.app("changeling-byhand")["versions"], 2);
}

/// Under a new name it does not work twice every night.
#[test]
fn renamed() {
    let Some(world) = World::new(NIGHTLY) else {
        return;
    };
    world.run(["deploy", "nightly"]).success();
    // Another one is nobody's business here.
    let other = NIGHTLY.replace("nightly", "other").replace("shop", "else");
    world.configure(&format!("{NIGHTLY}{other}"));
    world.run(["deploy", "other"]).success();
    let renamed = NIGHTLY.replace("nightly", "renamed");
    world.configure(&renamed);
    let output = world.run(["deploy", "renamed"]).success();
    insta::assert_snapshot!("renamed", output.normalised_stderr());
    let cron = |name: &str| {
        let run = world.function(&format!("changeling-{name}"), "run");
        run["schedule"]["cron"]["cron_string"].clone()
    };
    assert_eq!(cron("renamed"), "0 3 * * *");
    assert_eq!(cron("nightly"), json!(null));
    assert_eq!(cron("other"), "0 3 * * *");
    let status = world.run(["status"]);
    let needs = status
        .stdout
        .matches("no longer in the configuration")
        .count();
    assert_eq!(needs, 2, "{status}");
}

/// That the old one still fires is said, whatever else went wrong, and is tried again.
#[test]
fn renamed_and_not_taken_off() {
    let Some(world) = World::new(NIGHTLY) else {
        return;
    };
    world.run(["deploy", "nightly"]).success();
    let renamed = NIGHTLY.replace("nightly", "renamed");
    let other = NIGHTLY.replace("nightly", "other").replace("shop", "else");
    world.configure(&format!("{renamed}{other}"));
    let refused = Fault::Error("INVALID_ARGUMENT", "not now");
    world.modal.fails("AppPublish", refused, 9);
    world
        .modal
        .fails("AppPublish", Fault::Slow(Duration::ZERO), 1);
    let output = world.run(["deploy", "renamed", "other"]).exits(1);
    says(
        &output,
        "nightly and renamed both fire on the same repository",
    );
    says(&output, "changeling undeploy nightly");
    world.modal.recovers();
    world.run(["deploy", "other"]).success();
    let run = world.function("changeling-nightly", "run");
    assert!(run.get("schedule").is_none(), "{run}");
}

#[test]
fn another_environment_or_workspace() {
    let Some(world) = World::new(NIGHTLY) else {
        return;
    };
    world.modal.set("environments", json!(["main", "staging"]));
    world.run(["deploy", "nightly"]).success();
    world.configure_with("environment = \"staging\"", NIGHTLY);
    let output = world.run(["deploy", "nightly"]).exits(3);
    insta::assert_snapshot!("another_environment", output.normalised_stderr());
    assert_eq!(world.modal.apps().len(), 1);
    world.configure(NIGHTLY);
    world.modal.set("workspace", json!("another"));
    let output = world.run(["deploy", "nightly"]).exits(3);
    insta::assert_snapshot!("another_workspace", output.normalised_stderr());
    let output = world.run(STOP).exits(3);
    insta::assert_snapshot!("stopped_in_another_workspace", output.normalised_stderr());
    world.run(["disable", "nightly"]).exits(3);
    assert_eq!(world.app("changeling-nightly")["versions"], 1);
    world.modal.set("workspace", json!("of-a-test"));
    world.run(STOP).success();
}

/// The files of what is deployed outlive a deploy that failed, and a new program.
#[test]
fn what_is_deployed_is_kept_here() {
    let Some(world) = World::new(NIGHTLY) else {
        return;
    };
    world.run(["deploy", "nightly"]).success();
    let kept = world.folder("nightly").join("confirmed");
    let job = std::fs::read_to_string(kept.join("job.json")).unwrap();
    world.configure(&format!("{NIGHTLY}modal.commands = [\"make tools\"]\n"));
    world.modal.set("broken_images", json!(["make tools"]));
    world.run(["deploy", "nightly"]).exits(1);
    // As it is when another template was to be sent.
    let sent = |file: &str| world.folder("nightly").join(file);
    std::fs::remove_file(sent("template.wasm")).unwrap();
    std::fs::write(sent("template.wasm"), "another").unwrap();
    std::fs::remove_file(sent("changeling")).unwrap();
    assert_eq!(std::fs::read_to_string(kept.join("job.json")).unwrap(), job);
    world.run(["disable", "nightly"]).success();
    let run = world.function("changeling-nightly", "run");
    assert!(run.get("schedule").is_none(), "{run}");
    // A program that was written over in its place is not sent as the one that was deployed.
    let program = kept.join("changeling");
    std::fs::remove_file(&program).unwrap();
    std::fs::write(&program, "another").unwrap();
    let output = world.run(["enable", "nightly"]).exits(1);
    says(&output, "what is deployed of nightly is not here any more");
}
