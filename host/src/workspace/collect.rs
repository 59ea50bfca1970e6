//! What a run led to in its workspace, from facts that git vouches for.

use std::path::Path;

use crate::git::{Git, GitError, Mirror};
use crate::names::printable;
use crate::patch::{Change, Commit, Patch};
use crate::process::ProcessError;
use crate::pull_request::preview::FileStat;

use super::changes::{MAX_COMMITS, Range};
use super::salvage::salvage;
use super::uncommitted::{Uncommitted, uncommitted};
use super::{Workspace, WorkspaceError, index_file};

/// Most that a run's commits may hold, unpacked, to be looked at. What is published is far less.
const MAX_BYTES: u64 = 256 * 1024 * 1024;

/// Most other branches and tags that are kept: each is a fetch of its own.
const MAX_OTHER_REFS: usize = 50;

/// Everything a run left, copied into the mirror below `refs/runs/ID/`.
#[derive(Debug, Default)]
pub struct Collected {
    /// Last commit of the work; `None` when there is no new commit.
    pub tip: Option<String>,
    /// New commits, oldest first.
    pub commits: Vec<Commit>,
    /// Every path a commit touched.
    pub changes: Vec<Change>,
    /// Messages and differences of each commit: where secrets are looked for.
    pub texts: Vec<u8>,
    /// What differs between base and `tip`, as one patch.
    pub patch: Vec<u8>,
    /// The same, counted by file.
    pub files: Vec<FileStat>,
    pub uncommitted: Option<Uncommitted>,
    /// Other branches and tags the agent made or moved.
    pub other_refs: Vec<OtherRef>,
    /// What was wrong, for a person: work that cannot be read, a history that was rewritten, links
    /// and settings that were not followed.
    pub problems: Vec<String>,
}

/// A ref of the workspace beside the run branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherRef {
    /// Full name in the workspace, made printable.
    pub name: String,
    pub commit: String,
    /// Full name in the mirror; `None` when it could not be read.
    pub kept_as: Option<String>,
}

impl Collected {
    /// For `patch::check`.
    pub fn to_check(&self) -> Patch<'_> {
        Patch {
            changes: &self.changes,
            bytes: self.patch.len() as u64,
            commits: &self.commits,
            texts: &self.texts,
        }
    }
}

impl Workspace {
    /// Takes the run's results out of the workspace, after the agent and all it started are dead.
    /// What the agent broke is told in `problems`; an error is ours.
    pub fn collect(&self, git: &Git, mirror: &Mirror) -> Result<Collected, WorkspaceError> {
        let mut collected = Collected::default();
        if !self.is_ours() {
            collected
                .problems
                .push("the agent replaced the workspace itself".to_owned());
            return Ok(collected);
        }
        let aside = self.run_dir.join("collect.git");
        let mut salvaged = salvage(git, mirror, &self.path, &aside)?;
        collected.problems.append(&mut salvaged.problems);
        let lock = mirror.lock()?;

        let run_branch = format!("refs/heads/{}", self.branch);
        let on_branch = salvaged
            .refs
            .get(&run_branch)
            .filter(|tip| **tip != self.commit);
        // An agent that made a branch of its own and stood on it at the end means that one.
        let tip = on_branch.or(salvaged.head.as_ref().filter(|head| **head != self.commit));
        if let Some(tip) = tip {
            let name = format!(
                "refs/runs/{}/{}",
                self.run_id,
                run_branch.trim_start_matches("refs/")
            );
            match salvaged.fetch_into(git, mirror, tip, &name) {
                Ok(()) => {
                    let problems = std::mem::take(&mut collected.problems);
                    collected = Collected::between(git, &mirror.git_dir, &self.commit, tip)?;
                    collected.problems.splice(0..0, problems);
                }
                Err(error) => collected
                    .problems
                    .push(unreadable("the agent's commits", error)?),
            }
        }
        let others = salvaged.refs.iter().filter(|(name, object)| {
            **name != run_branch
                && **object != self.commit
                && Some(*object) != collected.tip.as_ref()
        });
        for (number, (name, object)) in others.enumerate() {
            if number == MAX_OTHER_REFS {
                collected.problems.push(format!(
                    "the agent made more than {MAX_OTHER_REFS} other branches and tags; the rest was not kept"
                ));
                break;
            }
            let kept_as = format!("refs/runs/{}/other/{number}", self.run_id);
            let fetched = salvaged.fetch_into(git, mirror, object, &kept_as);
            if let Err(error) = &fetched
                && is_ours(error)
            {
                fetched?;
            } else {
                collected.other_refs.push(OtherRef {
                    name: printable(name),
                    commit: object.clone(),
                    kept_as: fetched.is_ok().then_some(kept_as),
                });
            }
        }
        drop(lock);

        let head = salvaged.head.as_ref().unwrap_or(&self.commit);
        // What cannot be compared with the commit it stood on is compared with the base.
        let against = [head, &self.commit];
        for (attempt, head) in against.into_iter().enumerate() {
            let index = index_file(&self.run_dir);
            match uncommitted(git, &salvaged.git_dir, &index, &self.path, head) {
                Ok(found) => {
                    collected.uncommitted = found;
                    break;
                }
                Err(error) if attempt + 1 == against.len() => {
                    collected
                        .problems
                        .push(unreadable("uncommitted work", error)?);
                }
                Err(error) if is_ours(&error) => return Err(error.into()),
                Err(_) => {}
            }
        }
        Ok(collected)
    }
}

impl Collected {
    /// What the commits between two commits of a git directory of ours are.
    pub fn between(git: &Git, git_dir: &Path, base: &str, tip: &str) -> Result<Self, GitError> {
        let range = Range {
            git,
            git_dir,
            base,
            tip,
        };
        let mut collected = Self::default();
        if !range.descends()? {
            collected.problems.push(format!(
                "the agent rewrote history: its work no longer descends from {}",
                &base[..12.min(base.len())]
            ));
        }
        collected.commits = range.commits()?;
        // A branch that was set back to an older commit holds nothing new.
        collected.tip = (!collected.commits.is_empty()).then(|| tip.to_owned());
        if range.bytes()? > MAX_BYTES {
            collected
                .problems
                .push("the commits are too large to be checked".to_owned());
            return Ok(collected);
        }
        collected.changes = range.changes()?;
        collected.patch = range.patch()?;
        collected.files = range.files()?;
        match range.texts()? {
            Some(texts) if collected.commits.len() < MAX_COMMITS => collected.texts = texts,
            _ => collected
                .problems
                .push("the commits are too large to be checked".to_owned()),
        }
        Ok(collected)
    }
}

/// Nothing the agent could have caused.
fn is_ours(error: &GitError) -> bool {
    matches!(
        error,
        GitError::Process(ProcessError::Interrupted(_) | ProcessError::NotFound(_))
            | GitError::DiskFull
            | GitError::Io(..)
    )
}

/// What git said about something the agent broke.
fn unreadable(what: &str, error: GitError) -> Result<String, GitError> {
    if is_ours(&error) {
        Err(error)
    } else {
        Ok(format!("{what} cannot be read: {error}"))
    }
}
