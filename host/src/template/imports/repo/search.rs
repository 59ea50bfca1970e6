//! Search through a commit's files, with ripgrep's libraries, on several threads.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use grep_regex::{RegexMatcher, RegexMatcherBuilder};
use grep_searcher::{BinaryDetection, MmapChoice, Searcher, SearcherBuilder, Sink, SinkMatch};

use super::{Failure, failure};
use crate::git::{Content, Entry, Files};
use crate::names::printable;
use crate::process;

/// Longest pattern, in bytes, and the size of what it may become.
const MAX_PATTERN: usize = 4 << 10;
const MAX_REGEX: usize = 4 << 20;

/// Larger files are skipped, in bytes.
pub(super) const MAX_FILE: u64 = 8 << 20;

/// A NUL among the first bytes makes a file binary, as for git.
const HEAD: usize = 8_000;

/// Characters of a line that are told.
const MAX_LINE: usize = 500;

/// Files a thread takes at a time.
const BLOCK: usize = 64;

/// A line that matches.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Match {
    /// Which of the files.
    pub(super) file: usize,
    pub(super) line: u32,
    pub(super) text: String,
}

/// What a search found in the files it looked at: always the first ones, in order.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// Sorted, at most as many as asked for.
    pub(super) matches: Vec<Match>,
    /// Which files were not looked at, and why.
    pub(super) skipped: Vec<(usize, &'static str)>,
    pub(super) truncated: bool,
}

pub(super) fn matcher(pattern: &str) -> Result<RegexMatcher, Failure> {
    if pattern.len() > MAX_PATTERN {
        return Err(failure(
            "invalid-argument",
            format!("a pattern of more than {MAX_PATTERN} bytes"),
        ));
    }
    RegexMatcherBuilder::new()
        .line_terminator(Some(b'\n'))
        .size_limit(MAX_REGEX)
        .dfa_size_limit(MAX_REGEX)
        .build(pattern)
        .map_err(|error| {
            // The last line says it; the others draw an arrow.
            let error = error.to_string();
            let reason = error.lines().last().unwrap_or_default();
            let reason = reason.strip_prefix("error: ").unwrap_or(reason);
            failure(
                "invalid-argument",
                format!("pattern: {}", printable(reason)),
            )
        })
}

/// Searches `files`, which are sorted, for the first `limit` matches. `lend` is called on each thread
/// and gives what it is called with a reader.
///
/// # Errors
/// No reader could be had or one stopped working, or the deadline passed.
pub(super) fn search(
    matcher: &RegexMatcher,
    files: &[&Entry],
    limit: usize,
    deadline: Instant,
    lend: impl Fn(&dyn Fn(&mut Files) -> Result<(), Failure>) -> Result<(), Failure> + Sync,
) -> Result<Found, Failure> {
    let search = Search {
        matcher,
        files,
        limit,
        deadline,
        next: AtomicUsize::new(0),
        count: AtomicUsize::new(0),
        late: AtomicBool::new(false),
        blocks: Mutex::default(),
    };
    let threads = thread::available_parallelism().map_or(2, usize::from);
    let threads = threads.clamp(2, 8).min(files.len().div_ceil(BLOCK));
    let work = || lend(&|reader| search.work(reader));
    thread::scope(|scope| {
        // This thread is a worker too.
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let first = work();
        others.into_iter().fold(first, |result, other| {
            let other = other.join();
            result.and(other.unwrap_or_else(|_| Err(failure("unavailable", "the search failed"))))
        })
    })?;
    if search.late.into_inner() {
        return Err(failure("timed-out", "the search took too long"));
    }
    let mut blocks = search
        .blocks
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    blocks.sort_by_key(|block| block.start);
    Ok(join(blocks, limit))
}

/// A search under way, shared by its threads.
struct Search<'a> {
    matcher: &'a RegexMatcher,
    files: &'a [&'a Entry],
    limit: usize,
    deadline: Instant,
    /// The first file nobody has taken.
    next: AtomicUsize,
    /// Matches so far.
    count: AtomicUsize,
    /// The deadline passed: the result is of no use.
    late: AtomicBool,
    blocks: Mutex<Vec<Block>>,
}

/// What was found in the files from `start` on.
struct Block {
    start: usize,
    matches: Vec<Match>,
    skipped: Vec<(usize, &'static str)>,
}

impl Search<'_> {
    /// Takes files block by block until there are none left, or matches enough. Blocks are handed out in
    /// order and always finished, so what was looked at is a beginning of the list, and its first
    /// matches are the first ones of all.
    fn work(&self, reader: &mut Files) -> Result<(), Failure> {
        let mut searcher = searcher();
        let mut buffer = Vec::new();
        while self.count.load(Ordering::Relaxed) <= self.limit {
            let start = self.next.fetch_add(BLOCK, Ordering::Relaxed);
            let Some(rest) = self.files.get(start..).filter(|rest| !rest.is_empty()) else {
                break;
            };
            let files = &rest[..rest.len().min(BLOCK)];
            let block = self.look_into(files, start, reader, &mut searcher, &mut buffer)?;
            if self.late.load(Ordering::Relaxed) {
                break;
            }
            self.count.fetch_add(block.matches.len(), Ordering::Relaxed);
            if !block.matches.is_empty() || !block.skipped.is_empty() {
                self.blocks
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(block);
            }
        }
        Ok(())
    }

    fn look_into(
        &self,
        files: &[&Entry],
        start: usize,
        reader: &mut Files,
        searcher: &mut Searcher,
        buffer: &mut Vec<u8>,
    ) -> Result<Block, Failure> {
        let mut block = Block {
            start,
            matches: Vec::new(),
            skipped: Vec::new(),
        };
        let mut file = start;
        let mut failed = false;
        let look = |_: &Entry, content: Content<'_>| {
            match content {
                _ if self.is_late() => {}
                Content::TooLarge(_) => block.skipped.push((file, "too-large")),
                Content::Unreadable => block.skipped.push((file, "unreadable")),
                Content::Whole(bytes) if is_binary(bytes) => block.skipped.push((file, "binary")),
                Content::Whole(bytes) => {
                    let sink = Collect {
                        file,
                        limit: self.limit + 1,
                        matches: &mut block.matches,
                    };
                    failed |= searcher.search_slice(self.matcher, bytes, sink).is_err();
                }
            }
            file += 1;
        };
        let read = reader.each(files.iter().copied(), MAX_FILE, buffer, look);
        read.map_err(|error| failure("unavailable", error.to_string()))?;
        if failed {
            return Err(failure("unavailable", "the search failed"));
        }
        Ok(block)
    }

    fn is_late(&self) -> bool {
        if Instant::now() > self.deadline || process::interrupted() {
            self.late.store(true, Ordering::Relaxed);
        }
        self.late.load(Ordering::Relaxed)
    }
}

fn join(blocks: Vec<Block>, limit: usize) -> Found {
    let mut found = Found::default();
    for block in blocks {
        found.matches.extend(block.matches);
        found.skipped.extend(block.skipped);
    }
    found.truncated = found.matches.len() > limit;
    if found.truncated {
        found.matches.truncate(limit);
        // How far threads got beyond the last match is chance.
        let last = found.matches.last().map_or(0, |found| found.file);
        found.skipped.retain(|(file, _)| *file <= last);
    }
    found
}

fn searcher() -> Searcher {
    SearcherBuilder::new()
        .line_number(true)
        .binary_detection(BinaryDetection::none())
        .memory_map(MmapChoice::never())
        .bom_sniffing(false)
        .build()
}

pub(super) fn is_binary(bytes: &[u8]) -> bool {
    bytes[..bytes.len().min(HEAD)].contains(&0)
}

struct Collect<'a> {
    file: usize,
    /// Matches a block needs at most.
    limit: usize,
    matches: &'a mut Vec<Match>,
}

impl Sink for Collect<'_> {
    type Error = std::io::Error;

    fn matched(&mut self, _: &Searcher, found: &SinkMatch<'_>) -> Result<bool, Self::Error> {
        self.matches.push(Match {
            file: self.file,
            line: found
                .line_number()
                .and_then(|line| line.try_into().ok())
                .unwrap_or(0),
            text: line_text(found.bytes()),
        });
        Ok(self.matches.len() < self.limit)
    }
}

/// The line without its end, as text, cut.
fn line_text(line: &[u8]) -> String {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    // A character has four bytes at most.
    let text = String::from_utf8_lossy(&line[..line.len().min(MAX_LINE * 4)]);
    text.chars().take(MAX_LINE).collect()
}
