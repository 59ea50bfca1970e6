use crate::context::Context;
use crate::error::{Error, Result};

/// Do everything a run does on a copy, with a stand-in agent, and publish nothing
#[derive(Debug, clap::Args)]
pub struct Args {}

pub fn run(_args: &Args, _context: &Context) -> Result<()> {
    Err(Error::failed("not implemented"))
}
