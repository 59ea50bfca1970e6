//! Both ways to read a commit, on real repositories.

use std::path::Path;
use std::time::Duration;

use super::*;
use crate::context::Environment;

const TIMEOUT: Duration = Duration::from_mins(1);

struct World {
    folder: tempfile::TempDir,
    git: Git,
}

impl World {
    fn new() -> Self {
        let world = Self {
            folder: tempfile::tempdir().unwrap(),
            git: Git::new(&Environment::read()),
        };
        world.run(&["init", "--quiet", "--initial-branch=main"]);
        world
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn run(&self, args: &[&str]) -> String {
        let call = self.git.bare().arg("-C").arg(self.path());
        let call = call.args(["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]);
        checked(args[0], &call.args(args.iter().copied()))
            .unwrap()
            .text()
    }

    fn write(&self, path: &str, content: impl AsRef<[u8]>) -> &Self {
        let path = self.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
        self
    }

    fn commit(&self) -> String {
        self.run(&["add", "--all"]);
        self.run(&[
            "commit",
            "--quiet",
            "--allow-empty",
            "--message",
            "One more",
        ]);
        self.run(&["rev-parse", "HEAD"])
    }

    /// The newest commit, from the objects and from the work tree.
    fn both(&self) -> [Snapshot; 2] {
        let objects = Snapshot {
            git_dir: self.path().join(".git"),
            commit: self.run(&["rev-parse", "HEAD"]),
            checkout: None,
        };
        let checkout = Some(self.path().to_owned());
        [
            objects.clone(),
            Snapshot {
                checkout,
                ..objects
            },
        ]
    }
}

/// Path, size and content of all files, in order.
fn contents(snapshot: &Snapshot, git: &Git, max: u64) -> Vec<(String, Option<u64>, String)> {
    let tree = snapshot.tree(git, TIMEOUT).unwrap();
    let mut files = snapshot.files(git).unwrap();
    let sizes: Vec<_> = tree.entries.iter().map(|entry| files.size(entry)).collect();
    let mut contents = Vec::new();
    let mut buffer = Vec::new();
    files
        .each(&tree.entries, max, &mut buffer, |entry, content| {
            let content = match content {
                Content::Whole(bytes) => String::from_utf8_lossy(bytes).into_owned(),
                Content::TooLarge(size) => format!("too large: {size}"),
                Content::Unreadable => "unreadable".to_owned(),
            };
            contents.push((entry.path.clone(), sizes[contents.len()], content));
        })
        .unwrap();
    contents
}

#[test]
fn objects_and_checkout_say_the_same() {
    let world = World::new();
    world
        .write("a.txt", "one\n")
        .write("empty", "")
        .write("deep/er/b.txt", "two\r\n")
        .write("deep.txt", "between a folder and its name\n")
        .write("large", vec![b'x'; 70_000])
        .write("binary", b"\0\x01\xff\n\n");
    // More than are asked for at once.
    for number in 0..600 {
        world.write(&format!("many/{number}"), format!("{number}"));
    }
    std::os::unix::fs::symlink("a.txt", world.path().join("link")).unwrap();
    world.commit();
    // Not part of the commit.
    world.write("untracked", "no");
    let [objects, checkout] = world.both();
    let expected = contents(&objects, &world.git, 60_000);
    assert_eq!(expected, contents(&checkout, &world.git, 60_000));
    assert_eq!(expected.len(), 606);
    assert!(expected.contains(&("deep/er/b.txt".into(), Some(5), "two\r\n".into())));
    assert!(expected.contains(&("large".into(), Some(70_000), "too large: 70000".into())));
    assert!(
        !expected
            .iter()
            .any(|(path, ..)| path == "link" || path == "untracked")
    );
}

#[test]
fn beginnings() {
    let world = World::new();
    world
        .write("a", "0123456789")
        .write("large", vec![b'x'; 3 << 20]);
    world.commit();
    for snapshot in world.both() {
        let tree = snapshot.tree(&world.git, TIMEOUT).unwrap();
        let mut files = snapshot.files(&world.git).unwrap();
        let mut beginning = |path, max| {
            files
                .beginning(tree.get(path).unwrap(), max)
                .unwrap()
                .unwrap()
        };
        assert_eq!(beginning("a", 4), (b"0123".to_vec(), true));
        assert_eq!(beginning("a", 10), (b"0123456789".to_vec(), false));
        assert_eq!(beginning("large", 5), (b"xxxxx".to_vec(), true));
        assert_eq!(beginning("large", 5 << 20).0.len(), 3 << 20);
        assert_eq!(beginning("a", 0), (Vec::new(), true));
    }
}

#[test]
fn a_checkout_that_was_tampered_with_leads_nowhere() {
    let world = World::new();
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("b"), "secret").unwrap();
    world
        .write("a/b", "b")
        .write("c", "c")
        .write("d", "d")
        .write("e", "e");
    world.commit();
    // The folder, and the file, became links; one file a folder, one a pipe.
    std::fs::remove_dir_all(world.path().join("a")).unwrap();
    std::os::unix::fs::symlink(outside.path(), world.path().join("a")).unwrap();
    std::fs::remove_file(world.path().join("c")).unwrap();
    std::os::unix::fs::symlink(outside.path().join("b"), world.path().join("c")).unwrap();
    std::fs::remove_file(world.path().join("d")).unwrap();
    std::fs::create_dir(world.path().join("d")).unwrap();
    std::fs::remove_file(world.path().join("e")).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        world.path().join("e"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR,
        0,
    )
    .unwrap();
    let [_, checkout] = world.both();
    for (path, size, content) in contents(&checkout, &world.git, 1_000) {
        assert_eq!((size, content.as_str()), (None, "unreadable"), "{path}");
    }
    let tree = checkout.tree(&world.git, TIMEOUT).unwrap();
    for entry in &tree.entries {
        let mut files = checkout.files(&world.git).unwrap();
        assert_eq!(files.beginning(entry, 10).unwrap(), None, "{}", entry.path);
    }
}

#[test]
fn history_of_lines_and_files() {
    let world = World::new();
    world.write("a", "1\n2\n3\n").write("b*", "x\n");
    let first = world.commit();
    world.write("a", "1\nTWO\n3\n");
    let second = world.commit();
    let [snapshot, _] = world.both();
    let origins = snapshot
        .origins(&world.git, "a", &[2, 3, 4, 9], TIMEOUT)
        .unwrap();
    let found: Vec<_> = origins
        .iter()
        .map(|o| (o.line, o.commit.as_str()))
        .collect();
    assert_eq!(found, [(2, second.as_str()), (3, first.as_str())]);
    assert_eq!(
        snapshot.origins(&world.git, "a", &[9], TIMEOUT).unwrap(),
        []
    );

    let ids = |path| -> Vec<String> {
        let commits = snapshot
            .commits(&world.git, path, None, 10, TIMEOUT)
            .unwrap();
        commits.into_iter().map(|commit| commit.id).collect()
    };
    assert_eq!(ids(None), [second.clone(), first.clone()]);
    // A name, not a pattern.
    assert_eq!(ids(Some("b*")), [first]);
    assert_eq!(ids(Some("*")), [""; 0]);

    let (changed, more) = snapshot.changed_files(&world.git, None, TIMEOUT).unwrap();
    assert!(!more);
    assert_eq!((changed["a"].commits, changed["b*"].commits), (2, 1));
    let tomorrow = jiff::Zoned::now()
        .date()
        .tomorrow()
        .unwrap()
        .tomorrow()
        .unwrap();
    assert!(
        snapshot
            .changed_files(&world.git, Some(tomorrow), TIMEOUT)
            .unwrap()
            .0
            .is_empty()
    );
}
