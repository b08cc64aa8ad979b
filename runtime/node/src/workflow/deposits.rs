//! Money of the till that lies in channels: it comes back when runs want it, or when no run buys through them any more.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::engine::Engine;
use super::summary::State;

/// How often is looked whether deposits are wanted.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// How long nothing was bought before channels that other engines opened are closed too; those that are there close theirs at once.
const OTHERS_AFTER: Duration = Duration::from_secs(10);
/// How often at most they are.
const OTHERS_EVERY: Duration = Duration::from_secs(30);

/// A purchase found the till short.
#[derive(Clone, Debug, Default)]
pub(super) struct Short(Arc<AtomicBool>);

impl Short {
    pub(super) fn say(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn heard(&self) -> bool {
        self.0.swap(false, Ordering::Relaxed)
    }
}

/// Bring deposits back while the engine is there.
pub(super) async fn bring_back(engine: Engine) {
    let (mut quiet_since, mut closed_others) = (None, None::<tokio::time::Instant>);
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let now = tokio::time::Instant::now();
        let (is_owed, is_quiet, is_alone) = standing(&engine);
        quiet_since = if is_owed && is_quiet { quiet_since.or(Some(now)) } else { None };
        let is_short = engine.inner.sellers.short.heard();
        if quiet_since.is_some() && !engine.inner.sellers.buyer.channels().await.is_empty() {
            engine.settle(true).await;
        }
        let lasts = quiet_since.is_some_and(|since: tokio::time::Instant| since.elapsed() > OTHERS_AFTER);
        let lately = closed_others.is_some_and(|at| at.elapsed() < OTHERS_EVERY);
        if (lasts || is_short && is_alone) && !lately {
            closed_others = Some(now);
            close_others(&engine).await;
        }
    }
}

/// Is what is left of some budget not back yet? Does no run buy? Is this the only engine?
fn standing(engine: &Engine) -> (bool, bool, bool) {
    let state = engine.state();
    let is_owed = state.known.values().any(|summary| summary.state.is_over() && !summary.settled);
    let is_quiet = !state.known.values().any(|summary| matches!(summary.state, State::Running | State::Undoing));
    (is_owed, is_quiet, state.alive.iter().all(|other| *other == engine.inner.name))
}

/// Close the channels that engines opened which are gone. Their sellers have the grace time to claim what they earned.
async fn close_others(engine: &Engine) {
    let till = &engine.inner.till;
    let own = engine.inner.sellers.buyer.channels().await;
    let open = match till.channels().await {
        Ok(open) => open,
        Err(why) => return tracing::warn!(why, "deposits that lie in channels cannot be looked for"),
    };
    for channel in open.into_iter().filter(|channel| !own.contains(channel)) {
        match till.close(channel).await {
            Ok(()) => tracing::info!(%channel, "the channel of an engine that is gone closes"),
            Err(error) => tracing::warn!(%channel, %error, "the channel of an engine that is gone could not be closed"),
        }
    }
}
