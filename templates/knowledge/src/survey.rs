//! One look at a repository: the notes it has, the commands that check it, and the section "This
//! repository" that every prompt carries.

use changelings_sdk::repo::{self, File};
use changelings_sdk::{Failure, prompt};

use crate::checks::{self, Check, Purpose, Source};
use crate::{ecosystem, notes};

/// Most notable files asked for, and most of them read.
const MAX_NOTABLE: u32 = 4_000;
const MAX_CI_FILES: usize = 12;
const MAX_TASK_FILES: usize = 24;
const MAX_READ: u32 = 200_000;
/// Most checks named in a prompt.
const MAX_CHECKS: usize = 12;

/// A list of files, sorted by path.
#[derive(Debug, Clone, Default)]
pub struct Files(Vec<File>);

impl Files {
    /// `files` as `repo::files` gives them.
    pub fn new(mut files: Vec<File>) -> Self {
        files.sort();
        Self(files)
    }

    pub fn has(&self, path: &str) -> bool {
        self.0
            .binary_search_by(|file| file.path.as_str().cmp(path))
            .is_ok()
    }

    pub fn iter(&self) -> std::slice::Iter<'_, File> {
        self.0.iter()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }
}

impl<'a> IntoIterator for &'a Files {
    type Item = &'a File;
    type IntoIter = std::slice::Iter<'a, File>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// What a repository says of itself.
#[derive(Debug, Clone)]
pub struct Survey {
    /// Notes, CI files, task files, package manifests and lockfiles; decoys are not among them.
    pub notable: Files,
    /// Notes to read first.
    pub notes: Vec<String>,
    /// Without repetitions, the most trustworthy first.
    pub checks: Vec<Check>,
}

impl Survey {
    /// Looks at the repository; the notes and task files near `places` (paths the prompt is about)
    /// come before others.
    pub fn near(places: &[&str]) -> Result<Self, Failure> {
        let globs = notable_globs();
        let globs: Vec<&str> = globs.iter().map(String::as_str).collect();
        let notable = Files::new(repo::files(&globs, MAX_NOTABLE)?.items);
        let mut checks = checks::scripts(notable.iter().map(|file| file.path.as_str()));
        for path in to_read(&notable, places) {
            if let Some(file) = repo::read_if_text(path, MAX_READ)? {
                checks.extend(checks::in_file(path, &file.text, &|path| notable.has(path)));
            }
        }
        let checks = checks::merged(checks);
        let by_convention = conventions(&notable, &checks);
        Ok(Self {
            notes: notes::find(&notable, places),
            checks: checks.into_iter().chain(by_convention).collect(),
            notable,
        })
    }

    /// Checks of one purpose.
    pub fn checks_for(&self, purpose: Purpose) -> impl Iterator<Item = &Check> {
        self.checks
            .iter()
            .filter(move |check| check.purpose == purpose)
    }

    /// Folders with a package manifest, outermost first.
    pub fn packages(&self) -> Vec<ecosystem::Package<'_>> {
        let mut packages: Vec<_> = self
            .notable
            .iter()
            .filter_map(|file| ecosystem::package_of_manifest(&file.path))
            .collect();
        packages.sort_by_key(|package| (package.folder.matches('/').count(), package.folder));
        packages.dedup_by_key(|package| (package.folder, package.ecosystem.name));
        packages
    }

    /// The section "This repository": notes to read and commands that check what the prompt is
    /// about, those that cover one of `places` and come from CI first.
    pub fn section(&self, places: &[&str]) -> String {
        prompt::section(
            "This repository",
            &format!("{}\n\n{}", self.notes_text(), self.checks_text(places)),
        )
    }

    fn notes_text(&self) -> String {
        if self.notes.is_empty() {
            return "It tracks no notes for agents or contributors.".into();
        }
        let notes: Vec<String> = self
            .notes
            .iter()
            .take(8)
            .map(|path| prompt::code(path))
            .collect();
        format!("Notes to read first: {}.", notes.join(", "))
    }

    fn checks_text(&self, places: &[&str]) -> String {
        let mut checks: Vec<&Check> = self
            .checks
            .iter()
            .filter(|check| places.is_empty() || places.iter().any(|place| check.covers(place)))
            .collect();
        checks.sort_by_key(|check| (check.source, check.purpose));
        if checks.is_empty() {
            return "No CI or build file names a command that checks these places.".into();
        }
        let left_out = checks.len().saturating_sub(MAX_CHECKS);
        let named = checks.iter().take(MAX_CHECKS).map(|check| {
            let place = prompt::place(&check.path, check.line);
            let folder = match check.folder.as_str() {
                "" => String::new(),
                folder => format!(" in {}", prompt::code(folder)),
            };
            let origin = match check.source {
                Source::Ci | Source::Task => place,
                Source::Convention => format!("nothing names one; by convention for {place}"),
            };
            format!(
                "{}: {}{folder} ({origin})",
                check.purpose.as_str(),
                prompt::code(&check.command)
            )
        });
        let of_what = if places.is_empty() {
            ""
        } else {
            " for these places"
        };
        let mut text = format!(
            "Check commands{of_what}, from CI and build files:\n\n{}",
            prompt::bullets(named)
        );
        if left_out > 0 {
            let more = prompt::count(left_out, "more command");
            text.extend(["\n", &more, " are in the same files.\n"]);
        }
        text
    }
}

fn notable_globs() -> Vec<String> {
    let names = ecosystem::ECOSYSTEMS
        .iter()
        .flat_map(|ecosystem| ecosystem.manifests.iter().chain(ecosystem.lockfiles))
        .chain(checks::TASK_FILES)
        .chain(notes::NAMES.iter());
    let mut names: Vec<&str> = names.copied().collect();
    names.sort_unstable();
    names.dedup();
    let mut globs = crate::decoy::globs("**/", &names, "");
    globs.extend(checks::CI_GLOBS.iter().map(|&glob| glob.to_owned()));
    globs.extend(checks::script_globs());
    globs.extend(crate::decoy::excluding_folders());
    globs
}

/// CI files, then task files: near the places first, then the outermost.
fn to_read<'a>(notable: &'a Files, places: &[&str]) -> Vec<&'a str> {
    let paths = || notable.iter().map(|file| file.path.as_str());
    let ci = paths()
        .filter(|path| checks::is_ci_file(path))
        .take(MAX_CI_FILES);
    let mut tasks: Vec<&str> = paths().filter(|path| checks::is_task_file(path)).collect();
    tasks.sort_by_key(|path| {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let is_near = folder.is_empty()
            || places.iter().any(|place| {
                place
                    .strip_prefix(folder)
                    .is_some_and(|rest| rest.starts_with('/'))
            });
        (!is_near, path.matches('/').count(), *path)
    });
    ci.chain(tasks.into_iter().take(MAX_TASK_FILES)).collect()
}

/// Test commands of packages for which nothing names one.
fn conventions(notable: &Files, checks: &[Check]) -> Vec<Check> {
    let mut found: Vec<Check> = Vec::new();
    for file in notable {
        let Some(package) = ecosystem::package_of_manifest(&file.path) else {
            continue;
        };
        let Some(command) = package.ecosystem.test_command else {
            continue;
        };
        let is_tested = checks.iter().chain(&found).any(|check| {
            matches!(check.purpose, Purpose::Test | Purpose::Coverage) && check.covers(&file.path)
        });
        if !is_tested {
            found.push(Check {
                purpose: Purpose::Test,
                command: command.to_owned(),
                folder: package.folder.to_owned(),
                path: file.path.clone(),
                line: 1,
                source: Source::Convention,
            });
        }
    }
    found
}

#[cfg(test)]
mod tests;
