//! Running a plan: the steps of a run, what happens in them, and what they truly led to.
//!
//! Planning decides, execution obeys. A rehearsal and a real run go the same steps (`look`, `work`)
//! with another agent and another place to push to.

mod allowance;
mod called;
pub mod event;
mod leftovers;
mod local_remote;
mod look;
pub mod outcome;
mod overlap;
mod proposal;
mod publish;
mod pushed;
mod reach;
mod real;
mod rehearsal;
mod run;
mod secrets;
mod time;
mod work;

#[cfg(test)]
mod tests;

pub use allowance::{LEAST_USD, Trigger};
pub use called::Called;
pub use event::Event;
pub use leftovers::clean_up;
pub use outcome::{Outcome, StepName};
pub use real::{Ran, RunWish, run};
pub use rehearsal::{Rehearsal, Wish, rehearse};
pub use run::News;
