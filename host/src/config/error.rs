//! Why there is no configuration, or not the part that was asked for.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use super::{MAX_FILE, Problem};
use crate::error::{Error, Kind};
use crate::names::{Name, NameError, printable};

/// Why there is no configuration, or not the part that was asked for.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("{}", list(.file, .problems))]
    Invalid {
        file: PathBuf,
        problems: Vec<Problem>,
    },
    #[error("cannot read {}", .0.display())]
    Read(PathBuf, #[source] io::Error),
    #[error("{} is {what}, not a file", .file.display())]
    NotAFile { file: PathBuf, what: &'static str },
    #[error("{} is larger than {} MiB", .0.display(), MAX_FILE / 1024 / 1024)]
    TooLarge(PathBuf),
    #[error("{} is not text in UTF-8 (byte {offset})", .file.display())]
    NotUtf8 { file: PathBuf, offset: usize },
    #[error("there is no changeling `{name}`")]
    UnknownChangeling {
        name: Name,
        nearest: Option<Name>,
        count: usize,
    },
    #[error("there is no repository `{repo}` in `{name}`")]
    UnknownRepo {
        name: Name,
        repo: String,
        known: Vec<String>,
    },
    #[error("{error}")]
    Name {
        error: NameError,
        suggestion: Option<Name>,
    },
    #[error("the template {template} has no parameter `{param}`")]
    UnknownParam {
        template: Name,
        param: String,
        nearest: Option<String>,
        known: Vec<String>,
    },
    #[error("the template {template} needs {}", missing(.params))]
    MissingParams {
        template: Name,
        params: Vec<(String, String)>,
    },
}

fn list(file: &Path, problems: &[Problem]) -> String {
    if let [problem] = problems {
        return problem.to_string();
    }
    let mut text = format!("{} has {} problems", file.display(), problems.len());
    for problem in problems {
        let _ = write!(text, "\n  {}", problem.without_file());
    }
    text
}

fn missing(params: &[(String, String)]) -> String {
    let each = |(name, about): &(String, String)| format!("`{name}` ({})", printable(about));
    let named = params.iter().map(each).collect::<Vec<_>>().join(", ");
    let noun = if params.len() == 1 {
        "the parameter"
    } else {
        "the parameters"
    };
    format!("{noun} {named}")
}

impl From<ConfigError> for Error {
    fn from(error: ConfigError) -> Self {
        let kind = match &error {
            ConfigError::Read(..) => Kind::Failed,
            _ => Kind::Usage,
        };
        let hint = error.hint();
        let edge = Self::from_source(kind, error);
        match hint {
            Some(hint) => edge.with_hint(hint),
            None => edge,
        }
    }
}

impl ConfigError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Invalid { .. } => {
                "`changeling edit` opens the file; `changeling config check` checks it".into()
            }
            Self::Read(..) => return None,
            Self::NotAFile { .. } => "move it away; `changeling add` makes a new file".into(),
            Self::TooLarge(_) | Self::NotUtf8 { .. } => {
                "`changeling config path` says which file is read; mend it or move it away".into()
            }
            Self::UnknownChangeling { nearest: Some(near), .. } => {
                format!("did you mean `{near}`? `changeling list` shows all")
            }
            Self::UnknownChangeling { count: 0, .. } => {
                "there are none yet: `changeling add --template fixme-fairy` inside a clone adds one"
                    .into()
            }
            Self::UnknownChangeling { .. } => "`changeling list` shows all".into(),
            Self::UnknownRepo { known, .. } => format!("its repositories: {}", known.join(", ")),
            Self::Name { suggestion: Some(name), .. } => format!("use `{name}`"),
            Self::Name { suggestion: None, .. } => "use a name such as `nightly-fixmes`".into(),
            Self::UnknownParam { nearest: Some(near), .. } => format!("did you mean `{near}`?"),
            Self::UnknownParam { known, .. } if known.is_empty() => "it has no parameters".into(),
            Self::UnknownParam { known, .. } => format!("it has: {}", known.join(", ")),
            Self::MissingParams { params, .. } => {
                let flags = params.iter().map(|(name, _)| format!("--param {name}=..."));
                format!("add {}", flags.collect::<Vec<_>>().join(" "))
            }
        })
    }
}
