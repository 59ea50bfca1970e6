//! A template in Python, made into a component with componentize-py, is a template like any other.

use changelings_tests::{TestEnv, python_template};

#[test]
fn it_says_what_it_is_looks_at_the_repository_and_fails_clearly() {
    let Some(component) = python_template() else {
        return;
    };
    let env = TestEnv::new();
    std::fs::copy(component, env.work().join("x.wasm")).expect("a copy");
    let shown = env.changeling(["template", "show", "./x.wasm", "--json"]);
    let shown = shown.success().json();
    assert_eq!(shown["name"], "python-template");
    assert_eq!(shown["built_in"], false);

    let repo = env.sample_repo();
    let path = repo.path().to_string_lossy().into_owned();
    let plan = |pattern: &str| {
        let pattern = format!("pattern={pattern}");
        env.changeling([
            "plan",
            "--template",
            "./x.wasm",
            "--repo",
            &path,
            "--param",
            &pattern,
        ])
    };
    let found = plan("accepts lower case letters").success();
    assert!(
        found
            .stdout
            .contains("Look at these places: parcels/codes.py:5"),
        "{found}"
    );
    let nothing = plan("no such text").success();
    assert!(nothing.stdout.contains("nothing to count"), "{nothing}");
    let refused = plan("fail").exits(1);
    assert!(refused.stderr.contains("told to refuse"), "{refused}");
    let raised = plan("raise").exits(1);
    assert!(
        raised
            .stderr
            .contains("RuntimeError: a bug in the template"),
        "{raised}"
    );
}
