//! The end-to-end tests: the real program in a world of its own (`changelings_tests::TestEnv`).
//!
//! One binary. A new file `tests/tests/<name>.rs` becomes part of it by a line below; cargo does
//! not find it by itself. Run one file with `cargo test -p changelings-tests <name>::`, after
//! `cargo build -p changelings` (the harness refuses a program older than its source).

mod completions;
mod dev_script;
mod doctor;
mod foreign_components;
mod hostile_templates;
mod list;
mod permission;
mod program;
mod show;
