//! Accounts: each status, and each with its neighbour.

/// Neighbours in the order that cannot both apply to one event, and why.
pub(crate) const EXCLUSIVE: &[(&str, &str, &str)] = &[
    ("created", "linked_event_failed", "nothing applies to what was created"),
    ("linked_event_failed", "linked_event_chain_open", "of the last event of an open chain the latter is said"),
    ("id_must_not_be_zero", "id_must_not_be_int_max", "two values of one field"),
    ("id_must_not_be_int_max", "exists_with_different_flags", "no account has this id"),
    ("exists_with_different_code", "exists", "the latter says that there is no difference"),
    ("exists", "flags_are_mutually_exclusive", "no account has such flags"),
];

pub(crate) const CASES: &[&str] = &[
    "
    # What is wrong with an account by itself, one thing less in each line.
    account id=0 flags=imported timestamp=1 -> timestamp_must_be_zero over reserved_flag
    account id=0 flags=imported -> reserved_flag over id_must_not_be_zero
    account id=0 -> id_must_not_be_zero
    account id=340282366920938463463374607431768211455 -> id_must_not_be_int_max
    account id=1 flags=debits_must_not_exceed_credits,credits_must_not_exceed_debits debits_pending=1 -> flags_are_mutually_exclusive over debits_pending_must_be_zero
    account id=1 debits_pending=1 debits_posted=1 -> debits_pending_must_be_zero over debits_posted_must_be_zero
    account id=1 debits_posted=1 credits_pending=1 -> debits_posted_must_be_zero over credits_pending_must_be_zero
    account id=1 credits_pending=1 credits_posted=max -> credits_pending_must_be_zero over credits_posted_must_be_zero
    account id=1 credits_posted=max asset=0 -> credits_posted_must_be_zero over ledger_must_not_be_zero
    account id=1 asset=0 code=0 -> ledger_must_not_be_zero over code_must_not_be_zero
    account id=1 asset=1 code=0 -> code_must_not_be_zero
    account id=1 asset=1 code=1 -> created
    = 1 0 0 0 0
    ",
    "
    # An account that exists must be the same in everything.
    account id=1 asset=7 code=3 flags=history user_data_128=4 user_data_64=5 user_data_32=6 -> created
    account id=1 asset=9 code=9 flags=linked user_data_128=9 -> exists_with_different_flags over exists_with_different_user_data_128
    account id=2 asset=1 code=1 -> linked_event_failed
    account id=1 asset=9 code=9 flags=history user_data_128=9 -> exists_with_different_user_data_128 over exists_with_different_user_data_64
    account id=1 asset=9 code=9 flags=history user_data_128=4 -> exists_with_different_user_data_64 over exists_with_different_user_data_32
    account id=1 asset=9 code=9 flags=history user_data_128=4 user_data_64=5 -> exists_with_different_user_data_32 over exists_with_different_ledger
    account id=1 asset=9 code=9 flags=history user_data_128=4 user_data_64=5 user_data_32=6 -> exists_with_different_ledger over exists_with_different_code
    account id=1 asset=7 code=9 flags=history user_data_128=4 user_data_64=5 user_data_32=6 -> exists_with_different_code
    account id=1 asset=7 code=3 flags=history user_data_128=4 user_data_64=5 user_data_32=6 -> exists
    account id=1 asset=7 code=3 flags=history user_data_128=4 user_data_64=5 user_data_32=6 debits_posted=1 -> exists
    ",
    "
    # Chains of accounts are all or nothing, and an account of a chain can be named by the next.
    account id=1 asset=1 code=1 flags=linked -> linked_event_failed
    account id=1 asset=1 code=1 flags=linked -> exists
    account id=2 asset=1 code=1 -> linked_event_failed
    account id=1 asset=1 code=1 flags=linked -> linked_event_failed
    account id=2 asset=1 code=0 -> code_must_not_be_zero
    account id=1 asset=1 code=1 flags=linked -> linked_event_failed
    account id=3 asset=1 code=1 flags=linked timestamp=1 -> linked_event_chain_open over timestamp_must_be_zero
    --
    account id=1 asset=0 code=1 flags=linked -> ledger_must_not_be_zero
    account id=3 asset=1 code=1 flags=linked -> linked_event_chain_open
    --
    account id=1 asset=1 code=1 -> created
    account id=2 asset=1 code=1 flags=linked -> created
    account id=3 asset=1 code=1 -> created
    ",
    "
    # An account opened as closed takes nothing; one that was closed since differs from the one asked for.
    account id=1 asset=1 code=1 flags=closed -> created
    account id=2 asset=1 code=1 -> created
    account id=3 asset=1 code=1 -> created
    = 1 0 0 0 0 closed
    transfer id=1 debit=1 credit=2 asset=1 code=1 -> debit_account_already_closed
    transfer id=2 debit=3 credit=2 asset=1 code=1 flags=pending,closing_credit timeout_s=1 -> created 0
    account id=2 asset=1 code=1 -> exists_with_different_flags
    account id=2 asset=1 code=1 flags=closed -> exists
    advance 1
    account id=2 asset=1 code=1 -> exists
    ",
];
