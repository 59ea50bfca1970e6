//! What is deployed, on its schedule or off it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::prepare::Prepared;
use crate::config::Config;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::job::TemplateId;
use crate::modal::APP;
use crate::modal::deployment::{APP_FILE, Deployed, Deployments, has_template, seal};
use crate::modal::document::{Document, RUNNER, TEMPLATE};
use crate::modal::freeze::Frozen;
use crate::modal::image::Image;
use crate::modal::runner::{Runner, Source};
use crate::names::Digest;
use crate::template::{Template, catalog};

/// What is deployed with its schedule put on or taken off.
#[derive(Debug)]
pub struct Rescheduled {
    pub document: Document,
    /// Where its files are.
    pub folder: PathBuf,
    /// This program had to take the place of the one that was deployed.
    pub is_replaced: bool,
}

/// Puts what is deployed on its schedule or takes it off, and changes nothing else. What was adopted, or
/// whose files are gone, is taken off with this program in place of the one that was deployed: that it
/// stops firing is what counts.
///
/// # Errors
/// Its files are not there any more, and it cannot do without them.
pub fn rescheduled(
    deployed: &Deployed,
    enabled: bool,
    config: &Config,
    context: &Context,
) -> Result<Rescheduled> {
    let deployments = Deployments::of(&context.home);
    let mut document = deployed.document.clone();
    let name = deployed.document.changeling.clone();
    let changelings = document.config.get_mut("changelings");
    let entry = changelings.and_then(|table| table.get_mut(name.as_str()));
    if let Some(entry) = entry.and_then(toml::Value::as_table_mut) {
        entry.insert("enabled".to_owned(), enabled.into());
        let schedule = entry.get("schedule").and_then(toml::Value::as_str);
        document.app.schedule = schedule.filter(|_| enabled).map(str::to_owned);
    }
    let folder = deployments.confirmed(&name);
    let app = std::fs::read_to_string(folder.join(APP_FILE)).ok();
    if let Some(app) = app.filter(|_| is_whole(&folder, deployed)) {
        seal(&mut document, &app);
        deployments.rewrite(&document)?;
        return Ok(Rescheduled {
            document,
            folder,
            is_replaced: false,
        });
    }
    if enabled {
        return Err(
            Error::failed(format!("what is deployed of {name} is not here any more"))
                .with_hint(format!("changeling deploy {name}")),
        );
    }
    let is_ours = deployments.known_id()?.as_ref() == Some(&document.home);
    let stop = if is_ours { "" } else { " --take-over" };
    let prepared = replaced(document, config, context).map_err(|error| {
        let hint = error.hint.clone();
        let hint = hint.map_or_else(String::new, |hint| hint + "; or ");
        error
            .context("what was deployed is not here, and no other program can take its place")
            .with_hint(format!("{hint}stop it: changeling undeploy {name}{stop}"))
    })?;
    Ok(Rescheduled {
        folder: prepared.write(context)?,
        document: prepared.frozen.document,
        is_replaced: true,
    })
}

/// A document with this program, and where it is not there, with the built-in template of the same name.
fn replaced(mut document: Document, config: &Config, context: &Context) -> Result<Prepared> {
    let frozen = document.config()?;
    let changeling = frozen.changeling(&document.changeling)?;
    // Where it is in the configuration here, a person can say which program fits.
    let own = config.changelings.get(&document.changeling);
    let this = std::env::current_exe()?;
    let runner = match own {
        Some(own) => Runner::choose(&own.modal, config.base(), &this, context)?,
        None => Runner::choose(&changeling.modal, frozen.base(), &this, context)?,
    };
    let folder = Deployments::of(&context.home).confirmed(&document.changeling);
    let template = if has_template(&folder, &document) {
        Cow::Owned(std::fs::read(folder.join(TEMPLATE))?)
    } else {
        let source = catalog::find(document.template.name.as_str(), Path::new("/"))?;
        let template = Template::load(&source, &context.home.components_dir())?;
        document.template = TemplateId::of(&template);
        for job in &mut document.jobs {
            job.template = document.template.clone();
        }
        source.bytes
    };
    let app = &mut document.app;
    let was_mounted = app.files.remove(RUNNER).is_some();
    let is_mounted = matches!(runner.source, Source::File(_));
    if is_mounted {
        app.files.insert(RUNNER.to_owned(), runner.path.clone());
    }
    if !(was_mounted && is_mounted) {
        app.image = Image::of(&changeling.modal, runner.steps());
    }
    app.runner.clone_from(&runner.path);
    app.runner_digest.clone_from(&runner.digest);
    env!("CARGO_PKG_VERSION").clone_into(&mut document.changelings);
    seal(&mut document, APP);
    Ok(Prepared {
        frozen: Frozen {
            document,
            values: BTreeMap::new(),
            notes: Vec::new(),
            missing: Vec::new(),
        },
        before: None,
        template,
        runner,
    })
}

/// The files of what is deployed are there, and the same.
fn is_whole(folder: &Path, deployed: &Deployed) -> bool {
    let document = &deployed.document;
    let mut files = document.app.files.keys();
    has_template(folder, document)
        && files.all(|file| folder.join(file).is_file())
        && is_same_program(&folder.join(RUNNER), deployed)
}

/// A program that was written over in its place is another one, though it was linked.
fn is_same_program(program: &Path, deployed: &Deployed) -> bool {
    let Some(digest) = &deployed.document.app.runner_digest else {
        return true;
    };
    if !deployed.document.app.files.contains_key(RUNNER) {
        return true;
    }
    let touched = std::fs::metadata(program).and_then(|found| found.modified());
    let is_untouched = touched.is_ok_and(|touched| {
        jiff::Timestamp::try_from(touched).is_ok_and(|touched| touched < deployed.at)
    });
    is_untouched || std::fs::read(program).is_ok_and(|bytes| Digest::of(&bytes) == *digest)
}
