//! One file a command: `Args` (its doc comment is the help) and `run`.

pub mod add;
mod agent_command;
pub mod compile_component;
pub mod completions;
pub mod config;
mod deployed;
pub mod disable;
pub mod doctor;
pub mod edit;
pub mod enable;
pub mod list;
pub mod logs;
pub mod permission;
pub mod plan;
pub mod rehearse;
pub mod remove;
pub mod run;
pub mod runs;
pub mod selection;
mod settings;
mod several;
pub mod show;
pub mod stand_in;
pub mod status;
pub mod template;
