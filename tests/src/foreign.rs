//! Templates written in Python and JavaScript, made into components by their own tools.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::program::project_root;
use crate::tools;

/// The component of `tests/fixtures/python-template`; `None` after a loud word.
///
/// # Panics
/// The tool is there and does not build it.
pub fn python_component() -> Option<&'static Path> {
    static COMPONENT: OnceLock<Option<PathBuf>> = OnceLock::new();
    let build = || {
        let tool = tools::componentize_py()?;
        let folder = tool
            .ancestors()
            .nth(2)
            .expect("the tool is in a bin folder");
        let component = folder.join("template.wasm");
        let mut command = Command::new(tool);
        command
            .arg("--wit-path")
            .arg(project_root().join("wit/v0.1"))
            .args([
                "--world",
                "template",
                "componentize",
                "app",
                "--python-path",
                ".",
                "--output",
            ])
            .arg(&component)
            .current_dir(project_root().join("tests/fixtures/python-template"))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env_remove("VIRTUAL_ENV");
        must_succeed(&mut command);
        Some(component)
    };
    COMPONENT.get_or_init(build).as_deref()
}

/// The component of `tests/fixtures/javascript-template`, with the features named left out; `None`
/// after a loud word.
///
/// # Panics
/// The tool is there and does not build it.
pub fn javascript_component(without: &[&str]) -> Option<PathBuf> {
    let folder = tools::componentize_js()?;
    let component = folder.join(format!("template-without-{}.wasm", without.join("-")));
    let fixture = project_root().join("tests/fixtures/javascript-template");
    // From the tool's folder: node looks for packages where the script is.
    let script = folder.join("build.mjs");
    std::fs::copy(fixture.join("build.mjs"), &script).expect("copying the build script");
    let mut command = Command::new("node");
    command
        .arg(script)
        .arg(fixture.join("template.js"))
        .arg(project_root().join("wit/v0.1"))
        .arg(&component)
        .args(without);
    must_succeed(&mut command);
    Some(component)
}

fn must_succeed(command: &mut Command) {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let [stdout, stderr] =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    assert!(output.status.success(), "{command:?}:\n{stdout}{stderr}");
}
