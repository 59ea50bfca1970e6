//! What each end of an agent leads to, with a command in the agent's place.

use changelings_tests::hostile;
use serde_json::json;

use super::{COMMIT, PUSH, Shop};

#[test]
fn commits_become_a_pull_request() {
    let shop = Shop::new();
    let script =
        format!("cat > $root/seen; echo '# Mend the total' > $CHANGELING_SUMMARY; {COMMIT}");
    let ran = shop.with_agent(&script).is("pull-request", 0);
    let [branch] = &shop.branches()[..] else {
        panic!("{:?}", shop.branches())
    };
    let [pull] = &shop.pulls()[..] else {
        panic!("{:?}", shop.pulls())
    };
    assert_eq!(ran.outcome["branch"], *branch);
    assert_eq!(ran.outcome["url"], pull["html_url"]);
    assert_eq!(
        (&ran.outcome["number"], &ran.outcome["commits"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(
        (&pull["head"]["ref"], &pull["base"]["ref"]),
        (&json!(branch), &json!("main"))
    );
    assert_eq!(pull["title"], "Fixme Fairy: Fixed 1 FIXME");
    let body = pull["body"].as_str().unwrap();
    assert!(
        body.contains("Mend the total") && body.contains("<!-- changeling"),
        "{body}"
    );
    let author = shop.in_bare(["log", "-1", "--format=%an <%ae> %s", branch]);
    assert_eq!(
        author.trim(),
        "Night Shift <night@example.org> Mend the total"
    );
    assert!(
        std::fs::read_to_string(shop.env.root().join("seen"))
            .unwrap()
            .contains("app.py:2")
    );
    assert!(ran.file("patch.diff").contains("+    # mended"));
    assert!(
        !ran.folder.join("workspace").exists(),
        "the workspace is gone"
    );
    shop.nothing_lives();
}

#[test]
fn endings() {
    for (name, script, exit, outcome, says) in [
        (
            "nothing",
            "echo 'Shall I go on?'",
            0,
            "no-changes",
            "Shall I go on?",
        ),
        (
            "uncommitted",
            "echo x > new.txt",
            0,
            "no-changes",
            "\"uncommitted\":true",
        ),
        (
            "fails",
            "echo 'cannot work' >&2; exit 7",
            4,
            "failed",
            "\"exit\":7",
        ),
        (
            "fails after a commit",
            "echo x >> app.py; git commit -qam x; exit 3",
            4,
            "failed",
            "\"exit\":3",
        ),
        (
            "a workflow",
            "mkdir -p .github/workflows; echo x > .github/workflows/ci.yml; git add -A; git commit -qm x",
            3,
            "needs-attention",
            ".github/workflows/ci.yml",
        ),
        (
            "a secret",
            "echo ghp_0123456789abcdefghijABCDEFGHIJ012345 > key; git add -A; git commit -qm x",
            3,
            "needs-attention",
            "contains the value of GITHUB_TOKEN",
        ),
        (
            "a link out",
            "ln -s /etc/passwd p; git add p; git commit -qm p",
            3,
            "needs-attention",
            "/etc/passwd",
        ),
        (
            "rewrites history",
            "git commit -q --amend -m other",
            3,
            "needs-attention",
            "rewrote history",
        ),
        (
            "another branch",
            "git switch -qc other; echo x >> app.py; git commit -qam x; git switch -q -",
            3,
            "needs-attention",
            "left its work on refs/heads/other",
        ),
        (
            "a stash",
            "echo x >> app.py; git stash -q",
            3,
            "needs-attention",
            "left its work on refs/stash",
        ),
        (
            "deletes .git",
            "rm -rf .git",
            3,
            "needs-attention",
            "deleted `.git`",
        ),
    ] {
        let shop = Shop::new();
        let ran = shop.with_agent(script).is(outcome, exit).says(says);
        assert!(
            shop.branches().is_empty() && shop.pulls().is_empty(),
            "{name}: something was published"
        );
        assert!(
            !ran.folder.join("workspace").exists() || exit == 3,
            "{name}: the workspace stays"
        );
        shop.nothing_lives();
    }
}

#[test]
fn uncommitted_work_is_kept_as_a_patch() {
    let shop = Shop::new();
    let ran = shop
        .with_agent("echo new > new.txt; echo more >> app.py")
        .is("no-changes", 0);
    let patch = ran.file("uncommitted.diff");
    assert!(
        patch.contains("+++ b/new.txt") && patch.contains("+more"),
        "{patch}"
    );
}

#[test]
fn a_template_that_finds_nothing_starts_no_agent() {
    let shop = Shop::of(|env| {
        let repo = env.repo("shop");
        repo.write("app.py", "total = 0\n");
        repo.commit(changelings_tests::ADA, "2025-11-03", "Add the shop");
        repo
    });
    let ran = shop.with_agent("touch $root/started").is("skipped", 0);
    assert!(ran.event("agent-started").is_none());
    assert!(!shop.env.root().join("started").exists());
}

#[test]
fn an_agent_that_hangs_is_ended_with_all_it_started() {
    let mut shop = Shop::new();
    shop.add("short", "timeout = \"2s\"");
    let agent = shop.agent(
        "trap '' TERM INT HUP\nsetsid sh -c 'trap \"\" TERM; echo $$ > $0; sleep 600' $root/child &\n\
         (sleep 600 &)\nsleep 600",
    );
    let run = shop.prepare("short").arg("--agent-command").arg(agent);
    shop.ran(run).is("timed-out", 124).says("2");
    assert!(
        shop.env.root().join("child").exists(),
        "the child was there"
    );
    shop.nothing_lives();
}

#[test]
fn a_child_that_outlives_its_agent_is_ended() {
    let shop = Shop::new();
    let script = format!(
        "setsid sh -c 'echo $$ > $0; exec sleep 600' $root/child </dev/null >/dev/null 2>&1 &\n\
         until [ -s $root/child ]; do :; done; {COMMIT}"
    );
    shop.with_agent(&script).is("pull-request", 0);
    shop.nothing_lives();
}

#[test]
fn a_push_that_is_refused_keeps_the_work_and_says_why() {
    let shop = Shop::new();
    hostile::reject_pushes(&shop.bare, "Changes must be made through a merge queue.");
    let ran = shop
        .with_agent(COMMIT)
        .is("needs-attention", 3)
        .says("Changes must be made through a merge queue.");
    assert!(ran.file("patch.diff").contains("+    # mended"));
    assert!(shop.branches().is_empty() && shop.pulls().is_empty());
}

/// With the permission `github` the agent has a token and can push wherever it likes.
#[test]
fn an_agent_that_publishes_itself() {
    let granted = || {
        let mut shop = Shop::new();
        shop.with("permissions = [\"github\", \"repo:read\"]\nsecrets = [\"GITHUB_TOKEN\"]");
        shop
    };
    let shop = granted();
    let ran = shop
        .with_agent(&format!("{COMMIT}; {PUSH} HEAD"))
        .is("pull-request", 0);
    assert_eq!((shop.branches().len(), shop.pulls().len()), (1, 1));
    assert_eq!(ran.outcome["number"], 1);

    let shop = granted();
    let elsewhere = format!("{COMMIT}; {PUSH} HEAD:refs/heads/release");
    shop.with_agent(&elsewhere)
        .is("needs-attention", 3)
        .says("release");
    assert!(shop.pulls().is_empty());
}

#[test]
fn a_workspace_is_kept_when_that_is_asked() {
    let shop = Shop::new();
    let ran = shop
        .ran(shop.prepare_with(COMMIT).arg("--keep"))
        .is("pull-request", 0);
    let kept = std::fs::read_to_string(ran.folder.join("workspace/app.py")).expect("the workspace");
    assert!(kept.contains("# mended"));
}

#[test]
fn an_open_pull_request_is_updated_left_or_joined_by_another() {
    let mut shop = Shop::new();
    shop.with_agent(COMMIT).is("pull-request", 0);
    // The same one, with one more commit.
    let again = shop
        .with_agent("echo '    # again' >> app.py; git commit -qam Again")
        .is("pull-request", 0);
    assert_eq!((shop.pulls().len(), shop.branches().len()), (1, 1));
    assert_eq!(again.outcome["number"], 1);
    let branch = &shop.branches()[0];
    assert_eq!(
        shop.in_bare(["rev-list", "--count", &format!("main..{branch}")])
            .trim(),
        "2"
    );

    shop.with("on_open_pr = \"skip\"");
    shop.with_agent("touch $root/started").is("skipped", 0);
    assert!(!shop.env.root().join("started").exists());

    let config = shop
        .config
        .replace("on_open_pr = \"skip\"", "on_open_pr = \"new\"");
    shop.env.write_config(&config);
    shop.with_agent(COMMIT).is("pull-request", 0);
    assert_eq!((shop.pulls().len(), shop.branches().len()), (2, 2));
}
