//! What a service counted: for the caller, and for the stock tools.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Counters of one endpoint, since the service began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointStats {
    /// The endpoint's name.
    pub name: String,
    /// Requests that arrived, refused ones included.
    pub requests: u64,
    /// Requests answered with an error, refused ones included.
    pub errors: u64,
    /// Requests refused because too many ran.
    pub refused: u64,
    /// Time in the handler, summed over all requests.
    pub processing_time: Duration,
    /// The newest error, as `CODE:MESSAGE`.
    pub last_error: Option<String>,
}

/// Counters of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceStats {
    /// Requests that run at this moment.
    pub running: usize,
    /// Each endpoint, in the order of the spec.
    pub endpoints: Vec<EndpointStats>,
}

/// The live counters: plain additions on the way of a request, a lock only for an error.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    requests: AtomicU64,
    errors: AtomicU64,
    refused: AtomicU64,
    processing_ns: AtomicU64,
    last_error: Mutex<Option<String>>,
}

impl Counters {
    pub(crate) fn arrived(&self) {
        self.requests.fetch_add(1, Relaxed);
    }

    pub(crate) fn refused(&self) {
        self.refused.fetch_add(1, Relaxed);
    }

    pub(crate) fn worked(&self, time: Duration) {
        self.processing_ns.fetch_add(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX), Relaxed);
    }

    pub(crate) fn failed(&self, code: u16, message: &str) {
        self.errors.fetch_add(1, Relaxed);
        let mut last = self.last_error.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *last = Some(format!("{code}:{message}"));
    }

    pub(crate) fn read(&self, name: &str) -> EndpointStats {
        let last = self.last_error.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        EndpointStats {
            name: name.to_owned(),
            requests: self.requests.load(Relaxed),
            errors: self.errors.load(Relaxed),
            refused: self.refused.load(Relaxed),
            processing_time: Duration::from_nanos(self.processing_ns.load(Relaxed)),
            last_error: last.clone(),
        }
    }
}
