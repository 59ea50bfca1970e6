//! Templates that mean harm, or are no templates: one clear error each, nothing written, nobody harmed.

use std::path::Path;
use std::time::{Duration, Instant};

use changelings_tests::{ADA, Output, Repo, TestEnv, guests, hostile, needs};

/// What a template may cost whoever tries it: two seconds of its own, and the program around it. The
/// tests run side by side on busy machines, hence the rest.
const PATIENCE: Duration = Duration::from_secs(6);

/// Crimes a template commits while it says what it is.
const DESCRIBE: &[&str] = &[
    "loop",
    "sleep",
    "allocate",
    "recurse",
    "flood-log",
    "flood-repo",
    "flood-stderr",
    "big-argument",
    "trap",
    "panic",
    "exit",
    "open",
    "bad-name",
    "bad-version",
    "two-lines",
    "bad-permission",
    "many-params",
    "huge",
];

/// Crimes a template commits while it composes.
const COMPOSE: &[&str] = &[
    "loop",
    "sleep",
    "spin-on-clock",
    "allocate",
    "flood-repo",
    "panic",
    "huge",
    "long-prompt",
    "no-prompt",
    "escapes",
    "two-lines",
    "backwards",
    "bad-permission",
    "more-permissions",
    "bad-delivery",
    "bad-slug",
    "option-slug",
    "bad-label",
    "args",
    "refuse",
];

fn shop(env: &TestEnv) -> Repo<'_> {
    let repo = env.repo("shop");
    repo.write("app.py", "# FIXME: rounds the wrong way\n");
    repo.commit(ADA, "2025-01-10", "Add the shop");
    repo
}

fn show(env: &TestEnv, component: &Path) -> Output {
    let name = component.file_name().expect("a file").to_string_lossy();
    env.changeling(["template".into(), "show".into(), format!("./{name}")])
}

fn plan(env: &TestEnv, component: &Path, repo: &Repo, params: &[(&str, &str)]) -> Output {
    let name = component.file_name().expect("a file").to_string_lossy();
    let mut args = vec![
        "plan".to_owned(),
        "--template".to_owned(),
        format!("./{name}"),
        "--repo".to_owned(),
        repo.path().to_string_lossy().into_owned(),
    ];
    for (name, value) in params {
        args.extend(["--param".to_owned(), format!("{name}={value}")]);
    }
    env.changeling(args)
}

/// The error without what differs between toolchains.
fn told(output: &Output) -> String {
    let told = output.normalised_stderr();
    // What it says it is doing, while it does.
    let progress = |line: &&str| {
        line.starts_with("compiling ")
            || line.starts_with("loading ")
            || line.contains(" looks at ")
    };
    let lines = told.lines().filter(|line| !progress(line));
    let text = lines.collect::<Vec<_>>().join("\n");
    // Where in the guest's source it panicked.
    let mut parts = text.split("deeds.rs:");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        text += "deeds.rs:";
        text += part.trim_start_matches(|c: char| c.is_ascii_digit() || c == ':');
    }
    text
}

/// One error and, maybe, one line of help; nothing on standard output; no panic of ours; no control
/// character that reaches the terminal.
#[track_caller]
fn assert_one_clear_error(output: &Output) {
    assert!((1..=4).contains(&output.code), "{output}");
    assert_eq!(output.stdout, "", "{output}");
    let told = told(output);
    let errors = told.lines().filter(|line| line.starts_with("error: "));
    assert_eq!(errors.count(), 1, "{output}");
    assert!(told.lines().count() <= 2, "{output}");
    assert!(
        !told.contains("src/template"),
        "a panic of the host: {output}"
    );
    assert!(
        !output.stderr.chars().any(|c| c.is_control() && c != '\n'),
        "{output}"
    );
    assert!(output.stderr.len() < 3_000, "{output}");
}

/// Only what this program compiled itself is left behind.
#[track_caller]
fn assert_nothing_written(env: &TestEnv) {
    let mut files = Vec::new();
    let mut folders = vec![env.changelings_home()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten() {
            let path = entry.expect("reading a folder").path();
            if path.is_dir() {
                folders.push(path);
            } else if path
                .extension()
                .is_none_or(|extension| extension != "cwasm")
            {
                files.push(path);
            }
        }
    }
    assert!(files.is_empty(), "{files:?}");
}

#[test]
fn crimes_of_describing() {
    let env = TestEnv::untouched();
    let mut report = String::new();
    for deed in DESCRIBE {
        let component = guests::hostile(&env, "describe", deed);
        show(&env, &component);
        let start = Instant::now();
        let output = show(&env, &component);
        assert!(
            start.elapsed() < PATIENCE,
            "{deed} took {:?}",
            start.elapsed()
        );
        assert_one_clear_error(&output);
        report += &format!("{deed}\n{}\n\n", told(&output));
    }
    assert_nothing_written(&env);
    insta::assert_snapshot!(report);
}

#[test]
fn crimes_of_composing() {
    let env = TestEnv::untouched();
    let repo = shop(&env);
    let before = repo.state();
    let mut report = String::new();
    for deed in COMPOSE {
        let component = guests::hostile(&env, "compose", deed);
        show(&env, &component).success();
        let start = Instant::now();
        let output = plan(&env, &component, &repo, &[]);
        assert!(
            start.elapsed() < PATIENCE,
            "{deed} took {:?}",
            start.elapsed()
        );
        assert_one_clear_error(&output);
        report += &format!("{deed}\n{}\n\n", told(&output));
    }
    assert_eq!(repo.state(), before);
    assert_nothing_written(&env);
    insta::assert_snapshot!(report);
}

#[test]
fn no_templates_at_all() {
    let env = TestEnv::untouched();
    let whole = std::fs::read(guests::component("hostile")).expect("a component");
    let cases: [(&str, Vec<u8>); 6] = [
        ("empty", Vec::new()),
        ("script", b"#!/bin/sh\necho sprung\n".to_vec()),
        ("core-module", b"\0asm\x01\0\0\0".to_vec()),
        (
            "garbage",
            [
                b"\0asm\x0d\0\x01\0".to_vec(),
                (0..=255).cycle().take(100_000).collect(),
            ]
            .concat(),
        ),
        ("truncated", whole[..whole.len() / 2].to_vec()),
        ("last-byte-missing", whole[..whole.len() - 1].to_vec()),
    ];
    let mut report = String::new();
    let mut refuse = |name: &str, component: &Path| {
        let start = Instant::now();
        let output = show(&env, component);
        assert!(
            start.elapsed() < PATIENCE,
            "{name} took {:?}",
            start.elapsed()
        );
        assert_one_clear_error(&output);
        report += &format!("{name} (exit {})\n{}\n\n", output.code, told(&output));
    };
    for (name, bytes) in cases {
        refuse(name, &env.write(&format!("work/{name}.wasm"), bytes));
    }
    for name in ["other-version", "other-world", "with-http"] {
        let path = env.work().join(format!("{name}.wasm"));
        std::fs::copy(guests::component(name), &path).expect("a copy");
        refuse(name, &path);
    }
    let folder = env.work().join("folder.wasm");
    std::fs::create_dir(&folder).expect("a folder");
    refuse("folder", &folder);
    let huge = env.work().join("huge.wasm");
    let file = std::fs::File::create(&huge).expect("a file");
    file.set_len(3 << 30).expect("a sparse file");
    refuse("huge", &huge);
    refuse("missing", &env.work().join("missing.wasm"));
    // A pipe nobody writes to must not be waited for.
    let pipe = env.work().join("pipe.wasm");
    env.external("mkfifo", [&pipe]).run().success();
    refuse("pipe", &pipe);
    assert!(
        !env.changelings_home().exists(),
        "nothing of this is worth a folder"
    );
    insta::assert_snapshot!(report);
}

#[test]
fn nothing_is_granted_while_describing() {
    let env = TestEnv::untouched();
    let component = guests::hostile(&env, "describe", "ask-early");
    let shown = show(&env, &component).success();
    assert!(shown.stdout.contains(&["denied"; 8].join(" ")), "{shown}");
}

/// Asks the host some questions through `plan`, and returns its answers from the prompt.
fn ask(env: &TestEnv, repo: &Repo, questions: &[&str]) -> String {
    let component = guests::hostile(env, "compose", "ask");
    let plan = plan(env, &component, repo, &[("ask", &questions.join("\n"))]).success();
    let prompt = plan
        .stdout
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix('│'));
    let prompt = prompt.map(|line| line.strip_prefix(' ').unwrap_or(line));
    prompt
        .take_while(|line| *line != "## Delivery")
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn no_path_leads_out_of_the_repository() {
    let env = TestEnv::untouched();
    let repo = hostile::links(&env, "links", "s3cret");
    let answers = ask(
        &env,
        &repo,
        &[
            "files",
            "search 100 FIXME",
            "read inside.txt 100",
            "read out.txt 100",
            "read up.txt 100",
            "read in.txt 100",
            "read circle 100",
            "read outside/secret.txt 100",
            "read ../../etc/passwd 100",
            "read ../../outside/secret.txt 100",
            "read /etc/passwd 100",
            "read .git/config 100",
            "commits 0 ../../etc",
            "origins out.txt:1 ../../etc/passwd:1",
            "origins outside/secret.txt:1 inside.txt:1",
        ],
    );
    assert!(!answers.contains("s3cret"), "{answers}");
    insta::assert_snapshot!(answers);
}

#[test]
fn odd_files_are_skipped_and_named() {
    let env = TestEnv::untouched();
    let repo = hostile::odd_names(&env, "odd");
    insta::assert_snapshot!(ask(&env, &repo, &["files", "search 100 FIXME"]));
}

#[test]
fn a_huge_file_is_not_read_into_memory() {
    // More than the program and its children may hold.
    huge_file(300_000_000);
}

#[test]
fn a_file_of_two_gigabytes_is_not_read_into_memory() {
    if needs::patience() {
        huge_file((2 << 30) + 1);
    }
}

fn huge_file(bytes: u64) {
    let env = TestEnv::untouched();
    let repo = hostile::huge_file(&env, "huge", bytes);
    let component = guests::hostile(&env, "compose", "ask");
    show(&env, &component).success();
    let questions = "ask=files\nsearch 10 FIXME\nread huge.bin 10\nread ordinary.txt 100";
    // Kilobytes of memory for each of this program and its children.
    let program = changelings_tests::changeling().to_string_lossy();
    let folder = repo.path().to_string_lossy();
    let script = "ulimit -d 262144; exec \"$@\"";
    let plan = [
        "plan",
        "--template",
        "./compose-ask.wasm",
        "--repo",
        &folder,
    ];
    let limited = ["-c", script, "sh", &program].into_iter().chain(plan);
    let plan = env
        .external("sh", limited.chain(["--param", questions]))
        .run()
        .success();
    for told in [
        format!("huge.bin {bytes}"),
        "ordinary.txt:1: FIXME: ordinary".to_owned(),
        "skipped huge.bin: too-large".to_owned(),
        "no: binary: `huge.bin` is binary".to_owned(),
    ] {
        assert!(plan.stdout.contains(&told), "{told} is not in\n{plan}");
    }
}

#[test]
fn the_same_question_has_the_same_answer() {
    let env = TestEnv::untouched();
    let repo = shop(&env);
    let questions = [
        "time",
        "random",
        "files",
        "search 10 FIXME",
        "changed 0",
        "commits 0",
        "origins app.py:1",
    ];
    let first = ask(&env, &repo, &questions);
    assert_eq!(first, ask(&env, &repo, &questions));
    insta::assert_snapshot!(first);
}

#[test]
fn a_component_that_was_damaged_on_disk_is_compiled_again() {
    let env = TestEnv::untouched();
    let component = guests::hostile(&env, "compose", "nothing");
    let first = show(&env, &component).success();
    let compiled: Vec<_> = std::fs::read_dir(env.changelings_home().join("components"))
        .expect("the store")
        .map(|entry| entry.expect("reading a folder").path())
        .collect();
    let [compiled] = compiled.as_slice() else {
        panic!("one file: {compiled:?}")
    };
    std::fs::write(compiled, b"no longer what it was").expect("writing a file");
    assert_eq!(show(&env, &component).success().stdout, first.stdout);
    assert!(std::fs::metadata(compiled).expect("a file").len() > 10_000);
}
