//! Times and memory.

use std::ffi::OsString;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use changelings_tests::Invocation;

/// Runs a program to its end, whatever it prints.
///
/// # Panics
/// It fails.
pub(crate) fn run(invocation: Invocation) {
    drop(invocation.run().success());
}

/// Both in turn, each first every other time; the medians.
pub(crate) fn alternate(turns: usize, ours: impl Fn(), theirs: impl Fn()) -> (Duration, Duration) {
    ours();
    theirs();
    let mut times = [Vec::new(), Vec::new()];
    for turn in 0..turns {
        for which in [turn % 2, 1 - turn % 2] {
            let begin = Instant::now();
            if which == 0 {
                ours()
            } else {
                theirs()
            }
            times[which].push(begin.elapsed());
        }
    }
    let [ours, theirs] = times.map(median);
    (ours, theirs)
}

/// The median of that many times.
pub(crate) fn each(turns: usize, work: impl Fn()) -> Duration {
    let times = (0..turns).map(|_| {
        let begin = Instant::now();
        work();
        begin.elapsed()
    });
    median(times.collect())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// Memory this process holds now, in bytes.
///
/// # Panics
/// The system does not tell.
pub(crate) fn memory() -> u64 {
    if let Ok(pages) = std::fs::read_to_string("/proc/self/statm") {
        let resident = pages
            .split(' ')
            .nth(1)
            .and_then(|pages| pages.parse::<u64>().ok());
        return resident.expect("Linux tells it") * rustix::param::page_size() as u64;
    }
    let ps = std::process::Command::new("ps")
        .args(["-o", "rss=", "-p"])
        .arg(std::process::id().to_string())
        .output();
    let kilobytes = String::from_utf8(ps.expect("ps runs").stdout).expect("ps tells text");
    kilobytes.trim().parse::<u64>().expect("ps tells a number") << 10
}

/// The most memory the program, or a process it started, held at any time, in bytes. A small process
/// in between (this program again) waits for it, so that only it counts.
///
/// # Panics
/// It fails.
pub(crate) fn peak_memory_of(invocation: &Invocation) -> u64 {
    told(invocation, "--peak")
}

/// The processor time, of the user and of the system, that the program and all it waited for took.
///
/// # Panics
/// It fails.
pub(crate) fn cpu_of(invocation: &Invocation) -> Duration {
    Duration::from_micros(told(invocation, "--cpu"))
}

/// The number that the process in between tells.
fn told(invocation: &Invocation, what: &str) -> u64 {
    let this = std::env::current_exe().expect("a running program has a path");
    let told = invocation.started_by(this, [what]).run().success().stdout;
    told.trim()
        .parse()
        .unwrap_or_else(|_| panic!("no number: {told}"))
}

/// The process in between: runs a program without its output, then prints its peak in bytes.
pub(crate) fn tell_peak(program: &[OsString]) -> ExitCode {
    // Kilobytes on Linux, bytes on macOS.
    let unit = if cfg!(target_os = "macos") { 1 } else { 1024 };
    tell(program, |usage| {
        u64::try_from(usage.ru_maxrss).expect("no negative memory") * unit
    })
}

/// The same, and its processor time in microseconds.
pub(crate) fn tell_cpu(program: &[OsString]) -> ExitCode {
    tell(program, |usage| {
        [usage.ru_utime, usage.ru_stime]
            .into_iter()
            .map(|time| {
                let seconds = u64::try_from(time.tv_sec).expect("no negative time");
                seconds * 1_000_000 + u64::try_from(time.tv_usec).expect("no negative time")
            })
            .sum()
    })
}

fn tell(program: &[OsString], number: impl Fn(&libc::rusage) -> u64) -> ExitCode {
    let status = std::process::Command::new(&program[0])
        .args(&program[1..])
        .stdout(std::process::Stdio::null())
        .status();
    if !status.is_ok_and(|status| status.success()) {
        return ExitCode::FAILURE;
    }
    // SAFETY: the call fills the struct, which is plain numbers, and keeps no pointer to it.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        assert_eq!(libc::getrusage(libc::RUSAGE_CHILDREN, &raw mut usage), 0);
        usage
    };
    println!("{}", number(&usage));
    ExitCode::SUCCESS
}
