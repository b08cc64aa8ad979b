//! Selling: check the voucher, reserve, run once, charge what is due, give a receipt; keep the reply for a retry.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use hansa_economy::call::{CallReply, CallRequest, Refusal, RefusalCode, response_digest};
use hansa_economy::channel::{Admission, LaneCredit, LaneRefusal, Voucher};
use hansa_economy::limits::{FAULT_MESSAGE_BYTES_MAX, RECEIPT_CHILDREN_MAX, RECEIPT_MODELS_MAX};
use hansa_economy::offer::Offer;
use hansa_economy::quote::Quote;
use hansa_economy::receipt::{Ending, Metered, Receipt};
use hansa_economy::{Amount, Digest, Keypair, PublicKey, Signed, Verifier};
use hansa_host::{Fault, is_fault};
use tokio::sync::Semaphore;

use crate::bidding::Bids;
use crate::books::{Counted, Customer, customer, kept_key};
use crate::exchange::Exchange;
use crate::incoming::{Incoming, IncomingLane, Ledgers};
use crate::kept::{KeptCalls, Known, Place};
use crate::limits::{ENVELOPE_BYTES, OFFER_LIFE, OFFER_VERSIONS_KEPT, QUOTES_AT_ONCE, STORED_REPLY_BYTES_MAX};
use crate::port::{Done, Ended, Job, PayReply, PayRequest, Serve};
use crate::proof::{self, Signatory};
use crate::quoting::declined;
use crate::redeem::Haste;
use crate::tariff::Answered;

/// Sells the services of one agent. Cheap to clone.
#[derive(Clone)]
pub struct Seller {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) exchange: Exchange,
    pub(crate) key: Arc<Keypair>,
    signatory: Signatory,
    pub(crate) serve: Arc<dyn Serve>,
    /// The key, ready to verify its own quotes with.
    pub(crate) verifier: Verifier,
    /// Places for working out prices.
    pub(crate) quoting: Semaphore,
    /// Bids in tenders that are open.
    pub(crate) bids: Bids,
    /// Calls that run and whose replies are to be kept.
    kept: KeptCalls,
    /// Offers that are honoured, newest first, by digest.
    offers: Mutex<VecDeque<(Digest, Arc<Offer>)>>,
    places: HashMap<String, Arc<Semaphore>>,
    pub(crate) ledgers: Ledgers,
}

/// An offer without what changes at each renewal.
pub type OfferTerms = Offer;

impl Seller {
    /// A seller for the agent with `key`. `offers` are its offers, one for each service; [`Seller::renew`] signs them.
    /// Call inside a tokio runtime: it redeems in the background for as long as it lives.
    pub fn new(
        exchange: Exchange,
        key: Arc<Keypair>,
        offers: &[OfferTerms],
        serve: Arc<dyn Serve>,
    ) -> Result<Seller, crate::BooksError> {
        let places =
            offers.iter().map(|offer| (offer.service.clone(), Arc::new(Semaphore::new(offer.bounds.concurrency as usize))));
        let inner = Arc::new(Inner {
            ledgers: Ledgers::load(&exchange, key.public(), offers.iter().map(|offer| offer.account).collect())?,
            places: places.collect(),
            offers: Mutex::default(),
            signatory: Signatory::new(key.clone()),
            verifier: key.verifier(),
            quoting: Semaphore::new(QUOTES_AT_ONCE),
            bids: Bids::default(),
            kept: KeptCalls::default(),
            key: key.clone(),
            serve,
            exchange: exchange.clone(),
        });
        let seller = Seller { inner: inner.clone() };
        exchange.add_seller(key.public(), seller.clone());
        tokio::spawn(crate::redeem::redeem_while_alive(Arc::downgrade(&inner)));
        Ok(seller)
    }

    /// Sign `offer` anew, good for another [`OFFER_LIFE`] from now; the versions before stay honoured until they expire.
    pub fn renew(&self, offer: &OfferTerms) -> Signed<Offer> {
        let now = self.inner.exchange.now_ms();
        let offer = Offer { valid_until_ms: now + OFFER_LIFE.as_millis() as u64, revision: now, ..offer.clone() };
        let signed = Signed::new(offer, &self.inner.key);
        let mut offers = self.inner.offers.lock().expect("no panic while offers are locked");
        offers.push_front((signed.digest(), Arc::new(signed.body.clone())));
        offers.truncate(OFFER_VERSIONS_KEPT * self.inner.places.len().max(1));
        signed
    }

    /// The agent's key.
    pub fn agent(&self) -> PublicKey {
        self.inner.key.public()
    }

    /// Serve one encoded request. Error: it is not a request.
    pub async fn call_bytes(&self, payload: &Bytes) -> Result<Bytes, String> {
        let request = CallRequest::read(payload).map_err(|error| format!("not a call request: {error}"))?;
        Ok(match self.inner.serve_call(&request).await {
            Ok(Served { encoded: Some(encoded), .. }) => encoded,
            Ok(Served { reply, .. }) => encode(&reply),
            Err(refusal) => encode(&<CallReply>::Refused(refusal)),
        })
    }

    /// Serve one request. What is refused had no effect.
    pub async fn call(&self, request: &CallRequest) -> CallReply {
        match self.inner.serve_call(request).await {
            Ok(served) => served.reply,
            Err(refusal) => CallReply::Refused(refusal),
        }
    }

    /// Serve one encoded message on the `pay` endpoint.
    pub async fn pay_bytes(&self, payload: &[u8]) -> Result<Bytes, String> {
        let request = minicbor::decode(payload).map_err(|error| format!("not a payment message: {error}"))?;
        Ok(encode(&self.pay(request).await))
    }

    /// Serve one message of the `pay` endpoint.
    pub(crate) async fn pay(&self, request: PayRequest) -> PayReply {
        crate::pay::pay(&self.inner, request).await
    }

    /// How many more prices may be asked for now.
    #[cfg(test)]
    pub(crate) fn places_for_prices(&self) -> usize {
        self.inner.quoting.available_permits()
    }

    /// Redeem everything that is acknowledged, now. Returns how many channels were brought to the ledger.
    pub async fn redeem(&self) -> usize {
        crate::redeem::redeem_all(&self.inner, Haste::Now).await
    }
}

/// A reply, and its bytes where they were made already, to be kept for a retry.
struct Served {
    reply: CallReply,
    encoded: Option<Bytes>,
}

/// A call that may be run.
struct Admitted<'a> {
    inner: &'a Inner,
    request: &'a CallRequest,
    offer: Arc<Offer>,
    price_max: Amount,
    quote: Option<Signed<Quote>>,
    paid: Option<Paid>,
    deadline_ms: u64,
    /// Where the reply is to be kept.
    place: Option<&'a Place>,
}

/// What an answer costs.
#[derive(Default)]
struct Bill {
    charged: Amount,
    /// What it was computed from.
    metered: Option<Metered>,
    /// The customer's count, where it matters.
    counted: Option<Counted>,
}

/// Where it is paid from.
struct Paid {
    channel: Arc<Incoming>,
    lane: Arc<tokio::sync::Mutex<IncomingLane>>,
    voucher: Signed<Voucher>,
}

impl Inner {
    async fn serve_call(&self, request: &CallRequest) -> Result<Served, Refusal> {
        let Some(keep_s) = request.keep_s else { return self.serve_once(request, None, None).await };
        let paid = if request.voucher.is_some() { Some(self.paid(request).await?) } else { None };
        let key = kept_key(self.key.public(), paid.as_ref().map(|paid| paid.voucher.signer), request.call);
        match self.kept.enter(self.exchange.books(), key, self.exchange.now_ms(), keep_s).await? {
            Known::Reply(reply) => Ok(Served { reply: CallReply::Repeated(reply.into()), encoded: None }),
            Known::New(place) => {
                let served = self.serve_once(request, paid, Some(&place)).await;
                served.map_err(|refusal| Refusal { never_ran: Some(true), ..refusal })
            }
        }
    }

    /// Serve a call that is not known by its id. `paid`: where its voucher was looked at already.
    async fn serve_once(&self, request: &CallRequest, paid: Option<Paid>, place: Option<&Place>) -> Result<Served, Refusal> {
        let offer = self.offer(request)?;
        let price = offer.functions.get(&request.function).ok_or_else(|| not_sold(request))?;
        let quote = crate::quoting::accepted(self, request, price)?;
        let price_max = quote.as_ref().map_or_else(|| price.ceiling(request.args.len()), |quote| quote.body.price);
        self.check_arguments(request, &offer)?;
        let deadline_ms = self.deadline(request, &offer)?;
        let places = self.places.get(&offer.service).ok_or_else(|| not_sold(request))?.clone();
        if price_max == Amount::ZERO {
            let _running = places.try_acquire().map_err(|_| overloaded())?;
            let admitted = Admitted { inner: self, request, offer, price_max, quote, paid: None, deadline_ms, place };
            return Ok(admitted.run_free().await);
        }
        let paid = match paid {
            Some(paid) => paid,
            None => self.paid(request).await?,
        };
        if quote.as_ref().is_some_and(|quote| !quote.body.is_open_to(paid.voucher.signer)) {
            return Err(declined("the bid was made to another buyer; put the call out yourself"));
        }
        // The lane stays locked while its call runs: a repeat of the same voucher waits here and then gets the stored reply.
        let lane = paid.lane.clone();
        let mut lane = lane.lock().await;
        if let Some(reply) = self.admit(&paid, &mut lane, request, price_max).await? {
            return Ok(Served { reply, encoded: None });
        }
        let Ok(_running) = places.try_acquire() else {
            return Err(overloaded());
        };
        self.reserve(&paid.channel, price_max).await?;
        lane.credit.take(&paid.voucher, price_max);
        let admitted = Admitted { inner: self, request, offer, price_max, quote, paid: Some(paid), deadline_ms, place };
        Ok(admitted.run_paid(&mut lane).await)
    }

    /// Set `price_max` aside; where it does not fit, the payer may have topped up meanwhile.
    async fn reserve(&self, channel: &Incoming, price_max: Amount) -> Result<(), Refusal> {
        match channel.reserve(price_max) {
            Err(refusal) if refusal.code == RefusalCode::DepositShort => {}
            other => return other,
        }
        channel.refresh(&self.exchange).await?;
        channel.taken()?;
        channel.reserve(price_max)
    }

    /// The offer that the buyer accepted, if it is still honoured.
    pub(crate) fn offer(&self, request: &CallRequest) -> Result<Arc<Offer>, Refusal> {
        let now = self.exchange.now_ms();
        let offers = self.offers.lock().expect("no panic while offers are locked");
        let found = offers.iter().find(|(digest, offer)| *digest == request.offer && offer.valid_until_ms > now);
        match found {
            Some((_, offer)) if offer.service == request.service => Ok(offer.clone()),
            Some(_) => Err(not_sold(request)),
            None if offers.iter().any(|(_, offer)| offer.service == request.service) => {
                Err(Refusal::new(RefusalCode::OfferChanged, "that offer is no longer made; look at the present one"))
            }
            None => Err(not_sold(request)),
        }
    }

    pub(crate) fn check_arguments(&self, request: &CallRequest, offer: &Offer) -> Result<(), Refusal> {
        let (size, most) = (request.args.len() as u64, offer.bounds.request_bytes_max);
        if size > most {
            let message = format!("the arguments have {size} bytes, this seller takes at most {most}; send less at a time");
            return Err(Refusal::new(RefusalCode::Arguments, message));
        }
        let checked = self.serve.check(&request.service, &request.function, &request.args);
        checked.map_err(|what| Refusal::new(RefusalCode::Arguments, what))
    }

    /// When this call has to end: the buyer's deadline, but no later than the offer allows.
    fn deadline(&self, request: &CallRequest, offer: &Offer) -> Result<u64, Refusal> {
        let now = self.exchange.now_ms();
        if request.deadline_ms <= now {
            return Err(Refusal::new(RefusalCode::Deadline, "the deadline had passed when the call arrived; is a clock wrong?"));
        }
        Ok(request.deadline_ms.min(now + u64::from(offer.bounds.deadline_ms_max)))
    }

    async fn paid(&self, request: &CallRequest) -> Result<Paid, Refusal> {
        let bytes = request
            .voucher
            .as_ref()
            .ok_or_else(|| Refusal::new(RefusalCode::PaymentNeeded, "this function costs something, and there is no voucher"))?;
        let read = proof::read_voucher(bytes).map_err(|error| Refusal::new(RefusalCode::Malformed, error.to_string()))?;
        let channel = self.ledgers.channel(&self.exchange, self.key.public(), read.body().channel).await?;
        let voucher = proof::check_voucher(read, &channel.payer, self.exchange.heads())
            .map_err(|error| Refusal::new(RefusalCode::Signature, error.to_string()))?;
        channel.takes(&voucher)?;
        channel.still_open(&self.exchange).await?;
        let body = &voucher.body;
        if body.call != Some(request.call) || body.request != Some(request.digest()) {
            return Err(Refusal::new(RefusalCode::Signature, "the voucher vouches for another request"));
        }
        let lane = channel.lane(body.lane);
        Ok(Paid { channel, lane, voucher })
    }

    /// May this voucher's call run? A reply where it ran before.
    async fn admit(
        &self,
        paid: &Paid,
        lane: &mut IncomingLane,
        request: &CallRequest,
        price_max: Amount,
    ) -> Result<Option<CallReply>, Refusal> {
        match lane.credit.admit(&paid.voucher, price_max) {
            Ok(Admission::New) => {
                lane.acknowledge(&paid.voucher);
                Ok(None)
            }
            Ok(Admission::Repeat) => lane.reply_to(request.call).map(Some).ok_or_else(|| {
                Refusal::new(
                    RefusalCode::Lane,
                    "this call ran before, and its answer is no longer kept; it was charged once and will not be again",
                )
            }),
            Err(refusal) => {
                if matches!(refusal, LaneRefusal::Equivocation(_)) && lane.freeze(&paid.voucher) {
                    self.exchange.books().put_lane_in(paid.channel.id, paid.voucher.body.lane, lane.row()).await;
                }
                Err(lane_refusal(&refusal, &lane.credit, lane.receipt.as_deref()))
            }
        }
    }
}

impl Admitted<'_> {
    async fn run_free(&self) -> Served {
        let started_ms = self.inner.exchange.now_ms();
        let done = self.run().await;
        self.tell(&done, Amount::ZERO, started_ms);
        let reply = match done.answer {
            Some(answer) => CallReply::Answered(answer.into(), None),
            None => CallReply::Broke(short(&done.failure), None),
        };
        let encoded = self.place.map(|place| {
            let encoded = encode_reply(&reply);
            place.keep(&encoded);
            encoded
        });
        Served { reply, encoded }
    }

    async fn run_paid(&self, lane: &mut IncomingLane) -> Served {
        let paid = self.paid.as_ref().expect("a paid call");
        let mut release = Release { lane, channel: &paid.channel, price_max: self.price_max, settled: false };
        let started_ms = self.inner.exchange.now_ms();
        let done = self.run().await;
        let mut bill = self.bill(paid, &done);
        self.tell(&done, bill.charged, started_ms);
        let receipt = self.receipt(paid, &release.lane.credit, &done, &bill, started_ms);
        let receipt = self.inner.signatory.receipt(receipt).await;
        let bytes = receipt.bytes().to_vec();
        let reply = match done.answer {
            Some(answer) => CallReply::Answered(answer.into(), Some(bytes.into())),
            None => CallReply::Broke(short(&done.failure), Some(bytes.into())),
        };
        let encoded = release.settle(&receipt, &reply, self.request.call, bill.charged);
        if let Some(place) = self.place {
            place.keep(&encoded);
        }
        let customer = bill.counted.as_mut().map(Counted::book);
        self.book(paid, release.lane, &receipt, customer).await;
        Served { reply, encoded: Some(encoded) }
    }

    async fn run(&self) -> Done {
        let left = Duration::from_millis(self.deadline_ms.saturating_sub(self.inner.exchange.now_ms()));
        let job = Job {
            call: self.request.call,
            buyer: self.paid.as_ref().map(|paid| paid.voucher.signer),
            service: self.request.service.clone(),
            function: self.request.function.clone(),
            args: self.request.args.0.clone(),
            deadline: Instant::now() + left,
            deadline_ms: self.deadline_ms,
        };
        self.inner.serve.serve(job).await
    }

    fn tell(&self, done: &Done, charged: Amount, started_ms: u64) {
        let fault = match &done.answer {
            Some(answer) => Fault::from_result(answer).map(|fault| fault.to_string()),
            None => Some(done.failure.clone()),
        };
        self.inner.serve.ended(&Ended {
            function: &self.request.function,
            buyer: self.paid.as_ref().map(|paid| paid.voucher.signer),
            charged,
            took_ms: self.inner.exchange.now_ms().saturating_sub(started_ms),
            fault,
        });
    }

    /// Nothing for a fault; else what the offer or the quote says, which the voucher covers.
    fn bill(&self, paid: &Paid, done: &Done) -> Bill {
        let Some(answer) = done.answer.as_ref().filter(|answer| !is_fault(answer)) else {
            return Bill::default();
        };
        let answered = Answered {
            offer: &self.offer,
            function: &self.request.function,
            quote: self.quote.as_ref(),
            request_bytes: self.request.args.len(),
            response_bytes: answer.len(),
        };
        let counted = self.count(paid);
        // Whoever cannot be counted has no free calls.
        let uncounted = if self.offer.counts_customers() { self.offer.free_calls.into() } else { 0 };
        let metered = answered.metered(done, counted.as_ref().map_or(uncounted, |counted| counted.before));
        let charged = answered.cost(metered.as_ref().unwrap_or(&Metered::default())).min(self.price_max);
        Bill { charged, metered, counted }
    }

    /// One more answered call of the account that pays, where calls are counted.
    fn count(&self, paid: &Paid) -> Option<Counted> {
        if !self.offer.counts_customers() {
            return None;
        }
        let customer = customer(self.inner.key.public(), paid.channel.terms.payer, &self.offer.service);
        self.inner.exchange.books().count(customer).unwrap_or_else(|error| {
            tracing::error!(%error, "a customer's calls could not be read; this one counts as after the free ones");
            None
        })
    }

    fn receipt(&self, paid: &Paid, credit: &LaneCredit, done: &Done, bill: &Bill, started_ms: u64) -> Receipt {
        let ending = match &done.answer {
            Some(answer) => Ending::Answered(response_digest(&self.request.salt, answer)),
            None => Ending::Faulted(0),
        };
        Receipt {
            call: self.request.call,
            service: self.request.service.clone(),
            function: self.request.function.clone(),
            offer: self.request.offer,
            channel: paid.channel.id,
            lane: paid.voucher.body.lane,
            seq: paid.voucher.body.seq,
            prev_receipt: credit.last_receipt,
            buyer: paid.voucher.signer,
            seller: self.inner.key.public(),
            node: self.offer.node,
            package: self.offer.package.clone(),
            component: self.offer.component,
            models: done.models.iter().take(RECEIPT_MODELS_MAX).cloned().collect(),
            request: paid.voucher.body.request.unwrap_or_default(),
            ending,
            price_max: self.price_max,
            charged: bill.charged,
            cumulative: credit.charged.saturating_add(bill.charged),
            started_ms,
            finished_ms: self.inner.exchange.now_ms(),
            children: done.children.iter().take(RECEIPT_CHILDREN_MAX).copied().collect(),
            metered: bill.metered.clone(),
        }
    }

    async fn book(&self, paid: &Paid, lane: &IncomingLane, receipt: &Signed<Receipt>, customer: Option<Customer>) {
        let books = self.inner.exchange.books();
        books.put_receipt(receipt.digest(), receipt.bytes().to_vec()).await;
        books.put_lane_in(paid.channel.id, paid.voucher.body.lane, lane.row()).await;
        // Last: a crash in between may give a customer one call more for free, and never one less.
        if let Some(customer) = customer {
            books.put_customer(customer).await;
        }
    }
}

/// Frees what is reserved if the call is dropped half-way: nothing can stay locked.
struct Release<'a> {
    lane: &'a mut IncomingLane,
    channel: &'a Incoming,
    price_max: Amount,
    settled: bool,
}

impl Release<'_> {
    /// Book it in the lane; gives the encoded reply.
    fn settle(&mut self, receipt: &Signed<Receipt>, reply: &CallReply, call: Digest, charged: Amount) -> Bytes {
        self.lane.credit.settle(receipt.digest(), charged);
        self.lane.receipt = Some(receipt.bytes().to_vec());
        self.lane.receipt_ms = receipt.body.finished_ms;
        let encoded = encode_reply(reply);
        self.lane.reply = (encoded.len() <= STORED_REPLY_BYTES_MAX).then(|| (call, encoded.clone()));
        self.channel.settle(self.price_max, charged);
        self.settled = true;
        encoded
    }
}

impl Drop for Release<'_> {
    fn drop(&mut self) {
        if !self.settled {
            self.lane.credit.reserved = None;
            self.channel.settle(self.price_max, Amount::ZERO);
        }
    }
}

pub(crate) fn not_sold(request: &CallRequest) -> Refusal {
    Refusal::new(RefusalCode::NotSold, format!("`{}` of `{}` is not sold here", request.function, request.service))
}

pub(crate) fn overloaded() -> Refusal {
    Refusal { retry_after_ms: Some(100), ..Refusal::new(RefusalCode::Overloaded, "all places are taken; try again in 100 ms") }
}

fn lane_refusal(refusal: &LaneRefusal, credit: &LaneCredit, receipt: Option<&[u8]>) -> Refusal {
    Refusal {
        newest_voucher: (!credit.voucher.is_empty()).then(|| credit.voucher.clone().into()),
        newest_receipt: receipt.map(|bytes| bytes.to_vec().into()),
        ..Refusal::new(RefusalCode::Lane, refusal.to_string())
    }
}

fn short(message: &str) -> String {
    message.chars().take(FAULT_MESSAGE_BYTES_MAX / 4).collect()
}

fn encode_reply(reply: &CallReply) -> Bytes {
    let answer_bytes = if let CallReply::Answered(answer, _) = reply { answer.len() } else { 0 };
    encode_sized(reply, answer_bytes + ENVELOPE_BYTES).into()
}

pub(crate) fn encode<T: minicbor::Encode<()>>(value: &T) -> Bytes {
    encode_sized(value, ENVELOPE_BYTES).into()
}

/// Encode into a buffer of this size: one that has to grow copies a large payload again.
pub(crate) fn encode_sized<T: minicbor::Encode<()>>(value: &T, bytes_expected: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes_expected);
    minicbor::encode(value, &mut out).expect("writing to memory cannot fail");
    out
}
