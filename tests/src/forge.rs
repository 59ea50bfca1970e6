//! A GitHub of the test's own, on this machine: one repository over HTTP, and the API's answers about it.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use crate::repo::Repo;

/// The server; it ends with the test's process.
#[derive(Debug)]
pub struct Forge {
    address: String,
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    /// A bare clone, served file by file.
    repository: PathBuf,
    answers: BTreeMap<String, String>,
    delay: Duration,
    requests: Mutex<Vec<Request>>,
}

/// A request to the API.
#[derive(Debug, Clone)]
pub struct Request {
    /// With the query.
    pub path: String,
    /// The value of `Authorization`; empty without one.
    pub authorization: String,
}

impl Forge {
    /// Serves what the repository is now as `acme/shop`, and these answers of the API, each after
    /// `delay`: `("/repos/acme/shop/issues", json)`.
    ///
    /// # Panics
    /// No port can be had.
    pub fn start(repo: &Repo, answers: &[(&str, serde_json::Value)], delay: Duration) -> Self {
        let repository = repo.bare_clone();
        // What a server without a git of its own has to offer.
        repo.call(["--git-dir"])
            .arg(&repository)
            .arg("update-server-info")
            .run()
            .success();
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("a bound listener").to_string();
        let answers = answers
            .iter()
            .map(|(path, json)| ((*path).to_owned(), json.to_string()));
        let state = Arc::new(State {
            repository,
            answers: answers.collect(),
            delay,
            requests: Mutex::default(),
        });
        let served = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&served);
                thread::spawn(move || serve(&stream, &state));
            }
        });
        Self { address, state }
    }

    /// URL of the repository.
    pub fn repository(&self) -> String {
        format!("http://{}/acme/shop.git", self.address)
    }

    /// What `GITHUB_API_URL` is to be.
    pub fn api(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Requests to the API so far.
    ///
    /// # Panics
    /// Serving one panicked.
    pub fn requests(&self) -> Vec<Request> {
        self.state
            .requests
            .lock()
            .expect("no server panicked")
            .clone()
    }
}

fn serve(stream: &TcpStream, state: &State) {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    while reader.read_line(&mut line).is_ok_and(|length| length > 0) {
        let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
        let (mut authorization, mut length) = (String::new(), 0);
        loop {
            line.clear();
            if reader.read_line(&mut line).is_err() || line.trim().is_empty() {
                break;
            }
            let (name, value) = line.trim().split_once(": ").unwrap_or_default();
            match name.to_ascii_lowercase().as_str() {
                "authorization" => value.clone_into(&mut authorization),
                "content-length" => length = value.parse().unwrap_or(0),
                _ => {}
            }
        }
        let _ = std::io::copy(&mut reader.by_ref().take(length), &mut std::io::sink());
        let answer = answer(&path, authorization, state);
        let (status, body) = answer.map_or(("404 Not Found", Vec::new()), |body| ("200 OK", body));
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let mut writer = stream;
        if writer
            .write_all(head.as_bytes())
            .and_then(|()| writer.write_all(&body))
            .is_err()
        {
            return;
        }
        line.clear();
    }
}

fn answer(path: &str, authorization: String, state: &State) -> Option<Vec<u8>> {
    let plain = path.split('?').next().unwrap_or_default();
    if let Some(file) = plain.strip_prefix("/acme/shop.git/") {
        return std::fs::read(state.repository.join(Path::new(file))).ok();
    }
    thread::sleep(state.delay);
    let request = Request {
        path: path.to_owned(),
        authorization,
    };
    state
        .requests
        .lock()
        .expect("no server panicked")
        .push(request);
    state
        .answers
        .get(plain)
        .map(|json| json.clone().into_bytes())
}
