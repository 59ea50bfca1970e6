//! Publishing: pull requests and issues of one repository. Nothing here is sent twice: whether a
//! request whose answer was lost had an effect is for the caller to find out.

use reqwest::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{GithubError, Issue, Pull, Repository, model, now};

/// A pull request that is not there yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewPull<'a> {
    pub title: &'a str,
    pub body: &'a str,
    /// Branch of the repository itself.
    pub head: &'a str,
    pub base: &'a str,
}

/// An issue that is not there yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewIssue<'a> {
    pub title: &'a str,
    pub body: &'a str,
    pub labels: &'a [String],
}

impl Repository {
    /// The open pull request that comes from a branch of the repository itself.
    pub fn open_pull_of(&self, branch: &str) -> Result<Option<Pull>, GithubError> {
        let head = format!("{}:{branch}", self.owner);
        let url = self.endpoint("pulls", &[("state", "open"), ("head", &head)]);
        let (pulls, _): (Vec<model::WirePull>, _) = now(self.get(url))?;
        let pulls = pulls.into_iter().filter_map(|wire| self.pull_of(wire));
        // GitHub ignores a `head` it does not understand.
        Ok(pulls
            .into_iter()
            .find(|pull| pull.own_branch && pull.head == branch && pull.state == "open"))
    }

    /// One pull request as it is now.
    pub fn pull(&self, number: u64) -> Result<Pull, GithubError> {
        let (wire, _) = now(self.get(self.address_of(&format!("pulls/{number}"))))?;
        self.pull_of(wire)
            .ok_or_else(|| self.unexpected("no pull request"))
    }

    pub fn create_pull(&self, new: &NewPull) -> Result<Pull, GithubError> {
        let wire = self.send(Method::POST, "pulls", &json!(new))?;
        self.pull_of(wire)
            .ok_or_else(|| self.unexpected("no pull request"))
    }

    /// Gives a pull request another title, another body, or both.
    pub fn edit_pull(
        &self,
        number: u64,
        title: Option<&str>,
        body: Option<&str>,
    ) -> Result<(), GithubError> {
        let mut change = json!({});
        for (key, value) in [("title", title), ("body", body)] {
            if let Some(value) = value {
                change[key] = value.into();
            }
        }
        self.send::<Value>(Method::PATCH, &format!("pulls/{number}"), &change)
            .map(drop)
    }

    /// Says something on a pull request or issue.
    pub fn comment(&self, number: u64, body: &str) -> Result<(), GithubError> {
        let path = format!("issues/{number}/comments");
        self.send::<Value>(Method::POST, &path, &json!({ "body": body }))
            .map(drop)
    }

    /// Puts labels on a pull request or issue, beside those it has.
    pub fn add_labels(&self, number: u64, labels: &[String]) -> Result<(), GithubError> {
        let path = format!("issues/{number}/labels");
        self.send::<Value>(Method::POST, &path, &json!({ "labels": labels }))
            .map(drop)
    }

    pub fn create_issue(&self, new: &NewIssue) -> Result<Issue, GithubError> {
        let wire = self.send(Method::POST, "issues", &json!(new))?;
        model::issue(wire).ok_or_else(|| self.unexpected("a pull request instead of an issue"))
    }

    /// One issue as it is now.
    pub fn issue(&self, number: u64) -> Result<Issue, GithubError> {
        let (wire, _) = now(self.get(self.address_of(&format!("issues/{number}"))))?;
        model::issue(wire).ok_or_else(|| self.unexpected("a pull request instead of an issue"))
    }

    fn pull_of(&self, wire: model::WirePull) -> Option<Pull> {
        model::pull(wire, &self.full_name())
    }

    /// Sent once.
    fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        json: &Value,
    ) -> Result<T, GithubError> {
        let (body, _) = now(self.ask(method, self.address_of(path), Some(json)))?;
        self.read(&body)
    }
}
