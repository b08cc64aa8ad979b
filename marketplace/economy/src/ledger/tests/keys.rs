//! Further keys of accounts, as tables: who asks for what, and what it comes to.

use super::*;
use crate::PublicKey;
use crate::channel::{ChannelTerms, Share};

use TransferStatus as S;

const ALICE: u8 = 1;
const BOB: u8 = 2;
const CAROL: u8 = 3;
const AGENT: u8 = 10;
const NEW: u8 = 11;

/// Alice with 100, Bob and Carol with nothing.
struct Bank {
    world: World,
    next_transfer: u128,
}

fn bank() -> Bank {
    let mut world = World::new();
    for (owner, amount) in [(ALICE, 100), (BOB, 0), (CAROL, 0)] {
        world.account(&key(owner), "main", amount);
    }
    Bank { world, next_transfer: 100 }
}

fn main(owner: u8) -> AccountId {
    account_id(public(owner), 1, "main")
}

fn public(n: u8) -> PublicKey {
    key(n).public()
}

fn change(change: KeyChange) -> Command {
    Command::AccountKey(AccountKeyChange { account: main(ALICE), change })
}

fn add(n: u8, role: KeyRole, limits: KeyLimits) -> Command {
    change(KeyChange::Add { key: public(n), role, limits })
}

fn budget(amount: u128) -> KeyLimits {
    KeyLimits { budget: Some(Amount(amount)), ..KeyLimits::default() }
}

fn payees(payees: &[u8]) -> KeyLimits {
    let mut payees: Vec<AccountId> = payees.iter().map(|owner| main(*owner)).collect();
    payees.sort();
    KeyLimits { payees, ..KeyLimits::default() }
}

fn rotate(from: u8, to: u8) -> Command {
    change(KeyChange::Rotate { key: public(from), role: KeyRole::Spend, successor: public(to) })
}

fn revoke(n: u8, role: KeyRole) -> Command {
    change(KeyChange::Revoke { key: public(n), role })
}

fn rotate_owner(to: u8) -> Command {
    change(KeyChange::RotateOwner { successor: public(to) })
}

fn free() -> KeyLimits {
    KeyLimits::default()
}

impl Bank {
    /// Each command by each key comes to this.
    fn run(&mut self, table: &[(u8, Command, Result<Acceptance, Reason>)]) {
        for (line, (who, command, expected)) in table.iter().enumerate() {
            assert_eq!(self.world.act(&key(*who), command.clone()), expected.clone(), "line {line}: {command:?}");
        }
    }

    fn changed(&mut self, command: Command) {
        self.run(&[(ALICE, command, Ok(Acceptance::KeyChanged))]);
    }

    /// Each transfer from Alice, by each key to each payee, comes to this.
    fn pay(&mut self, table: &[(u8, u8, u128, TransferStatus)]) {
        for (line, (who, to, amount, expected)) in table.iter().enumerate() {
            let event = self.payment(*to, *amount);
            assert_eq!(self.world.transfer(&key(*who), event), *expected, "line {line}: {who} pays {amount} to {to}");
        }
    }

    fn payment(&mut self, to: u8, amount: u128) -> Transfer {
        self.next_transfer += 1;
        let (id, debit, credit) = (Id128(self.next_transfer), main(ALICE), main(to));
        Transfer { id, debit, credit, amount: Amount(amount), asset: 1, code: 1, ..Transfer::default() }
    }

    fn hold(&mut self, who: u8, to: u8, amount: u128, timeout_s: u32) -> TransferId {
        let event = Transfer { flags: TransferFlags::PENDING, timeout_s, ..self.payment(to, amount) };
        let id = event.id;
        assert_eq!(self.world.transfer(&key(who), event), S::Created);
        id
    }

    fn resolve(&mut self, who: u8, hold: TransferId, flags: TransferFlags, amount: Amount) -> TransferStatus {
        self.next_transfer += 1;
        let event = Transfer { id: Id128(self.next_transfer), pending_id: hold, flags, amount, ..Transfer::default() };
        self.world.transfer(&key(who), event)
    }

    fn spent(&self, n: u8) -> u128 {
        self.world.state.key((main(ALICE), KeyRole::Spend, public(n))).unwrap().spent.0
    }

    fn terms(&self, payer_key: u8, payee_key: u8, nonce: u64) -> ChannelTerms {
        ChannelTerms {
            ledger: self.world.state.head().ledger,
            payer: main(ALICE),
            payer_key: public(payer_key),
            payee: main(BOB),
            payee_key: public(payee_key),
            asset: 1,
            grace_s: 60,
            nonce,
            shares: vec![],
        }
    }
}

#[test]
fn only_the_owner_changes_keys_and_only_sensibly() {
    let mut bank = bank();
    let past = KeyLimits { expires_ns: Some(1), ..free() };
    let unsorted = KeyLimits { payees: vec![main(BOB), main(BOB)], ..free() };
    let many = KeyLimits { payees: (1..=33).map(AccountId).collect(), ..free() };
    let escrow = AccountKeyChange { account: issuance_account_id(1), change: KeyChange::RotateOwner { successor: public(NEW) } };
    let nowhere = AccountKeyChange { account: AccountId(5), change: KeyChange::RotateOwner { successor: public(NEW) } };
    let weak = KeyChange::Add { key: PublicKey([0; 32]), role: KeyRole::Spend, limits: free() };
    let unusable = KeyChange::RotateOwner { successor: PublicKey([0; 32]) };
    let done = || Ok(Acceptance::KeyChanged);
    bank.run(&[
        (BOB, add(AGENT, KeyRole::Spend, free()), Err(Reason::NotPermitted)),
        (ALICE, Command::AccountKey(nowhere), Err(Reason::AccountNotFound)),
        (200, Command::AccountKey(escrow), Err(Reason::AccountIsReserved)),
        (ALICE, change(weak), Err(Reason::BadKey)),
        (ALICE, change(unusable), Err(Reason::BadKey)),
        (ALICE, add(ALICE, KeyRole::Spend, free()), Err(Reason::KeyTaken)),
        (ALICE, add(AGENT, KeyRole::Spend, past), Err(Reason::BadLimits)),
        (ALICE, add(AGENT, KeyRole::Spend, unsorted), Err(Reason::BadLimits)),
        (ALICE, add(AGENT, KeyRole::Spend, many), Err(Reason::BadLimits)),
        (ALICE, add(AGENT, KeyRole::Voucher, budget(5)), Err(Reason::BadLimits)),
        (ALICE, add(AGENT, KeyRole::Receipt, payees(&[BOB])), Err(Reason::BadLimits)),
        (ALICE, revoke(AGENT, KeyRole::Spend), Err(Reason::KeyNotFound)),
        (ALICE, rotate(AGENT, NEW), Err(Reason::KeyNotFound)),
        (ALICE, add(AGENT, KeyRole::Spend, budget(5)), done()),
        (AGENT, add(AGENT, KeyRole::Spend, budget(50)), Err(Reason::NotPermitted)),
        (ALICE, revoke(AGENT, KeyRole::Voucher), Err(Reason::KeyNotFound)),
        (ALICE, rotate(AGENT, AGENT), Err(Reason::KeyTaken)),
        (ALICE, rotate_owner(AGENT), Err(Reason::KeyTaken)),
        (ALICE, rotate_owner(ALICE), Err(Reason::KeyTaken)),
        (ALICE, revoke(AGENT, KeyRole::Spend), done()),
        (ALICE, revoke(AGENT, KeyRole::Spend), Err(Reason::KeyNotFound)),
        (ALICE, add(AGENT, KeyRole::Spend, budget(5)), Err(Reason::KeyTaken)),
    ]);
}

#[test]
fn a_budget_is_used_up_and_raised() {
    let mut bank = bank();
    bank.pay(&[(AGENT, BOB, 1, S::SignerMayNotDebit)]);
    bank.changed(add(AGENT, KeyRole::Spend, budget(10)));
    bank.pay(&[(AGENT, BOB, 4, S::Created), (AGENT, CAROL, 7, S::ExceedsBudget), (AGENT, CAROL, 6, S::Created)]);
    bank.pay(&[(AGENT, BOB, 1, S::ExceedsBudget), (AGENT, BOB, 0, S::Created), (ALICE, BOB, 20, S::Created)]);
    assert_eq!(bank.spent(AGENT), 10);
    bank.run(&[(ALICE, add(AGENT, KeyRole::Spend, budget(9)), Err(Reason::BadLimits))]);
    bank.changed(add(AGENT, KeyRole::Spend, budget(12)));
    bank.pay(&[(AGENT, BOB, 3, S::ExceedsBudget), (AGENT, BOB, 2, S::Created)]);
    bank.changed(add(AGENT, KeyRole::Spend, free()));
    bank.pay(&[(AGENT, BOB, 69, S::ExceedsCredits), (AGENT, BOB, 68, S::Created)]);
    assert_eq!(bank.spent(AGENT), 80);
}

#[test]
fn payees_and_expiry_bind() {
    let mut bank = bank();
    let expires_ns = Some(bank.world.now_ns + 60 * SECOND);
    bank.changed(add(AGENT, KeyRole::Spend, KeyLimits { expires_ns, ..payees(&[BOB]) }));
    bank.pay(&[(AGENT, CAROL, 1, S::PayeeNotAllowed), (AGENT, BOB, 1, S::Created)]);
    bank.world.wait(59);
    bank.pay(&[(AGENT, BOB, 1, S::Created)]);
    bank.world.wait(2);
    bank.pay(&[(AGENT, BOB, 1, S::SignerMayNotDebit)]);
    bank.changed(add(AGENT, KeyRole::Spend, payees(&[CAROL])));
    bank.pay(&[(AGENT, BOB, 1, S::PayeeNotAllowed), (AGENT, CAROL, 1, S::Created)]);
}

#[test]
fn a_hold_uses_the_budget_once_and_gives_nothing_back() {
    let mut bank = bank();
    let (post, void) = (TransferFlags::POST_PENDING, TransferFlags::VOID_PENDING);
    bank.changed(add(AGENT, KeyRole::Spend, budget(30)));
    bank.changed(add(NEW, KeyRole::Spend, budget(5)));
    let (first, second, third) = (bank.hold(AGENT, BOB, 10, 60), bank.hold(AGENT, BOB, 10, 60), bank.hold(AGENT, BOB, 10, 1));
    bank.pay(&[(AGENT, BOB, 1, S::ExceedsBudget)]);
    assert_eq!(bank.resolve(NEW, first, void, Amount::ZERO), S::SignerMayNotResolve);
    assert_eq!(bank.resolve(AGENT, first, post, Amount(4)), S::Created);
    assert_eq!(bank.resolve(NEW, second, post, Amount(6)), S::ExceedsBudget);
    assert_eq!(bank.resolve(NEW, second, post, Amount(5)), S::Created);
    bank.world.wait(2);
    assert_eq!(bank.resolve(AGENT, third, void, Amount::ZERO), S::PendingTransferExpired);
    assert_eq!((bank.spent(AGENT), bank.spent(NEW)), (30, 5));
    let owners = bank.hold(ALICE, BOB, 10, 60);
    assert_eq!(bank.resolve(AGENT, owners, void, Amount::ZERO), S::SignerMayNotResolve);
    assert_eq!(bank.resolve(AGENT, owners, post, Amount::MAX), S::ExceedsBudget);
    bank.changed(add(AGENT, KeyRole::Spend, KeyLimits { budget: Some(Amount(50)), ..payees(&[CAROL]) }));
    assert_eq!(bank.resolve(AGENT, owners, post, Amount::MAX), S::PayeeNotAllowed);
    bank.changed(add(AGENT, KeyRole::Spend, budget(50)));
    assert_eq!(bank.resolve(AGENT, owners, post, Amount::MAX), S::Created);
    let own = bank.hold(AGENT, BOB, 10, 60);
    assert_eq!(bank.resolve(AGENT, own, void, Amount::ZERO), S::Created);
    assert_eq!(bank.spent(AGENT), 50);
}

/// A chain that breaks takes back what its events used of a budget.
#[test]
fn a_broken_chain_gives_the_budget_back() {
    let mut bank = bank();
    bank.changed(add(AGENT, KeyRole::Spend, budget(10)));
    let linked = Transfer { flags: TransferFlags::LINKED, ..bank.payment(BOB, 6) };
    let over = bank.payment(CAROL, 5);
    let batch = TransferBatch { transfers: vec![linked, over] };
    let Acceptance::Transfers(results) = bank.world.done(&key(AGENT), Command::Transfer(batch)) else { panic!() };
    let statuses: Vec<_> = results.iter().map(|result| result.status).collect();
    assert_eq!(statuses, [S::LinkedEventFailed, S::ExceedsBudget]);
    assert_eq!(bank.spent(AGENT), 0);
    bank.pay(&[(AGENT, BOB, 10, S::Created)]);
}

#[test]
fn a_key_that_is_rotated_or_revoked_stops_at_once() {
    let mut bank = bank();
    bank.changed(add(AGENT, KeyRole::Spend, budget(10)));
    bank.pay(&[(AGENT, BOB, 4, S::Created)]);
    bank.changed(rotate(AGENT, NEW));
    bank.pay(&[(AGENT, BOB, 1, S::SignerMayNotDebit), (NEW, BOB, 7, S::ExceedsBudget), (NEW, BOB, 6, S::Created)]);
    bank.changed(add(NEW, KeyRole::Spend, free()));
    bank.changed(revoke(NEW, KeyRole::Spend));
    bank.pay(&[(NEW, BOB, 1, S::SignerMayNotDebit)]);
    bank.run(&[(ALICE, rotate_owner(NEW), Err(Reason::KeyTaken))]);
}

/// Three commands of one entry: the old owner's key pays, hands over, and pays no more.
#[test]
fn an_owner_key_is_replaced_within_an_entry() {
    let mut bank = bank();
    let (first, second) = (bank.payment(BOB, 1), bank.payment(BOB, 1));
    let batch = |transfer| Command::Transfer(TransferBatch { transfers: vec![transfer] });
    let alice = key(ALICE);
    let commands = [batch(first), rotate_owner(NEW), batch(second)].map(|command| bank.world.sign(&alice, command));
    bank.world.now_ns += SECOND;
    let results = bank.world.state.append(bank.world.now_ns, &commands).unwrap().entry.results;
    let status = |at: usize| match &results[at] {
        CommandResult::Accepted(Acceptance::Transfers(results)) => results[0].status,
        other => panic!("{other:?}"),
    };
    assert_eq!((status(0), status(2)), (S::Created, S::SignerMayNotDebit));
    let changes = bank.world.state.take_changes();
    assert!(changes.owners_before.contains(&(public(ALICE), main(ALICE))));
    bank.pay(&[(ALICE, BOB, 1, S::SignerMayNotDebit), (NEW, BOB, 1, S::Created)]);
    // The account stays where it was; its first owner can name neither it nor another one so.
    bank.run(&[
        (ALICE, Command::AccountOpen(AccountOpen::new(1, "main")), Err(Reason::AccountExists)),
        (ALICE, add(AGENT, KeyRole::Spend, free()), Err(Reason::NotPermitted)),
        (NEW, add(ALICE, KeyRole::Spend, budget(1)), Ok(Acceptance::KeyChanged)),
    ]);
    bank.pay(&[(ALICE, BOB, 2, S::ExceedsBudget), (ALICE, BOB, 1, S::Created)]);
}

#[test]
fn only_an_owner_closes_an_account() {
    let mut bank = bank();
    bank.changed(add(AGENT, KeyRole::Spend, free()));
    let flags = TransferFlags::PENDING.with(TransferFlags::CLOSING_DEBIT);
    let closing = Transfer { flags, ..bank.payment(BOB, 0) };
    assert_eq!(bank.world.transfer(&key(AGENT), closing.clone()), S::SignerMayNotClose);
    assert_eq!(bank.world.transfer(&key(ALICE), closing), S::Created);
}

#[test]
fn channels_are_opened_by_keys_that_may() {
    let mut bank = bank();
    let open = |terms: ChannelTerms, deposit| Command::ChannelOpen(ChannelOpen { terms, deposit: Amount(deposit) });
    let opened = |terms: &ChannelTerms, deposit| Ok(Acceptance::Deposit { channel: terms.id(), deposit: Amount(deposit) });
    bank.changed(add(AGENT, KeyRole::Spend, budget(20)));
    let (by_owner, by_agent) = (bank.terms(NEW, 77, 1), bank.terms(AGENT, 77, 2));
    let topup = |channel, amount| Command::ChannelTopup(ChannelTopup { channel, amount: Amount(amount) });
    bank.run(&[
        (AGENT, open(by_owner.clone(), 5), Err(Reason::ChannelKey)),
        (ALICE, open(by_owner.clone(), 5), opened(&by_owner, 5)),
        (AGENT, open(by_agent.clone(), 5), Err(Reason::ChannelKey)),
        (ALICE, add(AGENT, KeyRole::Voucher, payees(&[CAROL])), Ok(Acceptance::KeyChanged)),
        (AGENT, open(by_agent.clone(), 5), Err(Reason::ChannelKey)),
        (ALICE, open(by_agent.clone(), 5), Err(Reason::ChannelKey)),
        (ALICE, add(AGENT, KeyRole::Voucher, payees(&[BOB])), Ok(Acceptance::KeyChanged)),
        (AGENT, open(by_agent.clone(), 21), Err(Reason::ExceedsBudget)),
        (AGENT, open(by_agent.clone(), 15), opened(&by_agent, 15)),
        (AGENT, topup(by_owner.id(), 6), Err(Reason::ExceedsBudget)),
        (AGENT, topup(by_owner.id(), 5), opened(&by_owner, 10)),
        (ALICE, revoke(AGENT, KeyRole::Voucher), Ok(Acceptance::KeyChanged)),
        (ALICE, open(bank.terms(AGENT, 77, 3), 5), Err(Reason::ChannelKey)),
    ]);
    assert_eq!(bank.spent(AGENT), 20);
}

#[test]
fn who_fills_a_deposit_pays_all_who_share_in_it() {
    let mut bank = bank();
    let opening = |terms: &ChannelTerms| Command::ChannelOpen(ChannelOpen { terms: terms.clone(), deposit: Amount(5) });
    let deposit = |terms: &ChannelTerms, deposit| Ok(Acceptance::Deposit { channel: terms.id(), deposit: Amount(deposit) });
    let topup = |terms: &ChannelTerms| Command::ChannelTopup(ChannelTopup { channel: terms.id(), amount: Amount(5) });
    let shares = vec![Share { account: main(CAROL), basis_points: 100 }];
    let shared = |payer_key, nonce| ChannelTerms { shares: shares.clone(), ..bank.terms(payer_key, 77, nonce) };
    let (by_owner, by_agent) = (shared(ALICE, 1), shared(AGENT, 2));
    let both = payees(&[BOB, CAROL]);
    bank.run(&[
        (ALICE, opening(&by_owner), deposit(&by_owner, 5)),
        (ALICE, add(AGENT, KeyRole::Spend, payees(&[BOB])), Ok(Acceptance::KeyChanged)),
        (ALICE, add(AGENT, KeyRole::Voucher, payees(&[BOB])), Ok(Acceptance::KeyChanged)),
        (AGENT, topup(&by_owner), Err(Reason::PayeeNotAllowed)),
        (AGENT, opening(&by_agent), Err(Reason::PayeeNotAllowed)),
        (ALICE, opening(&by_agent), Err(Reason::ChannelKey)),
        (ALICE, add(AGENT, KeyRole::Spend, both.clone()), Ok(Acceptance::KeyChanged)),
        (AGENT, topup(&by_owner), deposit(&by_owner, 10)),
        (AGENT, opening(&by_agent), Err(Reason::ChannelKey)),
        (ALICE, add(AGENT, KeyRole::Voucher, both), Ok(Acceptance::KeyChanged)),
        (AGENT, opening(&by_agent), deposit(&by_agent, 5)),
    ]);
}

#[test]
fn an_account_that_names_receipt_keys_is_paid_by_these_alone() {
    let mut bank = bank();
    let open = |terms: ChannelTerms| Command::ChannelOpen(ChannelOpen { terms, deposit: Amount(1) });
    let bobs = |change| Command::AccountKey(AccountKeyChange { account: main(BOB), change });
    let named = KeyChange::Add { key: public(NEW), role: KeyRole::Receipt, limits: free() };
    let revoked = KeyChange::Revoke { key: public(NEW), role: KeyRole::Receipt };
    let opens = |terms: &ChannelTerms| Ok(Acceptance::Deposit { channel: terms.id(), deposit: Amount(1) });
    let terms: Vec<_> = [(77, 1), (77, 2), (NEW, 3), (BOB, 4), (NEW, 5), (77, 6), (BOB, 7)]
        .map(|(payee_key, nonce)| bank.terms(ALICE, payee_key, nonce))
        .into();
    bank.run(&[
        (ALICE, open(terms[0].clone()), opens(&terms[0])),
        (BOB, bobs(named), Ok(Acceptance::KeyChanged)),
        (ALICE, open(terms[1].clone()), Err(Reason::ChannelKey)),
        (ALICE, open(terms[2].clone()), opens(&terms[2])),
        (ALICE, open(terms[3].clone()), opens(&terms[3])),
        (BOB, bobs(revoked), Ok(Acceptance::KeyChanged)),
        (ALICE, open(terms[4].clone()), Err(Reason::ChannelKey)),
        (ALICE, open(terms[5].clone()), Err(Reason::ChannelKey)),
        (ALICE, open(terms[6].clone()), opens(&terms[6])),
    ]);
}

/// The issuer takes units out of being by a key that may spend from the account, within its budget.
#[test]
fn units_are_redeemed_from_an_account_by_a_key_that_may() {
    let mut bank = bank();
    let redeem =
        |amount| Command::Redeem(Redeem { asset: 1, from: main(ALICE), amount: Amount(amount), reference: "bank 8".into() });
    bank.run(&[(200, redeem(5), Err(Reason::NotPermitted))]);
    bank.changed(add(200, KeyRole::Spend, budget(5)));
    bank.run(&[(200, redeem(6), Err(Reason::ExceedsBudget)), (200, redeem(5), Ok(Acceptance::Supply(Amount(95))))]);
}
