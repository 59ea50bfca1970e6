//! Real programs of others, in versions that are pinned here: fetched from PyPI and npm once, each into
//! a folder of its own below `target/tools`. The user's own installations are never touched.

use std::ffi::OsStr;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::needs;
use crate::program::changeling;

/// A program from a package registry.
struct Tool {
    /// Its folder below `target/tools`.
    folder: &'static str,
    /// The program within the folder.
    program: &'static str,
    source: Source,
}

/// Installs into a folder, or says why not.
type Install = Box<dyn FnOnce(&Path) -> Result<(), String>>;

enum Source {
    /// Into a virtual environment of a Python that is at least this old.
    PyPi {
        python: (u32, u32),
        packages: &'static [&'static str],
    },
    Npm {
        package: &'static str,
    },
}

const fn from_pypi(
    folder: &'static str,
    program: &'static str,
    python: (u32, u32),
    packages: &'static [&'static str],
) -> Tool {
    let source = Source::PyPi { python, packages };
    Tool {
        folder,
        program,
        source,
    }
}

const MNGR: Tool = from_pypi(
    "mngr-0.3.0",
    "bin/mngr",
    (3, 12),
    &[
        "imbue-mngr==0.3.0",
        "imbue-mngr-claude==0.3.0",
        "imbue-mngr-wait==0.2.0",
    ],
);

const MNGR_0_2: Tool = Tool {
    folder: "mngr-0.2.2",
    program: "bin/mngr",
    source: Source::PyPi {
        python: (3, 11),
        // With a newer pyinfra it creates nothing on this machine.
        packages: &["imbue-mngr==0.2.2", "pyinfra<3.8"],
    },
};

const MNG: Tool = from_pypi("mng-0.1.4", "bin/mng", (3, 11), &["mng==0.1.4"]);

const CLAUDE: Tool = Tool {
    folder: "claude-code-2.1.330",
    program: "node_modules/.bin/claude",
    source: Source::Npm {
        package: "@anthropic-ai/claude-code@2.1.330",
    },
};

const MODAL: Tool = from_pypi("modal-1.6.4", "bin/modal", (3, 11), &["modal==1.6.4"]);

const BLACK: Tool = from_pypi("black-26.10.1", "bin/black", (3, 10), &["black==26.10.1"]);

const RUFF: Tool = from_pypi("ruff-0.17.6", "bin/ruff", (3, 10), &["ruff==0.17.6"]);

const COMPONENTIZE_PY: Tool = from_pypi(
    "componentize-py-0.25.1",
    "bin/componentize-py",
    (3, 10),
    &["componentize-py==0.25.1"],
);

const COMPONENTIZE_JS: Tool = Tool {
    folder: "componentize-js-0.23.0",
    program: "node_modules/@bytecodealliance/componentize-js/package.json",
    source: Source::Npm {
        package: "@bytecodealliance/componentize-js@0.23.0",
    },
};

macro_rules! found_once {
    ($($(#[$doc:meta])* $name:ident: $tool:expr;)*) => {$(
        $(#[$doc])*
        #[track_caller]
        pub fn $name() -> Option<&'static Path> {
            static FOUND: OnceLock<Option<PathBuf>> = OnceLock::new();
            FOUND.get_or_init(|| $tool.find()).as_deref()
        }
    )*};
}

found_once! {
    /// `mngr` of today (0.3), with its plugins for claude and for waiting; `None` after a loud word.
    mngr: MNGR;
    /// `mngr` 0.2.2, the newest for Python 3.11; `None` after a loud word.
    mngr_0_2: MNGR_0_2;
    /// `mng` 0.1.4, which still has the flags of the first architecture; `None` after a loud word.
    mng: MNG;
    /// Formatters of Python; `None` after a loud word.
    black: BLACK;
    /// As `black`.
    ruff: RUFF;
    /// The real claude; `None` after a loud word.
    claude: CLAUDE;
    /// The official client of Modal; `None` after a loud word.
    modal: MODAL;
}

/// The program componentize-py; `None` after a loud word.
pub(crate) fn componentize_py() -> Option<PathBuf> {
    COMPONENTIZE_PY.find()
}

/// The folder in which node finds componentize-js; `None` after a loud word.
pub(crate) fn componentize_js() -> Option<PathBuf> {
    COMPONENTIZE_JS.find().map(|_| COMPONENTIZE_JS.folder())
}

impl Tool {
    fn folder(&self) -> PathBuf {
        tools().join(self.folder)
    }

    #[track_caller]
    fn find(&self) -> Option<PathBuf> {
        let folder = self.folder();
        std::fs::create_dir_all(&folder).expect("making a folder below target");
        let folder = folder.canonicalize().expect("a folder just made");
        let program = folder.join(self.program);
        // Two test programs may want it at once.
        let lock = File::create(folder.with_added_extension("lock")).expect("writing below target");
        rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive)
            .expect("locking a file");
        // Written last, so that what an interrupted installation left is no reason to fail for ever;
        // says where, because a virtual environment cannot be moved.
        let mark = folder.join("installed");
        let expected = format!("{} in {}\n", self.wanted(), folder.display());
        if std::fs::read_to_string(&mark).is_ok_and(|text| text == expected) && program.exists() {
            return Some(program);
        }
        let install = self.installer()?;
        std::fs::remove_dir_all(&folder).expect("emptying a folder below target");
        std::fs::create_dir_all(&folder).expect("making a folder below target");
        if let Err(why) = install(&folder) {
            needs::missing(self.folder, &format!("{} ({why})", self.line()));
            return None;
        }
        assert!(
            program.exists(),
            "{} was installed and {} is not there",
            self.wanted(),
            program.display()
        );
        std::fs::write(mark, expected).expect("writing below target");
        Some(program)
    }

    /// Packages and versions.
    fn wanted(&self) -> String {
        match &self.source {
            Source::PyPi { packages, .. } => packages.join(" "),
            Source::Npm { package } => (*package).to_owned(),
        }
    }

    /// What a person would type.
    fn line(&self) -> String {
        match &self.source {
            Source::PyPi { packages, .. } => format!("pip install '{}'", packages.join("' '")),
            Source::Npm { package } => format!("npm install {package}"),
        }
    }

    /// The way to install it, when what that takes is there.
    #[track_caller]
    fn installer(&self) -> Option<Install> {
        match self.source {
            Source::PyPi {
                python: oldest,
                packages,
            } => {
                let Some(python) = python(oldest) else {
                    let name = format!("Python {}.{} or newer with venv", oldest.0, oldest.1);
                    needs::missing(
                        &name,
                        &format!("uv python install {}.{}", oldest.0, oldest.1),
                    );
                    return None;
                };
                needs::network().then_some(Box::new(move |folder| {
                    run(
                        &python,
                        &["-m".as_ref(), "venv".as_ref(), folder.as_os_str()],
                    )?;
                    let words = ["install", "--quiet", "--disable-pip-version-check"];
                    let words: Vec<_> = words.iter().chain(packages).map(OsStr::new).collect();
                    run(&folder.join("bin/pip"), &words)
                }))
            }
            Source::Npm { package } => {
                let npm = needs::tool("npm").filter(|_| needs::network())?;
                Some(Box::new(move |folder| {
                    let words = [
                        "install",
                        "--loglevel=error",
                        "--no-audit",
                        "--no-fund",
                        package,
                        "--prefix",
                    ];
                    let words = words.iter().map(OsStr::new).chain([folder.as_os_str()]);
                    run(&npm, &words.collect::<Vec<_>>())
                }))
            }
        }
    }
}

/// The oldest Python that is new enough: on PATH, or where pyenv and uv keep theirs. One counts only
/// if it runs (a shim may be there for a version that is not) and can make virtual environments.
fn python(oldest: (u32, u32)) -> Option<PathBuf> {
    let mut places: Vec<_> = (oldest.1..20)
        .map(|minor| format!("python3.{minor}"))
        .chain(["python3".to_owned()])
        .flat_map(|name| {
            let system = Path::new("/usr/bin").join(&name);
            [needs::find(&name), system.is_file().then_some(system)]
        })
        .flatten()
        .collect();
    let home = std::env::var_os("HOME")
        .map(PathBuf::from)
        .unwrap_or_default();
    let set = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let pyenv = set("PYENV_ROOT").unwrap_or_else(|| home.join(".pyenv"));
    // Whose home is elsewhere may have its shims on PATH all the same.
    let path = set("PATH").unwrap_or_default().into_os_string();
    let shims = std::env::split_paths(&path).filter(|place| place.ends_with("shims"));
    let pyenvs = shims.filter_map(|place| Some(place.parent()?.to_owned()));
    let pyenvs = pyenvs.chain([pyenv]).map(|root| root.join("versions"));
    let uv = set("UV_PYTHON_INSTALL_DIR").unwrap_or_else(|| {
        set("XDG_DATA_HOME")
            .unwrap_or_else(|| home.join(".local/share"))
            .join("uv/python")
    });
    for folder in pyenvs.chain([uv]) {
        let versions = std::fs::read_dir(folder).into_iter().flatten().flatten();
        places.extend(versions.map(|version| version.path().join("bin/python3")));
    }
    let usable = places.into_iter().filter_map(|place| {
        let version = python_version(&place)?;
        // Agents that run as another user need it, too: not one in a home that is closed to others.
        let closed = !is_open_to_all(&place);
        (version >= oldest).then_some((version, closed, place))
    });
    usable.min().map(|(_, _, place)| place)
}

/// Every user can reach what this path leads to.
fn is_open_to_all(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    let Ok(path) = path.canonicalize() else {
        return false;
    };
    let is_open = |part: &Path| {
        part.metadata()
            .is_ok_and(|meta| meta.permissions().mode() & 0o001 != 0)
    };
    path.ancestors().all(is_open)
}

fn python_version(python: &Path) -> Option<(u32, u32)> {
    let asked = "import sys, venv, ensurepip; print(*sys.version_info[:2])";
    let output = Command::new(python).args(["-c", asked]).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let (major, minor) = text.trim().split_once(' ')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// The folder of them all.
pub(crate) fn tools() -> PathBuf {
    let target = changeling().ancestors().nth(2);
    target
        .expect("the program is in target/<profile>")
        .join("tools")
}

/// Runs a package manager; the end of what it said when it fails.
fn run(program: &Path, args: &[&OsStr]) -> Result<(), String> {
    let output = Command::new(program)
        .args(args)
        .env_remove("VIRTUAL_ENV")
        .output();
    let output = output.map_err(|error| error.to_string())?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let last = said
        .trim_end()
        .lines()
        .next_back()
        .unwrap_or("without a word");
    if output.status.success() {
        Ok(())
    } else {
        Err(last.to_owned())
    }
}
