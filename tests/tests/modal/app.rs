//! `app.py`, which everybody who deploys something may read.

use changelings_tests::{TestEnv, project_root, tools};

/// Somebody who sees it for the first time reads it to its end.
#[test]
fn it_is_short() {
    let text = std::fs::read_to_string(project_root().join("host/src/modal/app.py"))
        .expect("a part of the program");
    assert!(text.lines().count() <= 150, "{}", text.lines().count());
    let long: Vec<_> = text.lines().filter(|line| line.len() > 95).collect();
    assert!(long.is_empty(), "{long:#?}");
    // What runs when, with which secrets, and how to stop it stands on top.
    let (top, _) = text.split_once("import ").expect("it imports something");
    for word in [
        "schedule",
        "secrets",
        "To stop it",
        "run ",
        "fire ",
        "check ",
    ] {
        assert!(top.contains(word), "{word}: {top}");
    }
}

#[test]
fn formatters_leave_it_as_it_is() {
    let (Some(black), Some(ruff)) = (tools::black(), tools::ruff()) else {
        return;
    };
    let env = TestEnv::untouched();
    let app = project_root().join("host/src/modal/app.py");
    // As they come: no configuration of this project or of anybody's.
    let copy = env.write("deployment/app.py", std::fs::read(app).expect("a file"));
    env.external(black, ["--check", "--quiet"])
        .arg(&copy)
        .run()
        .success();
    env.external(ruff, ["format", "--check", "--isolated", "--no-cache"])
        .arg(&copy)
        .run()
        .success();
}

/// How `changeling exec` ended is heard even when it cannot be answered any more.
#[test]
fn what_was_said_last_is_heard() {
    let Some(modal) = tools::modal() else {
        return;
    };
    let env = TestEnv::untouched();
    let app = project_root().join("host/src/modal/app.py");
    env.write("deployment/app.py", std::fs::read(app).expect("a file"));
    let runner = env.program(
        "runner",
        "#!/bin/sh\nexec 0<&-\necho '{\"ask\":\"commit\",\"number\":7}'\n\
         echo '{\"ended\":{\"sentence\":\"It is done.\"}}'\n",
    );
    let document = serde_json::json!({"jobs": [{}], "app": {
        "name": "changeling-a", "tags": {}, "volume": "a", "guard": "a", "secret": null, "schedule": null,
        "timezone": "UTC", "timeout_seconds": 60, "max_containers": 1, "cpu": null, "memory": null, "gpu": null,
        "ephemeral_disk": null, "region": null, "runner": runner, "files": {},
        "image": {"base": "debian", "python": null, "steps": []}}});
    env.write("deployment/job.json", document.to_string());
    let asks = env.write(
        "deployment/ask.py",
        "import app\n\n\
         class Volume:\n    def commit(self):\n        pass\n\n\
         app.volume = Volume()\n\
         with app.execute() as child:\n    child.wait()\n    print(app.answer(child, 'a'))\n",
    );
    let python = modal.with_file_name("python");
    let told = env.external(python, [asks]).run().success();
    assert_eq!(told.stdout, "{'sentence': 'It is done.'}\n");
}
