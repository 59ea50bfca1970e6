//! Code Custodian: looks after one directory, at most three improvements a run.

mod scope;
mod signals;

use changelings_sdk::prompt::{self, Rules};
use changelings_sdk::repo::{self, File};
use changelings_sdk::{Brief, Composition, Context, Failure, Manifest, Param, Template};
use knowledge::history::{Churn, LATELY};
use knowledge::lexer::{self, Kind as Part};
use knowledge::{Survey, decoy, ecosystem, language};

use scope::Scope;
use signals::{Kind, Source};

/// Most files read, how much of each, and how much of all.
const MAX_FILES: usize = 150;
const MAX_BYTES: u32 = 200_000;
const MAX_TOTAL: usize = 4_000_000;
/// Most files named as changing often.
const MAX_BUSY: usize = 5;

/// The template.
#[derive(Debug)]
pub struct CodeCustodian;

impl Template for CodeCustodian {
    fn manifest() -> Manifest {
        Manifest::new(
            "code-custodian",
            env!("CARGO_PKG_VERSION"),
            "Makes the code of one directory easier to change, at most three improvements a run",
        )
        .param(Param::required(
            "scope",
            "Folder or file to look after, relative to the root: src/api",
        ))
        .permissions(["repo:read", "publish"])
        .default_message(prompt::message(
            include_str!("instructions.md"),
            Rules::Changes,
        ))
    }

    fn compose(context: &Context) -> Result<Composition, Failure> {
        let scope = Scope::of(context)?;
        let name = prompt::code(&scope.path);
        if scope.code.is_empty() {
            return Ok(Composition::skip(format!(
                "{name} holds no code of the repository's own in a language known here"
            )));
        }
        let churn = Churn::of_last(LATELY)?;
        let sources = read(&scope, &churn)?;
        let kinds = signals::find(&sources);
        if kinds.is_empty() {
            return Ok(Composition::skip(format!(
                "nothing stands out in {name}: no silenced check, long function, copy or commented-out \
                 code in {}",
                prompt::count(sources.len(), "file")
            )));
        }
        let mut places: Vec<&str> = kinds.iter().flat_map(Kind::paths).collect();
        places.dedup();
        let survey = Survey::near(&places)?;
        let findings = [
            prompt::section(
                "The part to look after",
                &described(&scope, &sources, &churn),
            ),
            prompt::section(
                "What stands out",
                &kinds.iter().map(Kind::in_words).collect::<String>(),
            ),
            survey.section(&places),
        ]
        .concat();
        let prompt = prompt::fill(&Self::manifest().default_message, &findings);
        let title = prompt::one_line(&scope.path, 60);
        Ok(Brief::new(&format!("custodian-{}", scope.path), prompt)
            .permissions(["publish"])
            .title(format!("Code Custodian: improvements in {title}"))
            .body(format!(
                "At most three improvements of {name} that change nothing it does.\n"
            ))
            .into())
    }
}

changelings_sdk::export!(CodeCustodian);

/// The files that matter most, those that change often before large ones; tests are read only when
/// there is nothing else.
fn read(scope: &Scope, churn: &Churn) -> Result<Vec<Source>, Failure> {
    let is_test = |file: &&File| ecosystem::is_test_file(&file.path);
    let mut files: Vec<&File> = scope.code.iter().filter(|file| !is_test(file)).collect();
    if files.is_empty() {
        files = scope.code.iter().collect();
    }
    files.sort_by_key(|file| std::cmp::Reverse((churn.commits(&file.path), file.size)));
    let mut sources = Vec::new();
    let mut total = 0;
    for file in files.into_iter().take(MAX_FILES) {
        let Some(language) = language::of(&file.path) else {
            continue;
        };
        let Some(read) = repo::read_if_text(&file.path, MAX_BYTES)? else {
            continue;
        };
        if decoy::of_text(&read.text).is_some() {
            continue;
        }
        total += read.text.len();
        sources.push(Source {
            path: file.path.clone(),
            code: lexer::masked(&read.text, language.syntax, &[Part::Code]),
            code_and_comments: lexer::masked(
                &read.text,
                language.syntax,
                &[Part::Code, Part::Comment],
            ),
            text: read.text,
            syntax: language.syntax,
        });
        if total > MAX_TOTAL {
            break;
        }
    }
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(sources)
}

fn described(scope: &Scope, sources: &[Source], churn: &Churn) -> String {
    let lines: usize = sources
        .iter()
        .map(|source| source.text.lines().count())
        .sum();
    let more = if scope.truncated { "more than " } else { "" };
    let all = scope.code.len();
    let name = prompt::code(&scope.path);
    let read = if sources.len() < all {
        format!(
            "{more}{} of code, {} of them read (not tests; those that changed most, then the largest)",
            prompt::count(all, "file"),
            prompt::number(sources.len())
        )
    } else {
        format!("{} of code", prompt::count(all, "file"))
    };
    let busy: Vec<String> = churn
        .files()
        .into_iter()
        .filter(|file| sources.iter().any(|source| source.path == file.path))
        .take(MAX_BUSY)
        .map(|file| {
            let commits = prompt::count(file.commits as usize, "commit");
            format!("{} ({commits})", prompt::code(&file.path))
        })
        .collect();
    let busy = if busy.is_empty() {
        format!("None of them changed in the last {LATELY} days.")
    } else {
        format!(
            "Changed most in the last {LATELY} days: {}.",
            busy.join(", ")
        )
    };
    format!("{name}: {read}, {} lines. {busy}", prompt::number(lines))
}

#[cfg(test)]
mod tests;
