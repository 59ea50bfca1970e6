//! What is said while something takes its time.

use std::net::TcpListener;

use changelings_tests::{Invocation, TestEnv};

/// A repository on a server of this port.
fn on_server(env: &TestEnv, verb: &str, port: u16) -> Invocation {
    let repo = format!("http://127.0.0.1:{port}/myorg/myrepo");
    env.command([verb, "--template", "fixme-fairy", "--repo", &repo])
}

#[test]
fn a_spinner_while_it_takes_long_and_nothing_afterwards() {
    let env = TestEnv::new();
    // It takes the connection and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut terminal = on_server(&env, "plan", silent.local_addr().unwrap().port()).terminal(80);
    terminal
        .wait_for("fetching http://127.0.0.1")
        .type_text("\x03");
    let shown = terminal.finish().exits(130);
    assert!(!shown.screen.contains("fetching"), "{shown}");
}

#[test]
fn one_plain_line_without_a_terminal() {
    let env = TestEnv::new();
    let gone = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let output = on_server(&env, "rehearse", gone).run();
    assert_ne!(output.code, 0, "{output}");
    let fetching = output
        .stderr
        .lines()
        .filter(|line| line.starts_with("fetching "));
    assert_eq!(fetching.count(), 1, "{output}");
    assert!(
        !output.stderr.contains('\r') && !output.stderr.contains('\x1b'),
        "{output}"
    );
    assert_eq!(output.stdout, "");

    for (verb, more) in [("rehearse", "--quiet"), ("plan", "--json")] {
        let quiet = on_server(&env, verb, gone).arg(more).run();
        assert!(!quiet.stderr.contains("fetching "), "{quiet}");
        assert!(quiet.stderr.starts_with("error: "), "{quiet}");
    }
}
