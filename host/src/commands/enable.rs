use crate::config::edit::{edit_config, entry, preview_config};
use crate::config::{Config, parse_name};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::names::Name;

/// Let changelings run again
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    which: Which,
}

/// Which changelings a command is about.
#[derive(Debug, clap::Args)]
pub(super) struct Which {
    /// Names of changelings
    #[arg(value_name = "NAME", required_unless_present = "all")]
    names: Vec<String>,
    /// All of them
    #[arg(long, conflicts_with = "names")]
    all: bool,
    /// Say what would change and change nothing
    #[arg(long)]
    dry_run: bool,
}

pub fn run(args: &Args, context: &Context) -> Result<()> {
    set_enabled(&args.which, true, context)
}

/// Sets `enabled` of the changelings that have it otherwise, all in one edit.
pub(super) fn set_enabled(which: &Which, enabled: bool, context: &Context) -> Result<()> {
    let config = Config::load(&context.home)?;
    let names: Vec<Name> = if which.all {
        config.changelings.keys().cloned().collect()
    } else {
        existing(&which.names, &config)?
    };
    let word = if enabled { "enabled" } else { "disabled" };
    if names.is_empty() {
        context.ui.note("there are no changelings");
        return Ok(());
    }
    let change = |doc: &mut toml_edit::DocumentMut| -> Result<Vec<Name>> {
        let mut changed = Vec::new();
        for name in &names {
            let Some(entry) = entry::entry(doc, name.as_str()) else {
                // Removed by another command since we looked.
                if which.all {
                    continue;
                }
                return Err(Error::usage(format!("there is no changeling `{name}`")));
            };
            let is = entry
                .get("enabled")
                .and_then(toml_edit::Item::as_bool)
                .unwrap_or(true);
            if is != enabled {
                entry::set(entry, "enabled", enabled.into());
                changed.push(name.clone());
            }
        }
        Ok(changed)
    };
    let changed = if which.dry_run {
        let mut changed = Vec::new();
        preview_config::<Error>(&context.home, |doc| {
            changed = change(doc)?;
            Ok(())
        })?;
        changed
    } else {
        edit_config(&context.home, change)?
    };
    for name in &names {
        let said = match (changed.contains(name), which.dry_run) {
            (true, false) => format!("{word} `{name}`"),
            (true, true) => format!("would be {word}: `{name}`"),
            (false, _) => format!("`{name}` is {word} already"),
        };
        context.ui.note(said);
    }
    Ok(())
}

/// The names, each once, that exist in the configuration.
pub(super) fn existing(names: &[String], config: &Config) -> Result<Vec<Name>> {
    let mut found: Vec<Name> = Vec::new();
    for name in names {
        let name = config.changeling(&parse_name(name)?)?.name.clone();
        if !found.contains(&name) {
            found.push(name);
        }
    }
    Ok(found)
}
