//! Whether a run could work in this container, without one: what `deploy --verify quick` asks.

use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use crate::context::Context;
use crate::error::{Error, Result};
use crate::job::Job;
use crate::mngr::Launch;
use crate::modal::Document;
use crate::modal::document::TEMPLATE;
use crate::names::{Name, printable};
use crate::prepare::Subject;
use crate::process::{Command, User};

use super::volume::Volume;
use super::{advice, walls};

/// A cold Python in a new container takes its time.
const PATIENCE: Duration = Duration::from_mins(1);

/// What was looked at.
#[derive(Debug, Serialize)]
struct Report {
    version: u32,
    /// All of it works.
    ok: bool,
    checks: Vec<Check>,
}

#[derive(Debug, Serialize)]
struct Check {
    /// `template`, `repository`, `mngr`, `agent`, `user` or `walls`.
    what: &'static str,
    /// Which one, when there are several.
    #[serde(skip_serializing_if = "Option::is_none")]
    of: Option<String>,
    ok: bool,
    /// What it is, or what is wrong.
    says: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

impl Check {
    fn new(
        what: &'static str,
        of: Option<String>,
        found: Result<String>,
        changeling: &Name,
    ) -> Self {
        match found.map_err(|error| advice::fit(error, changeling)) {
            Ok(says) => Self {
                what,
                of,
                ok: true,
                says,
                hint: None,
            },
            Err(error) => Self {
                what,
                of,
                ok: false,
                says: error.to_string(),
                hint: error.hint,
            },
        }
    }
}

/// Prints one JSON document that tells what works. What does not is no error of this command.
pub fn check(document: &Path, volume: Option<&Path>, context: &Context) -> Result<()> {
    let folder = document;
    let document = Document::read(folder)?;
    let component = folder.with_file_name(TEMPLATE);
    let user = super::agent_user();
    let name = &document.changeling;
    let mut checks = vec![Check::new("user", None, as_whom(&user, name), name)];
    if let Ok(Some(user)) = &user {
        let held = keeps_apart(user, volume, name, context);
        checks.push(Check::new("walls", None, held, name));
    }
    let mut is_loaded = false;
    for (target, job) in document.jobs.iter().enumerate() {
        let subject = match document.subject(target, &component, context) {
            Ok(subject) => subject,
            Err(error) => {
                checks.push(Check::new("template", None, Err(error), name));
                break;
            }
        };
        if !is_loaded {
            is_loaded = true;
            let id = &document.template;
            let says = format!("{} {} ({})", id.name, id.version, id.digest.short());
            checks.push(Check::new("template", None, Ok(says), name));
            checks.extend(programs(
                &subject,
                user.as_ref().ok().and_then(Option::as_ref),
                context,
            ));
        }
        let found = can_be_fetched(&subject, job, context);
        let repo = Some(job.repo.to_string());
        checks.push(Check::new("repository", repo, found, name));
    }
    let report = Report {
        version: 1,
        ok: checks.iter().all(|check| check.ok),
        checks,
    };
    context.ui.json(&report);
    Ok(())
}

fn as_whom(user: &std::io::Result<Option<User>>, changeling: &Name) -> Result<String> {
    match user {
        Ok(Some(user)) => Ok(format!("the agent runs as {}", user.name)),
        Ok(None) => Err(Error::failed(
            "this program is not root here: the agent would run as the same user and could read its secrets",
        )
        .with_hint(format!(
            "the `image` in [changelings.{changeling}.modal] must end as root: no USER, or USER root; then: {}",
            advice::again(changeling)
        ))),
        Err(error) => Err(Error::failed(error.to_string())),
    }
}

fn keeps_apart(
    user: &User,
    volume: Option<&Path>,
    changeling: &Name,
    context: &Context,
) -> Result<String> {
    // As a run finds it.
    volume.map(Volume::open).transpose()?;
    walls::hold(user, volume, changeling, context)?;
    Ok(format!(
        "{} reaches neither secrets nor the volume nor Modal itself",
        user.name
    ))
}

fn can_be_fetched(subject: &Subject, job: &Job, context: &Context) -> Result<String> {
    let git = subject.git(context, None)?;
    let listing = git.list_remote(&subject.remote(context))?;
    let branches = listing.branches();
    match &job.branch {
        Some(branch) if !branches.contains_key(branch) => Err(Error::failed(format!(
            "it has no branch {}",
            printable(branch)
        ))
        .with_hint(format!(
            "name one that is there: changeling edit {0} --branch BRANCH, then: {1}",
            subject.job.changeling,
            advice::again(&subject.job.changeling)
        ))),
        _ => Ok(match branches.len() {
            1 => "answers, with 1 branch".to_owned(),
            count => format!("answers, with {count} branches"),
        }),
    }
}

fn programs(subject: &Subject, user: Option<&User>, context: &Context) -> Vec<Check> {
    let name = &subject.job.changeling;
    let broken = |error: Error| error.with_hint(advice::image(name));
    let launch = match Launch::find(&subject.job, &subject.config, context) {
        Ok(launch) => launch,
        Err(error) => return vec![Check::new("mngr", None, Err(error.into()), name)],
    };
    let mngr = launch.mngr();
    // Not every mngr that works knows its own version.
    let says = answer(&mngr.program, "--help", user, context).map(|_| {
        let version = mngr.version.map_or_else(String::new, |v| format!("{v} "));
        format!("{version}({})", printable(&mngr.program.to_string_lossy()))
    });
    let mut checks = vec![Check::new("mngr", None, says.map_err(broken), name)];
    // A program of the repository is there when there is a workspace.
    if let Some((agent, answers)) = launch.agent().filter(|(agent, _)| agent.is_absolute()) {
        let shown = printable(&agent.to_string_lossy());
        // What a command of the user's own does when it is started, nobody knows.
        let says = if answers {
            answer(agent, "--version", user, context).map(|says| format!("{says} ({shown})"))
        } else {
            Ok(shown)
        };
        checks.push(Check::new("agent", None, says.map_err(broken), name));
    }
    checks
}

/// The first line of what a program answers, as the user who will start it.
fn answer(program: &Path, ask: &str, user: Option<&User>, context: &Context) -> Result<String> {
    let name = printable(&program.to_string_lossy());
    let mut command = Command::new(program)
        .arg(ask)
        .cwd("/")
        .env("HOME", "/tmp")
        .timeout(PATIENCE)
        .user(user);
    for variable in ["PATH", "LANG"] {
        if let Some(value) = context.env.get_os(variable) {
            command = command.env(variable, value);
        }
    }
    let finished = command
        .run()
        .map_err(|error| Error::failed(format!("{name} does not answer: {error}")))?;
    let text = finished.text();
    if finished.success() {
        return Ok(printable(text.lines().next().unwrap_or_default()));
    }
    let said = String::from_utf8_lossy(&finished.stderr);
    let last = said.trim().lines().last().unwrap_or("it says nothing");
    Err(Error::failed(format!(
        "{name} {ask} fails with exit code {}: {}",
        finished.code(),
        printable(last)
    )))
}
