//! Finding `mngr` and what it can do without running it, which would take more than a second: its
//! script names its Python, whose folders name its version and plugins.

mod ask;

use std::path::{Path, PathBuf};

use super::{Dialect, MngrError, Version};
use crate::config::Config;
use crate::context::{Context, Environment};
use crate::process::find_on_path;
use crate::python::{Packages, Script, executable};

/// Names the program has had, the present one first.
const PROGRAMS: [&str; 2] = ["mngr", "mng"];
/// Its packages, likewise.
const PACKAGES: [&str; 2] = ["imbue-mngr", "mng"];

/// Every local create fails in these versions with a pyinfra this new: "child watchers are only
/// available on the default loop".
const TRAP: (Version, Version, Version) = (
    Version::new(0, 2, 0),
    Version::new(0, 2, 7),
    Version::new(3, 8, 0),
);

/// Newest series this program was tried with.
pub const NEWEST: Version = Version::new(0, 3, 0);

/// An mngr that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    /// What is run: behind links and pyenv's shims, when that is known.
    pub program: PathBuf,
    /// `None`: its folders do not say.
    pub version: Option<Version>,
    pub dialect: Dialect,
    /// The plugin that knows claude, and the one that adds `mngr wait`.
    pub has_claude: bool,
    pub has_wait: bool,
    /// For `PYTHONUSERBASE`: without it, and without the user's home, this one is not importable.
    pub user_base: Option<PathBuf>,
}

impl Installed {
    /// What `[mngr] binary` names, else what is on PATH.
    ///
    /// # Errors
    /// There is none, or one that cannot work.
    pub fn find(config: &Config, context: &Context) -> Result<Self, MngrError> {
        let env = &context.env;
        let found = if let Some(binary) = &config.mngr.binary {
            let home = env.get_os("HOME").map(Path::new);
            let binary = binary.resolve(config.base(), home);
            executable(&binary).ok_or(MngrError::NotThere(binary))?
        } else {
            let path = env.get_os("PATH").unwrap_or_default();
            let mut found = PROGRAMS.iter().filter_map(|name| find_on_path(name, path));
            found.next().ok_or(MngrError::NotInstalled)?
        };
        Self::at(&found, &context.home.cache_dir(), env)
    }

    fn at(found: &Path, cache: &Path, env: &Environment) -> Result<Self, MngrError> {
        let script = Script::behind(found, env);
        if let Some(packages) = script.packages(&PACKAGES)
            && let Some(version) = PACKAGES.iter().find_map(|name| packages.version(name))
        {
            return Self::of(script.program, version, &packages);
        }
        let dialect = ask::dialect(found, cache, env).map_err(|why| MngrError::Broken {
            program: found.to_owned(),
            why,
        })?;
        Ok(Self {
            program: found.to_owned(),
            version: None,
            dialect,
            // It says so itself when it has not.
            has_claude: true,
            has_wait: true,
            user_base: None,
        })
    }

    fn of(program: PathBuf, version: Version, packages: &Packages) -> Result<Self, MngrError> {
        let (first, fixed, pyinfra) = TRAP;
        if let Some(found) = packages.version("pyinfra")
            && (first..fixed).contains(&version)
            && found >= pyinfra
        {
            return Err(MngrError::Trap {
                version,
                pyinfra: found,
            });
        }
        Ok(Self {
            program,
            version: Some(version),
            dialect: Dialect::of(version).ok_or(MngrError::TooOld(version))?,
            has_claude: packages.version("imbue-mngr-claude").is_some(),
            has_wait: packages.version("imbue-mngr-wait").is_some(),
            user_base: packages.user_base.clone(),
        })
    }

    /// Where it runs does not depend on the user's own folder, so that it can be given another one.
    pub(super) fn is_known(&self) -> bool {
        self.version.is_some()
    }
}

#[cfg(test)]
mod tests;
