//! `runs`, `logs`, `status`: what people see of runs afterwards.

mod past;

use std::time::Duration;

use changelings::exec::{Event, StepName};
use changelings::record::{Delivery, File, Kind, Store};
use changelings_tests::github::{GitHub, pull};
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
            files: vec![(File::Log, "Invalid API key \u{1b}[31m· Please run /login\n".to_owned())],
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

const LOG: &str = r#"{"type":"system","subtype":"init","session_id":"s","model":"claude-sonnet-4-5","tools":["Bash","Edit"]}
{"type":"assistant","message":{"role":"assistant","content":[{"type":"text","text":"I'll look at the oldest marker first."},{"type":"tool_use","id":"t1","name":"Bash","input":{"command":"grep -n FIXME src/app.py"}}]}}
{"type":"user","message":{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":"3:# FIXME: rounds the wrong way\u001b[2J","is_error":false}]}}
{"type":"result","subtype":"success","is_error":false,"duration_ms":597000,"num_turns":17,"result":"Done.","total_cost_usd":1.2}
"#;

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

#[test]
fn what_has_paused_fires_nowhere() {
    let env = env();
    let _store = some(&env);
    let show = command(&env, &["show", "troll"]).run().success();
    assert!(show.stdout.contains("changeling enable troll"), "{show}");
    let show = command(&env, &["show", "troll", "--json"]).run().success();
    let show = show.json();
    assert_eq!(show["why_no_fire"], "paused", "{show:#}");
    assert_eq!(show["next_fires"], serde_json::json!([]));
}

#[test]
fn no_row_is_wider_than_any_terminal() {
    let env = env();
    let _store = some(&env);
    for columns in (40..=160).step_by(13) {
        for args in [&["runs", "--rehearsals"][..], &["status"], &["list"]] {
            let shown = command(&env, args).terminal(columns).finish();
            shown.success().nothing_wrapped();
        }
    }
}

#[test]
fn as_json() {
    let env = env();
    let _store = some(&env);
    for (name, args) in [
        ("runs_json", &["runs", "nightly-fixmes", "--json"][..]),
        ("show_json", &["runs", "show", "5be3a1", "--json"]),
        ("status_json", &["status", "--json"]),
        ("logs_json", &["logs", "20260227", "--json"]),
    ] {
        let output = command(&env, args).run().success();
        assert_eq!(output.stderr, "");
        output.json();
        insta::assert_snapshot!(name, output.normalised_stdout());
    }
}

#[test]
fn runs_are_found() {
    let env = env();
    let store = some(&env);
    Past {
        id: "20260105-020000-9009aa",
        changeling: "gone",
        repo: "git@github.com:myorg/myrepo.git",
        started_at: "2026-01-05T02:00:00Z",
        ..Past::default()
    }
    .write(&store);
    let found = |args: &[&str]| -> Vec<String> {
        let args = [&["runs", "--json"], args].concat();
        let json = command(&env, &args).run().success().json();
        let ids = json["runs"].as_array().unwrap().iter();
        ids.map(|run| run["id"].as_str().unwrap()[16..].to_owned())
            .collect()
    };
    let all = [
        "00d0c2", "00d0c1", "5be3a1", "77aa01", "7e0022", "7e0011", "9009aa",
    ];
    assert_eq!(found(&[]), all);
    assert_eq!(found(&["--limit", "2"]), all[..2]);
    assert_eq!(found(&["--limit", "0"]), all);
    assert_eq!(found(&["--rehearsals", "--limit", "1"]), ["4ea4ea"]);
    // However the repository is written.
    assert_eq!(
        found(&["--repo", "myorg/myrepo"]),
        ["5be3a1", "77aa01", "9009aa"]
    );
    assert_eq!(
        found(&["--repo", "git@github.com:myorg/website"]),
        ["00d0c1"]
    );
    assert_eq!(
        found(&["--outcome", "failed", "--outcome", "skipped"]),
        ["00d0c1", "7e0022", "7e0011"]
    );
    assert_eq!(
        found(&["--since", "2d"]),
        ["00d0c2", "00d0c1", "5be3a1", "77aa01"]
    );
    assert_eq!(
        found(&["--since", "2026-03-02"]),
        ["00d0c2", "00d0c1", "5be3a1"]
    );
    assert_eq!(found(&["--since", "2026-03-02T03:12:03Z"]), ["00d0c2"]);
    // What is no longer configured has its past.
    assert_eq!(found(&["gone"]), ["9009aa"]);

    let shown = |run: &str| {
        let json = command(&env, &["runs", "show", run, "--json"])
            .run()
            .success()
            .json();
        json["run"]["id"].as_str().unwrap().to_owned()
    };
    assert_eq!(shown("last"), "20260302-070000-4ea4ea");
    assert_eq!(shown("troll"), "20260227-013000-7e0022");
    for same in [ATTENTION, "20260302-02", "5be3a1"] {
        assert_eq!(shown(same), ATTENTION);
    }
}

#[test]
fn what_is_mistyped_is_told() {
    let env = env();
    let _store = some(&env);
    let mut said = String::new();
    for args in [
        &["runs", "nihtly-fixmes"][..],
        &["runs", "--since", "yesterday"],
        &["runs", "--outcome", "sucess"],
        &["runs", "show", "20260302-0"],
        &["runs", "show", "zebra"],
        &["logs", "../../etc/passwd"],
        &["status", "zebra"],
    ] {
        said += &command(&env, args).run().exits(2).to_string();
        said += "\n";
    }
    said += &command(&env, &["runs", "show", "docs", "--patch"])
        .run()
        .exits(1)
        .to_string();
    insta::assert_snapshot!(said);
}

#[test]
fn without_a_history() {
    let env = TestEnv::untouched();
    let mut said = String::new();
    for (args, code) in [
        (&["runs"][..], 0),
        (&["status"], 0),
        (&["runs", "show", "last"], 2),
        (&["logs"], 2),
    ] {
        said += &env.changeling(args).exits(code).to_string();
        said += "\n";
    }
    insta::assert_snapshot!(said);
    let empty = env.changeling(["runs", "--json"]).success().json();
    assert_eq!(empty, serde_json::json!({"runs": []}));
    let status = env.changeling(["status", "--json"]).success().json();
    assert_eq!(status["changelings"], serde_json::json!([]));
    assert!(
        !env.changelings_home().exists(),
        "a reading command writes nothing"
    );
}

/// Every file below a folder with what it holds; of a database its rows are compared instead.
fn files(folder: &std::path::Path) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(self::files(&path));
        } else if !path.to_string_lossy().contains("runs.sqlite") {
            files.push((path.clone(), std::fs::read(path).unwrap()));
        }
    }
    files.sort();
    files
}

#[test]
fn readers_only_say_who_died() {
    let env = env();
    let store = some(&env);
    drop(
        Past {
            id: "20260302-075500-dead01",
            changeling: "by-hand",
            started_at: "2026-03-02T07:55:00Z",
            files: vec![(File::Log, "half a li".to_owned())],
            ..Past::default()
        }
        .begin(&store),
    );
    let before = files(&env.home());
    for args in [
        &["list"][..],
        &["status"],
        &["runs"],
        &["runs", "show", "last"],
        &["logs", "-f"],
    ] {
        command(&env, args).run().success();
    }
    assert_eq!(files(&env.home()), before);
    let record = store.run("dead01").unwrap();
    assert!(record.is_none());
    let record = store.run("20260302-075500-dead01").unwrap().unwrap();
    assert_eq!(record.outcome.unwrap().word(), "interrupted");
    assert_eq!(store.unclean().unwrap(), ["20260302-075500-dead01"]);
}

#[test]
fn a_living_run_is_seen_and_followed_to_its_end() {
    let env = env();
    let store = some(&env);
    let past = Past {
        id: "20260302-075500-a11fe0",
        changeling: "by-hand",
        started_at: "2026-03-02T07:55:00Z",
        events: vec![(
            1,
            Event::StepStarted {
                step: StepName::Agent,
            },
        )],
        ..Past::default()
    };
    let mut living = past.begin(&store);
    let shown = command(&env, &["status", "by-hand"]).terminal(80).finish();
    insta::assert_snapshot!("status_living", shown.success().nothing_wrapped());
    let output = command(&env, &["logs", "a11fe0"]).run().success();
    assert_eq!(output.stdout, "");
    assert!(output.stderr.contains("goes on"), "{output}");

    let mut follower = command(&env, &["logs", "by-hand", "--follow"]).terminal(80);
    living.log(b"the first line\n").unwrap();
    follower.wait_for("the first line");
    // Half of a message shows nothing yet.
    living
        .log(br#"{"type":"assistant","message":{"content":[{"type":"te"#)
        .unwrap();
    living.log(b"xt\",\"text\":\"I am at it.\"}]}}\n").unwrap();
    follower.wait_for("I am at it.");
    living.log(b"no line break at its end").unwrap();
    past.finish(living);
    let shown = follower.finish().success();
    assert!(shown.screen.contains("no line break at its end"), "{shown}");
    assert!(shown.screen.contains("a11fe0 ended: no-changes"), "{shown}");
    assert!(!shown.screen.contains("\"type\""), "{shown}");
}

#[test]
fn what_needs_a_person_is_settled() {
    let env = env();
    let _store = some(&env);
    let needs = || -> Vec<String> {
        let status = command(&env, &["status", "--json"]).run().success().json();
        let needs = status["needs_person"].as_array().unwrap().iter();
        needs
            .map(|need| {
                format!(
                    "{} {}",
                    need["changeling"].as_str().unwrap(),
                    need["what"].as_str().unwrap()
                )
            })
            .collect()
    };
    let say = |args: &[&str]| command(&env, args).run().success().stderr;
    assert_eq!(
        needs(),
        [
            "troll paused",
            "nightly-fixmes needs-attention",
            "docs timed-out"
        ]
    );
    let dry = say(&["runs", "settle", "5be3a1", "--dry-run"]);
    assert_eq!(dry, format!("would be settled: run {ATTENTION}\n"));
    assert_eq!(needs().len(), 3);
    say(&["runs", "settle", "5be3a1"]);
    assert_eq!(
        say(&["runs", "settle", "5be3a1"]),
        format!("run {ATTENTION} is settled already\n")
    );
    assert_eq!(needs(), ["troll paused", "docs timed-out"]);
    assert_eq!(
        say(&["enable", "troll", "--dry-run"]),
        "would run again: `troll`, which has paused\n"
    );
    assert_eq!(needs(), ["troll paused", "docs timed-out"]);
    assert_eq!(
        say(&["enable", "troll"]),
        "`troll` had paused, and runs again\n"
    );
    assert_eq!(say(&["enable", "troll"]), "`troll` is enabled already\n");
    // It still failed the last time.
    assert_eq!(needs(), ["docs timed-out", "troll failed"]);
}

#[test]
fn a_patch_is_what_it_was() {
    let env = env();
    let _store = some(&env);
    let output = command(&env, &["runs", "show", ATTENTION, "--patch"])
        .run()
        .success();
    assert_eq!(output.stdout, PATCH);
    let shown = command(&env, &["runs", "show", ATTENTION, "--patch"])
        .terminal(80)
        .finish();
    let shown = shown.success();
    assert!(
        shown.screen.contains("\\u{1b}[31mnot red") && !shown.coloured(),
        "{shown}"
    );
    let raw = command(&env, &["logs", ATTENTION, "--raw"]).run().success();
    assert_eq!(raw.stdout, LOG);
}

#[test]
fn what_did_not_pass_the_check_is_not_offered_as_it_is() {
    let env = env();
    let store = some(&env);
    let repo: changelings::repo_url::RepoUrl = MYREPO.to_owned().try_into().unwrap();
    let source = env.repo("source");
    source.write("a", "a\n");
    source.commit(changelings_tests::ADA, "2024-03-01", "Begin");
    let mirror = env
        .home()
        .join(format!(".changelings/mirrors/{}.git", repo.key()));
    let run = format!("refs/heads/main:refs/runs/{ATTENTION}/heads/changelings/fixmes-2026-03-02");
    env.external("git", ["init", "--quiet", "--bare"])
        .arg(&mirror)
        .run()
        .success();
    source.git(["push", "--quiet", mirror.to_str().unwrap(), &run]);
    let tip = source.git(["rev-parse", "HEAD"]);
    let commands = || -> Vec<String> {
        let shown = command(&env, &["runs", "show", ATTENTION, "--json"])
            .run()
            .success()
            .json();
        let next = shown["next"].as_array().unwrap().iter();
        next.map(|advice| advice["command"].as_str().unwrap().to_owned())
            .collect()
    };
    let by_patch = format!("changeling runs show {ATTENTION} --patch | git apply --index");
    let is_by_patch = || {
        let commands = commands();
        let by_mirror = commands.iter().any(|it| it.contains("mirrors/"));
        assert!(
            by_mirror != commands.iter().any(|it| it.contains(&by_patch)),
            "{commands:?}"
        );
        !by_mirror
    };
    assert!(is_by_patch());
    // Whatever its events say: the agent could write them.
    let publish = Event::StepStarted {
        step: StepName::Publish,
    };
    let now = NOW.parse().unwrap();
    store.add_event(ATTENTION, now, &publish).unwrap();
    assert!(is_by_patch());
    // Others than the mirror holds, such as what a run held that died later.
    let recording = store.reopen(ATTENTION).unwrap().unwrap();
    recording.has_checked(&"0".repeat(40)).unwrap();
    assert!(is_by_patch());
    recording.has_checked(tip.trim()).unwrap();
    assert!(!is_by_patch());
}

#[test]
fn a_history_that_cannot_be_read_is_one_clear_error() {
    let env = env();
    drop(some(&env));
    let file = env.home().join(".changelings/runs/runs.sqlite");
    std::fs::write(&file, "no database, whatever its name says").unwrap();
    let mut said = String::new();
    for (args, code) in [(&["runs"][..], 1), (&["status"], 1), (&["list"], 0)] {
        said += &command(&env, args).run().exits(code).normalised_stderr();
    }
    insta::assert_snapshot!(said);
    let doctor = command(&env, &["doctor"]).run().exits(1);
    assert!(doctor.stdout.contains("the run history"), "{doctor}");
}

#[test]
fn colour_only_where_it_belongs() {
    let env = env();
    let _store = some(&env);
    for args in [
        &["runs"][..],
        &["status"],
        &["runs", "show", "5be3a1"],
        &["logs", ATTENTION],
    ] {
        assert!(
            command(&env, args).terminal(80).finish().coloured(),
            "{args:?}"
        );
        let plain = command(&env, args)
            .env("NO_COLOR", "1")
            .terminal(80)
            .finish();
        assert!(!plain.coloured(), "{args:?}");
        assert!(
            !command(&env, args).run().stdout.contains('\x1b'),
            "{args:?}"
        );
    }
}

#[test]
fn what_became_of_a_pull_request_is_asked_when_it_is_wanted() {
    let env = env();
    let _store = some(&env);
    let merged = pull("myorg/myrepo", 41, "Fixed two", "", "merged");
    let github = GitHub::with(Vec::new(), vec![merged]);
    let open = |args: &[&str], url: &str| -> usize {
        let output = command(&env, args)
            .env("GITHUB_API_URL", url)
            .run()
            .success();
        output.json()["open"].as_array().unwrap().len()
    };
    assert_eq!(open(&["status", "--json"], &github.url()), 1);
    assert!(github.asked().is_empty(), "reading asks nobody");
    // Nobody is there: what was known stays, and is said.
    let lost = command(&env, &["status", "--refresh"])
        .env("GITHUB_API_URL", "http://127.0.0.1:9")
        .run()
        .success();
    assert!(lost.stderr.contains("what nightly-fixmes opened"), "{lost}");
    assert!(lost.stdout.contains("pull/41"), "{lost}");
    // Only where something is open.
    assert_eq!(
        open(&["status", "docs", "--refresh", "--json"], &github.url()),
        0
    );
    assert!(github.asked().is_empty());
    assert_eq!(open(&["status", "--refresh", "--json"], &github.url()), 0);
    assert_eq!(open(&["status", "--json"], &github.url()), 0);
    let json = command(&env, &["runs", "show", PROPOSED, "--json"])
        .run()
        .success()
        .json();
    assert_eq!(json["deliveries"][0]["state"], "merged");
    assert_eq!(json["deliveries"][0]["title"], "Fixed two");
}

/// Rehearsals leave records like any run.
#[test]
fn a_real_record() {
    let env = TestEnv::new();
    let repo = env.sample_repo();
    let path = repo.path().to_str().unwrap();
    env.changeling(["rehearse", "--template", "fixme-fairy", "--repo", path])
        .success();
    let runs = env.changeling(["runs"]).success();
    assert!(runs.stderr.contains("only rehearsals"), "{runs}");
    let show = env.changeling(["runs", "show", "last"]).success();
    for text in [
        "rehearsal: nothing was published",
        "What happened",
        "1 file changed",
        "prompt.md",
    ] {
        assert!(show.stdout.contains(text), "{text}: {show}");
    }
    assert!(!show.stdout.contains("did not end"), "{show}");
    let patch = env
        .changeling(["runs", "show", "last", "--patch"])
        .success();
    assert!(patch.stdout.starts_with("diff --git "), "{patch}");
    let logs = env.changeling(["logs"]).success();
    assert!(
        !logs.stdout.is_empty() && logs.stderr.contains("ended: pushed"),
        "{logs}"
    );
}

/// A world with one changeling of a repository of its own, and more lines of configuration.
fn shop(more: &str) -> TestEnv {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    repo.write("app.py", "# FIXME: rounds the wrong way\n");
    repo.commit(changelings_tests::ADA, "2024-03-01", "Add the shop");
    let config = format!(
        "[changelings.nightly]\ntemplate = \"fixme-fairy\"\nrepo = \"{}\"\ntimezone = \"UTC\"\n\
         identity = {{ name = \"Ada\", email = \"ada@example.org\" }}\n{more}",
        repo.path().display()
    );
    env.write_config(&config);
    env
}

/// A run of it that starts so many seconds later: which of two came first is known by that.
fn run(env: &TestEnv, second: u32, agent: &str) -> changelings_tests::Output {
    let script = format!("#!/bin/sh\ncat > /dev/null\n{agent}\n");
    let program = env.program("agent", &script);
    let run = env.command(["run", "nightly", "--local", "--agent-command"]);
    run.arg(program)
        .env("GITHUB_TOKEN", "hunter2-hunter2")
        .env("CHANGELINGS_NOW", format!("2026-03-02T09:00:{second:02}Z"))
        .run()
}

#[test]
fn whoever_wants_to_know_is_told_and_changes_nothing() {
    let env = shop("[notify]\ncommand = \"tell-me\"\n");
    let told = env.root().join("told");
    let script = format!("#!/bin/sh\ncat > '{}'; exit 5\n", told.display());
    env.program("tell-me", &script);
    let output = run(&env, 0, "echo nothing to do").success();
    assert!(!told.exists(), "not wanted: {output}");

    let output = run(
        &env,
        1,
        "echo \"it is $GITHUB_TOKEN or hunter2-hunter2\"; exit 7",
    )
    .exits(4);
    assert!(
        output.stderr.contains("nobody is told by command"),
        "{output}"
    );
    let text = std::fs::read_to_string(&told).unwrap();
    assert!(!text.contains("hunter2"), "{text}");
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json["run"]["outcome"], "failed");
    assert_eq!(json["run"]["exit_code"], 4);
    let show = env.changeling(["runs", "show", "last"]).success();
    assert!(
        show.stdout
            .contains("nobody was told by command: it ended with exit code 5"),
        "{show}"
    );
    // A rehearsal is nobody's business.
    std::fs::remove_file(&told).unwrap();
    let agent = env.bin().join("agent");
    let rehearse = env
        .command(["rehearse", "nightly", "--agent-command"])
        .arg(agent);
    rehearse.run().exits(4);
    assert!(!told.exists());
}

#[test]
fn old_records_go_and_work_that_nobody_published_stays() {
    let env = shop("keep_runs = 2\npause_after = 0\n");
    let ids = || -> Vec<String> {
        let json = env.changeling(["runs", "--json"]).success().json();
        let runs = json["runs"].as_array().unwrap().iter();
        runs.map(|run| run["id"].as_str().unwrap().to_owned())
            .collect()
    };
    let commit = "echo x > x; git add x; git commit -qm x";
    run(&env, 0, &format!("{commit}; exit 7")).exits(4);
    let unpublished = ids().remove(0);
    let mirrors = env.changelings_home().join("mirrors");
    let mut mirrors = std::fs::read_dir(mirrors)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    // Beside it lies its lock.
    let mirror = mirrors.find(|path| path.is_dir()).unwrap();
    let refs = || {
        let list = ["for-each-ref", "--format=%(refname)", "refs/runs"];
        env.external("git", ["-C"])
            .arg(&mirror)
            .arg(list[0])
            .arg(list[1])
            .arg(list[2])
            .run()
            .success()
            .stdout
    };
    assert!(refs().contains(&unpublished));
    let mut second = 0;
    let mut later = |agent: &str| {
        second += 1;
        run(&env, second, agent).success();
        ids().remove(0)
    };
    let pushed = later(commit);
    assert!(refs().contains(&pushed));
    let (second, third) = (later("true"), later("true"));
    assert_eq!(ids(), [third.clone(), second.clone(), unpublished.clone()]);
    assert!(!refs().contains(&pushed) && refs().contains(&unpublished));
    assert!(!env.changelings_home().join("runs").join(&pushed).exists());
    // What it is about was looked at.
    env.changeling(["runs", "settle", &unpublished]).success();
    let fourth = later("true");
    assert_eq!(ids(), [fourth, third]);
    assert_eq!(refs(), "");
}
