//! Buying: choose an offer, open or use a channel, vouch, call, check the receipt; fail over where that is safe.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hansa_economy::channel::{AccountId, ChannelId, ChannelTerms};
use hansa_economy::ledger::ChannelPhase;
use hansa_economy::{Amount, Digest, Keypair, PublicKey};
use hansa_host::Fault;
use tokio::sync::Mutex;

use crate::attempt::{Attempt, Effect, Setback};
use crate::books::{BooksError, ChannelOut};
use crate::exchange::Exchange;
use crate::index::{Candidate, Listed, NoOffer};
use crate::limits::{CHANNEL_GRACE_S, DEPOSIT_CALLS, DEPOSIT_MIN};
use crate::outgoing::{Lane, Lease, Outgoing, Taken};
use crate::port::LedgerError;
use crate::proof::Signatory;
use crate::tendering::Tendered;
use crate::terms::Terms;

/// Who pays.
#[derive(Clone, Debug)]
pub struct Payer {
    /// The account.
    pub account: AccountId,
    /// Its owner's key, which opens channels and signs vouchers.
    pub key: Arc<Keypair>,
    /// The asset it holds.
    pub asset: u32,
}

/// Says whether an answer is of the right type, or what is wrong with it.
pub type Fits = Arc<dyn Fn(&[u8]) -> Result<(), String> + Send + Sync>;

/// What is to be bought.
#[derive(Clone)]
pub struct Order {
    /// The interface.
    pub service: String,
    /// The function.
    pub function: String,
    /// CBOR array of the arguments.
    pub args: Bytes,
    /// Is an answer of the right type? Error: what is wrong with it.
    pub fits: Fits,
}

/// An answer that was paid for.
#[derive(Clone, Debug)]
pub struct Bought {
    /// CBOR of the function's `result`: an answer, or the seller's own fault (which costs nothing).
    pub answer: Bytes,
    /// The receipt's digest; none for a free call.
    pub receipt: Option<Digest>,
    /// What it cost.
    pub charged: Amount,
    /// Who answered.
    pub seller: PublicKey,
}

/// Buys for one account. Cheap to clone.
#[derive(Clone)]
pub struct Buyer {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) exchange: Exchange,
    pub(crate) payer: Payer,
    pub(crate) signatory: Signatory,
    channels: Mutex<HashMap<PublicKey, Arc<Outgoing>>>,
}

impl Buyer {
    /// A buyer for `payer`, going on with the channels that the books know. Call inside a tokio runtime: it acknowledges
    /// receipts in the background for as long as it lives.
    pub fn new(exchange: Exchange, payer: Payer) -> Result<Buyer, BooksError> {
        let channels = stored_channels(&exchange, &payer)?;
        let signatory = Signatory::new(payer.key.clone());
        let inner = Arc::new(Inner { exchange, payer, signatory, channels: Mutex::new(channels) });
        tokio::spawn(crate::settle::acknowledge_while_alive(Arc::downgrade(&inner)));
        Ok(Buyer { inner })
    }

    /// Who pays.
    pub fn payer(&self) -> &Payer {
        &self.inner.payer
    }

    /// Offers for a call, best first.
    pub fn candidates(
        &self,
        service: &str,
        function: &str,
        request_bytes: usize,
        terms: &Terms,
    ) -> Result<Vec<Candidate>, NoOffer> {
        let exchange = &self.inner.exchange;
        let mut found = exchange.index().candidates(service, function, request_bytes, terms, exchange.now_ms())?;
        let payable = |candidate: &Candidate| {
            let offer = &candidate.listed.offer;
            offer.ledger == exchange.ledger().ledger()
                && offer.asset == self.inner.payer.asset
                && !exchange.is_distrusted(&offer.agent)
        };
        let known = found.len();
        found.retain(payable);
        match found.is_empty() {
            true => Err(NoOffer::Terms(known)),
            false => Ok(found),
        }
    }

    /// What would this order cost? Sellers that can be bought from, best first, each with the least and the most that its offer allows
    /// for these arguments. Where a price is named on request, the first few of them are asked, and both are the price named.
    pub async fn quote(&self, order: &Order, terms: &Terms) -> Result<Vec<Candidate>, Fault> {
        let candidates = self.candidates(&order.service, &order.function, order.args.len(), terms).map_err(no_offer)?;
        self.inner.priced(order, terms, candidates).await
    }

    /// Buy one call under `terms`. `deadline_ms` (Unix) bounds it from outside, as where it is part of another call.
    pub async fn buy(&self, order: &Order, terms: &Terms, deadline_ms: Option<u64>) -> Result<Bought, Fault> {
        let inner = &self.inner;
        let now = inner.exchange.now_ms();
        let deadline_ms = (now + u64::from(terms.deadline_ms)).min(deadline_ms.unwrap_or(u64::MAX));
        let candidates = self.candidates(&order.service, &order.function, order.args.len(), terms).map_err(no_offer)?;
        let candidates = inner.priced(order, terms, candidates).await?;
        self.buy_of(order, terms, &candidates, deadline_ms).await
    }

    /// Put this order out to the sellers that can be bought from (to some drawn by lot, where there are more than
    /// [`TENDER_SELLERS_MAX`](crate::limits::TENDER_SELLERS_MAX)), wait so long for their sealed bids, and open them. Then buy by
    /// [`Buyer::buy_by`] or do not, and tell the bidders by [`Buyer::conclude`]. The limit of `terms` is kept from them.
    pub async fn tender(&self, order: &Order, terms: &Terms, wait: Duration) -> Result<Tendered, Fault> {
        crate::tendering::check_wait(wait).map_err(Fault::InvalidInput)?;
        // A bid may well be below an offer that is above the limit.
        let all = Terms { max_price: Amount::MAX, ..terms.clone() };
        let invited = self.candidates(&order.service, &order.function, order.args.len(), &all).map_err(no_offer)?;
        Ok(self.inner.tender(order, terms, invited, wait).await)
    }

    /// Tell everybody who bid how a tender ended: what was bid, and who was bought from (`None`: nobody). Only the first time counts.
    pub async fn conclude(&self, tendered: &Tendered, winner: Option<PublicKey>) {
        self.inner.conclude(tendered, winner).await;
    }

    /// Buy one call by the best bid; by the next one after a failure, where that is safe. Good until the bids end, half a minute after they
    /// were opened, as often as the same is wanted.
    pub async fn buy_by(
        &self,
        order: &Order,
        terms: &Terms,
        tendered: &Tendered,
        deadline_ms: Option<u64>,
    ) -> Result<Bought, Fault> {
        let now = self.inner.exchange.now_ms();
        let deadline_ms = (now + u64::from(terms.deadline_ms)).min(deadline_ms.unwrap_or(u64::MAX));
        let mut candidates = tendered.within(terms)?;
        candidates.retain(|candidate| !self.inner.exchange.is_distrusted(&candidate.listed.offer.agent));
        if candidates.is_empty() {
            return Err(Fault::NoOffer("every bidder has broken its word since; put the call out again".into()));
        }
        self.buy_of(order, terms, &candidates, deadline_ms).await
    }

    async fn buy_of(&self, order: &Order, terms: &Terms, candidates: &[Candidate], deadline_ms: u64) -> Result<Bought, Fault> {
        let inner = &self.inner;
        let call = Digest(inner.exchange.ambient().bytes());
        let attempts = candidates.len().min(terms.retries as usize + 1);
        let mut last =
            Setback { fault: Fault::Deadline("the deadline had passed before the first attempt".into()), effect: Effect::None };
        for (nth, candidate) in candidates.iter().take(attempts).enumerate() {
            let Some(left) = deadline_ms.checked_sub(inner.exchange.now_ms()).filter(|left| *left > 0) else {
                break;
            };
            // A seller that falls silent must leave time for the next one, where there is one that may be asked.
            let others = (attempts - nth) as u64;
            let may_repeat = candidate.listed.offer.is_idempotent(&order.function);
            let share = if may_repeat { (left / others).max(1) } else { left };
            let attempt = Attempt {
                inner,
                order,
                listed: &candidate.listed,
                price_max: candidate.price_max,
                quote: candidate.quote.as_deref(),
                call,
                until_ms: inner.exchange.now_ms() + share,
                named: None,
            };
            match attempt.run().await {
                Ok(bought) => return Ok(bought),
                Err(setback) if setback.no_effect() || may_repeat => {
                    tracing::debug!(seller = %candidate.listed.offer.agent, fault = %setback.fault, "trying the next offer");
                    // Money that is short for the first is what is short: those after it cost more.
                    if !matches!((&last.fault, &setback.fault), (Fault::OverBudget(_), Fault::OverBudget(_))) {
                        last = setback;
                    }
                }
                Err(setback) => return Err(setback.fault),
            }
        }
        Err(last.fault)
    }

    /// Acknowledge every receipt got so far, so that sellers can redeem them. Returns how many were acknowledged.
    pub async fn acknowledge(&self) -> usize {
        crate::settle::acknowledge_all(&self.inner).await
    }

    /// Ask every seller to redeem and close; where one does not answer, close one-sided (the rest returns after the
    /// grace time). Returns how many channels are being closed.
    pub async fn close_channels(&self) -> usize {
        crate::settle::close_all(&self.inner).await
    }

    /// Channels that it buys through.
    pub async fn channels(&self) -> Vec<ChannelId> {
        self.inner.open_channels().await.iter().map(|channel| channel.id).collect()
    }
}

fn no_offer(none: NoOffer) -> Fault {
    match none {
        NoOffer::Price { .. } => Fault::OverBudget(none.to_string()),
        _ => Fault::NoOffer(none.to_string()),
    }
}

fn stored_channels(exchange: &Exchange, payer: &Payer) -> Result<HashMap<PublicKey, Arc<Outgoing>>, BooksError> {
    let mut lanes: HashMap<Digest, Vec<Lane>> = HashMap::new();
    for (id, number, row) in exchange.books().lanes_out()? {
        lanes.entry(id).or_default().push(Lane::stored(number, row));
    }
    let stored = exchange.books().channels_out()?.into_iter();
    let ours =
        stored.filter(|(_, row)| !row.closed && row.terms.payer == payer.account && row.terms.payer_key == payer.key.public());
    // A crash may have lost the last vouchers that were signed. Signing one of their numbers again would look like fraud,
    // so numbers go on from the time in microseconds: no lane signs a million vouchers a second.
    let seq_min = exchange.now_ms().saturating_mul(1000);
    Ok(ours
        .map(|(id, row)| {
            let payee = row.terms.payee_key;
            (payee, Arc::new(Outgoing::stored(row.terms, row.deposit, lanes.remove(&id).unwrap_or_default(), seq_min)))
        })
        .collect())
}

impl Inner {
    pub(crate) async fn open_channels(&self) -> Vec<Arc<Outgoing>> {
        self.channels.lock().await.values().cloned().collect()
    }

    pub(crate) async fn forget(&self, channel: &Outgoing) {
        let mut channels = self.channels.lock().await;
        if channels.get(&channel.terms.payee_key).is_some_and(|known| known.id == channel.id) {
            channels.remove(&channel.terms.payee_key);
        }
        drop(channels);
        self.forget_row(channel).await;
    }

    async fn forget_row(&self, channel: &Outgoing) {
        let row = ChannelOut { terms: channel.terms.clone(), deposit: Amount::ZERO, closed: true };
        self.exchange.books().put_channel_out(channel.id, &row).await;
    }

    /// The seller does not take this channel. Where the ledger holds a deposit in it, ask for that back.
    pub(crate) async fn give_up(&self, channel: &Outgoing) {
        match self.exchange.ledger().channel(channel.id).await {
            Ok(Some(state)) if state.phase == ChannelPhase::Open => {
                channel.close();
                if let Err(error) = self.exchange.ledger().close(channel.id, false, self.payer.key.clone()).await {
                    tracing::warn!(channel = %channel.id, %error, "a refused channel could not be closed; its deposit stays locked until it is");
                    return;
                }
            }
            Ok(_) => channel.end(),
            // Nobody knows now; the next refusal asks again.
            Err(_) => return,
        }
        self.forget(channel).await;
    }

    /// The channel to a seller; opened, with room for many such calls, if there is none.
    pub(crate) async fn channel(&self, listed: &Listed, price_max: Amount) -> Result<Arc<Outgoing>, Setback> {
        let mut channels = self.channels.lock().await;
        if let Some(channel) = channels.get(&listed.offer.agent).filter(|channel| !channel.is_closed()) {
            return Ok(channel.clone());
        }
        let terms = ChannelTerms {
            ledger: listed.offer.ledger,
            payer: self.payer.account,
            payer_key: self.payer.key.public(),
            payee: listed.offer.account,
            payee_key: listed.offer.agent,
            asset: listed.offer.asset,
            grace_s: CHANNEL_GRACE_S,
            nonce: u64::from_le_bytes(self.exchange.ambient().bytes()),
            shares: vec![],
        };
        let deposit = self.affordable(price_max, price_max).await?;
        let channel = Arc::new(Outgoing::new(terms.clone(), deposit));
        // On disk before the money moves: a crash in between must not leave a deposit that nobody knows of.
        self.exchange.books().put_channel_out(channel.id, &ChannelOut { terms: terms.clone(), deposit, closed: false }).await;
        self.exchange.books().flush().await;
        let opened = self.exchange.ledger().open_channel(terms, deposit, self.payer.key.clone()).await;
        if let Err(error) = opened {
            self.after_lost_opening(&mut channels, &channel).await.map_err(|()| ledger_setback(error))?;
        }
        channels.insert(listed.offer.agent, channel.clone());
        Ok(channel)
    }

    /// Opening gave an error: was it only the answer that was lost? Where that cannot be told now the channel is kept,
    /// and the seller's word on the next call decides.
    async fn after_lost_opening(
        &self,
        channels: &mut HashMap<PublicKey, Arc<Outgoing>>,
        channel: &Arc<Outgoing>,
    ) -> Result<(), ()> {
        match self.exchange.ledger().channel(channel.id).await {
            Ok(Some(_)) => return Ok(()),
            Ok(None) => self.forget_row(channel).await,
            Err(_) => drop(channels.insert(channel.terms.payee_key, channel.clone())),
        }
        Err(())
    }

    /// What to lock now: enough for many calls, at most a quarter of what the account holds, but at least `needed`.
    async fn affordable(&self, price_max: Amount, needed: Amount) -> Result<Amount, Setback> {
        let balance = self.exchange.ledger().balance(self.payer.account).await.map_err(ledger_setback)?;
        if balance < needed {
            let message = format!(
                "account {0} holds {balance}, this needs {needed}; `hansa account fund 1 --to {0}` gives it some where the ledger is yours",
                self.payer.account
            );
            return Err(Setback { fault: Fault::OverBudget(message), effect: Effect::None });
        }
        let wish = Amount(price_max.saturating_mul(DEPOSIT_CALLS).0.max(DEPOSIT_MIN));
        Ok(wish.min(Amount(balance.0 / 4)).max(needed))
    }

    pub(crate) async fn lane(&self, channel: &Arc<Outgoing>, price_max: Amount) -> Result<Lease, Setback> {
        loop {
            match channel.take(price_max).await {
                Taken::Lane(lane) => return Ok(lane),
                Taken::Closed => {
                    return Err(Setback { fault: Fault::Unavailable("the channel is closing".into()), effect: Effect::None });
                }
                Taken::Short(by) => self.raise(channel, price_max, by).await?,
            }
        }
    }

    /// Raise the deposit, one after the other: who finds that another has done it meanwhile looks again whether that suffices.
    async fn raise(&self, channel: &Outgoing, price_max: Amount, by: Amount) -> Result<(), Setback> {
        let before = channel.deposit();
        let _one = channel.raising.lock().await;
        if channel.deposit() != before {
            return Ok(());
        }
        let amount = self.affordable(price_max, by).await?;
        self.exchange.ledger().top_up(channel.id, amount, self.payer.key.clone()).await.map_err(ledger_setback)?;
        let row = ChannelOut { terms: channel.terms.clone(), deposit: channel.raised(amount), closed: false };
        self.exchange.books().put_channel_out(channel.id, &row).await;
        Ok(())
    }
}

fn ledger_setback(error: LedgerError) -> Setback {
    let fault = match error.is_short {
        true => Fault::OverBudget(error.message),
        false => Fault::Unavailable(format!("the ledger did not open the way to pay: {}", error.message)),
    };
    Setback { fault, effect: Effect::None }
}
