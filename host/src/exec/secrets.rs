//! The secrets of one run: what the agent gets, and what must appear nowhere.

use crate::context::Context;
use crate::permission::Permission;
use crate::plan::Plan;
use crate::prepare::Subject;
use crate::redact::Redactor;
use crate::secret::{self, SecretError};

#[derive(Default)]
pub(super) struct Secrets {
    /// What must appear nowhere.
    all: Vec<(String, String)>,
    /// For the agent's environment.
    pub(super) for_agent: Vec<(String, String)>,
    /// Configured, and not to be had.
    pub(super) errors: Vec<SecretError>,
}

/// Names of the secrets that permissions give.
pub(super) fn granted(permissions: &[Permission]) -> impl Iterator<Item = &str> {
    permissions
        .iter()
        .filter_map(|permission| match permission {
            Permission::Env(name) => Some(name.as_str()),
            Permission::Github => Some("GITHUB_TOKEN"),
            _ => None,
        })
}

/// Values of the secrets that the job names or the plan grants. `publishes`: it is no rehearsal, so
/// that an agent that may gets the token.
pub(super) fn find(subject: &Subject, plan: &Plan, publishes: bool, context: &Context) -> Secrets {
    let mut found = Secrets::default();
    let granted = granted(&plan.permissions);
    let own = subject.job.secrets.iter().map(String::as_str);
    let mut names: Vec<&str> = own.chain(granted).collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        match secret::find(name, &subject.config, &context.env) {
            Ok(Some(value)) => {
                let pair = (name.to_owned(), value.expose().to_owned());
                let wanted = plan.env_names.iter().any(|wanted| wanted == name);
                if wanted && (publishes || name != "GITHUB_TOKEN") {
                    found.for_agent.push(pair.clone());
                }
                found.all.push(pair);
            }
            Ok(None) => {}
            Err(error) => found.errors.push(error),
        }
    }
    let key = subject.ssh_key_text(context);
    found.all.extend(key.map(|key| ("SSH_KEY".to_owned(), key)));
    found
}

impl Secrets {
    pub(super) fn names(&self) -> Vec<&str> {
        self.all.iter().map(|(name, _)| name.as_str()).collect()
    }

    pub(super) fn redactor(&self) -> Redactor {
        Redactor::new(self.all.iter().map(|(name, value)| (name.as_str(), value)))
    }
}
