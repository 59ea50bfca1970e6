//! Commands that work on one repository after the other: an error in one does not lose the others, and
//! the worst decides how the command ends.

use crate::context::Context;
use crate::error::{Error, Kind};

/// What went wrong on the way.
#[derive(Debug)]
pub(super) struct Errors {
    /// Repositories in all.
    count: usize,
    failed: Vec<Error>,
}

impl Errors {
    pub(super) fn of(count: usize) -> Self {
        Self {
            count,
            failed: Vec::new(),
        }
    }

    /// Tells of an error at once, unless it is the only one there can be. `false`: whoever sits there
    /// wants the end.
    pub(super) fn add(&mut self, repo: &str, error: Error, context: &Context) -> bool {
        let goes_on = error.kind != Kind::Interrupted;
        if self.count > 1 {
            let error = error.context(repo.to_owned());
            context.ui.error(&error);
            self.failed.push(error);
        } else {
            self.failed.push(error);
        }
        goes_on
    }

    /// How the command ends.
    pub(super) fn end(mut self) -> Result<(), Error> {
        if self.count <= 1 {
            return self.failed.pop().map_or(Ok(()), Err);
        }
        let failed = self.failed.len();
        let worst = self.failed.iter().map(|error| error.kind);
        match worst.max_by_key(|kind| kind.exit_code()) {
            None => Ok(()),
            Some(kind) => Err(Error::new(
                kind,
                format!("{failed} of {} repositories did not end well", self.count),
            )),
        }
    }
}
