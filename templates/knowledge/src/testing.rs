//! Tests: how they look in each language, what runs them, and which file tests which.
//!
//! [`read`] finds the tests of one text, [`Helpers`] judge them, [`runner`] says what runs them, and
//! [`counterpart`] which source file has a test of its own.

pub mod counterpart;
mod extent;
mod mask;
mod read;
pub mod runner;
mod strength;
pub mod style;

pub use mask::mask;
pub use read::{Function, Mark, MarkKind, Test, TestFile, read};
pub use strength::{Helpers, is_smoke_test};
