//! `changeling status`.

mod elsewhere;
mod gather;
mod refresh;
mod show;

use crate::config::Config;
use crate::context::Context;
use crate::error::Result;
use crate::record::Store;

use super::runs::find;
use elsewhere::Elsewhere;

/// Show how the changelings are doing
///
/// What needs you comes first. Then, for each changeling: when it fires next, what its last run led to,
/// and what it cost this month; its open pull requests; and what is spent of the monthly budget. With
/// something deployed, Modal is asked once for all of it: calls, new records, fires that were missed. When
/// it cannot be asked, that is said, and what was known is shown. What became of a pull request is known
/// since the last run that asked, or with --refresh.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only this changeling
    name: Option<String>,
    /// Ask GitHub what became of open pull requests and issues first
    #[arg(long)]
    refresh: bool,
    /// Do not ask Modal: instant, and the same without a network
    #[arg(long, conflicts_with = "refresh")]
    offline: bool,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Args, context: &Context) -> Result<()> {
    let config = Config::load(&context.home)?;
    let only = match &args.name {
        Some(text) => {
            let store = Store::open_existing(&context.home)?;
            Some(find::changeling(text, store.as_ref(), context)?)
        }
        None => None,
    };
    // First: it brings records.
    let elsewhere = Elsewhere::ask(&config, only.as_ref(), args.offline, context)?;
    let store = Store::open_existing(&context.home)?;
    if let Some(store) = store.as_ref().filter(|_| args.refresh) {
        refresh::refresh(store, only.as_ref(), context)?;
    }
    let status = gather::gather(&config, store.as_ref(), only.as_ref(), elsewhere, context)?;
    if args.json {
        context.ui.json(&status.document(store.as_ref(), context));
    } else if status.is_empty() {
        context.ui.note(
            "there are no changelings yet: `changeling add --template fixme-fairy` in a clone adds one",
        );
    } else {
        show::show(&status, context);
    }
    Ok(())
}
