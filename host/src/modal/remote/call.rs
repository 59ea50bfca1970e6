//! What Modal says of a call, and what a container wrote down when it began with it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::exec::Trigger;

/// The function that works on one repository.
pub const RUN: &str = "run";
/// With several repositories: the function that carries the schedule, and calls `run` for each.
pub const FIRE: &str = "fire";

/// One call of a deployed function.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Call {
    #[serde(rename = "call")]
    pub id: String,
    pub function: String,
    pub enqueued: Option<Timestamp>,
    pub started: Option<Timestamp>,
    /// How long it ran.
    pub seconds: Option<f64>,
    pub status: Status,
}

impl Call {
    /// When it was asked for.
    pub fn at(&self) -> Option<Timestamp> {
        self.enqueued.or(self.started)
    }

    pub(super) fn is_run(&self) -> bool {
        self.function == RUN
    }

    pub(super) fn is_fire(&self) -> bool {
        self.function == FIRE
    }
}

/// Modal's word for how a call stands, of a call in a list and of a result alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    Pending,
    Running,
    Success,
    Failure,
    Timeout,
    Terminated,
    #[serde(rename = "init failure")]
    InitFailure,
    #[serde(rename = "internal failure")]
    InternalFailure,
    #[serde(rename = "idle timeout")]
    IdleTimeout,
    #[serde(
        rename = "out of memory",
        alias = "memory manager eviction",
        alias = "memory thrashing eviction",
        alias = "kernel oom kill"
    )]
    OutOfMemory,
    /// A newer Modal's.
    #[serde(other)]
    Unknown,
}

/// An attempt that began, as the container wrote it down before it did anything else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Begun {
    pub call: String,
    pub attempt: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repo: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trigger: Option<Trigger>,
    /// Its container is at work. `None`: nobody asked, since its call is open, or it cannot be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lives: Option<bool>,
}

/// The call and the attempt of `CALL.ATTEMPT`, as records and beginnings are named on the volume.
pub fn call_of(key: &str) -> Option<(&str, &str)> {
    let (call, attempt) = key.split_once('.')?;
    (!call.is_empty() && !attempt.is_empty()).then_some((call, attempt))
}
