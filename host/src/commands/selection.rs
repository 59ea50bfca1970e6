//! What `plan` and `rehearse` work on: a changeling of the configuration, or a template and a
//! repository named on the command line.

use std::collections::BTreeMap;

use crate::error::{Error, Result};
use crate::exec::Outcome;
use crate::prepare::Selection;

#[derive(Debug, clap::Args)]
pub struct Target {
    /// A changeling of the configuration
    #[arg(value_name = "NAME", required_unless_present = "template", conflicts_with_all = ["template", "repo", "params", "branch"])]
    name: Option<String>,
    /// A template: a built-in name, or the path of a .wasm file
    #[arg(short, long, value_name = "TEMPLATE", requires = "repo")]
    template: Option<String>,
    /// A repository: a folder, a URL, or owner/name on GitHub
    #[arg(short, long, value_name = "REPO", requires = "template")]
    repo: Option<String>,
    /// A parameter of the template; can be given more than once
    #[arg(short, long = "param", value_name = "NAME=VALUE")]
    params: Vec<String>,
    /// The branch to start from; without it the remote's default branch
    #[arg(short, long, value_name = "BRANCH")]
    branch: Option<String>,
}

impl Target {
    pub fn selection(&self) -> Result<Selection> {
        match (&self.name, &self.template, &self.repo) {
            (Some(name), _, _) => Ok(Selection::Changeling(name.clone())),
            (None, Some(template), Some(repo)) => Ok(Selection::Template {
                template: template.clone(),
                repo: repo.clone(),
                params: params(&self.params)?,
                branch: self.branch.clone(),
            }),
            _ => Err(Error::usage("name a changeling, or --template and --repo")),
        }
    }
}

impl Target {
    /// What to type after a rehearsal of this, with what it leads to.
    pub(super) fn next(&self, outcome: &Outcome, stand_in: bool) -> Vec<(&'static str, String)> {
        let mut words: Vec<String> = self.name.iter().cloned().collect();
        let mut flag = |name: &str, value: &str| words.extend([name.to_owned(), value.to_owned()]);
        let flags = [
            ("--template", &self.template),
            ("--repo", &self.repo),
            ("--branch", &self.branch),
        ];
        for (name, value) in flags {
            if let Some(value) = value {
                flag(name, value);
            }
        }
        for param in &self.params {
            flag("--param", param);
        }
        let line = shell_words::join(&words);
        let mut next = Vec::new();
        if matches!(outcome, Outcome::Skipped { .. }) {
            next.push(("try another", "changeling template list".to_owned()));
        } else if outcome.error_kind().is_some() && !stand_in {
            next.push(("without the agent", format!("changeling rehearse {line}")));
        } else if stand_in {
            let line = format!("changeling rehearse {line} --agent-command 'claude -p'");
            next.push(("let an agent do it", line));
        }
        if self.name.is_none() {
            next.push(("make it a changeling", format!("changeling add {line}")));
        } else {
            next.push(("see when it runs", format!("changeling show {line}")));
        }
        next
    }
}

fn params(pairs: &[String]) -> Result<BTreeMap<String, String>> {
    pairs
        .iter()
        .map(|pair| match pair.split_once('=') {
            Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
            _ => Err(Error::usage(format!("`--param {pair}` is not NAME=VALUE"))
                .with_hint("write --param scope=src/api")),
        })
        .collect()
}
