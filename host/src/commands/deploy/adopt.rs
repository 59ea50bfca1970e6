//! `deploy --adopt`: the configuration from what is deployed, on a machine that has none of it.

use std::collections::BTreeMap;

use serde_json::json;
use toml_edit::{DocumentMut, Item};

use super::Args;
use crate::config::edit::edit_config;
use crate::config::{Config, parse_name, schema};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::modal::APP;
use crate::modal::client::Client;
use crate::modal::deploy::Found;
use crate::modal::deployment::{Deployed, Deployments, TAG_HOME, TAG_JOB, has_template, seal};
use crate::modal::document::{Document, JOB, TEMPLATE};
use crate::modal::freeze::app_name;
use crate::names::Name;

pub(super) fn run(args: &Args, config: &Config, context: &Context) -> Result<()> {
    let names = args
        .names
        .iter()
        .map(|name| parse_name(name))
        .collect::<std::result::Result<Vec<Name>, _>>()?;
    if let Some(name) = names
        .iter()
        .find(|name| config.changelings.contains_key(*name))
    {
        return Err(Error::usage(format!(
            "the configuration has a changeling `{name}` already"
        ))
        .with_hint(format!(
            "changeling deploy {name} --take-over, or remove it first"
        )));
    }
    let client = Client::find(config, context)?;
    let deployments = Deployments::of(&context.home);
    let aside = tempfile::tempdir()?;
    let progress = context.ui.progress("fetching what is deployed");
    let found = fetch(&names, &client, config, aside.path(), context)?;
    drop(progress);
    let mut adopted = 0;
    for (name, found) in &found {
        if config.changelings.contains_key(name) {
            context
                .ui
                .note(format!("{name} is in the configuration already"));
            continue;
        }
        let folder = aside.path().join(name.as_str());
        let Ok(document) = Document::read(&folder.join(JOB)) else {
            context
                .ui
                .warn(format!("{name}: its volume does not say what is deployed"));
            continue;
        };
        if document.changeling != *name {
            context.ui.warn(format!(
                "{name}: its volume has what is deployed as {}",
                document.changeling
            ));
            continue;
        }
        if !is_deployed(&document, found) {
            context.ui.warn(format!(
                "{name}: its volume has something else than what is deployed"
            ));
            continue;
        }
        adopt(&document, &folder, found, &deployments, context)?;
        adopted += 1;
    }
    if adopted == 0 {
        return Err(Error::needs_person("nothing was found to adopt").with_hint(
            "`modal app list` shows what is deployed; `[modal] environment` says where",
        ));
    }
    Ok(())
}

/// The document is the one the app was deployed with, as far as this can be told: whatever runs there may
/// have written to the volume.
fn is_deployed(document: &Document, found: &Found) -> bool {
    let mut sealed = document.clone();
    seal(&mut sealed, APP);
    let is_comparable = document.changelings == env!("CARGO_PKG_VERSION");
    let tag = |document: &Document| document.app.tags.get(TAG_JOB).cloned();
    !found.is_there()
        || (found.tags.get(TAG_JOB) == tag(document).as_ref()
            && (!is_comparable || tag(&sealed) == tag(document)))
}

/// What is deployed under these names, or under any of ours; the files below `into`.
fn fetch(
    names: &[Name],
    client: &Client,
    config: &Config,
    into: &std::path::Path,
    context: &Context,
) -> Result<BTreeMap<Name, Found>> {
    let one = |name: &Name| {
        let app = app_name(name);
        json!({ "name": app, "volume": app, "into": into.join(name.as_str()) })
    };
    let prefix = "changeling-";
    let apps = (!names.is_empty()).then(|| names.iter().map(one).collect::<Vec<_>>());
    let request = json!({
        "op": "adopt",
        "environment": config.modal.environment,
        "apps": apps,
        "into": into,
    });
    let mut found = BTreeMap::new();
    client.call(&request, &mut |answer| {
        let name = answer
            .app
            .as_deref()
            .and_then(|app| app.strip_prefix(prefix));
        let Some(name) = name.and_then(|name| name.parse::<Name>().ok()) else {
            return;
        };
        match answer.trouble() {
            Some(trouble) => context.ui.error(&Error::from(trouble).context(name)),
            None => drop(found.insert(name, Found::of(&answer.fields))),
        }
    })?;
    Ok(found)
}

/// Takes one over: into the configuration, and into the folder of deployments.
fn adopt(
    document: &Document,
    folder: &std::path::Path,
    found: &Found,
    deployments: &Deployments,
    context: &Context,
) -> Result<()> {
    let name = &document.changeling;
    let mut template = None;
    if !document.template.built_in {
        if !has_template(folder, document) {
            return Err(Error::needs_person(format!(
                "{name} needs the template {}, which is not on its volume",
                document.template.name
            )));
        }
        let kept = context.home.root().join("templates");
        crate::context::create_private_dir(&kept)?;
        let digest = document.template.digest.short();
        let file = kept.join(format!("{}-{digest}.wasm", document.template.name));
        std::fs::copy(folder.join(TEMPLATE), &file)?;
        template = Some(format!(
            "templates/{}",
            file.file_name().unwrap_or_default().to_string_lossy()
        ));
    }
    let entry = entry(document, template)?;
    edit_config(&context.home, |doc: &mut DocumentMut| -> Result<()> {
        let changelings = doc.entry("changelings").or_insert_with(|| {
            let mut table = toml_edit::Table::new();
            table.set_implicit(true);
            Item::Table(table)
        });
        if let Some(table) = changelings.as_table_like_mut() {
            table.insert(name.as_str(), Item::Table(entry.clone()));
        }
        Ok(())
    })?;
    let mine = deployments.id()?;
    let is_mine = found.tags.get(TAG_HOME) == Some(&mine);
    if let Some(app_id) = found.app_id.clone().filter(|_| found.is_there()) {
        let component = std::fs::read(folder.join(TEMPLATE)).ok();
        let deployed = Deployed {
            version: 1,
            at: context.clock.now(),
            app_id,
            deployment: found.version,
            environment: found.environment.clone(),
            workspace: None,
            document: document.clone(),
        };
        deployments.adopt(&deployed, component.as_deref())?;
    }
    context.ui.note(format!(
        "adopted {name}; `changeling show {name}` shows all of it"
    ));
    if !is_mine {
        context.ui.to_type(
            "to deploy it from here from now on",
            &format!("changeling deploy {name} --take-over"),
        );
    }
    Ok(())
}

/// The entry with what differs from what is built in, in the order of the reference.
fn entry(document: &Document, template: Option<String>) -> Result<toml_edit::Table> {
    let failed = |error: &dyn std::fmt::Display| Error::failed(error.to_string());
    let name = document.changeling.as_str();
    let changelings = document.config.get("changelings");
    let whole = changelings.and_then(|table| table.get(name)?.as_table());
    let mut whole = whole.cloned().unwrap_or_default();
    let plain = plain(document)?;
    let says = |key: &str, value: &toml::Value| {
        plain.get(key) != Some(value) || matches!(key, "template" | "timezone")
    };
    whole.retain(|key, value| says(key, value));
    if let (Some(toml::Value::Table(modal)), Some(toml::Value::Table(plain))) =
        (whole.get_mut("modal"), plain.get("modal"))
    {
        modal.retain(|key, value| plain.get(key) != Some(value));
    }
    // What was agreed to was for a container.
    whole.remove("unattended");
    if let Some(template) = template {
        whole.insert("template".to_owned(), template.into());
    }
    let text = toml::to_string(&whole).map_err(|error| failed(&error))?;
    let doc: DocumentMut = text
        .parse()
        .map_err(|error: toml_edit::TomlError| failed(&error))?;
    let mut entry = doc.as_table().clone();
    let order: Vec<_> = schema::changeling_keys().collect();
    let place = |key: &str| order.iter().position(|known| *known == key);
    entry.sort_values_by(|a, _, b, _| place(a.get()).cmp(&place(b.get())));
    Ok(entry)
}

/// What the entry would be with nothing but template and repositories said.
fn plain(document: &Document) -> Result<toml::Table> {
    let repos: Vec<_> = document
        .jobs
        .iter()
        .map(|job| job.repo.to_string())
        .collect();
    let text = format!(
        "[changelings.x]\ntemplate = \"x\"\nrepos = {}\ntimezone = \"UTC\"\n",
        toml::Value::try_from(repos).map_err(|error| Error::failed(error.to_string()))?
    );
    let config = Config::parse("config.toml".as_ref(), &text, "/".as_ref())?;
    let changeling = config.named("x")?;
    let mut entry =
        toml::Table::try_from(changeling).map_err(|error| Error::failed(error.to_string()))?;
    for key in ["name", "repos"] {
        entry.remove(key);
    }
    Ok(entry)
}
