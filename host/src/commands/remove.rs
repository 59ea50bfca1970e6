use super::enable::existing;
use crate::config::Config;
use crate::config::edit::{edit_config, entry, preview_config};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::names::Name;

/// Remove changelings from the configuration
///
/// Records of their runs are kept.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Names of changelings
    #[arg(value_name = "NAME", required = true)]
    names: Vec<String>,
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
    let listed = names
        .iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ");
    if !ui.confirm(&format!("Remove {listed}?"), args.yes)? {
        ui.note("nothing was removed");
        return Ok(());
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
