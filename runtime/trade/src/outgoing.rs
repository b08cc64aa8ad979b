//! The buyer's channels: escrow towards one seller each, with a pool of lanes for calls in flight.

use std::sync::{Arc, Mutex};

use hansa_economy::Amount;
use hansa_economy::channel::{ChannelId, ChannelTerms, LaneDebit, Voucher};
use tokio::sync::Notify;

use crate::books::LaneOut;
use crate::limits::{LANES_PER_CHANNEL, UNANSWERED_MAX};
use crate::recovery::{Lost, Unanswered};

/// A channel this node pays from.
pub(crate) struct Outgoing {
    pub(crate) id: ChannelId,
    pub(crate) terms: ChannelTerms,
    state: Mutex<State>,
    freed: Notify,
    /// Held while the deposit is being raised, so that one caller after the other does it.
    pub(crate) raising: tokio::sync::Mutex<()>,
}

struct State {
    deposit: Amount,
    /// Charged on all lanes by receipts.
    charged: Amount,
    /// Prices of calls in flight.
    reserved: Amount,
    free: Vec<Lane>,
    lanes: u32,
    /// New lanes begin above this sequence number.
    seq_min: u64,
    closed: bool,
    /// The ledger ends it without our wish.
    ended: bool,
    /// The books that it comes from may have lost charges.
    uncertain: bool,
}

/// A lane's number and the buyer's side of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lane {
    pub(crate) number: u32,
    pub(crate) debit: LaneDebit,
    /// Calls since the last receipt whose end is not known, oldest first.
    pub(crate) unanswered: Vec<Unanswered>,
    /// The highest number of such a call that was forgotten, as there were too many.
    pub(crate) forgotten: u64,
    pub(crate) lost: Lost,
    /// How much of what it was charged the channel has counted.
    counted: Amount,
}

impl Lane {
    pub(crate) fn stored(number: u32, row: LaneOut) -> Lane {
        let LaneOut { debit, unanswered, forgotten } = row;
        Lane { number, counted: debit.charged, debit, unanswered, forgotten, lost: Lost::default() }
    }

    /// For the books.
    pub(crate) fn row(&self) -> LaneOut {
        LaneOut { debit: self.debit.clone(), unanswered: self.unanswered.clone(), forgotten: self.forgotten }
    }

    /// A call was vouched for, and may run from now on.
    pub(crate) fn sent(&mut self, call: Unanswered) {
        self.unanswered.push(call);
        if self.unanswered.len() > UNANSWERED_MAX {
            self.forgotten = self.unanswered.remove(0).voucher.seq;
        }
    }

    /// The seller says that this one did not run; so it did not take the acknowledgement in it either.
    pub(crate) fn refused(&mut self, voucher: &Voucher) {
        self.unanswered.retain(|call| call.voucher != *voucher);
        self.debit.acknowledged &= self.debit.last_receipt.is_none();
    }

    /// The receipt of this number is known: of that call and those before, none can bring another.
    pub(crate) fn known(&mut self, seq: u64) {
        self.unanswered.retain(|call| call.voucher.seq > seq);
        self.lost.0 = self.lost.0.max(seq);
    }

    /// Numbers go on above `seq_min`. What lies between may have been signed, and lost with a crash.
    fn renumber(&mut self, seq_min: u64) {
        self.lost = (self.debit.seq, seq_min);
        self.debit.seq = self.debit.seq.max(seq_min);
    }
}

/// A lane taken for one call (or one acknowledgement). Dropped, it goes back to the pool as it is, so that a call that
/// nobody waits for any more leaves nothing locked.
pub(crate) struct Lease {
    pub(crate) channel: Arc<Outgoing>,
    pub(crate) lane: Lane,
    reserved: Amount,
    disputed: bool,
}

impl Lease {
    /// The acknowledgement that was signed did not arrive.
    pub(crate) fn not_acknowledged(mut self) {
        self.lane.debit.acknowledged = false;
    }

    /// The seller disputes this lane, or we do: never use it again, and keep what it may cost reserved.
    pub(crate) fn abandon(mut self) {
        self.disputed = true;
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if !self.disputed {
            self.channel.give_back(std::mem::take(&mut self.lane), self.reserved);
        }
    }
}

/// What came of asking for a lane.
pub(crate) enum Taken {
    Lane(Lease),
    /// The deposit has to be raised by at least this much.
    Short(Amount),
    Closed,
}

impl Outgoing {
    /// A channel that is new.
    pub(crate) fn new(terms: ChannelTerms, deposit: Amount) -> Outgoing {
        Outgoing::stored(terms, deposit, Vec::new(), 0)
    }

    /// A channel from the books. `seq_min`: no voucher in it was ever signed with a higher sequence number.
    pub(crate) fn stored(terms: ChannelTerms, deposit: Amount, mut lanes: Vec<Lane>, seq_min: u64) -> Outgoing {
        lanes.iter_mut().for_each(|lane| lane.renumber(seq_min));
        let charged = lanes.iter().fold(Amount::ZERO, |sum, lane| sum.saturating_add(lane.debit.charged));
        let next = lanes.iter().map(|lane| lane.number + 1).max().unwrap_or(0);
        let (reserved, uncertain) = (Amount::ZERO, seq_min > 0);
        let state =
            State { deposit, charged, reserved, free: lanes, lanes: next, seq_min, closed: false, ended: false, uncertain };
        Outgoing { id: terms.id(), terms, state: Mutex::new(state), freed: Notify::new(), raising: tokio::sync::Mutex::new(()) }
    }

    /// A lane with `price_max` reserved, as soon as one is free.
    pub(crate) async fn take(self: &Arc<Self>, price_max: Amount) -> Taken {
        loop {
            let freed = self.freed.notified();
            if let Some(taken) = self.try_take(price_max) {
                // Whoever was woken for a free lane and does not take it leaves it to the next.
                if matches!(taken, Taken::Short(_)) {
                    self.freed.notify_one();
                }
                return taken;
            }
            freed.await;
        }
    }

    fn try_take(self: &Arc<Self>, price_max: Amount) -> Option<Taken> {
        let mut state = self.lock();
        if state.closed {
            return Some(Taken::Closed);
        }
        let needed = state.charged.saturating_add(state.reserved).saturating_add(price_max);
        if needed > state.deposit {
            return Some(Taken::Short(needed.saturating_sub(state.deposit)));
        }
        let lane = match state.free.pop() {
            Some(lane) => lane,
            None if state.lanes < LANES_PER_CHANNEL => {
                state.lanes += 1;
                let mut lane = Lane { number: state.lanes - 1, ..Lane::default() };
                lane.renumber(state.seq_min);
                lane
            }
            None => return None,
        };
        state.reserved = state.reserved.saturating_add(price_max);
        Some(Taken::Lane(Lease { channel: self.clone(), lane, reserved: price_max, disputed: false }))
    }

    fn give_back(&self, mut lane: Lane, reserved: Amount) {
        let mut state = self.lock();
        state.reserved = state.reserved.saturating_sub(reserved);
        state.charged = state.charged.saturating_add(lane.debit.charged.saturating_sub(lane.counted));
        // A seller that lost its memory may go back; what is charged anew then is counted already.
        lane.counted = lane.counted.max(lane.debit.charged);
        state.free.push(lane);
        drop(state);
        self.freed.notify_one();
    }

    /// The seller says that the deposit is spent. Where a crash may have lost what was charged that is believed, once, so that
    /// the next call raises the deposit; a seller that says so again would have us lock up ever more.
    pub(crate) fn believe_spent(&self) -> bool {
        let mut state = self.lock();
        if state.uncertain {
            state.charged = state.charged.max(state.deposit);
        }
        std::mem::take(&mut state.uncertain)
    }

    pub(crate) fn raised(&self, by: Amount) -> Amount {
        let mut state = self.lock();
        state.deposit = state.deposit.saturating_add(by);
        drop(state);
        self.freed.notify_waiters();
        self.lock().deposit
    }

    pub(crate) fn deposit(&self) -> Amount {
        self.lock().deposit
    }

    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.freed.notify_waiters();
    }

    /// The ledger ends it, or never had it, without our wish.
    pub(crate) fn end(&self) {
        self.lock().ended = true;
        self.close();
    }

    /// Was it found to be at its end? Then another may be opened in its place.
    pub(crate) fn is_ended(&self) -> bool {
        self.lock().ended
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// Lanes at rest whose last receipt is not yet acknowledged, taken out of the pool.
    pub(crate) fn take_unacknowledged(self: &Arc<Self>, most: usize) -> Vec<Lease> {
        let mut state = self.lock();
        let mut taken = Vec::new();
        let mut at = 0;
        while at < state.free.len() && taken.len() < most {
            let debit = &state.free[at].debit;
            match debit.last_receipt.is_some() && !debit.acknowledged {
                true => taken.push(Lease {
                    channel: self.clone(),
                    lane: state.free.remove(at),
                    reserved: Amount::ZERO,
                    disputed: false,
                }),
                false => at += 1,
            }
        }
        taken
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().expect("no panic while a channel is locked")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hansa_economy::channel::AccountId;
    use hansa_economy::{Digest, Keypair};

    const PRICE: Amount = Amount(10);

    fn terms() -> ChannelTerms {
        let key = Keypair::from_seed(&[1; 32]).public();
        ChannelTerms {
            ledger: Digest::of(b"ledger"),
            payer: AccountId(1),
            payer_key: key,
            payee: AccountId(2),
            payee_key: key,
            asset: 1,
            grace_s: 60,
            nonce: 1,
            shares: vec![],
        }
    }

    /// A buyer whose books had lost charges believed that its deposit lasted, and the seller refused its calls for ever.
    #[test]
    fn a_deposit_from_the_books_is_believed_spent_when_the_seller_says_so_once() {
        let channel = Arc::new(Outgoing::stored(terms(), Amount(100), vec![], 7));
        drop(channel.try_take(PRICE));
        assert!(channel.believe_spent());
        let Some(Taken::Short(by)) = channel.try_take(PRICE) else { panic!("it is spent") };
        assert_eq!(by, PRICE);
        channel.raised(Amount(30));
        assert!(matches!(channel.try_take(PRICE), Some(Taken::Lane(_))));
        assert!(!channel.believe_spent(), "it would lock up ever more");
        let new = Arc::new(Outgoing::new(terms(), Amount(100)));
        assert!(!new.believe_spent(), "nothing of it was lost");
    }
}
