//! A changeling's deployment as commands see it that look at it and change nothing: read from its folder,
//! without Modal.

use std::path::PathBuf;

use jiff::Timestamp;

use crate::config::Config;
use crate::context::Context;
use crate::error::Result;
use crate::modal::Document;
use crate::modal::remote::Wanted;
use crate::names::Name;
use crate::repo_url::RepoUrl;

pub(super) struct Deployed {
    pub(super) folder: PathBuf,
    pub(super) document: Document,
    pub(super) at: Timestamp,
}

impl Deployed {
    pub(super) fn of(name: &Name, context: &Context) -> Result<Option<Self>> {
        let folder = context.home.root().join("deployments").join(name.as_str());
        if !folder.join("job.json").exists() {
            return Ok(None);
        }
        Ok(Some(Self {
            document: Document::read(&folder.join("job.json"))?,
            folder,
            at: context.clock.now(),
        }))
    }

    pub(super) fn name(&self) -> &Name {
        &self.document.changeling
    }

    pub(super) fn repos(&self) -> Vec<RepoUrl> {
        self.document
            .jobs
            .iter()
            .map(|job| job.repo.clone())
            .collect()
    }

    pub(super) fn repo(&self, target: usize) -> String {
        self.document
            .jobs
            .get(target)
            .map(|job| job.repo.to_string())
            .unwrap_or_default()
    }

    pub(super) fn wanted(&self) -> Wanted<'_> {
        let app = &self.document.app;
        Wanted {
            changeling: &self.document.changeling,
            app: &app.name,
            environment: app.environment.as_deref(),
            volume: &app.volume,
            fans_out: self.document.jobs.len() > 1,
            folder: &self.folder,
        }
    }

    pub(super) fn warn_of_drift(&self, _config: &Config, _context: &Context) {}
}
