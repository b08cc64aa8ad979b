//! The seller's settlement: take acknowledgements, bring them to the ledger in the background, close when asked.

use std::sync::{Arc, Weak};

use hansa_economy::Amount;
use hansa_economy::call::{Refusal, RefusalCode};
use hansa_economy::channel::{Admission, ChannelId};

use crate::incoming::Incoming;
use crate::limits::{CLAIMS_MAX, REDEEM_AFTER};
use crate::port::{LaneClaim, PayReply, PayRequest};
use crate::proof;
use crate::seller::Inner;

/// Serve one message of a buyer.
pub(crate) async fn pay(inner: &Inner, request: PayRequest) -> PayReply {
    match request {
        PayRequest::Acknowledge(vouchers) => {
            let mut taken = 0;
            for voucher in &vouchers {
                match acknowledge(inner, voucher).await {
                    Ok(()) => taken += 1,
                    Err(refusal) => tracing::debug!(message = %refusal.message, "an acknowledgement was refused"),
                }
            }
            PayReply::Taken(taken)
        }
        PayRequest::Close(channel) => match close(inner, channel).await {
            Ok(()) => PayReply::Closed,
            Err(why) => PayReply::Refused(why),
        },
    }
}

async fn acknowledge(inner: &Inner, bytes: &[u8]) -> Result<(), Refusal> {
    let malformed = |error: hansa_economy::StatementError| Refusal::new(RefusalCode::Malformed, error.to_string());
    let read = proof::read_voucher(bytes).map_err(malformed)?;
    let channel = inner.ledgers.channel(&inner.exchange, inner.key.public(), read.body().channel).await?;
    let voucher = proof::check_voucher(read, &channel.payer, inner.exchange.heads()).map_err(malformed)?;
    channel.takes(&voucher)?;
    if voucher.body.prev_receipt.is_none() {
        return Err(Refusal::new(RefusalCode::Lane, "an acknowledgement names the receipt that it acknowledges"));
    }
    let lane = channel.lane(voucher.body.lane);
    let mut lane = lane.lock().await;
    match lane.credit.admit(&voucher, Amount::ZERO) {
        Ok(Admission::New) if voucher.body.call.is_none() => {
            lane.acknowledge(&voucher);
            lane.credit.take(&voucher, Amount::ZERO);
            inner.exchange.books().put_lane_in(channel.id, voucher.body.lane, lane.row()).await;
            Ok(())
        }
        Ok(_) => Err(Refusal::new(RefusalCode::Lane, "not an acknowledgement, or seen before")),
        Err(refusal) => Err(Refusal::new(RefusalCode::Lane, refusal.to_string())),
    }
}

/// Redeem on a timer until the seller is dropped.
pub(crate) async fn redeem_while_alive(inner: Weak<Inner>) {
    loop {
        tokio::time::sleep(REDEEM_AFTER).await;
        let Some(inner) = inner.upgrade() else {
            return;
        };
        redeem_all(&inner).await;
    }
}

/// Bring everything that is acknowledged to the ledger.
pub(crate) async fn redeem_all(inner: &Arc<Inner>) -> usize {
    for id in inner.ledgers.sleeping() {
        if let Err(refusal) = inner.ledgers.channel(&inner.exchange, inner.key.public(), id).await
            && refusal.code == RefusalCode::Channel
        {
            tracing::debug!(channel = %id, message = %refusal.message, "a channel of earlier days is not open any more");
            inner.ledgers.forget(id);
        }
    }
    let mut redeemed = 0;
    for channel in inner.ledgers.awake() {
        match redeem(inner, &channel).await {
            Ok(true) => redeemed += 1,
            Ok(false) => {}
            Err(why) => tracing::warn!(channel = %channel.id, why, "could not redeem; will try again"),
        }
    }
    redeemed
}

async fn redeem(inner: &Inner, channel: &Incoming) -> Result<bool, String> {
    let owed = claims(channel).await;
    for chunk in owed.chunks(CLAIMS_MAX) {
        let claims = chunk.iter().map(|(_, claim, _)| claim.clone()).collect();
        let done = inner.exchange.ledger().redeem(channel.id, claims, inner.key.clone()).await;
        done.map_err(|error| error.message)?;
        for (number, _, cumulative) in chunk {
            let lane = channel.lane(*number);
            let mut lane = lane.lock().await;
            lane.redeemed = lane.redeemed.max(*cumulative);
            inner.exchange.books().put_lane_in(channel.id, *number, lane.row()).await;
        }
    }
    Ok(!owed.is_empty())
}

/// What each lane at rest can claim. A lane that serves a call is left for the next round.
async fn claims(channel: &Incoming) -> Vec<(u32, LaneClaim, Amount)> {
    let mut owed = Vec::new();
    for (number, lane) in channel.lanes() {
        let Ok(lane) = lane.try_lock() else {
            continue;
        };
        if let Some(claim) = lane.owed() {
            let statement = LaneClaim { voucher: claim.voucher.to_vec(), receipt: claim.receipt.to_vec() };
            owed.push((number, statement, claim.cumulative));
        }
    }
    owed
}

async fn close(inner: &Inner, id: ChannelId) -> Result<(), String> {
    let found = inner.ledgers.channel(&inner.exchange, inner.key.public(), id).await;
    let channel = found.map_err(|refusal| refusal.message)?;
    redeem(inner, &channel).await?;
    inner.exchange.ledger().close(id, inner.key.clone()).await.map_err(|error| error.message)?;
    inner.ledgers.forget(id);
    Ok(())
}
