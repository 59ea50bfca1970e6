//! Test Troll: finds tests that do not show what they seem to show, and code that changes untested.

mod finding;
mod look;
mod pick;
mod tell;

use changelings_sdk::prompt::{self, Rules};
use changelings_sdk::{Brief, Composition, Context, Failure, Manifest, Param, Template};
use knowledge::Survey;
use knowledge::history::{Churn, LATELY};
use knowledge::hotspot;
use knowledge::testing::runner;

use finding::Kind;

/// The template.
#[derive(Debug)]
pub struct TestTroll;

impl Template for TestTroll {
    fn manifest() -> Manifest {
        Manifest::new(
            "test-troll",
            env!("CARGO_PKG_VERSION"),
            "Makes weak tests worth running: without checks, skipped, asleep, missing; one commit each",
        )
        .param(Param::optional("limit", "Most places a run takes on, 1 to 20").default("8"))
        .param(
            Param::optional(
                "kinds",
                "What to look for, separated by commas: focused, replaced, unchecked, skipped, untested, sleeping, long",
            )
            .default(Kind::ALL.map(Kind::name).join(",")),
        )
        .param(Param::optional(
            "paths",
            "Where to look: globs separated by commas, such as services/api/**; everywhere when empty",
        ))
        .param(Param::optional("days", "What counts as lately, in days, 7 to 365").default(LATELY.to_string()))
        .permissions(["repo:read", "publish"])
        .default_message(prompt::message(include_str!("instructions.md"), Rules::Changes))
    }

    fn compose(context: &Context) -> Result<Composition, Failure> {
        let limit = context.number_param("limit", 1..=20)?.unwrap_or(8) as usize;
        let days = context.number_param("days", 7..=365)?.unwrap_or(LATELY);
        let kinds = kinds(context)?;
        let churn = Churn::of_last(days)?;
        let code = hotspot::code()?.within(&context.list_param("paths"))?;
        if code.tests.is_empty() && code.inside.is_empty() {
            return Ok(Composition::skip(tell::no_tests(&code)));
        }
        let whole = Survey::near(&[])?;
        let runners = runner::find(&whole)?;
        let seen = look::look(&code, &kinds, &whole, &runners, &churn, context.date)?;
        if seen.runnable == 0 {
            return Ok(Composition::skip(tell::no_runner(&code)));
        }
        if seen.findings.is_empty() {
            return Ok(Composition::skip(tell::all_well(&seen, &kinds, days)));
        }
        let chosen = finding::choose(&seen.findings, limit);
        let places: Vec<&str> = chosen.iter().map(|finding| finding.path.as_str()).collect();
        let survey = Survey::near(&places)?;
        let findings = [
            prompt::section("Tests here", &tell::layout(&code, &seen)),
            tell::places(&chosen, &seen, days),
            prompt::section("Running one test", &tell::running(&chosen, &survey)),
            survey.section(&places),
        ]
        .concat();
        let considered = chosen
            .iter()
            .map(|finding| format!("{} {}", finding.place(), finding.kind.short()));
        Ok(Brief::new(
            "tests",
            prompt::fill(&Self::manifest().default_message, &findings),
        )
        .permissions(["publish"])
        .title("Test Troll: {commits} test improvements")
        .body(format!(
            "Places looked at in this run:\n\n{}",
            prompt::bullets(considered)
        ))
        .into())
    }
}

changelings_sdk::export!(TestTroll);

fn kinds(context: &Context) -> Result<Vec<Kind>, Failure> {
    let names = context.list_param("kinds");
    if names.is_empty() {
        return Ok(Kind::ALL.to_vec());
    }
    let known = |name: &str| Kind::ALL.into_iter().find(|kind| kind.name() == name);
    if let Some(odd) = names.iter().find(|name| known(name).is_none()) {
        return Err(
            Failure::invalid(format!("the parameter `kinds` holds `{odd}`"))
                .hint(format!("some of: {}", Kind::ALL.map(Kind::name).join(", "))),
        );
    }
    // In the order of their weight, whatever order they were given in.
    Ok(Kind::ALL
        .into_iter()
        .filter(|kind| names.contains(&kind.name()))
        .collect())
}

#[cfg(test)]
mod tests;
