//! A repository of 50,000 files: every template stays within what a guest may use, and says what it
//! left out.

use changelings_sdk::testing::Tree;
use changelings_tests::TestEnv;
use changelings_tests::github::{GitHub, issue};

use super::issues::on_github;
use super::{NAMES, answer, parts, plan, text};

const FILES: usize = 50_000;
const MARKERS: usize = 5_000;

/// Four languages, tests and documents, in 500 folders; each tenth file has a marker.
fn large() -> Tree {
    let mut tree = Tree::empty()
        .write("Cargo.toml", "[package]\nname = \"large\"\nversion = \"1.0.0\"\nedition = \"2024\"\n")
        .write("go.mod", "module example.org/large\n")
        .write("package.json", "{ \"scripts\": { \"test\": \"vitest run\", \"coverage\": \"vitest run --coverage\" }, \"devDependencies\": { \"vitest\": \"2\" } }\n")
        .write("pyproject.toml", "[project]\nname = \"large\"\n[tool.pytest.ini_options]\n[tool.coverage.run]\nbranch = true\n")
        .write(".github/workflows/ci.yml", "on: push\njobs:\n  test:\n    runs-on: ubuntu-latest\n    steps:\n      - run: cargo test --locked\n      - run: go test ./...\n      - run: npm run coverage\n      - run: pytest --cov\n")
        .then("2021-02-03 | Ada Lovelace | Start | Cargo.toml go.mod package.json pyproject.toml .github/** docs/** src/part_0*/**")
        .then("2024-05-06 | Bob Byrne | Grow | src/part_1*/** src/part_2*/**")
        .then("2026-10-01 | Ada Lovelace | Grow more | **");
    let mut markers = 0;
    for number in 0..FILES {
        let folder = format!("src/part_{:03}", number / 100);
        let marker = if number % 10 == 3 {
            markers += 1;
            "FIXME: this loses the last entry"
        } else {
            "What it is for"
        };
        let body = |comment: &str| format!("    {comment} {marker}\n");
        let (path, content) = match number % 20 {
            0 => (
                format!("docs/page_{number}.md"),
                format!(
                    "# Page {number}\n\nSee `src/part_{:03}/unit_{}.py` and `gone_{number}()`.\n",
                    number / 100,
                    number + 2
                ),
            ),
            1 => (
                format!("{folder}/unit_{number}_test.go"),
                format!(
                    "package part\n\nimport \"testing\"\n\nfunc TestUnit{number}(t *testing.T) {{\n\tUnit{number}(1)\n}}\n"
                ),
            ),
            2 => (
                format!("{folder}/test_unit_{number}.py"),
                format!("def test_unit_{number}():\n    unit_{number}(1)\n"),
            ),
            n if n % 4 == 0 => (
                format!("{folder}/unit_{number}.rs"),
                format!(
                    "pub fn unit_{number}(x: u32) -> u32 {{\n{}    if x > 3 {{ return x; }}\n    unsafe {{ other(x) }}\n}}\n",
                    body("//")
                ),
            ),
            n if n % 4 == 1 => (
                format!("{folder}/unit_{number}.go"),
                format!(
                    "package part\n\nfunc Unit{number}(x int) int {{\n{}\texec.Command(\"sh\", \"-c\", x)\n\treturn x //nolint\n}}\n",
                    body("//")
                ),
            ),
            n if n % 4 == 2 => (
                format!("{folder}/unit_{number}.py"),
                format!(
                    "def unit_{number}(x):\n{}    os.system(x)  # noqa\n    return x\n",
                    body("#")
                ),
            ),
            _ => (
                format!("{folder}/unit_{number}.ts"),
                format!(
                    "export function unit{number}(x: number) {{\n{}    // @ts-ignore\n    return eval(x);\n}}\n",
                    body("//")
                ),
            ),
        };
        tree = tree.write(&path, content);
    }
    assert_eq!(markers, MARKERS);
    tree
}

#[test]
fn fifty_thousand_files_stay_within_bounds() {
    let env = TestEnv::new();
    let path = env.root().join("repos/rust");
    std::fs::create_dir_all(&path).unwrap();
    large().commit_into(&path);
    let issues = (1..=400)
        .map(|number| issue(number, &format!("Unit {number} loses entries"), "The last entry of `unit_7` is lost, see src/part_000/unit_7.ts:2; expected to keep it."))
        .collect();
    let github = GitHub::with(issues, Vec::new());
    for template in NAMES {
        let command = match template {
            "issue-fixer" => on_github(&env, "rust", &github),
            _ => plan(&env, template, path.to_str().unwrap(), "src"),
        };
        // What a guest may use is the host's to enforce: past it there is no plan.
        let answer = answer(&command.arg("--json").run().success());
        println!(
            "{template}: {} ms of its own, {} ms of the host's, {} questions",
            answer["composed"]["guest_ms"],
            answer["composed"]["host_ms"],
            answer["composed"]["questions"]
        );
        assert_eq!(text(&answer, "/decision"), "run", "{template}: {answer:#}");
        let (task, _) = parts(text(&answer, "/plan/prompt"));
        let said = said_of_the_rest(template);
        assert!(
            task.contains(said),
            "{template} does not say {said:?}:\n{task}"
        );
        assert!(task.len() < 40_000, "{template}: {} bytes", task.len());
    }
}

/// How a template says that there is more than it names.
fn said_of_the_rest(template: &str) -> &'static str {
    match template {
        "fixme-fairy" => "5,000 markers, the 10 that",
        _ => "of them",
    }
}
