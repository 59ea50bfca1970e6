//! A plan as a person reads it: what, where, why, with which permissions, in which steps, and the
//! whole prompt.

use super::{Plan, Step};
use crate::brief::Delivery;
use crate::names::printable;
use crate::permission::Permission;
use crate::ui::style::{self, paint};
use crate::ui::{block, text};

/// The whole plan. `columns`: how wide it may be; `None`: nothing is wrapped.
pub fn render(plan: &Plan, columns: Option<usize>) -> String {
    let mut parts = vec![head(plan, columns)];
    if !plan.notes.is_empty() {
        let notes = plan
            .notes
            .iter()
            .map(|note| text::wrap("  - ", &printable(note), wide(columns)));
        parts.push(section("Notes", &notes.collect::<Vec<_>>().join("\n")));
    }
    parts.push(section("Permissions in force", &permissions(plan, columns)));
    parts.push(section("Steps of a run", &steps(plan, columns)));
    let length = plan.prompt.chars().count();
    let title = format!("Prompt, as the agent reads it ({length} characters)");
    parts.push(format!(
        "{}\n{}",
        block::chapter(title, columns),
        block::quote(&plan.prompt, columns)
    ));
    parts.join("\n\n")
}

fn section(title: &str, body: &str) -> String {
    format!("{}\n{body}", block::heading(title))
}

fn wide(columns: Option<usize>) -> usize {
    columns.unwrap_or(usize::MAX)
}

fn head(plan: &Plan, columns: Option<usize>) -> String {
    let title = format!("{} on {}", plan.changeling, printable(&plan.repo));
    let mut pairs = vec![
        ("template", template(plan)),
        ("starts at", start(plan)),
        ("branch", branch(plan)),
        ("delivers", delivers(plan)),
    ];
    if plan.publishes() && plan.on_github {
        let title = plan.pull_request.title.replace("{commits}", "N");
        pairs.push(("titled", printable(&title)));
    }
    if !plan.pull_request.labels.is_empty() {
        pairs.push(("labels", joined(&plan.pull_request.labels)));
    }
    pairs.push(("agent", agent(plan)));
    if !plan.mngr_args.is_empty() {
        pairs.push(("mngr gets", command_line(&plan.mngr_args)));
    }
    pairs.push(("variables", joined(&plan.env_names)));
    if !plan.env_vars.is_empty() {
        let set = plan
            .env_vars
            .iter()
            .map(|(name, value)| format!("{name}={}", printable(value)));
        pairs.push(("and", set.collect::<Vec<_>>().join(", ")));
    }
    if !plan.allow_paths.is_empty() {
        pairs.push(("may touch", joined(&plan.allow_paths)));
    }
    format!(
        "{}\n{}",
        block::chapter(title, columns),
        block::pairs(&pairs, columns)
    )
}

fn template(plan: &Plan) -> String {
    let id = &plan.template;
    let origin = if id.built_in {
        "built in".to_owned()
    } else {
        format!("sha256:{}", id.digest.short())
    };
    format!("{} {} ({origin})", id.name, printable(&id.version))
}

fn start(plan: &Plan) -> String {
    let commit = plan
        .branch
        .starts_at
        .get(..12)
        .unwrap_or(&plan.branch.starts_at);
    let base = printable(&plan.base.branch);
    if plan.branch.starts_at == plan.base.commit {
        format!("{base}, commit {commit}")
    } else {
        let branch = printable(&plan.branch.name);
        format!("commit {commit} of {branch}, to be merged into {base}")
    }
}

fn branch(plan: &Plan) -> String {
    format!(
        "{} ({})",
        printable(&plan.branch.name),
        printable(&plan.branch.reason)
    )
}

fn delivers(plan: &Plan) -> String {
    let report = if plan.report.is_some() {
        "a report"
    } else {
        "the commits"
    };
    match (plan.delivery, plan.branch.updates) {
        _ if !plan.publishes() => {
            format!("{report}, kept in the run's record; nothing is published")
        }
        (Delivery::Issue, _) if !plan.on_github => {
            format!("{report}, kept in the run's record: an issue needs GitHub")
        }
        _ if !plan.on_github => {
            format!("{report}, as a branch the host pushes; a pull request needs GitHub")
        }
        (Delivery::Issue, _) => format!("{report}, as an issue opened by the host"),
        (_, Some(number)) => format!("{report}, added to pull request #{number} {}", by(plan)),
        (_, None) => format!("{report}, as a pull request opened {}", by(plan)),
    }
}

fn by(plan: &Plan) -> &'static str {
    if plan.allows(&Permission::Github) {
        "by the agent, or the host after it"
    } else {
        "by the host"
    }
}

fn agent(plan: &Plan) -> String {
    let limits = &plan.limits;
    format!(
        "{}, at most {}, {} turns and ${}",
        printable(&plan.agent_type),
        duration(limits.timeout_seconds),
        limits.max_turns,
        limits.max_budget_usd,
    )
}

fn permissions(plan: &Plan, columns: Option<usize>) -> String {
    if plan.permissions.is_empty() {
        return "  none".to_owned();
    }
    let pairs: Vec<_> = plan
        .permissions
        .iter()
        .map(|permission| (permission.to_string(), permission.meaning()))
        .collect();
    block::pairs(&pairs, columns)
}

fn steps(plan: &Plan, columns: Option<usize>) -> String {
    let steps = plan.steps.iter().enumerate();
    steps
        .map(|(index, step)| render_step(index + 1, step, columns))
        .collect::<Vec<_>>()
        .join("\n")
}

fn render_step(number: usize, step: &Step, columns: Option<usize>) -> String {
    let mut lines = vec![format!("  {number:>2} {}", paint(style::NAME, &step.name))];
    let detail =
        |label: &str, text: &str| text::wrap(&format!("     {label}"), text, wide(columns));
    if !step.argv.is_empty() {
        lines.push(detail("$ ", &command_line(&step.argv)));
        lines.push(detail(
            "",
            &format!("in {}{}", printable(&step.cwd), with(step)),
        ));
    }
    lines.extend(
        step.note
            .as_deref()
            .map(|note| detail("", &printable(note))),
    );
    lines.join("\n")
}

fn with(step: &Step) -> String {
    match step.env_names.len() {
        0 => String::new(),
        1..=4 => format!(", with {}", joined(&step.env_names)),
        _ => ", with the variables above".to_owned(),
    }
}

fn joined(words: &[String]) -> String {
    words
        .iter()
        .map(|word| printable(word))
        .collect::<Vec<_>>()
        .join(", ")
}

/// As one would type it; placeholders in angle brackets stay as they are.
fn command_line(argv: &[String]) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./:=,+@%{}<>".contains(c);
    let quoted = argv.iter().map(|word| {
        if !word.is_empty() && word.chars().all(plain) {
            word.clone()
        } else {
            shell_words::quote(word).into_owned()
        }
    });
    printable(&quoted.collect::<Vec<_>>().join(" "))
}

/// `1 h`, `90 min`, `45 s`.
pub fn duration(seconds: u64) -> String {
    match seconds {
        s if s >= 3600 && s.is_multiple_of(3600) => format!("{} h", s / 3600),
        s if s >= 60 && s.is_multiple_of(60) => format!("{} min", s / 60),
        s => format!("{s} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::Job;
    use crate::plan::{build, fixture};

    fn shown(job: &Job, columns: Option<usize>) -> String {
        let mut brief = fixture::brief();
        brief.permissions.push(Permission::GithubRead);
        let plan = build(job, &brief, &fixture::facts()).unwrap();
        anstream::adapter::strip_str(&render(&plan, columns)).to_string()
    }

    #[test]
    fn a_plan_at_80_columns() {
        let text = shown(&fixture::job(), Some(80));
        assert!(
            text.lines().all(|line| line.chars().count() <= 80),
            "{text}"
        );
        insta::assert_snapshot!(text);
    }

    #[test]
    fn a_third_partys_plan_with_everything_overridden() {
        let mut job = fixture::job();
        job.template.built_in = false;
        job.message = Some("Do this \u{1b}[2J instead.".into());
        job.message_append = Some("And that.".into());
        job.extra_mngr_args = vec!["--label".into(), "a b=c".into()];
        job.work_branch = Some("bot/x".into());
        job.pr_title = Some("Mine".into());
        job.allow_paths = vec![".github/workflows/*.yml".into()];
        job.timeout_seconds = 5400;
        let text = shown(&job, Some(80));
        insta::assert_snapshot!(text.split("\n━━ Prompt, as").next().unwrap());
        assert!(text.contains("Do this \\u{1b}[2J instead."));
    }

    #[test]
    fn nothing_is_wrapped_for_a_file() {
        let text = shown(&fixture::job(), None);
        assert!(text.contains("+refs/heads/*:refs/remotes/origin/*"));
        assert!(text.lines().any(|line| line.len() > 300));
    }
}
