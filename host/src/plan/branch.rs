//! Which branch a run works on, and where that branch starts.

use super::{Facts, PullRequestFact, WorkBranch};
use crate::config::OnOpenPr;
use crate::names::printable;

/// How many branches of one name and day are tried.
const MAX_ATTEMPTS: u32 = 200;

/// Longest branch name that is accepted, in bytes: refs are files, and servers have limits.
const MAX_BRANCH: usize = 200;

/// Why there is no branch to work on.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum BranchError {
    #[error("`{0}` is no valid branch name: {1}")]
    Invalid(String, &'static str),
    #[error("`work_branch` is the base branch `{0}`; a run never commits to its base")]
    IsBase(String),
    #[error(
        "`work_branch` `{name}` belongs to #{number}, to which people have committed; it is left alone"
    )]
    People { name: String, number: u64 },
    #[error("{MAX_ATTEMPTS} branches named `{0}` exist already")]
    Exhausted(String),
}

/// What decides the branch beside the facts.
#[derive(Debug, Clone, Copy)]
pub struct Wish<'a> {
    /// The brief's slug.
    pub slug: &'a str,
    /// The user's own branch.
    pub work_branch: Option<&'a str>,
    pub on_open_pr: OnOpenPr,
    /// The run is meant to end in a pull request; others leave open ones alone.
    pub pull_request: bool,
}

/// The open pull request a run of this changeling would add to, before anything is composed.
///
/// Only branches that can be this program's own count: the hidden marker of a pull request is text
/// that anybody can write, and a stranger's must not lead a run to push to `main`.
pub fn open_pull_request<'a>(
    facts: &'a Facts,
    work_branch: Option<&str>,
    on_open_pr: OnOpenPr,
) -> Option<&'a PullRequestFact> {
    if on_open_pr != OnOpenPr::Update {
        return None;
    }
    facts.pull_requests.iter().find(|pr| {
        pr.state == "open"
            && !pr.touched_by_people
            && match work_branch {
                Some(wanted) => pr.branch == wanted,
                None => is_ours(&pr.branch),
            }
            && pr.branch != facts.base_branch
            && facts.remote_branches.contains_key(&pr.branch)
    })
}

/// Chooses the branch: the open pull request's, else a new one that nobody has.
pub fn choose(wish: &Wish, facts: &Facts) -> Result<WorkBranch, BranchError> {
    if let Some(name) = wish.work_branch {
        check_ref(name)?;
        if name == facts.base_branch {
            return Err(BranchError::IsBase(name.to_owned()));
        }
    }
    if wish.pull_request
        && let Some(pr) = open_pull_request(facts, wish.work_branch, wish.on_open_pr)
    {
        return Ok(WorkBranch {
            name: pr.branch.clone(),
            reason: format!(
                "#{} of this changeling is open: it is updated, not stacked on",
                pr.number
            ),
            starts_at: facts.remote_branches[&pr.branch].clone(),
            updates: Some(pr.number),
        });
    }
    match wish.work_branch {
        Some(name) => chosen_by_user(name, wish, facts),
        None => fresh(
            &new_name(wish.slug, facts)?,
            "a new branch for today's run",
            facts,
        ),
    }
}

fn chosen_by_user(name: &str, wish: &Wish, facts: &Facts) -> Result<WorkBranch, BranchError> {
    let earlier = facts.pull_requests.iter().find(|pr| pr.branch == name);
    match (facts.remote_branches.get(name), earlier) {
        (Some(_), Some(pr))
            if pr.state == "open"
                && pr.touched_by_people
                && wish.on_open_pr == OnOpenPr::Update =>
        {
            Err(BranchError::People {
                name: name.to_owned(),
                number: pr.number,
            })
        }
        // Its pull request is over (or must not be added to): a new one needs a branch of its own.
        (Some(_), Some(_)) => fresh(
            name,
            "`work_branch` was used by an earlier pull request",
            facts,
        ),
        (Some(head), None) => Ok(WorkBranch {
            name: name.to_owned(),
            reason: "`work_branch` says so; it exists, so the run continues it".into(),
            starts_at: head.clone(),
            updates: None,
        }),
        (None, _) => fresh(name, "`work_branch` says so", facts),
    }
}

fn new_name(slug: &str, facts: &Facts) -> Result<String, BranchError> {
    // A branch `changelings` makes `changelings/…` impossible: refs are files and folders.
    let separator = if taken("changelings", facts) {
        '-'
    } else {
        '/'
    };
    let name = format!("changelings{separator}{slug}-{}", facts.date);
    check_ref(&name)?;
    Ok(name)
}

/// The name itself, or the first of `-2`, `-3`, ... that is free.
fn fresh(name: &str, reason: &str, facts: &Facts) -> Result<WorkBranch, BranchError> {
    let free = |candidate: &String| !taken(candidate, facts) && !blocked(candidate, facts);
    let made = |name: String, reason: String| WorkBranch {
        name,
        reason,
        starts_at: facts.base_commit.clone(),
        updates: None,
    };
    if free(&name.to_owned()) {
        return Ok(made(name.to_owned(), reason.to_owned()));
    }
    (2..MAX_ATTEMPTS)
        .map(|n| format!("{name}-{n}"))
        .find(free)
        .map(|next| made(next, format!("{reason}; `{name}` is taken")))
        .ok_or_else(|| BranchError::Exhausted(name.to_owned()))
}

/// Exists, on file systems that ignore case too, or had a pull request once.
fn taken(name: &str, facts: &Facts) -> bool {
    facts
        .remote_branches
        .keys()
        .any(|branch| branch.eq_ignore_ascii_case(name))
        || facts.base_branch.eq_ignore_ascii_case(name)
        || facts
            .pull_requests
            .iter()
            .any(|pr| pr.branch.eq_ignore_ascii_case(name))
}

/// Another branch is a folder where this one would be a file, or the reverse.
fn blocked(name: &str, facts: &Facts) -> bool {
    let below = |inner: &str, outer: &str| {
        inner.len() > outer.len()
            && inner.as_bytes()[outer.len()] == b'/'
            && inner.as_bytes()[..outer.len()].eq_ignore_ascii_case(outer.as_bytes())
    };
    facts
        .remote_branches
        .keys()
        .any(|branch| below(branch, name) || below(name, branch))
}

/// Can only have been made by this program (as far as a name can tell).
fn is_ours(branch: &str) -> bool {
    branch.starts_with("changelings/") || branch.starts_with("changelings-")
}

/// The rules of `git check-ref-format --branch`, and a bound.
pub fn check_ref(name: &str) -> Result<(), BranchError> {
    let invalid = |why| Err(BranchError::Invalid(printable(name), why));
    if name.is_empty() {
        return invalid("it is empty");
    }
    if name.len() > MAX_BRANCH {
        let head: String = name.chars().take(40).collect();
        return Err(BranchError::Invalid(
            printable(&head) + "…",
            "it is longer than 200 bytes",
        ));
    }
    if name.starts_with('-') {
        return invalid("it starts with a hyphen");
    }
    if name == "@" || name == "HEAD" || name.contains("@{") {
        return invalid("git reads it as something else");
    }
    if name.contains("..") {
        return invalid("it contains two dots");
    }
    if name.ends_with('.') {
        return invalid("it ends with a dot");
    }
    if name
        .chars()
        .any(|c| c.is_control() || crate::names::is_invisible(c))
    {
        return invalid("it contains control or invisible characters");
    }
    if name.contains([' ', '~', '^', ':', '?', '*', '[', '\\']) {
        return invalid("it contains a space or one of ~ ^ : ? * [ \\");
    }
    for part in name.split('/') {
        if part.is_empty() {
            return invalid("it has an empty part between slashes");
        }
        if part.starts_with('.') {
            return invalid("a part of it starts with a dot");
        }
        if part.to_ascii_lowercase().ends_with(".lock") {
            return invalid("a part of it ends with .lock");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::plan::fixture::{facts, pull_request};

    fn wish(work_branch: Option<&str>, on_open_pr: OnOpenPr) -> Wish<'_> {
        Wish {
            slug: "fixme-fairy",
            work_branch,
            on_open_pr,
            pull_request: true,
        }
    }

    fn name(wish: &Wish, facts: &Facts) -> String {
        choose(wish, facts).map_or_else(|error| format!("error: {error}"), |branch| branch.name)
    }

    const TODAY: &str = "changelings/fixme-fairy-2026-11-22";

    #[test]
    fn a_new_branch_is_one_that_nobody_has() {
        let mut facts = facts();
        let wish = wish(None, OnOpenPr::Update);
        assert_eq!(name(&wish, &facts), TODAY);
        facts.remote_branches.insert(TODAY.into(), "2".repeat(40));
        assert_eq!(name(&wish, &facts), format!("{TODAY}-2"));
        // Another case of the same name, a folder of that name, an old pull request: all taken.
        facts
            .remote_branches
            .insert(format!("{TODAY}-2").to_uppercase(), "2".repeat(40));
        facts
            .remote_branches
            .insert(format!("{TODAY}-3/x"), "2".repeat(40));
        pull_request(&mut facts, 7, "merged", &format!("{TODAY}-4"));
        facts.remote_branches.remove(&format!("{TODAY}-4"));
        assert_eq!(name(&wish, &facts), format!("{TODAY}-5"));
        assert_eq!(choose(&wish, &facts).unwrap().starts_at, facts.base_commit);
        for n in 2..300 {
            facts
                .remote_branches
                .insert(format!("{TODAY}-{n}"), "2".repeat(40));
        }
        assert!(name(&wish, &facts).starts_with("error: 200 branches"));
    }

    #[test]
    fn a_branch_in_the_way_of_the_folder() {
        let mut facts = facts();
        facts
            .remote_branches
            .insert("changelings".into(), "2".repeat(40));
        let expected = "changelings-fixme-fairy-2026-11-22";
        assert_eq!(name(&wish(None, OnOpenPr::Update), &facts), expected);
    }

    #[test]
    fn an_open_pull_request_is_updated_from_its_head() {
        let mut facts = facts();
        pull_request(&mut facts, 7, "open", "changelings/fixme-fairy-2026-11-20");
        let branch = choose(&wish(None, OnOpenPr::Update), &facts).unwrap();
        assert_eq!(branch.name, "changelings/fixme-fairy-2026-11-20");
        assert_eq!(
            (branch.updates, branch.starts_at),
            (Some(7), format!("{:040}", 7))
        );
        assert_eq!(name(&wish(None, OnOpenPr::New), &facts), TODAY);
        let record = Wish {
            pull_request: false,
            ..wish(None, OnOpenPr::Update)
        };
        assert_eq!(name(&record, &facts), TODAY);
    }

    #[test]
    fn some_open_pull_requests_are_left_alone() {
        for spoil in [
            |facts: &mut Facts| facts.pull_requests[0].touched_by_people = true,
            |facts: &mut Facts| facts.pull_requests[0].state = "closed".into(),
            // Gone from the remote.
            |facts: &mut Facts| {
                facts.remote_branches.remove("changelings/old");
            },
            // A marker somebody else wrote must not lead to a push there.
            |facts: &mut Facts| facts.pull_requests[0].branch = "main".into(),
            |facts: &mut Facts| facts.pull_requests[0].branch = "release".into(),
        ] {
            let mut facts = facts();
            facts
                .remote_branches
                .insert("release".into(), "3".repeat(40));
            pull_request(&mut facts, 7, "open", "changelings/old");
            spoil(&mut facts);
            assert_eq!(name(&wish(None, OnOpenPr::Update), &facts), TODAY);
        }
    }

    #[test]
    fn the_users_own_branch() {
        let mut facts = facts();
        let wish = wish(Some("bot/fixes"), OnOpenPr::Update);
        assert_eq!(name(&wish, &facts), "bot/fixes");
        facts
            .remote_branches
            .insert("bot/fixes".into(), "5".repeat(40));
        assert_eq!(choose(&wish, &facts).unwrap().starts_at, "5".repeat(40));
        pull_request(&mut facts, 8, "open", "bot/fixes");
        assert_eq!(choose(&wish, &facts).unwrap().updates, Some(8));
        facts.pull_requests[0].touched_by_people = true;
        assert_eq!(
            name(&wish, &facts),
            "error: `work_branch` `bot/fixes` belongs to #8, to which people have committed; it is left alone"
        );
        facts.pull_requests[0].state = "merged".into();
        assert_eq!(name(&wish, &facts), "bot/fixes-2");
        for bad in [
            "main", "a..b", "-x", "a b", "x.lock", "a//b", "/a", "a/", ".a", "a\u{1b}", "@",
            "a@{1}", "",
        ] {
            let wish = Wish {
                work_branch: Some(bad),
                ..wish
            };
            assert!(name(&wish, &facts).starts_with("error: "), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn names_follow_gits_rules(name in "[-a-c./@{~^: \\\\A-C]{0,12}(\\.lock)?") {
            let git = crate::process::Command::new("/usr/bin/env").args(["git", "check-ref-format"]).arg(format!("refs/heads/{name}"));
            let allowed = git.env("PATH", "/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin").run().unwrap().success();
            if check_ref(&name).is_ok() {
                prop_assert!(allowed, "{name}");
            } else {
                // Stricter than git only where a name would be read as something else.
                prop_assert!(!allowed || name.starts_with('-') || name == "@" || name.to_ascii_lowercase().contains(".lock"), "{name}");
            }
        }

        #[test]
        fn a_chosen_branch_is_new_or_ours(
            taken in proptest::collection::btree_set("(changelings/)?[ab](-2026-11-22)?(-2)?(/x)?", 0..8),
            pulls in proptest::collection::vec(("(open|closed|merged)", "(changelings/)?[ab](-2026-11-22)?", any::<bool>()), 0..4),
            slug in "[ab]",
            policy in prop_oneof![Just(OnOpenPr::Update), Just(OnOpenPr::New)],
        ) {
            let mut facts = facts();
            for branch in taken {
                facts.remote_branches.insert(branch, "9".repeat(40));
            }
            for (n, (state, branch, people)) in pulls.into_iter().enumerate() {
                pull_request(&mut facts, n as u64, &state, &branch);
                facts.pull_requests[n].touched_by_people = people;
            }
            let wish = Wish { slug: &slug, work_branch: None, on_open_pr: policy, pull_request: true };
            let chosen = choose(&wish, &facts).unwrap();
            prop_assert!(check_ref(&chosen.name).is_ok());
            prop_assert!(chosen.name != "main" && is_ours(&chosen.name));
            if let Some(number) = chosen.updates {
                let pr = &facts.pull_requests[usize::try_from(number).unwrap()];
                prop_assert!(pr.state == "open" && !pr.touched_by_people && pr.branch == chosen.name);
                prop_assert_eq!(&chosen.starts_at, &facts.remote_branches[&pr.branch]);
            } else {
                prop_assert!(!facts.remote_branches.contains_key(&chosen.name));
                prop_assert_eq!(&chosen.starts_at, &facts.base_commit);
            }
        }
    }
}
