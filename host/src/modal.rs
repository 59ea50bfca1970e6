//! Modal: one app per changeling, made of a static Python file and one JSON document, and what is known
//! of it afterwards.
//!
//! Here on this machine: `document` is what is deployed, `deployment` the folder that keeps it, `image`
//! and `runner` what stands in the container, `client` the one Python process that talks to Modal,
//! `remote` what truly happened there. In the container: `container`, around the engine that runs everywhere.

pub mod client;
pub mod container;
pub mod deploy;
pub mod deployment;
pub mod document;
pub mod drift;
mod error;
pub mod freeze;
pub mod image;
pub mod remote;
pub mod runner;

pub use client::Client;
pub use deployment::{Deployed, Deployments};
pub use document::Document;
pub use error::{INSTALL, ModalError, is_silence};

/// What runs on Modal: the same for every deployment, told by its `job.json` what differs.
pub const APP: &str = include_str!("modal/app.py");
