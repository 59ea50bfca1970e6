use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::agent::How;
use crate::context::{Clock, Environment, Home};
use crate::error::{Error, Kind};
use crate::git::Identity;
use crate::plan::{build, fixture};
use crate::redact::Redactor;
use crate::ui::Ui;

fn program_at(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
    fs::set_permissions(path, PermissionsExt::from_mode(0o755)).unwrap();
}

/// A folder with programs, and nothing else on PATH.
struct Machine {
    folder: tempfile::TempDir,
}

impl Machine {
    fn with(programs: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in programs {
            let text = if *name == "mngr" {
                "#!/bin/sh\necho --transfer\n"
            } else {
                "#!/bin/sh\n"
            };
            program_at(&folder.path().join("bin").join(name), text);
        }
        fs::create_dir_all(folder.path().join("bin")).unwrap();
        Self { folder }
    }

    fn find(&self, job: &Job, config: &str) -> Result<Launch, MngrError> {
        let root = self.folder.path().to_owned();
        let bin = root.join("bin");
        let context = Context {
            env: Environment::from_pairs([("PATH", bin.to_str().unwrap())]),
            home: Home::at(root.clone()),
            clock: Clock::SYSTEM,
            cwd: root.clone(),
            ui: Ui::without_terminal(),
        };
        let config = Config::parse(&root.join("config.toml"), config, &root).unwrap();
        Launch::find(job, &config, &context)
    }
}

#[test]
fn what_is_missing_is_said_with_what_mends_it() {
    let mut command = fixture::job();
    command.agent_type = Some("command".into());
    let mut named = command.clone();
    named.extra_mngr_args = vec!["--label=a=b".into(), "--".into(), "fixer".into()];
    let mut careful = fixture::job();
    careful.unattended = false;
    let mut other = fixture::job();
    other.agent_type = Some("opencode".into());
    let all = ["mngr", "tmux", "claude"];
    let cases: &[(&[&str], &Job, &str)] = &[
        (&[], &fixture::job(), ""),
        (&["mngr"], &fixture::job(), ""),
        (&["mngr", "tmux"], &fixture::job(), ""),
        (&all, &careful, ""),
        (&all, &fixture::job(), "mngr.binary = \"no/mngr\""),
        (&all, &command, ""),
        (&all, &named, ""),
        (&all, &other, "mngr.launch = \"wrapper\""),
    ];
    let mut report = Vec::new();
    for (programs, job, config) in cases {
        let machine = Machine::with(programs);
        let error = Error::from(machine.find(job, config).unwrap_err());
        assert_eq!(error.kind, Kind::NeedsPerson);
        let text = format!("{error}\n  {}", error.hint.as_ref().unwrap());
        report.push(text.replace(&*machine.folder.path().to_string_lossy(), "HOME"));
    }
    insta::assert_snapshot!(report.join("\n"));
}

#[test]
fn which_way_it_goes() {
    let machine = Machine::with(&["mngr", "tmux", "claude"]);
    let wrapped = |job: &Job, config| machine.find(job, config).unwrap().wrapped.is_some();
    let mut job = fixture::job();
    assert!(wrapped(&job, ""));
    assert!(wrapped(&job, "mngr.launch = \"wrapper\""));
    job.unattended = false;
    // mngr's own asks before it acts.
    assert!(!wrapped(&job, "mngr.launch = \"native\""));
    job.agent_type = Some("opencode".into());
    assert!(!wrapped(&job, ""));
    job.agent_type = Some("command".into());
    job.extra_mngr_args = vec!["--".into(), "./fix.sh".into()];
    assert!(wrapped(&job, ""));
}

/// An agent that is a shell script, in a tmux that is real.
struct Trial {
    folder: tempfile::TempDir,
    launch: Launch,
    plan: Plan,
    env: Environment,
}

/// As much of mngr as a run needs.
const PRETENDER: &str = r#"#!/bin/sh
name=$2
for last; do :; done
while [ $# -gt 0 ]; do
    [ "$1" = --from ] && workspace=${2#:}
    shift
done
pwd > "$PRETEND/cwd"
umask > "$PRETEND/umask"
[ -e "$PRETEND/fail" ] && { echo "Error: no luck with $CHANGELING_ENV_0 today" >&2; exit 1; }
[ -e "$PRETEND/idle" ] && last=true
tmux new-session -d -s "mngr-$name" -c "$workspace" && tmux send-keys -t "mngr-$name" "$last" Enter
"#;

impl Trial {
    /// `None`, loudly, without tmux.
    #[expect(clippy::print_stderr, reason = "a test that is left out says so")]
    fn new(run: &str, script: &str) -> Option<Self> {
        let path = Environment::read().get("PATH")?.to_owned();
        let Some(tmux) = find_on_path("tmux", path.as_ref()) else {
            eprintln!("left out: tmux is not installed");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        let agent = folder.path().join("agent.sh");
        program_at(&agent, &format!("#!/bin/sh\n{script}\n"));
        let pretender = folder.path().join("mngr");
        program_at(
            &pretender,
            &PRETENDER.replace("$PRETEND", &folder.path().to_string_lossy()),
        );
        for name in ["run", "workspace"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        let mut plan = build(&fixture::job(), &fixture::brief(), &fixture::facts()).unwrap();
        plan.run_id = format!("{run}-{}", std::process::id());
        plan.prompt = "Do it.\n".to_owned();
        plan.agent_type = "command".to_owned();
        plan.mngr_args = vec!["--".into(), agent.to_string_lossy().into_owned()];
        Some(Self {
            launch: Launch {
                mngr: Installed {
                    program: pretender,
                    version: Some(super::super::NEWEST),
                    dialect: super::super::Dialect::Current,
                    has_claude: true,
                    has_wait: true,
                    user_base: None,
                },
                tmux,
                agent_type: "command".into(),
                wrapped: Some(Wrapped {
                    kind: Headless::Command,
                    program: agent.to_string_lossy().into_owned(),
                    unattended: true,
                }),
            },
            plan,
            env: Environment::from_pairs([
                ("PATH", path.as_str()),
                ("HOME", "/home/ada"),
                ("AWS_SECRET_ACCESS_KEY", "aws-secret"),
            ]),
            folder,
        })
    }

    /// Also every name of a file that was below the run's folder while `look` was called.
    fn work(&self, hear: &mut dyn FnMut(&Self, Heard)) -> Ended {
        let identity = Identity {
            name: "Ada".into(),
            email: "ada@example.org".into(),
        };
        let secrets = [("API_KEY".to_owned(), SECRET.to_owned())];
        let room = Room {
            plan: &self.plan,
            workspace: &self.folder.path().join("workspace"),
            run_dir: &self.folder.path().join("run"),
            identity: &identity,
            env: &self.env,
            secrets: &secrets,
            redactor: &Redactor::new(secrets.clone()),
            user: None,
        };
        let mut heard = |heard: Heard| hear(self, heard);
        let ended = self.launch.work(&room, &mut heard).unwrap();
        assert_eq!(ended.processes_left, 0);
        assert!(!self.folder.path().join("run/agent").exists());
        ended
    }

    fn log(&self) -> (Ended, String) {
        let mut log = Vec::new();
        let ended = self.work(&mut |_, heard| {
            if let Heard::Output(bytes) = heard {
                log.extend_from_slice(bytes);
            }
        });
        (ended, String::from_utf8(log).unwrap())
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join(name)).unwrap()
    }
}

const SECRET: &str = "it's \"$(touch pwned)\" `id` \\n \\\\ $HOME\nline two\n";

#[test]
fn an_agent_gets_its_prompt_and_exactly_its_variables() {
    let script = "cat; pwd; printf %s \"$API_KEY\" > ../secret; awk 'BEGIN { for (name in ENVIRON) print name }' | sort | tr '\\n' ' '; echo; printf '%s' \"$API_KEY\" >&2; exit 7";
    let Some(trial) = Trial::new("gets", script) else {
        return;
    };
    let (ended, log) = trial.log();
    assert_eq!(ended.how, How::Exited(7), "{log}");
    assert_eq!(trial.read("secret"), SECRET);
    assert!(
        !log.contains("touch") && log.contains("[redacted API_KEY]"),
        "{log}"
    );
    let mut lines = log.lines();
    assert_eq!(lines.next(), Some("Do it."));
    assert!(lines.next().unwrap().ends_with("/workspace"));
    // What a shell adds by itself.
    let own = ["PWD", "OLDPWD", "SHLVL", "_", ""];
    let names: Vec<_> = lines
        .next()
        .unwrap()
        .split(' ')
        .filter(|name| !own.contains(name))
        .collect();
    let expected = [
        "API_KEY",
        "CHANGELING_RUN_ID",
        "CHANGELING_SUMMARY",
        "GH_CONFIG_DIR",
        "GIT_CEILING_DIRECTORIES",
        "GIT_CONFIG_GLOBAL",
        "GIT_TERMINAL_PROMPT",
        "HOME",
        "PATH",
        "RUST_LOG",
    ];
    assert_eq!(names, expected);
    assert!(trial.read("cwd").trim().ends_with("/run/agent/empty"));
    assert_eq!(trial.read("umask").trim().trim_start_matches('0'), "77");
}

#[test]
fn a_flood_arrives_whole() {
    let script = "i=0; while [ $i -lt 3000 ]; do echo \"$i 0123456789012345678901234567890123456789\"; i=$((i + 1)); done; echo end >&2";
    let Some(trial) = Trial::new("flood", script) else {
        return;
    };
    let (ended, log) = trial.log();
    assert_eq!(ended.how, How::Exited(0));
    assert_eq!(log.lines().count(), 3001);
    assert!(log.contains("\n2999 0123"), "{}", log.len());
    assert_eq!(ended.last_lines.len(), 12);
}

#[test]
fn time_runs_out_and_nothing_is_left() {
    let script = "perl -MPOSIX -e 'POSIX::setsid(); exec q(sleep), 600' & sleep 600";
    let Some(mut trial) = Trial::new("hangs", script) else {
        return;
    };
    trial.plan.limits.timeout_seconds = 2;
    assert_eq!(trial.log().0.how, How::TimedOut);
}

#[test]
fn ended_from_outside() {
    let kill_server = "tmux_pid=$(ps -o ppid= -p $(ps -o ppid= -p $PPID)); echo here; kill -9 $tmux_pid; sleep 600";
    let kill_wrapper = "echo here; kill -9 $PPID; sleep 600";
    for (run, script, expected) in [
        (
            "server",
            kill_server,
            "the tmux server it ran in was ended from outside",
        ),
        (
            "wrapper",
            kill_wrapper,
            "the script it ran in was ended from outside, and its exit code is lost",
        ),
    ] {
        let Some(trial) = Trial::new(run, script) else {
            return;
        };
        let (ended, log) = trial.log();
        assert_eq!(ended.how, How::Failed(expected.to_owned()), "{run}");
        assert_eq!(log, "here\n");
    }
}

#[test]
fn a_refused_key_is_not_waited_for() {
    let retry = r#"{"type":"system","subtype":"api_retry","attempt":1,"max_retries":10,"error_status":401,"error":"authentication_failed"}"#;
    let script = format!("echo '{retry}'; echo '{retry}'; sleep 600");
    let Some(trial) = Trial::new("refused", &script) else {
        return;
    };
    assert_eq!(
        trial.log().0.how,
        How::Failed(
            "its key or login is refused: the API answers 401 (authentication_failed); retry 1 of 10"
                .into()
        )
    );
}

#[test]
fn mngr_does_not_create_it() {
    let Some(trial) = Trial::new("fails", "") else {
        return;
    };
    fs::write(trial.folder.path().join("fail"), "").unwrap();
    let (ended, log) = trial.log();
    let How::NotStarted(why) = &ended.how else {
        panic!("{ended:?}");
    };
    assert!(
        why.starts_with("mngr create failed with exit code 1: no luck with"),
        "{why}"
    );
    assert!(log.starts_with("Error: no luck"), "{log}");
    let mut launch = trial.launch.clone();
    launch.mngr.program = "/no/such/mngr".into();
    let trial = Trial { launch, ..trial };
    let (ended, _) = trial.log();
    assert!(
        matches!(&ended.how, How::NotStarted(why) if why.contains("127")),
        "{ended:?}"
    );
}

#[test]
fn what_is_said_is_told_at_once_and_lies_in_no_file() {
    let script = "printf 'key %s' \"$API_KEY\"; echo '{\"type\":\"result\",\"is_error\":false,\"total_cost_usd\":0.25,\"num_turns\":2,\"result\":\"Done.\"}'; while [ ! -e ../go ]; do sleep 0.05; done";
    let Some(trial) = Trial::new("told", script) else {
        return;
    };
    let mut said = Vec::new();
    let ended = trial.work(&mut |trial, heard| match heard {
        Heard::Says(line) => said.push(line.to_owned()),
        Heard::Usage(usage) => {
            assert_eq!(usage.cost_usd, Some(0.25));
            assert_eq!(
                files_with(trial.folder.path(), "touch pwned"),
                Vec::<PathBuf>::new()
            );
            fs::write(trial.folder.path().join("go"), "").unwrap();
        }
        Heard::Output(_) => {}
    });
    assert_eq!(said, ["key [redacted API_KEY]"]);
    assert_eq!(ended.last_message.as_deref(), Some("Done."));
    assert_eq!(ended.usage.turns, Some(2));
}

fn files_with(folder: &Path, text: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let (path, kind) = (entry.path(), entry.file_type().unwrap());
        if kind.is_dir() {
            found.extend(files_with(&path, text));
        } else if kind.is_file()
            && fs::read(&path).is_ok_and(|bytes| String::from_utf8_lossy(&bytes).contains(text))
        {
            found.push(path);
        }
    }
    found
}
