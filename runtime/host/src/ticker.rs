//! The epoch's heartbeat: a thread that ticks while calls are running and sleeps while none is.

use std::{
    sync::{
        Arc, Weak,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    thread::{self, Thread},
    time::Duration,
};

use wasmtime::Engine;

struct Shared {
    engine: Engine,
    running: AtomicUsize,
}

/// Owns the thread; it ends when the ticker is dropped.
pub(crate) struct Ticker {
    shared: Arc<Shared>,
    thread: Thread,
}

/// While this lives, the epoch advances.
pub(crate) struct Ticking<'a>(&'a Ticker);

impl Ticker {
    pub(crate) fn start(engine: Engine, tick: Duration) -> std::io::Result<Ticker> {
        let shared = Arc::new(Shared { engine, running: AtomicUsize::new(0) });
        let weak = Arc::downgrade(&shared);
        let handle = thread::Builder::new().name("hansa-epoch".into()).spawn(move || run(&weak, tick))?;
        Ok(Ticker { shared, thread: handle.thread().clone() })
    }

    pub(crate) fn hold(&self) -> Ticking<'_> {
        if self.shared.running.fetch_add(1, SeqCst) == 0 {
            self.thread.unpark();
        }
        Ticking(self)
    }
}

impl Drop for Ticking<'_> {
    fn drop(&mut self) {
        self.0.shared.running.fetch_sub(1, SeqCst);
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.thread.unpark();
    }
}

/// How long the thread sleeps at most while nothing runs; it is unparked earlier when something does.
const IDLE: Duration = Duration::from_secs(5);

fn run(shared: &Weak<Shared>, tick: Duration) {
    while let Some(shared) = shared.upgrade() {
        let idle = shared.running.load(SeqCst) == 0;
        if !idle {
            shared.engine.increment_epoch();
        }
        drop(shared);
        if idle { thread::park_timeout(IDLE) } else { thread::sleep(tick) }
    }
}
