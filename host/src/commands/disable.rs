use super::enable::{Which, set_enabled};
use crate::context::Context;
use crate::error::Result;

/// Keep changelings from running, without forgetting them
///
/// What is deployed is taken off its schedule; with `--all`, runs that are going on there end, too.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    which: Which,
}

pub fn run(args: &Args, context: &Context) -> Result<()> {
    set_enabled(&args.which, false, context)
}
