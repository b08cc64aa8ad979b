//! The threads that own a loaded model's sessions, one per device, and the queue that they share.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::call::{Call, Job, Ran};
use super::queue::{Bounds, FairQueue, Next, Refused, Ticket};
use super::table::CostTable;
use crate::backend::{Interrupt, Session};
use crate::error::{Error, Result};
use crate::generate::Line;
use crate::info::Provider;
use crate::limits;
use crate::metrics::Metrics;
use crate::package::Manifest;
use crate::pipeline::{Row, run_rows};

/// Rows that a tenant runs alone after one of its rows made a run fail.
const ALONE_AFTER_FAILURE: u32 = 16;

/// Of rows so quick, in microseconds, the next are looked out for without sleeping, for so long: a sleeping thread is woken
/// after 20 to 50 us on an idle machine.
const QUICK_US: u64 = 200;
const WATCH: Duration = Duration::from_micros(50);

/// A loaded model as its callers see it.
pub(crate) struct Worker {
    pub(crate) provider: Provider,
    /// Where sequences wait, for a model that generates.
    pub(crate) line: Arc<Line>,
    queue: FairQueue<Job>,
    bounds: Bounds,
    metrics: Arc<Metrics>,
    /// Moving average of a row's time, in microseconds.
    row_us: AtomicU64,
    /// Tenants whose rows run alone, and how many more.
    alone: Mutex<BTreeMap<Arc<str>, u32>>,
    running: Mutex<Vec<Running>>,
    idle_since: Mutex<Instant>,
    /// Devices that have taken rows and not answered them all.
    busy: AtomicUsize,
}

/// A run under way on one of the devices.
struct Running {
    device: usize,
    calls: Vec<Arc<Call>>,
    interrupt: Arc<dyn Interrupt>,
}

/// One device's side of a worker: its session, and what it has learned.
pub(crate) struct Seat<'a> {
    pub(crate) device: usize,
    pub(crate) manifest: &'a Manifest,
    pub(crate) session: &'a mut dyn Session,
    pub(crate) table: &'a Mutex<CostTable>,
    /// Makes room where a single row runs out of memory; whether trying again is sensible.
    pub(crate) make_room: &'a dyn Fn() -> bool,
}

impl Seat<'_> {
    fn table(&self) -> MutexGuard<'_, CostTable> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Worker {
    pub(crate) fn new(provider: Provider, bounds: Bounds, metrics: Arc<Metrics>) -> Self {
        Self {
            provider,
            line: Line::new(bounds),
            queue: FairQueue::new(bounds),
            bounds,
            metrics,
            row_us: AtomicU64::new(0),
            alone: Mutex::default(),
            running: Mutex::default(),
            idle_since: Mutex::new(Instant::now()),
            busy: AtomicUsize::new(0),
        }
    }

    /// Rows that wait.
    pub(crate) fn queued(&self) -> usize {
        self.queue.len() + self.line.len()
    }

    /// For how long nothing has waited or run; `None` when something does.
    pub(crate) fn idle_for(&self) -> Option<Duration> {
        if self.queue.len() > 0 || self.busy.load(Ordering::Acquire) > 0 {
            return None;
        }
        let rows = self.idle_since.lock().unwrap_or_else(PoisonError::into_inner).elapsed();
        Some(rows.min(self.line.idle_for()?))
    }

    /// Puts a call's rows into the queue. `false`: the worker has closed; the rows are still the caller's.
    ///
    /// # Errors
    /// `too-large` for a call that could never fit, `overloaded` at once when there is no room now.
    pub(crate) fn submit(&self, tenant: &Arc<str>, jobs: &mut Vec<(Ticket, Job)>) -> Result<bool> {
        let most = self.bounds.per_tenant_max.min(self.bounds.total_max);
        if jobs.len() > most {
            return Err(Error::TooLarge(most as u64));
        }
        self.part_from_others(tenant, jobs);
        match self.queue.push(tenant, jobs, |job| job.call.is_wanted()) {
            Ok(()) => Ok(true),
            Err(Refused::Closed) => Ok(false),
            Err(Refused::Full(waiting)) => {
                self.metrics.refused(tenant);
                Err(Error::Overloaded(self.retry_ms(waiting)))
            }
        }
    }

    /// The rows of a tenant that made runs fail share none for a while.
    fn part_from_others(&self, tenant: &Arc<str>, jobs: &mut [(Ticket, Job)]) {
        let mut alone = self.alone.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(left) = alone.get_mut(tenant) else { return };
        *left = left.saturating_sub(u32::try_from(jobs.len()).unwrap_or(u32::MAX));
        jobs.iter_mut().for_each(|(ticket, _)| ticket.group = None);
        if *left == 0 {
            alone.remove(tenant);
        }
    }

    /// When about half of what waits will have run.
    fn retry_ms(&self, waiting: usize) -> u32 {
        let half_us = self.row_us.load(Ordering::Relaxed).saturating_mul(waiting as u64) / 2;
        u32::try_from(half_us / 1000).unwrap_or(u32::MAX).clamp(1, limits::RETRY_MS_MAX)
    }

    /// Ends the worker when what waits has been served; nothing new is taken in.
    pub(crate) fn finish(&self) {
        self.line.finish();
        self.queue.finish();
    }

    /// Ends the worker; calls that still wait are cancelled.
    pub(crate) fn close(&self) {
        self.line.close();
        for job in self.queue.close() {
            job.call.fail(Error::Cancelled);
        }
    }

    /// Serves rows in fair order until the queue is closed, or empty for `idle`.
    pub(crate) fn serve(&self, seat: &mut Seat<'_>, idle: Option<Duration>) {
        loop {
            if self.rows_are_quick() {
                self.queue.watch(WATCH);
            }
            let mut plan = seat.table().clone();
            let next = self.queue.next(idle, &mut plan);
            *seat.table() = plan;
            let Next::Batch(batch) = next else { return };
            // Also between two tries: two models that make room for each other would wait for each other.
            self.busy.fetch_add(1, Ordering::AcqRel);
            let now = Instant::now();
            let due = batch.into_iter().filter(|(_, job)| still_due(job, now));
            // What waited already when a row of its tenant made a run fail.
            let (apart, together): (Vec<_>, Vec<_>) = due.partition(|(_, job)| self.is_apart(&job.call.tenant));
            if !together.is_empty() {
                self.run(seat, together);
            }
            for job in apart {
                self.run(seat, vec![job]);
            }
            self.busy.fetch_sub(1, Ordering::AcqRel);
        }
    }

    fn rows_are_quick(&self) -> bool {
        (1..QUICK_US).contains(&self.row_us.load(Ordering::Relaxed))
    }

    /// Runs jobs together. Where that fails, each half by itself, so that one bad row fails only its own call. Whether any
    /// of it ran.
    fn run(&self, seat: &mut Seat<'_>, jobs: Vec<(Ticket, Job)>) -> bool {
        let (rows, longest) = extent(&jobs);
        match self.try_run(seat, jobs) {
            Ok(()) => true,
            Err((Error::OutOfMemory, jobs)) if jobs.len() == 1 && (seat.make_room)() => {
                let again = self.try_run(seat, jobs);
                if let Err((error, jobs)) = &again {
                    self.fail(jobs, error);
                }
                again.is_ok()
            }
            Err((error, jobs)) if jobs.len() == 1 || jobs.iter().all(|(_, job)| !job.call.is_wanted()) => {
                self.fail(&jobs, &error);
                false
            }
            Err((error, mut jobs)) => {
                let rest = jobs.split_off(jobs.len() / 2);
                let (first, second) = (self.run(seat, jobs), self.run(seat, rest));
                // Rows that do not fit alone either say nothing about how many fit.
                if error == Error::OutOfMemory && (first || second) {
                    seat.table().was_too_much(rows, longest);
                }
                first || second
            }
        }
    }

    fn is_apart(&self, tenant: &Arc<str>) -> bool {
        self.alone.lock().unwrap_or_else(PoisonError::into_inner).contains_key(tenant)
    }

    fn fail(&self, jobs: &[(Ticket, Job)], error: &Error) {
        for (ticket, job) in jobs {
            if ticket.group.is_some() && job.call.is_wanted() {
                self.runs_alone(&job.call.tenant);
            }
            self.metrics.failed(&job.call.tenant);
            job.call.fail(error.clone());
        }
    }

    fn runs_alone(&self, tenant: &Arc<str>) {
        let mut alone = self.alone.lock().unwrap_or_else(PoisonError::into_inner);
        if alone.len() >= limits::IDLE_TENANTS_MAX {
            // Names that never come back must not leave the next rogue with the others.
            alone.pop_first();
        }
        alone.insert(Arc::clone(tenant), ALONE_AFTER_FAILURE);
    }

    /// One run. On failure the jobs come back.
    fn try_run(&self, seat: &mut Seat<'_>, jobs: Vec<(Ticket, Job)>) -> std::result::Result<(), (Error, Vec<(Ticket, Job)>)> {
        let (rows, longest) = extent(&jobs);
        self.begin(seat, &jobs);
        let started = Instant::now();
        let outputs = {
            let rows: Vec<&Row> = jobs.iter().map(|(_, job)| &job.row).collect();
            run_rows(seat.manifest, seat.session, &rows)
        };
        let took = started.elapsed();
        self.end(seat);
        if outputs.is_err() {
            self.metrics.run_failed();
        }
        let outputs = match outputs {
            Ok(outputs) if outputs.len() == jobs.len() => outputs,
            Ok(_) => return Err((Error::Backend("the model gave another number of rows than it was sent".to_owned()), jobs)),
            Err(error) => return Err((error, jobs)),
        };
        if jobs[0].0.group.is_some() {
            seat.table().learn(rows, longest, took);
        }
        self.learn(took / rows.max(1));
        let units = jobs.iter().map(|(ticket, _)| u64::from(ticket.rows) * u64::from(ticket.length)).sum();
        self.metrics.ran(rows, u64::from(rows) * u64::from(longest), units, took);
        let shares = shares(took, &jobs.iter().map(|(ticket, _)| ticket.rows).collect::<Vec<_>>());
        for (((_, job), output), device) in jobs.into_iter().zip(outputs).zip(shares) {
            match output {
                Ok(output) => job.call.row_done(job.index, output, Ran { started, device, batch_rows: rows }),
                Err(error) => {
                    self.metrics.failed(&job.call.tenant);
                    job.call.fail(error);
                }
            }
        }
        Ok(())
    }

    fn running(&self) -> MutexGuard<'_, Vec<Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, seat: &Seat<'_>, jobs: &[(Ticket, Job)]) {
        let interrupt = seat.session.interrupt();
        interrupt.clear();
        let calls: Vec<_> = jobs.iter().map(|(_, job)| Arc::clone(&job.call)).collect();
        let mut running = self.running();
        // Who leaves from here on finds the run; who left before did not.
        if calls.iter().all(|call| !call.is_wanted()) {
            interrupt.stop();
        }
        running.push(Running { device: seat.device, calls, interrupt });
    }

    fn end(&self, seat: &Seat<'_>) {
        self.running().retain(|running| running.device != seat.device);
        *self.idle_since.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// A caller has gone: a run that nobody waits for any more is stopped between two kernels.
    pub(crate) fn left(&self, call: &Arc<Call>) {
        for running in self.running().iter() {
            let own = running.calls.iter().any(|other| Arc::ptr_eq(other, call));
            if own && running.calls.iter().all(|call| !call.is_wanted()) {
                running.interrupt.stop();
            }
        }
    }

    fn learn(&self, row: Duration) {
        let (old, new) = (self.row_us.load(Ordering::Relaxed), u64::try_from(row.as_micros()).unwrap_or(u64::MAX));
        let average = if old == 0 { new } else { old - old / 8 + new / 8 };
        self.row_us.store(average.max(1), Ordering::Relaxed);
    }
}

/// Rows of a run, and the length of the longest.
fn extent(jobs: &[(Ticket, Job)]) -> (u32, u32) {
    let rows = jobs.iter().fold(0_u32, |rows, (ticket, _)| rows.saturating_add(ticket.rows));
    (rows, jobs.iter().map(|(ticket, _)| ticket.length).max().unwrap_or(0))
}

/// Whether somebody waits for it, and in time; who is late hears it.
fn still_due(job: &Job, now: Instant) -> bool {
    if job.call.is_late(now) {
        job.call.fail(Error::Deadline);
    }
    job.call.is_wanted()
}

/// A run's time shared by rows, in whole nanoseconds that sum exactly.
fn shares(took: Duration, rows: &[u32]) -> Vec<Duration> {
    let nanos = took.as_nanos();
    let all = rows.iter().map(|rows| u128::from(*rows)).sum::<u128>().max(1);
    let mut before = 0;
    let share = |rows: &u32| {
        let after = before + u128::from(*rows);
        let share = nanos * after / all - nanos * before / all;
        before = after;
        Duration::from_nanos(u64::try_from(share).unwrap_or(u64::MAX))
    };
    rows.iter().map(share).collect()
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use tokio::sync::oneshot;

    use super::*;
    use crate::backend::fake::{FakeBackend, POISON};
    use crate::backend::{Backend, LoadOptions};
    use crate::package::Package;
    use crate::scheduler::call::{Begun, Finished};
    use crate::scheduler::queue::Plan;
    use crate::scheduler::tests::{package, vector};

    struct Bench {
        backend: FakeBackend,
        package: Package,
        session: Box<dyn Session>,
        table: Mutex<CostTable>,
        worker: Worker,
        _folder: tempfile::TempDir,
    }

    type Answer = oneshot::Receiver<Result<Finished>>;

    impl Bench {
        /// Two rows are tried together next.
        fn new() -> Self {
            let (folder, backend) = (package("[2, -8]"), FakeBackend::default());
            let package = Package::open(folder.path()).unwrap();
            let options = LoadOptions { threads: 1, order: vec![], min_share: 0.0, seat: 0, providers: Arc::default() };
            let session = backend.load(&package.graph().unwrap(), &options).unwrap();
            let bounds = Bounds { total_max: 16, per_tenant_max: 16 };
            let worker = Worker::new(session.provider(), bounds, Arc::default());
            let mut table = CostTable::new(true);
            (0..3).for_each(|_| table.learn(1, 1, Duration::from_micros(9)));
            Self { backend, package, session, table: Mutex::new(table), worker, _folder: folder }
        }

        fn with(&mut self, make_room: &dyn Fn(&Worker) -> bool, work: impl FnOnce(&Worker, &mut Seat<'_>)) {
            let make_room = || make_room(&self.worker);
            let (manifest, session, table) = (&self.package.manifest, self.session.as_mut(), &self.table);
            work(&self.worker, &mut Seat { device: 0, manifest, session, table, make_room: &make_room });
        }
    }

    fn job(tenant: &str, x: f32) -> (Vec<(Ticket, Job)>, Answer) {
        let ticket = Ticket { weight: 1, priority: 1, group: Some(0), rows: 1, length: 1, bytes: 4 };
        let row = Row::Raw(vec![("x".to_owned(), vector(&[x]))], vec!["y".to_owned()]);
        let Begun { jobs, answer, .. } = Call::of(&Arc::from(tenant), None, vec![(ticket, row)]);
        (jobs, answer)
    }

    #[test]
    fn a_run_whose_callers_left_just_before_it_began_is_stopped() {
        let mut bench = Bench::new();
        let (jobs, answer) = job("a", 1.0);
        drop(answer);
        bench.with(&|_| false, |worker, seat| assert!(!worker.run(seat, jobs)));
        assert!(bench.backend.runs().is_empty());
    }

    /// Its rows waited already when the first of them made a run fail.
    #[test]
    fn rows_that_wait_are_parted_too_when_their_tenant_made_a_run_fail() {
        let mut bench = Bench::new();
        let ((rogue, _rogue), (other, _other)) = (job("rogue", 1.0), job("other", 2.0));
        let ((bad, _bad), (good, _good)) = (job("rogue", POISON), job("other", 3.0));
        bench.with(&|_| false, |worker, seat| {
            for (tenant, mut jobs) in [("rogue", rogue), ("other", other)] {
                assert_eq!(worker.submit(&Arc::from(tenant), &mut jobs), Ok(true));
            }
            worker.run(seat, [bad, good].into_iter().flatten().collect());
            worker.finish();
            worker.serve(seat, None);
        });
        assert_eq!(bench.backend.runs().split_off(3), [[2.0], [1.0]]);
    }

    /// Two models that ran out of memory at once took each other for idle, and each waited for the other to leave.
    #[test]
    fn who_makes_room_is_not_idle() {
        let mut bench = Bench::new();
        bench.backend.rows_max(0);
        let (mut jobs, _answer) = job("a", 1.0);
        let asked = Cell::new(false);
        let make_room = |worker: &Worker| {
            asked.set(true);
            assert_eq!(worker.idle_for(), None);
            false
        };
        bench.with(&make_room, |worker, seat| {
            worker.submit(&Arc::from("a"), &mut jobs).unwrap();
            worker.finish();
            worker.serve(seat, None);
            assert!(worker.idle_for().is_some());
        });
        assert!(asked.get());
    }

    #[test]
    fn rows_that_do_not_fit_alone_do_not_part_the_others() {
        let mut bench = Bench::new();
        let rows = |bench: &Bench| bench.table.lock().unwrap().rows(1, 2);
        for (fits, together) in [(0, 2), (1, 1)] {
            bench.backend.rows_max(fits);
            let ((first, _first), (second, _second)) = (job("a", 1.0), job("b", 2.0));
            bench.with(&|_| false, |worker, seat| {
                worker.run(seat, first.into_iter().chain(second).collect());
            });
            assert_eq!(rows(&bench), together, "{fits} fit");
        }
    }

    #[test]
    fn shares_of_a_run_sum_exactly() {
        for (nanos, rows) in [(100, vec![1, 1, 1]), (7, vec![2, 5, 4]), (1, vec![1; 64])] {
            let took = Duration::from_nanos(nanos);
            let shares = shares(took, &rows);
            assert_eq!(shares.iter().sum::<Duration>(), took, "{shares:?}");
        }
    }
}
