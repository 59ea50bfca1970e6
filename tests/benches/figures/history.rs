//! What is asked of the history, when it is long.

use std::time::Duration;

use changelings::context::Home;
use changelings::exec::Outcome;
use changelings::record::{Header, Kind, Store, Usage};
use changelings_tests::TestEnv;
use jiff::Timestamp;

use super::TURNS;
use super::measure::{alternate, run};
use super::table::Table;
use super::trees;

const RECORDS: usize = 10_000;
const CHANGELINGS: usize = 20;

/// The moment the newest of them started, in seconds since 1970: this morning, for the program.
const NEWEST: i64 = 1_772_440_000;

/// `runs` and `status` over ten thousand records of twenty changelings.
pub(crate) fn figures(table: &mut Table) {
    let env = TestEnv::new();
    env.write_config(&trees::configuration(CHANGELINGS));
    write(&Store::open(&Home::at(env.changelings_home())).expect("a new history"));
    for args in [&["runs"][..], &["status"], &["runs", "nightly-7"]] {
        let shown = env.changeling(args).success();
        assert!(shown.stdout.lines().count() >= 20, "{shown}");
        let (time, git) = alternate(
            TURNS,
            || run(env.command(args)),
            || run(env.external("git", ["--version"])),
        );
        let what = format!(
            "`changeling {}`, 10,000 records of 20 changelings",
            args.join(" ")
        );
        table.against_git(&what, time, git, 5 * git, "5 × `git --version`");
    }
}

/// The same records every time: mostly good ones, every tenth failed, a few that need a person.
fn write(store: &Store) {
    let template = "fixme-fairy".parse().expect("a name");
    for number in 0..RECORDS {
        let index = number % CHANGELINGS;
        let back = i64::try_from(RECORDS - number).expect("a small number") * 900;
        let started_at = Timestamp::from_second(NEWEST - back).expect("a time of today");
        let header = Header {
            id: &format!("{}-{number:06x}", started_at.strftime("%Y%m%d-%H%M%S")),
            kind: Kind::Run,
            changeling: &format!("nightly-{index}").parse().expect("a name"),
            repo: &format!("https://github.com/example/repo-{index}"),
            template: &template,
            started_at,
        };
        let usage = Usage {
            cost_usd: Some(0.25),
            turns: Some(12),
        };
        let ended = started_at + Duration::from_secs(300);
        let recording = store.begin(&header).expect("writing a record");
        recording
            .finish(&outcome(number), usage, ended)
            .expect("writing a record");
        store.mark_clean(header.id).expect("writing a record");
    }
}

fn outcome(number: usize) -> Outcome {
    // Each changeling meets each of them in turn.
    let turn = number / CHANGELINGS * 7 + number;
    let json = match turn % 50 {
        _ if number.is_multiple_of(997) => {
            r#"{"outcome":"needs-attention","why":["the push was refused"]}"#
        }
        5 | 15 | 25 | 35 | 45 => {
            r#"{"outcome":"failed","step":"agent","exit":1,"message":"it ended with exit code 1","last_lines":[]}"#
        }
        10..=20 => r#"{"outcome":"skipped","reason":"there are no markers"}"#,
        _ => {
            r#"{"outcome":"pull-request","url":"https://github.com/example/repo/pull/7","number":7,"branch":"changelings/fixmes","commits":2}"#
        }
    };
    serde_json::from_str(json).expect("an outcome")
}
