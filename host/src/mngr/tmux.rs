//! A tmux server of the run's own. Its socket needs a short path, so its folder may lie outside the
//! run's.

use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::files::Files;
use crate::context::{Environment, create_private_dir};
use crate::process::{Command, User};

/// Longest path of a socket that macOS takes; Linux takes four bytes more.
const MAX_SOCKET: usize = 103;
/// How its folder is called when it lies in one for temporary files.
const PREFIX: &str = "changeling-";
/// Where temporary files may lie when the run's folder and TMPDIR are too long.
const SHORT: &str = "/tmp";

const DEADLINE: Duration = Duration::from_secs(10);

/// Killed and gone when its user is done; see `end`.
#[derive(Debug)]
pub(super) struct Server {
    program: PathBuf,
    /// `TMUX_TMPDIR`.
    pub(super) folder: PathBuf,
    /// Whose it is, when it is not ours.
    user: Option<User>,
}

impl Server {
    /// Makes a folder for it; tmux starts it when it is first called there.
    pub(super) fn prepare(
        program: &Path,
        files: &Files,
        env: &Environment,
        user: Option<&User>,
    ) -> io::Result<Self> {
        let uid = uid_of(user);
        let link = files.root.join("tmux");
        create_private_dir(&link)?;
        let mut folder = std::fs::canonicalize(&link)?;
        if socket(&folder, uid).as_os_str().len() > MAX_SOCKET {
            std::fs::remove_dir(&link)?;
            folder = elsewhere(env, uid)?;
            // Whoever cleans up after us finds it here.
            std::os::unix::fs::symlink(&folder, &link)?;
        }
        Ok(Self {
            program: program.to_owned(),
            folder,
            user: user.cloned(),
        })
    }

    /// It answers. It ends by itself with its last session.
    pub(super) fn lives(&self) -> bool {
        UnixStream::connect(socket(&self.folder, uid_of(self.user.as_ref()))).is_ok()
    }

    /// Ends it and the programs in it, as far as they heed that.
    pub(super) fn end(&self) {
        if !self.lives() {
            return;
        }
        let finished = Command::new(&self.program)
            .arg("kill-server")
            .env("TMUX_TMPDIR", &self.folder)
            .timeout(DEADLINE)
            .cleans_up()
            .user(self.user.as_ref())
            .run();
        if let Err(error) = finished {
            tracing::debug!("tmux kill-server: {error}");
        }
    }
}

fn uid_of(user: Option<&User>) -> u32 {
    user.map_or_else(|| rustix::process::getuid().as_raw(), |user| user.uid)
}

fn socket(folder: &Path, uid: u32) -> PathBuf {
    folder.join(format!("tmux-{uid}")).join("default")
}

fn elsewhere(env: &Environment, uid: u32) -> io::Result<PathBuf> {
    let temporary = env.get_os("TMPDIR").map(PathBuf::from);
    let places = temporary.into_iter().chain([PathBuf::from(SHORT)]);
    let mut failed = io::Error::other("no folder has a path short enough for a socket of tmux");
    for place in places {
        let Ok(place) = std::fs::canonicalize(place) else {
            continue;
        };
        if socket(&place.join(PREFIX), uid).as_os_str().len() + 6 > MAX_SOCKET {
            continue;
        }
        let made = tempfile::Builder::new()
            .prefix(PREFIX)
            .make_in(&place, |path| {
                std::fs::DirBuilder::new().mode(0o700).create(path)
            });
        match made {
            Ok(made) => {
                let ((), path) = made.keep().map_err(|error| error.error)?;
                return Ok(path);
            }
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

/// Removes what a server left outside the run's folder. The agent could write where this is noted, so
/// only what can be nothing else is removed: an empty folder of that name, and a socket in it.
pub(crate) fn remove_outside(run_dir: &Path) {
    let Ok(folder) = std::fs::read_link(Files::of(run_dir).root.join("tmux")) else {
        return;
    };
    let name = folder.file_name().and_then(|name| name.to_str());
    if !name.is_some_and(|name| name.starts_with(PREFIX)) {
        return;
    }
    let Ok(metadata) = std::fs::symlink_metadata(&folder) else {
        return;
    };
    let socket = socket(&folder, metadata.uid());
    let is_socket = std::fs::symlink_metadata(&socket).is_ok_and(|metadata| {
        use std::os::unix::fs::FileTypeExt;
        metadata.file_type().is_socket()
    });
    // What is not there any more, or not empty, stays as it is.
    if is_socket {
        let _ = std::fs::remove_file(&socket);
    }
    if let Some(inner) = socket.parent() {
        let _ = std::fs::remove_dir(inner);
    }
    let _ = std::fs::remove_dir(&folder);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_paths_stay_and_long_ones_go_elsewhere() {
        let folder = tempfile::tempdir().unwrap();
        let env = Environment::from_pairs([("TMPDIR", folder.path().to_str().unwrap())]);
        let prepare = |run: &Path| {
            let files = Files::of(run);
            files.make().unwrap();
            Server::prepare(Path::new("/usr/bin/tmux"), &files, &env, None).unwrap()
        };
        let short = folder.path().join("r");
        let socket = |folder: &Path| socket(folder, uid_of(None));
        if socket(&folder.path().join("r/agent/tmux"))
            .as_os_str()
            .len()
            <= MAX_SOCKET
        {
            assert!(prepare(&short).folder.ends_with("r/agent/tmux"));
        }
        let long = folder.path().join("r".repeat(100));
        let server = prepare(&long);
        assert!(!server.folder.starts_with(&long), "{server:?}");
        assert!(socket(&server.folder).as_os_str().len() <= MAX_SOCKET);
        assert!(!server.lives());
        std::fs::create_dir(socket(&server.folder).parent().unwrap()).unwrap();
        let listener = std::os::unix::net::UnixListener::bind(socket(&server.folder)).unwrap();
        assert!(server.lives());
        drop(listener);
        remove_outside(&long);
        assert!(!server.folder.exists());
        remove_outside(&short);
    }

    #[test]
    fn a_link_the_agent_made_removes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let files = Files::of(folder.path());
        files.make().unwrap();
        let precious = folder.path().join("changeling-precious");
        std::fs::create_dir(&precious).unwrap();
        std::fs::write(precious.join("thesis"), "x").unwrap();
        std::os::unix::fs::symlink(&precious, files.root.join("tmux")).unwrap();
        remove_outside(folder.path());
        assert!(precious.join("thesis").exists());
    }
}
