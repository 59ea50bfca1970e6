use crate::context::Context;
use crate::error::{Error, Result};

/// Look at, grant and revoke permissions
#[derive(Debug, clap::Args)]
pub struct Args {}

pub fn run(_args: &Args, _context: &Context) -> Result<()> {
    Err(Error::failed("not implemented"))
}
