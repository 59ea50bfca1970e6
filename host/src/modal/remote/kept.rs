//! What Modal said when it was last asked, kept beside the deployment for when it cannot be asked.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{Begun, Call};

/// In the deployment's folder. Can be deleted.
const FILE: &str = "seen.json";

/// Whether an app was there: of what was seen as much as costs nothing to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Presence {
    pub at: Timestamp,
    pub deployed: bool,
}

impl Presence {
    /// As [`Seen::read`].
    pub fn read(folder: &Path) -> Option<Self> {
        read(folder)
    }
}

/// An app as Modal showed it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Seen {
    pub at: Timestamp,
    /// The app is there.
    pub deployed: bool,
    /// Modal had more calls than it listed.
    pub cut: bool,
    pub calls: Vec<Call>,
    pub begun: Vec<Begun>,
    /// Records (`CALL.ATTEMPT`) that were fetched, those that history has forgotten since included.
    pub fetched: BTreeSet<String>,
}

impl Seen {
    pub fn presence(&self) -> Presence {
        Presence {
            at: self.at,
            deployed: self.deployed,
        }
    }

    pub fn new(at: Timestamp) -> Self {
        Self {
            at,
            deployed: false,
            cut: false,
            calls: Vec::new(),
            begun: Vec::new(),
            fetched: BTreeSet::new(),
        }
    }

    /// `None`: Modal was never asked, or what is there cannot be read.
    pub fn read(folder: &Path) -> Option<Self> {
        read(folder)
    }

    /// # Errors
    /// The folder cannot be written to.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        let mut aside = tempfile::NamedTempFile::new_in(folder)?;
        serde_json::to_writer(&mut aside, self)?;
        aside.persist(folder.join(FILE))?;
        Ok(())
    }
}

fn read<T: DeserializeOwned>(folder: &Path) -> Option<T> {
    serde_json::from_slice(&fs::read(folder.join(FILE)).ok()?).ok()
}
