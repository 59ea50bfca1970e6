//! The steps between plan and publishing: clone, agent, collect, check.

use std::collections::BTreeSet;
use std::io::{ErrorKind, Write as _};
use std::path::Path;

use super::pushed::adopt;
use super::reach::Reach;
use super::run::{Run, Stop, failure, interrupted};
use super::{Called, Event, Outcome, StepName, time};
use crate::agent::{Agent, Ended, How, Room, Written};
use crate::brief::Delivery;
use crate::error::{Error, Result};
use crate::git::Identity;
use crate::git::{Git, Mirror, NewFile, agent_credentials, checked};
use crate::patch::{self, Violation};
use crate::plan::{Limits, Plan};
use crate::process::despite_interrupt;
use crate::record::File;
use crate::redact::Redactor;
use crate::workspace::{Collected, Spec, Workspace};

/// What the agent is given beside the plan.
#[derive(Debug)]
pub(super) struct Equipment<'a> {
    /// For folders of ours: it holds no credentials.
    pub(super) git: &'a Git,
    pub(super) mirror: &'a Mirror,
    pub(super) agent: &'a Agent,
    /// What the agent's own `git push` would push to.
    pub(super) origin: &'a str,
    pub(super) identity: &'a Identity,
    pub(super) secrets: &'a [(String, String)],
    pub(super) redactor: &'a Redactor,
    /// The agent holds a token, and this is where it may have pushed to.
    pub(super) pushes_to: Option<Reach<'a>>,
    /// It is a call of a deployed function.
    pub(super) called: Option<&'a Called<'a>>,
}

/// What there is after the work, checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ready {
    /// On top of the commit the branch started at.
    Commits,
    /// To be delivered in another way than by a commit.
    Report,
}

/// What an agent's work amounts to.
#[derive(Debug, Default)]
pub(super) struct Work {
    pub(super) ended: Option<Ended>,
    /// What would be published.
    pub(super) collected: Collected,
    pub(super) written: Written,
    /// Where the agent itself set the run's branch on the remote.
    pub(super) pushed: Option<String>,
    /// An agent may have been in the workspace.
    pub(super) begun: bool,
    /// It is in the mirror and in the record; before that it is only in the workspace.
    pub(super) kept: bool,
    /// The workspace holds the value of a secret.
    pub(super) leaks: bool,
}

/// Whoever deployed the function lets the agent start. Where another attempt had it started, what this
/// one comes to says nothing about the call.
fn may_start(run: &mut Run, call: &Called) -> Result<(), Stop> {
    let (message, outcome) = match (call.may_start)() {
        Ok(None) => return Ok(()),
        Ok(Some(why)) => {
            let written = run.recording.is_refused();
            written.map_err(|error| Stop(failure(StepName::Agent, &error.into())))?;
            (why.clone(), Outcome::Interrupted { why: Some(why) })
        }
        Err(error) => (error.to_string(), failure(StepName::Agent, &error)),
    };
    if let Err(error) = run.event(&Event::Note { message }) {
        tracing::warn!("{error}");
    }
    Err(Stop(outcome))
}

/// Does the work as far as it goes. `work` holds what there is, also when the run stops early.
pub(super) fn work(
    run: &mut Run,
    plan: &Plan,
    with: &Equipment,
    work: &mut Work,
) -> Result<Ready, Stop> {
    let workspace = run.step(StepName::Clone, |run| {
        Ok(Workspace::create(
            with.git,
            with.mirror,
            &Spec {
                run_dir: run.recording.folder(),
                run_id: &plan.run_id,
                commit: &plan.branch.starts_at,
                base_branch: &plan.base.branch,
                branch: &plan.branch.name,
                origin: with.origin,
                credentials: with
                    .pushes_to
                    .and_then(|reach| agent_credentials(&reach.remote())),
            },
        )?)
    })?;
    if let Some(call) = with.called {
        may_start(run, call)?;
    }
    let plan = &in_time(run, plan)?;
    work.begun = true;
    let ended = match agent(run, plan, with, &workspace) {
        Ok(ended) => ended,
        Err(stop) => {
            rescue(run, with, &workspace, work);
            return Err(stop);
        }
    };
    let how = ended.how.clone();
    let failed = failed(&ended);
    let last_message = ended.last_message.clone();
    work.ended = Some(ended);
    // Who presses Ctrl-C wants the end, and not to lose what was paid for.
    let taken = despite_interrupt(|| take(run, plan, with, &workspace, work));
    if let Err(stop) = taken {
        rescue(run, with, &workspace, work);
        return Err(stop);
    }
    let ended = match (how, failed) {
        (How::Interrupted, _) => Err(Stop(interrupted())),
        (How::TimedOut, _) => Err(Stop(Outcome::TimedOut {
            after_seconds: plan.limits.timeout_seconds,
        })),
        (_, Some(outcome)) => Err(Stop(outcome)),
        _ => check(run, plan, with, work, last_message),
    };
    match (ended, &work.pushed) {
        (Err(stop), Some(_)) => Err(and_pushed(run, stop, &plan.branch.name)),
        (ended, _) => ended,
    }
}

/// The plan with the time that is left for it.
fn in_time(run: &mut Run, plan: &Plan) -> Result<Plan, Stop> {
    let timeout_seconds = time::for_agent(plan.limits.timeout_seconds);
    if timeout_seconds < plan.limits.timeout_seconds {
        let message = format!("the agent has {timeout_seconds} s: no more time is left for it");
        run.event(&Event::Note { message })
            .map_err(|error| Stop(failure(StepName::Agent, &error)))?;
    }
    let limits = Limits {
        timeout_seconds,
        ..plan.limits.clone()
    };
    Ok(Plan {
        limits,
        ..plan.clone()
    })
}

/// What stopped it, and that the agent had pushed by then.
fn and_pushed(run: &mut Run, Stop(outcome): Stop, branch: &str) -> Stop {
    let pushed = format!("the agent itself had pushed {branch}");
    let note = Event::Note {
        message: pushed.clone(),
    };
    if let Err(error) = run.event(&note) {
        tracing::warn!("{error}");
    }
    Stop(match outcome {
        Outcome::NeedsAttention { mut why, next } => {
            why.push(pushed);
            Outcome::NeedsAttention { why, next }
        }
        Outcome::Failed {
            step,
            exit,
            message,
            last_lines,
        } => Outcome::Failed {
            step,
            exit,
            message: format!("{message}; {pushed}"),
            last_lines,
        },
        other => other,
    })
}

/// After an error of ours. When the disk is full, it is full of what the agent left: its commits are
/// worth more than the rest, and nothing can be written before that is gone. Otherwise the workspace
/// stays as it is, for the next run to take the work out of it.
fn rescue(run: &mut Run, with: &Equipment, workspace: &Workspace, work: &mut Work) {
    if !is_full(run.recording.folder()) {
        return;
    }
    let rescued = workspace
        .empty()
        .and_then(|()| workspace.collect(with.git, with.mirror));
    match rescued {
        Ok(collected) => {
            work.collected = Collected {
                uncommitted: None,
                ..collected
            };
            work.kept = keep(run, with.redactor, work).is_ok();
        }
        Err(error) => tracing::warn!("{error}"),
    }
}

/// Nothing more can be written there.
fn is_full(folder: &Path) -> bool {
    // A new file under a name of its own: the agent could have put a link at any name it knows.
    let written = tempfile::Builder::new()
        .prefix(".room-")
        .tempfile_in(folder)
        .and_then(|mut probe| probe.write_all(&vec![0; 256 * 1024]));
    written.is_err_and(|error| {
        matches!(
            error.kind(),
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded
        )
    })
}

/// Out of the workspace into the mirror and the record.
fn take(
    run: &mut Run,
    plan: &Plan,
    with: &Equipment,
    workspace: &Workspace,
    work: &mut Work,
) -> Result<(), Stop> {
    work.written = Written::read(run.recording.folder(), with.redactor);
    run.step(StepName::Collect, |run| {
        work.collected = workspace.collect(with.git, with.mirror)?;
        if let Some(reach) = with.pushes_to {
            adopt(run, plan, with, reach, work)?;
        }
        find_elsewhere(plan, with, &mut work.collected)?;
        run.event(&Event::Collected {
            commits: work.collected.commits.len(),
            files: work.collected.files.len(),
            uncommitted: work.collected.uncommitted.is_some(),
        })
    })?;
    keep(run, with.redactor, work)?;
    work.kept = true;
    Ok(())
}

/// Work that stands on another branch than the run's, or in the stash, and not on the run's: kept, and
/// told, and not published.
fn find_elsewhere(plan: &Plan, with: &Equipment, collected: &mut Collected) -> Result<()> {
    if collected.tip.is_some() || plan.report.is_some() {
        return Ok(());
    }
    let known: BTreeSet<_> = with.mirror.branch_commits().values().collect();
    for other in &collected.other_refs {
        if known.contains(&other.commit) {
            continue;
        }
        let place = other
            .kept_as
            .as_ref()
            .map_or_else(String::new, |name| format!(", kept as {name} in our copy"));
        collected.problems.push(format!(
            "the agent left its work on {} and not on {}{place}",
            other.name, plan.branch.name
        ));
        if other.kept_as.is_some() && collected.patch.is_empty() {
            let git_dir = &with.mirror.git_dir;
            let start = &plan.branch.starts_at;
            collected.patch = Collected::between(with.git, git_dir, start, &other.commit)?.patch;
        }
    }
    Ok(())
}

fn agent(
    run: &mut Run,
    plan: &Plan,
    with: &Equipment,
    workspace: &Workspace,
) -> Result<Ended, Stop> {
    run.step(StepName::Agent, |run| {
        let folder = run.recording.folder().to_owned();
        let user = with.called.and_then(|call| call.user.as_ref());
        if let Some(user) = user {
            let root = run.context.home.root();
            user.move_in(root, &folder, workspace.path())?;
        }
        let room = Room {
            plan,
            workspace: workspace.path(),
            run_dir: &folder,
            identity: with.identity,
            env: &run.context.env,
            secrets: with.secrets,
            redactor: with.redactor,
            user,
        };
        run.event(&Event::AgentStarted {
            argv: with.agent.argv(&room),
        })?;
        let mut lost = None;
        let ended = with.agent.work(&room, &mut |heard| {
            if let Err(error) = run.hear(&heard) {
                lost = Some(error);
            }
        })?;
        if let Some(error) = lost {
            return Err(error.into());
        }
        let exit = match ended.how {
            How::Exited(code) => Some(code),
            _ => None,
        };
        run.event(&Event::AgentEnded {
            exit,
            seconds: ended.seconds,
        })?;
        if ended.processes_left > 0 {
            run.event(&Event::ProcessesLeft {
                count: ended.processes_left,
            })?;
            if user.is_some() {
                // As another user we would look at what it still changes.
                return Err(Error::failed(format!(
                    "{} processes of the agent's cannot be ended: what it made is not touched",
                    ended.processes_left
                )));
            }
        }
        Ok(ended)
    })
}

/// The outcome of an agent that did not end well; its work is kept and not published.
fn failed(ended: &Ended) -> Option<Outcome> {
    let (exit, message) = match &ended.how {
        How::Exited(0) if ended.reported_failure => (Some(0), "it reported a failure".to_owned()),
        How::Exited(0) | How::TimedOut | How::Interrupted => return None,
        How::Exited(code) => (Some(*code), format!("it ended with exit code {code}")),
        How::NotStarted(reason) | How::Failed(reason) => (None, reason.clone()),
        How::Stuck(why) => return Some(Outcome::needs(why)),
    };
    Some(Outcome::Failed {
        step: StepName::Agent,
        exit,
        message,
        last_lines: ended.last_lines.clone(),
    })
}

/// Into the record, without secrets, before anything can go wrong with it.
fn keep(run: &mut Run, redactor: &Redactor, work: &Work) -> Result<(), Stop> {
    let record = |error: crate::record::RecordError| Stop(failure(StepName::Record, &error.into()));
    let save = |file, bytes: &[u8]| {
        run.recording
            .save(file, &redactor.bytes(bytes))
            .map_err(record)
    };
    if !work.collected.patch.is_empty() {
        save(File::Patch, &work.collected.patch)?;
    }
    if let Some(uncommitted) = &work.collected.uncommitted {
        save(File::Uncommitted, &uncommitted.patch)?;
    }
    if let Some(summary) = &work.written.summary {
        save(File::Summary, summary.as_bytes())?;
    }
    if let Some(report) = &work.written.report {
        save(File::Report, report.as_bytes())?;
    }
    Ok(())
}

/// Whether what there is may be published; and if nothing is to be, what the run led to.
fn check(
    run: &mut Run,
    plan: &Plan,
    with: &Equipment,
    work: &mut Work,
    last_message: Option<String>,
) -> Result<Ready, Stop> {
    let problems = work.collected.problems.clone();
    if !problems.is_empty() {
        return Err(Stop(Outcome::NeedsAttention {
            why: problems,
            next: None,
        }));
    }
    if let Some(path) = &plan.report {
        report(run, plan, path, with, work)?;
    }
    let patch = run.step(StepName::CheckPatch, |_| {
        Ok(patch::check(
            &work.collected.to_check(),
            with.redactor,
            &plan.allow_paths,
        ))
    })?;
    if !patch.is_empty() {
        let is_leak = |violation: &Violation| matches!(violation, Violation::Secret { .. });
        work.leaks = patch.iter().any(is_leak);
        let why = patch.iter().map(ToString::to_string).collect();
        return Err(Stop(Outcome::NeedsAttention { why, next: None }));
    }
    if work.collected.tip.is_some() {
        return Ok(Ready::Commits);
    }
    if plan.report.is_some() {
        return Ok(Ready::Report);
    }
    Err(Stop(Outcome::NoChanges {
        last_message,
        uncommitted: work.collected.uncommitted.is_some(),
    }))
}

/// A report that was asked for: there, or a failure. When a pull request delivers it, it takes the
/// place of whatever the agent committed.
fn report(
    run: &mut Run,
    plan: &Plan,
    path: &str,
    with: &Equipment,
    work: &mut Work,
) -> Result<(), Stop> {
    let Some(report) = &work.written.report else {
        let last_lines = work
            .ended
            .as_ref()
            .map(|ended| ended.last_lines.clone())
            .unwrap_or_default();
        return Err(Stop(Outcome::Failed {
            step: StepName::Collect,
            exit: Some(0),
            message: "a report was asked for, and the agent wrote none".to_owned(),
            last_lines,
        }));
    };
    let uncommitted = work.collected.uncommitted.take();
    if plan.delivery != Delivery::PullRequest {
        work.collected = Collected {
            uncommitted,
            ..Collected::default()
        };
        return Ok(());
    }
    work.collected = run.step(StepName::Collect, |run| {
        let git_dir = &with.mirror.git_dir;
        let _lock = with.mirror.lock()?;
        let tip = with.git.commit_file(
            git_dir,
            &run.recording.folder().join("index.report"),
            &NewFile {
                parent: &plan.branch.starts_at,
                path,
                bytes: report.as_bytes(),
                message: &format!("Add the report of {}\n", plan.changeling),
                identity: with.identity,
                at: run.now(),
            },
        )?;
        let name = format!("refs/runs/{}/heads/{}", plan.run_id, plan.branch.name);
        checked(
            "update-ref",
            &with.git.in_dir(git_dir).args(["update-ref", &name, &tip]),
        )?;
        let made = Collected::between(with.git, git_dir, &plan.branch.starts_at, &tip)?;
        Ok(Collected {
            uncommitted,
            ..made
        })
    })?;
    Ok(())
}
