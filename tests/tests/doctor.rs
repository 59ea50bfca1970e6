//! `doctor`: what is missing, and what mends it.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use changelings_tests::{Invocation, TestEnv};

/// A world whose only programs are these, with everything below HOME, so that paths are as long
/// everywhere.
fn env(programs: &[(&str, &str)]) -> TestEnv {
    let env = TestEnv::new();
    for (name, says) in programs {
        let path = env.write(
            &format!("home/bin/{name}"),
            format!("#!/bin/sh\necho '{says}'\n"),
        );
        mode(&path, 0o755);
    }
    env
}

fn mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

fn doctor(env: &TestEnv, args: &[&str]) -> Invocation {
    env.command(["doctor"].iter().chain(args))
        .env_remove("CHANGELINGS_HOME")
        .env("PATH", env.home().join("bin"))
}

const GIT: (&str, &str) = ("git", "git version 2.47.3");

fn healthy() -> TestEnv {
    let env = env(&[
        GIT,
        ("claude", ""),
        ("mngr", "--type --transfer"),
        ("tmux", ""),
    ]);
    env.write("home/.claude/.credentials.json", "{}");
    let file = env.write(
        "home/.changelings/config.toml",
        "[changelings.x]\ntemplate = \"fixme-fairy\"\nrepo = \"myorg/myrepo\"\ntimezone = \"UTC\"\n",
    );
    mode(&file, 0o600);
    mode(&env.home().join(".changelings"), 0o700);
    env
}

/// Checks a snapshot without what depends on how many templates there are.
macro_rules! assert_steady {
    ($($what:tt)+) => {
        insta::with_settings!(
            {filters => vec![
                (r"\d+ built in", "N built in"),
                (r"\d+ compiled, \d+ MB", "N compiled, N MB"),
            ]},
            { insta::assert_snapshot!($($what)+) }
        )
    };
}

#[test]
fn in_a_terminal() {
    let env = env(&[GIT, ("claude", "")]);
    let home = env.home().join(".changelings");
    std::fs::create_dir(&home).unwrap();
    mode(&home, 0o755);
    for columns in [80, 120] {
        let shown = doctor(&env, &[])
            .terminal(columns)
            .finish()
            .success()
            .nothing_wrapped();
        assert_steady!(format!("doctor_{columns}"), shown);
    }
}

#[test]
fn everything_in_order() {
    let env = healthy();
    assert_steady!(doctor(&env, &[]).run().success());
}

#[test]
fn as_json() {
    let env = healthy();
    let output = doctor(&env, &["--json"]).run().success();
    assert_steady!(output.normalised_stdout());
}

#[test]
fn an_empty_machine() {
    let env = env(&[]);
    let output = doctor(&env, &[]).run().exits(1);
    assert!(output.stdout.contains("fail  git"), "{output}");
    assert!(!env.home().join(".changelings/config.toml").exists());
    assert_eq!(
        doctor(&env, &["--json"]).run().exits(1).json()["level"],
        "failure"
    );
}

#[test]
fn what_is_broken_is_named() {
    let old = env(&[("git", "git version 2.30.1")]);
    let output = doctor(&old, &[]).run().exits(1);
    assert!(
        output.stdout.contains("2.30.1 (~/bin/git) is too old"),
        "{output}"
    );

    let env = healthy();
    let file = env.write(
        "home/.changelings/config.toml",
        "[changelings.x]\ntemplat = 1\n",
    );
    let output = doctor(&env, &[]).run().exits(1);
    assert!(output.stdout.contains("fail  configuration"), "{output}");
    assert!(output.stdout.contains("unknown key"), "{output}");
    mode(&file, 0o644);

    let env = healthy();
    mode(&env.home().join(".changelings/config.toml"), 0o644);
    let output = doctor(&env, &[]).run().success();
    assert!(
        output
            .stdout
            .contains("chmod 600 ~/.changelings/config.toml"),
        "{output}"
    );
}
