//! The configuration from what is deployed.

use super::{NIGHTLY, World};

#[test]
fn on_a_new_machine() {
    let entry = format!(
        "{NIGHTLY}message = \"Mend\\nit\"\nparams = {{ limit = 3 }}\nmodal.apt = [\"libpq-dev\"]\n"
    );
    let Some(world) = World::new(&entry) else {
        return;
    };
    world.run(["deploy", "nightly"]).success();
    std::fs::remove_dir_all(world.env.changelings_home().join("deployments")).unwrap();
    world.env.write_config("# mine\n");
    let output = world.run(["deploy", "nightly", "--adopt"]).success();
    insta::assert_snapshot!("adopted", output.normalised_stderr());
    insta::assert_snapshot!(
        "adopted_config",
        world
            .env
            .read_config()
            .replace(world.env.root().to_str().unwrap(), "[root]")
    );
    world.run(["config", "check"]).success();
    // It is known to be deployed, from another home: it can be stopped from here by who says so.
    let mut flags = vec![
        "undeploy",
        "--all",
        "--yes",
        "--delete-volume",
        "--delete-secret",
    ];
    world.run(flags.iter().copied()).exits(3);
    assert_eq!(world.app("changeling-nightly")["state"], "deployed");
    flags.push("--take-over");
    world.run(flags).success();
    assert_eq!(world.app("changeling-nightly")["state"], "stopped");
}

/// What has to stop firing stops, also from the machine that has nothing of it but what it adopted.
#[test]
fn taken_off_its_schedule_before_it_is_deployed_again() {
    let Some(world) = World::new(NIGHTLY) else {
        return;
    };
    world.run(["deploy", "nightly"]).success();
    let secret = world.modal.secret("changeling-nightly");
    let owner = world.app("changeling-nightly")["tags"]["changelings-home"].clone();
    let mounted = world.mounted("changeling-nightly", "run");
    std::fs::remove_dir_all(world.env.changelings_home().join("deployments")).unwrap();
    world.configure("");
    world.run(["deploy", "nightly", "--adopt"]).success();
    let output = world.run(["disable", "nightly"]).success();
    insta::assert_snapshot!("adopted_and_disabled", output.normalised_stderr());
    let run = world.function("changeling-nightly", "run");
    assert!(run.get("schedule").is_none(), "{run}");
    assert_eq!(world.mounted("changeling-nightly", "run"), mounted);
    assert_eq!(world.modal.secret("changeling-nightly"), secret);
    // It stays whose it was, and can be put back from here: all of it is here now.
    let tags = &world.app("changeling-nightly")["tags"];
    assert_eq!(tags["changelings-home"], owner);
    world.run(["enable", "nightly"]).success();
    let run = world.function("changeling-nightly", "run");
    assert_eq!(run["schedule"]["cron"]["cron_string"], "0 3 * * *");
    // Whoever it belongs to has the last word.
    world.run(["deploy", "nightly"]).exits(3);
    world.run(["deploy", "nightly", "--take-over"]).success();
}

/// Where no program can take the place of the one that was deployed, it can be stopped.
#[test]
fn what_cannot_be_taken_off_its_schedule() {
    let Some(world) = World::new(NIGHTLY) else {
        return;
    };
    world.run(["deploy", "nightly"]).success();
    std::fs::remove_dir_all(world.env.changelings_home().join("deployments")).unwrap();
    world.env.write("changelings-home/script", "#!/bin/sh\n");
    world.env.write_config("[modal]\nrunner = \"script\"\n");
    world.run(["deploy", "nightly", "--adopt"]).success();
    let output = world.run(["disable", "nightly"]).exits(2);
    let told = output.normalised_stderr();
    insta::assert_snapshot!(
        "adopted_and_stuck",
        told.replace(env!("CARGO_PKG_VERSION"), "[version]")
    );
    let stop = [
        "undeploy",
        "nightly",
        "--take-over",
        "--yes",
        "--keep-volume",
        "--keep-secret",
    ];
    world.run(stop).success();
    assert_eq!(world.app("changeling-nightly")["state"], "stopped");
}

/// Whatever runs there may write to the volume.
#[test]
fn what_the_volume_says_and_the_app_does_not() {
    let Some(world) = World::new(NIGHTLY) else {
        return;
    };
    world.run(["deploy", "nightly"]).success();
    let volume = world.modal.volume("changeling-nightly");
    let file = volume.join("deployed.json");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("acme/shop", "evil/shop")).unwrap();
    std::fs::remove_dir_all(world.env.changelings_home().join("deployments")).unwrap();
    world.env.write_config("# mine\n");
    let output = world.run(["deploy", "nightly", "--adopt"]).exits(3);
    assert!(
        output
            .stderr
            .contains("something else than what is deployed"),
        "{output}"
    );
    assert_eq!(world.env.read_config(), "# mine\n");
}

#[test]
fn all_there_are() {
    let entries = format!("{NIGHTLY}{}", NIGHTLY.replace("nightly", "weekly"));
    let Some(world) = World::new(&entries) else {
        return;
    };
    world.run(["deploy", "--all"]).success();
    world.configure(NIGHTLY);
    world.run(["deploy", "--adopt"]).success();
    assert!(world.env.read_config().contains("[changelings.weekly]"));
}

#[test]
fn nothing_to_adopt() {
    let Some(world) = World::new("") else { return };
    let output = world.run(["deploy", "nightly", "--adopt"]).exits(3);
    insta::assert_snapshot!("nothing_to_adopt", output.normalised_stderr());
}

/// Somebody's own component goes along, and comes back.
#[test]
fn with_a_template_of_ones_own() {
    let Some(world) = World::new(NIGHTLY) else {
        return;
    };
    world.run(["deploy", "nightly"]).success();
    let component = world.folder("nightly").join("template.wasm");
    let mine = world.env.changelings_home().join("mine.wasm");
    std::fs::copy(component, &mine).unwrap();
    let own = NIGHTLY
        .replace("nightly", "own")
        .replace("fixme-fairy", "mine.wasm");
    world.configure(&own);
    // It steers an agent: that takes a yes for exactly this one.
    let output = world.run(["deploy", "own"]).exits(3);
    let stderr = output.normalised_stderr();
    assert!(
        stderr.contains("of own was not granted to steer an agent"),
        "{stderr}"
    );
    let hint = "changeling permission grant [CHANGELINGS_HOME]/mine.wasm agent";
    assert!(stderr.contains(hint), "{stderr}");
    let mine_typed = mine.to_str().unwrap();
    let grants = [
        "permission",
        "grant",
        mine_typed,
        "agent",
        "publish",
        "--yes",
    ];
    world.run(grants).success();
    world.run(["deploy", "own"]).success();
    let kept = world.modal.volume("changeling-own").join("template.wasm");
    assert_eq!(std::fs::read(kept).unwrap(), std::fs::read(&mine).unwrap());
    // On another machine.
    std::fs::remove_dir_all(world.env.changelings_home()).unwrap();
    world.run(["deploy", "own", "--adopt"]).success();
    let config = world.env.read_config();
    let template = config.lines().find(|line| line.starts_with("template = "));
    let template = template.and_then(|line| line.split('"').nth(1));
    let found = world.env.changelings_home().join(template.expect("a path"));
    assert!(found.is_file(), "{config}");
}
