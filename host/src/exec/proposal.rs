//! What a run proposes, as text: its pull request or issue.

use super::work::Work;
use crate::plan::Plan;
use crate::pull_request::{self, CommitLine, Text};
use crate::redact::Redactor;

/// `None`: there is nothing to propose.
pub(super) fn proposal(
    plan: &Plan,
    done: &Work,
    stand_in: bool,
    redactor: &Redactor,
) -> Option<Text> {
    let collected = &done.collected;
    let has_report = plan.report.is_some() && done.written.report.is_some();
    if collected.commits.is_empty() && !has_report {
        return None;
    }
    let commits: Vec<_> = collected
        .commits
        .iter()
        .map(|commit| CommitLine {
            id: commit.id.clone(),
            subject: commit.message.lines().next().unwrap_or_default().to_owned(),
        })
        .collect();
    let work = pull_request::Work {
        commits: &commits,
        summary: done.written.summary.as_deref(),
        report: done.written.report.as_deref().filter(|_| has_report),
        stand_in,
    };
    Some(pull_request::render(plan, &work, redactor))
}
