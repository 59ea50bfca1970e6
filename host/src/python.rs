//! Programs written in Python, looked into without running them, which would take seconds: a console
//! script names its interpreter, and the folders of that name the packages and their versions.

mod packages;
mod script;
mod version;

use std::path::{Path, PathBuf};

use crate::context::Environment;
use crate::process::find_on_path;
pub(crate) use packages::Packages;
pub use version::{NoVersion, Version};

/// A console script that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Script {
    /// What is run: behind links and pyenv's shims.
    pub(crate) program: PathBuf,
    /// `None`: it does not say, or not in a way known here.
    pub(crate) interpreter: Option<PathBuf>,
}

impl Script {
    /// Looks behind the program at `found`.
    pub(crate) fn behind(found: &Path, env: &Environment) -> Self {
        let program = script::behind_shim(found, env.get("PYENV_VERSION"))
            .unwrap_or_else(|| found.to_owned());
        let program = std::fs::canonicalize(&program).unwrap_or(program);
        let interpreter = script::interpreter(&program, env.get_os("PATH"));
        Self {
            program,
            interpreter,
        }
    }

    /// The packages it can import, when one of `wanted` is among them.
    pub(crate) fn packages(&self, wanted: &[&str]) -> Option<Packages> {
        Packages::of(self.interpreter.as_deref()?, &self.program, wanted)
    }
}

/// The file itself, if it can be run.
pub(crate) fn executable(file: &Path) -> Option<PathBuf> {
    let name = file.file_name()?.to_str()?;
    find_on_path(name, file.parent()?.as_os_str())
}
