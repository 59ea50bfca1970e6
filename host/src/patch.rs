//! What an agent's commits may contain before the host publishes them. Pure: git's answers come in.
//!
//! Every commit is looked at, not only the end result: what one commit adds and the next removes is
//! pushed all the same.

mod protected;

use std::collections::BTreeSet;
use std::fmt;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use serde::{Deserialize, Serialize};

use crate::names::printable;
use crate::redact::Redactor;

pub use protected::Protected;

/// Most files a run may touch.
pub const MAX_FILES: usize = 100;
/// Most bytes all its commits' diffs may have together.
pub const MAX_BYTES: u64 = 4 * 1024 * 1024;

/// One path that one commit of the run adds, changes, renames or removes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// As git has it: bytes, `/` between the parts. For a deletion, what was there.
    pub path: Vec<u8>,
    /// Where it was before, when it was renamed.
    pub old_path: Option<Vec<u8>>,
    pub now: Entry,
}

/// What is at a path after a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// Nothing.
    Gone,
    File,
    /// A symbolic link and what it says.
    Link(Vec<u8>),
    Submodule,
}

/// What a run would publish.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Patch<'a> {
    /// Of every commit.
    pub changes: &'a [Change],
    /// Size of the end result's patch.
    pub bytes: u64,
    pub commits: &'a [Commit],
    /// The commits one after the other: a line with the id, whatever else, and the diff against the
    /// first parent, made with `--text`, so that binary files show their bytes.
    pub texts: &'a [u8],
}

/// One commit of the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    pub id: String,
    /// Names and addresses of author and committer.
    pub people: String,
    pub message: String,
}

/// Why a patch is not published. Every text is safe to print.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "violation")]
pub enum Violation {
    TooManyFiles {
        count: usize,
    },
    TooLarge {
        bytes: u64,
    },
    /// `name` is the secret's, never its value.
    Secret {
        name: String,
        commit: String,
        place: Place,
    },
    Protected {
        path: String,
        what: Protected,
    },
    Submodule {
        path: String,
    },
    /// A link that leaves the tree, or could.
    Link {
        path: String,
        target: String,
    },
    /// A path that some file system takes for `.git`.
    GitFolder {
        path: String,
    },
}

/// Where in a commit a secret was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    Content,
    Message,
    People,
}

/// Everything that forbids publishing; empty when nothing does. Violations of paths come sorted, each
/// path once. A glob in `allow_paths` that cannot be read allows nothing.
pub fn check(patch: &Patch, secrets: &Redactor, allow_paths: &[String]) -> Vec<Violation> {
    let mut violations = limits(patch);
    violations.extend(leaks(patch, secrets));
    let allowed = globs(allow_paths);
    let mut seen = BTreeSet::new();
    let judged = patch
        .changes
        .iter()
        .flat_map(|change| judge(change, &allowed));
    let mut paths: Vec<_> = judged.collect();
    paths.sort_by_key(ToString::to_string);
    violations.extend(
        paths
            .into_iter()
            .filter(|violation| seen.insert(violation.to_string())),
    );
    violations
}

fn limits(patch: &Patch) -> Vec<Violation> {
    let mut violations = Vec::new();
    let paths = |change: &'_ Change| [Some(change.path.clone()), change.old_path.clone()];
    let touched: BTreeSet<_> = patch.changes.iter().flat_map(paths).flatten().collect();
    if touched.len() > MAX_FILES {
        violations.push(Violation::TooManyFiles {
            count: touched.len(),
        });
    }
    let bytes = patch.bytes.max(patch.texts.len() as u64);
    if bytes > MAX_BYTES {
        violations.push(Violation::TooLarge { bytes });
    }
    violations
}

/// At most one for each commit and place.
fn leaks(patch: &Patch, secrets: &Redactor) -> Vec<Violation> {
    let mut found = Vec::new();
    for commit in patch.commits {
        for (place, text) in [
            (Place::Message, &commit.message),
            (Place::People, &commit.people),
        ] {
            found.extend(leak(secrets, text.as_bytes(), &commit.id, place));
        }
    }
    for (id, added) in added(patch) {
        found.extend(leak(secrets, &added, id, Place::Content));
    }
    found
}

fn leak(secrets: &Redactor, text: &[u8], commit: &str, place: Place) -> Option<Violation> {
    let name = secrets.find(text)?.to_owned();
    let commit = commit.chars().take(12).collect();
    Some(Violation::Secret {
        name,
        commit,
        place,
    })
}

/// What each commit adds: headers of diffs (names of files) and `+` lines without the `+`. A commit
/// that takes a secret out is welcome.
fn added<'a>(patch: &Patch<'a>) -> Vec<(&'a str, Vec<u8>)> {
    let ids: BTreeSet<_> = patch
        .commits
        .iter()
        .map(|commit| commit.id.as_str())
        .collect();
    let mut commits = vec![("", Vec::new())];
    for line in patch.texts.split_inclusive(|byte| *byte == b'\n') {
        let id = str::from_utf8(line)
            .ok()
            .and_then(|line| ids.get(line.trim_end()));
        if let Some(id) = id {
            commits.push((id, Vec::new()));
        } else if let Some((_, text)) = commits.last_mut() {
            match line.first() {
                Some(b'-' | b' ') => {}
                Some(b'+') => text.extend_from_slice(&line[1..]),
                _ => text.extend_from_slice(line),
            }
        }
    }
    commits
}

fn judge(change: &Change, allowed: &GlobSet) -> Vec<Violation> {
    let mut found = Vec::new();
    for path in change.old_path.iter().chain([&change.path]) {
        if protected::is_git_folder(path) {
            found.push(Violation::GitFolder { path: shown(path) });
        } else if let Some(what) = protected::class(path)
            && !is_allowed(path, allowed)
        {
            found.push(Violation::Protected {
                path: shown(path),
                what,
            });
        }
    }
    match &change.now {
        Entry::Link(target)
            if protected::is_git_folder(target) || protected::leaves(&change.path, target) =>
        {
            found.push(Violation::Link {
                path: shown(&change.path),
                target: shown(target),
            });
        }
        Entry::Submodule => found.push(Violation::Submodule {
            path: shown(&change.path),
        }),
        _ => {}
    }
    if is_allowed(&change.path, allowed) {
        found.retain(|violation| {
            !matches!(
                violation,
                Violation::Link { .. } | Violation::Submodule { .. }
            )
        });
    }
    found
}

fn globs(patterns: &[String]) -> GlobSet {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        let pattern = pattern.strip_prefix('/').unwrap_or(pattern);
        if let Ok(glob) = GlobBuilder::new(pattern).literal_separator(true).build() {
            set.add(glob);
        }
    }
    set.build().unwrap_or_default()
}

/// By the exact name: what only looks like an allowed path is none.
fn is_allowed(path: &[u8], allowed: &GlobSet) -> bool {
    str::from_utf8(path).is_ok_and(|path| allowed.is_match(path))
}

fn shown(path: &[u8]) -> String {
    let text = String::from_utf8_lossy(path);
    let head: String = text.chars().take(200).collect();
    let cut = if head.len() < text.len() { "…" } else { "" };
    printable(&head) + cut
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooManyFiles { count } => {
                write!(f, "{count} files are touched; {MAX_FILES} are the limit")
            }
            Self::TooLarge { bytes } => {
                #[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
                let mib = *bytes as f64 / (1024.0 * 1024.0);
                write!(
                    f,
                    "the commits' diffs have {mib:.1} MiB; 4 MiB are the limit"
                )
            }
            Self::Secret {
                name,
                commit,
                place,
            } => {
                let place = match place {
                    Place::Content => "the content",
                    Place::Message => "the message",
                    Place::People => "author or committer",
                };
                write!(f, "{place} of commit {commit} contains the value of {name}")
            }
            Self::Protected { path, what } => write!(f, "{path} is touched ({what})"),
            Self::Submodule { path } => write!(f, "{path} is a submodule"),
            Self::Link { path, target } => {
                write!(f, "{path} is a link that leaves the repository: {target}")
            }
            Self::GitFolder { path } => write!(f, "{path} is read as `.git` by some file systems"),
        }
    }
}

impl Violation {
    /// What a person does about it.
    pub fn advice(&self) -> &'static str {
        match self {
            Self::TooManyFiles { .. } | Self::TooLarge { .. } => {
                "the patch is kept with the run: take over what is wanted by hand, or narrow the task"
            }
            Self::Secret { .. } => {
                "nothing was published; the secret was in an agent's hands, so renew it, and look for how it got into a commit"
            }
            Self::Protected { .. } | Self::Submodule { .. } | Self::Link { .. } => {
                "if the changeling may touch it, add its path to `allow_paths`; the patch is kept with the run"
            }
            Self::GitFolder { .. } => {
                "no honest commit contains this; read the patch before anything else"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn change(path: &str) -> Change {
        Change {
            path: path.into(),
            old_path: None,
            now: Entry::File,
        }
    }

    fn link(path: &str, target: &str) -> Change {
        Change {
            now: Entry::Link(target.into()),
            ..change(path)
        }
    }

    fn verdict(changes: &[Change], allow: &[&str]) -> String {
        let allow: Vec<_> = allow.iter().map(|glob| (*glob).to_owned()).collect();
        let patch = Patch {
            changes,
            ..Patch::default()
        };
        let found = check(&patch, &Redactor::default(), &allow);
        found
            .iter()
            .map(|violation| format!("{violation}\n"))
            .collect::<Vec<_>>()
            .concat()
    }

    #[test]
    fn ordinary_work_passes() {
        let paths = [
            "src/lib.rs",
            "README.md",
            "CLAUDE.md",
            "docs/AGENTS.md",
            ".github/ISSUE_TEMPLATE.md",
            ".github/dependabot.yml",
            "docs/codeowners.md",
            "a/claude/x",
            ".gitignore",
            ".gitattributes",
            "reports/x.md",
            "wörk/ünïcode.txt",
            "src/github/workflows/x.rs",
            ".claudeignore",
        ];
        let changes: Vec<_> = paths.iter().map(|path| change(path)).collect();
        assert_eq!(verdict(&changes, &[]), "");
        assert_eq!(
            verdict(
                &[
                    link("a/b", "../c"),
                    link("x", "y/z"),
                    link("a/b/c", "../../top")
                ],
                &[]
            ),
            ""
        );
    }

    #[test]
    fn what_is_held_back() {
        let renamed = Change {
            old_path: Some(b"CODEOWNERS".to_vec()),
            ..change("docs/owners.md")
        };
        let gone = Change {
            now: Entry::Gone,
            ..change(".github/CODEOWNERS")
        };
        let module = Change {
            now: Entry::Submodule,
            ..change("vendor/x")
        };
        let mut changes = vec![renamed, gone, module];
        changes.extend(
            [
                ".github/workflows/ci.yml",
                ".GitHub/Workflows/ci.yml",
                ".github/workflows",
                ".github",
                ".gith\u{200c}ub/workflows/a.yml",
                ".github./workflows /a.yml",
                "GITHUB~1/WORKFL~1/a.yml",
                ".github\\workflows\\a.yml",
                ".github/wor\u{212a}flow\u{17f}/a.yml",
                "docs/CODEOWNERS",
                "CodeOwners",
                ".claude/settings.json",
                "app/.claude/hooks/x.sh",
                ".mcp.json",
                ".mngr/settings.toml",
                ".cursor/mcp.json",
                ".codex/config.toml",
                ".gitmodules",
                ".vscode/mcp.json",
                ".changelings.toml",
                "x/.git/config",
                ".GIT/hooks/a",
                "git~1/config",
                ".git::$INDEX_ALLOCATION/config",
                "a\u{1b}[2J/.mcp.json",
            ]
            .iter()
            .map(|path| change(path)),
        );
        changes.extend([
            link("a", "/etc/passwd"),
            link("a/b", "../../etc"),
            link("l", "d/../../x"),
            link("m", ".git/config"),
            link("n", "..\\..\\x"),
            link("o", "C:\\x"),
            link("p", ""),
        ]);
        insta::assert_snapshot!(verdict(&changes, &[]));
    }

    #[test]
    fn allow_paths_name_exactly() {
        let ci = [change(".github/workflows/ci.yml")];
        assert_eq!(verdict(&ci, &[".github/workflows/*.yml"]), "");
        assert_eq!(verdict(&ci, &["/.github/**"]), "");
        assert_ne!(verdict(&ci, &[".github/*"]), "");
        assert_ne!(
            verdict(&[change(".GITHUB/workflows/ci.yml")], &[".github/**"]),
            ""
        );
        let renamed = Change {
            old_path: Some(b"CODEOWNERS".to_vec()),
            ..change("x")
        };
        assert_ne!(verdict(&[renamed], &["x"]), "");
        assert_eq!(verdict(&[link("a", "/etc")], &["a"]), "");
        assert_ne!(verdict(&[change(".git/config")], &["**"]), "");
        assert_ne!(verdict(&ci, &["[", "{"]), "");
    }

    #[test]
    fn limits_count_every_commit() {
        let changes: Vec<_> = (0..101).map(|n| change(&format!("f{n}"))).collect();
        assert_eq!(
            verdict(&changes, &[]),
            "101 files are touched; 100 are the limit\n"
        );
        let twice = [&changes[..100], &changes[..100]].concat();
        assert_eq!(verdict(&twice, &[]), "");
        let texts = vec![b'+'; 6 << 20];
        let patch = Patch {
            bytes: 10,
            texts: &texts,
            ..Patch::default()
        };
        let found = check(&patch, &Redactor::default(), &[]);
        assert_eq!(found, [Violation::TooLarge { bytes: 6 << 20 }]);
    }

    #[test]
    fn secrets_in_content_message_and_people() {
        let secrets = Redactor::new([("KEY", "abcdefgh12345678\nsecond-line-of-the-secret-value")]);
        let place = |people: &str, message: &str, diff: &str| {
            let id = "abcdef0123456789".to_owned();
            let texts = format!("other\n{id}\n{diff}");
            let commits = [Commit {
                id,
                people: people.into(),
                message: message.into(),
            }];
            let patch = Patch {
                commits: &commits,
                texts: texts.as_bytes(),
                ..Patch::default()
            };
            check(&patch, &secrets, &[])
                .first()
                .map(ToString::to_string)
        };
        let value = "abcdefgh12345678\nsecond-line-of-the-secret-value";
        let added = "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -0,0 +1,2 @@\n+abcdefgh12345678\n+second-line-of-the-secret-value\n";
        let whose = "of commit abcdef012345 contains the value of KEY";
        assert_eq!(place("", "", added), Some(format!("the content {whose}")));
        assert_eq!(
            place("", &format!("x\n- {value}"), ""),
            Some(format!("the message {whose}"))
        );
        assert_eq!(
            place("second-line-of-the-secret-value <a@b>", "", ""),
            Some("author or committer of commit abcdef012345 contains the value of KEY".into())
        );
        assert_eq!(place("", "", &added.replace("\n+", "\n-")), None);
    }

    proptest! {
        #[test]
        fn no_spelling_of_a_protected_path_passes(
            path in prop_oneof![
                Just(".github/workflows/a.yml"), Just("docs/CODEOWNERS"), Just(".claude/settings.json"), Just(".gitmodules"),
            ],
            upper in any::<u64>(),
            ignorable in proptest::option::of((0..20_usize, prop_oneof![Just('\u{200b}'), Just('\u{feff}'), Just('\u{ad}')])),
        ) {
            let mut spelled: String = path.chars().enumerate()
                .map(|(n, c)| if upper >> n & 1 == 1 { c.to_ascii_uppercase() } else { c })
                .collect();
            if let Some((at, c)) = ignorable {
                spelled.insert(at.min(spelled.len()), c);
            }
            prop_assert_ne!(verdict(&[change(&spelled)], &[]), "");
        }

        #[test]
        fn links_stay_inside(dirs in proptest::collection::vec("[ab]", 0..4), target in "(\\.\\./){0,5}[ab]{1,2}(/[ab])?") {
            let path = dirs.iter().map(|dir| format!("{dir}/")).collect::<Vec<_>>().concat() + "link";
            let ups = target.matches("../").count();
            prop_assert_eq!(verdict(&[link(&path, &target)], &[]).is_empty(), ups <= dirs.len());
        }
    }
}
