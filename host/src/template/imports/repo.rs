//! `repo`: the target repository at one commit, tracked plain files and history.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use jiff::ToSpan;
use jiff::civil::Date;

use super::globs::Globs;
use super::{Access, Failure, State, Work, failure, search};
use crate::git::{Entry, Files, Git, GitError, Snapshot, Tree};
use crate::names::printable;
use crate::process::ProcessError;
use crate::template::bindings::changelings::template::repo::{
    ChangedFile, ChangedFileList, Commit, CommitList, File, FileList, FileText, Host, Origin,
    OriginList, Place, Skipped, TextMatch, TextMatchList,
};
use crate::ui::text::{Cut, shorten};

/// Most items of one answer, whatever limit was asked for.
const MAX_FILES: usize = 100_000;
const MAX_MATCHES: usize = 10_000;
const MAX_COMMITS: usize = 10_000;
const MAX_CHANGED: usize = 20_000;
const MAX_SKIPPED: usize = 1_000;
const MAX_PLACES: usize = 200;

/// Most bytes of paths in one answer.
const MAX_PATHS: usize = 16 << 20;

/// Most bytes `read` answers.
const MAX_READ: u32 = 4 << 20;

/// Origins by path and line.
type Origins<'a> = BTreeMap<(&'a str, u32), Origin>;

/// Time for all the blaming of one call.
const ORIGINS_TIME: Duration = Duration::from_secs(20);

/// What a guest with `repo:read` gets to see.
pub(in crate::template) struct Repo {
    snapshot: Snapshot,
    git: Git,
    /// What "the last days" count from.
    today: Date,
    tree: Option<Arc<Tree>>,
    /// Readers that were opened and are not in use.
    idle: Mutex<Vec<Files>>,
    /// Files that were not looked at, with the reason, by path.
    pub(in crate::template) skipped: BTreeMap<String, String>,
}

impl Repo {
    pub(in crate::template) fn new(snapshot: Snapshot, git: Git, today: Date) -> Self {
        Self {
            snapshot,
            git,
            today,
            tree: None,
            idle: Mutex::default(),
            skipped: BTreeMap::new(),
        }
    }

    /// The commit's files, asked for once.
    fn tree(&mut self, work: &Work) -> Result<Arc<Tree>, Failure> {
        if let Some(tree) = &self.tree {
            return Ok(Arc::clone(tree));
        }
        let tree = Arc::new(
            self.snapshot
                .tree(&self.git, work.left())
                .map_err(unavailable)?,
        );
        self.tree = Some(Arc::clone(&tree));
        Ok(tree)
    }

    /// Lends a reader of files, opened before or now. One that failed is not used again: a
    /// conversation that broke off cannot go on.
    fn lend<T>(&self, read: impl FnOnce(&mut Files) -> Result<T, Failure>) -> Result<T, Failure> {
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let lent = idle().pop();
        let mut files = match lent {
            Some(files) => files,
            None => self.snapshot.files(&self.git).map_err(unavailable)?,
        };
        let result = read(&mut files)?;
        idle().push(files);
        Ok(result)
    }

    fn files(&mut self, globs: &[String], limit: u32, work: &Work) -> Result<FileList, Failure> {
        let limit = clamp(limit, MAX_FILES);
        let globs = Globs::new(globs)?;
        let tree = self.tree(work)?;
        let mut wanted = tree.entries.iter().filter(|entry| globs.want(&entry.path));
        let first: Vec<&Entry> = wanted.by_ref().take(limit).collect();
        let mut truncated = wanted.next().is_some();
        let sizes: Vec<Option<u64>> = match first.first() {
            // Only a checkout has to be asked.
            Some(entry) if entry.size.is_none() => {
                self.lend(|files| Ok(first.iter().map(|entry| files.size(entry)).collect()))?
            }
            _ => first.iter().map(|entry| entry.size).collect(),
        };
        let mut items = Vec::with_capacity(first.len());
        let mut skipped = left(&tree);
        let mut room = MAX_PATHS;
        for (entry, size) in first.into_iter().zip(sizes) {
            let Some(left) = room.checked_sub(entry.path.len()) else {
                truncated = true;
                break;
            };
            room = left;
            match size {
                Some(size) => items.push(File {
                    path: entry.path.clone(),
                    size,
                }),
                None => skipped.push(skip(&entry.path, "unreadable")),
            }
        }
        let skipped = self.skip(skipped);
        Ok(FileList {
            items,
            truncated,
            skipped,
        })
    }

    fn read(&mut self, path: &str, max_bytes: u32, work: &Work) -> Result<FileText, Failure> {
        check_path(path)?;
        let tree = self.tree(work)?;
        let entry = tree.get(path).ok_or_else(|| no_file(path))?;
        let max = max_bytes.min(MAX_READ);
        // Room for the rest of a character that the limit cuts, and enough to see that it is binary.
        let beginning = self.lend(|files| {
            let beginning = files.beginning(entry, u64::from(max) + 8_192);
            beginning.map_err(unavailable)
        })?;
        let (bytes, more) = beginning.ok_or_else(|| no_file(path))?;
        if search::is_binary(&bytes) {
            return Err(failure(
                "binary",
                format!("`{}` is binary", printable(path)),
            ));
        }
        let max = usize::try_from(max).unwrap_or(usize::MAX);
        let truncated = more || bytes.len() > max;
        Ok(FileText {
            text: text_of(&bytes, max),
            truncated,
        })
    }

    fn search(
        &mut self,
        pattern: &str,
        globs: &[String],
        limit: u32,
        work: &Work,
    ) -> Result<TextMatchList, Failure> {
        let limit = clamp(limit, MAX_MATCHES);
        let globs = Globs::new(globs)?;
        let matcher = search::matcher(pattern)?;
        let tree = self.tree(work)?;
        let files: Vec<&Entry> = tree
            .entries
            .iter()
            .filter(|entry| globs.want(&entry.path))
            .collect();
        let found = search::search(&matcher, &files, limit, work.deadline, |search| {
            self.lend(|files| search(files))
        })?;
        let mut skipped = left(&tree);
        skipped.extend(
            found
                .skipped
                .iter()
                .map(|(file, reason)| skip(&files[*file].path, reason)),
        );
        let items = found
            .matches
            .into_iter()
            .map(|found| TextMatch {
                path: files[found.file].path.clone(),
                line: found.line,
                text: found.text,
            })
            .collect();
        let skipped = self.skip(skipped);
        Ok(TextMatchList {
            items,
            truncated: found.truncated,
            skipped,
        })
    }

    fn commits(
        &mut self,
        path: Option<&str>,
        since_days: u32,
        limit: u32,
        work: &Work,
    ) -> Result<CommitList, Failure> {
        if let Some(path) = path {
            check_path(path)?;
        }
        let limit = clamp(limit, MAX_COMMITS);
        let since = self.since(since_days);
        let mut commits = self
            .snapshot
            .commits(&self.git, path, since, limit + 1, work.left())
            .map_err(unavailable)?;
        let truncated = commits.len() > limit;
        commits.truncate(limit);
        let items = commits
            .into_iter()
            .map(|commit| Commit {
                id: commit.id,
                author: commit.author,
                date: commit.date,
                subject: commit.subject,
            })
            .collect();
        Ok(CommitList { items, truncated })
    }

    fn changed_files(&mut self, since_days: u32, work: &Work) -> Result<ChangedFileList, Failure> {
        let since = self.since(since_days);
        let tree = self.tree(work)?;
        let (changed, more) = self
            .snapshot
            .changed_files(&self.git, since, work.left())
            .map_err(unavailable)?;
        let mut items: Vec<_> = changed
            .into_iter()
            .filter(|(path, _)| tree.get(path).is_some())
            .map(|(path, file)| ChangedFile {
                path,
                commits: file.commits,
                last_changed: file.last,
            })
            .collect();
        // Stable: by path among equals.
        items.sort_by_key(|file| std::cmp::Reverse(file.commits));
        let truncated = more || items.len() > MAX_CHANGED;
        items.truncate(MAX_CHANGED);
        Ok(ChangedFileList { items, truncated })
    }

    fn origins(&mut self, places: &[Place], work: &Work) -> Result<OriginList, Failure> {
        if places.len() > MAX_PLACES {
            let message = format!("{} places; at most {MAX_PLACES} a call", places.len());
            return Err(failure("invalid-argument", message));
        }
        let tree = self.tree(work)?;
        let mut files = BTreeMap::<&str, Vec<u32>>::new();
        for place in places {
            check_path(&place.path)?;
            if place.line > 0 && tree.get(&place.path).is_some() {
                files.entry(&place.path).or_default().push(place.line);
            }
        }
        for lines in files.values_mut() {
            lines.sort_unstable();
            lines.dedup();
        }
        let files: Vec<_> = files.into_iter().collect();
        let deadline = work.deadline.min(Instant::now() + ORIGINS_TIME);
        let (origins, truncated) = self.blame(&files, deadline)?;
        let items = places
            .iter()
            .filter_map(|place| origins.get(&(place.path.as_str(), place.line)).cloned())
            .collect();
        Ok(OriginList { items, truncated })
    }

    /// Blames the lines of each file, several files at a time: git takes a while to start and to walk
    /// a history. What is not done at the deadline is left out.
    fn blame<'a>(
        &self,
        files: &[(&'a str, Vec<u32>)],
        deadline: Instant,
    ) -> Result<(Origins<'a>, bool), Failure> {
        let next = AtomicUsize::new(0);
        let work = || {
            let mut origins = Vec::new();
            let mut truncated = false;
            while let Some((path, lines)) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                let left = deadline.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    truncated = true;
                    break;
                }
                match self.snapshot.origins(&self.git, path, lines, left) {
                    Ok(found) => origins.extend(found.into_iter().map(|origin| {
                        let origin = Origin {
                            path: (*path).to_owned(),
                            line: origin.line,
                            commit: origin.commit,
                            author: origin.author,
                            date: origin.date,
                        };
                        ((*path, origin.line), origin)
                    })),
                    Err(GitError::Process(ProcessError::TimedOut { .. })) => truncated = true,
                    Err(error) => return Err(unavailable(error)),
                }
            }
            Ok((origins, truncated))
        };
        let threads = thread::available_parallelism()
            .map_or(2, usize::from)
            .clamp(2, 8);
        thread::scope(|scope| {
            let threads: Vec<_> = (0..threads.min(files.len()))
                .map(|_| scope.spawn(work))
                .collect();
            let mut origins = Origins::new();
            let mut truncated = false;
            for thread in threads {
                let answer = thread.join();
                let (found, cut) =
                    answer.unwrap_or_else(|_| Err(failure("unavailable", "git blame failed")))?;
                origins.extend(found);
                truncated |= cut;
            }
            Ok((origins, truncated))
        })
    }

    fn since(&self, days: u32) -> Option<Date> {
        (days > 0).then(|| self.today.saturating_sub(i64::from(days).days()))
    }

    /// Remembers what was skipped, for the person who reads the plan, and bounds the list.
    fn skip(&mut self, mut skipped: Vec<Skipped>) -> Vec<Skipped> {
        skipped.sort_by(|a, b| a.path.cmp(&b.path));
        skipped.truncate(MAX_SKIPPED);
        for file in &skipped {
            if self.skipped.len() < MAX_SKIPPED {
                self.skipped.insert(file.path.clone(), file.reason.clone());
            }
        }
        skipped
    }
}

fn clamp(limit: u32, most: usize) -> usize {
    usize::try_from(limit).map_or(most, |limit| limit.min(most))
}

fn skip(path: &str, reason: &str) -> Skipped {
    Skipped {
        path: path.to_owned(),
        reason: reason.to_owned(),
    }
}

fn left(tree: &Tree) -> Vec<Skipped> {
    tree.left
        .iter()
        .take(MAX_SKIPPED)
        .map(|left| skip(&left.path, left.reason))
        .collect()
}

fn no_file(path: &str) -> Failure {
    failure(
        "not-found",
        format!("`{}` is no tracked plain file", printable(path)),
    )
}

#[expect(clippy::needless_pass_by_value, reason = "reads well in `map_err`")]
fn unavailable(error: GitError) -> Failure {
    let code = match &error {
        GitError::Process(ProcessError::TimedOut { .. }) => "timed-out",
        _ => "unavailable",
    };
    failure(code, error.to_string())
}

/// A path below the root, as git writes it.
fn check_path(path: &str) -> Result<(), Failure> {
    let plain = |part: &str| !matches!(part, "" | "." | "..");
    if path.len() <= 4_096 && !path.contains('\0') && path.split('/').all(plain) {
        return Ok(());
    }
    let shown: String = path.chars().take(100).collect();
    let message = format!(
        "`{}` is no path below the repository's root",
        printable(&shown)
    );
    Err(failure("invalid-argument", message))
}

/// The first `max` bytes as text, without a character that is cut by the limit.
fn text_of(bytes: &[u8], max: usize) -> String {
    let mut end = bytes.len().min(max);
    if end < bytes.len() {
        // At most three steps back to the first byte of a character.
        let is_inside = |index: usize| bytes[index] & 0b1100_0000 == 0b1000_0000;
        let start = end;
        while end > 0 && start - end < 3 && is_inside(end) {
            end -= 1;
        }
    }
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}

impl State {
    /// Serves one call, if the permission is there.
    fn ask_repo<T>(
        &mut self,
        question: impl FnOnce() -> String,
        ask: impl FnOnce(&mut Repo, &Work) -> Result<T, Failure>,
        count: impl FnOnce(&T) -> String,
    ) -> wasmtime::Result<Result<T, Failure>> {
        let work = match self.begin()? {
            Ok(work) => work,
            Err(failure) => return Ok(Err(failure)),
        };
        let answer = self.repo.get("repo:read").and_then(|repo| ask(repo, &work));
        if !matches!(self.repo, Access::Describing) {
            let told = answer
                .as_ref()
                .map_or_else(|failure| failure.code.clone(), count);
            self.note(question(), told, &work);
        }
        Ok(answer)
    }
}

type Answer<T> = wasmtime::Result<Result<T, Failure>>;

impl Host for State {
    async fn files(&mut self, globs: Vec<String>, limit: u32) -> Answer<FileList> {
        self.ask_repo(
            || format!("files{}", among(&globs)),
            |repo, work| repo.files(&globs, limit, work),
            |list| counted(list.items.len(), "files", list.truncated),
        )
    }

    async fn read(&mut self, path: String, max_bytes: u32) -> Answer<FileText> {
        self.ask_repo(
            || format!("read {}", shortened(&path)),
            |repo, work| repo.read(&path, max_bytes, work),
            |text| counted(text.text.len(), "bytes", text.truncated),
        )
    }

    async fn search(
        &mut self,
        pattern: String,
        globs: Vec<String>,
        limit: u32,
    ) -> Answer<TextMatchList> {
        self.ask_repo(
            || format!("lines with `{}`{}", shortened(&pattern), among(&globs)),
            |repo, work| repo.search(&pattern, &globs, limit, work),
            |list| counted(list.items.len(), "matches", list.truncated),
        )
    }

    async fn commits(
        &mut self,
        path: Option<String>,
        since_days: u32,
        limit: u32,
    ) -> Answer<CommitList> {
        self.ask_repo(
            || format!("commits{}{}", of(path.as_deref()), last(since_days)),
            |repo, work| repo.commits(path.as_deref(), since_days, limit, work),
            |list| counted(list.items.len(), "commits", list.truncated),
        )
    }

    async fn changed_files(&mut self, since_days: u32) -> Answer<ChangedFileList> {
        self.ask_repo(
            || format!("changed files{}", last(since_days)),
            |repo, work| repo.changed_files(since_days, work),
            |list| counted(list.items.len(), "files", list.truncated),
        )
    }

    async fn origins(&mut self, places: Vec<Place>) -> Answer<OriginList> {
        self.ask_repo(
            || format!("who wrote {} lines, and when", places.len()),
            |repo, work| repo.origins(&places, work),
            |list| counted(list.items.len(), "origins", list.truncated),
        )
    }
}

fn counted(count: usize, what: &str, truncated: bool) -> String {
    format!("{count} {what}{}", if truncated { " (cut)" } else { "" })
}

fn shortened(text: &str) -> String {
    printable(&shorten(text, 50, Cut::End))
}

/// Where it looked. Long lists of patterns tell a person nothing but how many they are.
fn among(globs: &[String]) -> String {
    // One pattern can hold many: `**/{a,b,c}`.
    let counted = |out: bool| -> usize {
        let globs = globs.iter().filter(|glob| glob.starts_with('!') == out);
        globs.map(|glob| glob.matches(',').count() + 1).sum()
    };
    match (counted(false), counted(true)) {
        (0, 0) => String::new(),
        (within, without) if within + without <= 3 => {
            format!(" in {}", shortened(&globs.join(" ")))
        }
        (within, 0) => format!(" that fit {within} patterns"),
        (0, without) => format!(", but for {without} patterns of paths"),
        (within, without) => format!(" that fit {within} patterns and not {without} others"),
    }
}

fn of(path: Option<&str>) -> String {
    path.map(|path| format!(" of {}", shortened(path)))
        .unwrap_or_default()
}

fn last(days: u32) -> String {
    if days == 0 {
        String::new()
    } else {
        format!(" of the last {days} days")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_below_the_root() {
        for good in ["a", "a/b.c", "..a", "a/...", "-x", "a b"] {
            assert!(check_path(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "/etc/passwd",
            "../x",
            "a/../b",
            "a//b",
            "a/",
            "./a",
            "a\0b",
        ] {
            assert_eq!(
                check_path(bad).unwrap_err().code,
                "invalid-argument",
                "{bad}"
            );
        }
    }

    #[test]
    fn long_lists_of_patterns_are_counted() {
        let among = |globs: &[&str]| {
            let globs: Vec<String> = globs.iter().map(|glob| (*glob).to_owned()).collect();
            super::among(&globs)
        };
        assert_eq!(among(&[]), "");
        assert_eq!(among(&["src/**", "*.{c,h}"]), " in src/** *.{c,h}");
        assert_eq!(among(&["**/{a,b,c,d}"]), " that fit 4 patterns");
        assert_eq!(
            among(&["!**/{a,b,c}/**", "*.{c,h}"]),
            " that fit 2 patterns and not 3 others"
        );
    }

    #[test]
    fn text_ends_at_a_character() {
        assert_eq!(text_of("aäb".as_bytes(), 2), "a");
        assert_eq!(text_of("aäb".as_bytes(), 3), "aä");
        assert_eq!(text_of("aäb".as_bytes(), 9), "aäb");
        assert_eq!(text_of("a😀".as_bytes(), 4), "a");
        assert_eq!(text_of(b"a\xffb", 3), "a\u{fffd}b");
        assert_eq!(text_of("abc".as_bytes(), 0), "");
    }

    proptest::proptest! {
        #[test]
        fn any_limit_gives_a_beginning(text: String, max in 0usize..40) {
            let cut = text_of(text.as_bytes(), max);
            proptest::prop_assert!(text.starts_with(&cut) && cut.len() <= max);
            proptest::prop_assert!(cut.len() + 4 > max.min(text.len()));
        }
    }
}
