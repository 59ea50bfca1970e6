//! `github`: issues and pull requests, read with the user's token, which stays in `crate::github`.

use std::sync::Arc;

use super::{Access, Failure, State, Work, failure};
use crate::github::{self, GithubError, Items, Repository};
use crate::names::printable;
use crate::template::bindings::changelings::template::github::{
    Host, Issue, IssueList, Pull, PullList, Query,
};

/// Bytes of titles and bodies one answer carries; what does not fit is left out and said so.
const MAX_TEXT: usize = 8 << 20;

/// What a guest with `github:read` gets to see; `None`: the repository is not on GitHub.
pub(in crate::template) type Reader = Option<Arc<Repository>>;

impl State {
    /// What is needed to answer: the repository and the query, checked.
    fn ask_github(&mut self, query: &Query) -> Result<(Arc<Repository>, github::Query), Failure> {
        let Some(repository) = self.github.get("github:read")? else {
            return Err(failure(
                "unavailable",
                "the target repository is not on GitHub",
            ));
        };
        Ok((Arc::clone(repository), checked(query)?))
    }

    fn note_github(
        &mut self,
        what: &str,
        query: &Query,
        answer: Result<(usize, bool), &Failure>,
        work: &Work,
    ) {
        if matches!(self.github, Access::Describing) {
            return;
        }
        let state: String = query.state.chars().take(20).collect();
        let labels: String = query.labels.join(", ").chars().take(100).collect();
        let labels = if labels.is_empty() {
            labels
        } else {
            format!(" labelled {labels}")
        };
        let answer = match answer {
            Ok((count, truncated)) => {
                format!("{count} {what}{}", if truncated { " (cut)" } else { "" })
            }
            Err(failure) => failure.code.clone(),
        };
        self.note(printable(&format!("{state} {what}{labels}")), answer, work);
    }
}

fn checked(query: &Query) -> Result<github::Query, Failure> {
    let invalid = |message: String| failure("invalid-argument", message);
    let state = github::State::parse(&query.state).ok_or_else(|| {
        let state: String = query.state.chars().take(50).collect();
        invalid(format!(
            "state `{}` is none of open, closed, all",
            printable(&state)
        ))
    })?;
    if query.labels.len() > 20
        || query
            .labels
            .iter()
            .any(|label| label.is_empty() || label.len() > 200)
    {
        return Err(invalid(
            "at most 20 labels of 1 to 200 characters".to_owned(),
        ));
    }
    let limit = usize::try_from(query.limit)
        .unwrap_or(usize::MAX)
        .min(github::MAX_ITEMS);
    Ok(github::Query {
        state,
        labels: query.labels.clone(),
        limit,
    })
}

impl From<GithubError> for Failure {
    fn from(error: GithubError) -> Self {
        Self {
            hint: error.hint().map(str::to_owned),
            ..failure(error.code(), error.to_string())
        }
    }
}

/// Runs a query within the host's time and keeps what fits.
async fn within<T>(
    work: &Work,
    query: impl Future<Output = Result<Items<T>, GithubError>>,
    size: impl Fn(&T) -> usize,
) -> Result<Items<T>, Failure> {
    let late = |_| failure("timed-out", "GitHub took too long to answer");
    let mut answer = tokio::time::timeout(work.left(), query)
        .await
        .map_err(late)??;
    let mut room = MAX_TEXT;
    let fitting = answer.items.iter().take_while(|item| {
        let left = room.checked_sub(size(item));
        room = left.unwrap_or(0);
        left.is_some()
    });
    let fitting = fitting.count();
    answer.truncated |= fitting < answer.items.len();
    answer.items.truncate(fitting);
    Ok(answer)
}

impl Host for State {
    async fn issues(&mut self, query: Query) -> wasmtime::Result<Result<IssueList, Failure>> {
        let work = match self.begin()? {
            Ok(work) => work,
            Err(failure) => return Ok(Err(failure)),
        };
        let answer = match self.ask_github(&query) {
            Ok((repository, asked)) => {
                within(&work, repository.issues(&asked), |issue| {
                    issue.title.len() + issue.body.len()
                })
                .await
            }
            Err(failure) => Err(failure),
        };
        let told = answer
            .as_ref()
            .map(|list| (list.items.len(), list.truncated));
        self.note_github("issues", &query, told, &work);
        Ok(answer.map(|list| IssueList {
            truncated: list.truncated,
            items: list.items.into_iter().map(Issue::from).collect(),
        }))
    }

    async fn pulls(&mut self, query: Query) -> wasmtime::Result<Result<PullList, Failure>> {
        let work = match self.begin()? {
            Ok(work) => work,
            Err(failure) => return Ok(Err(failure)),
        };
        let answer = match self.ask_github(&query) {
            Ok((repository, asked)) => {
                within(&work, repository.pulls(&asked), |pull| {
                    pull.title.len() + pull.body.len()
                })
                .await
            }
            Err(failure) => Err(failure),
        };
        let told = answer
            .as_ref()
            .map(|list| (list.items.len(), list.truncated));
        self.note_github("pulls", &query, told, &work);
        Ok(answer.map(|list| PullList {
            truncated: list.truncated,
            items: list.items.into_iter().map(Pull::from).collect(),
        }))
    }
}

impl From<github::Issue> for Issue {
    fn from(issue: github::Issue) -> Self {
        Self {
            number: issue.number,
            title: issue.title,
            body: issue.body,
            author: issue.author,
            author_association: issue.author_association,
            labels: issue.labels,
            state: issue.state,
            created: issue.created,
            updated: issue.updated,
            url: issue.url,
            extras: Vec::new(),
        }
    }
}

impl From<github::Pull> for Pull {
    fn from(pull: github::Pull) -> Self {
        Self {
            number: pull.number,
            title: pull.title,
            body: pull.body,
            author: pull.author,
            author_association: pull.author_association,
            labels: pull.labels,
            state: pull.state,
            head: pull.head,
            base: pull.base,
            created: pull.created,
            updated: pull.updated,
            url: pull.url,
            extras: Vec::new(),
        }
    }
}
