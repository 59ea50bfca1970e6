//! Grants: bound to one exact file, given by a person, taken back by digest.

use changelings_tests::{TestEnv, outside_template};

fn world() -> TestEnv {
    let env = TestEnv::new();
    std::fs::copy(outside_template(), env.work().join("x.wasm")).expect("a copy");
    env
}

fn grants(env: &TestEnv) -> String {
    std::fs::read_to_string(env.changelings_home().join("grants.toml")).unwrap_or_default()
}

#[test]
fn without_a_terminal_a_grant_needs_yes() {
    let env = world();
    insta::assert_snapshot!(
        env.changeling(["permission", "grant", "./x.wasm", "agent"])
            .exits(3)
    );
    assert_eq!(grants(&env), "");
    env.changeling(["permission", "grant", "./x.wasm", "agent", "--dry-run"])
        .success();
    assert_eq!(grants(&env), "");
}

#[test]
fn on_a_terminal_it_is_asked() {
    let env = world();
    let mut terminal = env
        .command(["permission", "grant", "./x.wasm", "agent"])
        .terminal(80);
    terminal.wait_for("[y/N]");
    terminal.type_text("n\n");
    terminal.finish().exits(0);
    assert_eq!(grants(&env), "");
}

#[test]
fn granted_listed_changed_and_taken_back() {
    let env = world();
    env.write_config(
        "[changelings.counter]\ntemplate = \"../work/x.wasm\"\nrepo = \"acme/anvils\"\n",
    );
    env.changeling(["permission", "grant", "counter", "agent", "--yes"])
        .success();
    insta::assert_snapshot!(env.changeling(["permission", "list"]).success());
    let listed = env
        .changeling(["permission", "list", "--json"])
        .success()
        .json();
    assert_eq!(listed["templates"][0]["template"]["may_run"], true);
    let digest = listed["templates"][0]["template"]["digest"]
        .as_str()
        .expect("a digest")
        .to_owned();
    assert!(grants(&env).contains(&digest));

    // One byte more, in a section that means nothing: another file, which was granted nothing.
    let mut bytes = std::fs::read(env.work().join("x.wasm")).expect("a component");
    bytes.extend_from_slice(&[0, 2, 1, b'x']);
    std::fs::write(env.work().join("x.wasm"), bytes).expect("writing it");
    let listed = env
        .changeling(["permission", "list", "--json"])
        .success()
        .json();
    assert_eq!(listed["templates"][0]["template"]["may_run"], false);
    assert_eq!(listed["other_grants"][0]["digest"], digest.as_str());

    env.changeling(["permission", "revoke", &digest[..12]])
        .success();
    assert!(!grants(&env).contains(&digest));
}

#[test]
fn what_cannot_be_granted() {
    let env = world();
    let refused = |args: &[&str]| {
        let output = env
            .changeling([&["permission", "grant"], args].concat())
            .exits(2);
        output.normalised_stderr()
    };
    insta::assert_snapshot!(
        [
            refused(&["./x.wasm", "publsh", "--yes"]),
            refused(&["./x.wasm", "publish", "--yes"]),
            refused(&["./x.wasm", "env:GITHUB_TOKEN", "--yes"]),
            refused(&["./nothing.wasm", "agent", "--yes"]),
        ]
        .join("\n")
    );
    assert_eq!(grants(&env), "");
}
