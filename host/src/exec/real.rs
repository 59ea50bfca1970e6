//! A real run: with the agent the changeling names, published where it belongs, and recorded as what
//! it truly was.

use std::path::PathBuf;

use super::allowance::{self, Allowance, Trigger};
use super::look::look;
use super::overlap::{self, Asked, Turn};
use super::proposal::proposal;
use super::publish::{Publisher, publish};
use super::reach::Reach;
use super::run::{Run, Stop, failure};
use super::work::{Equipment, Work, work};
use super::{Called, News, Outcome, StepName, leftovers, secrets};
use crate::agent::Agent;
use crate::brief::Delivery;
use crate::config::Changeling;
use crate::context::Context;
use crate::error::{Error, Kind, Result};
use crate::git::{Git, Mirror};
use crate::mngr::{Launch, MngrError};
use crate::notify;
use crate::permission::{self, Permission};
use crate::plan::{Plan, PullRequestFact};
use crate::prepare::Subject;
use crate::process::despite_interrupt;
use crate::record::{self, Fate, File, Header, Kind as Recorded, Retention, Store, Usage};
use crate::redact::Redactor;

/// How to run.
#[derive(Debug)]
pub struct RunWish<'a> {
    /// `None`: the one the changeling names, through mngr.
    pub agent: Option<Agent>,
    pub trigger: Trigger,
    /// Keep the workspace afterwards.
    pub keep: bool,
    /// `None`: it is no call of a deployed function.
    pub called: Option<Called<'a>>,
}

/// What a run led to.
#[derive(Debug)]
pub struct Ran {
    pub run_id: String,
    /// Folder of the record.
    pub folder: PathBuf,
    pub outcome: Outcome,
    /// `None` when it ended before there was one.
    pub plan: Option<Plan>,
    pub usage: Usage,
    /// How long the agent worked; `None`: it was not started.
    pub agent_seconds: Option<u64>,
    /// What the reader should know.
    pub notes: Vec<String>,
    /// The workspace, when it was kept.
    pub kept: Option<PathBuf>,
    /// What to do about an outcome that is an error of the surroundings.
    pub hint: Option<String>,
}

/// Runs one subject. An error is the user's to mend before there is a run at all; whatever happens in
/// it is an outcome.
pub fn run(
    subject: &Subject,
    wish: &RunWish,
    context: &Context,
    watch: &mut dyn FnMut(News),
) -> Result<Ran> {
    let changeling = subject.config.changeling(&subject.job.changeling)?;
    may_run(subject)?;
    let agent = match &wish.agent {
        Some(agent) => Ok(agent.clone()),
        None => Launch::find(&subject.job, &subject.config, context).map(Agent::Mngr),
    };
    let agent = match agent {
        // Who sits there can mend it; at night it is what the run led to.
        Err(error) if wish.trigger == Trigger::Hand => return Err(error.into()),
        agent => agent,
    };
    let store = Store::open(&context.home)?;
    leftovers::clean_up(&store, context)?;
    let may_have = || allowance::ask(&store, subject, changeling, wish.trigger, context);
    // A run that will not start takes nobody's turn, and ends nobody.
    let not_now = wish.called.as_ref().and_then(|call| call.not_now.clone());
    let asked = match (not_now, may_have()?) {
        (None, Allowance::Go { .. }) => overlap::ask(&subject.job, changeling.overlap, context)?,
        (Some(why), _) | (None, Allowance::No(why)) => Asked::Taken(why),
    };
    if let Asked::Ours {
        after_another: true,
        ..
    } = asked
    {
        // It may have had to die.
        leftovers::clean_up(&store, context)?;
    }
    // The run that had the turn may have changed it.
    let allowance = may_have()?;
    let started_at = context.clock.now();
    let header = Header {
        id: &record::new_id(started_at),
        kind: Recorded::Run,
        changeling: &subject.job.changeling,
        repo: &subject.job.repo.to_string(),
        template: &subject.job.template.name,
        started_at,
    };
    let mut run = Run::begin(&store, &header, context, watch)?;
    if let Some(call) = &wish.called {
        run.recording.is_call(&call.origin)?;
    }
    let mut ran = Ran {
        run_id: header.id.to_owned(),
        folder: run.recording.folder().to_owned(),
        outcome: Outcome::Interrupted,
        plan: None,
        usage: Usage::default(),
        agent_seconds: None,
        notes: Vec::new(),
        kept: None,
        hint: None,
    };
    let mut trail = Trail {
        step: StepName::Mirror,
        done: Work::default(),
        redactor: Redactor::default(),
        published: false,
    };
    let turn = match may_start(asked, allowance, &mut ran.notes) {
        Ok((mut turn, max_budget_usd)) => {
            turn.name(header.id)?;
            let mut subject = subject.clone();
            subject.job.max_budget_usd = max_budget_usd;
            let course = Course {
                subject: &subject,
                agent,
                store: &store,
                called: wish.called.as_ref(),
            };
            match course.follow(&mut run, &mut trail, &mut ran) {
                Ok(outcome) | Err(Halt::Known(Stop(outcome))) => ran.outcome = outcome,
                // A mistake of whoever sits there is no run; at night it must not go unnoticed.
                Err(Halt::Error(error))
                    if error.kind == Kind::Usage && wish.trigger == Trigger::Hand =>
                {
                    return Err(run.give_up(trail.step, error));
                }
                Err(Halt::Error(error)) => {
                    let error = match &wish.called {
                        Some(call) => (call.advise)(error),
                        None => error,
                    };
                    ran.outcome = failure(trail.step, &error);
                    ran.hint = error.hint;
                }
            }
            Some(turn)
        }
        Err(reason) => {
            ran.outcome = Outcome::Skipped { reason };
            None
        }
    };
    tidy(&store, wish, &trail, &mut ran)?;
    if let Some(ended) = &trail.done.ended {
        ran.usage = ended.usage;
        ran.agent_seconds = Some(ended.seconds);
    }
    // An agent chooses the names of what it makes.
    ran.outcome = trail.redactor.value(&ran.outcome);
    ran.notes = trail.redactor.value(&ran.notes);
    run.finish(&ran.outcome, ran.usage)?;
    despite_interrupt(|| {
        remove_old(&store, subject, changeling, context);
        let redactor = &trail.redactor;
        notify::tell(&store, &ran.run_id, redactor, &subject.config, context);
    });
    // Until everything is written down.
    drop(turn);
    Ok(ran)
}

/// A third-party template steers an agent only when this exact version was agreed to.
fn may_run(subject: &Subject) -> Result<()> {
    if permission::may_run(&subject.job) {
        return Ok(());
    }
    let template = &subject.job.template;
    let changeling = subject.config.changeling(&subject.job.changeling)?;
    Err(Error::needs_person(format!(
        "the template {} ({}) may plan and rehearse, and was not granted to steer an agent",
        template.name,
        template.digest.short()
    ))
    .with_hint(format!(
        "if you trust it: changeling permission grant {} agent",
        shell_words::quote(&changeling.template)
    )))
}

/// Or why not, for a person.
fn may_start(
    asked: Asked,
    allowance: Allowance,
    notes: &mut Vec<String>,
) -> std::result::Result<(Turn, f64), String> {
    let turn = match asked {
        Asked::Ours { turn, .. } => turn,
        Asked::Taken(why) => return Err(why),
    };
    match allowance {
        Allowance::Go {
            max_budget_usd,
            notes: said,
        } => {
            notes.extend(said);
            Ok((turn, max_budget_usd))
        }
        Allowance::No(why) => Err(why),
    }
}

/// Why a run does not go on.
enum Halt {
    Known(Stop),
    Error(Error),
}

impl From<Stop> for Halt {
    fn from(stop: Stop) -> Self {
        Self::Known(stop)
    }
}

impl<E: Into<Error>> From<E> for Halt {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}

/// How far a run has come, and what it left on the way.
struct Trail {
    /// The step under way.
    step: StepName,
    done: Work,
    redactor: Redactor,
    /// The remote holds the branch.
    published: bool,
}

/// The way of one run.
struct Course<'a> {
    subject: &'a Subject,
    agent: std::result::Result<Agent, MngrError>,
    store: &'a Store,
    called: Option<&'a Called<'a>>,
}

impl Course<'_> {
    fn follow(
        self,
        run: &mut Run,
        trail: &mut Trail,
        ran: &mut Ran,
    ) -> std::result::Result<Outcome, Halt> {
        let subject = self.subject;
        trail.step = StepName::Agent;
        let agent = self.agent?;
        let folder = ran.folder.clone();
        let reach = Reach {
            subject,
            context: run.context,
            folder: &folder,
        };
        let known = secrets::find(subject, run.context);
        run.hides(&known)?;
        trail.redactor = known.redactor();
        if let Some(call) = self.called {
            trail.step = StepName::Mirror;
            (call.bring)()?;
        }
        let looked = look(run, &mut trail.step, subject, &reach.git()?)?;
        learn_fates(self.store, subject, &looked.facts.pull_requests, run);
        let plan = match looked.plan {
            Ok(plan) => ran.plan.insert(plan),
            Err(reason) => return Ok(Outcome::Skipped { reason }),
        };
        let redactor = &trail.redactor;
        for name in redactor.too_short() {
            let note = format!("the secret {name} is too short to be looked for in what is kept");
            ran.notes.push(note);
        }
        let for_agent = known.for_agent(plan, true);
        if let Some(error) = known.into_error(plan) {
            return Err(error.into());
        }
        let identity = looked.identity.ok_or_else(nobody)?;
        let github = subject.github(run.context)?;
        let publishes_there = plan.publishes() && plan.delivery != Delivery::Record;
        if let Some(github) = &github
            && publishes_there
            && !github.has_token()
        {
            return Err(no_token().into());
        }
        trail.step = StepName::Clone;
        let git = Git::new(&run.context.env);
        let remote = reach.remote();
        let origin = remote.to_string();
        let may_push = plan.allows(&Permission::Github) && github.is_some();
        let with = Equipment {
            git: &git,
            mirror: &looked.mirror,
            agent: &agent,
            origin: &origin,
            identity: &identity,
            secrets: &for_agent,
            redactor,
            pushes_to: may_push.then_some(reach),
            called: self.called,
        };
        let worked = work(run, plan, &with, &mut trail.done);
        let text = proposal(plan, &trail.done, false, redactor);
        if let Some(text) = &text {
            run.recording
                .save(File::PullRequest, text.body.as_bytes())?;
        }
        let ready = worked?;
        if let Some(tip) = &trail.done.collected.tip {
            run.recording.has_checked(tip)?;
        }
        trail.step = StepName::Publish;
        let Some(text) = text else {
            return Err(Error::failed("there is work, and nothing to say about it").into());
        };
        let to = Publisher {
            plan,
            with: &with,
            store: self.store,
            git: &reach.git()?,
            remote: &remote,
            github: github.as_ref(),
            text: &text,
            notes: &mut ran.notes,
            published: &mut trail.published,
        };
        Ok(publish(run, ready, &trail.done, to)?)
    }
}

/// What became of earlier pull requests, since we know it now.
fn learn_fates(store: &Store, subject: &Subject, pulls: &[PullRequestFact], run: &Run) {
    let repo = subject.job.repo.to_string();
    let fates = pulls.iter().map(|pull| Fate {
        number: pull.number,
        title: &pull.title,
        state: &pull.state,
    });
    if let Err(error) = store.learn_fates(&repo, "pull-request", fates, run.now()) {
        tracing::warn!("{error}");
    }
}

fn nobody() -> Error {
    Error::needs_person("git knows no name and address for the commits of a run")
        .with_hint("git config --global user.name and user.email, or `identity` of the changeling")
}

fn no_token() -> Error {
    Error::needs_person("a GITHUB_TOKEN is needed to open what this run proposes, and there is none")
        .with_hint(
            "name it in `secrets` and set it in the environment, or say where it is: [secrets] GITHUB_TOKEN = { command = [\"gh\", \"auth\", \"token\"] }",
        )
}

/// Removes what is not to be kept. Work that is nowhere but in the workspace stays there, and the next
/// run or `doctor` takes it out.
fn tidy(store: &Store, wish: &RunWish, trail: &Trail, ran: &mut Ran) -> Result<()> {
    let workspace = ran.folder.join("workspace");
    let is_there = workspace.is_dir();
    if is_there && trail.done.begun && !trail.done.kept {
        leftovers::remove_scratch_but_workspace(&ran.folder);
        ran.kept = Some(workspace);
        return Ok(());
    }
    let unpublished = matches!(ran.outcome, Outcome::NeedsAttention { .. }) && !trail.published;
    // What leaks is in the mirror, and that is enough of it.
    let collected = &trail.done.collected;
    let holds_work = collected.tip.is_some()
        || collected.uncommitted.is_some()
        || !collected.problems.is_empty();
    let worth_keeping = unpublished && holds_work && !trail.done.leaks;
    if is_there && (wish.keep || worth_keeping) {
        leftovers::remove_scratch_but_workspace(&ran.folder);
        ran.kept = Some(workspace);
    } else {
        leftovers::remove_scratch(&ran.folder);
    }
    Ok(store.mark_clean(&ran.run_id)?)
}

/// Removes records that are too old, and what the mirror keeps of them. It changes nothing a run led
/// to, so that what goes wrong is only noted.
fn remove_old(store: &Store, subject: &Subject, changeling: &Changeling, context: &Context) {
    let retention = Retention {
        keep_runs: changeling.keep_runs,
        keep_days: changeling.keep_days,
        at_least: changeling.pause_after,
    };
    let repo = &subject.job.repo;
    let now = context.clock.now();
    let removed = match store.prune(&changeling.name, &repo.to_string(), retention, now) {
        Ok(removed) => removed,
        Err(error) => return tracing::warn!("old records cannot be removed: {error}"),
    };
    let git = Git::new(&context.env);
    let mirror = Mirror::open(&git, &context.home, repo).ok().flatten();
    for id in removed {
        // By its commits the pull request of a run is known for one that no person touched.
        let is_open = |delivery: &record::Delivery| delivery.state == "open";
        let open = store
            .deliveries_of_run(&id)
            .is_ok_and(|all| all.iter().any(is_open));
        if let (Some(mirror), false) = (&mirror, open) {
            mirror.forget_run(&git, &id);
        }
    }
}
