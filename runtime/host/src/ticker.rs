//! The epoch's heartbeat: a thread that ticks while calls are running and sleeps when none has been for a while. Waking it
//! costs each call a system call and a core, so it does not fall asleep between calls that follow each other.

use std::{
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    thread::{self, Thread},
    time::Duration,
};

use wasmtime::Engine;

struct Shared {
    engine: Engine,
    running: AtomicUsize,
    asleep: AtomicBool,
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
        let shared = Arc::new(Shared { engine, running: AtomicUsize::new(0), asleep: AtomicBool::new(false) });
        let weak = Arc::downgrade(&shared);
        let handle = thread::Builder::new().name("hansa-epoch".into()).spawn(move || run(&weak, tick))?;
        Ok(Ticker { shared, thread: handle.thread().clone() })
    }

    pub(crate) fn hold(&self) -> Ticking<'_> {
        self.shared.running.fetch_add(1, SeqCst);
        if self.shared.asleep.load(SeqCst) {
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

/// It stays awake this long after the last call.
const AWAKE: Duration = Duration::from_millis(100);

fn run(weak: &Weak<Shared>, tick: Duration) {
    let mut quiet = Duration::ZERO;
    while let Some(shared) = weak.upgrade() {
        if shared.running.load(SeqCst) > 0 {
            quiet = Duration::ZERO;
            shared.engine.increment_epoch();
        }
        if quiet < AWAKE {
            quiet += tick;
            drop(shared);
            thread::sleep(tick);
            continue;
        }
        shared.asleep.store(true, SeqCst);
        // Whoever came before that word could not know that it has to wake us.
        let idle = shared.running.load(SeqCst) == 0;
        drop(shared);
        if idle {
            thread::park_timeout(IDLE);
        }
        quiet = Duration::ZERO;
        if let Some(shared) = weak.upgrade() {
            shared.asleep.store(false, SeqCst);
        }
    }
}
