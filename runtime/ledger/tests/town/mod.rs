//! A town for tests: keys, a ledger in a temporary folder with a clock that the test moves, and the statements of trade.
#![expect(clippy::unwrap_used, reason = "tests")]
#![allow(
    clippy::allow_attributes,
    dead_code,
    reason = "each test binary uses another part of it, so no expectation holds for all"
)]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use hansa_economy::channel::{AccountId, ChannelTerms, Voucher};
use hansa_economy::ledger::*;
use hansa_economy::receipt::{Ending, Receipt};
use hansa_economy::{Amount, Digest, Keypair, Signed};
use hansa_ledger::{Ledger, LedgerOptions, Outcome};

pub(crate) const SECOND: u64 = 1_000_000_000;

pub(crate) struct Town {
    pub(crate) ledger: Ledger,
    pub(crate) clock: Arc<AtomicU64>,
    pub(crate) next_id: AtomicU32,
}

pub(crate) fn key(n: u8) -> Keypair {
    Keypair::from_seed(&[n; 32])
}

pub(crate) fn operator() -> Keypair {
    key(250)
}

pub(crate) fn options(clock: &Arc<AtomicU64>) -> LedgerOptions {
    let clock = clock.clone();
    LedgerOptions { cache_bytes: 8 << 20, ..LedgerOptions::new(Arc::new(move || clock.load(Ordering::Relaxed))) }
}

pub(crate) fn genesis() -> Vec<u8> {
    Genesis::sign("test town", Id128(1), &operator()).bytes().to_vec()
}

impl Town {
    /// A new ledger with asset 1.
    pub(crate) async fn found(folder: &Path) -> Town {
        let clock = Arc::new(AtomicU64::new(1_000 * SECOND));
        let ledger = Ledger::create(folder, &genesis(), options(&clock)).unwrap();
        let town = Town { ledger, clock, next_id: AtomicU32::new(1) };
        let create = AssetCreate { asset: 1, code: "CRED".into(), scale: 6, issuer: operator().public() };
        town.done(&operator(), Command::AssetCreate(create)).await;
        town
    }

    /// The ledger stops, and its folder is opened anew.
    pub(crate) fn restart(self, folder: &Path) -> Town {
        let Town { ledger, clock, next_id } = self;
        drop(ledger);
        Town { ledger: Ledger::open(folder, options(&clock)).unwrap(), clock, next_id }
    }

    pub(crate) fn sign(&self, key: &Keypair, command: Command) -> Vec<u8> {
        let id = Id128(100 + u128::from(self.next_id.fetch_add(1, Ordering::Relaxed)));
        SignedCommand::sign(self.ledger.id(), id, command, key).bytes().to_vec()
    }

    pub(crate) async fn act(&self, key: &Keypair, command: Command) -> Outcome {
        self.ledger.submit(self.sign(key, command)).await.unwrap()
    }

    pub(crate) async fn done(&self, key: &Keypair, command: Command) -> Acceptance {
        self.act(key, command).await.result.accepted().unwrap().clone()
    }

    pub(crate) async fn refused(&self, key: &Keypair, command: Command) -> Reason {
        self.act(key, command).await.result.accepted().unwrap_err()
    }

    pub(crate) async fn account(&self, key: &Keypair, amount: u64) -> AccountId {
        self.done(key, Command::AccountOpen(AccountOpen::new(1, "main"))).await;
        let to = account_id(key.public(), 1, "main");
        if amount > 0 {
            self.done(
                &operator(),
                Command::Issue(Issue { asset: 1, to, amount: Amount::credits(amount), reference: "r".into() }),
            )
            .await;
        }
        to
    }

    pub(crate) fn wait(&self, seconds: u64) {
        self.clock.fetch_add(seconds * SECOND, Ordering::Relaxed);
    }

    pub(crate) fn sound(&self) -> hansa_ledger::CheckReport {
        let report = self.ledger.check().unwrap();
        assert_eq!(report.problem, None);
        assert!(report.assets.iter().all(|asset| asset.debits == asset.credits));
        report
    }
}

pub(crate) fn payment(id: u128, debit: AccountId, credit: AccountId, amount: u128) -> Command {
    let transfer = Transfer { id: Id128(id), debit, credit, amount: Amount(amount), asset: 1, code: 1, ..Transfer::default() };
    Command::Transfer(TransferBatch { transfers: vec![transfer] })
}

/// Receipt and the voucher that acknowledges it.
pub(crate) fn claim(terms: &ChannelTerms, payer: &Keypair, payee: &Keypair, lane: u32, seq: u64, cumulative: u128) -> Claim {
    let call = Digest::of(&seq.to_le_bytes());
    let receipt = Receipt {
        call,
        service: "a:b/c@1.0.0".into(),
        function: "f".into(),
        offer: call,
        channel: terms.id(),
        lane,
        seq,
        prev_receipt: None,
        buyer: terms.payer_key,
        seller: terms.payee_key,
        node: terms.payee_key,
        package: "p/q@1.0.0".into(),
        component: call,
        models: vec![],
        request: call,
        ending: Ending::Answered(call),
        price_max: Amount(cumulative),
        charged: Amount(cumulative),
        cumulative: Amount(cumulative),
        started_ms: 0,
        finished_ms: 0,
        children: vec![],
        metered: None,
    };
    let receipt = Signed::new(receipt, payee);
    let (ledger, channel, cumulative_max) = (terms.ledger, terms.id(), Amount(cumulative));
    let voucher = Voucher {
        ledger,
        channel,
        lane,
        seq: seq + 1,
        cumulative_max,
        prev_receipt: Some(receipt.digest()),
        call: None,
        request: None,
    };
    Claim::new(&Signed::new(voucher, payer), &receipt)
}

pub(crate) fn terms(town: &Town, payer: (AccountId, &Keypair), payee: (AccountId, &Keypair)) -> ChannelTerms {
    ChannelTerms {
        ledger: town.ledger.id(),
        payer: payer.0,
        payer_key: payer.1.public(),
        payee: payee.0,
        payee_key: payee.1.public(),
        asset: 1,
        grace_s: 60,
        nonce: 1,
        shares: vec![],
    }
}
