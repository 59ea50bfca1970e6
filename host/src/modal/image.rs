//! What the container's image is made of, as data that `app.py` applies in order.

use serde::{Deserialize, Serialize};

/// An image: a base from a registry and steps on top of it, those that change least first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Image {
    /// `python:3.12.11-slim-bookworm` or what the user named.
    pub base: String,
    pub steps: Vec<Step>,
}

/// One layer; the word is the method of `modal.Image` that makes it, the list its arguments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Debian packages.
    AptInstall(Vec<String>),
    /// Python packages.
    PipInstall(Vec<String>),
    /// Lines of shell, as root.
    RunCommands(Vec<String>),
}
