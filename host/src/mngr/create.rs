//! Calling mngr: from an empty folder, in an environment made for it.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use super::files::Files;
use super::launch::{Launch, variable};
use super::tmux::Server;
use crate::agent::{MARKER, Room, Variables, environment, git_config, passed_on};
use crate::names::{printable, printable_lines};
use crate::process::{Command, Finished, ProcessError};

/// How long a create may take. A cold Python on a busy machine takes its time.
pub(super) const CREATE: Duration = Duration::from_mins(3);

/// A call that did not work.
#[derive(Debug)]
pub(super) enum Failed {
    Interrupted,
    /// Why, redacted, and the end of what was said.
    Because(String, Vec<String>),
}

/// How this run calls mngr.
#[derive(Debug)]
pub(super) struct Caller<'a> {
    launch: &'a Launch,
    room: &'a Room<'a>,
    cwd: std::path::PathBuf,
    variables: Variables,
}

impl<'a> Caller<'a> {
    /// `carriers` hold what the wrapper unpacks.
    pub(super) fn new(
        launch: &'a Launch,
        room: &'a Room<'a>,
        files: &Files,
        server: &Server,
        carriers: Variables,
    ) -> std::io::Result<Self> {
        let mut variables = if launch.wrapped.is_none() {
            // mngr's own agents find their variables where every program does.
            let mut variables = environment(room)?;
            // On a busy machine the ten seconds it gives an agent to be ready are too few.
            variables.push(variable("MNGR__AGENT_READY_TIMEOUT", "90"));
            variables
        } else if launch.mngr.is_known() || room.user.is_some() {
            // Another user gets nothing of ours, whatever it may need.
            private(launch, room, files)?
        } else {
            // Who knows what it needs to be found: a shim of some version manager, for one.
            let of_tmux = |name: &OsString| name.to_str().is_some_and(|n| n.starts_with("TMUX"));
            let all = room.env.iter().filter(|(name, _)| !of_tmux(name));
            let mut all: Variables = all
                .filter_map(|(name, value)| Some((name.to_str()?.to_owned(), value.clone())))
                .collect();
            all.extend(own_state(files));
            all
        };
        variables.extend([
            variable("TMUX_TMPDIR", &server.folder),
            // Its project is an empty folder, whatever lies around it.
            variable("MNGR_PROJECT_CONFIG_DIR", files.empty()),
            variable("IS_AUTONOMOUS", "1"),
            variable(MARKER, &room.plan.run_id),
        ]);
        variables.extend(carriers);
        Ok(Self {
            launch,
            room,
            cwd: files.empty(),
            variables,
        })
    }

    /// Runs it and answers what it printed. `argv` is without the program.
    pub(super) fn call(&self, argv: &[String], timeout: Duration) -> Result<Finished, Failed> {
        self.run(argv, timeout, std::convert::identity)
    }

    /// As `call`, also when somebody asked us to end.
    pub(super) fn clean_up(&self, argv: &[String], timeout: Duration) -> Result<Finished, Failed> {
        self.run(argv, timeout, Command::cleans_up)
    }

    fn run(
        &self,
        argv: &[String],
        timeout: Duration,
        with: impl FnOnce(Command) -> Command,
    ) -> Result<Finished, Failed> {
        // What it writes is for this user alone; no file is made before the mask is set.
        let mut command = Command::new("/bin/sh")
            .args(["-c", "umask 077; exec \"$@\"", "sh"])
            .arg(&self.launch.mngr.program)
            .args(argv.iter().map(String::as_str))
            .cwd(&self.cwd)
            .timeout(timeout)
            .max_output(8 * 1024 * 1024)
            .user(self.room.user);
        for (name, value) in &self.variables {
            command = command.env(name, value);
        }
        let what = argv.first().map_or("", String::as_str);
        match with(command).run() {
            Ok(finished) => Ok(finished),
            Err(ProcessError::Interrupted(_)) => Err(Failed::Interrupted),
            Err(ProcessError::TimedOut { timeout, .. }) => Err(Failed::Because(
                format!("mngr {what} did not end within {} s", timeout.as_secs()),
                Vec::new(),
            )),
            Err(error) => Err(Failed::Because(
                format!("mngr {what} cannot be run: {error}"),
                Vec::new(),
            )),
        }
    }

    /// As `call`, and a failure of mngr's is one.
    pub(super) fn demand(&self, argv: &[String], timeout: Duration) -> Result<Finished, Failed> {
        let finished = self.call(argv, timeout)?;
        if finished.success() {
            return Ok(finished);
        }
        let what = argv.first().map_or("", String::as_str);
        let lines = self.complaint(&finished);
        let last = lines.last().map_or("it says nothing", String::as_str);
        let why = format!(
            "mngr {what} failed with exit code {}: {}",
            finished.code(),
            last.trim_start_matches("Error: ")
        );
        Err(Failed::Because(why, lines))
    }

    /// The end of what it said about a failure, redacted.
    fn complaint(&self, finished: &Finished) -> Vec<String> {
        let said = if finished.stderr.trim_ascii().is_empty() {
            &finished.stdout
        } else {
            &finished.stderr
        };
        let said = String::from_utf8_lossy(said);
        let said = self.room.redactor.text(&said);
        let lines: Vec<_> = printable_lines(&said)
            .lines()
            .filter(|line| !line.trim().is_empty())
            .map(str::to_owned)
            .collect();
        lines[lines.len().saturating_sub(12)..].to_vec()
    }

    /// The first word of a JSON document among the lines it printed.
    pub(super) fn json(finished: &Finished) -> Option<serde_json::Value> {
        let text = finished.text();
        serde_json::from_str(&text).ok().or_else(|| {
            let mut lines = text.lines().rev();
            lines.find_map(|line| serde_json::from_str(line).ok())
        })
    }
}

/// Nothing of the user's is read: no profile of a shell, no configuration of tmux, git or mngr.
fn private(launch: &Launch, room: &Room, files: &Files) -> std::io::Result<Variables> {
    const KEPT: [&str; 6] = ["PATH", "LANG", "LC_ALL", "TZ", "USER", "LOGNAME"];
    let mut variables: Variables = passed_on(room)
        .into_iter()
        .filter(|(name, _)| KEPT.contains(&name.as_str()))
        .collect();
    // tmux takes a terminal without a locale for one of the seventies.
    let has_locale = variables
        .iter()
        .any(|(name, _)| name == "LANG" || name == "LC_ALL");
    if !has_locale {
        variables.push(variable("LANG", "C.UTF-8"));
    }
    variables.push(variable("HOME", files.home()));
    variables.push(variable("SHELL", "/bin/sh"));
    variables.push(variable("GIT_CONFIG_GLOBAL", git_config(room)?));
    variables.push(variable("GIT_TERMINAL_PROMPT", "0"));
    variables.push(variable("GIT_CEILING_DIRECTORIES", room.run_dir));
    if let Some(base) = &launch.mngr.user_base {
        variables.push(variable("PYTHONUSERBASE", base));
    }
    variables.extend(own_state(files));
    Ok(variables)
}

/// Under both names the program has had.
fn own_state(files: &Files) -> Variables {
    vec![
        variable("MNGR_HOST_DIR", files.host()),
        variable("MNG_HOST_DIR", files.host()),
    ]
}

/// A path, for a person.
pub(super) fn shown(path: &Path) -> String {
    printable(&path.to_string_lossy())
}
