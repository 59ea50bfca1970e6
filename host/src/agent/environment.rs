//! The whole environment of an agent: it starts empty.

use std::ffi::OsString;
use std::fs;
use std::path::Path;

use super::user::writes_to;
use super::written::{REPORT, SUMMARY};
use super::{MARKER, Room};
use crate::context::create_private_dir;
use crate::git::Identity;
use crate::plan::PASSED_ON;

/// Beside `PASSED_ON`: harmless things that programs expect.
const ALSO_PASSED_ON: &[&str] = &["TMPDIR", "USER", "LOGNAME", "SHELL"];

/// Name and value; a later one of the same name counts.
pub(crate) type Variables = Vec<(String, OsString)>;

/// What every agent gets. Makes the files some of the variables name.
pub(crate) fn environment(room: &Room) -> std::io::Result<Variables> {
    let mut variables = passed_on(room);
    let mut add = |name: &str, value: OsString| variables.push((name.to_owned(), value));
    for (name, value) in &room.plan.env_vars {
        add(name, value.into());
    }
    for (name, value) in room.secrets {
        add(name, value.into());
    }
    // Git and gh find nothing of the user's: no credential helper, no login.
    let gh = room.run_dir.join("gh");
    create_private_dir(&gh)?;
    let mut writes = room.run_dir.to_owned();
    if let Some(user) = room.user {
        user.give(&gh)?;
        writes = writes_to(room.run_dir);
    }
    add("GIT_CONFIG_GLOBAL", git_config(room)?.into());
    add("GH_CONFIG_DIR", gh.into());
    add("GIT_TERMINAL_PROMPT", "0".into());
    // An agent that deletes `.git` must not find a repository around our own folder.
    add("GIT_CEILING_DIRECTORIES", room.run_dir.into());
    add(MARKER, room.plan.run_id.clone().into());
    add("CHANGELING_SUMMARY", writes.join(SUMMARY).into());
    if room.plan.report.is_some() {
        add("CHANGELING_REPORT", writes.join(REPORT).into());
    }
    Ok(variables)
}

/// What is handed on of the environment this program was started with.
pub(crate) fn passed_on(room: &Room) -> Variables {
    let mut variables: Variables = PASSED_ON
        .iter()
        .chain(ALSO_PASSED_ON)
        .filter_map(|name| Some(((*name).to_owned(), room.env.get_os(name)?.to_owned())))
        .collect();
    if let Some(user) = room.user {
        let own = user.variables(room.run_dir);
        variables.retain(|(name, _)| own.iter().all(|(other, _)| other != name));
        variables.extend(own);
    }
    variables
}

/// The run's own git configuration.
pub(crate) fn git_config(room: &Room) -> std::io::Result<std::path::PathBuf> {
    let file = room.run_dir.join("gitconfig");
    write_git_config(&file, room.identity)?;
    if let Some(user) = room.user {
        user.give(&file)?;
    }
    Ok(file)
}

fn write_git_config(file: &Path, identity: &Identity) -> std::io::Result<()> {
    let quoted = |value: &str| value.replace('\\', r"\\").replace('"', "\\\"");
    let text = format!(
        "[user]\n\tname = \"{}\"\n\temail = \"{}\"\n[init]\n\tdefaultBranch = main\n[commit]\n\tgpgSign = false\n[tag]\n\tgpgSign = false\n[gc]\n\tautoDetach = false\n[maintenance]\n\tautoDetach = false\n",
        quoted(&identity.name),
        quoted(&identity.email),
    );
    fs::write(file, text)
}
