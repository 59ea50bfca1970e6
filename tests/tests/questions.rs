//! Questions: asked only where a person sits, never waited for elsewhere.

use changelings_tests::{Terminal, TestEnv};

fn env() -> TestEnv {
    let env = TestEnv::new();
    env.write_config("[changelings.x]\ntemplate = \"fixme-fairy\"\nrepo = \"myorg/myrepo\"\n");
    env
}

fn asked(env: &TestEnv) -> Terminal {
    let mut terminal = env.command(["remove", "x"]).terminal(80);
    terminal.wait_for("[y/N]");
    terminal
}

fn is_there(env: &TestEnv) -> bool {
    env.read_config().contains("[changelings.x]")
}

#[test]
fn only_a_yes_is_a_yes() {
    for (answer, kept) in [
        ("y\n", false),
        ("YES\n", false),
        ("\n", true),
        ("n\n", true),
        ("yeah\n", true),
    ] {
        let env = env();
        let mut terminal = asked(&env);
        terminal.type_text(answer);
        let shown = terminal.finish();
        assert_eq!(is_there(&env), kept, "{answer:?}: {shown}");
    }
}

#[test]
fn leaving_is_no_yes() {
    let env = env();
    let mut terminal = asked(&env);
    terminal.type_text("\x03");
    terminal.finish().exits(130);
    let mut terminal = asked(&env);
    terminal.type_text("\x04");
    terminal.finish();
    assert!(is_there(&env));
}

#[test]
fn nobody_is_waited_for_without_a_terminal() {
    let env = env();
    let output = env.command(["remove", "x"]).stdin("y\n").run().exits(3);
    assert!(output.stderr.contains("--yes"), "{output}");
    assert!(is_there(&env));
    env.changeling(["remove", "x", "--yes"]).success();
    assert!(!is_there(&env));
}
