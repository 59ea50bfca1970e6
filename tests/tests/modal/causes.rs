//! A cause is said once, with what helps against it.

use changelings_tests::Output;

use super::{COMMIT, Cloud};

/// How often something is said, on both streams together.
fn times(output: &Output, text: &str) -> usize {
    output.stdout.matches(text).count() + output.stderr.matches(text).count()
}

#[test]
fn a_run_that_came_to_no_agent() {
    let Some(mut cloud) = Cloud::new() else {
        return;
    };
    cloud.add("nightly", COMMIT, "");
    cloud.does("deploy nightly");
    // What is deployed has a token of yesterday.
    let today = "ghp_another456789abcdefghijABCDEFGHIJ01234";
    cloud.github.require(today);
    let cause = "does not let us in";
    for _ in 0..2 {
        let run = cloud.command(["run", "nightly"]).run().exits(3);
        assert_eq!(times(&run, cause), 1, "{run}");
        assert_eq!(times(&run, "renew the GITHUB_TOKEN"), 1, "{run}");
        assert_eq!(times(&run, "changeling logs"), 0, "{run}");
        assert_eq!(times(&run, "changeling run nightly\n"), 1, "{run}");
        assert!(
            run.stderr.ends_with("error: the run needs a person\n"),
            "{run}"
        );
    }
    // A program has it where it looks for it.
    let told = cloud.command(["run", "nightly", "--json"]).run().exits(3);
    let says = told.json()["runs"][0]["says"].to_string();
    assert!(says.contains(cause), "{told}");
    assert!(told.stderr.contains(cause), "{told}");

    let status = cloud.does("status");
    assert_eq!(times(&status, cause), 1, "{status}");
    assert!(
        status.stdout.contains("  nightly  3 runs: needs-attention"),
        "{status}"
    );
    let all = "changeling runs nightly --outcome needs-attention";
    assert!(status.stdout.contains(all), "{status}");
    let paused = "paused after 3 failures in a row\n";
    assert!(status.stdout.contains(paused), "{status}");
    let status = cloud.does("status --json").json();
    let needs = status["needs_person"].as_array().expect("a list");
    let runs = needs
        .iter()
        .filter(|need| need["what"] == "needs-attention");
    assert_eq!(runs.count(), 3, "{status:#}");
}

#[test]
fn a_run_whose_agent_failed() {
    let Some(mut cloud) = Cloud::new() else {
        return;
    };
    // It has the look of a last word, and is none.
    let agent = "echo 'error: of the agent' >&2; echo 'and on it goes' >&2; exit 7";
    cloud.add("nightly", agent, "");
    cloud.does("deploy nightly");
    let run = cloud.command(["run", "nightly"]).run().exits(4);
    assert_eq!(times(&run, "exit code 7"), 1, "{run}");
    assert_eq!(times(&run, "changeling logs"), 1, "{run}");
    let (error, on) = ("error: of the agent\n", "and on it goes\n");
    assert!(run.stderr.contains(&format!("{error}{on}")), "{run}");
    let step = "error: the run failed in its step `agent`\n";
    assert!(run.stderr.ends_with(step), "{run}");
}

#[test]
fn a_call_that_died_without_a_record() {
    let Some(mut cloud) = Cloud::new() else {
        return;
    };
    cloud.add("nightly", COMMIT, "");
    cloud.does("deploy nightly");
    let volume = cloud.modal.volume("changeling-nightly");
    std::fs::create_dir_all(&volume).expect("making a folder");
    std::fs::write(volume.join("started"), "no folder").expect("writing a file");
    let run = cloud.command(["run", "nightly"]).run().exits(4);
    assert_eq!(times(&run, "cannot use the volume"), 1, "{run}");
    assert!(!run.stderr.contains("Traceback"), "{run}");

    cloud.modal.delete_secret("changeling-nightly");
    let run = cloud.command(["run", "nightly"]).run().exits(4);
    assert!(
        run.stderr.contains("deploy nightly --verify quick"),
        "{run}"
    );
    assert!(!run.stderr.contains("changeling logs"), "{run}");
}
