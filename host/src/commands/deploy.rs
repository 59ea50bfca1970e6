mod adopt;
mod calls;
mod reschedule;
mod show;
mod verify;

pub(super) use reschedule::reschedule;

use std::collections::BTreeSet;
use std::slice;

use clap::ValueEnum;

use super::enable::existing;
use crate::config::{Changeling, Config};
use crate::context::Context;
use crate::error::{Error, Kind, Result};
use crate::modal::Document;
use crate::modal::client::{Client, Session};
use crate::modal::deploy::{self, How, Inspected, News, Place, Preparation, Prepared, Sending};
use crate::modal::deployment::{Deployed, Deployments};
use crate::names::Name;
use verify::Verified;

/// Deploy changelings to Modal, where they run on their schedule
///
/// Everything is checked first: secrets, template, repositories, the program for the container. Then one
/// process of Modal's client deploys all of them. One that fails stays as it was deployed before.
#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "they are flags")]
pub struct Args {
    /// Names of changelings
    #[arg(value_name = "NAME", required_unless_present_any = ["all", "adopt"])]
    names: Vec<String>,
    /// All that are in the configuration
    #[arg(long, conflicts_with = "names")]
    all: bool,
    /// Print the calls and files Modal would get, and what is missing; send nothing
    #[arg(long)]
    dry_run: bool,
    /// Try it there: `quick` looks whether a run could work, `full` makes one
    #[arg(long, value_name = "HOW", default_value = "none")]
    verify: Verify,
    /// Replace apps of these names that were deployed from somewhere else
    #[arg(long)]
    take_over: bool,
    /// Instead, write into the configuration what is deployed (all, without NAME): on a new machine
    #[arg(long, conflicts_with_all = ["dry_run", "verify", "take_over"])]
    adopt: bool,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Verify {
    None,
    Quick,
    Full,
}

/// What became of one.
struct Sent {
    name: Name,
    result: Result<Deployed>,
}

pub fn run(args: &Args, context: &Context) -> Result<()> {
    let config = Config::load(&context.home)?;
    if args.json && args.verify == Verify::Full {
        return Err(
            Error::usage("`--json` tells of a deploy, and `--verify full` makes a run")
                .with_hint("changeling run NAME --json, when it is deployed"),
        );
    }
    if args.adopt {
        return adopt::run(args, &config, context);
    }
    let names: Vec<Name> = if args.all {
        config.changelings.keys().cloned().collect()
    } else {
        existing(&args.names, &config)?
    };
    if names.is_empty() {
        context.ui.note("there are no changelings");
        return Ok(());
    }
    let changelings: Vec<&Changeling> = names
        .iter()
        .map(|name| config.changeling(name))
        .collect::<std::result::Result<_, _>>()?;
    // Before anything that takes longer.
    let client = if args.dry_run {
        None
    } else {
        Some(Client::find(&config, context)?)
    };
    let deployments = Deployments::of(&context.home);
    let home = if args.dry_run {
        // It is made when it is needed.
        deployments.known_id()?.unwrap_or_else(|| "0".repeat(16))
    } else {
        deployments.id()?
    };
    let preparation = Preparation::new(home.clone(), &config, context)?;
    let Prepare {
        mut prepared,
        mut refused,
    } = prepare_all(&changelings, &preparation, context);
    if client.is_none() {
        show::dry_run(&prepared, args.json, context);
    }
    for one in &mut prepared {
        let name = &one.frozen.document.changeling;
        let missing = std::mem::take(&mut one.frozen.missing).into_iter();
        refused.extend(missing.map(|error| (name.clone(), error)));
    }
    none_refused(refused, names.len(), context)?;
    let Some(client) = client else {
        return Ok(());
    };
    let ui = &context.ui;
    for prepared in &prepared {
        for note in &prepared.frozen.notes {
            ui.note(format!("{}: {note}", prepared.document().changeling));
        }
    }
    let mut deployed = deployments.names()?;
    deployed.extend(names.iter().cloned());
    deployed.sort();
    deployed.dedup();
    if let Some(note) = budgets(deployed.len(), config.defaults.monthly_budget_usd) {
        ui.note(note);
    }
    let modal = &mut client.connect()?;
    let place = look(&prepared, modal, &home, args.take_over, &config, context)?;
    for prepared in &prepared {
        prepared.write(context)?;
    }
    let sent = send(modal, &prepared, &place, context)?;
    let left = left_behind(&config, &deployments, context)?;
    let ended = match args.verify {
        Verify::Quick => verify::quick(modal, &sent, &place, context),
        Verify::None | Verify::Full => Ok(Verified::new()),
    };
    let ended = ended.and_then(|verified| show::end(args.json, &sent, &verified, context));
    let ended = match args.verify {
        Verify::Full => ended.and_then(|()| verify::full(&sent, context)),
        Verify::None | Verify::Quick => ended,
    };
    match (ended, left) {
        (Err(error), Some(left)) => {
            context.ui.error(&left);
            Err(error)
        }
        (ended, left) => ended.and(left.map_or(Ok(()), Err)),
    }
}

/// What several may spend together: in a container each knows of its own runs only.
fn budgets(count: usize, limit: f64) -> Option<String> {
    (count > 1).then(|| {
        format!("`monthly_budget_usd` ({limit} USD) holds on Modal for each of the {count} that are deployed, not for all together")
    })
}

/// What can be deployed, or at least shown; and what cannot even be that.
struct Prepare {
    prepared: Vec<Prepared>,
    refused: Vec<(Name, Error)>,
}

fn prepare_all(
    changelings: &[&Changeling],
    preparation: &Preparation<'_>,
    context: &Context,
) -> Prepare {
    let progress = context.ui.quick_progress("preparing");
    let mut prepared = Vec::new();
    let mut refused = Vec::new();
    for changeling in changelings {
        match preparation.prepare(changeling) {
            Ok(one) => prepared.push(one),
            Err(error) => refused.push((changeling.name.clone(), error)),
        }
    }
    drop(progress);
    Prepare { prepared, refused }
}

/// Everything that is wrong with any is told, and then nothing is deployed.
fn none_refused(mut errors: Vec<(Name, Error)>, of: usize, context: &Context) -> Result<()> {
    if of == 1
        && errors.len() == 1
        && let Some((_, error)) = errors.pop()
    {
        return Err(error);
    }
    let worst = errors.iter().map(|(_, error)| error.kind);
    let Some(kind) = worst.max_by_key(|kind| kind.exit_code()) else {
        return Ok(());
    };
    let names: BTreeSet<_> = errors.iter().map(|(name, _)| name.clone()).collect();
    for (name, error) in errors {
        let is_named = error.to_string().contains(name.as_str());
        context
            .ui
            .error(&if is_named { error } else { error.context(name) });
    }
    Err(Error::new(
        kind,
        match names.first() {
            Some(name) if of == 1 => {
                format!("{name} cannot be deployed as it is; nothing was deployed")
            }
            _ => format!(
                "{} of {of} cannot be deployed as they are; nothing was deployed",
                names.len()
            ),
        },
    ))
}

/// Asks Modal what is there already: somebody else's apps, and room for crons; and where that is.
fn look(
    prepared: &[Prepared],
    modal: &mut Session,
    home: &str,
    take_over: bool,
    config: &Config,
    context: &Context,
) -> Result<Place> {
    let documents: Vec<_> = prepared.iter().map(Prepared::document).collect();
    let apps: Vec<_> = documents
        .iter()
        .map(|document| document.app.name.as_str())
        .collect();
    let has_cron = documents
        .iter()
        .any(|document| document.app.schedule.is_some());
    let environment = config.modal.environment.as_deref();
    let progress = context.ui.progress("asking Modal what is there");
    let Inspected { apps, place, crons } = deploy::inspect(modal, environment, &apps, has_cron)?;
    drop(progress);
    for prepared in prepared {
        let document = prepared.document();
        let before = prepared.before.as_ref();
        if let Some(before) = before {
            deploy::check_place(before, &place)?;
        }
        if let Some(found) = apps.get(&document.app.name) {
            deploy::check_owner(home, document, found, before, take_over)?;
            deploy::settle(&document.changeling, found, context)?;
        }
    }
    if let Some(crons) = crons {
        deploy::check_crons(&documents, &crons, config.modal.max_crons)?;
        if let Some(first) = crons.unknown.first() {
            context.ui.warn(format!(
                "not all crons of the workspace can be counted ({first}); whether there is room for these shows \
                 when Modal gets them"
            ));
        }
    }
    Ok(place)
}

/// Deploys them; a line for each as it ends.
fn send(
    modal: &mut Session,
    prepared: &[Prepared],
    place: &Place,
    context: &Context,
) -> Result<Vec<Sent>> {
    let deployments = Deployments::of(&context.home);
    let sendings: Vec<_> = prepared
        .iter()
        .map(|prepared| Sending {
            document: prepared.document(),
            folder: deployments.folder(&prepared.document().changeling),
            values: Some(&prepared.frozen.values),
        })
        .collect();
    let ui = &context.ui;
    let count = prepared.len();
    let what = match prepared {
        [one] => format!("deploying {}", one.document().changeling),
        _ => format!("deploying {count} changelings"),
    };
    let progress = ui.progress(what);
    let mut sent = Vec::new();
    let asked = deploy::send(
        modal,
        &sendings,
        place,
        How::default(),
        context,
        &mut |news| match news {
            // Runs that are under way are left alone.
            News::Begun(_) | News::GoesOn(..) => {}
            News::Done(name, deployed) => {
                ui.note(show::line(deployed, context));
                sent.push(Sent {
                    name: name.clone(),
                    result: Ok(deployed.clone()),
                });
            }
            News::Failed(name, error) => {
                if count > 1 {
                    ui.error(&Error {
                        kind: error.kind,
                        error: anyhow::anyhow!("{name}: {error}"),
                        hint: error.hint.clone(),
                    });
                }
                sent.push(Sent {
                    name: name.clone(),
                    result: Err(error),
                });
            }
        },
    );
    drop(progress);
    asked?;
    sent.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(sent)
}

/// What is deployed and was renamed or taken out of the configuration goes on running. Under its new name
/// it would work twice on the same repositories, so the old one goes off its schedule. Answers what could
/// not be taken off.
fn left_behind(
    config: &Config,
    deployments: &Deployments,
    context: &Context,
) -> Result<Option<Error>> {
    let mut known = Vec::new();
    let mut forgotten = Vec::new();
    for name in deployments.names()? {
        let is_known = config.changelings.contains_key(&name);
        let list = if is_known { &mut known } else { &mut forgotten };
        list.extend(deployments.deployed(&name)?);
    }
    let fires = |deployed: &&Deployed| deployed.document.app.schedule.is_some();
    let mut failed = None;
    for old in &forgotten {
        let name = &old.document.changeling;
        let mut new = known.iter().filter(fires);
        let new = new.find(|new| fires(&old) && takes_over(&new.document, &old.document));
        if let Some(new) = new
            && let Err(error) = reschedule(
                slice::from_ref(name),
                false,
                false,
                false,
                None,
                config,
                context,
            )
        {
            let new = &new.document.changeling;
            let why = error.error.root_cause();
            let error = Error::needs_person(format!(
                "{name} and {new} both fire on the same repository: {name} could not be taken off its schedule \
                 on Modal ({why})"
            ))
            .with_hint(format!(
                "changeling undeploy {name}; or `changeling deploy {new}`, which tries again"
            ));
            if let Some(before) = failed.replace(error) {
                context.ui.error(&before);
            }
        }
        context.ui.warn(format!(
            "{name} is deployed and not in the configuration any more; to stop it: changeling undeploy {name}"
        ));
    }
    Ok(failed)
}

/// The same template works on the same repository.
fn takes_over(new: &Document, old: &Document) -> bool {
    let mut repos = new.jobs.iter().map(|job| &job.repo);
    new.template.name == old.template.name
        && repos.any(|repo| old.jobs.iter().any(|job| job.repo == *repo))
}

/// How it ends when some did not go well.
fn failed(count: usize, of: usize, kind: Kind) -> Error {
    Error::new(
        kind,
        format!("{count} of {of} were not deployed; what was deployed of them before goes on"),
    )
}

#[cfg(test)]
mod tests {
    use super::budgets;

    #[test]
    fn what_several_may_spend() {
        assert_eq!(budgets(1, 100.0), None);
        insta::assert_snapshot!(
            budgets(50, 100.0).unwrap(),
            @"`monthly_budget_usd` (100 USD) holds on Modal for each of the 50 that are deployed, not for all together"
        );
    }
}
