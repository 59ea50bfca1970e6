//! A disk that fills up under a run.

use std::path::PathBuf;
use std::process::Command;

use changelings_tests::needs;

use super::{COMMIT, Shop};

/// A file system of few bytes; gone with the test.
struct Small(PathBuf);

impl Small {
    /// `None` after a loud word: only root may mount.
    fn mount(folder: PathBuf, size: &str) -> Option<Self> {
        std::fs::create_dir_all(&folder).expect("making a folder");
        let mount = Command::new("mount")
            .args([
                "-t",
                "tmpfs",
                "-o",
                &format!("size={size},mode=0700"),
                "tmpfs",
            ])
            .arg(&folder)
            .output();
        if mount.is_ok_and(|output| output.status.success()) {
            return Some(Self(folder));
        }
        needs::without(
            "a file system of its own (root on Linux)",
            "run ./dev test as root, in a container",
        );
        None
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

#[test]
fn the_agent_fills_it() {
    let shop = Shop::new();
    let Some(_small) = Small::mount(shop.env.changelings_home().join("runs"), "24m") else {
        return;
    };
    let script = format!("{COMMIT}; dd if=/dev/zero of=big bs=1M count=64 || exit 9");
    let ran = shop.with_agent(&script).is("failed", 4);
    assert_eq!(ran.outcome["step"], "agent");
    shop.nothing_lives();
    // With the workspace gone there is room again.
    shop.with_agent(COMMIT).is("pull-request", 0);
}

#[test]
fn the_workspace_does_not_fit() {
    let shop = Shop::of(|env| {
        let repo = env.repo("shop");
        repo.write("app.py", "# FIXME: rounds the wrong way\n");
        // Nothing that can be made smaller.
        let mut state = 1_u32;
        let noise = std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.to_be_bytes()[0]
        });
        repo.write("noise.bin", noise.take(12_000_000).collect::<Vec<_>>());
        repo.commit(changelings_tests::ADA, "2025-11-03", "Add the shop");
        repo
    });
    let Some(_small) = Small::mount(shop.env.changelings_home().join("runs"), "6m") else {
        return;
    };
    let ran = shop
        .with_agent("touch $root/started")
        .is("failed", 4)
        .says("the disk is full");
    assert_eq!(ran.outcome["step"], "clone");
    assert!(!shop.env.root().join("started").exists());
    assert!(!ran.folder.join("workspace").exists());
}
