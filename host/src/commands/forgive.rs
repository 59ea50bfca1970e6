//! Telling what is deployed that failures count no more: it counts them by its own records, at Modal.

use super::deployed::{self, Deployed};
use crate::config::Config;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::modal::remote::{self, Forgiven};
use crate::modal::{Client, is_silence};
use crate::names::Name;
use crate::record::Store;

/// Learns what came of those that are deployed: whether they have paused. Without an answer, what is known
/// here has to do: `Some` when nobody answers, so that nobody waits for that again.
pub(super) fn learn(names: &[Name], context: &Context) -> Option<Error> {
    let error = deployed::fetch(Some(names), context).err()?;
    let hint = error.hint.iter().map(|hint| format!("; {hint}"));
    context.ui.warn(format_args!(
        "whether one has paused at Modal is not known: {error}{}",
        hint.collect::<String>()
    ));
    is_silence(&error).then_some(error)
}

/// Sends what was said here and not there yet. `again`: the command that tries again. `away`: what was heard
/// when Modal was asked before.
///
/// # Errors
/// Modal cannot be told. It stays said here, and is sent the next time.
pub(super) fn tell(
    names: &[Name],
    again: &str,
    away: Option<&Error>,
    config: &Config,
    context: &Context,
) -> Result<()> {
    let Some(store) = Store::open_existing(&context.home)? else {
        return Ok(());
    };
    let mut all = Vec::new();
    for name in names {
        if let Some(deployed) = Deployed::of(name, context)? {
            let forgiven = Forgiven::of(name, &store)?;
            if forgiven.is_news(&deployed.folder) {
                all.push((deployed, forgiven));
            }
        }
    }
    if all.is_empty() {
        return Ok(());
    }
    let told: Vec<_> = all.iter().map(|(deployed, _)| deployed.name()).collect();
    let unfinished = |error: Error| {
        let hint = error.hint.clone();
        let again = format!("`{again}` tries again");
        error
            .context("failures are forgiven here, and still count on Modal")
            .with_hint(match hint {
                Some(hint) => format!("{hint}; {again}"),
                None => again,
            })
    };
    if let Some(away) = away {
        return Err(unfinished(away.once_more()));
    }
    let client = Client::find(config, context).map_err(|error| unfinished(error.into()))?;
    let news: Vec<_> = all
        .iter()
        .map(|(deployed, forgiven)| (deployed.wanted(), forgiven.clone()))
        .collect();
    let progress = context.ui.quick_progress("telling Modal");
    let troubles = remote::forgive(&client, &news);
    drop(progress);
    let mut troubles = troubles.map_err(|error| unfinished(error.into()))?;
    for name in told {
        if !troubles.contains_key(name) {
            let ui = &context.ui;
            ui.note(format!(
                "failures of {name} that were forgiven here no longer keep it paused on Modal"
            ));
        }
    }
    match troubles.pop_first() {
        None => Ok(()),
        Some((name, trouble)) => {
            let mut error = Error::from(trouble);
            error.hint = error.hint.map(|hint| hint.replace("NAME", name.as_str()));
            Err(unfinished(error.context(name)))
        }
    }
}
