//! Ends what an agent left behind, in whatever session or process group it hides: by its user, where
//! it has one of its own, else by a variable in the environment. A process that empties its own
//! environment escapes that; on one machine and as one user nothing can stop it.

use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// How long processes may go on appearing before we give up on them.
const PATIENCE: Duration = Duration::from_secs(10);

/// Kills every process that was started with `name=value`, again and again until none is left.
/// Returns how many are alive in the end: 0, unless one cannot be killed or they multiply faster.
pub fn kill_marked(name: &str, value: &str) -> usize {
    let marker = format!("{name}={value}");
    kill_all(|| marked(&marker))
}

/// As `kill_marked`, for every process of a user, whose alone they must be.
pub fn kill_of_user(uid: u32) -> usize {
    kill_all(|| of_user(uid))
}

fn kill_all(find: impl Fn() -> Vec<Pid>) -> usize {
    let give_up = Instant::now() + PATIENCE;
    let mut clean = 0;
    loop {
        let found = find();
        for pid in &found {
            // Gone already is what we want.
            let _ = kill_process(*pid, Signal::KILL);
        }
        clean = if found.is_empty() { clean + 1 } else { 0 };
        // One look is no proof: a process that forks while we look can slip past it.
        if clean == 2 || Instant::now() >= give_up {
            return found.len();
        }
        thread::sleep(Duration::from_millis(2));
    }
}

#[cfg(target_os = "linux")]
fn marked(marker: &str) -> Vec<Pid> {
    processes(|process| {
        // Unreadable: another user's, so not ours. Empty: a zombie.
        let environment = std::fs::read(process.join("environ")).ok()?;
        let mut variables = environment.split(|byte| *byte == 0);
        Some(variables.any(|variable| variable == marker.as_bytes()))
    })
}

/// Processes other than ourselves whose folder in `/proc` is what is looked for; `None`: it is gone.
#[cfg(target_os = "linux")]
fn processes(is_meant: impl Fn(&std::path::Path) -> Option<bool>) -> Vec<Pid> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| {
            let pid = pid(entry.file_name().to_str()?)?;
            is_meant(&entry.path())?.then_some(pid)
        })
        .collect()
}

#[cfg(not(target_os = "linux"))]
fn marked(marker: &str) -> Vec<Pid> {
    processes(&["-axww", "-E", "-o", "pid=,command="], |mut words| {
        Some(words.any(|word| word == marker))
    })
}

/// Processes other than ourselves whose line from `ps`, without its first word, the number, is what is
/// looked for.
#[cfg(not(target_os = "linux"))]
fn processes(
    args: &[&str],
    is_meant: impl Fn(std::str::SplitWhitespace<'_>) -> Option<bool>,
) -> Vec<Pid> {
    let ps = super::Command::new("/bin/ps")
        .args(args.iter().copied())
        .run();
    let Ok(ps) = ps else {
        return Vec::new();
    };
    ps.text()
        .lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            let pid = pid(words.next()?)?;
            is_meant(words)?.then_some(pid)
        })
        .collect()
}

#[cfg(target_os = "linux")]
fn of_user(uid: u32) -> Vec<Pid> {
    processes(|process| {
        // Not the owner of the folder: a process can see to it that this is root.
        let status = std::fs::read_to_string(process.join("status")).ok()?;
        Some(lives_as(&status, uid))
    })
}

/// Whether a process with this status is not dead yet, and any of its users is this one.
#[cfg(target_os = "linux")]
fn lives_as(status: &str, uid: u32) -> bool {
    let field = |name: &str| {
        let mut lines = status.lines();
        lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
    };
    // A zombie waits for somebody to bury it, and does nothing else.
    let is_dead = field("State").is_some_and(|state| state.trim_start().starts_with(['Z', 'X']));
    let mut users = field("Uid").unwrap_or_default().split_whitespace();
    !is_dead && users.any(|user| user.parse() == Ok(uid))
}

#[cfg(not(target_os = "linux"))]
fn of_user(uid: u32) -> Vec<Pid> {
    processes(&["-axo", "pid=,uid=,stat="], |mut words| {
        let is_its = words.next()?.parse() == Ok(uid);
        Some(is_its && !words.next()?.starts_with('Z'))
    })
}

fn pid(text: &str) -> Option<Pid> {
    let number: i32 = text.parse().ok()?;
    let ourselves = u32::try_from(number) == Ok(std::process::id());
    Pid::from_raw(number).filter(|_| !ourselves)
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};

    use super::super::Command;
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn whose_process_it_is() {
        let status = |state: &str, users: &str| {
            format!(
                "Name:\tUid:\t7\nUmask:\t0022\nState:\t{state}\nUid:\t{users}\nGid:\t9\t9\t9\t9\n"
            )
        };
        for (state, users, expected) in [
            ("S (sleeping)", "7\t7\t7\t7", true),
            ("T (stopped)", "7\t7\t7\t7", true),
            // A program that is root, started by that user.
            ("R (running)", "7\t0\t0\t0", true),
            ("Z (zombie)", "7\t7\t7\t7", false),
            ("S (sleeping)", "0\t0\t0\t0", false),
            ("S (sleeping)", "77\t77\t77\t77", false),
            ("S (sleeping)", "9\t9\t9\t9", false),
        ] {
            assert_eq!(
                lives_as(&status(state, users), 7),
                expected,
                "{state} {users}"
            );
        }
        let ourselves = rustix::process::getuid().as_raw();
        let _child = Command::new("/bin/sleep").arg("600").converse().unwrap();
        let found = of_user(ourselves);
        assert!(!found.is_empty() && !found.contains(&rustix::process::getpid()));
    }

    #[test]
    fn a_child_in_its_own_session_dies_too() {
        let run = format!("marked-test-{}", std::process::id());
        // Prints when all are up, then waits; `setsid` as Perl has it on Linux and macOS alike.
        let script = r"perl -MPOSIX -e 'POSIX::setsid(); exec q(sleep), 600' >/dev/null 2>&1 &
                       sleep 600 >/dev/null 2>&1 &
                       echo up; sleep 600";
        let mut talk = Command::new("/bin/sh")
            .args(["-c", script])
            .env("PATH", "/usr/bin:/bin")
            .env("CHANGELING_RUN_ID", &run)
            .converse()
            .unwrap();
        let mut line = String::new();
        BufReader::new(&mut talk.stdout)
            .read_line(&mut line)
            .unwrap();
        assert_eq!(line, "up\n");
        assert!(!marked(&format!("CHANGELING_RUN_ID={run}")).is_empty());
        assert_eq!(kill_marked("CHANGELING_RUN_ID", &format!("{run}x")), 0);
        assert!(!marked(&format!("CHANGELING_RUN_ID={run}")).is_empty());
        assert_eq!(kill_marked("CHANGELING_RUN_ID", &run), 0);
        assert!(marked(&format!("CHANGELING_RUN_ID={run}")).is_empty());
    }
}
