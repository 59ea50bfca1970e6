//! The first steps, which a rehearsal and a real run share: bring the mirror up to date, let the
//! template look, decide.

use super::run::Run;
use super::{Event, StepName, time};
use crate::brief::Composition;
use crate::error::Result;
use crate::git::Identity;
use crate::git::{Git, Mirror, Snapshot};
use crate::plan::{self, Facts, Plan, Start};
use crate::prepare::Subject;
use crate::repo_url::RepoUrl;
use crate::template::Composed;

/// What is known before the work begins.
pub(super) struct Looked {
    pub(super) mirror: Mirror,
    pub(super) facts: Facts,
    /// `None`: it was clear before the template looked.
    pub(super) composed: Option<Composed>,
    /// Or why nothing is to be done.
    pub(super) plan: std::result::Result<Plan, String>,
    /// Who commits; `None`: nobody ever said.
    pub(super) identity: Option<Identity>,
}

/// `step` is the one under way when an error comes back.
pub(super) fn look(
    run: &mut Run,
    step: &mut StepName,
    subject: &Subject,
    git: &Git,
) -> Result<Looked> {
    let context = run.context;
    *step = StepName::Mirror;
    let mirror = run.try_step(StepName::Mirror, |_| {
        Ok(Mirror::update(
            git,
            &context.home,
            &subject.remote(context),
        )?)
    })?;
    let mut subject = subject.clone();
    // The agent is told how long it has: what is left after this.
    subject.job.timeout_seconds = time::for_agent(subject.job.timeout_seconds);
    let subject = &subject;
    let identity = identity(subject, git)?;
    let facts = subject.facts(&mirror, run.recording.id(), git, context)?;
    let commit = match plan::start(&subject.job, &facts) {
        Start::At(commit) => commit,
        Start::Skip(reason) => {
            return Ok(Looked {
                mirror,
                facts,
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
            run.plan(&plan)?;
            Ok(plan)
        })?),
    };
    Ok(Looked {
        mirror,
        facts,
        composed: Some(composed),
        plan,
        identity,
    })
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
