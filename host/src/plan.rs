//! Planning: one run's concrete steps, decided before anything happens.
//!
//! `build` is pure: clock, refs and open pull requests come in as `Facts`.

pub mod args;
pub mod branch;
mod build;
mod delivery;
#[cfg(test)]
pub(crate) mod fixture;
pub mod render;
mod steps;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::brief::Delivery;
use crate::job::TemplateId;
use crate::names::Name;
use crate::permission::Permission;
use crate::repo_url::RepoUrl;

pub(crate) use build::CREDENTIALS;
pub use build::{DEFAULT_AGENT_TYPE, PASSED_ON, PlanError, Start, build, start};

/// Version of the serialised form.
pub const PLAN_VERSION: u32 = 1;

/// What the world looked like when the plan was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// ISO 8601, in the changeling's time zone.
    pub date: String,
    pub run_id: String,
    /// Short name of the base branch.
    pub base_branch: String,
    /// Commit the base is at, full hexadecimal.
    pub base_commit: String,
    /// There is an API of GitHub to open pull requests and issues through.
    pub on_github: bool,
    /// Where git reaches the repository: the job's own URL, or the same repository over https.
    pub remote: RepoUrl,
    /// The remote's branches: short name and commit.
    pub remote_branches: BTreeMap<String, String>,
    /// Open and closed pull requests of this changeling (hidden marker), newest first.
    pub pull_requests: Vec<PullRequestFact>,
}

/// A pull request this changeling made earlier. Its head is a branch of the target repository
/// itself, never of a fork.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PullRequestFact {
    pub number: u64,
    pub title: String,
    pub url: String,
    /// `open`, `closed` (refused) or `merged`.
    pub state: String,
    /// Head branch.
    pub branch: String,
    /// The branch has commits by people.
    pub touched_by_people: bool,
}

/// One run, planned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    pub version: u32,
    pub run_id: String,
    pub changeling: Name,
    pub template: TemplateId,
    /// URL without credentials.
    pub repo: String,
    /// Elsewhere a branch can be pushed, and no pull request or issue opened.
    pub on_github: bool,
    pub base: Base,
    pub branch: WorkBranch,
    /// The whole prompt as the agent reads it, delivery section included.
    pub prompt: String,
    pub delivery: Delivery,
    /// The agent is asked for a report: the path it gets when a pull request delivers it. A report
    /// asked for and absent or empty is a failure.
    pub report: Option<String>,
    pub pull_request: PullRequestText,
    /// In force for this run.
    pub permissions: Vec<Permission>,
    pub agent_type: String,
    /// Arguments for `mngr create` beyond the ones the adapter makes: checked template arguments
    /// as `--flag=value`, then the user's own.
    pub mngr_args: Vec<String>,
    /// Not secret.
    pub env_vars: BTreeMap<String, String>,
    /// Names of the variables the agent gets beside `env_vars`; their values are in no plan.
    pub env_names: Vec<String>,
    pub limits: Limits,
    /// Globs of protected paths this run may touch.
    pub allow_paths: Vec<String>,
    pub steps: Vec<Step>,
    /// What a reader should know: why a permission is missing, an override in force, ...
    pub notes: Vec<String>,
}

impl Plan {
    pub fn allows(&self, permission: &Permission) -> bool {
        self.permissions.contains(permission)
    }

    /// The host pushes and opens (or updates) a pull request or an issue.
    pub fn publishes(&self) -> bool {
        self.delivery != Delivery::Record && self.allows(&Permission::Publish)
    }
}

/// What the run branches from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Base {
    pub branch: String,
    pub commit: String,
}

/// The branch the run works on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkBranch {
    pub name: String,
    /// Why this one, for a person.
    pub reason: String,
    /// Commit it starts at: the base's, or the head of the branch the run continues.
    pub starts_at: String,
    /// The open pull request this run updates.
    pub updates: Option<u64>,
}

/// How the pull request (or issue) will read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PullRequestText {
    /// `{commits}` stands for the number of commits.
    pub title: String,
    /// The template's part of the body; the host adds what it knows after the run.
    pub body: Option<String>,
    pub labels: Vec<String>,
}

/// Caps handed to the agent or kept by the host.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    pub timeout_seconds: u64,
    pub max_turns: u32,
    pub max_budget_usd: f64,
}

/// One step as a person can follow it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// `mirror`, `clone`, `identity`, `create-agent`, `wait`, `collect`, `check-patch`, `push`,
    /// `pull-request`, `record`.
    pub name: String,
    /// Program and arguments; empty for a step that runs no program.
    pub argv: Vec<String>,
    /// Where it runs; placeholders in angle brackets (`<workspace>`) until the run exists.
    pub cwd: String,
    /// Names of variables it needs.
    pub env_names: Vec<String>,
    /// What it does, when the argv does not say it.
    pub note: Option<String>,
}
