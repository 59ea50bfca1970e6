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
    // It is known to be deployed, and can be stopped from here.
    let flags = [
        "undeploy",
        "--all",
        "--yes",
        "--delete-volume",
        "--delete-secret",
    ];
    world.run(flags).success();
    assert_eq!(world.app("changeling-nightly")["state"], "stopped");
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
