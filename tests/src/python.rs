//! A template written in Python, made into a component by componentize-py from PyPI.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::needs;
use crate::program::{changeling, project_root};

/// The version that was tried; its command line changes between versions.
const COMPONENTIZE_PY: &str = "0.25.1";

/// Builds `tests/fixtures/python-template`, once for all tests of a run, and returns the component's
/// path; `None` after a loud word when Python or the network is not to be had.
///
/// # Panics
/// The tool cannot be installed, or the template does not build.
#[track_caller]
pub fn python_template() -> Option<&'static Path> {
    static COMPONENT: OnceLock<PathBuf> = OnceLock::new();
    let python = needs::tool("python3")?;
    if !needs::network() {
        return None;
    }
    Some(COMPONENT.get_or_init(|| {
        let tool = componentize_py(&python);
        let component = changeling().with_file_name("python-template.wasm");
        succeed(
            Command::new(tool)
                .args(["--quiet", "--world", "template", "--wit-path"])
                .arg(project_root().join("wit/v0.1"))
                .args(["componentize", "app", "--output"])
                .arg(&component)
                .current_dir(project_root().join("tests/fixtures/python-template")),
        );
        component
    }))
}

/// The tool, in a virtual environment that stays beside our own artifacts.
fn componentize_py(python: &Path) -> PathBuf {
    let environment = changeling().with_file_name(format!("componentize-py-{COMPONENTIZE_PY}"));
    let tool = environment.join("bin/componentize-py");
    // What an interrupted installation left is no reason to fail for ever.
    let installed = environment.join("installed");
    if !installed.exists() {
        let _ = std::fs::remove_dir_all(&environment);
        succeed(Command::new(python).args(["-m", "venv"]).arg(&environment));
        succeed(
            Command::new(environment.join("bin/python"))
                .args([
                    "-m",
                    "pip",
                    "install",
                    "--quiet",
                    "--disable-pip-version-check",
                ])
                .arg(format!("componentize-py=={COMPONENTIZE_PY}")),
        );
        std::fs::write(installed, "").expect("writing beside our own artifacts");
    }
    tool
}

fn succeed(command: &mut Command) {
    let output = command
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .unwrap_or_else(|error| panic!("starting {command:?}: {error}"));
    let [stdout, stderr] =
        [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    assert!(output.status.success(), "{command:?}: {stdout}{stderr}");
}
