//! The state root: one digest of everything that money depends on at one moment: accounts and their further keys, assets, channels,
//! open holds, counts of refunds. The same log gives the same root anywhere. What is over (settled transfers, outcomes) follows from the log and is in its hash.
//!
//! A tree of 16 branches at each node. A row's place is a digest of its key; rows whose places begin alike share a bucket at the
//! bottom. The tree grows by a level when buckets hold more than eight rows on average that can never go again (all but
//! holds), so its form follows from the state alone. A change costs its row, its bucket and its path once for each root that is
//! asked for. Whoever has a root can be shown that a row is in it ([`RootProof`]).
//!
//! Format: row = SHA-256(0 ‖ kind ‖ key ‖ CBOR), bucket = SHA-256(1 ‖ rows by place), node = SHA-256(2 ‖ 16 children),
//! root = SHA-256(3 ‖ levels ‖ top). Kinds: 1 account, 2 asset, 3 channel, 4 hold, 5 further key,
//! 6 refunds. Keys: big-endian as in the tables; of kinds 5 and 6 their CBOR.

use std::collections::BTreeSet;

use minicbor::{Decode, Encode};
use sha2::{Digest as _, Sha256};

use super::account_key::KeyId;
use super::id::TransferId;
use super::refund::RefundTarget;
use super::state::{Changes, State};
use super::transfer::TransferRecord;
use crate::channel::{AccountId, ChannelId};
use crate::digest::Digest;

const BRANCHES: usize = 16;
const BITS: u32 = 4;
/// Lasting rows of a bucket, on average, beyond which the tree grows.
const BUCKET_ROWS: usize = 8;
/// 16^7 buckets of eight rows are two thousand million; more do not fit into memory.
const LEVELS_MAX: u32 = 7;

/// Names a row of the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RootKey {
    /// An account.
    Account(AccountId),
    /// An asset.
    Asset(u32),
    /// A channel.
    Channel(ChannelId),
    /// A hold that is open.
    Hold(TransferId),
    /// A further key of an account.
    Key(KeyId),
    /// A count of refunds.
    Refunded(RefundTarget),
}

/// The tree over a state, brought up to date by what changed.
#[derive(Clone, Debug)]
pub struct RootTree {
    levels: u32,
    /// Rows that can never go again.
    lasting: usize,
    buckets: Vec<Vec<Leaf>>,
    /// Digests of nodes: of the buckets first, the top last.
    nodes: Vec<Vec<Digest>>,
    stale: BTreeSet<usize>,
}

type Leaf = (u128, Digest);

/// Shows that a row is in the state that a root stands for.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct RootProof {
    /// The rows of the bucket, by place.
    #[n(0)]
    pub bucket: Vec<Digest>,
    /// The 16 children of each node on the way, from below.
    #[n(1)]
    pub path: Vec<Vec<Digest>>,
}

impl RootKey {
    fn lasts(self) -> bool {
        !matches!(self, RootKey::Hold(_))
    }

    fn hasher(self, tag: u8) -> Sha256 {
        let hasher = Sha256::new().chain_update([tag]);
        match self {
            RootKey::Account(id) => hasher.chain_update([1]).chain_update(id.0.to_be_bytes()),
            RootKey::Asset(id) => hasher.chain_update([2]).chain_update(id.to_be_bytes()),
            RootKey::Channel(id) => hasher.chain_update([3]).chain_update(id.0),
            RootKey::Hold(id) => hasher.chain_update([4]).chain_update(id.0.to_be_bytes()),
            RootKey::Key(id) => hasher.chain_update([5]).chain_update(encoded(&id)),
            RootKey::Refunded(target) => hasher.chain_update([6]).chain_update(encoded(&target)),
        }
    }

    /// Where the row stands: nobody can choose keys that crowd one bucket.
    fn place(self) -> u128 {
        Digest(self.hasher(4).finalize().into()).to_u128()
    }

    fn row(self, cbor: &[u8]) -> Digest {
        Digest(self.hasher(0).chain_update(cbor).finalize().into())
    }

    /// The row as it stands in `state`; none where it is not there, or is a hold that is over.
    fn cbor(self, state: &State) -> Option<Vec<u8>> {
        Some(match self {
            RootKey::Account(id) => encoded(state.account(id)?),
            RootKey::Asset(id) => encoded(state.asset(id)?),
            RootKey::Channel(id) => encoded(state.channel(id)?),
            RootKey::Hold(id) => encoded(state.transfer(id).filter(|record| record.is_open_hold())?),
            RootKey::Key(id) => encoded(state.key(id)?),
            RootKey::Refunded(target) => encoded(state.refunded(target)?),
        })
    }
}

impl Default for RootTree {
    fn default() -> RootTree {
        RootTree::with_levels(0)
    }
}

impl RootTree {
    /// The tree over all of `state`.
    pub fn of(state: &State) -> RootTree {
        let mut tree = RootTree::default();
        let holds = state.transfers().filter(|(_, record)| TransferRecord::is_open_hold(record));
        let keys = (state.accounts().map(|account| RootKey::Account(account.id)))
            .chain(state.assets().map(|asset| RootKey::Asset(asset.id)))
            .chain(state.channels().map(|channel| RootKey::Channel(channel.id)))
            .chain(holds.map(|(id, _)| RootKey::Hold(id)))
            .chain(state.keys().map(|key| RootKey::Key(key.id())))
            .chain(state.all_refunded().map(|row| RootKey::Refunded(row.target)));
        keys.for_each(|key| tree.update(key, state));
        tree
    }

    /// Take over what changed. `state` must hold the changed rows.
    pub fn follow(&mut self, changes: &Changes, state: &State) {
        let keys = (changes.accounts.iter().copied().map(RootKey::Account))
            .chain(changes.assets.iter().copied().map(RootKey::Asset))
            .chain(changes.channels.iter().copied().map(RootKey::Channel))
            .chain(changes.transfers.iter().copied().map(RootKey::Hold))
            .chain(changes.keys.iter().copied().map(RootKey::Key))
            .chain(changes.refunded.iter().copied().map(RootKey::Refunded));
        keys.for_each(|key| self.update(key, state));
    }

    /// The root.
    pub fn root(&mut self) -> Digest {
        let mut stale = std::mem::take(&mut self.stale);
        for &at in &stale {
            self.nodes[0][at] = bucket(self.buckets[at].iter().map(|(_, row)| row));
        }
        for level in 1..self.nodes.len() {
            stale = stale.iter().map(|at| at / BRANCHES).collect();
            for &at in &stale {
                self.nodes[level][at] = node(&self.nodes[level - 1][at * BRANCHES..][..BRANCHES]);
            }
        }
        top(self.levels, &self.nodes[self.levels as usize][0])
    }

    /// The proof that `key`'s row is in the present root; none where it is not.
    pub fn prove(&mut self, key: RootKey) -> Option<RootProof> {
        self.root();
        let (place, mut at) = (key.place(), self.bucket_of(key.place()));
        self.buckets[at].binary_search_by_key(&place, |(place, _)| *place).ok()?;
        let bucket = self.buckets[at].iter().map(|(_, row)| *row).collect();
        let mut path = Vec::new();
        for level in &self.nodes[..self.levels as usize] {
            at /= BRANCHES;
            path.push(level[at * BRANCHES..][..BRANCHES].to_vec());
        }
        Some(RootProof { bucket, path })
    }

    fn with_levels(levels: u32) -> RootTree {
        let width = |level: u32| BRANCHES.pow(levels - level);
        RootTree {
            levels,
            lasting: 0,
            buckets: vec![Vec::new(); width(0)],
            nodes: (0..=levels).map(|level| vec![Digest::default(); width(level)]).collect(),
            stale: (0..width(0)).collect(),
        }
    }

    fn bucket_of(&self, place: u128) -> usize {
        first_bits(place, self.levels * BITS)
    }

    fn update(&mut self, key: RootKey, state: &State) {
        let (place, row) = (key.place(), key.cbor(state).map(|cbor| key.row(&cbor)));
        let at = self.bucket_of(place);
        let bucket = &mut self.buckets[at];
        match (bucket.binary_search_by_key(&place, |(place, _)| *place), row) {
            (Ok(found), Some(row)) => bucket[found].1 = row,
            (Ok(found), None) => drop(bucket.remove(found)),
            (Err(free), Some(row)) => {
                bucket.insert(free, (place, row));
                self.lasting += usize::from(key.lasts());
            }
            (Err(_), None) => return,
        }
        self.stale.insert(at);
        if self.lasting > self.buckets.len() * BUCKET_ROWS && self.levels < LEVELS_MAX {
            self.grow();
        }
    }

    fn grow(&mut self) {
        let before = std::mem::replace(self, RootTree::with_levels(self.levels + 1));
        self.lasting = before.lasting;
        // In order of place, so each bucket stays in order.
        for (place, row) in before.buckets.into_iter().flatten() {
            let at = self.bucket_of(place);
            self.buckets[at].push((place, row));
        }
    }
}

impl RootProof {
    /// The root of the state in which `key` has the row `cbor`; none where this proof does not show that.
    pub fn root(&self, key: RootKey, cbor: &[u8]) -> Option<Digest> {
        let levels = u32::try_from(self.path.len()).ok().filter(|levels| *levels <= LEVELS_MAX)?;
        if !self.bucket.contains(&key.row(cbor)) || self.path.iter().any(|children| children.len() != BRANCHES) {
            return None;
        }
        let mut at = first_bits(key.place(), levels * BITS);
        let mut hash = bucket(self.bucket.iter());
        for children in &self.path {
            if children[at % BRANCHES] != hash {
                return None;
            }
            hash = node(children);
            at /= BRANCHES;
        }
        Some(top(levels, &hash))
    }
}

fn encoded<T: Encode<()>>(value: &T) -> Vec<u8> {
    minicbor::to_vec(value).expect("writing to memory cannot fail")
}

fn first_bits(place: u128, bits: u32) -> usize {
    place.checked_shr(u128::BITS - bits).map_or(0, |bits| usize::try_from(bits).expect("few levels"))
}

fn bucket<'a>(rows: impl Iterator<Item = &'a Digest>) -> Digest {
    Digest(rows.fold(Sha256::new().chain_update([1]), |hasher, row| hasher.chain_update(row.0)).finalize().into())
}

fn node(children: &[Digest]) -> Digest {
    Digest(children.iter().fold(Sha256::new().chain_update([2]), |hasher, child| hasher.chain_update(child.0)).finalize().into())
}

fn top(levels: u32, top: &Digest) -> Digest {
    Digest(Sha256::new().chain_update([3]).chain_update(levels.to_be_bytes()).chain_update(top.0).finalize().into())
}
