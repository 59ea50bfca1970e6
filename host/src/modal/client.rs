//! The one process that talks to Modal: a small package of ours, run by the Python that has Modal's
//! official client. Requests one after the other, answers while it works; however many apps they are about.

mod session;
mod trouble;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::ModalError;
use crate::config::Config;
use crate::context::{Context, Environment, create_private_dir};
use crate::names::{Digest, printable_lines};
use crate::process::{Command, find_on_path};
use crate::python::{Script, Version, executable};
pub use session::Session;
pub use trouble::{Cause, Trouble};

/// The oldest client that can do all that is asked here.
pub const OLDEST: Version = Version::new(1, 6, 0);

/// The newest series this program was tried with. Some of what is asked has no public function in the
/// client: another series may do that otherwise.
pub const NEWEST: Version = Version::new(1, 6, 0);

/// How long Modal may answer nothing.
const PATIENCE: Duration = Duration::from_secs(20);

/// Longer than any call: silence is what ends one.
const NO_END: Duration = Duration::from_hours(72);

/// Our package; `__main__.py` tells what it is asked and answers.
const FILES: [(&str, &str); 5] = [
    ("__main__.py", include_str!("client/__main__.py")),
    ("pulse.py", include_str!("client/pulse.py")),
    ("report.py", include_str!("client/report.py")),
    ("deploy.py", include_str!("client/deploy.py")),
    ("look.py", include_str!("client/look.py")),
];

/// Modal's client, found and new enough.
#[derive(Debug, Clone)]
pub struct Client {
    /// The `modal` program, for a person to type.
    pub program: PathBuf,
    pub version: Version,
    python: PathBuf,
    folder: PathBuf,
    env: Environment,
    patience: Duration,
}

/// One answer: what it is, of which app, and the rest.
#[derive(Debug, Clone, Deserialize)]
pub struct Answer {
    pub event: String,
    /// App it is about; absent where it is about none or all.
    #[serde(default)]
    pub app: Option<String>,
    #[serde(flatten)]
    pub fields: Map<String, Value>,
}

impl Answer {
    /// The answer as what went wrong with its app, when it is that.
    pub fn trouble(&self) -> Option<Trouble> {
        (self.event == "error").then(|| {
            let text = |name: &str| self.fields.get(name).and_then(Value::as_str);
            Trouble {
                cause: Cause::of(text("kind").unwrap_or_default()),
                message: printable_lines(text("message").unwrap_or_default()),
            }
        })
    }

    /// One of its fields, as text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.fields.get(name).and_then(Value::as_str)
    }
}

impl Client {
    /// What `[modal] binary` names, else `modal` on PATH. Nothing is run.
    ///
    /// # Errors
    /// There is none, or one that is too old or of a kind not known here.
    pub fn find(config: &Config, context: &Context) -> Result<Self, ModalError> {
        let env = &context.env;
        let found = if let Some(binary) = &config.modal.binary {
            let home = env.get_os("HOME").map(Path::new);
            let binary = binary.resolve(config.base(), home);
            executable(&binary).ok_or(ModalError::NotThere(binary))?
        } else {
            let path = env.get_os("PATH").unwrap_or_default();
            find_on_path("modal", path).ok_or(ModalError::NotInstalled)?
        };
        let script = Script::behind(&found, env);
        let version = script.packages(&["modal"]).and_then(|p| p.version("modal"));
        let (Some(python), Some(version)) = (script.interpreter, version) else {
            return Err(ModalError::Opaque(found));
        };
        if version < OLDEST {
            return Err(ModalError::TooOld {
                program: found,
                version,
            });
        }
        Ok(Self {
            program: found,
            version,
            python,
            folder: install(&context.home.cache_dir())?,
            env: env.clone(),
            patience: PATIENCE,
        })
    }

    /// Starts the process. It asks Modal nothing before the first request.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn connect(&self) -> Result<Session, ModalError> {
        let running = self.command().start()?;
        Ok(Session::of(running, self.python.clone(), self.patience))
    }

    /// One request in a process of its own: see [`Session::ask`].
    ///
    /// # Errors
    /// As there.
    pub fn call(&self, request: &Value, hear: &mut dyn FnMut(Answer)) -> Result<(), ModalError> {
        self.connect()?.ask(request, hear)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.python)
            .arg(&self.folder)
            .cwd(self.folder.join("empty"))
            .timeout(NO_END)
            .max_output(256 * 1024);
        // Modal's own settings, proxies and certificates are the user's.
        for (name, value) in self.env.iter() {
            command = command.env(name, value);
        }
        command
            // The client sends author, branch and remote of the repository it is run in.
            .env("GIT_DIR", self.folder.join("empty/no-repository"))
            .env("PYTHONSAFEPATH", "")
    }
}

/// Puts our package into a folder of its own, once; another version of it has another folder.
fn install(cache: &Path) -> Result<PathBuf, ModalError> {
    let texts: Vec<_> = FILES
        .iter()
        .flat_map(|(name, text)| [*name, *text])
        .collect();
    let text = texts.join("\n");
    let digest = Digest::of(text.as_bytes());
    let folder = cache.join(format!("modal-client-{}", digest.short()));
    if folder.join("empty").is_dir() {
        return Ok(folder);
    }
    let failed = |source| ModalError::File {
        what: "write",
        path: folder.clone(),
        source,
    };
    create_private_dir(cache).map_err(failed)?;
    let aside = tempfile::tempdir_in(cache).map_err(failed)?;
    for (name, text) in FILES {
        std::fs::File::create_new(aside.path().join(name))
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .map_err(failed)?;
    }
    std::fs::create_dir(aside.path().join("empty")).map_err(failed)?;
    match std::fs::rename(aside.path(), &folder) {
        // Another command was faster.
        Err(_) if folder.join("empty").is_dir() => Ok(folder),
        Err(error) => Err(failed(error)),
        Ok(()) => {
            let _ = aside.keep();
            Ok(folder)
        }
    }
}

#[cfg(test)]
mod tests;
