//! The history of a commit, as a guest gets to see it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use jiff::ToSpan;
use jiff::civil::Date;

use super::{Failure, Repo, Work, check_path, clamp, failure, unavailable};
use crate::git::GitError;
use crate::process::ProcessError;
use crate::template::bindings::changelings::template::repo::{
    ChangedFile, ChangedFileList, Commit, CommitList, Origin, OriginList, Place,
};

/// Most items of one answer, whatever limit was asked for.
const MAX_COMMITS: usize = 10_000;
const MAX_CHANGED: usize = 20_000;

/// Most places one question may name.
const MAX_PLACES: usize = 200;

/// Origins by path and line.
type Origins<'a> = BTreeMap<(&'a str, u32), Origin>;

/// Time for all the blaming of one call.
const ORIGINS_TIME: Duration = Duration::from_secs(20);

impl Repo {
    pub(super) fn commits(
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

    pub(super) fn changed_files(
        &mut self,
        since_days: u32,
        work: &Work,
    ) -> Result<ChangedFileList, Failure> {
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

    pub(super) fn origins(&mut self, places: &[Place], work: &Work) -> Result<OriginList, Failure> {
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
}
