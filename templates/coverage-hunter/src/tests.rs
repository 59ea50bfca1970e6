use changelings_sdk::golden;
use changelings_sdk::testing::{Composed, Tree, changes};

use super::CoverageHunter;

const REPOSITORIES: [&str; 6] = ["rust", "python", "typescript", "go", "monorepo", "quiet"];

fn tree(name: &str) -> Tree {
    Tree::load(format!("../fixtures/{name}"))
}

fn compose(tree: &Tree) -> Composed {
    compose_with(tree, &[])
}

fn compose_with(tree: &Tree, params: &[(&str, &str)]) -> Composed {
    tree.commit().compose::<CoverageHunter>(params)
}

#[test]
fn golden_plans() {
    for name in REPOSITORIES {
        let composed = compose(&tree(name));
        let text = composed.to_string();
        golden!(name, composed);
        assert!(!text.contains("decoy"), "{name}");
    }
    golden!(
        "bad-parameter",
        compose_with(&tree("rust"), &[("enough", "all of it")])
    );
}

#[test]
fn a_swapped_tool_changes_the_command_only() {
    let python = tree("python");
    let swapped = python.clone().replace(
        ".gitlab-ci.yml",
        "uv run pytest --cov --cov-report=term-missing",
        "uv run coverage run -m pytest",
    );
    assert_eq!(
        changes(&compose(&python), &compose(&swapped)),
        [
            "-- `uv run pytest --cov --cov-report=term-missing` (CI runs it: `.gitlab-ci.yml:17`, pytest-cov)",
            "-  Lines that no test runs: the column Missing.",
            "-- coverage: `uv run pytest --cov --cov-report=term-missing` (`.gitlab-ci.yml:17`)",
            "+- `uv run coverage run -m pytest` (CI runs it: `.gitlab-ci.yml:17`, coverage.py)",
            "+  Lines that no test runs: the column Missing of `coverage report -m`.",
            "+- coverage: `uv run coverage run -m pytest` (`.gitlab-ci.yml:17`)",
        ]
    );
}

#[test]
fn a_renamed_task_changes_its_line_only() {
    let typescript = tree("typescript");
    let renamed = typescript
        .clone()
        .replace("package.json", "\"test:coverage\"", "\"cov\"");
    assert_eq!(
        changes(&compose(&typescript), &compose(&renamed)),
        [
            "-- `pnpm run test:coverage` (`package.json:10`, vitest's coverage)",
            "-- coverage: `pnpm run test:coverage` (`package.json:10`)",
            "+- `pnpm run cov` (`package.json:10`, vitest's coverage)",
            "+- coverage: `pnpm run cov` (`package.json:10`)",
        ]
    );
}

#[test]
fn a_threshold_that_moves_changes_its_line_only() {
    let rust = tree("rust");
    let raised = rust.clone().replace("codecov.yml", "80%", "85%");
    assert_eq!(
        changes(&compose(&rust), &compose(&raised)),
        [
            "-- `codecov.yml:5` `target: 80%`",
            "+- `codecov.yml:5` `target: 85%`"
        ]
    );
}

#[test]
fn a_file_that_gets_a_test_comes_last() {
    let typescript = tree("typescript");
    let tested = typescript.write("src/api/pins.test.ts", "test('pins', () => {});\n");
    let prompt = compose(&tested).prompt().to_owned();
    assert!(prompt.contains("1. `src/api/color.ts`: "), "{prompt}");
    assert!(
        prompt.contains("; tests in `src/api/pins.test.ts`"),
        "{prompt}"
    );
}

#[test]
fn a_file_that_a_test_imports_is_no_blank() {
    let typescript = tree("typescript").write(
        "src/api/server.test.ts",
        "import { contrast } from \"./color\";\ntest('x', () => {});\n",
    );
    let prompt = compose(&typescript).prompt().to_owned();
    assert!(
        prompt.contains(
            "2. `src/api/color.ts`: 1 commit in 180 days, 3 functions and branches, most in `contrast` \
             (`src/api/color.ts:7`); no test of its own, named in `src/api/server.test.ts:1`; nearest test: "
        ),
        "{prompt}"
    );
}

#[test]
fn what_is_not_measured_is_not_hunted() {
    let python = tree("python");
    let omitted = python.clone().replace(
        "pyproject.toml",
        "[\"*/_vendor/*\"]",
        "[\"*/_vendor/*\", \"*/web.py\"]",
    );
    assert!(compose(&python).prompt().contains("`src/shelfmark/web.py`"));
    let prompt = compose(&omitted).prompt().to_owned();
    assert!(!prompt.contains("`src/shelfmark/web.py`"), "{prompt}");
    assert!(
        prompt.contains(
            "Not measured: `*/_vendor/*` (`pyproject.toml:16`), `*/web.py` (`pyproject.toml:16`)."
        ),
        "{prompt}"
    );
}

#[test]
fn without_a_way_to_measure_nobody_is_sent() {
    let rust = tree("rust").replace(
        ".github/workflows/ci.yml",
        "cargo llvm-cov --lcov --output-path lcov.info",
        "true",
    );
    assert_eq!(
        compose(&rust).skip_reason(),
        "no way to measure coverage found for Rust: CI, task files, manifests and configuration name none of \
         cargo-llvm-cov, cargo-tarpaulin, grcov; the parameter `command` can say how"
    );
    let given = compose_with(&rust, &[("command", "cargo llvm-cov --html")]);
    assert!(
        given
            .prompt()
            .contains("- `cargo llvm-cov --html` (as the owner says, cargo-llvm-cov)\n"),
        "{}",
        given.prompt()
    );
}

#[test]
fn a_quiet_repository_is_judged_by_all_of_its_history() {
    let typescript = tree("typescript")
        .commit()
        .date("2030-01-01")
        .compose::<CoverageHunter>(&[]);
    let prompt = typescript.prompt();
    assert!(
        prompt.contains("No source file changed lately, so all of history counts."),
        "{prompt}"
    );
    assert!(
        prompt.contains("1. `src/api/pins.ts`: 4 commits, 6 functions"),
        "{prompt}"
    );
}

#[test]
fn decoys_are_never_hunted() {
    let body = "export function f(a: number) {\n  if (a) { return 1; }\n  return 2;\n}\n";
    let mut tree = tree("typescript");
    for path in [
        "vendor/decoy.ts",
        "src/__generated__/decoy.ts",
        "public/decoy.min.js",
        "tests/fixtures/decoy.ts",
        "src/decoy.d.ts",
        "decoy.config.ts",
        "examples/decoy.ts",
    ] {
        tree = tree.write(path, body);
    }
    let tree = tree
        .write("src/decoy_marked.ts", format!("// @generated by x\n{body}"))
        .write("src/decoy_types.ts", "export type A = string;\nexport const B = 'if for while';\n")
        .then("2026-11-20 | Lin Chen | Decoys | vendor/** src/** public/** tests/** decoy.config.ts examples/**");
    let text = compose(&tree).to_string();
    assert!(!text.contains("decoy"), "{text}");
}

#[test]
fn of_many_files_a_few() {
    let mut tree = tree("typescript");
    for number in 0..200 {
        let body =
            format!("export function f{number}(a: number) {{\n  return a ? 1 : 2 || 3;\n}}\n");
        tree = tree.write(&format!("src/many/part{number}.ts"), body);
    }
    let tree = tree.then("2026-11-20 | Lin Chen | Many | src/many/**");
    let composed = compose(&tree);
    let prompt = composed.prompt();
    assert!(
        prompt.contains("6 of about 202 changed files, first those that no test names"),
        "{prompt}"
    );
    assert!(prompt.contains("1. `src/api/pins.ts`"), "{prompt}");
    assert!(
        prompt.contains("\n6. ") && !prompt.contains("\n7. `"),
        "{prompt}"
    );
    assert!(composed.calls.len() < 90, "{:?}", composed.calls.len());
}

#[test]
fn parameters() {
    let rust = tree("rust");
    let one = compose_with(
        &rust,
        &[("limit", "1"), ("enough", "95"), ("paths", "src/import/**")],
    );
    let prompt = one.prompt();
    assert!(prompt.contains("2 of 3 changed files, "), "{prompt}");
    assert!(
        prompt.contains("Take on 1 of them at most. A file is covered well enough at 95 %."),
        "{prompt}"
    );
    assert_eq!(
        compose_with(&rust, &[("paths", "docs/**")]).skip_reason(),
        "no source file in docs/** in a language whose coverage tools are known"
    );
    let failure = compose_with(&rust, &[("limit", "0")]).failure().clone();
    assert_eq!(failure.hint.as_deref(), Some("a whole number from 1 to 10"));
}

#[test]
fn without_history_there_is_a_reason() {
    let fixture = changelings_sdk::testing::Fixture::folder("../fixtures/rust/tree");
    let composed = fixture.compose::<CoverageHunter>(&[]);
    assert!(
        composed.skip_reason().contains("history cannot be read"),
        "{}",
        composed.skip_reason()
    );
}
