//! Why no agent can be started here, and what mends it.

use std::path::PathBuf;

use super::Version;
use crate::error::{Error, Kind};

/// Installs an mngr that this program knows, with the plugins it uses.
pub const INSTALL: &str = "uv tool install --python '>=3.12' --with imbue-mngr-claude --with imbue-mngr-wait 'imbue-mngr>=0.3,<0.4'";

/// The same over another one.
pub const UPGRADE: &str = "uv tool install --force --python '>=3.12' --with imbue-mngr-claude --with imbue-mngr-wait 'imbue-mngr>=0.3,<0.4'";

/// Why an agent cannot be started.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum MngrError {
    #[error("mngr is not installed, or not on PATH")]
    NotInstalled,
    #[error("`[mngr] binary` names {}, which is no program", .0.display())]
    NotThere(PathBuf),
    #[error("mngr at {} cannot be used: {why}", program.display())]
    Broken { program: PathBuf, why: String },
    #[error("mngr {version} with pyinfra {pyinfra} cannot create agents on this machine")]
    Trap { version: Version, pyinfra: Version },
    #[error("mngr {0} is too old")]
    TooOld(Version),
    #[error("mngr has no plugin that adds `mngr wait`, which the agent type {0} needs")]
    NoWait(String),
    #[error("mngr has no plugin for the agent type claude")]
    NoClaude,
    #[error("tmux is not installed, or not on PATH: mngr runs its agents in it")]
    NoTmux,
    #[error("`{0}` is not installed, or not on PATH")]
    NoAgent(String),
    #[error("the agent type command runs a program of yours, and none is named")]
    NoProgram,
    #[error("`[mngr] launch` is \"wrapper\", and there is no wrapper for the agent type {0}")]
    NoWrapper(String),
    #[error(
        "on this machine {agent} would act as you and ask for no permission, and nobody agreed to that for {changeling}"
    )]
    NotUnattended { agent: String, changeling: String },
}

/// What installs a program an agent type needs.
pub fn install_line(program: &str) -> String {
    match program {
        "claude" => "npm install -g @anthropic-ai/claude-code".to_owned(),
        "codex" => "npm install -g @openai/codex".to_owned(),
        "tmux" => "apt install tmux, or brew install tmux".to_owned(),
        other => format!("install {other}, or put its folder on PATH"),
    }
}

impl From<MngrError> for Error {
    fn from(error: MngrError) -> Self {
        let hint = match &error {
            MngrError::NotInstalled => INSTALL.to_owned(),
            MngrError::Broken { .. }
            | MngrError::Trap { .. }
            | MngrError::TooOld(_)
            | MngrError::NoWait(_)
            | MngrError::NoClaude => UPGRADE.to_owned(),
            MngrError::NotThere(_) => {
                "mend it, or leave it out: then mngr is looked for on PATH".to_owned()
            }
            MngrError::NoTmux => install_line("tmux"),
            MngrError::NoAgent(program) => install_line(program),
            MngrError::NoProgram => {
                "name it after two dashes: extra_mngr_args = \"-- /path/to/program --option\""
                    .to_owned()
            }
            MngrError::NoWrapper(_) => "set `launch` to \"auto\" or \"native\"".to_owned(),
            MngrError::NotUnattended { changeling, .. } => {
                format!("changeling edit {changeling} --unattended")
            }
        };
        Self::from_source(Kind::NeedsPerson, error).with_hint(hint)
    }
}
