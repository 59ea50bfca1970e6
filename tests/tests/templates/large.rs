//! A repository of 50,000 files: every template stays within what a guest may use, and says what it
//! left out.

use changelings_sdk::testing::Tree;
use changelings_tests::TestEnv;
use changelings_tests::github::{GitHub, issue};

use super::issues::on_github;
use super::{NAMES, answer, parts, plan};

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
                    "def unit_{number}(x):\n{}    if x > 3:\n        return 3\n    os.system(x)  # noqa\n    return x\n",
                    body("#")
                ),
            ),
            _ => (
                format!("{folder}/unit_{number}.ts"),
                format!(
                    "export function unit{number}(x: number) {{\n{}    if (x > 3) {{ return 3; }}\n    // @ts-ignore\n    return eval(x);\n}}\n",
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
    let mut wrong = Vec::new();
    for template in NAMES {
        let command = match template {
            "issue-fixer" => on_github(&env, "rust", &github),
            _ => plan(&env, template, path.to_str().unwrap(), "src"),
        };
        // What a guest may use is the host's to enforce: past it there is no plan.
        let output = command.arg("--json").run();
        if output.code != 0 {
            wrong.push(format!("{template}: {output}"));
            continue;
        }
        let answer = answer(&output);
        let effort = &answer["composed"];
        println!(
            "{template}: {} ms of its own, {} ms of the host's, {} questions",
            effort["guest_ms"], effort["host_ms"], effort["questions"]
        );
        let Some(prompt) = answer["plan"]["prompt"].as_str() else {
            wrong.push(format!("{template}: {answer:#}"));
            continue;
        };
        let (task, _) = parts(prompt);
        let is_said = match template {
            "fixme-fairy" => task.contains("10 of about 5,000 markers, chosen by word"),
            _ => says_that_there_is_more(task),
        };
        if !is_said || task.len() > 40_000 {
            let size = task.len();
            wrong.push(format!(
                "{template}: nothing of what is left out, or too much ({size} bytes):\n{task}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// `20 of about 17,500 names`, `Chosen from more than 300`: the whole is named, and what is shown is
/// a part of it.
fn says_that_there_is_more(task: &str) -> bool {
    let is_many = |rest: &str| {
        let rest = rest.strip_prefix("about ").unwrap_or(rest);
        let digits = rest.chars().filter(|c| *c != ',');
        digits.take_while(char::is_ascii_digit).count() >= 3
    };
    [" of ", "more than "]
        .iter()
        .any(|words| task.split(words).skip(1).any(is_many))
}
