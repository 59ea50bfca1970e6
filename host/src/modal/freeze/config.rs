//! The configuration that travels: one changeling with every default written down, and what of the
//! other sections means something in a container.

use toml::{Table, Value};

use crate::config::{Changeling, Config};
use crate::job::Job;
use crate::modal::document::{FOLDER, TEMPLATE};
use crate::names::Name;

/// The changeling's own table, as it holds there.
pub(super) fn entry(changeling: &Changeling, job: &Job) -> Result<Table, toml::ser::Error> {
    let mut entry = Table::try_from(changeling)?;
    entry.remove("name");
    let template = if job.template.built_in {
        job.template.name.to_string()
    } else {
        format!("{FOLDER}/{TEMPLATE}")
    };
    entry.insert("template".to_owned(), template.into());
    entry.insert("params".to_owned(), Value::try_from(&job.params)?);
    entry.insert("secrets".to_owned(), Value::try_from(&job.secrets)?);
    entry.insert("identity".to_owned(), Value::try_from(&job.identity)?);
    entry.insert("unattended".to_owned(), job.unattended.into());
    if let Some(Value::Table(modal)) = entry.get_mut("modal")
        && !changeling.modal.runner.contains("://")
    {
        // A path of this machine is nobody's business there; what it led to is known by its digest.
        modal.insert("runner".to_owned(), "auto".into());
    }
    match &job.ssh_key {
        Some(key) => entry.insert("ssh_key".to_owned(), key.as_str().into()),
        None => entry.remove("ssh_key"),
    };
    Ok(entry)
}

/// All of it. `webhook` is the name of the secret that holds the URL.
pub(super) fn table(name: &Name, entry: Table, config: &Config, webhook: Option<&str>) -> Table {
    let mut notify = Table::new();
    let on = config.notify.on.iter().map(|on| on.as_str().into());
    notify.insert("on".to_owned(), Value::Array(on.collect()));
    if let Some(webhook) = webhook {
        notify.insert("webhook".to_owned(), webhook.into());
    }
    let one = |key: &str, value: Value| Table::from_iter([(key.to_owned(), value)]);
    let sections = [
        ("changelings", one(name.as_str(), entry.into())),
        (
            "defaults",
            one(
                "monthly_budget_usd",
                config.defaults.monthly_budget_usd.into(),
            ),
        ),
        ("mngr", one("launch", config.mngr.launch.as_str().into())),
        ("notify", notify),
    ];
    sections
        .into_iter()
        .map(|(name, table)| (name.to_owned(), table.into()))
        .collect()
}

/// What of `[notify]` does not travel.
pub(super) fn notes(config: &Config) -> Vec<String> {
    let notify = &config.notify;
    let mut stays = Vec::new();
    if !notify.command.is_empty() {
        stays.push("command");
    }
    if !notify.mail.is_empty() {
        stays.push("mail");
    }
    if stays.is_empty() {
        return Vec::new();
    }
    vec![format!(
        "`[notify] {}` is of this machine: runs on Modal tell a `webhook` only",
        stays.join("` and `")
    )]
}
