//! The REST API: one repository's pull requests and issues, its branches, and limits.

use serde_json::{Value, json};

use super::{Hosted, State, backend, issue, pull};
use crate::http::{Reply, Request};

pub(super) fn answer(request: &Request, state: &mut State) -> Reply {
    match allowed(request, state.token.as_deref()) {
        Ok(true) => {}
        // A private repository is not even admitted to exist.
        Ok(false) => return not_found(),
        Err(refused) => return refused,
    }
    let host = request.header("host").unwrap_or_default();
    let parts: Vec<_> = request.path.trim_start_matches('/').split('/').collect();
    match (request.method.as_str(), &parts[..]) {
        ("GET", ["rate_limit"]) => {
            let core = json!({ "limit": 5_000, "remaining": 4_999, "reset": 4_102_444_800_u64 });
            Reply::json(200, &json!({ "resources": { "core": core }, "rate": core }))
        }
        ("GET", ["user"]) => Reply::json(200, &json!({ "login": "ada", "id": 1 })),
        (method, ["repos", owner, name, rest @ ..]) => {
            let name = format!("{owner}/{name}");
            if state.unknown.is_none() && !state.repositories.contains_key(&name) {
                return not_found();
            }
            let place = Place {
                name,
                url: format!("http://{host}"),
            };
            place.answer(method, rest, request, state.hosted(&place.name))
        }
        _ => not_found(),
    }
}

/// Whether the token given, if any, opens the door.
fn allowed(request: &Request, token: Option<&str>) -> Result<bool, Reply> {
    let Some(token) = token else { return Ok(true) };
    let given = request.authorization();
    let given = given
        .strip_prefix("Bearer ")
        .or_else(|| given.strip_prefix("token "));
    match given {
        None => Ok(false),
        Some(given) if given == token => Ok(true),
        Some(_) => Err(Reply::json(
            401,
            &json!({ "message": "Bad credentials", "status": "401" }),
        )),
    }
}

fn not_found() -> Reply {
    Reply::json(404, &json!({ "message": "Not Found", "status": "404" }))
}

fn invalid(resource: &str, message: &str) -> Reply {
    let errors = json!([{ "resource": resource, "code": "custom", "message": message }]);
    Reply::json(
        422,
        &json!({ "message": "Validation Failed", "errors": errors, "status": "422" }),
    )
}

/// Which repository is asked about, and where it says it is.
struct Place {
    name: String,
    url: String,
}

impl Place {
    fn answer(&self, method: &str, rest: &[&str], request: &Request, hosted: &mut Hosted) -> Reply {
        match (method, rest) {
            ("GET", []) => self.itself(hosted),
            ("GET", ["branches" | "git", branch @ ..]) => self.branch(branch, hosted),
            ("GET", ["pulls"]) => page(request, self.wanted(request, &self.current(hosted))),
            ("POST", ["pulls"]) => self.open(&request.json(), hosted),
            ("GET", ["issues"]) => page(request, self.wanted(request, &hosted.issues)),
            ("POST", ["issues"]) => self.report(&request.json(), hosted),
            ("POST", ["issues", number, "labels"]) => label(number, &request.json(), hosted),
            ("POST", ["issues", number, "comments"]) => comment(number, &request.json(), hosted),
            ("GET", ["issues", number, "comments"]) => comments(number, hosted),
            ("GET" | "PATCH", ["pulls", number]) => {
                hosted.pulls = self.current(hosted);
                change(number, request, &mut hosted.pulls)
            }
            ("GET" | "PATCH", ["issues", number]) => change(number, request, &mut hosted.issues),
            _ => not_found(),
        }
    }

    fn itself(&self, hosted: &Hosted) -> Reply {
        let head = hosted
            .bare
            .as_ref()
            .and_then(|bare| backend::ask(bare, &["symbolic-ref", "--short", "HEAD"]));
        Reply::json(
            200,
            &json!({
                "full_name": self.name,
                "private": true,
                "default_branch": head.unwrap_or_else(|| "main".to_owned()),
                "html_url": format!("{}/{}", self.url, self.name),
                "permissions": { "admin": false, "push": true, "pull": true },
            }),
        )
    }

    /// `branches/NAME` and `git/ref/heads/NAME`.
    fn branch(&self, path: &[&str], hosted: &Hosted) -> Reply {
        let path = path.join("/");
        let name = path.strip_prefix("ref/heads/").unwrap_or(&path);
        match commit(hosted, name) {
            Some(sha) => Reply::json(
                200,
                &json!({
                    "name": name, "commit": { "sha": sha },
                    "ref": format!("refs/heads/{name}"), "object": { "sha": sha, "type": "commit" },
                }),
            ),
            None => not_found(),
        }
    }

    /// Pull requests with the commit their branch is at now.
    fn current(&self, hosted: &Hosted) -> Vec<Value> {
        let mut pulls = hosted.pulls.clone();
        for pull in &mut pulls {
            let of_this = pull["head"]["repo"]["full_name"] == self.name.as_str();
            let branch = pull["head"]["ref"].as_str().unwrap_or_default();
            if let Some(sha) = commit(hosted, branch).filter(|_| of_this && pull["state"] == "open")
            {
                pull["head"]["sha"] = sha.into();
            }
        }
        pulls
    }

    /// What the query asks for, newest first.
    fn wanted(&self, request: &Request, items: &[Value]) -> Vec<Value> {
        let state = request
            .asked_for("state")
            .unwrap_or_else(|| "open".to_owned());
        let head = request.asked_for("head");
        let base = request.asked_for("base");
        let labels = request.asked_for("labels").unwrap_or_default();
        let owner = self.name.split('/').next().unwrap_or_default();
        let mut items: Vec<_> = items
            .iter()
            .filter(|item| state == "all" || item["state"] == state.as_str())
            .filter(|item| {
                let branch = item["head"]["ref"].as_str().unwrap_or_default();
                head.as_ref()
                    .is_none_or(|head| *head == format!("{owner}:{branch}"))
            })
            .filter(|item| {
                base.as_ref()
                    .is_none_or(|base| item["base"]["ref"] == base.as_str())
            })
            .filter(|item| {
                labels
                    .split(',')
                    .all(|label| label.is_empty() || has_label(item, label))
            })
            .cloned()
            .collect();
        items.sort_by_key(|item| std::cmp::Reverse(item["number"].as_u64()));
        items
    }

    fn open(&self, wish: &Value, hosted: &mut Hosted) -> Reply {
        let text = |name: &str| wish[name].as_str().unwrap_or_default().to_owned();
        let (head, base) = (text("head"), text("base"));
        let owner = self.name.split('/').next().unwrap_or_default();
        let head = head
            .strip_prefix(&format!("{owner}:"))
            .unwrap_or(&head)
            .to_owned();
        if text("title").is_empty() {
            return invalid("PullRequest", "title is missing");
        }
        if hosted.bare.is_some() {
            for (field, branch) in [("head", &head), ("base", &base)] {
                if commit(hosted, branch).is_none() {
                    return Reply::json(
                        422,
                        &json!({ "message": "Validation Failed", "status": "422",
                                 "errors": [{ "resource": "PullRequest", "field": field, "code": "invalid" }] }),
                    );
                }
            }
            if commits_between(hosted, &base, &head) == 0 {
                return invalid(
                    "PullRequest",
                    &format!("No commits between {base} and {head}"),
                );
            }
        }
        let open = |pull: &Value| pull["state"] == "open" && pull["head"]["ref"] == head.as_str();
        if hosted.pulls.iter().any(open) {
            let message = format!("A pull request already exists for {owner}:{head}.");
            return invalid("PullRequest", &message);
        }
        let number = next_number(hosted);
        let mut new = pull(&self.name, number, &text("title"), &text("body"), "open");
        new["head"]["ref"] = head.as_str().into();
        new["head"]["sha"] = commit(hosted, &head).unwrap_or_default().into();
        new["base"]["ref"] = base.into();
        new["draft"] = wish["draft"].as_bool().unwrap_or(false).into();
        new["html_url"] = format!("{}/{}/pull/{number}", self.url, self.name).into();
        hosted.pulls.push(new.clone());
        Reply::json(201, &new)
    }

    fn report(&self, wish: &Value, hosted: &mut Hosted) -> Reply {
        let text = |name: &str| wish[name].as_str().unwrap_or_default();
        if text("title").is_empty() {
            return invalid("Issue", "title is missing");
        }
        let number = next_number(hosted);
        let mut new = issue(number, text("title"), text("body"));
        new["labels"] = labels_of(&wish["labels"]).into();
        new["html_url"] = format!("{}/{}/issues/{number}", self.url, self.name).into();
        hosted.issues.push(new.clone());
        Reply::json(201, &new)
    }
}

fn page(request: &Request, items: Vec<Value>) -> Reply {
    let number = |name: &str, other: usize| {
        let given = request.asked_for(name).and_then(|text| text.parse().ok());
        given.unwrap_or(other)
    };
    let (size, page) = (
        number("per_page", 30).clamp(1, 100),
        number("page", 1).max(1),
    );
    let more = items.len() > page * size;
    let part: Vec<_> = items
        .into_iter()
        .skip((page - 1) * size)
        .take(size)
        .collect();
    let reply = Reply::json(200, &part.into());
    if !more {
        return reply;
    }
    let others = request
        .query
        .split('&')
        .filter(|pair| !pair.starts_with("page="));
    let query: Vec<_> = others.collect();
    let host = request.header("host").unwrap_or_default();
    let next = format!(
        "http://{host}{}?{}&page={}",
        request.path,
        query.join("&"),
        page + 1
    );
    reply.with("link", format!("<{next}>; rel=\"next\""))
}

/// Shows one item, and changes it first when that is asked.
fn change(number: &str, request: &Request, items: &mut [Value]) -> Reply {
    let number: u64 = number.parse().unwrap_or(0);
    let Some(item) = items.iter_mut().find(|item| item["number"] == number) else {
        return not_found();
    };
    if request.method == "PATCH" {
        let wish = request.json();
        for name in ["title", "body", "state"] {
            if let Some(value) = wish[name].as_str() {
                item[name] = value.into();
            }
        }
        if wish["labels"].is_array() {
            item["labels"] = labels_of(&wish["labels"]).into();
        }
    }
    Reply::json(200, item)
}

/// To GitHub a pull request is an issue, too.
fn label(number: &str, wish: &Value, hosted: &mut Hosted) -> Reply {
    let number: u64 = number.parse().unwrap_or(0);
    let mut items = hosted.pulls.iter_mut().chain(&mut hosted.issues);
    let Some(item) = items.find(|item| item["number"] == number) else {
        return not_found();
    };
    let mut labels = item["labels"].as_array().cloned().unwrap_or_default();
    for label in labels_of(&wish["labels"]) {
        if !labels.contains(&label) {
            labels.push(label);
        }
    }
    item["labels"] = labels.into();
    Reply::json(200, &item["labels"])
}

fn comment(number: &str, wish: &Value, hosted: &mut Hosted) -> Reply {
    let text = wish["body"].as_str().unwrap_or_default().to_owned();
    let number = number.parse().unwrap_or(0);
    hosted.comments.push((number, text));
    Reply::json(201, &json!({ "id": hosted.comments.len() }))
}

fn comments(number: &str, hosted: &Hosted) -> Reply {
    let number: u64 = number.parse().unwrap_or(0);
    let of_it = hosted.comments.iter().filter(|(of, _)| *of == number);
    let list: Vec<_> = of_it.map(|(_, text)| json!({ "body": text })).collect();
    Reply::json(200, &list.into())
}

fn labels_of(names: &Value) -> Vec<Value> {
    let names = names.as_array().into_iter().flatten();
    names.map(|name| json!({ "name": name })).collect()
}

fn has_label(item: &Value, name: &str) -> bool {
    let labels = item["labels"].as_array().into_iter().flatten();
    labels.into_iter().any(|label| label["name"] == name)
}

fn next_number(hosted: &Hosted) -> u64 {
    let items = hosted.pulls.iter().chain(&hosted.issues);
    items
        .filter_map(|item| item["number"].as_u64())
        .max()
        .unwrap_or(0)
        + 1
}

fn commit(hosted: &Hosted, branch: &str) -> Option<String> {
    let bare = hosted.bare.as_ref()?;
    let name = format!("refs/heads/{branch}");
    backend::ask(
        bare,
        &[
            "rev-parse",
            "--verify",
            "--quiet",
            "--end-of-options",
            &name,
        ],
    )
}

fn commits_between(hosted: &Hosted, base: &str, head: &str) -> usize {
    let count = hosted.bare.as_ref().and_then(|bare| {
        let range = format!("refs/heads/{base}..refs/heads/{head}");
        backend::ask(bare, &["rev-list", "--count", "--end-of-options", &range])
    });
    count.and_then(|count| count.parse().ok()).unwrap_or(0)
}
