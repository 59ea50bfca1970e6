//! A template made outside the tree, with nothing but the SDK, loads by path.

use changelings_tests::{ADA, TestEnv, outside_template};

#[test]
fn it_says_what_it_is() {
    let env = TestEnv::new();
    std::fs::copy(outside_template(), env.work().join("x.wasm")).expect("a copy");
    let shown = env
        .changeling(["template", "show", "./x.wasm", "--json"])
        .success()
        .json();
    assert_eq!(shown["name"], "outside-template");
    assert_eq!(shown["version"], "1.2.3");
}

#[test]
fn it_sees_the_repository_and_composes_a_plan() {
    let env = TestEnv::new();
    std::fs::copy(outside_template(), env.work().join("x.wasm")).expect("a copy");
    let repo = env.repo("shop");
    repo.write("a.py", "x = 1\n# FIXME: one\n")
        .write("b.py", "# FIXME: two\n");
    repo.commit(ADA, "2025-01-10", "Begin");
    let before = repo.state();
    let path = repo.path().to_string_lossy().into_owned();
    let plan = env
        .changeling(["plan", "--template", "./x.wasm", "--repo", &path])
        .success();
    assert!(
        plan.stdout.contains("Look at these places: a.py:2 b.py:1"),
        "{plan}"
    );
    assert_eq!(repo.state(), before);
}
