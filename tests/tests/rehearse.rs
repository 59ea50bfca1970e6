//! `rehearse`: the whole way of a run, and what each ending of an agent leads to.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use changelings_tests::{ADA, Output, Repo, TestEnv, hostile};
use serde_json::Value;

/// A repository with one marker.
fn shop(env: &TestEnv) -> Repo<'_> {
    let repo = env.repo("shop");
    repo.write(
        "app.py",
        "def total(items):\n    # FIXME: rounds the wrong way\n    return sum(items)\n",
    );
    repo.commit(ADA, "2025-11-03", "Add the shop");
    repo.git(["config", "user.name", "Grace Brewster"]);
    repo.git(["config", "user.email", "grace@example.org"]);
    repo
}

/// A changeling `nightly` on it that gives the agent two seconds.
fn nightly(env: &TestEnv, repo: &Repo) {
    env.write_config(&format!(
        "[changelings.nightly]\ntemplate = \"fixme-fairy\"\nrepo = \"{}\"\nschedule = \"0 3 * * *\"\n\
         timezone = \"UTC\"\ntimeout = \"2s\"\nmessage = \"Mend app.py:2.\"\nsecrets = [\"DEPLOY_KEY\"]\n",
        repo.path().display()
    ));
}

/// Rehearses with a script as agent and answers the one document.
fn with_agent(env: &TestEnv, script: &str) -> (Output, Value) {
    let agent = env.program("agent", &format!("#!/bin/sh\n{script}\n"));
    let args = ["rehearse", "--template", "fixme-fairy", "--repo"];
    let output = env
        .command(args)
        .arg(env.root().join("repos/shop"))
        .args_of_agent(&agent)
        .env("TRAP", env.root().join("traps"))
        .env("ROOT", env.root())
        .run();
    let mut documents = output.json();
    let document = documents["rehearsals"][0].take();
    (output, document)
}

trait AgentArgs {
    fn args_of_agent(self, agent: &Path) -> Self;
}

impl AgentArgs for changelings_tests::Invocation {
    /// A script sees nothing of the test's environment: what it needs is on its command line.
    fn args_of_agent(self, agent: &Path) -> Self {
        let root = agent
            .parent()
            .and_then(Path::parent)
            .expect("below the root");
        self.arg("--json").arg("--agent-command").arg(format!(
            "{} {}",
            agent.display(),
            root.display()
        ))
    }
}

/// What the agent's scripts begin with: the test's folder is their argument.
const COMMIT: &str = "echo '    # mended' >> app.py; git commit -qam 'Mend the total'";

/// Every file below a folder with mode, time of change and content.
fn listing(folder: &Path) -> Vec<(PathBuf, u32, std::time::SystemTime, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let meta = std::fs::symlink_metadata(&path).unwrap();
            let content = if meta.is_file() {
                std::fs::read(&path).unwrap()
            } else {
                Vec::new()
            };
            found.push((
                path.clone(),
                meta.permissions().mode(),
                meta.modified().unwrap(),
                content,
            ));
            if meta.is_dir() {
                folders.push(path);
            }
        }
    }
    found.sort();
    found
}

fn run_folders(env: &TestEnv) -> Vec<PathBuf> {
    let runs = env.changelings_home().join("runs");
    let entries = std::fs::read_dir(runs).into_iter().flatten();
    entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect()
}

fn is_alive(pid_file: &Path) -> bool {
    let pid = std::fs::read_to_string(pid_file)
        .expect("the agent wrote its number")
        .trim()
        .to_owned();
    // A zombie has ended: nobody in a container may be there to bury it.
    let state = std::process::Command::new("ps")
        .args(["-o", "stat=", "-p", &pid])
        .output()
        .unwrap();
    let state = String::from_utf8_lossy(&state.stdout).trim().to_owned();
    !state.is_empty() && !state.starts_with('Z')
}

fn wait_for(what: &str, ready: impl Fn() -> bool) {
    let started = Instant::now();
    while !ready() {
        assert!(
            started.elapsed() < Duration::from_mins(1),
            "{what}: waited for a minute"
        );
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_newcomers_first_rehearsal() {
    let env = TestEnv::new();
    let repo = env.sample_repo();
    let before = listing(repo.path());
    let output = env
        .command(["rehearse", "--template", "fixme-fairy", "--repo"])
        .arg(repo.path())
        .run()
        .success();
    assert_eq!(
        listing(repo.path()),
        before,
        "the user's repository was touched"
    );

    let text = &output.stdout;
    let places = [
        "STAND-IN",
        "What fixme-fairy found",
        "Where it looked",
        "Prompt, as the agent reads it",
        "mngr create",
    ];
    for place in places {
        assert!(text.contains(place), "{place}: {text}");
    }
    assert!(
        text.contains("changeling add --template fixme-fairy"),
        "{text}"
    );
    // The record stays; everything else is gone.
    let [folder] = &run_folders(&env)[..] else {
        panic!("one run")
    };
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    assert_eq!(
        files,
        [
            "events.jsonl",
            "lock",
            "log",
            "patch.diff",
            "plan.json",
            "prompt.md",
            "pull-request.md",
            "summary.md"
        ]
    );
    assert_eq!(
        std::fs::metadata(folder).unwrap().permissions().mode() & 0o777,
        0o700
    );
    let log = std::fs::read_to_string(folder.join("log")).unwrap();
    assert!(log.starts_with("stand-in: found "), "{log}");
    // Every place it lists is a line that exists.
    let patch = std::fs::read_to_string(folder.join("patch.diff")).unwrap();
    let listed: Vec<_> = patch
        .lines()
        .filter_map(|line| line.strip_prefix("+- `"))
        .collect();
    assert!(listed.len() >= 3, "{patch}");
    for line in listed {
        let (path, rest) = line.split_once(':').unwrap();
        let number: usize = rest.split('`').next().unwrap().parse().unwrap();
        let file = std::fs::read_to_string(repo.path().join(path)).unwrap();
        assert!(file.lines().count() >= number, "{line}");
    }
}

#[test]
fn what_a_person_sees() {
    let env = TestEnv::new();
    let repo = shop(&env);
    nightly(&env, &repo);
    for columns in [80, 120] {
        let shown = env
            .width(columns)
            .changeling(["rehearse", "nightly"])
            .success()
            .nothing_wrapped();
        let text = shown.to_string();
        // What comes before is the template's and the plan's, which have snapshots of their own.
        let page = text
            .find("━━ The pull request this would be")
            .unwrap_or_else(|| panic!("{text}"));
        let mut settings = insta::Settings::clone_current();
        settings.add_filter(r"20260302-090000-[0-9a-f]{6}", "[RUN-ID]");
        settings.add_filter(r"- [0-9a-f]{10} ", "- [COMMIT] ");
        settings.add_filter(r"index 0000000\.\.[0-9a-f]{7}", "index 0000000..[BLOB]");
        // Where it breaks depends on the length of the test's folder.
        settings.add_filter(
            r"  record  [^p]*\s+  published",
            "  record     [RECORD]\n  published",
        );
        settings.bind(|| insta::assert_snapshot!(format!("rehearsal_{columns}"), &text[page..]));
    }
}

#[test]
fn an_agent_that_commits() {
    let env = TestEnv::new();
    let repo = shop(&env);
    let before = listing(repo.path());
    let script = format!(
        "cat > $1/seen; echo '# Mend the total' > $CHANGELING_SUMMARY; {COMMIT}; pwd; git log -1 --format='%an <%ae>'"
    );
    let (output, document) = with_agent(&env, &script);
    let output = output.exits(0);
    assert_eq!(
        listing(repo.path()),
        before,
        "the user's repository was touched"
    );
    assert_eq!(document["outcome"], "pushed");
    assert_eq!(document["commits"], 1);
    assert_eq!(document["branch"], document["plan"]["branch"]["name"]);
    assert_eq!(document["stand_in"], false);
    assert_eq!(
        document["pull_request"]["title"],
        "Fixme Fairy: Fixed 1 FIXME"
    );
    let body = document["pull_request"]["body"].as_str().unwrap();
    assert!(
        body.contains("Mend the total") && !body.contains("STAND-IN"),
        "{body}"
    );
    assert!(
        document["patch"]
            .as_str()
            .unwrap()
            .contains("+    # mended")
    );
    let seen = std::fs::read_to_string(env.root().join("seen")).unwrap();
    assert_eq!(seen, document["plan"]["prompt"]);
    let log = std::fs::read_to_string(run_folders(&env)[0].join("log")).unwrap();
    assert!(log.contains("Grace Brewster <grace@example.org>"), "{log}");
    assert!(
        output.stderr.contains("waiting for the agent"),
        "{}",
        output.stderr
    );
}

#[test]
fn endings() {
    let env = TestEnv::new();
    let repo = shop(&env);
    let before = listing(repo.path());
    for (name, script, exit, outcome, contains) in [
        (
            "nothing",
            "echo 'Shall I go on?'",
            0,
            "no-changes",
            "Shall I go on?",
        ),
        (
            "uncommitted",
            "echo x > new.txt",
            0,
            "no-changes",
            "\"uncommitted\": true",
        ),
        (
            "fails",
            "echo 'cannot work' >&2; exit 7",
            4,
            "failed",
            "\"exit\": 7",
        ),
        (
            "fails after a commit",
            "echo x >> app.py; git commit -qam x; exit 3",
            4,
            "failed",
            "\"exit\": 3",
        ),
        (
            "reports a failure",
            r#"echo '{"type":"result","is_error":true}'"#,
            4,
            "failed",
            "it reported a failure",
        ),
        ("is killed", "kill -9 $$", 4, "failed", "\"exit\": 137"),
        (
            "a branch of its own",
            "git checkout -qb mine; echo x >> app.py; git commit -qam x",
            0,
            "pushed",
            "\"commits\": 1",
        ),
        (
            "a workflow",
            "mkdir -p .github/workflows; echo x > .github/workflows/ci.yml; git add -A; git commit -qm x",
            3,
            "needs-attention",
            ".github/workflows/ci.yml",
        ),
        (
            "another branch",
            "echo x >> app.py; git commit -qam x; git push -q origin HEAD:main HEAD:refs/heads/other",
            3,
            "needs-attention",
            "refs/heads/other",
        ),
        (
            "its own branch",
            "echo x >> app.py; git commit -qam x; git push -q origin HEAD",
            0,
            "pushed",
            "\"commits\": 1",
        ),
        (
            "rewrites history",
            "git commit -q --amend -m other",
            3,
            "needs-attention",
            "rewrote history",
        ),
        (
            "deletes .git",
            "rm -rf .git",
            3,
            "needs-attention",
            "deleted `.git`",
        ),
        (
            "a link out",
            "ln -s /etc/passwd p; git add p; git commit -qm p",
            3,
            "needs-attention",
            "/etc/passwd",
        ),
    ] {
        let (output, document) = with_agent(&env, script);
        let output = output.exits(exit);
        assert_eq!(document["outcome"], outcome, "{name}: {output}");
        assert!(output.stdout.contains(contains), "{name}: {output}");
        assert_eq!(
            listing(repo.path()),
            before,
            "{name}: the user's repository was touched"
        );
        let folder = Path::new(document["record"].as_str().unwrap());
        assert!(
            !folder.join("workspace").exists() && !folder.join("remote.git").exists(),
            "{name}"
        );
        let events = std::fs::read_to_string(folder.join("events.jsonl")).unwrap();
        let last: Value = serde_json::from_str(events.lines().last().unwrap()).unwrap();
        assert_eq!(last["outcome"]["outcome"], outcome, "{name}");
    }
}

#[test]
fn an_error_on_one_repository_loses_nothing_of_the_others() {
    let env = TestEnv::new();
    let repo = shop(&env);
    let (shop, gone) = (repo.path().display(), env.root().join("gone"));
    env.write_config(&format!(
        "[changelings.nightly]\ntemplate = \"fixme-fairy\"\nrepos = [\"{}\", \"{shop}\"]\n",
        gone.display()
    ));
    for command in [
        &["rehearse", "nightly", "--json"][..],
        &[
            "run",
            "nightly",
            "--local",
            "--json",
            "--agent-command",
            "true",
        ],
    ] {
        let output = env.changeling(command).exits(2);
        assert!(
            output
                .stderr
                .contains("1 of 2 repositories did not end well"),
            "{output}"
        );
        let document: Value = serde_json::from_str(&output.stdout).unwrap();
        let all = document.as_object().unwrap().values().next().unwrap();
        let last = all.as_array().unwrap().last().unwrap();
        assert!(last["outcome"].is_string(), "{output}");
    }
}

#[test]
fn an_agent_that_is_not_there() {
    let env = TestEnv::new();
    shop(&env);
    let rehearse = |command: &str| {
        let args = [
            "rehearse",
            "-t",
            "fixme-fairy",
            "-r",
            "../repos/shop",
            "--agent-command",
            command,
        ];
        env.changeling(args)
    };
    let output = rehearse("no-such-agent -p").exits(2);
    assert!(
        output
            .stderr
            .contains("there is no program `no-such-agent`"),
        "{output}"
    );
    // Told before anything was done.
    assert!(run_folders(&env).is_empty(), "{output}");
    rehearse("").exits(2);
    rehearse("agent 'unclosed").exits(2);
}

#[test]
fn uncommitted_work_is_kept_as_a_patch() {
    let env = TestEnv::new();
    shop(&env);
    let (output, _) = with_agent(&env, "echo new > new.txt; echo more >> app.py");
    output.exits(0);
    let patch = std::fs::read_to_string(run_folders(&env)[0].join("uncommitted.diff")).unwrap();
    assert!(
        patch.contains("+++ b/new.txt") && patch.contains("+more"),
        "{patch}"
    );
}

#[test]
fn an_agent_that_hangs() {
    let env = TestEnv::new();
    let repo = shop(&env);
    nightly(&env, &repo);
    let agent = env.program(
        "agent",
        &format!("#!/bin/sh\n{COMMIT}\necho $$ > $1/pid; setsid sleep 600 & sleep 600\n"),
    );
    let output = env
        .command(["rehearse", "nightly"])
        .args_of_agent(&agent)
        .run()
        .exits(124);
    let document = &output.json()["rehearsals"][0];
    assert_eq!(
        (&document["outcome"], &document["after_seconds"]),
        (&"timed-out".into(), &2.into())
    );
    assert!(!is_alive(&env.root().join("pid")));
    // What it did until then is not lost.
    assert!(
        document["patch"]
            .as_str()
            .unwrap()
            .contains("+    # mended")
    );
}

#[test]
fn children_in_sessions_of_their_own_die_too() {
    let env = TestEnv::new();
    shop(&env);
    let child = "perl -MPOSIX -e 'POSIX::setsid(); open(F, \">$ARGV[0]/child\"); print F $$; close(F); exec(\"sleep\", 600)' $1 </dev/null >/dev/null 2>&1 &";
    let (output, document) = with_agent(
        &env,
        &format!("{child}\nwhile ! test -s $1/child; do :; done; {COMMIT}"),
    );
    output.exits(0);
    assert_eq!(document["outcome"], "pushed");
    assert!(!is_alive(&env.root().join("child")));
}

#[test]
fn traps_set_by_the_agent_do_not_spring() {
    let env = TestEnv::new();
    shop(&env);
    let traps = r#"mkdir $1/traps; hook() { printf '#!/bin/sh\ntouch %s/traps/%s\n' "$1" "$2" > "$3/$2"; chmod +x "$3/$2"; }
        mkdir .git/hooks; origin=$(git config remote.origin.url); mkdir -p $origin/hooks
        for h in pre-push reference-transaction post-index-change post-checkout; do hook $1 $h .git/hooks; done
        for h in pre-receive update post-receive post-update reference-transaction; do hook $1 $h $origin/hooks; done
        git config core.fsmonitor "touch $1/traps/fsmonitor; false"
        git config diff.external "touch $1/traps/diff"
        git config uploadpack.packObjectsHook "touch $1/traps/pack"
        git config filter.evil.clean "touch $1/traps/clean"
        git config remote.evil.promisor true; git config remote.evil.url "ext::touch $1/traps/promisor"
        git config extensions.partialClone evil; git config protocol.ext.allow always
        echo '* filter=evil diff=evil' > .git/info/attributes 2>/dev/null || { mkdir .git/info; echo '* filter=evil' > .git/info/attributes; }
        echo left > left.txt"#;
    let (output, document) = with_agent(&env, &format!("{COMMIT}\n{traps}"));
    output.exits(0);
    assert_eq!(document["outcome"], "pushed");
    let sprung: Vec<_> = std::fs::read_dir(env.root().join("traps"))
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    assert!(sprung.is_empty(), "{sprung:?}");
}

#[test]
fn a_hostile_repository_runs_nothing() {
    let env = TestEnv::new();
    let trap = hostile::trap(&env, "trap");
    let before = listing(trap.repo.path());
    let args = [
        "rehearse",
        "--template",
        "fixme-fairy",
        "--repo",
        "../repos/trap",
    ];
    env.changeling(args).success();
    trap.assert_not_sprung();
    assert_eq!(listing(trap.repo.path()), before);
}

#[test]
fn secrets_appear_nowhere() {
    let env = TestEnv::new();
    let repo = shop(&env);
    nightly(&env, &repo);
    let secret = "p4$$w0rd 'quoted' $(id)";
    let agent = env.program(
        "agent",
        "#!/bin/sh\ncat $1/secret; cat $1/secret >> app.py; git commit -qam 'Leak'; env | grep -c DEPLOY_KEY; exit 0\n",
    );
    env.write("secret", secret);
    let command = env.command(["rehearse", "nightly"]).args_of_agent(&agent);
    let output = command.env("DEPLOY_KEY", secret).run().exits(3);
    let document = &output.json()["rehearsals"][0];
    assert_eq!(document["outcome"], "needs-attention");
    assert!(
        document["why"][0].as_str().unwrap().contains("DEPLOY_KEY"),
        "{output}"
    );
    assert!(
        !output.stdout.contains(secret) && !output.stderr.contains(secret),
        "{output}"
    );
    // The agent did not get it: `secrets` names what the host may read.
    let folder = &run_folders(&env)[0];
    let log = std::fs::read_to_string(folder.join("log")).unwrap();
    assert!(
        log.ends_with("0\n") && log.contains("[redacted DEPLOY_KEY]"),
        "{log}"
    );
    for (path, _, _, content) in listing(&env.changelings_home().join("runs")) {
        let content = String::from_utf8_lossy(&content).into_owned();
        assert!(!content.contains("p4$$w0rd"), "{}", path.display());
    }
}

#[test]
fn kept_on_request() {
    let env = TestEnv::new();
    shop(&env);
    let args = [
        "rehearse",
        "-t",
        "fixme-fairy",
        "-r",
        "../repos/shop",
        "--keep",
        "--json",
    ];
    let output = env.changeling(args).success();
    let kept = PathBuf::from(output.json()["rehearsals"][0]["kept"].as_str().unwrap());
    assert!(kept.join("workspace/STAND-IN.md").exists());
    let branch = output.json()["rehearsals"][0]["branch"]
        .as_str()
        .unwrap()
        .to_owned();
    let remote = kept.join("remote.git");
    let held = env
        .external("git", ["--git-dir"])
        .arg(&remote)
        .arg("log")
        .arg("--format=%s")
        .arg(branch)
        .run()
        .success();
    assert_eq!(
        held.stdout,
        "Stand-in: list 1 place an agent would work on\nAdd the shop\n"
    );
}

#[test]
fn nothing_to_do() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    repo.write("app.py", "pass\n");
    repo.commit(ADA, "2025-11-03", "Add the shop");
    let args = ["rehearse", "-t", "fixme-fairy", "-r", "../repos/shop"];
    let output = env.changeling(args).success();
    assert!(output.stdout.contains("skipped ("), "{output}");
    assert!(!output.stdout.contains("STAND-IN"), "{output}");
}

#[test]
fn interrupted_by_the_person() {
    let env = TestEnv::new();
    shop(&env);
    let agent = env.program(
        "agent",
        "#!/bin/sh\necho $$ > $1/pid.new; mv $1/pid.new $1/pid; sleep 600\n",
    );
    let args = ["rehearse", "-t", "fixme-fairy", "-r", "../repos/shop"];
    let mut child = env.command(args).args_of_agent(&agent).spawn();
    let pid_file = env.root().join("pid");
    wait_for("the agent", || pid_file.exists());
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(!is_alive(&pid_file));
    let folder = &run_folders(&env)[0];
    let events = std::fs::read_to_string(folder.join("events.jsonl")).unwrap();
    assert!(
        events.lines().last().unwrap().contains("\"interrupted\""),
        "{events}"
    );
    assert!(!folder.join("workspace").exists());
}

#[test]
fn killed_and_cleaned_up_after() {
    let env = TestEnv::new();
    shop(&env);
    let agent = env.program(
        "agent",
        "#!/bin/sh\necho $$ > $1/pid.new; mv $1/pid.new $1/pid; exec sleep 600\n",
    );
    let args = ["rehearse", "-t", "fixme-fairy", "-r", "../repos/shop"];
    let mut child = env.command(args).args_of_agent(&agent).spawn();
    let pid_file = env.root().join("pid");
    wait_for("the agent", || pid_file.exists());
    child.kill().unwrap();
    child.wait().unwrap();
    // Nobody was there to end it.
    assert!(is_alive(&pid_file));
    let dead = run_folders(&env)[0].clone();
    assert!(dead.join("workspace").exists());

    env.changeling(args).success();
    assert!(!is_alive(&pid_file));
    assert!(!dead.join("workspace").exists() && dead.join("plan.json").exists());
    assert_eq!(run_folders(&env).len(), 2);
}
