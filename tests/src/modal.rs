//! A Modal of the test's own, on this machine: a control plane in Python (`tests/modal/`), which the
//! official client talks to as to the real one, and which runs containers for real.
//!
//! ```no_run
//! use changelings_tests::{TestEnv, modal::Modal};
//! let env = TestEnv::new();
//! let Some(modal) = Modal::start(&env) else { return };
//! modal.call(env.command(["deploy", "nightly"])).run().success();
//! let [call] = &modal.fire("changeling-nightly")[..] else { panic!("one cron") };
//! assert_eq!(modal.wait_for(call)["status"], "success");
//! ```
//!
//! * It **rejects** every call, and every field of a request, that it does not know
//!   (`tests/modal/known.py`): the test fails when [`Modal`] goes away. A new one that is meant is added
//!   there, with what it does.
//! * It **keeps everything** it is told: [`Modal::received`], [`Modal::definitions`], [`Modal::search`].
//! * It **fails** as a test wants: [`Modal::fails`], [`Modal::down`], [`Modal::set`].
//! * A **container** is Modal's own entrypoint in namespaces of its own: this machine's files with a layer
//!   of memory on top, its own `/root`, `/tmp`, `/home`, `/proc`, the files the app brought, volumes, and
//!   the environment of Modal's containers. Images are not built: of an image count the variables, the
//!   files copied into it, users added to it, and the commands, which a test may declare broken;
//!   programs an image would bring are given with [`Modal::containers_have`]. What it prints are the app's logs.
//!   Needs root: see [`crate::needs::containers`].
//!
//! By hand, in a shell (as root; `modal` stands for the one below `target/tools/modal-1.6.4/bin`):
//!
//! ```sh
//! mkdir /tmp/plane; mkfifo /tmp/plane.in; sleep infinity > /tmp/plane.in &   # it ends with its input
//! (cd /tmp/plane && $PROJECT/target/tools/modal-1.6.4/bin/python $PROJECT/tests/modal/plane.py . \
//!     < /tmp/plane.in > /tmp/plane.json) &
//! export $(jq -r 'to_entries[] | "\(.key)=\(.value)"' /tmp/plane.json)       # MODAL_SERVER_URL, tokens, control
//! modal deploy app.py --name hello
//! told() { curl -s -d "$1" $control; echo; }             # every operation is a function of tests/modal/control.py
//! told '{"do":"fire","app":"hello"}'                     # what its crons do; answers with ids of calls
//! told '{"do":"printed"}'                                # what containers printed
//! told '{"do":"violations"}'                             # what was asked that it does not know
//! told '{"do":"set","name":"setup","value":{"programs":{"mngr":"/path/to/mngr"},"env":{"GITHUB_API_URL":"..."}}}'
//! ```

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::env::TestEnv;
use crate::program::project_root;
use crate::run::Invocation;
use crate::{needs, tools};

/// The control plane and its containers; ends with the test.
#[derive(Debug)]
pub struct Modal {
    process: Child,
    /// It lives as long as this is open.
    stdin: Option<ChildStdin>,
    variables: Vec<(&'static str, String)>,
    /// `127.0.0.1:PORT` of what it is told by.
    control: String,
    folder: PathBuf,
}

/// What containers have besides what their app says: what its image would bring, and where they are.
#[derive(Debug, Clone, Default)]
pub struct Setup {
    programs: Vec<(String, PathBuf)>,
    variables: Vec<(String, String)>,
    files: Vec<(String, PathBuf)>,
    shared: Vec<PathBuf>,
}

impl Setup {
    /// The image does not bring this one.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.programs.retain(|(known, _)| known != name);
        self
    }

    /// A program of this machine, of [`tools`] or of the test's own, by the name it has there.
    #[must_use]
    pub fn program(mut self, name: &str, path: &Path) -> Self {
        self.programs.push((name.to_owned(), path.to_owned()));
        self
    }

    /// A variable of every container.
    #[must_use]
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// A file of this machine at a path there, whatever the app mounts at it.
    #[must_use]
    pub fn file(mut self, path: &str, here: &Path) -> Self {
        self.files.push((path.to_owned(), here.to_owned()));
        self
    }

    /// A folder of the test that is there as it is here, and writable by anybody.
    #[must_use]
    pub fn shared(mut self, folder: &Path) -> Self {
        use std::os::unix::fs::PermissionsExt;
        std::fs::create_dir_all(folder).expect("making a folder of the test");
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o777))
            .expect("changing a folder of the test");
        self.shared.push(folder.to_owned());
        self
    }

    fn as_json(&self) -> Value {
        let mut exposed = homes_of_tools();
        for (_, program) in &self.programs {
            let folder = program.parent().expect("a program is in a folder");
            exposed.push(folder.to_owned());
        }
        exposed.sort();
        exposed.dedup();
        let programs: Map<_, _> = self
            .programs
            .iter()
            .map(|(name, path)| (name.clone(), json!(path)))
            .collect();
        let variables: Map<_, _> = self
            .variables
            .iter()
            .map(|(name, value)| (name.clone(), json!(value)))
            .collect();
        let files: Vec<_> = self
            .files
            .iter()
            .map(|(path, here)| json!({ "path": path, "source": here, "mode": 0o755 }))
            .collect();
        json!({
            "programs": programs,
            "env": variables,
            "expose": exposed,
            "share": self.shared,
            "files": files,
        })
    }
}

/// What happens to calls of the client instead of the true answer.
#[derive(Debug, Clone, Copy)]
pub enum Fault {
    /// An error of gRPC: a status (`UNAVAILABLE`, ...) and a message.
    Error(&'static str, &'static str),
    /// No answer at all.
    Hang,
    /// The true answer, that much later.
    Slow(Duration),
    /// It is done, and the answer is lost.
    Lost,
    /// The true answer, when as many wait for theirs as calls are to end that way: the test fails when they do
    /// not come at the same time.
    Together,
}

/// Any call that comes from outside, not from a container.
pub const ANY: &str = "*";

/// The bytes of a file on their way to who reads it; they can be slow, and nothing else.
pub const FILES: &str = "files";

impl Modal {
    /// An empty workspace with an environment `main`, and the client on the `PATH` of the test's world;
    /// `None` after a loud word. Containers need more: [`needs::containers`].
    ///
    /// # Panics
    /// It does not start.
    #[track_caller]
    pub fn start(env: &TestEnv) -> Option<Self> {
        let client = tools::modal()?;
        env.link_program("modal", client);
        // Not in an argument: what lives of a test is found by its folder.
        let folder = env.root().join("modal");
        std::fs::create_dir_all(&folder).expect("making a folder of the test");
        let python = client.with_file_name("python");
        let script = project_root().join("tests/modal/plane.py");
        let script = script.to_str().expect("the project's path is text");
        let words = [python.to_str().expect("a path is text"), script, "."];
        let words = if needs::can_run_containers() {
            needs::as_root(words)
        } else {
            words.map(ToOwned::to_owned).to_vec()
        };
        let mut process = Command::new(&words[0])
            .args(&words[1..])
            .current_dir(&folder)
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin")
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("starting Python");
        let stdin = process.stdin.take();
        let mut line = String::new();
        BufReader::new(process.stdout.take().expect("it is piped"))
            .read_line(&mut line)
            .expect("reading from the control plane");
        let told: Value = serde_json::from_str(&line).expect("the control plane started");
        let text = |name: &str| told[name].as_str().expect("a text").to_owned();
        let names = ["MODAL_SERVER_URL", "MODAL_TOKEN_ID", "MODAL_TOKEN_SECRET"];
        let control = text("control");
        let control = control.trim_start_matches("http://");
        Some(Self {
            process,
            stdin,
            variables: names.map(|name| (name, text(name))).to_vec(),
            control: control.trim_end_matches("/control").to_owned(),
            folder,
        })
    }

    /// A command that finds it: address and token in its environment.
    #[must_use]
    pub fn call(&self, invocation: Invocation) -> Invocation {
        let variables = self.variables.iter();
        variables.fold(invocation, |call, (name, value)| call.env(name, value))
    }

    /// Prepares `modal ARGS`.
    pub fn client<'a>(
        &self,
        env: &TestEnv,
        args: impl IntoIterator<Item = &'a str>,
    ) -> Option<Invocation> {
        let call = env.external(tools::modal()?, args);
        // It tells the author and the origin of the repository it is called in.
        Some(self.call(call.env("GIT_DIR", "/nowhere")))
    }

    /// Address and token.
    pub fn variables(&self) -> &[(&'static str, String)] {
        &self.variables
    }

    /// From now on every container has this.
    pub fn containers_have(&self, setup: &Setup) {
        self.set("setup", setup.as_json());
    }

    // What goes wrong.

    /// From now on, that many calls of that name ([`ANY`]: every one from outside) end that way; the last
    /// given comes first.
    pub fn fails(&self, call: &str, fault: Fault, times: usize) {
        let mut request = json!({ "do": "fault", "call": call, "times": times });
        let more = match fault {
            Fault::Error(status, message) => {
                json!({ "kind": "error", "status": status, "message": message })
            }
            Fault::Hang => json!({ "kind": "hang" }),
            Fault::Slow(delay) => json!({ "kind": "slow", "seconds": delay.as_secs_f64() }),
            Fault::Lost => json!({ "kind": "lost" }),
            Fault::Together => json!({ "kind": "together" }),
        };
        let more = more.as_object().expect("an object").clone();
        request.as_object_mut().expect("an object").extend(more);
        self.tell(request);
    }

    /// No call fails any more.
    pub fn recovers(&self) {
        self.tell(json!({ "do": "recover" }));
    }

    /// Connections are refused from now on; containers go on.
    pub fn down(&self) {
        self.tell(json!({ "do": "down" }));
    }

    /// Sets `cron_limit` (of the workspace), `broken_images` (parts of commands of images that cannot be
    /// built), `clock` (seconds since 1970), `grace` (seconds from the polite signal to the end), `room` (whether there is any for new containers),
    /// `environments` (names, the default one first).
    pub fn set(&self, name: &str, value: Value) {
        self.tell(json!({ "do": "set", "name": name, "value": value }));
    }

    // What happens.

    /// Fires every cron of an app; the ids of the calls.
    pub fn fire(&self, app: &str) -> Vec<String> {
        texts(&self.tell(json!({ "do": "fire", "app": app })))
    }

    /// Gives an input to one more container, as after a lost one.
    pub fn redeliver(&self, call: &str) {
        self.tell(json!({ "do": "deliver", "call": call }));
    }

    /// Ends every process of a call's container at once; the input starts again on a new one.
    pub fn crash(&self, call: &str) {
        self.tell(json!({ "do": "crash", "call": call }));
    }

    /// Asks a call's container to end, as when its machine is needed; the input starts again on a new one.
    pub fn preempt(&self, call: &str) {
        self.tell(json!({ "do": "preempt", "call": call }));
    }

    /// Ends a call and its container at Modal's own limit of time.
    pub fn times_out(&self, call: &str) {
        self.tell(json!({ "do": "time_out", "call": call }));
    }

    /// Deletes a secret as a person does on the web page.
    pub fn delete_secret(&self, name: &str) {
        self.tell(json!({ "do": "delete_secret", "name": name }));
    }

    /// Stops an app as a person does on the web page.
    pub fn stop_app(&self, app: &str) {
        self.tell(json!({ "do": "stop_app", "app": app }));
    }

    /// Ends a call with a status, whatever its container does.
    pub fn finish(&self, call: &str, status: &str) {
        self.tell(json!({ "do": "finish", "call": call, "status": status }));
    }

    // Waiting.

    /// Waits until a call is done and its containers are gone: its id, `status`, `function`, `trigger`
    /// (`spawn` or `cron`), `tasks` (the containers that had it), `exception`.
    ///
    /// # Panics
    /// That takes too long; what its containers printed is in the message.
    #[track_caller]
    pub fn wait_for(&self, call: &str) -> Value {
        self.tell(json!({ "do": "wait_for_call", "call": call }))
    }

    /// Waits until a container prints a text.
    #[track_caller]
    pub fn wait_for_log(&self, text: &str) {
        self.tell(json!({ "do": "wait_for_log", "text": text }));
    }

    /// Waits until a call of gRPC was received that many times.
    #[track_caller]
    pub fn wait_for_request(&self, call: &str, times: usize) {
        self.tell(json!({ "do": "wait_for_request", "call": call, "times": times }));
    }

    // What there is.

    /// Requests of a call of gRPC, with their metadata, in their order.
    pub fn received(&self, call: &str) -> Vec<Value> {
        self.list(json!({ "do": "received", "call": call }))
    }

    /// Names of all calls of gRPC so far, in their order.
    pub fn asked(&self) -> Vec<String> {
        texts(&self.tell(json!({ "do": "call_names" })))
    }

    /// Where texts are in what it was told (without the calls `besides`), in what was uploaded or
    /// committed, and in logs.
    pub fn search(&self, texts_sought: &[String], besides: &[&str]) -> Vec<String> {
        texts(&self.tell(json!({ "do": "search", "texts": texts_sought, "besides": besides })))
    }

    /// An app's functions as received, by name, with `images` (uppermost first) and mounted files by
    /// `mounts`.
    pub fn definitions(&self, app: &str) -> Value {
        self.tell(json!({ "do": "definitions", "app": app }))
    }

    /// Every app there ever was: `name`, `state`, `tags`, `functions`, `versions`, `publish`.
    pub fn apps(&self) -> Vec<Value> {
        self.list(json!({ "do": "all_apps" }))
    }

    /// Every call of functions of an app.
    pub fn calls(&self, app: &str) -> Vec<Value> {
        self.list(json!({ "do": "all_calls", "app": app }))
    }

    /// Containers that ended: `task`, `call`, `exit_code`, `left_behind` (command lines of what lived on
    /// when the entrypoint had ended).
    pub fn containers(&self) -> Vec<Value> {
        self.list(json!({ "do": "containers" }))
    }

    /// What containers printed, all or those of one call.
    pub fn printed(&self, call: Option<&str>) -> String {
        let text = self.tell(json!({ "do": "printed", "call": call }));
        text.as_str().unwrap_or_default().to_owned()
    }

    /// Names of variables by name of secret.
    pub fn secrets(&self) -> Value {
        self.tell(json!({ "do": "secrets" }))
    }

    /// Values of a secret by name of variable.
    pub fn secret(&self, name: &str) -> Value {
        self.tell(json!({ "do": "secret_values", "name": name }))
    }

    /// The folder with what is committed to a volume: to look, and to write as another container would.
    ///
    /// # Panics
    /// There is no such volume.
    #[track_caller]
    pub fn volume(&self, name: &str) -> PathBuf {
        let all = self.tell(json!({ "do": "volumes" }));
        let path = all[name].as_str();
        self.folder
            .join(path.unwrap_or_else(|| panic!("no volume {name}: {all}")))
    }

    /// Names of all volumes.
    pub fn volumes(&self) -> Vec<String> {
        let all = self.tell(json!({ "do": "volumes" }));
        let names = all.as_object().into_iter().flatten();
        names.map(|(name, _)| name.clone()).collect()
    }

    /// What was asked that it does not know: unknown calls and fields, and failures of its own.
    pub fn violations(&self) -> Vec<String> {
        texts(&self.tell(json!({ "do": "violations" })))
    }

    fn list(&self, request: Value) -> Vec<Value> {
        self.tell(request).as_array().cloned().unwrap_or_default()
    }

    /// A line for a shell that makes the crons of an app fire.
    pub fn clock(&self, app: &str) -> String {
        let request = json!({ "do": "fire", "app": app });
        format!(
            "curl --silent --data {request} http://{}/control",
            self.control
        )
    }

    /// Tells or asks: an operation of `tests/modal/control.py`.
    ///
    /// # Panics
    /// It cannot be done.
    #[track_caller]
    #[expect(clippy::needless_pass_by_value, reason = "requests are made for it")]
    fn tell(&self, request: Value) -> Value {
        let answer = exchange(&self.control, &request.to_string())
            .unwrap_or_else(|error| panic!("the control plane is gone ({error}): {request}"));
        if let Some(error) = answer["error"].as_str() {
            panic!("{error}\nin answer to {request}");
        }
        answer["result"].clone()
    }
}

impl Drop for Modal {
    fn drop(&mut self) {
        let request = json!({ "do": "violations" }).to_string();
        let violations = match exchange(&self.control, &request) {
            Ok(answer) => texts(&answer["result"]),
            Err(error) => vec![format!("it is gone: {error}")],
        };
        self.stdin = None;
        let _ = self.process.wait();
        let told = format!("the control plane was asked what it does not know: {violations:#?}");
        if !thread::panicking() {
            assert!(violations.is_empty(), "{told}");
        } else if !violations.is_empty() {
            eprintln!("{told}");
        }
    }
}

/// The least that is a program for Linux on x86-64 and needs no library; deploying it takes no time.
///
/// # Panics
/// It cannot be written.
pub fn small_runner(env: &TestEnv) -> PathBuf {
    let mut elf = vec![0_u8; 64];
    let mut put = |at: usize, bytes: &[u8]| elf[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, b"\x7fELF\x02\x01\x01");
    put(16, &2_u16.to_le_bytes()); // an executable
    put(18, &62_u16.to_le_bytes()); // for x86-64
    put(20, &1_u32.to_le_bytes());
    put(52, &64_u16.to_le_bytes()); // of this header
    put(54, &56_u16.to_le_bytes()); // of a program header, of which there is none
    put(58, &64_u16.to_le_bytes()); // of a section header, of which there is none
    let file = env.write("runner", elf);
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755))
        .expect("making a file executable");
    file
}

/// Sends a request and reads the answer, each one JSON document.
fn exchange(address: &str, body: &str) -> std::io::Result<Value> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_mins(10)))?;
    let length = body.len();
    write!(
        stream,
        "POST /control HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (_, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
    Ok(serde_json::from_str(body)?)
}

fn texts(values: &Value) -> Vec<String> {
    let values = values.as_array().into_iter().flatten();
    values
        .filter_map(|value| value.as_str().map(ToOwned::to_owned))
        .collect()
}

/// Folders that programs of [`tools`] need: their own, and those of the Pythons they run in.
fn homes_of_tools() -> Vec<PathBuf> {
    let Ok(tools) = tools::tools().canonicalize() else {
        return Vec::new();
    };
    let entries = std::fs::read_dir(&tools).into_iter().flatten().flatten();
    let mut homes: Vec<_> = entries
        .filter_map(|entry| python_home(&entry.path().join("pyvenv.cfg")))
        .collect();
    homes.push(tools);
    homes.sort();
    homes.dedup();
    homes
}

/// Where the Python of a virtual environment is.
fn python_home(config: &Path) -> Option<PathBuf> {
    let text = std::fs::read_to_string(config).ok()?;
    let home = text.lines().find_map(|line| line.strip_prefix("home = "))?;
    Path::new(home.trim())
        .canonicalize()
        .ok()?
        .parent()
        .map(Path::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    const APP: &str = r#"
import os, sys, modal

app = modal.App("hello")
image = modal.Image.debian_slim(python_version="3.12").env({"COLOUR": "green"})
image = image.add_local_file(os.environ.get("WORDS", "words.txt"), "/changeling/words.txt")
volume = modal.Volume.from_name("hello", create_if_missing=True)
guard = modal.Dict.from_name("hello", create_if_missing=True)


@app.function(
    image=image, volumes={"/changeling/volume": volume}, secrets=[modal.Secret.from_name("hello")],
    schedule=modal.Cron("0 3 * * *", timezone="Europe/Zurich"), timeout=60, max_containers=1,
    single_use_containers=True, retries=0,
)
def run(target: int = 0):
    first = guard.put(modal.current_input_id(), "taken", skip_if_exists=True)
    print("first" if first else "again", open("/changeling/words.txt").read(), os.environ["COLOUR"], flush=True)
    with open("/changeling/volume/record.txt", "a") as file:
        file.write(f"{os.environ['WORD']} {os.getcwd()} {os.environ['MODAL_TASK_ID'][:2]}\n")
    volume.commit()
    if target:
        raise RuntimeError(f"no luck with {target}")
"#;

    /// The client, and what it deploys.
    fn world() -> Option<(TestEnv, Modal)> {
        let env = TestEnv::untouched();
        let modal = Modal::start(&env)?;
        env.write("work/app.py", APP);
        env.write("work/words.txt", "of the test");
        Some((env, modal))
    }

    fn client(env: &TestEnv, modal: &Modal, line: &str) -> crate::Output {
        let call = modal.client(env, line.split(' ')).expect("it is there");
        call.run()
    }

    fn python(env: &TestEnv, modal: &Modal, code: &str) -> crate::Output {
        let python = tools::modal()
            .expect("it is there")
            .with_file_name("python");
        modal.call(env.external(python, ["-c", code])).run()
    }

    #[test]
    fn the_plain_client_deploys_calls_and_looks() {
        let Some((env, modal)) = world() else { return };
        if !needs::containers() {
            return;
        }
        client(&env, &modal, "secret create hello WORD=sesame").success();
        client(&env, &modal, "deploy app.py --name hello --tag v1").success();
        let spawn = |target: u32| {
            let code = format!(
                "import modal; print(modal.Function.from_name('hello', 'run').spawn({target}).object_id)"
            );
            python(&env, &modal, &code)
                .success()
                .stdout
                .trim()
                .to_owned()
        };
        let well = spawn(0);
        assert_eq!(modal.wait_for(&well)["status"], "success");
        let badly = spawn(7);
        let ended = modal.wait_for(&badly);
        assert_eq!(ended["status"], "failure");
        assert_eq!(ended["exception"], "RuntimeError('no luck with 7')");
        let [fired] = &modal.fire("hello")[..] else {
            panic!("one cron")
        };
        assert_eq!(modal.wait_for(fired)["trigger"], "cron");

        let calls = client(&env, &modal, "function calls hello/run --json")
            .success()
            .json();
        let told: Vec<_> = calls
            .as_array()
            .into_iter()
            .flatten()
            .map(|call| (call["function_call_id"].as_str(), call["status"].as_str()))
            .collect();
        let expected = [(fired, "success"), (&badly, "failure"), (&well, "success")];
        assert_eq!(
            told,
            expected.map(|(call, status)| (Some(call.as_str()), Some(status)))
        );
        let logs = client(&env, &modal, "app logs hello --tail 50").success();
        assert!(logs.stdout.contains("first of the test green"), "{logs}");

        std::fs::create_dir(env.work().join("got")).unwrap();
        client(&env, &modal, "volume get hello / got --force").success();
        let record = std::fs::read_to_string(env.work().join("got/record.txt")).unwrap();
        assert_eq!(record, "sesame /root ta\n".repeat(3));
        client(&env, &modal, "volume put hello words.txt /words.txt").success();
        client(&env, &modal, "volume put hello words.txt /words.txt").exits(2);
        assert_eq!(
            std::fs::read_to_string(modal.volume("hello").join("words.txt")).unwrap(),
            "of the test"
        );

        client(&env, &modal, "app stop hello -y").success();
        assert_eq!(modal.apps()[0]["state"], "stopped");
        for container in modal.containers() {
            assert_eq!(container["left_behind"], json!([]), "{container}");
        }
        assert_eq!(
            modal.search(&["sesame".into()], &["SecretGetOrCreate"]),
            ["volumes/vo-0000000000000000000001/record.txt: sesame"]
        );
    }

    #[test]
    fn a_dead_container_is_followed_by_another_with_the_same_input() {
        let Some((env, modal)) = world() else { return };
        if !needs::containers() {
            return;
        }
        let waits = APP.replace(
            "    if target:",
            "    if first:\n        import subprocess; subprocess.Popen(['setsid', 'sleep', '1000']).wait()\n    if target:",
        );
        env.write("work/app.py", waits);
        client(&env, &modal, "secret create hello WORD=sesame").success();
        client(&env, &modal, "deploy app.py --name hello").success();
        let call = modal.fire("hello").remove(0);
        modal.wait_for_request("VolumeCommit", 1);
        modal.crash(&call);
        let ended = modal.wait_for(&call);
        assert_eq!(ended["status"], "success");
        assert_eq!(ended["tasks"].as_array().map(Vec::len), Some(2));
        let printed = modal.printed(Some(&call));
        assert!(
            printed.contains("first of") && printed.contains("again of"),
            "{printed}"
        );
    }

    #[test]
    fn what_it_does_not_know_fails_the_test() {
        let Some((env, modal)) = world() else { return };
        let queue = python(
            &env,
            &modal,
            "import modal; modal.Queue.from_name('q', create_if_missing=True).put(1)",
        );
        assert!(
            queue
                .stderr
                .contains("does not know the call QueueGetOrCreate"),
            "{queue}"
        );
        let message = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(modal)))
            .expect_err("the test fails");
        let message = message.downcast_ref::<String>().expect("a message");
        assert!(message.contains("the call QueueGetOrCreate"), "{message}");
    }

    #[test]
    fn a_wrong_token_and_scripted_faults() {
        let Some((env, modal)) = world() else { return };
        let list = || {
            modal
                .client(&env, ["app", "list", "--json"])
                .expect("it is there")
        };
        let wrong = list().env("MODAL_TOKEN_SECRET", "as-wrong").run().exits(1);
        assert!(wrong.stderr.contains("Token"), "{wrong}");
        modal.fails("AppList", Fault::Error("UNAVAILABLE", "try again"), 2);
        list().run().success();
        assert_eq!(modal.received("AppList").len(), 4);
        modal.fails(
            "AppList",
            Fault::Error("PERMISSION_DENIED", "not for you"),
            1,
        );
        let denied = list().run().exits(1);
        assert!(denied.stderr.contains("not for you"), "{denied}");
        assert!(modal.search(&["as-wrong".into()], &[]).len() == 1);
    }
}
