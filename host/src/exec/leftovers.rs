//! Cleaning up: after a run that ended, and after runs that died.

use std::path::Path;

use super::{Event, secrets};
use crate::agent::{self, Written};
use crate::config::Config;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::git::{Git, Mirror};
use crate::names::printable;
use crate::plan::Plan;
use crate::plan::branch::check_ref;
use crate::prepare::ssh_key_text;
use crate::record::{File, Kind, Record, Recording, Store};
use crate::redact::Redactor;
use crate::repo_url::RepoUrl;
use crate::secret;
use crate::workspace::{Workspace, remove_tree};

/// Everything in a run's folder that is not its record.
const SCRATCH: &[&str] = &[
    "workspace",
    "agent",
    "index",
    "index.lock",
    "index.report",
    "collect.git",
    "origin.git",
    "remote.git",
    "gh",
    "gitconfig",
    "ssh",
    "agent-summary.md",
    "agent-report.md",
    "home",
    "written",
];

/// Ends what dead runs left running, takes the work of real ones out of their workspaces, and removes
/// what is left lying; their records stay. Readers never do this: `rehearse`, `run` and `doctor` do.
pub fn clean_up(store: &Store, context: &Context) -> Result<()> {
    store.mark_dead()?;
    for id in store.unclean()? {
        // Another process is at it: it will be done.
        let Some(recording) = store.reopen(&id)? else {
            continue;
        };
        let folder = store.folder_of(&id);
        agent::end_run(&folder, &id);
        match salvage(store, recording, context) {
            Ok(Some(what)) => context.ui.note(format!("run {id} had died; {what}")),
            Ok(None) => {}
            Err(error) => {
                // Nothing is removed that is nowhere else.
                context.ui.warn(format!(
                    "run {id} had died, and its work is still in {}: {error}",
                    context.shown(&folder.join("workspace"))
                ));
                continue;
            }
        }
        remove_scratch(&folder);
        store.mark_clean(&id)?;
    }
    store.remove_unborn()?;
    Ok(())
}

/// What cannot be removed is left for the next time, and said in the log: it changes no outcome.
pub(super) fn remove_scratch(folder: &Path) {
    remove_scratch_but(folder, &[]);
}

/// The workspace stays, and with it what is needed to take work out of it.
pub(super) fn remove_scratch_but_workspace(folder: &Path) {
    remove_scratch_but(folder, &["workspace", "index"]);
}

fn remove_scratch_but(folder: &Path, kept: &[&str]) {
    for name in SCRATCH.iter().filter(|name| !kept.contains(name)) {
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

/// Takes the work of a dead run out of its workspace: commits into the mirror, patches and what it
/// wrote into the record. Answers what there was, for a person; `None`: nothing.
fn salvage(store: &Store, mut recording: Recording, context: &Context) -> Result<Option<String>> {
    let id = recording.id().to_owned();
    let Some(record) = store.run(&id)?.filter(|record| record.kind == Kind::Run) else {
        return Ok(None);
    };
    // Before that there is nothing of an agent's, and perhaps half a checkout.
    let events = store.events(&id)?;
    let worked = |event: &Event| matches!(event, Event::AgentStarted { .. });
    if !events
        .iter()
        .filter_map(|each| each.event.as_ref())
        .any(worked)
    {
        return Ok(None);
    }
    let folder = store.folder_of(&id);
    let plan = store.read(&id, File::Plan)?;
    let plan: Option<Plan> = plan.and_then(|text| serde_json::from_str(&text).ok());
    // The agent could write to this file, too.
    let sound = |plan: &Plan| {
        check_ref(&plan.branch.name).is_ok()
            && matches!(plan.branch.starts_at.len(), 40 | 64)
            && plan.branch.starts_at.bytes().all(|b| b.is_ascii_hexdigit())
    };
    let Some(plan) = plan.filter(sound) else {
        return Ok(None);
    };
    let Some(workspace) =
        Workspace::reopen(&folder, &id, &plan.branch.starts_at, &plan.branch.name)
    else {
        return Ok(None);
    };
    let git = Git::new(&context.env);
    let repo = RepoUrl::try_from(record.repo.clone())?;
    let mirror = Mirror::open(&git, &context.home, &repo)?
        .ok_or_else(|| Error::failed(format!("our copy of {repo} is gone")))?;
    let redactor = match redactor(store, &record, &plan, context) {
        // Nobody wants it.
        Err(_) if record.settled_at.is_some() => return Ok(None),
        redactor => redactor?,
    };
    let collected = workspace.collect(&git, &mirror)?;
    let written = Written::read(&folder, &redactor);
    let texts = [
        (File::Summary, written.summary),
        (File::Report, written.report),
    ];
    let mut left: Vec<(File, Vec<u8>)> = texts
        .into_iter()
        .filter_map(|(file, text)| Some((file, text?.into_bytes())))
        .collect();
    if !collected.patch.is_empty() {
        left.push((File::Patch, redactor.bytes(&collected.patch).into_owned()));
    }
    if let Some(uncommitted) = &collected.uncommitted {
        let patch = redactor.bytes(&uncommitted.patch).into_owned();
        left.push((File::Uncommitted, patch));
    }
    for (file, bytes) in &left {
        recording.save(*file, bytes)?;
    }
    if collected.commits.is_empty() && left.is_empty() {
        return Ok(None);
    }
    recording.event(
        context.clock.now(),
        &Event::Salvaged {
            commits: collected.commits.len(),
            uncommitted: collected.uncommitted.is_some(),
        },
    )?;
    let files: Vec<_> = left.iter().map(|(file, _)| file.name()).collect();
    let files = files.join(", ");
    Ok(Some(match collected.commits.len() {
        0 => format!("what it left is in its record: {files}"),
        count => format!(
            "what it left is kept: {count} of its commits below refs/runs/{id}/ of {}, and in its record {files}",
            context.shown(&mirror.git_dir)
        ),
    }))
}

/// Finds the secrets that the run had, and what else it can have had. One that it had and that is not
/// to be had now is an error: nothing of the run's can be kept without it.
fn redactor(store: &Store, record: &Record, plan: &Plan, context: &Context) -> Result<Redactor> {
    let had = store.secrets_of(&record.id)?;
    let config = Config::load(&context.home)?;
    let changeling = config.changelings.get(&record.changeling);
    let own = changeling.map_or(&[][..], |changeling| &changeling.secrets);
    let mut names: Vec<&str> = had
        .iter()
        .chain(own)
        .chain(config.secrets.keys())
        .map(String::as_str)
        .chain(secrets::granted(&plan.permissions))
        .collect();
    names.sort_unstable();
    names.dedup();
    let key_at = changeling.and_then(|changeling| changeling.ssh_key.as_ref());
    let key = ssh_key_text(key_at.map(|key| key.0.as_str()), own, &config, context);
    let mut found: Vec<(&str, String)> = key.map(|key| ("SSH_KEY", key)).into_iter().collect();
    for name in names {
        let value = secret::find(name, &config, &context.env);
        if let Err(error) = &value {
            tracing::warn!("{}", printable(&error.to_string()));
        }
        match value {
            Ok(Some(value)) => found.push((name, value.expose().to_owned())),
            _ if found.iter().any(|(known, _)| *known == name) => {}
            _ if had.iter().any(|had| had == name) => {
                let id = &record.id;
                return Err(Error::needs_person(format!(
                    "it had the secret {name}, which must be taken out of it and is not to be had now; \
                     set {name} and type `changeling doctor`, or, if its work is not wanted, \
                     `changeling runs settle {id}`"
                )));
            }
            _ => {}
        }
    }
    Ok(Redactor::new(found))
}
