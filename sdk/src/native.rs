//! The imports outside a component: a stand-in host that serves one folder and given issues, so
//! that templates can be tested natively. Outside of a test's `compose` everything is `denied`, as
//! it is in the real host.

mod git;
mod globs;
mod history;
mod snapshot;

use std::cell::RefCell;
use std::rc::Rc;

pub(crate) use git::Git;
use globs::Globs;
pub(crate) use snapshot::Snapshot;

use crate::github::{Issue, Pull, Query, State};
use crate::repo::{
    ChangedFile, Commit, File, Listing, MAX_PLACES, Match, Origin, Place, Skipped, Text,
};
use crate::{Date, Failure};

/// Longest line `search` gives, in characters.
const MAX_LINE: usize = 500;
/// The host's bounds of single answers.
const MAX_FILES: u32 = 100_000;
const MAX_MATCHES: u32 = 10_000;
const MAX_COMMITS: u32 = 10_000;
const MAX_CHANGED: u32 = 20_000;
const MAX_READ: u32 = 4 << 20;

/// What the stand-in host serves during one `compose`.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) snapshot: Rc<Snapshot>,
    pub(crate) issues: Vec<Issue>,
    pub(crate) pulls: Vec<Pull>,
    pub(crate) date: Date,
    pub(crate) granted: Vec<String>,
    pub(crate) log: RefCell<Vec<String>>,
    pub(crate) calls: RefCell<Vec<String>>,
}

thread_local! {
    static WORLD: RefCell<Option<Rc<World>>> = const { RefCell::new(None) };
}

/// Serves `world` while `work` runs.
pub(crate) fn serve<R>(world: &Rc<World>, work: impl FnOnce() -> R) -> R {
    struct Reset;
    impl Drop for Reset {
        fn drop(&mut self) {
            WORLD.set(None);
        }
    }
    WORLD.set(Some(Rc::clone(world)));
    let _reset = Reset;
    work()
}

fn world(call: &str, permission: &str) -> Result<Rc<World>, Failure> {
    let denied = |message: String| Failure::new(Failure::DENIED, message);
    let world = WORLD
        .with_borrow(Clone::clone)
        .ok_or_else(|| denied(format!("`{call}` can be used while composing only")))?;
    if !world.granted.iter().any(|granted| granted == permission) {
        return Err(denied(format!(
            "`{call}` needs the permission `{permission}`"
        )));
    }
    world.calls.borrow_mut().push(call.to_owned());
    Ok(world)
}

pub(crate) fn files(globs: &[&str], limit: u32) -> Result<Listing<File>, Failure> {
    let world = world("repo.files", "repo:read")?;
    let globs = Globs::new(globs)?;
    let matching = world
        .snapshot
        .files()
        .iter()
        .filter(|file| globs.matches(&file.path));
    Ok(bounded(matching.cloned(), limit.min(MAX_FILES), Vec::new()))
}

pub(crate) fn read(path: &str, max_bytes: u32) -> Result<Text, Failure> {
    let world = world("repo.read", "repo:read")?;
    let bytes = world.snapshot.bytes(path)?.ok_or_else(|| {
        Failure::new(
            Failure::NOT_FOUND,
            format!("`{path}` is not a tracked file"),
        )
    })?;
    if is_binary(&bytes) {
        return Err(Failure::new(
            Failure::BINARY,
            format!("`{path}` is not text"),
        ));
    }
    let max_bytes = max_bytes.min(MAX_READ);
    let truncated = bytes.len() > max_bytes as usize;
    let mut end = bytes.len().min(max_bytes as usize);
    while truncated && end > 0 && bytes[end] & 0xC0 == 0x80 {
        end -= 1;
    }
    Ok(Text {
        text: String::from_utf8_lossy(&bytes[..end]).into_owned(),
        truncated,
    })
}

pub(crate) fn search(pattern: &str, globs: &[&str], limit: u32) -> Result<Listing<Match>, Failure> {
    let world = world("repo.search", "repo:read")?;
    let globs = Globs::new(globs)?;
    let pattern = regex::Regex::new(pattern).map_err(|error| {
        Failure::invalid(format!("`{pattern}` is no regular expression: {error}"))
    })?;
    let mut matches = Vec::new();
    let mut skipped = Vec::new();
    for file in world.snapshot.files() {
        if !globs.matches(&file.path) {
            continue;
        }
        let bytes = world.snapshot.bytes(&file.path)?.unwrap_or_default();
        if is_binary(&bytes) {
            skipped.push(Skipped {
                path: file.path.clone(),
                reason: "binary".into(),
            });
            continue;
        }
        let text = String::from_utf8_lossy(&bytes);
        for (line, text) in (1..).zip(text.lines()) {
            if pattern.is_match(text) {
                matches.push(Match {
                    path: file.path.clone(),
                    line,
                    text: text.chars().take(MAX_LINE).collect(),
                });
            }
        }
    }
    Ok(bounded(
        matches.into_iter(),
        limit.min(MAX_MATCHES),
        skipped,
    ))
}

pub(crate) fn commits(
    path: Option<&str>,
    since_days: u32,
    limit: u32,
) -> Result<Listing<Commit>, Failure> {
    let world = world("repo.commits", "repo:read")?;
    let commits = history::commits(world.snapshot.git()?, path, world.since(since_days))?;
    Ok(bounded(
        commits.into_iter(),
        limit.min(MAX_COMMITS),
        Vec::new(),
    ))
}

pub(crate) fn changed_files(since_days: u32) -> Result<Listing<ChangedFile>, Failure> {
    let world = world("repo.changed-files", "repo:read")?;
    let mut changed = history::changed_files(world.snapshot.git()?, world.since(since_days))?;
    changed.retain(|file| world.snapshot.has(&file.path));
    Ok(bounded(changed.into_iter(), MAX_CHANGED, Vec::new()))
}

pub(crate) fn origins(places: &[Place]) -> Result<Listing<Origin>, Failure> {
    let world = world("repo.origins", "repo:read")?;
    if places.len() > MAX_PLACES {
        return Err(Failure::invalid(format!(
            "{} places; at most {MAX_PLACES} a call",
            places.len()
        )));
    }
    let origins = history::origins(world.snapshot.git()?, places);
    Ok(bounded(origins.into_iter(), u32::MAX, Vec::new()))
}

pub(crate) fn issues(query: &Query) -> Result<Listing<Issue>, Failure> {
    let world = world("github.issues", "github:read")?;
    let matching = world
        .issues
        .iter()
        .filter(|issue| asked_for(query, &issue.state, &issue.labels));
    Ok(bounded(matching.cloned(), query.limit, Vec::new()))
}

pub(crate) fn pulls(query: &Query) -> Result<Listing<Pull>, Failure> {
    let world = world("github.pulls", "github:read")?;
    let matching = world
        .pulls
        .iter()
        .filter(|pull| asked_for(query, &pull.state, &pull.labels));
    Ok(bounded(matching.cloned(), query.limit, Vec::new()))
}

pub(crate) fn debug(message: &str) {
    logged("debug", message);
}

pub(crate) fn info(message: &str) {
    logged("info", message);
}

pub(crate) fn warn(message: &str) {
    logged("warn", message);
}

fn logged(level: &str, message: &str) {
    if let Some(world) = WORLD.with_borrow(Clone::clone) {
        world.log.borrow_mut().push(format!("{level}: {message}"));
    }
}

impl World {
    /// First day that counts when asked for the last `days`; 0: all of history.
    fn since(&self, days: u32) -> Option<i64> {
        (days > 0).then(|| self.date.day_number() - i64::from(days))
    }
}

fn asked_for(query: &Query, state: &str, labels: &[String]) -> bool {
    let state_matches = match query.state {
        State::All => true,
        State::Open => state == "open",
        State::Closed => state != "open",
    };
    state_matches && query.labels.iter().all(|label| labels.contains(label))
}

fn bounded<T>(items: impl Iterator<Item = T>, limit: u32, skipped: Vec<Skipped>) -> Listing<T> {
    let limit = limit as usize;
    let mut items: Vec<T> = items.take(limit.saturating_add(1)).collect();
    let truncated = items.len() > limit;
    items.truncate(limit);
    Listing {
        items,
        truncated,
        skipped,
    }
}

/// As git decides: a zero byte near the start.
fn is_binary(bytes: &[u8]) -> bool {
    bytes.iter().take(8_000).any(|&byte| byte == 0)
}
