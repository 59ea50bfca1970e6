//! Against a loopback server that answers what each test says.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::mpsc;

use super::*;

/// Serves connection after connection until the test ends; hands out what was asked.
struct Server {
    url: String,
    requests: mpsc::Receiver<String>,
}

type Answer = (u16, Vec<(&'static str, String)>, String);

fn serve(answer: impl Fn(&str, &str) -> Answer + Send + 'static) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (sender, requests) = mpsc::channel();
    let base = url.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut head = String::new();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            while reader.read_line(&mut head).unwrap_or(0) > 2 {}
            let target = head.split(' ').nth(1).unwrap_or_default().to_owned();
            if sender.send(head).is_err() {
                return;
            }
            let (status, headers, body) = answer(&base, &target);
            if status == 0 {
                // Never answer: keep the connection open.
                std::mem::forget(stream);
                continue;
            }
            let headers: Vec<_> = headers
                .iter()
                .map(|(name, value)| format!("{name}: {value}\r\n"))
                .collect();
            let extra = headers.concat();
            let _ = write!(
                stream,
                "HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n{extra}\r\n{body}",
                body.len()
            );
        }
    });
    Server { url, requests }
}

fn run<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(future)
}

const TOKEN: &str = "ghp_0123456789secret";

fn repository(server: &Server) -> Repository {
    Repository::new(&server.url, "acme", "anvils", Some(TOKEN)).unwrap()
}

fn open(limit: usize) -> Query {
    Query {
        state: State::Open,
        labels: vec![],
        limit,
    }
}

fn wire(number: u64, more: &str) -> String {
    format!(
        r#"{{"number":{number},"title":"T{number}","body":null,"user":null,"author_association":"OWNER",
        "labels":[{{"name":"bug"}},"old"],"state":"open","created_at":"2026-11-01T00:00:00Z",
        "updated_at":"2026-11-02T00:00:00Z","html_url":"https://github.com/acme/anvils/issues/{number}"{more}}}"#
    )
}

#[test]
fn issues_are_paged_and_free_of_pull_requests() {
    let server = serve(|base, target| {
        if target.contains("page=2&") || target.ends_with("page=2") {
            return (200, vec![], format!("[{}]", wire(1, "")));
        }
        let link = format!("<{base}{target}&page=2>; rel=\"next\", <{base}/x>; rel=\"last\"");
        (
            200,
            vec![("link", link)],
            format!("[{},{}]", wire(3, ""), wire(2, r#","pull_request":{}"#)),
        )
    });
    let found = run(repository(&server).issues(&open(10))).unwrap();
    let numbers: Vec<_> = found.items.iter().map(|issue| issue.number).collect();
    assert_eq!((numbers, found.truncated), (vec![3, 1], false));
    assert_eq!(found.items[0].author, "ghost");
    assert_eq!(found.items[0].labels, ["bug", "old"]);
    let head = server.requests.recv().unwrap().to_lowercase();
    assert!(
        head.starts_with("get /repos/acme/anvils/issues?state=open&sort=created"),
        "{head}"
    );
    assert!(
        head.contains(&format!("authorization: bearer {TOKEN}"))
            && head.contains("user-agent: changelings/")
    );

    let found = run(repository(&server).issues(&open(1))).unwrap();
    assert_eq!((found.items.len(), found.truncated), (1, true));
}

#[test]
fn labels_are_asked_for_and_checked() {
    let server = serve(|_, _| (200, vec![], format!("[{}]", wire(3, ""))));
    let query = Query {
        labels: vec!["Bug".into(), "a&b c".into()],
        ..open(5)
    };
    assert_eq!(run(repository(&server).issues(&query)).unwrap().items, []);
    let head = server.requests.recv().unwrap();
    assert!(head.contains("&labels=Bug%2Ca%26b+c&"), "{head}");
}

#[test]
fn pulls_know_their_fate_and_their_fork() {
    let head = |repo: &str| {
        format!(
            r#","head":{{"ref":"b","sha":"abc","repo":{repo}}},"base":{{"ref":"main","sha":"def","repo":null}}"#
        )
    };
    let server = serve(move |_, _| {
        let own = head(r#"{"full_name":"Acme/anvils"}"#);
        let merged = format!(r#"{own},"merged_at":"2026-11-03T00:00:00Z""#);
        let gone = head("null");
        let fork = head(r#"{"full_name":"mallory/anvils"}"#);
        (
            200,
            vec![],
            format!(
                "[{},{},{},{}]",
                wire(4, &own),
                wire(3, &merged),
                wire(2, &gone),
                wire(1, &fork)
            ),
        )
    });
    let found = run(repository(&server).pulls(&Query {
        state: State::All,
        ..open(9)
    }))
    .unwrap();
    let seen: Vec<_> = found
        .items
        .iter()
        .map(|pull| (pull.state.as_str(), pull.own_branch))
        .collect();
    assert_eq!(
        seen,
        [
            ("open", true),
            ("merged", true),
            ("open", false),
            ("open", false)
        ]
    );
    assert_eq!(
        (found.items[0].head.as_str(), found.items[0].base.as_str()),
        ("b", "main")
    );
}

#[test]
fn every_no_is_typed_and_free_of_the_token() {
    let mut report = String::new();
    for (status, headers, body) in [
        (401, vec![], r#"{"message":"Bad credentials"}"#),
        (
            403,
            vec![],
            r#"{"message":"Resource not accessible\u001b[2J by personal access token"}"#,
        ),
        (
            403,
            vec![
                ("x-ratelimit-remaining", "0"),
                ("x-ratelimit-reset", "1795000000"),
            ],
            r#"{"message":"API rate limit exceeded"}"#,
        ),
        (
            403,
            vec![("retry-after", "60")],
            r#"{"message":"You have exceeded a secondary rate limit"}"#,
        ),
        (429, vec![], ""),
        (404, vec![], r#"{"message":"Not Found"}"#),
        (422, vec![], r#"{"message":"Validation Failed"}"#),
        (502, vec![], "<html>bad gateway</html>"),
        (200, vec![], "{\"message\": \"not a list\"}"),
        (
            200,
            vec![("link", "<http://127.0.0.1:1/next>; rel=\"next\"")],
            "[]",
        ),
        (302, vec![("location", "http://127.0.0.1:1/elsewhere")], ""),
        (418, vec![], ""),
    ] {
        use std::fmt::Write as _;
        let owned: Vec<_> = headers
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()))
            .collect();
        let server = serve(move |_, _| (status, owned.clone(), body.to_owned()));
        let error = run(repository(&server).issues(&open(5))).unwrap_err();
        let _ = writeln!(report, "{}: {error}", error.code());
        let shown = format!("{error:?} {:?}", crate::error::Error::from(error.clone()));
        assert!(!shown.contains(TOKEN), "{shown}");
    }
    insta::assert_snapshot!(report);
}

#[test]
fn a_server_that_fails_once_is_asked_again() {
    let failed = std::sync::atomic::AtomicBool::new(false);
    let server = serve(move |_, _| {
        let first = !failed.swap(true, std::sync::atomic::Ordering::Relaxed);
        (if first { 503 } else { 200 }, vec![], "[]".into())
    });
    assert_eq!(run(repository(&server).issues(&open(5))).unwrap().items, []);
}

#[test]
fn a_redirect_on_the_same_host_is_followed() {
    let server = serve(|base, target| {
        if target.starts_with("/repositories") {
            (200, vec![], "[]".into())
        } else {
            (
                301,
                vec![("location", format!("{base}/repositories/1/issues"))],
                String::new(),
            )
        }
    });
    assert!(run(repository(&server).issues(&open(5))).is_ok());
}

#[test]
fn silence_and_absence() {
    let server = serve(|_, _| (0, vec![], String::new()));
    let repository = repository(&server).with_timeout(Duration::from_millis(100));
    let error = run(repository.issues(&open(5))).unwrap_err();
    assert!(matches!(error, GithubError::TimedOut { .. }), "{error}");

    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let nobody = Repository::new(&format!("http://127.0.0.1:{port}"), "a", "b", None).unwrap();
    let error = run(nobody.issues(&open(5))).unwrap_err().to_string();
    assert!(
        error.starts_with("cannot reach 127.0.0.1: ") && error.contains("refused"),
        "{error}"
    );
}

#[test]
fn addresses_and_names() {
    let new = |api: &str, owner: &str| {
        Repository::new(api, owner, "anvils", None)
            .map(|r| format!("{r:?}"))
            .map_err(|e| e.to_string())
    };
    assert_eq!(
        new(DEFAULT_API, "acme").unwrap(),
        "acme/anvils at https://api.github.com/"
    );
    assert!(new("https://ghe.example.com/api/v3/", "acme").is_ok());
    for bad in [
        "http://api.github.com",
        "ftp://x",
        "api.github.com",
        "",
        "https://me:pw@x",
    ] {
        assert!(!new(bad, "acme").unwrap_err().contains("pw"), "{bad}");
    }
    for bad in ["", "..", "a/b", "a?b", "ä"] {
        assert!(new(DEFAULT_API, bad).is_err(), "{bad}");
    }
    let enterprise =
        Repository::new("https://ghe.example.com/api/v3/", "acme", "anvils", None).unwrap();
    assert_eq!(
        enterprise.endpoint("issues", &[]).path(),
        "/api/v3/repos/acme/anvils/issues"
    );
    assert!(Repository::new(DEFAULT_API, "acme", "anvils", Some("a\nb")).is_err());
}

const HEAD: &str = r#","head":{"ref":"changelings/a","sha":"abc","repo":{"full_name":"Acme/anvils"}},"base":{"ref":"main"}"#;

#[test]
fn a_pull_request_is_made_once_and_found_again() {
    let server = serve(|_, target| match target {
        "/repos/acme/anvils/pulls" => (201, vec![], wire(7, HEAD)),
        target if target.contains("head=acme%3Achangelings%2F") => {
            let other = HEAD.replace("changelings/a", "main");
            let fork = HEAD.replace("Acme", "mallory");
            let all = [wire(9, &other), wire(8, &fork), wire(7, HEAD)].join(",");
            (200, vec![], format!("[{all}]"))
        }
        "/repos/acme/anvils/pulls/7" => (200, vec![], wire(7, HEAD)),
        _ => (404, vec![], "{}".into()),
    });
    let repository = repository(&server);
    let new = NewPull {
        title: "T",
        body: "B",
        head: "changelings/a",
        base: "main",
    };
    let made = repository.create_pull(&new).unwrap();
    assert_eq!((made.number, made.head_commit.as_str()), (7, "abc"));
    let found = repository.open_pull_of("changelings/a").unwrap().unwrap();
    assert_eq!(found, made);
    assert_eq!(repository.open_pull_of("changelings/b").unwrap(), None);
    assert_eq!(repository.pull(7).unwrap(), made);
    assert!(matches!(
        repository.add_labels(7, &["a".into()]),
        Err(GithubError::NotFound { .. })
    ));
}

#[test]
fn nothing_is_written_twice() {
    for (status, body) in [(500, "{}"), (403, "{}"), (201, "no JSON")] {
        let server = serve(move |_, _| (status, vec![], body.into()));
        let new = NewIssue {
            title: "T",
            body: "B",
            labels: &[],
        };
        let error = repository(&server).create_issue(&new).unwrap_err();
        assert_eq!(error.is_doubtful(), status != 403, "{error}");
        assert_eq!(server.requests.try_iter().count(), 1, "{error}");
    }
}

#[test]
fn what_was_invalid_is_told() {
    let body = r#"{"message":"Validation Failed","errors":[
        {"resource":"PullRequest","code":"custom","message":"A pull request already exists for acme:b."},
        {"resource":"PullRequest","field":"base","code":"invalid"}, "and more"]}"#;
    let server = serve(move |_, _| (422, vec![], body.into()));
    let error = repository(&server)
        .edit_pull(7, Some("T"), None)
        .unwrap_err();
    let text = error.to_string();
    assert!(
        text.ends_with(
            "Validation Failed: A pull request already exists for acme:b.: base invalid: and more"
        ),
        "{text}"
    );
}

#[test]
fn how_long_to_wait() {
    let now: jiff::Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
    let limited = |again| GithubError::RateLimited {
        host: "h".into(),
        again,
    };
    let seconds = |error: GithubError| error.wait(now).map(|wait| wait.as_secs());
    let at = |text: &str| Again::At(text.parse().unwrap());
    assert_eq!(
        seconds(limited(Again::In(Duration::from_mins(1)))),
        Some(60)
    );
    assert_eq!(seconds(limited(Again::In(Duration::from_mins(10)))), None);
    assert_eq!(seconds(limited(at("2026-11-22T10:00:30Z"))), Some(30));
    assert_eq!(seconds(limited(at("2026-11-22T11:00:00Z"))), None);
    assert_eq!(seconds(GithubError::Token), None);
    let network = GithubError::Network {
        host: "h".into(),
        reason: "r".into(),
    };
    assert_eq!(seconds(network), Some(1));
}
