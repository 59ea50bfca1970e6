//! What of deployments is kept on this machine: `HOME/deployments/NAME/` with the files that Modal gets,
//! and `deployed.json`, which says what it has. The first are written before a deploy, the last after it:
//! what did not get there is not taken for deployed.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::document::{Document, JOB, RUNNER, TEMPLATE};
use super::freeze::Frozen;
use super::runner::{Runner, SOURCES, Source};
use super::{APP, ModalError};
use crate::context::{Home, create_private_dir};
use crate::names::{Digest, Name};

/// What Modal has.
const DEPLOYED: &str = "deployed.json";
/// What it may have: the same, of a deploy whose end was not seen.
const DEPLOYING: &str = "deploying.json";
/// The files of what it has.
const CONFIRMED: &str = "confirmed";
/// The file Modal's client loads.
pub const APP_FILE: &str = "app.py";
/// Whose apps these are.
const ID: &str = "id";

/// Tags of an app.
pub const TAG_HOME: &str = "changelings-home";
pub const TAG_JOB: &str = "changelings-job";
pub const TAG_VERSION: &str = "changelings-version";

/// `HOME/deployments`.
#[derive(Debug, Clone)]
pub struct Deployments {
    root: PathBuf,
}

/// A deployment as it was confirmed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Deployed {
    pub version: u32,
    pub at: Timestamp,
    /// Modal's.
    pub app_id: String,
    /// Modal's number of this state of the app; 0: it did not say.
    pub deployment: u32,
    /// Where it is, by its name, though the document may say only that it is the default.
    pub environment: Option<String>,
    /// The workspace by its name; `None`: it was not told.
    #[serde(default)]
    pub workspace: Option<String>,
    pub document: Document,
}

impl Deployed {
    /// Where it is; `None`: in the workspace's default.
    pub fn environment(&self) -> Option<&str> {
        let named = self.environment.as_ref();
        named
            .or(self.document.app.environment.as_ref())
            .map(String::as_str)
    }

    /// What is deployed of a changeling; `None`: nothing, as far as this machine knows.
    ///
    /// # Errors
    /// What is written down about it cannot be read.
    pub fn of(name: &Name, home: &Home) -> Result<Option<Self>, ModalError> {
        Deployments::of(home).deployed(name)
    }
}

impl Deployments {
    pub fn of(home: &Home) -> Self {
        Self {
            root: home.deployments_dir(),
        }
    }

    /// The folder with the files of what Modal has of one.
    pub fn confirmed(&self, name: &Name) -> PathBuf {
        self.folder(name).join(CONFIRMED)
    }

    /// The folder of one.
    pub fn folder(&self, name: &Name) -> PathBuf {
        self.root.join(name.as_str())
    }

    /// Which home this is: a random id, made when it is first asked for.
    ///
    /// # Errors
    /// The folder cannot be written to.
    pub fn id(&self) -> Result<String, ModalError> {
        if let Some(id) = self.known_id()? {
            return Ok(id);
        }
        let mut bytes = [0; 8];
        getrandom::fill(&mut bytes).map_err(|error| self.failed("make", ID, error.into()))?;
        let id = format!("{:016x}", u64::from_be_bytes(bytes));
        create_private_dir(&self.root).map_err(|error| self.failed("make", "", error))?;
        let written = tempfile::NamedTempFile::new_in(&self.root).and_then(|mut file| {
            file.write_all(id.as_bytes())?;
            file.persist_noclobber(self.root.join(ID))
                .map_err(|error| error.error)
        });
        match written {
            Ok(_) => Ok(id),
            // Another command was faster.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Ok(self.known_id()?.unwrap_or(id))
            }
            Err(error) => Err(self.failed("write", ID, error)),
        }
    }

    /// As `id`, when there is one.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn known_id(&self) -> Result<Option<String>, ModalError> {
        match std::fs::read_to_string(self.root.join(ID)) {
            Ok(id) => Ok(Some(id.trim().to_owned()).filter(|id| !id.is_empty())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.failed("read", ID, error)),
        }
    }

    /// What is deployed of one, or may be; `None`: nothing, as far as this machine knows.
    ///
    /// # Errors
    /// What is written down about it cannot be read.
    pub fn deployed(&self, name: &Name) -> Result<Option<Deployed>, ModalError> {
        match self.noted(name, DEPLOYED)? {
            None => self.noted(name, DEPLOYING),
            deployed => Ok(deployed),
        }
    }

    /// A deploy of it whose end was not seen; `None`: there is none.
    ///
    /// # Errors
    /// What is written down about it cannot be read.
    pub fn unseen(&self, name: &Name) -> Result<Option<Deployed>, ModalError> {
        self.noted(name, DEPLOYING)
    }

    /// The folder whose files a deploy sent.
    pub fn sent(&self, deployed: &Deployed) -> PathBuf {
        let folder = self.folder(&deployed.document.changeling);
        let is_it = std::fs::read_to_string(folder.join(JOB))
            .is_ok_and(|text| text == deployed.document.text());
        if is_it {
            folder
        } else {
            folder.join(CONFIRMED)
        }
    }

    fn noted(&self, name: &Name, file: &str) -> Result<Option<Deployed>, ModalError> {
        let file = self.folder(name).join(file);
        let bytes = match std::fs::read(&file) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => {
                return Err(ModalError::File {
                    what: "read",
                    path: file,
                    source,
                });
            }
        };
        let malformed = |error: serde_json::Error| ModalError::Malformed {
            path: file.clone(),
            why: crate::names::printable(&error.to_string()),
        };
        let value: serde_json::Value = serde_json::from_slice(&bytes).map_err(malformed)?;
        // A newer format is told of as such, not as a mistake in it.
        Document::parse(value["document"].to_string().as_bytes(), &file)?;
        serde_json::from_value(value).map(Some).map_err(malformed)
    }

    /// Names of all that are deployed, those included that the configuration has no more.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn names(&self) -> Result<Vec<Name>, ModalError> {
        let entries = match std::fs::read_dir(&self.root) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(self.failed("read", "", error)),
        };
        let mut names: Vec<Name> = entries
            .flatten()
            .filter(|entry| {
                let folder = entry.path();
                folder.join(DEPLOYED).is_file() || folder.join(DEPLOYING).is_file()
            })
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .collect();
        names.sort();
        Ok(names)
    }

    /// Writes what Modal's client reads, and gives the folder.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(
        &self,
        frozen: &Frozen,
        template: &[u8],
        runner: &Runner,
        sources: Option<&[u8]>,
    ) -> Result<PathBuf, ModalError> {
        let name = &frozen.document.changeling;
        let folder = self.folder(name);
        let failed = |what| {
            let folder = folder.clone();
            move |source| ModalError::File {
                what,
                path: folder.clone(),
                source,
            }
        };
        create_private_dir(&folder).map_err(failed("make"))?;
        put(&folder, TEMPLATE, template)?;
        if let Some(sources) = sources {
            put(&folder, SOURCES, sources)?;
        }
        if let Source::File(program) = &runner.source {
            let link = folder.join(RUNNER);
            let _ = std::fs::remove_file(&link);
            let program = std::fs::canonicalize(program).map_err(failed("find the program for"))?;
            std::os::unix::fs::symlink(program, link).map_err(failed("write"))?;
        }
        self.write_document(&frozen.document)?;
        Ok(folder)
    }

    /// The two files that say what is deployed; the others stay as they are.
    ///
    /// # Errors
    /// They cannot be written.
    pub fn write_document(&self, document: &Document) -> Result<PathBuf, ModalError> {
        let folder = self.folder(&document.changeling);
        put(&folder, APP_FILE, APP.as_bytes())?;
        put(&folder, JOB, document.text().as_bytes())?;
        Ok(folder)
    }

    /// Writes the document of what was confirmed anew, beside the files it was confirmed with.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn rewrite(&self, document: &Document) -> Result<(), ModalError> {
        let folder = self.confirmed(&document.changeling);
        put(&folder, JOB, document.text().as_bytes())
    }

    /// Notes that Modal is being told something, and may have it whatever is heard of that.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn begin(&self, deploying: &Deployed) -> Result<(), ModalError> {
        let folder = self.folder(&deploying.document.changeling);
        put(&folder, DEPLOYING, noted(deploying).as_bytes())
    }

    /// Notes that Modal does not have what it was told.
    ///
    /// # Errors
    /// It cannot be noted.
    pub fn give_up(&self, name: &Name) -> Result<(), ModalError> {
        match std::fs::remove_file(self.folder(name).join(DEPLOYING)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(self.failed("remove", name.as_str(), error))
            }
            _ => Ok(()),
        }
    }

    /// Notes what Modal has, and keeps the files in `sent` for it.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn confirm(&self, deployed: &Deployed, sent: &Path) -> Result<(), ModalError> {
        let name = &deployed.document.changeling;
        put(&self.folder(name), DEPLOYED, noted(deployed).as_bytes())?;
        if sent != self.confirmed(name) {
            self.keep(name, &deployed.document, sent)
                .map_err(|error| self.failed("keep", name.as_str(), error))?;
        }
        self.give_up(name)
    }

    /// Links the files of a deployment aside, the program itself where only a link to it was there.
    fn keep(&self, name: &Name, document: &Document, sent: &Path) -> io::Result<()> {
        let aside = tempfile::tempdir_in(self.folder(name))?;
        let own = [APP_FILE, JOB, TEMPLATE].into_iter();
        for file in own.chain(document.app.files.keys().map(String::as_str)) {
            let target = aside.path().join(file);
            let source = match std::fs::canonicalize(sent.join(file)) {
                Ok(source) => source,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            if !target.exists() && std::fs::hard_link(&source, &target).is_err() {
                std::fs::copy(&source, &target)?;
            }
        }
        let kept = self.confirmed(name);
        match std::fs::remove_dir_all(&kept) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        std::fs::rename(aside.path(), kept)?;
        let _ = aside.keep();
        Ok(())
    }

    /// Takes over what somebody else deployed, with the component when it was found.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn adopt(&self, deployed: &Deployed, template: Option<&[u8]>) -> Result<(), ModalError> {
        let folder = self.write_document(&deployed.document)?;
        if let Some(template) = template {
            put(&folder, TEMPLATE, template)?;
        }
        self.confirm(deployed, &folder)
    }

    /// Forgets a deployment, its files included.
    ///
    /// # Errors
    /// They cannot be removed.
    pub fn forget(&self, name: &Name) -> Result<(), ModalError> {
        match std::fs::remove_dir_all(self.folder(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(self.failed("remove", name.as_str(), error))
            }
            _ => Ok(()),
        }
    }

    fn failed(&self, what: &'static str, file: &str, source: io::Error) -> ModalError {
        ModalError::File {
            what,
            path: self.root.join(file),
            source,
        }
    }
}

/// One file, put in place at once. One that says the same already is left alone.
fn put(folder: &Path, file: &str, bytes: &[u8]) -> Result<(), ModalError> {
    let path = folder.join(file);
    let is_same = std::fs::metadata(&path).is_ok_and(|found| found.len() == bytes.len() as u64)
        && std::fs::read(&path).is_ok_and(|found| found == bytes);
    if is_same {
        return Ok(());
    }
    let write = || {
        create_private_dir(folder)?;
        let mut aside = tempfile::NamedTempFile::new_in(folder)?;
        aside.write_all(bytes)?;
        // The agent's user reads them in the container.
        let mode = std::fs::Permissions::from_mode(0o644);
        aside.as_file().set_permissions(mode)?;
        aside.persist(&path).map_err(|error| error.error)?;
        Ok(())
    };
    write().map_err(|source| ModalError::File {
        what: "write",
        path: path.clone(),
        source,
    })
}

fn noted(deployed: &Deployed) -> String {
    serde_json::to_string_pretty(deployed)
        .expect("names, numbers and tables with text as keys are JSON")
}

/// Seals a document that `app` carries out: its tags say whose it is, and what.
pub fn seal(document: &mut Document, app: &str) {
    document.app.tags.clear();
    let text = document.text();
    let digest = Digest::of(format!("{app}\n{text}").as_bytes());
    document.app.tags = BTreeMap::from([
        (TAG_HOME.to_owned(), document.home.clone()),
        // A tag has at most 63 characters.
        (TAG_JOB.to_owned(), digest.as_str()[..32].to_owned()),
        (TAG_VERSION.to_owned(), document.changelings.clone()),
    ]);
}

/// The component that lies beside a document, when it is the one the document means.
pub fn has_template(folder: &Path, document: &Document) -> bool {
    std::fs::read(folder.join(TEMPLATE))
        .is_ok_and(|bytes| Digest::of(&bytes) == document.template.digest)
}
