//! Issues and pull requests of the target repository, read by the host with the user's token, which
//! the template never sees. Needs the permission `github:read`.
//!
//! Titles and bodies are written by strangers: quote them with [`crate::prompt::quote`], never
//! paste them into a prompt.

use crate::repo::Listing;
use crate::{Failure, backend};

/// Which issues or pull requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    pub state: State,
    /// All of them must be present; empty: any.
    pub labels: Vec<String>,
    /// At most 500.
    pub limit: u32,
    pub extras: Vec<(String, String)>,
}

impl Query {
    pub const fn new(state: State, limit: u32) -> Self {
        Self {
            state,
            labels: Vec::new(),
            limit,
            extras: Vec::new(),
        }
    }

    /// Only those that carry this label (too).
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.labels.push(label.into());
        self
    }
}

/// Which state to ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Open,
    Closed,
    All,
}

impl State {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
            Self::All => "all",
        }
    }
}

/// An issue.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Issue {
    pub number: u64,
    pub title: String,
    pub body: String,
    pub author: String,
    /// GitHub's word: `OWNER`, `MEMBER`, `COLLABORATOR`, `CONTRIBUTOR`, `NONE`, ...
    pub author_association: String,
    pub labels: Vec<String>,
    /// `open` or `closed`.
    pub state: String,
    /// RFC 3339, like `updated`.
    pub created: String,
    pub updated: String,
    pub url: String,
    pub extras: Vec<(String, String)>,
}

/// A pull request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pull {
    pub number: u64,
    pub title: String,
    pub body: String,
    pub author: String,
    pub author_association: String,
    pub labels: Vec<String>,
    /// `open`, `closed` (without merging) or `merged`.
    pub state: String,
    /// Branch the changes come from.
    pub head: String,
    /// Branch they go to.
    pub base: String,
    /// RFC 3339, like `updated`.
    pub created: String,
    pub updated: String,
    pub url: String,
    pub extras: Vec<(String, String)>,
}

/// Whether GitHub's word for an author means someone who may write to the repository.
pub fn is_maintainer(author_association: &str) -> bool {
    matches!(author_association, "OWNER" | "MEMBER" | "COLLABORATOR")
}

/// Issues, newest first; pull requests are not among them.
pub fn issues(query: &Query) -> Result<Listing<Issue>, Failure> {
    backend::issues(query)
}

/// Pull requests, newest first.
pub fn pulls(query: &Query) -> Result<Listing<Pull>, Failure> {
    backend::pulls(query)
}
