//! A pull request as GitHub would show it, on a terminal.

use super::Text;
use crate::names::printable;
use crate::plan::Plan;
use crate::ui::style::{self, paint};
use crate::ui::{block, text};

/// Lines of the diff that are shown.
const MAX_DIFF_LINES: usize = 300;

/// A changed file and its lines; `None` for a binary one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileStat {
    pub path: String,
    pub lines: Option<(u64, u64)>,
}

/// Everything GitHub shows on the page, at most so many `columns` wide. `stand_in`: what made the
/// commits was no agent.
pub fn preview(
    plan: &Plan,
    text: &Text,
    files: &[FileStat],
    diff: &str,
    stand_in: bool,
    columns: Option<usize>,
) -> String {
    let mut page = Vec::new();
    if stand_in {
        let mark = paint(style::WARNING, "STAND-IN");
        page.push(format!(
            "{mark}  no agent made these changes: they only show the way\n"
        ));
    }
    page.push(head(plan, text, columns));
    // What keeps mentions from calling anybody is not shown here.
    page.push(block::quote(&text.body.replace('\u{200b}', ""), columns));
    page.push(stat(files, columns));
    page.push(block::diff(&shortened(diff), columns));
    page.join("\n") + "\n"
}

fn head(plan: &Plan, text: &Text, columns: Option<usize>) -> String {
    let updates = plan
        .branch
        .updates
        .map(|number| format!(" (updates #{number})"));
    let title = format!("{}{}", printable(&text.title), updates.unwrap_or_default());
    let wide = columns.unwrap_or(usize::MAX);
    let mut lines = text::wrap("", &paint(style::HEADING, title), wide);
    let branches = format!(
        "{} ← {}",
        printable(&plan.base.branch),
        printable(&plan.branch.name)
    );
    lines.push('\n');
    lines.push_str(&paint(style::FAINT, branches));
    if !plan.pull_request.labels.is_empty() {
        let labels: Vec<_> = plan
            .pull_request
            .labels
            .iter()
            .map(|label| printable(label))
            .collect();
        lines.push('\n');
        lines.push_str(&paint(
            style::FAINT,
            format!("labels: {}", labels.join(", ")),
        ));
    }
    lines + "\n"
}

/// The files that changed, each with its counts, after an empty line.
pub fn stat(files: &[FileStat], columns: Option<usize>) -> String {
    let counted = files.iter().filter_map(|file| file.lines);
    let (added, removed) = counted.fold((0, 0), |(a, r), (x, y)| (a + x, r + y));
    let noun = if files.len() == 1 { "file" } else { "files" };
    let title = paint(style::HEADING, format!("{} {noun} changed", files.len()));
    let rows: Vec<_> = files
        .iter()
        .map(|file| {
            let what = file.lines.map_or_else(
                || "binary".to_owned(),
                |(added, removed)| counts(added, removed),
            );
            (printable(&file.path), what)
        })
        .collect();
    format!(
        "\n{title}, {}\n{}\n",
        counts(added, removed),
        block::pairs(&rows, columns)
    )
}

fn counts(added: u64, removed: u64) -> String {
    format!(
        "{} {}",
        paint(style::GOOD, format!("+{added}")),
        paint(style::BAD, format!("-{removed}"))
    )
}

fn shortened(diff: &str) -> String {
    let total = diff.lines().count();
    if total <= MAX_DIFF_LINES {
        return diff.to_owned();
    }
    let head: Vec<_> = diff.lines().take(MAX_DIFF_LINES).collect();
    format!(
        "{}\n... {} more lines",
        head.join("\n"),
        total - MAX_DIFF_LINES
    )
}

#[cfg(test)]
mod tests {
    use super::super::{CommitLine, Work, render};
    use super::*;
    use crate::plan::{build, fixture};
    use crate::redact::Redactor;

    #[test]
    fn a_rehearsed_pull_request() {
        let plan = build(&fixture::job(), &fixture::brief(), &fixture::facts()).unwrap();
        let commits = [CommitLine {
            id: "a".repeat(40),
            subject: "Handle the empty anvil".into(),
        }];
        let work = Work {
            commits: &commits,
            stand_in: true,
            ..Work::default()
        };
        let text = render(&plan, &work, &Redactor::default());
        let files = [
            FileStat {
                path: "src/lib.rs".into(),
                lines: Some((2, 1)),
            },
            FileStat {
                path: "logo\u{1b}.png".into(),
                lines: None,
            },
        ];
        let diff = "diff --git a/src/lib.rs b/src/lib.rs\n--- a/src/lib.rs\n+++ b/src/lib.rs\n@@ -12 +12,2 @@\n-// FIXME\n+fn a() {}\n+\u{1b}[2J\n";
        let page = preview(&plan, &text, &files, diff, true, Some(80));
        insta::assert_snapshot!(anstream::adapter::strip_str(&page).to_string());
        let long = preview(&plan, &text, &files, &"+x\n".repeat(301), true, None);
        assert!(
            anstream::adapter::strip_str(&long)
                .to_string()
                .ends_with("│ ... 1 more lines\n"),
            "{long}"
        );
    }
}
