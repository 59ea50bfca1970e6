use std::io::Read;

use crate::agent::stand_in::{Desk, work};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::git::Git;

/// Take an agent's place in a rehearsal: the prompt on standard input, the clone as current folder
#[derive(Debug, clap::Args)]
pub struct Args {}

pub fn run(_args: &Args, context: &Context) -> Result<()> {
    // By hand, it would commit to whatever repository the person stands in.
    let run_id = context.env.get("CHANGELING_RUN_ID").ok_or_else(|| {
        Error::usage("the stand-in is started by a rehearsal").with_hint("changeling rehearse")
    })?;
    let mut prompt = String::new();
    std::io::stdin().lock().read_to_string(&mut prompt)?;
    let desk = Desk {
        folder: &context.cwd,
        report: context.env.get_os("CHANGELING_REPORT").map(Into::into),
        summary: context.env.get_os("CHANGELING_SUMMARY").map(Into::into),
        run_id,
    };
    context
        .ui
        .out(work(&prompt, &desk, &Git::new(&context.env))?);
    Ok(())
}
