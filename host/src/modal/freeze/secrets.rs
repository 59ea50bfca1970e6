//! Which secrets go along: those the changeling names, and what stands in for one of them. All that
//! are missing are told at once.

use std::collections::BTreeMap;

use super::{FreezeError, Machine};
use crate::config::{Changeling, Config, Layer, is_variable_name};
use crate::error::Error;
use crate::job::Job;
use crate::permission::Permission;
use crate::plan::{CREDENTIALS, DEFAULT_AGENT_TYPE};
use crate::repo_url::RepoUrl;

/// The variable a key for ssh travels in.
pub(super) const SSH_KEY: &str = "SSH_KEY";
/// The variable for the URL of a webhook that stands in the configuration itself.
const WEBHOOK: &str = "CHANGELINGS_WEBHOOK";

/// What was found.
pub(super) struct Gathered {
    /// The changeling's secrets that are there.
    pub(super) names: Vec<String>,
    /// Everything the Modal secret holds.
    pub(super) values: BTreeMap<String, String>,
    pub(super) has_ssh_key: bool,
    /// Name of the variable with its URL.
    pub(super) webhook: Option<String>,
    /// Names of variables that have no value yet.
    pub(super) absent: Vec<String>,
    /// Why not.
    pub(super) missing: Vec<Error>,
}

pub(super) fn gather(
    changeling: &Changeling,
    config: &Config,
    job: &Job,
    machine: &Machine<'_>,
) -> Gathered {
    let mut found = Gathered {
        names: Vec::new(),
        values: machine.settings.clone(),
        has_ssh_key: false,
        webhook: None,
        absent: Vec::new(),
        missing: Vec::new(),
    };
    let wanted = wanted(changeling);
    for name in &wanted {
        if let Some(value) = ask(name, machine, &mut found) {
            found.values.insert(name.clone(), value);
            found.names.push(name.clone());
        }
    }
    let is_chosen = changeling.origin("secrets").layer != Layer::BuiltIn;
    let credentials = credentials(job);
    let has_credential = |found: &Gathered| {
        let mut names = credentials.iter();
        names.any(|name| found.values.contains_key(*name))
    };
    if !is_chosen && !has_credential(&found) {
        // Nobody chose: the other ways to pay for the agent serve as well.
        for name in credentials {
            if let Some(value) = ask(name, machine, &mut found) {
                found.values.insert((*name).to_owned(), value);
                found.names.push((*name).to_owned());
                break;
            }
        }
    }
    let mut missing: Vec<String> = Vec::new();
    for name in wanted {
        let is_there = found.values.contains_key(&name) || found.absent.contains(&name);
        let another_serves = credentials.contains(&name.as_str()) && has_credential(&found);
        // For agents that have others, and places that are not GitHub: nobody asked for these by name.
        let is_needless = !is_chosen && !is_needed(&name, job, changeling);
        let is_key = name == SSH_KEY && machine.ssh_key.is_some();
        if !is_there && !another_serves && !is_needless && !is_key {
            found.absent.push(name.clone());
            missing.push(or_another(name, credentials));
        }
    }
    if let Some(key) = &machine.ssh_key {
        found.values.insert(SSH_KEY.to_owned(), key.clone());
        found.has_ssh_key = true;
        if !found.names.iter().any(|name| name == SSH_KEY) {
            found.names.push(SSH_KEY.to_owned());
        }
    }
    webhook(config, machine, &mut found, &mut missing);
    if !missing.is_empty() {
        let error = FreezeError::NoSecrets {
            changeling: changeling.name.clone(),
            names: missing,
        };
        found.missing.push(error.into());
    }
    if let Some(repo) = out_of_reach(changeling, &found) {
        let error = FreezeError::NoKey {
            changeling: changeling.name.clone(),
            repo: repo.to_string(),
        };
        found.missing.push(error.into());
    }
    found
}

/// The value, when there is one. One that should be there and cannot be had is missing.
fn ask(name: &str, machine: &Machine<'_>, found: &mut Gathered) -> Option<String> {
    if found.absent.iter().any(|known| known == name) {
        return None;
    }
    match (machine.secret)(name) {
        Ok(value) => value,
        Err(error) => {
            found.absent.push(name.to_owned());
            found.missing.push(error.into());
            None
        }
    }
}

/// Names the changeling says, and those its own permissions give its agent.
fn wanted(changeling: &Changeling) -> Vec<String> {
    let mut names = changeling.secrets.clone();
    for permission in changeling.permissions.iter().flatten() {
        match permission {
            Permission::Env(name) => names.push(name.clone()),
            Permission::Github => names.push("GITHUB_TOKEN".to_owned()),
            _ => {}
        }
    }
    let mut seen = std::collections::BTreeSet::new();
    names.retain(|name| seen.insert(name.clone()));
    names
}

/// Any one of them lets the agent work.
fn credentials(job: &Job) -> &'static [&'static str] {
    let agent = job.agent_type.as_deref().unwrap_or(DEFAULT_AGENT_TYPE);
    let of_agent = CREDENTIALS.iter().find(|(kind, _)| *kind == agent);
    of_agent.map_or(&[][..], |(_, names)| names)
}

fn is_needed(name: &str, job: &Job, changeling: &Changeling) -> bool {
    if name == "GITHUB_TOKEN" {
        return changeling.repos.iter().any(|repo| repo.github().is_some());
    }
    credentials(job).contains(&name)
}

fn or_another(name: String, credentials: &[&str]) -> String {
    let others: Vec<_> = credentials
        .iter()
        .filter(|other| **other != name)
        .copied()
        .collect();
    if credentials.contains(&name.as_str()) && !others.is_empty() {
        format!("{name} (or {})", others.join(", "))
    } else {
        name
    }
}

/// The webhook's URL is a secret, too, wherever it stands here.
fn webhook(
    config: &Config,
    machine: &Machine<'_>,
    found: &mut Gathered,
    missing: &mut Vec<String>,
) {
    let Some(place) = &config.notify.webhook else {
        return;
    };
    let (name, value) = if is_variable_name(place) {
        (place.clone(), ask(place, machine, found))
    } else {
        (WEBHOOK.to_owned(), Some(place.clone()))
    };
    if let Some(value) = value {
        found.values.insert(name.clone(), value);
    } else if !found.absent.contains(&name) {
        found.absent.push(name.clone());
        missing.push(name.clone());
    }
    found.webhook = Some(name);
}

/// A repository that cannot be reached with what goes along.
fn out_of_reach<'a>(changeling: &'a Changeling, found: &Gathered) -> Option<&'a RepoUrl> {
    let has_token = found.values.contains_key("GITHUB_TOKEN");
    changeling.repos().iter().find(|repo| {
        let by_https = repo.github().is_some() && has_token;
        matches!(repo, RepoUrl::Ssh { .. }) && !found.has_ssh_key && !by_https
    })
}
