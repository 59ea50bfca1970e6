use super::super::tests::{git_in, sh};
use super::fetch::FETCHED_FILE;
use super::*;
use std::fs;

/// A folder with `origin` (a repository with one commit on `main`), a home for us, and git.
pub(super) struct World {
    pub(super) folder: tempfile::TempDir,
    home: Home,
    pub(super) git: Git,
}

impl World {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        sh(
            folder.path(),
            "git init -q -b main origin; cd origin; echo 1 > a; git add a; git commit -qm 1",
        );
        let home = Home::at(folder.path().join("home"));
        let git = git_in(folder.path());
        Self { folder, home, git }
    }

    pub(super) fn sh(&self, script: &str) -> String {
        sh(self.folder.path(), script)
    }

    pub(super) fn repo(&self, name: &str) -> RepoUrl {
        RepoUrl::parse(&format!("./{name}"), self.folder.path()).unwrap()
    }

    fn update(&self, name: &str) -> Result<Mirror, GitError> {
        Mirror::update(&self.git, &self.home, &self.repo(name))
    }
}

#[test]
fn follows_the_remote() {
    let world = World::new();
    let first = world.update("origin").unwrap();
    assert_eq!(
        (first.default_branch().unwrap(), first.branches()),
        ("main", vec!["main".to_owned()])
    );
    assert_eq!(
        first.commit_of("main").unwrap(),
        world.sh("git -C origin rev-parse HEAD")
    );

    // What a run keeps survives pruning; a branch that is gone does not; `a` may become `a/b`.
    let keep = first.commit_of("main").unwrap();
    checked(
        "update-ref",
        &world
            .git
            .in_dir(&first.git_dir)
            .args(["update-ref", "refs/runs/r1/heads/x", &keep]),
    )
    .unwrap();
    world.sh("cd origin; git branch topic; git checkout -qb new; echo 2 > a; git commit -qam 2");
    assert_eq!(
        world.update("origin").unwrap().branches(),
        ["main", "new", "topic"]
    );
    world.sh("cd origin; git branch -D topic; git branch topic/sub; git branch -f main new");
    let second = world.update("origin").unwrap();
    assert_eq!(second.branches(), ["main", "new", "topic/sub"]);
    assert_eq!(second.default_branch().unwrap(), "new");
    assert_eq!(
        second.commit_of("main").unwrap(),
        world.sh("git -C origin rev-parse new")
    );
    let kept = checked(
        "rev-parse",
        &world
            .git
            .in_dir(&second.git_dir)
            .args(["rev-parse", "refs/runs/r1/heads/x"]),
    );
    assert_eq!(kept.unwrap().text(), keep);
    second.forget_run(&world.git, "r1");
    let left = checked(
        "for-each-ref",
        &world
            .git
            .in_dir(&second.git_dir)
            .args(["for-each-ref", "refs/runs"]),
    );
    assert_eq!(left.unwrap().text(), "");

    let opened = Mirror::open(&world.git, &world.home, &world.repo("origin"))
        .unwrap()
        .unwrap();
    assert_eq!(
        (opened.branches(), opened.fetched_at),
        (second.branches(), second.fetched_at)
    );
    assert!(
        Mirror::open(&world.git, &world.home, &world.repo("other"))
            .unwrap()
            .is_none()
    );
}

#[test]
fn a_half_made_mirror_is_made_again() {
    let world = World::new();
    let mirror = world.update("origin").unwrap();
    // Killed while it was made: a folder without `fetched.json`, and one aside.
    fs::remove_file(mirror.git_dir.join(FETCHED_FILE)).unwrap();
    fs::remove_dir_all(mirror.git_dir.join("objects")).unwrap();
    fs::create_dir(mirror.git_dir.with_extension("new")).unwrap();
    let again = world.update("origin").unwrap();
    assert_eq!(again.branches(), ["main"]);
    // Killed while it fetched: lock files of git.
    world.sh("cd origin; echo 2 > a; git commit -qam 2");
    fs::write(again.git_dir.join("packed-refs.lock"), "").unwrap();
    fs::write(again.git_dir.join("refs/remotes/origin/main.lock"), "").unwrap();
    let commit = world.update("origin").unwrap().commit_of("main").unwrap();
    assert_eq!(commit, world.sh("git -C origin rev-parse main"));
}

#[test]
fn kinds_of_folders() {
    let world = World::new();
    world.sh("git clone -q --bare origin bare.git; git -C origin worktree add -q ../linked -b linked
              git clone -q --depth 1 file://$PWD/origin shallow; mkdir -p origin/sub plain
              git init -q --object-format=sha256 sha256; cd sha256; echo 1 > a; git add a; git commit -qm 1");
    assert_eq!(
        world.update("bare.git").unwrap().default_branch().unwrap(),
        "main"
    );
    assert_eq!(
        world.update("linked").unwrap().default_branch().unwrap(),
        "linked"
    );
    assert_eq!(world.update("shallow").unwrap().branches(), ["main"]);
    assert_eq!(world.update("sha256").unwrap().object_format(), "sha256");
    assert!(matches!(
        world.update("origin/sub"),
        Err(GitError::Inside { .. })
    ));
    assert!(matches!(
        world.update("bare.git/refs"),
        Err(GitError::Inside { .. })
    ));
    assert!(matches!(
        world.update("plain"),
        Err(GitError::NotARepository(_))
    ));
    assert!(matches!(
        world.update("missing"),
        Err(GitError::NoFolder(_))
    ));
    for name in ["bare.git", "linked", "shallow", "sha256", "origin/.git"] {
        let there = Mirror::in_place(&world.git, &world.repo(name)).unwrap();
        assert_eq!(
            there
                .commit_of(there.default_branch().unwrap())
                .unwrap()
                .len()
                % 8,
            0,
            "{name}"
        );
    }
}

#[test]
fn nothing_to_branch_from() {
    let world = World::new();
    world.sh("git init -q empty; git clone -q origin unborn; cd unborn; git symbolic-ref HEAD refs/heads/later");
    assert!(matches!(world.update("empty"), Err(GitError::Empty(_))));
    assert!(matches!(
        Mirror::in_place(&world.git, &world.repo("empty")),
        Err(GitError::Empty(_))
    ));
    let error = world
        .update("unborn")
        .unwrap()
        .default_branch()
        .unwrap_err()
        .to_string();
    assert!(error.ends_with("its HEAD names no branch"), "{error}");
    world.sh("git -C origin checkout -q --detach");
    let mirror = world.update("origin").unwrap();
    assert!(matches!(
        mirror.default_branch(),
        Err(GitError::NoDefaultBranch { .. })
    ));
    let Err(GitError::NoBranch { near, .. }) = mirror.commit_of("mian") else {
        panic!()
    };
    assert_eq!(near, ["main"]);
}

#[test]
fn strange_branch_names_are_only_names() {
    let world = World::new();
    let names = [
        "--upload-pack=x",
        "$(id)",
        "a;touch${IFS}trap",
        "-x",
        "ünïcode",
        "a'b\"c",
    ];
    let commit = world.sh("git -C origin rev-parse HEAD");
    let repo = world.folder.path().join("origin/.git");
    for name in names {
        let create = [
            "update-ref".to_owned(),
            format!("refs/heads/{name}"),
            commit.clone(),
        ];
        checked("update-ref", &world.git.in_dir(&repo).args(create)).unwrap();
    }
    let mirror = world.update("origin").unwrap();
    for name in names {
        assert_eq!(mirror.commit_of(name).unwrap(), commit);
    }
    // The next fetch that has work to do, from a default branch that looks like an option.
    world.sh("cd origin; git symbolic-ref HEAD 'refs/heads/--upload-pack=x'; echo 2 > a; git commit -qam 2");
    let mirror = world.update("origin").unwrap();
    assert_eq!(mirror.default_branch().unwrap(), "--upload-pack=x");
    assert_ne!(mirror.commit_of("--upload-pack=x").unwrap(), commit);
}

#[test]
fn a_folder_of_somebody_else_is_explained() {
    // Git's own switch for its tests: pretend that every folder has another owner.
    let world = World::new();
    let call = world
        .git
        .as_user()
        .env("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
        .arg("-C");
    let call = call
        .arg(world.folder.path().join("origin"))
        .args(["rev-parse", "--git-dir"]);
    let error = checked("rev-parse", &call).unwrap_err();
    let GitError::Untrusted(folder) = &error else {
        panic!("{error}")
    };
    let mend = format!("if you trust it: git config --global --add safe.directory {folder}");
    assert!(folder.ends_with("/origin"), "{folder}");
    assert_eq!(crate::error::Error::from(error).hint, Some(mend));
}

#[test]
fn two_processes_take_turns() {
    let world = World::new();
    world.update("origin").unwrap();
    let mut waiting = Vec::new();
    for _ in 0..4 {
        let (git, home, repo) = (world.git.clone(), world.home.clone(), world.repo("origin"));
        waiting.push(std::thread::spawn(move || {
            Mirror::update(&git, &home, &repo).unwrap().branches()
        }));
    }
    for thread in waiting {
        assert_eq!(thread.join().unwrap(), ["main"]);
    }
}
