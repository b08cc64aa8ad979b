//! A device's memory, shared by models: who stays, who leaves when another one comes.
//!
//! Loads follow each other. Before one begins, there must be room for what the model is expected to take; where there is
//! not, loaded models leave, first the one that has been idle longest for what its reload costs. A model at work is let
//! finish what it has and leaves then, but not before it was there for some time, so that two models which do not fit
//! together take turns rather than push each other out at each request.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::limits::{MEMORY_WAIT, RETRY_MS_MAX};

/// A busy model stays at least so many times what its loading took.
const STAY_PER_RELOAD: u32 = 10;
/// How long to wait before looking again, when nobody can leave.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// What can be asked to leave: a loaded model.
pub(crate) trait Tenancy: Send + Sync {
    /// For how long nothing has waited or run; `None` when something does.
    fn idle_for(&self) -> Option<Duration>;

    /// Takes nothing new in, ends what waits, leaves. Returns at once.
    fn drain(&self);
}

struct Resident {
    id: u64,
    name: String,
    bytes: u64,
    reload: Duration,
    since: Instant,
    leaving: bool,
    model: Weak<dyn Tenancy>,
}

/// The memory of one device, or of the host.
pub(crate) struct Memory {
    /// Bytes that loaded models may take together; `None`: no bound.
    cap: Option<u64>,
    residents: Mutex<Vec<Resident>>,
    ids: AtomicU64,
    changed: Condvar,
    /// Held while a model is loaded.
    loading: Mutex<()>,
}

/// The right to load one model.
pub(crate) struct Room<'a> {
    memory: &'a Memory,
    name: String,
    began: Instant,
    _turn: MutexGuard<'a, ()>,
}

impl Memory {
    pub(crate) fn new(cap: Option<u64>) -> Self {
        Self { cap, residents: Mutex::default(), ids: AtomicU64::new(0), changed: Condvar::new(), loading: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Resident>> {
        self.residents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Bytes of all that are loaded, as they were measured.
    pub(crate) fn used(&self) -> u64 {
        self.lock().iter().map(|resident| resident.bytes).sum()
    }

    /// Waits for the turn to load, and until there are `bytes` free. Blocks.
    ///
    /// # Errors
    /// `too-large` for a model that could never fit; `overloaded` where nobody left in time.
    pub(crate) fn room(&self, name: &str, bytes: u64) -> Result<Room<'_>> {
        if let Some(cap) = self.cap.filter(|cap| bytes > *cap) {
            let (needed, given) = (bytes >> 20, cap >> 20);
            // Whoever buys reads the error; only the operator can do something.
            tracing::warn!(model = name, "needs about {needed} MiB of {given} MiB; raise `[inference] memory` in node.toml");
            return Err(Error::Backend(format!(
                "model `{name}` needs about {needed} MiB, more than the {given} MiB that this node has for models; use another node"
            )));
        }
        let turn = self.loading.lock().unwrap_or_else(PoisonError::into_inner);
        let until = Instant::now() + MEMORY_WAIT;
        let mut residents = self.lock();
        while !self.fits(bytes, residents.iter()) {
            let now = Instant::now();
            if now >= until {
                return Err(Error::Overloaded(RETRY_MS_MAX));
            }
            // Whoever is on its way makes room soon, and only what is missing beyond that is asked for.
            let soon = self.fits(bytes, residents.iter().filter(|resident| !resident.leaving));
            let pause = match next_to_leave(&residents, now) {
                Some(index) if !soon => {
                    residents[index].leaving = true;
                    // Asked without the lock, because who leaves at once comes here to say so.
                    let model = residents[index].model.upgrade();
                    drop(residents);
                    if let Some(model) = model {
                        model.drain();
                    }
                    residents = self.lock();
                    continue;
                }
                _ => LOOK_AGAIN,
            };
            residents = self.changed.wait_timeout(residents, pause).unwrap_or_else(PoisonError::into_inner).0;
        }
        drop(residents);
        Ok(Room { memory: self, name: name.to_owned(), began: Instant::now(), _turn: turn })
    }

    /// Whether so many bytes fit beside these models.
    fn fits<'a>(&self, bytes: u64, residents: impl Iterator<Item = &'a Resident>) -> bool {
        let taken: u64 = residents.map(|resident| resident.bytes).sum();
        self.cap.is_none_or(|cap| taken.saturating_add(bytes) <= cap)
    }

    /// Asks an idle model other than `name` to leave, and waits for it. Whether one did. Blocks.
    pub(crate) fn evict_idle(&self, name: &str) -> bool {
        let mut residents = self.lock();
        let found = residents.iter_mut().find(|resident| resident.name != name && !resident.leaving && resident.idle().is_some());
        let Some(resident) = found else { return false };
        resident.leaving = true;
        let (other, model) = (resident.id, resident.model.upgrade());
        drop(residents);
        if let Some(model) = model {
            model.drain();
        }
        let there = |residents: &mut Vec<Resident>| residents.iter().any(|resident| resident.id == other);
        let waited = self.changed.wait_timeout_while(self.lock(), MEMORY_WAIT, there);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }
}

impl Resident {
    /// A model that is gone is as idle as can be.
    fn idle(&self) -> Option<Duration> {
        self.model.upgrade().map_or(Some(Duration::MAX), |model| model.idle_for())
    }
}

/// Who leaves: of the idle ones the one that was idle longest for its reload's cost; else who was busy here long enough.
fn next_to_leave(residents: &[Resident], now: Instant) -> Option<usize> {
    let score = |idle: Duration, reload: Duration| idle.as_secs_f64() / reload.as_secs_f64().max(1e-3);
    let staying = || residents.iter().enumerate().filter(|(_, resident)| !resident.leaving);
    let idle = staying().filter_map(|(index, resident)| Some((index, score(resident.idle()?, resident.reload))));
    if let Some((index, _)) = idle.max_by(|(_, a), (_, b)| a.total_cmp(b)) {
        return Some(index);
    }
    let stayed = |resident: &Resident| now.saturating_duration_since(resident.since);
    let long_enough = staying().filter(|(_, resident)| stayed(resident) >= resident.reload * STAY_PER_RELOAD);
    long_enough.max_by(|(_, a), (_, b)| score(stayed(a), a.reload).total_cmp(&score(stayed(b), b.reload))).map(|(index, _)| index)
}

impl<'a> Room<'a> {
    /// The model is loaded and takes so many bytes, until what this returns is dropped.
    pub(crate) fn taken(self, bytes: u64, model: Weak<dyn Tenancy>) -> Residence<'a> {
        let now = Instant::now();
        let id = self.memory.ids.fetch_add(1, Ordering::Relaxed);
        let reload = now.saturating_duration_since(self.began);
        if let Some(cap) = self.memory.cap.filter(|cap| bytes > *cap) {
            tracing::warn!(
                model = self.name,
                bytes,
                cap,
                "a model takes more than `[inference] memory` allows to all; it was expected to take less"
            );
        }
        self.memory.lock().push(Resident { id, name: self.name, bytes, reload, since: now, leaving: false, model });
        Residence { memory: self.memory, id }
    }
}

/// A loaded model's place. Dropping it says that the model has left, and its memory is free.
pub(crate) struct Residence<'a> {
    memory: &'a Memory,
    id: u64,
}

impl Drop for Residence<'_> {
    fn drop(&mut self) {
        self.memory.lock().retain(|resident| resident.id != self.id);
        self.memory.changed.notify_all();
    }
}

/// Bytes of this process that are in memory; 0 where the system does not say.
pub(crate) fn process_bytes() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: u64 = statm.split_whitespace().nth(1).and_then(|pages| pages.parse().ok()).unwrap_or(0);
    // SAFETY: sysconf only reads a number.
    let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    pages * u64::try_from(page).unwrap_or(4096)
}

/// Loading and unloading leave hundreds of free megabytes with the allocator; an idle node should be small.
pub(crate) fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: malloc_trim takes a number and may be called at any time from any thread.
    unsafe {
        libc::malloc_trim(0);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    struct Model<'a> {
        idle: Option<Duration>,
        place: Mutex<Option<Residence<'a>>>,
    }

    // The memory of these tests lives as long as the process.
    impl Tenancy for Model<'static> {
        fn idle_for(&self) -> Option<Duration> {
            self.idle
        }

        fn drain(&self) {
            *self.place.lock().unwrap() = None;
        }
    }

    fn memory(cap: Option<u64>) -> &'static Memory {
        Box::leak(Box::new(Memory::new(cap)))
    }

    fn load(memory: &'static Memory, name: &str, bytes: u64, idle_s: Option<u64>) -> Arc<Model<'static>> {
        let model = Arc::new(Model { idle: idle_s.map(Duration::from_secs), place: Mutex::default() });
        let weak: Weak<Model<'static>> = Arc::downgrade(&model);
        *model.place.lock().unwrap() = Some(memory.room(name, bytes).unwrap().taken(bytes, weak));
        model
    }

    fn left(model: &Model<'_>) -> bool {
        model.place.lock().unwrap().is_none()
    }

    #[test]
    fn who_was_idle_longest_leaves_and_only_as_many_as_must() {
        let memory = memory(Some(100));
        let [busy, short, long] =
            [("busy", None), ("short", Some(1)), ("long", Some(60))].map(|(name, idle)| load(memory, name, 30, idle));
        let new = load(memory, "new", 30, Some(0));
        assert_eq!([&busy, &short, &long, &new].map(|model| left(model)), [false, false, true, false]);
        assert_eq!(memory.used(), 90);
    }

    #[test]
    fn a_busy_model_leaves_when_nobody_else_can() {
        let memory = memory(Some(50));
        let busy = load(memory, "busy", 30, None);
        load(memory, "new", 30, Some(0));
        assert!(left(&busy));
    }

    #[test]
    fn what_can_never_fit_is_refused_at_once() {
        let error = memory(Some(50 << 20)).room("giant", 51 << 20).map(drop).unwrap_err().to_string();
        assert!(error.contains("needs about 51 MiB") && !error.contains("node.toml"), "{error}");
    }

    #[test]
    fn a_cheap_reload_leaves_before_a_dear_one() {
        let model = |idle_s| Arc::new(Model { idle: Some(Duration::from_secs(idle_s)), place: Mutex::default() });
        let resident = |model: &Arc<Model<'static>>, reload_ms| {
            let model: Weak<Model<'static>> = Arc::downgrade(model);
            let reload = Duration::from_millis(reload_ms);
            Resident { id: reload_ms, name: "any".into(), bytes: 1, reload, since: Instant::now(), leaving: false, model }
        };
        let (dear, cheap) = (model(30), model(20));
        let mut residents = vec![resident(&dear, 10_000), resident(&cheap, 100)];
        assert_eq!(next_to_leave(&residents, Instant::now()), Some(1));
        residents[1].leaving = true;
        assert_eq!(next_to_leave(&residents, Instant::now()), Some(0));
    }

    #[test]
    fn a_model_that_leaves_slowly_holds_up_no_other() {
        let memory = memory(Some(100));
        let [slow, idle, spared] =
            [("slow", 9), ("idle", 5), ("spared", 1)].map(|(name, idle)| load(memory, name, 30, Some(idle)));
        memory.lock()[0].leaving = true;
        // 60 are needed: what leaves already gives 30, so that one more must go, and not two.
        let waiting = std::thread::spawn(|| memory.room("new", 60).map(drop));
        while !left(&idle) {
            std::thread::yield_now();
        }
        slow.drain();
        waiting.join().unwrap().unwrap();
        assert!(!left(&spared));
    }

    #[test]
    fn eviction_spares_who_asks_and_who_works() {
        let memory = memory(None);
        let [asks, works] = [("asks", Some(9)), ("works", None)].map(|(name, idle)| load(memory, name, 30, idle));
        assert!(!memory.evict_idle("asks"));
        let idle = load(memory, "idle", 30, Some(1));
        assert!(memory.evict_idle("asks") && left(&idle) && !left(&asks) && !left(&works));
    }
}
