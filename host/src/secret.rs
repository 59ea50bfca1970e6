//! Secrets are named in the configuration and found at use: in the environment, else where
//! `[secrets]` says. Their values are never stored, shown or put into an error.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use crate::config::{Config, SecretSource};
use crate::context::Environment;
use crate::error::{Error, Kind};
use crate::process::{Command, ProcessError, find_on_path};

/// How long a command may take that prints a secret, such as `gh auth token`.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(20);

/// A secret's value. Its debug form does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The value, for the one place that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Why a secret that is configured cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    #[error("cannot read the file of the secret {name}: {path}")]
    File {
        name: String,
        path: String,
        #[source]
        source: std::io::Error,
    },
    #[error("the command of the secret {name} cannot be used")]
    Command {
        name: String,
        #[source]
        source: ProcessError,
    },
    /// What it printed is not repeated: it may hold the secret.
    #[error("the command of the secret {name} failed (exit {code})")]
    CommandFailed { name: String, code: i32 },
    #[error("the secret {name} is not UTF-8 text")]
    NotText { name: String },
}

impl From<SecretError> for Error {
    fn from(error: SecretError) -> Self {
        let hint = match &error {
            SecretError::File { name, .. } | SecretError::NotText { name } => {
                format!(
                    "mend `[secrets] {name}` in the configuration, or set {name} in the environment"
                )
            }
            SecretError::Command { name, .. } | SecretError::CommandFailed { name, .. } => {
                format!("run the command of `[secrets] {name}` by hand to see what is wrong")
            }
        };
        Self::from_source(Kind::NeedsPerson, error).with_hint(hint)
    }
}

/// The value of `name`; `None` when nothing is configured for it or what is configured is empty.
pub fn find(name: &str, config: &Config, env: &Environment) -> Result<Option<Secret>, SecretError> {
    if let Some(value) = env.get(name) {
        return Ok(Some(Secret(value.to_owned())));
    }
    let bytes = match config.secrets.get(name) {
        None => return Ok(None),
        Some(SecretSource::File(file)) => {
            let path = file.resolve(config.base(), env.get_os("HOME").map(Path::new));
            std::fs::read(&path).map_err(|source| SecretError::File {
                name: name.to_owned(),
                path: path.display().to_string(),
                source,
            })?
        }
        Some(SecretSource::Command(argv)) => output_of(name, argv, env)?,
    };
    let text = String::from_utf8(bytes).map_err(|_| SecretError::NotText {
        name: name.to_owned(),
    })?;
    // A key file's inner line breaks are part of it; the one at the end is the editor's.
    let value = text.strip_suffix('\n').unwrap_or(&text);
    let value = value.strip_suffix('\r').unwrap_or(value);
    Ok((!value.is_empty()).then(|| Secret(value.to_owned())))
}

fn output_of(name: &str, command: &[String], env: &Environment) -> Result<Vec<u8>, SecretError> {
    let [program, options @ ..] = command else {
        return Ok(Vec::new());
    };
    let found = env
        .get_os("PATH")
        .filter(|_| !program.contains('/'))
        .and_then(|path| find_on_path(program, path));
    let mut command = Command::new(found.map_or_else(|| program.into(), std::ffi::OsString::from))
        .args(options)
        .timeout(COMMAND_TIMEOUT)
        .max_output(1024 * 1024);
    // The user's own password manager needs the user's own environment.
    for (variable, value) in env.iter() {
        command = command.env(variable, value);
    }
    let finished = command.run().map_err(|source| SecretError::Command {
        name: name.to_owned(),
        source,
    })?;
    if finished.success() {
        Ok(finished.stdout)
    } else {
        Err(SecretError::CommandFailed {
            name: name.to_owned(),
            code: finished.code(),
        })
    }
}
