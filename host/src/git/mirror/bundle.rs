//! A mirror as one file, for places where no git directory can live: a volume whose files are
//! replaced as a whole and whose writers do not see each other.
//!
//! Beside the bundle lies a note of what it holds, with its sha256. A bundle is believed only when
//! all of that is true; otherwise the mirror is made afresh from the remote, which costs time only.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::Digest as _;

use super::fetch::{read_fetched, write_fetched};
use super::lock::Lock;
use super::{Mirror, REMOTE_BRANCHES, format_of};
use crate::context::{Home, create_private_dir};
use crate::git::{Git, GitError, checked};
use crate::names::Digest;
use crate::repo_url::RepoUrl;

const VERSION: u32 = 1;
/// What runs made.
const RUNS: &str = "refs/runs/";
/// How long git may take with a large one.
const PATIENCE: Duration = Duration::from_mins(30);

/// What a bundle holds, as it is noted beside it.
#[derive(Debug, Serialize, Deserialize)]
struct Note {
    version: u32,
    repo: RepoUrl,
    sha256: Digest,
    /// What the remote's HEAD named.
    head: Option<String>,
    object_format: String,
    refs: BTreeMap<String, String>,
}

/// What came of a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unbundled {
    /// The mirror is as it was when the bundle was made.
    Whole,
    /// There is none.
    None,
    /// It is not to be trusted: why, for a person. Nothing was made of it.
    Doubtful(String),
}

impl Mirror {
    /// Writes the mirror into `folder`, beside others. `false`: it holds the same already, or the mirror
    /// is a shallow one, which cannot travel so.
    ///
    /// # Errors
    /// It cannot be written there.
    pub fn bundle(&self, git: &Git, folder: &Path) -> Result<bool, GitError> {
        if self.git_dir.join("shallow").exists() {
            return Ok(false);
        }
        let _lock = self.lock()?;
        let refs = all_refs(git, &self.git_dir)?;
        let (bundle, note) = names(folder, &self.repo);
        let is_there = |note: &Note| note.refs == refs && note.head == self.head;
        if read_note(&note).is_some_and(|note| is_there(&note)) && bundle.is_file() {
            return Ok(false);
        }
        let failed = |path: &Path, error| GitError::Io(path.to_owned(), error);
        create_private_dir(folder).map_err(|error| failed(folder, error))?;
        // First on our own disk: git writes in small pieces.
        let local = self.git_dir.with_extension("bundle");
        let _ = fs::remove_file(&local);
        checked(
            "bundle",
            &git.in_dir(&self.git_dir)
                .args(["bundle", "create", "--quiet"])
                .arg(&local)
                .arg("--all")
                .timeout(PATIENCE),
        )?;
        let aside = bundle.with_extension("bundle.new");
        let copied = copy(&local, &aside).map_err(|error| failed(&aside, error));
        let _ = fs::remove_file(&local);
        let text = serde_json::to_vec_pretty(&Note {
            version: VERSION,
            repo: self.repo.clone(),
            sha256: copied?,
            head: self.head.clone(),
            object_format: self.object_format().to_owned(),
            refs,
        })
        .map_err(|error| failed(&note, error.into()))?;
        let note_aside = note.with_extension("json.new");
        fs::write(&note_aside, text).map_err(|error| failed(&note_aside, error))?;
        // Between the two the note is wrong about the bundle, and nobody believes either.
        fs::rename(&aside, &bundle).map_err(|error| failed(&bundle, error))?;
        fs::rename(&note_aside, &note).map_err(|error| failed(&note, error))?;
        Ok(true)
    }

    /// Makes the mirror of `repo` from its bundle in `folder`, unless there is a mirror already.
    ///
    /// # Errors
    /// The mirror's own folder cannot be used.
    pub fn unbundle(
        git: &Git,
        home: &Home,
        repo: &RepoUrl,
        folder: &Path,
    ) -> Result<Unbundled, GitError> {
        let mirrors = home.mirrors_dir();
        create_private_dir(&mirrors).map_err(|error| GitError::Io(mirrors.clone(), error))?;
        let git_dir = mirrors.join(format!("{}.git", repo.key()));
        let (bundle, note_file) = names(folder, repo);
        if read_fetched(&git_dir).is_some() || !bundle.exists() {
            return Ok(Unbundled::None);
        }
        let doubtful = |why: &str| Ok(Unbundled::Doubtful(why.to_owned()));
        let Some(note) = read_note(&note_file) else {
            return doubtful("there is no note of what it holds");
        };
        if note.repo.key() != repo.key() {
            return doubtful("it is of another repository");
        }
        let _lock = Lock::acquire(&git_dir, repo)?;
        let aside = git_dir.with_extension("new");
        let _ = fs::remove_dir_all(&aside);
        // What is looked at is what is used: others may replace the file meanwhile.
        let local = git_dir.with_extension("bundle");
        let made = match copy(&bundle, &local) {
            Ok(sha256) if sha256 == note.sha256 => fill(git, &aside, &local, &note),
            Ok(_) => Err("its sha256 is not the one that was noted".to_owned()),
            Err(error) => Err(format!("it cannot be read: {error}")),
        };
        let _ = fs::remove_file(&local);
        if let Err(why) = made {
            let _ = fs::remove_dir_all(&aside);
            return doubtful(&why);
        }
        let placed = write_fetched(&aside, repo, note.head.as_deref()).and_then(|_| {
            let _ = fs::remove_dir_all(&git_dir);
            fs::rename(&aside, &git_dir).map_err(|error| GitError::Io(git_dir.clone(), error))
        });
        placed.map(|()| Unbundled::Whole)
    }
}

/// A git directory of ours with what the bundle holds. Git checks every object on the way.
fn fill(git: &Git, aside: &Path, bundle: &Path, note: &Note) -> Result<(), String> {
    let format = note.refs.values().next().map_or("", String::as_str);
    if format_of(format) != note.object_format {
        return Err("its object format is not the one that was noted".to_owned());
    }
    let fetched = git
        .init_bare(aside, &note.object_format)
        .and_then(|()| {
            checked(
                "fetch",
                &git.in_dir(aside)
                    .args(["fetch", "--quiet", "--no-tags", "--no-write-fetch-head"])
                    .args(["--no-auto-maintenance", "--end-of-options"])
                    .arg(bundle)
                    .arg(format!("+{REMOTE_BRANCHES}*:{REMOTE_BRANCHES}*"))
                    .arg(format!("+{RUNS}*:{RUNS}*"))
                    .timeout(PATIENCE),
            )
        })
        .and_then(|_| all_refs(git, aside));
    match fetched {
        Ok(refs) if refs == note.refs => Ok(()),
        Ok(_) => Err("its branches are not those that were noted".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

fn names(folder: &Path, repo: &RepoUrl) -> (PathBuf, PathBuf) {
    let key = repo.key();
    let name = |extension| folder.join(format!("{key}.{extension}"));
    (name("bundle"), name("json"))
}

fn read_note(file: &Path) -> Option<Note> {
    let note: Note = serde_json::from_slice(&fs::read(file).ok()?).ok()?;
    (note.version == VERSION).then_some(note)
}

fn all_refs(git: &Git, git_dir: &Path) -> Result<BTreeMap<String, String>, GitError> {
    let list = ["for-each-ref", "--format=%(objectname) %(refname)"];
    let finished = checked("for-each-ref", &git.in_dir(git_dir).args(list))?;
    let text = finished.text();
    let pairs = text.lines().filter_map(|line| line.split_once(' '));
    Ok(pairs
        .map(|(commit, name)| (name.to_owned(), commit.to_owned()))
        .collect())
}

/// Copies a file and answers its sha256.
fn copy(from: &Path, to: &Path) -> io::Result<Digest> {
    let (mut from, mut to) = (File::open(from)?, File::create(to)?);
    let mut hash = sha2::Sha256::new();
    let mut buffer = vec![0; 1024 * 1024];
    loop {
        let count = from.read(&mut buffer)?;
        if count == 0 {
            to.sync_all()?;
            return Ok(Digest::of_hash(hash));
        }
        hash.update(&buffer[..count]);
        to.write_all(&buffer[..count])?;
    }
}

#[cfg(test)]
mod tests;
