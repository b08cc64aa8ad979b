//! The ledger that is measured: one owner, many funded accounts, and signed payments between them with ascending ids.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use hansa_economy::channel::AccountId;
use hansa_economy::ledger::{
    Acceptance, AccountOpen, AssetCreate, Command, Genesis, Id128, Issue, SignedCommand, Transfer, TransferBatch, TransferStatus,
    Verified, account_id,
};
use hansa_economy::{Amount, Keypair};

use super::BenchError;
use crate::error::SubmitError;
use crate::handle::{Ledger, LedgerOptions, Outcome};

/// Accounts that pay each other.
pub const ACCOUNTS: u64 = 10_000;
/// What each of them has at first, in the asset's smallest units.
pub const FUNDS: u64 = 1_000_000_000;

/// A ledger and those who use it.
pub struct Town {
    /// The ledger.
    pub ledger: Ledger,
    /// Its accounts.
    pub accounts: Vec<AccountId>,
    key: Keypair,
    next: AtomicU64,
}

/// Pseudo-random numbers (xorshift64*), so that every run pays between the same accounts.
pub fn scatter(n: u64) -> u64 {
    let mut x = n.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    x.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 16
}

/// The two different accounts, by number, of payment `n`.
pub fn pair(n: u64) -> (usize, usize) {
    let debit = scatter(n) % ACCOUNTS;
    let credit = (debit + 1 + scatter(!n) % (ACCOUNTS - 1)) % ACCOUNTS;
    let number = |n| usize::try_from(n).expect("there are few accounts");
    (number(debit), number(credit))
}

impl Town {
    /// How its ledger is opened: with a clock that counts.
    pub fn options() -> LedgerOptions {
        let clock = AtomicU64::new(1_000_000_000);
        LedgerOptions::new(Arc::new(move || clock.fetch_add(1_000_000, Ordering::Relaxed)))
    }

    /// Found it in `folder`, which must not have a ledger yet.
    pub async fn found(folder: &Path) -> Result<Town, BenchError> {
        let key = Keypair::from_seed(&[7; 32]);
        let ledger = Ledger::create(folder, Genesis::sign("bench", Id128(1), &key).bytes(), Town::options())?;
        let accounts = (0..ACCOUNTS).map(|n| account_id(key.public(), 1, &n.to_string())).collect();
        let town = Town { ledger, accounts, key, next: AtomicU64::new(1_000) };
        let asset = AssetCreate { asset: 1, code: "CRED".into(), scale: 6, issuer: town.key.public() };
        town.drive(vec![town.sign(Command::AssetCreate(asset))?], 1, false).await?;
        let open = (0..ACCOUNTS).map(|n| town.sign(Command::AccountOpen(AccountOpen::new(1, n.to_string()))));
        town.drive(open.collect::<Result<_, _>>()?, 4096, false).await?;
        let issue = town.accounts.iter().map(|to| {
            town.sign(Command::Issue(Issue { asset: 1, to: *to, amount: Amount(FUNDS.into()), reference: "bench".into() }))
        });
        town.drive(issue.collect::<Result<_, _>>()?, 4096, false).await?;
        Ok(town)
    }

    /// Signed and verified, `count` commands of `each` payments.
    pub fn payments(&self, count: usize, each: usize) -> Result<Vec<Verified>, BenchError> {
        (0..count).map(|_| self.payment(each)).collect()
    }

    fn payment(&self, each: usize) -> Result<Verified, BenchError> {
        let transfers = (0..each).map(|_| {
            let n = self.next.fetch_add(1, Ordering::Relaxed);
            let (debit, credit) = pair(n);
            Transfer {
                id: Id128(n.into()),
                debit: self.accounts[debit],
                credit: self.accounts[credit],
                amount: Amount(1),
                asset: 1,
                code: 1,
                ..Transfer::default()
            }
        });
        self.sign(Command::Transfer(TransferBatch { transfers: transfers.collect() }))
    }

    fn sign(&self, command: Command) -> Result<Verified, BenchError> {
        let id = Id128(self.next.fetch_add(1, Ordering::Relaxed).into());
        let signed = SignedCommand::sign(self.ledger.id(), id, command, &self.key);
        Ok(Verified::open(signed.bytes()).map_err(SubmitError::from)?)
    }

    /// Submit all, `window` at a time in their order, and see that every payment was made. `signed`: signatures are checked again.
    pub async fn drive(&self, commands: Vec<Verified>, window: usize, signed: bool) -> Result<(), BenchError> {
        let commands = Arc::new(Mutex::new(commands.into_iter()));
        let client = |_| {
            let (ledger, commands) = (self.ledger.clone(), commands.clone());
            tokio::spawn(async move {
                let next = || commands.lock().unwrap_or_else(PoisonError::into_inner).next();
                while let Some(command) = next() {
                    let outcome = match signed {
                        true => ledger.submit(command.bytes().to_vec()).await?,
                        false => ledger.submit_verified(command).await?,
                    };
                    done(&outcome)?;
                }
                Ok::<(), BenchError>(())
            })
        };
        let clients: Vec<_> = (0..window).map(client).collect();
        for client in clients {
            client.await.map_err(|error| BenchError::Refused(error.to_string()))??;
        }
        Ok(())
    }
}

fn done(outcome: &Outcome) -> Result<(), BenchError> {
    let is_done = match outcome.result.accepted() {
        Ok(Acceptance::Transfers(results)) => results.iter().all(|result| result.status == TransferStatus::Created),
        accepted => accepted.is_ok(),
    };
    if is_done { Ok(()) } else { Err(BenchError::Refused(format!("{:?}", outcome.result))) }
}
