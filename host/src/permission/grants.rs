//! Grants: the user's yes to a permission, bound to the digest of one template.

use std::collections::BTreeMap;
use std::path::Path;

use super::Permission;
use crate::brief::Manifest;
use crate::names::{Digest, Name};

/// Every grant of this user.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grants {
    templates: BTreeMap<Digest, Granted>,
}

/// What one digest was granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Granted {
    /// As its manifest called itself when it was granted.
    pub name: Name,
    pub permissions: Vec<Permission>,
}

/// Why `grants.toml` cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum GrantsError {
    #[error("cannot read {path}")]
    Read {
        path: String,
        #[source]
        source: std::io::Error,
    },
}

impl Grants {
    /// No file means no grants.
    pub fn load(_path: &Path) -> Result<Self, GrantsError> {
        Ok(Self::default())
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

    pub fn iter(&self) -> impl Iterator<Item = (&Digest, &Granted)> {
        self.templates.iter()
    }
}
