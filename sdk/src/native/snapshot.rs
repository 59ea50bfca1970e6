//! The files of a repository's HEAD, or of a plain folder.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::Git;
use crate::Failure;
use crate::repo::File;

/// One commit's plain files; links and submodules are not among them.
#[derive(Debug)]
pub(crate) struct Snapshot {
    source: Source,
    files: Vec<File>,
    /// Contents by path, read at once when first asked for.
    contents: OnceCell<BTreeMap<String, Rc<[u8]>>>,
}

#[derive(Debug)]
enum Source {
    /// Blob names in the order of `files`.
    Repository {
        git: Git,
        blobs: Vec<String>,
    },
    Folder(PathBuf),
}

impl Snapshot {
    /// HEAD when the folder is a repository's root, else the folder's files.
    pub(crate) fn of(folder: &Path) -> Result<Self, Failure> {
        if folder.join(".git").exists() {
            return Self::of_repository(Git::at(folder));
        }
        let mut files = Vec::new();
        walk(folder, "", &mut files).map_err(|error| unreadable(folder, &error))?;
        files.sort();
        Ok(Self {
            source: Source::Folder(folder.to_owned()),
            files,
            contents: OnceCell::new(),
        })
    }

    fn of_repository(git: Git) -> Result<Self, Failure> {
        let listing = git.run(&["ls-tree", "-r", "-l", "-z", "HEAD"])?;
        let mut entries: Vec<(File, String)> = listing
            .split(|&byte| byte == 0)
            .filter_map(|entry| {
                let (facts, path) = std::str::from_utf8(entry).ok()?.split_once('\t')?;
                let mut facts = facts.split_whitespace();
                let (mode, _, blob, size) =
                    (facts.next()?, facts.next()?, facts.next()?, facts.next()?);
                let file = File {
                    path: path.to_owned(),
                    size: size.parse().ok()?,
                };
                mode.starts_with("100").then(|| (file, blob.to_owned()))
            })
            .collect();
        entries.sort();
        let (files, blobs) = entries.into_iter().unzip();
        Ok(Self {
            source: Source::Repository { git, blobs },
            files,
            contents: OnceCell::new(),
        })
    }

    pub(crate) fn files(&self) -> &[File] {
        &self.files
    }

    pub(crate) fn has(&self, path: &str) -> bool {
        self.files
            .binary_search_by(|file| file.path.as_str().cmp(path))
            .is_ok()
    }

    /// Content of a file; `None` when there is none of that path.
    pub(crate) fn bytes(&self, path: &str) -> Result<Option<Rc<[u8]>>, Failure> {
        if self.contents.get().is_none() {
            let contents = self.read_all()?;
            // Nobody else can have set it in between: a `OnceCell` stays on its thread.
            let _ = self.contents.set(contents);
        }
        Ok(self
            .contents
            .get()
            .and_then(|contents| contents.get(path).cloned()))
    }

    /// The repository, for its history.
    pub(crate) fn git(&self) -> Result<&Git, Failure> {
        match &self.source {
            Source::Repository { git, .. } => Ok(git),
            Source::Folder(folder) => Err(Failure::new(
                "unavailable",
                format!(
                    "{} has no history: it is not a git repository",
                    folder.display()
                ),
            )),
        }
    }

    fn read_all(&self) -> Result<BTreeMap<String, Rc<[u8]>>, Failure> {
        let paths = self.files.iter().map(|file| file.path.clone());
        match &self.source {
            Source::Folder(folder) => paths
                .map(|path| {
                    let bytes = std::fs::read(folder.join(&path))
                        .map_err(|error| unreadable(folder, &error))?;
                    Ok((path, bytes.into()))
                })
                .collect(),
            Source::Repository { git, blobs } => {
                let output =
                    git.run_with(&["cat-file", "--batch"], Some(blobs.join("\n").into()))?;
                let mut rest = output.as_slice();
                Ok(paths
                    .map_while(|path| {
                        let end = rest.iter().position(|&byte| byte == b'\n')?;
                        let header = std::str::from_utf8(&rest[..end]).ok()?;
                        let size: usize = header.rsplit(' ').next()?.parse().ok()?;
                        let bytes = rest.get(end + 1..end + 1 + size)?;
                        rest = rest.get(end + size + 2..)?;
                        Some((path, bytes.into()))
                    })
                    .collect())
            }
        }
    }
}

fn walk(root: &Path, inside: &str, files: &mut Vec<File>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(root.join(inside))? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        let path = if inside.is_empty() {
            name
        } else {
            format!("{inside}/{name}")
        };
        let kind = entry.file_type()?;
        if kind.is_dir() {
            walk(root, &path, files)?;
        } else if kind.is_file() {
            let size = entry.metadata()?.len();
            files.push(File { path, size });
        }
    }
    Ok(())
}

fn unreadable(folder: &Path, error: &std::io::Error) -> Failure {
    Failure::new(
        "unavailable",
        format!("cannot read {}: {error}", folder.display()),
    )
}
