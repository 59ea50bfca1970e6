//! `changeling deploy` and what follows from it, against a control plane that keeps everything it is told.

mod adopt;
mod ours;
mod refused;
mod stop;
mod trouble;
mod unseen;
mod verify;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use changelings_tests::counted::CountedClient;
use changelings_tests::modal::{Fault, Modal};
use changelings_tests::{Invocation, Output, TestEnv};
use serde_json::Value;

const TOKEN: &str = "ghp_abcdefghij0123456789ABCDEFGHIJ012345";
const KEY: &str = "sk-ant-of-the-container-0123456789";

struct World {
    env: TestEnv,
    modal: Modal,
}

/// Stops `nightly` and keeps what is beside it.
const STOP: [&str; 5] = [
    "undeploy",
    "nightly",
    "--yes",
    "--keep-volume",
    "--keep-secret",
];

const NIGHTLY: &str = "[changelings.nightly]\ntemplate = \"fixme-fairy\"\nrepo = \"acme/shop\"\n\
                       schedule = \"0 3 * * *\"\ntimezone = \"Europe/Zurich\"\n";

impl World {
    /// With these entries in the configuration; `None` after a loud word.
    #[track_caller]
    fn new(entries: &str) -> Option<Self> {
        let env = TestEnv::new();
        let modal = Modal::start(&env)?;
        let world = Self { env, modal };
        world.configure(entries);
        Some(world)
    }

    fn configure(&self, entries: &str) {
        self.configure_with("", entries);
    }

    /// `modal` are more lines of `[modal]`.
    fn configure_with(&self, modal: &str, entries: &str) {
        let program = super::small_runner(&self.env);
        self.env.write_config(&format!(
            "[defaults]\nidentity = {{ name = \"Night Shift\", email = \"night@example.org\" }}\n\
             [modal]\nrunner = \"{}\"\n{modal}\n{entries}",
            program.display()
        ));
    }

    fn command<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Invocation {
        self.modal
            .call(self.env.command(args))
            .env("GITHUB_TOKEN", TOKEN)
            .env("ANTHROPIC_API_KEY", KEY)
    }

    #[track_caller]
    fn run<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Output {
        self.command(args).run()
    }

    /// The app of this name that is there now.
    #[track_caller]
    fn app(&self, name: &str) -> Value {
        let apps = self.modal.apps();
        let found = apps.into_iter().rfind(|app| app["name"] == name);
        found.unwrap_or_else(|| panic!("no app {name}"))
    }

    /// A function's definition as Modal has it.
    fn function(&self, app: &str, function: &str) -> Value {
        self.modal.definitions(app)[function]["function"].clone()
    }

    /// Where a function finds the files that came with it.
    fn mounted(&self, app: &str, function: &str) -> Vec<String> {
        let definitions = self.modal.definitions(app);
        let mounts = definitions[function]["mounts"].as_object().cloned();
        let files = mounts.into_iter().flatten().map(|(_, files)| files);
        let files = files.filter_map(|files| files.as_array().cloned());
        let mut names: Vec<_> = files
            .flatten()
            .map(|file| file["filename"].as_str().unwrap_or_default().to_owned())
            .collect();
        names.sort();
        names
    }

    fn folder(&self, name: &str) -> PathBuf {
        self.env.changelings_home().join("deployments").join(name)
    }

    /// Nothing of ours was written to Modal.
    #[track_caller]
    fn nothing_was_sent(&self) {
        let asked = self.modal.asked();
        let writes = [
            "AppCreate",
            "AppPublish",
            "SecretGetOrCreate",
            "SecretUpdate",
            "FunctionCreate",
        ];
        for call in writes {
            assert!(
                !asked.iter().any(|asked| asked == call),
                "{call}: {asked:?}"
            );
        }
    }
}

/// Functions, their images and files for a person, with what differs from test to test replaced.
fn told(definitions: &Value) -> String {
    let mut functions = BTreeMap::new();
    let mut images = Value::Null;
    for (name, function) in definitions.as_object().expect("functions by name") {
        let mut fields = function["function"].clone();
        // Numbers in the order in which they were asked for, all at once.
        fields
            .as_object_mut()
            .expect("a definition")
            .remove("mount_ids");
        let mounts = function["mounts"].as_object().expect("files by mount");
        // How they are grouped is the client's business.
        let files = mounts.values().filter_map(Value::as_array).flatten();
        let mut files: Vec<_> = files.cloned().collect();
        files.sort_by_key(Value::to_string);
        assert!(
            images.is_null() || images == function["images"],
            "{name} has another image"
        );
        images = function["images"].clone();
        functions.insert(
            name,
            serde_json::json!({ "function": fields, "files": files }),
        );
    }
    let mut told = serde_json::json!({ "functions": functions, "images of all": images });
    settle(&mut told);
    serde_json::to_string_pretty(&told).expect("it is JSON")
}

fn settle(value: &mut Value) {
    let is_hex = |text: &str| text.len() >= 16 && text.bytes().all(|b| b.is_ascii_hexdigit());
    let is_id = |text: &str| text.as_bytes().get(2) == Some(&b'-') && is_hex(&text[3..]);
    match value {
        Value::String(text) if is_hex(text) => *text = format!("[{} digits]", text.len()),
        Value::String(text) if is_id(text) => text.truncate(2),
        Value::Array(items) => items.iter_mut().for_each(settle),
        Value::Object(fields) => fields.iter_mut().for_each(|(_, value)| settle(value)),
        _ => {}
    }
}

const EVERYTHING: &str = "[changelings.nightly]\ntemplate = \"fixme-fairy\"\nrepo = \"acme/shop\"\n\
    schedule = \"30 2 * * 1-5\"\ntimezone = \"Europe/Zurich\"\ntimeout = \"90m\"\n\
    [changelings.nightly.modal]\ncpu = 2\nmemory = \"4GiB\"\ngpu = \"T4\"\nephemeral_disk = \"600GiB\"\n\
    region = \"eu\"\napt = [\"libpq-dev\"]\npip = [\"tox==4.30\"]\ncommands = [\"make tools\"]\n";

#[test]
fn every_field_as_received() {
    let Some(world) = World::new(EVERYTHING) else {
        return;
    };
    let output = world.run(["deploy", "nightly"]).success();
    insta::assert_snapshot!("deployed", output.normalised_stderr());
    let definitions = world.modal.definitions("changeling-nightly");
    insta::assert_snapshot!("definitions", told(&definitions));
    let app = world.app("changeling-nightly");
    assert_eq!(app["state"], "deployed");
    assert_eq!(
        app["tags"]["changelings-version"],
        env!("CARGO_PKG_VERSION")
    );
    assert_eq!(
        world.modal.secret("changeling-nightly")["GITHUB_TOKEN"],
        TOKEN
    );
    let volume = world.modal.volume("changeling-nightly");
    let kept = std::fs::read_to_string(volume.join("deployed.json")).unwrap();
    let written = std::fs::read_to_string(world.folder("nightly").join("job.json")).unwrap();
    assert_eq!(kept, written);
}

/// Where secrets and the folder's git must not be: anywhere but in the secret's own request.
#[test]
fn what_is_not_told() {
    let Some(world) = World::new(NIGHTLY) else {
        return;
    };
    let repo = world.env.repo("mine");
    repo.write("README.md", "mine");
    repo.commit(changelings_tests::ADA, "2025-01-01", "First");
    repo.git([
        "remote",
        "add",
        "origin",
        "https://ada:hunter2@example.org/mine",
    ]);
    let here = repo.path().to_owned();
    world
        .command(["deploy", "nightly"])
        .dir(here)
        .run()
        .success();
    let secrets = [TOKEN, KEY].map(str::to_owned);
    let found = world
        .modal
        .search(&secrets, &["SecretGetOrCreate", "SecretUpdate"]);
    assert_eq!(found, Vec::<String>::new());
    let own = ["hunter2", "ada@example.org", "example.org/mine"].map(str::to_owned);
    assert_eq!(world.modal.search(&own, &[]), Vec::<String>::new());
    let files = changelings_tests::traces::files_with(world.env.root(), &secrets);
    let ours = files
        .iter()
        .filter(|(file, _)| !file.starts_with(world.env.root().join("modal")));
    assert_eq!(ours.count(), 0, "{files:?}");
}

#[test]
fn a_dry_run() {
    let Some(world) = World::new(NIGHTLY) else {
        return;
    };
    let output = world.run(["deploy", "nightly", "--dry-run"]).success();
    let text = output.normalised_stdout();
    let (text, app) = text
        .split_once("app.py, the same for all")
        .expect("the file");
    assert!(app.contains("def run(target: int = 0"), "{app}");
    let text = text.replace(env!("CARGO_PKG_VERSION"), "[version]");
    // They change with every line of `app.py`, and of the template.
    let template = output.normalised_stdout();
    let template = template
        .lines()
        .find_map(|line| line.trim().strip_prefix("\"digest\": "));
    let text = text.replace(template.expect("a digest"), "[digest],");
    let digest = text
        .lines()
        .find_map(|line| line.trim().strip_prefix("\"changelings-job\": "));
    let digest = digest.expect("a tag").to_owned();
    // So do sizes.
    let files = ["app.py", "job.json", "template.wasm"];
    let lines = text.lines().map(|line| {
        let words: Vec<_> = line.split_whitespace().collect();
        match &words[..] {
            [file, _, "bytes" | "kB", path @ ..] if files.contains(file) => {
                format!("{file} [size] {}", path.join(" "))
            }
            _ => line.replace(&digest, "[digest]"),
        }
    });
    insta::assert_snapshot!("dry_run", lines.collect::<Vec<_>>().join("\n"));
    assert_eq!(world.modal.asked(), Vec::<String>::new());
    assert!(!world.env.changelings_home().join("deployments").exists());
    let json = world
        .run(["deploy", "--all", "--dry-run", "--json"])
        .success()
        .json();
    let app = &json["apps"][0];
    assert_eq!(app["document"]["app"]["schedule"], "0 3 * * *");
    assert_eq!(app["missing"], serde_json::json!([]));
    let calls = app["calls"].as_array().expect("calls");
    let secret = calls.iter().find(|call| call["about"] == "secret");
    let secret = secret.and_then(|call| call["does"].as_str());
    assert_eq!(
        secret,
        Some(
            "create or update changeling-nightly with ANTHROPIC_API_KEY, GITHUB_TOKEN (values are not shown)"
        )
    );
}

/// What is missing keeps nobody from looking; the end is as the deploy's would be.
#[test]
fn a_dry_run_of_what_is_not_complete() {
    let ssh = NIGHTLY
        .replace("nightly", "weekly")
        .replace("acme/shop", "git@git.example.org:acme/shop");
    let secrets = "secrets = [\"GITHUB_TOKEN\", \"NPM_TOKEN\"]\n";
    let Some(world) = World::new(&format!("{NIGHTLY}{secrets}{ssh}")) else {
        return;
    };
    let look = |args: &[&str]| {
        let command = world.command(args.iter().copied());
        command.env_remove("GITHUB_TOKEN").run()
    };
    let output = look(&["deploy", "nightly", "--dry-run"]).exits(3);
    insta::assert_snapshot!("dry_run_incomplete", output.normalised_stderr());
    let calls =
        "create or update changeling-nightly with GITHUB_TOKEN, NPM_TOKEN (values are not shown)";
    assert!(output.stdout.contains(calls), "{output}");
    assert!(
        output.stdout.contains("def run(target: int = 0"),
        "{output}"
    );
    let output = look(&["deploy", "--all", "--dry-run", "--json"]).exits(3);
    let apps = output.json()["apps"].clone();
    let what = |app: usize| apps[app]["missing"][0]["what"].as_str().map(str::to_owned);
    assert_eq!(
        what(0).as_deref(),
        Some("nightly needs GITHUB_TOKEN and NPM_TOKEN, which are nowhere to be found")
    );
    assert!(
        what(1).is_some_and(|what| what.contains("no key for ssh")),
        "{apps:#}"
    );
    // All that is missing of one is told, here and when it is meant.
    world.configure(&format!(
        "{}{secrets}modal.runner = \"script\"\n",
        ssh.replace("weekly", "nightly")
    ));
    world.env.write("changelings-home/script", "#!/bin/sh\n");
    let output = look(&["deploy", "nightly", "--dry-run"]).exits(3);
    let told = output.normalised_stderr();
    insta::assert_snapshot!(
        "dry_run_of_much",
        told.replace(env!("CARGO_PKG_VERSION"), "[version]")
    );
    let meant = look(&["deploy", "nightly"]).exits(3);
    let told = told.replace("nothing was sent (--dry-run)\n", "");
    assert_eq!(meant.normalised_stderr(), told);
    assert_eq!(world.modal.asked(), Vec::<String>::new());
}

/// What comes first is short, and fits.
#[test]
fn a_dry_run_in_80_columns() {
    let Some(world) = World::new(EVERYTHING) else {
        return;
    };
    let command = world.command(["deploy", "nightly", "--dry-run"]);
    let shown = command.env("COLUMNS", "80").run().success();
    let (calls, _) = shown
        .stdout
        .split_once("━━ job.json of nightly ")
        .expect("the files");
    let (calls, files) = calls.split_once("files\nFILE").expect("their sizes");
    insta::assert_snapshot!("dry_run_calls", calls);
    for file in ["app.py", "changeling", "job.json", "template.wasm"] {
        assert!(files.lines().any(|line| line.starts_with(file)), "{files}");
    }
}

#[test]
fn a_change_builds_nothing() {
    let Some(world) = World::new(NIGHTLY) else {
        return;
    };
    world.run(["deploy", "nightly"]).success();
    let before = world.function("changeling-nightly", "run");
    let mounted = world.mounted("changeling-nightly", "run");
    assert!(!mounted.is_empty());
    world
        .run([
            "edit",
            "nightly",
            "--message",
            "Mend it",
            "--schedule",
            "0 4 * * *",
        ])
        .success();
    world.run(["deploy", "nightly"]).success();
    let after = world.function("changeling-nightly", "run");
    assert_eq!(before["image_id"], after["image_id"]);
    assert_ne!(before["mount_ids"], after["mount_ids"]);
    // What is kept of the deploy before is no part of this one.
    assert_eq!(world.mounted("changeling-nightly", "run"), mounted);
    assert_eq!(after["schedule"]["cron"]["cron_string"], "0 4 * * *");
    // Another template, and another program.
    world.configure(&NIGHTLY.replace("fixme-fairy", "doc-reporter"));
    world.run(["deploy", "nightly"]).success();
    let template = world.function("changeling-nightly", "run");
    assert_eq!(before["image_id"], template["image_id"]);
    assert_ne!(after["mount_ids"], template["mount_ids"]);
    let runner = world.env.root().join("runner");
    let mut program = std::fs::read(&runner).unwrap();
    program.push(0);
    std::fs::write(&runner, program).unwrap();
    world.run(["deploy", "nightly"]).success();
    let program = world.function("changeling-nightly", "run");
    assert_eq!(before["image_id"], program["image_id"]);
    assert_ne!(template["mount_ids"], program["mount_ids"]);
    assert_eq!(world.app("changeling-nightly")["versions"], 4);
    // What does build something.
    world.configure(&format!("{NIGHTLY}modal.apt = [\"cmake\"]\n"));
    world.run(["deploy", "nightly"]).success();
    let tools = world.function("changeling-nightly", "run");
    assert_ne!(before["image_id"], tools["image_id"]);
}

/// What differs between what is deployed and what would be, whatever it is.
#[test]
fn drift() {
    let Some(world) = World::new(NIGHTLY) else {
        return;
    };
    world.run(["deploy", "nightly"]).success();
    let file = world.folder("nightly").join("deployed.json");
    let deployed = std::fs::read_to_string(&file).unwrap();
    let said = |pointer: &str, value: Value| {
        let mut document: Value = serde_json::from_str(&deployed).unwrap();
        *document.pointer_mut(pointer).expect(pointer) = value;
        std::fs::write(&file, document.to_string()).unwrap();
        let json = world.run(["status", "--json", "nightly"]).json();
        json["changelings"][0]["deployment"]["drift"].to_string()
    };
    let other = "0".repeat(64);
    for (pointer, value, expected) in [
        (
            "/document/changelings",
            "0.0.9",
            format!("deployed by 0.0.9, you have {}", env!("CARGO_PKG_VERSION")),
        ),
        ("/document/template/digest", &other, "template: ".to_owned()),
        (
            "/document/app/runner_digest",
            &other,
            "program: ".to_owned(),
        ),
        (
            "/document/app/image/base",
            "debian:11",
            "image: ".to_owned(),
        ),
    ] {
        let said = said(pointer, value.into());
        assert!(said.contains(&expected), "{pointer}: {said}");
    }
    assert_eq!(said("/version", 1.into()), "[]");
    // A format of tomorrow.
    drop(said("/document/version", 99.into()));
    let output = world.run(["show", "nightly"]);
    assert!(
        output.stderr.contains("whose format (version 99)"),
        "{output}"
    );
}

/// A release that the image fetches: looked at before it is taken, and tried.
#[test]
fn a_program_from_a_url() {
    let Some(world) = World::new("") else { return };
    let digest = "ab".repeat(32);
    let url = format!("https://example.org/changeling-1.2.3.tar.gz#sha256={digest}");
    world.configure(&format!("{NIGHTLY}modal.runner = \"{url}\"\n"));
    world.run(["deploy", "nightly"]).success();
    let definitions = world.modal.definitions("changeling-nightly");
    let told = told(&definitions);
    let lines: Vec<_> = told
        .lines()
        .filter(|line| line.contains("/tmp/changeling"))
        .map(str::trim)
        .collect();
    insta::assert_snapshot!("a_program_from_a_url", lines.join("\n"));
    let mounted = world.mounted("changeling-nightly", "run");
    assert!(
        !mounted.iter().any(|file| file.ends_with("/changeling")),
        "{mounted:?}"
    );
}

/// A base of one's own, which has no Python for Modal, and a limit of one's own.
#[test]
fn an_image_and_a_limit_of_ones_own() {
    let entry = format!("{NIGHTLY}modal.image = \"ubuntu:24.04\"\nmodal.timeout = \"3h\"\n");
    let Some(world) = World::new(&entry) else {
        return;
    };
    world.run(["deploy", "nightly"]).success();
    let definitions = world.modal.definitions("changeling-nightly");
    let run = &definitions["run"];
    assert_eq!(run["function"]["timeout_secs"], 3 * 60 * 60);
    let told = told(&definitions);
    assert!(told.contains("FROM ubuntu:24.04"), "{told}");
    let job = std::fs::read_to_string(world.folder("nightly").join("job.json")).unwrap();
    let job: Value = serde_json::from_str(&job).unwrap();
    assert_eq!(job["jobs"][0]["timeout_seconds"], 60 * 60);
}

#[test]
fn several_repositories() {
    let entry = "[changelings.fleet]\ntemplate = \"fixme-fairy\"\nrepos = [\"acme/a\", \"acme/b\", \"acme/c\"]\n\
                 schedule = \"0 3 * * *\"\ntimezone = \"UTC\"\nmax_parallel = 2\n";
    let Some(world) = World::new(entry) else {
        return;
    };
    world.run(["deploy", "fleet"]).success();
    let run = world.function("changeling-fleet", "run");
    let fire = world.function("changeling-fleet", "fire");
    assert!(run.get("schedule").is_none(), "{run}");
    assert_eq!(run["autoscaler_settings"]["max_containers"], 2);
    assert_eq!(fire["schedule"]["cron"]["cron_string"], "0 3 * * *");
    assert!(fire.get("secret_ids").is_none(), "{fire}");
    insta::assert_snapshot!(
        "definitions_of_several",
        told(&world.modal.definitions("changeling-fleet"))
    );
}

#[test]
fn secrets_are_what_the_configuration_says_now() {
    let Some(world) = World::new(&format!(
        "[notify]\nwebhook = \"https://hooks.example.org/T0/B0\"\n{NIGHTLY}"
    )) else {
        return;
    };
    world.run(["deploy", "nightly"]).success();
    let names = ["ANTHROPIC_API_KEY", "CHANGELINGS_WEBHOOK", "GITHUB_TOKEN"];
    assert_eq!(
        world.modal.secrets()["changeling-nightly"],
        serde_json::json!(names)
    );
    let own = ["hooks.example.org".to_owned()];
    assert_eq!(
        world
            .modal
            .search(&own, &["SecretGetOrCreate", "SecretUpdate"]),
        Vec::<String>::new()
    );
    // One that is no longer named is gone there, too; another way to pay takes its place.
    world.configure(&format!(
        "{NIGHTLY}secrets = [\"GITHUB_TOKEN\", \"CLAUDE_CODE_OAUTH_TOKEN\"]\n"
    ));
    let deploy = world.command(["deploy", "nightly"]);
    deploy
        .env("CLAUDE_CODE_OAUTH_TOKEN", "oauth-token-of-ada")
        .run()
        .success();
    let names = ["CLAUDE_CODE_OAUTH_TOKEN", "GITHUB_TOKEN"];
    assert_eq!(
        world.modal.secrets()["changeling-nightly"],
        serde_json::json!(names)
    );
}

#[test]
fn a_key_for_ssh_goes_along() {
    let entry = "[changelings.nightly]\ntemplate = \"fixme-fairy\"\nrepo = \"git@git.example.org:acme/shop\"\n\
                 timezone = \"UTC\"\nssh_key = \"key\"\n";
    let Some(world) = World::new(entry) else {
        return;
    };
    world.env.write(
        "changelings-home/key",
        "-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n",
    );
    let output = world.run(["deploy", "nightly"]).success();
    assert!(output.stderr.contains("runs by hand"), "{}", output.stderr);
    let key = &world.modal.secret("changeling-nightly")["SSH_KEY"];
    assert!(key.as_str().unwrap().starts_with("-----BEGIN"), "{key}");
    let job = std::fs::read_to_string(world.folder("nightly").join("job.json")).unwrap();
    assert!(job.contains("\"ssh_key\": \"SSH_KEY\""), "{job}");
}

#[test]
fn fifty_in_one_process() {
    let entries: String = (0..50)
        .map(|n| {
            format!(
                "[changelings.n{n}]\ntemplate = \"fixme-fairy\"\nrepo = \"acme/r{n}\"\nschedule = \"{n} 3 * * *\"\n\
                 timezone = \"UTC\"\n"
            )
        })
        .collect();
    let Some(world) = World::new("") else { return };
    let Some(client) = CountedClient::new(&world.env) else {
        return;
    };
    let binary = client.program().display();
    world.configure_with(&format!("max_crons = 50\nbinary = \"{binary}\""), &entries);
    // Side by side: after the first, which goes alone, none is there before others are about to be.
    world.modal.fails("AppPublish", Fault::Together, 6);
    let first = Fault::Slow(Duration::ZERO);
    world.modal.fails("AppPublish", first, 1);
    let output = world.run(["deploy", "--all", "--json"]).success();
    let json = output.json();
    let apps = json["apps"].as_array().unwrap();
    assert_eq!(apps.len(), 50);
    assert!(apps.iter().all(|app| app["deployed"] == true), "{json}");
    for n in 0..50 {
        let line = format!("deployed n{n}: runs ");
        let lines = output.stderr.lines();
        assert_eq!(
            lines.filter(|said| said.contains(&line)).count(),
            1,
            "{output}"
        );
    }
    assert_eq!(client.calls(), 1);
    let status = world.run(["status", "--json"]).success().json();
    assert_eq!(client.calls(), 2);
    assert_eq!(status["modal"]["fresh"], true, "{status}");
    let all = status["changelings"].as_array().unwrap();
    let is_there = |item: &&Value| item["deployment"]["at_modal"] == true;
    assert_eq!(all.iter().filter(is_there).count(), 50, "{status}");
    // Each has its own schedule, and one process looked what is there and deployed them.
    for n in [0, 7, 49] {
        let run = world.function(&format!("changeling-n{n}"), "run");
        assert_eq!(
            run["schedule"]["cron"]["cron_string"],
            format!("{n} 3 * * *")
        );
    }
    // Files and layers that all share were sent once.
    let first = world.function("changeling-n0", "run");
    let last = world.function("changeling-n49", "run");
    assert_eq!(first["image_id"], last["image_id"]);
}

/// Where no program here can run there: the image builds it from the last commit.
#[test]
fn a_program_built_in_the_image() {
    let Some(world) = World::new("") else { return };
    let repo = world.env.repo("sources");
    repo.write("Cargo.toml", "[workspace]\n");
    repo.commit(changelings_tests::ADA, "2025-01-01", "First");
    repo.write("secret.txt", "not committed");
    let folder = repo.path().display().to_string();
    world.configure(&format!("{NIGHTLY}modal.runner = \"{folder}\"\n"));
    world.run(["deploy", "nightly"]).success();
    let definitions = world.modal.definitions("changeling-nightly");
    let run = &definitions["run"];
    let text = run.to_string();
    assert!(text.contains("cargo build --release --locked"), "{text}");
    assert!(text.contains("COPY"), "{text}");
    assert!(!text.contains("/changeling/changeling"), "{text}");
    // Nothing of this machine but the commit, and the same bytes each time.
    assert_eq!(
        world
            .modal
            .search(&["not committed".to_owned(), folder.clone()], &[])
            .len(),
        0
    );
    let packed = || std::fs::read(world.folder("nightly").join("source.tar.gz")).unwrap();
    let first = packed();
    std::fs::remove_file(world.folder("nightly").join("source.tar.gz")).unwrap();
    world.run(["deploy", "nightly"]).success();
    assert_eq!(packed(), first);
}
