//! The volume: empty, with records that are none, and gone.

use super::{COMMIT, Cloud};

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
