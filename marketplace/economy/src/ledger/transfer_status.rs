//! What a transfer's attempt came to. The first status that applies, in the order of this list, is the result.
//!
//! Numbers below 100 and their names are TigerBeetle's (<https://docs.tigerbeetle.com/reference/requests/create_transfers>),
//! except that `created` is 0; `ledger` in a name is what we call the asset. Kept free: 18 (not used there any more) and 56 to
//! 63 (`imported_event_…`: the flag `imported` is reserved). Numbers from 201 are ours. Numbers are stable.

use minicbor::{Decode, Encode};

/// What a transfer's attempt came to, in the order of the checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum TransferStatus {
    /// It was done.
    #[n(0)]
    Created,
    /// Another transfer of its chain failed.
    #[n(1)]
    LinkedEventFailed,
    /// The batch ends within the chain. Of the last event, this is said even where its chain had failed before.
    #[n(2)]
    LinkedEventChainOpen,
    /// Time comes from the log.
    #[n(3)]
    TimestampMustBeZero,
    /// A flag without a meaning is set.
    #[n(4)]
    ReservedFlag,
    /// The id is zero.
    #[n(5)]
    IdMustNotBeZero,
    /// The id is 2^128 − 1.
    #[n(6)]
    IdMustNotBeIntMax,
    /// The id names another transfer.
    #[n(36)]
    ExistsWithDifferentFlags,
    /// The id names another transfer.
    #[n(40)]
    ExistsWithDifferentPendingId,
    /// The id names another transfer.
    #[n(44)]
    ExistsWithDifferentTimeout,
    /// The id names another transfer.
    #[n(37)]
    ExistsWithDifferentDebitAccountId,
    /// The id names another transfer.
    #[n(38)]
    ExistsWithDifferentCreditAccountId,
    /// The id names another transfer.
    #[n(39)]
    ExistsWithDifferentAmount,
    /// The id names another transfer.
    #[n(41)]
    ExistsWithDifferentUserData128,
    /// The id names another transfer.
    #[n(42)]
    ExistsWithDifferentUserData64,
    /// The id names another transfer.
    #[n(43)]
    ExistsWithDifferentUserData32,
    /// The id names a transfer of another asset.
    #[n(67)]
    ExistsWithDifferentLedger,
    /// The id names another transfer.
    #[n(45)]
    ExistsWithDifferentCode,
    /// The id names a hold with another rule.
    #[n(201)]
    ExistsWithDifferentPostedBy,
    /// It was done before, exactly so.
    #[n(46)]
    Exists,
    /// The id was used in an attempt that failed for a passing reason.
    #[n(68)]
    IdAlreadyFailed,
    /// The flags do not go together.
    #[n(7)]
    FlagsAreMutuallyExclusive,
    /// The debit account is missing.
    #[n(8)]
    DebitAccountIdMustNotBeZero,
    /// The debit account is 2^128 − 1.
    #[n(9)]
    DebitAccountIdMustNotBeIntMax,
    /// The credit account is missing.
    #[n(10)]
    CreditAccountIdMustNotBeZero,
    /// The credit account is 2^128 − 1.
    #[n(11)]
    CreditAccountIdMustNotBeIntMax,
    /// Both accounts are the same.
    #[n(12)]
    AccountsMustBeDifferent,
    /// Only a post or void names a hold.
    #[n(13)]
    PendingIdMustBeZero,
    /// A post or void must name a hold.
    #[n(14)]
    PendingIdMustNotBeZero,
    /// The hold's id is 2^128 − 1.
    #[n(15)]
    PendingIdMustNotBeIntMax,
    /// A post or void cannot resolve itself.
    #[n(16)]
    PendingIdMustBeDifferent,
    /// Only a hold has a timeout.
    #[n(17)]
    TimeoutReservedForPendingTransfer,
    /// Only a hold closes an account.
    #[n(64)]
    ClosingTransferMustBePending,
    /// Only a hold says who posts it.
    #[n(202)]
    PostedByReservedForPendingTransfer,
    /// A hold that the payee posts must have a timeout.
    #[n(203)]
    PayeeHoldNeedsTimeout,
    /// The asset is missing.
    #[n(19)]
    LedgerMustNotBeZero,
    /// The code is missing.
    #[n(20)]
    CodeMustNotBeZero,
    /// There is no such debit account.
    #[n(21)]
    DebitAccountNotFound,
    /// There is no such credit account.
    #[n(22)]
    CreditAccountNotFound,
    /// The accounts count different assets.
    #[n(23)]
    AccountsMustHaveTheSameLedger,
    /// The accounts count another asset.
    #[n(24)]
    TransferMustHaveTheSameLedgerAsAccounts,
    /// Issuance and escrow move by their own commands only.
    #[n(204)]
    AccountIsReserved,
    /// The signer neither owns the debit account nor has a key of it that may spend now.
    #[n(205)]
    SignerMayNotDebit,
    /// The signer's key may not pay this account.
    #[n(208)]
    PayeeNotAllowed,
    /// Only the owner of the credit account may close it.
    #[n(207)]
    SignerMayNotClose,
    /// There is no such hold.
    #[n(25)]
    PendingTransferNotFound,
    /// The transfer named is no hold.
    #[n(26)]
    PendingTransferNotPending,
    /// The hold's rule does not let the signer post or void it.
    #[n(206)]
    SignerMayNotResolve,
    /// The hold is from another account.
    #[n(27)]
    PendingTransferHasDifferentDebitAccountId,
    /// The hold is to another account.
    #[n(28)]
    PendingTransferHasDifferentCreditAccountId,
    /// The hold is of another asset.
    #[n(29)]
    PendingTransferHasDifferentLedger,
    /// The hold has another code.
    #[n(30)]
    PendingTransferHasDifferentCode,
    /// More than the hold.
    #[n(31)]
    ExceedsPendingTransferAmount,
    /// A void takes zero or the hold's exact amount.
    #[n(32)]
    PendingTransferHasDifferentAmount,
    /// The hold was paid out before.
    #[n(33)]
    PendingTransferAlreadyPosted,
    /// The hold was let go before.
    #[n(34)]
    PendingTransferAlreadyVoided,
    /// The hold has let go by itself.
    #[n(35)]
    PendingTransferExpired,
    /// The debit account is closed.
    #[n(65)]
    DebitAccountAlreadyClosed,
    /// The credit account is closed.
    #[n(66)]
    CreditAccountAlreadyClosed,
    /// A total would exceed 2^128 − 1.
    #[n(47)]
    OverflowsDebitsPending,
    /// A total would exceed 2^128 − 1.
    #[n(48)]
    OverflowsCreditsPending,
    /// A total would exceed 2^128 − 1.
    #[n(49)]
    OverflowsDebitsPosted,
    /// A total would exceed 2^128 − 1.
    #[n(50)]
    OverflowsCreditsPosted,
    /// A total would exceed 2^128 − 1.
    #[n(51)]
    OverflowsDebits,
    /// A total would exceed 2^128 − 1.
    #[n(52)]
    OverflowsCredits,
    /// The hold would end after the end of time.
    #[n(53)]
    OverflowsTimeout,
    /// The debit account has too little.
    #[n(54)]
    ExceedsCredits,
    /// The credit account takes no more.
    #[n(55)]
    ExceedsDebits,
    /// More than is left of the budget of the signer's key.
    #[n(209)]
    ExceedsBudget,
}

impl TransferStatus {
    /// Every status, in the order of the checks.
    pub const ALL: [TransferStatus; 69] = {
        use TransferStatus::*;
        [
            Created,
            LinkedEventFailed,
            LinkedEventChainOpen,
            TimestampMustBeZero,
            ReservedFlag,
            IdMustNotBeZero,
            IdMustNotBeIntMax,
            ExistsWithDifferentFlags,
            ExistsWithDifferentPendingId,
            ExistsWithDifferentTimeout,
            ExistsWithDifferentDebitAccountId,
            ExistsWithDifferentCreditAccountId,
            ExistsWithDifferentAmount,
            ExistsWithDifferentUserData128,
            ExistsWithDifferentUserData64,
            ExistsWithDifferentUserData32,
            ExistsWithDifferentLedger,
            ExistsWithDifferentCode,
            ExistsWithDifferentPostedBy,
            Exists,
            IdAlreadyFailed,
            FlagsAreMutuallyExclusive,
            DebitAccountIdMustNotBeZero,
            DebitAccountIdMustNotBeIntMax,
            CreditAccountIdMustNotBeZero,
            CreditAccountIdMustNotBeIntMax,
            AccountsMustBeDifferent,
            PendingIdMustBeZero,
            PendingIdMustNotBeZero,
            PendingIdMustNotBeIntMax,
            PendingIdMustBeDifferent,
            TimeoutReservedForPendingTransfer,
            ClosingTransferMustBePending,
            PostedByReservedForPendingTransfer,
            PayeeHoldNeedsTimeout,
            LedgerMustNotBeZero,
            CodeMustNotBeZero,
            DebitAccountNotFound,
            CreditAccountNotFound,
            AccountsMustHaveTheSameLedger,
            TransferMustHaveTheSameLedgerAsAccounts,
            AccountIsReserved,
            SignerMayNotDebit,
            PayeeNotAllowed,
            SignerMayNotClose,
            PendingTransferNotFound,
            PendingTransferNotPending,
            SignerMayNotResolve,
            PendingTransferHasDifferentDebitAccountId,
            PendingTransferHasDifferentCreditAccountId,
            PendingTransferHasDifferentLedger,
            PendingTransferHasDifferentCode,
            ExceedsPendingTransferAmount,
            PendingTransferHasDifferentAmount,
            PendingTransferAlreadyPosted,
            PendingTransferAlreadyVoided,
            PendingTransferExpired,
            DebitAccountAlreadyClosed,
            CreditAccountAlreadyClosed,
            OverflowsDebitsPending,
            OverflowsCreditsPending,
            OverflowsDebitsPosted,
            OverflowsCreditsPosted,
            OverflowsDebits,
            OverflowsCredits,
            OverflowsTimeout,
            ExceedsCredits,
            ExceedsDebits,
            ExceedsBudget,
        ]
    };

    /// Could the same transfer succeed later? Then its id is burnt: a repeat gives [`TransferStatus::IdAlreadyFailed`].
    /// Every other failure leaves the id free.
    pub const fn is_transient(self) -> bool {
        use TransferStatus::*;
        matches!(
            self,
            DebitAccountNotFound
                | CreditAccountNotFound
                | PendingTransferNotFound
                | DebitAccountAlreadyClosed
                | CreditAccountAlreadyClosed
                | ExceedsCredits
                | ExceedsDebits
                | ExceedsBudget
        )
    }

    /// Is the transfer there, by this attempt or an earlier one exactly like it?
    pub const fn is_done(self) -> bool {
        matches!(self, TransferStatus::Created | TransferStatus::Exists)
    }

    /// The stable name, as in TigerBeetle's documentation.
    pub const fn name(self) -> &'static str {
        use TransferStatus::*;
        match self {
            Created => "created",
            LinkedEventFailed => "linked_event_failed",
            LinkedEventChainOpen => "linked_event_chain_open",
            TimestampMustBeZero => "timestamp_must_be_zero",
            ReservedFlag => "reserved_flag",
            IdMustNotBeZero => "id_must_not_be_zero",
            IdMustNotBeIntMax => "id_must_not_be_int_max",
            ExistsWithDifferentFlags => "exists_with_different_flags",
            ExistsWithDifferentPendingId => "exists_with_different_pending_id",
            ExistsWithDifferentTimeout => "exists_with_different_timeout",
            ExistsWithDifferentDebitAccountId => "exists_with_different_debit_account_id",
            ExistsWithDifferentCreditAccountId => "exists_with_different_credit_account_id",
            ExistsWithDifferentAmount => "exists_with_different_amount",
            ExistsWithDifferentUserData128 => "exists_with_different_user_data_128",
            ExistsWithDifferentUserData64 => "exists_with_different_user_data_64",
            ExistsWithDifferentUserData32 => "exists_with_different_user_data_32",
            ExistsWithDifferentLedger => "exists_with_different_ledger",
            ExistsWithDifferentCode => "exists_with_different_code",
            Exists => "exists",
            IdAlreadyFailed => "id_already_failed",
            FlagsAreMutuallyExclusive => "flags_are_mutually_exclusive",
            DebitAccountIdMustNotBeZero => "debit_account_id_must_not_be_zero",
            DebitAccountIdMustNotBeIntMax => "debit_account_id_must_not_be_int_max",
            CreditAccountIdMustNotBeZero => "credit_account_id_must_not_be_zero",
            CreditAccountIdMustNotBeIntMax => "credit_account_id_must_not_be_int_max",
            AccountsMustBeDifferent => "accounts_must_be_different",
            PendingIdMustBeZero => "pending_id_must_be_zero",
            PendingIdMustNotBeZero => "pending_id_must_not_be_zero",
            PendingIdMustNotBeIntMax => "pending_id_must_not_be_int_max",
            PendingIdMustBeDifferent => "pending_id_must_be_different",
            TimeoutReservedForPendingTransfer => "timeout_reserved_for_pending_transfer",
            ClosingTransferMustBePending => "closing_transfer_must_be_pending",
            LedgerMustNotBeZero => "ledger_must_not_be_zero",
            CodeMustNotBeZero => "code_must_not_be_zero",
            DebitAccountNotFound => "debit_account_not_found",
            CreditAccountNotFound => "credit_account_not_found",
            AccountsMustHaveTheSameLedger => "accounts_must_have_the_same_ledger",
            TransferMustHaveTheSameLedgerAsAccounts => "transfer_must_have_the_same_ledger_as_accounts",
            PendingTransferNotFound => "pending_transfer_not_found",
            PendingTransferNotPending => "pending_transfer_not_pending",
            PendingTransferHasDifferentDebitAccountId => "pending_transfer_has_different_debit_account_id",
            PendingTransferHasDifferentCreditAccountId => "pending_transfer_has_different_credit_account_id",
            PendingTransferHasDifferentLedger => "pending_transfer_has_different_ledger",
            PendingTransferHasDifferentCode => "pending_transfer_has_different_code",
            ExceedsPendingTransferAmount => "exceeds_pending_transfer_amount",
            PendingTransferHasDifferentAmount => "pending_transfer_has_different_amount",
            PendingTransferAlreadyPosted => "pending_transfer_already_posted",
            PendingTransferAlreadyVoided => "pending_transfer_already_voided",
            PendingTransferExpired => "pending_transfer_expired",
            DebitAccountAlreadyClosed => "debit_account_already_closed",
            CreditAccountAlreadyClosed => "credit_account_already_closed",
            OverflowsDebitsPending => "overflows_debits_pending",
            OverflowsCreditsPending => "overflows_credits_pending",
            OverflowsDebitsPosted => "overflows_debits_posted",
            OverflowsCreditsPosted => "overflows_credits_posted",
            OverflowsDebits => "overflows_debits",
            OverflowsCredits => "overflows_credits",
            OverflowsTimeout => "overflows_timeout",
            ExceedsCredits => "exceeds_credits",
            ExceedsDebits => "exceeds_debits",
            ours => ours.name_of_ours(),
        }
    }

    /// The names of those that TigerBeetle does not have.
    const fn name_of_ours(self) -> &'static str {
        use TransferStatus::*;
        match self {
            ExistsWithDifferentPostedBy => "exists_with_different_posted_by",
            SignerMayNotResolve => "signer_may_not_resolve",
            PostedByReservedForPendingTransfer => "posted_by_reserved_for_pending_transfer",
            PayeeHoldNeedsTimeout => "payee_hold_needs_timeout",
            AccountIsReserved => "account_is_reserved",
            SignerMayNotDebit => "signer_may_not_debit",
            PayeeNotAllowed => "payee_not_allowed",
            SignerMayNotClose => "signer_may_not_close",
            ExceedsBudget => "exceeds_budget",
            _ => unreachable!(),
        }
    }
}

impl std::fmt::Display for TransferStatus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl serde::Serialize for TransferStatus {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_are_distinct() {
        let numbers: std::collections::BTreeSet<_> =
            TransferStatus::ALL.iter().map(|status| minicbor::to_vec(status).unwrap()).collect();
        let names: std::collections::BTreeSet<_> = TransferStatus::ALL.iter().map(|status| status.name()).collect();
        assert_eq!((numbers.len(), names.len()), (TransferStatus::ALL.len(), TransferStatus::ALL.len()));
    }
}
