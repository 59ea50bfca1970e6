//! Modal: one app per changeling, made of a static Python file and one JSON document, and what is known
//! of it afterwards.
//!
//! Here on this machine: `document` is what is deployed, `deployment` the folder that keeps it, `image`
//! and `runner` what stands in the container, `client` the one Python process that talks to Modal,
//! `remote` what truly happened there.

pub mod client;
pub mod document;
mod error;
pub mod image;
pub mod remote;
pub mod runner;

pub use client::Client;
pub use document::Document;
pub use error::{INSTALL, ModalError};
