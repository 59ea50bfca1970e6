//! The run somebody means.

use crate::config::{Config, parse_name};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::names::{Name, printable};
use crate::record::{Filter, Record, Store};

/// The history.
///
/// # Errors
/// There is none yet, or it cannot be read.
pub(in crate::commands) fn store(context: &Context) -> Result<Store> {
    Store::open_existing(&context.home)?.ok_or_else(|| {
        Error::usage("nothing was ever run here")
            .with_hint("`changeling rehearse --template fixme-fairy --repo .` publishes nothing")
    })
}

/// `last`, an id, a beginning of one, its last digits, a call where it is deployed, or the name of a
/// changeling for its latest.
pub(in crate::commands) fn run(text: &str, store: &Store) -> Result<Record> {
    let latest = |changeling: Option<&Name>| -> Result<Option<Record>> {
        let filter = Filter {
            changeling,
            limit: 1,
            ..Filter::default()
        };
        let Some(record) = store.runs(&filter)?.pop() else {
            return Ok(None);
        };
        // Of a call that was delivered again, the attempt that did something.
        match &record.origin {
            Some(origin) if origin.refused => {
                Ok(store.runs_of_call(&origin.call)?.into_iter().next())
            }
            _ => Ok(Some(record)),
        }
    };
    if text == "last" {
        return latest(None)?.ok_or_else(|| Error::usage("there are no runs yet"));
    }
    if let Some(record) = store.runs_of_call(text)?.into_iter().next() {
        return Ok(record);
    }
    let mut found = store.runs_named(text)?;
    if found.is_empty()
        && let Ok(name) = text.parse::<Name>()
    {
        found.extend(latest(Some(&name))?);
    }
    if found.is_empty() {
        found = store.runs_ending(text)?;
    }
    match &found[..] {
        [_] => Ok(found.remove(0)),
        [] => Err(
            Error::usage(format!("there is no run `{}`", printable(text)))
                .with_hint("`changeling runs` lists them; `last` is the latest"),
        ),
        several => {
            let ids: Vec<&str> = several.iter().map(|run| run.id.as_str()).collect();
            Err(
                Error::usage(format!("`{}` can mean several runs", printable(text)))
                    .with_hint(format!("one of: {}", ids.join(", "))),
            )
        }
    }
}

/// A changeling of the configuration, or one that is gone and has runs.
pub(in crate::commands) fn changeling(
    text: &str,
    store: Option<&Store>,
    context: &Context,
) -> Result<Name> {
    let name = parse_name(text)?;
    let filter = Filter {
        changeling: Some(&name),
        limit: 1,
        ..Filter::default()
    };
    match store {
        Some(store) if !store.runs(&filter)?.is_empty() => Ok(name),
        // Read only now: the history knows it faster.
        _ => Ok(Config::load(&context.home)?.changeling(&name)?.name.clone()),
    }
}
