//! What the container of a deployed changeling says, while its run goes on or where it left no record.

use jiff::{SignedDuration, Timestamp};

use super::Args;
use super::render::Renderer;
use crate::commands::deployed::{self, Deployed};
use crate::config::Config;
use crate::context::Context;
use crate::error::{Error, Kind, Result};
use crate::modal::Client;
use crate::modal::remote::{self, Fate, News, Seen};
use crate::record::{Filter, Store};

/// Clocks differ: what was said a little before a call counts as said in it.
const EARLY: SignedDuration = SignedDuration::from_mins(10);

/// Whether Modal had something to show.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Told {
    All,
    /// There is a record, or nothing is deployed.
    Nothing,
    /// It could not be asked, and need not be asked again.
    Away,
}

/// Shows it, when that is what is asked for.
pub(super) fn show(args: &Args, context: &Context) -> Result<Told> {
    if args.offline {
        return Ok(Told::Nothing);
    }
    let (deployed, wanted) = if args.run.starts_with("fc-") {
        let store = Store::open_existing(&context.home)?;
        let recorded = store
            .map(|store| store.runs_of_call(&args.run))
            .transpose()?;
        // What was refused is not all that there is of its call.
        if recorded.is_some_and(|runs| runs.iter().any(|run| !run.is_refused())) {
            return Ok(Told::Nothing);
        }
        (with_call(&args.run, context)?, Some(args.run.as_str()))
    } else {
        match deployed::named(&args.run, context)? {
            Some(deployed) => (deployed, None),
            None => return Ok(Told::Nothing),
        }
    };
    let config = Config::load(&context.home)?;
    let client = Client::find(&config, context)?;
    let store = Store::open(&context.home)?;
    let progress = context.ui.quick_progress("asking Modal");
    let looked = remote::look(&client, &[deployed.wanted()], &store, context.clock.now());
    drop(progress);
    let seen = match looked {
        Ok(mut fetched) => match fetched.troubles.remove(deployed.name()) {
            Some(trouble) => Err(Error::from(trouble)),
            None => Ok(fetched.seen.remove(deployed.name())),
        },
        Err(error) => Err(error),
    };
    let seen = match seen {
        Ok(seen) => seen,
        // A call is nowhere but at Modal; of a changeling, what is here is better than nothing.
        Err(error) if wanted.is_some() || error.kind == Kind::Interrupted => return Err(error),
        Err(error) => {
            context.ui.warn(format_args!(
                "Modal could not be asked for later runs than those known here: {error}"
            ));
            return Ok(Told::Away);
        }
    };
    let Some(seen) = seen else {
        return Ok(Told::Nothing);
    };
    let joined = deployed.join(&seen, &store)?;
    let fate = match wanted {
        Some(call) => joined.calls.iter().find(|fate| fate.call == call),
        None => joined
            .calls
            .first()
            .filter(|fate| is_latest(fate, &deployed, &store)),
    };
    let never = || {
        store.runs(&Filter {
            changeling: Some(deployed.name()),
            limit: 1,
            ..Filter::default()
        })
    };
    if fate.is_none() && joined.calls.is_empty() && never()?.is_empty() {
        let name = deployed.name();
        return Err(Error::usage(format!("{name} has not run yet"))
            .with_hint(format!("changeling run {name}")));
    }
    let Some(fate) = fate.filter(|fate| fate.state.is_open() || fate.state.is_bad()) else {
        return Ok(Told::Nothing);
    };
    if args.json {
        let error = format!("call {} has no record, and so no JSON", fate.call);
        return Err(Error::failed(error).with_hint(format!("changeling logs {}", fate.call)));
    }
    say(args, fate, &deployed, &client, &store, context)?;
    Ok(Told::All)
}

/// No run of it is newer: one on this machine, for example.
fn is_latest(fate: &Fate, deployed: &Deployed, store: &Store) -> bool {
    let filter = Filter {
        changeling: Some(deployed.name()),
        limit: 1,
        ..Filter::default()
    };
    let last = store.runs(&filter).ok().and_then(|mut runs| runs.pop());
    last.is_none_or(|last| last.started_at <= fate.at || last.is_of(&fate.call))
}

/// The deployment a call is of, as far as Modal was ever asked.
fn with_call(call: &str, context: &Context) -> Result<Deployed> {
    let knows = |deployed: &Deployed| {
        let seen = Seen::read(&deployed.folder);
        seen.is_some_and(|seen| seen.calls.iter().any(|known| known.id == call))
    };
    let found = Deployed::all(context)?.into_iter().find(knows);
    found.ok_or_else(|| {
        Error::usage(format!("no call `{}` is known", crate::names::printable(call)))
            .with_hint("`changeling status` asks Modal which there are; `changeling logs NAME` shows the latest")
    })
}

fn say(
    args: &Args,
    fate: &Fate,
    deployed: &Deployed,
    client: &Client,
    store: &Store,
    context: &Context,
) -> Result<()> {
    let ui = &context.ui;
    let now = context.clock.now();
    let since = fate.at.checked_sub(EARLY).unwrap_or(Timestamp::UNIX_EPOCH);
    let mut renderer = (!args.raw).then(|| Renderer::new(ui.columns));
    let mut said = false;
    let mut show = |text: &str| {
        said = true;
        match &mut renderer {
            Some(renderer) => ui.stream(&renderer.push(text.as_bytes())),
            None => ui.bytes(text.as_bytes()),
        };
    };
    let name = deployed.name();
    if args.follow && fate.state.is_open() {
        let mut ended = None;
        let followed = remote::follow(
            client,
            &deployed.wanted(),
            &[&fate.call],
            since,
            store,
            now,
            &mut |news| {
                match news {
                News::Said { text, .. } => show(text),
                News::Silent(seconds) => ui.warn(format_args!(
                    "Modal has not answered for {seconds} s; Ctrl-C ends the looking, and not the run"
                )),
                News::LogLost(_) => ui.warn("the log cannot be read any more"),
                News::Ended(end) => ended = Some(end.status),
                News::Asked { .. } => {}
            }
            },
        )?;
        if let Some(renderer) = renderer {
            ui.stream(&renderer.finish());
        }
        if let Some(error) = followed.lost {
            return Err(error.with_hint(format!(
                "the run goes on at Modal; `changeling logs --follow {name}` looks again"
            )));
        }
        match store.runs_of_call(&fate.call)?.first() {
            Some(record) if record.is_refused() => ui.note(format_args!(
                "Modal delivered the call again, and takes it for ended; the attempt that started the agent \
                 may go on: `changeling status {name}` says what comes of it"
            )),
            Some(record) => super::end(record, true, store, context)?,
            None => ui.note(format_args!(
                "the call ended without a record; `changeling status {name}` says what is known"
            )),
        }
        return Ok(());
    }
    remote::log(client, &deployed.wanted(), &fate.call, since, &mut show)?;
    if let Some(renderer) = renderer {
        ui.stream(&renderer.finish());
    }
    if !said {
        ui.note(format_args!("Modal has no log of call {}", fate.call));
    }
    ui.note(format_args!("call {}: {}", fate.call, fate.sentence(now)));
    if fate.state.is_open() {
        ui.note(format_args!("`changeling logs --follow {name}` follows it"));
    }
    Ok(())
}
