//! What a person can do about a run: the commands to type, in order.

use serde::Serialize;

use crate::context::Context;
use crate::exec::{Outcome, StepName};
use crate::git::{Git, Mirror};
use crate::record::{File, Kind, Record, Store};
use crate::repo_url::RepoUrl;

/// Something to type, and what for. A command of several lines can be pasted as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Advice {
    pub what: &'static str,
    pub command: String,
}

/// The commands to look at, publish or discard what a run left, and to go on after a failure. Reads
/// the record and the mirror; asks nobody.
pub fn of(record: &Record, store: &Store, context: &Context) -> Vec<Advice> {
    let mut advice = Vec::new();
    let mut add = |what, command: String| advice.push(Advice { what, command });
    let id = &record.id;
    let Some(outcome) = &record.outcome else {
        add("follow it", format!("changeling logs --follow {id}"));
        return advice;
    };
    if let Some(next) = next_of(outcome) {
        add("first", next);
    }
    if outcome.error_kind().is_some() && may_have_log(record, outcome, store) {
        add("read what was said", format!("changeling logs {id}"));
    }
    let is_left = store.has_unpublished_work(record);
    if is_left && store.path_of(id, File::Patch).is_some() {
        add(
            "look at its commits",
            format!("changeling runs show {id} --patch"),
        );
        let (what, command) = publish(record, store, context);
        add(what, command);
        if let Some((what, url)) = propose(record) {
            add(what, url);
        }
    }
    let is_in_a_patch = [File::Patch, File::Uncommitted]
        .iter()
        .any(|file| store.path_of(id, *file).is_some());
    if is_left && !is_in_a_patch {
        let what = "take its work out of its clone, and clean up";
        add(what, "changeling doctor".to_owned());
    }
    if record.kind == Kind::Run && store.path_of(id, File::Uncommitted).is_some() {
        let show = format!("changeling runs show {id} --uncommitted");
        add("look at what it did not commit", show.clone());
        add(
            "take that, in a clone of yours",
            format!("{show} | git apply --3way"),
        );
    }
    if is_left || record.needs_person() {
        let settle = format!("changeling runs settle {id}");
        let when = if is_left || record.branch.is_some() {
            "once it is published, or if you do not want it"
        } else {
            "once that is mended"
        };
        add(when, settle);
    }
    if outcome.error_kind().is_some() && record.kind == Kind::Run {
        // Where it was.
        let here = if record.origin.is_none() {
            " --local"
        } else {
            ""
        };
        let run = format!("changeling run {}{here}", record.changeling);
        add("run it again", run);
    }
    advice
}

/// An agent said something, or nobody here knows whether it did.
fn may_have_log(record: &Record, outcome: &Outcome, store: &Store) -> bool {
    // Every run has written down what happened: without that, its files are where it was.
    if store.path_of(&record.id, File::Events).is_some() {
        let log = store.path_of(&record.id, File::Log);
        return log.is_some_and(|log| log.metadata().is_ok_and(|log| log.len() > 0));
    }
    match outcome {
        Outcome::Failed { step, .. } => *step >= StepName::Agent,
        // It has one since it was planned.
        _ => record.branch.is_some(),
    }
}

/// What the step that needs a person says to type.
fn next_of(outcome: &Outcome) -> Option<String> {
    let value = serde_json::to_value(outcome).ok()?;
    value.get("next")?.as_str().map(str::to_owned)
}

/// To publish commits that nobody published: from the mirror, as long as it keeps them, else from the
/// patch. What did not pass the check may hold a secret, which its patch does not show: its commits
/// are never offered as they are.
fn publish(record: &Record, store: &Store, context: &Context) -> (&'static str, String) {
    let take = format!(
        "changeling runs show {} --patch | git apply --index",
        record.id
    );
    let in_a_clone = "take them, in a clone of yours";
    let Some(branch) = &record.branch else {
        return (in_a_clone, take);
    };
    let repo: Option<RepoUrl> = record.repo.clone().try_into().ok();
    // Not by its events: an agent could write there, and the mirror may hold newer commits.
    let checked = store.checked_by(&record.id).ok().flatten();
    let kept = repo
        .and_then(|repo| {
            let git = Git::new(&context.env);
            Mirror::kept(&git, &context.home, &repo, &record.id, branch)
        })
        .filter(|(_, tip)| checked.as_ref() == Some(tip));
    if let Some((git_dir, tip)) = kept {
        let push = shell_words::quote(&format!("{}:refs/heads/{branch}", short(&tip))).into_owned();
        let url = shell_words::quote(&record.repo);
        let mirror = context.typed(&git_dir);
        let command = format!("git -C {mirror} \\\n  push {url} \\\n  {push}");
        return ("publish them", command);
    }
    let branch = shell_words::quote(branch);
    match starts_at(record, store) {
        Some(commit) => {
            let switch = format!("git switch -c {branch} {}", short(&commit));
            let push = format!("git commit && git push -u origin {branch}");
            (in_a_clone, format!("{switch}\n{take}\n{push}"))
        }
        None => (in_a_clone, take),
    }
}

/// Where a pushed branch becomes a pull request.
fn propose(record: &Record) -> Option<(&'static str, String)> {
    let repo: RepoUrl = record.repo.clone().try_into().ok()?;
    let (owner, name) = repo.github()?;
    let branch = record.branch.as_deref()?;
    let url = format!("https://github.com/{owner}/{name}/pull/new/{branch}");
    Some(("then open its pull request", url))
}

/// The commit the run's branch starts at, as its plan has it.
fn starts_at(record: &Record, store: &Store) -> Option<String> {
    let text = store.read(&record.id, File::Plan).ok()??;
    let plan: serde_json::Value = serde_json::from_str(&text).ok()?;
    plan.pointer("/branch/starts_at")?
        .as_str()
        .map(str::to_owned)
}

/// Enough of a commit's name.
fn short(commit: &str) -> &str {
    commit.get(..12).unwrap_or(commit)
}
