use crate::context::Context;
use crate::error::{Error, Result};

/// Show what a run would do, without doing it
#[derive(Debug, clap::Args)]
pub struct Args {}

pub fn run(_args: &Args, _context: &Context) -> Result<()> {
    Err(Error::failed("not implemented"))
}
