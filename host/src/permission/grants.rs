//! Grants: the user's yes to a permission, bound to the sha256 of one template. Another file, however
//! it is called, was granted nothing.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml_edit::{Array, DocumentMut, Item, Table, value};

use super::Permission;
use crate::brief::Manifest;
use crate::config::edit::{EditError, edit_file};
use crate::error::{Error, Kind};
use crate::names::{Digest, Name, printable};
use crate::template::Template;

/// Version of the file. A newer one is refused, never rewritten.
const VERSION: i64 = 1;

/// Longest file that is read, in bytes.
const MAX_FILE: u64 = 4 * 1024 * 1024;

const HEADER: &str = "\
# Which templates were granted what, by the sha256 of their component: a changed file asks again.
# Written by `changeling permission grant` and `revoke`.
";

/// Every grant of this user.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grants {
    templates: BTreeMap<Digest, Granted>,
}

/// What one digest was granted.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Granted {
    /// As its manifest called it when it was granted.
    pub template: Name,
    pub permissions: Vec<Permission>,
    /// RFC 3339, of the last change.
    pub granted: String,
}

/// Why `grants.toml` cannot be used or changed.
#[derive(Debug, thiserror::Error)]
pub enum GrantsError {
    #[error("cannot read {}", .0.display())]
    Read(PathBuf, #[source] std::io::Error),
    #[error("{} is not a file of grants: {reason}", .file.display())]
    Invalid { file: PathBuf, reason: String },
    #[error("{} was written by a newer version of this program (format {version})", .file.display())]
    Newer { file: PathBuf, version: i64 },
    #[error(transparent)]
    Edit(#[from] EditError),
}

impl From<GrantsError> for Error {
    fn from(error: GrantsError) -> Self {
        let (kind, hint) = match error {
            GrantsError::Edit(error) => return error.into(),
            GrantsError::Read(..) => (Kind::Failed, None),
            GrantsError::Invalid { .. } => (
                Kind::Usage,
                Some("mend it, or move it away and grant again".to_owned()),
            ),
            GrantsError::Newer { .. } => (Kind::Usage, Some("update this program".to_owned())),
        };
        Self {
            hint,
            ..Self::from_source(kind, error)
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    #[serde(rename = "version")]
    _version: i64,
    #[serde(default)]
    grants: BTreeMap<Digest, Granted>,
}

impl Grants {
    /// No file means no grants.
    pub fn load(path: &Path) -> Result<Self, GrantsError> {
        let read = |error| GrantsError::Read(path.to_owned(), error);
        let file = match std::fs::File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self::default());
            }
            Err(error) => return Err(read(error)),
        };
        let mut text = String::new();
        file.take(MAX_FILE)
            .read_to_string(&mut text)
            .map_err(read)?;
        Self::parse(path, &text)
    }

    fn parse(path: &Path, text: &str) -> Result<Self, GrantsError> {
        let invalid = |reason: String| GrantsError::Invalid {
            file: path.to_owned(),
            reason: printable(reason.trim()),
        };
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        let raw: toml::Table = text
            .parse()
            .map_err(|error: toml::de::Error| invalid(error.to_string()))?;
        match raw.get("version").and_then(toml::Value::as_integer) {
            Some(VERSION) => {}
            Some(version) if version > VERSION => {
                return Err(GrantsError::Newer {
                    file: path.to_owned(),
                    version,
                });
            }
            _ => return Err(invalid("it has no `version = 1`".to_owned())),
        }
        let wire: Wire =
            toml::from_str(text).map_err(|error| invalid(error.message().to_owned()))?;
        Ok(Self {
            templates: wire.grants,
        })
    }

    /// What this exact component was granted: for a built-in what its manifest lists.
    pub fn granted(&self, manifest: &Manifest, digest: &Digest, built_in: bool) -> Vec<Permission> {
        if built_in {
            return manifest.permissions.clone();
        }
        self.templates
            .get(digest)
            .map(|granted| granted.permissions.clone())
            .unwrap_or_default()
    }

    /// As `granted`, for a loaded template.
    pub fn of(&self, template: &Template) -> Vec<Permission> {
        self.granted(&template.manifest, &template.digest, template.built_in)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&Digest, &Granted)> {
        self.templates.iter()
    }

    /// The one digest that starts so; at least eight digits.
    pub fn by_prefix(&self, digits: &str) -> Option<(&Digest, &Granted)> {
        let digits = digits
            .strip_prefix("sha256:")
            .unwrap_or(digits)
            .to_ascii_lowercase();
        if digits.len() < 8 {
            return None;
        }
        let mut found = self
            .iter()
            .filter(|(digest, _)| digest.as_str().starts_with(&digits));
        found.next().filter(|_| found.next().is_none())
    }
}

/// Writes a yes down; answers everything the digest is granted now.
pub fn grant(
    path: &Path,
    digest: &Digest,
    template: &Name,
    permissions: &[Permission],
    now: &str,
) -> Result<Vec<Permission>, GrantsError> {
    change(path, digest, now, |granted| {
        granted.extend_from_slice(permissions);
        Some(template.clone())
    })
}

/// Takes grants back, all of the digest's when none is named; answers what is left.
pub fn revoke(
    path: &Path,
    digest: &Digest,
    permissions: &[Permission],
    now: &str,
) -> Result<Vec<Permission>, GrantsError> {
    change(path, digest, now, |granted| {
        granted.retain(|permission| !permissions.is_empty() && !permissions.contains(permission));
        None
    })
}

/// `edit` changes the list and may name the template.
fn change(
    path: &Path,
    digest: &Digest,
    now: &str,
    edit: impl Fn(&mut Vec<Permission>) -> Option<Name>,
) -> Result<Vec<Permission>, GrantsError> {
    edit_file(path, |document| {
        let grants = Grants::parse(path, &document.to_string())?;
        let old = grants.templates.get(digest);
        let mut permissions = old
            .map(|granted| granted.permissions.clone())
            .unwrap_or_default();
        let before = permissions.clone();
        let name = edit(&mut permissions).or_else(|| old.map(|granted| granted.template.clone()));
        permissions.sort();
        permissions.dedup();
        if permissions != before
            && let Some(name) = name
        {
            write(document, digest, &name, &permissions, now);
        }
        Ok(permissions)
    })
}

fn write(
    document: &mut DocumentMut,
    digest: &Digest,
    name: &Name,
    permissions: &[Permission],
    now: &str,
) {
    if document.get("version").is_none() {
        document.decor_mut().set_prefix(HEADER);
        document["version"] = value(VERSION);
    }
    let grants = document.entry("grants").or_insert_with(|| {
        let mut table = Table::new();
        table.set_implicit(true);
        Item::Table(table)
    });
    let Some(grants) = grants.as_table_like_mut() else {
        return;
    };
    if permissions.is_empty() {
        grants.remove(digest.as_str());
        return;
    }
    let entry = grants
        .entry(digest.as_str())
        .or_insert_with(|| Item::Table(Table::new()));
    if let Some(entry) = entry.as_table_like_mut() {
        let words: Array = permissions.iter().map(ToString::to_string).collect();
        entry.insert("template", value(name.as_str()));
        entry.insert("permissions", value(words));
        entry.insert("granted", value(now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2026-11-22T10:00:00Z";

    fn parsed(words: &str) -> Vec<Permission> {
        words
            .split_whitespace()
            .map(|word| word.parse().unwrap())
            .collect()
    }

    fn name() -> Name {
        "rustier".parse().unwrap()
    }

    #[test]
    fn granted_kept_and_taken_back() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("grants.toml");
        let (one, two) = (Digest::of(b"1"), Digest::of(b"2"));
        assert_eq!(Grants::load(&file).unwrap(), Grants::default());

        grant(&file, &one, &name(), &parsed("publish agent"), NOW).unwrap();
        let all = grant(&file, &one, &name(), &parsed("env:X publish"), NOW).unwrap();
        assert_eq!(all, parsed("agent publish env:X"));
        grant(&file, &two, &name(), &parsed("github:read"), NOW).unwrap();
        insta::assert_snapshot!(std::fs::read_to_string(&file).unwrap());

        let grants = Grants::load(&file).unwrap();
        let manifest_less = |digest| grants.templates.get(digest).unwrap().permissions.clone();
        assert_eq!(manifest_less(&one), parsed("agent publish env:X"));
        assert_eq!(grants.by_prefix(one.short()).unwrap().0, &one);
        assert_eq!(grants.by_prefix(""), None);

        assert_eq!(
            revoke(&file, &one, &parsed("agent"), NOW).unwrap(),
            parsed("publish env:X")
        );
        assert_eq!(revoke(&file, &one, &[], NOW).unwrap(), []);
        assert_eq!(revoke(&file, &Digest::of(b"3"), &[], NOW).unwrap(), []);
        let left: Vec<_> = Grants::load(&file)
            .unwrap()
            .iter()
            .map(|(digest, _)| digest.clone())
            .collect();
        assert_eq!(left, [two]);
    }

    #[test]
    fn what_is_no_file_of_grants_is_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("grants.toml");
        let digest = Digest::of(b"1");
        let entry = |permissions: &str| {
            format!(
                "version = 1\n[grants.{digest}]\ntemplate = \"a\"\ngranted = \"x\"\npermissions = {permissions}\n"
            )
        };
        for (text, reason) in [
            ("version = 2\n".to_owned(), "newer"),
            ("x = 1\n".to_owned(), "no `version = 1`"),
            ("version = 1\n[grants.abc]\n".to_owned(), "not a sha256"),
            ("version = 1\nmore = 1\n".to_owned(), "unknown field"),
            (entry("[\"publsh\"]"), "did you mean `publish`"),
            (entry("\"publish\""), "invalid type"),
            ("version = ".to_owned(), "TOML"),
        ] {
            std::fs::write(&file, &text).unwrap();
            let error = Grants::load(&file).unwrap_err().to_string();
            assert!(error.contains(reason), "{text}: {error}");
            assert!(
                grant(&file, &digest, &name(), &parsed("agent"), NOW).is_err(),
                "{text}"
            );
            assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
        }
    }
}
