//! What a guest may use: time of its own, memory, calls of the host.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};

use wasmtime::ResourceLimiter;

/// Time a guest may use for itself in one call; what the host does for it does not count.
pub(super) const GUEST_TIME: Duration = Duration::from_secs(2);

/// Time the host spends on a guest's behalf in one call.
pub(super) const HOST_TIME: Duration = Duration::from_mins(1);

/// All memories and tables of a guest together, in bytes.
pub(super) const MEMORY: usize = 128 << 20;

/// Tells the guest's time from the host's. Clones share it: the state the host functions see and the
/// watch outside the call.
#[derive(Debug, Clone)]
pub(super) struct Meter(Arc<Times>);

#[derive(Debug)]
struct Times {
    started: Instant,
    /// Nanoseconds of host work that is done.
    host: AtomicU64,
    /// Nanoseconds after `started` when the host work under way began; 0 when there is none.
    since: AtomicU64,
}

/// Host work under way, until dropped.
pub(super) struct HostWork(Meter);

/// The guest used up its time.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TimeIsUp;

impl Meter {
    pub(super) fn start() -> Self {
        Self(Arc::new(Times {
            started: Instant::now(),
            host: AtomicU64::new(0),
            since: AtomicU64::new(0),
        }))
    }

    fn elapsed(&self) -> u64 {
        u64::try_from(self.0.started.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// From now on it is the host who works.
    pub(super) fn host_works(&self) -> HostWork {
        self.0.since.store(self.elapsed().max(1), Ordering::Relaxed);
        HostWork(self.clone())
    }

    /// What the host used so far.
    pub(super) fn host_time(&self) -> Duration {
        let under_way = match self.0.since.load(Ordering::Relaxed) {
            0 => 0,
            since => self.elapsed().saturating_sub(since),
        };
        Duration::from_nanos(self.0.host.load(Ordering::Relaxed) + under_way)
    }

    /// What the guest used so far.
    pub(super) fn guest_time(&self) -> Duration {
        Duration::from_nanos(self.elapsed()).saturating_sub(self.host_time())
    }

    /// Runs a guest call until it ends or the guest's own time is up. A guest that computes yields at
    /// every tick of the engine's clock; one that sleeps has yielded already.
    pub(super) async fn watch<T>(&self, call: impl Future<Output = T>) -> Result<T, TimeIsUp> {
        let mut call = pin!(call);
        loop {
            let left = GUEST_TIME.saturating_sub(self.guest_time());
            let mut alarm = pin!(tokio::time::sleep(left));
            let round = std::future::poll_fn(|context| {
                if self.guest_time() >= GUEST_TIME {
                    return Poll::Ready(Err(TimeIsUp));
                }
                if let Poll::Ready(answer) = call.as_mut().poll(context) {
                    return Poll::Ready(Ok(Some(answer)));
                }
                // Not the end: host work moves the deadline.
                alarm.as_mut().poll(context).map(|()| Ok(None))
            });
            if let Some(answer) = round.await? {
                return Ok(answer);
            }
        }
    }
}

impl Drop for HostWork {
    fn drop(&mut self) {
        let times = &self.0.0;
        let since = times.since.swap(0, Ordering::Relaxed);
        times
            .host
            .fetch_add(self.0.elapsed().saturating_sub(since), Ordering::Relaxed);
    }
}

/// One budget for all memories and tables of a guest. Wasmtime's own limits count each by itself.
#[derive(Debug, Default)]
pub(super) struct MemoryBudget {
    used: usize,
    /// What was granted last, in case the growth fails after all.
    granted: usize,
    /// The guest wanted more than there is.
    pub(super) refused: bool,
}

impl MemoryBudget {
    fn grow(&mut self, current: usize, desired: usize) -> bool {
        let more = desired.saturating_sub(current);
        let fits = self
            .used
            .checked_add(more)
            .is_some_and(|total| total <= MEMORY);
        self.granted = if fits { more } else { 0 };
        self.used += self.granted;
        self.refused |= !fits;
        fits
    }

    fn give_back(&mut self) {
        self.used -= std::mem::take(&mut self.granted);
    }
}

/// Bytes an element of a table takes: a pointer, and room for what an engine keeps with it.
const TABLE_ELEMENT: usize = 16;

impl ResourceLimiter for MemoryBudget {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(self.grow(current, desired))
    }

    fn memory_grow_failed(&mut self, _: wasmtime::Error) -> wasmtime::Result<()> {
        self.give_back();
        Ok(())
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let bytes = |elements: usize| elements.saturating_mul(TABLE_ELEMENT);
        Ok(self.grow(bytes(current), bytes(desired)))
    }

    fn table_grow_failed(&mut self, _: wasmtime::Error) -> wasmtime::Result<()> {
        self.give_back();
        Ok(())
    }

    // A component links these once, so they are bounded by its size; Python's needs dozens.
    fn instances(&self) -> usize {
        1_000
    }

    fn tables(&self) -> usize {
        1_000
    }

    fn memories(&self) -> usize {
        100
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_budget_for_all() {
        let mut budget = MemoryBudget::default();
        assert!(budget.memory_growing(0, MEMORY / 2, None).unwrap());
        assert!(budget.memory_growing(0, MEMORY / 4, None).unwrap());
        assert!(
            !budget
                .table_growing(0, MEMORY / 4 / TABLE_ELEMENT + 1, None)
                .unwrap()
        );
        assert!(budget.refused);
        assert!(
            budget
                .table_growing(0, MEMORY / 4 / TABLE_ELEMENT, None)
                .unwrap()
        );
        assert!(!budget.memory_growing(0, 1, None).unwrap());
    }

    #[test]
    fn a_growth_that_failed_is_given_back() {
        let mut budget = MemoryBudget::default();
        assert!(budget.memory_growing(0, MEMORY, None).unwrap());
        budget
            .memory_grow_failed(wasmtime::Error::msg("no"))
            .unwrap();
        assert!(budget.memory_growing(0, MEMORY, None).unwrap());
        assert!(!budget.table_growing(0, usize::MAX, None).unwrap());
        budget
            .table_grow_failed(wasmtime::Error::msg("no"))
            .unwrap();
        assert_eq!(budget.used, MEMORY);
    }

    /// `(module (table 1 funcref) (func $grow (loop (br_if 0 (i32.ne (i32.const -1) (table.grow 0
    /// (ref.null func) (i32.const 65536))))) unreachable) (start $grow))`
    const GROW_A_TABLE_WITHOUT_END: &[u8] = b"\0asm\x01\0\0\0\
        \x01\x04\x01\x60\0\0\
        \x03\x02\x01\0\
        \x04\x04\x01\x70\0\x01\
        \x08\x01\0\
        \x0a\x16\x01\x14\0\x03\x40\x41\x7f\xd0\x70\x41\x80\x80\x04\xfc\x0f\0\x47\x0d\0\x0b\0\x0b";

    #[test]
    fn tables_count_as_memory() {
        let engine = super::super::engine::engine().unwrap();
        let module = wasmtime::Module::new(&engine, GROW_A_TABLE_WITHOUT_END).unwrap();
        let mut store = wasmtime::Store::new(&engine, MemoryBudget::default());
        store.limiter(|budget| budget);
        store.set_epoch_deadline(1);
        let error = wasmtime::Instance::new(&mut store, &module, &[]).unwrap_err();
        assert_eq!(
            error.downcast_ref(),
            Some(&wasmtime::Trap::UnreachableCodeReached),
            "{error:#}"
        );
        let budget = store.data();
        assert!(budget.refused && budget.used <= MEMORY && budget.used > MEMORY / 2);
    }

    fn run<T>(call: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap()
            .block_on(call)
    }

    #[test]
    fn an_answer_comes_through() {
        assert_eq!(run(Meter::start().watch(async { 7 })), Ok(7));
    }

    #[test]
    fn a_sleeper_is_woken() {
        assert_eq!(
            run(Meter::start().watch(std::future::pending::<()>())),
            Err(TimeIsUp)
        );
    }

    #[test]
    fn a_spinner_is_stopped() {
        let spin = async {
            loop {
                tokio::task::yield_now().await;
            }
        };
        assert_eq!(run(Meter::start().watch::<()>(spin)), Err(TimeIsUp));
    }

    #[test]
    fn host_work_is_given_back() {
        let meter = Meter::start();
        let call = async {
            let work = meter.host_works();
            tokio::time::sleep(GUEST_TIME + Duration::from_millis(200)).await;
            drop(work);
            "done"
        };
        assert_eq!(run(meter.watch(call)), Ok("done"));
        assert!(meter.guest_time() < GUEST_TIME && meter.host_time() >= GUEST_TIME);
    }
}
