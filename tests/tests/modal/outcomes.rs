//! How runs at Modal end, and that the same is told of them at Modal, in the record and here.

use super::{COMMIT, Cloud};

#[test]
fn a_pull_request_a_failure_and_a_skip() {
    let Some(mut cloud) = Cloud::new() else {
        return;
    };
    let quiet = cloud.env.repo("quiet");
    quiet.write("app.py", "total = 1\n");
    quiet.commit(changelings_tests::ADA, "2025-11-03", "Nothing to mend");
    cloud.github.serve(&quiet, "acme/quiet");
    cloud.add("well", COMMIT, "");
    cloud.add("badly", "echo 'no tools here' >&2; exit 7", "");
    let repos = format!("repos = [\"{}\"]", cloud.github.repository("acme/quiet"));
    cloud.add("idle", COMMIT, &repos);
    cloud.does("deploy --all");

    let well = cloud
        .command(["run", "well", "--json"])
        .run()
        .exits(0)
        .json();
    let [pull] = &cloud.pulls()[..] else {
        panic!("one pull request: {:?}", cloud.pulls())
    };
    let url = pull["html_url"].as_str().expect("a URL");
    assert!(well.to_string().contains(url), "{well:#}");

    let badly = cloud.command(["run", "badly"]).run().exits(4);
    assert!(
        badly.stderr.contains("no tools here") || badly.stdout.contains("no tools here"),
        "{badly}"
    );
    let idle = cloud
        .command(["run", "idle", "--json"])
        .run()
        .exits(0)
        .json();
    assert!(idle.to_string().contains("skipped"), "{idle:#}");

    let status = |name: &str| {
        let calls = cloud.modal.calls(&format!("changeling-{name}"));
        calls[0]["status"].as_str().expect("a word").to_owned()
    };
    assert_eq!(
        ["well", "badly", "idle"].map(status),
        ["success", "failure", "success"]
    );
    for (name, outcome) in [
        ("well", "pull-request"),
        ("badly", "failed"),
        ("idle", "skipped"),
    ] {
        let [record] = &cloud.records(name)[..] else {
            panic!("one record of {name}")
        };
        assert!(record.to_string().contains(outcome), "{name}: {record:#}");
        let told = cloud.does(&format!("status {name} --json")).stdout;
        assert!(told.contains(outcome), "{name}: {told}");
    }
    cloud.nothing_was_left_behind();
}

#[test]
fn a_run_that_takes_too_long_ends_with_all_it_started() {
    let Some(mut cloud) = Cloud::new() else {
        return;
    };
    cloud.add(
        "slow",
        "setsid sleep 1001 & sleep 1002",
        "timeout = \"20s\"",
    );
    cloud.does("deploy slow");
    cloud.command(["run", "slow"]).run().exits(124);
    let [call] = &cloud.modal.calls("changeling-slow")[..] else {
        panic!("one call")
    };
    // Its own end, and not Modal's limit.
    assert_eq!(call["status"], "failure", "{call}");
    let [record] = &cloud.records("slow")[..] else {
        panic!("one record")
    };
    assert!(record.to_string().contains("timed-out"), "{record:#}");
    cloud.nothing_was_left_behind();
}
