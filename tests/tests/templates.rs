//! The eight built-in templates as components of the real program, on the fixture repositories their
//! native golden tests use.

mod golden;
mod issues;
mod large;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use changelings_sdk::testing::Tree;
use changelings_tests::{Invocation, Output, TestEnv, project_root};
use serde_json::Value;

/// The day of the golden files.
const TODAY: &str = "2026-11-22T12:00:00Z";

const NAMES: [&str; 8] = [
    "code-custodian",
    "coverage-hunter",
    "doc-reporter",
    "docstring-reporter",
    "fixme-fairy",
    "issue-fixer",
    "security-reporter",
    "test-troll",
];

const REPOSITORIES: [&str; 5] = ["rust", "python", "typescript", "go", "monorepo"];

/// What code-custodian looks after where; the same as in its golden files.
fn scope(repository: &str) -> &'static str {
    match repository {
        "rust" => "src/import",
        "python" => "src/shelfmark",
        "typescript" => "src/api/",
        "go" => "internal",
        "monorepo" => "services/worker",
        _ => ".",
    }
}

/// A fixture repository with its dated history, in the test's folder.
fn fixture(env: &TestEnv, name: &str) -> PathBuf {
    let path = env.root().join("repos").join(name);
    std::fs::create_dir_all(&path).expect("making a folder");
    Tree::load(folder(name)).commit_into(&path);
    path
}

fn folder(fixture: &str) -> PathBuf {
    project_root().join("templates/fixtures").join(fixture)
}

/// `changeling plan` of a template on the fixtures' day, with the parameters it needs.
fn plan(env: &TestEnv, template: &str, repo: &str, scope: &str) -> Invocation {
    let command = env
        .command(["plan", "--template", template, "--repo", repo])
        .env("CHANGELINGS_NOW", TODAY);
    match template {
        "code-custodian" => command.arg("--param").arg(format!("scope={scope}")),
        _ => command,
    }
}

/// The only answer of `plan --json`.
fn answer(output: &Output) -> Value {
    let answers = output.json();
    let [answer] = &answers.as_array().expect("a list")[..] else {
        panic!("not one answer:\n{output}");
    };
    answer.clone()
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    let found = value.pointer(pointer).and_then(Value::as_str);
    found.unwrap_or_else(|| panic!("no text at {pointer} of {value:#}"))
}

/// What a template's native tests committed for this repository.
#[derive(Debug, Default)]
struct Golden {
    /// `slug`, `title`, `skip`, `message`, ...
    fields: BTreeMap<String, String>,
    body: Option<String>,
    prompt: String,
}

impl Golden {
    fn of(template: &str, name: &str) -> Self {
        let file = format!("templates/{template}/tests/golden/{name}.txt");
        let content = std::fs::read_to_string(project_root().join(&file))
            .unwrap_or_else(|error| panic!("{file}: {error}"));
        let (before, prompt) = content.split_once("--- prompt\n").unwrap_or((&content, ""));
        let (fields, body) = match before.split_once("--- body\n") {
            Some((fields, body)) => (fields, Some(body.trim_end().to_owned())),
            None => (before, None),
        };
        let pair = |line: &str| {
            let (name, value) = line.split_once(": ")?;
            Some((name.to_owned(), value.to_owned()))
        };
        Self {
            fields: fields.lines().filter_map(pair).collect(),
            body,
            prompt: prompt.trim_end().to_owned(),
        }
    }

    fn field(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str)
    }
}

/// The template's part of a prompt and the host's.
fn parts(prompt: &str) -> (&str, &str) {
    let at = prompt
        .find("\n\n## Delivery\n")
        .unwrap_or_else(|| panic!("no delivery section:\n{prompt}"));
    (&prompt[..at], &prompt[at + 2..])
}

/// Each `path:line` between backticks of a prompt.
fn places(prompt: &str) -> Vec<(&str, usize)> {
    let place = |piece| {
        let (path, line): (&str, &str) = str::rsplit_once(piece, ':')?;
        let is_path = !path.is_empty() && !path.contains(char::is_whitespace);
        let line = line.parse().ok()?;
        is_path.then_some((path, line))
    };
    prompt.split('`').filter_map(place).collect()
}

/// Line of a file of the tree, counted from 1.
fn line_of(tree: &Path, path: &str, line: usize) -> Option<String> {
    let bytes = std::fs::read(tree.join(path)).ok()?;
    let content = String::from_utf8_lossy(&bytes).into_owned();
    content.lines().nth(line.checked_sub(1)?).map(str::to_owned)
}
