//! What an agent that holds a token did to the remote itself. The remote says; not the agent.

use std::collections::{BTreeMap, BTreeSet};

use super::reach::Reach;
use super::run::Run;
use super::work::{Equipment, Work};
use crate::error::Result;
use crate::git::{Listing, Mirror, checked};
use crate::names::printable;
use crate::plan::Plan;
use crate::workspace::Collected;

/// Takes commits that are on the remote's run branch and not in the workspace for the run's work, and
/// notes what else was moved.
pub(super) fn adopt(
    run: &Run,
    plan: &Plan,
    with: &Equipment,
    reach: Reach,
    work: &mut Work,
) -> Result<()> {
    let branch = plan.branch.name.as_str();
    let (git, remote) = (reach.git()?, reach.remote());
    let listing = git.list_remote(&remote)?;
    let was = with.mirror.branch_commits();
    if listing.branches() == *was {
        return Ok(());
    }
    let now = Mirror::update(&git, &run.context.home, &remote)?;
    if let Some(held) = now.branch_commits().get(branch)
        && was.get(branch) != Some(held)
    {
        work.pushed = Some(held.clone());
        adopt_branch(plan, with, &now, held, work)?;
    }
    let moved = moved(&listing, branch, &work.collected, was);
    let merged = merged(with, &now, plan, &work.collected)?;
    let moved: BTreeSet<String> = moved.into_iter().chain(merged).collect();
    for name in moved {
        let problem = format!("the agent itself moved {name} of the remote");
        work.collected.problems.push(problem);
    }
    Ok(())
}

fn adopt_branch(
    plan: &Plan,
    with: &Equipment,
    now: &Mirror,
    held: &str,
    work: &mut Work,
) -> Result<()> {
    let is_before = |a: &str, b: &str| {
        let call = with.git.in_dir(&now.git_dir);
        checked(
            "merge-base",
            &call.args(["merge-base", "--is-ancestor", a, b]),
        )
        .is_ok()
    };
    let tip = work.collected.tip.as_deref();
    if tip.is_some_and(|tip| is_before(held, tip)) {
        // What is not there yet is pushed by us.
        return Ok(());
    }
    if tip.is_some_and(|tip| !is_before(tip, held)) || !is_before(&plan.branch.starts_at, held) {
        work.collected.problems.push(format!(
            "the remote's {} is at {}, which is not what the workspace holds",
            plan.branch.name,
            &held[..12.min(held.len())]
        ));
        return Ok(());
    }
    let name = format!("refs/runs/{}/heads/{}", plan.run_id, plan.branch.name);
    let _lock = now.lock()?;
    let keep = with.git.in_dir(&now.git_dir);
    checked("update-ref", &keep.args(["update-ref", &name, held]))?;
    let before = std::mem::take(&mut work.collected);
    let made = Collected::between(with.git, &now.git_dir, &plan.branch.starts_at, held)?;
    work.collected = Collected {
        uncommitted: before.uncommitted,
        other_refs: before.other_refs,
        problems: before.problems.into_iter().chain(made.problems).collect(),
        ..made
    };
    Ok(())
}

/// Branches and tags beside the run's own that are at a commit of the run. Not those at a commit that
/// a branch was at before: the agent may have merged it.
pub(super) fn moved(
    listing: &Listing,
    branch: &str,
    collected: &Collected,
    was: &BTreeMap<String, String>,
) -> Vec<String> {
    let before: BTreeSet<&str> = was.values().map(String::as_str).collect();
    let made: BTreeSet<&str> = collected
        .commits
        .iter()
        .map(|commit| commit.id.as_str())
        .filter(|commit| !before.contains(commit))
        .collect();
    let own = format!("refs/heads/{branch}");
    listing
        .refs
        .iter()
        .filter(|(name, commit)| {
            // `refs/pull/7/head` and the like are the server's own.
            **name != own
                && (name.starts_with("refs/heads/") || name.starts_with("refs/tags/"))
                && made.contains(commit.as_str())
        })
        .map(|(name, _)| printable(name))
        .collect()
}

/// Branches into which a commit of the run was merged.
fn merged(
    with: &Equipment,
    now: &Mirror,
    plan: &Plan,
    collected: &Collected,
) -> Result<Vec<String>> {
    let Some(first) = collected.commits.first() else {
        return Ok(Vec::new());
    };
    let call = with.git.in_dir(&now.git_dir).args([
        "for-each-ref",
        "--format=%(refname)",
        "--contains",
        &first.id,
        "refs/remotes/origin/",
    ]);
    let found = checked("for-each-ref", &call)?.text();
    let (was, is) = (with.mirror.branch_commits(), now.branch_commits());
    Ok(found
        .lines()
        .filter_map(|name| name.strip_prefix("refs/remotes/origin/"))
        .filter(|name| *name != plan.branch.name && was.get(*name) != is.get(*name))
        .map(|name| format!("refs/heads/{}", printable(name)))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::patch::Commit;

    #[test]
    fn a_branch_that_was_there_before_was_not_moved() {
        let (merged, made) = ("1".repeat(40), "2".repeat(40));
        let commit = |id: &String| Commit {
            id: id.clone(),
            people: String::new(),
            message: String::new(),
        };
        let collected = Collected {
            commits: vec![commit(&merged), commit(&made)],
            ..Collected::default()
        };
        let was = BTreeMap::from([("feature".to_owned(), merged.clone())]);
        let mut listing = Listing::default();
        let mut put = |name: &str, id: &String| listing.refs.insert(name.to_owned(), id.clone());
        put("refs/heads/feature", &merged);
        put("refs/heads/night", &made);
        put("refs/pull/7/head", &made);
        put("refs/heads/stable", &made);
        assert_eq!(
            moved(&listing, "night", &collected, &was),
            ["refs/heads/stable"]
        );
    }
}
