//! Git repositories with a history that is the same in every run: people, dates and so commit ids.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::env::{TestEnv, write};
use crate::run::Invocation;

/// Somebody who commits.
#[derive(Debug, Clone, Copy)]
pub struct Author {
    pub name: &'static str,
    pub email: &'static str,
}

pub const ADA: Author = Author {
    name: "Ada Byron",
    email: "ada@example.org",
};
pub const GRACE: Author = Author {
    name: "Grace Brewster",
    email: "grace@example.org",
};
pub const LINUS: Author = Author {
    name: "Linus Ek",
    email: "linus@example.org",
};

/// A repository in a folder of the test.
#[derive(Debug)]
pub struct Repo<'a> {
    env: &'a TestEnv,
    path: PathBuf,
}

impl<'a> Repo<'a> {
    pub(crate) fn open(env: &'a TestEnv, path: &Path) -> Self {
        Self {
            env,
            path: path.to_owned(),
        }
    }

    pub(crate) fn init(env: &'a TestEnv, path: &Path) -> Self {
        std::fs::create_dir_all(path).expect("making the folder of a repository");
        let repo = Self::open(env, path);
        repo.git(["init", "--quiet", "--initial-branch=main"]);
        repo
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// As a `file://` URL.
    pub fn url(&self) -> String {
        format!("file://{}", self.path.display())
    }

    /// Writes a file of the work tree.
    pub fn write(&self, path: &str, content: impl AsRef<[u8]>) -> &Self {
        write(&self.path.join(path), content);
        self
    }

    /// Makes a link in the work tree.
    ///
    /// # Panics
    /// It cannot be made.
    pub fn link(&self, path: &str, target: &str) -> &Self {
        let path = self.path.join(path);
        std::fs::create_dir_all(path.parent().expect("a file is in a folder"))
            .expect("making a folder");
        std::os::unix::fs::symlink(target, path).expect("making a link");
        self
    }

    /// Commits the whole work tree at noon (UTC) of a day, even when nothing changed, and returns
    /// the commit's id.
    pub fn commit(&self, author: Author, day: &str, message: &str) -> String {
        self.git(["add", "--all", "--force"]);
        self.commit_index(author, day, message)
    }

    /// Commits what is staged.
    pub fn commit_index(&self, author: Author, day: &str, message: &str) -> String {
        let date = format!("{day}T12:00:00Z");
        let mut call = self.call(["commit", "--quiet", "--allow-empty", "--message", message]);
        for (role, value) in [
            ("NAME", author.name),
            ("EMAIL", author.email),
            ("DATE", date.as_str()),
        ] {
            call = call
                .env(&format!("GIT_AUTHOR_{role}"), value)
                .env(&format!("GIT_COMMITTER_{role}"), value);
        }
        call.run().success();
        self.git(["rev-parse", "HEAD"])
    }

    /// Runs git in the repository and returns what it printed, without the last line break.
    #[track_caller]
    pub fn git<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> String {
        self.call(args).run().success().stdout.trim_end().to_owned()
    }

    /// Prepares a git call in the repository.
    pub fn call<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Invocation {
        self.env.external("git", args).dir(&self.path)
    }

    /// Every ref with what it points to, and every file of the work tree with its content: to show
    /// that a command left the repository alone.
    pub fn state(&self) -> String {
        let refs = self.git(["for-each-ref", "--format=%(refname) %(objectname)"]);
        let head = self.call(["symbolic-ref", "--quiet", "HEAD"]).run().stdout;
        let status = self.git(["status", "--porcelain", "--ignored"]);
        let config = std::fs::read_to_string(self.path.join(".git/config")).unwrap_or_default();
        format!("{head}{refs}\n{status}\n{config}")
    }

    /// A bare clone beside it; the path.
    pub fn bare_clone(&self) -> PathBuf {
        self.bare_clone_to(self.path.with_extension("git"))
    }

    /// A bare clone as a server keeps it; the path.
    pub(crate) fn bare_clone_as(&self, name: &str) -> PathBuf {
        self.bare_clone_to(self.env.root().join("served").join(format!("{name}.git")))
    }

    /// The environment of its git calls.
    pub(crate) fn variables(&self) -> Vec<(&'static str, std::ffi::OsString)> {
        self.env.variables()
    }

    fn bare_clone_to(&self, bare: PathBuf) -> PathBuf {
        self.git([
            OsStr::new("clone"),
            "--quiet".as_ref(),
            "--bare".as_ref(),
            ".".as_ref(),
            bare.as_os_str(),
        ]);
        bare
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn history_is_the_same_in_every_run() {
        let ids = [(); 2].map(|()| {
            let env = TestEnv::untouched();
            let repo = env.repo("shop");
            repo.write("a b/ä.txt", "one\n");
            let first = repo.commit(ADA, "2024-02-29", "Add a file");
            assert_eq!(
                repo.git(["log", "-1", "--format=%an %aI"]),
                "Ada Byron 2024-02-29T12:00:00Z"
            );
            [first, repo.commit(GRACE, "2024-03-01", "Change nothing")]
        });
        assert_eq!(ids[0], ids[1]);
    }

    #[test]
    fn a_change_shows_in_the_state() {
        let env = TestEnv::untouched();
        let repo = env.repo("shop");
        repo.commit(ADA, "2024-02-29", "Begin");
        let before = repo.state();
        assert_eq!(before, repo.state());
        repo.write("new", "");
        assert_ne!(before, repo.state());
    }
}
