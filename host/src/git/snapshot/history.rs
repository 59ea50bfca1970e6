//! History of a commit, from `git log` and `git blame`.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;

use super::{Git, GitError, Snapshot, checked};
use crate::names::printable;
use crate::process::Command;

/// A commit that can be reached from the snapshot's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Full object name.
    pub id: String,
    pub author: String,
    /// The author's, ISO 8601.
    pub date: String,
    /// First line of the message.
    pub subject: String,
}

/// How often a file was touched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    pub commits: u32,
    /// Date of the newest commit, ISO 8601.
    pub last: String,
}

/// Who last wrote a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Starts at 1.
    pub line: u32,
    pub commit: String,
    pub author: String,
    /// The author's, ISO 8601.
    pub date: String,
}

/// Longest author and subject, in characters; longer ones are cut.
const MAX_AUTHOR: usize = 100;
const MAX_SUBJECT: usize = 500;

/// Commits that are looked at for what changed; enough for years of most repositories.
const MAX_COMMITS: u32 = 20_000;

impl Snapshot {
    /// At most `limit` commits, newest first, of one file or folder or of all, committed on `since`
    /// or later.
    ///
    /// # Errors
    /// Git failed or took longer than `timeout`; so do the functions below.
    pub fn commits(
        &self,
        git: &Git,
        path: Option<&str>,
        since: Option<Date>,
        limit: usize,
        timeout: Duration,
    ) -> Result<Vec<Commit>, GitError> {
        let call = self
            .log(git, since, timeout)
            .arg("--format=%H%x00%an%x00%as%x00%s")
            .arg(format!("--max-count={limit}"))
            .arg(&self.commit)
            .arg("--")
            .args(path);
        Ok(parse_commits(&checked("log", &call)?.stdout))
    }

    /// Files that commits on `since` or later touched, also files that are gone; and whether there
    /// were more commits than are looked at.
    pub fn changed_files(
        &self,
        git: &Git,
        since: Option<Date>,
        timeout: Duration,
    ) -> Result<(BTreeMap<String, Changed>, bool), GitError> {
        let call = self
            .log(git, since, timeout)
            .args([
                "--format=%x01%as",
                "--name-only",
                "--no-renames",
                "--no-ext-diff",
                "--no-textconv",
            ])
            .arg(format!("--max-count={MAX_COMMITS}"))
            .arg(&self.commit)
            .arg("--");
        let finished = checked("log", &call)?;
        let (changed, commits) = parse_changed(&finished.stdout);
        Ok((changed, finished.truncated || commits >= MAX_COMMITS))
    }

    /// Who last wrote these lines of a file, in the order of the lines; lines it does not have are
    /// left out.
    pub fn origins(
        &self,
        git: &Git,
        path: &str,
        lines: &[u32],
        timeout: Duration,
    ) -> Result<Vec<Origin>, GitError> {
        let blame = |lines: &[u32]| {
            let mut call = self
                .call(git)
                .args(["-c", "blame.ignoreRevsFile="])
                .args(["blame", "--porcelain", "--no-textconv"])
                .timeout(timeout);
            for line in lines {
                call = call.arg(format!("-L{line},{line}"));
            }
            checked("blame", &call.arg(&self.commit).arg("--").arg(path))
        };
        let finished = match blame(lines) {
            Err(GitError::Failed { message, .. }) if has_only(&message).is_some() => {
                let last = has_only(&message).unwrap_or(0);
                let there: Vec<_> = lines.iter().copied().filter(|line| *line <= last).collect();
                if there.is_empty() {
                    return Ok(Vec::new());
                }
                blame(&there)?
            }
            other => other?,
        };
        Ok(parse_blame(&String::from_utf8_lossy(&finished.stdout)))
    }

    fn log(&self, git: &Git, since: Option<Date>, timeout: Duration) -> Command {
        let call = self
            .call(git)
            .args(["log", "-z", "--no-show-signature"])
            .timeout(timeout);
        match since {
            Some(date) => call.arg(format!("--since={date}T00:00:00Z")),
            None => call,
        }
    }
}

/// The number in `fatal: file PATH has only 3 lines`.
fn has_only(message: &str) -> Option<u32> {
    let (_, count) = message
        .strip_prefix("fatal: file ")?
        .rsplit_once(" has only ")?;
    count.split(' ').next()?.parse().ok()
}

fn fields(output: &[u8]) -> impl Iterator<Item = &[u8]> {
    output
        .strip_suffix(b"\0")
        .unwrap_or(output)
        .split(|byte| *byte == 0)
}

fn shown(text: &str, most: usize) -> String {
    printable(&text.chars().take(most).collect::<String>())
}

fn parse_commits(output: &[u8]) -> Vec<Commit> {
    let fields: Vec<_> = fields(output).map(String::from_utf8_lossy).collect();
    fields
        .chunks_exact(4)
        .map(|commit| Commit {
            id: commit[0].to_string(),
            author: shown(&commit[1], MAX_AUTHOR),
            date: commit[2].to_string(),
            subject: shown(&commit[3], MAX_SUBJECT),
        })
        .collect()
}

/// `\x01DATE`, then the names, the first of them behind a line break. Also counts the commits.
fn parse_changed(output: &[u8]) -> (BTreeMap<String, Changed>, u32) {
    let mut commits = 0;
    let mut changed = BTreeMap::<String, Changed>::new();
    let mut date = String::new();
    let mut after_head = false;
    for field in fields(output) {
        let name = match field {
            [b'\n', name @ ..] if after_head => name,
            [1, head @ ..] => {
                date = String::from_utf8_lossy(head).into_owned();
                after_head = true;
                commits += 1;
                continue;
            }
            name => name,
        };
        after_head = false;
        let Some(name) = std::str::from_utf8(name)
            .ok()
            .filter(|name| !name.is_empty())
        else {
            continue;
        };
        match changed.get_mut(name) {
            Some(file) => {
                file.commits += 1;
                if date > file.last {
                    file.last.clone_from(&date);
                }
            }
            None => {
                changed.insert(
                    name.to_owned(),
                    Changed {
                        commits: 1,
                        last: date.clone(),
                    },
                );
            }
        }
    }
    (changed, commits)
}

/// Git's porcelain: `OBJECT ORIGINAL FINAL [COUNT]`, details the first time a commit is named, and the
/// line behind a tab.
fn parse_blame(output: &str) -> Vec<Origin> {
    #[derive(Default, Clone)]
    struct Details {
        author: String,
        seconds: i64,
        offset: i32,
    }
    let mut commits = BTreeMap::<&str, Details>::new();
    let mut origins = Vec::new();
    let mut current = None;
    for line in output.split('\n') {
        if line.starts_with('\t') {
            if let Some((id, line)) = current.take() {
                origins.push((id, line));
            }
            continue;
        }
        let Some((id, _)) = current else {
            let mut head = line.split(' ');
            if let (Some(id), Some(line)) = (head.next(), head.nth(1).and_then(|n| n.parse().ok()))
            {
                commits.entry(id).or_default();
                current = Some((id, line));
            }
            continue;
        };
        let details = commits.entry(id).or_default();
        match line.split_once(' ') {
            Some(("author", author)) => details.author = shown(author, MAX_AUTHOR),
            Some(("author-time", time)) => details.seconds = time.parse().unwrap_or(0),
            Some(("author-tz", zone)) => details.offset = zone.parse().unwrap_or(0),
            _ => {}
        }
    }
    origins
        .into_iter()
        .map(|(id, line)| {
            let details = &commits[id];
            Origin {
                line,
                commit: id.to_owned(),
                author: details.author.clone(),
                date: date_of(details.seconds, details.offset),
            }
        })
        .collect()
}

/// `offset` as git writes it: `+0130` is one hour and a half.
fn date_of(seconds: i64, offset: i32) -> String {
    let offset = (offset / 100 * 60 + offset % 100) * 60;
    let offset = Offset::from_seconds(offset).unwrap_or(Offset::UTC);
    let time = Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH);
    offset.to_datetime(time).date().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commits_of_four_fields() {
        let commits =
            parse_commits(b"aa\0Ann\x002026-11-22\0one\x1b[31m\0bb\0Bob\x002026-11-21\0\0");
        assert_eq!(commits.len(), 2);
        assert_eq!(commits[0].subject, "one\\u{1b}[31m");
        assert_eq!(
            (commits[1].author.as_str(), commits[1].subject.as_str()),
            ("Bob", "")
        );
        assert_eq!(parse_commits(b""), []);
    }

    #[test]
    fn touched_files() {
        let (changed, commits) = parse_changed(
            b"\x012026-11-22\0\na.txt\0dir/b\0\x012026-11-25\0\x012026-11-20\0\na.txt\0",
        );
        assert_eq!(
            changed["a.txt"],
            Changed {
                commits: 2,
                last: "2026-11-22".into()
            }
        );
        assert_eq!(changed["dir/b"].commits, 1);
        assert_eq!(commits, 3);
        assert_eq!(parse_changed(b""), (BTreeMap::new(), 0));
    }

    #[test]
    fn blame_names_each_commit_once() {
        let text = "d9b9 2 2 1\nauthor N M\nauthor-time 1795304400\nauthor-tz +0130\nsummary two\n\
                    filename x\n\tauthor nobody\nd9b9 7 9 1\n\tB\n3496 3 3\nauthor O\nauthor-time 0\n\
                    author-tz -0100\n\tc\n";
        let origins = parse_blame(text);
        let shown: Vec<_> = origins
            .iter()
            .map(|o| {
                (
                    o.line,
                    o.commit.as_str(),
                    o.author.as_str(),
                    o.date.as_str(),
                )
            })
            .collect();
        assert_eq!(
            shown,
            [
                (2, "d9b9", "N M", "2026-11-22"),
                (9, "d9b9", "N M", "2026-11-22"),
                (3, "3496", "O", "1969-12-31"),
            ]
        );
    }

    #[test]
    fn lines_a_file_has() {
        assert_eq!(has_only("fatal: file a has only 3 lines"), Some(3));
        assert_eq!(has_only("fatal: file a has only 1 line"), Some(1));
        assert_eq!(has_only("fatal: no such path"), None);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_no_panic(bytes: Vec<u8>, text: String) {
            let _ = (parse_commits(&bytes), parse_changed(&bytes), parse_blame(&text));
        }
    }
}
