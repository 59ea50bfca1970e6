//! What a guest can ask of the host, and the state of one call of a guest.
//!
//! Every function answers `denied` while `describe` runs and without its permission, `limit-reached`
//! after many calls, and `timed-out` when the host's time for this guest is used up. A guest that goes
//! on calling after that is stopped.

mod github;
mod log;
mod repo;

use std::time::{Duration, Instant};

use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use super::bindings::changelings::template::types;
use super::engine;
use super::limits::{HOST_TIME, HostWork, MemoryBudget, Meter};
use super::stderr::LastLines;

pub use log::Level;
pub(super) use repo::Repo;
pub(super) use types::Failure;

/// Calls that are answered; later ones get `limit-reached`.
const ANSWERED: u32 = 5_000;

/// Calls after which the guest is stopped.
pub(super) const FLOOD: u32 = 50_000;

/// Notes kept on what a guest asked for.
const NOTED: usize = 200;

/// State of one call of a guest.
pub(super) struct State {
    wasi: WasiCtx,
    table: ResourceTable,
    pub(super) memory: MemoryBudget,
    pub(super) meter: Meter,
    pub(super) stderr: LastLines,
    pub(super) log: Vec<(Level, String)>,
    pub(super) asked: Vec<Asked>,
    calls: u32,
    pub(super) repo: Access<Repo>,
    github: Access<github::Reader>,
}

/// Whether a guest may use an interface.
pub(super) enum Access<T> {
    /// `describe` must not depend on a repository.
    Describing,
    NotGranted,
    Given(T),
}

/// One question of a template to the repository or to GitHub, and how much it got.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Asked {
    /// The function and what it was asked, for a person: "search `FIXME`".
    pub question: String,
    /// Number of items or bytes answered, or why not: "12 matches", "denied".
    pub answer: String,
    /// Milliseconds the host worked on it.
    pub milliseconds: u64,
}

impl State {
    /// For `describe`: nothing is given.
    pub(super) fn describing() -> Self {
        Self::new(Duration::ZERO, Access::Describing, Access::Describing)
    }

    /// `date`: what the guest's clock shows, since 1970.
    pub(super) fn composing(
        date: Duration,
        repo: Option<Repo>,
        github: Option<github::Reader>,
    ) -> Self {
        fn access<T>(given: Option<T>) -> Access<T> {
            given.map_or(Access::NotGranted, Access::Given)
        }
        Self::new(date, access(repo), access(github))
    }

    fn new(date: Duration, repo: Access<Repo>, github: Access<github::Reader>) -> Self {
        let stderr = LastLines::default();
        let (wasi, table) = engine::nothing(&stderr, date);
        Self {
            wasi,
            table,
            memory: MemoryBudget::default(),
            meter: Meter::start(),
            stderr,
            log: Vec::new(),
            asked: Vec::new(),
            calls: 0,
            repo,
            github,
        }
    }

    /// The guest was stopped because it did not stop calling.
    pub(super) fn flooded(&self) -> bool {
        self.calls >= FLOOD
    }

    /// Counts a call.
    ///
    /// # Errors
    /// A trap, for a flood.
    fn count(&mut self) -> wasmtime::Result<()> {
        self.calls += 1;
        if self.flooded() {
            return Err(wasmtime::Error::msg("too many calls of the host"));
        }
        Ok(())
    }

    /// Counts a call and starts the host's clock, or says why the call is not served.
    fn begin(&mut self) -> wasmtime::Result<Result<Work, Failure>> {
        self.count()?;
        if self.calls > ANSWERED {
            let message = format!("a template may call the host {ANSWERED} times");
            return Ok(Err(failure("limit-reached", message)));
        }
        let left = HOST_TIME.saturating_sub(self.meter.host_time());
        if left.is_zero() {
            let message = format!("the host worked for {} s already", HOST_TIME.as_secs());
            return Ok(Err(failure("timed-out", message)));
        }
        let began = Instant::now();
        Ok(Ok(Work {
            began,
            deadline: began + left,
            _host: self.meter.host_works(),
        }))
    }

    /// Notes what was asked, for the person who reads the plan.
    fn note(&mut self, question: String, answer: String, work: &Work) {
        if self.asked.len() < NOTED {
            let milliseconds = work
                .began
                .elapsed()
                .as_millis()
                .try_into()
                .unwrap_or(u64::MAX);
            self.asked.push(Asked {
                question,
                answer,
                milliseconds,
            });
        }
    }
}

/// One call that is served. Time until it is dropped is the host's.
pub(super) struct Work {
    began: Instant,
    deadline: Instant,
    _host: HostWork,
}

impl Work {
    /// Time left, never zero: programs get it as their timeout.
    fn left(&self) -> Duration {
        self.deadline
            .saturating_duration_since(Instant::now())
            .max(Duration::from_millis(1))
    }
}

fn failure(code: &str, message: impl Into<String>) -> Failure {
    Failure {
        code: code.to_owned(),
        message: message.into(),
        hint: None,
    }
}

impl<T> Access<T> {
    fn get(&mut self, permission: &str) -> Result<&mut T, Failure> {
        match self {
            Self::Given(given) => Ok(given),
            Self::Describing => Err(failure(
                "denied",
                "no import may be used while `describe` runs",
            )),
            Self::NotGranted => Err(Failure {
                hint: Some(format!("list `{permission}` in the manifest's permissions")),
                ..failure(
                    "denied",
                    format!("the permission `{permission}` is not in force"),
                )
            }),
        }
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

impl types::Host for State {}
