//! Repositories and configurations of a given size, the same every time.

use std::fmt::Write;

use changelings_tests::{ADA, GRACE, Repo, TestEnv};

/// A file that holds a marker in every repository.
pub(crate) const MARKED_FILE: &str = "src/part_000/module_00000.py";

/// That many changelings.
pub(crate) fn configuration(changelings: usize) -> String {
    let mut text = String::new();
    for index in 0..changelings {
        let _ = writeln!(
            text,
            "[changelings.nightly-{index}]\ntemplate = \"fixme-fairy\"\nrepo = \"https://github.com/example/repo-{index}\"\n\
             schedule = \"{} {} * * *\"\ntimezone = \"Europe/Zurich\"\n",
            index % 60,
            index % 5,
        );
    }
    text
}

/// A repository with that many files of Python-like text, about 2 KB each; one in a hundred has a
/// marker. Two commits by two people, packed, as a clone is.
pub(crate) fn repository<'a>(env: &'a TestEnv, name: &str, files: usize) -> Repo<'a> {
    let repo = env.repo(name);
    // Git would pack in the background, while we measure.
    repo.git(["config", "maintenance.auto", "false"]);
    for index in 0..files {
        repo.write(
            &format!("src/part_{:03}/module_{index:05}.py", index / 100),
            module(index),
        );
    }
    repo.commit(ADA, "2024-05-06", "Begin");
    repo.write("README.md", "# Generated\n");
    repo.commit(GRACE, "2025-05-06", "Say what this is");
    repo.git(["gc", "--quiet"]);
    repo
}

fn module(index: usize) -> String {
    let mut text = format!("\"\"\"Module {index}.\"\"\"\n\nimport functools\n");
    for function in 0..16 {
        let _ = write!(
            text,
            "\n\n@functools.cache\ndef function_{function}(argument, other={index}):\n    \
             total = argument * {function} + other\n    return total % {}\n",
            index + 7,
        );
        if index.is_multiple_of(100) && function == 3 {
            text.push_str("    # FIXME: overflows for large arguments\n");
        }
    }
    text
}
