//! Callers in a closed loop: each sends its next call when the last is answered.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use futures::future::BoxFuture;

use crate::protocol::Measured;

/// One call, repeated.
pub(crate) type Call = Arc<dyn Fn() -> BoxFuture<'static, anyhow::Result<()>> + Send + Sync>;

/// Keep `in_flight` calls going for `time`. Error: the first call that failed.
pub(crate) async fn run(call: Call, in_flight: usize, time: Duration) -> anyhow::Result<Measured> {
    let begun = Instant::now();
    let callers: Vec<_> = (0..in_flight).map(|_| tokio::spawn(caller(call.clone(), begun + time))).collect();
    let mut took = Vec::new();
    for caller in callers {
        took.extend(caller.await.context("a caller broke")??);
    }
    let seconds = begun.elapsed().as_secs_f64();
    ensure!(!took.is_empty(), "no call was answered");
    took.sort_unstable();
    let calls = took.len() as u64;
    Ok(Measured { calls, per_second: calls as f64 / seconds, p50_us: quantile_us(&took, 50), p99_us: quantile_us(&took, 99) })
}

async fn caller(call: Call, until: Instant) -> anyhow::Result<Vec<u64>> {
    let mut took = Vec::new();
    while Instant::now() < until {
        let begun = Instant::now();
        call().await?;
        took.push(u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX));
    }
    Ok(took)
}

/// The value below which `percent` of `sorted` nanoseconds lie, in microseconds.
pub(crate) fn quantile_us(sorted: &[u64], percent: usize) -> f64 {
    let at = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
    sorted.get(at).map_or(0.0, |nanoseconds| *nanoseconds as f64 / 1000.0)
}

#[cfg(test)]
mod tests {
    use super::quantile_us;

    #[test]
    fn quantiles() {
        let sorted: Vec<u64> = (0..100).map(|n| n * 1000).collect();
        assert_eq!((quantile_us(&sorted, 50), quantile_us(&sorted, 99), quantile_us(&[], 50)), (50.0, 99.0, 0.0));
    }
}
