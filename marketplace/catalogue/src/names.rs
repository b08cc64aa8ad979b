//! Who owns a publisher's name (`acme` of `acme/translator`): a chain of signed records for each name.
//!
//! Each record names the digest of the one before, so that a chain has one order and two chains that differ are a fork which
//! anybody can check. The owner signs everything but a recovery, which the second key signs when the owner's key is lost.

use hansa_economy::{Digest, PublicKey, Signed, Statement, StatementError};
use minicbor::{Decode, Encode};

use crate::limits::NAME_RECORDS_MAX;
use crate::version::is_name_part;

/// One record of a name's chain.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct NameRecord {
    /// The publisher's name.
    #[n(0)]
    pub name: String,
    /// Place in the chain, from 0.
    #[n(1)]
    pub seq: u64,
    /// Digest of the record before; none in the first.
    #[n(2)]
    pub previous: Option<Digest>,
    /// What it says.
    #[n(3)]
    pub change: NameChange,
    /// When it was signed, Unix milliseconds by the signer's clock; for people, nothing is decided by it.
    #[n(4)]
    pub signed_ms: u64,
}

/// What a record changes.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum NameChange {
    /// The name is taken; signed by the owner. Always the first record and never a later one.
    #[n(0)]
    Claim {
        /// Who owns it.
        #[n(0)]
        owner: PublicKey,
        /// The second key, which can recover the name.
        #[n(1)]
        recovery: Option<PublicKey>,
    },
    /// The name passes on; signed by the owner.
    #[n(1)]
    Transfer {
        /// Who owns it from here on.
        #[n(0)]
        owner: PublicKey,
    },
    /// The owner's key is lost; signed by the second key, which stays what it is.
    #[n(2)]
    Recover {
        /// Who owns it from here on.
        #[n(0)]
        owner: PublicKey,
    },
    /// Another second key, or none; signed by the owner.
    #[n(3)]
    SetRecovery {
        /// The second key from here on.
        #[n(0)]
        recovery: Option<PublicKey>,
    },
}

impl Statement for NameRecord {
    const CONTENT_TYPE: &'static str = "hansa/name.1";
}

/// What a chain says after a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameState {
    /// The publisher's name.
    pub name: String,
    /// Who owns it.
    pub owner: PublicKey,
    /// The second key.
    pub recovery: Option<PublicKey>,
    /// The number of the last record.
    pub seq: u64,
    /// The digest of the last record: what the next one must name.
    pub head: Digest,
}

/// Two records that cannot both stand in one chain, as their exact bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fork {
    /// The name.
    pub name: String,
    /// The place that both take.
    pub seq: u64,
    /// The record that came first here.
    pub first: Vec<u8>,
    /// The other one.
    pub second: Vec<u8>,
}

/// Why a record does not continue a chain.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum NameRefusal {
    /// No chain can begin so.
    #[error("`{0}` is no publisher's name; use 1 to 64 lower-case letters, digits and dashes")]
    Name(String),
    /// Record 0 is something else than a claim.
    #[error("the first record of `{0}` is no claim; claim the name first")]
    NotClaimed(String),
    /// A claim in the middle.
    #[error("record {seq} claims `{name}`, which has an owner; only the owner can pass it on")]
    ClaimedAgain {
        /// The name.
        name: String,
        /// The record.
        seq: u64,
    },
    /// Of another chain.
    #[error("the record is about `{found}`, the chain about `{expected}`")]
    OtherName {
        /// The chain's name.
        expected: String,
        /// The record's.
        found: String,
    },
    /// Records between are missing.
    #[error("record {seq} of `{name}` needs record {needed} first, with digest {missing}")]
    Missing {
        /// The name.
        name: String,
        /// The record.
        seq: u64,
        /// The number of the record before it.
        needed: u64,
        /// The digest of the record before it.
        missing: Digest,
    },
    /// The number and the link do not fit: a first record with a predecessor, or a later one without.
    #[error("record {seq} of `{name}` must name {expected} as the one before, it names {found}")]
    Link {
        /// The name.
        name: String,
        /// The record.
        seq: u64,
        /// What should stand there.
        expected: String,
        /// What stands there.
        found: String,
    },
    /// Signed by somebody who may not.
    #[error("record {seq} of `{name}` must be signed by {role} {expected}, it is signed by {found}")]
    Signer {
        /// The name.
        name: String,
        /// The record.
        seq: u64,
        /// `the owner` or `the second key`.
        role: &'static str,
        /// Whose signature is needed.
        expected: PublicKey,
        /// Whose it has.
        found: PublicKey,
    },
    /// A recovery without a second key.
    #[error("`{0}` has no second key, so it cannot be recovered; the owner has to sign a transfer")]
    NoSecondKey(String),
    /// One key for both.
    #[error("the second key of `{0}` is its owner's; choose a key that is kept elsewhere")]
    SameKey(String),
    /// A transfer that changes nothing.
    #[error("record {seq} passes `{name}` to its owner; leave it out")]
    NoChange {
        /// The name.
        name: String,
        /// The record.
        seq: u64,
    },
    /// A record that stands in the chain already.
    #[error("record {seq} of `{name}` is in the chain already")]
    Replay {
        /// The name.
        name: String,
        /// The record.
        seq: u64,
    },
    /// Another record stands in its place.
    #[error("`{}` is forked at record {}: {} came first, {} would take its place", fork.name, fork.seq, digest(&fork.first), digest(&fork.second))]
    Fork {
        /// The evidence.
        fork: Box<Fork>,
    },
    /// The chain is full.
    #[error("`{0}` has {NAME_RECORDS_MAX} records, more are not taken")]
    Full(String),
}

fn digest(bytes: &[u8]) -> String {
    Digest::of(bytes).short()
}

/// The records of one name, all checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameChain {
    records: Vec<Signed<NameRecord>>,
    /// The state after each record.
    states: Vec<NameState>,
}

impl NameChain {
    /// The chain that begins with `claim`.
    pub fn begin(claim: Signed<NameRecord>) -> Result<NameChain, NameRefusal> {
        let state = first_state(&claim)?;
        Ok(NameChain { records: vec![claim], states: vec![state] })
    }

    /// The chain of `records`, in their order.
    pub fn fold(records: impl IntoIterator<Item = Signed<NameRecord>>) -> Result<Option<NameChain>, NameRefusal> {
        let mut chain: Option<NameChain> = None;
        for record in records {
            match &mut chain {
                None => chain = Some(NameChain::begin(record)?),
                Some(chain) => chain.push(record)?,
            }
        }
        Ok(chain)
    }

    /// Take the next record, or say why it is none.
    pub fn push(&mut self, record: Signed<NameRecord>) -> Result<(), NameRefusal> {
        let (name, seq) = (self.name().to_owned(), record.body.seq);
        if record.body.name != name {
            return Err(NameRefusal::OtherName { expected: name, found: record.body.name });
        }
        if let Some(present) = self.records.iter().find(|present| present.body.seq == seq) {
            return Err(self.second_for_one_place(present, &record));
        }
        if seq > self.state().seq + 1 {
            let Some(missing) = record.body.previous else {
                return Err(link(&record.body, "the digest of a record", None));
            };
            return Err(NameRefusal::Missing { name, seq, needed: seq - 1, missing });
        }
        if self.records.len() >= NAME_RECORDS_MAX {
            return Err(NameRefusal::Full(name));
        }
        let state = next_state(self.state(), &record)?;
        self.states.push(state);
        self.records.push(record);
        Ok(())
    }

    /// What the chain says now.
    pub fn state(&self) -> &NameState {
        self.states.last().expect("a chain begins with a record")
    }

    /// What the chain said after the record with this digest.
    pub fn state_after(&self, record: Digest) -> Option<&NameState> {
        self.states.iter().find(|state| state.head == record)
    }

    /// Has `key` ever owned the name?
    pub fn was_owned_by(&self, key: PublicKey) -> bool {
        self.states.iter().any(|state| state.owner == key)
    }

    /// All records, first to last.
    pub fn records(&self) -> &[Signed<NameRecord>] {
        &self.records
    }

    /// The publisher's name.
    pub fn name(&self) -> &str {
        &self.state().name
    }

    /// A record for a place that is taken: the same again, a fork by somebody who could have signed it, or neither.
    fn second_for_one_place(&self, present: &Signed<NameRecord>, record: &Signed<NameRecord>) -> NameRefusal {
        let (name, seq) = (self.name().to_owned(), record.body.seq);
        if present.digest() == record.digest() {
            return NameRefusal::Replay { name, seq };
        }
        let before = seq.checked_sub(1).and_then(|before| self.states.get(usize::try_from(before).ok()?));
        let judged = before.map_or_else(|| first_state(record), |before| next_state(before, record));
        match judged {
            Err(refusal) => refusal,
            Ok(_) => {
                let (first, second) = (present.bytes().to_vec(), record.bytes().to_vec());
                NameRefusal::Fork { fork: Box::new(Fork { name, seq, first, second }) }
            }
        }
    }
}

impl Fork {
    /// Check the evidence from its bytes alone: two different records of one place in one name's chain, each signed. True
    /// where one key has signed both, which proves that its holder plays false.
    pub fn verify(&self) -> Result<bool, StatementError> {
        let first = Signed::<NameRecord>::open(&self.first)?;
        let second = Signed::<NameRecord>::open(&self.second)?;
        let place = |record: &NameRecord| (record.name.clone(), record.seq);
        let both = place(&first.body) == place(&second.body) && place(&first.body) == (self.name.clone(), self.seq);
        match both && first.digest() != second.digest() {
            true => Ok(first.signer == second.signer),
            false => Err(StatementError::Malformed("the records are not two for one place".into())),
        }
    }
}

fn link(record: &NameRecord, expected: &str, found: Option<Digest>) -> NameRefusal {
    let found = found.map_or_else(|| "none".to_owned(), |digest| digest.to_string());
    NameRefusal::Link { name: record.name.clone(), seq: record.seq, expected: expected.to_owned(), found }
}

fn first_state(claim: &Signed<NameRecord>) -> Result<NameState, NameRefusal> {
    let record = &claim.body;
    if !is_name_part(&record.name) {
        return Err(NameRefusal::Name(record.name.chars().take(100).collect()));
    }
    let NameChange::Claim { owner, recovery } = &record.change else {
        return Err(missing_or_unclaimed(record));
    };
    if record.seq != 0 {
        return Err(NameRefusal::ClaimedAgain { name: record.name.clone(), seq: record.seq });
    }
    if record.previous.is_some() {
        return Err(link(record, "none", record.previous));
    }
    signed_by(claim, "the owner", *owner)?;
    let state = NameState { name: record.name.clone(), owner: *owner, recovery: *recovery, seq: 0, head: claim.digest() };
    two_keys(state)
}

/// A record that comes before its claim says which one it needs; record 0 can need none.
fn missing_or_unclaimed(record: &NameRecord) -> NameRefusal {
    match (record.seq.checked_sub(1), record.previous) {
        (Some(needed), Some(missing)) => NameRefusal::Missing { name: record.name.clone(), seq: record.seq, needed, missing },
        (Some(_), None) => link(record, "the digest of a record", None),
        (None, _) => NameRefusal::NotClaimed(record.name.clone()),
    }
}

fn next_state(before: &NameState, signed: &Signed<NameRecord>) -> Result<NameState, NameRefusal> {
    let record = &signed.body;
    if record.previous != Some(before.head) {
        return Err(link(record, &before.head.to_string(), record.previous));
    }
    let mut state = NameState { seq: record.seq, head: signed.digest(), ..before.clone() };
    match &record.change {
        NameChange::Claim { .. } => {
            return Err(NameRefusal::ClaimedAgain { name: record.name.clone(), seq: record.seq });
        }
        NameChange::Transfer { owner } => {
            signed_by(signed, "the owner", before.owner)?;
            state.owner = *owner;
        }
        NameChange::Recover { owner } => {
            let second = before.recovery.ok_or_else(|| NameRefusal::NoSecondKey(record.name.clone()))?;
            signed_by(signed, "the second key", second)?;
            state.owner = *owner;
        }
        NameChange::SetRecovery { recovery } => {
            signed_by(signed, "the owner", before.owner)?;
            state.recovery = *recovery;
        }
    }
    if (state.owner, state.recovery) == (before.owner, before.recovery) {
        return Err(NameRefusal::NoChange { name: record.name.clone(), seq: record.seq });
    }
    two_keys(state)
}

fn two_keys(state: NameState) -> Result<NameState, NameRefusal> {
    match state.recovery == Some(state.owner) {
        true => Err(NameRefusal::SameKey(state.name)),
        false => Ok(state),
    }
}

fn signed_by(record: &Signed<NameRecord>, role: &'static str, expected: PublicKey) -> Result<(), NameRefusal> {
    match record.signer == expected {
        true => Ok(()),
        false => {
            let (name, seq) = (record.body.name.clone(), record.body.seq);
            Err(NameRefusal::Signer { name, seq, role, expected, found: record.signer })
        }
    }
}

#[cfg(test)]
mod tests;
