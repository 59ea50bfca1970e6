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
    choose_at("/base".into(), runner, this)
}

fn choose_at(home: PathBuf, runner: &str, this: &Path) -> Result<Runner, RunnerError> {
    let context = Context {
        env: Environment::from_pairs([("HOME", "/home/ada"), ("PATH", "/usr/bin:/bin")]),
        home: Home::at(home),
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
    assert!(error.hint.unwrap().contains(BESIDE[1]));
    let error = choose("~/no-such-program", &script)
        .unwrap_err()
        .to_string();
    assert_eq!(error, "cannot read ~/no-such-program, which `runner` names");
}

fn sh(folder: &Path, script: &str) -> crate::process::Finished {
    Command::new("/bin/sh")
        .args(["-ec", script])
        .cwd(folder)
        .env("PATH", format!("{}:/usr/bin:/bin", folder.display()))
        .run()
        .unwrap()
}

/// A release as it is packed, with this program in it.
fn packed(folder: &Path, program: &str) -> PathBuf {
    let name = BESIDE[1];
    let inside = name.strip_suffix(PACKED).unwrap();
    let script = format!(
        "mkdir {inside}; cp {program} {inside}/changeling; echo > {inside}/LICENSE; tar -czf {name} {inside}; rm -r {inside}"
    );
    assert!(sh(folder, &script).success());
    folder.join(name)
}

/// The image's own lines, with a `curl` that finds the release here.
#[cfg(target_os = "linux")]
#[test]
fn a_release_is_unpacked_in_the_image() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let script = "echo '#!/bin/sh' > program; echo 'echo release $*' >> program; chmod +x program";
    assert!(sh(folder, script).success());
    let archive = packed(folder, "program");
    let curl = format!(
        "echo '#!/bin/sh' > curl; echo 'cp {} $6' >> curl; chmod +x curl",
        archive.display()
    );
    assert!(sh(folder, &curl).success());
    let lines = |digest: &Digest| {
        let url = format!("https://example.org/{}#sha256={digest}", BESIDE[1]);
        let runner = Runner::at_url(&url).unwrap();
        let [Step::RunCommands(lines)] = &runner.steps()[..] else {
            panic!("{runner:?}")
        };
        let lines = lines.join("\n");
        let here = |name: &str| folder.join(name).display().to_string();
        let lines = lines.replace(IN_IMAGE, &here("installed"));
        sh(folder, &lines.replace(FETCHED, &here("fetched")))
    };
    let digest = Digest::of(&std::fs::read(&archive).unwrap());
    let finished = lines(&digest);
    assert!(finished.success(), "{finished:?}");
    assert!(finished.text().ends_with("release --version"));
    assert!(folder.join("installed").is_file() && !folder.join("fetched").exists());
    std::fs::remove_file(folder.join("installed")).unwrap();
    assert!(!lines(&Digest::of(b"another")).success());
    assert!(!folder.join("installed").exists());
}

/// What a Mac does: the release for Linux lies beside its own program, as it was downloaded.
#[cfg(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu"))]
#[test]
fn the_release_beside_this_program() {
    let folder = tempfile::tempdir().unwrap();
    let this = folder.path().join("changeling");
    std::fs::write(&this, [0xcf, 0xfa, 0xed, 0xfe]).unwrap();
    let home = folder.path().join("home");
    let archive = packed(folder.path(), "/bin/sh");
    let shell = Digest::of(&std::fs::read("/bin/sh").unwrap());
    for _unpacked_already in [false, true] {
        let runner = choose_at(home.clone(), "auto", &this).unwrap();
        assert_eq!(runner.digest.as_ref(), Some(&shell));
        assert_eq!(runner.path, "/changeling/changeling");
        assert!(runner.steps().is_empty());
        let Source::File(program) = &runner.source else {
            panic!("{runner:?}")
        };
        assert!(executable(program).is_some());
    }
    // Named, it may lie anywhere.
    let runner = choose_at(
        home.clone(),
        archive.to_str().unwrap(),
        Path::new("/nowhere"),
    );
    assert_eq!(runner.unwrap().digest.as_ref(), Some(&shell));
    // The program itself comes first.
    let beside = folder.path().join(BESIDE[0]);
    std::fs::copy("/bin/sh", &beside).unwrap();
    let runner = choose_at(home, "auto", &this).unwrap();
    assert_eq!(runner.source, Source::File(beside));
}

#[test]
fn an_archive_of_something_else() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("c.tar.gz");
    let path = file.to_str().unwrap();
    let error = |home: &str| {
        let home = folder.path().join(home);
        let error = choose_at(home, path, Path::new("/nowhere")).unwrap_err();
        format!("{:#}", Error::from(error))
    };
    assert!(sh(folder.path(), "echo > a; tar -czf c.tar.gz a").success());
    assert!(
        error("one").ends_with("it has no `changeling` in a folder"),
        "{}",
        error("one")
    );
    std::fs::write(&file, "no archive").unwrap();
    assert!(error("two").contains("tar"), "{}", error("two"));
}
