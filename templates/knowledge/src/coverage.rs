//! Measuring coverage: what measures it in a repository, with which command, and what it is held
//! against.

mod limits;
mod measure;
pub mod tool;

pub use limits::{Limits, Pattern, Threshold};
pub use measure::{Measure, find, of_path};
