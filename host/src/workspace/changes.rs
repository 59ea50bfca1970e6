//! What commits of ours changed, read from a git directory of ours.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::git::{Git, GitError, checked};

/// Most commits of one run that are looked at.
const MAX_COMMITS: u32 = 1_000;

/// A commit a run made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    /// Full object name.
    pub id: String,
    pub author: String,
    pub email: String,
    /// Subject and body.
    pub message: String,
}

impl Commit {
    /// First line of the message.
    pub fn subject(&self) -> &str {
        self.message.lines().next().unwrap_or_default()
    }
}

/// One path that differs between base and result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Relative to the root; bytes that are not UTF-8 are shown as `\u{fffd}`.
    pub path: String,
    /// `A`dded, `M`odified, `D`eleted, `T`ype changed.
    pub status: char,
    /// Git's octal modes before and after; 0 where there is no file. `0o120000` is a link,
    /// `0o160000` a submodule.
    pub old_mode: u32,
    pub new_mode: u32,
}

/// Commits that `tip` has and `base` has not, oldest first.
pub(super) fn commits(
    git: &Git,
    git_dir: &Path,
    base: &str,
    tip: &str,
) -> Result<Vec<Commit>, GitError> {
    let call = git
        .in_dir(git_dir)
        .args([
            "log",
            "-z",
            "--topo-order",
            "--reverse",
            "--no-color",
            "--no-mailmap",
        ])
        .args(["--encoding=UTF-8", "--format=%H%n%an%n%ae%n%B"])
        .arg(format!("--max-count={MAX_COMMITS}"))
        .args(["--end-of-options", &format!("{base}..{tip}"), "--"]);
    let finished = checked("log", &call)?;
    let text = String::from_utf8_lossy(&finished.stdout);
    let commit = |entry: &str| {
        let mut parts = entry.splitn(4, '\n');
        let mut next = || Some(parts.next()?.to_owned());
        Some(Commit {
            id: next()?,
            author: next()?,
            email: next()?,
            message: next()?.trim_end().to_owned(),
        })
    };
    Ok(text
        .split('\0')
        .filter(|entry| !entry.is_empty())
        .filter_map(commit)
        .collect())
}

/// Paths that differ between the two commits' trees; a rename is a deletion and an addition.
pub(super) fn changes(
    git: &Git,
    git_dir: &Path,
    base: &str,
    tip: &str,
) -> Result<Vec<Change>, GitError> {
    let call = git
        .in_dir(git_dir)
        .args([
            "diff-tree",
            "-r",
            "-z",
            "--raw",
            "--no-renames",
            "--no-ext-diff",
            "--no-textconv",
        ])
        .args(["--end-of-options", base, tip, "--"]);
    let finished = checked("diff-tree", &call)?;
    // `:100644 100755 <object> <object> M` NUL `path` NUL
    let mut fields = finished
        .stdout
        .split(|byte| *byte == 0)
        .map(String::from_utf8_lossy);
    let mut changes = Vec::new();
    while let (Some(head), Some(path)) = (fields.next(), fields.next()) {
        let mut words = head.trim_start_matches(':').split(' ');
        let mut mode = || u32::from_str_radix(words.next()?, 8).ok();
        let (Some(old_mode), Some(new_mode)) = (mode(), mode()) else {
            continue;
        };
        let status = words
            .nth(2)
            .and_then(|word| word.chars().next())
            .unwrap_or('M');
        changes.push(Change {
            path: path.into_owned(),
            status,
            old_mode,
            new_mode,
        });
    }
    Ok(changes)
}

/// The difference as a patch that `git apply` takes, binary files included.
pub(super) fn patch(git: &Git, git_dir: &Path, base: &str, tip: &str) -> Result<Vec<u8>, GitError> {
    let call = git
        .in_dir(git_dir)
        .args(PATCH)
        .args(["--end-of-options", base, tip, "--"]);
    Ok(checked("diff", &call)?.stdout)
}

/// Every commit's message and difference to its first parent, files taken as text whatever they
/// are: where a secret may hide that a later commit removed. `None` when it is too long to keep.
pub(super) fn texts(
    git: &Git,
    git_dir: &Path,
    base: &str,
    tip: &str,
) -> Result<Option<Vec<u8>>, GitError> {
    let call = git
        .in_dir(git_dir)
        .args([
            "log",
            "--patch",
            "--text",
            "--diff-merges=first-parent",
            "--format=%H%n%an%n%ae%n%B",
        ])
        .args([
            "--no-color",
            "--no-ext-diff",
            "--no-textconv",
            "--no-renames",
        ])
        .arg(format!("--max-count={MAX_COMMITS}"))
        .args(["--end-of-options", &format!("{base}..{tip}"), "--"]);
    let finished = checked("log", &call)?;
    Ok((!finished.truncated).then_some(finished.stdout))
}

/// A `diff` that neither a driver nor a setting shapes.
pub(super) const PATCH: [&str; 9] = [
    "diff",
    "--binary",
    "--no-color",
    "--no-ext-diff",
    "--no-textconv",
    "--no-indent-heuristic",
    "--find-renames",
    "--src-prefix=a/",
    "--dst-prefix=b/",
];

/// `base` is among the ancestors of `tip`.
pub(super) fn descends(git: &Git, git_dir: &Path, base: &str, tip: &str) -> Result<bool, GitError> {
    let call = git
        .in_dir(git_dir)
        .args(["merge-base", "--is-ancestor", base, tip]);
    Ok(call.run()?.success())
}
