//! The user an agent runs as, where this program may choose: as root it keeps what it knows, and the
//! secrets in its environment, from the agent, which is somebody else.

use std::fs;
use std::io;
use std::os::unix::fs::lchown;
use std::path::Path;

const PASSWD: &str = "/etc/passwd";

/// Another user than ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    pub name: String,
    pub uid: u32,
    pub gid: u32,
}

impl User {
    /// The first of these users that the system knows; `None`: this program is not root, and runs
    /// nothing as anybody else.
    ///
    /// # Errors
    /// This program is root, and the system knows none of them.
    pub fn other(names: &[&str]) -> io::Result<Option<Self>> {
        if !rustix::process::geteuid().is_root() {
            return Ok(None);
        }
        let text = fs::read_to_string(PASSWD)?;
        let found = names
            .iter()
            .find_map(|name| text.lines().find_map(|line| Self::parse(line, name)));
        found.map(Some).ok_or_else(|| {
            io::Error::other(format!("{PASSWD} knows no {}", names.join(" and no ")))
        })
    }

    fn parse(line: &str, name: &str) -> Option<Self> {
        let mut fields = line.split(':');
        fields.next().filter(|field| *field == name)?;
        // On macOS nobody is minus two.
        let number = |text: &str| {
            let number: i64 = text.parse().ok()?;
            u32::try_from(number)
                .ok()
                .or_else(|| i32::try_from(number).ok().map(i32::cast_unsigned))
        };
        let (uid, gid) = (number(fields.nth(1)?)?, number(fields.next()?)?);
        (uid != 0 && gid != 0).then(|| Self {
            name: name.to_owned(),
            uid,
            gid,
        })
    }

    /// Gives it a file or folder and all that is in it; links are not followed. Only before the agent
    /// has started: afterwards it could put anything there while we look.
    pub(crate) fn give(&self, path: &Path) -> io::Result<()> {
        lchown(path, Some(self.uid), Some(self.gid))?;
        if fs::symlink_metadata(path)?.is_dir() {
            for entry in fs::read_dir(path)? {
                self.give(&entry?.path())?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_found_and_root_is_not() {
        let user = |uid, gid| {
            Some(User {
                name: "nobody".into(),
                uid,
                gid,
            })
        };
        for (line, expected) in [
            (
                "nobody:x:65534:65533:nobody:/nonexistent:/usr/sbin/nologin",
                user(65534, 65533),
            ),
            (
                "nobody:*:-2:-2:Unprivileged User:/var/empty:/usr/bin/false",
                user(u32::MAX - 1, u32::MAX - 1),
            ),
            ("nobody:x:0:0::/:/bin/sh", None),
            ("nobody:x:a:1::/:/bin/sh", None),
            ("nobody", None),
            ("root:x:0:0:root:/root:/bin/bash", None),
        ] {
            assert_eq!(User::parse(line, "nobody"), expected, "{line}");
        }
    }
}
