//! Cloning and pushing: requests of git, answered by git's own `http-backend`.

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use super::State;
use crate::http::{Reply, Request};

/// A repository somebody may talk to.
pub(super) struct Served {
    bare: PathBuf,
    env: Vec<(&'static str, OsString)>,
    path: String,
}

/// Everything below `/OWNER/NAME.git/`.
pub(super) fn is_transfer(request: &Request) -> bool {
    request.path.contains(".git/")
}

impl Served {
    /// The repository a request is about, or the refusal.
    pub(super) fn of(request: &Request, state: &State) -> Result<Self, Reply> {
        let refused = |status| Err(Reply::new(status, "text/plain", "refused\n"));
        if let Some(token) = &state.token {
            let expected = format!(
                "Basic {}",
                base64(format!("x-access-token:{token}").as_bytes())
            );
            if request.authorization() != expected {
                return refused(401).map_err(|reply: Reply| {
                    reply.with("www-authenticate", "Basic realm=\"GitHub\"")
                });
            }
        }
        let (name, path) = request
            .path
            .trim_start_matches('/')
            .split_once(".git/")
            .unwrap_or_default();
        match state
            .repositories
            .get(name)
            .and_then(|hosted| hosted.bare.clone())
        {
            Some((bare, env)) => Ok(Self {
                bare,
                env,
                path: format!("/{path}"),
            }),
            None => refused(404),
        }
    }

    pub(super) fn answer(&self, request: &Request) -> Reply {
        let mut command = git(&self.env);
        command
            .arg("http-backend")
            .env("GIT_PROJECT_ROOT", &self.bare)
            .env("GIT_HTTP_EXPORT_ALL", "1")
            .env("PATH_INFO", &self.path)
            .env("REQUEST_METHOD", &request.method)
            .env("QUERY_STRING", &request.query)
            .env("CONTENT_LENGTH", request.body.len().to_string())
            .env("REMOTE_ADDR", "127.0.0.1")
            .env("REMOTE_USER", "x-access-token");
        for (header, variable) in [
            ("content-type", "CONTENT_TYPE"),
            ("content-encoding", "HTTP_CONTENT_ENCODING"),
            ("git-protocol", "GIT_PROTOCOL"),
        ] {
            if let Some(value) = request.header(header) {
                command.env(variable, value);
            }
        }
        let child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let mut child = child.expect("starting git http-backend");
        let (mut stdin, body) = (child.stdin.take().expect("piped"), request.body.clone());
        // Answers begin before the request was read whole.
        thread::spawn(move || stdin.write_all(&body));
        let output = child
            .wait_with_output()
            .expect("waiting for git http-backend");
        reply(&output.stdout)
    }
}

/// What a git command in a bare repository prints, without the line break; `None` when it fails.
pub(super) fn ask(
    (bare, env): &(PathBuf, Vec<(&'static str, OsString)>),
    args: &[&str],
) -> Option<String> {
    let output = git(env)
        .arg("--git-dir")
        .arg::<&Path>(bare)
        .args(args)
        .stderr(Stdio::null())
        .output();
    let output = output.expect("starting git");
    let text = String::from_utf8_lossy(&output.stdout)
        .trim_end()
        .to_owned();
    output.status.success().then_some(text)
}

fn git(env: &[(&'static str, OsString)]) -> Command {
    let mut command = Command::new(crate::needs::find("git").expect("git is on PATH"));
    command.env_clear().envs(env.iter().cloned());
    command
}

/// CGI: header lines, an empty one, and the body.
fn reply(output: &[u8]) -> Reply {
    let end = output.windows(4).position(|window| window == b"\r\n\r\n");
    let Some(end) = end else {
        return Reply::new(500, "text/plain", "git http-backend said nothing\n");
    };
    let head = String::from_utf8_lossy(&output[..end]).into_owned();
    let mut reply = Reply::new(200, "text/plain", &output[end + 4..]);
    reply.headers.clear();
    for (name, value) in head.lines().filter_map(|line| line.split_once(": ")) {
        if name == "Status" {
            reply.status = value
                .split(' ')
                .next()
                .and_then(|code| code.parse().ok())
                .unwrap_or(500);
        } else {
            reply = reply.with(name, value);
        }
    }
    reply
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let at = |index: usize| u32::from(group.get(index).copied().unwrap_or(0));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for digit in 0..4 {
            let value = usize::try_from(bits >> (18 - 6 * digit) & 63).expect("six bits");
            text.push(if digit > group.len() {
                '='
            } else {
                char::from(DIGITS[value])
            });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::github::{GitHub, rate_limited};
    use crate::{ADA, TestEnv};

    #[test]
    fn the_encoding_of_passwords() {
        for (plain, encoded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
        ] {
            assert_eq!(base64(plain.as_bytes()), encoded);
        }
    }

    #[test]
    fn a_repository_is_cloned_pushed_to_and_guarded() {
        let env = TestEnv::untouched();
        let repo = env.repo("shop");
        repo.write("a.txt", "one\n");
        repo.commit(ADA, "2025-01-10", "Begin");
        let github = GitHub::start();
        let bare = github.serve(&repo, "acme/shop");
        github.require("s3cret");

        let url = github.repository("acme/shop");
        let clone = |token: &str| {
            let url = url.replace("http://", &format!("http://x-access-token:{token}@"));
            env.external("git", ["clone", "--quiet", &url, "copy"])
                .env("GIT_TERMINAL_PROMPT", "0")
                .run()
        };
        clone("wrong").exits(128);
        clone("s3cret").success();
        let push = |branch: &str| {
            repo.call(["push", "--quiet"])
                .arg(env.work().join("copy/.git"))
                .arg(format!("HEAD:refs/heads/{branch}"))
                .run()
                .success();
            env.external("git", ["-C", "copy", "push", "--quiet", "origin", branch])
                .run()
        };
        // More than git sends without saying its length first.
        repo.write(
            "big.bin",
            (0..3_000_000_u32)
                .flat_map(u32::to_le_bytes)
                .collect::<Vec<_>>(),
        );
        let commit = repo.commit(ADA, "2025-01-11", "Add much");
        push("changelings/x").success();
        assert_eq!(
            repo.call(["--git-dir"])
                .arg(&bare)
                .arg("rev-parse")
                .arg("changelings/x")
                .run()
                .stdout
                .trim(),
            commit
        );
        assert!(
            github
                .transfers()
                .iter()
                .any(|request| request.body.len() > 1_000_000)
        );

        crate::hostile::reject_pushes(&bare, "Changes must be made through a pull request.");
        let refused = push("other").exits(1);
        assert!(
            refused.stderr.contains("remote: Changes must be made"),
            "{refused}"
        );
        assert!(
            refused.stderr.contains("pre-receive hook declined"),
            "{refused}"
        );
    }

    #[test]
    fn a_pull_request_is_opened_once_and_changed() {
        let env = TestEnv::untouched();
        let repo = env.repo("shop");
        repo.commit(ADA, "2025-01-10", "Begin");
        repo.git(["branch", "same"]);
        repo.git(["checkout", "--quiet", "-b", "work"]);
        let commit = repo.commit(ADA, "2025-01-11", "Work");
        let github = GitHub::start();
        github.serve(&repo, "acme/shop");
        let call = |method: &str, path: &str, body: serde_json::Value| {
            let url = format!("{}{path}", github.url());
            let (path, query) = url.split_once('?').unwrap_or((&url, ""));
            let request = Request {
                method: method.to_owned(),
                path: path.trim_start_matches(&github.url()).to_owned(),
                query: query.to_owned(),
                headers: Vec::new(),
                body: body.to_string().into_bytes(),
            };
            let reply = crate::github::answer(&request, &github.state);
            (
                reply.status,
                serde_json::from_slice::<serde_json::Value>(&reply.body).unwrap(),
            )
        };
        let wish =
            |head: &str| json!({ "title": "Work", "body": "", "head": head, "base": "main" });
        for (head, why) in [
            ("gone", "\"head\""),
            ("same", "No commits between main and same"),
        ] {
            let (status, body) = call("POST", "/repos/acme/shop/pulls", wish(head));
            assert!(status == 422 && body.to_string().contains(why), "{body}");
        }
        let (status, opened) = call("POST", "/repos/acme/shop/pulls", wish("acme:work"));
        assert_eq!(
            (status, &opened["number"], &opened["head"]["sha"]),
            (201, &json!(1), &json!(commit))
        );
        assert_eq!(call("POST", "/repos/acme/shop/pulls", wish("work")).0, 422);
        assert_eq!(
            call(
                "PATCH",
                "/repos/acme/shop/pulls/1",
                json!({ "title": "New" })
            )
            .1["title"],
            "New"
        );
        call(
            "POST",
            "/repos/acme/shop/issues/1/labels",
            json!({ "labels": ["a", "b"] }),
        );
        let (_, listed) = call(
            "GET",
            "/repos/acme/shop/pulls?state=open&head=acme:work",
            json!(null),
        );
        assert_eq!(listed[0]["labels"][1]["name"], "b");
        assert_eq!(
            call("GET", "/repos/acme/shop/pulls?state=closed", json!(null)).1,
            json!([])
        );
        assert_eq!(call("GET", "/repos/acme/none/pulls", json!(null)).0, 404);

        github.answers("GET", "/pulls", rate_limited(1), 1);
        assert_eq!(call("GET", "/repos/acme/shop/pulls", json!(null)).0, 403);
        assert_eq!(call("GET", "/repos/acme/shop/pulls", json!(null)).0, 200);
    }
}
