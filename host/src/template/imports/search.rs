//! Search through a commit's files, with ripgrep's libraries, on several threads.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
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

/// Searches `files`, which are sorted, for the first `limit` matches.
///
/// # Errors
/// No reader could be opened or one stopped working, or the deadline passed.
pub(super) fn search(
    matcher: &RegexMatcher,
    files: &[&Entry],
    limit: usize,
    deadline: Instant,
    open: impl Fn() -> Result<Files, Failure> + Sync,
) -> Result<Found, Failure> {
    let threads = thread::available_parallelism()
        .map_or(2, usize::from)
        .clamp(2, 8);
    let next = AtomicUsize::new(0);
    let count = AtomicUsize::new(0);
    let late = AtomicBool::new(false);
    let results: Mutex<Vec<Block>> = Mutex::new(Vec::new());

    let work = || -> Result<(), Failure> {
        let mut reader = open()?;
        let mut searcher = searcher();
        let mut buffer = Vec::new();
        // Blocks are handed out in order and always finished, so what was looked at is a
        // beginning of the list, and its first matches are the first ones of all.
        while count.load(Ordering::Relaxed) <= limit {
            let start = next.fetch_add(BLOCK, Ordering::Relaxed);
            let Some(rest) = files.get(start..).filter(|rest| !rest.is_empty()) else {
                break;
            };
            if Instant::now() > deadline || process::interrupted() {
                late.store(true, Ordering::Relaxed);
                break;
            }
            let block = &rest[..rest.len().min(BLOCK)];
            let found = look_into(
                matcher,
                &mut searcher,
                &mut reader,
                &mut buffer,
                block,
                start,
                limit,
            )?;
            count.fetch_add(found.matches.len(), Ordering::Relaxed);
            if !found.matches.is_empty() || !found.skipped.is_empty() {
                results
                    .lock()
                    .unwrap_or_else(std::sync::PoisonError::into_inner)
                    .push(found);
            }
        }
        Ok(())
    };
    let threads = threads.min(files.len().div_ceil(BLOCK));
    thread::scope(|scope| {
        // This thread is a worker too.
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let mut result = work();
        for other in others {
            let other = other
                .join()
                .unwrap_or_else(|_| Err(failure("unavailable", "the search failed")));
            result = result.and(other);
        }
        result
    })?;
    if late.load(Ordering::Relaxed) {
        return Err(failure("timed-out", "the search took too long"));
    }
    let mut blocks = results
        .into_inner()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    blocks.sort_by_key(|block| block.start);
    Ok(join(blocks, limit))
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

/// What was found in the files from `start` on.
struct Block {
    start: usize,
    matches: Vec<Match>,
    skipped: Vec<(usize, &'static str)>,
}

fn searcher() -> Searcher {
    SearcherBuilder::new()
        .line_number(true)
        .binary_detection(BinaryDetection::none())
        .memory_map(MmapChoice::never())
        .bom_sniffing(false)
        .build()
}

fn look_into(
    matcher: &RegexMatcher,
    searcher: &mut Searcher,
    reader: &mut Files,
    buffer: &mut Vec<u8>,
    files: &[&Entry],
    start: usize,
    limit: usize,
) -> Result<Block, Failure> {
    let mut block = Block {
        start,
        matches: Vec::new(),
        skipped: Vec::new(),
    };
    let mut file = start;
    let mut failed = false;
    let read = reader.each(files.iter().copied(), MAX_FILE, buffer, |_, content| {
        match content {
            Content::TooLarge(_) => block.skipped.push((file, "too-large")),
            Content::Unreadable => block.skipped.push((file, "unreadable")),
            Content::Whole(bytes) if is_binary(bytes) => block.skipped.push((file, "binary")),
            Content::Whole(bytes) => {
                let sink = Collect {
                    file,
                    limit: limit + 1,
                    matches: &mut block.matches,
                };
                failed |= searcher.search_slice(matcher, bytes, sink).is_err();
            }
        }
        file += 1;
    });
    read.map_err(|error| failure("unavailable", error.to_string()))?;
    if failed {
        return Err(failure("unavailable", "the search failed"));
    }
    Ok(block)
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
