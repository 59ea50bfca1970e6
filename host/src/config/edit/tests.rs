use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::Duration;

use proptest::prelude::*;
use toml_edit::value;

use super::*;

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn set(path: &Path, key: &str, number: i64) -> Result<(), EditError> {
    edit_file(path, |doc| {
        doc[key] = value(number);
        Ok(())
    })
}

fn names_in(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_new_file_and_its_folder_are_private() {
    let folder = folder();
    let path = folder.path().join("new/grants.toml");
    set(&path, "a", 1).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "a = 1\n");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    assert_eq!(
        names_in(path.parent().unwrap()),
        [".grants.toml.lock", "grants.toml"]
    );
}

#[test]
fn a_link_is_written_through() {
    let folder = folder();
    let (link, target) = (
        folder.path().join("config.toml"),
        folder.path().join("dotfiles/c.toml"),
    );
    fs::create_dir(target.parent().unwrap()).unwrap();
    symlink("dotfiles/c.toml", &link).unwrap();
    // The link may point at a file that does not exist yet.
    for number in [1, 2] {
        set(&link, "a", number).unwrap();
        assert!(link.is_symlink());
        assert_eq!(
            fs::read_to_string(&target).unwrap(),
            format!("a = {number}\n")
        );
    }
    assert_eq!(names_in(target.parent().unwrap()), ["c.toml"]);
    let lost = folder.path().join("lost.toml");
    symlink("nowhere/c.toml", &lost).unwrap();
    assert!(matches!(
        set(&lost, "a", 1),
        Err(EditError::Dangling { .. })
    ));
    let looped = folder.path().join("loop.toml");
    symlink("loop.toml", &looped).unwrap();
    assert!(matches!(set(&looped, "a", 1), Err(EditError::Io { .. })));
}

/// Refusals that hold for root too, who is not stopped by modes.
#[test]
fn what_is_not_ours_is_left_alone() {
    let folder = folder();
    let path = folder.path().join("c.toml");
    fs::create_dir(&path).unwrap();
    assert!(matches!(
        set(&path, "a", 1),
        Err(EditError::NotAFile { .. })
    ));
    fs::remove_dir(&path).unwrap();

    // A pipe of the test's own, as a device would be: root could lose the machine's to a mistake.
    let pipe = folder.path().join("pipe");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &pipe,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
        0,
    )
    .unwrap();
    symlink(&pipe, &path).unwrap();
    assert!(matches!(
        set(&path, "a", 1),
        Err(EditError::NotAFile { .. })
    ));
    assert!(!fs::symlink_metadata(&pipe).unwrap().is_file());
    fs::remove_file(&path).unwrap();
    fs::remove_file(&pipe).unwrap();

    fs::write(&path, "a = 0\n").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
    assert!(matches!(set(&path, "a", 1), Err(EditError::Protected(_))));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();

    if rustix::process::geteuid().is_root() {
        std::os::unix::fs::chown(&path, Some(12345), None).unwrap();
        assert!(matches!(
            set(&path, "a", 1),
            Err(EditError::NotOurs { owner: 12345, .. })
        ));
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), "a = 0\n");

    // A file where the folder should be.
    let below = path.join("c.toml");
    assert!(matches!(set(&below, "a", 1), Err(EditError::Io { .. })));
    assert_eq!(names_in(folder.path()), [".c.toml.lock", "c.toml"]);
}

#[test]
fn a_file_that_is_no_toml_is_never_overwritten() {
    let folder = folder();
    let path = folder.path().join("c.toml");
    for broken in [&b"a = \"half writ"[..], b"\xff\xfe\x00", b"a = 1\na = 2\n"] {
        fs::write(&path, broken).unwrap();
        assert!(set(&path, "b", 1).is_err());
        assert_eq!(fs::read(&path).unwrap(), broken);
    }
}

#[test]
fn a_failing_change_leaves_nothing_behind() {
    let folder = folder();
    let path = folder.path().join("c.toml");
    fs::write(&path, "a = 1\n").unwrap();
    let refused: Result<(), EditError> = edit_file(&path, |doc| {
        doc["a"] = value(2);
        Err(EditError::Protected(PathBuf::new()))
    });
    assert!(refused.is_err());
    assert_eq!(fs::read_to_string(&path).unwrap(), "a = 1\n");
    assert_eq!(names_in(folder.path()), [".c.toml.lock", "c.toml"]);
}

/// What a command killed between writing and renaming leaves is swept away by the next.
#[test]
fn leftovers_are_replaced() {
    let folder = folder();
    let path = folder.path().join("c.toml");
    fs::write(&path, "a = 1\n").unwrap();
    fs::write(folder.path().join(".c.toml.new"), "half").unwrap();
    set(&path, "a", 2).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "a = 2\n");
    assert_eq!(names_in(folder.path()), [".c.toml.lock", "c.toml"]);
}

#[test]
fn a_held_lock_is_waited_for_and_then_named() {
    let folder = folder();
    let path = folder.path().join("c.toml");
    set(&path, "a", 1).unwrap();
    let lock = fs::File::open(folder.path().join(".c.toml.lock")).unwrap();
    lock.lock().unwrap();
    let wait = Duration::from_millis(20);
    let locked: Result<(), EditError> =
        replace::update(&path, wait, |_| panic!("must not get here"));
    let Err(EditError::Locked { holder, .. }) = locked else {
        panic!("{locked:?}")
    };
    assert_eq!(holder, Some(std::process::id()));
    lock.unlock().unwrap();
    set(&path, "a", 2).unwrap();
}

/// Somebody saves the file in an editor, without our lock, while a change is computed.
#[test]
fn a_change_by_others_is_not_lost() {
    let folder = folder();
    let path = folder.path().join("c.toml");
    fs::write(&path, "a = 1\n").unwrap();
    let mut calls = 0;
    edit_file::<(), EditError>(&path, |doc| {
        calls += 1;
        if calls == 1 {
            fs::write(&path, "a = 1\nfrom_editor = true\n").unwrap();
        }
        doc["b"] = value(2);
        Ok(())
    })
    .unwrap();
    assert_eq!(calls, 2);
    assert_eq!(
        fs::read_to_string(&path).unwrap(),
        "a = 1\nfrom_editor = true\nb = 2\n"
    );

    let restless = edit_file::<(), EditError>(&path, |doc| {
        calls += 1;
        fs::write(&path, format!("a = {calls}\n")).unwrap();
        doc["b"] = value(3);
        Ok(())
    });
    assert!(matches!(restless, Err(EditError::Restless(_))));
}

#[test]
fn threads_lose_nothing() {
    let folder = folder();
    let path = folder.path().join("c.toml");
    std::thread::scope(|scope| {
        for number in 0..20 {
            let path = &path;
            scope.spawn(move || set(path, &format!("k{number}"), number).unwrap());
        }
    });
    let doc: DocumentMut = fs::read_to_string(&path).unwrap().parse().unwrap();
    assert_eq!(doc.len(), 20);
}

/// Lines a person may have in his file.
fn line() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        "# [^\\p{C}]{0,20}",
        Just("   # indented".to_owned()),
        Just("\tkey_with_tab   =   1   # why".to_owned()),
        Just("text = '''\nseveral\n  lines'''".to_owned()),
        Just("list = [\n  1, # one\n  2,\n]".to_owned()),
        Just("point = { x = 1,   y = 2 }".to_owned()),
        Just("\"quoted key\" = 0x1F".to_owned()),
        Just("dotted.key . here = 1e3".to_owned()),
        Just("[table]   # comment".to_owned()),
        Just("[ spaced . name ]".to_owned()),
        Just("[[many]]".to_owned()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// An edit changes its own key and no other byte: comments, spaces, order, line ends.
    #[test]
    fn every_other_byte_is_kept(
        lines in proptest::collection::vec(line(), 0..12),
        crlf: bool,
        mark: bool,
        last_end: bool,
    ) {
        let mut text = format!("edited = 1 # mine\n{}", lines.join("\n"));
        if last_end {
            text.push('\n');
        }
        if crlf {
            text = text.replace('\n', "\r\n");
        }
        if mark {
            text.insert(0, '\u{feff}');
        }
        let edited = changed::<(), EditError>(Path::new("c.toml"), &text, |doc| {
            *doc["edited"].as_value_mut().unwrap() =
                toml_edit::Value::from(2).decorated(" ", " # mine");
            Ok(())
        });
        match edited {
            Ok((after, ())) => prop_assert_eq!(after, text.replacen("edited = 1", "edited = 2", 1)),
            // Duplicate keys and tables: no TOML.
            Err(_) => prop_assert!(text.parse::<DocumentMut>().is_err()),
        }
    }
}

const DOTFILES: &str = r#"# Changelings of Ada.
# Second line of the header.

# The first one
[changelings.a]
template = "x" # why
  repo = "me/a"   # indented

# About b,
# in two lines
[changelings.b]
template = "x"
repo = "me/b"
[changelings.b.modal]
cpu = 2

# --- shared ---

# Defaults
[defaults]
timeout = "1h"
[changelings.c]
template = "x"
repo = "me/c"
# the end
"#;

fn after(change: impl FnOnce(&mut DocumentMut)) -> String {
    let mut doc: DocumentMut = DOTFILES.parse().unwrap();
    change(&mut doc);
    doc.to_string()
}

fn new_entry() -> toml_edit::Table {
    let mut table = toml_edit::Table::new();
    table["template"] = value("new");
    table["params"]["k"] = value("v");
    table
}

/// Comments stay with what they are about.
#[test]
fn entries_are_added_and_removed() {
    let shown = [
        ("removed a", after(|doc| assert!(entry::remove(doc, "a")))),
        ("removed b", after(|doc| assert!(entry::remove(doc, "b")))),
        ("removed c", after(|doc| assert!(entry::remove(doc, "c")))),
        (
            "removed all",
            after(|doc| {
                for name in ["c", "a", "b"] {
                    assert!(entry::remove(doc, name));
                }
            }),
        ),
        (
            "added",
            after(|doc| assert!(entry::insert(doc, "new", new_entry()))),
        ),
        (
            "changed",
            after(|doc| {
                let entry = entry::entry(doc, "a").unwrap();
                entry::set(entry, "template", "y".into());
                entry::set_in(entry, "params", "k", "v".into());
                entry::set_in(entry::entry(doc, "b").unwrap(), "modal", "cpu", 4.into());
                assert!(entry::unset(entry::entry(doc, "c").unwrap(), "repo"));
            }),
        ),
    ];
    let shown: Vec<_> = shown
        .iter()
        .map(|(title, text)| format!("=== {title}\n{text}"))
        .collect();
    insta::assert_snapshot!(shown.join("\n"));
    assert_eq!(after(|doc| assert!(!entry::remove(doc, "zzz"))), DOTFILES);
    assert_eq!(
        after(|doc| assert!(!entry::insert(doc, "a", new_entry()))),
        DOTFILES
    );
}

/// Adding to whatever people write by hand gives TOML with the new entry and all that was there.
#[test]
fn entries_are_added_to_every_form() {
    let mut shown = Vec::new();
    for text in [
        "",
        "# only a comment\n",
        "[changelings]\n",
        "changelings = {}\n",
        "changelings = { a = { template = \"x\" } }\n",
        "changelings.a.template = \"x\"\n[mngr]\n",
        "[changelings.a]\ntemplate = \"x\"\n\n[mngr]\nlaunch = \"auto\"\n",
        "[mngr]\n# nothing\n",
        "[changelings]\na = { template = \"x\" }\n",
    ] {
        let mut doc: DocumentMut = text.parse().unwrap();
        let before = entry::names(&doc).len();
        assert!(entry::insert(&mut doc, "new", new_entry()), "{text}");
        let after = doc.to_string();
        let again: DocumentMut = after
            .parse()
            .unwrap_or_else(|error| panic!("{after}{error}"));
        assert_eq!(entry::names(&again).len(), before + 1);
        let mut gone = again.clone();
        assert!(entry::remove(&mut gone, "new"));
        shown.push(format!("=== {text:?}\n{after}"));
    }
    insta::assert_snapshot!(shown.join("\n"));
}

proptest! {
    /// Adding an entry keeps every byte there was; removing it again gives the old file.
    #[test]
    fn adding_and_removing_keeps_the_rest(
        lines in proptest::collection::vec(line(), 0..12), crlf: bool,
    ) {
        let mut text = format!("[changelings.a]\ntemplate = \"x\"\n{}\n", lines.join("\n"));
        if crlf {
            text = text.replace('\n', "\r\n");
        }
        let Ok((mut doc, form)) = parse(Path::new("c.toml"), &text) else { return Ok(()) };
        prop_assume!(doc["changelings"].as_table().is_some_and(|table| table.len() == 1));
        entry::insert(&mut doc, "new", new_entry());
        let added = form.restore(&doc.to_string());
        let entry = "\n[changelings.new]\ntemplate = \"new\"\nparams = { k = \"v\" }\n";
        let entry = if crlf { entry.replace('\n', "\r\n") } else { entry.to_owned() };
        prop_assert_eq!(added.replacen(&entry, "", 1), text.clone());
        let (mut doc, form) = parse(Path::new("c.toml"), &added).unwrap();
        entry::remove(&mut doc, "new");
        prop_assert_eq!(form.restore(&doc.to_string()), text);
    }
}
