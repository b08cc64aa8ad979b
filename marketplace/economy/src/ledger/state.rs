//! The state: all accounts, assets, channels, open holds, and of transfers and outcomes at least those that the next
//! entry speaks of.
//!
//! A store that keeps transfers and outcomes elsewhere brings those that an entry names in before ([`State::recall`]) and
//! lets what is settled go after ([`State::forget_settled`]); whoever keeps everything in memory calls neither.

use std::collections::{BTreeMap, BTreeSet};

use minicbor::{Decode, Encode};
use serde::Serialize;

use super::id::{CommandId, TransferId};
use super::movement::Movement;
use super::reason::Reason;
use super::transfer::TransferRecord;
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

/// Keys of the rows that were written since the last [`State::take_changes`], each once and in rising order. A row that is not there any more was
/// rolled back: it never was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Accounts.
    pub accounts: Vec<AccountId>,
    /// Those of them of which more than balances and flags is new.
    pub accounts_opened: Vec<AccountId>,
    /// Assets.
    pub assets: BTreeSet<u32>,
    /// Channels.
    pub channels: BTreeSet<ChannelId>,
    /// Transfers and burnt ids.
    pub transfers: Vec<TransferId>,
    /// Commands.
    pub outcomes: Vec<CommandId>,
}

/// The keys of written rows as they come, the same one many times; sorted only when they are asked for.
#[derive(Clone, Debug)]
struct Touched<T>(Vec<T>);

/// The same as [`Changes`], while it is added to.
#[derive(Clone, Debug, Default)]
struct Writes {
    accounts: Touched<AccountId>,
    accounts_opened: Touched<AccountId>,
    transfers: Touched<TransferId>,
    outcomes: Touched<CommandId>,
    assets: BTreeSet<u32>,
    channels: BTreeSet<ChannelId>,
}

/// Outcomes, transfers other than open holds, and burnt ids, as far as they are in memory.
#[derive(Clone, Debug, Default)]
struct Settled {
    transfers: BTreeMap<TransferId, TransferRecord>,
    outcomes: BTreeMap<CommandId, OutcomeRef>,
}

/// The state of a ledger.
#[derive(Clone, Debug)]
pub struct State {
    head: Head,
    /// Boxed, so that a search goes through keys that lie close together.
    accounts: BTreeMap<AccountId, Box<Account>>,
    assets: BTreeMap<u32, Asset>,
    channels: BTreeMap<ChannelId, Channel>,
    open_holds: BTreeMap<TransferId, TransferRecord>,
    settled: Settled,
    /// What was settled before the last [`State::forget_settled`].
    settled_before: Settled,
    /// Open holds by the time at which they let go; derived.
    expiries: BTreeSet<(u64, TransferId)>,
    writes: Writes,
    movements: Vec<Movement>,
    scope: Option<Scope>,
}

/// What must be put back if a chain breaks.
#[derive(Clone, Debug, Default)]
struct Scope {
    accounts: Vec<(AccountId, Option<Account>)>,
    transfers: Vec<(TransferId, Option<TransferRecord>)>,
    movements: usize,
}

impl State {
    /// A state with nothing in it.
    pub fn new(head: Head) -> State {
        State {
            head,
            accounts: BTreeMap::new(),
            assets: BTreeMap::new(),
            channels: BTreeMap::new(),
            open_holds: BTreeMap::new(),
            settled: Settled::default(),
            settled_before: Settled::default(),
            expiries: BTreeSet::new(),
            writes: Writes::default(),
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
        self.accounts.get(&id).map(|account| &**account)
    }

    /// An asset.
    pub fn asset(&self, id: u32) -> Option<&Asset> {
        self.assets.get(&id)
    }

    /// A channel.
    pub fn channel(&self, id: ChannelId) -> Option<&Channel> {
        self.channels.get(&id)
    }

    /// A transfer, if it is in memory.
    pub fn transfer(&self, id: TransferId) -> Option<&TransferRecord> {
        let (newest, before) = (&self.settled.transfers, &self.settled_before.transfers);
        newest.get(&id).or_else(|| self.open_holds.get(&id)).or_else(|| before.get(&id))
    }

    /// Where a command's outcome stands, if it is in memory.
    pub fn outcome(&self, id: CommandId) -> Option<&OutcomeRef> {
        self.settled.outcomes.get(&id).or_else(|| self.settled_before.outcomes.get(&id))
    }

    /// All accounts, by id.
    pub fn accounts(&self) -> impl Iterator<Item = &Account> {
        self.accounts.values().map(|account| &**account)
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
        let newest = self.settled.transfers.iter().chain(&self.open_holds);
        let mut all: Vec<_> = newest.chain(&self.settled_before.transfers).map(|(id, record)| (*id, record)).collect();
        // Stable: of two with one id the newer comes first and stays.
        all.sort_by_key(|(id, _)| *id);
        all.dedup_by_key(|(id, _)| *id);
        all.into_iter()
    }

    /// All outcomes in memory, by command.
    pub fn outcomes(&self) -> impl Iterator<Item = (CommandId, &OutcomeRef)> {
        let all: BTreeMap<_, _> = self.settled_before.outcomes.iter().chain(&self.settled.outcomes).collect();
        all.into_iter().map(|(id, outcome)| (*id, outcome))
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
        self.accounts.insert(account.id, Box::new(account));
    }

    /// Bring a stored asset back.
    pub fn restore_asset(&mut self, asset: Asset) {
        self.assets.insert(asset.id, asset);
    }

    /// Bring a stored channel back.
    pub fn restore_channel(&mut self, channel: Channel) {
        self.channels.insert(channel.id, channel);
    }

    /// Bring a stored transfer back. One that is in memory already stays as it is there.
    pub fn recall(&mut self, id: TransferId, record: TransferRecord) {
        if self.transfer(id).is_none() {
            self.insert_transfer(id, Some(record));
        }
    }

    /// Bring a stored outcome back.
    pub fn recall_outcome(&mut self, id: CommandId, outcome: OutcomeRef) {
        self.settled.outcomes.entry(id).or_insert(outcome);
    }

    /// Let the outcomes, and the transfers other than open holds, go from memory that were there at the last call. Those that
    /// came since stay until the next: a store may still be writing them.
    pub fn forget_settled(&mut self) {
        self.settled_before = std::mem::take(&mut self.settled);
    }

    /// The keys of all rows written since the last time.
    pub fn take_changes(&mut self) -> Changes {
        std::mem::take(&mut self.writes).into()
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

    /// An account to write to, which was found before.
    pub(super) fn account_mut(&mut self, id: AccountId) -> &mut Account {
        self.writes.accounts.0.push(id);
        let account = self.accounts.get_mut(&id).expect("the checks before the point of no return found this account");
        if let Some(scope) = &mut self.scope {
            scope.accounts.push((id, Some(Account::clone(account))));
        }
        account
    }

    pub(super) fn put_account(&mut self, account: Account) {
        let id = account.id;
        self.writes.accounts.0.push(id);
        self.writes.accounts_opened.0.push(id);
        let before = self.accounts.insert(id, Box::new(account)).map(|account| *account);
        if let Some(scope) = &mut self.scope {
            scope.accounts.push((id, before));
        }
    }

    pub(super) fn put_asset(&mut self, asset: Asset) {
        self.writes.assets.insert(asset.id);
        self.assets.insert(asset.id, asset);
    }

    pub(super) fn put_channel(&mut self, channel: Channel) {
        self.writes.channels.insert(channel.id);
        self.channels.insert(channel.id, channel);
    }

    pub(super) fn put_outcome(&mut self, id: CommandId, outcome: OutcomeRef) {
        self.writes.outcomes.0.push(id);
        self.settled.outcomes.insert(id, outcome);
    }

    pub(super) fn put_transfer(&mut self, id: TransferId, record: TransferRecord) {
        self.writes.transfers.0.push(id);
        let before = self.insert_transfer(id, Some(record));
        if let Some(scope) = &mut self.scope {
            scope.transfers.push((id, before));
        }
    }

    /// The next hold that has let go by `now_ns`, if any.
    pub(super) fn next_expired(&self, now_ns: u64) -> Option<TransferId> {
        self.expiries.first().filter(|(expires_ns, _)| *expires_ns <= now_ns).map(|(_, id)| *id)
    }

    /// From here on all writes of accounts and transfers can be taken back.
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
                Some(account) => self.accounts.insert(id, Box::new(account)),
                None => self.accounts.remove(&id),
            };
        }
        for (id, record) in scope.transfers.into_iter().rev() {
            self.insert_transfer(id, record);
        }
        self.movements.truncate(scope.movements);
    }

    fn insert_transfer(&mut self, id: TransferId, record: Option<TransferRecord>) -> Option<TransferRecord> {
        let hold_before = self.open_holds.remove(&id);
        if let Some(expires_ns) = hold_before.as_ref().and_then(open_until) {
            self.expiries.remove(&(expires_ns, id));
        }
        let settled_before = match record {
            Some(record) if record.is_open_hold() => {
                self.expiries.extend(open_until(&record).map(|expires_ns| (expires_ns, id)));
                self.open_holds.insert(id, record);
                self.settled.transfers.remove(&id)
            }
            Some(record) => self.settled.transfers.insert(id, record),
            None => self.settled.transfers.remove(&id),
        };
        hold_before.or(settled_before)
    }
}

impl<T> Default for Touched<T> {
    fn default() -> Touched<T> {
        Touched(Vec::new())
    }
}

impl<T: Ord> Touched<T> {
    fn sorted(mut self) -> Vec<T> {
        self.0.sort_unstable();
        self.0.dedup();
        self.0
    }
}

impl From<Writes> for Changes {
    fn from(writes: Writes) -> Changes {
        Changes {
            accounts: writes.accounts.sorted(),
            accounts_opened: writes.accounts_opened.sorted(),
            assets: writes.assets,
            channels: writes.channels,
            transfers: writes.transfers.sorted(),
            outcomes: writes.outcomes.sorted(),
        }
    }
}

fn open_until(record: &TransferRecord) -> Option<u64> {
    match record {
        TransferRecord::Created(transfer, _) if record.is_open_hold() => transfer.expires_ns(),
        _ => None,
    }
}
