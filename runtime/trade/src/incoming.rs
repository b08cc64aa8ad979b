//! The seller's channels: escrow from one payer each, with the lanes' state and what may be taken to the ledger.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, RwLock};

use bytes::Bytes;
use hansa_economy::call::{CallReply, Refusal, RefusalCode};
use hansa_economy::channel::{AccountId, CallId, ChannelId, ChannelTerms, LaneCredit, Voucher};
use hansa_economy::ledger::{ChannelPhase, Claim};
use hansa_economy::limits::CHANNEL_LANES_MAX;
use hansa_economy::receipt::Receipt;
use hansa_economy::{Amount, PublicKey, Signed, Verifier};

use crate::books::{BooksError, ClaimRow, ClaimWritten, LaneIn, LaneInWritten};
use crate::exchange::Exchange;
use crate::limits::{ENVELOPE_BYTES, GRACE_S_MIN, LOOK_AGAIN, SILENCE_MAX, VOUCHER_BYTES_MAX, WRITTEN_REPLY_BYTES_MAX};
use crate::pause::Pause;
use crate::port::ChannelState;
use crate::seller::encode_sized;

/// A channel this agent is paid through.
pub(crate) struct Incoming {
    pub(crate) id: ChannelId,
    pub(crate) terms: ChannelTerms,
    pub(crate) payer: Verifier,
    funds: Mutex<Funds>,
    /// The ledger's word is as of then, Unix milliseconds.
    seen_ms: AtomicU64,
    /// A call was asked for since the ledger was last asked.
    used: AtomicBool,
    /// No new calls: it is closing or closed, or not such that this seller takes it.
    closed: AtomicBool,
    /// Held while the ledger is asked on a call's road, so that one asks for all.
    asking: tokio::sync::Mutex<()>,
    /// After what failed on the ledger.
    pub(crate) pause: Pause,
    lanes: Mutex<HashMap<u32, Arc<tokio::sync::Mutex<IncomingLane>>>>,
}

struct Funds {
    phase: ChannelPhase,
    /// The payer wished the end: nothing more is reserved.
    shut: bool,
    deposit: Amount,
    /// Charged on all lanes.
    charged: Amount,
    /// Prices of calls being served.
    reserved: Amount,
}

/// One lane.
#[derive(Default)]
pub(crate) struct IncomingLane {
    pub(crate) credit: LaneCredit,
    /// The last receipt's bytes.
    pub(crate) receipt: Option<Vec<u8>>,
    /// The last call and its encoded reply.
    pub(crate) reply: Option<(CallId, Bytes)>,
    /// The newest receipt that is acknowledged, with the voucher that does it.
    pub(crate) claim: Option<ClaimRow>,
    /// What the ledger has paid for this lane.
    pub(crate) redeemed: Amount,
    /// Another voucher of the newest one's number, which the ledger has not seen yet.
    pub(crate) evidence: Option<Vec<u8>>,
    /// From when on its buyer could acknowledge the last receipt, Unix milliseconds.
    pub(crate) receipt_ms: u64,
    /// The ledger has noted a claim up to this total, which it pays at the channel's end.
    pub(crate) claimed: Amount,
    /// The ledger refused claims up to this total for good.
    pub(crate) hopeless: Amount,
}

impl IncomingLane {
    /// `voucher` was admitted: it acknowledges the last receipt, so that both can be taken to the ledger.
    pub(crate) fn acknowledge(&mut self, voucher: &Signed<Voucher>) {
        let Some(receipt) = self.receipt.as_ref().filter(|_| voucher.body.prev_receipt.is_some()) else {
            return;
        };
        let claim = ClaimRow {
            voucher: voucher.bytes().to_vec().into(),
            receipt: receipt.clone().into(),
            cumulative: self.credit.charged,
        };
        self.claim = Some(claim);
    }

    /// The claim, where the ledger owes something for it.
    pub(crate) fn owed(&self) -> Option<&ClaimRow> {
        self.claim.as_ref().filter(|claim| claim.cumulative > self.redeemed.max(self.hopeless))
    }

    /// The last receipt with the voucher of its call, where it charges what no voucher acknowledges, and the total by it.
    pub(crate) fn unacknowledged(&self) -> Option<(Claim, Amount)> {
        let acknowledged = self.claim.as_ref().map_or(Amount::ZERO, |claim| claim.cumulative);
        let receipt = self.receipt.as_ref().filter(|_| self.credit.charged > acknowledged)?;
        let claim = Claim { voucher: self.credit.voucher.clone().into(), receipt: receipt.clone().into() };
        Some((claim, self.credit.charged))
    }

    /// What can be claimed without acknowledgement while the channel closes, and was not yet.
    pub(crate) fn last_claim(&self) -> Option<(Claim, Amount)> {
        self.unacknowledged().filter(|(_, total)| *total > self.claimed.max(self.hopeless))
    }

    /// Has the buyer left the last receipt unacknowledged for too long?
    pub(crate) fn is_silent(&self, now_ms: u64) -> bool {
        now_ms.saturating_sub(self.receipt_ms) >= SILENCE_MAX.as_millis() as u64 && self.last_claim().is_some()
    }

    /// `voucher` has the number of the newest one. Where it says something else too, the lane is frozen: returns whether it was.
    pub(crate) fn freeze(&mut self, voucher: &Signed<Voucher>) -> bool {
        let newest = Signed::<Voucher>::open_trusted(&self.credit.voucher);
        if newest.is_ok_and(|newest| newest.body == voucher.body) {
            return false;
        }
        tracing::warn!(buyer = %voucher.signer, channel = %voucher.body.channel, "two vouchers of one number; lane frozen");
        self.credit.frozen = true;
        self.evidence = Some(voucher.bytes().to_vec());
        true
    }

    pub(crate) fn reply_to(&self, call: CallId) -> Option<CallReply> {
        let (_, bytes) = self.reply.as_ref().filter(|(id, _)| *id == call)?;
        CallReply::read(bytes).ok()
    }

    /// For the books.
    pub(crate) fn row(&self) -> Vec<u8> {
        let reply = self.reply.as_ref().filter(|(_, bytes)| bytes.len() <= WRITTEN_REPLY_BYTES_MAX);
        let row = LaneInWritten {
            credit: &self.credit,
            receipt: self.receipt.as_deref().filter(|_| reply.is_none()).map(Into::into),
            call: reply.map(|(call, _)| *call),
            reply: reply.map(|(_, bytes)| (&bytes[..]).into()),
            claim: self.claim.as_ref().map(|claim| ClaimWritten {
                voucher: if *claim.voucher == self.credit.voucher { (&[][..]).into() } else { (&claim.voucher[..]).into() },
                receipt: (&claim.receipt[..]).into(),
                cumulative: claim.cumulative,
            }),
            redeemed: self.redeemed,
            evidence: self.evidence.as_deref().map(Into::into),
        };
        encode_sized(&row, reply.map_or(0, |(_, bytes)| bytes.len()) + 4 * ENVELOPE_BYTES)
    }

    /// As it was written. Its buyer could not acknowledge anything while the seller was away.
    fn stored(row: LaneIn, now_ms: u64) -> IncomingLane {
        let receipt = row.last_receipt();
        let reply = row.call.zip(row.reply).map(|(call, bytes)| (call, Bytes::from(Vec::from(bytes))));
        let claim = row.claim.map(|claim| match claim.voucher.is_empty() {
            true => ClaimRow { voucher: row.credit.voucher.clone().into(), ..claim },
            false => claim,
        });
        // A call that was being served when the node stopped has no receipt, so it costs nothing.
        let credit = LaneCredit { reserved: None, ..row.credit };
        let evidence = row.evidence.map(Vec::from);
        let redeemed = row.redeemed;
        IncomingLane { credit, receipt, reply, claim, redeemed, evidence, receipt_ms: now_ms, ..IncomingLane::default() }
    }
}

impl Incoming {
    fn new(state: &ChannelState, lanes: Vec<(u32, LaneIn)>, seen_ms: u64, closed: bool) -> Result<Incoming, Refusal> {
        let payer = state.terms.payer_key.verifier().map_err(|error| Refusal::new(RefusalCode::Channel, error.to_string()))?;
        let charged = lanes.iter().fold(Amount::ZERO, |sum, (_, row)| sum.saturating_add(row.credit.charged));
        let lanes = lanes
            .into_iter()
            .map(|(number, row)| (number, Arc::new(tokio::sync::Mutex::new(IncomingLane::stored(row, seen_ms)))));
        Ok(Incoming {
            id: state.terms.id(),
            terms: state.terms.clone(),
            payer,
            seen_ms: AtomicU64::new(seen_ms),
            used: AtomicBool::default(),
            closed: AtomicBool::new(closed),
            asking: tokio::sync::Mutex::default(),
            pause: Pause::default(),
            funds: Mutex::new(Funds { phase: state.phase, shut: false, deposit: state.deposit, charged, reserved: Amount::ZERO }),
            lanes: Mutex::new(lanes.collect()),
        })
    }

    /// Can this voucher ever be taken to the ledger? One that cannot must not take the place of one that can.
    pub(crate) fn takes(&self, voucher: &Signed<Voucher>) -> Result<(), Refusal> {
        let refusal = |message: &str| Err(Refusal::new(RefusalCode::Channel, message));
        if voucher.body.ledger != self.terms.ledger || voucher.body.lane >= CHANNEL_LANES_MAX {
            return refusal("the voucher is for another ledger, or its lane is out of range");
        }
        if voucher.bytes().len() > VOUCHER_BYTES_MAX {
            return refusal("the voucher is longer than any voucher is");
        }
        Ok(())
    }

    pub(crate) fn lane(&self, number: u32) -> Arc<tokio::sync::Mutex<IncomingLane>> {
        self.lanes.lock().expect("no panic while lanes are locked").entry(number).or_default().clone()
    }

    pub(crate) fn lanes(&self) -> Vec<(u32, Arc<tokio::sync::Mutex<IncomingLane>>)> {
        let lanes = self.lanes.lock().expect("no panic while lanes are locked");
        lanes.iter().map(|(number, lane)| (*number, lane.clone())).collect()
    }

    fn funds(&self) -> MutexGuard<'_, Funds> {
        self.funds.lock().expect("no panic while funds are locked")
    }

    /// Where the ledger last said it is in its life.
    pub(crate) fn phase(&self) -> ChannelPhase {
        self.funds().phase
    }

    /// Set `price` aside of the deposit.
    pub(crate) fn reserve(&self, price: Amount) -> Result<(), Refusal> {
        let mut funds = self.funds();
        if funds.shut {
            return Err(no_longer());
        }
        let left = funds.deposit.saturating_sub(funds.charged).saturating_sub(funds.reserved);
        if left < price {
            return Err(deposit_short(left, price));
        }
        funds.reserved = funds.reserved.saturating_add(price);
        Ok(())
    }

    /// Take no new calls from now on, for good. Are none under way either?
    pub(crate) fn shut(&self) -> bool {
        self.closed.store(true, Relaxed);
        let mut funds = self.funds();
        funds.shut = true;
        funds.reserved == Amount::ZERO
    }

    /// How many lanes are so? Waits for those that serve a call.
    pub(crate) async fn count(&self, is_so: impl Fn(&IncomingLane) -> bool) -> usize {
        let mut count = 0;
        for (_, lane) in self.lanes() {
            count += usize::from(is_so(&*lane.lock().await));
        }
        count
    }

    /// A reserved call is over.
    pub(crate) fn settle(&self, reserved: Amount, charged: Amount) {
        let mut funds = self.funds();
        funds.reserved = funds.reserved.saturating_sub(reserved);
        funds.charged = funds.charged.saturating_add(charged);
    }

    /// Is it still open? A buyer can close it without a word to the seller, and has its deposit back after the grace time. So the
    /// ledger's word is trusted for half of that time; while calls come, [`Incoming::look_again`] brings a newer one long before, and
    /// none of them waits.
    pub(crate) async fn still_open(&self, exchange: &Exchange) -> Result<(), Refusal> {
        self.used.store(true, Relaxed);
        if self.is_trusted(exchange.now_ms()) {
            return self.taken();
        }
        let _one = self.asking.lock().await;
        match self.is_trusted(exchange.now_ms()) {
            true => self.taken(),
            false => self.refresh(exchange).await.and_then(|()| self.taken()),
        }
    }

    fn is_trusted(&self, now_ms: u64) -> bool {
        self.closed.load(Relaxed) || now_ms.saturating_sub(self.seen_ms.load(Relaxed)) < u64::from(self.terms.grace_s) * 1000 / 2
    }

    /// Does it take new calls, as far as is known?
    pub(crate) fn taken(&self) -> Result<(), Refusal> {
        match self.closed.load(Relaxed) {
            true => Err(no_longer()),
            false => Ok(()),
        }
    }

    /// Ask the ledger again, where it is time: a channel that is used or in which something is not acknowledged, and one that is
    /// closing, once it may be at its end.
    pub(crate) async fn look_again(&self, exchange: &Exchange) -> Result<(), Refusal> {
        let now_ms = exchange.now_ms();
        if now_ms.saturating_sub(self.seen_ms.load(Relaxed)) < LOOK_AGAIN.as_millis() as u64 {
            return Ok(());
        }
        let due = match self.phase() {
            ChannelPhase::Open => self.used.swap(false, Relaxed) || self.closed.load(Relaxed) || self.waits(),
            ChannelPhase::Closing { grace_until_ns, .. } => now_ms >= grace_until_ns / 1_000_000,
            ChannelPhase::Final => false,
        };
        match due {
            true => self.refresh(exchange).await.inspect_err(|_| self.used.store(true, Relaxed)),
            false => Ok(()),
        }
    }

    /// Is there a lane at rest whose last receipt is not acknowledged?
    fn waits(&self) -> bool {
        self.lanes().iter().any(|(_, lane)| lane.try_lock().is_ok_and(|lane| lane.unacknowledged().is_some()))
    }

    /// Look phase and deposit up on the ledger.
    pub(crate) async fn refresh(&self, exchange: &Exchange) -> Result<(), Refusal> {
        let asked_ms = exchange.now_ms();
        let state = match look_up(exchange, self.id).await {
            Err(refusal) if refusal.code == RefusalCode::Channel => {
                self.ended();
                return Err(refusal);
            }
            other => other?,
        };
        let mut funds = self.funds();
        (funds.phase, funds.deposit) = (state.phase, state.deposit);
        drop(funds);
        self.seen_ms.store(asked_ms, Relaxed);
        if state.phase != ChannelPhase::Open {
            self.closed.store(true, Relaxed);
        }
        Ok(())
    }

    /// The ledger said that nothing comes after.
    pub(crate) fn ended(&self) {
        self.closed.store(true, Relaxed);
        self.funds().phase = ChannelPhase::Final;
    }
}

/// All channels of one seller.
pub(crate) struct Ledgers {
    channels: RwLock<HashMap<ChannelId, Arc<Incoming>>>,
    stored: Mutex<HashMap<ChannelId, Vec<(u32, LaneIn)>>>,
    /// After the ledger could not be asked about those.
    pub(crate) waking: Pause,
    /// The accounts that this seller is paid to.
    accounts: Vec<AccountId>,
}

impl Ledgers {
    /// What the books know of channels to `agent`, which is paid to `accounts`; they are looked up on the ledger when first used.
    pub(crate) fn load(exchange: &Exchange, agent: PublicKey, accounts: Vec<AccountId>) -> Result<Ledgers, BooksError> {
        let mut stored: HashMap<ChannelId, Vec<(u32, LaneIn)>> = HashMap::new();
        for (id, number, row) in exchange.books().lanes_in()? {
            let receipt = row.last_receipt().and_then(|bytes| Signed::<Receipt>::open_trusted(&bytes).ok());
            if receipt.is_some_and(|receipt| receipt.body.seller == agent) {
                stored.entry(id).or_default().push((number, row));
            }
        }
        Ok(Ledgers { channels: RwLock::default(), stored: Mutex::new(stored), waking: Pause::default(), accounts })
    }

    /// Channels known from before the node started and not looked up yet.
    pub(crate) fn sleeping(&self) -> Vec<ChannelId> {
        self.stored.lock().expect("no panic while this is locked").keys().copied().collect()
    }

    pub(crate) fn awake(&self) -> Vec<Arc<Incoming>> {
        self.channels.read().expect("no panic while channels are locked").values().cloned().collect()
    }

    /// Has `buyer` a channel here that was used since the node started?
    pub(crate) fn is_payer(&self, buyer: PublicKey) -> bool {
        let channels = self.channels.read().expect("no panic while channels are locked");
        channels.values().any(|channel| channel.terms.payer_key == buyer)
    }

    pub(crate) fn forget(&self, id: ChannelId) {
        self.channels.write().expect("no panic while channels are locked").remove(&id);
        self.stored.lock().expect("no panic while this is locked").remove(&id);
    }

    /// The channel `id`, looked up on the ledger when first seen; later looks are [`Incoming`]'s own. One that is closing, or that
    /// this seller does not take, is there only if something may be owed in it, and takes no new calls.
    pub(crate) async fn channel(&self, exchange: &Exchange, agent: PublicKey, id: ChannelId) -> Result<Arc<Incoming>, Refusal> {
        let known = self.channels.read().expect("no panic while channels are locked").get(&id).cloned();
        if let Some(channel) = known {
            return Ok(channel);
        }
        let asked_ms = exchange.now_ms();
        let state = look_up(exchange, id).await?;
        if state.phase == ChannelPhase::Final {
            return Err(no_longer());
        }
        let fits = self.fits(&state, agent);
        // Under one lock: of two that wake a channel at the same moment, one finds the stored lanes, and the other the channel.
        let mut channels = self.channels.write().expect("no panic while channels are locked");
        if let Some(channel) = channels.get(&id) {
            return Ok(channel.clone());
        }
        let mut stored = self.stored.lock().expect("no panic while this is locked");
        let lanes = stored.get(&id).cloned().unwrap_or_default();
        let closed = match fits {
            Err(refusal) if lanes.is_empty() => return Err(refusal),
            fits => fits.is_err(),
        };
        let channel = Arc::new(Incoming::new(&state, lanes, asked_ms, closed)?);
        stored.remove(&id);
        channels.insert(id, channel.clone());
        Ok(channel)
    }

    /// Does this seller take calls in such a channel?
    fn fits(&self, state: &ChannelState, agent: PublicKey) -> Result<(), Refusal> {
        let refusal = |message: String| Err(Refusal::new(RefusalCode::Channel, message));
        let terms = &state.terms;
        // Whoever opens a channel names both freely: our key alone could stand in a channel that pays the buyer itself.
        if terms.payee_key != agent || !self.accounts.contains(&terms.payee) {
            return refusal("the channel pays somebody else".into());
        }
        if terms.grace_s < GRACE_S_MIN {
            return refusal(format!(
                "the channel could be closed within {} s; open one with a grace of {GRACE_S_MIN} s",
                terms.grace_s
            ));
        }
        // Offers name no shares yet, so that whoever opens a channel with some would take a part of the income that nobody agreed to.
        if !terms.shares.is_empty() {
            return refusal("the channel shares its payments with others; open one without shares".into());
        }
        match state.phase {
            ChannelPhase::Open => Ok(()),
            _ => Err(no_longer()),
        }
    }
}

/// What the ledger knows of a channel. A refusal of code `Channel`: nothing.
async fn look_up(exchange: &Exchange, id: ChannelId) -> Result<ChannelState, Refusal> {
    let away = |error| Refusal::new(RefusalCode::Overloaded, format!("the ledger cannot be asked now: {error}; try again"));
    let found = exchange.ledger().channel(id).await.map_err(away)?;
    found.ok_or_else(|| Refusal::new(RefusalCode::Channel, format!("the ledger knows no channel {id}")))
}

fn deposit_short(left: Amount, price_max: Amount) -> Refusal {
    let message = format!("the channel's deposit has {left} left, this call may cost {price_max}; top it up");
    Refusal { price_max: Some(price_max), ..Refusal::new(RefusalCode::DepositShort, message) }
}

fn no_longer() -> Refusal {
    Refusal::new(RefusalCode::Channel, "the channel is closed or closing; open another")
}
