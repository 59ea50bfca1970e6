//! What every command gets: resolved paths, environment, clock, ui. Built once, from the outside
//! world; nobody below reads environment variables.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::{fs, io};

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use rustix::fs::OFlags;

use crate::error::{Error, Result};
use crate::ui::Ui;

/// The process's environment as it was at start.
#[derive(Debug, Clone, Default)]
pub struct Environment(BTreeMap<OsString, OsString>);

impl Environment {
    /// The one place that reads it.
    pub fn read() -> Self {
        Self(std::env::vars_os().collect())
    }

    /// For tests of what is pure.
    pub fn from_pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        Self(
            pairs
                .into_iter()
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
        )
    }

    /// A variable that is set, not empty and UTF-8.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.get_os(name)?.to_str()
    }

    /// Every variable: for a program of the user's own choice, which needs what the user has.
    pub fn iter(&self) -> impl Iterator<Item = (&OsString, &OsString)> {
        self.0.iter()
    }

    /// A variable that is set and not empty.
    pub fn get_os(&self, name: &str) -> Option<&std::ffi::OsStr> {
        self.0
            .get(std::ffi::OsStr::new(name))
            .map(OsString::as_os_str)
            .filter(|value| !value.is_empty())
    }
}

/// The folder everything of ours lives in: `CHANGELINGS_HOME`, else `~/.changelings`.
#[derive(Debug, Clone)]
pub struct Home {
    root: PathBuf,
}

impl Home {
    pub fn at(root: PathBuf) -> Self {
        Self { root }
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    /// `config.toml`: the configuration.
    pub fn config_file(&self) -> PathBuf {
        self.root.join("config.toml")
    }

    /// `grants.toml`: grants, keyed by template digest. Written by `permission grant`.
    pub fn grants_file(&self) -> PathBuf {
        self.root.join("grants.toml")
    }

    /// `components/`: components compiled by this program, 0700.
    pub fn components_dir(&self) -> PathBuf {
        self.root.join("components")
    }

    /// `cache/`: what is known of the programs this one calls; can be deleted.
    pub fn cache_dir(&self) -> PathBuf {
        self.root.join("cache")
    }

    /// `deployments/`: what is deployed on Modal, a folder each.
    pub fn deployments_dir(&self) -> PathBuf {
        self.root.join("deployments")
    }

    /// `mirrors/`: one bare mirror per repository.
    pub fn mirrors_dir(&self) -> PathBuf {
        self.root.join("mirrors")
    }

    /// `runs/`: records; `runs/ID/` holds one run's files, `runs/runs.sqlite` what is queried.
    pub fn runs_dir(&self) -> PathBuf {
        self.root.join("runs")
    }
}

/// Makes a folder (and those above it) that only this user can enter. One that exists is left as
/// it is: its mode is the user's choice.
pub fn create_private_dir(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
}

/// Opens a file to read it where somebody else could write: a link would read what they chose, a pipe
/// make us wait for ever. Neither counts as there, not even when it comes while we look.
pub(crate) fn open_plain(path: &Path) -> io::Result<fs::File> {
    use std::os::unix::fs::OpenOptionsExt;
    if !is_plain(path) {
        return Err(io::ErrorKind::NotFound.into());
    }
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    let file = fs::OpenOptions::new()
        .read(true)
        .custom_flags(flags)
        .open(path)?;
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::ErrorKind::NotFound.into())
    }
}

/// Whether a plain file is there; a link is none.
pub(crate) fn is_plain(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|meta| meta.is_file())
}

/// Now, or the moment a test fixed with `CHANGELINGS_NOW` (RFC 3339).
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    fixed: Option<Timestamp>,
}

impl Clock {
    pub const SYSTEM: Self = Self { fixed: None };

    pub fn now(self) -> Timestamp {
        self.fixed.unwrap_or_else(Timestamp::now)
    }

    pub fn now_in(self, zone: TimeZone) -> Zoned {
        self.now().to_zoned(zone)
    }
}

/// Everything a command needs from the outside.
#[derive(Debug)]
pub struct Context {
    pub env: Environment,
    pub home: Home,
    pub clock: Clock,
    pub cwd: PathBuf,
    pub ui: Ui,
}

impl Context {
    /// A path as a person reads it: `~` for the user's own folder.
    pub fn shown(&self, path: &Path) -> String {
        let below_home = self
            .env
            .get_os("HOME")
            .map(Path::new)
            .filter(|home| home.is_absolute())
            .and_then(|home| path.strip_prefix(home).ok());
        match below_home {
            Some(rest) if rest.as_os_str().is_empty() => "~".to_owned(),
            Some(rest) => format!("~/{}", crate::names::printable(&rest.to_string_lossy())),
            None => crate::names::printable(&path.to_string_lossy()),
        }
    }

    /// A path as it can be typed into a shell.
    pub fn typed(&self, path: &Path) -> String {
        let shown = self.shown(path);
        let plain = |c: char| c.is_ascii_alphanumeric() || "/._-~".contains(c);
        if shown.chars().all(plain) {
            shown
        } else {
            shell_words::quote(&path.to_string_lossy()).into_owned()
        }
    }

    /// # Errors
    /// No home folder can be found, or `CHANGELINGS_NOW` is no time.
    pub fn new(env: Environment, ui: Ui) -> Result<Self> {
        let root = match env.get_os("CHANGELINGS_HOME") {
            Some(root) => std::path::absolute(root)?,
            None => std::env::home_dir()
                .filter(|home| home.is_absolute())
                .map(|home| home.join(".changelings"))
                .ok_or_else(|| {
                    Error::failed("cannot tell the home folder of this user")
                        .with_hint("set HOME, or CHANGELINGS_HOME to the folder to use")
                })?,
        };
        let fixed = env
            .get("CHANGELINGS_NOW")
            .map(|text| {
                text.parse().map_err(|error| {
                    Error::usage(format!("CHANGELINGS_NOW is not an RFC 3339 time: {error}"))
                })
            })
            .transpose()?;
        Ok(Self {
            home: Home::at(root),
            clock: Clock { fixed },
            cwd: std::env::current_dir()?,
            env,
            ui,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn only_plain_files_are_opened() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("secret"), "secret").unwrap();
        symlink(at("secret"), at("link")).unwrap();
        std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
        for name in ["none", "link", "socket", "."] {
            let error = open_plain(&at(name)).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::NotFound, "{name}");
        }
        // Somebody changes what is there all the while.
        let done = std::sync::atomic::AtomicBool::new(false);
        let done = &done;
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(std::sync::atomic::Ordering::Relaxed) {
                    fs::write(at("new"), "open").unwrap();
                    fs::rename(at("new"), at("swapped")).unwrap();
                    symlink(at("secret"), at("new")).unwrap();
                    fs::rename(at("new"), at("swapped")).unwrap();
                }
            });
            let mut opened = 0;
            let give_up = std::time::Instant::now() + std::time::Duration::from_mins(1);
            // On a busy machine the other may not come to it for long.
            while opened < 200 && std::time::Instant::now() < give_up {
                if let Ok(file) = open_plain(&at("swapped")) {
                    opened += 1;
                    let text = io::read_to_string(file).unwrap();
                    assert_eq!(text, "open");
                }
            }
            done.store(true, std::sync::atomic::Ordering::Relaxed);
            assert_eq!(opened, 200);
        });
    }
}
