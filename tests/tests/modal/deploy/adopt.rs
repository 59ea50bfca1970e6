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
    world.run(["deploy", "--all", "--adopt"]).success();
    assert!(world.env.read_config().contains("[changelings.weekly]"));
}

#[test]
fn nothing_to_adopt() {
    let Some(world) = World::new("") else { return };
    let output = world.run(["deploy", "nightly", "--adopt"]).exits(3);
    insta::assert_snapshot!("nothing_to_adopt", output.normalised_stderr());
}
