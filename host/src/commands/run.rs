//! `changeling run`.

mod deployed;
mod show;
mod watch;

use super::deployed::Deployed;
use super::several::Errors;
use super::{agent_command, plan};
use crate::agent::Agent;
use crate::config::{Config, parse_name};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::exec::{self, Outcome, Ran, RunWish, StepName, Trigger};
use crate::names::Name;
use crate::prepare::{self, Selection, Subject};
use crate::repo_url::RepoUrl;

use show::{Answer, Ended};
use watch::Watch;

/// Run a changeling now
///
/// The template looks at the repository and says what to do, the agent does it in a clone, the host
/// checks its commits, pushes the branch and opens the pull request, or whatever the changeling
/// delivers. `plan` shows all of it beforehand; `rehearse` does it without publishing anything.
///
/// A changeling that is deployed runs at Modal, as it was deployed: its log is shown as it comes, and
/// its record is kept here too. Ctrl-C ends the looking, and not the run.
///
/// Exit codes tell what came of it: 0 a pull request, a pushed branch, a report, no changes, or nothing
/// to do; 3 a person is needed; 4 the run failed; 124 it took too long; 130 it was interrupted. With
/// several repositories the worst counts.
#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "they are flags")]
pub struct Args {
    /// Name of the changeling
    #[arg(value_name = "NAME")]
    name: String,
    /// On this machine, and not where it is deployed
    #[arg(long)]
    local: bool,
    /// Do not wait for its end, where it is deployed
    #[arg(long, conflicts_with = "local")]
    detach: bool,
    /// Only on this one of its repositories
    #[arg(short, long, value_name = "REPO")]
    repo: Option<String>,
    /// A command that takes the agent's place, such as 'claude -p': it gets the prompt on standard input
    ///
    /// Split into words as a shell would; nothing is expanded. It runs as you, without mngr.
    #[arg(long, value_name = "COMMAND")]
    agent_command: Option<String>,
    /// Keep the workspace
    #[arg(long)]
    keep: bool,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
    /// Show what it would do, as `plan` does, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// The clock asks, and no person: what is paused stays paused
    #[arg(long, hide = true)]
    scheduled: bool,
}

impl Args {
    /// With the name and nothing else said.
    pub(super) fn of(name: &Name) -> Self {
        Self {
            name: name.to_string(),
            local: false,
            detach: false,
            repo: None,
            agent_command: None,
            keep: false,
            json: false,
            dry_run: false,
            scheduled: false,
        }
    }
}

pub fn run(args: &Args, context: &Context) -> Result<()> {
    let agent = args
        .agent_command
        .as_ref()
        .map(|line| agent_command::parse(line, context))
        .transpose()?;
    if !args.local && !args.dry_run {
        return elsewhere(args, context);
    }
    let subjects = chosen(args, context)?;
    if args.dry_run {
        return plan::show(&subjects, args.json, context);
    }
    let mut errors = Errors::of(subjects.len());
    let mut answers = Vec::new();
    for subject in &subjects {
        let ran = one(args, agent.as_ref(), subject, context);
        let repo = subject.job.repo.to_string();
        let failed = match &ran {
            Ok(ran) => {
                let answer = Answer::here(ran, context)?;
                if !args.json {
                    show::show(&answer, &Ended::here(ran, subject), context);
                }
                answers.push(answer);
                if args.json {
                    failed(&ran.run_id, &ran.outcome, ran.hint.clone())
                } else {
                    told(&ran.outcome, ran.hint.clone())
                }
            }
            Err(error) => {
                let name = &subject.job.changeling;
                answers.push(Answer::failed(error, name, repo.clone()));
                None
            }
        };
        if let Some(error) = failed.or(ran.err())
            && !errors.add(&repo, error, context)
        {
            break;
        }
    }
    if args.json {
        context.ui.json(&show::Document { runs: &answers });
    }
    errors.end()
}

/// Where it is deployed, if it is.
fn elsewhere(args: &Args, context: &Context) -> Result<()> {
    let name = parse_name(&args.name)?;
    if let Some(deployed) = Deployed::of(&name, context)? {
        return deployed::run(args, &deployed, context);
    }
    // A name that is no changeling's is told of as such.
    Config::load(&context.home)?.changeling(&name)?;
    Err(
        Error::needs_person(format!("{name} is not deployed")).with_hint(format!(
            "`changeling deploy {name}` deploys it; to run it on this machine: changeling run {name} --local"
        )),
    )
}

/// The changeling's repositories, or the one that was named.
fn chosen(args: &Args, context: &Context) -> Result<Vec<Subject>> {
    let mut subjects = prepare::subjects(&Selection::Changeling(args.name.clone()), context)?;
    if let Some(repo) = &args.repo {
        let wanted = RepoUrl::parse(repo, &context.cwd)?.key();
        let all: Vec<_> = subjects
            .iter()
            .map(|subject| subject.job.repo.to_string())
            .collect();
        subjects.retain(|subject| subject.job.repo.key() == wanted);
        if subjects.is_empty() {
            return Err(
                Error::usage(format!("{repo} is no repository of {}", args.name))
                    .with_hint(format!("one of: {}", all.join(", "))),
            );
        }
    }
    Ok(subjects)
}

fn one(args: &Args, agent: Option<&Agent>, subject: &Subject, context: &Context) -> Result<Ran> {
    let wish = RunWish {
        agent: agent.cloned(),
        keep: args.keep,
        called: None,
        trigger: if args.scheduled {
            Trigger::Schedule
        } else {
            Trigger::Hand
        },
    };
    let mut watch = Watch::of(subject, &context.ui);
    exec::run(subject, &wish, context, &mut |news| watch.hear(&news))
}

/// As `failed`, below an outcome that was shown: why, and what to do about it, stands there.
fn told(outcome: &Outcome, hint: Option<String>) -> Option<Error> {
    let kind = outcome.error_kind()?;
    let what = match outcome {
        Outcome::Failed { step, .. } => format!("the run failed in its step `{}`", step.as_str()),
        Outcome::TimedOut { .. } => "the run took too long".to_owned(),
        Outcome::Interrupted => "the run was interrupted".to_owned(),
        _ => "the run needs a person".to_owned(),
    };
    let error = Error::new(kind, what);
    // What a person is needed for says what to do.
    Some(match (outcome, hint) {
        (Outcome::Failed { .. }, Some(hint)) => error.with_hint(hint),
        _ => error,
    })
}

/// The error of a run that did not end well.
fn failed(run: &str, outcome: &Outcome, hint: Option<String>) -> Option<Error> {
    let kind = outcome.error_kind()?;
    let logs = format!("changeling logs {run} shows what the agent said");
    let (what, own_hint) = match outcome {
        Outcome::Failed { step, message, .. } => {
            let agent = *step == StepName::Agent;
            let what = format!("the step `{}` failed: {message}", step.as_str());
            (what, agent.then_some(logs))
        }
        Outcome::TimedOut { .. } => (outcome.sentence(), Some(logs)),
        Outcome::NeedsAttention { next, .. } => {
            let what = format!("a person is needed: {}", outcome.sentence());
            (what, next.clone())
        }
        outcome => (outcome.sentence(), None),
    };
    let error = Error::new(kind, what);
    Some(match hint.or(own_hint) {
        Some(hint) => error.with_hint(hint),
        None => error,
    })
}
