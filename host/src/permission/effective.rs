//! Which permissions are in force for a run, and why the others are not.

use std::collections::BTreeSet;

use super::Permission;
use crate::brief::Brief;
use crate::job::Job;

/// Who said what about a template: all that decides beside what it asks for.
#[derive(Debug, Clone, Copy)]
pub struct Rights<'a> {
    /// The changeling's own list.
    pub own: Option<&'a [Permission]>,
    /// What the template's digest was granted (for a built-in: what its manifest lists).
    pub granted: &'a [Permission],
    pub built_in: bool,
}

impl<'a> From<&'a Job> for Rights<'a> {
    fn from(job: &'a Job) -> Self {
        Self {
            own: job.permissions.as_deref(),
            granted: &job.granted,
            built_in: job.template.built_in,
        }
    }
}

impl Rights<'_> {
    /// A template runs (and is deployed) when it is built in or this digest was granted `agent`.
    pub fn may_run(self) -> bool {
        self.built_in || self.granted.contains(&Permission::Agent)
    }

    /// What is in force of what is `asked` for.
    pub fn in_force(self, asked: &[Permission]) -> BTreeSet<Permission> {
        let granted = with_implied(self.granted);
        let mut set = match self.own {
            // The user's list speaks for code he trusts; for a digest without `agent` it cannot add to
            // what that digest was granted, or a changed file would inherit the old one's rights.
            Some(own) if self.may_run() => with_implied(own),
            Some(own) => &with_implied(own) & &granted,
            None => &with_implied(asked) & &granted,
        };
        if asked.contains(&Permission::RepoRead) {
            set.insert(Permission::RepoRead);
        }
        // It is about the template, not about a run.
        set.remove(&Permission::Agent);
        set
    }
}

/// What a template may use while it composes: its imports look here.
///
/// `asked` is the manifest's list. `repo:read` needs no grant: whoever named the repository for this
/// template meant it to be read, and the template has no way to carry what it read out.
pub fn for_compose(job: &Job, asked: &[Permission]) -> Vec<Permission> {
    Rights::from(job).in_force(asked).into_iter().collect()
}

/// The permissions of one run and a note for each asked-for one that is not in force.
pub fn effective(job: &Job, brief: &Brief) -> (Vec<Permission>, Vec<String>) {
    let mut notes = Vec::new();
    let mut set = Rights::from(job).in_force(&brief.permissions);
    if job.permissions.is_none()
        && set.contains(&Permission::GithubRead)
        && set.remove(&Permission::Github)
    {
        // Strangers' text in the prompt and a token in the agent's hands: only when the user says so.
        set.insert(Permission::Publish);
        notes.push(
            "github is left out beside github:read (strangers' text and a token do not go together); \
             the host publishes instead. `permissions` can say otherwise."
                .to_owned(),
        );
    }
    notes.extend(missing(job, brief, &set));
    if !may_run(job) {
        notes.push(format!(
            "this template ({}) may plan and rehearse; to run or be deployed it needs the grant `agent`: \
             changeling permission grant {} agent",
            job.template.digest.short(),
            reference(job),
        ));
    }
    (set.into_iter().collect(), notes)
}

/// A template runs (and is deployed) when it is built in or this exact digest was granted `agent`.
pub fn may_run(job: &Job) -> bool {
    Rights::from(job).may_run()
}

fn with_implied(permissions: &[Permission]) -> BTreeSet<Permission> {
    let mut set: BTreeSet<_> = permissions.iter().cloned().collect();
    if set.contains(&Permission::Github) {
        set.insert(Permission::Publish);
    }
    set
}

fn missing(job: &Job, brief: &Brief, set: &BTreeSet<Permission>) -> Vec<String> {
    brief
        .permissions
        .iter()
        .filter(|asked| **asked != Permission::Agent && !set.contains(asked))
        .filter(|asked| !(**asked == Permission::Github && set.contains(&Permission::Publish)))
        .map(|asked| {
            if job.permissions.is_some() && (may_run(job) || job.granted.contains(asked)) {
                format!(
                    "{asked} is asked for by the template and not among the `permissions` of this \
                     changeling: {}",
                    without(asked)
                )
            } else {
                format!(
                    "{asked} is not granted: {}. To grant it: changeling permission grant {} {asked}",
                    without(asked),
                    reference(job),
                )
            }
        })
        .collect()
}

/// What happens without it.
fn without(permission: &Permission) -> String {
    match permission {
        Permission::Agent => "the template may only plan and rehearse".into(),
        Permission::Github => "the agent gets no GITHUB_TOKEN".into(),
        Permission::GithubRead => "the template cannot read issues and pull requests".into(),
        Permission::Publish => "nothing is pushed, the commits stay in the run's record".into(),
        Permission::RepoRead => "the template cannot read the repository".into(),
        Permission::Env(name) => format!("the agent does not get {name}"),
        Permission::MngrArg(flag) => format!("mngr does not get --{flag}"),
    }
}

/// What to type for this template where a command wants one.
fn reference(job: &Job) -> String {
    if job.template.built_in {
        job.template.name.to_string()
    } else {
        format!("PATH/{}.wasm", job.template.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::fixture;

    fn parsed(words: &str) -> Vec<Permission> {
        words
            .split_whitespace()
            .map(|word| word.parse().unwrap())
            .collect()
    }

    /// Own list (`-`: not set), granted, asked → in force.
    fn check(built_in: bool, own: &str, granted: &str, asked: &str, expected: &str) -> Vec<String> {
        let mut job = fixture::job();
        job.template.built_in = built_in;
        job.permissions = (own != "-").then(|| parsed(own));
        job.granted = parsed(granted);
        let mut brief = fixture::brief();
        brief.permissions = parsed(asked);
        let (set, notes) = effective(&job, &brief);
        let shown: Vec<_> = set.iter().map(ToString::to_string).collect();
        assert_eq!(
            shown.join(" "),
            expected,
            "own {own}, granted {granted}, asked {asked}"
        );
        notes
    }

    #[test]
    fn what_is_in_force() {
        let all = "repo:read github:read publish";
        assert_eq!(
            check(true, "-", all, "repo:read publish", "publish repo:read"),
            [""; 0]
        );
        // The user's own list replaces what is asked for; reading the repository stays.
        check(
            true,
            "publish env:X",
            all,
            "repo:read",
            "publish repo:read env:X",
        );
        check(true, "", all, "repo:read publish", "repo:read");
        check(true, "github", all, "repo:read", "github publish repo:read");
        // A third party gets what its digest was granted, and `repo:read`.
        check(false, "-", "", "repo:read github:read publish", "repo:read");
        check(
            false,
            "-",
            "agent publish",
            "repo:read publish env:X",
            "publish repo:read",
        );
        // The own list adds nothing to an untrusted digest, and everything to a trusted one.
        check(
            false,
            "publish github:read",
            "github:read",
            "repo:read",
            "github:read repo:read",
        );
        check(
            false,
            "publish env:X",
            "agent",
            "repo:read",
            "publish repo:read env:X",
        );
        // A granted `github` covers an asked-for `publish`.
        check(false, "-", "agent github", "publish", "publish");
        // `agent` in a configuration is no grant.
        check(false, "agent publish", "", "repo:read", "repo:read");
    }

    #[test]
    fn strangers_text_and_a_token_do_not_go_together() {
        let notes = check(
            true,
            "-",
            "github github:read",
            "github github:read",
            "github:read publish",
        );
        assert_eq!(notes.len(), 1, "{notes:?}");
        check(
            true,
            "github github:read",
            "",
            "",
            "github github:read publish",
        );
    }

    #[test]
    fn notes_say_what_to_do() {
        let notes = check(false, "-", "", "repo:read github:read", "repo:read");
        insta::assert_snapshot!(notes.join("\n"));
    }
}
