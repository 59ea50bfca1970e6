//! `changeling runs`.

pub(super) mod find;
mod list;
mod patch;
mod settle;
mod show;
pub(super) mod shown;
mod timeline;

use crate::context::Context;
use crate::error::Result;

/// List past runs, and look at one
///
/// Newest first, from the records on this machine: instant, and the same without a network. Those of
/// deployed changelings come with `status`, `logs` and `run`, or with --fetch. A run is
/// named by its id, by a beginning of it, by the six digits at its end, by `last`, or by its changeling
/// for the latest.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    list: list::Which,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Show(show::Args),
    Settle(settle::Args),
}

pub fn run(args: &Args, context: &Context) -> Result<()> {
    match &args.command {
        None => list::run(&args.list, context),
        Some(Command::Show(args)) => show::run(args, context),
        Some(Command::Settle(args)) => settle::run(args, context),
    }
}
