//! One attempt to buy one call of one seller: vouch, carry the request, check what comes back, go on after a lost state.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use hansa_bus::RequestError;
use hansa_economy::call::{CallReply, CallRequest, Refusal, RefusalCode, response_digest};
use hansa_economy::channel::{CallId, LaneDebit, Voucher};
use hansa_economy::receipt::{Ending, Receipt};
use hansa_economy::{Amount, Digest, Signed};
use hansa_host::{Fault, is_fault};

use crate::asking::HeldQuote;
use crate::buyer::{Bought, Inner, Order};
use crate::exchange::pay_subject;
use crate::index::Listed;
use crate::limits::{ENVELOPE_BYTES, PROBE_EVERY, SETTLE_TIMEOUT};
use crate::named::Named;
use crate::outgoing::{Lane, Lease, Outgoing};
use crate::port::PayRequest;
use crate::proof;
use crate::recovery::{Misfit, Unanswered, judge};
use crate::seller::{encode, encode_sized};
use crate::tariff::Answered;

/// One call as it is meant, one after the lane was put right, and one after the deposit was.
const ROUNDS: usize = 3;

/// What came of one attempt that did not give an answer.
#[derive(Clone, Debug)]
pub struct Setback {
    /// Why.
    pub fault: Fault,
    /// What it may have done all the same.
    pub effect: Effect,
}

impl Setback {
    /// May another seller be asked without the danger of doing it twice?
    pub fn no_effect(&self) -> bool {
        self.effect == Effect::None
    }
}

/// What a call may have done that gave no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Nothing: it has not run.
    None,
    /// It ran and broke on the way, as its receipt says, or its reply where it is free: it costs nothing, and a repeat brings the same.
    Broke,
    /// Nobody knows: it may have run, and been charged.
    Unclear,
}

/// One call to one seller.
pub(crate) struct Attempt<'a> {
    pub(crate) inner: &'a Inner,
    pub(crate) order: &'a Order,
    pub(crate) listed: &'a Listed,
    pub(crate) price_max: Amount,
    pub(crate) quote: Option<&'a HeldQuote>,
    pub(crate) call: CallId,
    pub(crate) until_ms: u64,
    /// Where the call may be repeated by its id.
    pub(crate) named: Option<&'a Named>,
}

impl Attempt<'_> {
    pub(crate) async fn run(&self) -> Result<Bought, Setback> {
        if self.price_max == Amount::ZERO {
            return self.free().await;
        }
        let channel = self.inner.channel(self.listed, self.price_max).await?;
        match self.through(&channel).await {
            // The seller had it closed, and it told us only now: once more, in another.
            Err(setback) if setback.no_effect() && channel.is_ended() => {
                self.through(&self.inner.channel(self.listed, self.price_max).await?).await
            }
            other => other,
        }
    }

    async fn through(&self, channel: &Arc<Outgoing>) -> Result<Bought, Setback> {
        let mut lease = self.lane(channel).await?;
        for _ in 0..ROUNDS {
            let (request, voucher) = self.vouched(&mut lease).await;
            let sent = Instant::now();
            match self.exchange(&request).await {
                Ok(CallReply::Refused(refusal)) => {
                    lease.lane.refused(&voucher);
                    if refusal.code == RefusalCode::DepositShort && channel.believe_spent() {
                        self.rest(lease).await;
                        lease = self.lane(channel).await?;
                        continue;
                    }
                    if refusal.code != RefusalCode::Lane {
                        self.rest(lease).await;
                        return Err(self.refused(channel, refusal).await);
                    }
                    match self.recover(&mut lease, &refusal) {
                        Ok(None) => {}
                        // It is owed now. A seller that goes back to it after another crash must find that we have it.
                        Ok(Some(receipt)) => {
                            self.inner.exchange.books().put_receipt(receipt.digest(), receipt.bytes().to_vec()).await;
                        }
                        Err(misfit) => {
                            lease.abandon();
                            return Err(match misfit {
                                Misfit::Unknown => self.setback(refusal),
                                Misfit::False(what) => self.broken(what),
                            });
                        }
                    }
                }
                Ok(CallReply::Answered(answer, receipt)) => {
                    let answer = Answer { value: Ok(answer.0), waited_ms: milliseconds(sent) };
                    return self.settle(lease, &request, &voucher, answer, receipt.map(Vec::from)).await;
                }
                Ok(CallReply::Broke(message, receipt)) => {
                    let answer = Answer { value: Err(message), waited_ms: milliseconds(sent) };
                    return self.settle(lease, &request, &voucher, answer, receipt.map(Vec::from)).await;
                }
                Ok(CallReply::Repeated(reply)) => {
                    lease.lane.refused(&voucher);
                    self.rest(lease).await;
                    return self.repeated(&reply.0).await;
                }
                Err(setback) => {
                    self.rest(lease).await;
                    return Err(setback);
                }
            }
        }
        lease.abandon();
        Err(Setback {
            fault: Fault::Unavailable("the seller and this node disagree about a lane; it is left alone, try again".into()),
            effect: Effect::None,
        })
    }

    async fn lane(&self, channel: &Arc<Outgoing>) -> Result<Lease, Setback> {
        let lane = tokio::time::timeout(self.left(), self.inner.lane(channel, self.price_max)).await;
        lane.map_err(|_| self.crowded())?
    }

    fn left(&self) -> Duration {
        Duration::from_millis(self.until_ms.saturating_sub(self.inner.exchange.now_ms()))
    }

    fn crowded(&self) -> Setback {
        let message =
            format!("every lane to {} was taken until the deadline; make fewer calls at once", self.listed.offer.package);
        Setback { fault: Fault::Unavailable(message), effect: Effect::None }
    }

    fn request(&self) -> CallRequest {
        CallRequest {
            call: self.call,
            service: self.listed.offer.service.clone(),
            function: self.order.function.clone(),
            args: self.order.args.clone().into(),
            deadline_ms: self.until_ms,
            salt: match (self.quote, self.named) {
                (Some(held), _) => held.salt.clone(),
                (None, Some(named)) => named.salt.to_vec().into(),
                (None, None) => self.inner.exchange.ambient().bytes::<16>().to_vec().into(),
            },
            offer: self.listed.digest,
            voucher: None,
            trace: None,
            quote: self.quote.map(|held| held.quote.bytes().to_vec().into()),
            keep_s: self.named.map(|named| named.keep_s),
        }
    }

    async fn vouched(&self, lease: &mut Lease) -> (CallRequest, Voucher) {
        let mut request = self.request();
        let (channel, lane) = (&lease.channel, &mut lease.lane);
        let voucher =
            lane.debit.next(&channel.terms, channel.id, lane.number, self.price_max, Some((self.call, request.digest())));
        lane.debit.signed(&voucher);
        let (offer, component) = (self.listed.digest, self.listed.offer.component);
        lane.sent(Unanswered { voucher: voucher.clone(), price_max: self.price_max, offer, component });
        let signed = self.inner.signatory.vouch(voucher).await;
        request.voucher = Some(signed.bytes().to_vec().into());
        (request, signed.body)
    }

    /// Carry the request to the seller: straight where it lives on this node, else over the bus.
    async fn exchange(&self, request: &CallRequest) -> Result<CallReply, Setback> {
        let left = self.left();
        let started = Instant::now();
        let reply = match self.inner.exchange.seller_here(&self.listed.offer.agent) {
            Some(seller) => tokio::time::timeout(left, seller.call(request)).await.map_err(|_| self.silent())?,
            None => self.over_the_bus(request, left).await?,
        };
        if matches!(reply, CallReply::Answered(..)) {
            let took_ms = u32::try_from(started.elapsed().as_millis()).unwrap_or(u32::MAX);
            self.inner.exchange.index().note_latency(self.listed.offer.agent, &self.listed.offer.service, took_ms);
        }
        Ok(reply)
    }

    async fn over_the_bus(&self, request: &CallRequest, left: Duration) -> Result<CallReply, Setback> {
        let payload = encode_sized(request, request.args.len() + ENVELOPE_BYTES).into();
        let answered = tokio::select! {
            biased;
            answered = self.inner.exchange.bus().request(&self.listed.call_subject, payload, left) => answered,
            () = self.vanished() => return Err(self.gone()),
        };
        let bytes = answered.map_err(|error| match error {
            RequestError::Timeout { .. } => self.silent(),
            error => Setback {
                fault: unreachable_fault(&error),
                effect: if error.may_have_taken_effect() { Effect::Unclear } else { Effect::None },
            },
        })?;
        CallReply::read(&bytes).map_err(|error| self.broken(format!("its reply is no reply: {error}")))
    }

    /// Ends when the seller is found to listen no more: its process died, so no answer will come.
    async fn vanished(&self) {
        loop {
            tokio::time::sleep(PROBE_EVERY).await;
            let nothing = encode(&PayRequest::Acknowledge(Vec::new()));
            let asked = self.inner.exchange.bus().request(&pay_subject(&self.listed.offer.agent), nothing, SETTLE_TIMEOUT).await;
            if matches!(asked, Err(RequestError::NoResponders { .. })) {
                return;
            }
        }
    }

    fn gone(&self) -> Setback {
        let message = format!("{} on node {} went away during the call", self.listed.offer.package, self.listed.offer.node_name);
        Setback { fault: Fault::Deadline(message), effect: Effect::Unclear }
    }

    fn silent(&self) -> Setback {
        let message = format!("no answer from {} on node {} in time", self.listed.offer.package, self.listed.offer.node_name);
        Setback { fault: Fault::Deadline(message), effect: Effect::Unclear }
    }

    /// The seller broke its word: leave it aside, and say what it did.
    pub(crate) fn broken(&self, what: String) -> Setback {
        let offer = &self.listed.offer;
        tracing::warn!(seller = %offer.agent, package = %offer.package, %what, "a seller broke its word");
        self.inner.exchange.distrust(offer.agent);
        Setback {
            fault: Fault::SellerFailed(format!("{} on node {}: {what}", offer.package, offer.node_name)),
            effect: Effect::Unclear,
        }
    }

    /// The seller showed our own newest voucher, and its last receipt: go on from there. The receipt, where we did not have it.
    fn recover(&self, lease: &mut Lease, refusal: &Refusal) -> Result<Option<Signed<Receipt>>, Misfit> {
        let (channel, lane) = (&lease.channel, &mut lease.lane);
        let Some(voucher) = refusal.newest_voucher.as_ref() else {
            // It has lost this lane altogether, and with it what it could claim.
            lane.debit = LaneDebit { seq: lane.debit.seq, cumulative_max: lane.debit.cumulative_max, ..LaneDebit::default() };
            return Ok(None);
        };
        let (ours, heads) = (self.inner.payer.key.verifier(), self.inner.exchange.heads());
        let read = proof::read_voucher(voucher).and_then(|voucher| proof::check_voucher(voucher, &ours, heads));
        let voucher = read.map_err(|_| Misfit::Unknown)?.body;
        if voucher.channel != channel.id || voucher.lane != lane.number {
            return Err(Misfit::Unknown);
        }
        let receipt = match &refusal.newest_receipt {
            Some(bytes) => Some(self.shown(lane, &voucher, bytes)?),
            None if voucher.prev_receipt.is_some() => return Err(Misfit::Unknown),
            None => None,
        };
        // It may show an old voucher of ours; never sign below our own high-water mark.
        let (seq, cumulative_max) = (lane.debit.seq.max(voucher.seq), lane.debit.cumulative_max.max(voucher.cumulative_max));
        lane.debit = LaneDebit::default();
        lane.debit.recover(&voucher, receipt.as_ref().map(|receipt| (&receipt.body, receipt.digest())));
        (lane.debit.seq, lane.debit.cumulative_max) = (seq, cumulative_max);
        let Some(receipt) = receipt else { return Ok(None) };
        lane.known(receipt.body.seq);
        Ok(Some(receipt).filter(|receipt| !self.has(receipt.digest())))
    }

    fn has(&self, receipt: Digest) -> bool {
        self.inner.exchange.books().receipt(receipt).is_ok_and(|row| row.is_some())
    }

    /// A receipt that comes with a refusal.
    fn shown(&self, lane: &Lane, voucher: &Voucher, bytes: &[u8]) -> Result<Signed<Receipt>, Misfit> {
        let receipt = proof::check_receipt(bytes, &self.listed.verifier, self.inner.exchange.heads());
        let receipt = receipt.map_err(|error| Misfit::False(format!("the receipt that it shows is not valid: {error}")))?;
        let digest = receipt.digest();
        let known = lane.debit.last_receipt == Some(digest) || self.has(digest);
        let parties = (self.inner.payer.key.public(), self.listed.offer.agent);
        judge(lane, voucher, &receipt, known, parties).map(|()| receipt)
    }

    async fn refused(&self, channel: &Outgoing, refusal: Refusal) -> Setback {
        match refusal.code {
            RefusalCode::Channel => self.inner.give_up(channel).await,
            // Our offer is out of date; the index will have the present one in a moment.
            RefusalCode::OfferChanged => tracing::debug!("the offer changed under the call"),
            _ => {}
        }
        self.setback(refusal)
    }

    /// It did not run now. A repeat may have run before, unless the seller says that it did not.
    fn setback(&self, refusal: Refusal) -> Setback {
        let never_ran = refusal.never_ran == Some(true);
        let setback = refusal_setback(refusal);
        let is_repeat = self.named.is_some_and(|named| named.is_repeat);
        let effect = if never_ran || !is_repeat { setback.effect } else { Effect::Unclear };
        Setback { effect, ..setback }
    }

    /// Put the lane back as it is now, on disk too.
    async fn rest(&self, lease: Lease) {
        self.inner.exchange.books().put_lane_out(lease.channel.id, lease.lane.number, &lease.lane.row()).await;
    }

    async fn settle(
        &self,
        mut lease: Lease,
        request: &CallRequest,
        voucher: &Voucher,
        answer: Answer,
        receipt: Option<Vec<u8>>,
    ) -> Result<Bought, Setback> {
        let receipt = match self.checked(&lease.lane, request, voucher, &answer, receipt) {
            Ok(receipt) => receipt,
            Err(what) => {
                lease.abandon();
                return Err(self.broken(what));
            }
        };
        if let Ok(answer) = &answer.value
            && let Err(what) = (self.order.fits)(answer)
        {
            lease.abandon();
            return Err(self.broken(format!("its answer does not fit the interface: {what}")));
        }
        let digest = receipt.digest();
        lease.lane.debit.settle(&receipt.body, digest);
        lease.lane.known(receipt.body.seq);
        self.inner.exchange.books().put_receipt(digest, receipt.bytes().to_vec()).await;
        self.rest(lease).await;
        let charged = receipt.body.charged;
        match answer.value {
            Ok(answer) => Ok(Bought { answer, receipt: Some(digest), charged, seller: self.listed.offer.agent }),
            Err(message) => {
                let message = format!("{} on node {}: {message}", self.listed.offer.package, self.listed.offer.node_name);
                Err(Setback { fault: Fault::SellerFailed(message), effect: Effect::Broke })
            }
        }
    }

    /// The receipt, if it says what happened and charges no more than was agreed.
    fn checked(
        &self,
        lane: &Lane,
        request: &CallRequest,
        voucher: &Voucher,
        answer: &Answer,
        receipt: Option<Vec<u8>>,
    ) -> Result<Signed<Receipt>, String> {
        let bytes = receipt.ok_or("it gave no receipt")?;
        let receipt = proof::check_receipt(&bytes, &self.listed.verifier, self.inner.exchange.heads())
            .map_err(|error| format!("its receipt is not valid: {error}"))?;
        let agreed = self.agreed(request, answer, &receipt.body)?;
        lane.debit.check(voucher, &receipt.body, agreed).map_err(|refusal| refusal.to_string())?;
        let body = &receipt.body;
        let answered = match (&answer.value, &body.ending) {
            (Ok(answer), Ending::Answered(digest)) => *digest == response_digest(&request.salt, answer),
            (Err(_), Ending::Faulted(_)) => true,
            _ => false,
        };
        let parties = body.buyer == self.inner.payer.key.public()
            && body.seller == self.listed.offer.agent
            && body.offer == self.listed.digest;
        match answered && parties && body.component == self.listed.offer.component {
            true => Ok(receipt),
            false => Err("its receipt speaks of another answer, offer or component".into()),
        }
    }

    /// The most that `receipt` may charge: what follows from the offer or the quote and from what it states; nothing for a fault.
    fn agreed(&self, request: &CallRequest, answer: &Answer, receipt: &Receipt) -> Result<Amount, String> {
        let Some(value) = answer.value.as_ref().ok().filter(|value| !is_fault(value)) else {
            return Ok(Amount::ZERO);
        };
        let answered = Answered {
            offer: &self.listed.offer,
            function: &self.order.function,
            quote: self.quote.map(|held| &held.quote),
            request_bytes: request.args.len(),
            response_bytes: value.len(),
        };
        answered.agreed(receipt, answer.waited_ms)
    }

    async fn free(&self) -> Result<Bought, Setback> {
        match self.exchange(&self.request()).await? {
            CallReply::Answered(answer, _) => {
                let answer = answer.0;
                (self.order.fits)(&answer)
                    .map_err(|what| self.broken(format!("its answer does not fit the interface: {what}")))?;
                Ok(Bought { answer, receipt: None, charged: Amount::ZERO, seller: self.listed.offer.agent })
            }
            CallReply::Broke(message, _) => Err(Setback { fault: Fault::SellerFailed(message), effect: Effect::Broke }),
            CallReply::Refused(refusal) => Err(self.setback(refusal)),
            CallReply::Repeated(reply) => self.repeated(&reply.0).await,
        }
    }
}

/// What came back.
struct Answer {
    /// The answer, or why there is none.
    value: Result<Bytes, String>,
    /// From the request to it.
    waited_ms: u64,
}

fn milliseconds(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}

fn refusal_setback(refusal: Refusal) -> Setback {
    let fault = match refusal.code {
        RefusalCode::Forgotten => Fault::SellerFailed(refusal.message),
        RefusalCode::Arguments => Fault::InvalidInput(refusal.message),
        RefusalCode::Deadline => Fault::Deadline(refusal.message),
        code if code.may_pass() => Fault::Unavailable(refusal.message),
        _ => Fault::Refused(refusal.message),
    };
    let effect = if refusal.code == RefusalCode::Forgotten { Effect::Unclear } else { Effect::None };
    Setback { fault, effect }
}

fn unreachable_fault(error: &RequestError) -> Fault {
    match error {
        RequestError::TooLarge { .. } => Fault::InvalidInput(error.to_string()),
        _ => Fault::Unavailable(error.to_string()),
    }
}
