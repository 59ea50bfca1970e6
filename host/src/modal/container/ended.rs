//! What is told of a call that is over.

use serde::Serialize;

use crate::error::Error;
use crate::exec::Outcome;
use crate::record::Exported;

/// The end of a call, for whoever started this program.
#[derive(Debug, Serialize)]
pub(super) struct Ended<'a> {
    /// `None`: there is no record of it.
    run: Option<&'a str>,
    /// The outcome's word.
    outcome: &'a str,
    sentence: String,
    exit_code: u8,
}

impl<'a> Ended<'a> {
    pub(super) fn of(exported: &'a Exported) -> Self {
        let outcome = exported.record.outcome.as_ref();
        Self {
            run: Some(&exported.record.id),
            outcome: outcome.map_or("failed", Outcome::word),
            sentence: exported.sentence.clone(),
            exit_code: exported.exit_code,
        }
    }

    /// Nothing could be written down, or nothing was asked for that could be done.
    pub(super) fn without_record(error: &Error) -> Self {
        Self {
            run: None,
            outcome: "failed",
            sentence: error.to_string(),
            exit_code: error.kind.exit_code(),
        }
    }
}
