//! Reports, whose templates are not built in yet: from plan to outcome without a template.

use std::path::Path;

use super::Outcome;
use super::run::{Run, Stop};
use super::work::{Equipment, Ready, Work, work};
use crate::agent::Agent;
use crate::brief::Delivery;
use crate::context::{Clock, Context, Environment, Home};
use crate::git::Identity;
use crate::git::{Git, Mirror};
use crate::plan::{Plan, build, fixture};
use crate::process::Command;
use crate::record::{File, Header, Kind, Store};
use crate::redact::Redactor;
use crate::repo_url::RepoUrl;
use crate::ui::Ui;

pub(super) fn context(root: &Path) -> Context {
    let path = Environment::read().get("PATH").unwrap().to_owned();
    let home = root.join("home");
    Context {
        env: Environment::from_pairs([("PATH", path.as_str()), ("HOME", root.to_str().unwrap())]),
        home: Home::at(home),
        clock: Clock::SYSTEM,
        cwd: root.to_owned(),
        ui: Ui::without_terminal(),
    }
}

fn origin(root: &Path) {
    let script = "git init -q -b main origin; cd origin; echo 1 > a; git add a
                  git -c user.name=Ada -c user.email=ada@example.org commit -qm first";
    let path = Environment::read().get("PATH").unwrap().to_owned();
    let made = Command::new("/bin/sh")
        .args(["-ec", script])
        .cwd(root)
        .env("PATH", path)
        .run()
        .unwrap();
    assert!(made.success(), "{made:?}");
}

fn plan(mirror: &Mirror, delivery: Delivery) -> Plan {
    let mut plan = build(&fixture::job(), &fixture::brief(), &fixture::facts()).unwrap();
    plan.run_id = crate::record::new_id(jiff::Timestamp::now());
    plan.base.branch = "main".to_owned();
    plan.base.commit = mirror.commit_of("main").unwrap();
    plan.branch.starts_at.clone_from(&plan.base.commit);
    plan.branch.name = "changelings/docs-2026-11-22".to_owned();
    plan.report = Some("reports/docs.md".to_owned());
    plan.delivery = delivery;
    plan
}

/// Runs `script` as the agent; answers how it ended, what there is, and the kept report.
fn run(delivery: Delivery, script: &str) -> (Result<Ready, Stop>, Work, Option<String>) {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    origin(root);
    let context = context(root);
    let git = Git::new(&context.env);
    let repo = RepoUrl::parse("./origin", root).unwrap();
    let mirror = Mirror::update(&git, &context.home, &repo).unwrap();
    let plan = plan(&mirror, delivery);
    let store = Store::open(&context.home).unwrap();
    let header = Header {
        id: &plan.run_id,
        kind: Kind::Rehearsal,
        changeling: &plan.changeling,
        repo: &plan.repo,
        template: &plan.template.name,
        started_at: context.clock.now(),
    };
    let mut watch = |_: super::News| {};
    let mut run = Run::begin(&store, &header, &context, &mut watch).unwrap();
    let equipment = Equipment {
        git: &git,
        mirror: &mirror,
        agent: &Agent::Command(vec!["sh".into(), "-c".into(), script.into()]),
        origin: "/nowhere",
        identity: &Identity {
            name: "Ada".into(),
            email: "ada@example.org".into(),
        },
        secrets: &[],
        redactor: &Redactor::default(),
        pushes_to: None,
        called: None,
    };
    let mut done = Work::default();
    let ended = work(&mut run, &plan, &equipment, &mut done);
    let kept = std::fs::read_to_string(run.recording.path(File::Report)).ok();
    (ended, done, kept)
}

#[test]
fn a_report_by_pull_request_is_committed_by_the_host() {
    let script = "echo '# Findings' > $CHANGELING_REPORT; echo junk > a; git commit -qam junk";
    let (ended, done, kept) = run(Delivery::PullRequest, script);
    assert_eq!(ended.unwrap(), Ready::Commits);
    assert_eq!(kept.as_deref(), Some("# Findings\n"));
    let files: Vec<_> = done
        .collected
        .files
        .iter()
        .map(|file| file.path.as_str())
        .collect();
    assert_eq!(files, ["reports/docs.md"]);
    let [commit] = &done.collected.commits[..] else {
        panic!("{:?}", done.collected.commits)
    };
    assert!(
        commit.message.starts_with("Add the report of "),
        "{}",
        commit.message
    );
    assert_eq!(done.collected.tip.as_ref(), Some(&commit.id));
}

#[test]
fn a_report_for_an_issue_or_the_record_is_kept() {
    for delivery in [Delivery::Issue, Delivery::Record] {
        let (ended, done, kept) = run(
            delivery,
            "echo Findings > $CHANGELING_REPORT; echo x > a; git commit -qam x",
        );
        assert_eq!(ended.unwrap(), Ready::Report);
        assert_eq!(kept.as_deref(), Some("Findings\n"));
        assert!(done.collected.commits.is_empty());
    }
}

#[test]
fn a_report_that_is_not_there_is_a_failure() {
    for script in [
        "true",
        "echo ' ' > $CHANGELING_REPORT",
        "ln -s /etc/passwd $CHANGELING_REPORT",
    ] {
        let (ended, _, kept) = run(Delivery::Record, script);
        let Stop(Outcome::Failed {
            exit: Some(0),
            message,
            ..
        }) = ended.unwrap_err()
        else {
            panic!("{script}")
        };
        assert_eq!(message, "a report was asked for, and the agent wrote none");
        assert_eq!(kept, None);
    }
}
