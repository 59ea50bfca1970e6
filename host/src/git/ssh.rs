//! ssh with one given key: never another, never a question, and only hosts whose keys are known.

use std::ffi::OsString;
use std::fs::{File, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// Hosts whose keys are published, for machines that never connected to them.
const KNOWN_HOSTS: &str = include_str!("known_hosts");

/// A private key.
pub enum Key<'a> {
    /// A file of the user's, left where it is.
    File(PathBuf),
    /// The key itself.
    Text(&'a str),
}

/// How git calls ssh. Its files are gone when the value is.
#[derive(Debug)]
pub struct Ssh {
    command: OsString,
    _files: TempDir,
}

impl Ssh {
    /// Files go into a new folder in `place` that only this user can enter: `ssh` for a run's own
    /// folder, another name in one that others use, too.
    pub fn with_key(key: &Key, place: &Path, own: bool) -> io::Result<Self> {
        let files = tempfile::Builder::new()
            .prefix(if own { "ssh" } else { ".ssh-" })
            .rand_bytes(if own { 0 } else { 8 })
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in(place)?;
        let known_hosts = write(files.path(), "known_hosts", KNOWN_HOSTS)?;
        let key = match key {
            Key::File(path) => path.clone(),
            // ssh reads no key whose last line does not end.
            Key::Text(text) => write(files.path(), "key", &format!("{}\n", text.trim_end()))?,
        };
        Ok(Self {
            command: command(&key, &known_hosts)?.into(),
            _files: files,
        })
    }

    /// For `GIT_SSH_COMMAND`: a line for a shell.
    pub(super) fn command(&self) -> &OsString {
        &self.command
    }
}

fn write(folder: &Path, name: &str, text: &str) -> io::Result<PathBuf> {
    let path = folder.join(name);
    let mut file = File::options()
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(&path)?;
    file.write_all(text.as_bytes())?;
    Ok(path)
}

/// The user's own configuration and known hosts still count; what is given here goes first.
fn command(key: &Path, known_hosts: &Path) -> io::Result<String> {
    let text = |path: &Path| {
        let text = path.to_str().filter(|text| !text.contains(['"', '\n']));
        text.map(str::to_owned).ok_or_else(|| {
            io::Error::other("a path for ssh has a quote, a line break or is not UTF-8")
        })
    };
    // `%` begins a word of ssh's own.
    let key = text(key)?.replace('%', "%%");
    let known_hosts = format!(
        "GlobalKnownHostsFile=/etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2 \"{}\"",
        text(known_hosts)?
    );
    Ok(shell_words::join([
        "ssh",
        "-i",
        &key,
        "-o",
        "IdentitiesOnly=yes",
        "-o",
        "BatchMode=yes",
        "-o",
        "ConnectTimeout=30",
        "-o",
        "StrictHostKeyChecking=yes",
        "-o",
        &known_hosts,
    ]))
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD};
    use sha2::{Digest as _, Sha256};

    use super::*;

    #[test]
    fn the_keys_are_githubs() {
        let fingerprints: Vec<_> = KNOWN_HOSTS
            .lines()
            .filter(|line| !line.starts_with('#'))
            .map(|line| {
                let key = BASE64_STANDARD
                    .decode(line.rsplit(' ').next().unwrap())
                    .unwrap();
                BASE64_STANDARD_NO_PAD.encode(Sha256::digest(key))
            })
            .collect();
        assert_eq!(
            fingerprints,
            [
                "+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU",
                "p2QAMXNIC1TJYWeIOttrVc98/R1BUFWu3/LiyKgUfQM",
                "uNiVztksCsDhcc0u9e8BujQXVUpKZIDTMczCvj3tD2s",
            ]
        );
    }

    #[test]
    fn files_are_private_and_do_not_stay() {
        let place = tempfile::tempdir().unwrap();
        let ssh = Ssh::with_key(&Key::Text("a key"), place.path(), true).unwrap();
        let folder = place.path().join("ssh");
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&folder), 0o700);
        for name in ["key", "known_hosts"] {
            assert_eq!(mode(&folder.join(name)), 0o600, "{name}");
        }
        assert_eq!(
            std::fs::read_to_string(folder.join("key")).unwrap(),
            "a key\n"
        );
        drop(ssh);
        assert!(!folder.exists());
    }

    #[test]
    fn paths_reach_ssh_whole() {
        let line = command(Path::new("/a b/100%"), Path::new("/it's/known hosts")).unwrap();
        let words = shell_words::split(&line).unwrap();
        assert_eq!(&words[..3], ["ssh", "-i", "/a b/100%%"]);
        assert!(words.last().unwrap().ends_with(" \"/it's/known hosts\""));
        assert!(command(Path::new("/a\"b"), Path::new("/")).is_err());
    }
}
