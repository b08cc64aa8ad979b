//! Tests of the ledger's rules: a small world of keys and accounts, with every auditor run after each entry.

mod anchors;
mod channels;
mod commands;
mod conserve;
mod equivocation;
mod keys;
mod refunds;
mod root;
mod shares;
mod table;
mod transfers;

use super::*;
use crate::amount::Amount;
use crate::channel::AccountId;
use crate::key::Keypair;

const SECOND: u64 = 1_000_000_000;

/// A ledger in memory with one asset.
struct World {
    state: State,
    now_ns: u64,
    next_id: u128,
    operator: Keypair,
}

fn key(n: u8) -> Keypair {
    Keypair::from_seed(&[n; 32])
}

impl World {
    fn new() -> World {
        let operator = key(200);
        let genesis = Genesis::sign("test", Id128(1), &operator);
        let (state, _) = State::found(&Verified::open(genesis.bytes()).unwrap(), SECOND).unwrap();
        let mut world = World { state, now_ns: SECOND, next_id: 2, operator };
        let issuer = world.operator.public();
        let create = AssetCreate { asset: 1, code: "CRED".into(), scale: 6, issuer };
        world.done(&world.operator.clone(), Command::AssetCreate(create));
        world
    }

    fn sign(&mut self, key: &Keypair, command: Command) -> Verified {
        self.next_id += 1;
        let signed = SignedCommand::sign(self.state.head().ledger, Id128(self.next_id), command, key);
        Verified::open(signed.bytes()).unwrap()
    }

    fn append(&mut self, command: Verified) -> CommandResult {
        let before = self.state.clone();
        self.now_ns = (self.now_ns + 1).max(self.state.head().time_ns + 1);
        let appended = self.state.append(self.now_ns, &[command]).unwrap();
        audit::audit(&self.state).unwrap();
        for movement in &appended.movements {
            audit::movement(&self.state, movement).unwrap();
        }
        for account in before.accounts() {
            audit::account_step(account, self.state.account(account.id).unwrap()).unwrap();
        }
        for channel in before.channels() {
            audit::channel_step(channel, self.state.channel(channel.id).unwrap()).unwrap();
        }
        for row in before.all_refunded() {
            audit::refund_step(row, self.state.refunded(row.target).unwrap()).unwrap();
        }
        for key in before.keys() {
            audit::key_step(key, self.state.key(key.id()).unwrap()).unwrap();
        }
        appended.entry.results.into_iter().next().unwrap()
    }

    fn act(&mut self, key: &Keypair, command: Command) -> Result<Acceptance, Reason> {
        let command = self.sign(key, command);
        self.append(command).accepted().cloned()
    }

    fn done(&mut self, key: &Keypair, command: Command) -> Acceptance {
        self.act(key, command).unwrap()
    }

    /// An account of `key` with `amount` in it.
    fn account(&mut self, key: &Keypair, label: &str, amount: u128) -> AccountId {
        self.done(key, Command::AccountOpen(AccountOpen::new(1, label)));
        let to = account_id(key.public(), 1, label);
        if amount > 0 {
            let issue = Issue { asset: 1, to, amount: Amount(amount), reference: "test".into() };
            self.done(&self.operator.clone(), Command::Issue(issue));
        }
        to
    }

    fn available(&self, id: AccountId) -> u128 {
        self.state.account(id).unwrap().available().0
    }

    fn transfer(&mut self, key: &Keypair, transfer: Transfer) -> TransferStatus {
        let batch = TransferBatch { transfers: vec![transfer] };
        match self.done(key, Command::Transfer(batch)) {
            Acceptance::Transfers(results) => results[0].status,
            other => panic!("{other:?}"),
        }
    }

    fn wait(&mut self, seconds: u64) {
        self.now_ns += seconds * SECOND;
    }
}
