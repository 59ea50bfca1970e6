//! What the built-in templates know of the world, once for all of them, as data where it is data.
//!
//! * [`survey`]: start here. One look at a repository: its files, its notes, its check commands,
//!   and the section "This repository" that every prompt has.
//! * [`checks`]: the commands that build and test a repository, found in its CI and task files.
//! * [`coverage`]: what measures coverage, with which command, and what it is held against.
//! * [`decoy`]: files that are not the owners' own code: vendored, generated, minified, fixtures.
//! * [`docs`]: documents, and what they say about the tree.
//! * [`docstring`]: which public names of a file say what they are.
//! * [`language`] and [`lexer`]: comment and string syntax; what is a comment and what only looks
//!   like one.
//! * [`ecosystem`]: package manifests, lockfiles and test files of the common ecosystems.
//! * [`hotspot`]: source files that change often and have no test of their own.
//! * [`history`]: how often files change, how old lines are.
//! * [`notes`]: files in which a repository tells agents and contributors what it expects.
//! * [`security`]: risky calls, entry points, workflows, dependencies, places of credentials.
//! * [`testing`]: tests, what runs them, and which file tests which.

pub mod checks;
pub mod coverage;
pub mod decoy;
pub mod docs;
pub mod docstring;
pub mod ecosystem;
pub mod history;
pub mod hotspot;
pub mod language;
pub mod lexer;
pub mod notes;
pub mod security;
pub mod survey;
pub mod testing;

pub use survey::Survey;

#[cfg(test)]
mod fixtures;
