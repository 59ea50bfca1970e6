//! What a repository or an agent puts in our way: links to the user's files, pipes that nobody writes
//! to, names that act on a terminal.

use std::path::Path;
use std::time::Duration;

use changelings_tests::{ADA, Output, Repo, TestEnv};
use serde_json::Value;

fn shop(env: &TestEnv) -> Repo<'_> {
    let repo = env.repo("shop");
    repo.write("app.py", "# FIXME: rounds the wrong way\n");
    repo.commit(ADA, "2025-11-03", "Add the shop");
    repo
}

fn rehearse(env: &TestEnv, repo: &Repo, more: &[&str]) -> Output {
    let args = ["rehearse", "--template", "fixme-fairy", "--repo"];
    let call = env.command(args).arg(repo.path());
    more.iter()
        .fold(call, |call, arg| call.arg(arg))
        .patience(Duration::from_mins(1))
        .run()
}

/// Rehearses with a script that commits, then does `deed`; `$run` is the run's folder.
fn with_agent(env: &TestEnv, repo: &Repo, deed: &str) -> (Output, Value) {
    let script = format!(
        "#!/bin/sh\nrun=$(dirname \"$CHANGELING_SUMMARY\")\nroot=$1\n\
         echo '# mended' >> app.py\ngit commit -qam 'Mend the total'\n{deed}\n"
    );
    let agent = env.program("agent", &script);
    let command = format!("{} {}", agent.display(), env.root().display());
    let output = rehearse(env, repo, &["--json", "--agent-command", &command]);
    let document = output.json()["rehearsals"][0].take();
    (output, document)
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).expect("the test wrote it")
}

#[test]
fn the_stand_in_follows_no_link_of_the_repository() {
    let env = TestEnv::new();
    let precious = env.write("precious.txt", "precious\n");
    let repo = shop(&env);
    repo.link("STAND-IN.md", &precious.to_string_lossy())
        .write("STAND-IN-2.md/file", "a folder of that name\n");
    repo.commit(ADA, "2025-11-04", "Lay a snare");
    let output = rehearse(&env, &repo, &[]).success();
    assert_eq!(read(&precious), "precious\n");
    assert!(output.stdout.contains("STAND-IN-3.md"), "{}", output.stdout);
}

#[test]
fn records_are_not_written_through_what_the_agent_put_there() {
    let env = TestEnv::new();
    let precious = env.write("precious.txt", "precious\n");
    let repo = shop(&env);
    std::fs::create_dir(env.root().join("elsewhere")).unwrap();
    let (_, document) = with_agent(
        &env,
        &repo,
        "ln -s $root/precious.txt $run/.patch.diff.new; mkfifo $run/.pull-request.md.new
         ln -s $root/elsewhere $run/remote.git; ln -s $root/elsewhere $run/collect.git",
    );
    assert_eq!(document["outcome"], "pushed");
    assert_eq!(read(&precious), "precious\n");
    assert_eq!(
        std::fs::read_dir(env.root().join("elsewhere"))
            .unwrap()
            .count(),
        0
    );
}

#[test]
fn nothing_is_waited_for_that_never_comes() {
    let env = TestEnv::new();
    let repo = shop(&env);
    let (_, document) = with_agent(
        &env,
        &repo,
        "mkfifo .gitignore .gitattributes $CHANGELING_SUMMARY; rm $run/index; mkfifo $run/index
         mkdir -p in/.git/refs in/.git/objects; mkfifo in/.git/HEAD; ln -s /dev/zero in/.git/commondir",
    );
    assert_eq!(document["outcome"], "pushed");
}

#[test]
fn a_flood_of_branches_is_cut_and_said() {
    let env = TestEnv::new();
    let repo = shop(&env);
    let (output, document) = with_agent(
        &env,
        &repo,
        "seq 1 2000 | sed \"s#.*#create refs/heads/b/& $(git commit-tree -m x HEAD^{tree})#\" | git update-ref --stdin",
    );
    assert_eq!(document["outcome"], "needs-attention");
    assert!(
        output.stderr.contains("more than 50 other branches"),
        "{}",
        output.stderr
    );
}

#[test]
fn a_commit_of_zeros_is_not_read_into_memory() {
    let env = TestEnv::new();
    let repo = shop(&env);
    let (output, document) = with_agent(
        &env,
        &repo,
        "git config core.bigFileThreshold 1m; git config core.compression 1
         truncate -s 300M zeros; git add zeros; git commit -qm Zeros",
    );
    assert_eq!(document["outcome"], "needs-attention");
    assert!(
        output.stderr.contains("too large to be checked"),
        "{}",
        output.stderr
    );
    assert_eq!(document["patch"], "");
}

/// The record of a run that died is told by files its agent could replace.
#[test]
fn the_record_of_a_dead_run_is_no_trap() {
    let env = TestEnv::new();
    let repo = shop(&env);
    let script = "#!/bin/sh\nrun=$(dirname \"$CHANGELING_SUMMARY\")\nrm $run/events.jsonl $run/lock\n\
                  mkfifo $run/events.jsonl $run/lock\nkill -9 $PPID\nsleep 60\n";
    let agent = env.program("agent", script);
    let killed = rehearse(&env, &repo, &["--agent-command", &agent.to_string_lossy()]);
    assert_ne!(killed.code, 0);
    rehearse(&env, &repo, &[]).success();
}

#[test]
fn json_does_not_act_on_a_terminal() {
    let env = TestEnv::new();
    let repo = shop(&env);
    let commit = repo.git(["rev-parse", "HEAD"]);
    let name = "refs/heads/c\u{9b}31m\u{202e}si";
    repo.git(["update-ref", name, commit.trim()]);
    repo.git(["symbolic-ref", "HEAD", name]);
    for command in ["plan", "rehearse"] {
        let output = env
            .command([command, "--json", "--template", "fixme-fairy", "--repo"])
            .arg(repo.path())
            .run()
            .success();
        for c in ['\u{9b}', '\u{202e}'] {
            assert!(!output.stdout.contains(c) && !output.stderr.contains(c));
        }
        assert!(output.stdout.contains("c\\u009b31m\\u202esi"));
    }
}

/// A configuration names any file of the machine as a table of people.
#[test]
fn the_repositorys_configuration_opens_no_file_of_the_users() {
    let env = TestEnv::new();
    let people = env.write("people", "Not In The Repository <x@y> <ada@example.org>\n");
    let repo = shop(&env);
    let email = repo.git(["log", "-1", "--format=%ae"]);
    std::fs::write(
        &people,
        format!("Not In The Repository <x@y> <{}>\n", email.trim()),
    )
    .unwrap();
    repo.git(["config", "mailmap.file", &people.to_string_lossy()]);
    let output = env
        .command(["plan", "--template", "fixme-fairy", "--repo"])
        .arg(repo.path())
        .run()
        .success();
    assert!(!output.stdout.contains("Not In The Repository"));
}
