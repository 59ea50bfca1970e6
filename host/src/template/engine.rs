//! The WebAssembly engine: one function builds every configuration, so that what was compiled once
//! loads everywhere; one linker, one runtime, one thread that makes time pass.

use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

use wasmtime::component::{HasSelf, Linker, ResourceTable};
use wasmtime::{Config, Engine, OptLevel};
use wasmtime_wasi::{Deterministic, HostWallClock, WasiCtx};

use super::bindings;
use super::error::Problem;
use super::imports::State;
use super::stderr::LastLines;

/// Most bytes a guest hands over in one call of the host or in its answer.
pub(super) const TRANSFER: usize = 8 << 20;

/// How often a running guest looks whether its time is over.
const TICK: Duration = Duration::from_millis(10);

/// Handles to host resources (streams, pollables) a guest may hold at once.
pub(super) const HANDLES: usize = 1_000;

/// What every template runs in.
pub(super) struct Host {
    pub(super) engine: Engine,
    pub(super) linker: Linker<State>,
    pub(super) runtime: tokio::runtime::Runtime,
}

/// The one configuration. Whatever differs here makes a compiled component unloadable.
fn config() -> Config {
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        .max_wasm_stack(1 << 20)
        // Host functions run on the guest's stack and get the rest.
        .async_stack_size(4 << 20)
        // A trap is told in one line; the guest's own standard error says more than addresses.
        .wasm_backtrace_max_frames(None)
        .cranelift_opt_level(OptLevel::Speed)
        .cranelift_nan_canonicalization(true)
        .relaxed_simd_deterministic(true);
    config
}

/// An engine without anything around it: for compiling.
///
/// # Errors
/// This machine is not one wasmtime knows.
pub(super) fn engine() -> Result<Engine, Problem> {
    Engine::new(&config()).map_err(|error| Problem::Engine(format!("{error:#}")))
}

/// The process's only host; made when it is first asked for.
///
/// # Errors
/// As `engine`; and the runtime needs file descriptors.
pub(super) fn host() -> Result<&'static Host, Problem> {
    static HOST: OnceLock<Result<Host, String>> = OnceLock::new();
    HOST.get_or_init(|| Host::new().map_err(|problem| problem.to_string()))
        .as_ref()
        .map_err(|message| Problem::Engine(message.clone()))
}

impl Host {
    fn new() -> Result<Self, Problem> {
        let engine = engine()?;
        let mut linker = Linker::new(&engine);
        let link = |linker: &mut Linker<State>| {
            wasmtime_wasi::p2::add_to_linker_async(linker)?;
            bindings::Template::add_to_linker::<_, HasSelf<State>>(linker, |state| state)
        };
        link(&mut linker).map_err(|error| Problem::Engine(format!("{error:#}")))?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Problem::Engine(error.to_string()))?;
        start_ticking(&engine);
        Ok(Self {
            engine,
            linker,
            runtime,
        })
    }
}

fn start_ticking(engine: &Engine) {
    let engine = engine.weak();
    thread::spawn(move || {
        while let Some(engine) = engine.upgrade() {
            engine.increment_epoch();
            drop(engine);
            thread::sleep(TICK);
        }
    });
}

/// WASI with nothing behind it: no files, arguments, environment, network or input; a clock that
/// stands still, the same randomness every time, and the last lines of standard error kept.
pub(super) fn nothing(stderr: &LastLines, date: Duration) -> (WasiCtx, ResourceTable) {
    let wasi = WasiCtx::builder()
        .stderr(stderr.clone())
        .wall_clock(Standing(date))
        .secure_random(randomness())
        .insecure_random(randomness())
        .insecure_random_seed(SEED.into())
        .max_random_size(64 << 10)
        .allow_tcp(false)
        .allow_udp(false)
        .allow_ip_name_lookup(false)
        .build();
    let mut table = ResourceTable::new();
    table.set_max_capacity(HANDLES);
    (wasi, table)
}

/// Any number will do; a different one changes hash orders in guests and thus maybe their prompts.
const SEED: u64 = 0x6368_616e_6765_6c69;

/// Bytes that look random and are the same in every call (`xorshift64*`).
fn randomness() -> Deterministic {
    static BYTES: OnceLock<Vec<u8>> = OnceLock::new();
    let bytes = BYTES.get_or_init(|| {
        let mut state = SEED;
        let mut next = || {
            state ^= state >> 12;
            state ^= state << 25;
            state ^= state >> 27;
            state.wrapping_mul(0x2545_f491_4f6c_dd1d).to_le_bytes()
        };
        (0..512).flat_map(|_| next()).collect()
    });
    Deterministic::new(bytes.clone())
}

/// A clock that always shows the same time since 1970.
struct Standing(Duration);

impl HostWallClock for Standing {
    fn resolution(&self) -> Duration {
        Duration::from_secs(1)
    }

    fn now(&self) -> Duration {
        self.0
    }
}
