//! Deposits that many callers want raised at the same time.

use std::time::Duration;

use futures::future::join_all;
use hansa_host::Fault;

use super::bed::*;
use crate::buyer::{Buyer, Payer};

/// They used to hand the lock round among themselves for ever, so that none of them ever raised the deposit or was told that it cannot be.
#[tokio::test]
async fn of_many_that_find_it_short_each_is_served_or_told() {
    let bed = bed().await;
    let account = bed.ledger.account(&key(77), PRICE.saturating_mul(4));
    let buyer = Buyer::new(bed.exchange.clone(), Payer { account, key: key(77), asset: ASSET }).unwrap();
    bed.exchange.index().list(bed.seller.renew(&bed.offer).bytes(), bed.exchange.now_ms()).unwrap();
    let (order, terms) = bed.order();
    let listed = buyer.candidates(&order.service, &order.function, 1, &terms).unwrap()[0].listed.clone();
    let channel = buyer.inner.channel(&listed, PRICE).await.unwrap();
    let raising = channel.raising.lock().await;
    let caller = |_| {
        let (inner, channel) = (buyer.inner.clone(), channel.clone());
        tokio::spawn(async move { inner.lane(&channel, PRICE).await })
    };
    let callers: Vec<_> = (0..64).map(caller).collect();
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    drop(raising);
    let found = tokio::time::timeout(Duration::from_secs(20), join_all(callers)).await.expect("nobody waits for ever");
    let found: Vec<_> = found.into_iter().map(Result::unwrap).collect();
    assert_eq!(found.iter().filter(|lane| lane.is_ok()).count(), 4, "as many as there is money for");
    assert!(
        found.iter().all(|lane| lane.is_ok() || matches!(lane, Err(setback) if matches!(setback.fault, Fault::OverBudget(_))))
    );
}
