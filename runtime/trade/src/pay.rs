//! A seller's `pay` endpoint: takes acknowledgements, closes channels when their payers wish it, names prices and bids.

use hansa_economy::Amount;
use hansa_economy::call::{Refusal, RefusalCode};
use hansa_economy::channel::{Admission, LaneRefusal};
use hansa_economy::ledger::Reason;

use crate::port::{LedgerError, PayReply, PayRequest};
use crate::proof;
use crate::redeem::redeem;
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
        PayRequest::Quote(asked) => crate::quoting::quote(inner, asked).await,
        PayRequest::Tender(invitation) => crate::bidding::bid(inner, invitation).await,
        PayRequest::Open(opening) => crate::bidding::open(inner, &opening).await,
        PayRequest::Outcome(outcome) => crate::bidding::told(inner, &outcome),
        PayRequest::Close(wish) => close(inner, &wish).await.unwrap_or_else(PayReply::Refused),
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
        Err(refusal) => {
            if matches!(refusal, LaneRefusal::Equivocation(_)) && lane.freeze(&voucher) {
                inner.exchange.books().put_lane_in(channel.id, voucher.body.lane, lane.row()).await;
            }
            Err(Refusal::new(RefusalCode::Lane, refusal.to_string()))
        }
    }
}

/// The payer wishes the end. The payee gives it at once only where it has nothing left to claim: the end at once gives up all else.
async fn close(inner: &Inner, wish: &[u8]) -> Result<PayReply, String> {
    let wish = proof::read_close_wish(wish).map_err(|error| error.to_string())?;
    let found = inner.ledgers.channel(&inner.exchange, inner.key.public(), wish.body().channel).await;
    let channel = found.map_err(|refusal| refusal.message)?;
    let wish = wish.verify(&channel.payer, inner.exchange.heads()).map_err(|error| error.to_string())?;
    if wish.body.ledger != channel.terms.ledger {
        return Err("the wish is for a channel of another ledger".into());
    }
    if !channel.shut() {
        return Ok(PayReply::NotYet("calls are under way".into()));
    }
    let unacknowledged = channel.count(|lane| lane.unacknowledged().is_some()).await;
    if unacknowledged > 0 {
        return Ok(PayReply::NotYet(format!("the last receipts of {unacknowledged} lanes are not acknowledged")));
    }
    redeem(inner, &channel).await.map_err(|error| error.message)?;
    // A lane that was just being written is not among what was redeemed.
    if channel.count(|lane| lane.owed().is_some()).await > 0 {
        return Ok(PayReply::NotYet("claims are on their way to the ledger".into()));
    }
    match inner.exchange.ledger().close(channel.id, true, inner.key.clone()).await {
        Ok(_) | Err(LedgerError { reason: Some(Reason::ChannelFinal), .. }) => {}
        Err(error) => return Err(error.message),
    }
    inner.ledgers.forget(channel.id);
    Ok(PayReply::Closed)
}
