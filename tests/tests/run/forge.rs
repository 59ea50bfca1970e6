//! GitHub and the network when they fail: what was done stays, and the outcome says what is missing.

use std::time::Duration;

use changelings_tests::github::rate_limited;
use changelings_tests::http::Reply;
use changelings_tests::traces::wait_for;
use serde_json::json;

use super::{COMMIT, Ran, Shop, TOKEN, events};

/// The branch is there; the pull request could not be opened, and why is said.
#[track_caller]
fn pushed_without_a_pull_request(shop: &Shop, ran: Ran, why: &str) {
    let ran = ran.is("needs-attention", 3).says(why);
    assert_eq!((shop.branches().len(), shop.pulls().len()), (1, 0));
    assert!(ran.file("patch.diff").contains("+    # mended"));
    assert!(!ran.output.to_string().contains(TOKEN));
}

#[test]
fn refusals_of_a_pull_request() {
    let message = |text: &str| json!({ "message": text });
    for (reply, why) in [
        (Reply::json(401, &message("Bad credentials")), "401"),
        (
            Reply::json(
                403,
                &message("Resource not accessible by personal access token"),
            ),
            "not accessible",
        ),
        (rate_limited(1_795_348_800), "rate"),
        (
            Reply::json(422, &message("Validation Failed: base is protected")),
            "base is protected",
        ),
        (Reply::json(500, &message("Server Error")), "500"),
    ] {
        let shop = Shop::new();
        shop.github.answers("POST", "/pulls", reply, usize::MAX);
        let ran = shop.with_agent(COMMIT);
        pushed_without_a_pull_request(&shop, ran, why);
    }
}

/// The next run finds the branch without a pull request, and no second one comes of it.
#[test]
fn a_pull_request_is_made_up_for() {
    let shop = Shop::new();
    shop.github
        .answers("POST", "/pulls", Reply::json(502, &json!({})), usize::MAX);
    shop.with_agent(COMMIT).is("needs-attention", 3);
    shop.github.recovers();
    shop.with_agent(COMMIT).is("pull-request", 0);
    assert_eq!(shop.pulls().len(), 1);
}

#[test]
fn an_answer_that_was_lost_opens_no_second_pull_request() {
    let shop = Shop::new();
    // It does what it was asked, and the answer does not arrive.
    shop.github.loses_answers("POST", "/pulls", 1);
    shop.with_agent(COMMIT).is("pull-request", 0);
    assert_eq!(shop.pulls().len(), 1);
}

#[test]
fn a_github_that_hangs_is_not_waited_for_for_ever() {
    let shop = Shop::new();
    shop.github
        .answers("POST", "/pulls", Reply::never(), usize::MAX);
    let ran = shop.ran(shop.prepare_with(COMMIT).patience(Duration::from_mins(4)));
    pushed_without_a_pull_request(&shop, ran, "");
}

#[test]
fn the_network_is_gone_when_the_work_is_done() {
    let shop = Shop::new();
    let script = format!("{COMMIT}; touch $root/done; until [ -e $root/go ]; do sleep 0.02; done");
    let mut run = shop.prepare_with(&script).spawn();
    wait_for("the work", || shop.env.root().join("done").exists());
    shop.github.answers("", "", Reply::gone(), usize::MAX);
    shop.env.write("go", "");
    assert_eq!(run.wait().expect("waiting for a run").code(), Some(3));
    let [folder] = &shop.records()[..] else {
        panic!("one record")
    };
    let outcome = events(folder).pop().expect("an end")["outcome"].to_string();
    assert!(
        outcome.contains("needs-attention") && outcome.contains("kept"),
        "{outcome}"
    );
    let patch = std::fs::read_to_string(folder.join("patch.diff")).expect("a patch");
    assert!(patch.contains("+    # mended"));
    assert!(shop.branches().is_empty());
    // What it left for a person to do is true.
    shop.github.recovers();
    let shown = shop
        .command(["runs", "show", "last", "--json"])
        .run()
        .success()
        .json();
    let next = shown["next"]
        .as_array()
        .unwrap_or_else(|| panic!("{shown:#}"));
    let next = next.iter().find(|next| next["what"] == "publish them");
    let next = next
        .and_then(|next| next["command"].as_str())
        .unwrap_or_else(|| panic!("{shown:#}"));
    let by_hand = shop.env.external("sh", ["-c", next]);
    by_hand
        .env("GIT_CONFIG_COUNT", "1")
        .env("GIT_CONFIG_KEY_0", "credential.helper")
        .env(
            "GIT_CONFIG_VALUE_0",
            format!("!printf 'username=x-access-token\\npassword={TOKEN}\\n' #"),
        )
        .run()
        .success();
    assert_eq!(shop.branches().len(), 1);
}

#[test]
fn the_network_was_never_there() {
    let shop = Shop::new();
    shop.github.answers("", "", Reply::gone(), usize::MAX);
    let ran = shop.with_agent("touch $root/started").is("failed", 4);
    assert_eq!(ran.outcome["step"], "mirror");
    assert!(!shop.env.root().join("started").exists());
}

#[test]
fn a_token_that_is_not_taken() {
    let shop = Shop::new();
    let run = shop
        .prepare_with("touch $root/started")
        .env("GITHUB_TOKEN", "ghp_of_yesterday_0123456789abcdefghijkl");
    let output = run.run();
    assert!([1, 3, 4].contains(&output.code), "{output}");
    assert!(
        output.stderr.contains("help: ") && output.stderr.contains("GITHUB_TOKEN"),
        "{output}"
    );
    // A person hears of it once, and of no log: there was no agent.
    let run = shop.command(["run", "nightly", "--local", "--agent-command"]);
    let run = run.arg(shop.agent("touch $root/started"));
    let run = run.env("GITHUB_TOKEN", "ghp_of_yesterday_0123456789abcdefghijkl");
    let run = run.run().exits(3);
    let said = format!("{}{}", run.stdout, run.stderr);
    assert_eq!(said.matches("does not let us in").count(), 1, "{run}");
    assert!(!said.contains("changeling logs"), "{run}");
    assert!(!shop.env.root().join("started").exists());
}
