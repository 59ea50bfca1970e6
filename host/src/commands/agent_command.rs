//! `--agent-command`: a command of the user's in the agent's place.

use std::ffi::OsStr;
use std::path::Path;

use crate::agent::Agent;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::names::printable;
use crate::process::find_on_path;

/// The agent, whose program is there: a mistake is told before anything else is done.
pub(super) fn parse(line: &str, context: &Context) -> Result<Agent> {
    let agent = Agent::command(line, &context.cwd)?;
    let Agent::Command(words) = &agent else {
        return Ok(agent);
    };
    let program = words.first().map_or("", String::as_str);
    if is_there(program, context.env.get_os("PATH")) {
        return Ok(agent);
    }
    let hint = if program.contains('/') {
        "give the path of a program that can be executed"
    } else {
        "install it, or give its path"
    };
    let program = printable(program);
    Err(Error::usage(format!("--agent-command: there is no program `{program}`")).with_hint(hint))
}

fn is_there(program: &str, path: Option<&OsStr>) -> bool {
    if program.contains('/') {
        let file = Path::new(program);
        let (folder, name) = (file.parent(), file.file_name().and_then(OsStr::to_str));
        return folder
            .zip(name)
            .is_some_and(|(folder, name)| find_on_path(name, folder.as_os_str()).is_some());
    }
    path.is_some_and(|path| find_on_path(program, path).is_some())
}
