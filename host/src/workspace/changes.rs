//! What commits of ours changed, read from a git directory of ours: everything the check before
//! publishing wants to know, and what a pull request shows.

use std::path::Path;

use crate::git::{Git, GitError, checked};
use crate::patch::{Change, Commit, Entry};
use crate::process::Command;
use crate::pull_request::preview::FileStat;

/// Most commits of one run that are looked at; a run with more is not published.
pub(super) const MAX_COMMITS: usize = 1_000;

/// Most links whose targets are read: a run with more files is not published either.
const MAX_LINKS: usize = 200;

/// A `diff` that neither a driver nor a setting shapes, as `git apply` takes it.
pub(super) const PATCH: [&str; 8] = [
    "diff",
    "--binary",
    "--no-color",
    "--no-ext-diff",
    "--no-textconv",
    "--find-renames",
    "--src-prefix=a/",
    "--dst-prefix=b/",
];

/// The commits that `tip` has and `base` has not.
#[derive(Debug, Clone, Copy)]
pub(super) struct Range<'a> {
    pub(super) git: &'a Git,
    /// Ours.
    pub(super) git_dir: &'a Path,
    pub(super) base: &'a str,
    pub(super) tip: &'a str,
}

impl Range<'_> {
    /// Oldest first.
    pub(super) fn commits(&self) -> Result<Vec<Commit>, GitError> {
        let call = self.log(&["-z", "--format=%H%n%an <%ae>%n%cn <%ce>%n%B"]);
        let finished = checked("log", &call)?;
        let text = String::from_utf8_lossy(&finished.stdout);
        let commit = |entry: &str| {
            let mut parts = entry.splitn(4, '\n');
            let mut next = || Some(parts.next()?.to_owned());
            Some(Commit {
                id: next()?,
                people: format!("{}\n{}", next()?, next()?),
                message: next()?.trim_end().to_owned(),
            })
        };
        Ok(text
            .split('\0')
            .filter(|entry| !entry.is_empty())
            .filter_map(commit)
            .collect())
    }

    /// Bytes of everything the commits brought with them, unpacked: a few kilobytes of a pack can be
    /// gigabytes of zeros, and git reads a file whole to compare it.
    pub(super) fn bytes(&self) -> Result<u64, GitError> {
        let list = self.git.in_dir(self.git_dir).args([
            "rev-list",
            "--objects",
            "--no-object-names",
            "--end-of-options",
            &format!("{}..{}", self.base, self.tip),
            "--",
        ]);
        let objects = checked("rev-list", &list)?.stdout;
        let ask = ["cat-file", "--buffer", "--batch-check=%(objectsize)"];
        let call = self.git.in_dir(self.git_dir).args(ask).stdin(objects);
        let sizes = checked("cat-file", &call)?.text();
        Ok(sizes
            .lines()
            .filter_map(|size| size.parse::<u64>().ok())
            .fold(0, u64::saturating_add))
    }

    /// Every path that any of the commits touched, as that commit left it.
    pub(super) fn changes(&self) -> Result<Vec<Change>, GitError> {
        let call = self.log(&[
            "-z",
            "--format=",
            "--raw",
            "--no-abbrev",
            "--find-renames",
            "--diff-merges=first-parent",
            "--no-ext-diff",
            "--no-textconv",
        ]);
        let output = checked("log", &call)?.stdout;
        let mut fields = output.split(|byte| *byte == 0);
        let (mut changes, mut links) = (Vec::new(), 0);
        while let Some(field) = fields.next() {
            // `:100644 100755 <object> <object> M`; then the path, of a rename both.
            let head = String::from_utf8_lossy(field);
            let Some(head) = head.trim_start().strip_prefix(':') else {
                continue;
            };
            let words: Vec<_> = head.split(' ').collect();
            let [_, mode, _, object, status] = words[..] else {
                return Err(GitError::Unexpected {
                    command: "log".to_owned(),
                    message: crate::names::printable(head),
                });
            };
            let mut path = || fields.next().unwrap_or_default().to_vec();
            let old_path = status.starts_with(['R', 'C']).then(&mut path);
            let now = match mode {
                "000000" => Entry::Gone,
                "160000" => Entry::Submodule,
                "120000" => {
                    links += 1;
                    Entry::Link(if links > MAX_LINKS {
                        Vec::new()
                    } else {
                        self.blob(object)?
                    })
                }
                _ => Entry::File,
            };
            changes.push(Change {
                path: path(),
                old_path,
                now,
            });
        }
        Ok(changes)
    }

    /// Every commit's id, message and difference to its first parent, files taken as text whatever
    /// they are: where a secret may hide that a later commit removed. `None`: too long to keep.
    pub(super) fn texts(&self) -> Result<Option<Vec<u8>>, GitError> {
        let call = self.log(&[
            "--patch",
            "--text",
            "--format=%H%n%an <%ae>%n%cn <%ce>%n%B",
            "--diff-merges=first-parent",
            "--no-ext-diff",
            "--no-textconv",
            "--no-renames",
        ]);
        let finished = checked("log", &call)?;
        Ok((!finished.truncated).then_some(finished.stdout))
    }

    /// The whole difference as one patch.
    pub(super) fn patch(&self) -> Result<Vec<u8>, GitError> {
        Ok(checked("diff", &self.between(&PATCH))?.stdout)
    }

    /// The files of the whole difference and their lines.
    pub(super) fn files(&self) -> Result<Vec<FileStat>, GitError> {
        let call = self.between(&[
            "diff",
            "--numstat",
            "-z",
            "--find-renames",
            "--no-ext-diff",
            "--no-textconv",
        ]);
        let output = checked("diff", &call)?.stdout;
        let mut fields = output.split(|byte| *byte == 0).map(String::from_utf8_lossy);
        let mut files = Vec::new();
        // `added<tab>removed<tab>path`; of a rename the path is empty and two more fields follow.
        while let Some(field) = fields.next() {
            let mut parts = field.splitn(3, '\t');
            let (Some(added), Some(removed), Some(path)) =
                (parts.next(), parts.next(), parts.next())
            else {
                continue;
            };
            let path = if path.is_empty() {
                let mut name = || fields.next().unwrap_or_default().into_owned();
                format!("{} → {}", name(), name())
            } else {
                path.to_owned()
            };
            files.push(FileStat {
                path,
                lines: added.parse().ok().zip(removed.parse().ok()),
            });
        }
        Ok(files)
    }

    /// `base` is among the ancestors of `tip`.
    pub(super) fn descends(&self) -> Result<bool, GitError> {
        let ask = ["merge-base", "--is-ancestor", self.base, self.tip];
        Ok(self.git.in_dir(self.git_dir).args(ask).run()?.success())
    }

    fn log(&self, options: &[&str]) -> Command {
        self.git
            .in_dir(self.git_dir)
            .args([
                "log",
                "--topo-order",
                "--reverse",
                "--no-color",
                "--no-mailmap",
                "--encoding=UTF-8",
            ])
            .arg(format!("--max-count={MAX_COMMITS}"))
            .args(options)
            .args([
                "--end-of-options",
                &format!("{}..{}", self.base, self.tip),
                "--",
            ])
    }

    fn between(&self, command: &[&str]) -> Command {
        self.git.in_dir(self.git_dir).args(command).args([
            "--end-of-options",
            self.base,
            self.tip,
            "--",
        ])
    }

    fn blob(&self, object: &str) -> Result<Vec<u8>, GitError> {
        let call = self
            .git
            .in_dir(self.git_dir)
            .args(["cat-file", "blob", object])
            .max_output(8_192);
        Ok(checked("cat-file", &call)?.stdout)
    }
}
