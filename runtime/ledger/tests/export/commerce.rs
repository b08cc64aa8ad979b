//! A month of commerce on a real ledger: seeded, over log time that the test moves. Accounts, issues, channels with thousands
//! of settlements, closings, holds with all their endings, refunds, failures and repeats.

use std::path::Path;
use std::sync::atomic::Ordering;

use hansa_economy::channel::{AccountId, ChannelTerms};
use hansa_economy::ledger::*;
use hansa_economy::{Amount, Keypair};
use tokio::task::JoinSet;

use crate::town::{SECOND, Town, claim, key, operator};

/// 2026-10-31T06:00:00Z: the month that follows has two ends of months in it.
const START_NS: u64 = 1_793_426_400 * SECOND;
const DAYS: u64 = 32;
const TICKS_PER_DAY: u64 = 4;
const CHANNELS: usize = 24;
/// Assets: number, code, scale.
const ASSETS: [(u32, &str, u8); 4] = [(1, "CRED", 6), (2, "1UP", 0), (3, "NULL", 18), (4, "X", 2)];
/// What an issuer may write, and accounting tools may stumble over.
const REFERENCE: &str = "=cmd()|date:2020-01-01, [2020-01-02] type:Z \"q\" \\ ; é\n2026-11-01 * fake";

/// SplitMix64 (<https://prng.di.unimi.it/splitmix64.c>).
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }
}

struct Person {
    key: Keypair,
    account: AccountId,
}

/// A channel as its two ends know it.
struct Open {
    payer: usize,
    payee: usize,
    terms: ChannelTerms,
    deposit: u128,
    redeemed: u128,
    /// Per lane: newest receipt's number and total.
    lanes: [(u64, u128); 3],
    closing: bool,
}

pub(crate) struct Commerce {
    pub(crate) town: Town,
    pub(crate) settlements: u64,
    people: Vec<Person>,
    channels: Vec<Open>,
    chance: Chance,
    next_transfer: u128,
    nonce: u64,
    holds: Vec<(Id128, usize)>,
}

impl Commerce {
    /// The whole month.
    pub(crate) async fn month(folder: &Path, seed: u64) -> Commerce {
        let mut commerce = Commerce::begin(folder, seed).await;
        for tick in 0..DAYS * TICKS_PER_DAY {
            commerce.town.wait(24 * 3600 / TICKS_PER_DAY);
            commerce.settle().await;
            commerce.turn_over(tick).await;
            commerce.hold(tick).await;
            commerce.transfers(tick).await;
        }
        commerce
    }

    async fn begin(folder: &Path, seed: u64) -> Commerce {
        let town = Town::found(folder).await;
        town.clock.store(START_NS, Ordering::Relaxed);
        for (asset, code, scale) in ASSETS.into_iter().skip(1) {
            let create = AssetCreate { asset, code: code.into(), scale, issuer: operator().public() };
            town.done(&operator(), Command::AssetCreate(create)).await;
        }
        let mut people = Vec::new();
        for n in 1..=12 {
            people.push(Person { key: key(n), account: town.account(&key(n), 1_000_000).await });
        }
        people.push(Person { key: operator(), account: town.account(&operator(), 0).await });
        let mut commerce = Commerce {
            town,
            settlements: 0,
            people,
            channels: Vec::new(),
            chance: Chance(seed),
            next_transfer: 1 << 64,
            nonce: 0,
            holds: Vec::new(),
        };
        commerce.odd_accounts().await;
        for _ in 0..CHANNELS {
            commerce.open().await;
        }
        commerce
    }

    /// Accounts with names and amounts at the edges.
    async fn odd_accounts(&mut self) {
        let odd = [(1, "é; type:Z\n2026-01-01 open"), (2, "日本"), (3, "=1+1"), (4, "9 lives"), (1, "never used")];
        for (n, (asset, label)) in odd.into_iter().enumerate() {
            let key = key(40 + n as u8);
            self.town.done(&key, Command::AccountOpen(AccountOpen::new(asset, label))).await;
            let to = account_id(key.public(), asset, label);
            if label != "never used" {
                let amount = Amount(if asset == 3 { 9_999_999_999_999_999_999_999_999_999 } else { 7 });
                self.town.done(&operator(), Command::Issue(Issue { asset, to, amount, reference: REFERENCE.into() })).await;
            }
        }
    }

    async fn open(&mut self) {
        let payer = self.chance.below(12) as usize;
        let payee = (payer + 1 + self.chance.below(11) as usize) % 12;
        self.nonce += 1;
        let terms = ChannelTerms {
            ledger: self.town.ledger.id(),
            payer: self.people[payer].account,
            payer_key: self.people[payer].key.public(),
            payee: self.people[payee].account,
            payee_key: self.people[payee].key.public(),
            asset: 1,
            grace_s: 3600,
            nonce: self.nonce,
            shares: vec![],
        };
        let deposit = 20_000_000 + u128::from(self.chance.below(20_000_000));
        let command = ChannelOpen { terms: terms.clone(), deposit: Amount(deposit) };
        self.town.done(&self.people[payer].key, Command::ChannelOpen(command)).await;
        self.channels.push(Open { payer, payee, terms, deposit, redeemed: 0, lanes: [(0, 0); 3], closing: false });
    }

    /// Every open channel is redeemed, all at once: groups form in the log.
    async fn settle(&mut self) {
        let mut submissions = JoinSet::new();
        for channel in self.channels.iter_mut().filter(|channel| !channel.closing) {
            let claims = 1 + self.chance.below(3);
            let mut proofs = Vec::new();
            for lane in 0..claims as usize {
                let (seq, total) = &mut channel.lanes[lane];
                let price = (1 + u128::from(self.chance.below(150_000))).min(channel.deposit - channel.redeemed);
                (*seq, *total) = (*seq + 1, *total + price);
                channel.redeemed += price;
                let (payer, payee) = (&self.people[channel.payer].key, &self.people[channel.payee].key);
                proofs.push(claim(&channel.terms, payer, payee, lane as u32, *seq, *total));
            }
            if channel.redeemed == channel.deposit {
                channel.closing = true;
            }
            let redeem = ChannelRedeem { channel: channel.terms.id(), claims: proofs };
            let command = self.town.sign(&self.people[channel.payee].key, Command::ChannelRedeem(redeem));
            let ledger = self.town.ledger.clone();
            submissions.spawn(async move { ledger.submit(command).await.unwrap().result });
            self.settlements += 1;
        }
        while let Some(result) = submissions.join_next().await {
            assert!(matches!(result.unwrap().accepted(), Ok(Acceptance::Redeemed { .. })));
        }
    }

    /// One channel ends, one is topped up, a new one opens.
    async fn turn_over(&mut self, tick: u64) {
        let at = self.chance.below(self.channels.len() as u64) as usize;
        let ending = self.channels.swap_remove(at);
        let channel = ending.terms.id();
        let at_once = tick.is_multiple_of(2);
        let closer = if at_once { ending.payee } else { ending.payer };
        self.town.done(&self.people[closer].key, Command::ChannelClose(ChannelClose { channel, at_once })).await;
        if !at_once {
            self.town.wait(3601);
            self.town.done(&key(99), Command::ChannelFinalize(ChannelFinalize { channel })).await;
        }
        self.open().await;
        let amount = Amount(1 + u128::from(self.chance.below(5_000_000)));
        let channel = self.channels.iter_mut().find(|channel| !channel.closing).unwrap();
        channel.deposit += amount.0;
        let topup = ChannelTopup { channel: channel.terms.id(), amount };
        self.town.done(&self.people[channel.payer].key, Command::ChannelTopup(topup)).await;
    }

    /// A hold is made; older ones are posted in part, voided, or let go by themselves.
    async fn hold(&mut self, tick: u64) {
        let payer = self.chance.below(12) as usize;
        let mut hold = self.transfer(payer, (payer + 1) % 12, 1_000_000);
        hold.flags = TransferFlags::PENDING;
        hold.timeout_s = 24 * 3600;
        self.holds.push((hold.id, payer));
        self.send(payer, vec![hold]).await;
        if self.holds.len() < 3 {
            return;
        }
        let (pending_id, payer) = self.holds.remove(0);
        let flags = [TransferFlags::POST_PENDING, TransferFlags::VOID_PENDING];
        if tick % 3 < 2 {
            let amount = Amount(if tick.is_multiple_of(3) { 400_000 } else { 0 });
            let flags = flags[(tick % 3) as usize];
            let resolve = Transfer { id: self.name(), pending_id, amount, flags, ..Transfer::default() };
            self.send(payer, vec![resolve]).await;
        }
    }

    /// Refunds, payments of nothing, failures, repeats in later entries, broken chains, and units that go out of being.
    async fn transfers(&mut self, tick: u64) {
        let (one, two) = ((tick % 12) as usize, ((tick + 5) % 12) as usize);
        let amount = u128::from(self.chance.below(900_000));
        let refund = self.transfer(one, two, amount);
        self.send(one, vec![refund.clone()]).await;
        let broken = self.transfer(one, two, u128::MAX >> 1);
        let chained = Transfer { flags: TransferFlags::LINKED, ..self.transfer(one, two, 5) };
        self.send(one, vec![broken.clone(), chained, broken.clone()]).await;
        let nothing = self.transfer(one, two, 0);
        self.send(one, vec![broken, refund, nothing]).await;
        if tick.is_multiple_of(8) {
            let payment = self.transfer(one, 12, 3_000_000);
            self.send(one, vec![payment]).await;
            let from = self.people[12].account;
            let redeem = Redeem { asset: 1, from, amount: Amount(2_500_000), reference: REFERENCE.into() };
            self.town.done(&operator(), Command::Redeem(redeem)).await;
        }
    }

    async fn send(&self, payer: usize, transfers: Vec<Transfer>) {
        self.town.done(&self.people[payer].key, Command::Transfer(TransferBatch { transfers })).await;
    }

    fn name(&mut self) -> Id128 {
        self.next_transfer += 1;
        Id128(self.next_transfer)
    }

    fn transfer(&mut self, debit: usize, credit: usize, amount: u128) -> Transfer {
        let (debit, credit) = (self.people[debit].account, self.people[credit].account);
        Transfer { id: self.name(), debit, credit, amount: Amount(amount), asset: 1, code: 1, ..Transfer::default() }
    }
}
