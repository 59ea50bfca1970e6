//! Work an agent left without committing it, as a patch. Git looks at the files with a git
//! directory and an index of ours; folders that are repositories of their own are not entered.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::git::{Git, GitError, checked};
use crate::process::Command;

use super::changes::PATCH;

/// Longest file that goes into the patch, and the most that all of them may have, in bytes.
const MAX_FILE: u64 = 10 * 1024 * 1024;
const MAX_TOTAL: u64 = 32 * 1024 * 1024;
const MAX_FILES: usize = 10_000;

/// What was not committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uncommitted {
    /// Against the commit the workspace stood on. Empty when nothing of what was left fits.
    pub patch: Vec<u8>,
    /// Paths too large for the patch, or repositories of their own.
    pub left_out: Vec<String>,
}

/// `git_dir` is ours and holds `head`; `index` is the one made at checkout.
pub(super) fn uncommitted(
    git: &Git,
    git_dir: &Path,
    index: &Path,
    work_tree: &Path,
    head: &str,
) -> Result<Option<Uncommitted>, GitError> {
    let call = |args: &[&str]| -> Command {
        git.in_dir(git_dir)
            .arg("--work-tree")
            .arg(work_tree)
            .cwd(work_tree)
            .env("GIT_INDEX_FILE", index)
            .args(args)
            .timeout(std::time::Duration::from_mins(5))
    };
    let list = call(&[
        "ls-files",
        "-z",
        "--modified",
        "--deleted",
        "--others",
        "--exclude-standard",
    ]);
    let listed = checked("ls-files", &list)?.stdout;
    let stage = checked("ls-files", &call(&["ls-files", "-z", "--stage"]))?.stdout;
    let submodules = submodules(&stage);
    let mut found = Uncommitted {
        patch: Vec::new(),
        left_out: Vec::new(),
    };
    let paths: BTreeSet<_> = listed
        .split(|byte| *byte == 0)
        .filter(|path| !path.is_empty())
        .collect();
    let mut chosen = Vec::new();
    let mut total = 0;
    for (count, path) in paths.into_iter().enumerate() {
        if submodules.contains(path) {
            continue;
        }
        let size =
            fs::symlink_metadata(work_tree.join(OsStr::from_bytes(path))).map_or(0, |m| m.len());
        total += size;
        if path.ends_with(b"/") || size > MAX_FILE || total > MAX_TOTAL || count >= MAX_FILES {
            found
                .left_out
                .push(String::from_utf8_lossy(path).into_owned());
        } else {
            chosen.extend_from_slice(path);
            chosen.push(0);
        }
    }
    if !chosen.is_empty() {
        let update = call(&["update-index", "-z", "--add", "--remove", "--stdin"]).stdin(chosen);
        checked("update-index", &update)?;
    }
    let diff = call(&PATCH).args(["--cached", "--ignore-submodules=all", head, "--"]);
    found.patch = checked("diff", &diff)?.stdout;
    Ok((!found.patch.is_empty() || !found.left_out.is_empty()).then_some(found))
}

/// Paths of the index that are commits of other repositories.
fn submodules(stage: &[u8]) -> BTreeSet<&[u8]> {
    stage
        .split(|byte| *byte == 0)
        .filter(|entry| entry.starts_with(b"160000 "))
        .filter_map(|entry| entry.splitn(2, |byte| *byte == b'\t').nth(1))
        .collect()
}
