use serde::Serialize;

use super::selection;
use crate::brief::Composition;
use crate::context::Context;
use crate::error::Result;
use crate::git::{Git, Mirror, Snapshot};
use crate::plan::{self, Plan, Start};
use crate::prepare::{self, Subject};

/// Show what a run would do, without doing it
///
/// The template looks at the repository and composes its brief; nothing of the repository is executed
/// and nothing is written but our own copy of it. A folder is looked at where it is; for a URL our copy
/// is brought up to date first.
#[derive(Debug, clap::Args)]
#[command(override_usage = "\
    changeling plan [OPTIONS] <NAME>\n       \
    changeling plan [OPTIONS] --template <TEMPLATE> --repo <REPO>")]
pub struct Args {
    #[command(flatten)]
    selection: selection::Target,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// `--json`.
#[derive(Debug, Serialize)]
struct Document<'a> {
    /// One for each repository.
    plans: &'a [Answer],
}

/// What a run would do on one repository.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case", tag = "decision")]
enum Answer {
    Run {
        plan: Box<Plan>,
        composed: Effort,
    },
    Skip {
        repo: String,
        reason: String,
        /// `None`: it was clear before the template looked.
        composed: Option<Effort>,
    },
}

/// What composing took: for authors of templates, who have limits to stay within.
#[derive(Debug, Clone, Copy, Serialize)]
struct Effort {
    /// Time the template used for itself, in milliseconds.
    guest_ms: u128,
    /// Time the host worked for it, in milliseconds.
    host_ms: u128,
    /// Questions it asked of the repository and of GitHub, as far as they are kept.
    questions: usize,
}

pub fn run(args: &Args, context: &Context) -> Result<()> {
    let subjects = prepare::subjects(&args.selection.selection()?, context)?;
    show(&subjects, args.json, context)
}

/// What runs of these would do.
pub(super) fn show(subjects: &[Subject], json: bool, context: &Context) -> Result<()> {
    let mut answers = Vec::new();
    for subject in subjects {
        answers.push(answer(subject, &subject.git(context, None)?, context)?);
    }
    if json {
        context.ui.json(&Document { plans: &answers });
        return Ok(());
    }
    for answer in &answers {
        match answer {
            Answer::Run { plan, .. } => context
                .ui
                .out(plan::render::render(plan, context.ui.columns)),
            Answer::Skip { repo, reason, .. } => {
                context
                    .ui
                    .out(format!("{repo}: a run would be skipped: {reason}"));
            }
        }
    }
    Ok(())
}

fn answer(subject: &Subject, git: &Git, context: &Context) -> Result<Answer> {
    let mirror = mirror(subject, git, context)?;
    let facts = subject.facts(&mirror, "<run>", git, context)?;
    let skip = |reason, composed| {
        Ok(Answer::Skip {
            repo: subject.job.repo.to_string(),
            reason,
            composed,
        })
    };
    let commit = match plan::start(&subject.job, &facts) {
        Start::At(commit) => commit,
        Start::Skip(reason) => return skip(reason, None),
    };
    let snapshot = Snapshot {
        git_dir: mirror.git_dir.clone(),
        commit,
        checkout: None,
    };
    let progress = context.ui.quick_progress(format!(
        "{} looks at {}",
        subject.template.manifest.name, subject.job.repo
    ));
    let composed = subject.compose(&snapshot, &facts, git, context)?;
    drop(progress);
    let effort = Effort {
        guest_ms: composed.guest_time.as_millis(),
        host_ms: composed.host_time.as_millis(),
        questions: composed.asked.len(),
    };
    match composed.composition {
        Composition::Run(brief) => Ok(Answer::Run {
            plan: Box::new(subject.plan(&brief, &facts)?),
            composed: effort,
        }),
        Composition::Skip { reason } => skip(reason, Some(effort)),
    }
}

/// A folder is looked at where it is; what is elsewhere, in our copy, brought up to date.
fn mirror(subject: &Subject, git: &Git, context: &Context) -> Result<Mirror> {
    let repo = &subject.remote(context);
    if repo.is_local() {
        return Ok(Mirror::in_place(git, repo)?);
    }
    let progress = context.ui.quick_progress(format!("fetching {repo}"));
    let updated = Mirror::update(git, &context.home, repo);
    drop(progress);
    match updated {
        Ok(mirror) => Ok(mirror),
        // Yesterday's copy tells more than an error, as long as nobody takes it for today's.
        Err(error) if error.is_passing() => match Mirror::open(git, &context.home, repo) {
            Ok(Some(mirror)) => {
                let error = crate::error::Error::from(error);
                context.ui.warn(format!(
                    "{error}; this is {repo} as it was fetched at {}",
                    mirror.fetched_at.strftime("%Y-%m-%d %H:%M UTC")
                ));
                Ok(mirror)
            }
            _ => Err(error.into()),
        },
        Err(error) => Err(error.into()),
    }
}
