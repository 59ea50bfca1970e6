//! Commands in task files: Makefile, justfile, package.json scripts, tox, nox, pyproject, ...

use super::{Check, Source, ini, json, purpose_of, purpose_of_name, yaml};

/// Names of the files that define tasks.
pub const TASK_FILES: &[&str] = &[
    "Makefile",
    "makefile",
    "GNUmakefile",
    "justfile",
    "Justfile",
    ".justfile",
    "package.json",
    "tox.ini",
    "noxfile.py",
    "pyproject.toml",
    "setup.cfg",
    "pytest.ini",
    "deno.json",
    "deno.jsonc",
    "composer.json",
    "Taskfile.yml",
    "Taskfile.yaml",
];

/// Scripts that projects without a task file have, by folder and name (with `.sh` or `.py` or bare).
const SCRIPT_FOLDERS: &[&str] = &["script", "scripts", "bin", "ci", ".ci", "tools", "hack"];
const SCRIPTS: &[&str] = &[
    "test",
    "tests",
    "check",
    "lint",
    "ci",
    "cibuild",
    "verify",
    "run",
    "run-tests",
    "run_tests",
];

/// Globs that find them.
pub fn script_globs() -> Vec<String> {
    let (folders, names) = (SCRIPT_FOLDERS.join(","), SCRIPTS.join(","));
    vec![
        format!("/{{{folders}}}/{{{names}}}"),
        format!("/{{{folders}}}/{{{names}}}.{{sh,py}}"),
        format!("/{{{names}}}.sh"),
    ]
}

/// The check that a file is, when it is such a script.
pub(super) fn script(path: &str) -> Option<Check> {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let (stem, extension) = name.split_once('.').unwrap_or((name, ""));
    let is_at_home = SCRIPT_FOLDERS.contains(&folder) || (folder.is_empty() && extension == "sh");
    if !(is_at_home && SCRIPTS.contains(&stem) && ["", "sh", "py"].contains(&extension)) {
        return None;
    }
    let command = format!("./{path}");
    Some(Check {
        purpose: purpose_of(&command)?,
        command,
        folder: String::new(),
        path: path.to_owned(),
        line: 1,
        source: Source::Task,
    })
}

/// Whether this is a task file, by its name.
pub fn is_task_file(path: &str) -> bool {
    TASK_FILES.contains(&path.rsplit('/').next().unwrap_or(path))
}

/// The checks a task file defines.
pub(super) fn checks(path: &str, text: &str, is_tracked: &dyn Fn(&str) -> bool) -> Vec<Check> {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let beside = |other: &str| {
        is_tracked(other) || (!folder.is_empty() && is_tracked(&format!("{folder}/{other}")))
    };
    let tasks = match name {
        "Makefile" | "makefile" | "GNUmakefile" => recipes(text, "make"),
        "justfile" | "Justfile" | ".justfile" => recipes(text, "just"),
        "package.json" => scripts(text, "scripts", npm_client(&beside)),
        "deno.json" | "deno.jsonc" => scripts(text, "tasks", "deno task"),
        "composer.json" => scripts(text, "scripts", "composer run"),
        "tox.ini" => tox(text),
        "noxfile.py" => nox(text),
        "pyproject.toml" => pyproject(text, &beside),
        "pytest.ini" => vec![(super::Purpose::Test, "python -m pytest".to_owned(), 1)],
        "setup.cfg" => pytest_table(text, "tool:pytest", "python -m pytest"),
        "Taskfile.yml" | "Taskfile.yaml" => taskfile(text),
        _ => Vec::new(),
    };
    tasks
        .into_iter()
        .map(|(purpose, command, line)| Check {
            purpose,
            command,
            folder: folder.to_owned(),
            path: path.to_owned(),
            line,
            source: Source::Task,
        })
        .collect()
}

type Task = (super::Purpose, String, u32);

fn named(name: &str, run: &str, line: u32) -> Option<Task> {
    Some((purpose_of_name(name)?, format!("{run} {name}"), line))
}

/// Targets of a Makefile, recipes of a justfile.
fn recipes(text: &str, program: &str) -> Vec<Task> {
    (1..)
        .zip(text.lines())
        .filter(|(_, line)| line.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
        .filter_map(|(number, line)| {
            let (head, rest) = line.split_once(':')?;
            let name = head.split_whitespace().next()?;
            let is_recipe = !rest.starts_with('=') && !head.contains(['%', '$'])
                // A just recipe's parameters have defaults; a make line with `=` is a variable.
                && (program == "just" || !head.contains('='));
            is_recipe.then(|| named(name, program, number)).flatten()
        })
        .collect()
}

/// Scripts of package.json and its likes. What a script does may tell more than its name.
fn scripts(text: &str, table: &str, run: &str) -> Vec<Task> {
    json::entries(text)
        .into_iter()
        .filter_map(|entry| {
            let [at, name] = entry.keys.as_slice() else {
                return None;
            };
            // npm's own placeholder.
            let does_nothing = entry.value.contains("no test specified");
            let is_plain = !["watch", "--fix", "--write", "--ui"]
                .iter()
                .any(|word| entry.value.contains(word));
            if at != table || does_nothing || !is_plain {
                return None;
            }
            let (purpose, command, line) = named(name, run, entry.line)?;
            let told = purpose_of(&entry.value).filter(|told| *told == super::Purpose::Coverage);
            Some((told.unwrap_or(purpose), command, line))
        })
        .collect()
}

fn npm_client(beside: &dyn Fn(&str) -> bool) -> &'static str {
    [
        ("pnpm-lock.yaml", "pnpm run"),
        ("yarn.lock", "yarn run"),
        ("bun.lock", "bun run"),
        ("bun.lockb", "bun run"),
    ]
    .into_iter()
    .find(|(lockfile, _)| beside(lockfile))
    .map_or("npm run", |(_, run)| run)
}

fn tox(text: &str) -> Vec<Task> {
    ini::tables(text)
        .into_iter()
        .filter_map(|table| match table.name.as_str() {
            "tox" => Some((super::Purpose::Test, "tox".to_owned(), table.line)),
            name => named(name.strip_prefix("testenv:")?, "tox -e", table.line),
        })
        .collect()
}

/// `@nox.session` functions.
fn nox(text: &str) -> Vec<Task> {
    let mut is_session = false;
    let mut tasks = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        if line.starts_with("@nox.session") {
            is_session = true;
        } else if let Some(definition) = line.strip_prefix("def ").filter(|_| is_session) {
            is_session = false;
            let name = definition.split('(').next().unwrap_or(definition).trim();
            tasks.extend(named(name, "nox -s", number));
        }
    }
    tasks
}

fn pyproject(text: &str, beside: &dyn Fn(&str) -> bool) -> Vec<Task> {
    let pytest = [
        ("uv.lock", "uv run pytest"),
        ("poetry.lock", "poetry run pytest"),
        ("pdm.lock", "pdm run pytest"),
    ]
    .into_iter()
    .find(|(lockfile, _)| beside(lockfile))
    .map_or("python -m pytest", |(_, command)| command);
    let mut tasks = pytest_table(text, "tool.pytest.ini_options", pytest);
    for entry in ini::entries(text) {
        let hatch = entry
            .table
            .strip_prefix("tool.hatch.envs.")
            .and_then(|rest| rest.strip_suffix(".scripts"));
        let run = match (entry.table.as_str(), hatch) {
            ("tool.poe.tasks", _) => "poe".to_owned(),
            ("tool.pdm.scripts", _) => "pdm run".to_owned(),
            (_, Some("default")) => "hatch run".to_owned(),
            (_, Some(env)) => {
                tasks.extend(named(&entry.key, "", entry.line).map(|(purpose, _, line)| {
                    (purpose, format!("hatch run {env}:{}", entry.key), line)
                }));
                continue;
            }
            _ => continue,
        };
        tasks.extend(named(&entry.key, &run, entry.line));
    }
    tasks
}

fn pytest_table(text: &str, name: &str, command: &str) -> Vec<Task> {
    ini::tables(text)
        .into_iter()
        .filter(|table| table.name == name)
        .map(|table| (super::Purpose::Test, command.to_owned(), table.line))
        .collect()
}

fn taskfile(text: &str) -> Vec<Task> {
    let mut tasks: Vec<Task> = Vec::new();
    for scalar in yaml::scalars(text) {
        if let [tasks_key, name, ..] = scalar.keys.as_slice()
            && tasks_key == "tasks"
            && let Some(task) = named(name, "task", scalar.lines[0].0)
            && tasks.iter().all(|(_, command, _)| *command != task.1)
        {
            tasks.push(task);
        }
    }
    tasks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(path: &str, text: &str, tracked: &[&str]) -> Vec<String> {
        checks(path, text, &|path| tracked.contains(&path))
            .iter()
            .map(|check| {
                format!(
                    "{} {} {}",
                    check.line,
                    check.purpose.as_str(),
                    check.command
                )
            })
            .collect()
    }

    #[test]
    fn make_and_just() {
        let make = ".PHONY: test\nVERSION := 1\ntest: build\n\tgo test\nlint:\n\tx\ndeploy:\n\ty\n%.o: %.c\n";
        assert_eq!(
            shown("Makefile", make, &[]),
            ["3 test make test", "5 lint make lint"]
        );
        let just = "x := 'a'\ntest filter='':\n  cargo test\nserve:\n  x\n";
        assert_eq!(shown("justfile", just, &[]), ["2 test just test"]);
    }

    #[test]
    fn package_scripts() {
        let text = "{\n\"scripts\": {\n\"test\": \"vitest run\",\n\"test:cov\": \"vitest --coverage\",\n\"dev\": \"vite\",\n\"lint\": \"eslint --fix\",\n\"types\": \"tsc\"}}";
        assert_eq!(
            shown("web/package.json", text, &["pnpm-lock.yaml"]),
            [
                "3 test pnpm run test",
                "4 coverage pnpm run test:cov",
                "7 types pnpm run types"
            ]
        );
        let none = "{\"scripts\": {\"test\": \"echo \\\"Error: no test specified\\\" && exit 1\"}}";
        assert!(shown("package.json", none, &[]).is_empty());
    }

    #[test]
    fn python() {
        let pyproject = "[project]\nname = 'x'\n[tool.pytest.ini_options]\na = 1\n[tool.poe.tasks]\nlint = 'ruff'\n[tool.hatch.envs.qa.scripts]\ntypes = 'mypy'\n";
        assert_eq!(
            shown("pyproject.toml", pyproject, &["uv.lock"]),
            [
                "3 test uv run pytest",
                "6 lint poe lint",
                "8 types hatch run qa:types"
            ]
        );
        assert_eq!(
            shown(
                "tox.ini",
                "[tox]\nenvlist = py\n[testenv]\n[testenv:lint]\ncommands = x\n",
                &[]
            ),
            ["1 test tox", "4 lint tox -e lint"]
        );
        assert_eq!(
            shown(
                "noxfile.py",
                "@nox.session(python='3')\ndef tests(session):\n  pass\ndef test_x(): pass\n",
                &[]
            ),
            ["2 test nox -s tests"]
        );
    }

    #[test]
    fn scripts() {
        let command = |path| script(path).map(|check| check.command);
        assert_eq!(command("scripts/test.sh"), Some("./scripts/test.sh".into()));
        assert_eq!(command(".ci/run"), Some("./.ci/run".into()));
        assert_eq!(command("check.sh"), Some("./check.sh".into()));
        for none in [
            "build.gradle",
            "setup.py",
            "src/test.py",
            "test.py",
            "scripts/run.sh",
            "ci/run.md",
        ] {
            assert_eq!(command(none), None, "{none}");
        }
    }

    #[test]
    fn taskfiles() {
        let text = "version: 3\ntasks:\n  test:\n    cmds:\n      - go test ./...\n      - x\n  deploy:\n    cmds: [y]\n";
        assert_eq!(shown("Taskfile.yml", text, &[]), ["5 test task test"]);
    }
}
