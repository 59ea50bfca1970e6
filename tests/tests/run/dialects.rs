//! Every mngr that can be installed today, with an agent that is a script in claude's place: the way
//! through mngr is the real one.

use changelings_tests::tools;
use changelings_tests::traces::{Watch, processes_of, wait_for};

use super::hostile::{nothing_fired, trapped};
use super::secrets::{self, NASTY};
use super::{COMMIT, PUSH, Ran, Shop, events};

/// What the script reports in the end, as claude does.
const RESULT: &str = r#"echo '{"type":"result","subtype":"success","is_error":false,"result":"Mended.","total_cost_usd":0.25,"num_turns":3,"session_id":"s"}'"#;

/// Makes `nightly` one whose claude is a script.
fn claude(shop: &mut Shop, script: &str) {
    shop.with(
        "agent_type = \"claude\"\nunattended = true\nsecrets = [\"GITHUB_TOKEN\", \"DEPLOY_KEY\"]",
    );
    replace_claude(shop, script);
}

fn replace_claude(shop: &Shop, script: &str) {
    let root = shop.env.root().display();
    let script = format!(
        "#!/bin/sh\ncase \"$*\" in *--version*) echo '2.1.330 (Claude Code)'; exit;; esac\nroot='{root}'\n\
         cat > $root/prompt\n{script}\n"
    );
    shop.env.program("claude", &script);
}

fn run(shop: &Shop) -> Ran {
    let ran = shop.ran(shop.prepare("nightly"));
    shop.nothing_lives();
    ran
}

fn a_pull_request_from_a_repository_that_means_harm(shop: &mut Shop) {
    let before = shop.branches().len();
    let script = format!("{}\n{RESULT}", secrets::tell_everybody());
    claude(shop, &script);
    shop.with("permissions = [\"publish\", \"repo:read\", \"env:DEPLOY_KEY\"]");
    let watch = Watch::of(shop.env.root());
    let run = shop.prepare("nightly").env("DEPLOY_KEY", NASTY);
    let ran = shop.ran(run).is("pull-request", 0);
    secrets::arrived(shop);
    secrets::is_nowhere(shop, &ran, watch);
    nothing_fired(shop);
    shop.nothing_lives();
    assert_eq!((shop.branches().len(), shop.pulls().len()), (before + 1, 1));
    let argv = ran.event("agent-started").expect("an agent was started")["argv"].to_string();
    assert!(
        argv.contains("create") && argv.contains("creator=changeling"),
        "{argv}"
    );
    let prompt = std::fs::read_to_string(shop.env.root().join("prompt")).unwrap();
    assert!(prompt.contains("## Delivery"), "{prompt}");
    let runs = shop.command(["runs", "--json"]).run().success().stdout;
    assert!(runs.contains("0.25"), "the cost is recorded: {runs}");
}

fn endings(shop: &mut Shop) {
    claude(
        shop,
        &format!(
            "echo 'Shall I go on?'; {}",
            RESULT.replace("Mended.", "Shall I go on?")
        ),
    );
    run(shop).is("no-changes", 0).says("Shall I go on?");
    replace_claude(shop, "echo 'cannot work' >&2; exit 7");
    run(shop)
        .is("failed", 4)
        .says("\"exit\":7")
        .says("cannot work");
    assert!(shop.branches().is_empty());
    // The original's way: the agent holds a token and pushes itself.
    shop.with("permissions = [\"github\", \"repo:read\"]");
    replace_claude(shop, &format!("{COMMIT}; {PUSH} HEAD; {RESULT}"));
    let ran = run(shop).is("pull-request", 0);
    assert_eq!(ran.outcome["url"], shop.pulls()[0]["html_url"]);
}

fn an_agent_that_hangs(shop: &mut Shop) {
    claude(
        shop,
        "trap '' TERM INT HUP; setsid sh -c 'trap \"\" TERM HUP; sleep 600' & touch $root/started; sleep 600",
    );
    let config = shop.config.replace("timeout = \"1m\"", "timeout = \"15s\"");
    shop.env.write_config(&config);
    run(shop).is("timed-out", 124);
    assert!(shop.env.root().join("started").exists());
}

fn tmux_is_killed(shop: &mut Shop) {
    claude(shop, "touch $root/started; sleep 600");
    let mut run = shop.prepare("nightly").spawn();
    wait_for("the agent", || shop.env.root().join("started").exists());
    let servers: Vec<_> = processes_of(shop.env.root())
        .into_iter()
        .filter(|process| process.argv.starts_with("tmux"))
        .collect();
    assert!(!servers.is_empty(), "{:#?}", processes_of(shop.env.root()));
    for server in servers {
        let id = rustix::process::Pid::from_raw(server.id).expect("a number of a process");
        let _ = rustix::process::kill_process(id, rustix::process::Signal::KILL);
    }
    let mut code = None;
    wait_for("the end of the run", || {
        code = run
            .try_wait()
            .expect("asking for a child")
            .and_then(|status| status.code());
        code.is_some()
    });
    assert_eq!(code, Some(4));
    let [folder] = &shop.records()[..] else {
        panic!("one record")
    };
    let outcome = events(folder).pop().expect("an end")["outcome"].clone();
    assert_eq!(
        (&outcome["outcome"], &outcome["step"]),
        (&"failed".into(), &"agent".into()),
        "{outcome}"
    );
    shop.nothing_lives();
}

/// Found by its files, and told with its version.
fn doctor(shop: &mut Shop) {
    claude(shop, COMMIT);
    let answer = shop.command(["doctor", "--json"]).run();
    let checks = answer.json();
    let checks = checks["checks"]
        .as_array()
        .unwrap_or_else(|| panic!("{answer}"));
    let mngr = checks
        .iter()
        .find(|check| check["name"] == "mngr")
        .unwrap_or_else(|| panic!("{answer}"));
    let message = mngr["message"].as_str().unwrap_or_default();
    let versions = ["0.3.0", "0.2.2", "0.1.4"];
    assert!(
        mngr["level"] == "ok" && versions.iter().any(|version| message.contains(version)),
        "{mngr}"
    );
}

fn a_death_while_it_works(shop: &mut Shop) {
    claude(
        shop,
        &format!("{COMMIT}; setsid sleep 600 & touch $root/started; sleep 600"),
    );
    let mut run = shop.prepare("nightly").spawn();
    wait_for("the agent", || shop.env.root().join("started").exists());
    run.kill().expect("killing a child");
    run.wait().expect("waiting for a child");
    let [dead] = &shop.records()[..] else {
        panic!("one record")
    };
    replace_claude(shop, "echo 'Nothing to do.'");
    let next = shop.ran(shop.prepare("nightly")).is("no-changes", 0);
    assert!(next.output.stderr.contains("had died"), "{}", next.output);
    shop.nothing_lives();
    assert!(!dead.join("workspace").exists() && !dead.join("agent").exists());
    let patch = std::fs::read_to_string(dead.join("patch.diff")).expect("its work is kept");
    assert!(patch.contains("+    # mended"));
}

macro_rules! dialects {
    ($($dialect:ident: $find:path;)*) => {$(
        mod $dialect {
            use super::{Shop, tools};

            dialects!(@ $find: endings an_agent_that_hangs tmux_is_killed a_death_while_it_works doctor);

            #[test]
            fn a_pull_request_from_a_repository_that_means_harm() {
                let mut shop = super::trapped();
                if shop.link_mngr($find()) {
                    super::a_pull_request_from_a_repository_that_means_harm(&mut shop);
                }
            }
        }
    )*};
    (@ $find:path: $($test:ident)*) => {$(
        #[test]
        fn $test() {
            let mut shop = Shop::new();
            if shop.link_mngr($find()) {
                super::$test(&mut shop);
            }
        }
    )*};
}

dialects! {
    today: tools::mngr;
    of_python_3_11: tools::mngr_0_2;
    legacy: tools::mng;
}

#[test]
fn without_mngr() {
    let mut shop = Shop::new();
    claude(&mut shop, COMMIT);
    let output = shop.prepare("nightly").run().exits(3);
    assert!(output.stderr.contains("uv tool install"), "{output}");
    assert!(!shop.env.root().join("prompt").exists());
}

#[test]
fn a_template_that_finds_nothing_calls_no_mngr() {
    let mut shop = Shop::of(|env| {
        let repo = env.repo("shop");
        repo.write("app.py", "total = 0\n");
        repo.commit(changelings_tests::ADA, "2025-11-03", "Add the shop");
        repo
    });
    claude(&mut shop, COMMIT);
    // Where it belongs by its looks, and tells when it is called.
    let called = shop.env.root().join("called");
    let venv = a_mngr(
        &shop,
        "imbue_mngr-0.3.0",
        "pyinfra-3.10.0",
        &format!("touch {}", called.display()),
    );
    shop.env.link_program("mngr", &venv);
    run(&shop).is("skipped", 0);
    assert!(!called.exists());
}

#[test]
fn a_mngr_that_is_broken() {
    let mut shop = Shop::new();
    claude(&mut shop, COMMIT);
    let venv = a_mngr(
        &shop,
        "imbue_mngr-0.3.0",
        "pyinfra-3.10.0",
        "echo 'No module named imbue' >&2; exit 1",
    );
    shop.env.link_program("mngr", &venv);
    let output = shop.prepare("nightly").run();
    assert!([1, 3, 4].contains(&output.code), "{output}");
    assert!(
        output.to_string().contains("No module named imbue"),
        "{output}"
    );
    assert!(shop.branches().is_empty());
    shop.nothing_lives();
}

#[test]
fn a_mngr_that_cannot_work_is_refused_unseen() {
    let mut shop = Shop::new();
    claude(&mut shop, COMMIT);
    let called = shop.env.root().join("called");
    let venv = a_mngr(
        &shop,
        "imbue_mngr-0.2.3",
        "pyinfra-3.8.1",
        &format!("touch {}", called.display()),
    );
    shop.env.link_program("mngr", &venv);
    let output = shop.prepare("nightly").run().exits(3);
    assert!(
        output.stderr.contains("0.2.3") && output.stderr.contains("uv tool"),
        "{output}"
    );
    assert!(!called.exists());
}

#[test]
fn nobody_agreed_to_an_agent_that_asks_nothing() {
    let mut shop = Shop::new();
    claude(&mut shop, COMMIT);
    if !shop.link_mngr(tools::mngr()) {
        return;
    }
    let config = shop
        .config
        .replace("unattended = true", "unattended = false");
    shop.env.write_config(&config);
    let output = shop.prepare("nightly").run().exits(3);
    assert!(output.stderr.contains("unattended"), "{output}");
    assert!(!shop.env.root().join("prompt").exists());
}

/// What looks like an installed mngr, and runs a script.
fn a_mngr(shop: &Shop, package: &str, pyinfra: &str, script: &str) -> std::path::PathBuf {
    let venv = shop.env.root().join("venv");
    let python = venv.join("bin/python3");
    let program = shop.env.write(
        "venv/bin/mngr",
        format!("#!{}\n{script}\n", python.display()),
    );
    for package in [
        package,
        pyinfra,
        "imbue_mngr_wait-0.2.0",
        "imbue_mngr_claude-0.3.0",
    ] {
        let (name, version) = package.split_once('-').expect("a name and a version");
        let metadata = format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n");
        shop.env.write(
            &format!("venv/lib/python3.12/site-packages/{package}.dist-info/METADATA"),
            metadata,
        );
    }
    std::os::unix::fs::symlink("/bin/sh", &python).expect("making a link");
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&program, executable).expect("a file just written");
    program
}
