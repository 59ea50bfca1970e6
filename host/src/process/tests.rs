use std::time::Instant;

use super::*;

fn sh(script: &str) -> Command {
    Command::new("/bin/sh")
        .arg("-c")
        .arg(script)
        .env("PATH", "/usr/bin:/bin")
}

#[test]
fn output_and_code() {
    let finished = sh("cat; echo err >&2; exit 7").stdin("in").run().unwrap();
    assert_eq!((finished.text().as_str(), finished.code()), ("in", 7));
    assert_eq!(finished.stderr, b"err\n");
}

#[test]
fn deadline_kills_the_group() {
    let started = Instant::now();
    let error = sh("sleep 60 & sleep 60")
        .timeout(Duration::from_millis(200))
        .run()
        .unwrap_err();
    assert!(matches!(error, ProcessError::TimedOut { .. }));
    assert!(started.elapsed() < Duration::from_secs(10));
}

#[test]
fn a_flood_does_not_outlive_the_deadline() {
    let error = sh("yes")
        .timeout(Duration::from_millis(200))
        .max_output(1000)
        .run()
        .unwrap_err();
    assert!(matches!(error, ProcessError::TimedOut { .. }));
}

#[test]
fn a_grandchild_cannot_hold_us() {
    let started = Instant::now();
    assert!(sh("sleep 60 & echo done").run().unwrap().success());
    assert!(started.elapsed() < Duration::from_secs(10));
}

#[test]
fn environment_starts_empty() {
    let finished = Command::new("/usr/bin/env").env("A", "1").run().unwrap();
    assert_eq!(finished.text(), "A=1");
}

#[test]
fn missing_program() {
    let error = Command::new("no-such-program-here").run().unwrap_err();
    assert!(matches!(error, ProcessError::NotFound(_)));
}

#[test]
fn long_output_is_cut() {
    let finished = sh("head -c 100000 /dev/zero")
        .max_output(1000)
        .run()
        .unwrap();
    assert!(finished.truncated && finished.stdout.len() == 1000);
}

#[test]
fn told_more_while_it_runs() {
    let mut cat = Command::new("/bin/cat").stdin("one").start().unwrap();
    let mut heard = Vec::new();
    while let Some((stream, bytes)) = cat.next(Duration::from_secs(10)).unwrap() {
        assert_eq!(stream, Stream::Stdout);
        heard.extend(bytes);
        match heard.as_slice() {
            b"one" => cat.say(" two"),
            b"one two" => cat.say_no_more(),
            _ => {}
        }
    }
    assert_eq!(heard, b"one two");
    assert!(cat.finish().unwrap().success());
}

#[test]
fn silence_is_bounded() {
    let mut cat = Command::new("/bin/cat").start().unwrap();
    let error = cat.next(Duration::from_millis(100)).unwrap_err();
    assert!(matches!(error, ProcessError::Silent { .. }), "{error}");
}

/// Who listens may take longer than that for what it hears.
#[test]
fn what_was_said_meanwhile_is_no_silence() {
    let folder = tempfile::tempdir().unwrap();
    let said = folder.path().join("said");
    let silence = Duration::from_millis(300);
    let script = format!("read a; echo $a; touch '{}'; sleep 60", said.display());
    let mut child = sh(&script).start().unwrap();
    child.say("one\n");
    let begun = Instant::now();
    while !said.exists() || begun.elapsed() < 2 * silence {
        std::thread::yield_now();
    }
    assert_eq!(child.next(silence).unwrap().unwrap().1, b"one\n");
    let error = child.next(silence).unwrap_err();
    assert!(matches!(error, ProcessError::Silent { .. }), "{error}");
}
