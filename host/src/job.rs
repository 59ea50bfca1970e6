//! A changeling resolved and frozen: everything a run needs, and no secret.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::brief::Delivery;
use crate::names::{Digest, Name};
use crate::permission::Permission;
use crate::repo_url::RepoUrl;

/// Version of the serialised form. A newer one is refused, never rewritten.
pub const JOB_VERSION: u32 = 1;

/// One changeling on one target repository, resolved from configuration, defaults and template.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Job {
    pub version: u32,
    pub changeling: Name,
    pub template: TemplateId,
    pub repo: RepoUrl,
    /// Base branch; `None`: the remote's HEAD, resolved each run.
    pub branch: Option<String>,
    /// IANA name: what "today" means for this changeling.
    pub timezone: String,
    /// `None`: the template's, else `claude`.
    pub agent_type: Option<String>,
    /// Replaces the template's prompt.
    pub message: Option<String>,
    /// Added after the prompt.
    pub message_append: Option<String>,
    /// The user's own choice; `None`: what the brief asks for and the template was granted.
    pub permissions: Option<Vec<Permission>>,
    /// What this exact digest was granted (for a built-in: what its manifest lists).
    pub granted: Vec<Permission>,
    /// The user's own mngr arguments, passed on as they are.
    pub extra_mngr_args: Vec<String>,
    pub env_vars: BTreeMap<String, String>,
    /// Names the host may read; values are resolved at use and stored nowhere.
    pub secrets: Vec<String>,
    pub params: BTreeMap<String, String>,
    pub timeout_seconds: u64,
    pub work_branch: Option<String>,
    pub pr_title: Option<String>,
    pub deliver: Option<Delivery>,
    /// Globs of protected paths this changeling may touch.
    pub allow_paths: Vec<String>,
    pub on_open_pr: OnOpenPr,
    pub max_turns: u32,
    pub max_budget_usd: f64,
    /// Who commits; `None`: the user's git identity.
    pub identity: Option<Identity>,
    /// An agent that skips permission prompts on this machine was agreed to.
    pub unattended: bool,
}

/// Which template, by name and exact content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateId {
    pub name: Name,
    pub version: String,
    pub digest: Digest,
    pub built_in: bool,
}

/// Author and committer of the run's commits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    pub name: String,
    pub email: String,
}

/// What to do when a pull request of the same changeling is open.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum OnOpenPr {
    /// Work on its branch.
    #[default]
    Update,
    /// Do not run.
    Skip,
    /// Open another one.
    New,
}
