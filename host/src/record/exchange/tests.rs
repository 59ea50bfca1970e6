use super::*;
use crate::context::Home;
use crate::exec::{Outcome, Trigger};
use crate::record::{Header, Kind, Origin, Place, Usage};

struct Folders {
    folder: tempfile::TempDir,
}

impl Folders {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn store(&self, name: &str) -> Store {
        Store::open(&Home::at(self.folder.path().join(name))).unwrap()
    }

    fn volume(&self) -> PathBuf {
        self.folder.path().join("records/fc-1.a")
    }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_795_000_000 + seconds).unwrap()
}

fn origin() -> Origin {
    Origin {
        refused: false,
        place: Place::Modal,
        call: "fc-1".into(),
        attempt: "a".into(),
        by: Trigger::Schedule,
    }
}

/// A run that opened a pull request.
fn ran(store: &Store) {
    let name = "nightly".parse().unwrap();
    let mut recording = store
        .begin(&Header {
            id: "r1",
            kind: Kind::Run,
            changeling: &name,
            repo: "https://github.com/o/n",
            template: &name,
            started_at: at(0),
        })
        .unwrap();
    recording.is_call(&origin()).unwrap();
    recording.has_secrets(&["GITHUB_TOKEN"]).unwrap();
    recording.log(b"It works.\n").unwrap();
    recording.save(File::Patch, b"diff\n").unwrap();
    let usage = Usage {
        cost_usd: Some(0.5),
        turns: Some(3),
    };
    let outcome = Outcome::Pushed {
        branch: "b".into(),
        commit: "c".into(),
        commits: 1,
    };
    recording.finish(&outcome, usage, at(60)).unwrap();
    store.deliver(&delivery("open", 50)).unwrap();
}

fn delivery(state: &str, second: i64) -> Delivery {
    Delivery {
        run: "r1".into(),
        changeling: "nightly".parse().unwrap(),
        repo: "https://github.com/o/n".into(),
        kind: "pull-request".into(),
        number: 7,
        url: "https://github.com/o/n/pull/7".into(),
        title: "Fix it".into(),
        branch: Some("b".into()),
        state: state.into(),
        updated_at: at(second),
    }
}

#[test]
fn a_record_arrives_as_it_was_and_only_once() {
    let place = Folders::new();
    let there = place.store("there");
    ran(&there);
    let written = there.export("r1", &place.volume()).unwrap();
    let read = Exported::read(&place.volume()).unwrap();
    assert_eq!(read, written);
    assert_eq!(read.exit_code, 0);
    assert_eq!(read.files["log"], 10);

    let here = place.store("here");
    assert!(here.import(&read, Some(&place.volume())).unwrap());
    assert!(!here.import(&read, Some(&place.volume())).unwrap());
    assert_eq!(
        here.run("r1").unwrap().unwrap(),
        there.run("r1").unwrap().unwrap()
    );
    assert_eq!(
        here.run("r1").unwrap().unwrap().origin.unwrap().key(),
        "fc-1.a"
    );
    assert_eq!(here.read("r1", File::Log).unwrap().unwrap(), "It works.\n");
    assert_eq!(here.secrets_of("r1").unwrap(), ["GITHUB_TOKEN"]);
    assert_eq!(here.unclean().unwrap(), Vec::<String>::new());
    here.remove_unborn().unwrap();
    assert!(here.path_of("r1", File::Patch).is_some());
}

#[test]
fn what_became_of_a_pull_request_is_never_unlearnt() {
    let place = Folders::new();
    let there = place.store("there");
    ran(&there);
    let exported = there.export("r1", &place.volume()).unwrap();
    let here = place.store("here");
    here.deliver(&delivery("merged", 100)).unwrap();
    here.import(&exported, None).unwrap();
    let state = |store: &Store| store.deliveries_of_run("r1").unwrap()[0].state.clone();
    assert_eq!(state(&here), "merged");
    let mut newer = exported.clone();
    newer.deliveries = vec![delivery("closed", 200)];
    assert!(!here.import(&newer, None).unwrap());
    assert_eq!(state(&here), "closed");
}

#[test]
fn what_is_no_record_is_told_apart() {
    let place = Folders::new();
    let there = place.store("there");
    ran(&there);
    let exported = there.export("r1", &place.volume()).unwrap();
    let folder = place.volume();
    let file = folder.join(FILE);
    let mut said = Vec::new();
    let mut refused = |bytes: Option<&[u8]>| {
        match bytes {
            Some(bytes) => fs::write(&file, bytes).unwrap(),
            None => fs::remove_file(&file).unwrap(),
        }
        let error = Exported::read(&folder).expect_err("must be refused");
        let shown = folder.to_string_lossy().into_owned();
        said.push(error.to_string().replace(&shown, "FOLDER"));
    };
    refused(None);
    refused(Some(b"{\"version\": 1, \"rec"));
    refused(Some(b"{\"version\": 2}"));
    let mut other = exported.clone();
    other.record.id = "../../etc".into();
    refused(Some(&serde_json::to_vec(&other).unwrap()));
    let mut other = exported.clone();
    other.record.origin = None;
    refused(Some(&serde_json::to_vec(&other).unwrap()));
    let mut other = exported;
    other.record.outcome = None;
    refused(Some(&serde_json::to_vec(&other).unwrap()));
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn links_and_strangers_among_the_files_are_left_alone() {
    let place = Folders::new();
    let there = place.store("there");
    ran(&there);
    let mut exported = there.export("r1", &place.volume()).unwrap();
    let folder = place.volume();
    fs::remove_file(folder.join("log")).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", folder.join("log")).unwrap();
    fs::write(folder.join("stranger"), "x").unwrap();
    exported.files.insert("stranger".into(), 1);
    exported.files.insert("../r2".into(), 1);
    let here = place.store("here");
    here.import(&exported, Some(&folder)).unwrap();
    let mut names: Vec<_> = fs::read_dir(here.folder_of("r1"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["events.jsonl", "patch.diff"]);
}
