//! Signals that ask this program to end. The first is noticed by whatever waits, which kills what
//! it started and says so; the second ends the program at once.
//!
//! Children live in process groups of their own, so a Ctrl-C of the terminal reaches only us: from
//! the first child on, we have to pass it on.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Once, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;

use crate::exit_code;

static INTERRUPTED: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);
static TIME_UP: OnceLock<Duration> = OnceLock::new();
static ENDS: OnceLock<Instant> = OnceLock::new();

/// A signal asked this program to end. Waiting loops look at it.
pub fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}

/// Does what must be done all the same after a signal asked this program to end, and takes a moment.
/// A further signal interrupts that, too.
pub fn despite_interrupt<T>(work: impl FnOnce() -> T) -> T {
    let was = INTERRUPTED.swap(false, Ordering::Relaxed);
    let done = work();
    if was {
        INTERRUPTED.store(true, Ordering::Relaxed);
    }
    done
}

/// Waits so long. `false`: a signal asked this program to end before.
pub fn pause(duration: Duration) -> bool {
    watch();
    let until = Instant::now() + duration;
    loop {
        if interrupted() {
            return false;
        }
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return true;
        }
        thread::sleep(left.min(Duration::from_millis(50)));
    }
}

/// Gives this program so long: then it is asked to end, as by a signal.
pub fn end_after(limit: Duration) {
    let _ = ENDS.set(Instant::now() + limit);
    thread::spawn(move || {
        thread::sleep(limit);
        if !INTERRUPTED.load(Ordering::Relaxed) {
            let _ = TIME_UP.set(limit);
        }
        INTERRUPTED.store(true, Ordering::Relaxed);
    });
}

/// How long until this program is asked to end; `None`: it has all the time it wants.
pub fn time_left() -> Option<Duration> {
    let ends = ENDS.get()?;
    Some(ends.saturating_duration_since(Instant::now()))
}

/// How long this program had, when that is over and nobody else asked it to end.
pub fn time_up() -> Option<Duration> {
    TIME_UP.get().copied()
}

/// Begins to notice SIGINT, SIGTERM and SIGHUP; once is enough.
pub(super) fn watch() {
    static WATCHING: Once = Once::new();
    WATCHING.call_once(|| {
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            // `nohup` means it.
            if signal == SIGHUP && hangup_is_ignored() {
                continue;
            }
            let code = i32::from(exit_code::INTERRUPTED);
            // In this order: the second signal finds the flag set. Refused only for signals that
            // cannot be caught, which these are not.
            let _ = flag::register_conditional_shutdown(signal, code, Arc::clone(&INTERRUPTED));
            let _ = flag::register(signal, Arc::clone(&INTERRUPTED));
        }
    });
}

/// Hexadecimal mask of ignored signals, as the kernel or `ps` shows it.
fn hangup_is_ignored() -> bool {
    let mask = if cfg!(target_os = "linux") {
        std::fs::read_to_string("/proc/self/status")
            .ok()
            .and_then(|status| {
                let line = status
                    .lines()
                    .find_map(|line| line.strip_prefix("SigIgn:"))?;
                Some(line.trim().to_owned())
            })
    } else {
        #[expect(clippy::disallowed_methods, reason = "this module owns spawning")]
        let ps = std::process::Command::new("/bin/ps")
            .args(["-o", "ignored=", "-p", &std::process::id().to_string()])
            .output();
        ps.ok()
            .map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    mask.and_then(|mask| u64::from_str_radix(&mask, 16).ok())
        .is_some_and(|mask| mask & (1 << (SIGHUP - 1)) != 0)
}
