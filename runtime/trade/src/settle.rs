//! The buyer's settlement: acknowledge receipts of lanes at rest, close channels.

use std::sync::{Arc, Weak};

use hansa_economy::channel::CloseWish;
use hansa_economy::ledger::Reason;
use hansa_economy::{Amount, Signed};
use minicbor::bytes::ByteVec;

use crate::buyer::Inner;
use crate::exchange::pay_subject;
use crate::limits::{ACKNOWLEDGE_EVERY, ACKNOWLEDGEMENTS_MAX, CLOSE_AGAIN, CLOSE_TRIES, SETTLE_TIMEOUT};
use crate::outgoing::{Lease, Outgoing};
use crate::port::{LedgerError, PayReply, PayRequest};
use crate::seller::encode;

/// Acknowledge on a timer until the buyer is dropped.
pub(crate) async fn acknowledge_while_alive(inner: Weak<Inner>) {
    loop {
        tokio::time::sleep(ACKNOWLEDGE_EVERY).await;
        let Some(inner) = inner.upgrade() else {
            return;
        };
        acknowledge_all(&inner).await;
    }
}

/// Acknowledge every receipt of lanes at rest.
pub(crate) async fn acknowledge_all(inner: &Inner) -> usize {
    let mut done = 0;
    for channel in inner.open_channels().await {
        done += acknowledge(inner, &channel).await;
    }
    done
}

async fn acknowledge(inner: &Inner, channel: &Arc<Outgoing>) -> usize {
    let leases = channel.take_unacknowledged(ACKNOWLEDGEMENTS_MAX);
    if leases.is_empty() {
        return 0;
    }
    let vouched = futures::future::join_all(leases.into_iter().map(|lease| vouch(inner, lease))).await;
    let (vouchers, leases): (Vec<ByteVec>, Vec<Lease>) = vouched.into_iter().unzip();
    let count = vouchers.len();
    match ask(inner, channel, &PayRequest::Acknowledge(vouchers)).await {
        Some(PayReply::Taken(taken)) if taken as usize == count => {
            for lease in leases {
                inner.exchange.books().put_lane_out(channel.id, lease.lane.number, &lease.lane.row()).await;
            }
            count
        }
        // The seller is away, or took only some: sign again next time, with a higher number.
        _ => {
            leases.into_iter().for_each(Lease::not_acknowledged);
            0
        }
    }
}

async fn vouch(inner: &Inner, mut lease: Lease) -> (ByteVec, Lease) {
    let lane = &mut lease.lane;
    let voucher = lane.debit.next(&lease.channel.terms, lease.channel.id, lane.number, Amount::ZERO, None);
    lane.debit.signed(&voucher);
    let signed = inner.signatory.vouch(voucher).await;
    (signed.bytes().to_vec().into(), lease)
}

/// Close every channel: by the seller at once, or one-sided where it does not do it.
pub(crate) async fn close_all(inner: &Inner) -> usize {
    let channels = inner.open_channels().await;
    for channel in &channels {
        channel.close();
        if close_by_seller(inner, channel).await || close_alone(inner, channel).await {
            inner.forget(channel).await;
        }
    }
    channels.len()
}

/// The seller ends a channel at once when nothing is under way in it and everything is acknowledged.
async fn close_by_seller(inner: &Inner, channel: &Arc<Outgoing>) -> bool {
    let wish = CloseWish { ledger: channel.terms.ledger, channel: channel.id };
    let wish = PayRequest::Close(Signed::new(wish, &inner.payer.key).bytes().to_vec().into());
    for nth in 0..CLOSE_TRIES {
        if nth > 0 {
            tokio::time::sleep(CLOSE_AGAIN).await;
        }
        acknowledge(inner, channel).await;
        match ask(inner, channel, &wish).await {
            Some(PayReply::Closed) => return true,
            Some(PayReply::NotYet(why)) => tracing::debug!(channel = %channel.id, why, "the seller does not close yet"),
            _ => return false,
        }
    }
    false
}

/// The rest of the deposit returns after the grace time, in which the seller can claim.
async fn close_alone(inner: &Inner, channel: &Outgoing) -> bool {
    match inner.exchange.ledger().close(channel.id, false, inner.payer.key.clone()).await {
        // The seller's answer may have been lost.
        Ok(_) | Err(LedgerError { reason: Some(Reason::ChannelClosing | Reason::ChannelFinal), .. }) => true,
        Err(error) => {
            tracing::warn!(channel = %channel.id, %error, "the channel could not be closed; its deposit stays locked until it is");
            false
        }
    }
}

async fn ask(inner: &Inner, channel: &Outgoing, request: &PayRequest) -> Option<PayReply> {
    let payload = encode(request);
    let agent = &channel.terms.payee_key;
    let reply = match inner.exchange.seller_here(agent) {
        Some(seller) => seller.pay_bytes(&payload).await.ok()?,
        None => inner.exchange.bus().request(&pay_subject(agent), payload, SETTLE_TIMEOUT).await.ok()?,
    };
    minicbor::decode(&reply).ok()
}
