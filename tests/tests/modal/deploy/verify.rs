//! `deploy --verify`: whether it works there.

use std::os::unix::fs::PermissionsExt;

use super::super::{COMMIT, Cloud};

#[test]
fn quick() {
    let Some(mut cloud) = Cloud::new() else {
        return;
    };
    cloud.add("nightly", COMMIT, "");
    let output = cloud.does("deploy nightly --verify quick");
    for what in ["template", "repository", "mngr", "agent", "user", "walls"] {
        let line = output
            .stdout
            .lines()
            .find(|line| line.contains(&format!(" {what}")));
        let line = line.unwrap_or_else(|| panic!("nothing of {what}: {output}"));
        assert!(line.starts_with("ok "), "{line}");
    }
    assert!(cloud.pulls().is_empty());
    // A repository that is gone is seen before the night.
    let gone = "template = \"fixme-fairy\"";
    let missing = format!("branch = \"gone\"\n{gone}");
    cloud
        .env
        .write_config(&cloud.env.read_config().replace(gone, &missing));
    let output = cloud
        .command(["deploy", "nightly", "--verify", "quick", "--json"])
        .run()
        .exits(3);
    let json = output.json();
    let checks = json["apps"][0]["checks"].as_array().expect("checks");
    let repository = checks.iter().find(|check| check["what"] == "repository");
    assert_eq!(repository.expect("a check")["ok"], false, "{json}");
}

/// What is wrong in the image is mended in the image, not on this machine.
#[test]
fn an_image_without_mngr() {
    let Some(mut cloud) = Cloud::new() else {
        return;
    };
    cloud.add("nightly", COMMIT, "");
    let bare = cloud.setup().expect("it was there before").without("mngr");
    cloud.modal.containers_have(&bare);
    let verify = ["deploy", "nightly", "--verify", "quick"];
    let shown = cloud.command(verify).terminal(80).finish().exits(3);
    let told = shown.nothing_wrapped().to_string();
    let (_, told) = told.split_once("WRONG").expect("something is wrong");
    let told: Vec<_> = told
        .lines()
        .filter(|line| !line.starts_with("ok "))
        .collect();
    insta::assert_snapshot!("image_without_mngr", told.join("\n"));
    let json = cloud
        .command(["deploy", "nightly", "--verify", "quick", "--json"])
        .run()
        .exits(3)
        .json();
    let checks = json["apps"][0]["checks"].as_array().expect("checks");
    let mngr = checks.iter().find(|check| check["what"] == "mngr");
    let hint = mngr.and_then(|check| check["hint"].as_str());
    let hint = hint.expect("advice");
    assert!(hint.contains("[changelings.nightly.modal]"), "{hint}");
    // A run that ends for it says the same.
    cloud.fires("nightly");
    let records = cloud.records("nightly");
    let record = records[0].to_string();
    assert!(record.contains("[changelings.nightly.modal]"), "{record}");
    assert!(!record.contains("uv tool install"), "{record}");
}

/// The function itself does not work: that is not Modal's client's doing.
#[test]
fn a_program_that_does_not_start() {
    let Some(mut cloud) = Cloud::new() else {
        return;
    };
    cloud.add("nightly", COMMIT, "");
    let dead = cloud.env.write("shared/dead", "#!/bin/sh\nexit 7\n");
    std::fs::set_permissions(&dead, std::fs::Permissions::from_mode(0o755)).unwrap();
    let setup = cloud.setup().expect("it was there before");
    let setup = setup.file("/changeling/changeling", &dead);
    cloud.modal.containers_have(&setup);
    let output = cloud
        .command(["deploy", "nightly", "--verify", "quick"])
        .run()
        .exits(3);
    insta::assert_snapshot!("program_does_not_start", output.normalised_stderr());
}

#[test]
fn full() {
    let Some(mut cloud) = Cloud::new() else {
        return;
    };
    cloud.add("nightly", COMMIT, "");
    cloud.does("deploy nightly --verify full");
    assert_eq!(cloud.pulls().len(), 1);
    cloud.nothing_was_left_behind();
}
