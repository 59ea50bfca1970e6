//! The secrets of one run: what the agent gets, and what must appear nowhere.

use crate::context::Context;
use crate::permission::Permission;
use crate::plan::Plan;
use crate::prepare::Subject;
use crate::redact::Redactor;
use crate::secret::{self, SecretError};

pub(super) struct Secrets<'a> {
    subject: &'a Subject,
    /// By name: what an agent can get, and must appear nowhere.
    found: Vec<(String, String)>,
    /// The text of the key for ssh, which no agent gets.
    ssh_key: Option<String>,
    /// Configured, and not to be had.
    errors: Vec<(String, SecretError)>,
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

/// Values of the secrets that the job names, or a plan of it could grant: it is asked before there is
/// a plan, since what the template says must not hold them either.
pub(super) fn find<'a>(subject: &'a Subject, context: &Context) -> Secrets<'a> {
    let job = &subject.job;
    let mut names: Vec<&str> = job.secrets.iter().map(String::as_str).collect();
    names.extend(granted(&job.granted));
    names.extend(granted(job.permissions.as_deref().unwrap_or_default()));
    names.sort_unstable();
    names.dedup();
    let mut found = Secrets {
        subject,
        found: Vec::new(),
        ssh_key: subject.ssh_key_text(context),
        errors: Vec::new(),
    };
    for name in names {
        match secret::find(name, &subject.config, &context.env) {
            Ok(Some(value)) => found
                .found
                .push((name.to_owned(), value.expose().to_owned())),
            Ok(None) => {}
            Err(error) => found.errors.push((name.to_owned(), error)),
        }
    }
    found
}

impl Secrets<'_> {
    pub(super) fn names(&self) -> Vec<&str> {
        self.all().map(|(name, _)| name).collect()
    }

    pub(super) fn redactor(&self) -> Redactor {
        Redactor::new(self.all())
    }

    fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        let found = self.found.iter();
        let key = self.ssh_key.iter().map(|key| ("SSH_KEY", key.as_str()));
        found
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .chain(key)
    }

    /// For the agent's environment. `publishes`: it is no rehearsal, so that an agent that may gets
    /// the token.
    pub(super) fn for_agent(&self, plan: &Plan, publishes: bool) -> Vec<(String, String)> {
        let is_wanted = |name: &str| {
            plan.env_names.iter().any(|wanted| wanted == name)
                && self.is_of(name, plan)
                && (publishes || name != "GITHUB_TOKEN")
        };
        let wanted = self.found.iter().filter(|(name, _)| is_wanted(name));
        wanted.cloned().collect()
    }

    /// What the run should have and cannot.
    pub(super) fn errors<'s>(&'s self, plan: &'s Plan) -> impl Iterator<Item = &'s SecretError> {
        let errors = self.errors.iter();
        errors.filter_map(|(name, error)| self.is_of(name, plan).then_some(error))
    }

    /// The first of them.
    pub(super) fn into_error(mut self, plan: &Plan) -> Option<SecretError> {
        let errors = std::mem::take(&mut self.errors);
        let mut errors = errors.into_iter();
        errors.find_map(|(name, error)| self.is_of(&name, plan).then_some(error))
    }

    /// The job names it or the plan grants it.
    fn is_of(&self, name: &str, plan: &Plan) -> bool {
        let mut own = self.subject.job.secrets.iter();
        own.any(|own| own == name) || granted(&plan.permissions).any(|granted| granted == name)
    }
}
