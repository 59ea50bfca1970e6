//! Templates written in Python and JavaScript, made into components by their own tools, which are
//! fetched from PyPI and npm once and kept below `target/tools`.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::needs;
use crate::program::{changeling, project_root};

const COMPONENTIZE_PY: &str = "componentize-py==0.25.1";
const COMPONENTIZE_JS: &str = "@bytecodealliance/componentize-js@0.23.0";

/// The component of `tests/fixtures/python-template`; `None` after a loud word.
///
/// # Panics
/// The tool is there and does not build it.
pub fn python_component() -> Option<&'static Path> {
    static COMPONENT: OnceLock<Option<PathBuf>> = OnceLock::new();
    let build = || {
        let python = needs::tool("python3").filter(|_| needs::network())?;
        let folder = tools().join(COMPONENTIZE_PY.replace("==", "-"));
        let tool = folder.join("bin/componentize-py");
        let pip = folder.join("bin/pip");
        let install = || {
            succeeds(
                &["-m".as_ref(), "venv".as_ref(), folder.as_os_str()],
                &python,
            ) && succeeds(
                &[
                    "install".as_ref(),
                    "--quiet".as_ref(),
                    COMPONENTIZE_PY.as_ref(),
                ],
                &pip,
            )
        };
        if !installed(&folder, install) {
            needs::missing("componentize-py", &format!("pip install {COMPONENTIZE_PY}"));
            return None;
        }
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
    let folder = javascript_tool()?;
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

fn javascript_tool() -> Option<&'static Path> {
    static FOLDER: OnceLock<Option<PathBuf>> = OnceLock::new();
    let install = || {
        let npm = needs::tool("npm").filter(|_| needs::network())?;
        let folder = tools().join("componentize-js-0.23.0");
        let args: [&OsStr; 7] = [
            "install".as_ref(),
            "--silent".as_ref(),
            "--no-audit".as_ref(),
            "--no-fund".as_ref(),
            "--prefix".as_ref(),
            folder.as_os_str(),
            COMPONENTIZE_JS.as_ref(),
        ];
        if !installed(&folder, || succeeds(&args, &npm)) {
            needs::missing("componentize-js", &format!("npm install {COMPONENTIZE_JS}"));
            return None;
        }
        Some(folder)
    };
    FOLDER.get_or_init(install).as_deref()
}

fn tools() -> PathBuf {
    let target = changeling()
        .ancestors()
        .nth(2)
        .expect("the program is in target/<profile>");
    target.join("tools")
}

/// Installs into a folder, once; what an interrupted installation left is no reason to fail for ever.
fn installed(folder: &Path, install: impl FnOnce() -> bool) -> bool {
    let mark = folder.join("installed");
    if mark.exists() {
        return true;
    }
    let _ = std::fs::remove_dir_all(folder);
    std::fs::create_dir_all(folder).expect("making a folder below target");
    let done = install();
    if done {
        std::fs::write(mark, "").expect("writing below target");
    }
    done
}

fn succeeds(args: &[&OsStr], program: &Path) -> bool {
    let output = Command::new(program).args(args).output();
    output.is_ok_and(|output| output.status.success())
}

fn must_succeed(command: &mut Command) {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let [stdout, stderr] =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    assert!(output.status.success(), "{command:?}:\n{stdout}{stderr}");
}
