//! `changeling exec`, as the deployed function starts it: with a volume that is a folder, and somebody
//! who answers its questions as `app.py` does.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use changelings::config::Config;
use changelings::context::Home;
use changelings::git::Identity;
use changelings::modal::freeze::{Machine, Parts, freeze};
use changelings::modal::runner::{Runner, Source};
use changelings::permission::Grants;
use changelings::template::{Template, catalog};
use changelings_tests::github::GitHub;
use changelings_tests::http::Reply;
use changelings_tests::traces::{Watch, files_with, processes_of, wait_for};
use changelings_tests::{ADA, TestEnv, changeling, needs, tools};
use rustix::process::{Pid, Signal, geteuid, kill_process};
use serde_json::{Value, json};

/// What the forge takes.
const TOKEN: &str = "ghp_abcdefghij0123456789ABCDEFGHIJ012345";
/// What the agent is paid with.
const KEY: &str = "sk-ant-of-the-container-0123456789";

const COMMIT: &str = "echo '    # mended' >> app.py; git commit -qam 'Mend the total'";

/// What a script in claude's place reports in the end, as claude does.
const RESULT: &str = r#"echo '{"type":"result","subtype":"success","is_error":false,"result":"Mended.","total_cost_usd":0.25,"num_turns":3,"session_id":"s"}'"#;

/// The first process of a container: writes down what the program left behind.
const INIT: &str = r#"left=$1; shift; "$@"; code=$?
for process in /proc/[0-9]*; do [ $process = /proc/1 ] || tr '\0' ' ' < $process/cmdline; done > $left 2> /dev/null
exit $code"#;

/// A deployed changeling, and everything that outlives its containers.
struct World {
    env: TestEnv,
    github: GitHub,
    variables: Vec<(String, String)>,
    /// What the volume's next container finds: as it was committed last.
    committed: Arc<Mutex<PathBuf>>,
    /// Which attempt at a call started the agent.
    guard: Arc<Mutex<HashMap<String, String>>>,
    /// What the control plane says instead of an answer.
    trouble: Arc<Mutex<Option<String>>>,
    containers: Mutex<u32>,
    /// When a function of its own made the call, in seconds since 1970.
    fired: Mutex<Option<i64>>,
    /// The volume is the agent's user's, and its modes keep nobody out who should not be there.
    gives_volume_away: bool,
}

/// A call that is answered in a container of its own.
struct Running {
    child: Child,
    asked: JoinHandle<(Vec<String>, Option<Value>)>,
    log: JoinHandle<String>,
    home: PathBuf,
}

/// A call that was.
struct Called {
    code: i32,
    asked: Vec<String>,
    ended: Value,
    log: String,
    home: PathBuf,
}

impl World {
    /// `None` after a loud word: mngr or tmux is missing.
    #[track_caller]
    fn new(script: &str, more: &str) -> Option<Self> {
        Self::of("app.py", script, more)
    }

    #[track_caller]
    fn of(file: &str, script: &str, more: &str) -> Option<Self> {
        let (Some(mngr), Some(tmux), Some(jq)) =
            (tools::mngr_0_2(), needs::tool("tmux"), needs::tool("jq"))
        else {
            return None;
        };
        if !serves_everybody(mngr) {
            needs::without(
                "an mngr that other users can start",
                "remove target/tools/mngr-0.2.2, and have a Python outside of root's home",
            );
            return None;
        }
        if geteuid().is_root() && !needs::containers() {
            return None;
        }
        let env = TestEnv::new();
        for program in [mngr, &tmux, &jq] {
            let name = program.file_name().expect("a program has a name");
            env.link_program(&name.to_string_lossy(), program);
        }
        let repo = env.repo("shop");
        repo.write(
            file,
            "def total(items):\n    # FIXME: rounds the wrong way\n    return sum(items)\n",
        );
        repo.commit(ADA, "2025-11-03", "Add the shop");
        let github = GitHub::start();
        github.serve(&repo, "acme/shop");
        github.require(TOKEN);
        let url = github.repository("acme/shop");
        env.write_config(&format!(
            "[changelings.nightly]\ntemplate = \"fixme-fairy\"\nrepo = \"{url}\"\nschedule = \"0 3 * * *\"\n\
             timezone = \"UTC\"\nsecrets = [\"GITHUB_TOKEN\", \"ANTHROPIC_API_KEY\"]\n{more}\n"
        ));
        // The agent is somebody else: it may pass through, and write down what the tests want to see.
        let open = |path: &Path, mode| {
            let permissions = std::fs::Permissions::from_mode(mode);
            std::fs::set_permissions(path, permissions).expect("a folder of this test");
        };
        open(env.root(), 0o711);
        std::fs::create_dir(env.root().join("seen")).expect("a folder of this test");
        open(&env.root().join("seen"), 0o777);
        let world = Self {
            variables: Vec::new(),
            committed: Arc::new(Mutex::new(env.root().join("volumes/empty"))),
            guard: Arc::default(),
            trouble: Arc::default(),
            containers: Mutex::new(0),
            fired: Mutex::new(None),
            gives_volume_away: false,
            github,
            env,
        };
        world.claude(script);
        std::fs::create_dir_all(world.volume()).expect("a folder of this test");
        Some(world.deploy())
    }

    /// Puts a script in claude's place.
    fn claude(&self, script: &str) {
        let root = self.env.root().join("seen");
        let script = format!(
            "#!/bin/sh\ncase \"$*\" in *--version*) echo '2.1.330 (Claude Code)'; exit;; esac\nseen='{}'\n\
             cat > $seen/prompt; touch $seen/started\n{script}\n",
            root.display()
        );
        self.env.program("claude", &script);
    }

    /// Writes the deployment as `deploy` does.
    fn deploy(mut self) -> Self {
        let home = Home::at(self.env.changelings_home());
        let config = Config::load(&home).expect("a configuration");
        let changeling = config.named("nightly").expect("it is configured");
        let source = catalog::find(&changeling.template, config.base()).expect("a template");
        let template = Template::load(&source, &home.components_dir()).expect("a component");
        let runner = Runner {
            path: "/changeling/changeling".to_owned(),
            digest: None,
            source: Source::File(changeling_program()),
        };
        let secret = |name: &str| {
            Ok(match name {
                "GITHUB_TOKEN" => Some(TOKEN.to_owned()),
                "ANTHROPIC_API_KEY" => Some(KEY.to_owned()),
                _ => None,
            })
        };
        let api = self.github.url();
        let machine = Machine {
            home: "h0me",
            version: "0.1.0",
            identity: Some(Identity {
                name: "Night Shift".to_owned(),
                email: "night@example.org".to_owned(),
            }),
            secret: &secret,
            ssh_key: None,
            settings: [("GITHUB_API_URL".to_owned(), api.clone())].into(),
        };
        let parts = Parts {
            granted: Grants::load(&home.grants_file())
                .expect("no grants")
                .of(&template),
            changeling,
            config: &config,
            template: &template,
            runner: &runner,
        };
        let frozen = freeze(&parts, &machine).expect("it can be deployed");
        self.env.write("place/template.wasm", &source.bytes);
        self.env.write("place/job.json", frozen.document.text());
        self.variables = frozen.values.into_iter().collect();
        self
    }

    /// Changes what is deployed.
    fn change(&self, change: impl FnOnce(&mut Value)) {
        let file = self.env.root().join("place/job.json");
        let text = std::fs::read_to_string(&file).expect("it was deployed");
        let mut document = serde_json::from_str(&text).expect("a JSON document");
        change(&mut document);
        self.env.write("place/job.json", document.to_string());
    }

    /// The volume as it was committed last.
    fn volume(&self) -> PathBuf {
        self.committed.lock().expect("a path").clone()
    }

    /// A call by the schedule, on a day in March of 2026.
    fn call(&self, id: &str, attempt: &str, day: u32) -> Called {
        self.start(
            id,
            attempt,
            "schedule",
            &format!("2026-03-{day:02}T03:00:30Z"),
        )
        .finish()
    }

    /// A container of its own: its home is new, its volume what was committed.
    fn start(&self, id: &str, attempt: &str, by: &str, now: &str) -> Running {
        let number = {
            let mut containers = self.containers.lock().expect("a number");
            *containers += 1;
            *containers
        };
        let root = self.env.root().join(format!("container-{number}"));
        let (home, volume) = (root.join("home"), root.join("volume"));
        copy(&self.volume(), &volume);
        // Compiled already, as in the image.
        let components = home.join("components");
        copy(&self.env.changelings_home().join("components"), &components);
        for (folder, mode) in [(&components, 0o700), (&home, 0o700), (&root, 0o711)] {
            std::fs::set_permissions(folder, std::fs::Permissions::from_mode(mode)).expect("ours");
        }
        let fired = *self.fired.lock().expect("a number");
        if self.gives_volume_away {
            std::os::unix::fs::chown(&volume, Some(other_user()), None).expect("a folder of ours");
        }
        let mut command = if geteuid().is_root() {
            // All processes of the agent's user are ended: those of a container, and no others.
            let mut command = Command::new("unshare");
            command
                .args(["--mount", "--pid", "--fork", "--kill-child", "--mount-proc"])
                .args(["/bin/sh", "-c", INIT, "sh"])
                .arg(root.join("left-behind"))
                .arg(changeling());
            command
        } else {
            Command::new(changeling())
        };
        command
            .arg("exec")
            .arg(self.env.root().join("place/job.json"))
            .args([
                "--target",
                "0",
                "--by",
                by,
                "--call",
                id,
                "--attempt",
                attempt,
            ])
            .arg("--volume")
            .arg(&volume)
            .args(fired.map(|at| format!("--fired={at}")))
            .env_clear()
            .envs(self.env.variables())
            .env("CHANGELINGS_HOME", &home)
            .env("CHANGELINGS_NOW", now)
            .envs(self.variables.iter().cloned())
            .current_dir(self.env.work())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program was built");
        let mut stdin = child.stdin.take().expect("piped");
        let stdout = BufReader::new(child.stdout.take().expect("piped"));
        let mut stderr = child.stderr.take().expect("piped");
        let (guard, trouble) = (Arc::clone(&self.guard), Arc::clone(&self.trouble));
        let committed = Arc::clone(&self.committed);
        let (id, attempt) = (id.to_owned(), attempt.to_owned());
        let asked = thread::spawn(move || {
            let (mut asked, mut ended) = (Vec::new(), None);
            for line in stdout.lines() {
                let said: Value =
                    serde_json::from_str(&line.expect("text")).expect("a JSON document a line");
                if let Some(end) = said.get("ended") {
                    ended = Some(end.clone());
                    continue;
                }
                let ask = said["ask"].as_str().expect("a question").to_owned();
                let mut reply = if let Some(trouble) = &*trouble.lock().expect("a text") {
                    json!({ "error": trouble })
                } else if ask == "start" {
                    let mut guard = guard.lock().expect("a map");
                    let first = guard.entry(id.clone()).or_insert_with(|| attempt.clone());
                    json!({ "answer": *first == attempt })
                } else {
                    let to = volume.with_file_name(format!("committed-{}", asked.len()));
                    copy(&volume, &to);
                    *committed.lock().expect("a path") = to;
                    json!({ "answer": true })
                };
                asked.push(ask);
                let number = said["number"].as_u64().expect("a number");
                if number > 1 {
                    // An answer that comes when nobody waits for it any more.
                    let late = json!({ "number": number - 1, "answer": true });
                    writeln!(stdin, "{late}").expect("it listens");
                }
                reply["number"] = json!(number);
                writeln!(stdin, "{reply}").expect("it listens");
            }
            (asked, ended)
        });
        let log = thread::spawn(move || {
            let mut text = String::new();
            stderr.read_to_string(&mut text).expect("text");
            text
        });
        Running {
            child,
            asked,
            log,
            home,
        }
    }

    /// Folders of records on the volume.
    fn records(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.volume().join("records")).into_iter();
        let mut names: Vec<_> = entries
            .flatten()
            .flatten()
            .map(|entry| entry.file_name().into_string().expect("plain names"))
            .collect();
        names.sort();
        names
    }

    /// Files in a folder of the volume.
    fn files(&self, folder: &str) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.volume().join(folder)).into_iter();
        entries
            .flatten()
            .flatten()
            .map(|entry| entry.path())
            .collect()
    }

    /// A file of a record on the volume.
    fn record(&self, key: &str, file: &str) -> String {
        let path = self.volume().join("records").join(key).join(file);
        std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
    }

    /// What an agent wrote down.
    fn seen(&self, file: &str) -> Option<String> {
        std::fs::read_to_string(self.env.root().join("seen").join(file)).ok()
    }

    fn nothing_lives(&self) {
        let left = processes_of(self.env.root());
        assert!(left.is_empty(), "{left:#?}");
        for number in 1..=*self.containers.lock().expect("a number") {
            let file = format!("container-{number}/left-behind");
            let left = std::fs::read_to_string(self.env.root().join(file)).unwrap_or_default();
            assert_eq!(left, "");
        }
    }
}

/// As root the agent is another user, and its programs must be that user's to start.
fn serves_everybody(program: &Path) -> bool {
    if !geteuid().is_root() {
        return true;
    }
    let mut command = Command::new(program);
    command.arg("--help").env_clear().env("HOME", "/tmp");
    let output = command.current_dir("/").uid(65_534).gid(65_534).output();
    output.is_ok_and(|output| output.status.success())
}

/// Whom the agent runs as when this is root.
fn other_user() -> u32 {
    let passwd = std::fs::read_to_string("/etc/passwd").expect("it is there");
    let of = |name: &str| {
        let mut lines = passwd.lines();
        lines.find_map(|line| {
            let mut fields = line.split(':');
            (fields.next() == Some(name)).then(|| fields.nth(1)?.parse().ok())?
        })
    };
    of("changeling").or_else(|| of("nobody")).expect("somebody")
}

fn changeling_program() -> PathBuf {
    changeling().to_owned()
}

/// Copies a folder; one that is not there is empty.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder of this test");
    for entry in std::fs::read_dir(from).into_iter().flatten().flatten() {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type().expect("a file has a type").is_dir() {
            copy(&from, &to);
        } else {
            std::fs::copy(&from, &to).expect("copying a file");
        }
    }
}

impl Running {
    #[track_caller]
    fn finish(mut self) -> Called {
        let mut code = None;
        wait_for("the end of the call", || {
            let status = self.child.try_wait().expect("asking for a child");
            code = status.and_then(|status| status.code());
            status.is_some()
        });
        let (asked, ended) = self.asked.join().expect("what it asked");
        Called {
            code: code.expect("it ended by itself"),
            asked,
            ended: ended.unwrap_or_default(),
            log: self.log.join().expect("its log"),
            home: self.home,
        }
    }

    fn asks_to_end(&self) {
        let mut process = self.child.id();
        if geteuid().is_root() {
            // Below `unshare` and the first process of the container.
            for _ in 0..2 {
                let children = format!("/proc/{process}/task/{process}/children");
                let text = std::fs::read_to_string(children).expect("it lives");
                let child = text.split_whitespace().next().expect("it has a child");
                process = child.parse().expect("a number");
            }
        }
        let process = i32::try_from(process).ok().and_then(Pid::from_raw);
        let _ = kill_process(process.expect("a number"), Signal::TERM);
    }
}

impl Called {
    #[track_caller]
    fn is(self, outcome: &str, code: i32) -> Self {
        let told = (&self.ended["outcome"], &self.ended["exit_code"], self.code);
        let expected = (&json!(outcome), &json!(code), code);
        assert_eq!(told, expected, "{}\n{}", self.ended, self.log);
        self
    }

    #[track_caller]
    fn says(self, text: &str) -> Self {
        let sentence = self.ended["sentence"].to_string();
        assert!(sentence.contains(text), "{text}: {sentence}\n{}", self.log);
        self
    }

    #[track_caller]
    fn logs(self, text: &str) -> Self {
        assert!(self.log.contains(text), "{text}:\n{}", self.log);
        self
    }
}

#[test]
fn from_an_empty_volume_to_a_pull_request_and_on_from_there() {
    let Some(world) = World::new(&format!("{COMMIT}; {RESULT}"), "") else {
        return;
    };
    let watch = Watch::of(world.env.root());
    let first = world.call("fc-1", "a1", 2).is("pull-request", 0);
    assert_eq!(first.asked, ["commit", "start", "commit", "commit"]);
    assert_eq!(world.github.pulls("acme/shop").len(), 1);
    assert_eq!(world.records(), ["fc-1.a1"]);
    let record: Value = serde_json::from_str(&world.record("fc-1.a1", "record.json")).unwrap();
    assert_eq!(record["version"], 1);
    assert_eq!(record["record"]["outcome"]["outcome"], "pull-request");
    assert_eq!(record["record"]["cost_usd"], 0.25);
    assert_eq!(
        record["record"]["origin"],
        json!({"place": "modal", "call": "fc-1", "attempt": "a1", "by": "schedule"})
    );
    assert_eq!(record["deliveries"][0]["state"], "open");
    for (file, length) in record["files"].as_object().expect("names and lengths") {
        let text = world.record("fc-1.a1", file);
        assert_eq!(*length, text.len(), "{file}");
    }
    assert!(world.record("fc-1.a1", "patch.diff").contains("# mended"));
    assert!(world.record("fc-1.a1", "plan.json").contains("fixme-fairy"));

    // The next container knows it, and fetches nothing it has.
    let transfers = || {
        let all = world.github.transfers();
        let packs = all
            .iter()
            .filter(|request| request.path.ends_with("git-upload-pack"));
        packs
            .map(|request| String::from_utf8_lossy(&request.body).into_owned())
            .collect::<Vec<_>>()
    };
    let before = transfers().len();
    let second = world.call("fc-2", "b1", 3);
    assert_eq!(second.code, 0, "{}", second.log);
    assert!(!second.log.contains("afresh"), "{}", second.log);
    let fetched: Vec<_> = transfers().split_off(before);
    assert!(
        fetched
            .iter()
            .all(|body| !body.contains("want ") || body.contains("have ")),
        "{fetched:#?}"
    );
    let runs = world
        .env
        .command(["runs", "--json"])
        .env("CHANGELINGS_HOME", second.home)
        .run()
        .success()
        .json();
    let calls: Vec<_> = runs["runs"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|run| run["origin"]["call"].clone())
        .collect();
    assert_eq!(calls, ["fc-2", "fc-1"], "{runs:#}");
    assert_eq!(world.records(), ["fc-1.a1", "fc-2.b1"]);

    // The secrets are nowhere: not on the volume, in the log, on a command line.
    let secrets = [TOKEN.to_owned(), KEY.to_owned()];
    assert_eq!(files_with(&world.volume(), &secrets), []);
    assert_eq!(files_with(world.env.root(), &secrets), []);
    for text in watch.seen().into_iter().chain([first.log, second.log]) {
        assert!(
            secrets.iter().all(|secret| !text.contains(secret)),
            "{text}"
        );
    }
    world.nothing_lives();
}

/// Root keeps its secrets from the agent, which is another user.
#[test]
fn the_agent_is_another_user() {
    if !geteuid().is_root() {
        needs::without("that the agent is another user", "run the tests as root");
        return;
    }
    let spy = format!(
        "id -u > $seen/uid; id -G > $seen/groups; env > $seen/env
         for file in /proc/[0-9]*/environ; do tr '\\0' '\\n' < $file; done > $seen/environs 2>/dev/null
         cat $PWD/../../../../volume/* $PWD/../../runs.sqlite $PWD/../plan.json > $seen/files 2>&1
         ls $PWD/../../../../volume $PWD/../.. $PWD/.. > $seen/folders 2>&1
         echo 'Told all.' > $CHANGELING_SUMMARY; touch $HOME/mine || echo no > $seen/no-home
         {COMMIT}; {RESULT}"
    );
    let Some(world) = World::new(&spy, "") else {
        return;
    };
    world.call("fc-1", "a1", 2).is("pull-request", 0);
    let seen = |file: &str| {
        world
            .seen(file)
            .unwrap_or_else(|| panic!("{file} is missing"))
    };
    assert_ne!(seen("uid").trim(), "0");
    assert_eq!(seen("groups").split_whitespace().count(), 1);
    assert!(!seen("groups").split_whitespace().any(|group| group == "0"));
    // Its own key it has, and the token it has not, wherever it looks.
    assert!(seen("env").contains(KEY));
    assert!(!seen("environs").is_empty(), "its own it can read");
    for file in ["env", "environs", "files", "folders"] {
        assert!(!seen(file).contains(TOKEN), "{file}: {}", seen(file));
    }
    // Neither the history, nor the volume, nor even its own plan.
    let refused = seen("files");
    assert_eq!(refused.lines().count(), 3, "{refused}");
    assert_eq!(refused.matches("Permission denied").count(), 3, "{refused}");
    let refused = seen("folders");
    assert_eq!(refused.matches("Permission denied").count(), 3, "{refused}");
    assert!(world.seen("no-home").is_none());
    assert!(world.record("fc-1.a1", "summary.md").contains("Told all."));
    world.nothing_lives();
}

/// One that has emptied its environment, too, which is what its processes are known by elsewhere.
#[test]
fn nothing_outlives_an_agent_that_is_another_user() {
    if !geteuid().is_root() {
        needs::without("that the agent is another user", "run the tests as root");
        return;
    }
    let hides = format!(
        r#"env -i setsid sh -c 'trap "" TERM HUP INT; while :; do echo >> "$0"; sleep 0.05; done' $seen/alive \
             < /dev/null > /dev/null 2>&1 &
         until [ -s $seen/alive ]; do sleep 0.05; done
         {COMMIT}; {RESULT}"#
    );
    let Some(world) = World::new(&hides, "") else {
        return;
    };
    world.call("fc-1", "a1", 2).is("pull-request", 0);
    assert!(world.seen("alive").is_some());
    world.nothing_lives();
}

/// What was only set up may not hold: it is tried before the agent starts.
#[test]
fn an_agent_that_could_read_the_volume_is_not_started() {
    if !geteuid().is_root() {
        needs::without("that the agent is another user", "run the tests as root");
        return;
    }
    let Some(mut world) = World::new(&format!("{COMMIT}; {RESULT}"), "") else {
        return;
    };
    world.gives_volume_away = true;
    let refused = world
        .call("fc-1", "a1", 2)
        .is("needs-attention", 3)
        .says("could read the volume at ")
        .says("write to the volume at ")
        .says("changeling run nightly --local");
    // Nor is it asked for, so that it can start when the wall is mended.
    assert!(!refused.asked.contains(&"start".to_owned()));
    assert!(world.seen("started").is_none());
    assert!(world.github.pulls("acme/shop").is_empty());
    world.nothing_lives();
    // Nor by an attempt at a call that has ended.
    world.gives_volume_away = false;
    world.call("fc-1", "a2", 2).is("needs-attention", 3);
    world.call("fc-2", "a1", 3).is("pull-request", 0);
}

/// Whatever an mngr needs to be found that does not tell its packages: as another user it gets nothing.
#[test]
fn an_mngr_that_is_not_known_gets_no_secrets() {
    if !geteuid().is_root() {
        needs::without("that the agent is another user", "run the tests as root");
        return;
    }
    let Some(world) = World::new(&format!("{COMMIT}; {RESULT}"), "") else {
        return;
    };
    let mngr = tools::mngr_0_2().expect("it is there").display();
    let seen = world.env.root().join("seen").display().to_string();
    let shim =
        format!("#!/bin/sh\n[ \"$(id -u)\" = 0 ] || env >> {seen}/mngr\nexec '{mngr}' \"$@\"\n");
    std::fs::remove_file(world.env.root().join("bin/mngr")).expect("a link of this test");
    world.env.program("mngr", &shim);
    let called = world.call("fc-1", "a1", 2);
    let env = world.seen("mngr").expect("it was called");
    assert!(!env.contains(TOKEN), "{env}");
    called.is("pull-request", 0);
    world.nothing_lives();
}

#[test]
fn what_came_of_it() {
    let Some(world) = World::new("echo 'cannot work' >&2; exit 7", "pause_after = 0") else {
        return;
    };
    let failed = world
        .call("fc-1", "a1", 2)
        .is("failed", 4)
        .says("exit code 7");
    assert_eq!(failed.asked, ["commit", "start", "commit", "commit"]);
    assert!(world.record("fc-1.a1", "log").contains("cannot work"));
    world.claude(RESULT);
    world.call("fc-2", "a1", 3).is("no-changes", 0);
    // By hand, too.
    world
        .start("fc-3", "a1", "hand", "2026-03-03T12:00:00Z")
        .finish()
        .is("no-changes", 0);
    let record = world.record("fc-3.a1", "record.json");
    assert!(record.contains("\"by\": \"hand\""), "{record}");
    world.nothing_lives();
}

#[test]
fn nothing_to_do() {
    let Some(world) = World::of("README", RESULT, "params = { markers = \"NEVERMORE\" }") else {
        return;
    };
    let skipped = world.call("fc-1", "a1", 2).is("skipped", 0);
    assert_eq!(skipped.asked, ["commit", "commit", "commit"]);
    assert_eq!(world.records(), ["fc-1.a1"]);
    assert!(world.seen("started").is_none());
}

#[test]
fn too_long() {
    let hangs = "trap '' TERM INT HUP; setsid sh -c 'trap \"\" TERM HUP; sleep 600' & sleep 600";
    let Some(world) = World::new(hangs, "timeout = \"1h\"") else {
        return;
    };
    // The limit of the program, below that of the function.
    world.change(|document| document["app"]["run_seconds"] = json!(15));
    world.call("fc-1", "a1", 2).is("timed-out", 124);
    assert!(world.seen("started").is_some());
    assert!(world.record("fc-1.a1", "record.json").contains("timed-out"));
    world.nothing_lives();
}

/// Not the agent's own limit, but Modal's, which ends everything else, too.
#[test]
fn too_long_before_there_is_an_agent() {
    let Some(world) = World::new(RESULT, "") else {
        return;
    };
    world.change(|document| document["app"]["timeout_seconds"] = json!(8));
    world.github.answers("", "info/refs", Reply::never(), 9);
    let started = std::time::Instant::now();
    let ended = world.call("fc-1", "a1", 2).is("timed-out", 124);
    assert_eq!(ended.asked, ["commit", "commit"]);
    assert!(started.elapsed().as_secs() < 30, "{:?}", started.elapsed());
    assert_eq!(world.records(), ["fc-1.a1"]);
    assert!(world.seen("started").is_none());
    world.nothing_lives();
}

#[test]
fn an_agent_starts_once_whatever_is_delivered_again() {
    let Some(world) = World::new(&format!("{COMMIT}; {RESULT}"), "") else {
        return;
    };
    // An attempt came as far as the agent, and its container died without a word.
    let first = ("fc-1".to_owned(), "a1".to_owned());
    world.guard.lock().unwrap().extend([first]);
    let again = world
        .call("fc-1", "a2", 2)
        .is("interrupted", 130)
        .logs("not started twice");
    assert_eq!(again.asked, ["commit", "start", "commit", "commit"]);
    assert!(world.seen("started").is_none());
    assert!(world.github.pulls("acme/shop").is_empty());
    // When nobody can tell, it does not start either.
    *world.trouble.lock().unwrap() = Some("UNAVAILABLE: the server is down".to_owned());
    world
        .call("fc-2", "a1", 3)
        .is("failed", 4)
        .says("the server is down")
        .logs("cannot commit the volume");
    assert!(world.seen("started").is_none());
    world.nothing_lives();
}

#[test]
fn asked_to_end() {
    let Some(world) = World::new(&format!("{COMMIT}; touch $seen/ready; sleep 600"), "") else {
        return;
    };
    let running = world.start("fc-1", "a1", "schedule", "2026-03-02T03:00:30Z");
    wait_for("the agent", || world.seen("ready").is_some());
    // It is known to run before it has ended.
    let notes = world.volume().join("started/fc-1.a1.json");
    assert!(notes.exists(), "{}", notes.display());
    let asked = std::time::Instant::now();
    running.asks_to_end();
    let ended = running.finish().is("interrupted", 130);
    assert!(asked.elapsed().as_secs() < 20, "{:?}", asked.elapsed());
    assert_eq!(ended.asked, ["commit", "start", "commit"]);
    assert!(world.record("fc-1.a1", "patch.diff").contains("# mended"));
    assert!(!world.volume().join("started/fc-1.a1.json").exists());
    world.nothing_lives();
    // Modal delivers it again.
    std::fs::remove_file(world.env.root().join("seen/started")).unwrap();
    world
        .call("fc-1", "a2", 2)
        .is("interrupted", 130)
        .logs("not started twice");
    assert!(world.seen("started").is_none());
    assert_eq!(world.records(), ["fc-1.a1", "fc-1.a2"]);
}

#[test]
fn a_volume_in_disorder() {
    let Some(world) = World::new(&format!("{COMMIT}; {RESULT}"), "") else {
        return;
    };
    world.call("fc-1", "a1", 2).is("pull-request", 0);
    let volume = world.volume();
    // A record whose end never came, one that is garbage, and a file of nobody's.
    std::fs::create_dir(volume.join("records/fc-2.a1")).unwrap();
    std::fs::write(volume.join("records/fc-2.a1/log"), "half a lo").unwrap();
    std::fs::create_dir(volume.join("records/fc-3.a1")).unwrap();
    std::fs::write(volume.join("records/fc-3.a1/record.json"), "{\"version\":1").unwrap();
    std::fs::write(volume.join("records/stranger"), "x").unwrap();
    // A bundle that lost its end.
    let mirrors: Vec<_> = std::fs::read_dir(volume.join("mirrors"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    let bundle = mirrors
        .iter()
        .find(|path| path.extension().is_some_and(|name| name == "bundle"))
        .expect("a bundle");
    let bytes = std::fs::read(bundle).unwrap();
    std::fs::write(bundle, &bytes[..bytes.len() - 20]).unwrap();
    let called = world
        .call("fc-4", "a1", 3)
        .logs("1 earlier records on the volume are half-written")
        .logs("is damaged")
        .logs("it is made afresh");
    assert_eq!(called.code, 0, "{}", called.log);
    // From here on the copy serves again.
    let called = world.call("fc-5", "a1", 4);
    assert!(!called.log.contains("afresh"), "{}", called.log);
    assert_eq!(
        world.records(),
        [
            "fc-1.a1", "fc-2.a1", "fc-3.a1", "fc-4.a1", "fc-5.a1", "stranger"
        ]
    );
}

#[test]
fn a_fire_that_had_to_wait_is_skipped() {
    let Some(world) = World::new(RESULT, "") else {
        return;
    };
    world.change(|document| document["app"]["schedule"] = json!("0 * * * *"));
    let call = |id: &str, by: &str, now: &str| {
        world
            .start(id, "a1", by, &format!("2026-03-02T{now}Z"))
            .finish()
    };
    // The run of three ended, late, at ten past four.
    call("fc-1", "schedule", "04:10:00").is("no-changes", 0);
    for bundle in world.files("mirrors") {
        std::fs::write(bundle, "damaged").unwrap();
    }
    let late = call("fc-2", "schedule", "04:10:20")
        .is("skipped", 0)
        .says("due at 04:00");
    assert_eq!(late.asked, ["commit", "commit"]);
    // It does not even look at the copy of the repository, which can take long.
    assert!(!late.log.contains("afresh"), "{}", late.log);
    // Who asks by hand means now; and the next hour is its own.
    call("fc-3", "hand", "04:10:40")
        .is("no-changes", 0)
        .logs("afresh");
    call("fc-4", "schedule", "05:00:30").is("no-changes", 0);
}

/// With several repositories one fire starts many calls, and some may wait for the next.
#[test]
fn a_fire_that_waited_for_the_next_is_skipped() {
    let Some(world) = World::new(RESULT, "") else {
        return;
    };
    world.change(|document| document["app"]["schedule"] = json!("0 * * * *"));
    let call = |id: &str, by: &str, fired: &str| {
        let fired: jiff::Timestamp = format!("2026-03-02T{fired}Z").parse().unwrap();
        *world.fired.lock().unwrap() = Some(fired.as_second());
        world.start(id, "a1", by, "2026-03-02T04:00:10Z").finish()
    };
    let stale = call("fc-1", "schedule", "03:00:01")
        .is("skipped", 0)
        .says("fired again at 04:00");
    assert_eq!(stale.asked, ["commit", "commit"]);
    assert!(world.seen("started").is_none());
    call("fc-2", "schedule", "04:00:01").is("no-changes", 0);
    call("fc-3", "hand", "03:00:01").is("no-changes", 0);
}

/// What is spent on other repositories counts, and their records are not read for it.
#[test]
fn of_other_repositories_only_the_money_matters() {
    let Some(world) = World::new(RESULT, "keep_runs = 1\npause_after = 0") else {
        return;
    };
    world.change(|document| document["config"]["defaults"]["monthly_budget_usd"] = json!(1.0));
    world.call("fc-1", "a1", 2).is("no-changes", 0);
    let [ledger] = &world.files("ledgers")[..] else {
        panic!("one repository")
    };
    let text = std::fs::read_to_string(ledger).unwrap();
    let own: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(own["runs"]["fc-1.a1"]["usd"], 0.25, "{own:#}");

    // A record of another repository, which no ledger names: it is read.
    let text = world.record("fc-1.a1", "record.json");
    let mut other: Value = serde_json::from_str(&text).unwrap();
    other["record"]["repo"] = json!("https://github.com/acme/stock");
    other["record"]["id"] = json!("another");
    other["record"]["origin"]["call"] = json!("fc-other");
    other["record"]["cost_usd"] = json!(0.5);
    let put = |record: &str| {
        let folder = world.volume().join("records/fc-other.a1");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("record.json"), record).unwrap();
    };
    put(&other.to_string());
    world
        .call("fc-2", "a1", 3)
        .is("no-changes", 0)
        .logs("0.25 of this month's 1 USD are left");
    world
        .call("fc-3", "a1", 4)
        .is("skipped", 0)
        .says("have cost 1.00 USD");
    // One that a ledger names is not.
    put("garbage");
    let called = world.call("fc-4", "a1", 5).logs("is damaged");
    assert!(called.asked.contains(&"start".to_owned()), "{}", called.log);
    let ledger = json!({"version": 1, "changeling": "nightly", "repo": "https://github.com/acme/stock",
        "runs": {"fc-other.a1": {"id": "another", "at": "2026-03-02T03:00:30Z", "usd": 0.5}}});
    let path = world.volume().join("ledgers/stock.json");
    std::fs::write(path, ledger.to_string()).unwrap();
    for bundle in world.files("mirrors") {
        std::fs::write(bundle, "not looked at").unwrap();
    }
    let called = world.call("fc-5", "a1", 6);
    let called = called.is("skipped", 0).says("have cost 1.25 USD");
    for word in ["damaged", "afresh"] {
        assert!(!called.log.contains(word), "{}", called.log);
    }

    // A month later its own old records go, and nobody else's.
    world
        .start("fc-6", "a1", "schedule", "2026-04-02T03:00:30Z")
        .finish()
        .is("no-changes", 0);
    assert_eq!(world.records(), ["fc-6.a1", "fc-other.a1"]);
}

/// Its record is there before the copy of the repository, for which there may be no time.
#[test]
fn a_copy_that_could_take_too_long_is_not_begun() {
    let Some(world) = World::new(&format!("{COMMIT}; {RESULT}"), "") else {
        return;
    };
    world.change(|document| document["app"]["timeout_seconds"] = json!(120));
    let called = world.call("fc-1", "a1", 2).is("pull-request", 0);
    assert_eq!(called.asked, ["commit", "start", "commit"]);
    assert_eq!(world.records(), ["fc-1.a1"]);
    assert!(world.files("mirrors").is_empty());
}

/// Getting ready took so long that less is left than it is to have.
#[test]
fn an_agent_has_no_more_time_than_is_left() {
    let Some(world) = World::new(&format!("{COMMIT}; sleep 600"), "timeout = \"1h\"") else {
        return;
    };
    world.change(|document| document["app"]["timeout_seconds"] = json!(40));
    world.call("fc-1", "a1", 2).is("timed-out", 124);
    // Modal's limit less the time for last words is 30 s, and a quarter of that is for what comes after.
    let record: Value = serde_json::from_str(&world.record("fc-1.a1", "record.json")).unwrap();
    let seconds = record["record"]["outcome"]["after_seconds"].as_u64();
    assert!(seconds.is_some_and(|seconds| seconds <= 22), "{record:#}");
    let prompt = world.record("fc-1.a1", "prompt.md");
    assert!(!prompt.contains("You have 1 h"), "{prompt}");
    assert!(world.record("fc-1.a1", "patch.diff").contains("# mended"));
}

/// Whatever it says, neither a disk nor the volume is filled with it.
#[test]
fn an_agent_that_never_stops_talking() {
    let talks = format!("echo first; yes $(printf %01000d 7) | head -n 40000; echo last; {RESULT}");
    let Some(world) = World::new(&talks, "") else {
        return;
    };
    world.call("fc-1", "a1", 2).is("no-changes", 0);
    let log = world.record("fc-1.a1", "log");
    assert!(log.len() < 25 * 1024 * 1024, "{}", log.len());
    assert!(log.starts_with("first\n"), "{}", &log[..100]);
    assert!(log[log.len() - 400..].contains("\nlast\n"));
    let (_, note) = log.split_once("\n[").expect("a note");
    let (note, _) = note.split_once("\n0").expect("lines");
    assert!(note.contains("bytes are left out here]"), "{note}");
}

#[test]
fn two_at_once_are_never_started() {
    let Some(world) = World::new(RESULT, "") else {
        return;
    };
    world.change(|document| document["app"]["max_containers"] = json!(2));
    let started = |call: &str, at: &str| {
        let repo = world.github.repository("acme/shop");
        let note = json!({"version": 1, "place": "modal", "call": call, "attempt": "a1", "by": "schedule",
            "changeling": "nightly", "repo": repo, "at": at});
        let folder = world.volume().join("started");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(format!("{call}.a1.json")), note.to_string()).unwrap();
    };
    started("fc-0", "2026-03-01T20:00:00Z");
    world.call("fc-1", "a1", 2).is("no-changes", 0);
    started("fc-9", "2026-03-03T02:59:00Z");
    world
        .call("fc-2", "a1", 3)
        .is("skipped", 0)
        .says("the run of call fc-9 is still going on");
    // Who knows better is told what to do about it.
    world
        .start("fc-3", "a1", "hand", "2026-03-03T03:02:00Z")
        .finish()
        .is("skipped", 0)
        .says("modal volume rm changeling-nightly started/fc-9.a1.json");
    // Modal makes a second attempt only when the first is gone, as far as it knows: one that was refused
    // tells nothing of the other.
    let again = |attempt: &str, refused: bool| {
        let text = world.record("fc-1.a1", "record.json");
        let mut record: Value = serde_json::from_str(&text).unwrap();
        record["record"]["id"] = format!("20260303-025930-{attempt}").into();
        record["record"]["started_at"] = "2026-03-03T02:59:30Z".into();
        record["record"]["origin"]["call"] = "fc-9".into();
        record["record"]["origin"]["attempt"] = attempt.into();
        record["record"]["origin"]["refused"] = refused.into();
        let folder = world.volume().join(format!("records/fc-9.{attempt}"));
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("record.json"), record.to_string()).unwrap();
    };
    again("a2", true);
    world.call("fc-4", "a1", 3).is("skipped", 0);
    again("a3", false);
    world
        .start("fc-5", "a1", "hand", "2026-03-03T03:03:00Z")
        .finish()
        .is("no-changes", 0);
}

#[test]
fn what_cannot_be_a_run_is_recorded_all_the_same() {
    let Some(world) = World::new(RESULT, "") else {
        return;
    };
    world.env.write("place/template.wasm", "no component");
    let called = world.call("fc-1", "a1", 2).is("failed", 4);
    assert_eq!(called.asked, ["commit", "commit"]);
    assert_eq!(world.records(), ["fc-1.a1"]);
    // Which repository is not known: nothing can be written down.
    world.change(|document| document["jobs"] = json!([]));
    let called = world.call("fc-2", "a1", 3);
    assert_eq!(called.ended["run"], Value::Null, "{}", called.log);
    assert_ne!(called.code, 0);
}

#[test]
fn whether_a_run_could_work() {
    let Some(world) = World::new(RESULT, "") else {
        return;
    };
    let volume = world.env.root().join("volume");
    std::fs::create_dir(&volume).expect("a folder of this test");
    let check = || {
        let job = world.env.root().join("place/job.json");
        let call = world.env.command(["exec", "--check"]).arg(job);
        let call = call.arg("--volume").arg(&volume);
        let call = world
            .variables
            .iter()
            .fold(call, |call, (name, value)| call.env(name, value));
        call.run().success().json()
    };
    let works = |report: &Value, what: &str| {
        let checks = report["checks"].as_array().expect("a list").iter();
        let mut of = checks.filter(|check| check["what"] == what);
        of.next().map(|check| check["ok"] == true)
    };
    let report = check();
    let is_root = geteuid().is_root();
    assert_eq!(report["ok"], is_root, "{report:#}");
    for what in ["template", "repository", "mngr", "agent"] {
        assert_eq!(works(&report, what), Some(true), "{report:#}");
    }
    assert!(
        report.to_string().contains("2.1.330 (Claude Code)"),
        "{report:#}"
    );
    assert_eq!(
        works(&report, "walls"),
        is_root.then_some(true),
        "{report:#}"
    );
    if is_root {
        std::os::unix::fs::chown(&volume, Some(other_user()), None).expect("a folder of ours");
        let report = check();
        assert_eq!(report["ok"], false, "{report:#}");
        assert_eq!(works(&report, "walls"), Some(false), "{report:#}");
    }
    world.env.program(
        "claude",
        "#!/bin/sh\necho 'no such library' >&2; exit 127\n",
    );
    world.github.require("another token");
    let report = check();
    assert_eq!(report["ok"], false, "{report:#}");
    assert_eq!(works(&report, "agent"), Some(false), "{report:#}");
    assert_eq!(works(&report, "repository"), Some(false), "{report:#}");
    assert!(report.to_string().contains("no such library"), "{report:#}");
    assert!(!report.to_string().contains(TOKEN));
}
