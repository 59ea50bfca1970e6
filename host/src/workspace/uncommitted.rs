//! Work an agent left without committing it, as a patch. Git looks at the files with a git
//! directory and an index of ours; folders that are repositories of their own are not entered.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::io;
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
    disarm(work_tree).map_err(|error| GitError::Io(work_tree.to_owned(), error))?;
    if fs::symlink_metadata(index).is_ok_and(|meta| !meta.is_file()) {
        // The agent put something else at its place.
        super::remove_tree(index).map_err(|error| GitError::Io(index.to_owned(), error))?;
    }
    if !index.exists() {
        checked("read-tree", &call(&["read-tree", "--end-of-options", head]))?;
    }
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

/// Takes away what git would wait for without end: pipes, sockets and devices (a `.gitignore` may be
/// one), and links in place of what git reads of a repository inside the work tree. Its own `.git` is
/// not looked at.
fn disarm(work_tree: &Path) -> io::Result<()> {
    let mut folders = vec![(work_tree.to_owned(), false)];
    while let Some((folder, in_git)) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            // Git cannot enter it either.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => continue,
            Err(error) => return Err(error),
        };
        for entry in entries {
            let entry = entry?;
            let (kind, name) = (entry.file_type()?, entry.file_name());
            if kind.is_dir() {
                if name != ".git" {
                    // Of a repository's own folders git opens nothing: it only asks whether they are there.
                    if !in_git {
                        folders.push((entry.path(), false));
                    }
                } else if folder != work_tree {
                    folders.push((entry.path(), true));
                }
            } else if !kind.is_file() && (!kind.is_symlink() || in_git) {
                fs::remove_file(entry.path())?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn what_git_would_wait_for_is_taken_away() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir_all(root.join("inner/.git/refs")).unwrap();
        fs::create_dir(root.join(".git")).unwrap();
        let pipe = |path: &str| {
            let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
            let kind = rustix::fs::FileType::Fifo;
            rustix::fs::mknodat(rustix::fs::CWD, root.join(path), kind, mode, 0).unwrap();
        };
        for path in [".gitignore", "inner/x", "inner/.git/HEAD", ".git/HEAD"] {
            pipe(path);
        }
        symlink("/dev/zero", root.join("inner/.git/commondir")).unwrap();
        symlink("/dev/zero", root.join("link")).unwrap();
        fs::write(root.join("inner/y"), "y").unwrap();
        disarm(root).unwrap();
        let there = |path: &str| fs::symlink_metadata(root.join(path)).is_ok();
        for gone in [
            ".gitignore",
            "inner/x",
            "inner/.git/HEAD",
            "inner/.git/commondir",
        ] {
            assert!(!there(gone), "{gone}");
        }
        for kept in [".git/HEAD", "link", "inner/y", "inner/.git/refs"] {
            assert!(there(kept), "{kept}");
        }
    }
}
