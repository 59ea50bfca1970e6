//! What keeps the agent, which is another user, from secrets, other runs' records and Modal itself:
//! closed by root, then tried as the agent's user. What was only set up and never tried may not hold:
//! a volume may know no modes, a sandbox may show every process's environment to everybody.

use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::error::{Error, Kind, Result, with_causes};
use crate::names::{Name, printable};
use crate::process::{Command, ProcessError, User};

/// Where Modal's client finds its server. Of a container it asks no credentials: who reaches the socket
/// may do in the workspace what the app may.
const SERVER: &str = "MODAL_SERVER_URL";

/// A new process on a busy machine takes its time.
const PATIENCE: Duration = Duration::from_secs(30);

/// What the agent must not be able to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Deed {
    /// Talk to Modal in the app's name.
    Connect(PathBuf),
    /// Read the environment of a process that has, or had, the secrets in it.
    Environment(u32),
    List(PathBuf),
    Write(PathBuf),
}

impl Deed {
    /// Whether whoever we are can do it.
    fn works(&self) -> bool {
        match self {
            Self::Connect(socket) => UnixStream::connect(socket).is_ok(),
            Self::Environment(process) => fs::File::open(format!("/proc/{process}/environ"))
                .and_then(|mut file| file.read(&mut [0]))
                .is_ok_and(|count| count > 0),
            Self::List(folder) => fs::read_dir(folder).is_ok(),
            Self::Write(folder) => tempfile::Builder::new()
                .prefix(".tried-")
                .tempfile_in(folder)
                .is_ok(),
        }
    }

    fn in_words(&self) -> String {
        let shown = |path: &Path| printable(&path.to_string_lossy());
        match self {
            Self::Connect(socket) => format!(
                "use Modal as this app does (by {}), other changelings' secrets included",
                shown(socket)
            ),
            Self::Environment(process) => {
                format!("read the secrets in the environment of process {process}")
            }
            Self::List(folder) => format!("read the volume at {}", shown(folder)),
            Self::Write(folder) => format!("write to the volume at {}", shown(folder)),
        }
    }

    /// Closes to everybody else the folder in which the way to it begins, when nothing the agent needs is
    /// there.
    fn close_folder(&self, context: &Context) {
        let (Self::Connect(path) | Self::List(path) | Self::Write(path)) = self else {
            return;
        };
        let Ok(path) = path.canonicalize() else {
            return;
        };
        let Some(folder) = path.parent() else { return };
        let is_shared =
            fs::metadata(folder).is_ok_and(|meta| meta.permissions().mode() & 0o1000 != 0);
        if !is_shared && !context.home.root().starts_with(folder) {
            close(folder, 0o700);
        }
    }
}

/// Closes what root can close, and makes sure, as the agent's user, that it is.
///
/// # Errors
/// Something is open, or nobody can tell: the agent must not start.
pub(super) fn hold(
    user: &User,
    volume: Option<&Path>,
    changeling: &Name,
    context: &Context,
) -> Result<()> {
    let sockets = sockets(context.env.get(SERVER).unwrap_or_default());
    for socket in &sockets {
        close(socket, 0o600);
    }
    let mut open = tried(&deeds(sockets, volume), user)?;
    if !open.is_empty() {
        // A file system may know no modes of what is in it, and yet have a door.
        for deed in &open {
            deed.close_folder(context);
        }
        open = tried(&open, user)?;
    }
    if open.is_empty() {
        return Ok(());
    }
    let could: Vec<_> = open.iter().map(Deed::in_words).collect();
    Err(Error::needs_person(format!(
        "the agent is not started: its user, {}, could {}",
        user.name,
        could.join("; and ")
    ))
    .with_hint(format!(
        "`changeling disable {changeling}` takes it off the schedule, `changeling run {changeling} --local` runs it \
         here; containers at Modal must keep users apart before it can work there"
    )))
}

/// All that is tried.
fn deeds(sockets: Vec<PathBuf>, volume: Option<&Path>) -> Vec<Deed> {
    let parent = rustix::process::getppid().map(|pid| pid.as_raw_nonzero().get().cast_unsigned());
    let mut processes = vec![std::process::id(), 1];
    processes.extend(parent);
    processes.sort_unstable();
    processes.dedup();
    let of_volume = volume.into_iter().flat_map(|folder| {
        [
            Deed::List(folder.to_owned()),
            Deed::Write(folder.to_owned()),
        ]
    });
    sockets
        .into_iter()
        .map(Deed::Connect)
        .chain(processes.into_iter().map(Deed::Environment))
        .chain(of_volume)
        .collect()
}

/// Those that work for the agent's user: this same program tries them.
fn tried(deeds: &[Deed], user: &User) -> Result<Vec<Deed>> {
    let unknown = |why: String| {
        Error::needs_person(format!(
            "the agent is not started: what its user, {}, could reach cannot be told: {why}",
            user.name
        ))
    };
    let program = if cfg!(target_os = "linux") {
        // Also where the way to it is closed to that user.
        PathBuf::from("/proc/self/exe")
    } else {
        std::env::current_exe()?
    };
    let question = serde_json::to_vec(deeds).map_err(|error| unknown(error.to_string()))?;
    let finished = Command::new(program)
        .args(["exec", "--try"])
        .cwd("/")
        .env("HOME", "/")
        .stdin(question)
        .timeout(PATIENCE)
        .user(Some(user))
        .run()
        .map_err(|error| match error {
            ProcessError::Interrupted(_) => Error::from_source(Kind::Interrupted, error),
            error => unknown(with_causes(&error)),
        })?;
    if !finished.success() {
        let said = String::from_utf8_lossy(&finished.stderr);
        return Err(unknown(printable(said.trim())));
    }
    serde_json::from_slice(&finished.stdout).map_err(|error| unknown(error.to_string()))
}

/// Reads from standard input what to try, tries it, and prints what works.
pub fn try_them(context: &Context) -> Result<()> {
    let deeds: Vec<Deed> = serde_json::from_reader(std::io::stdin().lock())
        .map_err(|error| Error::usage(format!("it is `exec` that starts this: {error}")))?;
    let worked: Vec<_> = deeds.into_iter().filter(Deed::works).collect();
    context.ui.json(&worked);
    Ok(())
}

/// Paths of the unix sockets among the addresses of a server, which are separated by commas.
fn sockets(addresses: &str) -> Vec<PathBuf> {
    addresses
        .split(',')
        .filter_map(|address| {
            let path = address.trim().strip_prefix("unix:")?;
            // After two slashes comes a host, which is empty.
            let path = path.strip_prefix("//").map_or(path, |rest| {
                rest.find('/').map_or("", |start| &rest[start..])
            });
            (!path.is_empty()).then(|| PathBuf::from(path))
        })
        .collect()
}

/// Whether that helped is tried, not believed.
fn close(path: &Path, mode: u32) {
    if let Err(error) = fs::set_permissions(path, fs::Permissions::from_mode(mode)) {
        tracing::debug!("cannot close {} to others: {error}", path.display());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_among_addresses() {
        for (addresses, expected) in [
            ("unix:///run/modal.sock", vec!["/run/modal.sock"]),
            ("unix:/run/modal.sock", vec!["/run/modal.sock"]),
            (
                "https://api.modal.com, unix://host/a,unix:///b",
                vec!["/a", "/b"],
            ),
            ("http://127.0.0.1:80", vec![]),
            ("unix://", vec![]),
            ("", vec![]),
        ] {
            let expected: Vec<_> = expected.into_iter().map(PathBuf::from).collect();
            assert_eq!(sockets(addresses), expected, "{addresses}");
        }
    }

    #[test]
    fn what_works_and_what_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("socket");
        let listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        assert!(Deed::Connect(socket.clone()).works());
        drop(listener);
        assert!(!Deed::Connect(socket).works());
        assert!(Deed::List(folder.path().to_owned()).works());
        assert!(Deed::Write(folder.path().to_owned()).works());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        let gone = folder.path().join("gone");
        assert!(!Deed::List(gone.clone()).works());
        assert!(!Deed::Write(gone).works());
        if cfg!(target_os = "linux") {
            assert!(Deed::Environment(std::process::id()).works());
            assert!(!Deed::Environment(u32::MAX).works());
        }
    }
}
