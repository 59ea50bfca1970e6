use super::*;
use crate::config::Config;
use crate::context::{Clock, Environment, Home};
use crate::ui::Ui;

fn modal(runner: &str) -> Modal {
    let text = format!(
        "[changelings.a]\ntemplate = \"fixme-fairy\"\nrepo = \"o/r\"\nmodal.runner = '{runner}'"
    );
    let config = Config::parse(Path::new("c.toml"), &text, Path::new("/base")).unwrap();
    config.changelings.into_values().next().unwrap().modal
}

fn choose(runner: &str, this: &Path) -> Result<Runner, RunnerError> {
    let context = Context {
        env: Environment::from_pairs([("HOME", "/home/ada")]),
        home: Home::at("/base".into()),
        clock: Clock::SYSTEM,
        cwd: "/".into(),
        ui: Ui::without_terminal(),
    };
    Runner::choose(&modal(runner), Path::new("/base"), this, &context)
}

#[test]
fn at_a_url() {
    let digest = "ab".repeat(32);
    let url = format!("https://example.org/it's/changeling#sha256={digest}");
    let runner = Runner::at_url(&url).unwrap();
    assert_eq!(runner.path, "/usr/local/bin/changeling");
    assert_eq!(
        runner.digest.as_ref().map(Digest::as_str),
        Some(digest.as_str())
    );
    let [Step::RunCommands(lines)] = &runner.steps()[..] else {
        panic!("{runner:?}")
    };
    assert!(
        lines[0].ends_with(r"'https://example.org/it'\''s/changeling'"),
        "{}",
        lines[0]
    );
    assert!(lines[1].contains(&digest));
    for (url, expected) in [
        ("https://example.org/changeling", "without the checksum"),
        (
            "https://example.org/changeling#sha256=12",
            "without the checksum",
        ),
        (
            &format!("http://example.org/c#sha256={digest}"),
            "not https",
        ),
    ] {
        let error = choose(url, Path::new("/nowhere")).unwrap_err().to_string();
        assert!(error.contains(expected), "{url}: {error}");
    }
}

#[test]
fn from_sources() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let error = choose(path, Path::new("/nowhere")).unwrap_err();
    assert!(matches!(error, RunnerError::NoSources(_)), "{error}");
    std::fs::write(folder.path().join("Cargo.toml"), "").unwrap();
    let runner = choose(path, Path::new("/nowhere")).unwrap();
    assert_eq!(runner.digest, None);
    assert!(matches!(&runner.steps()[1], Step::Copy([from, _]) if from == SOURCES));
}

#[test]
fn what_cannot_run_there() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("changeling");
    std::fs::write(&script, "#!/bin/sh\n").unwrap();
    let error = Error::from(choose("auto", &script).unwrap_err());
    assert_eq!(error.kind, Kind::Usage);
    insta::assert_snapshot!(error, @"this program cannot run on Modal: it is no program for Linux");
    assert!(error.hint.unwrap().contains(BESIDE));
    let error = choose("~/no-such-program", &script)
        .unwrap_err()
        .to_string();
    assert_eq!(error, "cannot read ~/no-such-program, which `runner` names");
}

/// What a Mac does: the release for Linux lies beside its own program.
#[cfg(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu"))]
#[test]
fn the_release_beside_this_program() {
    let folder = tempfile::tempdir().unwrap();
    let this = folder.path().join("changeling");
    std::fs::write(&this, [0xcf, 0xfa, 0xed, 0xfe]).unwrap();
    let beside = folder.path().join(BESIDE);
    std::fs::copy("/bin/sh", &beside).unwrap();
    let runner = choose("auto", &this).unwrap();
    assert_eq!(runner.source, Source::File(beside));
    assert_eq!(runner.path, "/changeling/changeling");
    assert!(runner.steps().is_empty());
}
