//! Running a plan: the steps of a run, what happens in them, and what they truly led to.
//!
//! Planning decides, execution obeys. `rehearse` is the one way there is so far; a real run goes the
//! same steps with another agent and another place to push to.

pub mod event;
mod leftovers;
mod local_remote;
pub mod outcome;
mod rehearsal;
mod run;
mod work;

#[cfg(test)]
mod tests;

pub use event::Event;
pub use leftovers::clean_up;
pub use outcome::{Outcome, StepName};
pub use rehearsal::{Rehearsal, Wish, rehearse};
