//! `changeling rehearse`.

mod show;

use super::several::Errors;
use super::{agent_command, selection};
use crate::agent::Agent;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::exec::{self, Event, News, Outcome, Rehearsal, StepName, Wish};
use crate::prepare;

/// Do everything a run does on a copy, and publish nothing
///
/// Fetches the repository into our own copy, lets the template look at it, plans, makes a workspace,
/// puts a stand-in in the agent's place, checks its commits, pushes them to a repository made for it on
/// this machine, and shows the pull request as GitHub would. Needs no account, key or mngr. Your
/// repository is read and never written.
///
/// The stand-in fixes nothing: it commits a list of the places the prompt names. With --agent-command a
/// real agent makes the diff.
#[derive(Debug, clap::Args)]
#[command(override_usage = "\
    changeling rehearse [OPTIONS] <NAME>\n       \
    changeling rehearse [OPTIONS] --template <TEMPLATE> --repo <REPO>")]
pub struct Args {
    #[command(flatten)]
    target: selection::Target,
    /// A command that gets the prompt on standard input and works in the clone, such as 'claude -p'
    ///
    /// Split into words as a shell would; nothing is expanded. It runs as you: what it may do is its own
    /// matter.
    #[arg(long, value_name = "COMMAND")]
    agent_command: Option<String>,
    /// Keep the workspace and the local remote
    #[arg(long)]
    keep: bool,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Args, context: &Context) -> Result<()> {
    let agent = match &args.agent_command {
        Some(line) => agent_command::parse(line, context)?,
        None => Agent::StandIn {
            program: std::env::current_exe()?,
        },
    };
    let wish = Wish {
        agent,
        keep: args.keep,
    };
    let subjects = prepare::subjects(&args.target.selection()?, context)?;
    let mut errors = Errors::of(subjects.len());
    let mut rehearsals = Vec::new();
    for subject in subjects {
        let mut progress = None;
        let rehearsal = exec::rehearse(&subject, &wish, context, &mut |news| {
            if let News::Event(Event::StepStarted { step }) = news {
                // The spinner before goes first: two would flicker.
                drop(progress.take());
                progress = words(*step).map(|words| context.ui.progress(words));
            }
        });
        drop(progress);
        let failed = match rehearsal {
            Ok(rehearsal) => {
                if !args.json {
                    let manifest = &subject.template.manifest;
                    show::show(&rehearsal, manifest, &args.target, context);
                }
                let failed = failed(&rehearsal);
                rehearsals.push(rehearsal);
                failed
            }
            Err(error) => Some(error),
        };
        let repo = subject.job.repo.to_string();
        if let Some(error) = failed
            && !errors.add(&repo, error, context)
        {
            break;
        }
    }
    if args.json && !rehearsals.is_empty() {
        context.ui.json(&show::Document::of(&rehearsals));
    }
    errors.end()
}

/// What a person sees while a step takes its time.
fn words(step: StepName) -> Option<&'static str> {
    Some(match step {
        StepName::Mirror => "fetching the repository",
        StepName::Compose => "letting the template look at it",
        StepName::Clone => "making a workspace",
        StepName::Agent => "waiting for the agent",
        StepName::Collect => "collecting what it did",
        StepName::Publish => "pushing to a repository of our own",
        StepName::Plan | StepName::CheckPatch | StepName::Record => {
            return None;
        }
    })
}

/// The error of a rehearsal that did not end well.
fn failed(rehearsal: &Rehearsal) -> Option<Error> {
    let kind = rehearsal.outcome.error_kind()?;
    let record = rehearsal.folder.display();
    let what = match &rehearsal.outcome {
        Outcome::Failed { step, message, .. } => {
            format!("the step `{}` failed: {message}", step.as_str())
        }
        outcome => format!("{}: {}", outcome.word(), outcome.sentence()),
    };
    let error = Error::new(kind, what);
    Some(match rehearsal.outcome {
        Outcome::Failed {
            step: StepName::Agent,
            ..
        }
        | Outcome::TimedOut { .. } => {
            error.with_hint(format!("what the agent said is in {record}/log"))
        }
        _ => error.with_hint(format!("the record of this rehearsal is in {record}")),
    })
}
