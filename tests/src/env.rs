//! A world for one test.

use std::ffi::OsStr;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::program::{changeling, project_root};
use crate::repo::Repo;
use crate::run::{Invocation, Output};
use crate::terminal::Shown;

/// What the program takes for now, unless the test says otherwise: a Monday morning.
pub const NOW: &str = "2026-03-02T09:00:00Z";

/// What the names of all tests' folders begin with.
pub(crate) const PREFIX: &str = "changelings-test-";

/// Folders, clock and environment of one test; gone when it ends.
///
/// With `CHANGELINGS_KEEP_TEST_DIRS` set, the folders of a failed test stay and their path is printed.
#[derive(Debug)]
pub struct TestEnv {
    folder: Option<tempfile::TempDir>,
    root: PathBuf,
}

impl TestEnv {
    /// A world in which the built-in templates are compiled already, as after the first command:
    /// compiling them anew for every test would take longer than the tests.
    ///
    /// # Panics
    /// The folders cannot be made, or the program cannot compile its templates.
    #[expect(
        clippy::new_without_default,
        reason = "a world is built, not defaulted"
    )]
    pub fn new() -> Self {
        let env = Self::untouched();
        let components = env.changelings_home().join("components");
        let mut private = std::fs::DirBuilder::new();
        private.recursive(true).mode(0o700);
        private
            .create(&components)
            .expect("making a folder in a temporary folder");
        for file in compiled_templates() {
            let copy = components.join(file.file_name().expect("a file has a name"));
            std::fs::copy(file, copy).expect("copying a compiled template");
        }
        env
    }

    /// A world in which nothing of ours was ever started: `CHANGELINGS_HOME` does not exist.
    ///
    /// # Panics
    /// The folders cannot be made.
    pub fn untouched() -> Self {
        let folder = tempfile::Builder::new()
            .prefix(PREFIX)
            .tempdir()
            .expect("making a temporary folder");
        // macOS hands out a link (/var/folders) and git answers with what it points to.
        let root = folder.path().canonicalize().expect("a folder just made");
        let env = Self {
            folder: Some(folder),
            root,
        };
        for folder in [env.home(), env.work(), env.tmp(), env.bin()] {
            std::fs::create_dir_all(folder).expect("making a folder in a temporary folder");
        }
        env
    }

    /// The folder everything of this test is in.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// `HOME`.
    pub fn home(&self) -> PathBuf {
        self.root.join("home")
    }

    /// `CHANGELINGS_HOME`; the program makes it when it needs it.
    pub fn changelings_home(&self) -> PathBuf {
        self.root.join("changelings-home")
    }

    /// The folder commands are started in; empty, no repository.
    pub fn work(&self) -> PathBuf {
        self.root.join("work")
    }

    /// `TMPDIR`.
    pub fn tmp(&self) -> PathBuf {
        self.root.join("tmp")
    }

    /// First folder of `PATH`; see [`TestEnv::program`].
    pub fn bin(&self) -> PathBuf {
        self.root.join("bin")
    }

    /// Where the configuration of this test is.
    pub fn config_file(&self) -> PathBuf {
        self.changelings_home().join("config.toml")
    }

    /// Writes the configuration file, whatever it says.
    ///
    /// # Panics
    /// It cannot be written.
    pub fn write_config(&self, text: &str) {
        write(&self.config_file(), text);
    }

    /// The configuration file as it is now; empty when there is none.
    pub fn read_config(&self) -> String {
        std::fs::read_to_string(self.config_file()).unwrap_or_default()
    }

    /// Writes a file into the folder of this test and returns its path.
    ///
    /// # Panics
    /// It cannot be written.
    pub fn write(&self, path: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.root.join(path);
        write(&path, content);
        path
    }

    /// Puts an executable in front of everything else on the program's `PATH`.
    ///
    /// # Panics
    /// It cannot be written.
    pub fn program(&self, name: &str, script: &str) -> PathBuf {
        let path = self.bin().join(name);
        write(&path, script);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755))
            .expect("making a file executable");
        path
    }

    /// Puts a link to a program before everything else on the program's `PATH`.
    ///
    /// # Panics
    /// It cannot be made.
    pub fn link_program(&self, name: &str, program: &Path) {
        let link = self.bin().join(name);
        std::os::unix::fs::symlink(program, &link)
            .unwrap_or_else(|e| panic!("making {}: {e}", link.display()));
    }

    /// A new repository without commits, on branch `main`.
    pub fn repo(&self, name: &str) -> Repo<'_> {
        Repo::init(self, &self.root.join("repos").join(name))
    }

    /// The repository `./dev demo` rehearses on (`tests/demo/make-sample-repo.sh`): a small service
    /// with eight real markers, and decoys.
    pub fn sample_repo(&self) -> Repo<'_> {
        let path = self.root.join("repos/parcels");
        let script = project_root().join("tests/demo/make-sample-repo.sh");
        self.external(script, [&path]).run().success();
        Repo::open(self, &path)
    }

    /// Runs `changeling ARGS` to its end, without a terminal.
    pub fn changeling<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Output {
        self.command(args).run()
    }

    /// Prepares `changeling ARGS`: folder, variables, input, terminal and patience can be changed.
    pub fn command<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Invocation {
        self.external(changeling(), args)
    }

    /// Prepares another program in the same world.
    pub fn external<S: AsRef<OsStr>>(
        &self,
        program: impl AsRef<OsStr>,
        args: impl IntoIterator<Item = S>,
    ) -> Invocation {
        let mut invocation =
            Invocation::new(program.as_ref(), self.replacements()).dir(self.work());
        for arg in args {
            invocation = invocation.arg(arg);
        }
        for (name, value) in self.variables() {
            invocation = invocation.env(name, value);
        }
        invocation
    }

    /// Runs in a real terminal of that many columns.
    pub fn width(&self, columns: u16) -> AtWidth<'_> {
        AtWidth { env: self, columns }
    }

    /// The whole environment a command gets.
    pub fn variables(&self) -> Vec<(&'static str, std::ffi::OsString)> {
        vec![
            ("HOME", self.home().into()),
            ("CHANGELINGS_HOME", self.changelings_home().into()),
            ("CHANGELINGS_NOW", NOW.into()),
            ("TMPDIR", self.tmp().into()),
            ("PATH", self.path()),
            ("LC_ALL", "C.UTF-8".into()),
            ("TZ", "UTC".into()),
            ("TERM", "xterm-256color".into()),
            // A file of the test's own: what writes here as root would replace a device.
            ("GIT_CONFIG_GLOBAL", self.home().join(".gitconfig").into()),
            ("GIT_CONFIG_NOSYSTEM", "1".into()),
        ]
    }

    /// Our own programs first, then git and what a system brings; nothing from the user's folders.
    fn path(&self) -> std::ffi::OsString {
        let mut folders = vec![self.bin()];
        folders.extend(crate::needs::find("git").and_then(|git| git.parent().map(Path::to_owned)));
        folders.extend(["/usr/bin".into(), "/bin".into()]);
        std::env::join_paths(folders).expect("no folder of PATH holds a colon")
    }

    /// Paths that differ from run to run, longest first, and the words that stand for them.
    fn replacements(&self) -> Vec<(String, &'static str)> {
        let given = self.folder.as_ref().map(|folder| folder.path().to_owned());
        let mut replacements = Vec::new();
        for root in [Some(self.root.clone()), given].into_iter().flatten() {
            for (path, word) in [
                (root.join("changelings-home"), "[CHANGELINGS_HOME]"),
                (root.join("home"), "[HOME]"),
                (root, "[ROOT]"),
            ] {
                replacements.push((path.to_string_lossy().into_owned(), word));
            }
        }
        replacements.push((project_root().to_string_lossy().into_owned(), "[PROJECT]"));
        replacements
    }
}

impl Drop for TestEnv {
    fn drop(&mut self) {
        crate::traces::end_processes_of(&self.root);
        let keep =
            std::thread::panicking() && std::env::var_os("CHANGELINGS_KEEP_TEST_DIRS").is_some();
        if let Some(folder) = self.folder.take().filter(|_| keep) {
            eprintln!(
                "the folders of this test stay in {}",
                folder.keep().display()
            );
        }
    }
}

/// Runs commands in a terminal of a given width.
#[derive(Debug)]
pub struct AtWidth<'a> {
    env: &'a TestEnv,
    columns: u16,
}

impl AtWidth<'_> {
    /// Runs `changeling ARGS` to its end.
    pub fn changeling<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Shown {
        self.env.command(args).terminal(self.columns).finish()
    }
}

/// The built-in templates as the program under test compiles them: files of a store that stays beside
/// the program, brought up to date once per run of the tests.
fn compiled_templates() -> &'static [PathBuf] {
    static FILES: OnceLock<Vec<PathBuf>> = OnceLock::new();
    FILES.get_or_init(|| {
        let env = TestEnv::untouched();
        let home = changeling().with_file_name("test-home");
        let list = env
            .command(["template", "list", "--json"])
            .env("CHANGELINGS_HOME", &home)
            .run()
            .success()
            .json();
        let digests: Vec<_> = list["templates"]
            .as_array()
            .expect("a list of templates")
            .iter()
            .filter_map(|template| template["digest"].as_str())
            .collect();
        let is_current = |path: &PathBuf| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            digests.iter().any(|digest| name.starts_with(digest)) && name.ends_with(".cwasm")
        };
        let files = std::fs::read_dir(home.join("components")).expect("the store is there");
        files
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(is_current)
            .collect()
    })
}

pub(crate) fn write(path: &Path, content: impl AsRef<[u8]>) {
    let folder = path.parent().expect("a file is in a folder");
    std::fs::create_dir_all(folder).unwrap_or_else(|e| panic!("making {}: {e}", folder.display()));
    std::fs::write(path, content).unwrap_or_else(|e| panic!("writing {}: {e}", path.display()));
}
