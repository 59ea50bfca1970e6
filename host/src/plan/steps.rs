//! The steps of a run as a person can follow them: argv, folder, names of variables.

use super::{Plan, Step};
use crate::agent::Headless;
use crate::brief::Delivery;
use crate::mngr::{self, Create, Dialect, Runs};
use crate::names::printable;
use crate::permission::Permission;

/// Folders that get their names when the run starts.
const MIRROR: &str = "<mirror>";
const WORKSPACE: &str = "<workspace>";
const EMPTY: &str = "<empty-folder>";
const RUN: &str = "<run>";

/// Steps of a plan whose other parts are known. `remote` is where git reaches the repository.
pub(super) fn steps(plan: &Plan, remote: &str, git_token: Option<&str>) -> Vec<Step> {
    let mut steps = vec![
        mirror(remote, git_token),
        clone(plan),
        identity(),
        create_agent(plan),
    ];
    steps.extend([wait(plan), collect(plan), check_patch(plan)]);
    if plan.publishes() {
        steps.extend(publish(plan, remote, git_token));
    }
    steps.push(step("record", &[], RUN).note("keep plan, log, patch and outcome"));
    steps
}

fn mirror(remote: &str, git_token: Option<&str>) -> Step {
    let refs = "+refs/heads/*:refs/remotes/origin/*";
    let argv = [
        "git",
        "fetch",
        "--prune",
        "--no-tags",
        "--end-of-options",
        remote,
        refs,
    ];
    step("mirror", &argv, MIRROR).env(git_token).note(
        "every git call also gets options against hooks, prompts and settings of the repository",
    )
}

fn clone(plan: &Plan) -> Step {
    let refs = format!("+{}:refs/heads/{}", plan.branch.starts_at, plan.branch.name);
    step("clone", &["git", "fetch", "--no-tags", "--end-of-options", MIRROR, &refs], WORKSPACE)
        .note("into an empty repository of this run's own, whose files are then checked out without filters, LFS or submodules")
}

fn identity() -> Step {
    step("identity", &[], RUN)
        .note("write the run's own git configuration: author, no hooks, no credentials of yours")
}

fn create_agent(plan: &Plan) -> Step {
    let (extra, own) = mngr::split(&plan.mngr_args);
    let headless = Headless::of(&plan.agent_type);
    let runs = match headless {
        Some(_) => Runs::Wrapper("<run>/agent/run"),
        None => Runs::Native {
            agent_type: &plan.agent_type,
            message: "<run>/agent/prompt",
            args: own,
        },
    };
    let mut argv = vec!["mngr".to_owned()];
    argv.extend(Dialect::Current.create(&Create {
        agent: &mngr::agent_name(&plan.run_id),
        workspace: WORKSPACE,
        runs,
        labels: &mngr::labels(plan.changeling.as_str(), &plan.run_id),
        extra,
    }));
    let note = match headless {
        Some(Headless::Command) => format!(
            "<run>/agent/run starts `{}` with the prompt on its standard input",
            printable(&shell_words::join(own))
        ),
        Some(_) => format!(
            "<run>/agent/run starts {} with the prompt on its standard input",
            plan.agent_type
        ),
        None => format!(
            "{} is an agent type of mngr's own",
            printable(&plan.agent_type)
        ),
    };
    Step {
        name: "create-agent".into(),
        argv,
        cwd: EMPTY.into(),
        env_names: plan
            .env_vars
            .keys()
            .chain(&plan.env_names)
            .cloned()
            .collect(),
        note: Some(note),
    }
}

fn wait(plan: &Plan) -> Step {
    let limits = &plan.limits;
    step("wait", &[], RUN).note(format!(
        "until the agent ends, at most {}, {} turns and ${}; then every process of the run is ended",
        super::render::duration(limits.timeout_seconds),
        limits.max_turns,
        limits.max_budget_usd,
    ))
}

fn collect(plan: &Plan) -> Step {
    step("collect", &[], MIRROR).note(format!(
        "copy the new commits to refs/runs/{}/; git is not run in the workspace any more",
        plan.run_id
    ))
}

fn check_patch(plan: &Plan) -> Step {
    let mut note = "at most 100 files and 4 MB, no secret in any commit, no workflow, CODEOWNERS or agent settings".to_owned();
    if !plan.allow_paths.is_empty() {
        note.push_str(", except ");
        note.push_str(&plan.allow_paths.join(", "));
    }
    step("check-patch", &[], MIRROR).note(note)
}

fn publish(plan: &Plan, remote: &str, git_token: Option<&str>) -> Vec<Step> {
    let branch = &plan.branch.name;
    let refs = format!("<commit>:refs/heads/{branch}");
    let argv = [
        "git",
        "push",
        "--no-verify",
        "--end-of-options",
        remote,
        &refs,
    ];
    let push = step("push", &argv, MIRROR)
        .env(git_token)
        .note("never forced");
    if !plan.on_github {
        return not_on_github(plan, push);
    }
    let what = match (plan.delivery, plan.branch.updates) {
        (Delivery::Issue, _) => "open an issue with the report, through GitHub's API".to_owned(),
        (_, Some(number)) => format!("update #{number} through GitHub's API"),
        (_, None) => format!(
            "open a pull request against {} through GitHub's API",
            plan.base.branch
        ),
    };
    let tell = step("pull-request", &[], RUN)
        .env(Some("GITHUB_TOKEN"))
        .note(what);
    if plan.delivery == Delivery::Issue {
        return vec![tell];
    }
    let push = match &plan.report {
        Some(path) => push.note(format!(
            "with the report, committed as {path}; never forced"
        )),
        None if plan.allows(&Permission::Github) => {
            push.note("what the agent did not push itself; never forced")
        }
        None => push,
    };
    vec![push, tell]
}

/// There is nobody to open a pull request with: the branch is what arrives.
fn not_on_github(plan: &Plan, push: Step) -> Vec<Step> {
    if plan.delivery == Delivery::Issue {
        return vec![
            step("pull-request", &[], RUN).note(
                "opens no issue: the repository is not on GitHub; the record keeps the report",
            ),
        ];
    }
    let push = match &plan.report {
        Some(path) => push.note(format!(
            "with the report, committed as {path}; never forced"
        )),
        None => push,
    };
    let tell = step("pull-request", &[], RUN)
        .note("opens none: the repository is not on GitHub; the pushed branch is there to review");
    vec![push, tell]
}

fn step(name: &str, argv: &[&str], cwd: &str) -> Step {
    Step {
        name: name.into(),
        argv: argv.iter().map(|word| (*word).to_owned()).collect(),
        cwd: cwd.into(),
        env_names: Vec::new(),
        note: None,
    }
}

impl Step {
    fn note(mut self, note: impl Into<String>) -> Self {
        self.note = Some(note.into());
        self
    }

    fn env(mut self, name: Option<&str>) -> Self {
        self.env_names.extend(name.map(str::to_owned));
        self
    }
}
