//! A stand-in for GitHub's API on this machine: answers what the test says and keeps what it was asked.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value, json};

/// The server; ends with the test.
#[derive(Debug)]
pub struct GitHub {
    address: SocketAddr,
    ended: Arc<AtomicBool>,
    asked: Arc<Mutex<Vec<Asked>>>,
}

/// One request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// `/repos/OWNER/NAME/issues`, without the query.
    pub path: String,
    /// The value of `Authorization`.
    pub authorization: Option<String>,
}

/// What it answers to every question.
#[derive(Debug, Clone)]
enum Behaviour {
    Lists {
        issues: Value,
        pulls: Value,
    },
    Refuses {
        status: u16,
        headers: Vec<(&'static str, String)>,
        message: &'static str,
    },
}

impl GitHub {
    /// Has these issues and pull requests, in GitHub's JSON ([`issue`], [`pull`]).
    pub fn with(issues: Vec<Value>, pulls: Vec<Value>) -> Self {
        Self::start(Behaviour::Lists {
            issues: issues.into(),
            pulls: pulls.into(),
        })
    }

    /// Answers everything with an error.
    pub fn refusing(
        status: u16,
        headers: Vec<(&'static str, String)>,
        message: &'static str,
    ) -> Self {
        Self::start(Behaviour::Refuses {
            status,
            headers,
            message,
        })
    }

    fn start(behaviour: Behaviour) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let server = Self {
            address: listener.local_addr().expect("a bound socket has one"),
            ended: Arc::default(),
            asked: Arc::default(),
        };
        let (ended, asked) = (Arc::clone(&server.ended), Arc::clone(&server.asked));
        thread::spawn(move || {
            for stream in listener.incoming() {
                if ended.load(Ordering::Relaxed) {
                    break;
                }
                // A client that goes away early is its own affair.
                let _ = stream.and_then(|stream| answer(&stream, &behaviour, &asked));
            }
        });
        server
    }

    /// For `GITHUB_API_URL`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What was asked so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().expect("nothing panics with it").clone()
    }
}

impl Drop for GitHub {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        // Wakes it; it sees that it is over.
        let _ = TcpStream::connect(self.address);
    }
}

fn answer(
    mut stream: &TcpStream,
    behaviour: &Behaviour,
    asked: &Mutex<Vec<Asked>>,
) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next().unwrap_or_else(|| Ok(String::new()))?;
    let target = first.split(' ').nth(1).unwrap_or_default();
    let path = target.split('?').next().unwrap_or_default().to_owned();
    let mut authorization = None;
    for line in lines {
        let line = line?;
        match line.split_once(": ") {
            Some((name, value)) if name.eq_ignore_ascii_case("authorization") => {
                authorization = Some(value.to_owned());
            }
            _ if line.is_empty() => break,
            _ => {}
        }
    }
    let (status, headers, body) = match behaviour {
        Behaviour::Lists { issues, .. } if path.ends_with("/issues") => {
            (200, &[][..], issues.to_string())
        }
        Behaviour::Lists { pulls, .. } if path.ends_with("/pulls") => {
            (200, &[][..], pulls.to_string())
        }
        Behaviour::Lists { .. } => (404, &[][..], json!({ "message": "Not Found" }).to_string()),
        Behaviour::Refuses {
            status,
            headers,
            message,
        } => (
            *status,
            &headers[..],
            json!({ "message": message }).to_string(),
        ),
    };
    asked.lock().expect("nothing panics with it").push(Asked {
        path,
        authorization,
    });
    write!(
        stream,
        "HTTP/1.1 {status} -\r\ncontent-type: application/json\r\nconnection: close\r\n"
    )?;
    for (name, value) in headers {
        write!(stream, "{name}: {value}\r\n")?;
    }
    write!(stream, "content-length: {}\r\n\r\n{body}", body.len())
}

/// An open issue by a member, labelled `bug`, as GitHub sends it.
pub fn issue(number: u64, title: &str, body: &str) -> Value {
    json!({
        "number": number,
        "title": title,
        "body": body,
        "user": { "login": "ada" },
        "author_association": "MEMBER",
        "labels": [{ "name": "bug" }],
        "state": "open",
        "created_at": "2026-09-01T10:00:00Z",
        "updated_at": "2026-09-02T10:00:00Z",
        "html_url": format!("https://github.com/example/fixture/issues/{number}"),
    })
}

/// A pull request from a branch of `repo` (`owner/name`) itself; `state` is `open`, `closed` or `merged`.
pub fn pull(repo: &str, number: u64, title: &str, body: &str, state: &str) -> Value {
    let merged = (state == "merged").then_some("2026-10-10T10:00:00Z");
    json!({
        "number": number,
        "title": title,
        "body": body,
        "user": { "login": "ada" },
        "author_association": "MEMBER",
        "labels": [],
        "state": if state == "open" { "open" } else { "closed" },
        "merged_at": merged,
        "head": { "ref": format!("changelings/{number}"), "sha": "0".repeat(40), "repo": { "full_name": repo } },
        "base": { "ref": "main", "sha": "0".repeat(40), "repo": { "full_name": repo } },
        "created_at": "2026-10-01T10:00:00Z",
        "updated_at": "2026-10-10T10:00:00Z",
        "html_url": format!("https://github.com/{repo}/pull/{number}"),
    })
}
