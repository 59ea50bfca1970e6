use super::deploy::reschedule;
use super::forgive;
use crate::config::edit::{edit_config, entry, preview_config};
use crate::config::{Changeling, Config, parse_name};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::names::Name;
use crate::record::Store;

/// Let changelings run again
///
/// Those that were disabled, and those that paused after failures in a row. What is deployed gets its
/// schedule back.
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
        return reschedule(
            &names,
            enabled,
            which.all,
            which.dry_run,
            None,
            &config,
            context,
        );
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
    let away = if enabled && !which.dry_run {
        forgive::learn(&names, context)
    } else {
        None
    };
    let away = away.as_ref();
    for name in &names {
        let resumed = enabled && resume(config.changeling(name)?, which.dry_run, context)?;
        let said = match (changed.contains(name), resumed, which.dry_run) {
            (true, _, false) => format!("{word} `{name}`"),
            (true, _, true) => format!("would be {word}: `{name}`"),
            (false, true, false) => format!("`{name}` had paused, and runs again"),
            (false, true, true) => format!("would run again: `{name}`, which has paused"),
            (false, false, _) => format!("`{name}` is {word} already"),
        };
        context.ui.note(said);
    }
    let told = if enabled && !which.dry_run {
        let words: Vec<_> = names.iter().map(Name::as_str).collect();
        let again = format!("changeling enable {}", words.join(" "));
        forgive::tell(&names, &again, away, &config, context)
    } else {
        Ok(())
    };
    reschedule(
        &names,
        enabled,
        which.all,
        which.dry_run,
        away,
        &config,
        context,
    )?;
    told
}

/// Forgives a changeling the failures it paused after; whether there were any.
fn resume(changeling: &Changeling, dry_run: bool, context: &Context) -> Result<bool> {
    let Some(store) = Store::open_existing(&context.home)? else {
        return Ok(false);
    };
    let mut resumed = false;
    for repo in &changeling.repos {
        let repo = repo.to_string();
        let failures = store.consecutive_failures(&changeling.name, &repo)?;
        if changeling.is_paused_after(failures) {
            resumed = true;
            if !dry_run {
                store.resume(&changeling.name, &repo, context.clock.now())?;
            }
        }
    }
    Ok(resumed)
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
