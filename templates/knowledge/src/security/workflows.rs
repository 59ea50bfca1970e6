//! GitHub Actions workflows: what strangers can start, what can be changed under one's feet, where a
//! secret or somebody's text gets into a command.

use crate::checks::yaml;

/// Something in a workflow to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    pub line: u32,
    /// 1 to 9: how bad it is when it is real.
    pub weight: u32,
    /// What it is, with the expression or action it is about.
    pub what: String,
    /// The part that is text of the file.
    pub subject: String,
}

/// Triggers with the repository's secrets at hand that outsiders can fire.
const TRIGGERS: &[&str] = &[
    "pull_request_target",
    "workflow_run",
    "issue_comment",
    "issues",
    "discussion_comment",
];

/// Expressions that hold what somebody else wrote.
#[rustfmt::skip]
const STRANGERS_TEXT: &[&str] = &[
    "github.event.issue.title", "github.event.issue.body", "github.event.pull_request.title", "github.event.pull_request.body",
    "github.event.pull_request.head.ref", "github.event.pull_request.head.label", "github.event.comment.body",
    "github.event.review.body", "github.event.head_commit.message", "github.event.commits", "github.head_ref",
    "github.event.discussion.", "github.event.workflow_run.head_branch", "inputs.",
];

/// Whether a path is a workflow or a composite action.
pub fn is_workflow(path: &str) -> bool {
    let is_yaml = path.ends_with(".yml") || path.ends_with(".yaml");
    is_yaml
        && (path.contains(".github/workflows/")
            || path.ends_with("/action.yml")
            || path.ends_with("/action.yaml"))
}

/// What there is to look at, in order of lines.
pub fn issues(text: &str) -> Vec<Issue> {
    let mut issues = triggers(text);
    let scalars = yaml::scalars(text);
    for scalar in &scalars {
        match scalar.key() {
            "uses" => issues.extend(
                scalar
                    .lines
                    .iter()
                    .filter_map(|(line, uses)| unpinned(*line, uses)),
            ),
            "run" | "script" => {
                for (line, command) in &scalar.lines {
                    issues.extend(in_command(*line, command));
                }
            }
            "permissions" => issues.extend(
                scalar
                    .lines
                    .iter()
                    .filter(|(_, value)| value == "write-all")
                    .map(|(line, value)| Issue {
                        line: *line,
                        weight: 6,
                        what: "every permission is given to the token".into(),
                        subject: value.clone(),
                    }),
            ),
            _ => {}
        }
    }
    issues.sort_by_key(|issue| issue.line);
    issues
}

/// Whether the workflow says what its token may do.
pub fn limits_token(text: &str) -> bool {
    text.lines()
        .any(|line| line.trim_start().starts_with("permissions:"))
}

fn triggers(text: &str) -> Vec<Issue> {
    let mut issues = Vec::new();
    let mut in_on = false;
    for (number, line) in (1..).zip(text.lines()) {
        let content = line.trim();
        let indent = line.len() - line.trim_start().len();
        if indent == 0 && !content.is_empty() {
            in_on = content.starts_with("on:") || content.starts_with("\"on\":");
        }
        if !in_on || content.starts_with('#') || (indent > 4) {
            continue;
        }
        let words = content.split(|c: char| !(c.is_alphanumeric() || c == '_'));
        if let Some(trigger) = words.into_iter().find(|word| TRIGGERS.contains(word)) {
            issues.push(Issue {
                line: number,
                weight: if trigger == "pull_request_target" { 8 } else { 6 },
                what: "outsiders can start it, and it runs with the repository's own token and secrets".into(),
                subject: trigger.to_owned(),
            });
        }
    }
    issues
}

/// An action that is not named by a full commit id.
fn unpinned(line: u32, uses: &str) -> Option<Issue> {
    if uses.starts_with("./") || uses.starts_with("docker://") {
        return None;
    }
    let (action, reference) = uses.split_once('@')?;
    let is_commit = reference.len() == 40 && reference.chars().all(|c| c.is_ascii_hexdigit());
    let is_githubs = action.starts_with("actions/") || action.starts_with("github/");
    (!is_commit).then(|| Issue {
        line,
        weight: if is_githubs { 1 } else { 5 },
        what: "not pinned to a commit: whoever controls that name decides what runs".into(),
        subject: uses.to_owned(),
    })
}

fn in_command(line: u32, command: &str) -> Vec<Issue> {
    let mut issues = Vec::new();
    for expression in command.split("${{").skip(1) {
        let Some((expression, _)) = expression.split_once("}}") else {
            continue;
        };
        let expression = expression.trim();
        let subject = format!("${{{{ {expression} }}}}");
        if STRANGERS_TEXT.iter().any(|text| expression.contains(text)) {
            issues.push(Issue {
                line,
                weight: 9,
                what: "text that somebody else may have written becomes part of a command".into(),
                subject,
            });
        } else if expression.contains("secrets.") {
            issues.push(Issue {
                line,
                weight: 5,
                what: "a secret becomes part of a command line, which other processes can read"
                    .into(),
                subject,
            });
        }
    }
    issues
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_to_look_at() {
        let text = "\
on:
  pull_request_target:
    types: [opened]
permissions: write-all
jobs:
  a:
    steps:
      - uses: actions/checkout@v4
      - uses: someone/thing@main
      - uses: someone/thing@0123456789abcdef0123456789abcdef01234567
      - uses: ./local
      - run: |
          echo \"${{ github.event.issue.title }}\"
          deploy --token ${{ secrets.TOKEN }} ${{ github.sha }}
";
        let shown: Vec<String> = issues(text)
            .iter()
            .map(|issue| format!("{} {} {}", issue.line, issue.weight, issue.subject))
            .collect();
        assert_eq!(
            shown,
            [
                "2 8 pull_request_target",
                "4 6 write-all",
                "8 1 actions/checkout@v4",
                "9 5 someone/thing@main",
                "13 9 ${{ github.event.issue.title }}",
                "14 5 ${{ secrets.TOKEN }}",
            ]
        );
        assert!(limits_token(text));
        assert!(issues("on: [push, pull_request]\njobs: {}\n").is_empty());
        assert_eq!(issues("on: [push, issue_comment]\n").len(), 1);
    }
}
