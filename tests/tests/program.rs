//! The program as such: help, version, mistakes.

use changelings_tests::TestEnv;

#[test]
fn help_and_version_are_answers() {
    let env = TestEnv::new();
    let version = env.changeling(["--version"]).success();
    assert_eq!(
        version.stdout,
        format!("changeling {}\n", env!("CARGO_PKG_VERSION"))
    );
    assert_eq!(version.stderr, "");
    let help = env.changeling(["--help"]).success();
    assert!(help.stdout.contains("Usage: changeling"), "{help}");
    assert_eq!(help.stderr, "");
}

#[test]
fn a_mistake_on_the_command_line_exits_2_and_writes_nothing() {
    let env = TestEnv::untouched();
    let output = env.changeling(["no-such-command"]).exits(2);
    assert_eq!(output.stdout, "");
    assert!(output.stderr.contains("no-such-command"), "{output}");
    assert!(!env.changelings_home().exists());
}

#[test]
fn a_clock_that_is_no_time_is_refused() {
    let env = TestEnv::new();
    let output = env
        .command(["list"])
        .env("CHANGELINGS_NOW", "yesterday")
        .run()
        .exits(2);
    assert!(output.stderr.contains("CHANGELINGS_NOW"), "{output}");
}
