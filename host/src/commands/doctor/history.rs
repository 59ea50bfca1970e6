//! The history of runs, and what runs that died left behind.

use super::{Check, Level};
use crate::context::Context;
use crate::error::Result;
use crate::exec;
use crate::record::Store;

pub(super) fn history(context: &Context) -> Vec<Check> {
    let name = "history";
    match Store::open_existing(&context.home) {
        Ok(None) => Vec::new(),
        Ok(Some(store)) => {
            look(name, &store, context).unwrap_or_else(|error| vec![Check::failure(name, error)])
        }
        Err(error) => vec![Check::failure(name, error)],
    }
}

fn look(name: &'static str, store: &Store, context: &Context) -> Result<Vec<Check>> {
    store.mark_dead()?;
    let dead = store.unclean()?.len();
    exec::clean_up(store, context)?;
    let left = store.unclean()?.len();
    let runs = |count: usize| match count {
        1 => "1 run".to_owned(),
        count => format!("{count} runs"),
    };
    let place = context.shown(&context.home.runs_dir());
    let mut checks = vec![Check::ok(
        name,
        format!("{} in {place}", runs(store.count()?)),
    )];
    if dead > left {
        let message = format!("cleaned up after {} that had died", runs(dead - left));
        checks.push(Check::ok(name, message));
    }
    if left > 0 {
        let message = format!("what {} left cannot be cleaned up", runs(left));
        let mend = format!("look at the warnings, and into {place}");
        checks.push(Check::new(Level::Warning, name, message, mend));
    }
    let waiting = store.needing_person()?.len();
    if waiting > 0 {
        let wait = if waiting == 1 { "waits" } else { "wait" };
        let message = format!("{} {wait} for you", runs(waiting));
        let mend = "changeling status".to_owned();
        checks.push(Check::new(Level::Note, name, message, mend));
    }
    Ok(checks)
}
