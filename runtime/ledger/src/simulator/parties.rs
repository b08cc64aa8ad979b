//! Buyers and sellers off the ledger: they trade by economy's own rules, crash, forget, and cheat; and they bring to the ledger
//! what proves their due, or what does not.

use std::sync::Arc;

use hansa_economy::channel::{AccountId, Admission, ChannelTerms, LaneCredit, LaneDebit, LaneRefusal, Share, Voucher};
use hansa_economy::ledger::*;
use hansa_economy::receipt::{Ending, Receipt};
use hansa_economy::{Amount, Digest, Keypair, Signed};

use super::cast::{Cast, USERS};
use super::random::Random;

pub(super) const LANES: u32 = 2;
/// Channels that somebody thinks of; older ones are left alone.
const TRADES_MAX: usize = 4;

/// One lane, both sides of it, and all that was ever signed for it.
#[derive(Clone, Debug, Default)]
pub(super) struct Lane {
    debit: LaneDebit,
    debit_before_crash: LaneDebit,
    credit: LaneCredit,
    credit_before_crash: LaneCredit,
    pub(super) vouchers: Vec<Signed<Voucher>>,
    pub(super) receipts: Vec<Signed<Receipt>>,
}

/// A channel and its parties.
#[derive(Clone, Debug)]
pub(super) struct Trade {
    pub(super) terms: ChannelTerms,
    payer: usize,
    pub(super) lanes: Vec<Lane>,
}

/// All channels.
#[derive(Clone, Debug, Default)]
pub(super) struct Parties {
    pub(super) trades: Vec<Trade>,
    opened: u64,
}

/// What the parties of a channel may do next.
#[derive(Clone, Copy)]
enum Act {
    Call,
    Redeem,
    Answer,
    Topup,
    Close,
    Finalize,
    Refund,
    Anchor,
    Expose,
}

impl Act {
    fn choose(phase: Option<ChannelPhase>, random: &mut Random) -> Act {
        use Act::*;
        let acts = [Call, Redeem, Topup, Answer, Close, Finalize, Refund, Anchor, Expose];
        let weights = match phase {
            Some(ChannelPhase::Open) => [42, 25, 9, 2, 9, 2, 5, 1, 5],
            Some(ChannelPhase::Closing { .. }) => [5, 28, 5, 27, 9, 18, 3, 1, 4],
            None | Some(ChannelPhase::Final) => [12, 22, 12, 8, 12, 8, 18, 4, 4],
        };
        let mut roll = random.below(100);
        for (act, weight) in acts.into_iter().zip(weights) {
            if roll < weight {
                return act;
            }
            roll -= weight;
        }
        Call
    }
}

pub(super) type Wish = (Arc<Keypair>, Command);

impl Parties {
    /// The next command on a channel, if one comes of what the parties do.
    pub(super) fn act(&mut self, cast: &Cast, random: &mut Random, state: &State) -> Option<Wish> {
        if self.trades.is_empty() || random.percent(5) {
            return Some(self.open(cast, random, state));
        }
        let at = random.index(self.trades.len());
        let id = self.trades[at].terms.id();
        let phase = state.channel(id).map(|channel| channel.phase);
        if phase.is_none_or(|phase| phase == ChannelPhase::Final) && random.percent(50) {
            return Some(self.open(cast, random, state));
        }
        Some(match Act::choose(phase, random) {
            Act::Call => {
                self.call(at, cast, random);
                return None;
            }
            Act::Redeem => self.redeem(at, cast, random, state),
            Act::Answer => self.answer(at, cast, random, state),
            Act::Topup => {
                let amount = Amount(random.pick(&[0, 1, 30, 100, 5000]));
                let signer = cast.speaker(self.trades[at].terms.payer, KeyRole::Spend, random, state);
                (signer, Command::ChannelTopup(ChannelTopup { channel: id, amount }))
            }
            Act::Close => {
                let signers = [self.payer(at, cast, random, state), self.payee(at, cast, random, state)];
                let at_once = random.percent(15);
                (random.pick(&signers), Command::ChannelClose(ChannelClose { channel: id, at_once }))
            }
            Act::Finalize => {
                let signers = [cast.stranger.clone(), self.payee(at, cast, random, state)];
                (random.pick(&signers), Command::ChannelFinalize(ChannelFinalize { channel: id }))
            }
            Act::Refund => self.refund(at, cast, random, state),
            Act::Anchor => self.anchor(at, cast, random, state),
            Act::Expose => self.expose(at, cast, random, state),
        })
    }

    fn open(&mut self, cast: &Cast, random: &mut Random, state: &State) -> Wish {
        let payer = random.index(USERS);
        let payee = if random.percent(95) { (payer + 1 + random.index(USERS - 1)) % USERS } else { payer };
        self.opened += 1;
        let asset = random.pick(&[1, 1, 1, 1, 1, 1, 1, 2, 2, 9]);
        let accounts = [cast.account(payer, asset), cast.account(payee, if random.percent(97) { asset } else { 2 })];
        let terms = ChannelTerms {
            ledger: state.head().ledger,
            payer: accounts[0],
            payer_key: cast.voucher_key(payer, accounts[0], random, state),
            payee: accounts[1],
            payee_key: cast.receipt_key(payee, accounts[1], random, state),
            asset,
            grace_s: random.pick(&[1, 1, 2, 2, 3, 3, 3, 4, 4, 0]),
            nonce: if random.percent(90) { self.opened } else { 1 },
            shares: shares(accounts, asset, cast, random),
        };
        if self.trades.len() == TRADES_MAX {
            self.trades.remove(0);
        }
        let lanes = vec![Lane::default(); LANES as usize];
        self.trades.push(Trade { terms: terms.clone(), payer, lanes });
        let deposit = Amount(random.pick(&[0, 20, 60, 60, 100, 100, 100, 100, 300, 100_000]));
        let signer = cast.speaker(accounts[0], KeyRole::Spend, random, state);
        (signer, Command::ChannelOpen(ChannelOpen { terms, deposit }))
    }

    fn payer(&self, at: usize, cast: &Cast, random: &mut Random, state: &State) -> Arc<Keypair> {
        let terms = &self.trades[at].terms;
        match random.below(5) {
            0..2 => cast.owner(terms.payer, state),
            2 => cast.pair(terms.payer_key),
            _ => cast.speaker(terms.payer, KeyRole::Voucher, random, state),
        }
    }

    pub(super) fn payee(&self, at: usize, cast: &Cast, random: &mut Random, state: &State) -> Arc<Keypair> {
        let terms = &self.trades[at].terms;
        match random.below(5) {
            0..3 => cast.pair(terms.payee_key),
            _ => cast.speaker(terms.payee, KeyRole::Receipt, random, state),
        }
    }

    /// A paid call, or several; now and then a side crashes and forgets.
    fn call(&mut self, at: usize, cast: &Cast, random: &mut Random) {
        let trade = &mut self.trades[at];
        let lane = random.below(u64::from(LANES)) as u32;
        for _ in 0..random.pick(&[1, 1, 2, 3]) {
            trade.call(lane, cast, random);
        }
        let lane = &mut trade.lanes[lane as usize];
        match random.below(12) {
            0 => lane.debit = lane.debit_before_crash.clone(),
            1 => lane.credit = lane.credit_before_crash.clone(),
            2 => lane.debit_before_crash = lane.debit.clone(),
            3 => lane.credit_before_crash = lane.credit.clone(),
            _ => {}
        }
    }

    fn redeem(&mut self, at: usize, cast: &Cast, random: &mut Random, state: &State) -> Wish {
        let signer = self.payee(at, cast, random, state);
        let from = if random.percent(95) { at } else { random.index(self.trades.len()) };
        let trade = &mut self.trades[from];
        let lanes: Vec<u32> = if random.percent(30) { (0..LANES).collect() } else { vec![random.below(LANES.into()) as u32] };
        let mut claims: Vec<Claim> = lanes.into_iter().filter_map(|lane| trade.claim(lane, cast, random)).collect();
        if claims.is_empty() && random.percent(80) {
            trade.call(0, cast, random);
            claims.extend(trade.claim(0, cast, random));
        }
        (signer, Command::ChannelRedeem(ChannelRedeem { channel: self.trades[at].terms.id(), claims }))
    }

    fn answer(&mut self, at: usize, cast: &Cast, random: &mut Random, state: &State) -> Wish {
        let signer = self.payer(at, cast, random, state);
        let trade = &self.trades[at];
        let lane = random.index(LANES as usize);
        let mut receipts = Vec::new();
        if let Some(last) = trade.lanes[lane].receipts.last() {
            // The seller signed a lower total too, or the payer forges one, or shows what is known.
            let lower = Receipt { cumulative: Amount(last.body.cumulative.0 / 2), ..last.body.clone() };
            let shown = match random.below(10) {
                0..6 => Signed::new(lower, &cast.pair(trade.terms.payee_key)),
                6 => Signed::new(lower, &cast.channel_keys[trade.payer]),
                _ => random.pick(&trade.lanes[lane].receipts),
            };
            receipts.push(shown.bytes().to_vec().into());
        }
        (signer, Command::ChannelAnswer(ChannelAnswer { channel: trade.terms.id(), receipts }))
    }
}

impl Trade {
    pub(super) fn payer_key(&self, cast: &Cast) -> Arc<Keypair> {
        cast.pair(self.terms.payer_key)
    }

    /// One call as honest parties make it, with whatever state they remember.
    pub(super) fn call(&mut self, number: u32, cast: &Cast, random: &mut Random) {
        let price = Amount(u128::from(1 + random.below(30)));
        let call = Digest::of(&random.next().to_le_bytes());
        let id = self.terms.id();
        let voucher = self.lanes[number as usize].debit.next(&self.terms, id, number, price, Some((call, call)));
        let signed = Signed::new(voucher, &self.payer_key(cast));
        let charged = Amount(random.below(price.0 as u64 + 1).into());
        let lane = &mut self.lanes[number as usize];
        lane.debit.signed(&signed.body);
        lane.vouchers.push(signed.clone());
        match lane.credit.admit(&signed, price) {
            Ok(Admission::New) => lane.credit.take(&signed, price),
            Ok(Admission::Repeat) => return,
            Err(LaneRefusal::Equivocation(_)) => {
                lane.credit.frozen = true;
                return;
            }
            Err(_) => return lane.recover(),
        }
        let cumulative = lane.credit.charged.saturating_add(charged);
        let receipt = receipt(&self.terms, &signed.body, call, charged, cumulative);
        let receipt = Signed::new(receipt, &cast.pair(self.terms.payee_key));
        lane.credit.settle(receipt.digest(), charged);
        if random.percent(85) {
            lane.debit.settle(&receipt.body, receipt.digest());
        }
        lane.receipts.push(receipt);
    }

    fn claim(&mut self, number: u32, cast: &Cast, random: &mut Random) -> Option<Claim> {
        let kind = random.below(100);
        if kind < 45 {
            self.acknowledge(number, cast);
        }
        let (payee, payer) = (&cast.pair(self.terms.payee_key), &self.payer_key(cast));
        let lane = &self.lanes[number as usize];
        let (receipt, voucher) = (lane.receipts.last()?, lane.vouchers.last()?);
        let acknowledging = Voucher { prev_receipt: Some(receipt.digest()), seq: receipt.body.seq + 1, ..voucher.body.clone() };
        Some(match kind {
            0..45 => Claim::new(voucher, receipt),
            // By the last receipt, which nobody acknowledged.
            45..65 => Claim::new(lane.vouchers.iter().rev().find(|voucher| voucher.body.seq == receipt.body.seq)?, receipt),
            // Old papers.
            65..80 => Claim::new(&random.pick(&lane.vouchers), &random.pick(&lane.receipts)),
            // The seller charges more than the voucher allows.
            80..85 => {
                let more = Receipt { cumulative: Amount(receipt.body.cumulative.0 * 10 + 1000), ..receipt.body.clone() };
                let more = Signed::new(more, payee);
                let by = Voucher { prev_receipt: Some(more.digest()), seq: more.body.seq + 1, ..voucher.body.clone() };
                let voucher = if random.percent(50) { Signed::new(by, payer) } else { voucher.clone() };
                Claim::new(&voucher, &more)
            }
            // The payer signs two vouchers of one number.
            85..90 => {
                let ceiling = Amount(voucher.body.cumulative_max.0 / 2);
                Claim::new(&Signed::new(Voucher { cumulative_max: ceiling, ..acknowledging }, payer), receipt)
            }
            // The seller signs the voucher; a stranger signs the receipt.
            90..95 => Claim::new(&Signed::new(Voucher { cumulative_max: Amount(1 << 40), ..acknowledging }, payee), receipt),
            _ => Claim::new(voucher, &Signed::new(receipt.body.clone(), &cast.stranger)),
        })
    }

    /// The payer acknowledges what it has, without another call.
    fn acknowledge(&mut self, number: u32, cast: &Cast) {
        let lane = &self.lanes[number as usize];
        if lane.debit.acknowledged || lane.debit.last_receipt.is_none() {
            return;
        }
        let voucher = lane.debit.next(&self.terms, self.terms.id(), number, Amount::ZERO, None);
        let signed = Signed::new(voucher, &self.payer_key(cast));
        let lane = &mut self.lanes[number as usize];
        lane.debit.signed(&signed.body);
        if lane.credit.admit(&signed, Amount::ZERO) == Ok(Admission::New) {
            lane.credit.take(&signed, Amount::ZERO);
        }
        lane.vouchers.push(signed);
    }
}

impl Lane {
    /// The seller shows the payer the newest papers, and it goes on from them.
    fn recover(&mut self) {
        let newest = self.vouchers.iter().rev().find(|voucher| voucher.bytes() == self.credit.voucher);
        let Some(newest) = newest.cloned() else { return };
        let receipt = self.receipts.last().filter(|receipt| receipt.body.seq == newest.body.seq);
        self.debit.recover(&newest.body, receipt.map(|receipt| (&receipt.body, receipt.digest())));
    }
}

/// Parts for others in what a channel pays; some make no sense.
fn shares(parties: [AccountId; 2], asset: u32, cast: &Cast, random: &mut Random) -> Vec<Share> {
    if random.percent(55) {
        return Vec::new();
    }
    let share = |account, basis_points| Share { account, basis_points };
    let mut others: Vec<AccountId> = (0..USERS).map(|user| cast.account(user, asset)).collect();
    others.retain(|account| !parties.contains(account));
    others.sort_unstable();
    let points = [1, 100, 333, 2500, 3333, 4999, 5000];
    let mut shares: Vec<Share> = others.into_iter().map(|account| share(account, random.pick(&points))).collect();
    if random.percent(50) {
        shares.truncate(1);
    }
    match random.below(40) {
        0 => shares.reverse(),
        1 => shares = (1..=17).map(|n| share(AccountId(n), 1)).collect(),
        2 => shares.iter_mut().for_each(|share| share.basis_points = 9000),
        3 => shares.iter_mut().for_each(|share| share.basis_points = 0),
        4 => shares = vec![share(random.pick(&parties), 100)],
        5 => shares = vec![share(cast.account(0, 3 - asset.min(2)), 100)],
        6 => shares = vec![share(AccountId(77), 100)],
        _ => {}
    }
    shares
}

fn receipt(terms: &ChannelTerms, voucher: &Voucher, call: Digest, charged: Amount, cumulative: Amount) -> Receipt {
    Receipt {
        call,
        service: "a:b/c@1.0.0".into(),
        function: "f".into(),
        offer: Digest::default(),
        channel: voucher.channel,
        lane: voucher.lane,
        seq: voucher.seq,
        prev_receipt: voucher.prev_receipt,
        buyer: terms.payer_key,
        seller: terms.payee_key,
        node: terms.payee_key,
        package: "p/q@1.0.0".into(),
        component: Digest::default(),
        models: vec![],
        request: call,
        ending: Ending::Answered(Digest::default()),
        price_max: charged,
        charged,
        cumulative,
        started_ms: 0,
        finished_ms: 0,
        children: vec![],
        metered: None,
    }
}
