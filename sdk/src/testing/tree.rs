//! Repositories with a dated history, made from a committed folder and a small script.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use globset::Glob;

use super::Fixture;
use crate::native::Git;

/// Files in their final state and the script of how they came about.
///
/// On disk it is a folder with `tree/` (the files) and `history.txt`, one commit a line, oldest
/// first:
///
/// ```text
/// # date | author | subject | what arrives
/// 2021-03-04 | Ada Lovelace | Start the parser | Cargo.toml src/**
/// 2024-05-01 | Bob Byrne | Handle quotes | src/parser.rs:40-45 src/parser.rs~FIXME tests/**
/// ```
///
/// What arrives is a glob of whole files, lines of one file by their final numbers (`:40-45`), or
/// the lines of one file that hold a word (`~FIXME`). Lines arrive with the first commit that names
/// them, the rest of a file with the first commit whose glob matches; files that none matches
/// arrive with the last commit. So each line's blame is the commit the script says. A commit with
/// which nothing arrives, because an edit took it away, is left out.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    files: BTreeMap<String, Vec<u8>>,
    history: String,
}

impl Tree {
    /// Reads `folder/tree/` and `folder/history.txt`; without the latter all is one commit.
    ///
    /// # Panics
    /// The folder cannot be read.
    pub fn load(folder: impl AsRef<Path>) -> Self {
        let folder = folder.as_ref();
        let mut tree = Self {
            history: std::fs::read_to_string(folder.join("history.txt")).unwrap_or_default(),
            ..Self::default()
        };
        let root = folder.join("tree");
        let mut folders = vec![root.clone()];
        while let Some(next) = folders.pop() {
            let entries = std::fs::read_dir(&next)
                .unwrap_or_else(|error| panic!("cannot read {}: {error}", next.display()));
            for path in entries.flatten().map(|entry| entry.path()) {
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let bytes = std::fs::read(&path)
                        .unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
                    tree.files.insert(relative(&path, &root), bytes);
                }
            }
        }
        tree
    }

    /// No file yet.
    pub fn empty() -> Self {
        Self::default()
    }

    /// Adds or replaces a file.
    #[must_use]
    pub fn write(mut self, path: &str, content: impl AsRef<[u8]>) -> Self {
        self.files
            .insert(path.to_owned(), content.as_ref().to_vec());
        self
    }

    /// Replaces a piece of text in a file, everywhere in it.
    ///
    /// # Panics
    /// The file does not exist, is not text or does not contain it: the test would show nothing.
    #[must_use]
    #[track_caller]
    pub fn replace(mut self, path: &str, from: &str, to: &str) -> Self {
        let bytes = self
            .files
            .get_mut(path)
            .unwrap_or_else(|| panic!("no file {path}"));
        let text = String::from_utf8(std::mem::take(bytes))
            .unwrap_or_else(|_| panic!("{path} is not text"));
        assert!(text.contains(from), "{path} does not contain `{from}`");
        *bytes = text.replace(from, to).into_bytes();
        self
    }

    /// Moves a file.
    ///
    /// # Panics
    /// It does not exist.
    #[must_use]
    #[track_caller]
    pub fn rename(mut self, from: &str, to: &str) -> Self {
        let content = self
            .files
            .remove(from)
            .unwrap_or_else(|| panic!("no file {from}"));
        self.files.insert(to.to_owned(), content);
        self
    }

    /// Takes a file, or all files under a folder, away.
    ///
    /// # Panics
    /// There is none.
    #[must_use]
    #[track_caller]
    pub fn remove(mut self, path: &str) -> Self {
        let before = self.files.len();
        let folder = format!("{path}/");
        self.files
            .retain(|file, _| file != path && !file.starts_with(&folder));
        assert!(self.files.len() < before, "nothing at {path}");
        self
    }

    /// Adds a line to the history, `2024-05-01 | Bob Byrne | Handle quotes | src/**`.
    #[must_use]
    pub fn then(mut self, commit: &str) -> Self {
        if !self.history.is_empty() && !self.history.ends_with('\n') {
            self.history.push('\n');
        }
        self.history.push_str(commit);
        self.history.push('\n');
        self
    }

    /// Makes the repository, in a temporary folder that lives as long as the fixture. The same
    /// tree gives the same commit ids everywhere.
    ///
    /// # Panics
    /// The history makes no sense, or git fails.
    #[track_caller]
    pub fn commit(&self) -> Fixture {
        let folder = tempfile::Builder::new()
            .prefix("changelings-fixture-")
            .tempdir()
            .expect("a temporary folder can be made");
        self.commit_into(folder.path());
        Fixture::temporary(folder)
    }

    /// As `commit`, in an existing empty folder, which stays.
    ///
    /// # Panics
    /// The history makes no sense, or git fails.
    #[track_caller]
    pub fn commit_into(&self, folder: &Path) {
        let commits = self.commits();
        let stream = self.fast_import(&commits);
        let git = Git::at(folder);
        let steps: [(&[&str], Option<Vec<u8>>); 3] = [
            (&["init", "--quiet", "--initial-branch=main", "."], None),
            (
                &["fast-import", "--quiet", "--date-format=raw"],
                Some(stream),
            ),
            (&["reset", "--quiet", "--hard", "main"], None),
        ];
        for (args, input) in steps {
            git.run_with(args, input)
                .unwrap_or_else(|failure| panic!("{failure}"));
        }
    }

    fn commits(&self) -> Vec<Commit> {
        let mut commits: Vec<Commit> = self
            .history
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .map(Commit::parse)
            .collect();
        if commits.is_empty() {
            commits.push(Commit::parse(
                "2025-01-02 | Ada Lovelace | Add everything | **",
            ));
        }
        assert!(
            commits.is_sorted_by_key(|commit| commit.date),
            "the history is not in order of dates"
        );
        commits
    }

    /// All commits as one stream for `git fast-import`.
    fn fast_import(&self, commits: &[Commit]) -> Vec<u8> {
        let arrivals: BTreeMap<&str, Vec<usize>> = self
            .files
            .iter()
            .map(|(path, content)| (path.as_str(), arrivals(path, content, commits)))
            .collect();
        let mut stream = Vec::new();
        for (number, commit) in commits.iter().enumerate() {
            let mut changes: Vec<u8> = Vec::new();
            for (path, content) in &self.files {
                let arrivals = &arrivals[path.as_str()];
                if !arrivals.contains(&number) {
                    continue;
                }
                let so_far: Vec<u8> = lines_of(content)
                    .zip(arrivals)
                    .filter(|(_, arrival)| **arrival <= number)
                    .flat_map(|(line, _)| line.to_vec())
                    .collect();
                let header = format!("M 100644 inline {}\ndata {}\n", quoted(path), so_far.len());
                changes.extend(header.bytes().chain(so_far).chain(*b"\n"));
            }
            if !changes.is_empty() {
                commit.write_header(&mut stream);
                stream.append(&mut changes);
            }
        }
        stream
    }
}

#[derive(Debug)]
struct Commit {
    date: crate::Date,
    author: String,
    subject: String,
    whole: Vec<globset::GlobMatcher>,
    lines: Vec<(String, Lines)>,
}

/// Some lines of a file.
#[derive(Debug)]
enum Lines {
    Numbers(std::ops::RangeInclusive<usize>),
    Holding(String),
}

impl Lines {
    fn contain(&self, number: usize, line: &[u8]) -> bool {
        match self {
            Self::Numbers(numbers) => numbers.contains(&number),
            Self::Holding(word) => String::from_utf8_lossy(line).contains(word.as_str()),
        }
    }
}

impl Commit {
    fn parse(line: &str) -> Self {
        let wrong = |what: &str| -> ! { panic!("history: {what} in: {line}") };
        let fields: Vec<&str> = line.split('|').map(str::trim).collect();
        let [date, author, subject, arriving] = fields[..] else {
            wrong("there are not four fields");
        };
        let mut commit = Self {
            date: crate::Date::parse(date).unwrap_or_else(|| wrong("no date")),
            author: author.to_owned(),
            subject: subject.to_owned(),
            whole: Vec::new(),
            lines: Vec::new(),
        };
        for what in arriving.split_whitespace() {
            if let Some((path, word)) = what.split_once('~') {
                let lines = Lines::Holding(word.to_owned());
                commit.lines.push((path.to_owned(), lines));
            } else if let Some((path, range)) = what.rsplit_once(':') {
                let (from, to) = range.split_once('-').unwrap_or((range, range));
                let (Ok(from), Ok(to)) = (from.parse(), to.parse()) else {
                    wrong("no line numbers");
                };
                commit
                    .lines
                    .push((path.to_owned(), Lines::Numbers(from..=to)));
            } else {
                let glob = Glob::new(what).unwrap_or_else(|_| wrong("no glob"));
                commit.whole.push(glob.compile_matcher());
            }
        }
        commit
    }

    fn write_header(&self, stream: &mut Vec<u8>) {
        let Self {
            author, subject, ..
        } = self;
        let email = author.to_lowercase().replace(' ', ".");
        let noon = self.date.day_number() * 86_400 + 43_200;
        let person = format!("{author} <{email}@example.org> {noon} +0000");
        let header = format!(
            "commit refs/heads/main\nauthor {person}\ncommitter {person}\ndata {}\n{subject}\n",
            subject.len()
        );
        stream.extend(header.bytes());
    }
}

/// For each line of the file the number of the commit it arrives with.
fn arrivals(path: &str, content: &[u8], commits: &[Commit]) -> Vec<usize> {
    let whole = commits
        .iter()
        .position(|commit| commit.whole.iter().any(|glob| glob.is_match(path)))
        .unwrap_or(commits.len() - 1);
    (1..)
        .zip(lines_of(content))
        .map(|(number, line)| {
            let named = commits.iter().position(|commit| {
                commit
                    .lines
                    .iter()
                    .any(|(file, lines)| file == path && lines.contain(number, line))
            });
            named.unwrap_or(whole)
        })
        .collect()
}

/// Lines with their ends; an empty file is one empty line, so that it arrives too.
fn lines_of(content: &[u8]) -> impl Iterator<Item = &[u8]> {
    let empty = content.is_empty().then_some(content);
    content.split_inclusive(|&byte| byte == b'\n').chain(empty)
}

fn relative(path: &Path, root: &PathBuf) -> String {
    let relative = path.strip_prefix(root).unwrap_or(path);
    relative
        .to_string_lossy()
        .replace(std::path::MAIN_SEPARATOR, "/")
}

/// As fast-import wants it.
fn quoted(path: &str) -> String {
    format!(
        "\"{}\"",
        path.replace('\\', "\\\\")
            .replace('"', "\\\"")
            .replace('\n', "\\n")
    )
}

#[cfg(test)]
mod tests;
