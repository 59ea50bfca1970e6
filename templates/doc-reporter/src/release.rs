//! Whether the list of changes knows the version that the manifest has.

use changelings_sdk::repo;
use changelings_sdk::{Failure, prompt};
use knowledge::checks::{ini, json};
use knowledge::docs;
use knowledge::survey::Survey;

use crate::documents::Documents;

/// How much of a manifest is read.
const MAX_BYTES: u32 = 100_000;

/// A sentence, when the newest release in the list is not the manifest's version.
pub(crate) fn behind(documents: &Documents, survey: &Survey) -> Result<Option<String>, Failure> {
    let Some((path, text)) = &documents.changelog else {
        return Ok(None);
    };
    let Some((line, newest)) = docs::newest_release(text) else {
        return Ok(None);
    };
    for manifest in ["Cargo.toml", "pyproject.toml", "package.json"] {
        if !survey.notable.has(manifest) {
            continue;
        }
        let Some(file) = repo::read_if_text(manifest, MAX_BYTES)? else {
            continue;
        };
        let Some((at, version)) = version(manifest, &file.text) else {
            continue;
        };
        if version == newest {
            return Ok(None);
        }
        return Ok(Some(format!(
            "{} ends with {}, and {} has {}.",
            prompt::place(path, line),
            prompt::code_bounded(newest, 40),
            prompt::place(manifest, at),
            prompt::code_bounded(&version, 40)
        )));
    }
    Ok(None)
}

fn version(manifest: &str, text: &str) -> Option<(u32, String)> {
    if manifest == "package.json" {
        return json::entries(text)
            .into_iter()
            .find(|entry| entry.keys == ["version"])
            .map(|entry| (entry.line, entry.value));
    }
    let tables = ["package", "workspace.package", "project", "tool.poetry"];
    ini::entries(text)
        .into_iter()
        .find(|entry| entry.key == "version" && tables.contains(&entry.table.as_str()))
        .map(|entry| (entry.line, entry.value))
        .filter(|(_, version)| version.starts_with(|c: char| c.is_ascii_digit()))
}
