//! The only writer of our TOML files. An edit keeps comments and order, is done under a lock on the
//! file as it is then, checked, and put in place by one rename: whoever reads, and whatever is killed,
//! there is the old file or the new one. A file that is not ours to replace is left alone.

pub mod entry;
mod replace;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use toml_edit::DocumentMut;

use super::{Config, ConfigError, MAX_FILE};
use crate::context::Home;
use crate::error::{Error, Kind};
use crate::names::printable;

/// How long an edit waits for another command's.
const WAIT: Duration = Duration::from_secs(20);

/// Why a file was not changed. Nothing was written then.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    #[error("another command holds {} for more than {} s", .file.display(), .wait.as_secs())]
    Locked {
        file: PathBuf,
        wait: Duration,
        holder: Option<u32>,
    },
    #[error("cannot {action} {}", .path.display())]
    Io {
        action: &'static str,
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("{} is {what}, not a file", .path.display())]
    NotAFile { path: PathBuf, what: &'static str },
    #[error("{} belongs to another user (uid {owner})", .path.display())]
    NotOurs { path: PathBuf, owner: u32 },
    #[error("{} is write-protected", .0.display())]
    Protected(PathBuf),
    #[error("{} is a link to {}, whose folder does not exist", .path.display(), .target.display())]
    Dangling { path: PathBuf, target: PathBuf },
    #[error("{}: {message}", .path.display())]
    Syntax { path: PathBuf, message: String },
    #[error("{} would be larger than {} MiB", .0.display(), MAX_FILE / 1024 / 1024)]
    TooLarge(PathBuf),
    #[error("{} keeps being changed by another program", .0.display())]
    Restless(PathBuf),
    #[error(transparent)]
    Read(#[from] ConfigError),
}

impl From<EditError> for Error {
    fn from(error: EditError) -> Self {
        let hint = match &error {
            EditError::Read(_) => {
                let EditError::Read(error) = error else {
                    unreachable!("just matched")
                };
                return error.into();
            }
            EditError::Locked {
                holder: Some(pid), ..
            } => {
                format!("process {pid} has it; try again when it has ended")
            }
            EditError::Locked { .. } => "try again when the other command has ended".into(),
            EditError::Io { source, .. } => match source.kind() {
                io::ErrorKind::StorageFull => "make room on the disk; nothing was changed".into(),
                _ => "nothing was changed; CHANGELINGS_HOME can name another folder".into(),
            },
            EditError::NotAFile { path, .. } => {
                format!("move it away: mv {0} {0}.old", path.display())
            }
            EditError::NotOurs { .. } => {
                "run this as that user, or set CHANGELINGS_HOME to a folder of your own".into()
            }
            EditError::Protected(path) => {
                format!("if it is meant to be changed: chmod u+w {}", path.display())
            }
            EditError::Dangling { target, .. } => match target.parent() {
                Some(folder) => format!("make the folder: mkdir -p {}", folder.display()),
                None => "remove the link".into(),
            },
            EditError::Syntax { .. } => "mend the file by hand; nothing was changed".into(),
            EditError::TooLarge(_) => "nothing was changed".into(),
            EditError::Restless(_) => "close the program that writes it and try again".into(),
        };
        let kind = match &error {
            EditError::Syntax { .. } => Kind::Usage,
            _ => Kind::Failed,
        };
        Self::from_source(kind, error).with_hint(hint)
    }
}

/// Changes a TOML file under its lock; a file that is absent is made. `change` may be called again
/// when the file changed meanwhile, and nothing is written when it fails or changes nothing.
///
/// # Errors
/// The file cannot be read, is no TOML, or is not ours to replace; or `change` failed.
pub fn edit_file<T, E: From<EditError>>(
    path: &Path,
    mut change: impl FnMut(&mut DocumentMut) -> Result<T, E>,
) -> Result<T, E> {
    replace::update(path, WAIT, |old| {
        let (new, answer) = changed(path, old, &mut change)?;
        // An edit must never leave what it could not read again.
        parse(path, &new)?;
        Ok((new, answer))
    })
}

/// Changes `config.toml`, which must be without mistakes before and after.
///
/// # Errors
/// As `edit_file`; and the configuration has mistakes, or would have.
pub fn edit_config<T, E: From<EditError>>(
    home: &Home,
    mut change: impl FnMut(&mut DocumentMut) -> Result<T, E>,
) -> Result<T, E> {
    let file = home.config_file();
    replace::update(&file, WAIT, |old| {
        Config::parse(&file, old, home.root()).map_err(EditError::from)?;
        let (new, answer) = changed(&file, old, &mut change)?;
        Config::parse(&file, &new, home.root()).map_err(EditError::from)?;
        Ok((new, answer))
    })
}

/// What `edit_config` would write, without writing: the text before, which has no mistakes, and the
/// text after, not checked.
///
/// # Errors
/// As `edit_config`.
pub fn preview_config<E: From<EditError>>(
    home: &Home,
    change: impl FnOnce(&mut DocumentMut) -> Result<(), E>,
) -> Result<(String, String), E> {
    let file = home.config_file();
    let old = super::read_text(&file)
        .map_err(EditError::from)?
        .unwrap_or_default();
    Config::parse(&file, &old, home.root()).map_err(EditError::from)?;
    let (new, ()) = changed(&file, &old, change)?;
    Ok((old, new))
}

/// Puts a whole new text in the place of `config.toml` (somebody wrote it in an editor), unless the
/// file is no longer what he started from.
///
/// # Errors
/// The new text has mistakes, or as `edit_file`. `Ok(false)`: the file was changed meanwhile.
pub fn replace_config(home: &Home, started_from: &str, new: &str) -> Result<bool, EditError> {
    let file = home.config_file();
    replace::update(&file, WAIT, |old| {
        if old != started_from {
            return Ok((old.to_owned(), false));
        }
        Config::parse(&file, new, home.root())?;
        Ok((new.to_owned(), true))
    })
}

/// The text after a change; what the change does not touch is kept to the byte.
fn changed<T, E: From<EditError>>(
    path: &Path,
    old: &str,
    change: impl FnOnce(&mut DocumentMut) -> Result<T, E>,
) -> Result<(String, T), E> {
    let (mut doc, form) = parse(path, old)?;
    let answer = change(&mut doc)?;
    Ok((form.restore(&doc.to_string()), answer))
}

/// What `toml_edit` does not keep of a file: its byte order mark, its line ends, and that the last
/// line has none.
#[derive(Debug, Clone)]
struct Form {
    mark: bool,
    crlf: bool,
    /// The last line, when it has no end.
    open_end: Option<String>,
}

impl Form {
    fn of(text: &str) -> Self {
        let ends = text.matches('\n').count();
        Self {
            mark: text.starts_with('\u{feff}'),
            crlf: ends > 0 && text.matches("\r\n").count() == ends,
            open_end: text
                .rsplit('\n')
                .next()
                .filter(|last| !last.is_empty())
                .map(|last| last.trim_start_matches('\u{feff}').to_owned()),
        }
    }

    fn restore(&self, text: &str) -> String {
        let mut text = text.trim_start_matches('\u{feff}').to_owned();
        if let Some(last) = &self.open_end
            && text
                .strip_suffix('\n')
                .is_some_and(|text| text.rsplit('\n').next() == Some(last))
        {
            text.pop();
        }
        if self.crlf {
            text = text.replace('\n', "\r\n");
        }
        if self.mark {
            format!("\u{feff}{text}")
        } else {
            text
        }
    }
}

fn parse(path: &Path, text: &str) -> Result<(DocumentMut, Form), EditError> {
    let form = Form::of(text);
    let text = if form.crlf {
        Cow::Owned(text.replace("\r\n", "\n"))
    } else {
        Cow::Borrowed(text)
    };
    match text.parse() {
        Ok(doc) => Ok((doc, form)),
        Err(error) => {
            let error: toml_edit::TomlError = error;
            let message = error
                .to_string()
                .lines()
                .next()
                .unwrap_or_default()
                .to_owned();
            let message = format!("{}: {}", printable(&message), printable(error.message()));
            Err(EditError::Syntax {
                path: path.to_owned(),
                message,
            })
        }
    }
}
