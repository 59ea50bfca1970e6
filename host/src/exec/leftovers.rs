//! Cleaning up: after a run that ended, and after runs that died.

use std::path::Path;

use crate::agent;
use crate::error::Result;
use crate::record::Store;
use crate::workspace::remove_tree;

/// Everything in a run's folder that is not its record.
const SCRATCH: &[&str] = &[
    "workspace",
    "agent",
    "index",
    "index.lock",
    "collect.git",
    "origin.git",
    "remote.git",
    "gh",
    "gitconfig",
    "agent-summary.md",
    "agent-report.md",
];

/// Ends what dead runs left running and removes what they left lying; their records stay. Readers
/// never do this: `rehearse` and `run` do, before they begin.
pub fn clean_up(store: &Store) -> Result<()> {
    store.mark_dead()?;
    for id in store.unclean()? {
        let folder = store.folder_of(&id);
        agent::end_run(&folder, &id);
        remove_scratch(&folder);
        store.mark_clean(&id)?;
    }
    store.remove_unborn()?;
    Ok(())
}

/// What cannot be removed is left for the next time, and said in the log: it changes no outcome.
pub(super) fn remove_scratch(folder: &Path) {
    for name in SCRATCH {
        let path = folder.join(name);
        let gone = match std::fs::symlink_metadata(&path) {
            Err(_) => continue,
            Ok(meta) if meta.is_dir() => remove_tree(&path),
            Ok(_) => std::fs::remove_file(&path),
        };
        if let Err(error) = gone {
            tracing::warn!("cannot remove {}: {error}", path.display());
        }
    }
}
