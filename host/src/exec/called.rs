//! A run that is a call of a function deployed elsewhere.

use std::fmt;

use crate::error::{Error, Result};
use crate::process::User;
use crate::record::Origin;

/// What such a run needs to know beside its job.
pub struct Called<'a> {
    pub origin: Origin,
    /// Why it does not start, for a person; `None`: it may.
    pub not_now: Option<String>,
    /// Brings the copy of the repository that earlier calls kept. Asked when it is certain that the run
    /// looks at it.
    pub bring: &'a dyn Fn() -> Result<()>,
    /// Asked when all is ready and the agent would start: an error is why it must not. What is asked
    /// may remember that it was, since a call that is cut off can be made again.
    pub may_start: &'a dyn Fn() -> Result<()>,
    /// Gives an error the advice that fits this place.
    pub advise: &'a dyn Fn(Error) -> Error,
    /// Whom the agent runs as; `None`: as this program.
    pub user: Option<User>,
}

impl fmt::Debug for Called<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Called")
            .field("origin", &self.origin)
            .field("not_now", &self.not_now)
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}
