//! Whether what was deployed works there.

use super::Sent;
use crate::commands::run;
use crate::commands::several::Errors;
use crate::context::Context;
use crate::error::Result;
use crate::modal::client::Session;
use crate::modal::deploy::{self, Check, Place};
use crate::names::Name;

/// What deployed functions say of themselves.
pub(super) type Verified = Vec<(Name, Result<Vec<Check>>)>;

/// Asks each, without a run.
pub(super) fn quick(
    modal: &mut Session,
    sent: &[Sent],
    place: &Place,
    context: &Context,
) -> Result<Verified> {
    let deployed = sent.iter().filter_map(|sent| sent.result.as_ref().ok());
    let documents: Vec<_> = deployed.map(|deployed| &deployed.document).collect();
    let mut verified = Verified::new();
    if documents.is_empty() {
        return Ok(verified);
    }
    let progress = context
        .ui
        .progress("looking whether a run could work there");
    let environment = place.environment.as_deref();
    deploy::verify(modal, &documents, environment, &mut |name, checks| {
        verified.push((name.clone(), checks));
    })?;
    drop(progress);
    verified.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(verified)
}

/// One real run of each, as `changeling run` makes it.
pub(super) fn full(sent: &[Sent], context: &Context) -> Result<()> {
    let mut errors = Errors::of(sent.len());
    for sent in sent {
        if let Err(error) = run::run(&run::Args::of(&sent.name), context)
            && !errors.add(sent.name.as_str(), error, context)
        {
            break;
        }
    }
    errors.end()
}
