//! The bindings of `wit/v0.1` and the way between their types and ours. Only in a component.

use std::marker::PhantomData;
use std::sync::Once;

use crate::repo::{ChangedFile, Commit, File, Listing, Match, Origin, Place, Skipped, Text};
use crate::{Brief, Composition, Context, Date, Failure, Manifest, Param, Template};

#[allow(missing_docs, unreachable_pub, clippy::pedantic, reason = "generated")]
pub mod bindings {
    wit_bindgen::generate!({
        path: "wit",
        world: "template",
        pub_export_macro: true,
        export_macro_name: "export_component",
        default_bindings_module: "changelings_sdk::wasm::bindings",
    });
}

use bindings::changelings::template::{
    github as wit_github, log as wit_log, repo as wit_repo, types,
};
use bindings::exports::changelings::template::template_api as api;

/// The component's exports, for one template.
#[derive(Debug)]
pub struct Exported<T>(PhantomData<T>);

impl<T: Template> api::Guest for Exported<T> {
    fn describe() -> api::Manifest {
        say_panics_in_one_line();
        T::manifest().into()
    }

    fn compose(context: api::Context) -> Result<api::Composition, types::Failure> {
        say_panics_in_one_line();
        let context = Context::try_from(context)?;
        match T::compose(&context)? {
            Composition::Run(brief) => Ok(api::Composition::Run(brief.into())),
            Composition::Skip(reason) => Ok(api::Composition::Skip(reason)),
        }
    }
}

/// A component cannot catch its panics; what it writes to stderr just before the trap is what the
/// host shows. It knows a panic by the words ` panicked at `, as Rust's own message has them.
fn say_panics_in_one_line() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        std::panic::set_hook(Box::new(|info| {
            let text = info
                .payload_as_str()
                .unwrap_or("no message")
                .replace('\n', " ");
            let place = info
                .location()
                .map(|at| format!("{}:{}", at.file(), at.line()))
                .unwrap_or_default();
            #[expect(
                clippy::print_stderr,
                reason = "the host shows the last lines of stderr"
            )]
            {
                eprintln!("the template panicked at {place}: {text}");
            }
        }));
    });
}

pub(crate) fn files(globs: &[&str], limit: u32) -> Result<Listing<File>, Failure> {
    let list = wit_repo::files(&owned(globs), limit)?;
    Ok(Listing {
        items: list
            .items
            .into_iter()
            .map(|wit_repo::File { path, size }| File { path, size })
            .collect(),
        truncated: list.truncated,
        skipped: skipped(list.skipped),
    })
}

pub(crate) fn read(path: &str, max_bytes: u32) -> Result<Text, Failure> {
    let wit_repo::FileText { text, truncated } = wit_repo::read(path, max_bytes)?;
    Ok(Text { text, truncated })
}

pub(crate) fn search(pattern: &str, globs: &[&str], limit: u32) -> Result<Listing<Match>, Failure> {
    let list = wit_repo::search(pattern, &owned(globs), limit)?;
    Ok(Listing {
        items: list
            .items
            .into_iter()
            .map(|wit_repo::TextMatch { path, line, text }| Match { path, line, text })
            .collect(),
        truncated: list.truncated,
        skipped: skipped(list.skipped),
    })
}

pub(crate) fn commits(
    path: Option<&str>,
    since_days: u32,
    limit: u32,
) -> Result<Listing<Commit>, Failure> {
    let list = wit_repo::commits(path, since_days, limit)?;
    let commit = |wit_repo::Commit {
                      id,
                      author,
                      date,
                      subject,
                  }| Commit {
        id,
        author,
        date,
        subject,
    };
    Ok(listing(list.items.into_iter().map(commit), list.truncated))
}

pub(crate) fn changed_files(since_days: u32) -> Result<Listing<ChangedFile>, Failure> {
    let list = wit_repo::changed_files(since_days)?;
    let file = |wit_repo::ChangedFile {
                    path,
                    commits,
                    last_changed,
                }| ChangedFile {
        path,
        commits,
        last_changed,
    };
    Ok(listing(list.items.into_iter().map(file), list.truncated))
}

pub(crate) fn origins(places: &[Place]) -> Result<Listing<Origin>, Failure> {
    let places: Vec<_> = places
        .iter()
        .map(|Place { path, line }| wit_repo::Place {
            path: path.clone(),
            line: *line,
        })
        .collect();
    let list = wit_repo::origins(&places)?;
    let origin = |wit_repo::Origin {
                      path,
                      line,
                      commit,
                      author,
                      date,
                  }| Origin {
        path,
        line,
        commit,
        author,
        date,
    };
    Ok(listing(list.items.into_iter().map(origin), list.truncated))
}

pub(crate) fn issues(
    query: &crate::github::Query,
) -> Result<Listing<crate::github::Issue>, Failure> {
    let list = wit_github::issues(&wit_query(query))?;
    let issue = |issue: wit_github::Issue| crate::github::Issue {
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
        extras: issue.extras,
    };
    Ok(listing(list.items.into_iter().map(issue), list.truncated))
}

pub(crate) fn pulls(query: &crate::github::Query) -> Result<Listing<crate::github::Pull>, Failure> {
    let list = wit_github::pulls(&wit_query(query))?;
    let pull = |pull: wit_github::Pull| crate::github::Pull {
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
        extras: pull.extras,
    };
    Ok(listing(list.items.into_iter().map(pull), list.truncated))
}

pub(crate) fn debug(message: &str) {
    wit_log::debug(message);
}

pub(crate) fn info(message: &str) {
    wit_log::info(message);
}

pub(crate) fn warn(message: &str) {
    wit_log::warn(message);
}

fn owned(globs: &[&str]) -> Vec<String> {
    globs.iter().map(|&glob| glob.to_owned()).collect()
}

fn listing<T>(items: impl Iterator<Item = T>, truncated: bool) -> Listing<T> {
    Listing {
        items: items.collect(),
        truncated,
        skipped: Vec::new(),
    }
}

fn skipped(skipped: Vec<wit_repo::Skipped>) -> Vec<Skipped> {
    skipped
        .into_iter()
        .map(|wit_repo::Skipped { path, reason }| Skipped { path, reason })
        .collect()
}

fn wit_query(query: &crate::github::Query) -> wit_github::Query {
    wit_github::Query {
        state: query.state.as_str().to_owned(),
        labels: query.labels.clone(),
        limit: query.limit,
        extras: query.extras.clone(),
    }
}

impl From<types::Failure> for Failure {
    fn from(
        types::Failure {
            code,
            message,
            hint,
        }: types::Failure,
    ) -> Self {
        Self {
            code,
            message,
            hint,
        }
    }
}

impl From<Failure> for types::Failure {
    fn from(
        Failure {
            code,
            message,
            hint,
        }: Failure,
    ) -> Self {
        Self {
            code,
            message,
            hint,
        }
    }
}

impl From<Manifest> for api::Manifest {
    fn from(manifest: Manifest) -> Self {
        Self {
            name: manifest.name,
            version: manifest.version,
            description: manifest.description,
            agent_type: manifest.agent_type,
            params: manifest
                .params
                .into_iter()
                .map(
                    |Param {
                         name,
                         description,
                         required,
                         default,
                     }| api::Param {
                        name,
                        description,
                        required,
                        default,
                    },
                )
                .collect(),
            permissions: manifest.permissions,
            default_message: manifest.default_message,
            default_mngr_args: manifest.default_mngr_args,
            extras: manifest.extras,
        }
    }
}

impl TryFrom<api::Context> for Context {
    type Error = Failure;

    fn try_from(context: api::Context) -> Result<Self, Failure> {
        let date = Date::parse(&context.date).ok_or_else(|| {
            Failure::invalid(format!("the host's date `{}` is no date", context.date))
        })?;
        Ok(Self {
            changeling: context.changeling,
            repo: context.repo,
            base_branch: context.base_branch,
            date,
            params: context.params,
            granted: context.granted,
            extras: context.extras,
        })
    }
}

impl From<Brief> for api::Brief {
    fn from(brief: Brief) -> Self {
        Self {
            prompt: brief.prompt,
            mngr_args: brief.mngr_args,
            permissions: brief.permissions,
            delivery: brief.delivery.as_str().to_owned(),
            slug: brief.slug,
            pr_title: brief.pr_title,
            pr_body: brief.pr_body,
            labels: brief.labels,
            extras: brief.extras,
        }
    }
}
