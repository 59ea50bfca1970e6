//! A real terminal around a program: a pseudo-terminal on one side, an emulated screen on the other.

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Write};
use std::num::NonZero;
use std::os::fd::{BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use crate::run::{Invocation, code, normalise, wait};

/// Lines of the screen: enough that what commands print never scrolls away.
const LINES: u16 = 400;

/// A program that runs in a terminal of its own.
pub struct Terminal {
    child: Child,
    keyboard: File,
    output: mpsc::Receiver<Vec<u8>>,
    screen: vt100::Parser,
    raw: Vec<u8>,
    deadline: Instant,
    invocation: Invocation,
    columns: u16,
}

impl Terminal {
    pub(crate) fn start(mut invocation: Invocation, columns: u16) -> Self {
        let (keyboard, terminal) = open(columns).expect("opening a pseudo-terminal");
        let clone = || Stdio::from(terminal.try_clone().expect("duplicating a descriptor"));
        invocation
            .command
            .stdin(clone())
            .stdout(clone())
            .stderr(clone());
        // SAFETY: between fork and exec only two system calls are made; neither allocates nor locks.
        unsafe {
            invocation.command.pre_exec(|| {
                rustix::process::setsid()?;
                // The terminal becomes the one Ctrl-C works on; descriptor 0 is the terminal.
                rustix::process::ioctl_tiocsctty(BorrowedFd::borrow_raw(0))?;
                Ok(())
            });
        }
        let child = invocation
            .command
            .spawn()
            .unwrap_or_else(|e| panic!("starting {}: {e}", invocation.shown_as));
        // Ours must be closed, or the end of the program would not close the terminal.
        invocation
            .command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        drop(terminal);

        let mut reader = keyboard.try_clone().expect("duplicating a descriptor");
        let (sender, output) = mpsc::channel();
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            // Linux ends with an error (EIO), others with 0 bytes.
            while let Ok(count @ 1..) = reader.read(&mut buffer) {
                if sender.send(buffer[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        Self {
            child,
            keyboard,
            output,
            screen: vt100::Parser::new(nonzero(LINES), nonzero(columns), 0),
            raw: Vec::new(),
            deadline: Instant::now() + invocation.patience,
            invocation,
            columns,
        }
    }

    /// Waits until the screen shows a text.
    ///
    /// # Panics
    /// The program ends, or its time does, before.
    #[track_caller]
    pub fn wait_for(&mut self, text: &str) -> &mut Self {
        while !self.screen.screen().contents().contains(text) {
            let left = self.deadline.saturating_duration_since(Instant::now());
            match self.output.recv_timeout(left) {
                Ok(bytes) => self.take(&bytes),
                Err(reason) => panic!(
                    "{} never showed {text:?} ({reason}); the screen:\n{}",
                    self.invocation.shown_as,
                    self.screen.screen().contents(),
                ),
            }
        }
        self
    }

    /// Types; Enter is `\n`, Ctrl-C is `\x03`, Ctrl-D is `\x04`.
    ///
    /// # Panics
    /// The terminal is gone.
    pub fn type_text(&mut self, text: &str) -> &mut Self {
        self.keyboard
            .write_all(text.as_bytes())
            .expect("typing into a terminal");
        self
    }

    /// Waits for the end of the program.
    ///
    /// # Panics
    /// It does not come in time.
    pub fn finish(mut self) -> Shown {
        loop {
            let left = self.deadline.saturating_duration_since(Instant::now());
            match self.output.recv_timeout(left) {
                Ok(bytes) => self.take(&bytes),
                // The terminal is closed, or time is up: `wait` below knows which.
                Err(_) => break,
            }
        }
        let left = self.deadline.saturating_duration_since(Instant::now());
        let status = wait(
            self.child,
            left.max(std::time::Duration::from_millis(1)),
            &self.invocation.shown_as,
        );
        let screen = self.screen.screen();
        let wrapped = (0..LINES)
            .filter(|row| screen.row_wrapped(*row))
            .map(|row| {
                screen
                    .rows(0, self.columns)
                    .nth(row.into())
                    .unwrap_or_default()
            })
            .collect();
        Shown {
            code: code(status),
            screen: screen.contents(),
            wrapped,
            raw: self.raw,
            columns: self.columns,
            command: self.invocation.shown_as,
            replacements: self.invocation.replacements,
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        self.raw.extend_from_slice(bytes);
        self.screen.process(bytes);
    }
}

fn nonzero(size: u16) -> NonZero<u16> {
    NonZero::new(size).expect("a terminal has columns and lines")
}

/// Keyboard and screen side (ours), and the program's side, of a new terminal.
fn open(columns: u16) -> io::Result<(File, OwnedFd)> {
    let mut ours = -1;
    let mut theirs = -1;
    let mut size = libc::winsize {
        ws_row: LINES,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    // SAFETY: all pointers are to locals that live past the call, or null where null is allowed; on
    // success both descriptors are open and nobody else owns them.
    let (ours, theirs) = unsafe {
        let answer = libc::openpty(
            &raw mut ours,
            &raw mut theirs,
            std::ptr::null_mut(),
            std::ptr::null_mut(),
            &raw mut size,
        );
        if answer == -1 {
            return Err(io::Error::last_os_error());
        }
        (OwnedFd::from_raw_fd(ours), OwnedFd::from_raw_fd(theirs))
    };
    // Or a program another test starts just now would hold this terminal open.
    rustix::io::fcntl_setfd(&ours, rustix::io::FdFlags::CLOEXEC)?;
    rustix::io::fcntl_setfd(&theirs, rustix::io::FdFlags::CLOEXEC)?;
    Ok((File::from(ours), theirs))
}

/// What a terminal showed in the end. As text it is the command line, the exit code and the screen,
/// with paths and digests replaced by words.
#[derive(Debug, Clone)]
pub struct Shown {
    pub code: i32,
    /// The screen, without colours and without empty lines at its end. A line that was too long is
    /// one line here: see `wrapped`.
    pub screen: String,
    /// Screen lines that went on in the next one.
    pub wrapped: Vec<String>,
    /// Every byte, with the escape sequences that colour and move.
    pub raw: Vec<u8>,
    columns: u16,
    command: String,
    replacements: Vec<(String, &'static str)>,
}

impl Shown {
    /// # Panics
    /// The exit code is not 0.
    #[track_caller]
    pub fn success(self) -> Self {
        self.exits(0)
    }

    /// # Panics
    /// The exit code is another one.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "exit code of:\n{self}");
        self
    }

    /// # Panics
    /// A line did not fit the terminal.
    #[track_caller]
    pub fn nothing_wrapped(self) -> Self {
        assert!(
            self.wrapped.is_empty(),
            "too wide for {}: {:#?}",
            self.columns,
            self.wrapped
        );
        self
    }

    /// Whether any colour was used.
    pub fn coloured(&self) -> bool {
        let mut rest = self.raw.as_slice();
        while let Some(start) = rest.windows(2).position(|pair| pair == b"\x1b[") {
            rest = &rest[start + 2..];
            let end = rest
                .iter()
                .position(u8::is_ascii_alphabetic)
                .unwrap_or(rest.len());
            let sets_style = rest.get(end) == Some(&b'm');
            if sets_style && !matches!(&rest[..end], b"" | b"0") {
                return true;
            }
        }
        false
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "$ {}", normalise(&self.command, &self.replacements))?;
        writeln!(f, "exit code: {}", self.code)?;
        writeln!(f, "----- terminal, {} columns -----", self.columns)?;
        writeln!(
            f,
            "{}",
            normalise(self.screen.trim_end(), &self.replacements)
        )
    }
}

#[cfg(test)]
mod tests {
    use crate::TestEnv;

    fn shell(env: &TestEnv, script: &str) -> super::Terminal {
        env.external("sh", ["-c", script]).terminal(40)
    }

    #[test]
    fn the_program_sees_a_terminal_of_the_given_width() {
        let env = TestEnv::untouched();
        let shown = shell(&env, "test -t 0 && test -t 1 && test -t 2 && stty size")
            .finish()
            .success();
        assert_eq!(shown.screen.trim_end(), "400 40");
        assert!(!shown.coloured());
    }

    #[test]
    fn a_person_can_answer_and_interrupt() {
        let env = TestEnv::untouched();
        let mut terminal = shell(
            &env,
            "printf 'sure? '; read answer; echo \"you said $answer\"",
        );
        terminal.wait_for("sure?").type_text("yes\n");
        assert!(terminal.finish().success().screen.contains("you said yes"));

        let mut terminal = shell(&env, "echo started; exec sleep 600");
        terminal.wait_for("started").type_text("\x03");
        assert_eq!(terminal.finish().code, 130);
    }

    #[test]
    fn a_line_that_is_too_long_is_noticed() {
        let env = TestEnv::untouched();
        let full = "x".repeat(40);
        let shown = shell(&env, &format!("echo {full}; echo short")).finish();
        assert_eq!(shown.wrapped, [""; 0]);
        let shown = shell(&env, &format!("echo {full}y")).finish();
        assert_eq!(shown.wrapped, [full]);
    }

    #[test]
    fn colour_and_redrawing_are_told_apart() {
        let env = TestEnv::untouched();
        let shown = shell(&env, r"printf 'half\r\033[2Kwhole\033[0m\n'").finish();
        assert_eq!(shown.screen.trim_end(), "whole");
        assert!(!shown.coloured());
        assert!(
            shell(&env, r"printf '\033[1;31mred\033[0m\n'")
                .finish()
                .coloured()
        );
    }
}
