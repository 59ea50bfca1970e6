use std::path::PathBuf;

use super::*;
use crate::context::{Environment, Home};
use crate::patch::{Change, Entry};
use crate::process::Command;
use crate::repo_url::RepoUrl;

const ID: &str = "20260102-030405-abcdef";
const BRANCH: &str = "changelings/fix-2026-01-02";

/// A repository with files and submodules of its own, a workspace of it, and a place where traps
/// leave their mark.
struct World {
    folder: tempfile::TempDir,
    git: Git,
    mirror: Mirror,
    workspace: Workspace,
}

fn path_of_tests() -> String {
    Environment::read().get("PATH").unwrap().to_owned()
}

/// As an agent would: the user's own git, no configuration but an identity.
fn sh(folder: &Path, root: &Path, script: &str) {
    let mut call = Command::new("/bin/sh").args(["-ec", script]).cwd(folder);
    for (name, value) in [
        ("PATH", path_of_tests().as_str()),
        ("HOME", "/nonexistent"),
        ("ROOT", root.to_str().unwrap()),
        ("TRAP", root.join("traps").to_str().unwrap()),
        ("GIT_CONFIG_NOSYSTEM", "1"),
        ("GIT_CONFIG_GLOBAL", "/nonexistent/gitconfig"),
        ("GIT_AUTHOR_NAME", "Ada"),
        ("GIT_AUTHOR_EMAIL", "ada@example.org"),
        ("GIT_COMMITTER_NAME", "Ada"),
        ("GIT_COMMITTER_EMAIL", "ada@example.org"),
    ] {
        call = call.env(name, value);
    }
    let finished = call.run().unwrap();
    assert!(
        finished.success(),
        "{script}: {}",
        String::from_utf8_lossy(&finished.stderr)
    );
}

impl World {
    /// `script` makes the repository, in a fresh one.
    fn new(script: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir(root.join("traps")).unwrap();
        sh(
            root,
            root,
            "git init -q -b main origin; cd origin; echo one > a; echo two > b; echo '*.log' > .gitignore",
        );
        sh(&root.join("origin"), root, script);
        sh(
            &root.join("origin"),
            root,
            "git add -A; git commit -qm first",
        );
        let env = [
            ("PATH", path_of_tests()),
            ("HOME", root.to_str().unwrap().to_owned()),
        ];
        let git = Git::new(&Environment::from_pairs(
            env.iter().map(|(n, v)| (*n, v.as_str())),
        ));
        let home = Home::at(root.join("home"));
        let repo = RepoUrl::parse("./origin", root).unwrap();
        let mirror = Mirror::update(&git, &home, &repo).unwrap();
        let base = mirror.commit_of("main").unwrap();
        let run_dir = root.join("run");
        fs::create_dir(&run_dir).unwrap();
        let workspace = Workspace::create(
            &git,
            &mirror,
            &Spec {
                run_dir: &run_dir,
                run_id: ID,
                commit: &base,
                base_branch: "main",
                branch: BRANCH,
                origin: "/nowhere",
                credentials: None,
            },
        )
        .unwrap();
        Self {
            folder,
            git,
            mirror,
            workspace,
        }
    }

    fn agent(&self, script: &str) {
        sh(self.workspace.path(), self.folder.path(), script);
    }

    fn collect(&self) -> Collected {
        let collected = self.workspace.collect(&self.git, &self.mirror).unwrap();
        let sprung: Vec<PathBuf> = fs::read_dir(self.folder.path().join("traps"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        assert!(sprung.is_empty(), "{sprung:?}");
        assert!(!self.folder.path().join("run/collect.git").exists());
        collected
    }
}

fn subjects(collected: &Collected) -> Vec<&str> {
    collected
        .commits
        .iter()
        .map(|commit| commit.message.lines().next().unwrap())
        .collect()
}

#[test]
fn a_run_that_commits() {
    let world = World::new("mkdir d; echo x > d/x");
    world.agent(
        "echo more >> a; git commit -qam 'Fix a'; git mv b c; printf '\\0bin' > d/bin; ln -s ../../x d/out
         git add .; git commit -qm 'Move b'; chmod +x a; git rm -q d/x; git commit -qam 'Make a run'",
    );
    let collected = world.collect();
    assert_eq!(subjects(&collected), ["Fix a", "Move b", "Make a run"]);
    assert_eq!(
        collected.commits[0].people,
        "Ada <ada@example.org>\nAda <ada@example.org>"
    );
    let bytes = |text: &str| text.as_bytes().to_vec();
    let change = |name: &str, old_path: Option<&str>, now: Entry| Change {
        path: bytes(name),
        old_path: old_path.map(bytes),
        now,
    };
    assert_eq!(
        collected.changes,
        [
            change("a", None, Entry::File),
            change("c", Some("b"), Entry::File),
            change("d/bin", None, Entry::File),
            change("d/out", None, Entry::Link(bytes("../../x"))),
            change("a", None, Entry::File),
            change("d/x", None, Entry::Gone),
        ]
    );
    let files: Vec<_> = collected
        .files
        .iter()
        .map(|file| (file.path.as_str(), file.lines))
        .collect();
    assert_eq!(
        files,
        [
            ("a", Some((1, 0))),
            ("b → c", Some((0, 0))),
            ("d/bin", None),
            ("d/out", Some((1, 0))),
            ("d/x", Some((0, 1)))
        ]
    );
    let patch = String::from_utf8(collected.patch.clone()).unwrap();
    assert!(
        patch.contains("rename from b") && patch.contains("GIT binary patch"),
        "{patch}"
    );
    assert!(String::from_utf8_lossy(&collected.texts).contains("+more"));
    assert_eq!(
        (
            collected.uncommitted,
            collected.other_refs,
            collected.problems
        ),
        (None, vec![], vec![])
    );
    let kept = format!("refs/runs/{ID}/heads/{BRANCH}");
    let found = checked(
        "rev-parse",
        &world
            .git
            .in_dir(&world.mirror.git_dir)
            .args(["rev-parse", &kept]),
    );
    assert_eq!(Some(found.unwrap().text()), collected.tip);
}

#[test]
fn a_run_that_does_nothing() {
    let world = World::new("true");
    let collected = world.collect();
    assert_eq!((collected.tip, collected.uncommitted), (None, None));
    assert!(collected.patch.is_empty() && collected.problems.is_empty());
    let path = world.workspace.path().to_owned();
    world.workspace.remove().unwrap();
    assert!(!path.exists());
    assert_eq!(
        fs::read_dir(world.folder.path().join("run"))
            .unwrap()
            .count(),
        0
    );
}

#[test]
fn what_was_not_committed() {
    let world = World::new("echo x > gone");
    world.agent(
        "echo done > b; git commit -qam 'Change b'
         echo staged > staged; git add staged; echo more >> a; rm gone; ln -s /etc/passwd link
         echo noise > x.log; git init -q nested; head -c 11000000 /dev/zero > big",
    );
    let collected = world.collect();
    assert_eq!(subjects(&collected), ["Change b"]);
    let uncommitted = collected.uncommitted.unwrap();
    assert_eq!(uncommitted.left_out, ["big", "nested/"]);
    let patch = String::from_utf8(uncommitted.patch).unwrap();
    let named: Vec<_> = patch
        .lines()
        .filter(|line| line.starts_with("diff --git"))
        .collect();
    let expected: Vec<_> = ["a", "gone", "link", "staged"]
        .iter()
        .map(|n| format!("diff --git a/{n} b/{n}"))
        .collect();
    assert_eq!(named, expected);
    // It applies to the commit the agent stood on.
    fs::write(world.folder.path().join("p"), patch).unwrap();
    world.agent("git stash -q -u; git apply ../../p; test -L link; test ! -e gone");
}

#[test]
fn other_branches_are_found() {
    let world = World::new("true");
    world.agent(
        "git checkout -qb mine; echo 1 > a; git commit -qam mine
         git checkout -qb side; echo 2 > a; git commit -qam side; git tag v1; git checkout -q mine",
    );
    let collected = world.collect();
    // The branch it stood on is taken for the work.
    assert_eq!(subjects(&collected), ["mine"]);
    let others: Vec<_> = collected
        .other_refs
        .iter()
        .map(|other| other.name.as_str())
        .collect();
    assert_eq!(others, ["refs/heads/side", "refs/tags/v1"]);
    assert!(
        collected
            .other_refs
            .iter()
            .all(|other| other.kept_as.is_some())
    );
}

#[test]
fn history_that_was_rewritten() {
    let world = World::new("true");
    world.agent("git checkout -q --orphan new; git commit -qm alone; git branch -M changelings/fix-2026-01-02");
    let collected = world.collect();
    assert_eq!(subjects(&collected), ["alone"]);
    assert!(
        collected.problems[0].contains("no longer descends from"),
        "{:?}",
        collected.problems
    );
}

#[test]
fn a_checkout_runs_nothing_of_the_repository() {
    let world = World::new(
        r"echo '* filter=evil diff=evil merge=evil
          *.big filter=lfs' > .gitattributes
          printf 'version https://git-lfs.github.com/spec/v1\n' > x.big
          echo '[submodule s] path = s
          url = ext::touch $TRAP/x' > .gitmodules
          git config filter.evil.smudge 'touch $TRAP/smudge'
          ln -s /etc/passwd outside; mkdir .githooks; echo 'touch $TRAP/hook' > .githooks/post-checkout
          mkdir -p .mngr .claude; echo x > .mngr/settings.toml; touch $(printf 'n\377me')
          git config core.hooksPath .githooks",
    );
    let path = world.workspace.path();
    assert_eq!(fs::read_to_string(path.join("a")).unwrap(), "one\n");
    assert!(
        fs::symlink_metadata(path.join("outside"))
            .unwrap()
            .is_symlink()
    );
    let config = fs::read_to_string(path.join(".git/config")).unwrap();
    assert!(
        !config.contains("filter") && !config.contains("hooksPath"),
        "{config}"
    );
    assert!(!path.join(".git/hooks").exists());
    assert_eq!(world.collect().uncommitted, None);
    // Nothing in the workspace shares its bytes with the mirror.
    let mut folders = vec![path.join(".git/objects")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let meta = fs::symlink_metadata(&path).unwrap();
            assert!(meta.is_dir() || meta.nlink() == 1, "{}", path.display());
            if meta.is_dir() {
                folders.push(path);
            }
        }
    }
}

/// Each of these commits one change, plants one trap, and leaves `b` changed but not committed.
#[test]
fn planted_traps_do_not_spring() {
    for (name, trap) in [
        (
            "fsmonitor",
            "git config core.fsmonitor 'touch $TRAP/fsmonitor; false'",
        ),
        (
            "hooks",
            r#"mkdir -p .git/hooks; for h in pre-push reference-transaction post-checkout post-index-change pre-auto-gc; do
            printf '#!/bin/sh\ntouch %s/%s\n' "$TRAP" $h > .git/hooks/$h; chmod +x .git/hooks/$h; done"#,
        ),
        (
            "hooksPath",
            r#"mkdir ../h; printf '#!/bin/sh\ntouch %s/h\n' "$TRAP" > ../h/reference-transaction
            chmod +x ../h/*; git config core.hooksPath "$PWD/../h""#,
        ),
        (
            "filter",
            r#"echo '* filter=evil' > .gitattributes; printf '[filter "evil"]\nclean = touch %s/clean\nsmudge = touch %s/smudge\nprocess = touch %s/process\nrequired = true\n' "$TRAP" "$TRAP" "$TRAP" >> .git/config"#,
        ),
        (
            "info attributes",
            r#"mkdir -p .git/info; echo '* filter=evil diff=evil' > .git/info/attributes; printf '[filter "evil"]\nclean = touch %s/clean\n[diff "evil"]\ncommand = touch %s/diff\ntextconv = touch %s/textconv\n' "$TRAP" "$TRAP" "$TRAP" >> .git/config"#,
        ),
        (
            "external diff",
            "git config diff.external 'touch $TRAP/diff'; git config core.pager 'touch $TRAP/pager'",
        ),
        (
            "pack objects hook",
            "git config uploadpack.packObjectsHook 'touch $TRAP/pack'",
        ),
        (
            "alternate refs",
            "git config core.alternateRefsCommand 'touch $TRAP/refs'",
        ),
        (
            "ssh, askpass, gpg",
            "git config core.sshCommand 'touch $TRAP/ssh'; git config core.askPass 'touch $TRAP/ask'; git config gpg.program 'touch $TRAP/gpg'; git config log.showSignature true",
        ),
        (
            "promisor",
            "git config extensions.partialClone evil; git config remote.evil.promisor true; git config remote.evil.url \"ext::touch $TRAP/promisor\"; git config protocol.ext.allow always",
        ),
        (
            "include",
            r#"printf '[core]\nfsmonitor = touch %s/include\n' "$TRAP" > ../include; git config include.path "$PWD/../include""#,
        ),
        (
            "work tree",
            "git config core.worktree /; git config core.bare false",
        ),
        (
            "shallow and grafts",
            "git rev-parse HEAD > .git/shallow; mkdir -p .git/info; git rev-parse HEAD > .git/info/grafts",
        ),
        (
            "replaced objects",
            "git replace $(git rev-parse HEAD~1) $(git rev-parse HEAD)",
        ),
        ("common folder", "echo /nowhere > .git/commondir"),
        (
            "gc and commit-graph",
            "git gc -q; git commit-graph write --reachable; echo garbage > .git/objects/info/commit-graph",
        ),
        (
            "nested repository",
            r#"git init -q sub; (cd sub; git commit -q --allow-empty -m x; git config core.fsmonitor "touch $TRAP/sub"; git config filter.evil.clean "touch $TRAP/subfilter"; echo '* filter=evil' > .gitattributes); git add sub; printf '[submodule "sub"]\npath = sub\nurl = .\nignore = none\nupdate = !touch %s/update\n' "$TRAP" > .gitmodules"#,
        ),
        ("index", "echo garbage > .git/index; touch .git/index.lock"),
        (
            "worktree config",
            "git config extensions.worktreeConfig true; git config --worktree core.fsmonitor 'touch $TRAP/worktree'",
        ),
    ] {
        let world = World::new("true");
        world.agent(&format!(
            "echo more >> a; git commit -qam 'Fix a'; echo left >> b\n{trap}"
        ));
        let collected = world.collect();
        assert_eq!(
            subjects(&collected),
            ["Fix a"],
            "{name}: {:?}",
            collected.problems
        );
        assert_eq!(collected.changes.len(), 1, "{name}");
        let left = collected
            .uncommitted
            .unwrap_or_else(|| panic!("{name}: {:?}", collected.problems));
        assert!(
            String::from_utf8_lossy(&left.patch).contains("+left"),
            "{name}"
        );
    }
}

/// The traps above are real: ordinary git in that folder springs them.
#[test]
fn the_traps_are_real() {
    for (name, trap, careless) in [
        (
            "fsmonitor",
            "git config core.fsmonitor 'touch $TRAP/x; false'",
            "git status",
        ),
        (
            "hook",
            r#"mkdir .git/hooks; printf '#!/bin/sh\ntouch %s/x\n' "$TRAP" > .git/hooks/reference-transaction; chmod +x .git/hooks/*"#,
            "git branch z",
        ),
        (
            "filter",
            r#"echo '* filter=evil' > .gitattributes; printf '[filter "evil"]\nclean = touch %s/x\n' "$TRAP" >> .git/config"#,
            "git add b",
        ),
        (
            "external diff",
            "git config diff.external 'touch $TRAP/x'",
            "git diff",
        ),
        (
            "nested",
            r#"git init -q sub; (cd sub; git commit -q --allow-empty -m x; git config core.fsmonitor "touch $TRAP/x"); git add sub"#,
            "git status",
        ),
        (
            "promisor",
            "git config extensions.partialClone evil; git config remote.evil.promisor true; git config remote.evil.url \"ext::touch $TRAP/x\"; git config protocol.ext.allow always",
            "git cat-file -p 1234567890123456789012345678901234567890",
        ),
    ] {
        let world = World::new("true");
        world.agent(&format!(
            "echo left >> b\n{trap}\n{careless} >/dev/null 2>&1 || true"
        ));
        assert!(world.folder.path().join("traps/x").exists(), "{name}");
    }
}

#[test]
fn nothing_is_read_elsewhere() {
    // A repository beside it, with a commit the agent may want published.
    let private = r#"git init -q -b main "$ROOT/private"; cd "$ROOT/private"; echo secret > s; git add s; git commit -qm private"#;
    for (name, trap) in [
        (
            "alternates",
            r#"echo "$ROOT/private/.git/objects" > .git/objects/info/alternates
                          git update-ref refs/heads/stolen $(git -C "$ROOT/private" rev-parse HEAD)"#,
        ),
        (
            "linked objects",
            r#"mv .git/objects ../o; cp -r ../o ../o2; ln -s "$PWD/../o2" .git/objects"#,
        ),
        (
            "linked git folder",
            r#"mv .git ../g; ln -s "$PWD/../g" .git"#,
        ),
        (
            "git file",
            r#"rm -rf .git; echo "gitdir: $ROOT/private/.git" > .git"#,
        ),
        (
            "linked refs",
            r#"rm -rf .git/refs .git/packed-refs; ln -s "$ROOT/private/.git/refs" .git/refs
                           cp -r "$ROOT/private/.git/objects/." .git/objects/; rm .git/HEAD; ln -s "$ROOT/private/.git/HEAD" .git/HEAD"#,
        ),
        (
            "linked packs",
            r#"git -C "$ROOT/private" repack -qad; for p in "$ROOT"/private/.git/objects/pack/*; do ln -s "$p" .git/objects/pack/; done
                           git update-ref refs/heads/stolen $(git -C "$ROOT/private" rev-parse HEAD)"#,
        ),
        ("no git folder", "rm -rf .git"),
    ] {
        let world = World::new("true");
        world.agent(private);
        world.agent(&format!("echo more >> a; git commit -qam 'Fix a'\n{trap}"));
        let collected = world.collect();
        let found = format!("{name}: {collected:?}");
        assert!(
            !String::from_utf8_lossy(&collected.texts).contains("secret"),
            "{found}"
        );
        assert!(
            collected
                .other_refs
                .iter()
                .all(|other| other.kept_as.is_none()),
            "{found}"
        );
        let honest = ["alternates", "linked packs"].contains(&name);
        assert_eq!(
            subjects(&collected),
            if honest { vec!["Fix a"] } else { vec![] },
            "{found}"
        );
        if !honest {
            // The work is at least kept as a patch against the base.
            let left = collected.uncommitted.expect(&found);
            assert!(
                String::from_utf8_lossy(&left.patch).contains("+more"),
                "{name}"
            );
        }
        // The mirror is still whole.
        checked(
            "fsck",
            &world
                .git
                .in_dir(&world.mirror.git_dir)
                .args(["fsck", "--strict"]),
        )
        .unwrap();
    }
}

#[test]
fn another_folder_in_its_place() {
    let world = World::new("true");
    world.agent(r#"echo key > "$ROOT/home/private"; cd ..; mv workspace away; ln -s "$ROOT/home" workspace"#);
    let collected = world.collect();
    assert_eq!(
        collected.problems,
        ["the agent replaced the workspace itself"]
    );
    assert_eq!((collected.tip, collected.uncommitted), (None, None));
    let home = world.folder.path().join("home");
    world.workspace.remove().unwrap();
    assert!(home.join("private").exists());
}

#[test]
fn broken_objects() {
    let world = World::new("true");
    world.agent(
        "echo more >> a; git commit -qam 'Fix a'; for f in .git/objects/??/*; do chmod u+w $f; echo garbage > $f; done",
    );
    let collected = world.collect();
    assert_eq!(collected.tip, None);
    assert!(
        collected
            .problems
            .iter()
            .any(|problem| problem.starts_with("the agent's commits cannot be read"))
    );
}
