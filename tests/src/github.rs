//! A GitHub of the test's own, on this machine: the slice of the REST API that is used, and
//! repositories that are cloned from and pushed to over `git http-backend`.

mod api;
mod backend;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::http::{Reply, Request, Server};
use crate::repo::Repo;

/// The server; ends with the test.
#[derive(Debug)]
pub struct GitHub {
    server: Server,
    state: Arc<Mutex<State>>,
}

/// What it holds, and what it was asked.
#[derive(Debug, Default)]
struct State {
    /// By `owner/name`.
    repositories: BTreeMap<String, Hosted>,
    /// What a repository holds that nobody told of.
    unknown: Option<Hosted>,
    /// Without it everything is open to everybody.
    token: Option<String>,
    faults: Vec<Fault>,
    delay: Duration,
    asked: Vec<Request>,
    transfers: Vec<Request>,
}

/// One repository.
#[derive(Debug, Clone, Default)]
struct Hosted {
    /// The bare repository, when it can be cloned, and the environment of git beside it.
    bare: Option<(PathBuf, Vec<(&'static str, OsString)>)>,
    issues: Vec<Value>,
    pulls: Vec<Value>,
    comments: Vec<(u64, String)>,
}

/// An answer that is given instead of the true one.
#[derive(Debug)]
struct Fault {
    /// Empty: any.
    method: &'static str,
    /// A part of the path.
    path: String,
    /// `None`: it does what it was asked, and the true answer is lost.
    reply: Option<Reply>,
    times: usize,
}

impl GitHub {
    /// Holds nothing yet.
    pub fn start() -> Self {
        Self::starting(State::default())
    }

    /// Every repository has these issues and pull requests, in GitHub's JSON ([`issue`], [`pull`]).
    pub fn with(issues: Vec<Value>, pulls: Vec<Value>) -> Self {
        let hosted = Hosted {
            issues,
            pulls,
            ..Hosted::default()
        };
        Self::starting(State {
            unknown: Some(hosted),
            ..State::default()
        })
    }

    /// Answers everything with an error.
    pub fn refusing(status: u16, headers: Vec<(&'static str, String)>, message: &str) -> Self {
        let github = Self::start();
        let reply = Reply::json(status, &json!({ "message": message }));
        let reply = headers
            .into_iter()
            .fold(reply, |reply, (name, value)| reply.with(name, value));
        github.answers("", "", reply, usize::MAX);
        github
    }

    fn starting(state: State) -> Self {
        let state = Arc::new(Mutex::new(state));
        let asked = Arc::clone(&state);
        let server = Server::start(move |request| answer(request, &asked));
        Self { server, state }
    }

    /// Serves a copy of what the repository is now as `owner/name`; the path of the copy, a bare
    /// repository.
    ///
    /// # Panics
    /// It cannot be copied.
    pub fn serve(&self, repo: &Repo, name: &str) -> PathBuf {
        let bare = repo.bare_clone_as(name);
        for setting in [
            "http.receivepack",
            "uploadpack.allowFilter",
            "uploadpack.allowAnySHA1InWant",
        ] {
            repo.call(["--git-dir"])
                .arg(&bare)
                .arg("config")
                .arg(setting)
                .arg("true")
                .run()
                .success();
        }
        let hosted = Hosted {
            bare: Some((bare.clone(), repo.variables())),
            ..Hosted::default()
        };
        self.lock().repositories.insert(name.to_owned(), hosted);
        bare
    }

    /// From now on every repository is private, and this is the only token that is accepted.
    pub fn require(&self, token: &str) {
        self.lock().token = Some(token.to_owned());
    }

    /// Answers requests of that method (empty: any) with that part in their path this way, that many
    /// times; the last given comes first.
    pub fn answers(&self, method: &'static str, path: &str, reply: Reply, times: usize) {
        self.insert(method, path, Some(reply), times);
    }

    /// Does what these requests ask, and ends the connection instead of answering.
    pub fn loses_answers(&self, method: &'static str, path: &str, times: usize) {
        self.insert(method, path, None, times);
    }

    fn insert(&self, method: &'static str, path: &str, reply: Option<Reply>, times: usize) {
        let fault = Fault {
            method,
            path: path.to_owned(),
            reply,
            times,
        };
        self.lock().faults.insert(0, fault);
    }

    /// From now on the true answers again.
    pub fn recovers(&self) {
        self.lock().faults.clear();
    }

    /// Answers of the API take that long.
    pub fn slow(&self, delay: Duration) {
        self.lock().delay = delay;
    }

    /// For `GITHUB_API_URL`.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Where `owner/name` is cloned from.
    pub fn repository(&self, name: &str) -> String {
        format!("{}/{name}.git", self.server.url())
    }

    /// Adds an issue ([`issue`]).
    pub fn add_issue(&self, repository: &str, issue: Value) {
        self.lock().hosted(repository).issues.push(issue);
    }

    /// Adds a pull request ([`pull`]).
    pub fn add_pull(&self, repository: &str, pull: Value) {
        self.lock().hosted(repository).pulls.push(pull);
    }

    /// The issues as they are now.
    pub fn issues(&self, repository: &str) -> Vec<Value> {
        self.lock().hosted(repository).issues.clone()
    }

    /// The pull requests as they are now.
    pub fn pulls(&self, repository: &str) -> Vec<Value> {
        self.lock().hosted(repository).pulls.clone()
    }

    /// Comments on issues and pull requests: number and text.
    pub fn comments(&self, repository: &str) -> Vec<(u64, String)> {
        self.lock().hosted(repository).comments.clone()
    }

    /// Requests to the API so far.
    pub fn asked(&self) -> Vec<Request> {
        self.lock().asked.clone()
    }

    /// Requests of git so far.
    pub fn transfers(&self) -> Vec<Request> {
        self.lock().transfers.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing panics with it")
    }
}

impl State {
    fn hosted(&mut self, name: &str) -> &mut Hosted {
        let new = self.unknown.clone().unwrap_or_default();
        self.repositories.entry(name.to_owned()).or_insert(new)
    }

    /// The answer instead of the true one; the inner `None`: the true one is lost.
    fn fault(&mut self, request: &Request) -> Option<Option<Reply>> {
        let fits = |fault: &&mut Fault| {
            let method = fault.method.is_empty() || fault.method == request.method;
            method && fault.times > 0 && request.path.contains(&fault.path)
        };
        let fault = self.faults.iter_mut().find(fits)?;
        fault.times -= 1;
        Some(fault.reply.clone())
    }
}

fn answer(request: &Request, state: &Mutex<State>) -> Reply {
    let mut locked = state.lock().expect("nothing panics with it");
    let transfer = backend::is_transfer(request);
    if transfer {
        locked.transfers.push(request.clone());
    } else {
        locked.asked.push(request.clone());
    }
    let lost = match locked.fault(request) {
        Some(Some(reply)) => return reply,
        Some(None) => true,
        None => false,
    };
    if transfer {
        // Others may ask meanwhile.
        let served = backend::Served::of(request, &locked);
        drop(locked);
        let reply = served.map_or_else(|refused| refused, |served| served.answer(request));
        return if lost { Reply::gone() } else { reply };
    }
    let delay = locked.delay;
    drop(locked);
    thread::sleep(delay);
    let mut locked = state.lock().expect("nothing panics with it");
    let reply = api::answer(request, &mut locked);
    if lost {
        Reply::gone()
    } else {
        reply.with("x-ratelimit-remaining", 4_999)
    }
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

/// The answer of a GitHub whose limit is used up until that second since 1970.
pub fn rate_limited(reset: u64) -> Reply {
    Reply::json(
        403,
        &json!({ "message": "API rate limit exceeded for user ID 1." }),
    )
    .with("x-ratelimit-remaining", 0)
    .with("x-ratelimit-reset", reset)
}
