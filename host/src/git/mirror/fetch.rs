//! Filling a mirror: made aside and renamed when whole, fetched into afterwards, packed now and then.

use std::fs;
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{REMOTE_BRANCHES, format_of};
use crate::git::remote::{Listing, answered};
use crate::git::{Git, GitError, checked};
use crate::repo_url::RepoUrl;

/// `fetched.json` in a mirror: written last, so a mirror without it is half-made.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Fetched {
    version: u32,
    repo: RepoUrl,
    pub(super) at: Timestamp,
    pub(super) head: Option<String>,
}

pub(super) const FETCHED_FILE: &str = "fetched.json";
const FETCHED_VERSION: u32 = 1;

/// Made aside and renamed when whole.
pub(super) fn make(
    git: &Git,
    git_dir: &Path,
    repo: &RepoUrl,
    listing: &Listing,
) -> Result<(), GitError> {
    let aside = git_dir.with_extension("new");
    for leftover in [&aside, &git_dir.to_owned()] {
        match fs::remove_dir_all(leftover) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(GitError::Io(leftover.clone(), error)),
        }
    }
    let format = format_of(listing.refs.values().next().map_or("", String::as_str));
    git.init_bare(&aside, format)?;
    fetch(git, &aside, repo)?;
    write_fetched(&aside, repo, listing.head.as_deref())?;
    fs::rename(&aside, git_dir).map_err(|error| GitError::Io(git_dir.to_owned(), error))
}

pub(super) fn fetch(git: &Git, git_dir: &Path, repo: &RepoUrl) -> Result<(), GitError> {
    let mut call = git.talking(Some(git_dir), repo).args([
        "fetch",
        "--quiet",
        "--prune",
        "--no-tags",
        "--no-write-fetch-head",
        "--no-auto-maintenance",
        "--no-recurse-submodules",
    ]);
    if repo.is_local() {
        // A clone that a CI made with a depth.
        call = call.arg("--update-shallow");
    }
    call = call
        .arg("--end-of-options")
        .arg(repo.to_string())
        .arg(format!("+refs/heads/*:{REMOTE_BRANCHES}*"));
    answered("fetch", &call, repo)?;
    Ok(())
}

/// Packs what years of nightly fetches leave. A mirror that could not be tidied still serves.
pub(super) fn tidy(git: &Git, git_dir: &Path) {
    let settings = ["gc.auto=2000", "gc.autoPackLimit=40", "gc.autoDetach=false"];
    let mut call = git.in_dir(git_dir);
    for setting in settings {
        call = call.arg("-c").arg(setting);
    }
    if let Err(error) = checked("gc", &call.args(["gc", "--auto", "--quiet"])) {
        tracing::warn!("cannot pack {}: {error}", git_dir.display());
    }
}

pub(super) fn read_fetched(git_dir: &Path) -> Option<Fetched> {
    let text = fs::read_to_string(git_dir.join(FETCHED_FILE)).ok()?;
    let fetched: Fetched = serde_json::from_str(&text).ok()?;
    (fetched.version == FETCHED_VERSION).then_some(fetched)
}

pub(super) fn write_fetched(
    git_dir: &Path,
    repo: &RepoUrl,
    head: Option<&str>,
) -> Result<Timestamp, GitError> {
    let fetched_at = Timestamp::now();
    let fetched = Fetched {
        version: FETCHED_VERSION,
        repo: repo.clone(),
        at: fetched_at,
        head: head.map(ToOwned::to_owned),
    };
    let file = git_dir.join(FETCHED_FILE);
    let written = serde_json::to_vec_pretty(&fetched)
        .map_err(std::io::Error::other)
        .and_then(|text| {
            let aside = file.with_extension("json.new");
            fs::write(&aside, text)?;
            fs::rename(&aside, &file)
        });
    written.map_err(|error| GitError::Io(file, error))?;
    Ok(fetched_at)
}
