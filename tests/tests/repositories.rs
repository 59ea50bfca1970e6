//! Repositories of every kind, ordinary and not: each rehearses, or says in one sentence why not.

use std::path::Path;

use changelings_tests::{ADA, Output, Repo, TestEnv, hostile, needs};

fn rehearse(env: &TestEnv, repo: impl AsRef<Path>, more: &[&str]) -> Output {
    env.command(["rehearse", "--template", "fixme-fairy", "--json", "--repo"])
        .arg(env.root().join("repos").join(repo))
        .args_each(more)
        .run()
}

trait ArgsEach {
    fn args_each(self, args: &[&str]) -> Self;
}

impl ArgsEach for changelings_tests::Invocation {
    fn args_each(self, args: &[&str]) -> Self {
        args.iter()
            .fold(self, |invocation, arg| invocation.arg(arg))
    }
}

/// It was pushed, and the branch it started from was this.
#[track_caller]
fn rehearses(output: Output, base: &str) {
    let document = output.success().json()["rehearsals"][0].clone();
    assert_eq!(document["outcome"], "pushed", "{document}");
    assert_eq!(document["plan"]["base"]["branch"], base);
}

/// One sentence and what to do; nothing was recorded when it was the user's mistake.
#[track_caller]
fn refuses(env: &TestEnv, output: Output, code: i32, what: &str, help: &str) {
    let output = output.exits(code);
    assert!(output.stderr.contains(what), "{what}: {output}");
    assert!(output.stderr.contains(help), "{help}: {output}");
    assert_eq!(output.stdout, "");
    let runs = std::fs::read_dir(env.changelings_home().join("runs")).unwrap();
    let folders = runs
        .filter(|entry| entry.as_ref().unwrap().path().is_dir())
        .count();
    assert_eq!(
        folders,
        usize::from(code != 2),
        "a mistake leaves no record, a failure does"
    );
}

fn marked<'a>(env: &'a TestEnv, name: &str) -> Repo<'a> {
    let repo = env.repo(name);
    mark(&repo);
    repo
}

/// Adds something to do.
fn mark(repo: &Repo) {
    repo.write("a.py", "# FIXME: mend\n");
    repo.git(["add", "a.py"]);
    repo.commit_index(ADA, "2025-11-03", "Add a marker");
}

#[test]
fn without_commits() {
    let env = TestEnv::new();
    hostile::empty(&env, "empty");
    refuses(
        &env,
        rehearse(&env, "empty", &[]),
        1,
        "has no commits yet",
        "commit something",
    );
}

#[test]
fn head_names_a_branch_without_commits() {
    let env = TestEnv::new();
    marked(&env, "unborn").git(["symbolic-ref", "HEAD", "refs/heads/later"]);
    let output = rehearse(&env, "unborn", &[]);
    refuses(
        &env,
        output,
        1,
        "cannot tell the default branch",
        "there is main",
    );
    rehearses(rehearse(&env, "unborn", &["--branch", "main"]), "main");
}

#[test]
fn a_branch_that_is_not_there() {
    let env = TestEnv::new();
    marked(&env, "shop");
    let output = rehearse(&env, "shop", &["--branch", "mian"]);
    refuses(
        &env,
        output,
        2,
        "has no branch `mian`",
        "did you mean main?",
    );
}

#[test]
fn folders_of_every_kind() {
    let env = TestEnv::new();
    let shop = marked(&env, "shop");
    shop.bare_clone();
    shop.git(["worktree", "add", "--quiet", "../linked", "-b", "linked"]);
    shop.git(["clone", "--quiet", "--depth=1", &shop.url(), "../shallow"]);
    shop.git(["clone", "--quiet", "--shared", ".", "../shared"]);
    rehearses(rehearse(&env, "shop", &[]), "main");
    rehearses(rehearse(&env, "shop/.git", &[]), "main");
    rehearses(rehearse(&env, "shop.git", &[]), "main");
    rehearses(rehearse(&env, "linked", &[]), "linked");
    rehearses(rehearse(&env, "shallow", &[]), "main");
    rehearses(rehearse(&env, "shared", &[]), "main");
}

#[test]
fn by_url() {
    let env = TestEnv::new();
    let shop = marked(&env, "shop");
    let args = [
        "rehearse",
        "--template",
        "fixme-fairy",
        "--json",
        "--repo",
        &shop.url(),
    ];
    rehearses(env.changeling(args), "main");
}

#[test]
fn no_repository() {
    let env = TestEnv::new();
    let shop = marked(&env, "shop");
    shop.write("src/x", "");
    std::fs::create_dir(env.root().join("repos/plain")).unwrap();
    let help = "give the folder of a git repository";
    refuses(
        &env,
        rehearse(&env, "plain", &[]),
        2,
        "is not a git repository",
        help,
    );
    refuses(
        &env,
        rehearse(&env, "missing", &[]),
        2,
        "does not exist",
        help,
    );
    refuses(
        &env,
        rehearse(&env, "shop/src", &[]),
        2,
        "is inside the repository",
        "/repos/shop`",
    );
}

#[test]
fn urls_that_are_refused() {
    let env = TestEnv::new();
    for (url, what) in [
        ("https://ada:hunter2@example.org/a/b", "carries a password"),
        ("ext::sh -c touch% trap", "`ext` is not a protocol"),
        ("ssh://-oProxyCommand=touch/x", "is not a repository"),
        ("http://example.org/a/b", "`http` is not a protocol"),
        ("file:///etc/../x\u{7}", "is not a repository"),
    ] {
        let output = env
            .changeling(["rehearse", "-t", "fixme-fairy", "-r", url])
            .exits(2);
        assert!(output.stderr.contains(what), "{url}: {output}");
        assert!(!output.stderr.contains("hunter2"), "{output}");
        assert!(!env.changelings_home().join("runs").exists());
    }
}

#[test]
fn a_host_that_cannot_be_reached() {
    let env = TestEnv::new();
    // A port that was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let url = format!("http://127.0.0.1:{port}/a/b");
    let output = env.changeling(["rehearse", "-t", "fixme-fairy", "-r", &url, "--json"]);
    refuses(&env, output, 1, "cannot reach", "check the network");
}

#[test]
fn a_folder_of_another_user() {
    let env = TestEnv::new();
    let shop = marked(&env, "shop");
    if !rustix::process::geteuid().is_root() {
        needs::missing("root, to give a folder away", "sudo ./dev test");
        return;
    }
    env.external("chown", ["-R", "65534"])
        .arg(shop.path())
        .run()
        .success();
    let output = rehearse(&env, "shop", &[]);
    refuses(&env, output, 3, "another user owns it", "safe.directory");
}

#[test]
fn odd_names_and_links() {
    let env = TestEnv::new();
    if cfg!(target_os = "linux") {
        mark(&hostile::odd_names(&env, "odd"));
        rehearses(rehearse(&env, "odd", &[]), "main");
    }
    mark(&hostile::links(&env, "links", "hunter2"));
    let output = rehearse(&env, "links", &[]);
    assert!(!output.stdout.contains("hunter2"), "{output}");
    rehearses(output, "main");
}

#[test]
fn submodules_are_left_alone() {
    let env = TestEnv::new();
    let shop = marked(&env, "shop");
    let part = marked(&env, "part");
    shop.git([
        "-c",
        "protocol.file.allow=always",
        "submodule",
        "--quiet",
        "add",
        &part.url(),
        "part",
    ]);
    shop.write(
        ".gitmodules",
        format!(
            "[submodule \"part\"]\n\tpath = part\n\turl = {}\n\tupdate = !touch {}/trap\n",
            part.url(),
            env.root().display()
        ),
    );
    shop.commit(ADA, "2025-11-04", "Add a part");
    rehearses(rehearse(&env, "shop", &[]), "main");
    assert!(!env.root().join("trap").exists());
}

#[test]
fn strange_branch_names_are_only_names() {
    let env = TestEnv::new();
    let shop = marked(&env, "shop");
    let trap = env.root().join("trap");
    for name in [
        "--upload-pack=x".to_owned(),
        "$(id)".to_owned(),
        format!("a;touch${{IFS}}{}", trap.display()),
        "-x".to_owned(),
        "ünïcode".to_owned(),
    ] {
        shop.git(["update-ref", &format!("refs/heads/{name}"), "HEAD"]);
        rehearses(
            rehearse(&env, "shop", &[&format!("--branch={name}")]),
            &name,
        );
    }
    assert!(!trap.exists());
}

#[test]
fn a_large_file() {
    let env = TestEnv::new();
    mark(&hostile::huge_file(&env, "large", 64 << 20));
    rehearses(rehearse(&env, "large", &[]), "main");
    // In the work tree only: nobody looks at it.
    let sparse = std::fs::File::create(env.root().join("repos/large/sparse.bin")).unwrap();
    sparse.set_len(2 << 30).unwrap();
    rehearses(rehearse(&env, "large", &[]), "main");
}

#[test]
fn a_file_of_2_gb() {
    if !needs::patience() {
        return;
    }
    let env = TestEnv::new();
    mark(&hostile::huge_file(&env, "huge", 2 << 30));
    let args = [
        "rehearse",
        "--template",
        "fixme-fairy",
        "--json",
        "--repo",
        "../repos/huge",
    ];
    rehearses(
        env.command(args)
            .patience(std::time::Duration::from_mins(10))
            .run(),
        "main",
    );
}
