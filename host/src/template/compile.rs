//! Compiling a component: in a child process of this program's own kind, with limits on its time and
//! memory, so that a component made to exhaust a compiler exhausts a child.

use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::{Resource, Rlimit};

use super::catalog::MAX_COMPONENT;
use super::engine;
use super::error::Problem;
use crate::names::printable;
use crate::process::{Command, ProcessError};

/// The hidden command of this program that compiles.
pub const COMMAND: &str = "compile-component";

/// A JavaScript engine of 12 MB, or Python, takes ten seconds of an idle machine and a minute of a busy
/// one.
const TIME: Duration = Duration::from_mins(5);

/// Processor time of all the compiler's threads.
const CPU_SECONDS: u64 = 240;

/// Memory the compiler may use, in bytes; what was seen to be needed is a quarter of it.
const MEMORY: u64 = 4 << 30;

/// How a message of `Problem::Compiler` begins.
const GAVE_UP: &str = "the compiler gave up: ";

/// Compiles into a new file of the folder and returns its path.
pub(super) fn compile(component: &[u8], folder: &Path) -> Result<PathBuf, Problem> {
    let failed = |error| Problem::Store {
        folder: folder.display().to_string(),
        error,
    };
    let name = getrandom::u64().map_err(|error| failed(error.into()))?;
    let output = folder.join(format!("{name:016x}.tmp"));
    let result = run(component, folder, &output);
    if result.is_err() {
        // Whatever the child got done is of no use.
        let _ = std::fs::remove_file(&output);
    }
    result.map(|()| output)
}

fn run(component: &[u8], folder: &Path, output: &Path) -> Result<(), Problem> {
    if cfg!(test) {
        // The running program is the test harness, which compiles nothing.
        return here(component, output);
    }
    let engine = |error: std::io::Error| Problem::Engine(error.to_string());
    let program = std::env::current_exe().map_err(engine)?;
    let child = Command::new(program)
        .arg(COMMAND)
        .arg(output)
        // It needs no configuration; without a home it would not start.
        .env("CHANGELINGS_HOME", folder)
        .stdin(component)
        .timeout(TIME)
        .max_output(64 << 10);
    let finished = match child.run() {
        Err(ProcessError::TimedOut { .. }) => return Err(Problem::CompileTime(TIME)),
        other => other.map_err(|error| Problem::Engine(error.to_string()))?,
    };
    // What a shell would say of a process that used up its processor time.
    let out_of_time = 128 + rustix::process::Signal::XCPU.as_raw();
    match finished.code() {
        0 => Ok(()),
        code if code == out_of_time => Err(Problem::CompileTime(Duration::from_secs(CPU_SECONDS))),
        code => {
            let said = String::from_utf8_lossy(&finished.stderr);
            let said = said.lines().map(str::trim).find(|line| !line.is_empty());
            let said = said.map(|line| line.strip_prefix("error: ").unwrap_or(line));
            // The child says it in the words of `Problem::Compiler`.
            let said = said.map(|line| line.strip_prefix(GAVE_UP).unwrap_or(line));
            let said: String = said
                .unwrap_or("it said nothing")
                .chars()
                .take(500)
                .collect();
            Err(Problem::Compiler(format!(
                "{} (exit {code})",
                printable(&said)
            )))
        }
    }
}

/// The child's side: reads a component from standard input, compiles it within the limits, and writes
/// what it became to a new file.
///
/// # Errors
/// The component does not compile, or the file cannot be written.
pub fn child(output: &Path) -> Result<(), Problem> {
    limit_this_process();
    let mut component = Vec::new();
    std::io::stdin()
        .take(MAX_COMPONENT)
        .read_to_end(&mut component)
        .map_err(Problem::Unreadable)?;
    here(&component, output)
}

fn here(component: &[u8], output: &Path) -> Result<(), Problem> {
    let compiled = engine::engine()?
        .precompile_component(component)
        .map_err(|error| Problem::Compiler(format!("{error:#}").replace('\n', " ")))?;
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(output)
        .map_err(|error| store(output, error))?;
    file.write_all(&compiled)
        .and_then(|()| file.sync_all())
        .map_err(|error| store(output, error))
}

fn store(output: &Path, error: std::io::Error) -> Problem {
    Problem::Store {
        folder: output.display().to_string(),
        error,
    }
}

fn limit_this_process() {
    let limit = |resource, value| {
        let limit = Rlimit {
            current: Some(value),
            maximum: Some(value),
        };
        // Where the system does not know it (macOS has no limit on memory), the parent's deadline
        // remains.
        let _ = rustix::process::setrlimit(resource, limit);
    };
    limit(Resource::Cpu, CPU_SECONDS);
    limit(Resource::Core, 0);
    // Data, not address space: allocators reserve much more for each thread than they use.
    limit(Resource::Data, MEMORY);
}
