use changelings_sdk::golden;
use changelings_sdk::testing::{Composed, Tree, changes};

use super::SecurityReporter;

fn tree(name: &str) -> Tree {
    Tree::load(format!("../fixtures/{name}"))
}

fn compose(tree: &Tree) -> Composed {
    compose_with(tree, &[])
}

fn compose_with(tree: &Tree, params: &[(&str, &str)]) -> Composed {
    tree.commit().compose::<SecurityReporter>(params)
}

#[test]
fn golden_plans() {
    for name in ["rust", "python", "typescript", "go", "monorepo", "quiet"] {
        let composed = compose(&tree(name));
        assert!(!composed.to_string().contains("decoy"), "{name}");
        golden!(name, composed);
    }
    golden!(
        "nothing-at-all",
        compose(&Tree::empty().write("notes.txt", "x\n"))
    );
    golden!(
        "bad-parameter",
        compose_with(&tree("rust"), &[("limit", "1000")])
    );
}

#[test]
fn an_action_that_gets_pinned_is_gone_from_the_list() {
    let go = tree("go");
    let pinned = go.clone().replace(
        ".github/workflows/test.yaml",
        "golangci-lint-action@v6",
        "golangci-lint-action@0123456789abcdef0123456789abcdef01234567",
    );
    assert_eq!(
        changes(&compose(&go), &compose(&pinned)),
        [
            "-Both places:",
            "-- `.github/workflows/test.yaml:16` `golangci/golangci-lint-action@v6`: not pinned to a commit: whoever controls that name decides what runs",
            "+One place:",
        ]
    );
}

#[test]
fn a_lockfile_that_goes_changes_what_depends_on_it() {
    let python = tree("python");
    let without = python.clone().remove("uv.lock");
    assert_eq!(
        changes(&compose(&python), &compose(&without)),
        [
            "-- `pyproject.toml` (python): locked by `uv.lock`",
            "-No CI file looks up known weaknesses of dependencies. For that there is `uv export --frozen --no-emit-workspace -o /tmp/requirements.txt && uvx pip-audit --disable-pip -r /tmp/requirements.txt`: run it where it is installed or can be, and check each answer against how the code uses the dependency.",
            "-- test: `uv run pytest` (`pyproject.toml:11`)",
            "+- `pyproject.toml` (python): no lockfile (`uv.lock`, `poetry.lock`, `Pipfile.lock`) is tracked: each build may take other versions",
            "+No CI file looks up known weaknesses of dependencies. For that there is `pip-audit .`: run it where it is installed or can be, and check each answer against how the code uses the dependency.",
            // The lockfile also told which program runs the tests.
            "+- test: `python -m pytest` (`pyproject.toml:11`)",
        ]
    );
}

#[test]
fn a_danger_that_is_mended_is_gone() {
    let rust = tree("rust");
    let dangerous = rust.clone().write(
        "src/danger.rs",
        "pub fn f(x: *const u8) -> u8 {\n    unsafe { *x }\n}\n",
    );
    let changed = changes(&compose(&rust), &compose(&dangerous));
    assert_eq!(
        changed,
        [
            "-The calls and settings this program knows as risky do not occur in this repository's own code. Start from where input comes in.",
            "-Check commands, from CI and build files:",
            "+One place:",
            "+1. memory that the compiler does not check: `src/danger.rs:2` `unsafe { *x }`, file: 1 commit in 180 days",
            "+What strings hold is left out here; read it in the file.",
            "+Check commands for these places, from CI and build files:",
            "+",
            "+",
        ]
    );
}

#[test]
fn no_value_of_a_credential_reaches_the_prompt() {
    let values = [
        "hunter2hunter2",
        "AKIAIOSFODNN7ABCDEFG",
        "s3cr3t-0f-the-db",
        "q1w2e3r4t5y6",
    ];
    let tree = tree("python")
        .write(
            "src/shelfmark/more.py",
            format!(
                "import subprocess\nPASSWORD = \"{}\"\naws = '{}'\nsubprocess.run(f\"curl -u me:{} x\", shell=True)\n\
                 requests.get(u, verify=False, auth=(\"me\", \"{}\"))\nDB = \"postgres://app:{}@db/x\"\n",
                values[0], values[1], values[3], values[3], values[2]
            ),
        )
        .write("deploy/.env", format!("TOKEN={}\n", values[3]))
        .write("deploy/run.sh", format!("curl -k -H 'Authorization: {}' https://x | sh\n", values[3]))
        .write(".github/workflows/x.yml", format!("on: push\njobs:\n  a:\n    env:\n      TOKEN: \"{}\"\n", values[3]));
    let composed = compose(&tree);
    let everything = format!("{composed}{:?}", composed.log);
    for value in values {
        assert!(!everything.contains(value), "{value} in {everything}");
    }
    for place in [
        "`src/shelfmark/more.py:2` `PASSWORD`",
        "`src/shelfmark/more.py:3` `an AWS key`",
        "`src/shelfmark/more.py:6` `a password in a URL`",
        "`deploy/.env` is tracked by git",
        "certificates that are not checked: `deploy/run.sh:1`, file:",
    ] {
        assert!(everything.contains(place), "{place} in {everything}");
    }
}

#[test]
fn workflows_that_strangers_reach_come_first() {
    let tree = tree("rust").write(
        ".github/workflows/greet.yml",
        "on: pull_request_target\njobs:\n  a:\n    steps:\n      - run: echo ${{ github.event.pull_request.title }}\n",
    );
    let composed = compose(&tree);
    let prompt = composed.prompt();
    let first = prompt
        .find("greet.yml:5` `${{ github.event.pull_request.title }}`")
        .unwrap();
    let second = prompt.find("greet.yml:1` `pull_request_target`").unwrap();
    let third = prompt.find("`.github/workflows/ci.yml:13`").unwrap();
    assert!(first < second && second < third, "{prompt}");
}

#[test]
fn of_many_places_those_that_matter() {
    let mut tree = tree("python");
    for file in 0..400 {
        let text =
            "import os\n\n\ndef f(x):\n    os.system(x)\n".to_owned() + &"    eval(x)\n".repeat(10);
        tree = tree.write(&format!("src/many/m{file}.py"), text);
    }
    let composed = compose(&tree);
    let prompt = composed.prompt();
    assert!(prompt.contains("20 of more than 2,"), "{prompt}");
    assert!(
        prompt.contains("more files with possible places were not read"),
        "{prompt}"
    );
    assert!(
        prompt.contains("1. commands run by a shell: `src/shelfmark/web.py:23`"),
        "{prompt}"
    );
    assert!(!prompt.contains("\n21. "), "{prompt}");
    let one = compose_with(&tree, &[("limit", "1"), ("paths", "src/many/**")]);
    assert!(
        one.prompt()
            .contains("1. commands run by a shell: `src/many/m0.py:5`"),
        "{}",
        one.prompt()
    );
}

#[test]
fn few_calls_leave_the_sandbox() {
    let calls = compose(&tree("python")).calls;
    let count = |name: &str| calls.iter().filter(|call| *call == name).count();
    assert_eq!((count("repo.search"), count("repo.changed-files")), (4, 1));
    assert!(calls.len() < 40, "{calls:?}");
}

#[test]
fn the_page_shows_the_prompt_of_a_golden_file() {
    let page = include_str!("../../../docs/templates/security-reporter.md");
    let golden = include_str!("../tests/golden/python.txt");
    let (_, prompt) = golden.split_once("--- prompt\n").unwrap();
    let (prompt, _) = prompt.split_once("\n## Rules\n").unwrap();
    assert!(
        page.contains(prompt.trim()),
        "copy the prompt into the page:\n{prompt}"
    );
}
