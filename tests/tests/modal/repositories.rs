//! One changeling for several repositories: one cron, a run for each, no more at once than it may.

use changelings_tests::ADA;

use super::{COMMIT, Cloud, WAIT};

const NAMES: [&str; 3] = ["acme/depot", "acme/labels", "acme/parcels"];

#[test]
fn a_cron_starts_a_run_for_each() {
    let Some(mut cloud) = Cloud::new() else {
        return;
    };
    for name in NAMES {
        let repo = cloud.env.repo(name);
        repo.write(
            "app.py",
            "def total(items):\n    # FIXME: rounds the wrong way\n    return sum(items)\n",
        );
        repo.commit(ADA, "2025-11-03", "Begin");
        cloud.github.serve(&repo, name);
    }
    let urls = NAMES.map(|name| format!("\"{}\"", cloud.github.repository(name)));
    let agent = format!("{WAIT}; {COMMIT}");
    cloud.add(
        "custodian",
        &agent,
        &format!("repos = [{}]\nmax_parallel = 2", urls.join(", ")),
    );
    cloud.does("deploy custodian");
    let fired = cloud.modal.fire("changeling-custodian");
    let [fire] = &fired[..] else {
        panic!("one cron for all of them: {fired:?}")
    };
    // It does not wait for them, which would keep a container busy.
    let fire = cloud.modal.wait_for(fire);
    assert_eq!(
        (&fire["status"], &fire["function"]),
        (&"success".into(), &"fire".into())
    );
    cloud.starts_become(2);
    let runs = || {
        let mut calls = cloud.modal.calls("changeling-custodian");
        calls.retain(|call| call["function"] == "run");
        calls
    };
    let waiting = runs()
        .iter()
        .filter(|call| call["status"] == "pending")
        .count();
    assert_eq!((runs().len(), waiting), (3, 1));
    cloud.opens_the_gate();
    for call in runs() {
        let call = call["call"].as_str().expect("an id").to_owned();
        let ended = cloud.modal.wait_for(&call);
        assert_eq!(
            ended["status"],
            "success",
            "{}",
            cloud.modal.printed(Some(&call))
        );
    }
    for name in NAMES {
        assert_eq!(cloud.github.pulls(name).len(), 1, "{name}");
    }
    cloud.does("status custodian");
    let runs = cloud.does("runs --json").json();
    assert_eq!(runs["runs"].as_array().map(Vec::len), Some(3), "{runs:#}");
    // What fires has no secrets.
    let definitions = cloud.modal.definitions("changeling-custodian");
    assert!(
        definitions["fire"]["function"].get("secret_ids").is_none(),
        "{definitions:#}"
    );
    assert!(
        definitions["run"]["function"].get("schedule").is_none(),
        "{definitions:#}"
    );
    cloud.nothing_was_left_behind();
}
