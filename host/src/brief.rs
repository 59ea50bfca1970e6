//! What a template answers: a brief for one run, or the reason to skip it.
//!
//! These are the host's own types. The shapes that cross the guest boundary stay in
//! `template::bindings`; `template::convert` checks and bounds everything on the way here, so a
//! `Brief` that exists is well formed: one-line titles, known delivery, valid slug and labels.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::names::Name;
use crate::permission::Permission;

/// What a template says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    pub name: Name,
    /// Semantic version of the template.
    pub version: String,
    pub description: String,
    /// mngr's agent type; `None`: the host's default.
    pub agent_type: Option<String>,
    pub params: Vec<Param>,
    /// Everything a brief of this template may ask for.
    pub permissions: Vec<Permission>,
    /// The fixed instructions, with `{findings}` where the findings of a run go.
    pub default_message: String,
    /// mngr arguments every brief carries, unchecked: `plan` parses them.
    pub default_mngr_args: Vec<String>,
    pub extras: BTreeMap<String, String>,
}

impl Manifest {
    /// What a prompt of this template says it found: what stands where the fixed instructions have
    /// `{findings}`. `None`: the prompt was not made of them.
    pub fn findings<'a>(&self, prompt: &'a str) -> Option<&'a str> {
        let (before, after) = self.default_message.trim().split_once("{findings}")?;
        let found = prompt
            .trim()
            .strip_prefix(before)?
            .strip_suffix(after)?
            .trim();
        (!found.is_empty()).then_some(found)
    }
}

/// A parameter a user may set in `params`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Param {
    pub name: String,
    pub description: String,
    pub required: bool,
    pub default: Option<String>,
}

/// A template's answer to `compose`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "decision")]
pub enum Composition {
    Run(Box<Brief>),
    /// Nothing to do; no agent is paid for.
    Skip {
        reason: String,
    },
}

/// What a template composes for one run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Brief {
    pub prompt: String,
    /// As the template gave them, unchecked: `plan` parses and re-emits them.
    pub mngr_args: Vec<String>,
    /// What this run asks for; each is in the manifest.
    pub permissions: Vec<Permission>,
    pub delivery: Delivery,
    /// Last part of the branch name, `[a-z0-9-]{1,60}`.
    pub slug: String,
    /// `{commits}` stands for the number of commits.
    pub pr_title: Option<String>,
    pub pr_body: Option<String>,
    pub labels: Vec<String>,
    pub extras: BTreeMap<String, String>,
}

/// How the result of a run reaches the owners.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Delivery {
    /// A branch and a pull request.
    PullRequest,
    /// An issue that holds the report.
    Issue,
    /// Kept in the run's record only.
    Record,
}

impl Delivery {
    pub const ALL: [Self; 3] = [Self::PullRequest, Self::Issue, Self::Record];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PullRequest => "pull-request",
            Self::Issue => "issue",
            Self::Record => "record",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_of_a_prompt() {
        let mut manifest = Manifest {
            name: "t".parse().unwrap(),
            version: "0.1.0".into(),
            description: String::new(),
            agent_type: None,
            params: Vec::new(),
            permissions: Vec::new(),
            default_message: "Mend these.\n\n{findings}\n\n## Rules\n".into(),
            default_mngr_args: Vec::new(),
            extras: BTreeMap::new(),
        };
        let found = |manifest: &Manifest, prompt| manifest.findings(prompt).map(str::to_owned);
        assert_eq!(
            found(&manifest, "Mend these.\n\n- a:1\n- b:2\n\n## Rules"),
            Some("- a:1\n- b:2".into())
        );
        assert_eq!(found(&manifest, "Mend these.\n\n\n\n## Rules\n"), None);
        assert_eq!(found(&manifest, "Something else"), None);
        // The two halves must not share a byte.
        assert_eq!(found(&manifest, "Mend these.\n\n## Rules"), None);
        manifest.default_message = "No place for them".into();
        assert_eq!(found(&manifest, "No place for them"), None);
    }
}
