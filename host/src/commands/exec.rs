//! `changeling exec`, hidden: what a deployed function starts.

use std::path::PathBuf;

use jiff::Timestamp;

use crate::context::Context;
use crate::error::Result;
use crate::exec::Trigger;
use crate::modal::container::{self, Call};

/// Answer one call of a deployed function
///
/// Standard output and input belong to the function: a JSON document a line asks it something, the
/// last one tells how the run ended. Everything for people goes to standard error.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The deployment's job.json; the component lies beside it
    #[arg(value_name = "JOB", required_unless_present = "attempts")]
    job: Option<PathBuf>,
    /// Only tell whether a run could work
    #[arg(long, conflicts_with_all = ["call", "attempt"])]
    check: bool,
    /// Only try what standard input lists, and tell what works: started as the agent's user
    #[arg(long = "try", id = "attempts", exclusive = true)]
    attempts: bool,
    /// Which of its repositories
    #[arg(long, default_value_t = 0, value_name = "N")]
    target: usize,
    /// Who asked for it
    #[arg(long, value_enum, default_value_t = Trigger::Schedule)]
    by: Trigger,
    /// Id of the call
    #[arg(long, required_unless_present_any = ["check", "attempts"])]
    call: Option<String>,
    /// Id of this attempt at it
    #[arg(long, required_unless_present_any = ["check", "attempts"])]
    attempt: Option<String>,
    /// When the schedule fired, in seconds since 1970
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    fired: Option<Timestamp>,
    /// Where the volume is mounted
    #[arg(long, required_unless_present_any = ["check", "attempts"])]
    volume: Option<PathBuf>,
}

fn seconds(text: &str) -> std::result::Result<Timestamp, String> {
    let seconds = text.parse().map_err(|_| "it takes a number")?;
    Timestamp::from_second(seconds).map_err(|error| error.to_string())
}

pub fn run(args: &Args, context: &Context) -> Result<()> {
    // Without a job it can only be the trying.
    let Some(job) = &args.job else {
        return container::try_them(context);
    };
    let job = std::path::absolute(job)?;
    let volume = args
        .volume
        .as_deref()
        .map(std::path::absolute)
        .transpose()?;
    // The three come together: without them it can only be a check.
    let (Some(id), Some(attempt), Some(volume)) = (&args.call, &args.attempt, &volume) else {
        return container::check(&job, volume.as_deref(), context);
    };
    let call = Call {
        document: job,
        target: args.target,
        by: args.by,
        id: id.clone(),
        attempt: attempt.clone(),
        fired: args.fired,
        volume: volume.clone(),
    };
    container::answer(&call, context)
}
