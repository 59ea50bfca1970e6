use std::collections::BTreeMap;

use super::enable::existing;
use super::undeploy::{self, Leftovers};
use crate::config::Config;
use crate::config::edit::{edit_config, entry, preview_config};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::modal::deployment::Deployments;
use crate::names::Name;

/// Remove changelings from the configuration
///
/// Records of their runs are kept. What is deployed is not removed without `--force`, which stops it.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Names of changelings
    #[arg(value_name = "NAME", required = true)]
    names: Vec<String>,
    /// Stop those that are deployed on Modal, too
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    leftovers: Leftovers,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
    /// Show what would be removed and remove nothing
    #[arg(long)]
    dry_run: bool,
}

pub fn run(args: &Args, context: &Context) -> Result<()> {
    let config = Config::load(&context.home)?;
    let names = existing(&args.names, &config)?;
    let ui = &context.ui;
    let deployments = Deployments::of(&context.home);
    let mut deployed = BTreeMap::new();
    for name in &names {
        if let Some(found) = deployments.deployed(name)? {
            deployed.insert(name.clone(), found);
        }
    }
    let words: Vec<_> = names.iter().map(Name::as_str).collect();
    let by_force = format!("changeling remove {} --force", words.join(" "));
    if let Some(name) = deployed.keys().next().filter(|_| !args.force) {
        let whole = if ui.can_ask {
            by_force
        } else {
            args.leftovers.whole(&by_force)
        };
        return Err(Error::needs_person(format!(
            "{name} is deployed on Modal, and would go on running there"
        ))
        .with_hint(format!(
            "to stop it, too: {whole}; changeling undeploy {name} only stops it"
        )));
    }
    if args.dry_run {
        preview_config::<Error>(&context.home, |doc| {
            for name in &names {
                ui.out(entry::text(doc, name.as_str()).trim_end());
            }
            Ok(())
        })?;
        ui.note("nothing was removed (--dry-run)");
        return Ok(());
    }
    if !deployed.is_empty() {
        args.leftovers.all_said(args.yes, &by_force, context)?;
    }
    let listed = names
        .iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ");
    if !ui.confirm(&format!("Remove {listed}?"), args.yes)? {
        ui.note("nothing was removed");
        return Ok(());
    }
    if !deployed.is_empty() {
        let stop = args.leftovers.choose(context)?;
        undeploy::end(undeploy::stop_all(&deployed, stop, &config, context)?)?;
    }
    let gone: Vec<Name> = edit_config(&context.home, |doc| {
        // One that another command removed meanwhile is gone all the same.
        let mut removed = names.clone();
        removed.retain(|name| entry::remove(doc, name.as_str()));
        Ok::<_, Error>(removed)
    })?;
    for name in gone {
        ui.note(format!("removed `{name}`"));
    }
    Ok(())
}
