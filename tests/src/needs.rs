//! Tests that need a real tool. With `CI` set a tool that cannot be had is a failure; elsewhere the
//! test is skipped loudly, with the line that installs the tool, and `./dev test` counts the skips.

use std::io::Write;
use std::path::PathBuf;

/// A tool and the line that installs it, on Debian and its kin and on macOS.
const TOOLS: &[(&str, &str, &str)] = &[
    ("git", "sudo apt-get install git", "brew install git"),
    (
        "python3",
        "sudo apt-get install python3 python3-venv",
        "brew install python",
    ),
    ("rg", "sudo apt-get install ripgrep", "brew install ripgrep"),
    (
        "shellcheck",
        "sudo apt-get install shellcheck",
        "brew install shellcheck",
    ),
    ("tmux", "sudo apt-get install tmux", "brew install tmux"),
];

/// The path of a tool, or `None` after a loud word: then the test returns.
///
/// ```no_run
/// let Some(tmux) = changelings_tests::needs::tool("tmux") else { return };
/// ```
///
/// # Panics
/// It is missing and `CI` is set, or nothing here says how to install it.
#[track_caller]
pub fn tool(name: &str) -> Option<PathBuf> {
    let (_, debian, macos) = TOOLS
        .iter()
        .find(|(tool, ..)| *tool == name)
        .unwrap_or_else(|| panic!("tests/src/needs.rs does not say how to install {name}"));
    let found = find(name);
    if found.is_none() {
        skip(
            name,
            if cfg!(target_os = "macos") {
                macos
            } else {
                debian
            },
        );
    }
    found
}

/// Whether the network may be used; downloads are no part of the quick tests.
#[track_caller]
pub fn network() -> bool {
    let quick = std::env::var_os("CHANGELINGS_TEST_QUICK").is_some();
    if quick {
        say("skipped (--quick: no network)", "./dev test");
    }
    !quick
}

/// Says that a test was skipped for want of something, and how to get it.
///
/// # Panics
/// `CI` is set: there nothing is skipped.
#[track_caller]
pub fn skip(what: &str, install: &str) {
    assert!(
        std::env::var_os("CI").is_none_or(|ci| ci.is_empty() || ci == "false"),
        "this test needs {what}, and with CI set nothing is skipped; install it: {install}",
    );
    say(&format!("SKIPPED: needs {what}"), install);
}

#[track_caller]
fn say(what: &str, install: &str) {
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    // Past the test runner's capture: a silent skip looks like a test that passed.
    let _ = writeln!(std::io::stderr(), "\n{test}: {what}; {install}");
    if let Some(list) = std::env::var_os("CHANGELINGS_TEST_SKIPS") {
        let line = format!("{test}: {what}; {install}\n");
        let file = std::fs::OpenOptions::new()
            .append(true)
            .create(true)
            .open(&list);
        file.and_then(|mut file| file.write_all(line.as_bytes()))
            .expect("writing the list of skipped tests");
    }
}

/// An executable on the `PATH` of the test run.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    use std::os::unix::fs::PermissionsExt;
    std::env::split_paths(&std::env::var_os("PATH")?)
        .map(|folder| folder.join(name))
        .find(|path| {
            path.metadata()
                .is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
        })
}
