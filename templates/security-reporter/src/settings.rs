//! Manifests, lockfiles, workflows and images.

use std::fmt::Write as _;

use changelings_sdk::repo::{self, Place};
use changelings_sdk::{Failure, prompt};
use knowledge::checks::Purpose;
use knowledge::decoy;
use knowledge::security::dependencies::{self, Kind};
use knowledge::security::workflows;
use knowledge::survey::Survey;

/// Most files of each sort that are read, and how much of each.
const MAX_MANIFESTS: usize = 24;
const MAX_WORKFLOWS: usize = 24;
const MAX_IMAGES: usize = 12;
const MAX_BYTES: u32 = 200_000;
/// Most packages and dependencies named.
const MAX_PACKAGES: usize = 12;
const MAX_DEPENDENCIES: usize = 10;
/// Most commands named that look up known weaknesses.
const MAX_AUDITS: usize = 8;

/// What there is to tell.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    pub(crate) dependencies: String,
    /// The gravest first.
    pub(crate) issues: Vec<Issue>,
    /// Sentences about all workflows.
    pub(crate) notes: Vec<String>,
}

/// Something in a workflow or image.
#[derive(Debug)]
pub(crate) struct Issue {
    weight: u32,
    place: Place,
    pub(crate) told: String,
}

pub(crate) fn look(survey: &Survey) -> Result<Settings, Failure> {
    let mut settings = Settings {
        dependencies: dependencies(survey)?,
        ..Settings::default()
    };
    settings.workflows()?;
    settings.images()?;
    settings
        .issues
        .sort_by(|a, b| b.weight.cmp(&a.weight).then_with(|| a.place.cmp(&b.place)));
    Ok(settings)
}

/// Packages with their lockfiles, and the dependencies that are held or float.
fn dependencies(survey: &Survey) -> Result<String, Failure> {
    let exists = |path: &str| survey.notable.has(path);
    let packages = survey.packages();
    let mut told: Vec<String> = Vec::new();
    let mut standing_out: Vec<(Kind, String)> = Vec::new();
    let mut audits: Vec<String> = Vec::new();
    for package in packages.iter().take(MAX_MANIFESTS) {
        let Some(file) = repo::read_if_text(package.manifest, MAX_BYTES)? else {
            continue;
        };
        let manifest = prompt::code(package.manifest);
        let lockfile = dependencies::lockfile(package, &exists);
        let has_dependencies = dependencies::has_dependencies(package.manifest, &file.text);
        let lock = match &lockfile {
            Some(lock) => format!("locked by {}", prompt::code(lock)),
            None if package.ecosystem.lockfiles.is_empty() => {
                "its versions are in the manifest".to_owned()
            }
            None if !has_dependencies => "no dependencies named".to_owned(),
            None => format!(
                "no lockfile ({}) is tracked: each build may take other versions",
                package
                    .ecosystem
                    .lockfiles
                    .iter()
                    .take(3)
                    .map(|name| prompt::code(name))
                    .collect::<Vec<_>>()
                    .join(", ")
            ),
        };
        told.push(format!("{manifest} ({}): {lock}", package.ecosystem.name));
        for found in dependencies::of_manifest(package.manifest, &file.text) {
            let how = match found.kind {
                Kind::Held => "held at one version",
                Kind::Floating => "floats",
            };
            let place = prompt::place(package.manifest, found.line);
            standing_out.push((
                found.kind,
                format!("{place} {} {how}", prompt::code_bounded(&found.text, 80)),
            ));
        }
        if has_dependencies
            && let Some((command, folder)) = dependencies::audit(package, lockfile.as_deref())
        {
            let command = match folder {
                "" => prompt::code(command),
                folder => format!("{} in {}", prompt::code(command), prompt::code(folder)),
            };
            if !audits.contains(&command) && audits.len() < MAX_AUDITS {
                audits.push(command);
            }
        }
    }
    if told.is_empty() {
        return Ok("No package manifest of an ecosystem this program knows was found.".into());
    }
    let more = packages.len().saturating_sub(MAX_PACKAGES);
    let mut text = prompt::bullets(told.into_iter().take(MAX_PACKAGES));
    if more > 0 {
        let _ = write!(
            text,
            "\n{} are not named here.\n",
            prompt::count(more, "more package")
        );
    }
    standing_out.sort_by_key(|(kind, _)| *kind);
    if !standing_out.is_empty() {
        let total = standing_out.len();
        let shown = standing_out
            .into_iter()
            .take(MAX_DEPENDENCIES)
            .map(|(_, told)| told);
        let _ = write!(
            text,
            "\n{}\n\n{}",
            prompt::chosen(
                total.min(MAX_DEPENDENCIES),
                prompt::Total::Exactly(total),
                "dependency that stands out",
                "those that float first"
            )
            .replace("dependency that stands outs", "dependencies that stand out"),
            prompt::bullets(shown)
        );
    }
    let in_ci: Vec<String> = survey
        .checks_for(Purpose::Audit)
        .map(|check| {
            format!(
                "{} ({})",
                prompt::code(&check.command),
                prompt::place(&check.path, check.line)
            )
        })
        .collect();
    let audit = match (in_ci.as_slice(), audits.as_slice()) {
        ([], []) => String::new(),
        ([], audits) => format!(
            "\nNo CI file looks up known weaknesses of dependencies. For that there is {}: run it where it is installed \
             or can be, and check each answer against how the code uses the dependency.\n",
            audits.join(", ")
        ),
        (in_ci, _) => format!(
            "\nCI looks up known weaknesses of dependencies with {}.\n",
            in_ci.join(", ")
        ),
    };
    text.push_str(&audit);
    Ok(text)
}

impl Settings {
    fn workflows(&mut self) -> Result<(), Failure> {
        let files = repo::files(
            &[
                ".github/workflows/*.yml",
                ".github/workflows/*.yaml",
                "action.yml",
                ".github/actions/**/action.yml",
            ],
            200,
        )?;
        let mut unlimited: Vec<String> = Vec::new();
        let mut by_tag: Vec<String> = Vec::new();
        let unread = files.items.len().saturating_sub(MAX_WORKFLOWS);
        for file in files.items.iter().take(MAX_WORKFLOWS) {
            let Some(text) = repo::read_if_text(&file.path, MAX_BYTES)? else {
                continue;
            };
            if !workflows::limits_token(&text.text) && file.path.contains("workflows/") {
                unlimited.push(prompt::code(&file.path));
            }
            for issue in workflows::issues(&text.text) {
                let place = prompt::place(&file.path, issue.line);
                let subject = prompt::code_bounded(&issue.subject, 100);
                // GitHub's own actions by tag are many and the least of it.
                if issue.weight == 1 {
                    by_tag.push(format!("{place} {subject}"));
                    continue;
                }
                self.issues.push(Issue {
                    weight: issue.weight,
                    place: Place {
                        path: file.path.clone(),
                        line: issue.line,
                    },
                    told: format!("{place} {subject}: {}", issue.what),
                });
            }
        }
        if !unlimited.is_empty() {
            let (shown, more) = some(&unlimited, 6);
            self.notes.push(format!(
                "Without `permissions:`, so that the repository's setting decides what the token may do: {shown}{more}."
            ));
        }
        if !by_tag.is_empty() {
            let (shown, more) = some(&by_tag, 3);
            self.notes.push(format!(
                "GitHub's own actions named by a tag and not by a commit: {shown}{more}."
            ));
        }
        if unread > 0 {
            self.notes.push(format!(
                "{} were not read.",
                prompt::count(unread, "more workflow")
            ));
        }
        Ok(())
    }

    /// Images that run as root, or come from a tag that moves.
    fn images(&mut self) -> Result<(), Failure> {
        let mut globs = vec![
            "**/Dockerfile".to_owned(),
            "**/Containerfile".into(),
            "**/*.dockerfile".into(),
            "**/Dockerfile.*".into(),
        ];
        globs.extend(decoy::excluding_folders());
        let globs: Vec<&str> = globs.iter().map(String::as_str).collect();
        for file in repo::files(&globs, 200)?.into_iter().take(MAX_IMAGES) {
            let Some(text) = repo::read_if_text(&file.path, MAX_BYTES)? else {
                continue;
            };
            for (line, weight, what) in image_issues(&text.text) {
                let place = Place {
                    path: file.path.clone(),
                    line,
                };
                self.issues.push(Issue {
                    weight,
                    told: format!("{}: {what}", prompt::place(&file.path, line)),
                    place,
                });
            }
        }
        Ok(())
    }
}

fn some(all: &[String], most: usize) -> (String, String) {
    let shown = all[..all.len().min(most)].join(", ");
    let more = match all.len().saturating_sub(most) {
        0 => String::new(),
        more => format!(" and {}", prompt::count(more, "other")),
    };
    (shown, more)
}

fn image_issues(text: &str) -> Vec<(u32, u32, &'static str)> {
    let mut issues = Vec::new();
    let mut last_from = None;
    let mut has_user = false;
    for (line, content) in (1..).zip(text.lines()) {
        let mut words = content.split_whitespace();
        match words.next() {
            Some("FROM") => {
                last_from = Some(line);
                has_user = false;
                let image = words
                    .find(|word| !word.starts_with("--"))
                    .unwrap_or_default();
                let name = image.rsplit('/').next().unwrap_or(image);
                if image != "scratch"
                    && (!name.contains([':', '@', '$']) && name.contains('.')
                        || name.ends_with(":latest"))
                {
                    issues.push((line, 4, "the image is whatever is newest at the time"));
                }
            }
            Some("USER") => has_user = !matches!(words.next(), Some("root" | "0")),
            Some("ADD") if content.contains("http") => {
                issues.push((
                    line,
                    4,
                    "a file from the network is added without a checksum",
                ));
            }
            _ => {}
        }
    }
    if let Some(line) = last_from.filter(|_| !has_user) {
        issues.push((
            line,
            5,
            "what it starts runs as root: no `USER` after this line",
        ));
    }
    issues
}
