use crate::context::Context;
use crate::error::{Error, Result};

/// Add a changeling to the configuration
#[derive(Debug, clap::Args)]
pub struct Args {}

pub fn run(_args: &Args, _context: &Context) -> Result<()> {
    Err(Error::failed("not implemented"))
}
