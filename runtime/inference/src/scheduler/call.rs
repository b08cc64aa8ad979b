//! A caller's side: its rows on their way through the queue, and what comes back.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::queue::Ticket;
use crate::error::{Error, Result};
use crate::pipeline::{Row, RowOutput};

/// The rows of one request. All succeed, or the call fails as one.
pub(crate) struct Call {
    pub(crate) tenant: Arc<str>,
    pub(crate) deadline: Option<Instant>,
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

/// A new call: what goes into the queue, and where the answer comes out.
pub(crate) struct Begun {
    pub(crate) call: Arc<Call>,
    pub(crate) jobs: Vec<(Ticket, Job)>,
    pub(crate) answer: oneshot::Receiver<Result<Finished>>,
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
    pub(crate) call: Arc<Call>,
    pub(crate) index: usize,
    pub(crate) row: Row,
}

/// How one run went for one of its rows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ran {
    pub(crate) started: Instant,
    /// The row's share of the device's time.
    pub(crate) device: Duration,
    pub(crate) batch_rows: u32,
}

impl Call {
    /// Makes a call of rows.
    pub(crate) fn of(tenant: &Arc<str>, deadline: Option<Instant>, rows: Vec<(Ticket, Row)>) -> Begun {
        let (reply, answer) = oneshot::channel();
        let outputs = rows.iter().map(|_| None).collect();
        let progress = Progress { reply: Some(reply), outputs, device: Duration::ZERO, started: None, batch_rows: 0 };
        let call =
            Arc::new(Self { tenant: Arc::clone(tenant), deadline, admitted: Instant::now(), progress: Mutex::new(progress) });
        let job = |(index, (ticket, row))| (ticket, Job { call: Arc::clone(&call), index, row });
        let jobs = rows.into_iter().enumerate().map(job).collect();
        Begun { call, jobs, answer }
    }

    fn lock(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether somebody still waits for the answer.
    pub(crate) fn is_wanted(&self) -> bool {
        self.lock().reply.as_ref().is_some_and(|reply| !reply.is_closed())
    }

    pub(crate) fn is_late(&self, now: Instant) -> bool {
        self.deadline.is_some_and(|deadline| now >= deadline)
    }

    pub(crate) fn fail(&self, error: Error) {
        if let Some(reply) = self.lock().reply.take() {
            // the caller may have gone, which is no failure
            let _ = reply.send(Err(error));
        }
    }

    pub(crate) fn row_done(&self, index: usize, output: RowOutput, ran: Ran) {
        let mut progress = self.lock();
        progress.outputs[index] = Some(output);
        progress.device += ran.device;
        progress.batch_rows = progress.batch_rows.max(ran.batch_rows);
        let first = *progress.started.get_or_insert(ran.started);
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
