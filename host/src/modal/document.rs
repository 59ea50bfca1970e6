//! `job.json`: everything a deployed function needs to know, and no secret.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::ModalError;
use super::image::Image;
use crate::config::Config;
use crate::context::Context;
use crate::error::Result;
use crate::job::{Job, TemplateId};
use crate::names::{Digest, Name};
use crate::prepare::Subject;
use crate::template::{Template, catalog};

/// Version of the serialised form. A newer one is refused.
pub const VERSION: u32 = 1;

/// The folder of the document in the container; `FILES` lie there too.
pub const FOLDER: &str = "/changeling";
/// The document itself.
pub const JOB: &str = "job.json";
/// The template's component.
pub const TEMPLATE: &str = "template.wasm";
/// The `changeling` program, when it is mounted and not part of the image.
pub const RUNNER: &str = "changeling";

/// One deployment: what runs, with what, where.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    pub version: u32,
    /// Version of the program that made it.
    pub changelings: String,
    /// Which home it was deployed from: a random id, nobody's name.
    pub home: String,
    pub changeling: Name,
    pub template: TemplateId,
    /// One for each repository; the function's `target` is its place here.
    pub jobs: Vec<Job>,
    /// A configuration with this one changeling, in which everything is written down: no
    /// `[defaults]` of its machine, no `[secrets]`.
    pub config: toml::Table,
    pub app: App,
}

/// What Modal is told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct App {
    pub name: String,
    /// Whose it is, and what is deployed: home, version of this program, digest of all of it.
    pub tags: BTreeMap<String, String>,
    /// `None`: the workspace's default.
    pub environment: Option<String>,
    /// Five cron fields; `None`: it runs only by hand, or is disabled.
    pub schedule: Option<String>,
    /// IANA name.
    pub timezone: String,
    /// Modal's limit of one call.
    pub timeout_seconds: u64,
    /// The limit of `changeling exec`, so far below Modal's that a run that takes too long is told of
    /// as one.
    pub run_seconds: u64,
    /// Cores.
    pub cpu: Option<f64>,
    /// MiB.
    pub memory: Option<u32>,
    pub gpu: Option<String>,
    /// MiB.
    pub ephemeral_disk: Option<u32>,
    pub region: Option<String>,
    /// Calls that run at once: one, or `max_parallel` with several repositories.
    pub max_containers: u32,
    /// `None`: the changeling uses no secret.
    pub secret: Option<AppSecret>,
    /// Name of the volume with records and bundles.
    pub volume: String,
    /// Name of the dict in which a call is claimed by its first attempt.
    pub guard: String,
    pub image: Image,
    /// The `changeling` program in the container.
    pub runner: String,
    /// Its sha256, where it is known before it is there; `None`: built in the image.
    pub runner_digest: Option<Digest>,
    /// Files beside this document and where the container finds them, mounted last, so that a change
    /// of them builds nothing.
    pub files: BTreeMap<String, String>,
}

/// The Modal secret of an app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppSecret {
    pub name: String,
    /// Names of its variables, sorted; the values are nowhere but there.
    pub variables: Vec<String>,
}

impl Document {
    /// Reads a `job.json`.
    ///
    /// # Errors
    /// There is none, or one this program does not understand.
    pub fn read(file: &Path) -> Result<Self, ModalError> {
        let bytes = std::fs::read(file).map_err(|source| ModalError::File {
            what: "read",
            path: file.to_owned(),
            source,
        })?;
        Self::parse(&bytes, file)
    }

    /// As `read`; `file` is only named in errors.
    ///
    /// # Errors
    /// As `read`.
    pub fn parse(bytes: &[u8], file: &Path) -> Result<Self, ModalError> {
        /// What every version says.
        #[derive(Deserialize)]
        struct Any {
            version: u32,
            #[serde(default)]
            changelings: String,
        }
        let malformed = |error: serde_json::Error| ModalError::Malformed {
            path: file.to_owned(),
            why: crate::names::printable(&error.to_string()),
        };
        let any: Any = serde_json::from_slice(bytes).map_err(malformed)?;
        if any.version > VERSION {
            return Err(ModalError::Newer {
                by: crate::names::printable(&any.changelings),
                version: any.version,
            });
        }
        serde_json::from_slice(bytes).map_err(malformed)
    }

    /// As it is written: readable, and the same for the same content.
    #[expect(clippy::missing_panics_doc, reason = "it cannot fail")]
    pub fn text(&self) -> String {
        let mut text = serde_json::to_string_pretty(self)
            .expect("names, numbers and tables with text as keys are JSON");
        text.push('\n');
        text
    }

    /// The configuration in force in the container. It belongs to no file.
    ///
    /// # Errors
    /// This program does not understand it.
    pub fn config(&self) -> Result<Config, ModalError> {
        let text = toml::to_string(&self.config).map_err(|error| ModalError::Malformed {
            path: JOB.into(),
            why: error.to_string(),
        })?;
        Ok(Config::parse(
            &Path::new(FOLDER).join("config.toml"),
            &text,
            Path::new(FOLDER),
        )?)
    }

    /// The job of one repository.
    ///
    /// # Errors
    /// There is no such repository.
    pub fn job(&self, target: usize) -> Result<&Job, ModalError> {
        self.jobs.get(target).ok_or(ModalError::NoTarget {
            target,
            count: self.jobs.len(),
        })
    }

    /// One repository of the deployment, ready to be worked on with the component in `template`.
    ///
    /// # Errors
    /// There is no such repository, or the component is another one or does not load.
    pub fn subject(&self, target: usize, template: &Path, context: &Context) -> Result<Subject> {
        let job = self.job(target)?;
        let mut source = catalog::find(&template.to_string_lossy(), Path::new("/"))?;
        if source.digest != self.template.digest {
            return Err(ModalError::OtherTemplate {
                expected: self.template.digest.clone(),
                found: source.digest,
            }
            .into());
        }
        // By its name, and trusted as it was where it was deployed from.
        source.name_hint = self.template.name.to_string();
        source.built_in = self.template.built_in;
        let template = Template::load(&source, &context.home.components_dir())?;
        Subject::frozen(job.clone(), template, &self.config()?)
    }
}
