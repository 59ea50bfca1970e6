//! What keeps a changeling from running: money, failures in a row, a person's word.

use super::{COMMIT, Shop};

/// A result as claude tells it.
fn costs(usd: f64) -> String {
    format!(
        "echo '{{\"type\":\"result\",\"is_error\":false,\"result\":\"Looked.\",\"total_cost_usd\":{usd},\"num_turns\":2}}'"
    )
}

#[test]
fn a_changeling_that_fails_is_paused_until_it_succeeds() {
    let mut shop = Shop::new();
    shop.with("pause_after = 2");
    let scheduled = |script: &str| shop.ran(shop.prepare_with(script).arg("--scheduled"));
    scheduled("exit 7").is("failed", 4);
    scheduled("exit 7").is("failed", 4);
    scheduled("touch $root/started")
        .is("skipped", 0)
        .says("paused");
    assert!(!shop.env.root().join("started").exists());
    let status = shop.command(["status"]).run().success();
    assert!(status.stdout.contains("paused"), "{status}");
    // A person may try.
    shop.with_agent(COMMIT).is("pull-request", 0);
    scheduled("true").is("no-changes", 0);
}

#[test]
fn the_months_budget_is_kept() {
    let mut shop = Shop::new();
    let config = shop
        .config
        .replace("[defaults]\n", "[defaults]\nmonthly_budget_usd = 10\n");
    shop.config = config;
    shop.with("max_budget_usd = 7");
    shop.with_agent(&costs(6.5)).is("no-changes", 0);
    let ran = shop.with_agent(&costs(3.5)).is("no-changes", 0);
    assert!(
        ran.output
            .stdout
            .contains("3.50 of this month's 10 USD are left"),
        "{}",
        ran.output
    );
    let refused = shop.prepare_with("touch $root/started").run().exits(3);
    assert!(refused.stderr.contains("monthly_budget_usd"), "{refused}");
    assert!(!shop.env.root().join("started").exists());
    let runs = shop.command(["runs", "--json"]).run().success().json();
    let mut costs: Vec<_> = runs["runs"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|run| run["cost_usd"].as_f64())
        .collect();
    costs.sort_by(f64::total_cmp);
    assert_eq!(costs, [3.5, 6.5]);
}

#[test]
fn one_that_is_disabled_does_not_run() {
    let shop = Shop::new();
    shop.command(["disable", "nightly"]).run().success();
    let refused = shop.prepare_with("touch $root/started").run().exits(3);
    assert!(
        refused.stderr.contains("changeling enable nightly"),
        "{refused}"
    );
    assert!(!shop.env.root().join("started").exists());
}

#[test]
fn somebody_is_told_how_it_ended() {
    let mut shop = Shop::new();
    let told = shop.env.root().join("told");
    let hear = shop
        .env
        .program("hear", &format!("#!/bin/sh\ncat >> '{}'\n", told.display()));
    shop.with(&format!("[notify]\ncommand = [\"{}\"]", hear.display()));
    shop.with_agent(COMMIT).is("pull-request", 0);
    assert!(!told.exists(), "nobody asked to be told of what went well");
    shop.with_agent(&format!("echo {}; exit 7", super::TOKEN))
        .is("failed", 4);
    let letter = std::fs::read_to_string(told).expect("a letter");
    let letter: serde_json::Value = serde_json::from_str(&letter).expect("one document");
    assert!(
        letter.to_string().contains("nightly") && letter.to_string().contains("failed"),
        "{letter}"
    );
    assert!(!letter.to_string().contains(super::TOKEN), "{letter}");
}
