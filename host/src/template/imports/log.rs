//! `log`: what a guest tells whoever runs the host.

use std::fmt;

use super::State;
use crate::names::printable;
use crate::template::bindings::changelings::template::log::Host;

/// Messages kept of one call.
const KEPT: usize = 500;

/// Characters kept of one message.
const LENGTH: usize = 2_000;

/// How much a message matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    Debug,
    Info,
    Warn,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
        })
    }
}

impl State {
    fn log(&mut self, level: Level, message: &str) -> wasmtime::Result<()> {
        self.count()?;
        if self.log.len() < KEPT {
            let message = printable(&message.chars().take(LENGTH).collect::<String>());
            match level {
                Level::Debug => tracing::debug!("template: {message}"),
                Level::Info => tracing::info!("template: {message}"),
                Level::Warn => tracing::warn!("template: {message}"),
            }
            self.log.push((level, message));
        } else if self.log.len() == KEPT {
            self.log.push((
                Level::Warn,
                format!("more than {KEPT} messages; the rest is dropped"),
            ));
        }
        Ok(())
    }
}

impl Host for State {
    async fn debug(&mut self, message: String) -> wasmtime::Result<()> {
        self.log(Level::Debug, &message)
    }

    async fn info(&mut self, message: String) -> wasmtime::Result<()> {
        self.log(Level::Info, &message)
    }

    async fn warn(&mut self, message: String) -> wasmtime::Result<()> {
        self.log(Level::Warn, &message)
    }
}
