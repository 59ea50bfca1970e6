use std::path::PathBuf;

use crate::context::Context;
use crate::error::{Error, Kind, Result};
use crate::template::compile;

/// Compile a component (called by this program itself)
#[derive(Debug, clap::Args)]
pub struct Args {
    /// File to write, which must not exist
    output: PathBuf,
}

pub fn run(args: &Args, _context: &Context) -> Result<()> {
    compile::child(&args.output).map_err(|problem| Error::from_source(Kind::Failed, problem))
}
