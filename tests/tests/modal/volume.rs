//! The volume: empty, with records that are none, and gone.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{COMMIT, Cloud, WAIT};

#[test]
fn nothing_is_there_yet() {
    let Some(mut cloud) = Cloud::without_containers() else {
        return;
    };
    cloud.add("nightly", COMMIT, "");
    cloud.does("deploy nightly");
    let status = cloud.does("status nightly --json").json();
    assert_eq!(
        status["changelings"].as_array().map(Vec::len),
        Some(1),
        "{status:#}"
    );
    let runs = cloud.does("runs --json").json();
    assert_eq!(runs["runs"].as_array().map(Vec::len), Some(0), "{runs:#}");
}

#[test]
fn records_that_are_half_written_hide_no_others() {
    let Some(mut cloud) = Cloud::new() else {
        return;
    };
    cloud.add("nightly", COMMIT, "");
    cloud.does("deploy nightly");
    cloud.does("run nightly");
    let volume = cloud.modal.volume("changeling-nightly");
    let records = volume.join("records");
    let [whole] = &std::fs::read_dir(&records)
        .expect("there is a record")
        .flatten()
        .map(|entry| entry.path())
        .collect::<Vec<_>>()[..]
    else {
        panic!("one record")
    };
    // No folder of git, and no database: a volume keeps whole files, the last of each.
    let mut names = std::collections::BTreeSet::new();
    let mut folders = vec![volume.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
            names.insert(entry.file_name().to_string_lossy().into_owned());
            if entry.path().is_dir() {
                folders.push(entry.path());
            }
        }
    }
    assert!(names.contains("record.json"), "{names:?}");
    let is_store = |name: &&String| {
        ["HEAD", "objects", "refs"].contains(&name.as_str())
            || name.contains(".db")
            || name.contains("sqlite")
    };
    assert_eq!(names.iter().find(is_store), None, "{names:?}");
    let text = std::fs::read(whole.join("record.json")).expect("a record");
    for (key, content) in [
        ("fc-half.0123456789ab", &text[..text.len() / 2]),
        ("fc-empty.0123456789ab", b""),
        ("fc-other.0123456789ab", b"[1, 2]"),
    ] {
        let folder = records.join(key);
        std::fs::create_dir(&folder).expect("a folder of the volume");
        std::fs::write(folder.join("record.json"), content).expect("a file of the volume");
    }
    std::fs::create_dir(records.join("fc-none.0123456789ab")).expect("a folder of the volume");
    let bundle = std::fs::read_dir(volume.join("mirrors"))
        .into_iter()
        .flatten()
        .flatten();
    for file in bundle.map(|entry| entry.path()) {
        let half = std::fs::read(&file).expect("a bundle");
        std::fs::write(&file, &half[..half.len() / 2]).expect("a bundle");
    }

    let status = cloud.does("status nightly --json");
    assert!(status.stdout.contains("pull-request"), "{status}");
    let runs = cloud.does("runs --json").json();
    assert_eq!(runs["runs"].as_array().map(Vec::len), Some(1), "{runs:#}");
    // And the next run works, and says what it could not use.
    cloud.command(["run", "nightly"]).run().exits(0);
    let runs = cloud.does("runs --json").json();
    assert_eq!(runs["runs"].as_array().map(Vec::len), Some(2), "{runs:#}");
}

#[test]
fn somebody_deletes_it() {
    let Some(mut cloud) = Cloud::new() else {
        return;
    };
    cloud.add("nightly", COMMIT, "");
    cloud.does("deploy nightly");
    cloud.does("run nightly");
    let delete = ["volume", "delete", "changeling-nightly", "--yes"];
    let delete = cloud.modal.client(&cloud.env, delete);
    delete.expect("it is there").run().success();

    // What was fetched is still told, and what is wrong is told beside it.
    let told = cloud.does("status --json").json();
    assert_eq!(
        told["changelings"][0]["last"]["outcome"], "pull-request",
        "{told:#}"
    );
    let [need] = &told["needs_person"].as_array().expect("a list")[..] else {
        panic!("one thing: {told:#}")
    };
    assert_eq!(need["what"], "no-volume", "{told:#}");
    let says = need["says"].as_str().expect("a sentence");
    assert!(
        says.contains("its volume is not at Modal any more"),
        "{says}"
    );
    let run = cloud.command(["run", "nightly"]).run().exits(4);
    assert!(run.stderr.contains("somebody deleted its volume"), "{run}");
    assert!(run.stderr.contains("changeling deploy nightly"), "{run}");

    cloud.does("deploy nightly");
    cloud.does("run nightly");
    let told = cloud.does("status --json").json();
    assert_eq!(told["needs_person"], serde_json::json!([]), "{told:#}");
    let runs = cloud.does("runs --json").json();
    assert_eq!(runs["runs"].as_array().map(Vec::len), Some(2), "{runs:#}");
}

/// Files below a folder, by their paths.
fn files(folder: &Path, into: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            files(&path, into);
        } else {
            let bytes = std::fs::read(&path).expect("a file");
            into.insert(path, bytes);
        }
    }
}

#[test]
fn a_record_never_changes() {
    let Some(mut cloud) = Cloud::new() else {
        return;
    };
    cloud.add("nightly", &format!("{WAIT}; {COMMIT}"), "");
    cloud.does("deploy nightly");
    cloud.opens_the_gate();
    let records = || {
        let mut all = BTreeMap::new();
        let volume = cloud.modal.volume("changeling-nightly");
        files(&volume.join("records"), &mut all);
        all
    };
    cloud.fires("nightly");
    let first = records();
    let names = first.keys().filter_map(|path| path.file_name());
    assert!(names.clone().any(|name| name == "record.json"), "{first:?}");
    assert!(names.clone().any(|name| name == "log"), "{first:?}");
    // A run that goes on with the pull request, and one that is cut off.
    cloud.does("run nightly");
    cloud.does("status");
    let second = records();
    assert!(second.len() > first.len());
    std::fs::remove_file(cloud.shared.join("gate")).expect("it was there");
    let setup = cloud.setup().expect("it was there");
    let setup = setup.variable("CHANGELINGS_NOW", "2026-03-03T03:00:05Z");
    cloud.modal.containers_have(&setup);
    let call = cloud.modal.fire("changeling-nightly").remove(0);
    cloud.starts_become(3);
    cloud.modal.crash(&call);
    cloud.modal.wait_for(&call);
    let third = records();
    assert!(third.len() > second.len());
    for (before, after) in [(&first, &second), (&second, &third)] {
        for (path, bytes) in before {
            assert_eq!(Some(bytes), after.get(path), "{}", path.display());
        }
    }
}
