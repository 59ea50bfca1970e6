use super::*;

/// The test runner's own PATH, and a HOME that is empty.
pub(super) fn git_in(home: &Path) -> Git {
    git_with(home, &[])
}

fn git_with(home: &Path, more: &[(&str, &str)]) -> Git {
    let path = Environment::read().get("PATH").unwrap().to_owned();
    let mut pairs = vec![("PATH", path.as_str()), ("HOME", home.to_str().unwrap())];
    pairs.push(("GIT_CONFIG_NOSYSTEM", "1"));
    pairs.extend(more);
    Git::new(&Environment::from_pairs(pairs))
}

/// Runs a script with git in it, as a user would, in `folder`.
pub(super) fn sh(folder: &Path, script: &str) -> String {
    let path = Environment::read().get("PATH").unwrap().to_owned();
    let mut call = Command::new("/bin/sh")
        .args(["-ec", script])
        .cwd(folder)
        .env("PATH", path);
    for (name, value) in [
        ("HOME", "/nonexistent"),
        ("GIT_CONFIG_NOSYSTEM", "1"),
        ("GIT_CONFIG_GLOBAL", "/nonexistent/gitconfig"),
        ("GIT_AUTHOR_NAME", "Ada"),
        ("GIT_AUTHOR_EMAIL", "ada@example.org"),
        ("GIT_COMMITTER_NAME", "Ada"),
        ("GIT_COMMITTER_EMAIL", "ada@example.org"),
        ("GIT_AUTHOR_DATE", "2026-01-02T03:04:05Z"),
        ("GIT_COMMITTER_DATE", "2026-01-02T03:04:05Z"),
    ] {
        call = call.env(name, value);
    }
    let finished = call.run().unwrap();
    let said = String::from_utf8_lossy(&finished.stderr).into_owned();
    assert!(finished.success(), "{script}: {said}");
    finished.text()
}

#[test]
fn identity_of_the_user() {
    let home = tempfile::tempdir().unwrap();
    let git = git_in(home.path());
    assert_eq!(git.identity(None).unwrap(), None);
    std::fs::write(
        home.path().join(".gitconfig"),
        "[user]\n\tname = Ada <root>\n\temail = ada@example.org\n",
    )
    .unwrap();
    let ada = git.identity(None).unwrap().unwrap();
    assert_eq!(
        (ada.name.as_str(), ada.email.as_str()),
        ("Ada root", "ada@example.org")
    );

    let repo = home.path().join("r.git");
    git.init_bare(&repo, "sha1").unwrap();
    checked(
        "config",
        &git.in_dir(&repo)
            .args(["config", "user.email", "ada@work.example"]),
    )
    .unwrap();
    assert_eq!(
        git.identity(Some(&repo)).unwrap().unwrap().email,
        "ada@work.example"
    );
}

#[test]
fn a_token_is_in_no_argument_and_no_debug_output() {
    let home = tempfile::tempdir().unwrap();
    let url = |text| RepoUrl::parse(text, Path::new("/")).unwrap();
    let (here, there) = (
        url("https://git.example.org:8443/a/b"),
        url("https://example.net/a/b"),
    );
    let git = git_in(home.path()).with_token(&here, "s3cret-token");
    let call = git.talking(None, &here);
    assert!(
        call.argv()
            .iter()
            .any(|arg| arg.starts_with("credential.https://git.example.org:8443.helper="))
    );
    assert!(!call.argv().concat().contains("s3cret-token"));
    assert!(!format!("{git:?}").contains("s3cret-token"));
    // Another host, or a call that talks to nobody, does not even have it in its environment.
    assert!(call.env_value("CHANGELINGS_GIT_TOKEN").is_some());
    assert_eq!(
        git.talking(None, &there).env_value("CHANGELINGS_GIT_TOKEN"),
        None
    );
    assert_eq!(
        git.in_dir(home.path()).env_value("CHANGELINGS_GIT_TOKEN"),
        None
    );
}

#[test]
fn ssh_asks_nothing() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(
        home.path().join(".gitconfig"),
        "[core]\n\tsshCommand = ssh -i key\n",
    )
    .unwrap();
    let url = RepoUrl::parse("git@host:x", Path::new("/")).unwrap();
    let ssh = |more: &[_]| {
        let call = git_with(home.path(), more).talking(None, &url);
        call.env_value("GIT_SSH_COMMAND")
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned()
    };
    let options = "-o BatchMode=yes -o ConnectTimeout=30";
    assert_eq!(ssh(&[]), format!("ssh -i key {options}"));
    assert_eq!(
        ssh(&[("GIT_SSH_COMMAND", "myssh")]),
        format!("myssh {options}")
    );
}

/// A server that wants a password, and answers what it was given.
fn ask_for_password(requests: usize) -> (u16, std::thread::JoinHandle<Vec<String>>) {
    use std::io::{BufRead, BufReader, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = std::thread::spawn(move || {
        let mut given = Vec::new();
        for _ in 0..requests {
            let (mut stream, _) = listener.accept().unwrap();
            let lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let head: Vec<_> = lines
                .map_while(Result::ok)
                .take_while(|line| !line.is_empty())
                .collect();
            let login = head
                .iter()
                .find_map(|line| line.strip_prefix("Authorization: Basic "));
            let status = if login.is_some() {
                "404 Not Found"
            } else {
                "401 Unauthorized"
            };
            given.extend(login.map(str::to_owned));
            let answer = "WWW-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            stream
                .write_all(format!("HTTP/1.1 {status}\r\n{answer}").as_bytes())
                .unwrap();
        }
        given
    });
    (port, server)
}

#[test]
fn the_token_reaches_its_own_host_only() {
    use base64::Engine;
    let home = tempfile::tempdir().unwrap();
    let (port, server) = ask_for_password(2);
    let url =
        |port| RepoUrl::parse(&format!("http://127.0.0.1:{port}/a/b"), Path::new("/")).unwrap();
    let token = "t0k'en $(touch trap) \\n \"%s\"";
    let git = git_in(home.path()).with_token(&url(port), token);
    let error = git.list_remote(&url(port)).unwrap_err();
    assert!(matches!(error, GitError::NoRepository(_)), "{error}");
    let login = base64::engine::general_purpose::STANDARD.encode(format!("x-access-token:{token}"));
    assert_eq!(server.join().unwrap(), [login]);

    let (port, server) = ask_for_password(1);
    let error = git.list_remote(&url(port)).unwrap_err();
    assert!(matches!(error, GitError::Authentication { .. }), "{error}");
    assert!(!error.to_string().contains("t0k"), "{error}");
    assert!(server.join().unwrap().is_empty());
}
