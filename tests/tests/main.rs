//! The end-to-end tests: the real program in a world of its own (`changelings_tests::TestEnv`).
//!
//! One binary. A new file `tests/tests/<name>.rs` becomes part of it by a line below; cargo does
//! not find it by itself. Run one file with `cargo test -p changelings-tests <name>::`, after
//! `cargo build -p changelings` (the harness refuses a program older than its source).

mod completions;
mod config;
mod dev_script;
mod doctor;
mod foreign_components;
mod github_imports;
mod history;
mod hostile_ground;
mod hostile_templates;
mod list;
mod map;
mod modal;
mod outside_component;
mod permission;
mod program;
mod progress;
mod questions;
mod rehearse;
mod repositories;
mod run;
mod show;
mod templates;

/// A file that is forgotten above would never run.
#[test]
fn every_file_beside_this_one_is_a_module_of_it() {
    let folder = changelings_tests::project_root().join("tests/tests");
    let modules = include_str!("main.rs");
    for entry in std::fs::read_dir(folder).expect("the folder of this file") {
        let name = entry.expect("reading a folder").file_name();
        let name = name.to_string_lossy();
        if let Some(module) = name.strip_suffix(".rs").filter(|name| *name != "main") {
            let line = format!("mod {module};");
            assert!(
                modules.lines().any(|given| given == line),
                "{line} is missing"
            );
        }
    }
}
