//! The commands that build and check a repository, found in its CI, its task files and its package
//! manifests, each with the place that names it.

mod ci;
pub mod ini;
pub mod json;
mod purpose;
mod tasks;
pub mod yaml;

pub use ci::{CI_GLOBS, is_ci_file};
pub use purpose::{Purpose, purpose_of, purpose_of_name};
pub use tasks::{TASK_FILES, is_task_file, script_globs};

use crate::{ecosystem, language};

/// Where a command comes from, the most trustworthy first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// A CI file runs it.
    Ci,
    /// A task file (Makefile, package.json scripts, tox, ...) defines it.
    Task,
    /// Nothing names it; it is what the ecosystem's people type.
    Convention,
}

/// A command that checks the repository or a part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    pub purpose: Purpose,
    pub command: String,
    /// Where to run it; empty: the root.
    pub folder: String,
    /// File that names it, and the line.
    pub path: String,
    pub line: u32,
    pub source: Source,
}

impl Check {
    /// Whether running it says something about this path: it runs in a folder above it, and not with
    /// another language's tool.
    pub fn covers(&self, path: &str) -> bool {
        let is_below = self.folder.is_empty()
            || path
                .strip_prefix(self.folder.as_str())
                .is_some_and(|rest| rest.starts_with('/'));
        let languages = ecosystem::of_command(&self.command).map(|ecosystem| ecosystem.languages);
        let is_of_another = languages.is_some_and(|languages| {
            language::of(path).is_some_and(|language| {
                ecosystem::of_language(language.name).is_some()
                    && !languages.contains(&language.name)
            })
        });
        is_below && !is_of_another
    }
}

/// The checks a CI or task file names. `lockfiles` tells which package manager a folder uses.
pub fn in_file(path: &str, text: &str, lockfiles: &dyn Fn(&str) -> bool) -> Vec<Check> {
    if is_ci_file(path) {
        ci::checks(path, text)
    } else {
        tasks::checks(path, text, lockfiles)
    }
}

/// The checks that are scripts of the repository, by their paths alone.
pub fn scripts<'a>(paths: impl Iterator<Item = &'a str>) -> Vec<Check> {
    paths.filter_map(tasks::script).collect()
}

/// Without repetitions, the most trustworthy first: a task that CI runs is named by the CI file
/// alone, and where CI has a check for a purpose and folder, task files add none.
pub fn merged(mut checks: Vec<Check>) -> Vec<Check> {
    checks.sort_by_key(|check| {
        (
            check.source,
            check.folder.matches('/').count(),
            check.purpose,
        )
    });
    let mut kept: Vec<Check> = Vec::new();
    for check in checks {
        let known = kept.iter().any(|other| {
            other.folder == check.folder
                && (purpose::normalised(&other.command) == purpose::normalised(&check.command)
                    || (other.source < check.source && other.purpose == check.purpose))
        });
        if !known {
            kept.push(check);
        }
    }
    kept
}
