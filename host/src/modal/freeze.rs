//! From a changeling of this machine's configuration to the document that is deployed. What this
//! machine alone knows (identity, zone, defaults, where secrets are found) is settled here.

mod config;
mod secrets;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::document::{App, AppSecret, Document, FOLDER, JOB, RUNNER, TEMPLATE, VERSION};
use super::image::Image;
use super::runner::{Runner, Source};
use crate::config::{Changeling, Config, Timeout};
use crate::error::{Error, Kind};
use crate::git::Identity;
use crate::job::{Job, TemplateId};
use crate::names::Name;
use crate::permission::{self, Permission};
use crate::repo_url::RepoUrl;
use crate::secret::SecretError;
use crate::template::Template;
use crate::ui::time;

/// What Modal's own limit of a call leaves beyond the time an agent has: to copy the repository before,
/// to publish and to write the record afterwards.
const MARGIN: u64 = 600;
/// How far below Modal's limit ours is, so that a run that takes too long can still say so.
const LAST_WORDS: u64 = 300;
/// Modal's longest.
const LONGEST: u64 = 24 * 60 * 60;

/// What this machine adds to a changeling's configuration.
pub struct Machine<'a> {
    /// Its id: whose apps these are.
    pub home: &'a str,
    /// Version of this program.
    pub version: &'a str,
    /// Who commits where the changeling does not say.
    pub identity: Option<Identity>,
    /// The value of a secret; `None`: there is none.
    pub secret: &'a dyn Fn(&str) -> Result<Option<String>, SecretError>,
    /// The text of the changeling's key for ssh.
    pub ssh_key: Option<String>,
    /// Variables of this machine that mean the same in the container: a GitHub of one's own.
    pub settings: BTreeMap<String, String>,
}

/// A changeling with its template, and the program for the container.
pub struct Parts<'a> {
    pub changeling: &'a Changeling,
    pub config: &'a Config,
    pub template: &'a Template,
    /// What this exact template was granted.
    pub granted: Vec<Permission>,
    pub runner: &'a Runner,
}

/// A deployment that can be written down.
#[derive(Debug)]
pub struct Frozen {
    pub document: Document,
    /// Values of `document.app.secret`'s variables.
    pub values: BTreeMap<String, String>,
    /// What the reader should know.
    pub notes: Vec<String>,
    /// What a person must do first: with any of it, it can be shown and not deployed.
    pub missing: Vec<Error>,
}

impl Frozen {
    /// # Errors
    /// Something is missing.
    pub fn complete(mut self) -> crate::error::Result<Self> {
        if self.missing.is_empty() {
            Ok(self)
        } else {
            Err(self.missing.swap_remove(0))
        }
    }
}

/// Why a changeling cannot be deployed as it is.
#[derive(Debug, thiserror::Error)]
pub enum FreezeError {
    #[error("{} needs {}, which {} nowhere to be found", .changeling, list(.names), if .names.len() == 1 { "is" } else { "are" })]
    NoSecrets {
        changeling: Name,
        /// A name, or `A (or B)`.
        names: Vec<String>,
    },
    #[error("{changeling} works on {}, a folder of this machine, which Modal cannot reach", .folder.display())]
    LocalRepository {
        changeling: Name,
        folder: std::path::PathBuf,
    },
    #[error("{changeling} works on {repo}, and has no key for ssh that could be sent along")]
    NoKey { changeling: Name, repo: String },
    #[error("{changeling} has no identity to commit with")]
    NoIdentity { changeling: Name },
    #[error(
        "`timeout` of {changeling} is {}, and `timeout` of its `modal` table, Modal's own limit, is {}",
        minutes(*.wanted),
        minutes(*.limit)
    )]
    NoTime {
        changeling: Name,
        /// Seconds.
        wanted: u64,
        limit: u64,
    },
    #[error("the template {template} ({digest}) of {changeling} was not granted to steer an agent")]
    NotGranted {
        changeling: Name,
        template: Name,
        digest: String,
        /// As the changeling names it.
        reference: String,
    },
    #[error("{changeling} cannot be written down")]
    Config {
        changeling: Name,
        #[source]
        source: toml::ser::Error,
    },
}

fn list(names: &[String]) -> Cow<'_, str> {
    match names {
        [name] => name.into(),
        [all @ .., last] => format!("{} and {last}", all.join(", ")).into(),
        [] => "nothing".into(),
    }
}

impl From<FreezeError> for Error {
    fn from(error: FreezeError) -> Self {
        let (kind, hint) = match &error {
            FreezeError::NoSecrets { changeling, .. } => (
                Kind::NeedsPerson,
                format!(
                    "set them in the environment, say in `[secrets]` where they are found, or name those it \
                     really needs: changeling edit {changeling} --secret NAME"
                ),
            ),
            FreezeError::LocalRepository { changeling, .. } => (
                Kind::Usage,
                format!(
                    "changeling edit {changeling} --repo URL, or run it here: changeling run {changeling} --local"
                ),
            ),
            FreezeError::NoKey { changeling, .. } => (
                Kind::NeedsPerson,
                format!(
                    "changeling edit {changeling} --ssh-key FILE, or give the https URL as --repo"
                ),
            ),
            FreezeError::NoIdentity { changeling } => (
                Kind::NeedsPerson,
                format!(
                    "git config --global user.name and user.email, or: changeling edit {changeling} --identity 'NAME <EMAIL>'"
                ),
            ),
            FreezeError::NoTime { .. } => (
                Kind::Usage,
                "leave the second out, and it is what the first needs; or make the first shorter"
                    .to_owned(),
            ),
            FreezeError::NotGranted { reference, .. } => (
                Kind::NeedsPerson,
                format!(
                    "if you trust it: changeling permission grant {} agent",
                    shell_words::quote(reference)
                ),
            ),
            FreezeError::Config { .. } => (Kind::Failed, String::new()),
        };
        let error = Self::from_source(kind, error);
        if hint.is_empty() {
            error
        } else {
            error.with_hint(hint)
        }
    }
}

/// Names of everything at Modal that belongs to a changeling.
pub fn app_name(changeling: &Name) -> String {
    format!("changeling-{changeling}")
}

/// Freezes a changeling with everything it needs, as far as that is there.
///
/// # Errors
/// It cannot even be shown.
pub fn freeze(parts: &Parts<'_>, machine: &Machine<'_>) -> crate::error::Result<Frozen> {
    let Parts {
        changeling,
        config,
        template,
        ..
    } = parts;
    let mut missing = Vec::new();
    let mut notes = Vec::new();
    match time_there(changeling) {
        Ok(time) => notes.extend(time),
        Err(error) => missing.push(error.into()),
    }
    let jobs = jobs(parts, machine, &mut missing)?;
    if !permission::may_run(&jobs[0]) {
        let error = FreezeError::NotGranted {
            changeling: changeling.name.clone(),
            template: template.manifest.name.clone(),
            digest: template.digest.short().to_owned(),
            // From wherever it is typed.
            reference: config
                .base()
                .join(&changeling.template)
                .display()
                .to_string(),
        };
        missing.push(error.into());
    }
    let mut gathered = secrets::gather(changeling, config, &jobs[0], machine);
    missing.append(&mut gathered.missing);
    let jobs: Vec<_> = jobs
        .into_iter()
        .map(|job| Job {
            secrets: gathered.names.clone(),
            ssh_key: gathered.has_ssh_key.then(|| secrets::SSH_KEY.to_owned()),
            ..job
        })
        .collect();
    let variables: BTreeSet<_> = gathered.values.keys().chain(&gathered.absent).collect();
    let variables = variables.into_iter().cloned().collect();
    let app = app(parts, &jobs, variables);
    let entry = config::entry(changeling, &jobs[0]).map_err(|source| FreezeError::Config {
        changeling: changeling.name.clone(),
        source,
    })?;
    let document = Document {
        version: VERSION,
        changelings: machine.version.to_owned(),
        home: machine.home.to_owned(),
        changeling: changeling.name.clone(),
        template: TemplateId::of(template),
        config: config::table(&changeling.name, entry, config, gathered.webhook.as_deref()),
        jobs,
        app,
    };
    notes.extend(config::notes(config));
    Ok(Frozen {
        document,
        values: gathered.values,
        notes,
        missing,
    })
}

/// One for each repository.
fn jobs(
    parts: &Parts<'_>,
    machine: &Machine<'_>,
    missing: &mut Vec<Error>,
) -> crate::error::Result<Vec<Job>> {
    let changeling = parts.changeling;
    let name = || changeling.name.clone();
    let identity = changeling
        .identity
        .clone()
        .or_else(|| machine.identity.clone());
    if identity.is_none() {
        missing.push(FreezeError::NoIdentity { changeling: name() }.into());
    }
    let (_, run_seconds) = seconds(changeling);
    let mut job = |repo: &RepoUrl| -> crate::error::Result<Job> {
        if let RepoUrl::Local(folder) = repo {
            let error = FreezeError::LocalRepository {
                changeling: name(),
                folder: folder.clone(),
            };
            missing.push(error.into());
        }
        let job = Job::resolve(changeling, repo, parts.template, parts.granted.clone())?;
        Ok(Job {
            identity: identity.clone(),
            timeout_seconds: job.timeout_seconds.min(run_seconds),
            // Skipping permission prompts is agreed to for this machine; there, nothing of it is in reach.
            unattended: true,
            ..job
        })
    };
    changeling.repos().iter().map(&mut job).collect()
}

fn minutes(seconds: u64) -> String {
    time::span(i64::try_from(seconds).unwrap_or(i64::MAX))
}

/// Whether an agent gets the time it is to have; else what it gets, in words.
fn time_there(changeling: &Changeling) -> Result<Option<String>, FreezeError> {
    let wanted = changeling.timeout.seconds();
    let (limit, has) = seconds(changeling);
    if limit < wanted {
        return Err(FreezeError::NoTime {
            changeling: changeling.name.clone(),
            wanted,
            limit,
        });
    }
    Ok((has < wanted).then(|| {
        format!(
            "a run has {} there, not {}: Modal ends a call after {}, and it needs some time to say how it ended",
            minutes(has),
            minutes(wanted),
            minutes(limit)
        )
    }))
}

/// Modal's limit of a call, and ours below it.
fn seconds(changeling: &Changeling) -> (u64, u64) {
    let wanted = changeling.timeout.seconds() + MARGIN;
    let limit = changeling.modal.timeout.map_or(wanted, Timeout::seconds);
    let limit = limit.min(LONGEST);
    (limit, limit - LAST_WORDS.min(limit / 4))
}

fn app(parts: &Parts<'_>, jobs: &[Job], variables: Vec<String>) -> App {
    let changeling = parts.changeling;
    let modal = &changeling.modal;
    let name = app_name(&changeling.name);
    let (timeout_seconds, run_seconds) = seconds(changeling);
    let schedule = changeling.schedule.as_ref().filter(|_| changeling.enabled);
    let mut files: BTreeMap<_, _> = [JOB, TEMPLATE]
        .map(|file| (file.to_owned(), format!("{FOLDER}/{file}")))
        .into();
    if matches!(parts.runner.source, Source::File(_)) {
        files.insert(RUNNER.to_owned(), parts.runner.path.clone());
    }
    App {
        tags: BTreeMap::new(),
        environment: parts.config.modal.environment.clone(),
        schedule: schedule.map(ToString::to_string),
        timezone: changeling.timezone.name().to_owned(),
        timeout_seconds,
        run_seconds,
        cpu: modal.cpu,
        memory: modal.memory.map(|memory| memory.0),
        gpu: modal.gpu.clone(),
        ephemeral_disk: modal.ephemeral_disk.map(|disk| disk.0),
        region: modal.region.clone(),
        max_containers: if jobs.len() == 1 {
            1
        } else {
            changeling.max_parallel
        },
        secret: (!variables.is_empty()).then(|| AppSecret {
            name: name.clone(),
            variables,
        }),
        volume: name.clone(),
        guard: name.clone(),
        name,
        image: Image::of(modal, parts.runner.steps()),
        runner: parts.runner.path.clone(),
        runner_digest: parts.runner.digest.clone(),
        files,
    }
}
