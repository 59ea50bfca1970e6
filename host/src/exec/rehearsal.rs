//! A rehearsal: everything a run does, on a copy, with a stand-in or a command in the agent's
//! place, pushed to a repository made for it. Nothing of the user's is written, nothing published.

use std::path::{Path, PathBuf};

use super::local_remote::LocalRemote;
use super::run::{Run, Stop, failure};
use super::work::{Equipment, Work, work};
use super::{Event, Outcome, StepName, leftovers};
use crate::agent::Agent;
use crate::brief::Composition;
use crate::context::Context;
use crate::error::Result;
use crate::git::{Git, Mirror, Push, Snapshot};
use crate::job::Identity;
use crate::names::printable;
use crate::plan::{self, Plan, Start};
use crate::prepare::Subject;
use crate::pull_request::preview::FileStat;
use crate::pull_request::{self, CommitLine, Text};
use crate::record::{self, File, Header, Kind, Store};
use crate::redact::Redactor;
use crate::repo_url::RepoUrl;
use crate::secret;
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

/// What is known before the work begins.
struct Prepared {
    mirror: Mirror,
    composed: Option<Composed>,
    /// Or why nothing is to be done.
    plan: std::result::Result<Plan, String>,
    identity: Option<Identity>,
}

/// Rehearses one subject. An error is the user's to mend, or ours; whatever the agent does is an
/// outcome.
pub fn rehearse(
    subject: &Subject,
    wish: &Wish,
    context: &Context,
    watch: &mut dyn FnMut(&Event),
) -> Result<Rehearsal> {
    let store = Store::open(&context.home)?;
    leftovers::clean_up(&store)?;
    let git = subject.git(context);
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
    let mut step = StepName::Mirror;
    let prepared = match prepare(&mut run, &mut step, subject, &git) {
        Ok(prepared) => prepared,
        Err(error) => return Err(run.give_up(step, error)),
    };
    let folder = run.recording.folder().to_owned();
    let mut rehearsal = Rehearsal {
        run_id: run.recording.id().to_owned(),
        folder: folder.clone(),
        outcome: Outcome::Interrupted,
        composed: prepared.composed,
        plan: None,
        pull_request: None,
        files: Vec::new(),
        patch: String::new(),
        stand_in: wish.agent.is_stand_in(),
        kept: None,
        notes: Vec::new(),
    };
    let mut done = Work::default();
    match prepared.plan {
        Err(reason) => rehearsal.outcome = Outcome::Skipped { reason },
        Ok(plan) => {
            let known = secrets(subject, &plan, context);
            rehearsal.notes.extend(known.notes);
            let redactor = Redactor::new(known.all);
            let identity = prepared
                .identity
                .unwrap_or_else(|| made_up(&mut rehearsal.notes));
            let origin = folder.join("origin.git");
            let equipment = Equipment {
                git: &git,
                mirror: &prepared.mirror,
                agent: &wish.agent,
                origin: &origin.to_string_lossy(),
                identity: &identity,
                secrets: &known.for_agent,
                redactor: &redactor,
            };
            let ended = perform(&mut run, &plan, &equipment, &mut done);
            let (Ok(outcome) | Err(Stop(outcome))) = ended;
            rehearsal.outcome = outcome;
            propose(&mut rehearsal, &plan, &done, &redactor);
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
            prepared.mirror.forget_run(&git, &rehearsal.run_id);
        }
        leftovers::remove_scratch(&folder);
    }
    store.mark_clean(&rehearsal.run_id)?;
    run.finish(&rehearsal.outcome, usage)?;
    Ok(rehearsal)
}

fn prepare(run: &mut Run, step: &mut StepName, subject: &Subject, git: &Git) -> Result<Prepared> {
    let context = run.context;
    let mirror = run.try_step(StepName::Mirror, |_| {
        Ok(Mirror::update(git, &context.home, &subject.job.repo)?)
    })?;
    let identity = identity(subject, git)?;
    let facts = subject.facts(&mirror, run.recording.id(), git, context)?;
    let commit = match plan::start(&subject.job, &facts) {
        Start::At(commit) => commit,
        Start::Skip(reason) => {
            return Ok(Prepared {
                mirror,
                composed: None,
                plan: Err(reason),
                identity,
            });
        }
    };
    let snapshot = Snapshot {
        git_dir: mirror.git_dir.clone(),
        commit,
        checkout: None,
    };
    *step = StepName::Compose;
    let composed = run.try_step(StepName::Compose, |run| {
        let composed = subject.compose(&snapshot, &facts, git, context)?;
        for (_, message) in &composed.log {
            run.event(&Event::Note {
                message: message.clone(),
            })?;
        }
        Ok(composed)
    })?;
    *step = StepName::Plan;
    let plan = match &composed.composition {
        Composition::Skip { reason } => Err(reason.clone()),
        Composition::Run(brief) => Ok(run.try_step(StepName::Plan, |run| {
            let plan = subject.plan(brief, &facts)?;
            run.recording.plan(&plan)?;
            Ok(plan)
        })?),
    };
    Ok(Prepared {
        mirror,
        composed: Some(composed),
        plan,
        identity,
    })
}

/// The work, then the push to a remote that no agent has seen.
fn perform(run: &mut Run, plan: &Plan, with: &Equipment, done: &mut Work) -> Result<Outcome, Stop> {
    let folder = run.recording.folder().to_owned();
    let base = plan.base.branch.as_str();
    LocalRemote::create(with.git, with.mirror, &folder.join("origin.git"), base)
        .map_err(|error| Stop(failure(StepName::Clone, &error.into())))?;
    work(run, plan, with, done)?;
    let pushed = pushed_elsewhere(&folder.join("origin.git"), plan, with.mirror);
    if !pushed.is_empty() {
        return Err(Stop(Outcome::NeedsAttention { why: pushed }));
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
            })?;
        }
        tracing::debug!("pushed to {}", remote.path().display());
        Ok((push, remote.listing()?))
    })?;
    // What the remote holds decides, not what the push said.
    let held = listing.refs.get(&format!("refs/heads/{branch}"));
    match push {
        Push::Rejected(why) => Ok(Outcome::NeedsAttention {
            why: vec![format!("the push was refused: {why}")],
        }),
        Push::Done if held == Some(&tip) => Ok(Outcome::Pushed {
            branch: branch.to_owned(),
            commit: tip,
            commits: done.collected.commits.len(),
        }),
        Push::Done => Ok(Outcome::NeedsAttention {
            why: vec![format!(
                "the remote's {branch} is not at the run's last commit"
            )],
        }),
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

/// The pull request (or issue) there would be.
fn propose(rehearsal: &mut Rehearsal, plan: &Plan, done: &Work, redactor: &Redactor) {
    let collected = &done.collected;
    rehearsal.files.clone_from(&collected.files);
    let patch = redactor.bytes(&collected.patch);
    rehearsal.patch = String::from_utf8_lossy(&patch).into_owned();
    let has_report = plan.report.is_some() && done.written.report.is_some();
    if collected.commits.is_empty() && !has_report {
        return;
    }
    let commits: Vec<_> = collected
        .commits
        .iter()
        .map(|commit| CommitLine {
            id: commit.id.clone(),
            subject: commit.message.lines().next().unwrap_or_default().to_owned(),
        })
        .collect();
    let work = pull_request::Work {
        commits: &commits,
        summary: done.written.summary.as_deref(),
        report: done.written.report.as_deref().filter(|_| has_report),
        stand_in: rehearsal.stand_in,
    };
    rehearsal.pull_request = Some(pull_request::render(plan, &work, redactor));
}

#[derive(Default)]
struct Secrets {
    /// What must appear nowhere.
    all: Vec<(String, String)>,
    for_agent: Vec<(String, String)>,
    notes: Vec<String>,
}

/// Values of the secrets the plan names. A rehearsal publishes nothing, so that nobody gets the
/// token that could.
fn secrets(subject: &Subject, plan: &Plan, context: &Context) -> Secrets {
    let mut found = Secrets::default();
    let granted = plan
        .permissions
        .iter()
        .filter_map(|permission| match permission {
            crate::permission::Permission::Env(name) => Some(name),
            _ => None,
        });
    let mut names: Vec<&String> = subject.job.secrets.iter().chain(granted).collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        match secret::find(name, &subject.config, &context.env) {
            Ok(Some(value)) => {
                let pair = (name.clone(), value.expose().to_owned());
                if plan.env_names.contains(name) && name != "GITHUB_TOKEN" {
                    found.for_agent.push(pair.clone());
                }
                found.all.push(pair);
            }
            Ok(None) => {}
            Err(error) => found
                .notes
                .push(format!("{error}; the rehearsal goes on without it")),
        }
    }
    found
}

/// Who commits: the changeling's identity, else the user's.
fn identity(subject: &Subject, git: &Git) -> Result<Option<Identity>> {
    if let Some(identity) = &subject.job.identity {
        return Ok(Some(identity.clone()));
    }
    let git_dir = match &subject.job.repo {
        RepoUrl::Local(folder) => Some(git.discover(folder)?.0),
        _ => None,
    };
    Ok(git.identity(git_dir.as_deref())?)
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
