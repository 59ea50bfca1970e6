//! What a template learns from GitHub: with a grant, through the host, with the user's token.

use std::time::Duration;

use changelings_tests::github::GitHub;
use changelings_tests::{ADA, Output, TestEnv, guests};

const TOKEN: &str = "ghp_0123456789abcdefghijklmnopqrstuvwxyz";

fn issue(number: u32, title: &str) -> serde_json::Value {
    serde_json::json!({
        "number": number,
        "title": title,
        "body": "It does not add up.",
        "user": {"login": "ada"},
        "author_association": "OWNER",
        "labels": [],
        "state": "open",
        "created_at": "2026-01-01T00:00:00Z",
        "updated_at": "2026-01-02T00:00:00Z",
        "html_url": format!("https://github.com/acme/shop/issues/{number}"),
    })
}

/// A world with a shop on a forge and a template that asks for its issues.
fn forge(env: &TestEnv, delay: Duration) -> GitHub {
    guests::hostile(env, "compose", "ask");
    let repo = env.repo("shop");
    repo.write("app.py", "total = 0\n");
    repo.commit(ADA, "2025-01-10", "Add the shop");
    let github = GitHub::start();
    github.serve(&repo, "acme/shop");
    github.add_issue("acme/shop", issue(7, "Rounding is wrong"));
    github.add_issue("acme/shop", issue(3, "Tax is missing"));
    github.slow(delay);
    github
}

fn plan(env: &TestEnv, forge: &GitHub) -> Output {
    let plan = env.command([
        "plan",
        "--template",
        "./compose-ask.wasm",
        "--param",
        "ask=issues",
    ]);
    let plan = plan.arg("--repo").arg(forge.repository("acme/shop"));
    plan.env("GITHUB_API_URL", forge.url())
        .env("GITHUB_TOKEN", TOKEN)
        .run()
}

fn grant(env: &TestEnv) {
    let grant = [
        "permission",
        "grant",
        "./compose-ask.wasm",
        "github:read",
        "--yes",
    ];
    env.changeling(grant).success();
}

#[test]
fn nothing_without_a_grant() {
    let env = TestEnv::new();
    let forge = forge(&env, Duration::ZERO);
    let planned = plan(&env, &forge).success();
    assert!(
        planned
            .stdout
            .contains("no: denied: the permission `github:read`"),
        "{planned}"
    );
    let asked = forge.asked();
    assert!(
        !asked.iter().any(|request| request.path.contains("/issues")),
        "{asked:?}"
    );
}

#[test]
fn issues_with_a_grant() {
    let env = TestEnv::new();
    let forge = forge(&env, Duration::ZERO);
    grant(&env);
    let planned = plan(&env, &forge).success();
    assert!(planned.stdout.contains("Rounding is wrong"), "{planned}");
    assert!(planned.stdout.contains("Tax is missing"), "{planned}");
    let asked = forge.asked();
    let issues: Vec<_> = asked
        .iter()
        .filter(|request| request.path.contains("/issues"))
        .collect();
    assert_eq!(issues.len(), 1, "{asked:?}");
    assert_eq!(issues[0].authorization(), format!("Bearer {TOKEN}"));
    assert!(!format!("{planned}").contains(TOKEN), "{planned}");
}

#[test]
fn a_slow_github_does_not_use_up_the_templates_time() {
    let env = TestEnv::new();
    // Longer than a template may compute.
    let forge = forge(&env, Duration::from_millis(2_500));
    grant(&env);
    let planned = plan(&env, &forge).success();
    assert!(planned.stdout.contains("Rounding is wrong"), "{planned}");
}
