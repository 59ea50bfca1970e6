//! One run at a time of a changeling on a repository, whatever processes start them.
//!
//! The lock is of the kind whose holder the system names (`fcntl`): a run that is to be replaced is
//! ended by the number of the process that truly holds it. It is let go of when that process dies.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, fcntl_lock};
use rustix::process::{Flock, FlockType, Pid, Signal, fcntl_getlk, kill_process};

use crate::config::Overlap;
use crate::context::{Context, Home, create_private_dir};
use crate::error::{Error, Kind, Result};
use crate::job::Job;
use crate::names::printable;
use crate::process::pause;

/// How long a run that is to be replaced has to end what it started.
const GRACE: Duration = Duration::from_mins(1);

/// How long it may take to die when told a second time.
const LAST_GRACE: Duration = Duration::from_secs(10);

/// Publishing and tidying after the agent's own time is up.
const MARGIN: Duration = Duration::from_mins(30);

const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Held while a run lives. The system lets go of it when any handle of the file is closed: there is
/// this one only.
#[derive(Debug)]
pub(super) struct Turn {
    file: File,
}

/// Whose turn it is.
#[derive(Debug)]
pub(super) enum Asked {
    Ours {
        turn: Turn,
        /// Another run ended while we asked.
        after_another: bool,
    },
    /// Why not ours, for a person.
    Taken(String),
}

/// Asks for the turn of a job, and does what `overlap` says when another run has it.
pub(super) fn ask(job: &Job, overlap: Overlap, context: &Context) -> Result<Asked> {
    let path = lock_file(job, &context.home);
    let failed = |error| Error::from(error).context(format!("cannot use {}", path.display()));
    if let Some(folder) = path.parent() {
        create_private_dir(folder).map_err(failed)?;
    }
    let open = || {
        File::options()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&path)
    };
    let file = open().map_err(failed)?;
    let mut turn = Turn { file };
    if turn.take().map_err(failed)? {
        return Ok(Asked::Ours {
            turn,
            after_another: false,
        });
    }
    let other = turn.holder();
    let taken = |what: &str| Ok(Asked::Taken(format!("{other} {what}")));
    let waited = match overlap {
        Overlap::Skip => return taken("is still going on (`overlap` is `skip`)"),
        Overlap::Wait => {
            let patience = Duration::from_secs(job.timeout_seconds) + MARGIN;
            let progress = context.ui.progress(format!("waiting for {other} to end"));
            let waited = turn.wait(patience).map_err(failed)?;
            drop(progress);
            waited
        }
        Overlap::Replace => {
            let progress = context.ui.progress(format!("ending {other}"));
            let ended = turn.replace().map_err(failed)?;
            drop(progress);
            ended
        }
    };
    match waited {
        Waited::Ended => Ok(Asked::Ours {
            turn,
            after_another: true,
        }),
        Waited::TooLong => taken("did not end in time"),
        Waited::Interrupted => Err(Error::new(
            Kind::Interrupted,
            format!("interrupted while waiting for {other}"),
        )),
    }
}

fn lock_file(job: &Job, home: &Home) -> PathBuf {
    let name = format!("{}.{}.lock", job.changeling, job.repo.key());
    home.root().join("turns").join(name)
}

enum Waited {
    Ended,
    TooLong,
    Interrupted,
}

impl Turn {
    /// Writes down whose it is, for those who ask.
    pub(super) fn name(&mut self, run_id: &str) -> io::Result<()> {
        self.file.set_len(0)?;
        self.file.rewind()?;
        writeln!(self.file, "{run_id}")
    }

    fn take(&self) -> io::Result<bool> {
        match fcntl_lock(&self.file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {
                // Whose it was before is nobody's answer.
                self.file.set_len(0)?;
                Ok(true)
            }
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::ACCESS) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// The run that has it, for a person.
    fn holder(&mut self) -> String {
        let mut text = String::new();
        let read = self
            .file
            .rewind()
            .and_then(|()| (&self.file).take(200).read_to_string(&mut text));
        match read {
            Ok(_) if !text.trim().is_empty() => format!("run {}", printable(text.trim())),
            _ => "another run".to_owned(),
        }
    }

    fn wait(&self, patience: Duration) -> io::Result<Waited> {
        let give_up = Instant::now() + patience;
        loop {
            if self.take()? {
                return Ok(Waited::Ended);
            }
            if Instant::now() >= give_up {
                return Ok(Waited::TooLong);
            }
            if !pause(LOOK_EVERY) {
                return Ok(Waited::Interrupted);
            }
        }
    }

    /// Asks the other process to end, as Ctrl-C does; told twice, it ends at once.
    fn replace(&self) -> io::Result<Waited> {
        for grace in [GRACE, LAST_GRACE] {
            if let Some(pid) = self.process()? {
                // Gone already is what we want.
                let _ = kill_process(pid, Signal::TERM);
            }
            match self.wait(grace)? {
                Waited::TooLong => {}
                waited => return Ok(waited),
            }
        }
        Ok(Waited::TooLong)
    }

    /// Who holds it at this moment; `None` when nobody does, or not on this machine.
    fn process(&self) -> io::Result<Option<Pid>> {
        let whole = Flock::from(FlockType::WriteLock);
        let found = fcntl_getlk(&self.file, &whole)?;
        Ok(found.and_then(|lock| lock.pid))
    }
}

/// Lock files nobody holds are nothing: they stay, a few bytes each.
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_is_taken_and_named() {
        let folder = tempfile::tempdir().unwrap();
        let context = Context {
            home: Home::at(folder.path().to_owned()),
            ..crate::exec::tests::context(folder.path())
        };
        let job = crate::plan::fixture::job();
        let asked = ask(&job, Overlap::Skip, &context).unwrap();
        let Asked::Ours {
            mut turn,
            after_another: false,
        } = asked
        else {
            panic!("{asked:?}")
        };
        turn.name("20261122-010203-abcdef").unwrap();
        assert_eq!(turn.holder(), "run 20261122-010203-abcdef");
        turn.name("x").unwrap();
        assert_eq!(turn.holder(), "run x");
    }
}
