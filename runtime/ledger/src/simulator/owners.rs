//! Owners and their further keys: who speaks for an account, rightly or not, and the changes of keys that people think of.

use std::sync::Arc;

use hansa_economy::channel::AccountId;
use hansa_economy::ledger::*;
use hansa_economy::{Amount, Keypair, PublicKey};

use super::accountant::SECOND_NS;
use super::cast::{ASSETS, Cast, USERS};
use super::random::Random;

const ROLES: [KeyRole; 6] = [KeyRole::Spend, KeyRole::Spend, KeyRole::Spend, KeyRole::Spend, KeyRole::Voucher, KeyRole::Receipt];

impl Cast {
    /// The key pair of a key, if anybody has it.
    pub(super) fn pair(&self, key: PublicKey) -> Arc<Keypair> {
        let keys = self.users.iter().chain(&self.channel_keys).chain(&self.clerks).chain(&self.heirs);
        let mut keys = keys.chain([&self.operator]);
        keys.find(|pair| pair.public() == key).unwrap_or(&self.stranger).clone()
    }

    /// The key that owns `account` now.
    pub(super) fn owner(&self, account: AccountId, state: &State) -> Arc<Keypair> {
        state.account(account).map_or_else(|| self.stranger.clone(), |account| self.pair(account.owner))
    }

    /// Who opened `account`; perhaps it is another's by now.
    fn opener(&self, account: AccountId) -> Arc<Keypair> {
        let opened = |user: &usize| ASSETS.iter().any(|asset| self.account(*user, *asset) == account);
        (0..USERS).find(opened).map_or(&self.stranger, |user| &self.users[user]).clone()
    }

    /// A key to speak for `account` in a matter of `role`: mostly one that may.
    pub(super) fn speaker(&self, account: AccountId, role: KeyRole, random: &mut Random, state: &State) -> Arc<Keypair> {
        let rows = keys_of(account, state).filter(|row| row.role == role).collect::<Vec<_>>();
        match random.below(100) {
            0..36 if !rows.is_empty() => self.pair(random.pick(&rows).key),
            36..40 => self.opener(account),
            40..42 => self.stranger.clone(),
            42..44 => random.pick(&self.clerks),
            _ => self.owner(account, state),
        }
    }

    /// A key for the receipts of channels that pay `account`.
    pub(super) fn receipt_key(&self, user: usize, account: AccountId, random: &mut Random, state: &State) -> PublicKey {
        let rows: Vec<PublicKey> =
            keys_of(account, state).filter(|row| row.role == KeyRole::Receipt).map(|row| row.key).collect();
        let own = self.channel_keys[user].public();
        match random.below(100) {
            0..10 => own,
            10..75 if !rows.is_empty() => random.pick(&rows),
            75..100 if !rows.is_empty() => self.owner(account, state).public(),
            _ => own,
        }
    }

    /// A key for the vouchers of channels that `account` pays.
    pub(super) fn voucher_key(&self, user: usize, account: AccountId, random: &mut Random, state: &State) -> PublicKey {
        let mut keys = vec![self.channel_keys[user].public(), self.owner(account, state).public()];
        keys.extend(keys_of(account, state).filter(|row| row.role == KeyRole::Voucher).map(|row| row.key));
        random.pick(&keys)
    }

    /// A further key that may spend, or could once.
    pub(super) fn spender(random: &mut Random, state: &State) -> Option<AccountKey> {
        let rows: Vec<&AccountKey> = state.keys().filter(|row| row.role == KeyRole::Spend).collect();
        (!rows.is_empty()).then(|| (*rows[random.index(rows.len())]).clone())
    }

    /// An `account.key`; some are wrong.
    pub(super) fn key_change(&self, random: &mut Random, state: &State) -> (Arc<Keypair>, Command) {
        let account = match random.below(100) {
            0..94 => self.account(random.index(USERS), random.pick(&[1, 1, 1, 2])),
            94..97 => issuance_account_id(1),
            _ => state.channels().next().map_or(AccountId(9), |channel| channel.terms.escrow()),
        };
        let signer = match random.below(100) {
            0..84 => self.owner(account, state),
            84..90 => self.opener(account),
            90..96 => random.pick(&self.clerks),
            _ => random.pick(&self.users),
        };
        let rows: Vec<&AccountKey> = keys_of(account, state).collect();
        let (key, role) = match rows.is_empty() || random.percent(20) {
            true => (self.further_key(random), random.pick(&ROLES)),
            false => {
                let row = random.pick(&rows);
                (row.key, row.role)
            }
        };
        let change = match random.below(100) {
            0..44 => self.add((account, random.pick(&ROLES), self.further_key(random)), random, state),
            44..60 => self.add((account, role, key), random, state),
            60..72 => KeyChange::Rotate { key, role, successor: self.further_key(random) },
            72..88 => KeyChange::Revoke { key, role },
            _ => KeyChange::RotateOwner { successor: self.successor(account, random) },
        };
        (signer, Command::AccountKey(AccountKeyChange { account, change }))
    }

    fn further_key(&self, random: &mut Random) -> PublicKey {
        match random.below(100) {
            0..80 => random.pick(&self.clerks).public(),
            80..90 => random.pick(&self.channel_keys).public(),
            90..98 => random.pick(&self.users).public(),
            // Nobody can sign with this one.
            _ => PublicKey([0; 32]),
        }
    }

    /// Often the account goes back to who opened it.
    fn successor(&self, account: AccountId, random: &mut Random) -> PublicKey {
        match random.below(10) {
            0..5 => random.pick(&self.heirs).public(),
            5..8 => self.opener(account).public(),
            _ => self.further_key(random),
        }
    }

    fn add(&self, id: KeyId, random: &mut Random, state: &State) -> KeyChange {
        let (account, role, key) = id;
        let spent = state.key(id).map_or(0, |before| before.spent.0);
        let budgets = [None, Some(0), Some(20), Some(100), Some(100), Some(400), Some(spent), Some(spent + 30), Some(spent / 2)];
        let fits = random.percent(95);
        let budget = random.pick(&budgets).filter(|_| role == KeyRole::Spend || !fits).map(Amount);
        let now_ns = state.head().time_ns;
        let expires_ns = match random.below(10) {
            0..4 => Some(now_ns + random.below(5 * SECOND_NS)),
            4 => Some(now_ns.saturating_sub(random.below(2))),
            _ => None,
        };
        let payees = if role == KeyRole::Receipt && fits { Vec::new() } else { self.payees(account, random, state) };
        KeyChange::Add { key, role, limits: KeyLimits { budget, payees, expires_ns } }
    }

    /// Whom a key may pay: mostly anybody, or the payee of a channel, or a few; sometimes out of order, or too many.
    fn payees(&self, account: AccountId, random: &mut Random, state: &State) -> Vec<AccountId> {
        let ours = state.channels().filter(|channel| channel.terms.payer == account);
        let ours: Vec<AccountId> = ours.map(|channel| channel.terms.payee).collect();
        match random.below(100) {
            0..48 => return Vec::new(),
            48..50 => return (0..33).map(AccountId).collect(),
            50..76 if !ours.is_empty() => return vec![random.pick(&ours)],
            _ => {}
        }
        let some = 1 + random.below(4);
        let mut payees: Vec<AccountId> =
            (0..some).map(|_| self.account(random.index(USERS), random.pick(&[1, 1, 1, 2]))).collect();
        payees.sort_unstable();
        payees.dedup();
        if random.percent(5) {
            payees.reverse();
        }
        payees
    }
}

/// The further keys of an account, revoked ones included.
fn keys_of(account: AccountId, state: &State) -> impl Iterator<Item = &AccountKey> {
    state.keys().filter(move |row| row.account == account)
}
