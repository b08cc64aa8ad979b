//! Checkpoints of a running ledger: making one, and telling whether the ledger continues what one has seen.

use hansa_economy::ledger::{Checkpoint, CheckpointBreach, Head};
use hansa_economy::{Digest, Keypair, PublicKey, Signed};
use redb::ReadTransaction;

use crate::error::QueryError;
use crate::handle::Ledger;
use crate::store::StoreError;
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

impl Ledger {
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

fn stand(tx: &ReadTransaction) -> Result<(Head, Digest), StoreError> {
    let table = tx.open_table(meta::TABLE)?;
    Ok((meta::head(&table)?, meta::root(&table)?))
}

pub(crate) fn continues(tx: &ReadTransaction, checkpoint: &Signed<Checkpoint>) -> Result<Result<(), BreachError>, StoreError> {
    let (head, root) = stand(tx)?;
    if checkpoint.signer != head.operator {
        return Ok(Err(BreachError::Signer { operator: head.operator, found: checkpoint.signer }));
    }
    let hash = log::get(&tx.open_table(log::TABLE)?, checkpoint.body.seq)?.map(|(_, hash)| hash);
    Ok(checkpoint.body.holds(&head, |_| hash, Some(root)).map_err(BreachError::from))
}
