use crate::context::Context;
use crate::error::{Error, Result};

/// Show one changeling, with where each value comes from
#[derive(Debug, clap::Args)]
pub struct Args {}

pub fn run(_args: &Args, _context: &Context) -> Result<()> {
    Err(Error::failed("not implemented"))
}
