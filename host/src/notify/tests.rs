use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use super::*;
use crate::context::{Clock, Home};
use crate::exec::Outcome;
use crate::record::{Header, Usage};
use crate::ui::Ui;

const ID: &str = "20261118-110640-c0ffee";
const SECRET: &str = "hunter2-hunter2";

struct World {
    folder: tempfile::TempDir,
    context: Context,
    store: Store,
}

impl World {
    /// With one run that ended so.
    fn after(outcome: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = format!("{}:/usr/bin:/bin", folder.path().display());
        let context = Context {
            env: Environment::from_pairs([
                ("PATH", path.as_str()),
                ("HOME", "/home/ada"),
                ("GITHUB_TOKEN", SECRET),
                ("HOOK", "https://"),
            ]),
            home: Home::at(folder.path().join("home")),
            clock: Clock::SYSTEM,
            cwd: folder.path().to_owned(),
            ui: Ui::without_terminal(),
        };
        let store = Store::open(&context.home).unwrap();
        let name = "nightly".parse().unwrap();
        let header = Header {
            id: ID,
            kind: Kind::Run,
            changeling: &name,
            repo: "https://github.com/o/n",
            template: &name,
            started_at: "2026-11-18T11:06:40Z".parse().unwrap(),
        };
        let outcome: Outcome = serde_json::from_str(outcome).unwrap();
        let usage = Usage {
            cost_usd: Some(0.25),
            turns: Some(4),
        };
        let ended = header.started_at + jiff::SignedDuration::from_secs(90);
        let mut recording = store.begin(&header).unwrap();
        recording.log(b"boom\n").unwrap();
        recording.finish(&outcome, usage, ended).unwrap();
        Self {
            folder,
            context,
            store,
        }
    }

    fn failed() -> Self {
        Self::after(
            r#"{"outcome":"failed","step":"agent","exit":7,"message":"it said hunter2-hunter2","last_lines":["boom"]}"#,
        )
    }

    fn program(&self, name: &str, script: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    fn tell(&self, notify: &str) {
        let text = format!("[notify]\n{notify}");
        let file = self.context.home.config_file();
        let config = Config::parse(&file, &text, self.context.home.root()).unwrap();
        let redactor = Redactor::new([("GITHUB_TOKEN", SECRET)]);
        tell(&self.store, ID, &redactor, &config, &self.context);
        let outcome = self.store.run(ID).unwrap().unwrap().outcome.unwrap();
        assert_eq!(outcome.word(), "failed");
    }

    fn read(&self, name: &str) -> Option<String> {
        let text = std::fs::read_to_string(self.folder.path().join(name)).ok()?;
        assert!(!text.contains(SECRET), "{text}");
        Some(text.replace(&*self.folder.path().to_string_lossy(), "[FOLDER]"))
    }

    /// What could not be told, as the record has it.
    fn not_told(&self) -> Vec<(String, String)> {
        let events = self.store.events(ID).unwrap();
        let not_told = events
            .into_iter()
            .filter_map(|happened| match happened.event {
                Some(Event::NotTold { how, why }) => Some((how, why)),
                _ => None,
            });
        not_told.collect()
    }
}

#[test]
fn a_command_gets_the_record_and_little_else() {
    let world = World::failed();
    let out = world.folder.path().join("got");
    world.program(
        "tell-me",
        &format!(
            "cat > '{0}'; env | cut -d= -f1 | sort > '{0}.env'",
            out.display()
        ),
    );
    world.tell("command = [\"tell-me\", \"now\"]");
    assert_eq!(world.not_told(), []);
    let got: Value = serde_json::from_str(&world.read("got").unwrap()).unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(&got).unwrap());
    let names = world.read("got.env").unwrap();
    assert!(
        names.contains("HOME") && !names.contains("GITHUB_TOKEN"),
        "{names}"
    );
}

#[test]
fn what_fails_is_an_event_and_no_outcome() {
    let world = World::failed();
    let program = world.program("broken", "echo first >&2; echo \"no $0\" >&2; exit 3");
    world.tell(&format!(
        "command = \"{}\"\nwebhook = \"HOOK\"",
        program.display()
    ));
    world.tell("command = \"/nowhere/at-all\"\nwebhook = \"UNSET\"");
    let [command, webhook, command_2, webhook_2] = &world.not_told()[..] else {
        panic!("{:?}", world.not_told());
    };
    assert_eq!(command.0, "command");
    assert!(
        command.1.starts_with("it ended with exit code 3: no "),
        "{command:?}"
    );
    let url = "its URL is neither https nor on this machine";
    assert_eq!((webhook.0.as_str(), webhook.1.as_str()), ("webhook", url));
    assert_eq!(
        command_2.1,
        "cannot run it: `/nowhere/at-all` is not installed or not on PATH"
    );
    assert_eq!(
        webhook_2.1,
        "the secret UNSET, which holds its URL, is not set"
    );
}

#[test]
fn only_what_is_wanted_is_told() {
    let world = World::failed();
    let out = world.folder.path().join("got");
    world.program("tell-me", &format!("cat > '{}'", out.display()));
    world.tell("command = \"tell-me\"\non = [\"pull-request\", \"needs-attention\"]");
    assert_eq!(world.read("got"), None);
    world.tell("");
    assert_eq!(world.not_told(), []);
}

#[test]
fn mail_goes_through_the_machines_sendmail() {
    let world = World::failed();
    let out = world.folder.path().join("mail");
    world.program(
        "sendmail",
        &format!("echo \"$@\" > '{0}'; cat >> '{0}'", out.display()),
    );
    world.tell("mail = [\"ada@example.org\", \"grace@example.org\"]");
    assert_eq!(world.not_told(), []);
    insta::assert_snapshot!(world.read("mail").unwrap());
}

/// Answers one request; what it was.
fn serve(answer: &'static str) -> (u16, std::thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let served = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = Vec::new();
        let mut buffer = [0; 4096];
        // Until the body, which ends with the document.
        while !request.ends_with(b"}") {
            let count = stream.read(&mut buffer).unwrap();
            request.extend_from_slice(&buffer[..count]);
        }
        stream.write_all(answer.as_bytes()).unwrap();
        String::from_utf8(request).unwrap()
    });
    (port, served)
}

#[test]
fn a_webhook_gets_the_same_document() {
    let world = World::failed();
    let (port, served) = serve("HTTP/1.1 204 No Content\r\n\r\n");
    world.tell(&format!(
        "webhook = \"http://127.0.0.1:{port}/services/T0/B0\""
    ));
    let request = served.join().unwrap();
    assert_eq!(world.not_told(), []);
    assert!(
        request.starts_with("POST /services/T0/B0 HTTP/1.1\r\n"),
        "{request}"
    );
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("content-type: application/json"), "{head}");
    let body: Value = serde_json::from_str(body).unwrap();
    assert_eq!(body["run"]["outcome"], "failed");
    assert!(
        body["text"]
            .as_str()
            .unwrap()
            .contains("[redacted GITHUB_TOKEN]")
    );
}

#[test]
fn a_webhook_that_refuses_redirects_or_hangs() {
    let world = World::failed();
    for answer in [
        "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 307 Elsewhere\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n",
    ] {
        let (port, served) = serve(answer);
        world.tell(&format!(
            "webhook = \"http://127.0.0.1:{port}/s3cret-path\""
        ));
        served.join().unwrap();
    }
    // Listens and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/s3cret-path", silent.local_addr().unwrap());
    let error = post::post_within(&url, "{}".into(), Duration::from_millis(200)).unwrap_err();
    assert!(matches!(error, NotifyError::TimedOut { .. }), "{error:?}");
    drop(silent);
    let error = post::post_within(&url, "{}".into(), Duration::from_secs(5)).unwrap_err();
    assert!(matches!(error, NotifyError::Network { .. }), "{error:?}");
    let not_told = format!("{:?} {error:?} {error}", world.not_told());
    assert!(not_told.contains("127.0.0.1 answers 404"), "{not_told}");
    assert!(not_told.contains("127.0.0.1 answers 307"), "{not_told}");
    assert!(!not_told.contains("s3cret"), "{not_told}");
}
