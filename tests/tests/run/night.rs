//! A whole night with real parts: three changelings, a repository that is served, mngr and claude; only
//! the model and GitHub are the test's own.

use changelings_tests::anthropic::{Anthropic, KEY, Turn};
use changelings_tests::hostile::assert_not_sprung;
use changelings_tests::http::Reply;
use changelings_tests::traces::{Watch, files_with};
use changelings_tests::{ADA, Invocation, TestEnv, tools};
use serde_json::Value;

use super::hostile::trapped;
use super::{Shop, events};

/// Puts the real ones on the PATH; `false` after a loud word.
fn equip(shop: &Shop) -> bool {
    let claude = tools::claude();
    if let Some(claude) = claude {
        shop.env.link_program("claude", claude);
    }
    shop.link_mngr(tools::mngr()) && claude.is_some()
}

fn add(shop: &Shop, api: &Anthropic, template: &str, name: &str) {
    shop.command([
        "add",
        name,
        "--template",
        template,
        "--repo",
        &shop.github.repository("acme/shop"),
    ])
    .arg("--env")
    .arg(format!("ANTHROPIC_BASE_URL={}", api.url()))
    .arg("--identity=Night Shift <night@example.org>")
    .arg("--schedule=0 3 * * *")
    .arg("--timezone=UTC")
    .arg("--timeout=3m")
    .arg("--unattended")
    .arg("--yes")
    .run()
    .success();
}

fn run(shop: &Shop, name: &str) -> Invocation {
    shop.prepare(name).env("ANTHROPIC_API_KEY", KEY)
}

fn parcels(env: &TestEnv) -> changelings_tests::Repo<'_> {
    let repo = env.repo("shop");
    repo.write(
        "app.py",
        "def total(items):\n    # FIXME: rounds the wrong way\n    return sum(items)\n",
    )
    .write(
        "tests/test_app.py",
        "from app import total\n\n\ndef test_total():\n    total([1])\n",
    )
    .write(
        "pyproject.toml",
        "[project]\nname = \"shop\"\nversion = \"1.0\"\n\n[tool.pytest.ini_options]\n",
    )
    .write("README.md", "# Shop\n\n`total(items)` adds up.\n");
    repo.commit(ADA, "2025-01-10", "Add the shop");
    repo
}

#[test]
fn three_changelings() {
    let shop = Shop::of(parcels);
    if !equip(&shop) {
        return;
    }
    let api = Anthropic::with(Vec::new());
    api.when("FIXME", Turn::rounds_the_total());
    api.when(
        "test_app.py",
        vec![
            Turn::write(
                "tests/test_app.py",
                "from app import total\n\n\ndef test_total():\n    assert total([1]) == 1\n",
            ),
            Turn::bash("git add -A && git commit -qm 'Check what the test is about'"),
            Turn::say("The test checks something now."),
        ],
    );
    api.when(
        "CHANGELING_REPORT",
        vec![
            Turn::bash("printf '# Docstrings\\n\\n`total` has none.\\n' > \"$CHANGELING_REPORT\""),
            Turn::say("The report is written."),
        ],
    );
    for (template, name) in [
        ("fixme-fairy", "fairy"),
        ("test-troll", "troll"),
        ("docstring-reporter", "reporter"),
    ] {
        add(&shop, &api, template, name);
    }
    let watch = Watch::of(shop.env.root());
    let [fairy, troll, reporter] =
        ["fairy", "troll", "reporter"].map(|name| shop.ran(run(&shop, name)));
    let seen = watch.seen();

    let fairy = fairy.is("pull-request", 0);
    let troll = troll.is("pull-request", 0);
    let reporter = reporter.is("pull-request", 0);
    assert!(
        reporter.file("report.md").contains("`total` has none."),
        "{}",
        reporter.outcome
    );
    let pulls = shop.pulls();
    assert_eq!((shop.branches().len(), pulls.len()), (3, 3));
    for (ran, title, subject) in [
        (&fairy, "Fixme Fairy", "Round the total"),
        (&troll, "Test Troll", "Check what the test is about"),
    ] {
        let branch = ran.outcome["branch"].as_str().expect("a branch");
        let log = shop.in_bare(["log", "--format=%an: %s", &format!("main..{branch}")]);
        assert_eq!(log.trim(), format!("Night Shift: {subject}"));
        let pull = pulls
            .iter()
            .find(|pull| pull["head"]["ref"] == branch)
            .expect("its pull request");
        assert_eq!(ran.outcome["url"], pull["html_url"]);
        assert!(pull["title"].as_str().unwrap().contains(title), "{pull}");
    }
    assert!(
        pulls
            .iter()
            .any(|pull| pull["body"].as_str().unwrap().contains("Rounded it."))
    );

    // What it cost, as claude told it.
    let runs = shop.command(["runs", "--json"]).run().success().json();
    let runs = runs["runs"].as_array().expect("a list").clone();
    assert_eq!(runs.len(), 3);
    for run in &runs {
        assert!(cost(run) > 0.0, "{run}");
    }
    shop.command(["status", "--json"]).run().success();
    for folder in shop.records() {
        assert_eq!(events(&folder).last().unwrap()["event"], "ended");
    }
    assert_eq!(api.prompts().len(), 3, "{:?}", api.prompts());
    shop.nothing_lives();

    // The keys are nowhere.
    let keys = [KEY.to_owned(), super::TOKEN.to_owned()];
    for line in seen {
        assert!(
            !keys.iter().any(|key| line.contains(key)),
            "on a command line: {line}"
        );
    }
    let found = files_with(shop.env.root(), &keys);
    assert!(found.is_empty(), "{found:#?}");
}

/// The first number under a key that speaks of cost.
fn cost(run: &Value) -> f64 {
    match run {
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| {
                if name.contains("cost") {
                    value.as_f64().unwrap_or(0.0)
                } else {
                    cost(value)
                }
            })
            .fold(0.0, f64::max),
        _ => 0.0,
    }
}

#[test]
fn the_real_claude_in_a_repository_that_means_harm() {
    let shop = trapped();
    if !equip(&shop) {
        return;
    }
    let api = Anthropic::with(vec![
        Turn::bash(
            "echo '    # mended' >> app.py; git -c core.hooksPath=/dev/null commit -qam 'Mend it'",
        ),
        Turn::say("Mended."),
    ]);
    add(&shop, &api, "fixme-fairy", "fairy");
    shop.ran(run(&shop, "fairy")).is("pull-request", 0);
    assert_not_sprung(&shop.env.root().join("tripped/trap"));
    shop.nothing_lives();
}

#[test]
fn a_key_that_is_not_taken() {
    let shop = Shop::of(parcels);
    if !equip(&shop) {
        return;
    }
    let api = Anthropic::with(Vec::new());
    add(&shop, &api, "fixme-fairy", "fairy");
    let wrong =
        run(&shop, "fairy").env("ANTHROPIC_API_KEY", KEY.replace("0123456789", "9876543210"));
    let ran = shop.ran(wrong).is("failed", 4);
    assert_eq!(ran.outcome["step"], "agent");
    ran.says("its key or login is refused");
}

#[test]
fn a_model_that_never_answers() {
    let shop = Shop::of(parcels);
    if !equip(&shop) {
        return;
    }
    let api = Anthropic::with(Vec::new());
    api.answers(Reply::never(), usize::MAX);
    add(&shop, &api, "fixme-fairy", "fairy");
    shop.command(["edit", "fairy", "--timeout", "15s"])
        .run()
        .success();
    shop.ran(run(&shop, "fairy")).is("timed-out", 124);
    assert!(!api.prompts().is_empty(), "it was asked");
    shop.nothing_lives();
}
