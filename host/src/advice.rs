//! What a person can do about a run: the commands to type, in order.

use serde::Serialize;

use crate::context::Context;
use crate::exec::Outcome;
use crate::git::{Git, Mirror};
use crate::record::{File, Kind, Record, Store};
use crate::repo_url::RepoUrl;

/// Something to type, and what for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Advice {
    pub what: &'static str,
    pub command: String,
}

/// What the plan says of the run, as far as there is one.
#[derive(Debug, Default)]
struct Planned {
    base_branch: Option<String>,
    starts_at: Option<String>,
    branch: Option<String>,
}

impl Planned {
    fn read(record: &Record, store: &Store) -> Self {
        let text = store.read(&record.id, File::Plan).ok().flatten();
        let plan: serde_json::Value = text
            .and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or_default();
        let word = |pointer: &str| plan.pointer(pointer)?.as_str().map(str::to_owned);
        Self {
            base_branch: word("/base/branch"),
            starts_at: word("/branch/starts_at"),
            branch: word("/branch/name").or_else(|| record.branch.clone()),
        }
    }
}

/// The commands to look at, publish or discard what a run left, and to go on after a failure. Reads
/// the record and the mirror; asks nobody.
pub fn of(record: &Record, store: &Store, context: &Context) -> Vec<Advice> {
    let mut advice = Vec::new();
    let mut add = |what, command: String| advice.push(Advice { what, command });
    let Some(outcome) = &record.outcome else {
        add(
            "follow it",
            format!("changeling logs --follow {}", record.id),
        );
        return advice;
    };
    if let Some(next) = next_of(outcome) {
        add("first", next);
    }
    if outcome.error_kind().is_some() {
        add("what was said", format!("changeling logs {}", record.id));
    }
    if store.has_unpublished_work(record) {
        let planned = Planned::read(record, store);
        for (what, command) in commits(record, store, &planned, context) {
            add(what, command);
        }
        if let Some(path) = store.path_of(&record.id, File::Uncommitted) {
            let path = context.typed(&path);
            add("look at the rest", format!("less {path}"));
            add(
                "take the rest",
                format!("git apply --3way {path}   # in a clone of yours"),
            );
        }
    }
    if record.needs_person() || store.has_unpublished_work(record) {
        add(
            "when it is dealt with",
            format!("changeling runs settle {}", record.id),
        );
    }
    if outcome.error_kind().is_some() && record.kind == Kind::Run {
        add(
            "run it again",
            format!("changeling run {} --local", record.changeling),
        );
    }
    advice
}

/// What the step that needs a person says to type.
fn next_of(outcome: &Outcome) -> Option<String> {
    let value = serde_json::to_value(outcome).ok()?;
    value.get("next")?.as_str().map(str::to_owned)
}

/// To look at and publish commits that nobody published.
fn commits(
    record: &Record,
    store: &Store,
    planned: &Planned,
    context: &Context,
) -> Vec<(&'static str, String)> {
    let Some(patch) = store.path_of(&record.id, File::Patch) else {
        return Vec::new();
    };
    let patch = context.typed(&patch);
    let repo: Option<RepoUrl> = record.repo.clone().try_into().ok();
    let branch = planned.branch.as_deref();
    let kept = repo.as_ref().zip(branch).and_then(|(repo, branch)| {
        let git = Git::new(&context.env);
        Mirror::kept(&git, &context.home, repo, &record.id, branch)
    });
    let mut commands = Vec::new();
    match (kept, &planned.starts_at, branch) {
        (Some((git_dir, name)), Some(starts_at), Some(branch)) => {
            let mirror = context.typed(&git_dir);
            let range = shell_words::quote(&format!("{}..{name}", short(starts_at))).into_owned();
            let push = shell_words::quote(&format!("{name}:refs/heads/{branch}")).into_owned();
            let url = shell_words::quote(&record.repo).into_owned();
            commands.push((
                "look at it",
                format!("git -C {mirror} log --patch --reverse {range}"),
            ));
            commands.push(("publish it", format!("git -C {mirror} push {url} {push}")));
        }
        (_, Some(starts_at), Some(branch)) => {
            let branch = shell_words::quote(branch);
            commands.push(("look at it", format!("less {patch}")));
            commands.push((
                "take it",
                format!(
                    "git switch -c {branch} {} && git apply --index {patch}   # in a clone of yours",
                    short(starts_at)
                ),
            ));
        }
        _ => commands.push(("look at it", format!("less {patch}"))),
    }
    if let (Some((owner, name)), Some(base), Some(branch)) = (
        repo.as_ref().and_then(RepoUrl::github),
        &planned.base_branch,
        branch,
    ) {
        let url = format!("https://github.com/{owner}/{name}/compare/{base}...{branch}?expand=1");
        commands.push(("then propose it", url));
    }
    commands
}

/// Enough of a commit's name.
fn short(commit: &str) -> &str {
    commit.get(..12).unwrap_or(commit)
}
