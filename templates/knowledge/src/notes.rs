//! Where a repository tells agents and contributors what it expects.

use crate::survey::Files;

/// File names, agents' first. Looked for at the root, in `.github/` and `docs/`, and in the folders
/// above a place.
pub const NAMES: &[&str] = &[
    "AGENTS.md",
    "AGENT.md",
    "CLAUDE.md",
    "GEMINI.md",
    "copilot-instructions.md",
    ".cursorrules",
    ".windsurfrules",
    ".clinerules",
    "CONVENTIONS.md",
    "CONTRIBUTING.md",
    "CONTRIBUTING.rst",
    "CONTRIBUTING",
    "CONTRIBUTING.txt",
    "CONTRIBUTING.adoc",
    "HACKING.md",
    "HACKING",
    "DEVELOPMENT.md",
    "DEVELOPING.md",
    "STYLE.md",
    "STYLEGUIDE.md",
    "CODING_STYLE.md",
];

/// Notes of the whole repository, agents' first, then those of folders that hold one of `places`
/// (a monorepo's packages have their own).
pub fn find(files: &Files, places: &[&str]) -> Vec<String> {
    let at_root = NAMES
        .iter()
        .flat_map(|name| ["", ".github/", "docs/"].map(|folder| format!("{folder}{name}")));
    let mut found: Vec<String> = at_root.filter(|path| files.has(path)).collect();
    for place in places {
        let mut folder = *place;
        while let Some((above, _)) = folder.rsplit_once('/') {
            folder = above;
            found.extend(
                NAMES
                    .iter()
                    .map(|name| format!("{folder}/{name}"))
                    .filter(|path| files.has(path)),
            );
        }
    }
    let mut seen = std::collections::HashSet::new();
    found.retain(|path| seen.insert(path.clone()));
    found
}
