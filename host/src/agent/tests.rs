use super::*;
use crate::plan::{build, fixture};

struct World {
    folder: tempfile::TempDir,
    plan: Plan,
    env: Environment,
}

impl World {
    fn new(run_id: &str) -> Self {
        let mut plan = build(&fixture::job(), &fixture::brief(), &fixture::facts()).unwrap();
        plan.run_id = format!("{run_id}-{}", std::process::id());
        plan.prompt = "Do it.\n".to_owned();
        plan.env_vars = [("RUST_LOG".to_owned(), "info".to_owned())].into();
        let path = Environment::read().get("PATH").unwrap().to_owned();
        let env = [
            ("PATH", path.as_str()),
            ("HOME", "/home/ada"),
            ("GITHUB_TOKEN", "gh-secret"),
            ("SSH_AUTH_SOCK", "/tmp/agent"),
            ("AWS_SECRET_ACCESS_KEY", "aws-secret"),
            ("https_proxy", "http://proxy:3128"),
        ];
        Self {
            folder: tempfile::tempdir().unwrap(),
            plan,
            env: Environment::from_pairs(env),
        }
    }

    fn work(&self, script: &str) -> (Ended, String) {
        let agent = Agent::Command(vec!["sh".into(), "-c".into(), script.into()]);
        let identity = Identity {
            name: "Ada \"A\"".into(),
            email: "ada@example.org".into(),
        };
        let secrets = [("API_KEY".to_owned(), "api-secret".to_owned())];
        let room = Room {
            plan: &self.plan,
            workspace: self.folder.path(),
            run_dir: self.folder.path(),
            identity: &identity,
            env: &self.env,
            secrets: &secrets,
            redactor: &Redactor::new(secrets.clone()),
            user: None,
        };
        let mut log = Vec::new();
        let ended = agent
            .work(&room, &mut |heard| {
                if let Heard::Output(bytes) = heard {
                    log.extend_from_slice(bytes);
                }
            })
            .unwrap();
        (ended, String::from_utf8(log).unwrap())
    }
}

#[test]
fn command_lines() {
    let base = Path::new("/here");
    let command = |line| match Agent::command(line, base) {
        Ok(Agent::Command(words)) => Ok(words),
        Ok(other) => panic!("{other:?}"),
        Err(error) => Err(error),
    };
    assert_eq!(
        command("claude -p --model 'a b'").unwrap(),
        ["claude", "-p", "--model", "a b"]
    );
    assert_eq!(
        command("./agent.sh $(id)").unwrap(),
        ["/here/./agent.sh", "$(id)"]
    );
    assert_eq!(command(" "), Err(AgentError::Empty));
    assert_eq!(command("sh -c 'x"), Err(AgentError::Quotes));
}

#[test]
fn its_environment_starts_empty() {
    let world = World::new("env");
    let (ended, log) =
        world.work("cat; env | cut -d= -f1 | sort | tr '\\n' ' '; echo; git config user.name");
    assert_eq!(ended.how, How::Exited(0));
    let mut lines = log.lines();
    assert_eq!(lines.next(), Some("Do it."));
    let names: Vec<_> = lines.next().unwrap().split(' ').collect();
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
        "https_proxy",
    ];
    // What a shell adds by itself.
    let own = ["PWD", "OLDPWD", "SHLVL", "_"];
    let found: Vec<_> = names
        .into_iter()
        .filter(|name| !own.contains(name) && !name.is_empty())
        .collect();
    assert_eq!(found, expected);
    assert_eq!(lines.next(), Some("Ada \"A\""));
}

#[test]
fn how_it_ends() {
    let mut world = World::new("ends");
    let (ended, log) = world.work("echo working; echo no api-secret here >&2; exit 7");
    assert_eq!(ended.how, How::Exited(7));
    assert!(log.contains("no [redacted API_KEY] here"), "{log}");
    assert_eq!(ended.last_message.as_deref(), Some("working"));
    assert_eq!(ended.last_lines.len(), 2);
    assert_eq!((ended.processes_left, ended.reported_failure), (0, false));

    world.plan.limits.timeout_seconds = 1;
    let (ended, _) =
        world.work("perl -MPOSIX -e 'POSIX::setsid(); exec q(sleep), 600' & sleep 600");
    assert_eq!((ended.how, ended.processes_left), (How::TimedOut, 0));

    let agent = Agent::Command(vec!["/no/such/agent".into()]);
    let identity = Identity {
        name: "A".into(),
        email: "a@b".into(),
    };
    let room = Room {
        plan: &world.plan,
        workspace: world.folder.path(),
        run_dir: world.folder.path(),
        identity: &identity,
        env: &world.env,
        secrets: &[],
        redactor: &Redactor::default(),
        user: None,
    };
    let ended = agent.work(&room, &mut |_| {}).unwrap();
    assert_eq!(
        ended.how,
        How::NotStarted("`/no/such/agent` is not installed or not on PATH".into())
    );
}

#[test]
fn what_it_wrote_is_read_with_suspicion() {
    let world = World::new("written");
    let (_, _) = world
        .work("echo 'Fixed it, api-secret.' > $CHANGELING_SUMMARY; echo '  ' > agent-report.md");
    let redactor = Redactor::new([("API_KEY", "api-secret")]);
    let written = Written::read(world.folder.path(), &redactor);
    assert_eq!(
        written.summary.as_deref(),
        Some("Fixed it, [redacted API_KEY].\n")
    );
    assert_eq!(written.report, None);
    let (_, _) = world.work("ln -s /etc/passwd agent-report.md 2>/dev/null || ln -sf /etc/passwd agent-report.md; ln -sf /etc/passwd $CHANGELING_SUMMARY");
    assert_eq!(
        Written::read(world.folder.path(), &redactor),
        Written::default()
    );
}
