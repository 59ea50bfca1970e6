//! Which issues are tractable, and which of them comes first.

use changelings_sdk::github::{Issue, Pull, is_maintainer};
use changelings_sdk::prompt;

/// Words in labels that say: not for an agent, or not now.
const NOT_NOW: &[&str] = &[
    "question",
    "discussion",
    "discuss",
    "wontfix",
    "won't fix",
    "duplicate",
    "invalid",
    "blocked",
    "on hold",
    "needs",
    "need more",
    "waiting",
    "epic",
    "tracking",
    "meta",
    "proposal",
    "rfc",
    "design",
    "breaking",
    "upstream",
    "cannot reproduce",
    "security",
    "stale",
    "in progress",
    "roadmap",
];

/// Words in labels that speak for an issue, and how much.
const SPEAKING_FOR: &[(&str, i32)] = &[
    ("bug", 4),
    ("defect", 4),
    ("regression", 4),
    ("crash", 4),
    ("good first issue", 3),
    ("easy", 3),
    ("documentation", 2),
    ("docs", 2),
    ("performance", 1),
];

/// More tick boxes than this make an issue a plan of many.
const MAX_TICK_BOXES: usize = 5;

/// Why an issue is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Refusal {
    /// By an outsider, and no maintainer put the label on it.
    Outsider,
    /// An open or refused pull request mentions it.
    Proposed,
    /// A label says that it is a question, blocked, a plan, ...
    Label,
    /// A plan of many issues.
    Plan,
    /// Too short to know what is meant.
    Vague,
}

impl Refusal {
    /// For a sentence that starts with a number: `3 by outsiders without the label ...`.
    pub(crate) fn in_words(self, label: &str) -> String {
        match self {
            Self::Outsider => format!("by outsiders without the label `{label}`"),
            Self::Proposed => "with a pull request that is open or was refused".into(),
            Self::Label => "labelled as a question, blocked or not to be done".into(),
            Self::Plan => "that are lists of other work".into(),
            Self::Vague => "too short to know what is meant".into(),
        }
    }
}

/// Whether the issue can be taken; its weight, more is better.
pub(crate) fn judge(issue: &Issue, pulls: &[Pull], label: &str) -> Result<i32, Refusal> {
    let is_labelled = issue
        .labels
        .iter()
        .any(|own| own.eq_ignore_ascii_case(label));
    if !is_labelled && !is_maintainer(&issue.author_association) {
        return Err(Refusal::Outsider);
    }
    let was_proposed = pulls
        .iter()
        .filter(|pull| pull.state != "merged")
        .any(|pull| is_about(pull, issue.number));
    if was_proposed {
        return Err(Refusal::Proposed);
    }
    let labels: Vec<String> = issue
        .labels
        .iter()
        .map(|label| label.to_lowercase())
        .collect();
    if labels
        .iter()
        .any(|label| NOT_NOW.iter().any(|word| label.contains(word)))
    {
        return Err(Refusal::Label);
    }
    if tick_boxes(&issue.body) > MAX_TICK_BOXES {
        return Err(Refusal::Plan);
    }
    let words = issue
        .title
        .split_whitespace()
        .chain(issue.body.split_whitespace())
        .count();
    if words < 8 {
        return Err(Refusal::Vague);
    }
    let by_label: i32 = SPEAKING_FOR
        .iter()
        .filter(|(word, _)| labels.iter().any(|label| label.contains(word)))
        .map(|(_, weight)| *weight)
        .sum();
    let body = issue.body.to_lowercase();
    let shows_code = issue.body.contains("```") || issue.body.contains("\n    ");
    let can_be_reproduced = ["reproduce", "expected", "steps", "traceback", "panicked"]
        .iter()
        .any(|word| body.contains(word));
    Ok(by_label
        + 8 * i32::from(is_labelled)
        + 2 * i32::from(shows_code)
        + 2 * i32::from(can_be_reproduced)
        - 2 * i32::from(issue.body.len() > 8_000))
}

fn tick_boxes(body: &str) -> usize {
    ["- [ ]", "- [x]", "* [ ]", "* [x]"]
        .iter()
        .map(|tick| body.matches(tick).count())
        .sum()
}

/// The refusals, counted, for a person.
pub(crate) fn why_none(refusals: &mut [Refusal], label: &str) -> String {
    refusals.sort_unstable();
    let reasons: Vec<String> = refusals
        .chunk_by(|a, b| a == b)
        .map(|same| format!("{} {}", same.len(), same[0].in_words(label)))
        .collect();
    reasons.join(", ")
}

/// Whether a pull request mentions an issue: in its title, its text or its branch.
pub(crate) fn is_about(pull: &Pull, number: u64) -> bool {
    mentions(&pull.title, number)
        || mentions(&pull.body, number)
        || pull
            .head
            .split(|c: char| !c.is_ascii_alphanumeric())
            .collect::<Vec<_>>()
            .windows(2)
            .any(|pair| {
                ["issue", "issues", "fix", "gh", "bug"].contains(&pair[0])
                    && pair[1] == number.to_string()
            })
}

/// `#12`, `GH-12` or `.../issues/12`, and not `#123`, `x#12` or `owner/name#12`.
fn mentions(text: &str, number: u64) -> bool {
    let number = number.to_string();
    text.match_indices(&number).any(|(at, _)| {
        let after = text[at + number.len()..].chars().next();
        let before = &text[..at];
        let standing_alone = match before.strip_suffix('#') {
            Some(before) => !before.ends_with(|c: char| c.is_alphanumeric() || "/_-".contains(c)),
            None => before.ends_with("GH-") || before.ends_with("/issues/"),
        };
        standing_alone && !after.is_some_and(|c| c.is_ascii_digit())
    })
}

/// The issue on one line, for a title; what a stranger wrote, made harmless.
pub(crate) fn title(issue: &Issue) -> String {
    prompt::one_line(&issue.title.replace(['{', '}'], ""), 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mentions_are_whole() {
        for text in [
            "Closes #12",
            "#12.",
            "(#12)",
            "see https://github.com/a/b/issues/12",
            "GH-12",
        ] {
            assert!(mentions(text, 12), "{text}");
        }
        for text in ["#123", "x#12", "other/name#12", "12", "#112"] {
            assert!(!mentions(text, 12), "{text}");
        }
    }

    #[test]
    fn branches_mention_too() {
        let head = |head: &str| Pull {
            head: head.into(),
            ..Pull::default()
        };
        assert!(is_about(&head("changelings/issue-12-2026-11-22"), 12));
        assert!(is_about(&head("fix/12"), 12));
        assert!(!is_about(&head("release-12"), 12));
        assert!(!is_about(&head("issue-120"), 12));
    }
}
