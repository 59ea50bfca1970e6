//! Nightly autonomous agents that maintain a codebase while its owners sleep.
//!
//! ```text
//! argv ─ cli ─ config ──► job ──► template (WASM) ──► brief ──► plan ──► exec ──► outcome ──► record ──► ui
//!                                      ▲                                  │
//!                                      └── read-only view of the clone    └── git, mngr, GitHub
//! ```
//!
//! Data flows one way. Planning (`plan`) is pure; execution (`exec`) obeys. Only `process` spawns,
//! only `git` knows the git binary, only `template` knows wasmtime, only `ui` prints, only `record`
//! writes run history, only `context` reads the environment. `specs/architecture.md` is the map.

pub mod advice;
pub mod agent;
pub mod brief;
pub mod cli;
pub mod commands;
pub mod config;
pub mod context;
pub mod error;
pub mod exec;
pub mod exit_code;
pub mod git;
pub mod github;
pub mod http;
pub mod job;
pub mod mngr;
pub mod modal;
pub mod names;
pub mod notify;
pub mod patch;
pub mod permission;
pub mod plan;
pub mod prepare;
pub mod process;
pub mod pull_request;
pub mod python;
pub mod record;
pub mod redact;
pub mod repo_url;
pub mod schedule;
pub mod secret;
pub mod template;
pub mod ui;
pub mod workspace;
