//! What a run leaves behind: processes, and texts in files and on command lines.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// A process as the system tells it.
#[derive(Debug, Clone)]
pub struct Process {
    pub id: i32,
    /// Words of its command line.
    pub argv: String,
    /// Its environment, as far as it may be seen.
    pub env: String,
}

/// Processes that live and have to do with a folder: by its command line or its environment. Those of
/// the test's own servers are left out.
pub fn processes_of(folder: &Path) -> Vec<Process> {
    let folder = folder.to_string_lossy();
    let ours = i32::try_from(std::process::id()).expect("a number of a process");
    let mut found = all();
    found.retain(|process| {
        let of_folder = process.argv.contains(&*folder) || process.env.contains(&*folder);
        of_folder && process.id != ours && !process.env.contains("GIT_PROJECT_ROOT=")
    });
    found
}

/// Ends them; what an earlier failure left is not to disturb other tests.
pub(crate) fn end_processes_of(folder: &Path) {
    for process in processes_of(folder) {
        if let Some(id) = rustix::process::Pid::from_raw(process.id) {
            let _ = rustix::process::kill_process(id, rustix::process::Signal::KILL);
        }
    }
}

fn all() -> Vec<Process> {
    if !Path::new("/proc/self/environ").exists() {
        return by_ps();
    }
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| {
            let id = entry.file_name().to_str()?.parse().ok()?;
            let read = |name: &str| std::fs::read(entry.path().join(name)).ok();
            let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).replace('\0', " ");
            // One that has ended and that nobody buried has neither.
            let argv = read("cmdline").filter(|bytes| !bytes.is_empty())?;
            Some(Process {
                id,
                argv: text(argv),
                env: read("environ").map(text).unwrap_or_default(),
            })
        })
        .collect()
}

/// Where there is no `/proc`: command line and environment in one.
fn by_ps() -> Vec<Process> {
    let output = Command::new("ps")
        .args(["-axEww", "-o", "pid=,command="])
        .output();
    let output = output.expect("starting ps");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let lines = text
        .lines()
        .filter_map(|line| line.trim_start().split_once(' '));
    lines
        .filter_map(|(id, rest)| {
            Some(Process {
                id: id.parse().ok()?,
                argv: rest.to_owned(),
                env: rest.to_owned(),
            })
        })
        .collect()
}

/// Files below a folder that hold one of these texts, with the text.
///
/// # Panics
/// A file cannot be read.
pub fn files_with(folder: &Path, texts: &[String]) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)
            .expect("reading a folder")
            .flatten()
        {
            let kind = entry.file_type().expect("a file has a type");
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                let bytes = std::fs::read(entry.path()).expect("reading a file");
                let held = texts.iter().filter(|text| holds(&bytes, text.as_bytes()));
                found.extend(held.map(|text| (entry.path(), text.clone())));
            }
        }
    }
    found
}

fn holds(bytes: &[u8], text: &[u8]) -> bool {
    // Finding the first byte fast matters: a run's files are megabytes.
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|byte| *byte == text[0]) {
        if rest[at..].starts_with(text) {
            return true;
        }
        rest = &rest[at + 1..];
    }
    false
}

/// Reads every command line of the machine over and over until it is asked what it saw. Those of other
/// tests that run meanwhile are left out.
#[derive(Debug)]
pub struct Watch {
    ended: Arc<AtomicBool>,
    watcher: JoinHandle<BTreeSet<String>>,
}

impl Watch {
    /// For the test whose folder this is.
    pub fn of(folder: &Path) -> Self {
        let folder = folder.to_string_lossy().into_owned();
        let is_ours = move |process: &Process| {
            let texts = [&process.argv, &process.env];
            let has = |part: &str| texts.iter().any(|text| text.contains(part));
            has(&folder) || !has(crate::env::PREFIX)
        };
        let ended = Arc::<AtomicBool>::default();
        let told = Arc::clone(&ended);
        let watcher = thread::spawn(move || {
            let mut seen = BTreeSet::new();
            loop {
                seen.extend(
                    all()
                        .into_iter()
                        .filter(&is_ours)
                        .map(|process| process.argv),
                );
                if told.load(Ordering::Relaxed) {
                    return seen;
                }
                // Often enough to meet what lives for a moment, without taking the machine.
                thread::sleep(Duration::from_millis(5));
            }
        });
        Self { ended, watcher }
    }

    /// Every command line there was.
    ///
    /// # Panics
    /// The watcher did.
    pub fn seen(self) -> BTreeSet<String> {
        self.ended.store(true, Ordering::Relaxed);
        self.watcher.join().expect("watching")
    }
}

/// Waits for a condition.
///
/// # Panics
/// It does not come within a minute.
#[track_caller]
pub fn wait_for(what: &str, mut ready: impl FnMut() -> bool) {
    let started = Instant::now();
    while !ready() {
        assert!(
            started.elapsed() < Duration::from_mins(1),
            "{what}: waited for a minute"
        );
        thread::sleep(Duration::from_millis(5));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TestEnv;

    #[test]
    fn processes_are_found_by_their_folder_and_ended() {
        let env = TestEnv::untouched();
        let mut child = env.external("sleep", ["600"]).spawn();
        let [found] = &processes_of(env.root())[..] else {
            panic!("one process")
        };
        assert!(found.argv.contains("sleep 600"), "{found:?}");
        end_processes_of(env.root());
        child.wait().unwrap();
        assert!(processes_of(env.root()).is_empty());
    }

    #[test]
    fn command_lines_and_files_are_seen() {
        let env = TestEnv::untouched();
        let mut child = env.external("sleep", ["601"]).spawn();
        let watch = Watch::of(env.root());
        let seen = watch.seen();
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(
            seen.iter().any(|line| line.contains("sleep 601")),
            "{seen:?}"
        );

        env.write("a/b", "xx s3cret");
        let found = files_with(env.root(), &["s3cret".to_owned(), "other".to_owned()]);
        assert_eq!(found, [(env.root().join("a/b"), "s3cret".to_owned())]);
    }
}
