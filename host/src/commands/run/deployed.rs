//! A run where the changeling is deployed.

mod watch;

use super::show::{Answer, Document, Ended};
use super::{Args, failed, told};
use crate::commands::deployed::Deployed;
use crate::commands::several::Errors;
use crate::config::Config;
use crate::context::Context;
use crate::error::{Error, Kind, Result};
use crate::modal::Client;
use crate::modal::remote::{self, Followed, Status};
use crate::record::Store;
use crate::repo_url::RepoUrl;
use watch::Watch;

pub(super) fn run(args: &Args, deployed: &Deployed, context: &Context) -> Result<()> {
    let name = deployed.name();
    for (given, option) in [
        (args.agent_command.is_some(), "--agent-command"),
        (args.keep, "--keep"),
    ] {
        if given {
            let error = format!("{name} is deployed, and `{option}` is for runs on this machine");
            return Err(Error::usage(error).with_hint("`--local` runs it on this machine"));
        }
    }
    let targets = targets(args, deployed, context)?;
    let config = Config::load(&context.home)?;
    let client = Client::find(&config, context)?;
    let store = Store::open(&context.home)?;
    deployed.warn_of_drift(&config, context);
    let mut watch = Watch::of(deployed, &targets, args.detach, context);
    let followed = remote::spawn(
        &client,
        &deployed.wanted(),
        &targets,
        args.detach,
        &store,
        context.clock.now(),
        &mut |news| watch.hear(&news),
    )?;
    watch.end(&followed, &store)?;
    if args.detach {
        detached(args, deployed, &followed, context);
        return Ok(());
    }
    ended(args, deployed, &followed, &store, context)
}

/// The deployment's repositories, or the one that was named.
fn targets(args: &Args, deployed: &Deployed, context: &Context) -> Result<Vec<usize>> {
    let repos = deployed.repos();
    let Some(repo) = &args.repo else {
        return Ok((0..repos.len()).collect());
    };
    let wanted = RepoUrl::parse(repo, &context.cwd)?.key();
    if let Some(target) = repos.iter().position(|repo| repo.key() == wanted) {
        return Ok(vec![target]);
    }
    let all: Vec<_> = repos.iter().map(ToString::to_string).collect();
    let error = format!("{repo} is no repository of {} as deployed", deployed.name());
    Err(Error::usage(error).with_hint(format!("one of: {}", all.join(", "))))
}

/// Nobody waits.
fn detached(args: &Args, deployed: &Deployed, followed: &Followed, context: &Context) {
    let name = deployed.name();
    let repo = |target: usize| deployed.repo(target);
    if args.json {
        let answers: Vec<_> = followed
            .asked
            .iter()
            .map(|(target, call)| Answer::Asked {
                changeling: name.clone(),
                repo: repo(*target),
                place: "modal",
                call: call.clone(),
            })
            .collect();
        context.ui.json(&Document { runs: &answers });
        return;
    }
    for (target, call) in &followed.asked {
        let on = repo(*target);
        context
            .ui
            .out(format_args!("{name} on {on} runs at Modal ({call})"));
    }
    context
        .ui
        .to_type("follow it", &format!("changeling logs --follow {name}"));
    context
        .ui
        .to_type("see what came of it", &format!("changeling status {name}"));
}

fn ended(
    args: &Args,
    deployed: &Deployed,
    followed: &Followed,
    store: &Store,
    context: &Context,
) -> Result<()> {
    let name = deployed.name();
    for what in &followed.fetched.unread {
        context.ui.warn(what);
    }
    let mut errors = Errors::of(followed.asked.len());
    let mut answers = Vec::new();
    for (target, call) in &followed.asked {
        let repo = deployed.repo(*target);
        let record = store.runs_of_call(call)?.into_iter().next();
        let outcome = record.as_ref().and_then(|record| record.outcome.clone());
        let error = if let (Some(record), Some(outcome)) = (record, outcome) {
            let answer = Answer::of(&record, Vec::new(), None, store, context);
            if !args.json {
                let folder = store.folder_of(&record.id);
                let ended = Ended::elsewhere(&record, &outcome, &folder);
                super::show::show(&answer, &ended, context);
            }
            answers.push(answer);
            if args.json {
                failed(&record.id, &outcome, None)
            } else {
                told(&outcome, None)
            }
        } else {
            let error = unrecorded(deployed, call, followed);
            answers.push(Answer::failed(&error, name, repo.clone()));
            Some(error)
        };
        if let Some(error) = error
            && !errors.add(&repo, error, context)
        {
            break;
        }
    }
    if args.json {
        context.ui.json(&Document { runs: &answers });
    }
    errors.end()
}

/// What is known of a call that left no record, or whose end nobody saw.
fn unrecorded(deployed: &Deployed, call: &str, followed: &Followed) -> Error {
    let name = deployed.name();
    let Some(ended) = followed.ended.iter().find(|ended| ended.call == call) else {
        let goes_on = format!(
            "the run goes on at Modal; `changeling logs --follow {name}` looks again, \
             `changeling undeploy {name}` stops it"
        );
        return match &followed.lost {
            Some(error) if error.kind == Kind::Interrupted => {
                Error::new(Kind::Interrupted, "nobody waits for the run any more")
                    .with_hint(goes_on)
            }
            Some(error) => {
                Error::failed(format!("the run was lost sight of: {error}")).with_hint(goes_on)
            }
            None => Error::failed("Modal did not say how the run ended").with_hint(goes_on),
        };
    };
    let said = match ended.message.as_deref().map(raised) {
        Some(message) if !message.is_empty() => format!(": {message}"),
        _ => String::new(),
    };
    let logs = format!("changeling logs {call}");
    let memory = format!(
        "give it more `memory` in [changelings.{name}.modal], then: changeling deploy {name}"
    );
    let (kind, what, hint) = match ended.status {
        Status::Timeout | Status::IdleTimeout => (
            Kind::TimedOut,
            "Modal stopped it at its own limit, before its record was written",
            logs,
        ),
        Status::Terminated => (Kind::Interrupted, "it was stopped at Modal", logs),
        Status::OutOfMemory => (Kind::RunFailed, "its container ran out of memory", memory),
        Status::InitFailure => (
            Kind::RunFailed,
            "its container died before the run began",
            format!("changeling deploy {name} --verify quick   # sends it anew, and tries it"),
        ),
        Status::Success => (
            Kind::Failed,
            "it ended well, and its record is not on the volume",
            format!("changeling status {name}"),
        ),
        _ => (Kind::RunFailed, "it died without a record", logs),
    };
    Error::new(kind, format!("{what}{said}")).with_hint(hint)
}

/// What an exception says, of how Python writes it: `RuntimeError('it says this')`.
fn raised(message: &str) -> &str {
    let message = message.trim();
    let inner = || {
        let (name, rest) = message.split_once('(')?;
        let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let inner = rest.strip_suffix(')').filter(|_| is_name)?;
        let quote = inner.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
        let inner = inner[1..].strip_suffix(quote)?;
        // Else it is written in another way than it is said.
        (!inner.contains(['\\', quote])).then_some(inner)
    };
    inner().unwrap_or(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_exception_says() {
        assert_eq!(raised("RuntimeError('it died')\n"), "it died");
        assert_eq!(raised("RuntimeError(\"it's dead\")"), "it's dead");
        for other in [
            "it died (twice)",
            r"RuntimeError('a\'b')",
            "KeyError(3)",
            "RuntimeError('",
            "",
            "X('a', 'b')",
        ] {
            assert_eq!(raised(other), other);
        }
    }
}
