//! Locking a file and putting another text in its place.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use super::EditError;
use crate::config::{MAX_FILE, read_text};

/// How often a change is computed anew because somebody else, without our lock, changed the file.
const ATTEMPTS: usize = 5;

/// Between two looks at a lock that is held.
const PAUSE: Duration = Duration::from_millis(5);

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> EditError {
    move |source| EditError::Io {
        action,
        path: path.to_owned(),
        source,
    }
}

/// Replaces the text of a file by what `change` makes of it, under the file's lock. Equal texts are
/// not written.
pub(super) fn update<T, E: From<EditError>>(
    path: &Path,
    wait: Duration,
    mut change: impl FnMut(&str) -> Result<(String, T), E>,
) -> Result<T, E> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(failed("create the folder", folder))?;
    let _lock = Lock::take(path, wait)?;
    let target = target(path)?;
    for _ in 0..ATTEMPTS {
        check_ours(&target)?;
        let old = read_text(&target).map_err(EditError::from)?;
        let (new, answer) = change(old.as_deref().unwrap_or_default())?;
        if new.len() as u64 > MAX_FILE {
            return Err(EditError::TooLarge(path.to_owned()).into());
        }
        if old.as_deref().unwrap_or_default() == new {
            return Ok(answer);
        }
        let aside = write_aside(&target, &new)?;
        // Editors know nothing of our lock.
        if read_text(&target).map_err(EditError::from)? == old {
            aside.put_in_place(&target)?;
            return Ok(answer);
        }
    }
    Err(EditError::Restless(path.to_owned()).into())
}

/// Held until dropped, and gone with the process however it ends.
struct Lock {
    _file: File,
}

impl Lock {
    /// The lock of a file is a file beside it: the file itself is replaced at every change.
    fn take(path: &Path, wait: Duration) -> Result<Self, EditError> {
        let lock = beside(path, "lock");
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .custom_flags(no_follow())
            .open(&lock)
            .map_err(failed("open the lock", &lock))?;
        let start = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if start.elapsed() < wait => thread::sleep(PAUSE),
                Err(TryLockError::WouldBlock) => {
                    let mut text = String::new();
                    let _ = (&file).take(20).read_to_string(&mut text);
                    let holder = text.trim().parse().ok();
                    return Err(EditError::Locked {
                        file: path.to_owned(),
                        wait,
                        holder,
                    });
                }
                Err(TryLockError::Error(error)) => return Err(failed("lock", &lock)(error)),
            }
        }
        // Who holds it, for the message of whoever waits in vain; not worth failing for.
        let _ = file.set_len(0);
        let _ = file.rewind();
        let _ = writeln!(file, "{}", std::process::id());
        Ok(Self { _file: file })
    }
}

fn no_follow() -> i32 {
    rustix::fs::OFlags::NOFOLLOW.bits().cast_signed()
}

/// `.NAME.SUFFIX` in the same folder.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{suffix}"))
}

/// The file a link stands for, as people keep their settings in a repository of their own; it need
/// not exist yet.
fn target(path: &Path) -> Result<PathBuf, EditError> {
    match fs::canonicalize(path) {
        Ok(target) => return Ok(target),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(failed("find", path)(error)),
    }
    let mut target = path.to_owned();
    // `canonicalize` has refused loops; the bound is for links that change while we look.
    for _ in 0..40 {
        let Ok(next) = fs::read_link(&target) else {
            break;
        };
        target = target.parent().unwrap_or(Path::new("/")).join(next);
    }
    if target.parent().is_some_and(Path::is_dir) {
        return Ok(target);
    }
    Err(EditError::Dangling {
        path: path.to_owned(),
        target,
    })
}

/// Refuses to replace what is no file, belongs to somebody else, or is write-protected: a rename
/// would succeed all the same wherever the folder is ours.
fn check_ours(target: &Path) -> Result<(), EditError> {
    let metadata = match fs::metadata(target) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed("look at", target)(error)),
    };
    let path = target.to_owned();
    if metadata.is_dir() {
        return Err(EditError::NotAFile {
            path,
            what: "a folder",
        });
    }
    if !metadata.is_file() {
        return Err(EditError::NotAFile {
            path,
            what: "a pipe or device",
        });
    }
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        return Err(EditError::NotOurs {
            path,
            owner: metadata.uid(),
        });
    }
    // The mode, not `access`: root may write anything, and would lift a protection unknowingly.
    if metadata.mode() & 0o200 == 0 {
        return Err(EditError::Protected(path));
    }
    Ok(())
}

/// A finished text that is not in place yet; removed when dropped before.
struct Aside {
    path: PathBuf,
    placed: bool,
}

fn write_aside(target: &Path, text: &str) -> Result<Aside, EditError> {
    let path = beside(target, "new");
    // Left by a command that was killed; its lock is gone, ours is held.
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(failed("remove", &path)(error));
        }
        _ => {}
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)
        .map_err(failed("create", &path))?;
    let aside = Aside {
        path,
        placed: false,
    };
    file.write_all(text.as_bytes())
        .and_then(|()| file.sync_all())
        .map_err(failed("write", &aside.path))?;
    Ok(aside)
}

impl Aside {
    fn put_in_place(mut self, target: &Path) -> Result<(), EditError> {
        fs::rename(&self.path, target).map_err(failed("replace", target))?;
        self.placed = true;
        // The rename itself must survive a power cut; a folder that cannot be synced is no failure.
        if let Some(folder) = target.parent() {
            let _ = File::open(folder).and_then(|folder| folder.sync_all());
        }
        Ok(())
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        if !self.placed {
            let _ = fs::remove_file(&self.path);
        }
    }
}
