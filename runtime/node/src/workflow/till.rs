//! The money of runs: a budget is held on the ledger when its run starts, moves to the till from which sellers are paid before the first of them
//! is, and what is left of it goes back when the run is over. Each of these transfers has an id that follows from the run's, so it is made once
//! whoever makes it.

use std::sync::Arc;
use std::time::Duration;

use hansa_economy::channel::{AccountId, ChannelId};
use hansa_economy::ledger::{Transfer, TransferFlags, TransferId, TransferStatus};
use hansa_economy::{Amount, Digest, Keypair};
use hansa_trade::{LedgerError, LedgerPort};

use crate::ledger::{CREDITS, LinkPort};

/// Code of transfers of runs.
const CODE_RUN: u16 = 2;
/// How long is waited before the ledger is asked again.
const PAUSE: Duration = Duration::from_millis(500);
/// Tries to give back what is left, each under a name of its own, as the ledger does not do what it once refused.
const RETURNS_MAX: u32 = 100_000;

/// A business's account and its till. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Till {
    port: LinkPort,
    key: Arc<Keypair>,
    /// Where budgets come from.
    pub(crate) main: AccountId,
    /// From here sellers are paid.
    pub(crate) till: AccountId,
}

/// Why a budget was not set aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NotHeld {
    /// The account does not hold as much.
    Short(String),
    /// The ledger's other reasons.
    Refused(String),
}

impl Till {
    /// The till of `key`, whose own account has this label.
    pub(crate) async fn open(port: LinkPort, key: Arc<Keypair>, label: &str) -> Result<Till, LedgerError> {
        let main = port.open_account(CREDITS, label, &key).await?;
        let till = port.open_account(CREDITS, "till", &key).await?;
        Ok(Till { port, key, main, till })
    }

    pub(crate) fn key(&self) -> &Arc<Keypair> {
        &self.key
    }

    /// Set a run's budget aside.
    pub(crate) async fn hold(&self, run: &str, budget: Amount) -> Result<(), NotHeld> {
        let transfer = Transfer {
            id: id(run, "hold", 0),
            debit: self.main,
            credit: self.till,
            amount: budget,
            asset: CREDITS,
            code: CODE_RUN,
            flags: TransferFlags::PENDING,
            ..Transfer::default()
        };
        match self.done(transfer).await {
            status if status.is_done() => Ok(()),
            TransferStatus::ExceedsCredits => Err(NotHeld::Short(format!(
                "account {0} cannot set {budget} aside; `hansa account fund {budget} --to {0}` gives it that where the ledger is yours",
                self.main
            ))),
            status => Err(NotHeld::Refused(format!("the ledger does not hold the budget: {}", status.name()))),
        }
    }

    /// Move a held budget into the till.
    pub(crate) async fn draw(&self, run: &str) -> Result<(), String> {
        let post = Transfer { amount: Amount::MAX, ..self.resolve(run, "draw", TransferFlags::POST_PENDING) };
        match self.done(post).await {
            status if status.is_done() => Ok(()),
            status => Err(format!("the ledger does not pay the held budget out: {}", status.name())),
        }
    }

    /// Let a held budget go, of which nothing was drawn. Error: it was.
    pub(crate) async fn release(&self, run: &str) -> Result<(), String> {
        match self.done(self.resolve(run, "release", TransferFlags::VOID_PENDING)).await {
            status if status.is_done() => Ok(()),
            status => Err(format!("the ledger does not let the held budget go: {}", status.name())),
        }
    }

    /// Give back what is left of a drawn budget. False: the till is short now, as deposits lie in channels.
    pub(crate) async fn give_back(&self, run: &str, left: Amount) -> Result<bool, String> {
        for nth in 0..RETURNS_MAX {
            let transfer = Transfer {
                id: id(run, "return", nth),
                debit: self.till,
                credit: self.main,
                amount: left,
                asset: CREDITS,
                code: CODE_RUN,
                ..Transfer::default()
            };
            match self.done(transfer).await {
                status if status.is_done() => return Ok(true),
                TransferStatus::IdAlreadyFailed => {}
                TransferStatus::ExceedsCredits => return Ok(false),
                status => return Err(format!("the ledger does not give the rest back: {}", status.name())),
            }
        }
        Err(format!("the ledger refused to give the rest back {RETURNS_MAX} times"))
    }

    /// Open channels that are paid from the till, whichever engine opened them.
    pub(crate) async fn channels(&self) -> Result<Vec<ChannelId>, String> {
        let channels = self.port.link().channels_from(self.till).await.map_err(|error| error.to_string())?;
        Ok(channels.into_iter().map(|channel| channel.id).collect())
    }

    /// Close a channel without its seller: the rest of its deposit is back after the grace time.
    pub(crate) async fn close(&self, channel: ChannelId) -> Result<(), LedgerError> {
        LedgerPort::close(&self.port, channel, false, self.key.clone()).await.map(drop)
    }

    fn resolve(&self, run: &str, what: &str, flags: TransferFlags) -> Transfer {
        Transfer { id: id(run, what, 0), pending_id: id(run, "hold", 0), flags, ..Transfer::default() }
    }

    /// The ledger's word; asked for until there is one, as the same transfer is made once.
    async fn done(&self, transfer: Transfer) -> TransferStatus {
        loop {
            match self.port.transfer(transfer.clone(), &self.key).await {
                Ok(result) => return result.status,
                Err(error) => tracing::warn!(%error, "the ledger is asked again about a run's money"),
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

fn id(run: &str, what: &str, nth: u32) -> TransferId {
    let digest = Digest::of_parts("hansa run transfer", &[run.as_bytes(), what.as_bytes(), &nth.to_le_bytes()]);
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest.0[..16]);
    hansa_economy::ledger::Id128(u128::from_be_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_follow_from_the_run_and_differ() {
        assert_eq!(id("a", "hold", 0), id("a", "hold", 0));
        let all = [id("a", "hold", 0), id("b", "hold", 0), id("a", "draw", 0), id("a", "return", 0), id("a", "return", 1)];
        for (at, one) in all.iter().enumerate() {
            assert!(!all[..at].contains(one));
        }
    }
}
