//! The way to the remote. A key for it lies on the disk only while a call needs it: never beside an
//! agent at work.

use std::path::Path;

use crate::context::Context;
use crate::error::Result;
use crate::git::Git;
use crate::prepare::Subject;
use crate::repo_url::RepoUrl;

#[derive(Debug, Clone, Copy)]
pub(super) struct Reach<'a> {
    pub(super) subject: &'a Subject,
    pub(super) context: &'a Context,
    /// The run's own.
    pub(super) folder: &'a Path,
}

impl Reach<'_> {
    /// Drop it when the remote has answered.
    pub(super) fn git(&self) -> Result<Git> {
        self.subject.git(self.context, Some(self.folder))
    }

    pub(super) fn remote(&self) -> RepoUrl {
        self.subject.remote(self.context)
    }
}
