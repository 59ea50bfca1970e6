use proptest::prelude::*;

use super::*;

fn parse(text: &str) -> Result<RepoUrl, RepoUrlError> {
    RepoUrl::parse(text, Path::new("/no/such/base"))
}

#[test]
fn what_people_write() {
    for (text, canonical, name) in [
        ("octo/hello", "https://github.com/octo/hello", "hello"),
        ("octo/hello.git", "https://github.com/octo/hello", "hello"),
        (
            "https://github.com/octo/hello.git/",
            "https://github.com/octo/hello",
            "hello",
        ),
        (
            "https://www.GitHub.com:443/octo/hello",
            "https://github.com/octo/hello",
            "hello",
        ),
        (
            "git@github.com:octo/hello.git",
            "git@github.com:octo/hello.git",
            "hello",
        ),
        (
            "ssh://git@github.com/octo/hello.git",
            "git@github.com:octo/hello.git",
            "hello",
        ),
        (
            "ssh://git@host:2222/srv/hello",
            "ssh://git@host:2222/srv/hello",
            "hello",
        ),
        ("ssh://host/~me/hello", "ssh://git@host/~me/hello", "hello"),
        ("me@host:hello", "me@host:hello", "hello"),
        ("me@[::1]:hello", "me@[::1]:hello", "hello"),
        (
            "https://dev.azure.com/o/My%20P/_git/r",
            "https://dev.azure.com/o/My%20P/_git/r",
            "r",
        ),
        (
            "https://git.example.org:8443/a/b/c.git",
            "https://git.example.org:8443/a/b/c.git",
            "c",
        ),
        (
            "http://127.0.0.1:8080/octo/hello",
            "http://127.0.0.1:8080/octo/hello",
            "hello",
        ),
        ("http://[::1]:8080/r.git", "http://[::1]:8080/r.git", "r"),
        ("/srv/git/hello.git", "/srv/git/hello.git", "hello"),
        ("/home/me/hello/.git", "/home/me/hello/.git", "hello"),
        ("file:///srv/my%20repo", "/srv/my repo", "my repo"),
        ("./sub/../hello/", "/no/such/base/hello", "hello"),
        ("..", "/no/such", "such"),
    ] {
        let url = parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(
            (url.to_string().as_str(), url.name()),
            (canonical, name),
            "{text}"
        );
        assert_eq!(parse(canonical).as_ref(), Ok(&url), "{text}");
    }
}

#[test]
fn what_is_refused() {
    let malformed = |text| matches!(parse(text), Err(RepoUrlError::Malformed(_)));
    for text in [
        "hello",
        "a/b/c",
        "-oProxyCommand=x/y",
        "octo/-x",
        "octo/..",
        "../\u{7}",
        "octo/he llo",
        "https://",
        "https://-oProxyCommand=x/y",
        "ssh://-oProxyCommand=x/y",
        "git@-oX=y:z",
        "git@host:-upload-pack=x",
        "-git@host:x",
        "https://host/a/../b",
        "https://host/a/%2e%2e/b",
        "https://host/a%0ab",
        "https://host/a%zz",
        "https://host/a?token=1",
        "https://host:99999/a",
        "git@host:a/../../b",
        "git@host:a;touch x",
        "git@host:$(id)",
        "git@host:",
        "host:path",
        "file://other/srv/x",
        "file:///srv/%00",
        "file:///a%0Ab",
        "octo/hello\u{202e}",
        "http://[x]/y",
    ] {
        assert!(malformed(text), "{text}: {:?}", parse(text));
    }
    let protocol = |name: &str| Err(RepoUrlError::Protocol(name.to_owned()));
    assert_eq!(parse("ext::sh -c id"), protocol("ext"));
    assert_eq!(parse("fd::17"), protocol("fd"));
    assert_eq!(parse("ftp://host/x"), protocol("ftp"));
    assert_eq!(parse("git://host/x"), protocol("git"));
    assert_eq!(parse("http://example.org/x"), protocol("http"));
    assert_eq!(parse("http://127.0.0.1.example.org/x"), protocol("http"));
    assert_eq!(parse(" "), Err(RepoUrlError::Empty));
    assert!(matches!(parse("~/x"), Err(RepoUrlError::Tilde(_))));
}

#[test]
fn credentials_are_refused_and_not_repeated() {
    for text in [
        "https://me:hunter2@github.com/octo/hello",
        "https://hunter2@github.com/octo/hello",
        "https://me:hun@ter2@github.com/octo/hello",
        "ssh://me:hunter2@host/x",
        "me:hunter2@host:x",
    ] {
        assert_eq!(parse(text), Err(RepoUrlError::Credentials), "{text}");
    }
    for text in [
        "ftp://me:hunter2@host/x",
        "https://host/x?token=hunter2",
        "ext://a:hunter2@b",
    ] {
        let error = parse(text).unwrap_err().to_string();
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[test]
fn credentials_are_stripped() {
    for (text, stripped) in [
        (
            "https://me:pw@github.com/o/n.git",
            Some("https://github.com/o/n.git"),
        ),
        ("https://tok@github.com/o/n", Some("https://github.com/o/n")),
        ("https://a:p@w@host/x", Some("https://host/x")),
        ("ssh://git:pw@host/x", Some("ssh://git@host/x")),
        ("me:pw@host:x", Some("me@host:x")),
        ("ssh://git@host/x", None),
        ("git@github.com:o/n.git", None),
        ("https://host/a@b", None),
        ("/srv/a:b@c:d", None),
    ] {
        let expected = (stripped.unwrap_or(text).to_owned(), stripped.is_some());
        assert_eq!(strip_credentials(text), expected, "{text}");
    }
}

#[test]
fn a_folder_wins_over_github() {
    let base = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(base.path().join("octo/hello")).unwrap();
    let here = RepoUrl::parse("octo/hello", base.path()).unwrap();
    assert_eq!(here, RepoUrl::Local(base.path().join("octo/hello")));
    assert!(
        RepoUrl::parse("octo/other", base.path())
            .unwrap()
            .github()
            .is_some()
    );
}

#[test]
fn one_repository_of_github_has_one_key() {
    let key = |text| parse(text).unwrap().key();
    let https = key("octo/hello");
    assert!(https.starts_with("github-com-octo-hello-"), "{https}");
    assert_eq!(https, key("git@github.com:Octo/hello.git"));
    assert_ne!(https, key("octo/hello2"));
    assert_ne!(key("/a/hello"), key("/b/hello"));
    assert_eq!(
        parse("git@github.com:octo/hello.git").unwrap().github(),
        Some(("octo", "hello"))
    );
    assert_eq!(
        parse("https://gitlab.com/octo/hello").unwrap().github(),
        None
    );
}

proptest! {
    #[test]
    fn canonical_text_parses_back(text in prop_oneof![
        any::<String>(),
        "[a-zA-Z0-9@:/._~%?#\\[\\] -]{0,40}",
        "(https|http|ssh|file|ext|FILE)(://|::|:)[a-zA-Z0-9@:/._~%-]{0,40}",
        "[./a-z-]{1,20}",
    ]) {
        let (stripped, _) = strip_credentials(&text);
        let _ = parse(&stripped);
        if let Ok(url) = parse(&text) {
            let shown = url.to_string();
            prop_assert_eq!(parse(&shown), Ok(url.clone()));
            prop_assert_eq!(strip_credentials(&shown), (shown.clone(), false));
            let key = url.key();
            prop_assert!(key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'));
            let _ = (url.name(), url.github(), url.owner_and_name());
        }
    }
}
