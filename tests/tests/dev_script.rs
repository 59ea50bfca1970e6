//! The `dev` script, as far as it can be tried without building everything anew.

use std::path::PathBuf;

use changelings_tests::{Invocation, TestEnv, needs, project_root};

const SCRIPTS: [&str; 3] = ["dev", ".ci/run", "tests/demo/make-sample-repo.sh"];

/// What the script calls before it builds anything.
const PROGRAMS: [&str; 16] = [
    "bash", "cat", "cc", "dirname", "env", "getconf", "git", "grep", "id", "ls", "mkdir", "sed",
    "sh", "tr", "uname", "wc",
];

/// `./dev ARGS`, copied into a folder with a space in its name, on a machine that has nothing but
/// the usual programs.
fn dev(env: &TestEnv, args: &[&str]) -> Invocation {
    let script = env.write(
        "a folder/dev",
        std::fs::read(project_root().join("dev")).expect("the script"),
    );
    for name in PROGRAMS {
        let found = needs::find(name).unwrap_or_else(|| panic!("no {name} here"));
        let link = env.bin().join(name);
        if !link.exists() {
            std::os::unix::fs::symlink(found, link).expect("a link in a folder of ours");
        }
    }
    let mut call = env.external("bash", [script]);
    for arg in args {
        call = call.arg(arg);
    }
    call.env("PATH", env.bin())
}

#[test]
fn help_lists_every_command() {
    let env = TestEnv::untouched();
    let help = dev(&env, &["help"]).run().success();
    for command in ["demo", "test", "test --quick", "bench", "release", "help"] {
        let listed = |line: &str| {
            line.strip_prefix("  ")
                .is_some_and(|line| line.starts_with(command))
        };
        assert!(
            help.stdout.lines().any(listed),
            "{command} is not in:\n{help}"
        );
    }
    assert_eq!(dev(&env, &[]).run().success().stdout, help.stdout);
}

#[test]
fn mistakes_are_told_before_anything_is_built() {
    let env = TestEnv::untouched();
    let no_repo = env.write("no-repo/file", "");
    let no_repo = no_repo
        .parent()
        .expect("a file is in a folder")
        .to_string_lossy()
        .into_owned();
    for (args, message) in [
        (vec!["no-such-command"], "no such command: no-such-command"),
        (vec!["demo", &no_repo], "is no git repository"),
        (
            vec!["demo", "missing-folder"],
            "missing-folder is no folder, and no URL either",
        ),
        (vec!["demo", "one", "two"], "usage: ./dev demo [REPO]"),
        (vec!["demo", "--template"], "usage: ./dev demo [REPO]"),
        (vec!["release", "now"], "usage: ./dev release"),
    ] {
        let output = dev(&env, &args).run().exits(2);
        assert!(output.stderr.contains(message), "{output}");
    }
}

#[test]
fn a_machine_without_rustup_gets_one_clear_line() {
    let env = TestEnv::untouched();
    for command in ["demo", "test", "bench"] {
        let output = dev(&env, &[command]).run().exits(1);
        assert_eq!(
            (output.stdout.as_str(), output.stderr.as_str()),
            (
                "",
                "error: rustup is missing: get it from https://rustup.rs, then run this again\n"
            ),
        );
    }
}

#[test]
fn the_scripts_are_executable_and_shellcheck_finds_nothing() {
    let env = TestEnv::untouched();
    let scripts: Vec<PathBuf> = SCRIPTS
        .iter()
        .map(|script| project_root().join(script))
        .collect();
    for script in &scripts {
        env.external("test", ["-x".as_ref(), script.as_os_str()])
            .run()
            .success();
        env.external("bash", ["-n".as_ref(), script.as_os_str()])
            .run()
            .success();
    }
    let Some(shellcheck) = needs::tool("shellcheck") else {
        return;
    };
    env.external(shellcheck, &scripts).run().success();
}

#[test]
fn the_sample_repository_is_what_the_demo_promises() {
    let env = TestEnv::untouched();
    let repo = env.sample_repo();
    assert_eq!(repo.git(["status", "--porcelain"]), "");
    assert_eq!(repo.git(["rev-parse", "--abbrev-ref", "HEAD"]), "main");
    let authors = repo.git(["log", "--format=%an"]);
    let authors: std::collections::BTreeSet<_> = authors.lines().collect();
    assert_eq!(authors.len(), 4);
    // The same in every run, or the documentation that shows it would be wrong.
    assert_eq!(repo.git(["rev-parse", "--short", "HEAD"]), "883e82d");
    let marked = repo.git([
        "grep",
        "--files-with-matches",
        "--extended-regexp",
        "FIXME|TODO|XXX|HACK",
    ]);
    for decoy in [
        "vendor/",
        "parcels/generated/",
        "parcels/static/chart.min.js",
        "parcels/lint.py",
    ] {
        assert!(
            marked.lines().any(|file| file.starts_with(decoy)),
            "{decoy} is no decoy: {marked}"
        );
    }
}

#[test]
fn the_rehearsal_of_the_demo_lists_the_real_markers_and_no_decoy() {
    let env = TestEnv::new();
    let repo = env.sample_repo();
    let path = repo.path().to_string_lossy().into_owned();
    let before = repo.state();
    let args = ["rehearse", "--template", "fixme-fairy", "--repo", &path];
    let shown = env.changeling(args).success();
    for place in [
        "parcels/codes.py:5",
        "parcels/notify.py:12",
        "parcels/price.py:8",
        "parcels/price.py:10",
        "parcels/server.py:20",
        "parcels/static/app.js:1",
        "parcels/store.py:7",
        "parcels/store.py:21",
    ] {
        assert!(
            shown.stdout.contains(&format!("`{place}`")),
            "{place} is not in:\n{shown}"
        );
    }
    for decoy in [
        "vendor/",
        "parcels/generated/",
        "parcels/static/chart.min.js",
        "parcels/lint.py:",
        "tests/test_lint.py:",
    ] {
        let place = format!("`{decoy}");
        assert!(!shown.stdout.contains(&place), "{decoy} is in:\n{shown}");
    }
    assert_eq!(repo.state(), before, "a rehearsal writes nothing");
}
