//! A run where the changeling is deployed.

use std::collections::BTreeMap;

use super::show::{Answer, Document, Ended};
use super::{Args, failed, told};
use crate::commands::deployed::Deployed;
use crate::commands::several::Errors;
use crate::config::Config;
use crate::context::Context;
use crate::error::{Error, Kind, Result};
use crate::modal::Client;
use crate::modal::remote::{self, Followed, News, Status};
use crate::names::printable;
use crate::record::Store;
use crate::repo_url::RepoUrl;
use crate::ui::{Progress, Ui};

/// How Python begins its account of an error.
const TRACEBACK: &str = "Traceback (most recent call last):";

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
    watch.end(&store)?;
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
        let error = if let (Some(record), Some(outcome)) = (&record, &outcome)
            && record.is_refused()
        {
            let error = Error::new(Kind::Interrupted, outcome.sentence()).with_hint(format!(
                "the other attempt may be at work: `changeling status {name}` says what comes of it"
            ));
            answers.push(Answer::failed(&error, name, repo.clone()));
            Some(error)
        } else if let (Some(record), Some(outcome)) = (record, outcome) {
            let answer = Answer::of(&record, Vec::new(), None, store, context);
            if !args.json {
                let folder = store.folder_of(&record.id);
                let ended = Ended::elsewhere(&record, &outcome, &folder);
                super::show::show(&answer, &ended, context);
            }
            answers.push(answer);
            failed(&record.id, &outcome, None)
                .map(|error| if args.json { error } else { told(error) })
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
    let said = match &ended.message {
        Some(message) if !message.trim().is_empty() => format!(": {}", message.trim()),
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
            if followed
                .fetched
                .seen
                .get(name)
                .is_some_and(|seen| !seen.volume)
            {
                format!("somebody deleted its volume; `changeling deploy {name}` makes a new one")
            } else {
                logs
            },
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

/// What a person sees while the run goes on there.
struct Watch<'a> {
    ui: &'a Ui,
    /// Names before the lines, where there are several repositories.
    names: Option<Vec<String>>,
    targets: BTreeMap<String, usize>,
    /// Lines whose end has not come yet.
    held: BTreeMap<String, String>,
    /// Python's account of an error. What it says stands in the record, if there is one.
    tracebacks: BTreeMap<String, Vec<String>>,
    waiting: Option<Progress>,
}

impl<'a> Watch<'a> {
    fn of(deployed: &Deployed, targets: &[usize], detach: bool, context: &'a Context) -> Self {
        let ui = &context.ui;
        let what = if detach {
            "asking Modal for a run"
        } else {
            "asking Modal for a container"
        };
        let several = targets.len() > 1;
        Self {
            ui,
            names: several.then(|| {
                deployed
                    .repos()
                    .iter()
                    .map(|repo| repo.name().to_owned())
                    .collect()
            }),
            targets: BTreeMap::new(),
            held: BTreeMap::new(),
            tracebacks: BTreeMap::new(),
            waiting: Some(ui.progress(what)),
        }
    }

    fn hear(&mut self, news: &News) {
        match news {
            News::Asked { target, call } => {
                self.targets.insert((*call).to_owned(), *target);
            }
            News::Said { call, text } => {
                self.waiting = None;
                let mut held = self.held.remove(*call).unwrap_or_default();
                held.push_str(text);
                while let Some(end) = held.find('\n') {
                    let line: String = held.drain(..=end).collect();
                    self.line(call, &line);
                }
                self.held.insert((*call).to_owned(), held);
            }
            News::Silent(seconds) => self.ui.warn(format_args!(
                "Modal has not answered for {seconds} s; the run goes on there, and Ctrl-C leaves it"
            )),
            News::LogLost(_) => self
                .ui
                .warn("its log cannot be read any more; its end will still be told"),
            News::Ended(ended) => {
                self.waiting = None;
                let rest = self.held.remove(&ended.call).unwrap_or_default();
                self.line(&ended.call, &rest);
            }
        }
    }

    fn line(&mut self, call: &str, line: &str) {
        let line = anstream::adapter::strip_str(line.trim_end()).to_string();
        if let Some(traceback) = self.tracebacks.get_mut(call) {
            traceback.push(line);
        } else if line.starts_with(TRACEBACK) {
            self.tracebacks.insert(call.to_owned(), vec![line]);
        } else {
            self.tell(call, &line);
        }
    }

    fn tell(&self, call: &str, line: &str) {
        if line.is_empty() {
            return;
        }
        let line = printable(line);
        let target = self.targets.get(call);
        match target.and_then(|target| self.names.as_ref()?.get(*target)) {
            Some(name) => self.ui.note(format_args!("{name}: {line}")),
            None => self.ui.note(line),
        }
    }

    /// What was held back of calls that left no record.
    fn end(self, store: &Store) -> Result<()> {
        for (call, lines) in &self.tracebacks {
            if store.runs_of_call(call)?.is_empty() {
                for line in lines {
                    self.tell(call, line);
                }
            }
        }
        Ok(())
    }
}
