//! A deploy whose end nobody here saw: what may be there is taken for deployed until it is known.

use changelings_tests::Output;
use changelings_tests::modal::{ANY, Fault};
use serde_json::json;

use super::{NIGHTLY, STOP, World};

/// Ctrl-C while Modal has been asked `call`.
#[track_caller]
fn interrupted_at(call: &str) -> Option<World> {
    let world = World::new(NIGHTLY)?;
    interrupt_at(&world, "deploy", call);
    Some(world)
}

#[track_caller]
fn interrupt_at(world: &World, command: &str, call: &str) {
    let before = world.modal.received(call).len();
    world.modal.fails(call, Fault::Hang, 9);
    let mut deploy = world.command([command, "nightly"]).spawn();
    world.modal.wait_for_request(call, before + 1);
    let pid = rustix::process::Pid::from_child(&deploy);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).expect("it runs");
    let status = deploy.wait().expect("it is ours");
    assert_eq!(status.code(), Some(130));
    world.modal.recovers();
}

#[track_caller]
fn says(output: &Output, text: &str) {
    assert!(output.stderr.contains(text), "{output}");
}

#[test]
fn interrupted_before_it_was_there() {
    let Some(world) = interrupted_at("FunctionCreate") else {
        return;
    };
    assert!(!world.folder("nightly").join("deployed.json").exists());
    world.run(["remove", "nightly", "--yes"]).exits(3);
    says(&world.run(STOP).success(), "nightly was not there");
    assert!(!world.folder("nightly").exists());
    world.run(["deploy", "nightly"]).success();
    assert_eq!(world.app("changeling-nightly")["state"], "deployed");
    assert!(!world.folder("nightly").join("deploying.json").exists());
}

#[test]
fn interrupted_when_it_was_there() {
    let Some(world) = interrupted_at("VolumePutFiles") else {
        return;
    };
    assert_eq!(world.app("changeling-nightly")["state"], "deployed");
    assert!(!world.folder("nightly").join("deployed.json").exists());
    world.run(["remove", "nightly", "--yes"]).exits(3);
    let status = world.run(["status", "--json"]);
    assert!(status.stdout.contains("nightly"), "{status}");
    says(&world.run(STOP).success(), "stopped nightly");
    assert_eq!(world.app("changeling-nightly")["state"], "stopped");
}

/// A second deploy is interrupted, when Modal has it or before: what it has is what counts from then on.
#[test]
fn interrupted_when_another_was_there() {
    let Some(world) = World::new(NIGHTLY) else {
        return;
    };
    let timeout = || world.function("changeling-nightly", "run")["timeout_secs"].clone();
    let drift = |args: &[&str]| {
        let json = world.run(args.iter().copied()).json();
        json["changelings"][0]["deployment"]["drift"].to_string()
    };
    world.run(["deploy", "nightly"]).success();
    let before = timeout();
    world.run(["edit", "nightly", "--timeout", "2h"]).success();
    interrupt_at(&world, "deploy", "AppPublish");
    assert_eq!(timeout(), before);
    let said = drift(&["status", "--json", "nightly"]);
    assert!(
        said.contains("timeout: 1h is deployed, here it is 2h"),
        "{said}"
    );
    assert!(said.contains("is not done, or was interrupted"), "{said}");

    interrupt_at(&world, "deploy", "VolumePutFiles");
    let after = timeout();
    assert_ne!(after, before);
    let said = drift(&["status", "--json", "--offline", "nightly"]);
    assert!(said.contains("is not done, or was interrupted"), "{said}");
    // It goes off its schedule as it is there, and not as it was before.
    world.run(["disable", "nightly"]).success();
    assert_eq!(timeout(), after);
    assert_eq!(
        world.function("changeling-nightly", "run")["schedule"],
        json!(null)
    );
    world.run(["enable", "nightly"]).success();
    assert_eq!(timeout(), after);
    assert_eq!(drift(&["status", "--json", "nightly"]), "[]");
}

/// Whether it is on its schedule is Modal's to say, too.
#[test]
fn interrupted_when_it_was_enabled() {
    let Some(world) = World::new(NIGHTLY) else {
        return;
    };
    let cron = || {
        let run = world.function("changeling-nightly", "run");
        run["schedule"]["cron"]["cron_string"].clone()
    };
    world.run(["deploy", "nightly"]).success();
    world.run(["disable", "nightly"]).success();
    assert_eq!(cron(), json!(null));
    interrupt_at(&world, "enable", "VolumePutFiles");
    assert_eq!(cron(), "0 3 * * *");
    world.run(["disable", "nightly"]).success();
    assert_eq!(cron(), json!(null));
    interrupt_at(&world, "enable", "VolumePutFiles");
    world.run(["enable", "nightly"]).success();
    assert_eq!(cron(), "0 3 * * *");
    assert!(!world.folder("nightly").join("deploying.json").exists());
}

/// What follows fails, and the app is live.
#[test]
fn it_is_there_and_something_failed() {
    let Some(world) = World::new(NIGHTLY) else {
        return;
    };
    let wrong = Fault::Error("INVALID_ARGUMENT", "not this file");
    world.modal.fails("VolumePutFiles", wrong, 9);
    let output = world.run(["deploy", "nightly"]).exits(1);
    says(&output, "it is deployed, and not all of that went well");
    assert!(world.folder("nightly").join("deployed.json").exists());
    assert!(!world.folder("nightly").join("deploying.json").exists());
}

/// One that surely did not get there is not taken for deployed.
#[test]
fn it_failed_and_is_not_there() {
    let Some(world) = World::new(&format!("{NIGHTLY}modal.commands = [\"make tools\"]\n")) else {
        return;
    };
    world.modal.set("broken_images", json!(["make tools"]));
    world.run(["deploy", "nightly"]).exits(1);
    assert!(!world.folder("nightly").join("deploying.json").exists());
    world.run(["remove", "nightly", "--yes"]).success();
}

/// It answers once, and then nothing any more.
#[test]
fn it_hangs_after_it_answered() {
    let Some(world) = World::new(NIGHTLY) else {
        return;
    };
    world.run(["deploy", "nightly"]).success();
    std::thread::scope(|scope| {
        for args in [&STOP[..], &["deploy", "nightly"], &["disable", "nightly"]] {
            let command = world.command(args.iter().copied());
            let command = command.patience(std::time::Duration::from_secs(35));
            world.modal.fails(ANY, Fault::Hang, 100_000);
            let once = Fault::Slow(std::time::Duration::ZERO);
            world.modal.fails("ClientHello", once, 3);
            scope.spawn(move || {
                let output = command.run();
                assert_eq!(output.code, 1, "{output}");
                says(&output, "said nothing more for 20 s");
            });
        }
    });
}
