//! A template as a third party writes one: a crate outside the tree that knows only the SDK.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::env::write;
use crate::program::{changeling, project_root};

/// Copies `tests/fixtures/outside-template` out of the tree, builds it for wasm32-wasip2 with plain
/// cargo, once for all tests of a run, and returns the component's path.
///
/// # Panics
/// It does not build.
pub fn outside_template() -> &'static Path {
    static COMPONENT: OnceLock<PathBuf> = OnceLock::new();
    COMPONENT.get_or_init(|| {
        let crate_folder = tempfile::tempdir().expect("making a temporary folder");
        let fixture = project_root().join("tests/fixtures/outside-template");
        let sdk = project_root().join("sdk");
        for file in ["Cargo.toml", "src/lib.rs"] {
            let text = std::fs::read_to_string(fixture.join(file)).expect("the fixture is there");
            write(
                &crate_folder.path().join(file),
                text.replace("@SDK@", &sdk.to_string_lossy()),
            );
        }
        // The versions the built-in templates use: downloaded already, so no network is needed.
        let versions =
            std::fs::read(project_root().join("templates/Cargo.lock")).expect("a lock file");
        write(&crate_folder.path().join("Cargo.lock"), versions);
        // Artifacts stay beside our own, or every run would build the SDK's dependencies anew.
        let artifacts = changeling()
            .parent()
            .expect("a file is in a folder")
            .join("outside");
        let output = Command::new("cargo")
            .args([
                "build",
                "--quiet",
                "--offline",
                "--release",
                "--target",
                "wasm32-wasip2",
                "--target-dir",
            ])
            .arg(&artifacts)
            .current_dir(crate_folder.path())
            .env("RUSTUP_TOOLCHAIN", toolchain())
            .env_remove("CARGO_BUILD_TARGET")
            .env_remove("RUSTFLAGS")
            .output()
            .expect("starting cargo");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        artifacts.join("wasm32-wasip2/release/outside_template.wasm")
    })
}

/// The pinned toolchain: outside the tree `rust-toolchain.toml` says nothing.
fn toolchain() -> String {
    let pinned = std::fs::read_to_string(project_root().join("rust-toolchain.toml"))
        .expect("the pinned toolchain");
    let channel = pinned
        .lines()
        .find_map(|line| line.strip_prefix("channel = "));
    channel.expect("a channel").trim_matches('"').to_owned()
}
