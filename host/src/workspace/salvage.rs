//! Takes objects and refs out of a git directory that cannot be trusted, without running git in it
//! and without following a link: only plain files with the names git gives them, into a git
//! directory whose configuration we wrote. What the objects say is checked when they are fetched.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::context::{is_plain, open_plain};
use crate::git::{Git, GitError, Mirror};

use super::WorkspaceError;

/// Longest file of refs that is read.
const MAX_PACKED_REFS: u64 = 64 * 1024 * 1024;
/// Most refs an agent can leave before the rest is ignored.
const MAX_REFS: usize = 10_000;

/// A git directory of ours with the workspace's objects in it; deleted when dropped.
#[derive(Debug)]
pub(super) struct Salvaged {
    pub(super) git_dir: PathBuf,
    /// Full ref name to object name, as the workspace says.
    pub(super) refs: BTreeMap<String, String>,
    /// Commit of HEAD.
    pub(super) head: Option<String>,
    /// What was wrong with the workspace, for a person.
    pub(super) problems: Vec<String>,
}

impl Drop for Salvaged {
    fn drop(&mut self) {
        let _ = super::remove_tree(&self.git_dir);
    }
}

/// `into` must not exist.
pub(super) fn salvage(
    git: &Git,
    mirror: &Mirror,
    workspace: &Path,
    into: &Path,
) -> Result<Salvaged, WorkspaceError> {
    let failed = |error| WorkspaceError::Io(into.to_owned(), error);
    super::remove_tree(into).map_err(failed)?;
    git.init_bare(into, mirror.object_format())?;
    // The base, whatever became of the workspace.
    borrow_objects(into, &mirror.git_dir).map_err(failed)?;
    let mut salvaged = Salvaged {
        git_dir: into.to_owned(),
        refs: BTreeMap::new(),
        head: None,
        problems: Vec::new(),
    };
    let from = workspace.join(".git");
    if !is_plain_dir(&from) {
        let problem = match fs::symlink_metadata(&from) {
            Err(_) => "the agent deleted `.git`",
            Ok(_) => "the agent replaced `.git` by something that is no folder",
        };
        salvaged.problems.push(problem.to_owned());
        return Ok(salvaged);
    }
    for name in [
        "objects/info/alternates",
        "objects/info/http-alternates",
        "commondir",
    ] {
        if fs::symlink_metadata(from.join(name)).is_ok() {
            let problem = format!("the agent made `.git/{name}`, which was not followed");
            salvaged.problems.push(problem);
        }
    }
    if let Err(error) = take_objects(&from.join("objects"), &into.join("objects")) {
        salvaged
            .problems
            .push(format!("the agent's objects cannot be read: {error}"));
    }
    salvaged.refs = read_refs(&from);
    salvaged.head = read_head(&from, &salvaged.refs);
    Ok(salvaged)
}

fn borrow_objects(into: &Path, mirror: &Path) -> io::Result<()> {
    let objects = mirror.join("objects");
    let Some(line) = objects.to_str().filter(|path| !path.contains('\n')) else {
        return Err(io::Error::other(
            "the folder's name has a line break or is not UTF-8",
        ));
    };
    fs::write(into.join("objects/info/alternates"), format!("{line}\n"))?;
    match fs::copy(mirror.join("shallow"), into.join("shallow")) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn is_plain_dir(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|meta| meta.is_dir())
}

fn take_objects(from: &Path, into: &Path) -> io::Result<()> {
    if !is_plain_dir(from) {
        return Err(io::Error::other("`objects` is no folder"));
    }
    let is_hex = |text: &str| {
        text.bytes()
            .all(|b| b.is_ascii_digit() || matches!(b, b'a'..=b'f'))
    };
    for entry in fs::read_dir(from)? {
        let name = entry?.file_name();
        let Some(name) = name.to_str() else { continue };
        let folder = from.join(name);
        if !is_plain_dir(&folder) {
            continue;
        }
        if name.len() == 2 && is_hex(name) {
            take_files(&folder, &into.join(name), |file| {
                matches!(file.len(), 38 | 62) && is_hex(file)
            })?;
        } else if name == "pack" {
            take_files(&folder, &into.join(name), |file| {
                let stem = file
                    .strip_suffix(".pack")
                    .or_else(|| file.strip_suffix(".idx"));
                stem.and_then(|stem| stem.strip_prefix("pack-"))
                    .is_some_and(is_hex)
            })?;
        }
    }
    Ok(())
}

fn take_files(from: &Path, into: &Path, wanted: impl Fn(&str) -> bool) -> io::Result<()> {
    fs::create_dir_all(into)?;
    for entry in fs::read_dir(from)? {
        let name = entry?.file_name();
        let source = from.join(&name);
        if !name.to_str().is_some_and(&wanted) || !is_plain(&source) {
            continue;
        }
        let target = into.join(&name);
        // The agent is dead: a second name for its file is as good as a copy, and free.
        if fs::hard_link(&source, &target).is_err() {
            io::copy(
                &mut open_plain(&source)?,
                &mut fs::File::create_new(&target)?,
            )?;
        }
    }
    Ok(())
}

/// Branches, tags and the stash of a git directory that somebody else could write to.
pub fn read_refs(git_dir: &Path) -> BTreeMap<String, String> {
    let mut refs = BTreeMap::new();
    let packed = git_dir.join("packed-refs");
    for line in read_text(&packed, MAX_PACKED_REFS)
        .unwrap_or_default()
        .lines()
    {
        if let Some((object, name)) = line.split_once(' ')
            && is_object(object)
            && is_of_interest(name)
            && refs.len() < MAX_REFS
        {
            refs.insert(name.to_owned(), object.to_owned());
        }
    }
    if is_plain_dir(&git_dir.join("refs")) {
        read_loose(git_dir, "refs", &mut refs);
    }
    refs
}

fn is_of_interest(name: &str) -> bool {
    name.starts_with("refs/heads/") || name.starts_with("refs/tags/") || name == "refs/stash"
}

fn read_loose(git_dir: &Path, folder: &str, refs: &mut BTreeMap<String, String>) {
    let Ok(entries) = fs::read_dir(git_dir.join(folder)) else {
        return;
    };
    for entry in entries.filter_map(Result::ok) {
        let (Ok(kind), Some(part)) = (
            entry.file_type(),
            entry.file_name().to_str().map(str::to_owned),
        ) else {
            continue;
        };
        let name = format!("{folder}/{part}");
        if kind.is_dir() && name.split('/').count() < 64 && name.len() < 2_000 {
            read_loose(git_dir, &name, refs);
        } else if kind.is_file()
            && is_of_interest(&name)
            && let Some(object) = read_text(&entry.path(), 1_000)
            && is_object(object.trim())
            && refs.len() < MAX_REFS
        {
            refs.insert(name, object.trim().to_owned());
        }
    }
}

fn read_head(git_dir: &Path, refs: &BTreeMap<String, String>) -> Option<String> {
    let text = read_text(&git_dir.join("HEAD"), 4_096)?;
    let text = text.trim();
    match text.strip_prefix("ref: ") {
        Some(name) => refs.get(name.trim()).cloned(),
        None => is_object(text).then(|| text.to_owned()),
    }
}

fn is_object(text: &str) -> bool {
    matches!(text.len(), 40 | 64)
        && text
            .bytes()
            .all(|b| b.is_ascii_digit() || matches!(b, b'a'..=b'f'))
        && text.bytes().any(|b| b != b'0')
}

/// The text of a plain file that is not longer than `limit`.
fn read_text(path: &Path, limit: u64) -> Option<String> {
    let mut bytes = Vec::new();
    open_plain(path)
        .ok()?
        .take(limit + 1)
        .read_to_end(&mut bytes)
        .ok()?;
    (bytes.len() as u64 <= limit).then(|| String::from_utf8_lossy(&bytes).into_owned())
}

impl Salvaged {
    /// Copies a commit with its history into the mirror under `name`. Git checks on the way that
    /// every object is there and is what its name says; one that is not is the agent's doing and no
    /// error of ours. (`fsckObjects` would also refuse what the repository itself had before.)
    pub(super) fn fetch_into(
        &self,
        git: &Git,
        mirror: &Mirror,
        object: &str,
        name: &str,
    ) -> Result<(), GitError> {
        // Something to fetch it by: a ref of ours, whatever the workspace called it.
        let given = self.git_dir.join("refs/heads/given");
        fs::write(&given, format!("{object}\n")).map_err(|error| GitError::Io(given, error))?;
        let call = git
            .in_dir(&mirror.git_dir)
            .args(["fetch", "--quiet", "--no-tags"])
            .args([
                "--no-write-fetch-head",
                "--no-auto-maintenance",
                "--no-recurse-submodules",
            ])
            .args(["--update-shallow", "--end-of-options"])
            .arg(&self.git_dir)
            .arg(format!("+refs/heads/given:{name}"))
            .timeout(std::time::Duration::from_mins(10));
        crate::git::checked("fetch", &call)?;
        Ok(())
    }
}
