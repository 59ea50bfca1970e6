//! `changeling logs`.

mod elsewhere;
mod render;

use std::fs;
use std::io::Read as _;
use std::time::Duration;

use serde::Serialize;

use super::deployed::bring_files;
use super::runs::{find, shown};
use crate::context::Context;
use crate::error::Result;
use crate::exec::Outcome;
use crate::names::printable;
use crate::record::{File, Record, Store, Summary};

use elsewhere::Told;
use render::Renderer;

/// How often a log that is followed is looked at: two system calls each time.
const TICK: Duration = Duration::from_millis(250);

/// Show what the agent of a run said
///
/// As it was said, without secrets and control characters. Messages of agents that speak JSON
/// (`claude --output-format stream-json`) are turned into text: what it says, the tools it uses, and the
/// beginning of what they answer.
///
/// Of a deployed changeling Modal is asked for its latest run. While that goes on, and of a call that left
/// no record, what its container says is shown; of one that has ended, the agent's own words.
#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
pub struct Args {
    /// The run: id, beginning or end of it, `last`, a changeling for its latest, or a call at Modal
    #[arg(value_name = "RUN", default_value = "last")]
    run: String,
    /// Go on until the run ends
    #[arg(short, long)]
    follow: bool,
    /// The bytes as they are in the record
    #[arg(long)]
    raw: bool,
    /// Do not ask Modal: only what is on this machine
    #[arg(long)]
    offline: bool,
    /// Print one JSON document
    #[arg(long, conflicts_with_all = ["follow", "raw"])]
    json: bool,
}

/// What scripts get. Fields are added, never renamed.
#[derive(Debug, Serialize)]
struct Document {
    run: Summary,
    /// As it is in the record.
    log: String,
}

pub fn run(args: &Args, context: &Context) -> Result<()> {
    let told = elsewhere::show(args, context)?;
    if told == Told::All {
        return Ok(());
    }
    let store = find::store(context)?;
    let record = find::run(&args.run, &store)?;
    if told != Told::Away {
        bring_files(&record, &store, context);
    }
    if args.json {
        context.ui.json(&Document {
            log: store.read(&record.id, File::Log)?.unwrap_or_default(),
            run: Summary::of(&record, &store, context.clock.now()),
        });
        return Ok(());
    }
    let mut log = Log {
        store: &store,
        id: &record.id,
        file: None,
        said: false,
    };
    let mut renderer = (!args.raw).then(|| Renderer::new(context.ui.columns));
    loop {
        // Asked first: what a run wrote before it ended is read after it.
        let lives = args.follow && store.lives(&record.id);
        if !log.show_new(renderer.as_mut(), context)? {
            return Ok(());
        }
        if !lives {
            break;
        }
        std::thread::sleep(TICK);
    }
    if let Some(renderer) = renderer {
        context.ui.stream(&renderer.finish());
    }
    end(&record, log.said, &store, context)
}

/// The log of a run, as far as it was shown.
struct Log<'a> {
    store: &'a Store,
    id: &'a str,
    /// `None`: there was none yet.
    file: Option<fs::File>,
    said: bool,
}

impl Log<'_> {
    /// Shows what is new. `false`: nobody reads any more.
    fn show_new(&mut self, mut renderer: Option<&mut Renderer>, context: &Context) -> Result<bool> {
        if self.file.is_none() {
            self.file = self.store.open_file(self.id, File::Log)?;
        }
        let Some(file) = &mut self.file else {
            return Ok(true);
        };
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let count = file.read(&mut buffer)?;
            if count == 0 {
                return Ok(true);
            }
            self.said = true;
            let read = match &mut renderer {
                Some(renderer) => context.ui.stream(&renderer.push(&buffer[..count])),
                None => context.ui.bytes(&buffer[..count]),
            };
            if !read {
                return Ok(false);
            }
        }
    }
}

/// How the run ended, or how to see it end; a message, not part of the log.
fn end(record: &Record, said: bool, store: &Store, context: &Context) -> Result<()> {
    let record = store.run(&record.id)?.unwrap_or_else(|| record.clone());
    if !said {
        context.ui.note(match &record.outcome {
            Some(Outcome::Skipped { .. }) => "no agent was started",
            Some(_) => "no agent said anything",
            None => "no agent has said anything yet",
        });
    }
    context.ui.note(match &record.outcome {
        Some(outcome) => format!(
            "run {} ended: {} ({})",
            record.id,
            outcome.word(),
            printable(&outcome.sentence())
        ),
        None => format!(
            "run {} goes on; `changeling logs --follow {}` follows it",
            record.id,
            shown::short_id(&record.id)
        ),
    });
    Ok(())
}
