//! The components of `tests/guests/`, built for wasm32-wasip2 when the first test asks.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::env::TestEnv;
use crate::program::{changeling, project_root};

/// Where the hostile guest keeps what it is to do, and how long that may be.
const MARK: &[u8] = b"what to do: compose nothing";
const LENGTH: usize = 64;

/// A built component: `hostile`, `other-version`, `other-world` or `with-http`.
///
/// # Panics
/// The guests do not build.
pub fn component(name: &str) -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let folder = BUILT.get_or_init(build);
    folder.join(format!("{}.wasm", name.replace('-', "_")))
}

/// The hostile guest, told what to do in which phase (`describe` or `compose`), in the test's work
/// folder under the name of its deed.
///
/// # Panics
/// The guests do not build, or the deed's name is too long.
pub fn hostile(env: &TestEnv, phase: &str, deed: &str) -> PathBuf {
    let mut bytes = std::fs::read(component("hostile")).expect("a component just built");
    let at = bytes
        .windows(MARK.len())
        .position(|window| window == MARK)
        .expect("the hostile guest keeps its plan in its bytes");
    let plan = format!("what to do: {phase} {deed}");
    assert!(plan.len() <= LENGTH, "{deed} does not fit");
    bytes[at..at + LENGTH].copy_from_slice(format!("{plan:LENGTH$}").as_bytes());
    env.write(&format!("work/{phase}-{deed}.wasm"), bytes)
}

/// Builds them next to the program under test and returns the folder of the components.
fn build() -> PathBuf {
    let target = changeling()
        .parent()
        .and_then(Path::parent)
        .expect("the program is in target/<profile>")
        .join("test-guests");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .args([
            "build",
            "--quiet",
            "--release",
            "--locked",
            "--target",
            "wasm32-wasip2",
        ])
        .arg("--manifest-path")
        .arg(project_root().join("tests/guests/Cargo.toml"))
        .arg("--target-dir")
        .arg(&target);
    // What is meant for the program is not meant for the guests.
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        let of_this_build = name.starts_with("CARGO_PKG_") || name == "CARGO_MANIFEST_DIR";
        if of_this_build || name.ends_with("RUSTFLAGS") || name.starts_with("CARGO_BUILD_") {
            command.env_remove(name);
        }
    }
    let output = command.output().expect("running cargo");
    assert!(
        output.status.success(),
        "tests/guests does not build:\n{}",
        String::from_utf8_lossy(&output.stderr),
    );
    target.join("wasm32-wasip2/release")
}
