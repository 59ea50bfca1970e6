//! What a person has said of failures here, for where it counts: a deployed changeling pauses by the records
//! on its own volume.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Wanted;
use crate::modal::ModalError;
use crate::modal::client::{Client, Trouble};
use crate::names::Name;
use crate::record::{RecordError, Store};

/// On the volume; and beside the deployment, as it was last sent.
const FILE: &str = "forgiven.json";

const VERSION: u32 = 1;

/// Failures that count no more. Always all of it: what is sent replaces what was there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forgiven {
    version: u32,
    /// By repository: everything up to then.
    resumed: BTreeMap<String, Timestamp>,
    /// Runs, by id, and since when.
    settled: BTreeMap<String, Timestamp>,
}

impl Forgiven {
    /// What was said of a changeling.
    ///
    /// # Errors
    /// The history cannot be read.
    pub fn of(changeling: &Name, store: &Store) -> Result<Self, RecordError> {
        Ok(Self {
            version: VERSION,
            resumed: store.resumed(changeling)?,
            settled: store.settled_elsewhere(changeling)?,
        })
    }

    /// `None`: there is none, or one that is not understood.
    pub fn read(folder: &Path) -> Option<Self> {
        let said: Self = serde_json::from_slice(&fs::read(folder.join(FILE)).ok()?).ok()?;
        (said.version == VERSION).then_some(said)
    }

    /// Whether it has to be sent, by what was sent last from here.
    pub fn is_news(&self, folder: &Path) -> bool {
        let is_empty = self.resumed.is_empty() && self.settled.is_empty();
        match Self::read(folder) {
            Some(sent) => sent != *self,
            None => !is_empty,
        }
    }

    /// Lets a history know of it that has the runs, and was told nothing.
    ///
    /// # Errors
    /// The history cannot be written.
    pub fn apply(&self, changeling: &Name, store: &Store) -> Result<(), RecordError> {
        for (repo, at) in &self.resumed {
            store.resume(changeling, repo, *at)?;
        }
        for (run, at) in &self.settled {
            store.settle(run, *at)?;
        }
        Ok(())
    }

    fn write(&self, folder: &Path) -> io::Result<()> {
        let mut aside = tempfile::NamedTempFile::new_in(folder)?;
        serde_json::to_writer(&mut aside, self)?;
        aside.persist(folder.join(FILE))?;
        Ok(())
    }
}

/// Tells Modal, all in one process, and notes that it knows. Answers those that could not be told.
///
/// # Errors
/// Modal cannot be asked at all, or it cannot be noted here.
pub fn forgive(
    client: &Client,
    news: &[(Wanted<'_>, Forgiven)],
) -> Result<BTreeMap<Name, Trouble>, ModalError> {
    let app = |(wanted, forgiven): &(Wanted<'_>, Forgiven)| {
        json!({
            "name": wanted.app,
            "environment": wanted.environment,
            "volume": wanted.volume,
            "file": FILE,
            "forgiven": forgiven,
        })
    };
    let request = json!({
        "op": "forgive",
        "environment": null,
        "apps": news.iter().map(app).collect::<Vec<_>>(),
    });
    let mut troubles = BTreeMap::new();
    let mut written = Ok(());
    client.call(&request, &mut |answer| {
        let own = |(wanted, _): &&(Wanted<'_>, Forgiven)| answer.app.as_deref() == Some(wanted.app);
        let Some((wanted, forgiven)) = news.iter().find(own) else {
            return;
        };
        if let Some(trouble) = answer.trouble() {
            troubles.insert(wanted.changeling.clone(), trouble);
        } else if let Err(source) = forgiven.write(wanted.folder) {
            written = Err(ModalError::File {
                what: "write",
                path: wanted.folder.join(FILE),
                source,
            });
        }
    })?;
    written.map(|()| troubles)
}
