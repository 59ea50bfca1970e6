//! The configuration: adding and changing changelings, what is refused, and what survives.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::process::Child;
use std::time::{Duration, Instant};

use changelings_tests::{ADA, Output, Repo, TestEnv};

const GOOD: &str = "[changelings.good]\ntemplate = \"fixme-fairy\"\nrepo = \"me/it\"\n";

/// A clone whose origin carries a password.
fn clone(env: &TestEnv) -> Repo<'_> {
    let repo = env.repo("shop");
    repo.write("a.py", "# FIXME: later\n");
    repo.commit(ADA, "2026-01-01", "Start");
    repo.git([
        "remote",
        "add",
        "origin",
        "https://ada:hunter2@github.com/ada/shop.git",
    ]);
    repo
}

/// `add` with everything said, and `more`.
fn add(env: &TestEnv, name: &str, more: &[&str]) -> Output {
    let args = ["add", name, "--template", "fixme-fairy", "--repo", "me/it"];
    env.changeling(args.iter().chain(more))
}

fn hint(output: &Output) -> &str {
    output.stderr.split("help:").nth(1).unwrap_or_default()
}

#[test]
fn inside_a_clone_a_template_is_enough() {
    let env = TestEnv::new();
    let repo = clone(&env);
    let add = |more: &[&str]| {
        let args = ["add", "--template", "fixme-fairy"];
        env.command(args.iter().chain(more)).dir(repo.path()).run()
    };
    let tried = add(&["--dry-run"]).success();
    assert!(!env.config_file().exists());
    insta::assert_snapshot!("add_in_a_clone", add(&[]).success());
    assert_eq!(env.read_config(), tried.stdout);
    insta::assert_snapshot!("add_in_a_clone.toml", env.read_config());
    insta::assert_snapshot!("add_again", add(&[]).exits(2));
    let everything = format!("{tried}{}", env.read_config());
    assert!(!everything.contains("hunter2"), "{everything}");
    env.changeling(["config", "check"]).success();
}

#[test]
fn outside_a_clone_the_repository_must_be_said() {
    let env = TestEnv::new();
    insta::assert_snapshot!(
        env.changeling(["add", "--template", "fixme-fairy"])
            .exits(2)
    );
    let output = env.changeling(["add"]).exits(2);
    assert!(output.stderr.contains("which template?"), "{output}");
    assert!(hint(&output).contains("fixme-fairy"), "{output}");
    let here = env.changeling([
        "add",
        "--template",
        "fixme-fairy",
        "--repo",
        "./no-such-folder",
    ]);
    insta::assert_snapshot!(here.exits(2));
    assert!(!env.config_file().exists());
}

#[test]
fn every_flag_is_written_down() {
    let env = TestEnv::new();
    let args = [
        "--schedule",
        "@weekly",
        "--timezone",
        "Europe/Zurich",
        "--branch",
        "dev",
        "--agent-type",
        "codex",
        "--message-append",
        "Be kind.",
        "--permission",
        "publish",
        "--permission",
        "env:RUST_LOG",
        "--extra-mngr-args",
        "--label 'team=core'",
        "--env",
        "RUST_LOG=info",
        "--secret",
        "GITHUB_TOKEN",
        "--timeout",
        "90m",
        "--work-branch",
        "bots/x",
        "--pr-title",
        "Fixes: {commits}",
        "--max-budget-usd",
        "2.5",
        "--max-turns",
        "40",
        "--pause-after",
        "0",
        "--on-open-pr",
        "skip",
        "--overlap",
        "wait",
        "--catch-up=false",
        "--keep-runs",
        "7",
        "--keep-days",
        "30",
        "--max-parallel",
        "2",
        "--ssh-key",
        "SSH_KEY",
        "--deliver",
        "record",
        "--allow-path",
        ".github/workflows/*.yml",
        "--unattended",
        "--identity",
        "Night Fairy <fairy@example.org>",
        "--modal",
        "cpu=2",
        "--modal",
        "apt=[\"jq\"]",
        "--disabled",
    ];
    add(&env, "all", &args).success();
    insta::assert_snapshot!(env.read_config());
    env.changeling(["config", "check"]).success();
}

#[test]
fn a_required_parameter_is_asked_for_by_name() {
    let env = TestEnv::new();
    let args = ["add", "a", "-t", "code-custodian", "-r", "me/it"];
    let output = env.changeling(args).exits(2);
    assert!(
        output.stderr.contains("needs the parameter `scope`"),
        "{output}"
    );
    assert!(hint(&output).contains("--param scope="), "{output}");
    env.changeling(args.iter().chain(&["--param", "scope=src"]))
        .success();
    assert!(env.read_config().contains("params = { scope = \"src\" }"));
    // Nor can it be taken away later.
    env.changeling(["edit", "a", "--unset", "params"]).exits(2);
}

#[test]
fn bad_names_are_refused_with_a_better_one() {
    let env = TestEnv::new();
    let long = "x".repeat(200);
    let mut answers = Vec::new();
    for name in [
        "My Repo",
        "a/b",
        "..",
        "../../etc/passwd",
        &long,
        "ünï",
        "日本",
        "A",
        "a--b",
        "-",
    ] {
        let args = [
            "add",
            "--name",
            name,
            "--template",
            "fixme-fairy",
            "--repo",
            "me/it",
        ];
        let output = env.changeling(args).exits(2);
        answers.push(output.normalised_stderr());
        env.changeling(["edit", "--branch", "x", "--", name])
            .exits(2);
        env.changeling(["remove", "--yes", "--", name]).exits(2);
    }
    insta::assert_snapshot!(answers.join("\n"));
    assert!(!env.config_file().exists());
}

#[test]
fn bad_values_are_told_by_flag() {
    let env = TestEnv::new();
    let args = [
        "--schedule",
        "0 0 31 2 *",
        "--timezone",
        "Europe/Zurch",
        "--timeout",
        "25h",
        "--max-budget-usd",
        "-1",
        "--permission",
        "publsh",
        "--branch",
        "a..b",
        "--param",
        "scope",
    ];
    // A flag clap itself can refuse is refused first.
    add(&env, "a", &args).exits(2);
    insta::assert_snapshot!(add(&env, "a", &args[..args.len() - 2]).exits(2));
    let answers = [
        add(&env, "a", &["--schedule", "3:00"]).exits(2),
        add(&env, "a", &["--identity", "Fairy"]).exits(2),
        env.changeling([
            "add",
            "a",
            "-t",
            "fixme-fairy",
            "-r",
            "https://u:hunter2@h.org/x",
        ])
        .exits(2),
    ];
    let answers: Vec<_> = answers.iter().map(Output::to_string).collect();
    insta::assert_snapshot!(answers.join("\n").replace("hunter2@", "[PASSWORD]@"));
    // What templates and the template host say is theirs to word.
    for (args, said) in [
        (
            ["-t", "fixme-fairy", "--param=colour=red"],
            "no parameter `colour`",
        ),
        (
            ["-t", "fixme-fary", "--unattended"],
            "did you mean `fixme-fairy`",
        ),
        (["-t", "./none.wasm", "--unattended"], "none.wasm"),
    ] {
        let args = ["add", "a", "-r", "me/it"].into_iter().chain(args);
        let output = env.changeling(args).exits(2);
        assert!(output.stderr.contains(said), "{output}");
    }
    assert!(!env.config_file().exists());
}

#[test]
fn every_mistake_of_a_file_is_reported() {
    let env = TestEnv::new();
    env.write_config(
        "[changelings.a]\ntemplate = \"fixme-fairy\"\nrepo = \"https://u:hunter2@h.org/x\"\n\
         shedule = \"0 3 * * *\"\nschedule = \"0 25 * * *\"\ntimezone = \"Mars/Phobos\"\n\
         timeout = 3600\n[changelings.a]\n[\n",
    );
    insta::assert_snapshot!("check_syntax", env.changeling(["config", "check"]).exits(2));
    let sound = env
        .read_config()
        .replace("[changelings.a]\n[\n", "[changelings.\"B C\"]\n");
    env.write_config(&sound);
    insta::assert_snapshot!("check_values", env.changeling(["config", "check"]).exits(2));
    let json = env.changeling(["config", "check", "--json"]).exits(2);
    assert_eq!(json.json()["problems"].as_array().unwrap().len(), 6);
    insta::assert_snapshot!("check_values_json", json.normalised_stdout());
    // No command works around it, none makes it worse.
    for args in [
        &["list"][..],
        &["add", "b", "-t", "fixme-fairy", "-r", "me/it"],
        &["edit", "a", "--branch", "main"],
        &["disable", "--all"],
        &["enable", "a"],
        &["remove", "a", "--yes"],
    ] {
        let output = env.changeling(args).exits(2);
        assert!(output.stderr.contains("shedule"), "{output}");
        assert!(!output.stderr.contains("hunter2"), "{output}");
        assert_eq!(env.read_config(), sound);
    }
}

/// Files no edit may touch, whoever runs it: modes do not stop root.
#[test]
fn what_is_no_configuration_is_never_overwritten() {
    let half = &GOOD.as_bytes()[..GOOD.len() - 3];
    for bytes in [half, b"\xff\xfe\0", b"[changelings", &[0; 4096]] {
        let env = TestEnv::new();
        env.write_config("");
        fs::write(env.config_file(), bytes).unwrap();
        let output = add(&env, "b", &[]).exits(2);
        assert!(output.stderr.contains("config.toml"), "{output}");
        assert_eq!(fs::read(env.config_file()).unwrap(), bytes);
    }
    let env = TestEnv::new();
    fs::create_dir_all(env.config_file()).unwrap();
    insta::assert_snapshot!("config_is_a_folder", add(&env, "b", &[]).exits(2));

    let env = TestEnv::untouched();
    fs::write(env.changelings_home(), "a file\n").unwrap();
    let output = add(&env, "b", &[]);
    assert!(
        output.code == 1 && output.stderr.contains("changelings-home"),
        "{output}"
    );
    assert_eq!(
        fs::read_to_string(env.changelings_home()).unwrap(),
        "a file\n"
    );
}

#[test]
fn a_file_that_is_not_ours_to_write_is_left_alone() {
    let env = TestEnv::new();
    env.write_config(GOOD);
    fs::set_permissions(env.config_file(), fs::Permissions::from_mode(0o444)).unwrap();
    insta::assert_snapshot!("config_is_protected", add(&env, "b", &[]).exits(1));
    fs::set_permissions(env.config_file(), fs::Permissions::from_mode(0o644)).unwrap();
    if fs::metadata(env.config_file()).unwrap().uid() == 0 {
        // As after `sudo changeling add` with the user's HOME: the file would become root's.
        std::os::unix::fs::chown(env.config_file(), Some(12345), Some(12345)).unwrap();
        let output = add(&env, "b", &[]).exits(1);
        assert!(
            output
                .stderr
                .contains("belongs to another user (uid 12345)"),
            "{output}"
        );
    }
    assert_eq!(env.read_config(), GOOD);
}

#[test]
fn a_link_into_a_repository_of_settings_stays_a_link() {
    let env = TestEnv::new();
    let target = env.write("dotfiles/changelings.toml", format!("# Ada's\n{GOOD}"));
    fs::create_dir_all(env.changelings_home()).unwrap();
    symlink(&target, env.config_file()).unwrap();
    add(&env, "b", &[]).success();
    assert!(env.config_file().is_symlink());
    let text = fs::read_to_string(&target).unwrap();
    assert!(
        text.starts_with(&format!("# Ada's\n{GOOD}\n[changelings.b]\n")),
        "{text}"
    );
    let left: Vec<_> = fs::read_dir(target.parent().unwrap()).unwrap().collect();
    assert_eq!(left.len(), 1, "{left:?}");
}

const COMMENTED: &str = r#"# Ada's changelings

# All of them
[defaults]
timeout = "30m"   # long enough
timezone = "Europe/Zurich"

# Fixes, every night.
# Since 2024.
[changelings.fixmes]
template = "fixme-fairy" # the best
repo = "ada/shop"
params = {}
  schedule   =   "0 3 * * *"    # at three

[changelings.other]
template = "fixme-fairy"
repo = "ada/other"
# end of other

# That is all.
"#;

#[test]
fn comments_and_order_are_kept() {
    let env = TestEnv::new();
    env.write_config(COMMENTED);
    let mut shown = Vec::new();
    let mut step = |args: &[&str]| {
        env.changeling(args).success();
        shown.push(format!("=== {}\n{}", args.join(" "), env.read_config()));
    };
    step(&[
        "edit",
        "fixmes",
        "--schedule",
        "0 4 * * *",
        "--max-turns",
        "10",
    ]);
    step(&["disable", "--all"]);
    step(&["add", "new", "-t", "fixme-fairy", "-r", "ada/new"]);
    step(&["enable", "other"]);
    step(&["edit", "other", "--unset", "enabled"]);
    step(&["remove", "fixmes", "--yes"]);
    step(&["remove", "new", "other", "--yes"]);
    insta::assert_snapshot!(shown.join("\n"));
}

#[test]
fn what_changes_nothing_writes_nothing() {
    let env = TestEnv::new();
    env.write_config(COMMENTED);
    let file = || fs::metadata(env.config_file()).unwrap().ino();
    let before = file();
    for args in [
        &["enable", "--all"][..],
        &["enable", "--all", "--dry-run"],
        &["disable", "fixmes", "--dry-run"],
        &["edit", "fixmes", "--branch", "x", "--dry-run"],
        &["remove", "fixmes", "--dry-run"],
        &["add", "x", "-t", "fixme-fairy", "-r", "a/b", "--dry-run"],
    ] {
        env.changeling(args).success();
        assert_eq!(
            (env.read_config().as_str(), file()),
            (COMMENTED, before),
            "{args:?}"
        );
    }
}

#[test]
fn names_that_do_not_exist_are_said_with_the_nearest() {
    let env = TestEnv::new();
    for args in [
        &["edit", "goood", "--branch", "x"][..],
        &["disable", "goood"],
        &["enable", "good", "goood"],
        &["remove", "goood", "--yes"],
    ] {
        env.write_config(GOOD);
        let output = env.changeling(args).exits(2);
        assert!(
            hint(&output).contains("did you mean `good`? `changeling list`"),
            "{output}"
        );
        env.write_config("");
        let output = env.changeling(args).exits(2);
        assert!(hint(&output).contains("changeling add"), "{output}");
    }
}

/// Two commands at once lose nothing; a hundred neither.
#[test]
fn a_hundred_adds_at_once() {
    let env = TestEnv::new();
    env.write_config(&format!("# mine\n{GOOD}"));
    add(&env, "first", &[]).success();
    let start = |number: usize| {
        let name = format!("n{number}");
        env.command(["add", &name, "-t", "fixme-fairy", "-r", "me/it"])
            .spawn()
    };
    let children: Vec<Child> = (0..100).map(start).collect();
    let codes: Vec<_> = children
        .into_iter()
        .map(|mut child| child.wait().unwrap())
        .collect();
    assert!(
        codes.iter().all(std::process::ExitStatus::success),
        "{codes:?}"
    );
    let listing = env.changeling(["list", "--json"]).success().json();
    assert_eq!(listing["changelings"].as_array().unwrap().len(), 102);
    assert!(env.read_config().starts_with(&format!("# mine\n{GOOD}")));
    let mode = fs::metadata(env.config_file()).unwrap().mode();
    assert_eq!(mode & 0o777, 0o600);
}

/// Killed at any moment of a write, the file is the old or the new one to the byte, and the next
/// command works.
#[test]
fn killed_while_writing() {
    let env = TestEnv::new();
    // Large, so that writing takes a moment.
    let filler = format!("# {}\n", "x".repeat(1000)).repeat(500);
    let with = |turns: usize| format!("{filler}{GOOD}max_turns = {turns}\n");
    env.write_config(&with(1));
    let home = env.changelings_home();
    let (aside, lock) = (
        home.join(".config.toml.new"),
        home.join(".config.toml.lock"),
    );
    let mut killed = [0; 3];
    let mut current = 1;
    for round in 0..45 {
        let _ = fs::remove_file(&lock);
        let before = fs::metadata(env.config_file()).unwrap().ino();
        let turns = round + 2;
        let args = ["edit", "good", "--max-turns", &turns.to_string()];
        let mut child = env.command(args).spawn();
        // The three moments worth dying at: the lock is held, the new text is being written, it is
        // in place.
        let moment = round % 3;
        let arrived = || match moment {
            0 => lock.exists(),
            1 => aside.exists(),
            _ => fs::metadata(env.config_file()).is_ok_and(|file| file.ino() != before),
        };
        let deadline = Instant::now() + Duration::from_mins(1);
        while !arrived() && child.try_wait().unwrap().is_none() {
            assert!(Instant::now() < deadline, "round {round}: nothing happened");
            std::thread::yield_now();
        }
        let _ = child.kill();
        // No exit code: it died of the signal and not before.
        killed[moment] += usize::from(child.wait().unwrap().code().is_none());
        let text = env.read_config();
        if text == with(turns) {
            current = turns;
        } else {
            assert!(
                text == with(current),
                "round {round}: neither the old nor the new file"
            );
        }
    }
    assert!(
        killed.iter().all(|count| *count > 0),
        "killed at each moment: {killed:?}"
    );
    env.changeling(["config", "check"]).success();
    env.changeling(["edit", "good", "--max-turns", "99"])
        .success();
    assert!(!aside.exists(), "what the killed left is swept away");
}

#[test]
fn remove_asks_where_it_can() {
    let env = TestEnv::new();
    env.write_config(GOOD);
    insta::assert_snapshot!(
        "remove_without_terminal",
        env.changeling(["remove", "good"]).exits(3)
    );
    let mut terminal = env.command(["remove", "good"]).terminal(80);
    terminal.wait_for("Remove `good`?").type_text("n\n");
    insta::assert_snapshot!("remove_no", terminal.finish().success());
    assert_eq!(env.read_config(), GOOD);
    let mut terminal = env.command(["remove", "good"]).terminal(80);
    terminal.wait_for("Remove `good`?").type_text("y\n");
    terminal.finish().success();
    assert_eq!(env.read_config(), "");
}

#[test]
fn an_agent_that_never_asks_is_agreed_to() {
    let env = TestEnv::new();
    let ask = |name: &str, answer: &str| {
        let args = ["add", name, "-t", "fixme-fairy", "-r", "me/it"];
        let mut terminal = env.command(args).terminal(80);
        terminal.wait_for("Allow that").type_text(answer);
        terminal.finish().success()
    };
    insta::assert_snapshot!("add_asks", ask("yes", "y\n"));
    insta::assert_snapshot!("add_asks_no", ask("no", "n\n"));
    let config = env.read_config();
    assert_eq!(config.matches("unattended = true").count(), 1, "{config}");
    // Said beforehand, nobody is asked; without a terminal nobody is, and it says what is missing.
    add(&env, "flag", &["--unattended"]).success();
    let output = add(&env, "silent", &[]).success();
    assert!(
        output
            .stderr
            .contains("changeling edit silent --unattended"),
        "{output}"
    );
    add(&env, "command", &["--agent-type", "command"]).success();
    assert_eq!(env.read_config().matches("unattended = true").count(), 2);
}

/// An editor that puts this text in the place of the file.
fn editor(env: &TestEnv, text: &str) -> String {
    let new = env.write("new.toml", text);
    let script = format!("#!/bin/sh\ncat '{}' > \"$1\"\n", new.display());
    env.program("my-editor", &script)
        .to_string_lossy()
        .into_owned()
}

#[test]
fn edit_opens_the_editor() {
    let env = TestEnv::new();
    env.write_config(GOOD);
    let edit = |editor: &str| env.command(["edit"]).env("EDITOR", editor).terminal(80);
    insta::assert_snapshot!("edit_without_terminal", env.changeling(["edit"]).exits(2));
    edit("true").finish().success();
    assert_eq!(env.read_config(), GOOD);

    let better = format!("{GOOD}branch = \"dev\"\n");
    let program = editor(&env, &better);
    insta::assert_snapshot!("edit_good", edit(&program).finish().success());
    assert_eq!(env.read_config(), better);

    let program = editor(&env, "[changelings.good]\nshedule = 3\n");
    let mut terminal = edit(&program);
    terminal.wait_for("Open it again?").type_text("n\n");
    insta::assert_snapshot!("edit_bad", terminal.finish().exits(2));
    assert_eq!(env.read_config(), better);
    let rejected = env.changelings_home().join("config.rejected.toml");
    assert!(fs::read_to_string(&rejected).unwrap().contains("shedule"));

    // Mended in a second round.
    let once = env.root().join("once");
    let script = format!(
        "#!/bin/sh\nif [ -e '{0}' ]; then echo 'max_turns = 7' >> \"$1\"; sed -i.b '/broken/d' \"$1\"; \
         rm \"$1.b\"; else touch '{0}'; echo 'broken' >> \"$1\"; fi\n",
        once.display(),
    );
    let program = env
        .program("mending-editor", &script)
        .to_string_lossy()
        .into_owned();
    let mut terminal = edit(&program);
    terminal.wait_for("Open it again?").type_text("y\n");
    terminal.finish().success();
    assert_eq!(env.read_config(), format!("{better}max_turns = 7\n"));

    let left: Vec<_> = fs::read_dir(env.changelings_home())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains("draft"))
        .collect();
    assert_eq!(left, [""; 0]);
}

/// While the editor is open another command changes the file: both texts survive.
#[test]
fn edit_does_not_overwrite_what_others_wrote() {
    let env = TestEnv::new();
    env.write_config(GOOD);
    let new = env.write("new.toml", format!("{GOOD}branch = \"dev\"\n"));
    let others = format!("{GOOD}branch = \"others\"\n");
    let theirs = env.write("theirs.toml", &others);
    let script = format!(
        "#!/bin/sh\ncat '{}' > \"$1\"\ncat '{}' > '{}'\n",
        new.display(),
        theirs.display(),
        env.config_file().display(),
    );
    let program = env
        .program("slow-editor", &script)
        .to_string_lossy()
        .into_owned();
    let shown = env
        .command(["edit"])
        .env("VISUAL", program)
        .terminal(80)
        .finish();
    insta::assert_snapshot!(shown.exits(1));
    assert_eq!(env.read_config(), others);
    let rejected = fs::read_to_string(env.changelings_home().join("config.rejected.toml")).unwrap();
    assert_eq!(rejected, fs::read_to_string(new).unwrap());
}

/// A broken file can be mended with the editor.
#[test]
fn edit_mends_a_broken_file() {
    let env = TestEnv::new();
    env.write_config("[changelings.good\n");
    let program = editor(&env, GOOD);
    env.command(["edit"])
        .env("EDITOR", program)
        .terminal(80)
        .finish()
        .success();
    assert_eq!(env.read_config(), GOOD);
}

#[test]
fn config_says_where_and_how() {
    let env = TestEnv::new();
    let output = env.changeling(["config", "path"]).success();
    assert_eq!(
        output.stdout.trim_end(),
        env.config_file().to_str().unwrap()
    );
    assert_eq!(
        env.changeling(["config", "path", "--json"]).json()["exists"],
        false
    );
    let output = env.changeling(["config", "check"]).success();
    assert!(output.stdout.contains("does not exist"), "{output}");
    env.write_config(&format!("{GOOD}env_vars = {{ MY_TOKEN = \"hunter2\" }}\n"));
    insta::assert_snapshot!("check_warns", env.changeling(["config", "check"]).success());
    let schema = env.changeling(["config", "schema"]).success().json();
    let entry = &schema["properties"]["changelings"]["additionalProperties"];
    assert_eq!(entry["properties"]["timeout"]["default"], "1h");
    assert_eq!(entry["additionalProperties"], false);
}
