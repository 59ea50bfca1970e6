use super::find;
use crate::commands::forgive;
use crate::config::Config;
use crate::context::Context;
use crate::error::Result;

/// Say that what a run left is dealt with
///
/// For a run that needs attention, or that left work nobody published: once you have published it by
/// hand, or do not want it. It no longer waits for you, and its record goes when it is old. Nothing is
/// removed now. A changeling that paused after its failures runs again, where it is deployed, too.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The run: id, beginning or end of it, `last`, or a changeling
    #[arg(value_name = "RUN")]
    run: String,
    /// Say what would change and change nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(args: &Args, context: &Context) -> Result<()> {
    let store = find::store(context)?;
    let record = find::run(&args.run, &store)?;
    let id = &record.id;
    let said = match (&record.outcome, record.settled_at) {
        (None, _) => format!("run {id} is not over: there is nothing to settle yet"),
        (_, Some(_)) => format!("run {id} is settled already"),
        _ if args.dry_run => format!("would be settled: run {id}"),
        _ => {
            store.settle(id, context.clock.now())?;
            format!("settled run {id}")
        }
    };
    context.ui.note(said);
    if record.origin.is_none() || record.outcome.is_none() || args.dry_run {
        return Ok(());
    }
    let again = format!("changeling runs settle {id}");
    let config = Config::load(&context.home)?;
    forgive::tell(
        std::slice::from_ref(&record.changeling),
        &again,
        None,
        &config,
        context,
    )
}
