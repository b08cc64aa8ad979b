//! The ledger that is measured: one owner, many funded accounts, and signed payments between them with ascending ids.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use hansa_economy::channel::AccountId;
use hansa_economy::ledger::{
    Acceptance, AccountOpen, AssetCreate, Command, Genesis, Id128, Issue, SignedCommand, Transfer, TransferBatch, TransferStatus,
    Verified, account_id,
};
use hansa_economy::{Amount, Keypair};
use hansa_ledger::{Ledger, LedgerOptions, Outcome};

/// Accounts that pay each other.
pub(crate) const ACCOUNTS: u64 = 10_000;
/// What each of them has at first.
pub(crate) const FUNDS: u64 = 1_000_000_000;

pub(crate) struct Town {
    pub(crate) ledger: Ledger,
    pub(crate) accounts: Vec<AccountId>,
    key: Keypair,
    next: AtomicU64,
}

/// Pseudo-random numbers (xorshift64*), so that every run pays between the same accounts.
pub(crate) fn scatter(n: u64) -> u64 {
    let mut x = n.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    x.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 16
}

/// The two different accounts, by number, of payment `n`.
pub(crate) fn pair(n: u64) -> (usize, usize) {
    let debit = scatter(n) % ACCOUNTS;
    let credit = (debit + 1 + scatter(!n) % (ACCOUNTS - 1)) % ACCOUNTS;
    (debit as usize, credit as usize)
}

pub(crate) fn options() -> LedgerOptions {
    let clock = AtomicU64::new(1_000_000_000);
    LedgerOptions::new(Arc::new(move || clock.fetch_add(1_000_000, Ordering::Relaxed)))
}

impl Town {
    pub(crate) async fn found(folder: &Path) -> Town {
        let key = Keypair::from_seed(&[7; 32]);
        let ledger = Ledger::create(folder, Genesis::sign("bench", Id128(1), &key).bytes(), options()).unwrap();
        let accounts = (0..ACCOUNTS).map(|n| account_id(key.public(), 1, &n.to_string())).collect();
        let town = Town { ledger, accounts, key, next: AtomicU64::new(1_000) };
        let asset = AssetCreate { asset: 1, code: "CRED".into(), scale: 6, issuer: town.key.public() };
        town.drive(vec![town.sign(Command::AssetCreate(asset))], 1).await;
        let open = (0..ACCOUNTS).map(|n| town.sign(Command::AccountOpen(AccountOpen::new(1, n.to_string()))));
        town.drive(open.collect(), 4096).await;
        let issue = town.accounts.iter().map(|to| {
            town.sign(Command::Issue(Issue { asset: 1, to: *to, amount: Amount(FUNDS.into()), reference: "bench".into() }))
        });
        town.drive(issue.collect(), 4096).await;
        town
    }

    fn sign(&self, command: Command) -> Verified {
        let id = Id128(self.next.fetch_add(1, Ordering::Relaxed).into());
        Verified::open(SignedCommand::sign(self.ledger.id(), id, command, &self.key).bytes()).unwrap()
    }

    /// Signed and verified, `count` commands of `each` payments.
    pub(crate) fn payments(&self, count: usize, each: usize) -> Vec<Verified> {
        (0..count).map(|_| self.payment(each)).collect()
    }

    fn payment(&self, each: usize) -> Verified {
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
        let transfers = transfers.collect();
        self.sign(Command::Transfer(TransferBatch { transfers }))
    }

    /// Submit all, `window` at a time in their order, and see that every payment was made.
    pub(crate) async fn drive(&self, commands: Vec<Verified>, window: usize) {
        let commands = Arc::new(Mutex::new(commands.into_iter()));
        let clients: Vec<_> = (0..window)
            .map(|_| {
                let (ledger, commands) = (self.ledger.clone(), commands.clone());
                tokio::spawn(async move {
                    loop {
                        let Some(command) = commands.lock().unwrap().next() else { break };
                        assert_done(&ledger.submit_verified(command).await.unwrap());
                    }
                })
            })
            .collect();
        for client in clients {
            client.await.unwrap();
        }
    }

    /// The same with the signatures checked on the way.
    pub(crate) async fn drive_signed(&self, commands: &[Verified], window: usize) {
        let commands: Vec<Vec<u8>> = commands.iter().map(|command| command.bytes().to_vec()).collect();
        let commands = Arc::new(Mutex::new(commands.into_iter()));
        let clients: Vec<_> = (0..window)
            .map(|_| {
                let (ledger, commands) = (self.ledger.clone(), commands.clone());
                tokio::spawn(async move {
                    loop {
                        let Some(command) = commands.lock().unwrap().next() else { break };
                        assert_done(&ledger.submit(command).await.unwrap());
                    }
                })
            })
            .collect();
        for client in clients {
            client.await.unwrap();
        }
    }
}

fn assert_done(outcome: &Outcome) {
    let acceptance = outcome.result.accepted().unwrap();
    if let Acceptance::Transfers(results) = acceptance {
        assert!(results.iter().all(|result| result.status == TransferStatus::Created), "{results:?}");
    }
}
