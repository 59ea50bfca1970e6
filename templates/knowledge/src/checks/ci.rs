//! Commands in CI files. All of these systems write YAML; they differ in the keys under which the
//! commands stand.

use super::{Check, Source, purpose_of, yaml};

/// Where the CI files of a repository are.
pub const CI_GLOBS: &[&str] = &[
    "/.github/workflows/*.{yml,yaml}",
    "/.gitea/workflows/*.{yml,yaml}",
    "/.forgejo/workflows/*.{yml,yaml}",
    "/.gitlab-ci.yml",
    "/.gitlab/ci/*.yml",
    "/.circleci/config.yml",
    "/.travis.yml",
    "/azure-pipelines.yml",
    "/.azure-pipelines/*.yml",
    "/bitbucket-pipelines.yml",
    "/.buildkite/pipeline.yml",
    "/.drone.yml",
    "/.woodpecker.yml",
    "/.woodpecker/*.yml",
    "/.cirrus.yml",
    "/.builds/*.yml",
];

/// Keys under which commands stand, in any of the systems.
const COMMAND_KEYS: &[&str] = &[
    "run",
    "script",
    "command",
    "commands",
    "bash",
    "test_script",
    "build_script",
];
const FOLDER_KEYS: &[&str] = &["working-directory", "working_directory", "workingDirectory"];

/// Whether this is a CI file, by its path.
pub fn is_ci_file(path: &str) -> bool {
    let is_yaml = path.ends_with(".yml") || path.ends_with(".yaml");
    let (folder, _) = path.rsplit_once('/').unwrap_or(("", path));
    let folders = [
        ".github/workflows",
        ".gitea/workflows",
        ".forgejo/workflows",
        ".gitlab/ci",
        ".circleci",
        ".azure-pipelines",
        ".buildkite",
        ".woodpecker",
        ".builds",
    ];
    let names = [
        ".gitlab-ci.yml",
        ".travis.yml",
        "azure-pipelines.yml",
        "bitbucket-pipelines.yml",
        ".drone.yml",
        ".woodpecker.yml",
        ".cirrus.yml",
    ];
    is_yaml && (folders.contains(&folder) || names.contains(&path))
}

/// The check commands of a CI file.
pub(super) fn checks(path: &str, text: &str) -> Vec<Check> {
    let scalars = yaml::scalars(text);
    let folder_of = |command: &yaml::Scalar| {
        let named = |scalar: &&yaml::Scalar| FOLDER_KEYS.contains(&scalar.key());
        let own = scalars
            .iter()
            .filter(named)
            .find(|folder| folder.items == command.items && !folder.items.is_empty());
        // `defaults: run: working-directory:` of the job or of the whole file.
        let default = || {
            scalars
                .iter()
                .filter(named)
                .filter(|folder| folder.items.is_empty())
                .rfind(|folder| {
                    let above = folder
                        .keys
                        .iter()
                        .position(|key| key == "defaults")
                        .unwrap_or(usize::MAX);
                    command
                        .keys
                        .get(..above)
                        .is_some_and(|keys| keys == &folder.keys[..above])
                })
        };
        own.or_else(default)
            .map(|folder| tidy_folder(&folder.text()))
            .unwrap_or_default()
    };
    scalars
        .iter()
        .filter(|scalar| COMMAND_KEYS.contains(&scalar.key()))
        .flat_map(|scalar| {
            let folder = folder_of(scalar);
            commands(&scalar.lines)
                .into_iter()
                .filter_map(move |(line, command)| {
                    let (folder, command) = entered(&folder, &command);
                    Some(Check {
                        purpose: purpose_of(&command)?,
                        command,
                        folder,
                        path: path.to_owned(),
                        line,
                        source: Source::Ci,
                    })
                })
                .collect::<Vec<_>>()
        })
        .collect()
}

/// The lines of a script, those that end in a backslash joined, comments left out.
fn commands(lines: &[(u32, String)]) -> Vec<(u32, String)> {
    let mut commands: Vec<(u32, String)> = Vec::new();
    let mut is_continued = false;
    for (line, text) in lines {
        let (text, continues) = match text.strip_suffix('\\') {
            Some(text) => (text.trim_end(), true),
            None => (text.as_str(), false),
        };
        match commands.last_mut() {
            Some((_, command)) if is_continued => {
                command.push(' ');
                command.push_str(text);
            }
            _ if text.starts_with('#') => continue,
            _ => commands.push((*line, text.to_owned())),
        }
        is_continued = continues;
    }
    commands
}

/// `cd web && npm test` is `npm test` in `web`.
fn entered(folder: &str, command: &str) -> (String, String) {
    let Some((first, rest)) = command.split_once("&&") else {
        return (folder.to_owned(), command.to_owned());
    };
    match first.trim().strip_prefix("cd ") {
        Some(inside) if !inside.contains(['$', ' ']) && !inside.contains("..") => {
            let inside = tidy_folder(inside);
            let joined = [folder, &inside]
                .into_iter()
                .filter(|part| !part.is_empty())
                .collect::<Vec<_>>();
            (joined.join("/"), rest.trim().to_owned())
        }
        _ => (folder.to_owned(), command.to_owned()),
    }
}

fn tidy_folder(folder: &str) -> String {
    folder
        .trim()
        .trim_matches(['"', '\''])
        .trim_start_matches("./")
        .trim_matches('/')
        .trim_matches('.')
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(path: &str, text: &str) -> Vec<String> {
        checks(path, text)
            .iter()
            .map(|check| {
                format!(
                    "{} {} [{}] {}",
                    check.line,
                    check.purpose.as_str(),
                    check.folder,
                    check.command
                )
            })
            .collect()
    }

    #[test]
    fn github_actions() {
        let text = "\
on: push
defaults:
  run:
    working-directory: ./app
jobs:
  web:
    defaults:
      run:
        working-directory: web
    steps:
      - run: npm ci
      - run: npm test
      - name: lint
        working-directory: tools
        run: |
          # all of it
          npx eslint \\
            --max-warnings 0 .
  rust:
    steps:
      - run: cargo test
      - run: cd cli && cargo clippy
";
        assert_eq!(
            shown(".github/workflows/ci.yml", text),
            [
                "12 test [web] npm test",
                "17 lint [tools] npx eslint --max-warnings 0 .",
                "21 test [app] cargo test",
                "22 lint [app/cli] cargo clippy",
            ]
        );
    }

    #[test]
    fn gitlab_and_circle() {
        assert_eq!(
            shown(
                ".gitlab-ci.yml",
                "image: x\ntest:\n  script:\n    - pip install .\n    - pytest -q\n"
            ),
            ["5 test [] pytest -q"]
        );
        assert_eq!(
            shown(
                ".circleci/config.yml",
                "jobs:\n  t:\n    steps:\n      - checkout\n      - run: make test\n      - run:\n          name: x\n          command: go vet ./...\n"
            ),
            ["5 test [] make test", "8 lint [] go vet ./..."]
        );
    }
}
