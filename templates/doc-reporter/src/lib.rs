//! Doc Reporter: documentation that the code has left behind.

mod documents;
mod drift;
mod gone;
mod names;
mod release;

use std::fmt::Write as _;

use changelings_sdk::prompt::{self, Rules, Total};
use changelings_sdk::repo::{self, File};
use changelings_sdk::{Brief, Composition, Context, Failure, Manifest, Param, Template};
use knowledge::Survey;
use knowledge::docs::{self, Tree};
use knowledge::history::{Churn, LATELY};

use documents::Documents;
use drift::Drift;
use gone::{Finding, Tasks};

/// Most files listed, and most lines of one kind told.
const MAX_FILES: u32 = 100_000;
const MAX_DRIFTS: usize = 8;

/// The template.
#[derive(Debug)]
pub struct DocReporter;

impl Template for DocReporter {
    fn manifest() -> Manifest {
        Manifest::new(
            "doc-reporter",
            env!("CARGO_PKG_VERSION"),
            "Reports documentation that the code has left behind: what is gone, what is older than the code it describes",
        )
        .param(Param::optional("limit", "Most places of each kind a report starts from, 1 to 60").default("20"))
        .param(Param::optional(
            "paths",
            "Which documents to look at: globs separated by commas, such as docs/**/*.md; all when empty",
        ))
        .permissions(["repo:read", "publish"])
        .default_message(prompt::message(
            include_str!("instructions.md"),
            Rules::Report,
        ))
    }

    fn compose(context: &Context) -> Result<Composition, Failure> {
        let limit = context.number_param("limit", 1..=60)?.unwrap_or(20) as usize;
        let documents = documents::read(&context.list_param("paths"))?;
        if documents.guides.is_empty() {
            return Ok(Composition::skip(none(&documents)));
        }
        let all = repo::files(&[], MAX_FILES)?;
        let tree = Tree::new(all.items.iter().map(|file| file.path.as_str()));
        let churn = Churn::of_last(LATELY)?;
        let names = names::look_up(&documents.guides)?;
        let drifts = drift::find(&documents.guides, &names.defined, &tree, &churn)?;
        // With an incomplete list of files nothing can be said to be missing.
        let (links, paths) = if all.truncated {
            (Vec::new(), Vec::new())
        } else {
            (
                gone::links(&documents.guides, &tree),
                gone::paths(&documents.guides, &tree),
            )
        };
        let of_drifts = drifts.iter().take(MAX_DRIFTS).flat_map(Drift::places);
        let of_findings = [&links, &paths, &names.gone].into_iter().flat_map(|found| {
            let shown = found.iter().take(limit);
            shown.map(|finding| finding.path.as_str())
        });
        let mut places: Vec<&str> = of_drifts.chain(of_findings).collect();
        places.sort_unstable();
        places.dedup();
        let survey = Survey::near(&places)?;
        let tasks = Tasks::read(&survey.notable)?.gone(&documents.guides);
        let release = release::behind(&documents, &survey)?;
        let gone: Vec<Finding> = [paths.clone(), tasks, names.gone.clone()].concat();
        if links.is_empty() && gone.is_empty() && drifts.is_empty() && release.is_none() {
            return Ok(Composition::skip(format!(
                "nothing in {} points at something that is gone or is older than the code it names",
                prompt::count(documents.guides.len(), "document")
            )));
        }
        let findings = [
            prompt::section("The documentation", &described(&documents, &all.items)),
            prompt::section("Links that lead nowhere", &listed(&links, limit, "link")),
            prompt::section("Named and not there", &listed(&gone, limit, "mention")),
            prompt::section(
                "Older than the code it describes",
                &older(&drifts, context, &churn),
            ),
            prompt::section(
                "The list of changes",
                release.as_deref().unwrap_or_default(),
            ),
            survey.section(&places),
        ]
        .concat();
        let prompt = prompt::fill(&Self::manifest().default_message, &findings);
        Ok(Brief::new("docs", prompt)
            .permissions(["publish"])
            .title(format!("Doc Reporter: report of {}", context.date))
            .body(format!(
                "A report on {}; nothing else is changed.\n",
                prompt::count(documents.guides.len(), "document")
            ))
            .extra("report", "true")
            .into())
    }
}

changelings_sdk::export!(DocReporter);

fn none(documents: &Documents) -> String {
    match documents.history {
        0 => {
            "no documentation: no README, no Markdown, reStructuredText or AsciiDoc file of its own"
                .to_owned()
        }
        history => format!(
            "no documentation but what tells what was true at a time (changes, decisions, reports): {}",
            prompt::count(history, "file")
        ),
    }
}

fn described(documents: &Documents, files: &[File]) -> String {
    let most = 12;
    let guides = &documents.guides;
    let named: Vec<String> = guides
        .iter()
        .take(most)
        .map(|document| prompt::code(&document.path))
        .collect();
    let mut text = format!(
        "{}: {}",
        prompt::count(guides.len(), "document"),
        named.join(", ")
    );
    if guides.len() > most {
        let _ = write!(text, " and {}", prompt::count(guides.len() - most, "other"));
    }
    text += ".";
    if documents.unread > 0 {
        let _ = write!(
            text,
            " {} were not read; those nearest to the root were.",
            prompt::count(documents.unread, "more document")
        );
    }
    let site = docs::SITES.iter().find(|(path, _)| {
        files
            .binary_search_by(|file| file.path.as_str().cmp(path))
            .is_ok()
    });
    if let Some((path, name)) = site {
        let _ = write!(
            text,
            " {name} makes a site of them ({}).",
            prompt::code(path)
        );
    }
    if documents.history > 0 {
        let _ = write!(
            text,
            " Left out, because it tells what was true at a time (changes, decisions, earlier reports) and may name \
             what is gone: {}.",
            prompt::count(documents.history, "file")
        );
    }
    text
}

fn listed(findings: &[Finding], limit: usize, what: &str) -> String {
    if findings.is_empty() {
        return String::new();
    }
    let shown = findings.len().min(limit);
    format!(
        "{}\n\n{}",
        prompt::chosen(
            shown,
            Total::Exactly(findings.len()),
            what,
            "documents nearest to the root first"
        ),
        prompt::bullets(findings.iter().take(limit).map(Finding::told))
    )
}

fn older(drifts: &[Drift], context: &Context, churn: &Churn) -> String {
    if drifts.is_empty() {
        return String::new();
    }
    let shown = drifts.len().min(MAX_DRIFTS);
    let because = "those that name something whose definition changed first, then by how often the code changed";
    format!(
        "{}\n\n{}",
        prompt::chosen(shown, Total::Exactly(drifts.len()), "document", because),
        prompt::numbered(
            drifts
                .iter()
                .take(MAX_DRIFTS)
                .map(|drift| drift.told(context.date, churn))
        )
    )
}

#[cfg(test)]
mod tests;
