//! Checkpoints of a running ledger: making one, and telling whether the ledger continues what one has seen.

use std::path::Path;

use hansa_economy::channel::AccountId;
use hansa_economy::ledger::{Account, Checkpoint, CheckpointBreach, Head, RootKey, RootProof, RootTree};
use hansa_economy::{Digest, Keypair, PublicKey, Signed};
use redb::ReadTransaction;

use crate::error::{OpenError, QueryError};
use crate::handle::Ledger;
use crate::store::{FILE_NAME, Store, StoreError, load_state};
use crate::table::{log, meta};

/// Why a ledger does not continue what a checkpoint has seen.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BreachError {
    /// Signed by somebody else than this ledger's operator.
    #[error("the checkpoint is signed by {found}, this ledger's operator is {operator}")]
    Signer {
        /// Whose word counts.
        operator: PublicKey,
        /// Whose it is.
        found: PublicKey,
    },
    /// The ledger is another one, or less.
    #[error(transparent)]
    Breach(#[from] CheckpointBreach),
}

/// An account, and the proof that it stands so in the state with this root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountProof {
    /// The account.
    pub account: Account,
    /// The state root.
    pub root: Digest,
    /// From the account's row to the root.
    pub proof: RootProof,
}

impl Ledger {
    /// Prove what an account holds, to whoever has a checkpoint of this moment. Reads the whole state: some microseconds for
    /// each row.
    pub fn prove(&self, account: AccountId) -> Result<Option<AccountProof>, QueryError> {
        let (state, _) = self.store().read(load_state)?;
        let mut tree = RootTree::of(&state);
        let found = state.account(account).cloned().zip(tree.prove(RootKey::Account(account)));
        Ok(found.map(|(account, proof)| AccountProof { account, root: tree.root(), proof }))
    }

    /// Where the ledger stands now: its head, and the root of the state after it.
    pub fn stand(&self) -> Result<(Head, Digest), QueryError> {
        Ok(self.store().read(stand)?)
    }

    /// Sign where the ledger stands now. Only the operator's word counts as a checkpoint.
    pub fn checkpoint(&self, operator: &Keypair) -> Result<Signed<Checkpoint>, QueryError> {
        let (head, root) = self.stand()?;
        Ok(Signed::new(Checkpoint::of(&head, root), operator))
    }

    /// Does this ledger continue what `checkpoint` has seen?
    pub fn continues(&self, checkpoint: &Signed<Checkpoint>) -> Result<Result<(), BreachError>, QueryError> {
        Ok(self.store().read(|tx| continues(tx, checkpoint))?)
    }
}

/// Does the ledger in `folder`, which no process may have open, continue what `checkpoint` has seen?
pub fn folder_continues(folder: &Path, checkpoint: &Signed<Checkpoint>) -> Result<Result<(), BreachError>, OpenError> {
    let store = Store::open(folder.join(FILE_NAME), crate::limits::CACHE_BYTES)?;
    let path = store.path().to_owned();
    store.read(|tx| continues(tx, checkpoint)).map_err(|error| OpenError::Damaged { path, reason: error.to_string() })
}

fn stand(tx: &ReadTransaction) -> Result<(Head, Digest), StoreError> {
    let table = tx.open_table(meta::TABLE)?;
    let root = meta::root(&table)?;
    let missing = || StoreError::Row { table: meta::TAG, reason: "no state root yet; the next command brings it".into() };
    Ok((meta::head(&table)?, root.ok_or_else(missing)?))
}

pub(crate) fn continues(tx: &ReadTransaction, checkpoint: &Signed<Checkpoint>) -> Result<Result<(), BreachError>, StoreError> {
    let (head, root) = stand(tx)?;
    if checkpoint.signer != head.operator {
        return Ok(Err(BreachError::Signer { operator: head.operator, found: checkpoint.signer }));
    }
    let hash = log::get(&tx.open_table(log::TABLE)?, checkpoint.body.seq)?.map(|(_, hash)| hash);
    Ok(checkpoint.body.holds(&head, |_| hash, Some(root)).map_err(BreachError::from))
}
