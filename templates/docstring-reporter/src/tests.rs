use changelings_sdk::golden;
use changelings_sdk::testing::{Composed, Tree, changes};

use super::DocstringReporter;

fn tree(name: &str) -> Tree {
    Tree::load(format!("../fixtures/{name}"))
}

fn compose(tree: &Tree) -> Composed {
    compose_with(tree, &[])
}

fn compose_with(tree: &Tree, params: &[(&str, &str)]) -> Composed {
    tree.commit().compose::<DocstringReporter>(params)
}

#[test]
fn golden_plans() {
    for name in ["rust", "python", "typescript", "go", "monorepo", "quiet"] {
        let composed = compose(&tree(name));
        assert!(!composed.to_string().contains("decoy"), "{name}");
        golden!(name, composed);
    }
    golden!(
        "bad-parameter",
        compose_with(&tree("rust"), &[("round", "30")])
    );
}

#[test]
fn a_name_that_gets_a_docstring_is_gone_from_the_list() {
    let go = tree("go");
    let written = go.clone().replace(
        "internal/queue/queue.go",
        "func Backoff",
        "// Backoff is how long to wait.\nfunc Backoff",
    );
    let changed = changes(&compose(&go), &compose(&written));
    assert_eq!(
        changed,
        [
            "-title: Docstring Reporter: 4 public names without a docstring",
            "-Public names with a docstring: 4 of 8 in Go.",
            "-All 4 names:",
            "-2. `internal/queue/queue.go:42` func `Backoff`, the word `Backoff` occurs in the code of 1 other file, file: 1 commit in 180 days",
            "-3. `internal/queue/queue.go:31` method `Queue.Pop`, other files with the word `Pop` not counted, file: 1 commit in 180 days",
            "-4. `internal/relay/relay.go:14` type `Relay`, the word `Relay` occurs in the code of no other file, file: 1 commit in 180 days",
            "+title: Docstring Reporter: 3 public names without a docstring",
            "+Public names with a docstring: 5 of 8 in Go.",
            "+All 3 names:",
            "+2. `internal/queue/queue.go:31` method `Queue.Pop`, other files with the word `Pop` not counted, file: 1 commit in 180 days",
            "+3. `internal/relay/relay.go:14` type `Relay`, the word `Relay` occurs in the code of no other file, file: 1 commit in 180 days",
        ]
    );
}

#[test]
fn a_rule_of_the_repository_that_changes_changes_its_line_only() {
    let python = tree("python");
    let stricter = python
        .clone()
        .replace("pyproject.toml", "fail-under = 60", "fail-under = 95");
    assert_eq!(
        changes(&compose(&python), &compose(&stricter)),
        [
            "-- `pyproject.toml:22` says `fail-under = 60`",
            "+- `pyproject.toml:22` says `fail-under = 95`",
        ]
    );
}

#[test]
fn when_all_is_documented_no_agent_is_paid_for() {
    let tree = Tree::empty().write("src/lib.rs", "/// Adds.\npub fn add() {}\n");
    assert_eq!(
        compose(&tree).skip_reason(),
        "nothing without a docstring in 1 source file, which is all of them: 1 public name looked at"
    );
    let private = Tree::empty().write("src/lib.rs", "fn add() {}\n");
    assert_eq!(
        compose(&private).skip_reason(),
        "no public name that a docstring would be for in 1 source file, which is all of them"
    );
}

/// A repository of 600 files takes 14 nights.
fn large() -> Tree {
    (0..600).fold(Tree::empty(), |tree, file| {
        tree.write(
            &format!("src/m{file:03}.rs"),
            format!("pub fn name_{file:03}() {{}}\n"),
        )
    })
}

#[test]
fn every_name_has_its_night() {
    let tree = large();
    let fixture = tree.commit();
    let mut fixture = Some(fixture);
    let mut seen = std::collections::BTreeSet::new();
    for day in 1..=28 {
        let today = fixture.take().unwrap().date(&format!("2026-12-{day:02}"));
        let composed = today.compose::<DocstringReporter>(&[("limit", "60"), ("round", "28")]);
        let prompt = composed.prompt().to_owned();
        assert!(prompt.contains(" of 28 ("), "{prompt}");
        seen.extend(
            prompt
                .lines()
                .filter_map(|line| line.split_once("` fn `"))
                .map(|(_, rest)| rest[..8].to_owned()),
        );
        fixture = Some(today);
    }
    assert_eq!(seen.len(), 600);
}

#[test]
fn the_same_date_gives_the_same_slice_and_says_which() {
    let composed = large().commit().compose::<DocstringReporter>(&[]);
    let prompt = composed.prompt();
    assert!(
        prompt.contains("Looked at: slice ") && prompt.contains("600 source files, 2026-11-22)"),
        "{prompt}"
    );
    assert!(
        prompt.contains("each file has its turn once in 14 days"),
        "{prompt}"
    );
    assert_eq!(
        prompt,
        large().commit().compose::<DocstringReporter>(&[]).prompt()
    );
    let all = large()
        .commit()
        .compose::<DocstringReporter>(&[("round", "1")]);
    assert!(
        all.prompt()
            .contains("20 of 600 names, chosen by in how many"),
        "{}",
        all.prompt()
    );
}

#[test]
fn parameters() {
    let rust = tree("rust");
    let only = compose_with(&rust, &[("paths", "src/import/**"), ("limit", "1")]);
    assert!(
        only.prompt()
            .contains("One name:\n\n1. `src/import/csv.rs:24` fn `delimiter`"),
        "{}",
        only.prompt()
    );
    let failure = compose_with(&rust, &[("limit", "0")]).failure().clone();
    assert_eq!(failure.hint.as_deref(), Some("a whole number from 1 to 60"));
}

#[test]
fn few_calls_leave_the_sandbox() {
    let calls = compose(&tree("rust")).calls;
    let count = |name: &str| calls.iter().filter(|call| *call == name).count();
    assert_eq!((count("repo.search"), count("repo.changed-files")), (2, 1));
}

#[test]
fn the_page_shows_the_prompt_of_a_golden_file() {
    let page = include_str!("../../../docs/templates/docstring-reporter.md");
    let golden = include_str!("../tests/golden/go.txt");
    let (_, prompt) = golden.split_once("--- prompt\n").unwrap();
    let (prompt, _) = prompt.split_once("\n## Rules\n").unwrap();
    assert!(
        page.contains(prompt.trim()),
        "copy the prompt into the page:\n{prompt}"
    );
}
