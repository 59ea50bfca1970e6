//! Templates written in Python and JavaScript load and compose like any other.

use std::path::Path;
use std::time::Duration;

use changelings_tests::{ADA, Output, Repo, TestEnv, javascript_component, python_component};

/// Compiling a whole interpreter takes seconds on an idle machine.
const PATIENCE: Duration = Duration::from_mins(5);

fn shop(env: &TestEnv) -> Repo<'_> {
    let repo = env.repo("shop");
    repo.write("app.py", "# FIXME: rounds the wrong way\n")
        .write("README.md", "A shop.\n");
    repo.commit(ADA, "2025-01-10", "Add the shop");
    repo
}

fn show(env: &TestEnv, component: &Path) -> Output {
    let show = env.command(["template".as_ref(), "show".as_ref(), component.as_os_str()]);
    show.arg("--json").patience(PATIENCE).run()
}

fn plan(env: &TestEnv, component: &Path, repo: &Repo, pattern: &str) -> Output {
    let plan = env.command([
        "plan".as_ref(),
        "--template".as_ref(),
        component.as_os_str(),
    ]);
    let plan = plan
        .arg("--repo")
        .arg(repo.path())
        .arg("--param")
        .arg(format!("pattern={pattern}"));
    plan.patience(PATIENCE).run()
}

/// What every template of these fixtures does, in whatever language.
fn works(env: &TestEnv, repo: &Repo, component: &Path, name: &str) {
    let manifest = show(env, component).success().json();
    assert_eq!(manifest["name"], name);
    assert_eq!(
        manifest["permissions"],
        serde_json::json!(["publish", "repo:read"])
    );

    let first = plan(env, component, repo, "FIXME").success();
    assert!(
        first
            .stdout
            .contains("Look at these, of 2 files, on 2026-03-02 ("),
        "{first}"
    );
    assert!(
        first
            .stdout
            .contains("- app.py:1: # FIXME: rounds the wrong way"),
        "{first}"
    );
    // Clock and randomness are the same every time.
    assert_eq!(
        first.stdout,
        plan(env, component, repo, "FIXME").success().stdout
    );

    let nothing = plan(env, component, repo, "BUG").success();
    assert!(nothing.stdout.contains("nothing to look at"), "{nothing}");
    let refused = plan(env, component, repo, "refuse").exits(1);
    assert!(
        refused
            .stderr
            .contains("failed in compose: this one is refused (no-pattern)"),
        "{refused}"
    );
    assert!(refused.stderr.contains("help: use another"), "{refused}");
    let endless = plan(env, component, repo, "loop").exits(1);
    assert!(
        endless.stderr.contains("it ran for more than 2 s"),
        "{endless}"
    );
}

#[test]
fn python() {
    let Some(component) = python_component() else {
        return;
    };
    let env = TestEnv::new();
    let repo = shop(&env);
    works(&env, &repo, component, "from-python");
    let crash = plan(&env, component, &repo, "crash").exits(1);
    assert!(
        crash.stderr.contains("ValueError: a bug in Python"),
        "{crash}"
    );
}

#[test]
fn javascript() {
    let Some(component) = javascript_component(&["http", "fetch-event"]) else {
        return;
    };
    let env = TestEnv::new();
    let repo = shop(&env);
    works(&env, &repo, &component, "from-javascript");
    let crash = plan(&env, &component, &repo, "crash").exits(1);
    // What is thrown counts as the function's `failure`, and an Error is none.
    let told =
        "it trapped: wasm `unreachable` instruction executed; its last words: expected a string";
    assert!(crash.stderr.contains(told), "{crash}");
}

#[test]
fn javascript_with_http_is_refused_with_the_flags_that_help() {
    let Some(component) = javascript_component(&[]) else {
        return;
    };
    let env = TestEnv::untouched();
    let refused = show(&env, &component).exits(2);
    assert!(
        refused.stderr.contains("it imports wasi:http/"),
        "{refused}"
    );
    assert!(
        refused
            .stderr
            .contains("--disable http --disable fetch-event"),
        "{refused}"
    );
    assert!(
        !env.changelings_home().exists(),
        "refused before anything is compiled"
    );
}
