//! The world around one run: this node's clock, its sellers, the run's journal, the till.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use hansa_economy::Amount;
use hansa_workflow::run::{Bought, Certainty, Change, Lost, Missed, Offered, Purchase, Wanted, World};
use serde_json::Value;
use tokio::sync::OnceCell;

use super::files::Files;
use super::journal::Recorder;
use super::sellers::Sellers;
use super::till::Till;
use crate::ambient;

/// The longest sleep at once: a clock that was put forward is seen within it.
const SLEEP_MAX: Duration = Duration::from_secs(5);

/// The world.
pub(crate) struct RunWorld {
    pub(crate) run: String,
    pub(crate) recorder: Recorder,
    pub(crate) sellers: Sellers,
    pub(crate) till: Till,
    pub(crate) files: Files,
    pub(crate) budget: Amount,
    /// Has the budget moved into the till?
    pub(crate) drawn: Arc<OnceCell<()>>,
}

impl RunWorld {
    /// Before the first seller is paid, the budget moves into the till.
    async fn draw(&self) -> Result<(), Missed> {
        let drawn = self.drawn.get_or_try_init(async || {
            self.till.draw(&self.run).await.map_err(|what| Missed { what, certainty: Certainty::Nothing })?;
            self.recorder.note(Change::Drawn { nth: 1, amount: self.budget });
            Ok(())
        });
        drawn.await.copied()
    }
}

impl World for RunWorld {
    fn now_ms(&self) -> u64 {
        ambient::now_ms()
    }

    fn sleep_until(&self, at_ms: u64) -> BoxFuture<'_, ()> {
        let sleep = async move {
            loop {
                let left = at_ms.saturating_sub(ambient::now_ms());
                if left == 0 {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(left).min(SLEEP_MAX)).await;
            }
        };
        sleep.boxed()
    }

    fn offers<'a>(&'a self, wanted: &'a Wanted, args: &'a Value, most: Amount) -> BoxFuture<'a, Result<Vec<Offered>, Missed>> {
        self.sellers.offers(wanted, args, most).boxed()
    }

    fn buy<'a>(&'a self, purchase: Purchase<'a>) -> BoxFuture<'a, Result<Bought, Missed>> {
        let buy = async move {
            if purchase.offered.price_max > Amount::ZERO {
                self.draw().await?;
            }
            self.sellers.buy(purchase).await
        };
        buy.boxed()
    }

    fn workflow<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<String, String>> {
        self.files.newest(name).boxed()
    }

    fn record(&self, change: Change) -> BoxFuture<'_, Result<(), Lost>> {
        self.recorder.record(change).boxed()
    }

    fn note(&self, change: Change) {
        self.recorder.note(change);
    }
}
