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
    assert_eq!(world.outcome("dead"), Some(Outcome::Interrupted));
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
    delivery.state = "merged".into();
    delivery.updated_at = at(5);
    world.store.deliver(&delivery).unwrap();
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
                        .finish(&Outcome::Interrupted, Usage::default(), at(turn))
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
