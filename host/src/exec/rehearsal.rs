//! A rehearsal: everything a run does, on a copy, with a stand-in or a command in the agent's
//! place, pushed to a repository made for it. Nothing of the user's is written, nothing published.

use std::path::{Path, PathBuf};

use super::local_remote::LocalRemote;
use super::look::look;
use super::proposal::proposal;
use super::run::{Run, Stop, failure};
use super::work::{Equipment, Ready, Work, work};
use super::{Event, News, Outcome, StepName, leftovers, secrets};
use crate::agent::Agent;
use crate::context::Context;
use crate::error::Result;
use crate::git::Identity;
use crate::git::{Git, Mirror, Push};
use crate::names::printable;
use crate::plan::Plan;
use crate::prepare::Subject;
use crate::pull_request::Text;
use crate::pull_request::preview::FileStat;
use crate::record::{self, File, Header, Kind, Store};
use crate::template::Composed;
use crate::workspace::read_refs;

/// How to rehearse.
#[derive(Debug)]
pub struct Wish {
    pub agent: Agent,
    /// Keep workspace and remote afterwards.
    pub keep: bool,
}

/// What a rehearsal showed.
#[derive(Debug)]
pub struct Rehearsal {
    pub run_id: String,
    /// Folder of the record.
    pub folder: PathBuf,
    pub outcome: Outcome,
    /// What the template saw and said; `None` when it was not asked.
    pub composed: Option<Composed>,
    /// `None` when the run was skipped.
    pub plan: Option<Plan>,
    /// The pull request (or issue) as it would read; `None` when there is nothing to propose.
    pub pull_request: Option<Text>,
    pub files: Vec<FileStat>,
    /// Redacted.
    pub patch: String,
    /// Nobody did the work.
    pub stand_in: bool,
    /// Where workspace and remote are, when they were kept.
    pub kept: Option<PathBuf>,
    /// What the reader should know.
    pub notes: Vec<String>,
}

/// Rehearses one subject. An error is the user's to mend, or ours; whatever the agent does is an
/// outcome.
pub fn rehearse(
    subject: &Subject,
    wish: &Wish,
    context: &Context,
    watch: &mut dyn FnMut(News),
) -> Result<Rehearsal> {
    let store = Store::open(&context.home)?;
    leftovers::clean_up(&store, context)?;
    let started_at = context.clock.now();
    let header = Header {
        id: &record::new_id(started_at),
        kind: Kind::Rehearsal,
        changeling: &subject.job.changeling,
        repo: &subject.job.repo.to_string(),
        template: &subject.job.template.name,
        started_at,
    };
    let mut run = Run::begin(&store, &header, context, watch)?;
    let folder = run.recording.folder().to_owned();
    let mut step = StepName::Mirror;
    let known = secrets::find(subject, context);
    run.hides(&known)?;
    let redactor = known.redactor();
    // Where the agent works lies no key.
    let looked = subject
        .git(context, Some(&folder))
        .and_then(|git| look(&mut run, &mut step, subject, &git));
    let git = Git::new(&context.env);
    let looked = match looked {
        Ok(looked) => looked,
        Err(error) => return Err(run.give_up(step, error)),
    };
    let mut rehearsal = Rehearsal {
        run_id: run.recording.id().to_owned(),
        folder: folder.clone(),
        outcome: Outcome::INTERRUPTED,
        composed: looked.composed,
        plan: None,
        pull_request: None,
        files: Vec::new(),
        patch: String::new(),
        stand_in: wish.agent.is_stand_in(),
        kept: None,
        notes: Vec::new(),
    };
    let mut done = Work::default();
    match looked.plan {
        Err(reason) => rehearsal.outcome = Outcome::Skipped { reason },
        Ok(plan) => {
            for error in known.errors(&plan) {
                let note = format!("{error}; the rehearsal goes on without it");
                rehearsal.notes.push(note);
            }
            let identity = looked
                .identity
                .unwrap_or_else(|| made_up(&mut rehearsal.notes));
            let origin = folder.join("origin.git");
            let equipment = Equipment {
                git: &git,
                mirror: &looked.mirror,
                agent: &wish.agent,
                origin: &origin.to_string_lossy(),
                identity: &identity,
                secrets: &known.for_agent(&plan, false),
                redactor: &redactor,
                pushes_to: None,
                called: None,
            };
            let ended = perform(&mut run, &plan, &equipment, &mut done);
            let (Ok(outcome) | Err(Stop(outcome))) = ended;
            rehearsal.outcome = outcome;
            rehearsal.files.clone_from(&done.collected.files);
            let patch = redactor.bytes(&done.collected.patch);
            rehearsal.patch = String::from_utf8_lossy(&patch).into_owned();
            rehearsal.pull_request = proposal(&plan, &done, rehearsal.stand_in, &redactor);
            if let Some(text) = &rehearsal.pull_request {
                run.recording
                    .save(File::PullRequest, text.body.as_bytes())?;
            }
            rehearsal.plan = Some(plan);
        }
    }
    let usage = done.ended.map(|ended| ended.usage).unwrap_or_default();
    if wish.keep && rehearsal.plan.is_some() {
        rehearsal.kept = Some(folder);
    } else {
        if rehearsal.plan.is_some() {
            looked.mirror.forget_run(&git, &rehearsal.run_id);
        }
        leftovers::remove_scratch(&folder);
    }
    rehearsal.outcome = redactor.value(&rehearsal.outcome);
    store.mark_clean(&rehearsal.run_id)?;
    run.finish(&rehearsal.outcome, usage)?;
    Ok(rehearsal)
}

/// The work, then the push to a remote that no agent has seen.
fn perform(run: &mut Run, plan: &Plan, with: &Equipment, done: &mut Work) -> Result<Outcome, Stop> {
    let folder = run.recording.folder().to_owned();
    let base = plan.base.branch.as_str();
    LocalRemote::create(with.git, with.mirror, &folder.join("origin.git"), base)
        .map_err(|error| Stop(failure(StepName::Clone, &error.into())))?;
    if work(run, plan, with, done)? == Ready::Report {
        return Ok(Outcome::Report {
            place: File::Report.name().to_owned(),
        });
    }
    let pushed = pushed_elsewhere(&folder.join("origin.git"), plan, with.mirror);
    if !pushed.is_empty() {
        return Err(Stop(Outcome::NeedsAttention {
            why: pushed,
            next: None,
        }));
    }
    let Some(tip) = done.collected.tip.clone() else {
        return Err(Stop(Outcome::NoChanges {
            last_message: None,
            uncommitted: false,
        }));
    };
    let branch = plan.branch.name.as_str();
    let (push, listing) = run.step(StepName::Publish, |run| {
        let remote = LocalRemote::create(with.git, with.mirror, &folder.join("remote.git"), base)?;
        let push = remote.push(with.mirror, &tip, branch)?;
        if push == Push::Done {
            run.event(&Event::Pushed {
                branch: branch.to_owned(),
                commit: tip.clone(),
                to: None,
                commits: done.collected.commits.len(),
                whole: true,
            })?;
        }
        tracing::debug!("pushed to {}", remote.path().display());
        Ok((push, remote.listing()?))
    })?;
    // What the remote holds decides, not what the push said.
    let held = listing.refs.get(&format!("refs/heads/{branch}"));
    match push {
        Push::Rejected(why) => Ok(Outcome::needs(format!("the push was refused: {why}"))),
        Push::Done if held == Some(&tip) => Ok(Outcome::Pushed {
            branch: branch.to_owned(),
            commit: tip,
            commits: done.collected.commits.len(),
        }),
        Push::Done => Ok(Outcome::needs(format!(
            "the remote's {branch} is not at the run's last commit"
        ))),
    }
}

/// What the agent pushed itself, beside the run branch. Read by hand: it could write there.
fn pushed_elsewhere(origin: &Path, plan: &Plan, mirror: &Mirror) -> Vec<String> {
    let was = mirror.branch_commits();
    read_refs(origin)
        .into_iter()
        .filter(|(name, commit)| {
            let branch = name.strip_prefix("refs/heads/");
            branch != Some(&plan.branch.name)
                && branch.and_then(|branch| was.get(branch)) != Some(commit)
        })
        .map(|(name, _)| format!("the agent itself pushed to {}", printable(&name)))
        .collect()
}

/// Who commits when nobody said.
fn made_up(notes: &mut Vec<String>) -> Identity {
    notes.push(
        "git knows no name and address of yours, so the commits carry a made-up one \
         (git config --global user.name and user.email)"
            .to_owned(),
    );
    Identity {
        name: "Changeling".to_owned(),
        email: "changeling@localhost".to_owned(),
    }
}
