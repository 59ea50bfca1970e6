//! Issue Fixer: takes one tractable issue that a maintainer wrote or approved.

mod leads;
mod triage;

use changelings_sdk::github::{self, Issue, Pull, Query, State};
use changelings_sdk::prompt::{self, Rules};
use changelings_sdk::{Brief, Composition, Context, Date, Failure, Manifest, Param, Template};
use knowledge::Survey;

/// Most issues and pull requests looked at.
const MAX_ISSUES: u32 = 300;
const MAX_PULLS: u32 = 300;
/// Longest text of an issue that is quoted, in characters.
const MAX_BODY: usize = 6_000;

/// The template.
#[derive(Debug)]
pub struct IssueFixer;

impl Template for IssueFixer {
    fn manifest() -> Manifest {
        Manifest::new(
            "issue-fixer",
            env!("CARGO_PKG_VERSION"),
            "Fixes one open issue that a maintainer wrote or put a label on",
        )
        .param(
            Param::optional(
                "label",
                "Label with which maintainers hand over an issue; issues of outsiders need it",
            )
            .default("changeling"),
        )
        .param(Param::optional(
            "issue",
            "Number of the issue to take; chosen when empty",
        ))
        .permissions(["repo:read", "github:read", "publish"])
        // Another issue is another piece of work; issues with a pull request are not taken again.
        .on_open_pr("new")
        .default_message(prompt::message(
            include_str!("instructions.md"),
            Rules::Changes,
        ))
    }

    fn compose(context: &Context) -> Result<Composition, Failure> {
        let label = context.param("label").unwrap_or("changeling");
        let wanted = wanted(context)?;
        let open = github::issues(&Query::new(State::Open, MAX_ISSUES))?;
        let pulls = github::pulls(&Query::new(State::All, MAX_PULLS))?.items;
        let candidates: Vec<&Issue> = open
            .items
            .iter()
            .filter(|issue| wanted.is_none_or(|wanted| issue.number == wanted))
            .collect();
        let mut refusals = Vec::new();
        let mut tractable: Vec<(i32, &Issue)> = Vec::new();
        for issue in &candidates {
            match triage::judge(issue, &pulls, label) {
                Ok(weight) => tractable.push((weight, issue)),
                Err(refusal) => refusals.push(refusal),
            }
        }
        // The weightiest; of equals the oldest.
        tractable.sort_by_key(|(weight, issue)| (-weight, issue.number));
        let Some((_, issue)) = tractable.first() else {
            let reasons = triage::why_none(&mut refusals, label);
            return Ok(Composition::skip(match (wanted, candidates.len()) {
                (Some(wanted), 0) => format!("issue #{wanted} is not open"),
                (Some(wanted), _) => format!("issue #{wanted} is one of those {}", &reasons[2..]),
                (None, 0) => "no issue is open".to_owned(),
                (None, 1) => format!("the only open issue is not tractable: {reasons}"),
                (None, number) => format!(
                    "none of {} open issues is tractable: {reasons}",
                    prompt::number(number)
                ),
            }));
        };
        brief(issue, &pulls, tractable.len(), open.truncated, context.date)
    }
}

changelings_sdk::export!(IssueFixer);

/// The issue the user asks for.
fn wanted(context: &Context) -> Result<Option<u64>, Failure> {
    let parse = |value: &str| {
        value.trim_start_matches('#').parse().map_err(|_| {
            Failure::invalid(format!("the parameter `issue` is `{value}`"))
                .hint("the number of an open issue, such as 12")
        })
    };
    context.param("issue").map(parse).transpose()
}

fn brief(
    issue: &Issue,
    pulls: &[Pull],
    tractable: usize,
    truncated: bool,
    today: Date,
) -> Result<Composition, Failure> {
    let number = issue.number;
    let leads = leads::find(&format!("{}\n{}", issue.title, issue.body))?;
    let places: Vec<&str> = leads.iter().map(|(path, _)| path.as_str()).collect();
    let survey = Survey::near(&places)?;
    let findings = [
        prompt::section(
            &format!("Issue #{number}"),
            &told(issue, tractable, truncated, today),
        ),
        prompt::section(
            "Where to look first",
            &prompt::bullets(leads.iter().map(|(_, lead)| lead)),
        ),
        prompt::section(
            "Merged before, and it is still open",
            &merged(pulls, number),
        ),
        survey.section(&places),
    ]
    .concat();
    let prompt = prompt::fill(&IssueFixer::manifest().default_message, &findings);
    Ok(Brief::new(&format!("issue-{number}"), prompt)
        .permissions(["publish"])
        .title(format!(
            "Issue Fixer: Fix #{number} - {}",
            triage::title(issue)
        ))
        .body(format!("Closes #{number}\n"))
        .into())
}

fn told(issue: &Issue, tractable: usize, truncated: bool, today: Date) -> String {
    let age = Date::parse(&issue.created).map_or_else(String::new, |created| {
        format!(
            ", opened {created} ({})",
            match today.age_of(created).as_str() {
                "today" => "today".to_owned(),
                age => format!("{age} ago"),
            }
        )
    });
    let author = prompt::code_bounded(&issue.author, 60);
    let role = prompt::one_line(&issue.author_association.to_lowercase(), 20);
    let labels: Vec<String> = issue
        .labels
        .iter()
        .take(8)
        .map(|label| prompt::code_bounded(label, 60))
        .collect();
    let labels = if labels.is_empty() {
        String::new()
    } else {
        format!(", labels {}", labels.join(", "))
    };
    let more = if truncated { "more than " } else { "" };
    let chosen = match tractable {
        1 => String::new(),
        number => format!(
            " Chosen from {more}{} tractable ones: those with the label first, then bugs that can be reproduced, then the oldest.",
            prompt::number(number)
        ),
    };
    let text = format!("Title: {}\n\n{}", issue.title, issue.body);
    format!(
        "By {author} ({role}){age}{labels}.{chosen}\n\n{}",
        prompt::quote(&format!("issue #{}", issue.number), &text, MAX_BODY)
    )
}

fn merged(pulls: &[Pull], number: u64) -> String {
    prompt::bullets(
        pulls
            .iter()
            .filter(|pull| pull.state == "merged" && triage::is_about(pull, number))
            .take(5)
            .map(|pull| {
                format!(
                    "#{} on {}",
                    pull.number,
                    pull.updated.get(..10).unwrap_or("?")
                )
            }),
    )
}

#[cfg(test)]
mod tests;
