//! Publishing what a run made: the branch, then its pull request, or an issue. From the mirror, to an
//! explicit URL, never forced; and nothing counts as published before the other side shows it.

mod on_github;
mod wording;

use std::time::Duration;

use super::pushed::moved;
use super::run::{Run, Stop};
use super::work::{Equipment, Ready, Work};
use super::{Event, Outcome, StepName};
use crate::error::{Error, Kind};
use crate::git::{Git, GitError, Listing, Push};
use crate::github;
use crate::names::printable;
use crate::plan::Plan;
use crate::process::{despite_interrupt, pause};
use crate::pull_request::Text;
use crate::record::{File, Store};
use crate::repo_url::RepoUrl;

use wording::few;

/// Before the second and third attempt at what the network or another run got in the way of.
const WAITS: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(5)];

/// Names of a branch that are tried when another run took the planned one meanwhile.
const MAX_NAMES: u32 = 200;

/// How often other runs may be quicker.
const MAX_RACES: u32 = 50;

/// What publishing needs beside the plan and the work.
#[derive(Debug)]
pub(super) struct Publisher<'a> {
    pub(super) plan: &'a Plan,
    pub(super) with: &'a Equipment<'a>,
    pub(super) store: &'a Store,
    /// What reaches the remote, and where that is.
    pub(super) git: &'a Git,
    pub(super) remote: &'a RepoUrl,
    /// `None`: the repository is not on GitHub.
    pub(super) github: Option<&'a github::Repository>,
    /// Title and body of the pull request or issue.
    pub(super) text: &'a Text,
    /// What a reader should know, though it changes no outcome.
    pub(super) notes: &'a mut Vec<String>,
    /// Set when the remote holds the branch.
    pub(super) published: &'a mut bool,
}

/// What the remote was seen to hold.
struct Branch {
    name: String,
    commit: String,
}

/// Publishes, and says what came of it.
pub(super) fn publish(
    run: &mut Run,
    ready: Ready,
    done: &Work,
    mut to: Publisher,
) -> Result<Outcome, Stop> {
    let plan = to.plan;
    let kept = || Outcome::Report {
        place: File::Report.name().to_owned(),
    };
    if ready == Ready::Report {
        return match to.github {
            Some(github) if plan.publishes() => {
                run.step(StepName::Publish, |run| Ok(to.issue(run, github)))?
            }
            _ => Ok(kept()),
        };
    }
    let Some(tip) = done.collected.tip.clone() else {
        return Ok(kept());
    };
    if !plan.publishes() {
        let commits = few(done.collected.commits.len());
        return Ok(Outcome::NeedsAttention {
            why: vec![format!(
                "the permission `publish` is not in force: nothing is published, and {commits} for {} kept",
                plan.branch.name
            )],
            next: None,
        });
    }
    run.step(StepName::Publish, |run| {
        if let (Some(github), Some(number)) = (to.github, plan.branch.updates)
            && let Err(stop) = to.is_still_open(github, number)
        {
            return Ok(Err(stop));
        }
        let branch = match to.push(run, done, &tip) {
            Ok(branch) => branch,
            Err(stop) => return Ok(Err(stop)),
        };
        Ok(match to.github {
            Some(github) => to.pull_request(run, github, done, &branch),
            None => Ok(Outcome::Pushed {
                branch: branch.name,
                commit: branch.commit,
                commits: done.collected.commits.len(),
            }),
        })
    })?
}

impl Publisher<'_> {
    /// Brings the branch to the remote. Another run may have taken its name since it was planned.
    fn push(&mut self, run: &mut Run, done: &Work, tip: &str) -> Result<Branch, Stop> {
        let git = self.git;
        let mut name = self.plan.branch.name.clone();
        let is_new = !self.with.mirror.branch_commits().contains_key(&name);
        let mut waits = WAITS.iter();
        let mut pushed = None;
        let mut races = 0;
        loop {
            let listing = match git.list_remote(self.remote) {
                Ok(listing) => listing,
                Err(error) => {
                    self.again(&error, &mut waits, &name, tip)?;
                    continue;
                }
            };
            let was = self.with.mirror.branch_commits();
            let moved = moved(&listing, &name, &done.collected, was);
            if !moved.is_empty() {
                return Err(not_pushed(
                    &name,
                    format!("the agent itself moved {} of the remote", moved.join(", ")),
                ));
            }
            let held = listing.refs.get(&format!("refs/heads/{name}"));
            if held.is_some_and(|held| held == tip) {
                break;
            }
            if pushed.as_ref() == Some(&name) {
                let why =
                    format!("the remote took the push, and its {name} is elsewhere all the same");
                return Err(not_pushed(&name, why));
            }
            if is_new && held.is_some_and(|held| !is_of_run(held, done)) {
                name = free_name(&self.plan.branch.name, &listing)
                    .ok_or_else(|| not_pushed(&name, "its name is taken".to_owned()))?;
            }
            run.event(&Event::Pushing {
                branch: name.clone(),
                to: self.remote.to_string(),
            })
            .map_err(|error| stop(&error))?;
            match git.push(&self.with.mirror.git_dir, self.remote, tip, &name) {
                Ok(Push::Done) => pushed = Some(name.clone()),
                // Somebody else was quicker: what the remote holds now tells what to do.
                Ok(Push::Rejected(why)) if is_new && is_race(&why) && races < MAX_RACES => {
                    races += 1;
                }
                Ok(Push::Rejected(why)) => {
                    return Err(not_pushed(&name, format!("the push was refused: {why}")));
                }
                Err(error) => self.again(&error, &mut waits, &name, tip)?,
            }
        }
        *self.published = true;
        if name != self.plan.branch.name {
            let planned = &self.plan.branch.name;
            let note = format!("{planned} was taken meanwhile; the run's branch is {name}");
            self.notes.push(note);
        }
        run.event(&Event::Pushed {
            branch: name.clone(),
            commit: tip.to_owned(),
            to: Some(self.remote.to_string()),
            commits: done.collected.commits.len(),
            whole: self.github.is_none(),
        })
        .map_err(|error| stop(&error))?;
        Ok(Branch {
            name,
            commit: tip.to_owned(),
        })
    }

    /// Waits before another attempt after an error that may pass; else says what the error means.
    fn again(
        &self,
        error: &GitError,
        waits: &mut std::slice::Iter<Duration>,
        name: &str,
        tip: &str,
    ) -> Result<(), Stop> {
        if error.is_interrupt() {
            return Err(self.interrupted(name, tip));
        }
        match waits.next() {
            Some(wait) if error.is_passing() => {
                tracing::info!("{error}; trying again in {} s", wait.as_secs());
                if pause(*wait) {
                    Ok(())
                } else {
                    Err(self.interrupted(name, tip))
                }
            }
            _ => Err(not_pushed(name, format!("it could not be pushed: {error}"))),
        }
    }

    /// A push that was interrupted may have arrived all the same.
    fn interrupted(&self, name: &str, tip: &str) -> Stop {
        let held = despite_interrupt(|| self.git.list_remote(self.remote));
        let full = format!("refs/heads/{name}");
        match held {
            Ok(listing) if listing.refs.get(&full).is_some_and(|held| held == tip) => {
                Stop(Outcome::NeedsAttention {
                    why: vec![format!(
                        "interrupted after {name} was pushed, and before its pull request was opened"
                    )],
                    next: self.pull_request_line(name),
                })
            }
            _ => Stop(Outcome::INTERRUPTED),
        }
    }
}

fn not_pushed(name: &str, why: String) -> Stop {
    Stop(Outcome::NeedsAttention {
        why: vec![why, format!("the work for {name} is kept here")],
        next: None,
    })
}

fn stop(error: &Error) -> Stop {
    match error.kind {
        Kind::Interrupted => Stop(Outcome::INTERRUPTED),
        _ => Stop(Outcome::needs(printable(&error.to_string()))),
    }
}

/// The agent itself pushed some of it.
fn is_of_run(commit: &str, done: &Work) -> bool {
    let mut commits = done.collected.commits.iter();
    commits.any(|made| made.id == commit)
}

/// The remote's branch is not what it was when we looked.
fn is_race(why: &str) -> bool {
    [
        "fetch first",
        "non-fast-forward",
        "already exists",
        "cannot lock ref",
        "failed to update ref",
    ]
    .iter()
    .any(|words| why.contains(words))
}

fn free_name(name: &str, listing: &Listing) -> Option<String> {
    let taken = |candidate: &str| {
        let full = format!("refs/heads/{candidate}");
        listing
            .refs
            .keys()
            .any(|held| held.eq_ignore_ascii_case(&full))
    };
    (2..MAX_NAMES)
        .map(|number| format!("{name}-{number}"))
        .find(|candidate| !taken(candidate))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_free_name() {
        let mut listing = Listing::default();
        assert_eq!(
            free_name("changelings/a", &listing).unwrap(),
            "changelings/a-2"
        );
        for name in ["changelings/A-2", "changelings/a-3", "other"] {
            listing
                .refs
                .insert(format!("refs/heads/{name}"), "1".repeat(40));
        }
        assert_eq!(
            free_name("changelings/a", &listing).unwrap(),
            "changelings/a-4"
        );
    }

    #[test]
    fn who_was_quicker() {
        assert!(is_race("[rejected] (fetch first)"));
        assert!(is_race("[rejected] (non-fast-forward)"));
        assert!(!is_race(
            "[remote rejected] (push declined due to repository rule violations): GH013"
        ));
    }
}
