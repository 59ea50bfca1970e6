//! Modal: what is deployed, and what happens in the container.

mod deploy;
mod exec;
