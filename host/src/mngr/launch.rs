//! How the agent of a run is started: what was found, and what was decided about it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::dialect::{Create, Runs, agent_name, labels, split};
use super::files::Files;
use super::{Installed, MngrError, native, watch};
use crate::agent::{Ended, Headless, Heard, Room, Start, Variables, environment, skips_prompts};
use crate::config::{Config, Launch as Way};
use crate::context::Context;
use crate::job::Job;
use crate::plan::{DEFAULT_AGENT_TYPE, Plan};
use crate::process::find_on_path;

/// An agent that mngr creates: the programs that were found, and how they will be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Launch {
    pub(super) mngr: Installed,
    pub(super) tmux: PathBuf,
    pub(super) agent_type: String,
    /// Runs in our wrapper; `None`: mngr's own way.
    pub(super) wrapped: Option<Wrapped>,
}

/// What the wrapper will run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wrapped {
    kind: Headless,
    program: String,
    unattended: bool,
}

impl Launch {
    /// Looks for mngr and for what this job's agent type needs, without running anything if it can.
    /// Cheap enough to call before anything else is done for a run.
    ///
    /// # Errors
    /// mngr, tmux or the agent is missing, or of a version that does not work; or the agent would
    /// skip permission prompts on this machine and nobody agreed to that.
    pub fn find(job: &Job, config: &Config, context: &Context) -> Result<Self, MngrError> {
        let agent_type = job.agent_type.as_deref().unwrap_or(DEFAULT_AGENT_TYPE);
        let headless = Headless::of(agent_type);
        let kind = match config.mngr.launch {
            Way::Native => None,
            Way::Wrapper if headless.is_none() => {
                return Err(MngrError::NoWrapper(agent_type.to_owned()));
            }
            Way::Auto | Way::Wrapper => headless,
        };
        if kind.is_some() && skips_prompts(agent_type) && !job.unattended {
            return Err(MngrError::NotUnattended {
                agent: agent_type.to_owned(),
                changeling: job.changeling.to_string(),
            });
        }
        let mngr = Installed::find(config, context)?;
        let path = context.env.get_os("PATH").unwrap_or_default();
        let tmux = find_on_path("tmux", path).ok_or(MngrError::NoTmux)?;
        let wrapped = if let Some(kind) = kind {
            Some(Wrapped {
                program: program(kind, &job.extra_mngr_args, path)?,
                kind,
                unattended: job.unattended,
            })
        } else {
            native::check(agent_type, &mngr)?;
            None
        };
        Ok(Self {
            mngr,
            tmux,
            agent_type: agent_type.to_owned(),
            wrapped,
        })
    }

    /// The mngr that was found.
    pub fn mngr(&self) -> &Installed {
        &self.mngr
    }

    /// The agent's own program, where it runs in our wrapper; and whether it is one of those that answer
    /// `--version`, and not any command of the user's.
    pub fn agent(&self) -> Option<(&Path, bool)> {
        let wrapped = self.wrapped.as_ref()?;
        Some((
            Path::new(&wrapped.program),
            wrapped.kind.program().is_some(),
        ))
    }

    /// The command line that creates the agent, for the record.
    pub(crate) fn argv(&self, room: &Room) -> Vec<String> {
        let (extra, own) = split(&room.plan.mngr_args);
        let files = Files::of(room.run_dir);
        let (script, prompt) = (files.script(), files.prompt());
        let (script, prompt) = (script.to_string_lossy(), prompt.to_string_lossy());
        let runs = match self.wrapped {
            Some(_) => Runs::Wrapper(&script),
            None => Runs::Native {
                agent_type: &self.agent_type,
                message: &prompt,
                args: own,
            },
        };
        let mut argv = vec![self.mngr.program.to_string_lossy().into_owned()];
        argv.extend(self.mngr.dialect.create(&Create {
            agent: &agent_name(&room.plan.run_id),
            workspace: &room.workspace.to_string_lossy(),
            runs,
            labels: &labels(room.plan.changeling.as_str(), &room.plan.run_id),
            extra,
        }));
        argv
    }

    /// As `Agent::work`.
    pub(crate) fn work(&self, room: &Room, hear: &mut dyn FnMut(Heard)) -> std::io::Result<Ended> {
        watch::work(self, room, hear)
    }
}

/// Where the agent's own program is.
fn program(
    kind: Headless,
    mngr_args: &[String],
    path: &std::ffi::OsStr,
) -> Result<String, MngrError> {
    let name = match kind.program() {
        Some(name) => name,
        None => split(mngr_args).1.first().ok_or(MngrError::NoProgram)?,
    };
    let found = if Path::new(name).is_absolute() {
        let file = Path::new(name);
        let folder = file.parent().unwrap_or(file).as_os_str();
        file.file_name()
            .and_then(|name| find_on_path(name.to_str()?, folder))
    } else if name.contains('/') {
        // In the repository: there when the agent starts.
        return Ok(name.to_owned());
    } else {
        find_on_path(name, path)
    };
    let found = found.ok_or_else(|| MngrError::NoAgent(name.to_owned()))?;
    Ok(found.to_string_lossy().into_owned())
}

impl Wrapped {
    /// The agent's command line.
    pub(super) fn argv(&self, plan: &Plan) -> Vec<String> {
        let args = split(&plan.mngr_args).1;
        let args = match self.kind {
            Headless::Command => args.get(1..).unwrap_or_default(),
            Headless::Claude | Headless::Codex => args,
        };
        self.kind.command_line(&Start {
            program: &self.program,
            args,
            limits: &plan.limits,
            unattended: self.unattended,
        })
    }

    /// Everything the agent gets.
    pub(super) fn variables(&self, room: &Room, files: &Files) -> std::io::Result<Variables> {
        let given = environment(room)?;
        let own = files.settings();
        let mut variables = self.kind.variables(&given, &own, room.env, self.unattended);
        // What the user sets counts more.
        variables.extend(given);
        Ok(variables)
    }
}

/// Name and value of a variable, as text.
pub(super) fn variable(name: &str, value: impl Into<OsString>) -> (String, OsString) {
    (name.to_owned(), value.into())
}

#[cfg(test)]
mod tests;
