//! `runs`, `logs`, `status`: what people see of runs afterwards.

mod past;

use std::time::Duration;

use changelings::exec::{Event, StepName};
use changelings::record::{Delivery, File, Kind, Store};
use changelings_tests::{Invocation, TestEnv};

use past::{Past, history};

const CONFIG: &str = r#"
[defaults]
timezone = "Europe/Zurich"
monthly_budget_usd = 20

[changelings.nightly-fixmes]
template = "fixme-fairy"
repo = "myorg/myrepo"
schedule = "0 3 * * *"

[changelings.docs]
template = "doc-reporter"
repos = ["myorg/website", "myorg/handbook"]
schedule = "12 4 * * *"

[changelings.troll]
template = "test-troll"
repo = "/srv/日本語のリポジトリ"
schedule = "30 2 * * MON-FRI"
pause_after = 2

[changelings.asleep]
template = "test-troll"
repo = "https://gitlab.example.com/platform/services/payment-service"
schedule = "@weekly"
enabled = false

[changelings.by-hand]
template = "security-reporter"
repo = "myorg/myrepo"
"#;

/// A Monday morning in Zurich.
const NOW: &str = "2026-03-02T09:00:00+01:00";

const MYREPO: &str = "https://github.com/myorg/myrepo";
const ATTENTION: &str = "20260302-020000-5be3a1";
const PROPOSED: &str = "20260301-020000-77aa01";

/// With everything below HOME, so that paths are as long everywhere.
fn env() -> TestEnv {
    let env = TestEnv::new();
    env.write("home/.changelings/config.toml", CONFIG);
    env
}

fn store(env: &TestEnv) -> Store {
    history(&env.home().join(".changelings"))
}

fn command(env: &TestEnv, args: &[&str]) -> Invocation {
    env.command(args)
        .env_remove("CHANGELINGS_HOME")
        .env("CHANGELINGS_NOW", NOW)
        .env("TZ", "Europe/Zurich")
}

/// A plan as records keep it.
fn plan(run_id: &str) -> String {
    serde_json::json!({
        "version": 1, "run_id": run_id, "changeling": "nightly-fixmes",
        "template": {"name": "fixme-fairy", "version": "0.1.0", "digest": "0".repeat(64), "built_in": true},
        "repo": MYREPO, "on_github": true,
        "base": {"branch": "main", "commit": "883e82dad54e".repeat(4)[..40]},
        "branch": {"name": "changelings/fixmes-2026-03-02", "reason": "a new branch for today's run",
                   "starts_at": "883e82dad54e".repeat(4)[..40], "updates": null},
        "prompt": "# Task\n\nFix the markers.\n", "delivery": "pull-request", "report": null,
        "pull_request": {"title": "Fixme Fairy: Fixed {commits} FIXMEs", "body": null, "labels": []},
        "permissions": ["repo:read", "publish"], "agent_type": "claude", "mngr_args": [],
        "env_vars": {}, "env_names": [], "allow_paths": [], "steps": [], "notes": [],
        "limits": {"timeout_seconds": 3600, "max_turns": 200, "max_budget_usd": 5.0},
    })
    .to_string()
}

const PATCH: &str = "\
diff --git a/.github/workflows/ci.yml b/.github/workflows/ci.yml
index 1111111..2222222 100644
--- a/.github/workflows/ci.yml
+++ b/.github/workflows/ci.yml
@@ -1 +1,2 @@
-on: push
+on: [push]
+# \u{1b}[31mnot red
diff --git a/src/app.py b/src/app.py
index 3333333..4444444 100644
--- a/src/app.py
+++ b/src/app.py
@@ -3,2 +3 @@
-# FIXME: rounds the wrong way
 x
";

/// A night of several changelings, and the days before.
fn some(env: &TestEnv) -> Store {
    let store = store(env);
    let step = |step| [Event::StepStarted { step }, Event::StepEnded { step }];
    let [mirror, mirrored] = step(StepName::Mirror);
    let [agent, worked] = step(StepName::Agent);
    let [check, checked] = step(StepName::CheckPatch);
    Past {
        id: PROPOSED,
        changeling: "nightly-fixmes",
        started_at: "2026-03-01T02:00:00Z",
        took: Duration::from_secs(754),
        outcome: r#"{"outcome":"pull-request","url":"https://github.com/myorg/myrepo/pull/41","number":41,
                     "branch":"changelings/fixmes-2026-03-01","commits":2}"#,
        cost_usd: Some(0.8342),
        turns: Some(31),
        ..Past::default()
    }
    .write(&store);
    Past {
        id: ATTENTION,
        changeling: "nightly-fixmes",
        started_at: "2026-03-02T02:00:00Z",
        took: Duration::from_secs(611),
        outcome: r#"{"outcome":"needs-attention","why":[".github/workflows/ci.yml is protected: allow_paths does not name it"]}"#,
        cost_usd: Some(1.2),
        turns: Some(17),
        events: vec![
            (0, mirror),
            (2, mirrored),
            (2, Event::Note { message: "12 markers, 3 of them young".into() }),
            (3, agent),
            (3, Event::AgentStarted { argv: ["claude", "-p", "--max-turns", "200"].map(String::from).into() }),
            (600, Event::AgentEnded { exit: Some(0), seconds: 597 }),
            (600, worked),
            (605, Event::Collected { commits: 1, files: 2, uncommitted: true }),
            (606, check),
            (606, checked),
        ],
        files: vec![
            (File::Plan, plan(ATTENTION)),
            (File::Log, LOG.to_owned()),
            (File::Patch, PATCH.to_owned()),
            (File::Uncommitted, "diff --git a/x b/x\n".to_owned()),
        ],
        ..Past::default()
    }
    .write(&store);
    Past {
        id: "20260302-031200-00d0c1",
        changeling: "docs",
        repo: "https://github.com/myorg/website",
        template: "doc-reporter",
        started_at: "2026-03-02T03:12:00Z",
        outcome: r#"{"outcome":"skipped","reason":"no documentation changed, and none is older than the code it is about"}"#,
        took: Duration::from_secs(2),
        ..Past::default()
    }
    .write(&store);
    Past {
        id: "20260302-031203-00d0c2",
        changeling: "docs",
        repo: "https://github.com/myorg/handbook",
        template: "doc-reporter",
        started_at: "2026-03-02T03:12:03Z",
        took: Duration::from_secs(4000),
        outcome: r#"{"outcome":"timed-out","after_seconds":3600}"#,
        cost_usd: Some(0.0021),
        ..Past::default()
    }
    .write(&store);
    for (id, started_at) in [
        ("20260226-013000-7e0011", "2026-02-26T01:30:00Z"),
        ("20260227-013000-7e0022", "2026-02-27T01:30:00Z"),
    ] {
        Past {
            id,
            changeling: "troll",
            repo: "/srv/日本語のリポジトリ",
            template: "test-troll",
            started_at,
            outcome: r#"{"outcome":"failed","step":"agent","exit":1,"message":"it ended with exit code 1",
                         "last_lines":["Invalid API key \u001b[31m· Please run /login"]}"#,
            cost_usd: Some(0.0),
            turns: Some(1),
            ..Past::default()
        }
        .write(&store);
    }
    Past {
        id: "20260302-070000-4ea4ea",
        kind: Kind::Rehearsal,
        changeling: "nightly-fixmes",
        started_at: "2026-03-02T07:00:00Z",
        outcome: r#"{"outcome":"pushed","branch":"changelings/fixmes-2026-03-02","commit":"c0ffee","commits":1}"#,
        ..Past::default()
    }
    .write(&store);
    store
        .deliver(&Delivery {
            run: PROPOSED.to_owned(),
            changeling: "nightly-fixmes".parse().unwrap(),
            repo: MYREPO.to_owned(),
            kind: "pull-request".to_owned(),
            number: 41,
            url: "https://github.com/myorg/myrepo/pull/41".to_owned(),
            title: "Fixme Fairy: Fixed 2 FIXMEs".to_owned(),
            branch: Some("changelings/fixmes-2026-03-01".to_owned()),
            state: "open".to_owned(),
            updated_at: "2026-03-02T02:00:03Z".parse().unwrap(),
        })
        .unwrap();
    store
}

const LOG: &str = r##"{"type":"system","subtype":"init","session_id":"s","model":"claude-sonnet-4-5","tools":["Bash","Edit"]}
{"type":"assistant","message":{"role":"assistant","content":[{"type":"text","text":"I'll look at the oldest marker first."},{"type":"tool_use","id":"t1","name":"Bash","input":{"command":"grep -n FIXME src/app.py"}}]}}
{"type":"user","message":{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":"3:# FIXME: rounds the wrong way\u001b[2J","is_error":false}]}}
{"type":"result","subtype":"success","is_error":false,"duration_ms":597000,"num_turns":17,"result":"Done.","total_cost_usd":1.2}
"##;

/// Checks a snapshot of every command at both widths, and that no line wraps.
fn at_both_widths(env: &TestEnv, name: &str, args: &[&str]) {
    for columns in [80, 120] {
        let shown = command(env, args).terminal(columns).finish();
        let shown = shown.success().nothing_wrapped();
        insta::assert_snapshot!(format!("{name}_{columns}"), shown);
    }
}

#[test]
fn in_a_terminal() {
    let env = env();
    let _store = some(&env);
    at_both_widths(&env, "runs", &["runs"]);
    at_both_widths(
        &env,
        "runs_of_one",
        &["runs", "nightly-fixmes", "--rehearsals"],
    );
    at_both_widths(&env, "show_attention", &["runs", "show", "5be3a1"]);
    at_both_widths(&env, "show_failed", &["runs", "show", "20260227"]);
    at_both_widths(&env, "logs", &["logs", ATTENTION]);
    at_both_widths(&env, "status", &["status"]);
    at_both_widths(&env, "status_of_one", &["status", "troll"]);
    at_both_widths(&env, "list_with_runs", &["list"]);
}
