//! Paths that decide what runs on somebody's machine, however they are spelled.
//!
//! A path is compared as the most forgiving file system would: case folded, invisible characters
//! ignored, a Windows path's separators, streams, trailing dots and short names undone.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::names::is_invisible;

/// Why a path is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protected {
    /// Runs on the repository's CI, with its secrets.
    Workflow,
    /// Decides who must review.
    CodeOwners,
    /// Decides what an agent or editor runs or is allowed to.
    AgentSettings,
    /// Decides which code comes from elsewhere.
    Submodules,
}

impl fmt::Display for Protected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Workflow => "a CI workflow",
            Self::CodeOwners => "the code owners",
            Self::AgentSettings => "settings of an agent",
            Self::Submodules => "the list of submodules",
        })
    }
}

/// Folders and files of settings, at any depth. Instructions (`AGENTS.md`, `CLAUDE.md`,
/// `.cursorrules`) are documents that people review like any other; these are not.
const AGENT_SETTINGS: &[&str] = &[
    ".aider.conf.yml",
    ".changelings.toml",
    ".claude",
    ".codex",
    ".continue",
    ".cursor",
    ".gemini",
    ".mcp.json",
    ".mngr",
    ".opencode",
    ".windsurf",
    "opencode.json",
];

/// Where GitHub (and GitLab) look for code owners.
const CODEOWNERS: &[&[&str]] = &[
    &["codeowners"],
    &[".github", "codeowners"],
    &["docs", "codeowners"],
    &[".gitlab", "codeowners"],
];

/// What kind of protected path it is, or will be on some machine.
pub(super) fn class(path: &[u8]) -> Option<Protected> {
    let parts = parts(path);
    let is = |wanted: &[&str]| parts.len() == wanted.len() && begins(&parts, wanted);
    if begins(&parts, &[".github", "workflows"]) || is(&[".github"]) {
        return Some(Protected::Workflow);
    }
    if CODEOWNERS.iter().any(|wanted| is(wanted)) {
        return Some(Protected::CodeOwners);
    }
    if parts.iter().any(|part| same(part, ".gitmodules")) {
        return Some(Protected::Submodules);
    }
    let editor = parts
        .windows(2)
        .any(|pair| same(&pair[0], ".vscode") && same(&pair[1], "mcp.json"));
    let agent = parts
        .iter()
        .any(|part| AGENT_SETTINGS.iter().any(|name| same(part, name)));
    (editor || agent).then_some(Protected::AgentSettings)
}

/// Some part of the path is `.git` on some file system.
pub(super) fn is_git_folder(path: &[u8]) -> bool {
    parts(path).iter().any(|part| same(part, ".git"))
}

/// A link at `path` that says `target` leads (or could lead) out of the tree. Only leading `..` can
/// be judged by the text alone: after a name, `..` goes wherever that name leads.
pub(super) fn leaves(path: &[u8], target: &[u8]) -> bool {
    let drive = target.get(1) == Some(&b':');
    if target.is_empty()
        || drive
        || target.starts_with(b"/")
        || target.starts_with(b"\\")
        || target.contains(&0)
    {
        return true;
    }
    let depth = path.split(|byte| *byte == b'/').count() - 1;
    let steps: Vec<_> = target
        .split(|byte| matches!(byte, b'/' | b'\\'))
        .filter(|step| !step.is_empty() && *step != b".")
        .collect();
    let ups = steps.iter().take_while(|step| **step == b"..").count();
    ups > depth || steps[ups..].contains(&&b".."[..])
}

fn begins(parts: &[String], wanted: &[&str]) -> bool {
    parts.len() >= wanted.len()
        && parts
            .iter()
            .zip(wanted)
            .all(|(part, name)| same(part, name))
}

/// Equal, or the short name (8.3) Windows may give to it.
fn same(part: &str, name: &str) -> bool {
    part == name || is_short_name(part, name)
}

fn is_short_name(part: &str, name: &str) -> bool {
    let Some((stem, number)) = part.split_once('~') else {
        return false;
    };
    let number = number.split('.').next().unwrap_or_default();
    let letters: String = name
        .trim_start_matches('.')
        .chars()
        .take_while(|c| *c != '.')
        .take(6)
        .collect();
    !stem.is_empty()
        && !number.is_empty()
        && number.bytes().all(|b| b.is_ascii_digit())
        && letters.starts_with(&stem[..stem.floor_char_boundary(6)])
        && stem.len() == letters.len()
}

fn parts(path: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(path);
    text.split(['/', '\\'])
        .map(folded)
        .filter(|part| !part.is_empty())
        .collect()
}

fn folded(part: &str) -> String {
    let visible: String = part.chars().filter(|c| !is_invisible(*c)).collect();
    // There and back: `ſ` and the Kelvin sign become the letters they stand for.
    let folded = visible.to_uppercase().to_lowercase();
    let name = folded.split(':').next().unwrap_or_default();
    name.trim_end_matches(['.', ' ']).to_owned()
}
