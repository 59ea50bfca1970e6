//! Everything about a deploy that needs no Modal.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;

use crate::config::{Changeling, Config, Layer};
use crate::context::Context;
use crate::error::Result;
use crate::git::Git;
use crate::git::Identity;
use crate::modal::APP;
use crate::modal::deployment::{Deployed, Deployments, seal};
use crate::modal::document::{Document, JOB, RUNNER, TEMPLATE};
use crate::modal::freeze::{Frozen, Machine, Parts, freeze};
use crate::modal::runner::{BESIDE, Runner, Source};
use crate::permission::{Grants, Permission};
use crate::prepare::ssh_key_text;
use crate::secret::{self, Secret, SecretError};
use crate::template::{Template, catalog};

/// Variables of this machine that hold in the container, too.
const SETTINGS: [&str; 1] = ["GITHUB_API_URL"];

/// A changeling that can be deployed, when nothing is missing of it.
#[derive(Debug)]
pub struct Prepared {
    /// Sealed: its tags are set.
    pub frozen: Frozen,
    /// What this machine believes to be deployed.
    pub before: Option<Deployed>,
    pub(super) template: Cow<'static, [u8]>,
    pub(super) runner: Runner,
}

/// A file of a deployment.
#[derive(Debug, Serialize)]
pub struct File<'a> {
    pub name: &'a str,
    /// In the container; `None`: where Modal's client puts it.
    pub path: Option<&'a str>,
    /// `None`: it is packed when it is sent, or is not there.
    pub bytes: Option<u64>,
}

impl Prepared {
    /// The files that go into the container, beside `app.py`.
    pub fn files(&self) -> Vec<File<'_>> {
        let files = self.document().app.files.iter();
        files
            .map(|(name, path)| File {
                name,
                path: Some(path),
                bytes: match name.as_str() {
                    JOB => Some(self.document().text().len() as u64),
                    TEMPLATE => Some(self.template.len() as u64),
                    _ => self.runner.bytes(),
                },
            })
            .collect()
    }

    pub fn document(&self) -> &Document {
        &self.frozen.document
    }

    /// Writes the files that Modal's client reads.
    ///
    /// # Errors
    /// They cannot be written.
    pub fn write(&self, context: &Context) -> Result<PathBuf> {
        let sources = match &self.runner.source {
            Source::Sources(folder, _) => Some(Git::new(&context.env).archive(folder)?),
            Source::File(_) | Source::Url(_) => None,
        };
        let deployments = Deployments::of(&context.home);
        let folder = deployments.write(
            &self.frozen,
            &self.template,
            &self.runner,
            sources.as_deref(),
        )?;
        Ok(folder)
    }
}

/// What changelings of one configuration have in common, found once: programs, templates, secrets (which
/// may take a command each).
pub struct Preparation<'a> {
    config: &'a Config,
    context: &'a Context,
    home: String,
    identity: Option<Identity>,
    this: PathBuf,
    runners: RefCell<BTreeMap<(String, bool), Runner>>,
    templates: RefCell<BTreeMap<String, Loaded>>,
    secrets: RefCell<BTreeMap<String, Option<String>>>,
}

/// A template, what it was granted, and its component.
#[derive(Clone)]
struct Loaded {
    template: Arc<Template>,
    granted: Vec<Permission>,
    bytes: Cow<'static, [u8]>,
}

impl Loaded {
    fn of(changeling: &Changeling, config: &Config, context: &Context) -> Result<Self> {
        let source = catalog::find(&changeling.template, config.base())?;
        let template = Template::load(&source, &context.home.components_dir())?;
        let grants = Grants::load(&context.home.grants_file())?;
        Ok(Self {
            granted: grants.of(&template),
            template: Arc::new(template),
            bytes: source.bytes,
        })
    }
}

impl<'a> Preparation<'a> {
    /// `home` is the id of this home.
    ///
    /// # Errors
    /// Git cannot be asked who commits.
    pub fn new(home: String, config: &'a Config, context: &'a Context) -> Result<Self> {
        Ok(Self {
            config,
            context,
            home,
            identity: Git::new(&context.env).identity(None)?,
            this: std::env::current_exe()?,
            runners: RefCell::default(),
            templates: RefCell::default(),
            secrets: RefCell::default(),
        })
    }

    /// Freezes a changeling with the secrets and programs of this machine. What is missing of them is
    /// said in what comes back.
    ///
    /// # Errors
    /// It cannot even be shown.
    pub fn prepare(&self, changeling: &Changeling) -> Result<Prepared> {
        let (config, context) = (self.config, self.context);
        let before = Deployments::of(&context.home).deployed(&changeling.name)?;
        let (runner, unfit) = match self.runner(changeling) {
            Ok(runner) => (runner, None),
            Err(error) => (Runner::unknown(), Some(error)),
        };
        let loaded = self.template(changeling)?;
        let ssh_key = changeling.ssh_key.as_ref().map(|key| key.0.as_str());
        let machine = Machine {
            home: &self.home,
            version: env!("CARGO_PKG_VERSION"),
            identity: self.identity.clone(),
            secret: &|name| self.secret(name),
            ssh_key: ssh_key_text(ssh_key, &changeling.secrets, config, context),
            settings: settings(context),
        };
        let mut frozen = frozen(changeling, config, &loaded, &runner, &machine)?;
        frozen.missing.extend(unfit);
        Ok(Prepared {
            frozen,
            before,
            template: loaded.bytes,
            runner,
        })
    }

    fn runner(&self, changeling: &Changeling) -> Result<Runner> {
        let modal = &changeling.modal;
        let key = (modal.runner.clone(), modal.image.is_none());
        if let Some(known) = self.runners.borrow().get(&key) {
            return Ok(known.clone());
        }
        let runner = Runner::choose(modal, self.config.base(), &self.this, self.context)?;
        self.runners.borrow_mut().insert(key, runner.clone());
        Ok(runner)
    }

    fn template(&self, changeling: &Changeling) -> Result<Loaded> {
        if let Some(known) = self.templates.borrow().get(&changeling.template) {
            return Ok(known.clone());
        }
        let loaded = Loaded::of(changeling, self.config, self.context)?;
        let key = changeling.template.clone();
        self.templates.borrow_mut().insert(key, loaded.clone());
        Ok(loaded)
    }

    fn secret(&self, name: &str) -> std::result::Result<Option<String>, SecretError> {
        if let Some(known) = self.secrets.borrow().get(name) {
            return Ok(known.clone());
        }
        let found = secret::find(name, self.config, &self.context.env)?;
        let value = found.map(|secret: Secret| secret.expose().to_owned());
        self.secrets
            .borrow_mut()
            .insert(name.to_owned(), value.clone());
        Ok(value)
    }
}

/// The document that would be deployed now, without asking for secrets or anything else that takes time:
/// what was deployed with is taken for what there is.
///
/// # Errors
/// It could not be deployed as it is.
pub fn here(
    changeling: &Changeling,
    config: &Config,
    deployed: &Deployed,
    context: &Context,
) -> Result<Document> {
    let document = &deployed.document;
    let variables = document.app.secret.as_ref().map(|secret| &secret.variables);
    // Whether those it names are there, a deploy finds out; of what may stand in for one, those serve that
    // are deployed.
    let has = |name: &str| {
        let mut deployed = variables.into_iter().flatten();
        let is_there = deployed.any(|known| known == name) || is_named(name, changeling);
        Ok(is_there.then(String::new))
    };
    let key = document.jobs.first().and_then(|job| job.ssh_key.as_ref());
    let settings = settings(context).into_keys();
    let machine = Machine {
        home: &document.home,
        version: env!("CARGO_PKG_VERSION"),
        identity: document.jobs.first().and_then(|job| job.identity.clone()),
        secret: &has,
        ssh_key: key.map(|_| String::new()),
        settings: settings.map(|name| (name, String::new())).collect(),
    };
    let this = std::env::current_exe()?;
    let runner = match unchanged(changeling, deployed, &this, context) {
        Some(runner) => runner,
        None => Runner::choose(&changeling.modal, config.base(), &this, context)?,
    };
    let loaded = Loaded::of(changeling, config, context)?;
    let frozen = frozen(changeling, config, &loaded, &runner, &machine)?;
    Ok(frozen.complete()?.document)
}

fn is_named(name: &str, changeling: &Changeling) -> bool {
    let is_chosen = changeling.origin("secrets").layer != Layer::BuiltIn;
    is_chosen && changeling.secrets.iter().any(|secret| secret == name)
}

/// The program that was deployed, when no file it may come from has been touched since: they need not be
/// read.
fn unchanged(
    changeling: &Changeling,
    deployed: &Deployed,
    this: &Path,
    context: &Context,
) -> Option<Runner> {
    let app = &deployed.document.app;
    let folder = Deployments::of(&context.home).folder(&changeling.name);
    let linked = std::fs::read_link(folder.join(RUNNER)).ok()?;
    let this = std::fs::canonicalize(this).ok()?;
    let beside = BESIDE.map(|name| this.with_file_name(name));
    let own = [&this, &beside[0], &beside[1]];
    let is_auto = changeling.modal.runner == "auto";
    let is_known = own.contains(&&linked) || linked.starts_with(context.home.cache_dir());
    let untouched = |file: &Path| {
        let touched = std::fs::metadata(file).and_then(|found| found.modified());
        touched.map_or(!file.exists(), |touched| {
            jiff::Timestamp::try_from(touched).is_ok_and(|touched| touched < deployed.at)
        })
    };
    let is_same = is_auto && is_known && linked.exists() && own.iter().all(|file| untouched(file));
    (is_same && untouched(&linked)).then(|| Runner {
        path: app.runner.clone(),
        digest: app.runner_digest.clone(),
        source: Source::File(linked),
    })
}

fn frozen(
    changeling: &Changeling,
    config: &Config,
    loaded: &Loaded,
    runner: &Runner,
    machine: &Machine<'_>,
) -> Result<Frozen> {
    let mut frozen = freeze(
        &Parts {
            changeling,
            config,
            template: &loaded.template,
            granted: loaded.granted.clone(),
            runner,
        },
        machine,
    )?;
    seal(&mut frozen.document, APP);
    Ok(frozen)
}

fn settings(context: &Context) -> BTreeMap<String, String> {
    let set = |name: &str| Some((name.to_owned(), context.env.get(name)?.to_owned()));
    SETTINGS.into_iter().filter_map(set).collect()
}
