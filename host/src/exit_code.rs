//! Exit codes of the program. Documented API: scripts depend on them.

/// Done.
pub const DONE: u8 = 0;
/// Something failed that is neither the user's input nor the run's outcome.
pub const FAILED: u8 = 1;
/// The command line or the configuration is wrong.
pub const USAGE: u8 = 2;
/// A person is needed: a missing secret or grant, something not deployed, `needs-attention`.
pub const NEEDS_PERSON: u8 = 3;
/// The run's outcome is a failure.
pub const RUN_FAILED: u8 = 4;
/// The run timed out.
pub const TIMED_OUT: u8 = 124;
/// Interrupted by a signal.
pub const INTERRUPTED: u8 = 130;
