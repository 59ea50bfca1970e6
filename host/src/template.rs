//! Templates: sandboxed WebAssembly components that look at a repository and compose a brief. The only
//! place that knows wasmtime.
//!
//! A component is read (`catalog`), looked at (`inspect`), compiled in a child process into a store of
//! our own (`compile`, `store`), linked against WASI with nothing behind it and against our imports,
//! and called within limits (`limits`). What it answers is checked before anybody sees it (`convert`).

mod bindings;
pub mod catalog;
pub mod compile;
mod convert;
mod engine;
mod error;
mod imports;
mod inspect;
mod limits;
mod stderr;
mod store;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::civil::Date;
use wasmtime::{Store, Trap};

use self::bindings::exports::changelings::template::template_api as guest;
use self::catalog::Source;
use self::imports::{Access, Repo, State};
use crate::brief::{Composition, Manifest};
use crate::git::{Git, Snapshot};
use crate::github;
use crate::names::{Digest, Name, printable};
use crate::permission::Permission;

pub use convert::MAX_PROMPT;
pub use error::{Phase, Problem, TemplateError};
pub use imports::{Asked, Level};

/// A template that compiled, fits this program and said what it is.
pub struct Template {
    pub manifest: Manifest,
    pub digest: Digest,
    pub built_in: bool,
    component: Linked,
}

/// What a template gets to know and to see for one run.
#[derive(Debug, Clone)]
pub struct ComposeRequest<'a> {
    pub changeling: &'a Name,
    /// URL without credentials.
    pub repo: &'a str,
    pub base_branch: &'a str,
    /// ISO 8601, in the changeling's time zone.
    pub date: &'a str,
    pub params: &'a BTreeMap<String, String>,
    /// Permissions in force: `repo:read` and `github:read` open the imports.
    pub permissions: &'a [Permission],
    pub extras: &'a BTreeMap<String, String>,
    pub snapshot: &'a Snapshot,
    pub git: &'a Git,
    /// `None`: the target is not on GitHub.
    pub github: Option<Arc<github::Repository>>,
}

/// What a template made of it.
#[derive(Debug, Clone)]
pub struct Composed {
    pub composition: Composition,
    /// What the template logged.
    pub log: Vec<(Level, String)>,
    /// What it asked of the repository and of GitHub, in order.
    pub asked: Vec<Asked>,
    /// Files it did not get to see, with the reason: `binary`, `too-large`, ...
    pub skipped: BTreeMap<String, String>,
    /// Time the template used for itself.
    pub guest_time: Duration,
    /// Time the host worked for it.
    pub host_time: Duration,
}

/// Whether loading this template means compiling it first, which can take seconds.
pub fn needs_compiling(source: &Source, components_dir: &Path) -> bool {
    inspect::inspect(&source.bytes).is_ok()
        && engine::host().is_ok_and(|host| !store::has(&host.engine, source, components_dir))
}

impl Template {
    /// Compiles the component, or takes what was compiled before from `components_dir`, and asks it
    /// what it is.
    ///
    /// # Errors
    /// It is no component of ours, does not compile within the limits, or does not describe itself
    /// well.
    pub fn load(source: &Source, components_dir: &Path) -> Result<Self, TemplateError> {
        let component = Linked::load(source, components_dir)?;
        let (described, state) = component.call(
            Phase::Describe,
            State::describing(),
            async |guest, store| {
                guest
                    .changelings_template_template_api()
                    .call_describe(store)
                    .await
            },
        )?;
        let manifest = convert::manifest(described)
            .map_err(|problem| component.error(Phase::Describe, problem, state.stderr.lines()))?;
        Ok(Self {
            manifest,
            digest: source.digest.clone(),
            built_in: source.built_in,
            component,
        })
    }

    /// Lets the template look at the repository and say what one run should do.
    ///
    /// # Errors
    /// It refused, trapped, went past a limit, or its answer is not well formed.
    pub fn compose(&self, request: &ComposeRequest) -> Result<Composed, TemplateError> {
        let context = guest::Context {
            changeling: request.changeling.to_string(),
            repo: request.repo.to_owned(),
            base_branch: request.base_branch.to_owned(),
            date: request.date.to_owned(),
            params: pairs(request.params),
            granted: request
                .permissions
                .iter()
                .map(Permission::to_string)
                .collect(),
            extras: pairs(request.extras),
        };
        let (answer, state) =
            self.component
                .call(Phase::Compose, request.state(), async |guest, store| {
                    guest
                        .changelings_template_template_api()
                        .call_compose(store, &context)
                        .await
                })?;
        let composition = match answer {
            Ok(composition) => convert::composition(composition, &self.manifest),
            Err(failure) => Err(convert::refusal(&failure)),
        };
        let composition = composition.map_err(|problem| {
            // Standard error explains a bug; a refusal explains itself.
            let stderr = match problem {
                Problem::Refused { .. } => Vec::new(),
                _ => state.stderr.lines(),
            };
            self.component.error(Phase::Compose, problem, stderr)
        })?;
        Ok(Composed {
            composition,
            guest_time: state.meter.guest_time(),
            host_time: state.meter.host_time(),
            skipped: match state.repo {
                Access::Given(repo) => repo.skipped,
                _ => BTreeMap::new(),
            },
            log: state.log,
            asked: state.asked,
        })
    }
}

impl std::fmt::Debug for Template {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Template")
            .field("manifest", &self.manifest)
            .field("digest", &self.digest)
            .finish_non_exhaustive()
    }
}

fn pairs(map: &BTreeMap<String, String>) -> Vec<(String, String)> {
    map.iter()
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

impl ComposeRequest<'_> {
    fn state(&self) -> State {
        let today = self
            .date
            .parse::<Date>()
            .unwrap_or(Date::constant(1970, 1, 1));
        let midnight = today
            .to_zoned(jiff::tz::TimeZone::UTC)
            .ok()
            .and_then(|midnight| u64::try_from(midnight.timestamp().as_second()).ok())
            .unwrap_or(0);
        let repo = self
            .permissions
            .contains(&Permission::RepoRead)
            .then(|| Repo::new(self.snapshot.clone(), self.git.clone(), today));
        let github = self
            .permissions
            .contains(&Permission::GithubRead)
            .then(|| self.github.clone());
        State::composing(Duration::from_secs(midnight), repo, github)
    }
}

/// A component whose imports are all there and whose exports are ours.
struct Linked {
    /// Name or path, for errors.
    name: String,
    digest: Digest,
    host: &'static engine::Host,
    component: bindings::TemplatePre<State>,
}

impl Linked {
    fn load(source: &Source, components_dir: &Path) -> Result<Self, TemplateError> {
        let error = |phase| {
            move |problem| TemplateError {
                template: source.name_hint.clone(),
                digest: Some(source.digest.clone()),
                phase,
                problem: Box::new(problem),
                stderr: Vec::new(),
            }
        };
        inspect::inspect(&source.bytes).map_err(|problem| match problem {
            Problem::World(_) => error(Phase::Link)(problem),
            _ => error(Phase::Read)(problem),
        })?;
        let host = engine::host().map_err(error(Phase::Compile))?;
        let component =
            store::load(&host.engine, source, components_dir).map_err(error(Phase::Compile))?;
        let component = host
            .linker
            .instantiate_pre(&component)
            .and_then(bindings::TemplatePre::new)
            .map_err(|cause| error(Phase::Link)(Problem::Link(printable(&format!("{cause:#}")))))?;
        Ok(Self {
            name: source.name_hint.clone(),
            digest: source.digest.clone(),
            host,
            component,
        })
    }

    fn error(&self, phase: Phase, problem: Problem, stderr: Vec<String>) -> TemplateError {
        TemplateError {
            template: self.name.clone(),
            digest: Some(self.digest.clone()),
            phase,
            problem: Box::new(problem),
            stderr,
        }
    }

    /// One call of a fresh instance, within all limits.
    fn call<T>(
        &self,
        phase: Phase,
        state: State,
        call: impl AsyncFnOnce(&bindings::Template, &mut Store<State>) -> wasmtime::Result<T>,
    ) -> Result<(T, State), TemplateError> {
        let mut store = Store::new(&self.host.engine, state);
        store.limiter(|state| &mut state.memory);
        store.set_hostcall_fuel(engine::TRANSFER);
        store.set_max_component_handles(engine::HANDLES);
        store.set_epoch_deadline(1);
        store.epoch_deadline_async_yield_and_update(1);
        let meter = store.data().meter.clone();
        let answer = self.host.runtime.block_on(meter.watch(async {
            let guest = self.component.instantiate_async(&mut store).await?;
            call(&guest, &mut store).await
        }));
        let state = store.into_data();
        let problem = match answer {
            Ok(Ok(answer)) => return Ok((answer, state)),
            Ok(Err(error)) => what_stopped(&error, &state),
            Err(limits::TimeIsUp) => Problem::TimedOut(limits::GUEST_TIME),
        };
        Err(self.error(phase, problem, state.stderr.lines()))
    }
}

/// Tells limits from bugs.
fn what_stopped(error: &wasmtime::Error, state: &State) -> Problem {
    if state.flooded() {
        return Problem::TooManyCalls(imports::FLOOD);
    }
    if let Some(wasmtime_wasi::I32Exit(code)) = error.downcast_ref() {
        return Problem::Exited(*code);
    }
    let text = format!("{error:#}");
    // Wasmtime has no public type for it.
    if text.contains("fuel allocated for hostcalls has been exhausted") {
        return Problem::TooMuchData(engine::TRANSFER);
    }
    if state.memory.refused {
        return Problem::Memory(limits::MEMORY);
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::UnreachableCodeReached) if state.stderr.tells_of_a_panic() => Problem::Panicked,
        Some(trap) => {
            let text = trap.to_string();
            Problem::Trapped(text.strip_prefix("wasm trap: ").unwrap_or(&text).to_owned())
        }
        None => Problem::Trapped(printable(&text.chars().take(500).collect::<String>())),
    }
}
