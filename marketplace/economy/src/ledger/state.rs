//! The state: all accounts, their keys, assets, channels, counts of refunds, open holds, and of transfers and outcomes at least those that the next
//! entry speaks of.
//!
//! A store that keeps transfers and outcomes elsewhere brings those that an entry names in before ([`State::recall`]) and
//! lets settled ones go after ([`State::forget_settled`]); whoever keeps everything in memory calls neither.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use minicbor::{Decode, Encode};
use serde::Serialize;

use super::account_key::{AccountKey, KeyId, KeyRole};
use super::account_set::{AccountPlace, AccountSet};
use super::id::{CommandId, TransferId};
use super::movement::Movement;
use super::reason::Reason;
use super::refund::{RefundTarget, Refunded};
use super::transfer::TransferRecord;
use super::unordered::{Unordered, by_id};
use super::verified::Verified;
use super::{Account, Asset, Channel};
use crate::channel::{AccountId, ChannelId};
use crate::digest::Digest;
use crate::key::PublicKey;

/// Where the log stands, and whose ledger it is.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(map)]
pub struct Head {
    /// The ledger's id: the hash of its first entry.
    #[n(0)]
    pub ledger: Digest,
    /// The ledger's name.
    #[n(1)]
    pub name: String,
    /// Who creates assets.
    #[n(2)]
    pub operator: PublicKey,
    /// The newest entry's number, from 1.
    #[n(3)]
    pub seq: u64,
    /// The newest entry's hash.
    #[n(4)]
    pub hash: Digest,
    /// The newest log time, Unix nanoseconds.
    #[n(5)]
    pub time_ns: u64,
}

/// Where a command's outcome stands in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(map)]
pub struct OutcomeRef {
    /// Digest of the command's exact bytes.
    #[n(0)]
    pub digest: Digest,
    /// The entry.
    #[n(1)]
    pub seq: u64,
    /// Its place in the entry, from 0.
    #[n(2)]
    pub index: u32,
}

/// What is to be done with a verified command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Append it.
    New,
    /// It was applied before: its outcome stands there.
    Repeat(OutcomeRef),
    /// Refuse it without an entry in the log.
    Refused(Reason),
}

/// Keys of the rows that were written since the last [`State::take_changes`], each list in rising order and without
/// repeats. A row that is not there any more was rolled back: it never was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Accounts.
    pub accounts: Vec<AccountId>,
    /// Those of them that were opened.
    pub opened: Vec<AccountId>,
    /// Owners that an account had before: the index of accounts by owner forgets these.
    pub owners_before: Vec<(PublicKey, AccountId)>,
    /// Further keys of accounts.
    pub keys: Vec<KeyId>,
    /// Assets.
    pub assets: Vec<u32>,
    /// Channels.
    pub channels: Vec<ChannelId>,
    /// Transfers and burnt ids.
    pub transfers: Vec<TransferId>,
    /// Counts of refunds.
    pub refunded: Vec<RefundTarget>,
    /// Commands.
    pub outcomes: Vec<CommandId>,
}

impl Changes {
    fn settle(&mut self) {
        fn settle<T: Ord>(keys: &mut Vec<T>) {
            keys.sort_unstable();
            keys.dedup();
        }
        settle(&mut self.accounts);
        settle(&mut self.opened);
        settle(&mut self.owners_before);
        settle(&mut self.keys);
        settle(&mut self.assets);
        settle(&mut self.channels);
        settle(&mut self.transfers);
        settle(&mut self.refunded);
        settle(&mut self.outcomes);
    }
}

/// The state of a ledger.
#[derive(Clone, Debug)]
pub struct State {
    head: Head,
    accounts: AccountSet,
    keys: BTreeMap<KeyId, AccountKey>,
    assets: BTreeMap<u32, Asset>,
    channels: BTreeMap<ChannelId, Channel>,
    refunded: BTreeMap<RefundTarget, Refunded>,
    open_holds: Unordered<TransferId, Arc<TransferRecord>>,
    settled: Settled,
    /// What was settled before the last [`State::seal_settled`].
    sealed: Settled,
    /// Open holds by the time at which they let go; derived.
    expiries: BTreeSet<(u64, TransferId)>,
    changes: Changes,
    movements: Vec<Movement>,
    scope: Option<Scope>,
}

/// Outcomes, transfers other than open holds, and burnt ids, as far as they are in memory. They never change.
#[derive(Clone, Debug, Default)]
struct Settled {
    transfers: Unordered<TransferId, Arc<TransferRecord>>,
    /// No id in `transfers` is greater: who asks for ascending ids need not look.
    greatest: TransferId,
    outcomes: Unordered<CommandId, OutcomeRef>,
}

impl Settled {
    fn get(&self, id: TransferId) -> Option<&Arc<TransferRecord>> {
        if id > self.greatest { None } else { self.transfers.get(id) }
    }

    fn insert(&mut self, id: TransferId, record: Arc<TransferRecord>) -> Option<Arc<TransferRecord>> {
        self.greatest = self.greatest.max(id);
        self.transfers.insert(id, record)
    }
}

/// What must be put back if a chain breaks.
#[derive(Clone, Debug, Default)]
struct Scope {
    accounts: Vec<(AccountId, Option<Account>)>,
    keys: Vec<(KeyId, Option<AccountKey>)>,
    transfers: Vec<(TransferId, Option<Arc<TransferRecord>>)>,
    movements: usize,
}

impl State {
    /// A state with nothing in it.
    pub fn new(head: Head) -> State {
        State {
            head,
            accounts: AccountSet::default(),
            keys: BTreeMap::new(),
            assets: BTreeMap::new(),
            channels: BTreeMap::new(),
            refunded: BTreeMap::new(),
            open_holds: Unordered::default(),
            settled: Settled::default(),
            sealed: Settled::default(),
            expiries: BTreeSet::new(),
            changes: Changes::default(),
            movements: Vec::new(),
            scope: None,
        }
    }

    /// Where the log stands.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// An account.
    pub fn account(&self, id: AccountId) -> Option<&Account> {
        self.accounts.find(id).map(|place| self.accounts.at(place))
    }

    /// A further key of an account, revoked ones included.
    pub fn key(&self, id: KeyId) -> Option<&AccountKey> {
        self.keys.get(&id)
    }

    /// An asset.
    pub fn asset(&self, id: u32) -> Option<&Asset> {
        self.assets.get(&id)
    }

    /// A channel.
    pub fn channel(&self, id: ChannelId) -> Option<&Channel> {
        self.channels.get(&id)
    }

    /// The channel whose deposit this account holds.
    pub fn channel_of(&self, escrow: AccountId) -> Option<&Channel> {
        // The account is named by the first half of the channel's name.
        let (mut first, mut last) = (Digest([0; 32]), Digest([0xff; 32]));
        first.0[..16].copy_from_slice(&escrow.0.to_be_bytes());
        last.0[..16].copy_from_slice(&escrow.0.to_be_bytes());
        self.channels.range(first..=last).map(|(_, channel)| channel).find(|channel| channel.terms.escrow() == escrow)
    }

    /// A transfer, if it is in memory.
    pub fn transfer(&self, id: TransferId) -> Option<&TransferRecord> {
        self.shared_transfer(id).map(Arc::as_ref)
    }

    /// The same, to be kept beside the state.
    pub fn shared_transfer(&self, id: TransferId) -> Option<&Arc<TransferRecord>> {
        self.settled.get(id).or_else(|| self.open_holds.get(id)).or_else(|| self.sealed.get(id))
    }

    /// How much of a thing was refunded; none: nothing.
    pub fn refunded(&self, target: RefundTarget) -> Option<&Refunded> {
        self.refunded.get(&target)
    }

    /// Where a command's outcome stands, if it is in memory.
    pub fn outcome(&self, id: CommandId) -> Option<&OutcomeRef> {
        self.settled.outcomes.get(id).or_else(|| self.sealed.outcomes.get(id))
    }

    /// All accounts, by id.
    pub fn accounts(&self) -> impl Iterator<Item = &Account> {
        self.accounts.by_id().into_iter()
    }

    /// All further keys, by account, role and key.
    pub fn keys(&self) -> impl Iterator<Item = &AccountKey> {
        self.keys.values()
    }

    /// All assets, by number.
    pub fn assets(&self) -> impl Iterator<Item = &Asset> {
        self.assets.values()
    }

    /// All channels, by id.
    pub fn channels(&self) -> impl Iterator<Item = &Channel> {
        self.channels.values()
    }

    /// All transfers in memory, by id.
    pub fn transfers(&self) -> impl Iterator<Item = (TransferId, &TransferRecord)> {
        by_id([&self.settled.transfers, &self.open_holds, &self.sealed.transfers]).map(|(id, record)| (id, record.as_ref()))
    }

    /// All counts of refunds, by what was refunded.
    pub fn all_refunded(&self) -> impl Iterator<Item = &Refunded> {
        self.refunded.values()
    }

    /// All outcomes in memory, by command.
    pub fn outcomes(&self) -> impl Iterator<Item = (CommandId, &OutcomeRef)> {
        by_id([&self.settled.outcomes, &self.sealed.outcomes])
    }

    /// What is to be done with `command`? Its outcome, if it has one, must be in memory.
    pub fn admit(&self, command: &Verified) -> Admission {
        match self.outcome(command.body().id) {
            Some(outcome) if outcome.digest == command.digest() => Admission::Repeat(*outcome),
            Some(_) => Admission::Refused(Reason::IdTaken),
            None if command.body().ledger != Some(self.head.ledger) => Admission::Refused(Reason::WrongLedger),
            None => Admission::New,
        }
    }

    /// Bring a stored account back.
    pub fn restore_account(&mut self, account: Account) {
        self.accounts.insert(account);
    }

    /// Bring a stored key back.
    pub fn restore_key(&mut self, key: AccountKey) {
        self.keys.insert(key.id(), key);
    }

    /// Bring a stored asset back.
    pub fn restore_asset(&mut self, asset: Asset) {
        self.assets.insert(asset.id, asset);
    }

    /// Bring a stored channel back.
    pub fn restore_channel(&mut self, channel: Channel) {
        self.channels.insert(channel.id, channel);
    }

    /// Bring a stored count of refunds back.
    pub fn restore_refunded(&mut self, row: Refunded) {
        self.refunded.insert(row.target, row);
    }

    /// Bring a stored transfer back. One that is in memory already stays as it is there.
    pub fn recall(&mut self, id: TransferId, record: TransferRecord) {
        if self.transfer(id).is_none() {
            self.insert_transfer(id, Some(Arc::new(record)));
        }
    }

    /// Bring a stored outcome back.
    pub fn recall_outcome(&mut self, id: CommandId, outcome: OutcomeRef) {
        if self.outcome(id).is_none() {
            self.settled.outcomes.insert(id, outcome);
        }
    }

    /// Let these transfers go from memory, unless they are open holds.
    pub fn forget_settled(&mut self, ids: impl IntoIterator<Item = TransferId>) {
        for id in ids {
            self.settled.transfers.remove(id);
        }
    }

    /// Let these outcomes go from memory.
    pub fn forget_outcomes(&mut self, ids: impl IntoIterator<Item = CommandId>) {
        for id in ids {
            self.settled.outcomes.remove(id);
        }
    }

    /// Outcomes, and transfers other than open holds, that are in memory now will all be stored: [`State::forget_sealed`]
    /// lets them go when they are. Those that come from now on stay.
    pub fn seal_settled(&mut self) {
        let fresh = Settled {
            // About as much will come.
            transfers: Unordered::with_capacity(self.settled.transfers.len()),
            ..Settled::default()
        };
        let settled = std::mem::replace(&mut self.settled, fresh);
        if self.sealed.transfers.len() + self.sealed.outcomes.len() == 0 {
            self.sealed = settled;
            return;
        }
        self.sealed.greatest = self.sealed.greatest.max(settled.greatest);
        self.sealed.transfers.absorb(settled.transfers);
        self.sealed.outcomes.absorb(settled.outcomes);
    }

    /// Let go of what was sealed.
    pub fn forget_sealed(&mut self) {
        self.sealed = Settled::default();
    }

    /// The keys of all rows written since the last time.
    pub fn take_changes(&mut self) -> Changes {
        let mut changes = std::mem::take(&mut self.changes);
        changes.settle();
        changes
    }

    pub(super) fn take_movements(&mut self) -> Vec<Movement> {
        std::mem::take(&mut self.movements)
    }

    pub(super) fn head_mut(&mut self) -> &mut Head {
        &mut self.head
    }

    /// The log time of what is being done, Unix nanoseconds.
    pub(super) fn now_ns(&self) -> u64 {
        self.head.time_ns
    }

    /// Go on by the smallest step of log time, so that no two events have the same.
    pub(super) fn tick(&mut self) -> u64 {
        self.head.time_ns += 1;
        self.head.time_ns
    }

    pub(super) fn note(&mut self, movement: Movement) {
        self.movements.push(movement);
    }

    pub(super) fn find_account(&self, id: AccountId) -> Option<AccountPlace> {
        self.accounts.find(id)
    }

    pub(super) fn account_at(&self, place: AccountPlace) -> &Account {
        self.accounts.at(place)
    }

    /// An account to write to, which was found before.
    pub(super) fn account_mut(&mut self, id: AccountId) -> &mut Account {
        let place = self.find_account(id).expect("the checks before the point of no return found this account");
        self.account_at_mut(place)
    }

    /// The same, where its place is known.
    pub(super) fn account_at_mut(&mut self, place: AccountPlace) -> &mut Account {
        let account = self.accounts.at_mut(place);
        self.changes.accounts.push(account.id);
        if let Some(scope) = &mut self.scope {
            scope.accounts.push((account.id, Some(account.clone())));
        }
        account
    }

    pub(super) fn put_account(&mut self, account: Account) {
        let id = account.id;
        self.changes.accounts.push(id);
        let before = self.accounts.insert(account);
        if before.is_none() {
            self.changes.opened.push(id);
        }
        if let Some(scope) = &mut self.scope {
            scope.accounts.push((id, before));
        }
    }

    /// Give an account that was found before to another owner.
    pub(super) fn change_owner(&mut self, id: AccountId, owner: PublicKey) {
        let before = std::mem::replace(&mut self.account_mut(id).owner, owner);
        self.changes.owners_before.push((before, id));
    }

    pub(super) fn put_key(&mut self, key: AccountKey) {
        let id = key.id();
        self.changes.keys.push(id);
        let before = self.keys.insert(id, key);
        if let Some(scope) = &mut self.scope {
            scope.keys.push((id, before));
        }
    }

    /// Has the account ever named a key in this role?
    pub(super) fn names_keys(&self, account: AccountId, role: KeyRole) -> bool {
        let ends = (account, role, PublicKey([0; 32]))..=(account, role, PublicKey([0xff; 32]));
        self.keys.range(ends).next().is_some()
    }

    pub(super) fn put_asset(&mut self, asset: Asset) {
        self.changes.assets.push(asset.id);
        self.assets.insert(asset.id, asset);
    }

    pub(super) fn put_channel(&mut self, channel: Channel) {
        self.changes.channels.push(channel.id);
        self.channels.insert(channel.id, channel);
    }

    pub(super) fn put_refunded(&mut self, row: Refunded) {
        self.changes.refunded.push(row.target);
        self.refunded.insert(row.target, row);
    }

    pub(super) fn put_outcome(&mut self, id: CommandId, outcome: OutcomeRef) {
        self.changes.outcomes.push(id);
        self.settled.outcomes.insert(id, outcome);
    }

    pub(super) fn put_transfer(&mut self, id: TransferId, record: TransferRecord) {
        self.changes.transfers.push(id);
        let before = self.insert_transfer(id, Some(Arc::new(record)));
        if let Some(scope) = &mut self.scope {
            scope.transfers.push((id, before));
        }
    }

    /// The next hold that has let go by `now_ns`, if any.
    pub(super) fn next_expired(&self, now_ns: u64) -> Option<TransferId> {
        self.expiries.first().filter(|(expires_ns, _)| *expires_ns <= now_ns).map(|(_, id)| *id)
    }

    /// From here on all writes of accounts, keys and transfers can be taken back.
    pub(super) fn open_scope(&mut self) {
        self.scope = Some(Scope { movements: self.movements.len(), ..Scope::default() });
    }

    /// Keep what was written since [`State::open_scope`].
    pub(super) fn keep_scope(&mut self) {
        self.scope = None;
    }

    /// Take back what was written since [`State::open_scope`].
    pub(super) fn discard_scope(&mut self) {
        let Some(scope) = self.scope.take() else { return };
        for (id, account) in scope.accounts.into_iter().rev() {
            match account {
                Some(account) => drop(self.accounts.insert(account)),
                None => self.accounts.remove_newest(id),
            }
        }
        for (id, key) in scope.keys.into_iter().rev() {
            match key {
                Some(key) => self.keys.insert(id, key),
                None => self.keys.remove(&id),
            };
        }
        for (id, record) in scope.transfers.into_iter().rev() {
            self.insert_transfer(id, record);
        }
        self.movements.truncate(scope.movements);
    }

    fn insert_transfer(&mut self, id: TransferId, record: Option<Arc<TransferRecord>>) -> Option<Arc<TransferRecord>> {
        let expiry = record.as_deref().and_then(open_until);
        let (settled, open) = (&mut self.settled, &mut self.open_holds);
        let before = match record {
            Some(record) if record.is_open_hold() => open.insert(id, record).or(settled.transfers.remove(id)),
            Some(record) => settled.insert(id, record).or(open.remove(id)),
            None => settled.transfers.remove(id).or(open.remove(id)),
        };
        if let Some(expires_ns) = before.as_deref().and_then(open_until) {
            self.expiries.remove(&(expires_ns, id));
        }
        if let Some(expires_ns) = expiry {
            self.expiries.insert((expires_ns, id));
        }
        before
    }
}

fn open_until(record: &TransferRecord) -> Option<u64> {
    match record {
        TransferRecord::Created(transfer, _) if record.is_open_hold() => transfer.expires_ns(),
        _ => None,
    }
}
