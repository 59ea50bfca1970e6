//! The whole environment of an agent: it starts empty.

use std::ffi::OsString;
use std::fs;
use std::path::Path;

use super::written::{REPORT, SUMMARY};
use super::{MARKER, Room};
use crate::context::create_private_dir;
use crate::job::Identity;
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
    add("GIT_CONFIG_GLOBAL", git_config(room)?.into());
    add("GH_CONFIG_DIR", gh.into());
    add("GIT_TERMINAL_PROMPT", "0".into());
    // An agent that deletes `.git` must not find a repository around our own folder.
    add("GIT_CEILING_DIRECTORIES", room.run_dir.into());
    add(MARKER, room.plan.run_id.clone().into());
    add("CHANGELING_SUMMARY", room.run_dir.join(SUMMARY).into());
    if room.plan.report.is_some() {
        add("CHANGELING_REPORT", room.run_dir.join(REPORT).into());
    }
    Ok(variables)
}

/// What is handed on of the environment this program was started with.
pub(crate) fn passed_on(room: &Room) -> Variables {
    PASSED_ON
        .iter()
        .chain(ALSO_PASSED_ON)
        .filter_map(|name| Some(((*name).to_owned(), room.env.get_os(name)?.to_owned())))
        .collect()
}

/// The run's own git configuration.
pub(crate) fn git_config(room: &Room) -> std::io::Result<std::path::PathBuf> {
    let file = room.run_dir.join("gitconfig");
    write_git_config(&file, room.identity)?;
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
