//! A change seen before it is written.

use std::fmt::Write as _;

use super::flag_of;
use crate::config::edit::{EditError, preview_config};
use crate::config::{Changeling, Config, ConfigError, Problem};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::names::Name;

/// What `config.toml` would be after a change to the entry `name`.
pub(in crate::commands) struct Preview {
    pub config: Config,
    pub text: String,
}

impl Preview {
    pub(in crate::commands) fn changeling(&self, name: &Name) -> Result<Changeling> {
        Ok(self.config.changeling(name)?.clone())
    }
}

/// Makes a change without writing it. Mistakes in what the flags say are told by flag; those that are
/// in the file already, by line.
pub(in crate::commands) fn preview(
    context: &Context,
    name: &Name,
    change: impl FnOnce(&mut toml_edit::DocumentMut) -> Result<()>,
) -> Result<Preview> {
    let (_, text) = preview_config::<PreviewError>(&context.home, |doc| {
        change(doc).map_err(PreviewError::Change)
    })?;
    let file = context.home.config_file();
    match Config::parse(&file, &text, context.home.root()) {
        Ok(config) => Ok(Preview { config, text }),
        Err(ConfigError::Invalid { problems, .. }) => Err(blame(name, &problems)),
        Err(error) => Err(error.into()),
    }
}

enum PreviewError {
    Change(Error),
    Edit(EditError),
}

impl From<EditError> for PreviewError {
    fn from(error: EditError) -> Self {
        Self::Edit(error)
    }
}

impl From<PreviewError> for Error {
    fn from(error: PreviewError) -> Self {
        match error {
            PreviewError::Change(error) => error,
            PreviewError::Edit(error) => error.into(),
        }
    }
}

/// Problems of an entry that was never written, told by the flags they come from.
fn blame(name: &Name, problems: &[Problem]) -> Error {
    let entry = format!("changelings.{name}.");
    let place = |problem: &Problem| match problem.key.strip_prefix(&entry) {
        Some(key) => {
            let (key, below) = key
                .split_once('.')
                .map_or((key, None), |(k, b)| (k, Some(b)));
            let below = below.map_or_else(String::new, |below| format!(" {below}"));
            format!("{}{below}", flag_of(key))
        }
        None => problem.key.clone(),
    };
    if let [problem] = problems {
        let error = Error::usage(format!("{}: {}", place(problem), problem.message));
        return match &problem.help {
            Some(help) => error.with_hint(help),
            None => error,
        };
    }
    let mut text = format!("{} of the values cannot be used", problems.len());
    for problem in problems {
        let _ = write!(text, "\n  {}: {}", place(problem), problem.message);
        if let Some(help) = &problem.help {
            let _ = write!(text, "; {help}");
        }
    }
    Error::usage(text)
}
