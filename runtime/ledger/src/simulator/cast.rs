//! Who plays: keys, their accounts, and the commands that they think of.

use std::sync::Arc;

use hansa_economy::channel::AccountId;
use hansa_economy::ledger::*;
use hansa_economy::{Amount, Keypair};

use super::random::Random;

/// Users of the ledger; the first also issues asset 2.
pub(super) const USERS: usize = 4;
pub(super) const ASSETS: [u32; 2] = [1, 2];
const LABELS: [&str; 2] = ["main", "side"];

/// The keys.
#[derive(Clone, Debug)]
pub(super) struct Cast {
    pub(super) operator: Arc<Keypair>,
    pub(super) users: Vec<Arc<Keypair>>,
    /// The keys that sign vouchers and receipts, one for each user.
    pub(super) channel_keys: Vec<Arc<Keypair>>,
    /// Further keys that accounts may name.
    pub(super) clerks: Vec<Arc<Keypair>>,
    /// Keys to which accounts may be handed over.
    pub(super) heirs: Vec<Arc<Keypair>>,
    pub(super) stranger: Arc<Keypair>,
}

impl Cast {
    pub(super) fn new() -> Cast {
        let key = |n: usize| Arc::new(Keypair::from_seed(&[u8::try_from(n).unwrap_or(u8::MAX); 32]));
        Cast {
            operator: key(250),
            users: (1..=USERS).map(key).collect(),
            channel_keys: (101..=100 + USERS).map(key).collect(),
            clerks: (151..=155).map(key).collect(),
            heirs: (201..=203).map(key).collect(),
            stranger: key(251),
        }
    }

    pub(super) fn issuer(&self, asset: u32) -> Arc<Keypair> {
        if asset == 1 { self.operator.clone() } else { self.users[0].clone() }
    }

    pub(super) fn account(&self, user: usize, asset: u32) -> AccountId {
        account_id(self.users[user].public(), asset, LABELS[0])
    }

    /// The accounts of users, first `main` ones of both assets, then `side` ones of the first.
    pub(super) fn accounts(&self) -> Vec<AccountId> {
        let of = |asset, label| self.users.iter().map(move |user| account_id(user.public(), asset, label));
        of(1, LABELS[0]).chain(of(2, LABELS[0])).chain(of(1, LABELS[1])).collect()
    }

    /// What stands in the log before the story begins.
    pub(super) fn prologue(&self) -> Vec<(Arc<Keypair>, Command)> {
        let mut commands = Vec::new();
        for (asset, code) in ASSETS.into_iter().zip(["CRED", "GOLD"]) {
            let issuer = self.issuer(asset).public();
            let create = AssetCreate { asset, code: code.into(), scale: 6, issuer };
            commands.push((self.operator.clone(), Command::AssetCreate(create)));
        }
        for (user, key) in self.users.iter().enumerate() {
            for asset in ASSETS {
                commands.push((key.clone(), Command::AccountOpen(AccountOpen::new(asset, LABELS[0]))));
                let to = self.account(user, asset);
                let issue = Issue { asset, to, amount: Amount(1000), reference: "before".into() };
                commands.push((self.issuer(asset), Command::Issue(issue)));
            }
        }
        commands
    }

    /// A command on supply or accounts; some are wrong.
    pub(super) fn office(&self, random: &mut Random) -> (Arc<Keypair>, Command) {
        let asset = random.pick(&[1, 1, 1, 2, 3]);
        let user = random.index(USERS);
        let amount = Amount(random.pick(&[0, 1, 50, 200, 200, u128::MAX]));
        let issuer = if random.percent(85) { self.issuer(asset) } else { random.pick(&self.users) };
        let reference = if random.percent(95) { "r".to_owned() } else { String::new() };
        let accounts = self.accounts();
        match random.below(10) {
            0 => {
                let (asset, code) = (random.below(5) as u32, random.pick(&["CRED", "IRON", "low"]).to_owned());
                let create = AssetCreate { asset, code, scale: 2, issuer: self.users[user].public() };
                (if random.percent(70) { self.operator.clone() } else { issuer }, Command::AssetCreate(create))
            }
            1..3 => (self.users[user].clone(), Command::AccountOpen(AccountOpen::new(asset, random.pick(&LABELS)))),
            3..7 => (issuer, Command::Issue(Issue { asset, to: random.pick(&accounts), amount, reference })),
            _ => {
                let from = if random.percent(80) { self.account(0, 2) } else { random.pick(&accounts) };
                let asset = if from == self.account(0, 2) { 2 } else { asset };
                let issuer = if random.percent(80) { self.issuer(asset) } else { issuer };
                (issuer, Command::Redeem(Redeem { asset, from, amount, reference }))
            }
        }
    }

    /// A batch of transfers; some are wrong. `asked` remembers them.
    pub(super) fn batch(
        &self,
        random: &mut Random,
        next_id: &mut u128,
        asked: &mut Vec<Transfer>,
        state: &State,
    ) -> (Arc<Keypair>, Command) {
        let payer = Payer::choose(self, random, state);
        let count = random.pick(&[1, 1, 1, 2, 3, 5]);
        let chained = random.percent(30);
        let mut transfers = Vec::new();
        for at in 1..=count {
            let mut transfer = match random.below(100) {
                0..35 if payer.key.is_none() => self.resolution(random, next_id, state),
                0..12 => self.resolution(random, next_id, state),
                35..43 => repeat(random, asked),
                _ => self.movement(random, next_id, &payer),
            };
            if chained && at < count && random.percent(85) || random.percent(1) {
                transfer.flags = transfer.flags.with(TransferFlags::LINKED);
            }
            transfers.push(transfer);
        }
        asked.extend(transfers.iter().cloned());
        let signer = match transfers.first().and_then(|first| state.transfer(first.pending_id)) {
            Some(TransferRecord::Created(hold, _)) if random.percent(90) => self.resolver(hold, random, state),
            _ if random.percent(4) => self.stranger.clone(),
            _ => payer.signer,
        };
        if random.percent(1) {
            transfers.clear();
        }
        (signer, Command::Transfer(TransferBatch { transfers }))
    }

    /// Somebody to resolve a hold: who may, or the other side, or the key that made it.
    fn resolver(&self, hold: &Transfer, random: &mut Random, state: &State) -> Arc<Keypair> {
        match hold.held_by {
            Some(key) if random.percent(60) => self.pair(key),
            _ if hold.posted_by == HoldRule::Payee || random.percent(10) => {
                self.speaker(hold.credit, KeyRole::Receipt, random, state)
            }
            _ => self.speaker(hold.debit, KeyRole::Spend, random, state),
        }
    }

    fn movement(&self, random: &mut Random, next_id: &mut u128, payer: &Payer) -> Transfer {
        let asset = if payer.key.is_some() { payer.asset } else { random.pick(&[1, 1, 1, 2]) };
        let debit = match &payer.key {
            Some(key) => key.account,
            None => self.account(if random.percent(92) { payer.user } else { random.index(USERS) }, asset),
        };
        let others = self.accounts();
        let allowed = payer.key.as_ref().map_or(&[][..], |key| &key.limits.payees);
        let credit = match random.below(100) {
            0..75 if !allowed.is_empty() => random.pick(allowed),
            0..85 => self.account(random.index(USERS), asset),
            _ => random.pick(&others),
        };
        let flags = shape(random);
        let closing = flags.any(TransferFlags::CLOSING_DEBIT.with(TransferFlags::CLOSING_CREDIT));
        let is_hold = flags.has(TransferFlags::PENDING);
        let timed = is_hold && (closing || random.percent(60));
        let timeout_s = if timed { 1 + random.below(4) as u32 } else { 0 };
        let posted_by = if timed && random.percent(20) { HoldRule::Payee } else { HoldRule::Payer };
        let amount = match payer.key.as_ref().and_then(AccountKey::left) {
            Some(left) if random.percent(40) => Amount(left.0.saturating_add(random.below(3).into()).saturating_sub(1)),
            _ => Amount(random.pick(&[0, 1, 3, 10, 40, 40, 200, 900, u128::MAX])),
        };
        Transfer { id: fresh(next_id), debit, credit, amount, asset, code: 1, flags, timeout_s, posted_by, ..Transfer::default() }
    }

    fn resolution(&self, random: &mut Random, next_id: &mut u128, state: &State) -> Transfer {
        let holds: Vec<&Transfer> = state
            .transfers()
            .filter_map(|(_, record)| match record {
                TransferRecord::Created(hold, Some(held)) if *held == HoldState::Open || random.percent(10) => Some(hold),
                _ => None,
            })
            .collect();
        let stranger = Transfer { id: Id128(7), ..Transfer::default() };
        let hold = if holds.is_empty() { &stranger } else { holds[random.index(holds.len())] };
        let posts = random.percent(65);
        let flags = if posts { TransferFlags::POST_PENDING } else { TransferFlags::VOID_PENDING };
        let all = if posts { Amount::MAX } else { Amount::ZERO };
        let amount = match random.below(10) {
            0..4 => all,
            4 => hold.amount,
            5..9 if posts => Amount(hold.amount.0 / 2),
            _ => hold.amount.saturating_add(Amount(1)),
        };
        Transfer { id: fresh(next_id), pending_id: hold.id, amount, flags, ..Transfer::default() }
    }
}

/// Who pays in a batch: a user, or a further key of somebody's account.
struct Payer {
    user: usize,
    signer: Arc<Keypair>,
    key: Option<AccountKey>,
    /// What the key's account counts.
    asset: u32,
}

impl Payer {
    fn choose(cast: &Cast, random: &mut Random, state: &State) -> Payer {
        let user = random.index(USERS);
        let key = if random.percent(30) { Cast::spender(random, state) } else { None };
        let signer = match &key {
            Some(key) => cast.pair(key.key),
            None if random.percent(5) => cast.users[user].clone(),
            None => cast.owner(cast.account(user, 1), state),
        };
        let asset = key.as_ref().and_then(|key| state.account(key.account)).map_or(1, |account| account.asset);
        Payer { user, signer, key, asset }
    }
}

fn shape(random: &mut Random) -> TransferFlags {
    let mut flags = TransferFlags::NONE;
    for (flag, percent) in [
        (TransferFlags::PENDING, 45),
        (TransferFlags::BALANCING_DEBIT, 8),
        (TransferFlags::BALANCING_CREDIT, 3),
        (TransferFlags::CLOSING_DEBIT, 2),
        (TransferFlags::CLOSING_CREDIT, 1),
    ] {
        flags = if random.percent(percent) { flags.with(flag) } else { flags };
    }
    let closing = flags.any(TransferFlags::CLOSING_DEBIT.with(TransferFlags::CLOSING_CREDIT));
    if closing { flags.with(TransferFlags::PENDING) } else { flags }
}

fn fresh(next_id: &mut u128) -> Id128 {
    *next_id += 1;
    Id128(*next_id)
}

/// A transfer that was asked for before, or nearly; perhaps its id is burnt by now.
fn repeat(random: &mut Random, asked: &[Transfer]) -> Transfer {
    if asked.is_empty() {
        return Transfer::default();
    }
    let transfer = random.pick(asked);
    let amount = match random.below(4) {
        0 => Amount(transfer.amount.0 / 2),
        1 => Amount(1),
        _ => transfer.amount,
    };
    Transfer { amount, ..transfer }
}
