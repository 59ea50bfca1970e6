//! `deploy --verify`: whether it works there.

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
