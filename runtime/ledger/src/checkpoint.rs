//! Checkpoints of a running ledger: making one, and telling whether the ledger continues what one has seen.

use std::path::Path;

use hansa_economy::channel::AccountId;
use hansa_economy::ledger::{Account, Checkpoint, CheckpointBreach, Head, RootProof};
use hansa_economy::{Digest, Keypair, PublicKey, Signed};
use redb::ReadTransaction;

use crate::error::{OpenError, QueryError};
use crate::handle::Ledger;
use crate::store::{FILE_NAME, Store, StoreError};
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
    /// Prove what an account holds, to whoever has a checkpoint of this moment.
    pub fn prove(&self, account: AccountId) -> Result<Option<AccountProof>, QueryError> {
        let found = self.store().prove(account)?;
        Ok(found.map(|(account, root, proof)| AccountProof { account, root, proof }))
    }

    /// Where the ledger stands now: its head, and the root of the state after it.
    pub fn stand(&self) -> Result<(Head, Digest), QueryError> {
        Ok(self.store().stand()?)
    }

    /// Sign where the ledger stands now. Only the operator's word counts as a checkpoint.
    pub fn checkpoint(&self, operator: &Keypair) -> Result<Signed<Checkpoint>, QueryError> {
        let (head, root) = self.stand()?;
        Ok(Signed::new(Checkpoint::of(&head, root), operator))
    }

    /// Does this ledger continue what `checkpoint` has seen?
    pub fn continues(&self, checkpoint: &Signed<Checkpoint>) -> Result<Result<(), BreachError>, QueryError> {
        let (head, root) = self.stand()?;
        let hash = self.store().entry_hash(checkpoint.body.seq)?;
        Ok(continues(checkpoint, &head, hash, Some(root)))
    }
}

/// Does the ledger in `folder`, which no process may have open, continue what `checkpoint` has seen?
pub fn folder_continues(folder: &Path, checkpoint: &Signed<Checkpoint>) -> Result<Result<(), BreachError>, OpenError> {
    let store = Store::open(folder.join(FILE_NAME), crate::limits::CACHE_BYTES)?;
    let read = |tx: &ReadTransaction| {
        let table = tx.open_table(meta::TABLE)?;
        let (head, (rows_at, root)) = (meta::head(&table)?, meta::rows(&table)?);
        let hash = log::get(&tx.open_table(log::TABLE)?, checkpoint.body.seq)?.map(|(_, hash)| hash);
        // A root is at hand where the rows stand; elsewhere the hash speaks for the state, which follows from the log.
        Ok(continues(checkpoint, &head, hash, Some(root).filter(|_| rows_at.seq == head.seq)))
    };
    store.read(read).map_err(|error: StoreError| OpenError::Damaged { path: store.path().to_owned(), reason: error.to_string() })
}

/// Does a ledger that stands at `head`, with this root, continue what `checkpoint` has seen? `hash` is that of the
/// checkpoint's entry here.
pub(crate) fn continues(
    checkpoint: &Signed<Checkpoint>,
    head: &Head,
    hash: Option<Digest>,
    root: Option<Digest>,
) -> Result<(), BreachError> {
    if checkpoint.signer != head.operator {
        return Err(BreachError::Signer { operator: head.operator, found: checkpoint.signer });
    }
    Ok(checkpoint.body.holds(head, |_| hash, root)?)
}
