//! Tests that need more than git and Rust. With `CI` set a tool that is missing is a failure; elsewhere
//! the test is skipped loudly, with the line that installs the tool, and `./dev test` lists the skips.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// A tool and the line that installs it, on Debian and its kin and on macOS.
const TOOLS: &[(&str, &str, &str)] = &[
    ("git", "sudo apt-get install git", "brew install git"),
    ("curl", "sudo apt-get install curl", "brew install curl"),
    ("jq", "sudo apt-get install jq", "brew install jq"),
    (
        "npm",
        "sudo apt-get install nodejs npm",
        "brew install node",
    ),
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
        let install = if cfg!(target_os = "macos") {
            macos
        } else {
            debian
        };
        missing(name, install);
    }
    found
}

/// Whether containers can be run here: Linux, and root or a sudo that asks nothing.
///
/// # Panics
/// They cannot and `CI` is set.
#[track_caller]
pub fn containers() -> bool {
    let can = can_run_containers();
    if !can {
        missing(
            "Linux and root, for containers of its own",
            "run the tests as root, or where sudo asks for no password",
        );
    }
    can
}

pub(crate) fn can_run_containers() -> bool {
    static CAN: OnceLock<bool> = OnceLock::new();
    *CAN.get_or_init(|| {
        let words = as_root(["unshare", "--mount", "--pid", "--fork", "true"]);
        let mut unshare = Command::new(&words[0]);
        let unshare = unshare.args(&words[1..]).stderr(Stdio::null());
        cfg!(target_os = "linux") && unshare.status().is_ok_and(|status| status.success())
    })
}

/// A command line that runs as root when this is not root already.
pub(crate) fn as_root<'a>(words: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let is_root = rustix::process::geteuid().is_root();
    let sudo = ["sudo", "-n"].into_iter().filter(|_| !is_root);
    sudo.chain(words).map(ToOwned::to_owned).collect()
}

/// Whether this test may use the network: only where everything is asked for, by `./dev test`.
///
/// ```no_run
/// if !changelings_tests::needs::network() { return }
/// ```
#[track_caller]
pub fn network() -> bool {
    let all = asked_for("all");
    if !all {
        tell("needs the network", "./dev test");
    }
    all
}

/// Whether this test may take long (minutes, gigabytes): only where everything is asked for.
#[track_caller]
pub fn patience() -> bool {
    let all = asked_for("all");
    if !all {
        tell("takes long", "./dev test");
    }
    all
}

/// Says that a test is left out where it cannot be made to run, in CI too: for want of the right, not of
/// a tool.
#[track_caller]
pub fn without(what: &str, remedy: &str) {
    tell(&format!("needs {what}"), remedy);
}

/// Says that a test is left out for want of something, and the line that gets it.
///
/// # Panics
/// `CI` is set and not only the quick tests were asked for: there nothing may be missing.
#[track_caller]
pub fn missing(what: &str, install: &str) {
    let ci = std::env::var_os("CI").is_some_and(|ci| !ci.is_empty() && ci != "false");
    assert!(
        !ci || asked_for("quick"),
        "this test needs {what}, and with CI set nothing may be missing; install it: {install}",
    );
    tell(&format!("needs {what}"), install);
}

/// `./dev test` sets `all`, `./dev test --quick` sets `quick`, plain `cargo test` nothing.
fn asked_for(what: &str) -> bool {
    std::env::var_os("CHANGELINGS_TESTS").is_some_and(|tests| tests == what)
}

#[track_caller]
fn tell(why: &str, remedy: &str) {
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("a test");
    let line = format!("{test}: SKIPPED: {why}; {remedy}\n");
    // Past the test runner's capture: a silent skip looks like a test that passed.
    let _ = write!(std::io::stderr(), "\n{line}");
    if let Some(list) = std::env::var_os("CHANGELINGS_TEST_SKIPS") {
        let file = std::fs::OpenOptions::new()
            .append(true)
            .create(true)
            .open(&list);
        file.and_then(|mut file| file.write_all(line.as_bytes()))
            .expect("writing the list of tests left out");
    }
}

/// An executable on the `PATH` of the test run.
pub fn find(name: &str) -> Option<PathBuf> {
    use std::os::unix::fs::PermissionsExt;
    std::env::split_paths(&std::env::var_os("PATH")?)
        .map(|folder| folder.join(name))
        .find(|path| {
            path.metadata()
                .is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
        })
}
