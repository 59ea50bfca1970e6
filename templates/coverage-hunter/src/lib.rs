//! Coverage Hunter: writes tests for the code that changes often and that no test runs, and measures.

mod tell;

use changelings_sdk::prompt::{self, Rules};
use changelings_sdk::{Brief, Composition, Context, Failure, Manifest, Param, Template};
use knowledge::Survey;
use knowledge::coverage::{self, Limits, Measure};
use knowledge::history::{Churn, LATELY};
use knowledge::hotspot::{self, Code, Hotspot, Hotspots};
use knowledge::testing::runner;

/// The template.
#[derive(Debug)]
pub struct CoverageHunter;

/// What a run is about.
pub(crate) struct Hunt<'a> {
    pub(crate) code: &'a Code,
    pub(crate) survey: &'a Survey,
    pub(crate) measures: &'a [Measure],
    pub(crate) limits: &'a Limits,
    pub(crate) churn: &'a Churn,
    /// Nothing changed lately: the churn is of all time.
    pub(crate) is_quiet: bool,
    /// Most files to take on.
    pub(crate) limit: usize,
    /// A file covered to so many percent is left.
    pub(crate) enough: u32,
}

impl Template for CoverageHunter {
    fn manifest() -> Manifest {
        Manifest::new(
            "coverage-hunter",
            env!("CARGO_PKG_VERSION"),
            "Writes tests for the code that changes often and that no test runs, and measures before and after",
        )
        .param(Param::optional("limit", "Most source files a run takes on, 1 to 10").default("3"))
        .param(
            Param::optional(
                "enough",
                "A file that tests cover to so many percent is left alone, 10 to 100",
            )
            .default("80"),
        )
        .param(Param::optional(
            "command",
            "Measures coverage, run in the repository's root; found in CI and configuration when empty",
        ))
        .param(Param::optional(
            "paths",
            "Where to look: globs separated by commas, such as services/api/**; everywhere when empty",
        ))
        .param(
            Param::optional("days", "What counts as lately, in days, 7 to 365")
                .default(LATELY.to_string()),
        )
        .permissions(["repo:read", "publish"])
        .default_message(prompt::message(include_str!("instructions.md"), Rules::Changes))
    }

    fn compose(context: &Context) -> Result<Composition, Failure> {
        let limit = context.number_param("limit", 1..=10)?.unwrap_or(3) as usize;
        let enough = context.number_param("enough", 10..=100)?.unwrap_or(80);
        let days = context.number_param("days", 7..=365)?.unwrap_or(LATELY);
        let code = hotspot::code()?.within(&context.list_param("paths"))?;
        if code.sources.is_empty() {
            return Ok(Composition::skip(tell::no_sources(
                &context.list_param("paths"),
            )));
        }
        let survey = Survey::near(&[])?;
        let measures = measures(context, &survey)?;
        if measures.is_empty() {
            return Ok(Composition::skip(tell::no_measure(&code)));
        }
        let limits = Limits::find()?;
        let mut churn = Churn::of_last(days)?;
        let mut found = hunt_for(&code, &survey, &measures, &limits, &churn)?;
        let is_quiet = found.spots.is_empty();
        if is_quiet {
            // A quiet repository: what changed most since it began.
            churn = Churn::of_last(0)?;
            found = hunt_for(&code, &survey, &measures, &limits, &churn)?;
        }
        if found.spots.is_empty() {
            return Ok(Composition::skip(tell::no_files(&code, &measures)));
        }
        let hunt = Hunt {
            code: &code,
            survey: &survey,
            measures: &measures,
            limits: &limits,
            churn: &churn,
            is_quiet,
            limit,
            enough,
        };
        // Some will turn out to be covered: as many again are named.
        let chosen: Vec<&Hotspot> = found.spots.iter().take(limit * 2).collect();
        let places: Vec<&str> = chosen.iter().map(|spot| spot.path.as_str()).collect();
        let near = Survey::near(&places)?;
        let findings = [
            prompt::section("Measuring", &tell::measuring(&chosen, &hunt)),
            prompt::section("Files", &tell::files(&chosen, found.total, &hunt)),
            near.section(&places),
        ]
        .concat();
        let considered = places.iter().map(|path| prompt::code(path));
        Ok(Brief::new(
            "coverage",
            prompt::fill(&Self::manifest().default_message, &findings),
        )
        .permissions(["publish"])
        .title("Coverage Hunter: tests for {commits} files")
        .body(format!(
            "Files looked at in this run:\n\n{}",
            prompt::bullets(considered)
        ))
        .into())
    }
}

changelings_sdk::export!(CoverageHunter);

/// How to measure: as the user says, else as the repository does.
fn measures(context: &Context, survey: &Survey) -> Result<Vec<Measure>, Failure> {
    match context.param("command") {
        Some(command) => Ok(vec![Measure::given(command)]),
        None => coverage::find(survey, &runner::find(survey)?),
    }
}

/// The source files worth a test that can be measured, the most telling first.
fn hunt_for(
    code: &Code,
    survey: &Survey,
    measures: &[Measure],
    limits: &Limits,
    churn: &Churn,
) -> Result<Hotspots, Failure> {
    let packages = survey.packages();
    let counterparts = code.counterparts(packages.iter().map(|package| package.folder));
    let wanted = |path: &str| coverage::of_path(measures, path).is_some() && !limits.excludes(path);
    code.hotspots(&counterparts, churn, &wanted)
}

#[cfg(test)]
mod tests;
