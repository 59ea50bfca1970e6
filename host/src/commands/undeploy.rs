use std::collections::BTreeMap;

use crate::config::{Config, parse_name};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::modal::client::Client;
use crate::modal::deploy::{self, Stop};
use crate::modal::deployment::{Deployed, Deployments};
use crate::names::Name;

/// Stop what is deployed on Modal
///
/// Schedules end, and so do runs that are going on. The configuration keeps the changelings.
#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "they are flags")]
pub struct Args {
    /// Names of changelings
    #[arg(value_name = "NAME", required_unless_present = "all")]
    names: Vec<String>,
    /// All that are deployed from here, those included that the configuration has no more
    #[arg(long, conflicts_with = "names")]
    all: bool,
    #[command(flatten)]
    leftovers: Leftovers,
    /// Stop apps of these names that are deployed from somewhere else now
    #[arg(long)]
    take_over: bool,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
    /// Say what would be stopped and deleted, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// What stays at Modal after an app is stopped.
#[derive(Debug, Clone, Copy, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "they are flags")]
pub(super) struct Leftovers {
    /// Delete its volume: the records of its runs there, and copies of its repositories
    #[arg(long, conflicts_with = "keep_volume")]
    delete_volume: bool,
    /// Keep its volume
    #[arg(long)]
    keep_volume: bool,
    /// Delete its secret
    #[arg(long, conflicts_with = "keep_secret")]
    delete_secret: bool,
    /// Keep its secret
    #[arg(long)]
    keep_secret: bool,
}

impl Args {
    /// The command as it was typed, without what answers questions.
    fn typed(&self) -> String {
        let mut words = vec!["changeling", "undeploy"];
        words.extend(self.names.iter().map(String::as_str));
        let flags = [
            (self.all, "--all"),
            (self.take_over, "--take-over"),
            (self.json, "--json"),
        ];
        words.extend(flags.iter().filter(|(said, _)| *said).map(|(_, flag)| flag));
        words.join(" ")
    }
}

pub fn run(args: &Args, context: &Context) -> Result<()> {
    let deployments = Deployments::of(&context.home);
    let config = Config::load(&context.home)?;
    let names = if args.all {
        deployments.names()?
    } else {
        args.names
            .iter()
            .map(|name| parse_name(name))
            .collect::<std::result::Result<_, _>>()?
    };
    let mut deployed = BTreeMap::new();
    for name in names {
        match deployments.deployed(&name)? {
            Some(found) => drop(deployed.insert(name, found)),
            None => not_deployed(&name, &config, context)?,
        }
    }
    if deployed.is_empty() {
        if args.all {
            context.ui.note("nothing is deployed from here");
        }
        return Ok(());
    }
    if args.dry_run {
        for deployed in deployed.values() {
            let app = &deployed.document.app;
            context.ui.out(format!("would stop the app {}", app.name));
        }
        context.ui.note("nothing was stopped (--dry-run)");
        return Ok(());
    }
    args.leftovers.all_said(args.yes, &args.typed(), context)?;
    let names: Vec<_> = deployed.keys().map(|name| format!("`{name}`")).collect();
    let question = format!("Stop {} on Modal?", names.join(", "));
    if !context.ui.confirm(&question, args.yes)? {
        context.ui.note("nothing was stopped");
        return Ok(());
    }
    let stop = Stop {
        take_over: args.take_over,
        ..args.leftovers.choose(context)?
    };
    let stopped = stop_all(&deployed, stop, &config, context)?;
    if args.json {
        let apps: Vec<_> = stopped.iter().map(ended).collect();
        context
            .ui
            .json(&serde_json::json!({ "version": 1, "apps": apps }));
    }
    end(stopped)
}

/// A name that means nothing is a mistake; one that is not deployed is what was wanted.
fn not_deployed(name: &Name, config: &Config, context: &Context) -> Result<()> {
    config.changeling(name)?;
    context.ui.note(format!("{name} is not deployed from here"));
    Ok(())
}

impl Leftovers {
    /// Where nobody can be asked, everything has to be said beforehand. `typed`: the command without the
    /// answers.
    ///
    /// # Errors
    /// Something was not said; the hint is the whole command line.
    pub(super) fn all_said(self, yes: bool, typed: &str, context: &Context) -> Result<()> {
        if context.ui.can_ask {
            return Ok(());
        }
        let unsaid = self.unsaid(yes);
        if unsaid.is_empty() {
            return Ok(());
        }
        Err(Error::needs_person(format!(
            "without a terminal nobody can be asked: {} {} missing",
            unsaid.join(", "),
            if unsaid.len() == 1 { "is" } else { "are" }
        ))
        .with_hint(self.whole(typed)))
    }

    /// The command with every answer: those that were given, else those that delete nothing.
    pub(super) fn whole(self, typed: &str) -> String {
        let volume = if self.delete_volume {
            "--delete-volume"
        } else {
            "--keep-volume"
        };
        let secret = if self.delete_secret {
            "--delete-secret"
        } else {
            "--keep-secret"
        };
        format!("{typed} --yes {volume} {secret}")
    }

    fn unsaid(self, yes: bool) -> Vec<&'static str> {
        let has_volume = self.delete_volume || self.keep_volume;
        let has_secret = self.delete_secret || self.keep_secret;
        [
            (yes, "--yes"),
            (has_volume, "--keep-volume (or --delete-volume)"),
            (has_secret, "--keep-secret (or --delete-secret)"),
        ]
        .into_iter()
        .filter_map(|(said, flag)| (!said).then_some(flag))
        .collect()
    }

    /// What was said, or what a person answers.
    ///
    /// # Errors
    /// Nothing was said and nobody can be asked.
    pub(super) fn choose(self, context: &Context) -> Result<Stop> {
        let ask = |what: &str, delete: bool, keep: bool| {
            if delete || keep {
                return Ok(delete);
            }
            context.ui.confirm(&format!("Delete {what}, too?"), false)
        };
        Ok(Stop {
            delete_secret: ask("the secret", self.delete_secret, self.keep_secret)?,
            delete_volume: ask(
                "the volume with the records of its runs",
                self.delete_volume,
                self.keep_volume,
            )?,
            take_over: false,
        })
    }
}

/// What became of one.
pub(super) struct Stopped {
    pub(super) name: Name,
    /// The state the app was in.
    result: Result<String>,
}

/// Stops them and forgets their folders; a line for each.
pub(super) fn stop_all(
    deployed: &BTreeMap<Name, Deployed>,
    stop: Stop,
    config: &Config,
    context: &Context,
) -> Result<Vec<Stopped>> {
    let modal = &mut Client::find(config, context)?.connect()?;
    let deployments = Deployments::of(&context.home);
    let ui = &context.ui;
    let home = deployments.id()?;
    let progress = ui.progress("stopping on Modal");
    let mut stopped = Vec::new();
    let asked = deploy::stop(modal, deployed, stop, &home, &mut |name, result| {
        let result = result.and_then(|was| {
            deployments.forget(name)?;
            Ok(was)
        });
        match &result {
            Ok(was) => {
                ui.note(match was.as_str() {
                    "deployed" => format!("stopped {name}"),
                    "absent" => format!("{name} was not there"),
                    _ => format!("{name} was stopped already"),
                });
                if let Some(kept) = kept(&deployed[name], stop) {
                    ui.note(kept);
                }
            }
            Err(error) if deployed.len() > 1 => ui.error(&Error {
                kind: error.kind,
                error: anyhow::anyhow!("{name}: {error}"),
                hint: error.hint.clone(),
            }),
            Err(_) => {}
        }
        stopped.push(Stopped {
            name: name.clone(),
            result,
        });
    });
    drop(progress);
    asked?;
    Ok(stopped)
}

/// What is left of an app at Modal, and what takes it away.
fn kept(deployed: &Deployed, stop: Stop) -> Option<String> {
    let app = &deployed.document.app;
    let secret = app.secret.as_ref().filter(|_| !stop.delete_secret);
    let secret = secret.map(|secret| format!("modal secret delete {}", secret.name));
    let volume = (!stop.delete_volume).then(|| format!("modal volume delete {}", app.volume));
    let commands: Vec<_> = secret.into_iter().chain(volume).collect();
    (!commands.is_empty()).then(|| format!("  kept, until: {}", commands.join("; ")))
}

/// How the command ends.
pub(super) fn end(mut stopped: Vec<Stopped>) -> Result<()> {
    let count = stopped.len();
    if count == 1
        && let Some(one) = stopped.pop()
    {
        return one.result.map(drop);
    }
    let kinds = stopped
        .iter()
        .filter_map(|one| one.result.as_ref().err())
        .map(|error| error.kind);
    let failed = kinds.clone().count();
    match kinds.max_by_key(|kind| kind.exit_code()) {
        None => Ok(()),
        Some(kind) => Err(Error::new(
            kind,
            format!("{failed} of {count} were not stopped"),
        )),
    }
}

fn ended(one: &Stopped) -> serde_json::Value {
    match &one.result {
        Ok(was) => serde_json::json!({ "changeling": one.name, "stopped": true, "was": was }),
        Err(error) => serde_json::json!({
            "changeling": one.name,
            "stopped": false,
            "error": error.to_string(),
            "hint": error.hint,
        }),
    }
}
