//! `show`: one changeling, value by value.

use changelings_tests::TestEnv;

const ONE: &str = r#"[defaults]
timezone = "Europe/Zurich"
max_budget_usd = 2.5

[changelings.nightly-fixmes]
template = "fixme-fairy"
repo = "git@github.com:myorg/myrepo.git"
schedule = "0 3 * * MON-FRI"   # weekdays
message_append = """
Leave the generated code below src/proto alone: it is made by a tool that nobody remembers how to run.
\u001b[31mNot red.
"""
env_vars = { RUST_LOG = "info", CI = "1" }
params = { scope = "src/api" }
allow_paths = [".github/workflows/nightly.yml", "docs/**"]

[changelings.nightly-fixmes.modal]
cpu = 2

[changelings.asleep]
template = "test-troll"
repo = "myorg/myrepo"
schedule = "@daily"
enabled = false
"#;

/// The home folder is below HOME, so that its path is as long everywhere.
fn env() -> TestEnv {
    let env = TestEnv::new();
    env.write("home/.changelings/config.toml", ONE);
    env
}

fn command(env: &TestEnv, args: &[&str]) -> changelings_tests::Invocation {
    env.command(args)
        .env_remove("CHANGELINGS_HOME")
        .env("CHANGELINGS_NOW", "2026-03-27T18:00:00+01:00")
        .env("TZ", "America/New_York")
}

#[test]
fn in_a_terminal() {
    let env = env();
    for columns in [80, 120] {
        let shown = command(&env, &["show", "nightly-fixmes"])
            .terminal(columns)
            .finish();
        let shown = shown.success().nothing_wrapped();
        insta::assert_snapshot!(format!("show_{columns}"), shown);
    }
}

#[test]
fn as_json() {
    let env = env();
    let output = command(&env, &["show", "nightly-fixmes", "--json"])
        .run()
        .success();
    insta::with_settings!(
        {filters => vec![("[0-9a-f]{64}", "[DIGEST]")]},
        { insta::assert_snapshot!(output.normalised_stdout()) }
    );
}

#[test]
fn what_is_disabled_does_not_fire() {
    let env = env();
    let output = command(&env, &["show", "asleep"]).run().success();
    assert!(output.stdout.starts_with("asleep  disabled"), "{output}");
    assert!(!output.stdout.contains("Next"), "{output}");
    let output = command(&env, &["show", "asleep", "--json"]).run().success();
    assert_eq!(output.json()["next_fires"], serde_json::json!([]));
}

#[test]
fn a_name_that_is_nearly_right() {
    let env = env();
    insta::assert_snapshot!(command(&env, &["show", "nihtly-fixmes"]).run().exits(2));
}
