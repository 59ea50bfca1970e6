//! Running a plan.

pub mod event;
pub mod outcome;

pub use event::Event;
pub use outcome::{Outcome, StepName};
