//! In the container: one call of a deployed function, from the volume's records to a record of its own.
//!
//! The engine is the one that runs everywhere. What is particular is around it: what earlier calls
//! left is taken from the volume, a start is asked for before the agent begins, what came of it goes
//! to the volume as files that are never changed, and whoever started us (`app.py`) hears the end.

mod advice;
mod check;
mod ended;
mod late;
mod ledger;
mod peer;
mod volume;
mod walls;

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;

use crate::context::Context;
use crate::error::{Error, Kind, Result};
use crate::exec::{self, Called, News, Outcome, RunWish, Trigger};
use crate::git::{Git, Mirror, Unbundled};
use crate::job::Job;
use crate::modal::Document;
use crate::modal::document::TEMPLATE;
use crate::modal::image::AGENT;
use crate::prepare::Subject;
use crate::process::{self, User, despite_interrupt};
use crate::record::{self, Exported, Header, Origin, Place, Store, Usage};
use crate::repo_url::RepoUrl;

pub use check::check;
use ended::Ended;
use peer::Peer;
use volume::Volume;
pub use walls::try_them;

/// What is done before Modal's own limit ends everything: writing down and telling.
const MARGIN: Duration = Duration::from_mins(1);
/// With less time than that a copy of the repository is not begun.
const COPYING: Duration = Duration::from_mins(2);

/// Whom the agent runs as: the user the image brings, else whom every system knows.
fn agent_user() -> std::io::Result<Option<User>> {
    User::other(&[AGENT, "nobody"])
}

/// One call.
#[derive(Debug)]
pub struct Call {
    /// `job.json`; the component lies beside it.
    pub document: PathBuf,
    /// Which of its repositories.
    pub target: usize,
    pub by: Trigger,
    /// Modal's id of the call.
    pub id: String,
    pub attempt: String,
    /// When the schedule fired, where a function of its own starts the runs.
    pub fired: Option<Timestamp>,
    /// Where the volume is mounted.
    pub volume: PathBuf,
}

/// Answers one call. Standard output and input belong to whoever started us.
///
/// # Errors
/// What the run led to, when that is an error; or why there is none.
pub fn answer(call: &Call, context: &Context) -> Result<()> {
    // Nothing that is written from here on is for anybody else: not for the agent, unless it is given to it.
    rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
    // From the very first moment a signal lets things end in their order.
    process::pause(Duration::ZERO);
    let peer = Peer::new(&context.ui);
    match follow(call, &peer, context) {
        Ok(exported) => {
            peer.tell(&Ended::of(&exported));
            let outcome = exported.record.outcome.as_ref();
            if let Some(kind) = outcome.and_then(Outcome::error_kind) {
                return Err(Error::new(kind, exported.sentence));
            }
            context.ui.note(exported.sentence);
            Ok(())
        }
        Err(error) => {
            peer.tell(&Ended::without_record(&error));
            Err(error)
        }
    }
}

fn follow(call: &Call, peer: &Peer, context: &Context) -> Result<Exported> {
    for id in [&call.id, &call.attempt] {
        if !record::exchange::is_plain_name(id) {
            return Err(Error::usage(
                "--call and --attempt take letters, digits, `-` and `_`",
            ));
        }
    }
    let document = Document::read(&call.document)?;
    let job = document.job(call.target)?;
    let origin = Origin {
        place: Place::Modal,
        call: call.id.clone(),
        attempt: call.attempt.clone(),
        by: call.by,
        refused: false,
    };
    let limit = Duration::from_secs(document.app.timeout_seconds);
    process::end_after(limit.saturating_sub(MARGIN.min(limit / 4)));
    let volume = Volume::open(&call.volume)?;
    let store = Store::open(&context.home)?;
    let mut ledger = volume.import(&store, job, context)?;
    volume.forgive(&store, &document.changeling)?;
    if let Some(ended) = ended_before(&origin, &volume, &store)? {
        context.ui.note(format!(
            "Modal delivered the call {} again; it had ended as run {}, and ends as that did",
            origin.call, ended.record.id
        ));
        return Ok(ended);
    }
    volume.begin(&origin, job, context)?;
    if let Err(error) = peer.commit() {
        // Only those who look now miss something.
        context.ui.warn(error);
    }
    let course = Course {
        call,
        document: &document,
        origin: &origin,
        volume: &volume,
        store: &store,
        peer,
        context,
    };
    let run_id = match course.run_once() {
        Ok(Some(run_id)) => run_id,
        Ok(None) => course.record_refusal(job)?,
        Err(error) => course.record(job, &advice::fit(error, &document.changeling))?,
    };
    // It is written down, whoever asks us to end by now.
    let exported = despite_interrupt(|| -> Result<_> {
        let exported = store.export(&run_id, &volume.record_of(&origin))?;
        ledger.add(&origin.key(), &exported);
        volume.prune(&mut ledger, &store, context)?;
        volume.keep(&ledger, job);
        course.commit();
        Ok(exported)
    })?;
    // This can take long, and can be left.
    let in_time = process::time_left().is_none_or(|left| left >= COPYING);
    if in_time && !process::interrupted() && course.keep_mirror() {
        course.commit();
    }
    Ok(exported)
}

/// What an earlier attempt at the same call came to, when its container died only after it had written
/// that down. What was cut off says nothing: whether this attempt goes on is then the guard's to decide.
fn ended_before(origin: &Origin, volume: &Volume, store: &Store) -> Result<Option<Exported>> {
    let runs = store.runs_of_call(&origin.call)?;
    let ended = |run: &record::Record| {
        run.outcome.is_some() && !matches!(run.outcome, Some(Outcome::Interrupted { .. }))
    };
    let before = runs.into_iter().find(ended).and_then(|run| run.origin);
    Ok(before.and_then(|before| Exported::read(&volume.record_of(&before)).ok()))
}

/// The way of one call.
struct Course<'a> {
    call: &'a Call,
    document: &'a Document,
    origin: &'a Origin,
    volume: &'a Volume,
    store: &'a Store,
    peer: &'a Peer<'a>,
    context: &'a Context,
}

/// What an attempt at a call says that does not start the agent because another one did.
const NOT_TWICE: &str = "Modal delivered the call again; another attempt at it had started the agent, which is not started twice";

impl Course<'_> {
    /// Answers the run's id; `None`: another attempt at the call had started the agent. Where there is
    /// another one that is asked first: whatever this one comes to before its agent would start is not
    /// what the call came to.
    fn run_once(&self) -> Result<Option<String>> {
        if self.volume.has_another_attempt(self.origin) && !self.peer.may_start()? {
            return Ok(None);
        }
        self.run().map(Some)
    }

    /// Answers the run's id.
    fn run(&self) -> Result<String> {
        let context = self.context;
        let component = self.call.document.with_file_name(TEMPLATE);
        let mut subject = self
            .document
            .subject(self.call.target, &component, context)?;
        let app = &self.document.app;
        subject.job.timeout_seconds = subject.job.timeout_seconds.min(app.run_seconds);
        let user = agent_user()?;
        if user.is_none() {
            context.ui.warn(
                "this program is not root here: the agent runs as the same user and could read its secrets",
            );
        }
        let other = user.clone();
        let wish = RunWish {
            agent: None,
            trigger: self.call.by,
            keep: false,
            called: Some(Called {
                origin: self.origin.clone(),
                not_now: self.not_now(&subject)?,
                bring: &|| self.bring(&subject.remote(context)),
                may_start: &|| self.may_start(other.as_ref()),
                advise: &|error| advice::fit(error, &self.document.changeling),
                user,
            }),
        };
        let ran = exec::run(&subject, &wish, context, &mut |news| self.hear(&news))?;
        for note in &ran.notes {
            context.ui.note(note);
        }
        self.hint(&ran.outcome, ran.hint.as_deref());
        Ok(ran.run_id)
    }

    /// The mirror, as the last run left it.
    fn bring(&self, repo: &RepoUrl) -> Result<()> {
        let context = self.context;
        let git = Git::new(&context.env);
        let mirrors = self.volume.mirrors();
        if let Unbundled::Doubtful(why) = Mirror::unbundle(&git, &context.home, repo, &mirrors)? {
            context.ui.warn(format!(
                "the copy of {repo} on the volume is not used: {why}; it is made afresh"
            ));
        }
        Ok(())
    }

    fn not_now(&self, subject: &Subject) -> Result<Option<String>> {
        let now = self.context.clock.now();
        let app = &self.document.app;
        if app.max_containers > 1
            && let Some(other) =
                self.volume
                    .other_at_work(self.origin, &subject.job, app, self.store, now)?
        {
            let call = &other.call;
            let mut why = format!(
                "the run of call {call} is still going on, and two at once are never started"
            );
            if self.call.by == Trigger::Hand {
                let note = volume::note_of(&other);
                let (volume, note) = (&app.volume, note.display());
                let _ = write!(
                    why,
                    "; if its container died: modal volume rm {volume} {note}"
                );
            }
            return Ok(Some(why));
        }
        late::reason(subject, app, self.store, self.origin, self.call.fired, now)
    }

    /// Walls hold, and the agent starts once, however often the call is delivered.
    fn may_start(&self, user: Option<&User>) -> Result<Option<String>> {
        if let Some(user) = user {
            let volume = Some(self.call.volume.as_path());
            walls::hold(user, volume, &self.document.changeling, self.context)?;
        }
        if self.peer.may_start()? {
            return Ok(None);
        }
        // What the other one leads to is not known here: it may be at work.
        Ok(Some(NOT_TWICE.to_owned()))
    }

    fn hear(&self, news: &News) {
        let ui = &self.context.ui;
        match news {
            News::Event(exec::Event::StepStarted { step }) => {
                ui.note(format!("[{}]", step.as_str()));
            }
            News::Event(exec::Event::Note { message }) => ui.note(message),
            News::Said(line) => ui.note(line),
            News::Event(_) | News::Usage(_) => {}
        }
    }

    /// For the next run. Without it that run takes longer, and that is all. Answers whether the volume
    /// has something new.
    fn keep_mirror(&self) -> bool {
        let git = Git::new(&self.context.env);
        let Ok(job) = self.document.job(self.call.target) else {
            return false;
        };
        let kept = Mirror::open(&git, &self.context.home, &job.repo).and_then(|mirror| {
            // There is none when the run failed before.
            mirror.map_or(Ok(false), |mirror| {
                mirror.bundle(&git, &self.volume.mirrors())
            })
        });
        kept.unwrap_or_else(|error| {
            let repo = &job.repo;
            let told = format!("the copy of {repo} is not kept: {}", Error::from(error));
            self.context.ui.warn(told);
            false
        })
    }

    /// What to do about it, in the log that ends with the outcome: where a person is needed, that says it.
    fn hint(&self, outcome: &Outcome, hint: Option<&str>) {
        if let (Outcome::Failed { .. }, Some(hint)) = (outcome, hint) {
            self.context.ui.note(hint);
        }
    }

    /// Makes everybody see what is on the volume.
    fn commit(&self) {
        if let Err(error) = self.peer.commit() {
            self.context.ui.warn(format!(
                "{error}; Modal keeps what is on the volume when the container ends"
            ));
        }
    }

    /// Writes down that another attempt had started the agent. Answers the run's id.
    fn record_refusal(&self, job: &Job) -> Result<String> {
        self.context.ui.note(NOT_TWICE);
        let why = Some(NOT_TWICE.to_owned());
        let origin = Origin {
            refused: true,
            ..self.origin.clone()
        };
        self.write_down(job, &origin, &Outcome::Interrupted { why })
    }

    /// Writes down a run that came to nothing before it was one. Answers its id.
    fn record(&self, job: &Job, error: &Error) -> Result<String> {
        let outcome = match error.kind {
            Kind::Interrupted => Outcome::INTERRUPTED,
            Kind::NeedsPerson => Outcome::NeedsAttention {
                why: std::iter::once(error.to_string())
                    .chain(error.hint.clone())
                    .collect(),
                next: None,
            },
            _ => Outcome::Failed {
                step: exec::StepName::Mirror,
                exit: None,
                message: error.to_string(),
                last_lines: Vec::new(),
            },
        };
        self.hint(&outcome, error.hint.as_deref());
        self.write_down(job, self.origin, &outcome)
    }

    fn write_down(&self, job: &Job, origin: &Origin, outcome: &Outcome) -> Result<String> {
        let now = self.context.clock.now();
        let id = record::new_id(now);
        let recording = self.store.begin(&Header {
            id: &id,
            kind: record::Kind::Run,
            changeling: &job.changeling,
            repo: &job.repo.to_string(),
            template: &job.template.name,
            started_at: now,
        })?;
        recording.is_call(origin)?;
        recording.finish(outcome, Usage::default(), now)?;
        self.store.mark_clean(&id)?;
        Ok(id)
    }
}
