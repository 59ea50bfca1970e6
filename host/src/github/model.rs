//! Issues and pull requests, from GitHub's JSON to the fields that are used.

use serde::Deserialize;

/// Which ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    pub state: State,
    /// All of them must be present; empty: any.
    pub labels: Vec<String>,
    /// At most `MAX_ITEMS`.
    pub limit: usize,
}

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

    /// `None` for any other word.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Open, Self::Closed, Self::All]
            .into_iter()
            .find(|state| state.as_str() == text)
    }
}

/// A list and whether there were more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Items<T> {
    pub items: Vec<T>,
    pub truncated: bool,
}

/// An issue. Title and body are strangers' text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    pub number: u64,
    pub title: String,
    pub body: String,
    /// Login; `ghost` for a deleted account, as GitHub shows it.
    pub author: String,
    /// GitHub's word: `OWNER`, `MEMBER`, ...
    pub author_association: String,
    pub labels: Vec<String>,
    /// `open` or `closed`.
    pub state: String,
    /// RFC 3339, like `updated`.
    pub created: String,
    pub updated: String,
    pub url: String,
}

/// A pull request. Title and body are strangers' text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pull {
    pub number: u64,
    pub title: String,
    pub body: String,
    pub author: String,
    pub author_association: String,
    pub labels: Vec<String>,
    /// `open`, `closed` (without merging) or `merged`.
    pub state: String,
    /// Branch the changes come from, in `head_repository`.
    pub head: String,
    /// Commit the head was at, full hexadecimal.
    pub head_commit: String,
    /// The head is a branch of the repository itself, not of a fork.
    pub own_branch: bool,
    /// Branch they go to.
    pub base: String,
    pub created: String,
    pub updated: String,
    pub url: String,
}

/// Shared by issues and pull requests, as GitHub sends them.
#[derive(Debug, Deserialize)]
struct Common {
    number: u64,
    title: String,
    body: Option<String>,
    user: Option<User>,
    #[serde(default)]
    author_association: String,
    #[serde(default)]
    labels: Vec<Label>,
    state: String,
    #[serde(default)]
    created_at: String,
    #[serde(default)]
    updated_at: String,
    html_url: String,
}

#[derive(Debug, Deserialize)]
struct User {
    login: String,
}

/// Old issues have labels that are plain strings.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Label {
    Object { name: Option<String> },
    Name(String),
}

#[derive(Debug, Deserialize)]
pub(super) struct WireIssue {
    #[serde(flatten)]
    common: Common,
    /// Present on pull requests, which GitHub lists among the issues.
    pull_request: Option<serde::de::IgnoredAny>,
}

#[derive(Debug, Deserialize)]
pub(super) struct WirePull {
    #[serde(flatten)]
    common: Common,
    merged_at: Option<String>,
    head: WireRef,
    base: WireRef,
}

#[derive(Debug, Deserialize)]
struct WireRef {
    #[serde(rename = "ref")]
    branch: String,
    #[serde(default)]
    sha: String,
    /// Absent when the fork is gone.
    repo: Option<WireRepo>,
}

#[derive(Debug, Deserialize)]
struct WireRepo {
    full_name: String,
}

pub(super) trait Labelled {
    fn has_all(&self, wanted: &[String]) -> bool;
}

impl Common {
    fn labels(&self) -> impl Iterator<Item = &str> {
        self.labels.iter().filter_map(|label| match label {
            Label::Object { name } => name.as_deref(),
            Label::Name(name) => Some(name),
        })
    }

    fn has_all(&self, wanted: &[String]) -> bool {
        wanted
            .iter()
            .all(|name| self.labels().any(|label| label.eq_ignore_ascii_case(name)))
    }

    fn author(&self) -> String {
        self.user
            .as_ref()
            .map_or_else(|| "ghost".to_owned(), |user| user.login.clone())
    }
}

impl Labelled for WireIssue {
    fn has_all(&self, wanted: &[String]) -> bool {
        self.common.has_all(wanted)
    }
}

impl Labelled for WirePull {
    fn has_all(&self, wanted: &[String]) -> bool {
        self.common.has_all(wanted)
    }
}

pub(super) fn issue(wire: WireIssue) -> Option<Issue> {
    if wire.pull_request.is_some() {
        return None;
    }
    let common = wire.common;
    Some(Issue {
        number: common.number,
        author: common.author(),
        labels: common.labels().map(str::to_owned).collect(),
        title: common.title,
        body: common.body.unwrap_or_default(),
        author_association: common.author_association,
        state: common.state,
        created: common.created_at,
        updated: common.updated_at,
        url: common.html_url,
    })
}

#[expect(clippy::unnecessary_wraps, reason = "the same shape as `issue`")]
pub(super) fn pull(wire: WirePull, repository: &str) -> Option<Pull> {
    let common = wire.common;
    Some(Pull {
        number: common.number,
        author: common.author(),
        labels: common.labels().map(str::to_owned).collect(),
        title: common.title,
        body: common.body.unwrap_or_default(),
        author_association: common.author_association,
        state: if wire.merged_at.is_some() {
            "merged".into()
        } else {
            common.state
        },
        own_branch: wire
            .head
            .repo
            .is_some_and(|repo| repo.full_name.eq_ignore_ascii_case(repository)),
        head: wire.head.branch,
        head_commit: wire.head.sha,
        base: wire.base.branch,
        created: common.created_at,
        updated: common.updated_at,
        url: common.html_url,
    })
}
