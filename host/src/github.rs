//! GitHub's REST API, as far as this program uses it: issues and pull requests of one repository.
//!
//! Reading serves the templates' `github` imports and the plan, writing publishes. The token goes to the API's own origin only, over
//! TLS (or to this machine), and is in no error and no log.

mod error;
mod model;
#[cfg(test)]
mod tests;
mod write;

use std::fmt;
use std::sync::OnceLock;
use std::time::Duration;

use reqwest::Method;
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderValue, LINK};
use serde::de::DeserializeOwned;
use url::Url;

pub use error::{Again, GithubError};
pub use model::{Issue, Items, Pull, Query, State};
pub use write::{NewIssue, NewPull};

use crate::http::{self, is_loopback, reasons};

/// Where the API is unless `GITHUB_API_URL` says otherwise.
pub const DEFAULT_API: &str = "https://api.github.com";

/// Most items one query can ask for.
pub const MAX_ITEMS: usize = 500;

/// Pages read for one query: issues come mixed with pull requests, which are left out.
const MAX_PAGES: usize = 20;

/// Longest answer that is read, in bytes.
const MAX_BODY: usize = 32 * 1024 * 1024;

const TIMEOUT: Duration = Duration::from_secs(30);

/// Waits before the second and third attempt when the server or the network failed.
const RETRY_AFTER: [Duration; 2] = [Duration::from_millis(200), Duration::from_secs(1)];

/// One repository, seen through the API. Nothing is built or sent before the first query.
pub struct Repository {
    api: Url,
    owner: String,
    name: String,
    token: Option<Token>,
    timeout: Duration,
    client: OnceLock<reqwest::Client>,
}

/// Never shown.
struct Token(HeaderValue);

impl fmt::Debug for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{} at {}", self.owner, self.name, self.api)
    }
}

impl Repository {
    /// `api_url` is `DEFAULT_API` or the value of `GITHUB_API_URL`: https, or http on this machine.
    pub fn new(
        api_url: &str,
        owner: &str,
        name: &str,
        token: Option<&str>,
    ) -> Result<Self, GithubError> {
        let api = address(api_url)?;
        for part in [owner, name] {
            if !is_part(part) {
                let shown = crate::names::printable(&format!("{owner}/{name}"));
                return Err(GithubError::NoRepository(shown));
            }
        }
        let token = token.map(bearer).transpose()?;
        Ok(Self {
            api,
            owner: owner.to_owned(),
            name: name.to_owned(),
            token,
            timeout: TIMEOUT,
            client: OnceLock::new(),
        })
    }

    /// Another limit for one request, connecting included.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// A token was given: what is asked is asked in the user's name.
    pub fn has_token(&self) -> bool {
        self.token.is_some()
    }

    /// `OWNER/NAME`.
    pub fn full_name(&self) -> String {
        format!("{}/{}", self.owner, self.name)
    }

    /// `pulls`, for callers that do nothing else meanwhile.
    pub fn pulls_now(&self, query: &Query) -> Result<Items<Pull>, GithubError> {
        now(self.pulls(query))
    }

    /// `issues`, likewise.
    pub fn issues_now(&self, query: &Query) -> Result<Items<Issue>, GithubError> {
        now(self.issues(query))
    }

    /// Issues, newest first, without pull requests.
    pub async fn issues(&self, query: &Query) -> Result<Items<Issue>, GithubError> {
        let labels = query.labels.join(",");
        let mut pairs = vec![("state", query.state.as_str())];
        if !labels.is_empty() {
            pairs.push(("labels", labels.as_str()));
        }
        self.list("issues", &pairs, query, model::issue).await
    }

    /// Pull requests, newest first.
    pub async fn pulls(&self, query: &Query) -> Result<Items<Pull>, GithubError> {
        let full_name = self.full_name();
        self.list("pulls", &[("state", query.state.as_str())], query, |wire| {
            model::pull(wire, &full_name)
        })
        .await
    }

    /// Pages through a list until the limit is reached. `convert` answers `None` for what is not
    /// asked for.
    async fn list<W: DeserializeOwned + model::Labelled, T>(
        &self,
        path: &str,
        pairs: &[(&str, &str)],
        query: &Query,
        convert: impl Fn(W) -> Option<T>,
    ) -> Result<Items<T>, GithubError> {
        let limit = query.limit.min(MAX_ITEMS);
        let mut next = Some(self.endpoint(path, pairs));
        let mut items = Vec::new();
        for _ in 0..MAX_PAGES {
            let Some(url) = next.take() else { break };
            let (page, following): (Vec<W>, _) = self.get(url).await?;
            next = following;
            for wire in page {
                if !wire.has_all(&query.labels) {
                    continue;
                }
                let Some(item) = convert(wire) else { continue };
                if items.len() == limit {
                    return Ok(Items {
                        items,
                        truncated: true,
                    });
                }
                items.push(item);
            }
        }
        Ok(Items {
            items,
            truncated: next.is_some(),
        })
    }

    fn endpoint(&self, path: &str, pairs: &[(&str, &str)]) -> Url {
        let mut url = self.address_of(path);
        url.query_pairs_mut().extend_pairs(pairs).extend_pairs([
            ("sort", "created"),
            ("direction", "desc"),
            ("per_page", "100"),
        ]);
        url
    }

    /// `pulls/7` of this repository.
    fn address_of(&self, path: &str) -> Url {
        let mut url = self.api.clone();
        url.path_segments_mut()
            .expect("`address` accepts only http and https URLs, which have segments")
            .pop_if_empty()
            .extend(["repos", &self.owner, &self.name])
            .extend(path.split('/'));
        url
    }

    /// One page and the address of the next.
    async fn get<T: DeserializeOwned>(&self, url: Url) -> Result<(T, Option<Url>), GithubError> {
        let mut waits = RETRY_AFTER.iter();
        loop {
            match self.get_once(url.clone()).await {
                Err(error) if error.may_pass() => match waits.next() {
                    Some(wait) => {
                        tracing::debug!("{error}; asking again");
                        tokio::time::sleep(*wait).await;
                    }
                    None => return Err(error),
                },
                answer => return answer,
            }
        }
    }

    async fn get_once<T: DeserializeOwned>(
        &self,
        url: Url,
    ) -> Result<(T, Option<Url>), GithubError> {
        let (body, headers) = self.ask(Method::GET, url, None).await?;
        let value = self.read(&body)?;
        let next = headers
            .get(LINK)
            .and_then(|value| next_link(value.to_str().ok()?));
        let next = next.map(|link| self.same_origin(link)).transpose()?;
        Ok((value, next))
    }

    /// One request; its answer when it is a good one.
    async fn ask(
        &self,
        method: Method,
        url: Url,
        json: Option<&serde_json::Value>,
    ) -> Result<(Vec<u8>, HeaderMap), GithubError> {
        let mut request = self
            .client()?
            .request(method, url)
            .timeout(self.timeout)
            .header(ACCEPT, "application/vnd.github+json")
            .header("x-github-api-version", "2022-11-28");
        if let Some(Token(value)) = &self.token {
            request = request.header(AUTHORIZATION, value.clone());
        }
        if let Some(json) = json {
            request = request.json(json);
        }
        let mut response = request.send().await.map_err(|e| self.network(&e))?;
        let status = response.status();
        let headers = response.headers().clone();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|e| self.network(&e))? {
            if body.len() + chunk.len() > MAX_BODY {
                return Err(self.unexpected("more than 32 MiB"));
            }
            body.extend_from_slice(&chunk);
        }
        if status.is_success() {
            Ok((body, headers))
        } else {
            Err(error::classify(self, status, &headers, &body))
        }
    }

    fn read<T: DeserializeOwned>(&self, body: &[u8]) -> Result<T, GithubError> {
        serde_json::from_slice(body)
            .map_err(|error| self.unexpected(&format!("no JSON of the expected form: {error}")))
    }

    /// Built at the first request: loading certificates is not free, and offline commands need none.
    fn client(&self) -> Result<&reqwest::Client, GithubError> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let origin = self.api.origin();
        let redirects = reqwest::redirect::Policy::custom(move |attempt| {
            if attempt.previous().len() > 5 || attempt.url().origin() != origin {
                attempt.stop()
            } else {
                attempt.follow()
            }
        });
        let client =
            http::client(&self.api, redirects, self.timeout).map_err(GithubError::Client)?;
        Ok(self.client.get_or_init(|| client))
    }

    fn same_origin(&self, link: &str) -> Result<Url, GithubError> {
        Url::parse(link)
            .ok()
            .filter(|url| url.origin() == self.api.origin())
            .ok_or_else(|| self.unexpected("a next page on another host"))
    }

    fn host(&self) -> String {
        self.api.host_str().unwrap_or_default().to_owned()
    }

    fn network(&self, error: &reqwest::Error) -> GithubError {
        if error.is_timeout() {
            GithubError::TimedOut {
                host: self.host(),
                timeout: self.timeout,
            }
        } else {
            GithubError::Network {
                host: self.host(),
                reason: reasons(error),
            }
        }
    }

    fn unexpected(&self, message: &str) -> GithubError {
        GithubError::Unexpected {
            host: self.host(),
            message: crate::names::printable(message),
        }
    }
}

/// Waits for one answer.
fn now<T>(answer: impl Future<Output = Result<T, GithubError>>) -> Result<T, GithubError> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| GithubError::Client(error.to_string()))?
        .block_on(answer)
}

fn address(text: &str) -> Result<Url, GithubError> {
    let refuse = |why| GithubError::Address(crate::names::printable(text), why);
    let url = Url::parse(text).map_err(|_| refuse("not a URL"))?;
    if !url.username().is_empty() || url.password().is_some() {
        // Not even the URL is repeated: it holds a secret.
        return Err(GithubError::Address(
            "the value".into(),
            "it carries a password or token",
        ));
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        "http" => Err(refuse(
            "http would show the token to the network; use https",
        )),
        _ => Err(refuse("not an https URL")),
    }
}

fn is_part(text: &str) -> bool {
    !matches!(text, "" | "." | "..")
        && text.len() <= 100
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
}

fn bearer(token: &str) -> Result<Token, GithubError> {
    let mut value = HeaderValue::from_str(&format!("Bearer {}", token.trim()))
        .map_err(|_| GithubError::Token)?;
    value.set_sensitive(true);
    Ok(Token(value))
}

/// The `rel="next"` address of a `Link` header.
fn next_link(header: &str) -> Option<&str> {
    header.split(',').find_map(|link| {
        let (address, params) = link.trim().strip_prefix('<')?.split_once('>')?;
        let next = params
            .split(';')
            .any(|param| matches!(param.trim(), "rel=\"next\"" | "rel=next"));
        next.then_some(address)
    })
}
