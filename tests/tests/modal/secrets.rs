//! Secrets are in the Modal secret, in the process that needs them, and nowhere else.

use changelings_tests::needs;
use changelings_tests::traces::{Watch, files_with};

use super::{COMMIT, Cloud, TOKEN};

const KEY: &str = "a-key-of-the-test-0123456789abcdef";
/// In the address of a clone that somebody stands in.
const PASSWORD: &str = "passw0rd-in-a-url";

#[test]
fn nothing_shows_a_secret() {
    let (Some(mut cloud), Some(_)) = (Cloud::new(), needs::tool("python3")) else {
        return;
    };
    // An agent that looks for everything it can read, and says it.
    let agent = "python3 -c 'import socket; socket.socket(socket.AF_UNIX).connect(\"/__modal/worker.sock\")' \\\n\
                   > $shared/modal 2>&1 && echo connected > $shared/modal || true\n\
                 id -un > $shared/user; env > $shared/env\n\
                 cat /proc/[0-9]*/environ > $shared/environs 2> /dev/null || true\n\
                 env; cat /changeling/job.json; find /changeling /root -type f -size -200k -exec cat {} + 2> /dev/null || true\n\
                 echo '# mended' >> app.py; git commit -qam 'Mend'";
    cloud.add(
        "nightly",
        agent,
        "secrets = [\"GITHUB_TOKEN\", \"HOUSE_KEY\"]",
    );
    // Whoever deploys stands in a clone of something else, with a password in its address.
    let clone = cloud.env.repo("private-affairs");
    clone.commit(changelings_tests::ADA, "2025-11-03", "Begin");
    let origin = format!("https://somebody:{PASSWORD}@example.org/private-affairs.git");
    clone.git(["remote", "add", "origin", &origin]);
    let watch = Watch::of(cloud.env.root());
    let deploy = cloud
        .command(["deploy", "nightly", "--json"])
        .env("HOUSE_KEY", KEY);
    let deployed = deploy.dir(clone.path()).run();
    let call = cloud.modal.fire("changeling-nightly").remove(0);
    let ended = cloud.modal.wait_for(&call);
    let looked = ["status", "logs nightly", "runs"].map(|line| cloud.does(line));
    let seen = watch.seen();
    assert_eq!(ended["status"], "success", "{}", cloud.modal.printed(None));

    // It is where it belongs.
    let secret = cloud.modal.secret("changeling-nightly");
    assert_eq!(
        (&secret["GITHUB_TOKEN"], &secret["HOUSE_KEY"]),
        (&TOKEN.into(), &KEY.into())
    );
    // The agent is another user, and got none of it.
    let read = |name: &str| std::fs::read(cloud.shared.join(name)).unwrap_or_default();
    let user = String::from_utf8(read("user")).expect("a name");
    assert_ne!(user.trim(), "root");
    let keys = [TOKEN.to_owned(), KEY.to_owned()];
    // Nor may it do at Modal what the app may: the socket is all that takes.
    let modal = String::from_utf8(read("modal")).expect("a text");
    assert!(modal.contains("PermissionError"), "{modal}");
    for name in ["env", "environs"] {
        let text = String::from_utf8_lossy(&read(name)).into_owned();
        assert!(
            !keys.iter().any(|key| text.contains(key)),
            "the agent saw it in {name}"
        );
    }

    let texts = [TOKEN.to_owned(), KEY.to_owned(), PASSWORD.to_owned()];
    for line in &seen {
        assert!(
            !texts.iter().any(|text| line.contains(text)),
            "on a command line: {line}"
        );
    }
    let found = cloud.modal.search(&texts, &["SecretGetOrCreate"]);
    assert!(found.is_empty(), "{found:#?}");
    let mut found = files_with(cloud.env.root(), &texts);
    found.retain(|(path, _)| !path.starts_with(clone.path()));
    assert!(found.is_empty(), "{found:#?}");
    for output in looked.iter().chain([&deployed]) {
        assert!(
            !texts.iter().any(|text| output.to_string().contains(text)),
            "{output}"
        );
    }
    // Nor is it said who deployed, and from where.
    let [publish] = &cloud.modal.received("AppPublish")[..] else {
        panic!("one deployment")
    };
    assert!(
        publish["request"].get("commit_info").is_none(),
        "{publish:#}"
    );
    let sent = cloud
        .modal
        .search(&["ada@example.org".into(), "private-affairs".into()], &[]);
    assert!(sent.is_empty(), "{sent:#?}");
}

/// Writes down how it was called and what the key's file is, and does what the server would.
const SSH: &str = r#"#!/bin/sh
printf '%s\n' "$@" >> $shared/calls
for last; do
    if [ "$before" = -i ]; then stat -c '%a %U' "$last" >> $shared/keys; head -n 2 "$last" | tail -n 1 >> $shared/keys; fi
    before=$last
done
exec sh -c "$last"
"#;

/// A repository that is reached over ssh, with a key of its own that went along with the deploy.
#[test]
fn a_key_for_ssh() {
    let Some(mut cloud) = Cloud::new() else {
        return;
    };
    let line = "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQ";
    cloud.env.write(
        "changelings-home/key",
        format!("-----BEGIN OPENSSH PRIVATE KEY-----\n{line}\n-----END OPENSSH PRIVATE KEY-----\n"),
    );
    let shared = cloud.shared.display().to_string();
    let ssh = cloud.env.program("ssh", &SSH.replace("$shared", &shared));
    let setup = cloud.setup().expect("it was there").program("ssh", &ssh);
    cloud.modal.containers_have(&setup);
    cloud.add(
        "nightly",
        &format!("env > $shared/seen; {COMMIT}"),
        "ssh_key = \"key\"",
    );
    let shop = cloud.env.repo("shop");
    let bare = cloud.shared.join("shop.git");
    shop.git(["clone", "-q", "--bare", ".", &bare.display().to_string()]);
    cloud.config = cloud.config.replace(
        &cloud.github.repository("acme/shop"),
        &format!("ssh://git@git.example.org{}", bare.display()),
    );
    cloud.env.write_config(&cloud.config);
    let watch = Watch::of(cloud.env.root());
    cloud.does("deploy nightly");
    let ended = cloud.fires("nightly");
    let seen = watch.seen();
    let call = ended["call"].as_str().expect("an id");
    let printed = cloud.modal.printed(Some(call));
    assert_eq!(ended["status"], "success", "{printed}");
    assert_eq!(
        cloud.records("nightly")[0]["record"]["outcome"]["outcome"],
        "pushed"
    );

    // Commits are by whom the deploy froze.
    let log = [
        "log",
        "-1",
        "--branches",
        "--not",
        "main",
        "--format=%an <%ae>",
    ];
    let git = cloud.env.external("git", ["--git-dir"]).arg(&bare);
    let git = log.iter().fold(git, |git, word| git.arg(word));
    let author = git.run().success().stdout;
    assert_eq!(author.trim(), "Night Shift <night@example.org>");
    let read = |name: &str| std::fs::read_to_string(cloud.shared.join(name)).expect(name);
    let calls = read("calls");
    for option in [
        "IdentitiesOnly=yes",
        "StrictHostKeyChecking=yes",
        "git-receive-pack",
    ] {
        assert!(calls.contains(option), "{option}: {calls}");
    }
    let keys = read("keys");
    assert!(
        keys.lines().all(|said| said == "600 root" || said == line),
        "{keys}"
    );
    assert!(keys.contains(line), "{keys}");
    std::fs::remove_file(cloud.shared.join("keys")).expect("it is ours");
    // Nobody else saw it.
    assert!(!read("seen").contains("PRIVATE KEY"));
    assert!(!printed.contains(line));
    assert!(!seen.iter().any(|seen| seen.contains(line)));
    let found = cloud
        .modal
        .search(&[line.to_owned()], &["SecretGetOrCreate"]);
    assert!(found.is_empty(), "{found:#?}");
    let own = cloud.env.changelings_home().join("key");
    let mut found = files_with(cloud.env.root(), &[line.to_owned()]);
    found.retain(|(file, _)| *file != own);
    assert!(found.is_empty(), "{found:#?}");
}
