//! Transfers: statuses in their order, holds, chains, balancing, closing, repeats; then authority.

use super::table::run;
use super::*;

#[test]
fn fields_are_checked_in_order() {
    run("
        account 1
        account 2
        account 3 asset=2
        0 1 2 5 reserved s=1 -> timestamp_must_be_zero
        0 1 2 5 reserved -> reserved_flag
        0 0 0 5 -> id_must_not_be_zero
        max 0 0 5 -> id_must_not_be_int_max
        1 0 0 5 -> debit_account_id_must_not_be_zero
        1 max 0 5 -> debit_account_id_must_not_be_int_max
        1 1 0 5 -> credit_account_id_must_not_be_zero
        1 1 max 5 -> credit_account_id_must_not_be_int_max
        1 1 1 5 p=9 -> accounts_must_be_different
        1 1 2 5 p=9 t=1 -> pending_id_must_be_zero
        1 1 2 5 t=1 cdebit -> timeout_reserved_for_pending_transfer
        1 1 2 5 cdebit a=0 -> closing_transfer_must_be_pending
        1 1 2 5 r=payee a=0 -> posted_by_reserved_for_pending_transfer
        1 1 2 5 pending r=payee a=0 -> payee_hold_needs_timeout
        1 1 2 5 a=0 c=0 -> ledger_must_not_be_zero
        1 1 2 5 c=0 -> code_must_not_be_zero
        1 1 3 5 a=9 -> accounts_must_have_the_same_ledger
        1 1 2 5 a=9 -> transfer_must_have_the_same_ledger_as_accounts
        1 1 2 0 -> created 0
    ");
}

#[test]
fn a_passing_failure_burns_the_id() {
    run("
        account 1 limit
        account 2
        1 9 8 5 -> debit_account_not_found
        1 2 1 5 -> id_already_failed
        2 1 8 5 -> credit_account_not_found
        2 2 1 5 -> id_already_failed
        3 1 2 5 -> exceeds_credits
        3 2 1 5 -> id_already_failed
        4 0 0 0 post p=77 -> pending_transfer_not_found
        4 2 1 5 -> id_already_failed
        5 1 2 5 a=9 -> transfer_must_have_the_same_ledger_as_accounts
        5 2 1 5 -> created 5
        6 1 2 5 -> created 5
        = 1 0 5 0 5
    ");
}

#[test]
fn a_repeat_must_be_the_same() {
    run("
        account 1
        account 2
        account 3
        1 1 2 5 u=1 v=2 w=3 -> created 5
        1 1 2 5 u=1 v=2 w=3 -> exists 5
        1 1 2 5 u=1 v=2 w=3 pending -> exists_with_different_flags
        1 1 2 5 p=3 -> exists_with_different_pending_id
        1 1 2 5 t=3 -> exists_with_different_timeout
        1 3 2 6 -> exists_with_different_debit_account_id
        1 1 3 6 -> exists_with_different_credit_account_id
        1 1 2 6 -> exists_with_different_amount
        1 1 2 5 u=9 -> exists_with_different_user_data_128
        1 1 2 5 u=1 v=9 -> exists_with_different_user_data_64
        1 1 2 5 u=1 v=2 w=9 -> exists_with_different_user_data_32
        1 1 2 5 u=1 v=2 w=3 a=9 -> exists_with_different_ledger
        1 1 2 5 u=1 v=2 w=3 c=9 -> exists_with_different_code
        2 1 2 5 pending t=9 r=payee -> created 5
        2 1 2 5 pending t=9 -> exists_with_different_posted_by
        2 1 2 5 pending t=9 r=payee -> exists 5
    ");
}

#[test]
fn a_hold_resolves_once() {
    run("
        account 1 limit
        account 2
        account 3
        1 2 1 100 -> created 100
        10 1 2 40 pending u=7 -> created 40
        = 1 40 0 0 100
        11 1 2 61 -> exceeds_credits
        12 0 0 41 post p=10 -> exceeds_pending_transfer_amount
        12 0 0 39 void p=10 -> pending_transfer_has_different_amount
        12 3 0 15 post p=10 -> pending_transfer_has_different_debit_account_id
        12 0 3 15 post p=10 -> pending_transfer_has_different_credit_account_id
        12 0 0 15 post p=10 a=5 -> pending_transfer_has_different_ledger
        12 0 0 15 post p=10 c=5 -> pending_transfer_has_different_code
        12 0 0 15 post p=1 -> pending_transfer_not_pending
        12 0 0 15 post p=10 -> created 15
        = 1 0 15 0 100
        = 2 0 100 0 15
        12 0 0 15 post p=10 -> exists 15
        12 0 0 max post p=10 -> exists_with_different_amount
        12 0 0 15 post p=10 u=8 -> exists_with_different_user_data_128
        12 0 0 15 post p=10 u=7 -> exists 15
        13 0 0 max post p=10 -> pending_transfer_already_posted
        20 1 2 85 pending -> created 85
        21 0 0 0 void p=20 -> created 85
        21 0 0 85 void p=20 -> exists 85
        21 0 0 0 void p=20 -> exists 85
        22 0 0 0 void p=20 -> pending_transfer_already_voided
        30 1 2 85 pending -> created 85
        31 0 0 max post p=30 -> created 85
        31 0 0 max post p=30 -> exists 85
        31 0 0 85 post p=30 -> exists 85
        = 1 0 100 0 100
    ");
}

#[test]
fn resolving_fields_are_checked_in_order() {
    run("
        account 1
        account 2
        10 1 2 40 pending -> created 40
        11 0 0 1 post void p=10 -> flags_are_mutually_exclusive
        11 0 0 1 post pending p=10 -> flags_are_mutually_exclusive
        11 0 0 1 post bdebit p=10 -> flags_are_mutually_exclusive
        11 0 0 1 void cdebit p=10 -> flags_are_mutually_exclusive
        11 0 0 1 post t=1 -> pending_id_must_not_be_zero
        11 0 0 1 post t=1 p=max -> pending_id_must_not_be_int_max
        11 0 0 1 post t=1 p=11 -> pending_id_must_be_different
        11 0 0 1 post t=1 p=10 -> timeout_reserved_for_pending_transfer
    ");
}

#[test]
fn expiry_is_exact_by_log_time() {
    run("
        account 1 limit
        account 2
        1 2 1 10 -> created 10
        10 1 2 10 pending t=5 -> created 10
        wait 4
        11 1 2 1 -> exceeds_credits
        wait 1
        12 0 0 max post p=10 -> pending_transfer_expired
        = 1 0 0 0 10
        13 1 2 10 -> created 10
        14 0 0 0 void p=10 -> pending_transfer_expired
    ");
}

#[test]
fn chains_are_all_or_nothing() {
    run("
        account 1 limit
        account 2
        1 2 1 10 -> created 10
        10 1 2 4 linked -> linked_event_failed
        11 1 2 4 linked -> linked_event_failed
        12 1 2 4 -> exceeds_credits
        = 1 0 0 0 10
        10 1 2 4 linked -> created 4
        11 1 2 4 -> created 4
        12 1 2 2 -> id_already_failed
        = 1 0 8 0 10
        20 1 2 1 linked -> linked_event_failed
        21 1 2 1 linked -> linked_event_chain_open
        --
        22 1 1 1 linked -> accounts_must_be_different
        23 1 2 1 linked -> linked_event_failed
        24 1 2 1 -> linked_event_failed
        30 1 2 2 pending linked -> created 2
        31 0 0 max post p=30 linked -> created 2
        32 2 1 3 -> created 3
        = 1 0 10 0 13
    ");
}

#[test]
fn a_broken_chain_takes_its_hold_back() {
    run("
        account 1 limit
        account 2
        1 2 1 10 -> created 10
        10 1 2 10 pending t=3 linked -> linked_event_failed
        11 1 2 1 -> exceeds_credits
        = 1 0 0 0 10
        wait 9
        12 1 2 10 -> created 10
    ");
}

/// A hold that ended while a chain was being tried stayed in the pending totals when the chain's last event broke it.
#[test]
fn a_broken_chain_does_not_bring_an_ended_hold_back() {
    run("
        account 1
        account 2
        10 1 2 10 pending t=3 -> created 10
        wait 3
        11 1 2 1 linked -> linked_event_failed
        12 1 9 1 -> credit_account_not_found
        = 1 0 0 0 0
        = 2 0 0 0 0
    ");
}

#[test]
fn balancing_clamps_on_its_own_side() {
    run("
        account 1 limit
        account 2 cap
        account 3
        1 3 1 10 -> created 10
        2 2 3 6 -> created 6
        10 1 3 4 pending -> created 4
        11 1 3 max bdebit -> created 6
        11 1 3 5 bdebit -> exists_with_different_amount
        11 1 3 7 bdebit -> exists 6
        12 1 3 5 bdebit -> created 0
        13 3 2 max bcredit -> created 6
        14 3 2 1 -> exceeds_debits
        = 2 0 6 0 6
    ");
}

#[test]
fn closing_holds_close_until_voided() {
    run("
        account 1
        account 2
        9 1 2 5 pending -> created 5
        10 1 2 0 pending cdebit -> created 0
        = 1 5 0 0 0 closed
        11 1 2 1 -> debit_account_already_closed
        12 2 1 1 -> credit_account_already_closed
        13 0 0 5 post p=9 -> debit_account_already_closed
        14 0 0 0 void p=9 -> created 5
        15 0 0 0 void p=10 -> created 0
        16 1 2 1 -> created 1
        20 1 2 0 pending ccredit t=2 -> created 0
        = 2 0 0 0 1 closed
        wait 2
        21 1 2 1 -> created 1
        = 2 0 0 0 2
    ");
}

#[test]
fn totals_do_not_overflow() {
    run("
        account 1
        account 2
        account 3
        1 1 2 max-1 pending -> created 340282366920938463463374607431768211454
        2 1 3 2 pending -> overflows_debits_pending
        3 3 2 2 pending -> overflows_credits_pending
        4 1 3 2 -> overflows_debits
        5 3 2 2 -> overflows_credits
        6 0 0 max post p=1 -> created 340282366920938463463374607431768211454
        7 1 3 2 -> overflows_debits_posted
        8 3 2 2 -> overflows_credits_posted
    ");
}

/// Log time ends with 63 bits, in the year 2262.
#[test]
fn a_hold_ends_before_the_end_of_time() {
    run("
        account 1 limit
        account 2
        wait 9223372034
        1 1 2 5 pending t=3 -> overflows_timeout
        1 1 2 5 pending t=1 -> exceeds_credits
    ");
}

fn payment(id: u128, debit: AccountId, credit: AccountId, amount: u128) -> Transfer {
    Transfer { id: Id128(id), debit, credit, amount: Amount(amount), asset: 1, code: 1, ..Transfer::default() }
}

#[test]
fn only_the_owner_moves_money() {
    let mut world = World::new();
    let (alice, bob) = (key(1), key(2));
    let (from, to) = (world.account(&alice, "main", 100), world.account(&bob, "main", 0));
    let issuance = issuance_account_id(1);
    let operator = world.operator.clone();
    assert_eq!(world.transfer(&bob, payment(1, from, to, 5)), TransferStatus::SignerMayNotDebit);
    assert_eq!(world.transfer(&alice, payment(1, from, to, 5)), TransferStatus::Created);
    assert_eq!(world.transfer(&alice, payment(2, from, issuance, 5)), TransferStatus::AccountIsReserved);
    assert_eq!(world.transfer(&operator, payment(3, issuance, from, 5)), TransferStatus::AccountIsReserved);
    let closing = TransferFlags::PENDING.with(TransferFlags::CLOSING_CREDIT);
    assert_eq!(world.transfer(&alice, Transfer { flags: closing, ..payment(4, from, to, 0) }), TransferStatus::SignerMayNotClose);
}

#[test]
fn a_hold_is_resolved_by_whom_its_rule_names() {
    let mut world = World::new();
    let (alice, bob, carol) = (key(1), key(2), key(3));
    let (from, to) = (world.account(&alice, "main", 100), world.account(&bob, "main", 0));
    let hold = |id, posted_by| Transfer { flags: TransferFlags::PENDING, timeout_s: 60, posted_by, ..payment(id, from, to, 5) };
    let resolve = |id, pending_id, flags| Transfer {
        id: Id128(id),
        pending_id: Id128(pending_id),
        amount: Amount(5),
        flags,
        ..Transfer::default()
    };
    let (post, void) = (TransferFlags::POST_PENDING, TransferFlags::VOID_PENDING);
    for (id, rule) in [(1, HoldRule::Payer), (2, HoldRule::Payee), (3, HoldRule::Payer)] {
        assert_eq!(world.transfer(&alice, hold(id, rule)), TransferStatus::Created);
    }
    assert_eq!(world.transfer(&bob, resolve(10, 1, post)), TransferStatus::SignerMayNotResolve);
    assert_eq!(world.transfer(&carol, resolve(10, 1, void)), TransferStatus::SignerMayNotResolve);
    assert_eq!(world.transfer(&alice, resolve(10, 1, post)), TransferStatus::Created);
    assert_eq!(world.transfer(&alice, resolve(11, 2, void)), TransferStatus::SignerMayNotResolve);
    assert_eq!(world.transfer(&bob, resolve(11, 2, post)), TransferStatus::Created);
    assert_eq!(world.transfer(&bob, resolve(12, 3, void)), TransferStatus::Created);
    assert_eq!((world.available(from), world.available(to)), (90, 10));
}
