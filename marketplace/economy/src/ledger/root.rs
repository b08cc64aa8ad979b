//! The state root: one digest of everything that money depends on at one moment: accounts and their further keys, assets, channels,
//! open holds, counts of refunds. The same log gives the same root anywhere. What is over (settled transfers, outcomes) follows from the log and is in its hash.
//!
//! A tree of 16 branches at each node. A row's place is a digest of its key; at depth n its next four bits choose the
//! branch. A part of the tree with at most sixteen rows is a bucket, any other is a node: its form follows from the rows that
//! are there and from nothing else, and a row that comes or goes changes only its own way. A change costs its row, its bucket
//! and its path once for each root that is asked for. Whoever has a root can be shown that a row is in it ([`RootProof`]).
//!
//! Format: row = SHA-256(0 ‖ kind ‖ key ‖ CBOR), bucket = SHA-256(1 ‖ rows by place), node = SHA-256(2 ‖ 16 children),
//! root = SHA-256(3 ‖ top). Kinds: 1 account, 2 asset, 3 channel, 4 hold, 5 further key,
//! 6 refunds. Keys: big-endian as in the tables; of kinds 5 and 6 their CBOR.

use minicbor::{Decode, Encode};
use sha2::{Digest as _, Sha256};

use super::account_key::{AccountKey, KeyId};
use super::id::TransferId;
use super::refund::{RefundTarget, Refunded};
use super::state::{Changes, State};
use super::transfer::TransferRecord;
use super::{Account, Asset, Channel};
use crate::channel::{AccountId, ChannelId};
use crate::digest::Digest;

const BRANCHES: usize = 16;
const BITS: u32 = 4;
/// A place has 128 bits, four for each node on the way.
const DEPTH_MAX: u32 = 128 / BITS;
/// Rows of a bucket, at most.
const BUCKET_ROWS: usize = 16;

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

/// A row of the state, as it stands.
#[derive(Clone, Copy, Debug)]
pub enum RootRow<'a> {
    /// An account.
    Account(&'a Account),
    /// An asset.
    Asset(&'a Asset),
    /// A channel.
    Channel(&'a Channel),
    /// A transfer; it counts while it is an open hold.
    Transfer(TransferId, &'a TransferRecord),
    /// A further key of an account.
    Key(&'a AccountKey),
    /// A count of refunds.
    Refunded(&'a Refunded),
}

/// The tree over a state, brought up to date by what changed.
#[derive(Clone, Debug, Default)]
pub struct RootTree {
    top: Part,
}

/// A part of the tree.
#[derive(Clone, Debug)]
enum Part {
    /// Few rows, by place.
    Bucket(Vec<Leaf>),
    Node(Box<Node>),
}

#[derive(Clone, Debug)]
struct Node {
    children: [Part; BRANCHES],
    /// Of the children, where `stale` has no bit.
    digests: [Digest; BRANCHES],
    stale: u16,
    rows: usize,
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
}

impl RootRow<'_> {
    fn key(self) -> RootKey {
        match self {
            RootRow::Account(account) => RootKey::Account(account.id),
            RootRow::Asset(asset) => RootKey::Asset(asset.id),
            RootRow::Channel(channel) => RootKey::Channel(channel.id),
            RootRow::Transfer(id, _) => RootKey::Hold(id),
            RootRow::Key(key) => RootKey::Key(key.id()),
            RootRow::Refunded(row) => RootKey::Refunded(row.target),
        }
    }

    /// None: a hold that is over.
    fn cbor(self) -> Option<Vec<u8>> {
        Some(match self {
            RootRow::Account(account) => encoded(account),
            RootRow::Asset(asset) => encoded(asset),
            RootRow::Channel(channel) => encoded(channel),
            RootRow::Transfer(_, record) => encoded(Some(record).filter(|record| record.is_open_hold())?),
            RootRow::Key(key) => encoded(key),
            RootRow::Refunded(row) => encoded(row),
        })
    }
}

impl RootTree {
    /// The tree over all of `state`.
    pub fn of(state: &State) -> RootTree {
        let mut tree = RootTree::default();
        state.accounts().for_each(|account| tree.put(RootRow::Account(account)));
        state.assets().for_each(|asset| tree.put(RootRow::Asset(asset)));
        state.channels().for_each(|channel| tree.put(RootRow::Channel(channel)));
        state.transfers().for_each(|(id, record)| tree.put(RootRow::Transfer(id, record)));
        state.keys().for_each(|key| tree.put(RootRow::Key(key)));
        state.all_refunded().for_each(|row| tree.put(RootRow::Refunded(row)));
        tree
    }

    /// Take over what changed. `state` must hold the changed rows.
    pub fn follow(&mut self, changes: &Changes, state: &State) {
        let rows = (changes.accounts.iter().filter_map(|id| state.account(*id)).map(RootRow::Account))
            .chain(changes.assets.iter().filter_map(|id| state.asset(*id)).map(RootRow::Asset))
            .chain(changes.channels.iter().filter_map(|id| state.channel(*id)).map(RootRow::Channel))
            .chain(changes.transfers.iter().filter_map(|id| Some(RootRow::Transfer(*id, state.transfer(*id)?))))
            .chain(changes.keys.iter().filter_map(|id| state.key(*id)).map(RootRow::Key))
            .chain(changes.refunded.iter().filter_map(|target| state.refunded(*target)).map(RootRow::Refunded));
        rows.for_each(|row| self.put(row));
    }

    /// Take over one row as it stands now.
    pub fn put(&mut self, row: RootRow<'_>) {
        if matches!(row, RootRow::Transfer(_, record) if !record.is_hold()) {
            return; // Never a hold, so never here.
        }
        let key = row.key();
        self.top.put(key.place(), row.cbor().map(|cbor| key.row(&cbor)), 0);
    }

    /// The root.
    pub fn root(&mut self) -> Digest {
        root(&self.top.digest())
    }

    /// The proof that `key`'s row is in the present root; none where it is not.
    pub fn prove(&mut self, key: RootKey) -> Option<RootProof> {
        self.top.digest();
        let place = key.place();
        let (mut part, mut depth, mut path) = (&self.top, 0, Vec::new());
        while let Part::Node(node) = part {
            path.push(node.digests.to_vec());
            part = &node.children[branch(place, depth)];
            depth += 1;
        }
        let Part::Bucket(rows) = part else { return None };
        rows.binary_search_by_key(&place, |(place, _)| *place).ok()?;
        path.reverse();
        Some(RootProof { bucket: rows.iter().map(|(_, row)| *row).collect(), path })
    }
}

impl Default for Part {
    fn default() -> Part {
        Part::Bucket(Vec::new())
    }
}

impl Part {
    /// Put a row at its place, or take it away.
    fn put(&mut self, place: u128, row: Option<Digest>, depth: u32) {
        match self {
            Part::Bucket(rows) => {
                put_leaf(rows, place, row);
                if rows.len() > BUCKET_ROWS && depth < DEPTH_MAX {
                    *self = Part::Node(Box::new(Node::of(std::mem::take(rows), depth)));
                }
            }
            Part::Node(node) => {
                node.put(place, row, depth);
                if node.rows <= BUCKET_ROWS {
                    let mut rows = Vec::with_capacity(node.rows);
                    node.children.iter().for_each(|child| child.gather(&mut rows));
                    *self = Part::Bucket(rows);
                }
            }
        }
    }

    fn len(&self) -> usize {
        match self {
            Part::Bucket(rows) => rows.len(),
            Part::Node(node) => node.rows,
        }
    }

    fn gather(&self, into: &mut Vec<Leaf>) {
        match self {
            Part::Bucket(rows) => into.extend_from_slice(rows),
            Part::Node(node) => node.children.iter().for_each(|child| child.gather(into)),
        }
    }

    fn digest(&mut self) -> Digest {
        match self {
            Part::Bucket(rows) => bucket(rows.iter().map(|(_, row)| row)),
            Part::Node(node) => {
                for at in (0..BRANCHES).filter(|at| node.stale & 1 << at != 0) {
                    node.digests[at] = node.children[at].digest();
                }
                node.stale = 0;
                hash_node(&node.digests)
            }
        }
    }
}

impl Node {
    fn of(rows: Vec<Leaf>, depth: u32) -> Node {
        let mut node = Node { children: Default::default(), digests: Default::default(), stale: u16::MAX, rows: 0 };
        rows.into_iter().for_each(|(place, row)| node.put(place, Some(row), depth));
        node
    }

    fn put(&mut self, place: u128, row: Option<Digest>, depth: u32) {
        let at = branch(place, depth);
        let child = &mut self.children[at];
        self.rows -= child.len();
        child.put(place, row, depth + 1);
        self.rows += child.len();
        self.stale |= 1 << at;
    }
}

fn put_leaf(rows: &mut Vec<Leaf>, place: u128, row: Option<Digest>) {
    match (rows.binary_search_by_key(&place, |(place, _)| *place), row) {
        (Ok(found), Some(row)) => rows[found].1 = row,
        (Ok(found), None) => drop(rows.remove(found)),
        (Err(free), Some(row)) => rows.insert(free, (place, row)),
        (Err(_), None) => {}
    }
}

impl RootProof {
    /// The root of the state in which `key` has the row `cbor`; none where this proof does not show that.
    pub fn root(&self, key: RootKey, cbor: &[u8]) -> Option<Digest> {
        let depth = u32::try_from(self.path.len()).ok().filter(|depth| *depth <= DEPTH_MAX)?;
        if !self.bucket.contains(&key.row(cbor)) {
            return None;
        }
        let mut digest = bucket(self.bucket.iter());
        for (children, depth) in self.path.iter().zip((0..depth).rev()) {
            let children: &[Digest; BRANCHES] = children.as_slice().try_into().ok()?;
            if children[branch(key.place(), depth)] != digest {
                return None;
            }
            digest = hash_node(children);
        }
        Some(root(&digest))
    }
}

/// Which child of a node at `depth` leads to `place`.
fn branch(place: u128, depth: u32) -> usize {
    let bits = place << (depth * BITS) >> (u128::BITS - BITS);
    usize::try_from(bits).expect("four bits")
}

fn encoded<T: Encode<()>>(value: &T) -> Vec<u8> {
    minicbor::to_vec(value).expect("writing to memory cannot fail")
}

fn bucket<'a>(rows: impl Iterator<Item = &'a Digest>) -> Digest {
    Digest(rows.fold(Sha256::new().chain_update([1]), |hasher, row| hasher.chain_update(row.0)).finalize().into())
}

fn hash_node(children: &[Digest; BRANCHES]) -> Digest {
    Digest(children.iter().fold(Sha256::new().chain_update([2]), |hasher, child| hasher.chain_update(child.0)).finalize().into())
}

fn root(top: &Digest) -> Digest {
    Digest(Sha256::new().chain_update([3]).chain_update(top.0).finalize().into())
}
