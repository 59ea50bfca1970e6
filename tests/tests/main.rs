//! The end-to-end tests: the real program in a world of its own (`changelings_tests::TestEnv`).
//!
//! One binary. A new file `tests/tests/<name>.rs` becomes part of it by a line below; cargo does
//! not find it by itself. Run one file with `cargo test -p changelings-tests <name>::`, after
//! `cargo build -p changelings` (the harness refuses a program older than its source).

mod completions;
mod config;
mod dev_script;
mod doctor;
mod hostile_templates;
mod list;
mod map;
mod permission;
mod program;
mod progress;
mod questions;
mod rehearse;
mod repositories;
mod show;
