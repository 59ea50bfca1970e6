use super::*;
use crate::exec::{Event, StepName};

struct World {
    _folder: tempfile::TempDir,
    home: Home,
    store: Store,
    name: Name,
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_795_000_000 + seconds).unwrap()
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path().join("home"));
        assert!(Store::open_existing(&home).unwrap().is_none());
        assert!(!home.root().exists());
        let store = Store::open(&home).unwrap();
        Self {
            _folder: folder,
            home,
            store,
            name: "nightly".parse().unwrap(),
        }
    }

    fn header<'a>(&'a self, id: &'a str, repo: &'a str, second: i64) -> Header<'a> {
        Header {
            id,
            kind: Kind::Run,
            changeling: &self.name,
            repo,
            template: &self.name,
            started_at: at(second),
        }
    }

    fn outcome(&self, id: &str) -> Option<Outcome> {
        self.store.run(id).unwrap().unwrap().outcome
    }

    /// A run of `o/n` from begin to end.
    fn ended(&self, id: &str, second: i64, outcome: &Outcome, cost_usd: Option<f64>) {
        let recording = self.store.begin(&self.header(id, "o/n", second)).unwrap();
        let usage = Usage {
            cost_usd,
            turns: None,
        };
        recording.finish(outcome, usage, at(second + 1)).unwrap();
        self.store.mark_clean(id).unwrap();
    }

    fn failures(&self) -> u32 {
        self.store.consecutive_failures(&self.name, "o/n").unwrap()
    }

    fn prune(&self, keep_runs: u32, keep_days: u32, at_least: u32, second: i64) -> Vec<String> {
        let retention = Retention {
            keep_runs,
            keep_days,
            at_least,
        };
        self.store
            .prune(&self.name, "o/n", retention, at(second))
            .unwrap()
    }
}

fn failed() -> Outcome {
    Outcome::Failed {
        step: StepName::Agent,
        exit: Some(7),
        message: "it ended with exit code 7".into(),
        last_lines: Vec::new(),
    }
}

fn nothing() -> Outcome {
    Outcome::NoChanges {
        last_message: None,
        uncommitted: false,
    }
}

fn attention() -> Outcome {
    Outcome::needs("the push was refused")
}

const DAY: i64 = 24 * 3600;

#[test]
fn failures_in_a_row() {
    let world = World::new();
    assert_eq!(world.failures(), 0);
    world.ended("0", 0, &nothing(), None);
    world.ended("1", 10, &failed(), None);
    let skipped = Outcome::Skipped {
        reason: "no markers".into(),
    };
    world.ended("2", 20, &skipped, None);
    world.ended("3", 30, &Outcome::TimedOut { after_seconds: 5 }, None);
    world.ended("4", 40, &Outcome::INTERRUPTED, None);
    world.ended("5", 50, &attention(), None);
    assert_eq!(world.failures(), 3);
    // One that lives says nothing yet.
    let alive = world.store.begin(&world.header("6", "o/n", 60)).unwrap();
    assert_eq!(world.failures(), 3);
    drop(alive);
    world.store.resume(&world.name, "o/n", at(60)).unwrap();
    assert_eq!(world.failures(), 0);
    world.ended("7", 70, &failed(), None);
    assert_eq!(world.failures(), 1);
    // Whoever settles a run has looked.
    assert!(world.store.settle("7", at(75)).unwrap());
    assert!(!world.store.settle("7", at(76)).unwrap());
    assert_eq!(world.failures(), 0);
    world.ended("8", 80, &failed(), None);
    world.ended("9", 90, &nothing(), None);
    assert_eq!(world.failures(), 0);
    assert_eq!(
        world
            .store
            .consecutive_failures(&world.name, "o/m")
            .unwrap(),
        0
    );
}

#[test]
fn rehearsals_break_no_row_and_pause_nothing() {
    let world = World::new();
    world.ended("1", 0, &failed(), None);
    let header = Header {
        kind: Kind::Rehearsal,
        ..world.header("2", "o/n", 10)
    };
    let rehearsal = world.store.begin(&header).unwrap();
    rehearsal
        .finish(&nothing(), Usage::default(), at(11))
        .unwrap();
    assert_eq!(world.failures(), 1);
    let last = world.store.last(&world.name, "o/n").unwrap().unwrap();
    assert_eq!(last.id, "1");
}

#[test]
fn costs_add_up_and_are_not_forgotten() {
    let world = World::new();
    let other: Name = "other".parse().unwrap();
    world.ended("1", 0, &nothing(), Some(0.5));
    world.ended("2", DAY, &nothing(), None);
    world.ended("3", 2 * DAY, &nothing(), Some(0.25));
    // A run that dies keeps what it said on the way.
    let dying = world
        .store
        .begin(&world.header("4", "o/n", 2 * DAY + 5))
        .unwrap();
    let so_far = |cost_usd| Usage {
        cost_usd: Some(cost_usd),
        turns: Some(3),
    };
    dying.usage(so_far(0.5)).unwrap();
    dying.usage(so_far(1.0)).unwrap();
    drop(dying);
    assert_eq!(world.outcome("4"), Some(Outcome::INTERRUPTED));
    let cost = |changeling, repo, second| {
        let cost = world
            .store
            .cost_since(changeling, repo, at(second))
            .unwrap();
        format!("{cost:.2}")
    };
    assert_eq!(cost(None, None, 0), "1.75");
    assert_eq!(cost(None, None, 1), "1.25");
    assert_eq!(cost(Some(&world.name), Some("o/n"), 0), "1.75");
    assert_eq!(cost(Some(&world.name), Some("o/m"), 0), "0.00");
    assert_eq!(cost(Some(&other), None, 0), "0.00");
    let standings = || {
        let targets = [(&world.name, "o/n".to_owned()), (&other, "o/n".to_owned())];
        world.store.standings(targets, at(1)).unwrap()
    };
    let [ours, none] = &standings()[..] else {
        panic!("one for each")
    };
    assert_eq!(
        format!("{:.2} {:.2}", ours.cost_usd, none.cost_usd),
        "1.25 0.00"
    );
    assert_eq!(ours.last.as_ref().map(|run| run.id.as_str()), Some("4"));
    assert!(none.last.is_none() && none.failures == 0);
    world.store.mark_clean("4").unwrap();
    assert_eq!(world.prune(1, 90, 1, 3 * DAY), ["3", "2", "1"]);
    assert_eq!(cost(None, None, 0), "1.75");
    assert_eq!(cost(Some(&world.name), Some("o/n"), 1), "1.25");
    world.prune(1, 90, 1, 63 * DAY);
    assert_eq!(cost(None, None, 0), "1.25");
}

#[test]
fn old_records_go_and_unpublished_work_stays() {
    let world = World::new();
    let folder = |id: &str| world.store.folder_of(id);
    let with_patch = |id: &str, second: i64, outcome: &Outcome| {
        world.ended(id, second, outcome, None);
        fs::write(folder(id).join("patch.diff"), "diff").unwrap();
    };
    let pushed = Outcome::Pushed {
        branch: "b".into(),
        commit: "c".into(),
        commits: 1,
    };
    with_patch("attention", 0, &attention());
    with_patch("failed", 1, &failed());
    with_patch("interrupted", 2, &Outcome::INTERRUPTED);
    world.ended("uncommitted", 3, &nothing(), None);
    fs::write(folder("uncommitted").join("uncommitted.diff"), "diff").unwrap();
    with_patch("pushed", 4, &pushed);
    world.ended("nothing", 5, &nothing(), None);
    // By `--keep`.
    fs::create_dir(folder("nothing").join("workspace")).unwrap();
    world.ended("failed-early", 6, &failed(), None);
    world.ended("attention-without-a-patch", 7, &attention(), None);
    drop(
        world
            .store
            .begin(&world.header("unclean", "o/n", 8))
            .unwrap(),
    );
    fs::create_dir(folder("unclean").join("workspace")).unwrap();
    let has_work = |id| {
        let record = world.store.run(id).unwrap().unwrap();
        world.store.has_unpublished_work(&record)
    };
    assert!(has_work("unclean") && !has_work("nothing"));
    let alive = world.store.begin(&world.header("alive", "o/n", 9)).unwrap();
    world.ended("other", 10, &nothing(), None);

    assert_eq!(world.prune(100, 90, 1, 20), [""; 0]);
    assert_eq!(world.prune(100, 1, 5, DAY + 20), ["nothing", "pushed"]);
    assert_eq!(world.prune(1, 90, 1, 20), ["failed-early"]);
    assert!(!folder("pushed").exists() && folder("failed").join("patch.diff").exists());
    let stays = |count| {
        assert_eq!(world.prune(1, 1, 1, 500 * DAY).len(), count);
        world.store.runs(&Filter::default()).unwrap().len()
    };
    assert_eq!(stays(0), 8);
    for id in ["attention", "failed", "interrupted", "uncommitted"] {
        world.store.settle(id, at(30)).unwrap();
    }
    assert_eq!(stays(4), 4);
    assert_eq!(world.store.needing_person().unwrap().len(), 1);
    world
        .store
        .settle("attention-without-a-patch", at(31))
        .unwrap();
    assert_eq!(stays(1), 3);
    world.store.mark_clean("unclean").unwrap();
    alive.finish(&nothing(), Usage::default(), at(40)).unwrap();
    world.store.mark_clean("alive").unwrap();
    // The last one stays, however old.
    assert_eq!(stays(2), 1);
    assert!(folder("other").exists());
}

#[test]
fn what_made_an_open_pull_request_stays() {
    let world = World::new();
    for (id, second) in [
        ("opened", 0),
        ("updated", 10),
        ("elsewhere", 20),
        ("last", 30),
    ] {
        world.ended(id, second, &nothing(), None);
    }
    let branch = |id: &str, branch: &str| {
        let sql = "UPDATE runs SET branch = ?2 WHERE id = ?1";
        world.store.connection.execute(sql, [id, branch]).unwrap();
    };
    branch("updated", "changelings/x");
    branch("elsewhere", "changelings/y");
    let mut delivery = Delivery {
        run: "opened".into(),
        changeling: world.name.clone(),
        repo: "o/n".into(),
        kind: "pull-request".into(),
        number: 7,
        url: "https://github.com/o/n/pull/7".into(),
        title: "Fix".into(),
        branch: Some("changelings/x".into()),
        state: "open".into(),
        updated_at: at(0),
    };
    world.store.deliver(&delivery).unwrap();
    assert_eq!(world.prune(1, 90, 1, 50), ["elsewhere"]);
    delivery.state = "closed".into();
    world.store.deliver(&delivery).unwrap();
    assert_eq!(world.prune(1, 90, 1, 50), ["updated", "opened"]);
}

#[test]
fn a_damaged_database_is_said_and_left_alone() {
    let world = World::new();
    let file = world.home.runs_dir().join("runs.sqlite");
    let World {
        home,
        _folder,
        store,
        ..
    } = world;
    drop(store);
    for damage in [
        &b"no database at all, whatever its name says"[..],
        &[0; 5000],
    ] {
        fs::write(&file, damage).unwrap();
        let Err(error) = Store::open(&home) else {
            panic!("{damage:?} is taken for a history");
        };
        assert!(
            matches!(error, RecordError::DamagedDatabase(..)),
            "{error:?}"
        );
        assert_eq!(fs::read(&file).unwrap(), damage);
    }
}

#[test]
fn files_of_runs_outlive_their_database() {
    let world = World::new();
    world.ended("1", 0, &attention(), None);
    let folder = world.store.folder_of("1");
    fs::write(folder.join("patch.diff"), "+x").unwrap();
    fs::create_dir_all(folder.join("workspace")).unwrap();
    // One that was killed at its first step: there is nothing but an event.
    drop(world.store.begin(&world.header("2", "o/n", 10)).unwrap());
    let file = world.home.runs_dir().join("runs.sqlite");
    fs::rename(&file, file.with_extension("damaged")).unwrap();
    let store = Store::open(&world.home).unwrap();
    assert!(store.run("1").unwrap().is_none());
    store.remove_unborn().unwrap();
    assert!(folder.join("patch.diff").exists());
    assert!(folder.join("workspace").exists());
    assert!(store.folder_of("2").exists());
    // What begins a run and dies before it is recorded.
    let unborn = store.folder_of("3");
    fs::create_dir(&unborn).unwrap();
    for name in ["events.jsonl", "log"] {
        fs::write(unborn.join(name), "").unwrap();
    }
    fs::write(unborn.join("lock"), "4711\n").unwrap();
    store.remove_unborn().unwrap();
    assert!(!unborn.exists());
}

#[test]
fn events_of_a_newer_program_are_kept_as_they_are() {
    let world = World::new();
    let recording = world.store.begin(&world.header("a", "o/n", 0)).unwrap();
    let file = recording.path(File::Events);
    let mut text = fs::read_to_string(&file).unwrap();
    text += "{\"at\":\"2026-11-18T11:06:41Z\",\"event\":\"moon-rose\",\"phase\":3}\nhalf a li";
    fs::write(&file, text).unwrap();
    let events = world.store.events("a").unwrap();
    assert_eq!(events.len(), 2);
    assert_eq!(events[0].event, Some(Event::Started));
    assert_eq!((&events[1].event, events[1].word()), (&None, "moon-rose"));
    // An agent puts a pipe there, which would make us wait for ever.
    let log = recording.path(File::Log);
    fs::remove_file(&log).unwrap();
    assert_eq!(world.store.read("a", File::Log).unwrap(), None);
    std::os::unix::fs::symlink("/etc/hostname", &log).unwrap();
    assert_eq!(world.store.read("a", File::Log).unwrap(), None);
    assert_eq!(world.store.process_of("a"), Some(std::process::id()));
    drop(recording);
    assert_eq!(world.store.process_of("a"), None);
}

/// What commands ask is answered by indexes, however many records there are.
#[test]
fn no_question_reads_every_record() {
    let world = World::new();
    let plan = |sql: &str| -> String {
        let mut statement = world
            .store
            .connection
            .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
            .unwrap();
        let rows = statement
            .query_map([], |row| row.get::<_, String>(3))
            .unwrap();
        rows.map(Result::unwrap).collect::<Vec<_>>().join("; ")
    };
    for (sql, index) in [
        (
            "SELECT * FROM runs ORDER BY started_at DESC, id DESC LIMIT 20",
            "runs_by_time",
        ),
        (
            "SELECT * FROM runs WHERE changeling = 'a' AND started_at >= 5 ORDER BY started_at DESC, id DESC",
            "runs_by_changeling",
        ),
        (
            "SELECT * FROM runs WHERE changeling = 'a' AND repo = 'b' AND kind = 'run' ORDER BY started_at DESC, id DESC LIMIT 1",
            "runs_by_target",
        ),
        (
            "SELECT * FROM runs WHERE word IN ('failed') ORDER BY started_at DESC, id DESC LIMIT 20",
            "runs_by_word",
        ),
        ("SELECT * FROM runs WHERE word IS NULL", "runs_by_word"),
        ("SELECT id FROM runs WHERE clean = 0", "runs_unclean"),
        (
            "SELECT total(cost_usd) FROM runs WHERE cost_usd IS NOT NULL AND started_at >= 5 AND changeling = 'a' AND repo = 'b'",
            "runs_costs_by_target",
        ),
        (
            "SELECT total(cost_usd) FROM runs WHERE cost_usd IS NOT NULL AND started_at >= 5",
            "runs_costs",
        ),
        (
            "SELECT word IN ('failed') FROM runs INDEXED BY runs_telling WHERE changeling = 'a' AND repo = 'b' AND kind = 'run' AND word NOT IN ('skipped', 'interrupted') AND started_at > 5 ORDER BY started_at DESC, id DESC LIMIT 9",
            "runs_telling",
        ),
    ] {
        let plan = plan(sql);
        assert!(
            plan.contains(index) && !plan.contains("SCAN runs ("),
            "{sql}\n{plan}"
        );
        assert!(!plan.contains("TEMP B-TREE"), "{sql}\n{plan}");
    }
}

#[test]
fn ids_are_unique_and_sort_by_time() {
    let ids: std::collections::BTreeSet<_> = (0..50).map(|_| new_id(at(0))).collect();
    assert!(ids.len() > 45);
    assert!(new_id(at(1)) > new_id(at(0)));
    assert!(new_id(at(0)).starts_with("20261118-110640-"));
}

#[test]
fn a_run_from_begin_to_end() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::new();
    let mut recording = world.store.begin(&world.header("a", "o/n", 0)).unwrap();
    assert_eq!(world.outcome("a"), None);
    recording
        .event(
            at(1),
            &Event::StepStarted {
                step: StepName::Clone,
            },
        )
        .unwrap();
    recording.log(b"hello\n").unwrap();
    recording.save(File::Patch, b"diff").unwrap();
    let folder = recording.folder().to_owned();
    let outcome = Outcome::NoChanges {
        last_message: None,
        uncommitted: false,
    };
    let usage = Usage {
        cost_usd: Some(0.25),
        turns: Some(7),
    };
    recording.finish(&outcome, usage, at(9)).unwrap();

    let record = world.store.run("a").unwrap().unwrap();
    assert_eq!(
        (record.outcome, record.usage, record.ended_at),
        (Some(outcome), usage, Some(at(9)))
    );
    assert_eq!(
        fs::metadata(&folder).unwrap().permissions().mode() & 0o777,
        0o700
    );
    assert_eq!(fs::read_to_string(folder.join("log")).unwrap(), "hello\n");
    assert_eq!(
        fs::read_to_string(folder.join("patch.diff")).unwrap(),
        "diff"
    );
    insta::assert_snapshot!(fs::read_to_string(folder.join("events.jsonl")).unwrap());
}

#[test]
fn a_run_that_died_is_told_from_one_that_lives() {
    let world = World::new();
    let alive = world.store.begin(&world.header("alive", "o/n", 0)).unwrap();
    // The lock is gone with the process; here, with the value.
    drop(world.store.begin(&world.header("dead", "o/n", 1)).unwrap());
    let mut ended = world.store.begin(&world.header("ended", "o/n", 2)).unwrap();
    let skipped = Outcome::Skipped {
        reason: "no markers".into(),
    };
    ended
        .event(
            at(3),
            &Event::Ended {
                outcome: skipped.clone(),
            },
        )
        .unwrap();
    drop(ended);
    fs::create_dir(world.home.runs_dir().join("unborn")).unwrap();
    fs::write(world.home.runs_dir().join("unborn/lock"), "").unwrap();

    assert_eq!(world.outcome("alive"), None);
    assert_eq!(world.outcome("dead"), Some(Outcome::INTERRUPTED));
    assert_eq!(world.outcome("ended"), Some(skipped));
    world.store.remove_unborn().unwrap();
    assert!(!world.home.runs_dir().join("unborn").exists());
    assert!(alive.folder().exists() && world.store.folder_of("dead").exists());
    // Who marked it does not matter: whoever may clean up still finds it.
    assert_eq!(world.store.unclean().unwrap(), ["dead", "ended"]);
    world.store.mark_clean("dead").unwrap();
    assert_eq!(world.store.unclean().unwrap(), ["ended"]);
    // It lives on, and ends as it ends.
    alive
        .finish(
            &Outcome::TimedOut { after_seconds: 1 },
            Usage::default(),
            at(5),
        )
        .unwrap();
    assert_eq!(
        world.outcome("alive"),
        Some(Outcome::TimedOut { after_seconds: 1 })
    );
}

#[test]
fn runs_are_found() {
    let world = World::new();
    let other: Name = "other".parse().unwrap();
    for (id, repo, second) in [
        ("20260101-a", "o/n", 0),
        ("20260102-b", "o/m", 10),
        ("20260102-c", "o/n", 20),
    ] {
        drop(world.store.begin(&world.header(id, repo, second)).unwrap());
    }
    let header = Header {
        changeling: &other,
        kind: Kind::Rehearsal,
        ..world.header("z", "o/n", 30)
    };
    drop(world.store.begin(&header).unwrap());
    let found = |filter: &Filter| -> Vec<String> {
        world
            .store
            .runs(filter)
            .unwrap()
            .into_iter()
            .map(|record| record.id)
            .collect()
    };
    assert_eq!(
        found(&Filter::default()),
        ["z", "20260102-c", "20260102-b", "20260101-a"]
    );
    assert_eq!(
        found(&Filter {
            limit: 2,
            ..Filter::default()
        }),
        ["z", "20260102-c"]
    );
    assert_eq!(
        found(&Filter {
            kind: Some(Kind::Rehearsal),
            ..Filter::default()
        }),
        ["z"]
    );
    let target = Filter {
        changeling: Some(&world.name),
        repo: Some("o/n"),
        ..Filter::default()
    };
    assert_eq!(found(&target), ["20260102-c", "20260101-a"]);
    assert_eq!(
        found(&Filter {
            since: Some(at(20)),
            ..Filter::default()
        }),
        ["z", "20260102-c"]
    );
    assert_eq!(
        found(&Filter {
            outcomes: &["failed", "interrupted"],
            limit: 1,
            ..Filter::default()
        }),
        ["z"]
    );
    let beginning: Vec<_> = world.store.runs_named("20260102").unwrap();
    assert_eq!(
        beginning
            .iter()
            .map(|run| run.id.as_str())
            .collect::<Vec<_>>(),
        ["20260102-c", "20260102-b"]
    );
    assert!(world.store.runs_named("").unwrap().is_empty());
    let by_start = |start: &str| world.store.run(start).unwrap().map(|record| record.id);
    assert_eq!(by_start("20260101"), Some("20260101-a".into()));
    assert_eq!(by_start("20260102"), None);
    assert_eq!(by_start("%"), None);
    world
        .store
        .begin(&world.header("mistyped", "x", 0))
        .unwrap()
        .discard()
        .unwrap();
    assert_eq!(by_start("mistyped"), None);
    assert!(!world.store.folder_of("mistyped").exists());
}

#[test]
fn deliveries_change_their_state() {
    let world = World::new();
    let mut delivery = Delivery {
        run: "a".into(),
        changeling: world.name.clone(),
        repo: "o/n".into(),
        kind: "pull-request".into(),
        number: 7,
        url: "https://github.com/o/n/pull/7".into(),
        title: "Fix".into(),
        branch: Some("changelings/x".into()),
        state: "open".into(),
        updated_at: at(0),
    };
    world.store.deliver(&delivery).unwrap();
    assert_eq!(world.store.open_deliveries().unwrap(), [delivery.clone()]);
    delivery.state = "merged".into();
    delivery.title = "Fix it".into();
    delivery.updated_at = at(5);
    let fate = |number, state| Fate {
        number,
        title: "Fix it",
        state,
    };
    let fates = [fate(7, "merged"), fate(8, "open")];
    world
        .store
        .learn_fates("o/n", "pull-request", fates, at(5))
        .unwrap();
    assert_eq!(world.store.open_deliveries().unwrap(), []);
    assert_eq!(
        world.store.deliveries_of_run("a").unwrap(),
        [delivery.clone()]
    );
    assert_eq!(
        world.store.deliveries(&world.name, "o/n").unwrap(),
        [delivery]
    );
    assert!(
        world
            .store
            .deliveries(&world.name, "o/m")
            .unwrap()
            .is_empty()
    );
}

#[test]
fn a_newer_format_is_refused_and_left_alone() {
    let world = World::new();
    let file = world.home.runs_dir().join("runs.sqlite");
    world
        .store
        .connection
        .pragma_update(None, "user_version", schema::VERSION + 1)
        .unwrap();
    let before = fs::read(&file).unwrap();
    let error = Store::open(&world.home).unwrap_err();
    assert!(matches!(error, RecordError::Newer { found } if found == schema::VERSION + 1));
    assert_eq!(fs::read(&file).unwrap(), before);
}

#[test]
fn many_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::at(folder.path().join("home"));
    std::thread::scope(|scope| {
        for number in 0..8 {
            let home = &home;
            scope.spawn(move || {
                let name: Name = "nightly".parse().unwrap();
                let store = Store::open(home).unwrap();
                for turn in 0..5 {
                    let id = format!("{number}-{turn}");
                    let header = Header {
                        id: &id,
                        kind: Kind::Run,
                        changeling: &name,
                        repo: "o/n",
                        template: &name,
                        started_at: at(turn),
                    };
                    let recording = store.begin(&header).unwrap();
                    recording
                        .finish(&Outcome::INTERRUPTED, Usage::default(), at(turn))
                        .unwrap();
                }
            });
        }
    });
    assert_eq!(
        Store::open(&home)
            .unwrap()
            .runs(&Filter::default())
            .unwrap()
            .len(),
        40
    );
}
