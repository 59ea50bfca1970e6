//! The sandboxed component says what its native golden file says, and what it says is true.

use std::path::Path;

use changelings_tests::TestEnv;
use changelings_tests::github::GitHub;

use super::issues::{issues_of, on_github};
use super::{
    Golden, NAMES, REPOSITORIES, TODAY, answer, fixture, folder, line_of, parts, places, plan,
    scope, text,
};

/// Their agents change code; the others' write a report.
const CHANGING: [&str; 5] = [
    "code-custodian",
    "coverage-hunter",
    "fixme-fairy",
    "issue-fixer",
    "test-troll",
];

/// Vendored, generated and minified code, fixtures, data, pictures: of no concern to any template.
const DECOYS: &[&str] = &[
    "vendor/",
    "_vendor/",
    "third_party/",
    "generated/",
    "__generated__/",
    "testdata/",
    "tests/fixtures/",
    "public/app.min.js",
    "public/bundle.js",
    "_pb2.py",
    ".pb.go",
    "unicode_table.rs",
    ".ipynb",
    ".csv",
    ".png",
];

#[test]
fn there_are_eight() {
    let env = TestEnv::new();
    let list = env
        .changeling(["template", "list", "--json"])
        .success()
        .json();
    let names: Vec<_> = list["templates"]
        .as_array()
        .unwrap()
        .iter()
        .map(|template| text(template, "/name"))
        .collect();
    assert_eq!(names, NAMES);
}

#[test]
fn rust() {
    says_what_the_golden_files_say("rust");
}

#[test]
fn python() {
    says_what_the_golden_files_say("python");
}

#[test]
fn typescript() {
    says_what_the_golden_files_say("typescript");
}

#[test]
fn go() {
    says_what_the_golden_files_say("go");
}

#[test]
fn monorepo() {
    says_what_the_golden_files_say("monorepo");
}

fn says_what_the_golden_files_say(repository: &str) {
    assert!(REPOSITORIES.contains(&repository));
    let env = TestEnv::new();
    let path = fixture(&env, repository);
    let path = path.to_str().unwrap();
    for template in NAMES {
        let what = format!("{template} on {repository}");
        let golden = Golden::of(template, repository);
        let output = if template == "issue-fixer" {
            let github = GitHub::with(issues_of(repository), Vec::new());
            on_github(&env, repository, &github).arg("--json").run()
        } else {
            plan(&env, template, path, scope(repository))
                .arg("--json")
                .run()
        };
        let answer = answer(&output.success());
        assert!(
            answer["composed"]["guest_ms"].is_u64(),
            "{what}: {answer:#}"
        );
        if let Some(reason) = golden.field("skip") {
            assert_eq!(text(&answer, "/decision"), "skip", "{what}");
            assert_eq!(text(&answer, "/reason"), reason, "{what}");
            continue;
        }
        assert_eq!(text(&answer, "/decision"), "run", "{what}: {answer:#}");
        let prompt = text(&answer, "/plan/prompt");
        let (task, delivery) = parts(prompt);
        assert_eq!(task, golden.prompt, "{what}");
        assert_eq!(
            Some(text(&answer, "/plan/delivery")),
            golden.field("delivery"),
            "{what}"
        );
        assert_eq!(
            answer["plan"]["pull_request"]["body"]
                .as_str()
                .map(str::trim_end),
            golden.body.as_deref(),
            "{what}"
        );
        if let Some(title) = golden.field("title") {
            assert_eq!(text(&answer, "/plan/pull_request/title"), title, "{what}");
        }
        is_delivered(template, delivery, &what);
        is_about_what_is_there(template, task, &folder(repository).join("tree"), &what);
    }
}

fn is_delivered(template: &str, delivery: &str, what: &str) {
    for part in [
        "**Where.**",
        "**Publishing.** Do not push",
        "**Stop.**",
        "you are done",
    ] {
        assert!(delivery.contains(part), "{what}: no {part} in:\n{delivery}");
    }
    let (asked_for, other) = match CHANGING.contains(&template) {
        true => ("$CHANGELING_SUMMARY", "$CHANGELING_REPORT"),
        false => ("$CHANGELING_REPORT", "$CHANGELING_SUMMARY"),
    };
    assert!(delivery.contains(asked_for), "{what}:\n{delivery}");
    assert!(!delivery.contains(other), "{what}:\n{delivery}");
}

fn is_about_what_is_there(template: &str, task: &str, tree: &Path, what: &str) {
    assert!(
        task.to_lowercase().contains("stop"),
        "{what}: no stop rule:\n{task}"
    );
    assert!(!task.to_lowercase().contains("decoy"), "{what}:\n{task}");
    let places = places(task);
    for (path, line) in &places {
        assert!(
            line_of(tree, path, *line).is_some(),
            "{what}: there is no {path}:{line}"
        );
    }
    for piece in task.split(['`', ' ', '(', ')']) {
        let path = piece.rsplit_once(':').map_or(piece, |(path, _)| path);
        let is_decoy = DECOYS.iter().any(|decoy| path.contains(decoy)) && tree.join(path).exists();
        assert!(!is_decoy, "{what} names {path}");
    }
    // A command is in the very line that is named for it; tasks of make and npm go by their name.
    let checks: Vec<_> = task
        .lines()
        .filter(|line| line.starts_with("- ") && line.ends_with("`)"))
        .filter_map(|line| {
            let mut pieces = line.split('`');
            let command = pieces.nth(1)?;
            Some((command, *super::places(line).last()?))
        })
        .filter(|(command, (path, line))| {
            line_of(tree, path, *line).is_some_and(|line| line.contains(command))
        })
        .collect();
    if CHANGING.contains(&template) {
        assert!(!checks.is_empty(), "{what} names no check command:\n{task}");
        assert!(
            places.len() > checks.len(),
            "{what} names no place:\n{task}"
        );
    }
}

#[test]
fn people_read_the_prompt_as_the_agent_does() {
    let env = TestEnv::new();
    let path = fixture(&env, "go");
    let path = path.to_str().unwrap();
    for template in NAMES.into_iter().filter(|name| *name != "issue-fixer") {
        let command = || plan(&env, template, path, scope("go"));
        let answer = answer(&command().arg("--json").run().success());
        let prompt = text(&answer, "/plan/prompt");
        let shown = command().run().success().stdout;
        let (_, quoted) = shown
            .split_once(&format!(
                "as the agent reads it ({} characters)\n",
                prompt.chars().count()
            ))
            .unwrap_or_else(|| panic!("{shown}"));
        let lines: Vec<_> = quoted
            .lines()
            .map(|line| line.trim_start_matches([' ', '│']).to_owned())
            .collect();
        let expected: Vec<_> = prompt
            .trim_end()
            .lines()
            .map(|line| line.trim_start_matches(' ').to_owned())
            .collect();
        assert_eq!(lines, expected, "{template}");
    }
}

#[test]
fn nothing_to_do_has_a_reason() {
    let env = TestEnv::new();
    let path = fixture(&env, "quiet");
    for template in NAMES
        .into_iter()
        .filter(|name| !["issue-fixer", "security-reporter"].contains(name))
    {
        let golden = Golden::of(template, "quiet");
        let command = || plan(&env, template, path.to_str().unwrap(), ".");
        let answer = answer(&command().arg("--json").run().success());
        assert_eq!(
            Some(text(&answer, "/reason")),
            golden.field("skip"),
            "{template}"
        );
        let shown = command().run().success().stdout;
        let expected = format!("a run would be skipped: {}\n", text(&answer, "/reason"));
        assert!(shown.ends_with(&expected), "{shown}");
    }
    // It never skips: what has no known sign is looked at all the same.
    let answer = answer(
        &plan(&env, "security-reporter", path.to_str().unwrap(), ".")
            .arg("--json")
            .run()
            .success(),
    );
    assert_eq!(
        parts(text(&answer, "/plan/prompt")).0,
        Golden::of("security-reporter", "quiet").prompt
    );
}

#[test]
fn bad_parameters_are_told_with_what_would_be_good() {
    let env = TestEnv::new();
    let path = fixture(&env, "rust");
    for (template, param, golden) in [
        ("code-custodian", "scope=../../etc", "scope-outside"),
        ("coverage-hunter", "enough=all of it", "bad-parameter"),
        ("doc-reporter", "limit=many", "bad-parameter"),
        ("docstring-reporter", "round=30", "bad-parameter"),
        ("fixme-fairy", "markers=FIX ME", "bad-parameter"),
        ("issue-fixer", "issue=the first", "bad-parameter"),
        ("security-reporter", "limit=1000", "bad-parameter"),
        ("test-troll", "kinds=flaky", "bad-parameter"),
    ] {
        let golden = Golden::of(template, golden);
        let output = env
            .command([
                "plan",
                "-t",
                template,
                "-r",
                path.to_str().unwrap(),
                "-p",
                param,
            ])
            .env("CHANGELINGS_NOW", TODAY)
            .run();
        assert_ne!(output.code, 0, "{output}");
        assert_eq!(output.stdout, "", "{output}");
        for part in ["message", "hint"] {
            let expected = golden.field(part).unwrap();
            assert!(
                output.stderr.contains(expected),
                "{expected} is not in {output}"
            );
        }
    }
    let unknown = env.changeling([
        "plan",
        "-t",
        "fixme-fairy",
        "-r",
        path.to_str().unwrap(),
        "-p",
        "limt=3",
    ]);
    assert!(
        unknown.stderr.contains("`limt`") && unknown.stderr.contains("limit"),
        "{unknown}"
    );
    assert_eq!(unknown.code, 2, "{unknown}");
}

#[test]
fn a_missing_scope_is_named_with_what_to_type() {
    let env = TestEnv::new();
    let path = fixture(&env, "rust");
    let output = env.changeling(["plan", "-t", "code-custodian", "-r", path.to_str().unwrap()]);
    assert_eq!(output.code, 2, "{output}");
    assert!(output.stderr.contains("scope"), "{output}");
    assert!(
        output.stderr.contains("hint: ") && output.stderr.contains("src/api"),
        "{output}"
    );
}
