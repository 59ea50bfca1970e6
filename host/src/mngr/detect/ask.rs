//! What an installation says of itself, where its folders say nothing: the help of `create`, asked
//! once and kept until the program changes.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::super::Dialect;
use crate::context::{Environment, create_private_dir};
use crate::process::Command;

/// A cold start of Python on a busy machine takes seconds.
const DEADLINE: Duration = Duration::from_mins(1);

/// One answer; the program it is about is known by where it is and when it changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Answer {
    program: String,
    size: u64,
    modified: i64,
    dialect: Dialect,
}

/// The dialect of `program`.
///
/// # Errors
/// It cannot be run, or does not say what it understands: why.
pub(super) fn dialect(
    program: &Path,
    kept_in: &Path,
    env: &Environment,
) -> Result<Dialect, String> {
    let metadata = std::fs::metadata(program).map_err(|error| error.to_string())?;
    let file = kept_in.join("mngr.json");
    let mut answer = Answer {
        program: program.to_string_lossy().into_owned(),
        size: metadata.size(),
        modified: metadata.mtime(),
        dialect: Dialect::Current,
    };
    let kept = std::fs::read(&file).ok();
    let kept = kept.and_then(|bytes| serde_json::from_slice::<Answer>(&bytes).ok());
    if let Some(kept) = kept
        && (&kept.program, kept.size, kept.modified)
            == (&answer.program, answer.size, answer.modified)
    {
        return Ok(kept.dialect);
    }
    answer.dialect = ask(program, env)?;
    let written = create_private_dir(kept_in)
        .and_then(|()| std::fs::write(&file, serde_json::to_vec(&answer).unwrap_or_default()));
    if let Err(error) = written {
        tracing::warn!("cannot keep what mngr says of itself: {error}");
    }
    Ok(answer.dialect)
}

fn ask(program: &Path, env: &Environment) -> Result<Dialect, String> {
    let mut command = Command::new(program)
        .args(["create", "--help"])
        .cwd("/")
        .timeout(DEADLINE)
        .max_output(1024 * 1024);
    for (name, value) in env.iter() {
        command = command.env(name, value);
    }
    let finished = command.run().map_err(|error| error.to_string())?;
    if !finished.success() {
        let said = String::from_utf8_lossy(&finished.stderr).into_owned();
        let last = said.lines().rev().find(|line| !line.trim().is_empty());
        return Err(format!(
            "`create --help` ends with exit code {}: {}",
            finished.code(),
            last.unwrap_or("it says nothing").trim(),
        ));
    }
    from_help(&finished.text()).ok_or_else(|| "its help names no option known here".to_owned())
}

fn from_help(text: &str) -> Option<Dialect> {
    let has = |option: &str| {
        text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'))
            .any(|word| word == option)
    };
    match (has("--transfer"), has("--in-place")) {
        (true, _) if has("--command") => Some(Dialect::Middle),
        (true, _) => Some(Dialect::Current),
        (false, true) if has("--agent-cmd") => Some(Dialect::Legacy),
        (false, true) if has("--command") => Some(Dialect::Early),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn options_tell_the_dialect() {
        let cases = [
            (
                "--transfer MODE --type TEXT -- ARGS",
                Some(Dialect::Current),
            ),
            (
                "--transfer MODE --command TEXT [--type]",
                Some(Dialect::Middle),
            ),
            (
                "--extra-provision-command <COMMAND> --transfer",
                Some(Dialect::Current),
            ),
            (
                "--in-place  --agent-cmd, --agent-command",
                Some(Dialect::Legacy),
            ),
            ("--in-place --command", Some(Dialect::Early)),
            ("usage: mngr", None),
        ];
        for (text, dialect) in cases {
            assert_eq!(from_help(text), dialect, "{text}");
        }
    }

    #[test]
    fn asked_once() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("mngr");
        let asked = folder.path().join("asked");
        let write = |help: &str| {
            let script = format!(
                "#!/bin/sh\necho x >> '{}'\necho '{help}'\n",
                asked.display()
            );
            std::fs::write(&program, script).unwrap();
            std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
        };
        let kept_in = folder.path().join("cache");
        let env = Environment::from_pairs([("PATH", "/usr/bin:/bin")]);
        let ask = || dialect(&program, &kept_in, &env);
        write("--transfer");
        assert_eq!(ask(), Ok(Dialect::Current));
        assert_eq!(ask(), Ok(Dialect::Current));
        assert_eq!(std::fs::read_to_string(&asked).unwrap(), "x\n");
        write("--in-place --agent-cmd");
        assert_eq!(ask(), Ok(Dialect::Legacy));
        write("what?");
        assert_eq!(ask().unwrap_err(), "its help names no option known here");
        std::fs::write(&program, "#!/bin/sh\necho broken >&2; exit 3").unwrap();
        assert_eq!(
            ask().unwrap_err(),
            "`create --help` ends with exit code 3: broken"
        );
    }
}
