//! A seller's `pay` endpoint: takes acknowledgements, and closes channels when their payers wish it.

use hansa_economy::Amount;
use hansa_economy::call::{Refusal, RefusalCode};
use hansa_economy::channel::{Admission, ChannelId};

use crate::port::{PayReply, PayRequest};
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

async fn close(inner: &Inner, id: ChannelId) -> Result<(), String> {
    let found = inner.ledgers.channel(&inner.exchange, inner.key.public(), id).await;
    let channel = found.map_err(|refusal| refusal.message)?;
    redeem(inner, &channel).await.map_err(|error| error.message)?;
    inner.exchange.ledger().close(id, true, inner.key.clone()).await.map_err(|error| error.message)?;
    inner.ledgers.forget(id);
    Ok(())
}
