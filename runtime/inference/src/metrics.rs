//! What a model has done, per tenant and in sum: counters that only grow, for the operator's dashboards.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::limits::TENANTS_COUNTED_MAX;
use crate::usage::Usage;

/// Upper bounds of the buckets of [`Histogram::counts`] for waiting times, in microseconds; one more bucket is without bound.
pub const QUEUE_US_BOUNDS: [u64; 7] = [100, 1_000, 5_000, 25_000, 100_000, 1_000_000, 10_000_000];
/// Upper bounds of the buckets for rows of a run; one more bucket is without bound.
pub const BATCH_ROWS_BOUNDS: [u64; 7] = [1, 2, 4, 8, 16, 32, 64];
/// Who is counted together once [`TENANTS_COUNTED_MAX`] tenants have a line of their own.
pub const OTHER_TENANTS: &str = "others";

/// How often values fell into which bucket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    /// Values up to each bound, the last without.
    pub counts: [u64; 8],
    /// Sum of all values.
    pub sum: u64,
}

impl Histogram {
    fn add(&mut self, bounds: [u64; 7], value: u64) {
        let bucket = bounds.iter().position(|bound| value <= *bound).unwrap_or(bounds.len());
        self.counts[bucket] += 1;
        self.sum = self.sum.saturating_add(value);
    }
}

/// What one tenant had of one model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TenantMetrics {
    /// Requests answered.
    pub requests: u64,
    /// Requests refused because the queue was full.
    pub refused: u64,
    /// Rows that failed.
    pub failed: u64,
    /// Input units charged.
    pub input_units: u64,
    /// Output units charged.
    pub output_units: u64,
    /// Device time, in microseconds.
    pub device_us: u64,
    /// Charges, in micro-units.
    pub cost: u64,
    /// From admission to the start of the first row, in microseconds.
    pub queue_us: Histogram,
}

/// What one model did since the node started.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModelMetrics {
    /// Runs of the device that gave outputs.
    pub runs: u64,
    /// Runs that failed or were stopped, those included of which the parts were tried again.
    pub failed_runs: u64,
    /// Rows of these runs.
    pub batch_rows: Histogram,
    /// Units that the device computed, padding included.
    pub padded_units: u64,
    /// Units of these that somebody had sent.
    pub units: u64,
    /// Time in runs, in microseconds.
    pub device_us: u64,
    /// Times it was loaded.
    pub loads: u64,
    /// Times it left memory.
    pub unloads: u64,
    /// By tenant.
    pub tenants: BTreeMap<Arc<str>, TenantMetrics>,
}

impl ModelMetrics {
    /// Share of what the device computed that was padding, 0 to 1.
    pub fn padded_share(&self) -> f64 {
        if self.padded_units == 0 { 0.0 } else { 1.0 - self.units as f64 / self.padded_units as f64 }
    }
}

/// The counters of one model, while it counts.
#[derive(Default)]
pub(crate) struct Metrics(Mutex<ModelMetrics>);

impl Metrics {
    fn lock(&self) -> MutexGuard<'_, ModelMetrics> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn snapshot(&self) -> ModelMetrics {
        self.lock().clone()
    }

    pub(crate) fn loaded(&self) {
        self.lock().loads += 1;
    }

    pub(crate) fn unloaded(&self) {
        self.lock().unloads += 1;
    }

    /// A run of the device; `units` without padding.
    pub(crate) fn ran(&self, rows: u32, padded_units: u64, units: u64, took: Duration) {
        let mut metrics = self.lock();
        metrics.runs += 1;
        metrics.batch_rows.add(BATCH_ROWS_BOUNDS, u64::from(rows));
        metrics.padded_units = metrics.padded_units.saturating_add(padded_units);
        metrics.units = metrics.units.saturating_add(units);
        metrics.device_us = metrics.device_us.saturating_add(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
    }

    /// A run that gave no outputs.
    pub(crate) fn run_failed(&self) {
        self.lock().failed_runs += 1;
    }

    /// A request was answered and charged.
    pub(crate) fn answered(&self, tenant: &Arc<str>, usage: &Usage) {
        self.of(tenant, |metrics| {
            metrics.requests += 1;
            metrics.input_units = metrics.input_units.saturating_add(usage.input_units);
            metrics.output_units = metrics.output_units.saturating_add(usage.output_units);
            metrics.device_us = metrics.device_us.saturating_add(usage.device_us);
            metrics.cost = metrics.cost.saturating_add(usage.cost);
            metrics.queue_us.add(QUEUE_US_BOUNDS, usage.queue_us);
        });
    }

    pub(crate) fn refused(&self, tenant: &Arc<str>) {
        self.of(tenant, |metrics| metrics.refused += 1);
    }

    pub(crate) fn failed(&self, tenant: &Arc<str>) {
        self.of(tenant, |metrics| metrics.failed += 1);
    }

    fn of(&self, tenant: &Arc<str>, count: impl FnOnce(&mut TenantMetrics)) {
        let mut metrics = self.lock();
        let known = metrics.tenants.contains_key(tenant) || metrics.tenants.len() < TENANTS_COUNTED_MAX;
        let tenant = if known { Arc::clone(tenant) } else { Arc::from(OTHER_TENANTS) };
        count(metrics.tenants.entry(tenant).or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_tenants_end_in_one_line() {
        let metrics = Metrics::default();
        for tenant in 0..TENANTS_COUNTED_MAX + 10 {
            metrics.refused(&Arc::from(tenant.to_string()));
        }
        let found = metrics.snapshot();
        assert_eq!(found.tenants[OTHER_TENANTS].refused, 10);
        assert_eq!(found.tenants.len(), TENANTS_COUNTED_MAX + 1);
    }

    #[test]
    fn padding_is_a_share_of_what_was_computed() {
        let metrics = Metrics::default();
        metrics.ran(2, 200, 150, Duration::from_micros(7));
        assert_eq!((metrics.snapshot().padded_share(), metrics.snapshot().batch_rows.counts[1]), (0.25, 1));
    }
}
