//! A repository over ssh: with the given key alone, and only with hosts that are known.

use changelings_tests::traces::Watch;

use super::{COMMIT, Shop};

/// Writes down how it was called, and does what the server would.
const SSH: &str = "printf '%s\\n' \"$@\" >> $root/calls
for last; do :; done
exec sh -c \"$last\"";

#[test]
fn with_a_key() {
    let mut shop = Shop::new();
    let root = shop.env.root().to_owned();
    let over_ssh = format!("ssh://git@localhost{}", shop.bare.display());
    let key = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQ\n-----END OPENSSH PRIVATE KEY-----";
    shop.env.program(
        "ssh",
        &format!("#!/bin/sh\nroot='{}'\n{SSH}\n", root.display()),
    );
    let config = shop
        .config
        .replace(&shop.github.repository("acme/shop"), &over_ssh);
    shop.config = config;
    shop.with("ssh_key = \"DEPLOY_KEY\"\nsecrets = [\"DEPLOY_KEY\"]");
    let watch = Watch::of(shop.env.root());
    let run = shop
        .prepare_with(&format!("env > $root/seen; {COMMIT}"))
        .env("DEPLOY_KEY", key)
        .env_remove("GITHUB_TOKEN");
    let ran = shop.ran(run).is("pushed", 0);
    assert_eq!(shop.branches().len(), 1);

    let calls = std::fs::read_to_string(root.join("calls")).expect("ssh was called");
    for option in [
        "IdentitiesOnly=yes",
        "BatchMode=yes",
        "StrictHostKeyChecking=yes",
        "git-receive-pack",
    ] {
        assert!(calls.contains(option), "{option}: {calls}");
    }
    // Where the key was for ssh, there is nothing any more; nobody else saw it.
    let place = calls
        .lines()
        .skip_while(|line| *line != "-i")
        .nth(1)
        .expect("a key");
    assert!(
        place.starts_with('/') && !std::path::Path::new(place).exists(),
        "{place}"
    );
    let line = key.lines().nth(1).expect("three lines").to_owned();
    assert!(!watch.seen().iter().any(|seen| seen.contains(&line)));
    let found = changelings_tests::traces::files_with(&root, &[line]);
    assert!(found.is_empty(), "{found:?}");
    assert!(
        !std::fs::read_to_string(root.join("seen"))
            .unwrap()
            .contains("PRIVATE KEY")
    );
    assert!(!ran.output.to_string().contains("PRIVATE KEY"));
}
