//! Runs beside each other.

use std::process::Child;
use std::thread;

use changelings_tests::traces::wait_for;

use super::{Shop, events};

fn end(mut child: Child) -> i32 {
    child
        .wait()
        .expect("waiting for a run")
        .code()
        .unwrap_or(-1)
}

#[test]
fn a_second_run_of_one_changeling_does_not_start() {
    let shop = Shop::new();
    let first = shop
        .prepare_with("touch $root/started; until [ -e $root/go ]; do sleep 0.02; done")
        .spawn();
    wait_for("the first agent", || {
        shop.env.root().join("started").exists()
    });
    let second = shop.prepare_with("touch $root/second").run();
    assert_eq!(second.code, 0, "{second}");
    assert!(second.to_string().contains("skipped"), "{second}");
    assert!(!shop.env.root().join("second").exists());
    shop.env.write("go", "");
    assert_eq!(end(first), 0);
}

#[test]
fn a_second_run_waits_when_that_is_asked() {
    let mut shop = Shop::new();
    shop.with("overlap = \"wait\"");
    let script = "echo begin >> $root/order; until [ -e $root/go ]; do sleep 0.02; done; echo end >> $root/order";
    let runs = [(); 2].map(|()| {
        let run = shop.prepare_with(script);
        thread::spawn(move || run.run())
    });
    let order = || std::fs::read_to_string(shop.env.root().join("order")).unwrap_or_default();
    wait_for("an agent", || order() == "begin\n");
    shop.env.write("go", "");
    for run in runs {
        run.join().expect("a run").success();
    }
    assert_eq!(order(), "begin\nend\nbegin\nend\n");
}

#[test]
fn a_second_run_takes_the_place_of_the_first_when_that_is_asked() {
    let mut shop = Shop::new();
    shop.with("overlap = \"replace\"");
    let script = "if [ -e $root/first ]; then exit 0; fi; touch $root/first; sleep 600";
    let first = shop.prepare_with(script).spawn();
    wait_for("the first agent", || shop.env.root().join("first").exists());
    let second = shop.prepare_with(script).run();
    assert_eq!(second.code, 0, "{second}");
    assert_eq!(end(first), 130);
    let words: Vec<_> = shop
        .records()
        .iter()
        .map(|folder| events(folder).pop().unwrap()["outcome"]["outcome"].clone())
        .collect();
    assert!(
        words.contains(&"interrupted".into()) && words.contains(&"no-changes".into()),
        "{words:?}"
    );
    shop.nothing_lives();
}

/// A run that will not start ends nobody.
#[test]
fn what_will_not_start_takes_no_place() {
    let mut shop = Shop::new();
    shop.with("overlap = \"replace\"");
    let script = "touch $root/first; until [ -e $root/go ]; do sleep 0.1; done";
    let first = shop.prepare_with(script).spawn();
    wait_for("the first agent", || shop.env.root().join("first").exists());
    shop.command(["disable", "nightly"]).run().success();
    let second = shop.prepare_with(script).arg("--scheduled").run();
    assert_eq!(second.code, 0, "{second}");
    assert!(second.to_string().contains("is disabled"), "{second}");
    std::fs::write(shop.env.root().join("go"), "").unwrap();
    assert_eq!(end(first), 0);
}

#[test]
fn twenty_changelings_at_once() {
    let mut shop = Shop::new();
    let names: Vec<_> = (1..=20).map(|number| format!("night-{number}")).collect();
    for name in &names {
        // Each under a name of its own: the template would name all branches alike.
        shop.add(name, &format!("work_branch = \"changelings/{name}\""));
    }
    // Twenty commits that differ: alike in every byte, they would be one.
    let agent =
        shop.agent("echo '    # mended' >> app.py; git commit -qam \"Mend in $CHANGELING_RUN_ID\"");
    let runs: Vec<_> = names
        .iter()
        .map(|name| {
            shop.prepare(name)
                .arg("--agent-command")
                .arg(&agent)
                .spawn()
        })
        .collect();
    let codes: Vec<_> = runs.into_iter().map(end).collect();
    let ends: Vec<_> = shop
        .records()
        .iter()
        .filter_map(|folder| events(folder).pop())
        .collect();
    assert_eq!(codes, [0; 20], "{ends:#?}");
    assert_eq!(
        (
            shop.branches().len(),
            shop.pulls().len(),
            shop.records().len()
        ),
        (20, 20, 20)
    );
    let runs = shop.command(["runs", "--json"]).run().success().json();
    assert_eq!(runs["runs"].as_array().map(Vec::len), Some(20), "{runs}");
    shop.nothing_lives();
}
