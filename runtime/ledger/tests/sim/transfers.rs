//! Transfers: each status, and each with its neighbour.

/// Statuses that a simulation does not know: it has no owners, and no issuance or escrow. The rules' own tests have them.
pub(crate) const ELSEWHERE: &[&str] = &[
    "account_is_reserved",
    "signer_may_not_debit",
    "payee_not_allowed",
    "signer_may_not_close",
    "signer_may_not_resolve",
    "exceeds_budget",
];

const KINDS: &str = "one is said of movements and holds, the other of posts and voids";
const VALUES: &str = "two values of one field";

/// Neighbours in the order that cannot both apply to one event, and why.
pub(crate) const EXCLUSIVE: &[(&str, &str, &str)] = &[
    ("created", "linked_event_failed", "nothing applies to what was created"),
    ("linked_event_failed", "linked_event_chain_open", "of the last event of an open chain the latter is said"),
    ("id_must_not_be_zero", "id_must_not_be_int_max", VALUES),
    ("id_must_not_be_int_max", "exists_with_different_flags", "no transfer has this id"),
    ("exists_with_different_posted_by", "exists", "the latter says that there is no difference"),
    ("exists", "id_already_failed", "an id is used or burnt"),
    ("flags_are_mutually_exclusive", "debit_account_id_must_not_be_zero", KINDS),
    ("debit_account_id_must_not_be_zero", "debit_account_id_must_not_be_int_max", VALUES),
    ("credit_account_id_must_not_be_zero", "credit_account_id_must_not_be_int_max", VALUES),
    ("credit_account_id_must_not_be_int_max", "accounts_must_be_different", "the debit account would be 2^128 - 1 too"),
    ("pending_id_must_be_zero", "pending_id_must_not_be_zero", KINDS),
    ("pending_id_must_not_be_zero", "pending_id_must_not_be_int_max", VALUES),
    ("pending_id_must_not_be_int_max", "pending_id_must_be_different", "the id would be 2^128 - 1 too"),
    ("credit_account_not_found", "accounts_must_have_the_same_ledger", "what is not found has no asset"),
    ("transfer_must_have_the_same_ledger_as_accounts", "pending_transfer_not_found", KINDS),
    ("pending_transfer_not_found", "pending_transfer_not_pending", "what is not found is nothing"),
    ("pending_transfer_already_posted", "pending_transfer_already_voided", "a hold is resolved once"),
];

pub(crate) const CASES: &[&str] = &[
    "
    # What is wrong with a movement by itself, one thing less in each line.
    account id=1 asset=1 code=1 -> created
    account id=2 asset=1 code=1 -> created
    transfer id=0 flags=imported timestamp=1 -> timestamp_must_be_zero over reserved_flag
    transfer id=0 flags=imported -> reserved_flag over id_must_not_be_zero
    transfer id=0 -> id_must_not_be_zero
    transfer id=340282366920938463463374607431768211455 -> id_must_not_be_int_max
    transfer id=1 debit=0 credit=0 -> debit_account_id_must_not_be_zero over credit_account_id_must_not_be_zero
    transfer id=1 debit=340282366920938463463374607431768211455 credit=0 -> debit_account_id_must_not_be_int_max over credit_account_id_must_not_be_zero
    transfer id=1 debit=1 credit=0 pending_id=9 -> credit_account_id_must_not_be_zero over pending_id_must_be_zero
    transfer id=1 debit=1 credit=340282366920938463463374607431768211455 pending_id=9 -> credit_account_id_must_not_be_int_max over pending_id_must_be_zero
    transfer id=1 debit=1 credit=1 pending_id=9 -> accounts_must_be_different over pending_id_must_be_zero
    transfer id=1 debit=1 credit=2 pending_id=9 timeout_s=1 -> pending_id_must_be_zero over timeout_reserved_for_pending_transfer
    transfer id=1 debit=1 credit=2 timeout_s=1 flags=closing_debit -> timeout_reserved_for_pending_transfer over closing_transfer_must_be_pending
    transfer id=1 debit=1 credit=2 flags=closing_debit posted_by=payee -> closing_transfer_must_be_pending over posted_by_reserved_for_pending_transfer
    transfer id=1 debit=1 credit=2 posted_by=payee -> posted_by_reserved_for_pending_transfer over payee_hold_needs_timeout
    transfer id=1 debit=1 credit=2 flags=pending posted_by=payee -> payee_hold_needs_timeout over ledger_must_not_be_zero
    transfer id=1 debit=1 credit=2 -> ledger_must_not_be_zero over code_must_not_be_zero
    transfer id=1 debit=8 credit=9 asset=1 -> code_must_not_be_zero over debit_account_not_found
    transfer id=1 debit=8 credit=9 asset=1 code=1 -> debit_account_not_found over credit_account_not_found
    transfer id=2 debit=1 credit=9 asset=1 code=1 -> credit_account_not_found
    transfer id=3 debit=1 credit=2 asset=1 code=1 -> created 0
    ",
    "
    # Accounts and transfer must be of one asset, which comes before their being closed or limited.
    account id=1 asset=1 code=1 flags=debits_must_not_exceed_credits -> created
    account id=2 asset=2 code=1 flags=closed -> created
    account id=3 asset=1 code=1 flags=closed -> created
    transfer id=1 debit=1 credit=2 amount=5 asset=3 code=1 -> accounts_must_have_the_same_ledger over transfer_must_have_the_same_ledger_as_accounts
    transfer id=1 debit=1 credit=3 amount=5 asset=3 code=1 -> transfer_must_have_the_same_ledger_as_accounts over credit_account_already_closed
    transfer id=1 debit=1 credit=3 amount=5 asset=1 code=1 -> credit_account_already_closed over exceeds_credits
    ",
    "
    # A transfer that exists must be the same in everything. Flags come first: they say what the rest means.
    account id=1 asset=1 code=1 -> created
    account id=2 asset=1 code=1 -> created
    transfer id=1 debit=1 credit=2 amount=5 asset=1 code=7 flags=pending timeout_s=9 user_data_128=4 user_data_64=5 user_data_32=6 posted_by=payee -> created 5
    transfer id=1 debit=8 credit=9 amount=6 asset=3 pending_id=2 -> exists_with_different_flags over exists_with_different_pending_id
    transfer id=1 debit=8 credit=9 amount=6 asset=3 pending_id=2 flags=pending -> exists_with_different_pending_id over exists_with_different_timeout
    transfer id=1 debit=8 credit=9 amount=6 asset=3 flags=pending -> exists_with_different_timeout over exists_with_different_debit_account_id
    transfer id=1 debit=8 credit=9 amount=6 asset=3 flags=pending timeout_s=9 -> exists_with_different_debit_account_id over exists_with_different_credit_account_id
    transfer id=1 debit=1 credit=9 amount=6 asset=3 flags=pending timeout_s=9 -> exists_with_different_credit_account_id over exists_with_different_amount
    transfer id=1 debit=1 credit=2 amount=6 asset=3 flags=pending timeout_s=9 -> exists_with_different_amount over exists_with_different_user_data_128
    transfer id=1 debit=1 credit=2 amount=5 asset=3 flags=pending timeout_s=9 -> exists_with_different_user_data_128 over exists_with_different_user_data_64
    transfer id=1 debit=1 credit=2 amount=5 asset=3 flags=pending timeout_s=9 user_data_128=4 -> exists_with_different_user_data_64 over exists_with_different_user_data_32
    transfer id=1 debit=1 credit=2 amount=5 asset=3 flags=pending timeout_s=9 user_data_128=4 user_data_64=5 -> exists_with_different_user_data_32 over exists_with_different_ledger
    transfer id=1 debit=1 credit=2 amount=5 asset=3 flags=pending timeout_s=9 user_data_128=4 user_data_64=5 user_data_32=6 -> exists_with_different_ledger over exists_with_different_code
    transfer id=1 debit=1 credit=2 amount=5 asset=1 flags=pending timeout_s=9 user_data_128=4 user_data_64=5 user_data_32=6 -> exists_with_different_code over exists_with_different_posted_by
    transfer id=1 debit=1 credit=2 amount=5 asset=1 code=7 flags=pending timeout_s=9 user_data_128=4 user_data_64=5 user_data_32=6 -> exists_with_different_posted_by
    transfer id=1 debit=1 credit=2 amount=5 asset=1 code=7 flags=pending timeout_s=9 user_data_128=4 user_data_64=5 user_data_32=6 posted_by=payee -> exists 5
    ",
    "
    # A failure that may pass burns the id; any other leaves it free.
    account id=1 asset=1 code=1 -> created
    account id=2 asset=1 code=1 -> created
    transfer id=1 debit=8 credit=2 asset=1 code=1 -> debit_account_not_found
    transfer id=1 flags=post_pending,void_pending -> id_already_failed over flags_are_mutually_exclusive
    transfer id=1 debit=1 credit=2 asset=1 code=1 -> id_already_failed
    transfer id=2 debit=1 credit=2 asset=1 -> code_must_not_be_zero
    transfer id=2 debit=1 credit=2 asset=1 code=1 -> created 0
    transfer id=3 pending_id=1 flags=post_pending -> pending_transfer_not_found
    transfer id=3 debit=1 credit=2 asset=1 code=1 -> id_already_failed
    ",
    "
    # What is wrong with a post or void by itself, one thing less in each line.
    account id=1 asset=1 code=1 -> created
    account id=2 asset=1 code=1 -> created
    transfer id=1 debit=1 credit=2 amount=5 asset=1 code=1 -> created 5
    transfer id=2 flags=post_pending,void_pending -> flags_are_mutually_exclusive over pending_id_must_not_be_zero
    transfer id=2 flags=post_pending,pending -> flags_are_mutually_exclusive
    transfer id=2 flags=post_pending,balancing_debit -> flags_are_mutually_exclusive
    transfer id=2 flags=post_pending,balancing_credit -> flags_are_mutually_exclusive
    transfer id=2 flags=void_pending,closing_debit -> flags_are_mutually_exclusive
    transfer id=2 flags=void_pending,closing_credit -> flags_are_mutually_exclusive
    transfer id=2 flags=post_pending timeout_s=1 -> pending_id_must_not_be_zero over timeout_reserved_for_pending_transfer
    transfer id=2 flags=post_pending pending_id=340282366920938463463374607431768211455 timeout_s=1 -> pending_id_must_not_be_int_max over timeout_reserved_for_pending_transfer
    transfer id=2 flags=post_pending pending_id=2 timeout_s=1 -> pending_id_must_be_different over timeout_reserved_for_pending_transfer
    transfer id=2 flags=post_pending pending_id=9 timeout_s=1 -> timeout_reserved_for_pending_transfer over pending_transfer_not_found
    transfer id=2 flags=post_pending pending_id=9 posted_by=payee -> posted_by_reserved_for_pending_transfer over pending_transfer_not_found
    transfer id=2 flags=post_pending pending_id=1 debit=9 -> pending_transfer_not_pending over pending_transfer_has_different_debit_account_id
    transfer id=3 flags=post_pending pending_id=9 -> pending_transfer_not_found
    ",
    "
    # What does not fit the hold, one thing less in each line; zeros inherit.
    account id=1 asset=1 code=1 -> created
    account id=2 asset=1 code=1 -> created
    transfer id=1 debit=1 credit=2 amount=5 asset=1 code=7 flags=pending user_data_128=4 -> created 5
    transfer id=2 flags=void_pending pending_id=1 debit=8 credit=9 asset=3 code=3 amount=6 -> pending_transfer_has_different_debit_account_id over pending_transfer_has_different_credit_account_id
    transfer id=2 flags=void_pending pending_id=1 debit=1 credit=9 asset=3 code=3 amount=6 -> pending_transfer_has_different_credit_account_id over pending_transfer_has_different_ledger
    transfer id=2 flags=void_pending pending_id=1 debit=1 credit=2 asset=3 code=3 amount=6 -> pending_transfer_has_different_ledger over pending_transfer_has_different_code
    transfer id=2 flags=void_pending pending_id=1 asset=1 code=3 amount=6 -> pending_transfer_has_different_code over exceeds_pending_transfer_amount
    transfer id=2 flags=void_pending pending_id=1 code=7 amount=6 -> exceeds_pending_transfer_amount over pending_transfer_has_different_amount
    transfer id=2 flags=void_pending pending_id=1 amount=max -> exceeds_pending_transfer_amount over pending_transfer_has_different_amount
    transfer id=2 flags=post_pending pending_id=1 amount=6 -> exceeds_pending_transfer_amount
    transfer id=2 flags=void_pending pending_id=1 amount=4 -> pending_transfer_has_different_amount
    transfer id=2 flags=void_pending pending_id=1 debit=1 asset=1 amount=5 -> created 5
    transfer id=2 flags=void_pending pending_id=1 -> exists 5
    transfer id=2 flags=void_pending pending_id=1 user_data_128=4 -> exists 5
    transfer id=2 flags=void_pending pending_id=1 user_data_128=5 -> exists_with_different_user_data_128
    = 1 0 0 0 0
    ",
    "
    # A hold resolves once, and what became of it comes after what does not fit it.
    account id=1 asset=1 code=1 -> created
    account id=2 asset=1 code=1 -> created
    transfer id=1 debit=1 credit=2 amount=5 asset=1 code=1 flags=pending timeout_s=2 -> created 5
    transfer id=2 debit=1 credit=2 amount=5 asset=1 code=1 flags=pending timeout_s=2 -> created 5
    transfer id=3 debit=1 credit=2 amount=5 asset=1 code=1 flags=pending timeout_s=2 -> created 5
    transfer id=10 flags=post_pending pending_id=1 amount=4 -> created 4
    transfer id=20 flags=void_pending pending_id=2 -> created 5
    = 1 5 4 0 0
    advance 2
    = 1 0 4 0 0
    transfer id=11 flags=void_pending pending_id=1 amount=4 -> pending_transfer_has_different_amount over pending_transfer_already_posted
    transfer id=11 flags=void_pending pending_id=1 -> pending_transfer_already_posted over pending_transfer_expired
    transfer id=21 flags=post_pending pending_id=2 amount=max -> pending_transfer_already_voided over pending_transfer_expired
    transfer id=31 flags=void_pending pending_id=3 -> pending_transfer_expired
    transfer id=99 debit=1 credit=2 asset=1 code=1 flags=pending,closing_debit -> created 0
    transfer id=31 flags=post_pending pending_id=3 amount=max -> pending_transfer_expired over debit_account_already_closed
    ",
    "
    # The replay of a post matches the recorded amount, or the largest where all of the hold was posted.
    account id=1 asset=1 code=1 -> created
    account id=2 asset=1 code=1 -> created
    transfer id=1 debit=1 credit=2 amount=5 asset=1 code=1 flags=pending -> created 5
    transfer id=2 debit=1 credit=2 amount=5 asset=1 code=1 flags=pending -> created 5
    transfer id=10 flags=post_pending pending_id=1 amount=max -> created 5
    transfer id=10 flags=post_pending pending_id=1 amount=max -> exists 5
    transfer id=10 flags=post_pending pending_id=1 amount=5 -> exists 5
    transfer id=10 flags=post_pending pending_id=1 amount=6 -> exists_with_different_amount
    transfer id=20 flags=post_pending pending_id=2 amount=0 -> created 0
    transfer id=20 flags=post_pending pending_id=2 amount=max -> exists_with_different_amount
    transfer id=20 flags=post_pending pending_id=2 -> exists 0
    = 1 0 5 0 0
    ",
    "
    # While an account is closed only voids and expiry run; a void of the closing hold reopens it.
    account id=1 asset=1 code=1 -> created
    account id=2 asset=1 code=1 -> created
    transfer id=1 debit=1 credit=2 amount=5 asset=1 code=1 flags=pending -> created 5
    transfer id=2 debit=1 credit=2 amount=3 asset=1 code=1 flags=pending timeout_s=1 -> created 3
    transfer id=3 debit=1 credit=2 asset=1 code=1 flags=pending,closing_debit,closing_credit -> created 0
    = 1 8 0 0 0 closed
    transfer id=4 debit=1 credit=2 asset=1 code=1 -> debit_account_already_closed over credit_account_already_closed
    transfer id=5 flags=post_pending pending_id=1 amount=max -> debit_account_already_closed over credit_account_already_closed
    transfer id=6 flags=post_pending pending_id=3 -> debit_account_already_closed
    advance 1
    = 1 5 0 0 0 closed
    transfer id=7 flags=void_pending pending_id=1 -> created 5
    transfer id=8 flags=void_pending pending_id=3 -> created 0
    = 2 0 0 0 0
    transfer id=9 debit=1 credit=2 asset=1 code=1 -> created 0
    ",
    "
    # Overflows, one thing less in each line. Accounts 3 and 4 have posted totals at the end, 5 and 6 pending ones, 7 and 8 sums.
    account id=1 asset=1 code=1 -> created
    account id=2 asset=1 code=1 flags=closed -> created
    account id=3 asset=1 code=1 -> created
    account id=4 asset=1 code=1 -> created
    account id=5 asset=1 code=1 -> created
    account id=6 asset=1 code=1 -> created
    account id=7 asset=1 code=1 -> created
    account id=8 asset=1 code=1 -> created
    account id=9 asset=1 code=1 flags=debits_must_not_exceed_credits -> created
    transfer id=1 debit=3 credit=4 amount=max asset=1 code=1 -> created 340282366920938463463374607431768211455
    transfer id=2 debit=5 credit=6 amount=max asset=1 code=1 flags=pending -> created 340282366920938463463374607431768211455
    transfer id=3 debit=7 credit=8 amount=170141183460469231731687303715884105728 asset=1 code=1 -> created 170141183460469231731687303715884105728
    transfer id=4 debit=7 credit=8 amount=170141183460469231731687303715884105727 asset=1 code=1 flags=pending -> created 170141183460469231731687303715884105727
    transfer id=10 debit=5 credit=2 amount=1 asset=1 code=1 flags=pending -> credit_account_already_closed over overflows_debits_pending
    transfer id=11 debit=5 credit=6 amount=1 asset=1 code=1 flags=pending -> overflows_debits_pending over overflows_credits_pending
    transfer id=11 debit=3 credit=6 amount=1 asset=1 code=1 flags=pending -> overflows_credits_pending over overflows_debits_posted
    transfer id=11 debit=3 credit=4 amount=1 asset=1 code=1 flags=pending -> overflows_debits_posted over overflows_credits_posted
    transfer id=11 debit=7 credit=4 amount=1 asset=1 code=1 -> overflows_credits_posted over overflows_debits
    transfer id=11 debit=7 credit=8 amount=1 asset=1 code=1 -> overflows_debits over overflows_credits
    advance 9223372030
    transfer id=11 debit=9 credit=8 amount=1 asset=1 code=1 flags=pending timeout_s=9 -> overflows_credits over overflows_timeout
    transfer id=11 debit=9 credit=1 amount=1 asset=1 code=1 flags=pending timeout_s=9 -> overflows_timeout over exceeds_credits
    transfer id=11 debit=9 credit=1 amount=1 asset=1 code=1 flags=pending timeout_s=1 -> exceeds_credits
    transfer id=12 debit=7 credit=4 amount=0 asset=1 code=1 -> created 0
    ",
    "
    # Limits count holds; balancing clamps on its own side only, and may clamp to nothing.
    account id=1 asset=1 code=1 flags=debits_must_not_exceed_credits -> created
    account id=2 asset=1 code=1 flags=credits_must_not_exceed_debits -> created
    account id=3 asset=1 code=1 -> created
    transfer id=1 debit=1 credit=2 amount=1 asset=1 code=1 -> exceeds_credits over exceeds_debits
    transfer id=2 debit=3 credit=2 amount=1 asset=1 code=1 -> exceeds_debits
    transfer id=3 debit=3 credit=1 amount=10 asset=1 code=1 -> created 10
    transfer id=4 debit=2 credit=3 amount=4 asset=1 code=1 -> created 4
    transfer id=5 debit=1 credit=3 amount=3 asset=1 code=1 flags=pending -> created 3
    transfer id=6 debit=1 credit=3 amount=8 asset=1 code=1 -> exceeds_credits
    transfer id=7 debit=1 credit=2 amount=max asset=1 code=1 flags=balancing_debit -> exceeds_debits
    transfer id=8 debit=1 credit=2 amount=max asset=1 code=1 flags=balancing_debit,balancing_credit -> created 4
    transfer id=8 debit=1 credit=2 amount=3 asset=1 code=1 flags=balancing_debit,balancing_credit -> exists_with_different_amount
    transfer id=8 debit=1 credit=2 amount=4 asset=1 code=1 flags=balancing_debit,balancing_credit -> exists 4
    transfer id=9 debit=1 credit=2 amount=9 asset=1 code=1 flags=balancing_credit,pending -> created 0
    transfer id=10 debit=1 credit=3 amount=9 asset=1 code=1 flags=balancing_debit -> created 3
    = 1 3 7 0 10
    = 2 0 4 0 4
    ",
    "
    # Chains are all or nothing within one batch. Only the id that broke the chain for a passing reason is burnt.
    account id=1 asset=1 code=1 flags=debits_must_not_exceed_credits -> created
    account id=2 asset=1 code=1 -> created
    transfer id=1 debit=2 credit=1 amount=5 asset=1 code=1 flags=linked -> linked_event_failed
    transfer id=2 debit=1 credit=2 amount=6 asset=1 code=1 flags=linked -> exceeds_credits
    transfer id=3 debit=1 credit=2 amount=1 asset=1 code=1 -> linked_event_failed
    = 1 0 0 0 0
    transfer id=1 debit=2 credit=1 amount=5 asset=1 code=1 flags=linked -> created 5
    transfer id=3 debit=1 credit=2 amount=5 asset=1 code=1 flags=pending,linked -> created 5
    transfer id=4 flags=post_pending,linked pending_id=3 amount=2 -> created 2
    transfer id=5 debit=1 credit=2 amount=3 asset=1 code=1 -> created 3
    transfer id=2 debit=2 credit=1 amount=6 asset=1 code=1 -> id_already_failed
    = 1 0 5 0 5
    transfer id=6 debit=2 credit=1 amount=5 asset=1 code=1 flags=linked -> linked_event_failed
    transfer id=7 debit=2 credit=1 amount=5 asset=1 code=1 flags=linked timestamp=1 -> linked_event_chain_open over timestamp_must_be_zero
    --
    transfer id=8 debit=2 credit=9 asset=1 code=1 flags=linked -> credit_account_not_found
    transfer id=9 debit=2 credit=1 asset=1 code=1 flags=linked -> linked_event_chain_open
    --
    transfer id=6 debit=2 credit=1 asset=1 code=1 flags=linked -> linked_event_failed
    transfer id=1 debit=2 credit=1 amount=5 asset=1 code=1 flags=linked -> exists 5
    transfer id=7 debit=2 credit=1 asset=1 code=1 -> linked_event_failed
    = 1 0 5 0 5
    ",
    "
    # A hold ends at its second by the clock, within a chain that breaks as well.
    account id=1 asset=1 code=1 flags=debits_must_not_exceed_credits -> created
    account id=2 asset=1 code=1 -> created
    transfer id=1 debit=2 credit=1 amount=5 asset=1 code=1 -> created 5
    transfer id=2 debit=1 credit=2 amount=5 asset=1 code=1 flags=pending timeout_s=3 -> created 5
    transfer id=3 debit=1 credit=2 amount=5 asset=1 code=1 flags=pending timeout_s=1 -> exceeds_credits
    advance 2
    transfer id=4 debit=1 credit=2 amount=1 asset=1 code=1 -> exceeds_credits
    advance 1
    transfer id=5 debit=1 credit=2 amount=5 asset=1 code=1 flags=linked -> linked_event_failed
    transfer id=6 debit=1 credit=9 amount=5 asset=1 code=1 -> credit_account_not_found
    = 1 0 0 0 5
    transfer id=5 debit=1 credit=2 amount=5 asset=1 code=1 -> created 5
    transfer id=7 flags=post_pending pending_id=2 amount=max -> pending_transfer_expired
    ",
];
