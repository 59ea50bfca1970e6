//! Modal refuses, is slow, or is not there.

use std::time::Duration;

use changelings_tests::modal::{ANY, Fault};
use serde_json::json;

use super::{NIGHTLY, World};

/// Longer than a command may take to say that nobody answers, on a busy machine.
const BOUND: Duration = Duration::from_secs(35);

#[test]
fn a_token_that_is_missing_or_wrong() {
    let Some(world) = World::new(NIGHTLY) else {
        return;
    };
    let command = || world.command(["deploy", "nightly"]);
    let output = command()
        .env_remove("MODAL_TOKEN_ID")
        .env_remove("MODAL_TOKEN_SECRET")
        .run()
        .exits(3);
    insta::assert_snapshot!("token_missing", output.normalised_stderr());
    let output = command()
        .env("MODAL_TOKEN_SECRET", "as-wrong")
        .run()
        .exits(3);
    insta::assert_snapshot!("token_wrong", output.normalised_stderr());
    world.nothing_was_sent();
}

#[test]
fn nobody_is_there() {
    let Some(world) = World::new(NIGHTLY) else {
        return;
    };
    let dead = "http://127.0.0.1:9";
    let output = world
        .command(["deploy", "nightly"])
        .env("MODAL_SERVER_URL", dead)
        .patience(BOUND)
        .run()
        .exits(1);
    insta::assert_snapshot!("not_there", output.normalised_stderr());
}

#[test]
fn it_hangs() {
    let Some(world) = World::new(NIGHTLY) else {
        return;
    };
    world.modal.fails("ClientHello", Fault::Hang, 9);
    let deploy = world.command(["deploy", "nightly"]).patience(BOUND);
    let output = deploy.run().exits(1);
    insta::assert_snapshot!("hangs", output.normalised_stderr());
}

#[test]
fn it_flaps() {
    let Some(world) = World::new(NIGHTLY) else {
        return;
    };
    for call in [
        "ClientHello",
        "AppGetByDeploymentName",
        "FunctionCreate",
        "AppPublish",
    ] {
        world
            .modal
            .fails(call, Fault::Error("UNAVAILABLE", "come back later"), 2);
    }
    world.run(["deploy", "nightly"]).success();
}

/// So slow that for more than 20 s nothing is done: what answers is there.
#[test]
fn it_is_slow() {
    let Some(world) = World::new(NIGHTLY) else {
        return;
    };
    world
        .modal
        .fails(ANY, Fault::Slow(Duration::from_secs(6)), 24);
    world.run(["deploy", "nightly"]).success();
}

#[test]
fn a_failed_redeploy_leaves_the_old_one() {
    let Some(world) = World::new(NIGHTLY) else {
        return;
    };
    world.run(["deploy", "nightly"]).success();
    let before = world.function("changeling-nightly", "run");
    let noted = std::fs::read(world.folder("nightly").join("deployed.json")).unwrap();
    world.configure(&format!("{NIGHTLY}modal.commands = [\"make tools\"]\n"));
    world.modal.set("broken_images", json!(["make tools"]));
    let output = world.run(["deploy", "nightly"]).exits(1);
    insta::assert_snapshot!("image_build", output.normalised_stderr());
    assert_eq!(world.function("changeling-nightly", "run"), before);
    assert_eq!(world.app("changeling-nightly")["versions"], 1);
    let now = std::fs::read(world.folder("nightly").join("deployed.json")).unwrap();
    assert_eq!(now, noted);
}

#[test]
fn one_of_two_fails() {
    let entries = format!(
        "{NIGHTLY}{}modal.commands = [\"make tools\"]\n",
        NIGHTLY.replace("nightly", "weekly")
    );
    let Some(world) = World::new(&entries) else {
        return;
    };
    world.modal.set("broken_images", json!(["make tools"]));
    let output = world.run(["deploy", "--all", "--json"]).exits(1);
    let json = output.json();
    assert_eq!(json["apps"][0]["deployed"], true, "{json}");
    assert_eq!(json["apps"][1]["deployed"], false, "{json}");
    assert!(
        output.stderr.contains("1 of 2 were not deployed"),
        "{}",
        output.stderr
    );
}

/// The plan allows fewer than `max_crons` says: Modal says so itself.
#[test]
fn the_limit_of_crons_at_modal() {
    let Some(world) = World::new(NIGHTLY) else {
        return;
    };
    world.modal.set("cron_limit", json!(0));
    let output = world.run(["deploy", "nightly"]).exits(3);
    insta::assert_snapshot!("cron_limit", output.normalised_stderr());
}

#[test]
fn an_environment_that_is_not_there() {
    let Some(world) = World::new("") else { return };
    world.configure_with("environment = \"staging\"", NIGHTLY);
    let output = world.run(["deploy", "nightly"]).exits(3);
    insta::assert_snapshot!("environment", output.normalised_stderr());
    world.modal.set("environments", json!(["main", "staging"]));
    world.run(["deploy", "nightly"]).success();
    assert_eq!(world.app("changeling-nightly")["environment"], "staging");
}

/// What is deployed keeps what it needs when its next version fails; afterwards what is no longer named goes.
#[test]
fn the_secret_of_what_is_deployed() {
    let Some(world) = World::new(NIGHTLY) else {
        return;
    };
    world.run(["deploy", "nightly"]).success();
    let other = "secrets = [\"GITHUB_TOKEN\", \"CLAUDE_CODE_OAUTH_TOKEN\"]\n";
    world.configure(&format!(
        "{NIGHTLY}{other}modal.commands = [\"make tools\"]\n"
    ));
    world.modal.set("broken_images", json!(["make tools"]));
    let deploy = |code| {
        let command = world.command(["deploy", "nightly"]);
        command
            .env("CLAUDE_CODE_OAUTH_TOKEN", "oauth-token-of-ada")
            .run()
            .exits(code)
    };
    deploy(1);
    let names = || world.modal.secrets()["changeling-nightly"].clone();
    let all = [
        "ANTHROPIC_API_KEY",
        "CLAUDE_CODE_OAUTH_TOKEN",
        "GITHUB_TOKEN",
    ];
    assert_eq!(names(), json!(all));
    world.modal.set("broken_images", json!([]));
    deploy(0);
    assert_eq!(names(), json!(all[1..]));
}

/// Who may not look into every environment can deploy all the same.
#[test]
fn crons_that_cannot_be_counted() {
    let Some(world) = World::new(NIGHTLY) else {
        return;
    };
    let denied = Fault::Error("PERMISSION_DENIED", "not this environment");
    world.modal.fails("AppList", denied, 1);
    let output = world.run(["deploy", "nightly"]).success();
    assert!(
        output
            .stderr
            .contains("not all crons of the workspace can be counted"),
        "{output}"
    );
}

/// The user's own default environment, which the workspace does not know of.
#[test]
fn an_environment_of_the_users_modal() {
    let Some(world) = World::new(NIGHTLY) else {
        return;
    };
    world
        .modal
        .set("environments", json!(["main", "mine", "other"]));
    let with = |environment: &str, args: &[&str]| {
        let command = world.command(args.iter().copied());
        command
            .env("MODAL_ENVIRONMENT", environment)
            .run()
            .success()
    };
    with("mine", &["deploy", "nightly"]);
    let app = world.app("changeling-nightly");
    assert_eq!(app["environment"], "mine");
    // It stays there, whatever the default is later.
    with("other", &["disable", "nightly"]);
    let apps = world.modal.apps();
    assert_eq!(apps.len(), 1, "{apps:?}");
    assert_eq!(apps[0]["versions"], 2);
    let stop = [
        "undeploy",
        "nightly",
        "--yes",
        "--delete-volume",
        "--delete-secret",
    ];
    with("other", &stop);
    assert_eq!(world.app("changeling-nightly")["state"], "stopped");
    assert_eq!(world.modal.secrets(), json!({}));
}
