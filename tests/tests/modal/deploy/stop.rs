//! Taking off the schedule, stopping, removing.

use super::{NIGHTLY, World};

#[test]
fn disabled_and_enabled_again() {
    let Some(world) = World::new(NIGHTLY) else {
        return;
    };
    world.run(["deploy", "nightly"]).success();
    let secrets = world.modal.received("SecretGetOrCreate").len();
    let output = world.run(["disable", "nightly"]).success();
    insta::assert_snapshot!("disabled", output.normalised_stderr());
    let run = world.function("changeling-nightly", "run");
    assert!(run.get("schedule").is_none(), "{run}");
    // It needs no secret for that, and nothing else changes.
    assert_eq!(world.modal.received("SecretGetOrCreate").len(), secrets + 1);
    world.run(["disable", "nightly"]).success();
    assert_eq!(world.app("changeling-nightly")["versions"], 2);
    // A deploy does not put it on its schedule.
    let output = world.run(["deploy", "nightly"]).success();
    let said = "it is disabled, and has no cron at Modal until: changeling enable nightly";
    assert!(output.stderr.contains(said), "{output}");
    world.run(["enable", "nightly"]).success();
    let run = world.function("changeling-nightly", "run");
    assert_eq!(run["schedule"]["cron"]["cron_string"], "0 3 * * *");
}

#[test]
fn disabled_while_modal_is_away() {
    let Some(world) = World::new(NIGHTLY) else {
        return;
    };
    world.run(["deploy", "nightly"]).success();
    let away = world
        .command(["disable", "nightly"])
        .env("MODAL_TOKEN_SECRET", "as-wrong");
    let output = away.run().exits(3);
    insta::assert_snapshot!("disabled_here_only", output.normalised_stderr());
    let told = world.run(["status", "--json"]).success().json();
    assert_eq!(told["needs_person"][0]["what"], "still-fires", "{told:#}");
    assert!(told["changelings"][0]["next_fire"].is_string(), "{told:#}");
    let list = world.run(["list"]).success();
    assert!(list.stdout.contains("still tomorrow at 03:00"), "{list}");
    let show = world.run(["show", "nightly"]).success();
    assert!(show.stdout.contains("changeling disable nightly"), "{show}");
    // The same again ends what was begun.
    world.run(["disable", "nightly"]).success();
    let told = world.run(["status", "--json"]).success().json();
    assert_eq!(told["needs_person"], serde_json::json!([]), "{told:#}");
    let run = world.function("changeling-nightly", "run");
    assert!(run.get("schedule").is_none(), "{run}");
}

#[test]
fn stopped() {
    let Some(world) = World::new(NIGHTLY) else {
        return;
    };
    world.run(["deploy", "nightly"]).success();
    // All that is missing is told at once.
    let output = world.run(["undeploy", "nightly"]).exits(3);
    insta::assert_snapshot!("nothing_said", output.normalised_stderr());
    let flags = ["undeploy", "nightly", "--yes", "--delete-volume", "--json"];
    let output = world.run(flags).exits(3);
    insta::assert_snapshot!("leftovers_not_said", output.normalised_stderr());
    assert_eq!(world.app("changeling-nightly")["state"], "deployed");
    let flags = [
        "undeploy",
        "nightly",
        "--yes",
        "--keep-volume",
        "--delete-secret",
    ];
    let output = world.run(flags).success();
    insta::assert_snapshot!("stopped", output.normalised_stderr());
    assert_eq!(world.app("changeling-nightly")["state"], "stopped");
    assert_eq!(world.modal.volumes(), ["changeling-nightly"]);
    assert!(world.modal.secrets().get("changeling-nightly").is_none());
    assert!(!world.folder("nightly").exists());
    // Once more is fine, and so is a new start.
    world.run(flags).success();
    world.run(["deploy", "nightly"]).success();
    assert_eq!(world.app("changeling-nightly")["state"], "deployed");
}

#[test]
fn stopped_by_hand_before() {
    let Some(world) = World::new(NIGHTLY) else {
        return;
    };
    world.run(["deploy", "nightly"]).success();
    world.modal.stop_app("changeling-nightly");
    let output = world
        .run([
            "undeploy",
            "--all",
            "--yes",
            "--delete-volume",
            "--delete-secret",
        ])
        .success();
    assert!(
        output.stderr.contains("nightly was stopped already"),
        "{}",
        output.stderr
    );
    assert_eq!(world.modal.volumes(), Vec::<String>::new());
}

#[test]
fn removed() {
    let Some(world) = World::new(NIGHTLY) else {
        return;
    };
    world.run(["deploy", "nightly"]).success();
    let output = world.run(["remove", "nightly", "--yes"]).exits(3);
    insta::assert_snapshot!("remove_refused", output.normalised_stderr());
    let output = world.run(["remove", "nightly", "--force"]).exits(3);
    insta::assert_snapshot!("remove_unsaid", output.normalised_stderr());
    assert_eq!(world.app("changeling-nightly")["state"], "deployed");
    let flags = [
        "remove",
        "nightly",
        "--yes",
        "--force",
        "--keep-volume",
        "--keep-secret",
    ];
    world.run(flags).success();
    assert_eq!(world.app("changeling-nightly")["state"], "stopped");
    assert!(!world.env.read_config().contains("nightly"));
    assert!(world.modal.secrets().get("changeling-nightly").is_some());
}

#[test]
fn changed_after_it_was_deployed() {
    let Some(world) = World::new(NIGHTLY) else {
        return;
    };
    world.run(["deploy", "nightly"]).success();
    let output = world.run(["edit", "nightly", "--timeout", "2h"]).success();
    insta::assert_snapshot!(
        "edited",
        format!(
            "{}{}",
            output.normalised_stdout(),
            output.normalised_stderr()
        )
    );
}

/// That a secret is new is what differs; whether it is there, a deploy finds out.
#[test]
fn a_secret_named_after_it_was_deployed() {
    let Some(world) = World::new(NIGHTLY) else {
        return;
    };
    world.run(["deploy", "nightly"]).success();
    let secrets = "secrets = [\"GITHUB_TOKEN\", \"ANTHROPIC_API_KEY\", \"NPM_TOKEN\"]\n";
    world.configure(&format!("{NIGHTLY}{secrets}"));
    let status = world.run(["status", "nightly"]);
    assert!(!status.stdout.contains("nowhere to be found"), "{status}");
    assert!(status.stdout.contains("secrets: "), "{status}");
    assert!(status.stdout.contains("NPM_TOKEN"), "{status}");
}
