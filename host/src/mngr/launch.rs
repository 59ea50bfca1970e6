//! How the agent of a run is started: what was found, and what was decided about it.

use super::MngrError;
use crate::agent::{Ended, Heard, Room};
use crate::config::Config;
use crate::context::Context;
use crate::job::Job;

/// An agent that mngr creates: the program that was found, and how it will be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Launch {
    agent_type: String,
}

impl Launch {
    /// Looks for mngr and for what this job's agent type needs, without running anything if it can.
    /// Cheap enough to call before anything else is done for a run.
    ///
    /// # Errors
    /// mngr, tmux or the agent is missing, or of a version that does not work; or the agent would
    /// skip permission prompts on this machine and nobody agreed to that.
    pub fn find(job: &Job, config: &Config, context: &Context) -> Result<Self, MngrError> {
        let _ = (job, config, context);
        Err(MngrError::NotInstalled)
    }

    /// The command line that creates the agent, for the record.
    pub(crate) fn argv(&self, room: &Room) -> Vec<String> {
        let _ = room;
        vec!["mngr".to_owned(), "create".to_owned()]
    }

    /// As `Agent::work`.
    pub(crate) fn work(&self, room: &Room, hear: &mut dyn FnMut(Heard)) -> std::io::Result<Ended> {
        let _ = (room, hear);
        Ok(Ended::not_started("not yet".to_owned()))
    }
}
