//! Time, where this program itself has only so much of it.

use std::time::Duration;

use crate::process;

/// What is kept of it for what comes after the agent: collecting, publishing.
const AFTER: Duration = Duration::from_mins(3);

/// How long the agent may work, in seconds, that is to have so long.
pub(super) fn for_agent(timeout_seconds: u64) -> u64 {
    at_most(timeout_seconds, process::time_left())
}

fn at_most(timeout_seconds: u64, left: Option<Duration>) -> u64 {
    left.map_or(timeout_seconds, |left| {
        let its = left.saturating_sub(AFTER.min(left / 4));
        timeout_seconds.min(its.as_secs().max(1))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_agent_gets_what_is_left() {
        let at_most = |left| at_most(3600, Some(Duration::from_secs(left)));
        assert_eq!(super::at_most(3600, None), 3600);
        assert_eq!(at_most(3600 + 180), 3600);
        // Getting the repository took long.
        assert_eq!(at_most(3600), 3420);
        assert_eq!(at_most(100), 75);
        assert_eq!(at_most(0), 1);
    }
}
