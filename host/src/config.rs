//! The configuration, `config.toml`: read with every mistake reported where it stands, resolved
//! through layers (built in, `[defaults]`, the changeling's entry) that remember where a value comes
//! from. `edit` is the only writer. `keys` declares every key once.

mod changeling;
pub mod edit;
mod error;
mod key;
mod keys;
mod problem;
mod read;
pub mod schema;
mod shared_types;
mod tables;
mod types;
mod value;
mod words;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

pub use changeling::{Changeling, Modal, Origin};
pub use error::ConfigError;
pub use key::{Key, Layer, Layers};
pub use problem::{Problem, nearest};
pub use tables::is_variable_name;
pub use types::{FilePath, Mebibytes, Timeout, is_branch_name};
pub use words::{Launch, NotifyOn, OnOpenPr, Overlap};

use crate::context::Home;
use crate::names::Name;
use crate::repo_url::RepoUrl;
use crate::schedule::Zone;

/// Largest configuration read, in bytes.
pub const MAX_FILE: u64 = 4 * 1024 * 1024;

/// What the file says, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// The file, whether it exists or not.
    pub file: PathBuf,
    pub changelings: BTreeMap<Name, Changeling>,
    pub defaults: Defaults,
    pub mngr: Mngr,
    /// Shared by all deployments; what a changeling needs is in `Changeling::modal`.
    pub modal: ModalClient,
    pub notify: Notify,
    /// Where a secret's value is found when the environment has none.
    pub secrets: BTreeMap<String, SecretSource>,
    /// What is allowed and probably not meant.
    pub warnings: Vec<Problem>,
    shared: changeling::Shared,
}

/// `[defaults]` as far as it is not part of every changeling.
#[derive(Debug, Clone, PartialEq)]
pub struct Defaults {
    /// For all runs of this configuration together, in a calendar month.
    pub monthly_budget_usd: f64,
}

/// `[mngr]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mngr {
    pub launch: Launch,
    /// `None`: looked for on PATH.
    pub binary: Option<FilePath>,
}

/// `[modal]` as far as it is not part of every changeling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModalClient {
    pub environment: Option<String>,
    /// `None`: looked for on PATH.
    pub binary: Option<FilePath>,
    /// Crons the workspace may have.
    pub max_crons: u32,
}

/// `[notify]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notify {
    /// Program and arguments; empty: none.
    pub command: Vec<String>,
    /// A URL, or the name of the secret that holds it.
    pub webhook: Option<String>,
    pub mail: Vec<String>,
    pub on: Vec<NotifyOn>,
}

/// Where a secret's value is found.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SecretSource {
    /// Program and arguments; what it prints is the value.
    Command(Vec<String>),
    File(FilePath),
}

/// A name as typed, or an error that suggests the nearest one.
pub fn parse_name(text: &str) -> Result<Name, ConfigError> {
    text.parse().map_err(|error| ConfigError::Name {
        error,
        suggestion: Name::slugify(text),
    })
}

impl Config {
    /// Reads `config.toml`; without a file the configuration is empty.
    ///
    /// # Errors
    /// The file cannot be read, or has mistakes: all of them are in the error.
    pub fn load(home: &Home) -> Result<Self, ConfigError> {
        let file = home.config_file();
        let text = read_text(&file)?.unwrap_or_default();
        Self::parse(&file, &text, home.root())
    }

    /// Checks a text as if it stood in `file`; relative paths in it are taken from `base`.
    pub fn parse(file: &Path, text: &str, base: &Path) -> Result<Self, ConfigError> {
        read::read(file, text, base)
    }

    /// # Errors
    /// There is none of this name.
    pub fn changeling(&self, name: &Name) -> Result<&Changeling, ConfigError> {
        self.changelings
            .get(name)
            .ok_or_else(|| ConfigError::UnknownChangeling {
                name: name.clone(),
                nearest: nearest(name.as_str(), self.changelings.keys().map(Name::as_str))
                    .and_then(|near| near.parse().ok()),
                count: self.changelings.len(),
            })
    }

    /// As `changeling`, from what somebody typed.
    pub fn named(&self, text: &str) -> Result<&Changeling, ConfigError> {
        // What is no name at all may still be meant for one that exists.
        parse_name(text).and_then(|name| self.changeling(&name))
    }

    /// The repositories of a changeling.
    pub fn targets(&self, name: &Name) -> Result<&[RepoUrl], ConfigError> {
        Ok(&self.changeling(name)?.repos)
    }

    /// Whether `[defaults]` say a key.
    pub fn shares(&self, key: &str) -> bool {
        self.shared.keys.contains(key)
    }

    /// A changeling that stands in no configuration: `--template T --repo R`. `[defaults]` hold for it;
    /// `timezone` is for when they name none.
    pub fn ad_hoc(
        &self,
        name: Name,
        template: String,
        repo: RepoUrl,
        timezone: &Zone,
        params: BTreeMap<String, String>,
    ) -> Changeling {
        Changeling::ad_hoc(name, template, repo, timezone, params, &self.shared)
    }

    /// The folder relative paths in the file are taken from.
    pub fn base(&self) -> &Path {
        self.file.parent().unwrap_or(Path::new("/"))
    }
}

/// The text of a file of ours; `None` when there is none. Never waits for a pipe, never reads without
/// end.
pub(crate) fn read_text(file: &Path) -> Result<Option<String>, ConfigError> {
    use std::io::Read as _;

    let failed = |error| ConfigError::Read(file.to_owned(), error);
    let metadata = match std::fs::metadata(file) {
        Ok(metadata) => metadata,
        // A link to nowhere is no absent file: writing through it is another matter.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    if metadata.is_dir() {
        return Err(ConfigError::NotAFile {
            file: file.to_owned(),
            what: "a folder",
        });
    }
    if !metadata.is_file() {
        return Err(ConfigError::NotAFile {
            file: file.to_owned(),
            what: "a pipe or device",
        });
    }
    let mut bytes = Vec::new();
    let limit = MAX_FILE + 1;
    std::fs::File::open(file)
        .and_then(|open| open.take(limit).read_to_end(&mut bytes))
        .map_err(failed)?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(ConfigError::TooLarge(file.to_owned()));
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Some(text)),
        Err(error) => Err(ConfigError::NotUtf8 {
            file: file.to_owned(),
            offset: error.utf8_error().valid_up_to(),
        }),
    }
}

#[cfg(test)]
mod tests;
