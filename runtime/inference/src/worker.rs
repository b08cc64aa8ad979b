//! The one thread that owns a loaded model's session, and the calls that wait for it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::backend::Session;
use crate::error::{Error, Result};
use crate::generate::Line;
use crate::info::Provider;
use crate::limits;
use crate::package::Manifest;
use crate::pipeline::{Row, RowOutput, run_rows};
use crate::queue::{Bounds, FairQueue, Next, Refused};

/// A caller's rows on their way through the queue. All succeed, or the call fails as one.
pub(crate) struct Call {
    deadline: Option<Instant>,
    admitted: Instant,
    progress: Mutex<Progress>,
}

struct Progress {
    reply: Option<oneshot::Sender<Result<Finished>>>,
    outputs: Vec<Option<RowOutput>>,
    device: Duration,
    started: Option<Instant>,
    batch_rows: u32,
}

/// A call whose rows have all run.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) outputs: Vec<RowOutput>,
    pub(crate) device: Duration,
    pub(crate) queued: Duration,
    pub(crate) batch_rows: u32,
}

/// One row of a call.
pub(crate) struct Job {
    call: Arc<Call>,
    index: usize,
    row: Row,
}

/// Makes a call of weighted rows: what goes into the queue, and where the answer comes out.
pub(crate) fn call(rows: Vec<(u64, Row)>, deadline: Option<Instant>) -> (Vec<(u64, Job)>, oneshot::Receiver<Result<Finished>>) {
    let (reply, answer) = oneshot::channel();
    let outputs = rows.iter().map(|_| None).collect();
    let progress = Progress { reply: Some(reply), outputs, device: Duration::ZERO, started: None, batch_rows: 0 };
    let call = Arc::new(Call { deadline, admitted: Instant::now(), progress: Mutex::new(progress) });
    let job = |(index, (weight, row))| (weight, Job { call: Arc::clone(&call), index, row });
    (rows.into_iter().enumerate().map(job).collect(), answer)
}

impl Call {
    fn lock(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether somebody still waits for the answer.
    fn is_wanted(&self) -> bool {
        self.lock().reply.as_ref().is_some_and(|reply| !reply.is_closed())
    }

    fn fail(&self, error: Error) {
        if let Some(reply) = self.lock().reply.take() {
            // the caller may have gone, which is no failure
            let _ = reply.send(Err(error));
        }
    }

    fn row_done(&self, index: usize, output: RowOutput, started: Instant, device: Duration, batch_rows: u32) {
        let mut progress = self.lock();
        progress.outputs[index] = Some(output);
        progress.device += device;
        progress.batch_rows = progress.batch_rows.max(batch_rows);
        let first = *progress.started.get_or_insert(started);
        if progress.outputs.iter().any(Option::is_none) {
            return;
        }
        let finished = Finished {
            outputs: progress.outputs.drain(..).flatten().collect(),
            device: progress.device,
            queued: first.saturating_duration_since(self.admitted),
            batch_rows: progress.batch_rows,
        };
        if let Some(reply) = progress.reply.take() {
            let _ = reply.send(Ok(finished));
        }
    }
}

/// A loaded model as its callers see it.
pub(crate) struct Worker {
    pub(crate) provider: Provider,
    /// Where sequences wait, for a model that generates.
    pub(crate) line: Arc<Line>,
    queue: FairQueue<Job>,
    bounds: Bounds,
    /// Moving average of a row's time, in microseconds.
    row_us: AtomicU64,
}

impl Worker {
    pub(crate) fn new(provider: Provider, bounds: Bounds) -> Self {
        Self { provider, line: Line::new(bounds), queue: FairQueue::new(bounds), bounds, row_us: AtomicU64::new(0) }
    }

    /// Rows that wait.
    pub(crate) fn queued(&self) -> usize {
        self.queue.len() + self.line.len()
    }

    /// Puts a call's rows into the queue. `false`: the worker has closed; the rows are still the caller's.
    ///
    /// # Errors
    /// `too-large` for a call that could never fit, `overloaded` at once when there is no room now.
    pub(crate) fn submit(&self, tenant: &Arc<str>, jobs: &mut Vec<(u64, Job)>) -> Result<bool> {
        let most = self.bounds.per_tenant_max.min(self.bounds.total_max);
        if jobs.len() > most {
            return Err(Error::TooLarge(most as u64));
        }
        match self.queue.push(tenant, jobs, |job| job.call.is_wanted()) {
            Ok(()) => Ok(true),
            Err(Refused::Closed) => Ok(false),
            Err(Refused::Full(waiting)) => Err(Error::Overloaded(self.retry_ms(waiting))),
        }
    }

    /// When about half of what waits will have run.
    fn retry_ms(&self, waiting: usize) -> u32 {
        let half_us = self.row_us.load(Ordering::Relaxed).saturating_mul(waiting as u64) / 2;
        u32::try_from(half_us / 1000).unwrap_or(u32::MAX).clamp(1, limits::RETRY_MS_MAX)
    }

    /// Ends the worker; calls that still wait are cancelled.
    pub(crate) fn close(&self) {
        self.line.close();
        for job in self.queue.close() {
            job.call.fail(Error::Cancelled);
        }
    }

    /// Serves rows in fair order until the queue is closed, or empty for `idle`.
    pub(crate) fn serve(&self, manifest: &Manifest, session: &mut dyn Session, idle: Option<Duration>) {
        while let Next::Entry(job) = self.queue.next(idle) {
            if !job.call.is_wanted() {
                continue;
            }
            if job.call.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                job.call.fail(Error::Deadline);
                continue;
            }
            self.run_batch(manifest, session, vec![job]);
        }
    }

    /// Runs jobs of one kind as one batch and shares the device's time among them.
    fn run_batch(&self, manifest: &Manifest, session: &mut dyn Session, batch: Vec<Job>) {
        let count = batch.len() as u32;
        let (places, rows): (Vec<_>, Vec<Row>) = batch.into_iter().map(|job| ((job.call, job.index), job.row)).unzip();
        let started = Instant::now();
        let outputs = run_rows(manifest, session, &rows);
        let share = started.elapsed() / count.max(1);
        self.learn(share);
        match outputs {
            Ok(outputs) if outputs.len() == places.len() => {
                for ((call, index), output) in places.into_iter().zip(outputs) {
                    call.row_done(index, output, started, share, count);
                }
            }
            Ok(_) => fail_all(&places, &Error::Backend("the model gave another number of rows than it was sent".to_owned())),
            Err(error) => fail_all(&places, &error),
        }
    }

    fn learn(&self, row: Duration) {
        let (old, new) = (self.row_us.load(Ordering::Relaxed), u64::try_from(row.as_micros()).unwrap_or(u64::MAX));
        let average = if old == 0 { new } else { old - old / 8 + new / 8 };
        self.row_us.store(average.max(1), Ordering::Relaxed);
    }
}

fn fail_all(places: &[(Arc<Call>, usize)], error: &Error) {
    for (call, _) in places {
        call.fail(error.clone());
    }
}
