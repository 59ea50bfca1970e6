//! The tracked plain files of a commit, from `git ls-tree`.

use std::time::Duration;

use super::{Git, GitError, Snapshot, checked};
use crate::names::{is_invisible, printable};

/// A tracked plain file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Relative to the root, `/` between the parts.
    pub path: String,
    /// Object name of the blob.
    pub blob: String,
    /// Of the blob, in bytes; `None` when there is a checkout, where the file itself tells.
    pub size: Option<u64>,
}

/// A tracked file that nobody gets to see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// Made printable.
    pub path: String,
    pub reason: &'static str,
}

/// Every tracked plain file of a commit, sorted by path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tree {
    pub entries: Vec<Entry>,
    pub left: Vec<Left>,
}

/// A tree of more bytes than this is refused: about two million files.
const MAX_OUTPUT: usize = 256 << 20;

impl Tree {
    pub fn get(&self, path: &str) -> Option<&Entry> {
        let index = self
            .entries
            .binary_search_by(|entry| entry.path.as_str().cmp(path))
            .ok()?;
        Some(&self.entries[index])
    }
}

impl Snapshot {
    /// The commit's tracked plain files.
    ///
    /// # Errors
    /// Git failed, or the repository has millions of files.
    pub fn tree(&self, git: &Git, timeout: Duration) -> Result<Tree, GitError> {
        let mut call = self.call(git).args(["ls-tree", "-r", "-z", "--full-tree"]);
        if self.checkout.is_none() {
            // Costs a look at every object, so only when the objects are what is read.
            call = call.arg("--long");
        }
        let call = call
            .arg(&self.commit)
            .timeout(timeout)
            .max_output(MAX_OUTPUT);
        let finished = checked("ls-tree", &call)?;
        if finished.truncated {
            return Err(unexpected(format!(
                "a list of more than {} MiB",
                MAX_OUTPUT >> 20
            )));
        }
        parse(&finished.stdout)
    }
}

fn unexpected(message: String) -> GitError {
    GitError::Unexpected {
        command: "ls-tree".to_owned(),
        message,
    }
}

/// Entries are `MODE TYPE OBJECT[ SIZE]\tPATH\0`.
fn parse(output: &[u8]) -> Result<Tree, GitError> {
    let mut tree = Tree::default();
    for line in output
        .split(|byte| *byte == 0)
        .filter(|line| !line.is_empty())
    {
        let malformed = || unexpected(printable(&String::from_utf8_lossy(line)));
        let tab = line
            .iter()
            .position(|byte| *byte == b'\t')
            .ok_or_else(malformed)?;
        let head = std::str::from_utf8(&line[..tab]).map_err(|_| malformed())?;
        let mut fields = head.split_ascii_whitespace();
        let (mode, _, blob) = (fields.next(), fields.next(), fields.next());
        let (Some(mode), Some(blob)) = (mode, blob) else {
            return Err(malformed());
        };
        if mode != "100644" && mode != "100755" {
            continue;
        }
        let leave = |reason| Left {
            path: printable(&String::from_utf8_lossy(&line[tab + 1..])),
            reason,
        };
        match std::str::from_utf8(&line[tab + 1..]) {
            Err(_) => tree.left.push(leave("not-utf8-name")),
            // A line break in a name would write lines of its own into a prompt.
            Ok(path) if path.chars().any(|c| c.is_control() || is_invisible(c)) => {
                tree.left.push(leave("unreadable"));
            }
            Ok(path) => tree.entries.push(Entry {
                path: path.to_owned(),
                blob: blob.to_owned(),
                size: fields.next().and_then(|size| size.parse().ok()),
            }),
        }
    }
    // Git sorts like this already.
    if !tree.entries.is_sorted_by(|a, b| a.path < b.path) {
        tree.entries.sort_by(|a, b| a.path.cmp(&b.path));
    }
    Ok(tree)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "7be73ce3c1b1cdaea86e8168dfee8575175953bf";

    #[test]
    fn plain_files_only() {
        let output = format!(
            "100644 blob {ID}       6\ta.txt\0120000 blob {ID}      10\tlink\0\
             160000 commit {ID}       -\tsub\0100755 blob {ID}   12345\tdir/run me\0"
        );
        let tree = parse(output.as_bytes()).unwrap();
        let shown: Vec<_> = tree
            .entries
            .iter()
            .map(|entry| (entry.path.as_str(), entry.size))
            .collect();
        assert_eq!(shown, [("a.txt", Some(6)), ("dir/run me", Some(12345))]);
        assert!(tree.get("dir/run me").is_some() && tree.get("link").is_none());
    }

    #[test]
    fn names_that_cannot_be_shown() {
        let mut output =
            format!("100644 blob {ID}\tline\nbreak\0100644 blob {ID}\tcaf").into_bytes();
        output.extend(b"\xe9\0");
        let tree = parse(&output).unwrap();
        assert_eq!(tree.entries, []);
        let left: Vec<_> = tree
            .left
            .iter()
            .map(|l| (l.path.as_str(), l.reason))
            .collect();
        assert_eq!(
            left,
            [
                ("line\\nbreak", "unreadable"),
                ("caf\u{fffd}", "not-utf8-name")
            ]
        );
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_no_panic(bytes: Vec<u8>) {
            let _ = parse(&bytes);
        }

        #[test]
        fn every_name_comes_back_or_is_named(names in proptest::collection::btree_set("[^\0]{1,20}", 0..10)) {
            let lines: Vec<_> = names.iter().map(|n| format!("100644 blob {ID}\t{n}")).collect();
            let output = lines.join("\0");
            let tree = parse(output.as_bytes()).unwrap();
            proptest::prop_assert_eq!(tree.entries.len() + tree.left.len(), names.len());
            for entry in &tree.entries {
                proptest::prop_assert_eq!(tree.get(&entry.path), Some(entry));
            }
        }
    }
}
