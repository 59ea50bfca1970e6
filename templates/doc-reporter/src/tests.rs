use changelings_sdk::golden;
use changelings_sdk::testing::{Composed, Tree, changes};

use super::DocReporter;

fn tree(name: &str) -> Tree {
    Tree::load(format!("../fixtures/{name}"))
}

fn compose(tree: &Tree) -> Composed {
    compose_with(tree, &[])
}

fn compose_with(tree: &Tree, params: &[(&str, &str)]) -> Composed {
    tree.commit().compose::<DocReporter>(params)
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
        compose_with(&tree("rust"), &[("limit", "many")])
    );
}

#[test]
fn a_renamed_document_changes_the_links_to_it_and_its_name() {
    let python = tree("python");
    let renamed = python
        .clone()
        .rename("docs/fines.md", "docs/late-returns.md");
    assert_eq!(
        changes(&compose(&python), &compose(&renamed)),
        [
            "-5 documents: `CONTRIBUTING.md`, `README.md`, `docs/fines.md`, `docs/index.md`, `docs/loans.md`.",
            "-Both documents:",
            "-2. `docs/fines.md`, last changed 2022-10-03 (4 years ago). Changed since: `src/shelfmark/fines.py` (1 commit in 180 days, last 2026-06-22; defines `fine_for`)",
            "+5 documents: `CONTRIBUTING.md`, `README.md`, `docs/index.md`, `docs/late-returns.md`, `docs/loans.md`.",
            "+## Links that lead nowhere",
            "+One link:",
            "+- `docs/index.md:4` links to `fines.md`, which is not there",
            // Under its new name the document is as young as the renaming, and no longer older.
            "+One document:",
            "+",
            "+",
            "+",
        ]
    );
}

#[test]
fn code_that_is_renamed_is_missed_where_it_is_named() {
    let python = tree("python");
    let renamed = python
        .clone()
        .replace("src/shelfmark/loans.py", "MAX_LOANS", "MOST_LOANS");
    let changed = changes(&compose(&python), &compose(&renamed));
    assert!(
        changed.contains(
            &"+- `docs/loans.md:5` names `loans.MAX_LOANS`, and no code has `MAX_LOANS`".to_owned()
        ),
        "{changed:#?}"
    );
}

#[test]
fn a_document_that_keeps_up_is_gone_from_the_list() {
    let go = tree("go");
    let mended = go
        .clone()
        .replace("docs/retries.md", "After 1", "After one, 1")
        .then("2026-11-01 | Rosa Luz | Say how often | docs/retries.md:3");
    assert_eq!(
        compose(&mended).skip_reason(),
        "nothing in 3 documents points at something that is gone or is older than the code it names"
    );
}

#[test]
fn tasks_and_scripts_and_versions() {
    let tree = tree("monorepo")
        .write(
            "docs/running.md",
            "Run `just chekc`, `npm run biuld` or `make x`.\n\n```sh\n$ just deploy staging\n$ ./scripts/seed.sh --all\n```\n\n\
             See `services/api/handlers/basket.go`, `services/worker/worker/mail`, `origin/main`, `text/html` and `mail.py`.\n",
        )
        .write("CHANGELOG.md", "# Changes\n\n## 1.0.0\n\nRemoved `old_name()` and [x](gone.md).\n")
        .write("package.json", "{\n  \"version\": \"1.1.0\"\n}\n");
    let composed = compose(&tree);
    let prompt = composed.prompt();
    for told in [
        "- `docs/running.md:1` says to run `just chekc`, and no justfile has the recipe `chekc`",
        "- `docs/running.md:1` says to run `npm run biuld`, and no package.json has the script `biuld`",
        "- `docs/running.md:8` names the path `services/api/handlers/basket.go`, which is not there",
        "`CHANGELOG.md:3` ends with `1.0.0`, and `package.json:2` has `1.1.0`.",
    ] {
        assert!(prompt.contains(told), "{told} in {prompt}");
    }
    for right in [
        "deploy staging",
        "make x",
        "worker/mail`,",
        "origin/main",
        "text/html",
        "old_name",
        "gone.md",
    ] {
        assert!(!prompt.contains(right), "{right} in {prompt}");
    }
}

#[test]
fn without_documents_no_agent_is_paid_for() {
    let code = Tree::empty().write("src/main.rs", "fn main() {}\n");
    assert_eq!(
        compose(&code).skip_reason(),
        "no documentation: no README, no Markdown, reStructuredText or AsciiDoc file of its own"
    );
    let history = code
        .write("docs/adr/0001.md", "# One\n")
        .write("vendor/x/README.md", "# Two\n");
    assert_eq!(
        compose(&history).skip_reason(),
        "no documentation but what tells what was true at a time (changes, decisions, reports): 1 file"
    );
}

#[test]
fn of_many_broken_links_the_first_twenty() {
    let many = (0..300).fold(tree("rust"), |tree, page| {
        tree.write(
            &format!("docs/many/p{page:03}.md"),
            "[a](no/a.md) [b](no/b.md) `no_such_name_here()` `other_gone_thing`\n",
        )
    });
    let composed = compose(&many);
    let prompt = composed.prompt();
    assert!(
        prompt.contains("20 of 390 links, documents nearest to the root first:"),
        "{prompt}"
    );
    assert!(
        prompt.contains("105 more documents were not read"),
        "{prompt}"
    );
    let one = compose_with(&many, &[("limit", "1"), ("paths", "docs/cli.md")]);
    assert!(
        one.prompt().contains("1 document: `docs/cli.md`."),
        "{}",
        one.prompt()
    );
}

#[test]
fn what_a_document_says_cannot_leave_its_line() {
    let tree = tree("rust").write(
        "docs/evil.md",
        "[x](no/`a.md) `src/ignore\u{200b}all.rs` [y](no/b.md\u{202e}##)\n",
    );
    let composed = compose(&tree);
    let told: Vec<&str> = composed
        .prompt()
        .lines()
        .filter(|line| line.contains("evil.md:"))
        .collect();
    assert!(!told.is_empty());
    assert!(
        !told.concat().contains(['\u{200b}', '\u{202e}']),
        "{told:?}"
    );
}

#[test]
fn few_calls_leave_the_sandbox() {
    let calls = compose(&tree("python")).calls;
    let count = |name: &str| calls.iter().filter(|call| *call == name).count();
    assert_eq!(
        (
            count("repo.search"),
            count("repo.changed-files"),
            count("repo.origins")
        ),
        (1, 1, 1)
    );
    assert!(calls.len() < 30, "{calls:?}");
}

#[test]
fn the_page_shows_the_prompt_of_a_golden_file() {
    let page = include_str!("../../../docs/templates/doc-reporter.md");
    let golden = include_str!("../tests/golden/python.txt");
    let (_, prompt) = golden.split_once("--- prompt\n").unwrap();
    let (prompt, _) = prompt.split_once("\n## Rules\n").unwrap();
    assert!(
        page.contains(prompt.trim()),
        "copy the prompt into the page:\n{prompt}"
    );
}
