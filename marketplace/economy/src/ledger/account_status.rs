//! What an account's attempt to be opened in a batch came to. The first status that applies, in the order of this list, is
//! the result.
//!
//! Numbers and names are TigerBeetle's (<https://docs.tigerbeetle.com/reference/requests/create_accounts>), except that
//! `created` is 0; `ledger` in a name is what we call the asset. Kept free: 4 (`reserved_field`, a field that we do not have)
//! and 22 to 26 (`imported_event_…`: the flag `imported` is reserved). Numbers are stable.

use minicbor::{Decode, Encode};

/// What an account's attempt came to, in the order of the checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum AccountStatus {
    /// It was opened.
    #[n(0)]
    Created,
    /// Another account of its chain failed.
    #[n(1)]
    LinkedEventFailed,
    /// The batch ends within the chain. Of the last event, this is said even where its chain had failed before.
    #[n(2)]
    LinkedEventChainOpen,
    /// Time comes from the log.
    #[n(3)]
    TimestampMustBeZero,
    /// A flag without a meaning is set.
    #[n(5)]
    ReservedFlag,
    /// The id is zero.
    #[n(6)]
    IdMustNotBeZero,
    /// The id is 2^128 − 1.
    #[n(7)]
    IdMustNotBeIntMax,
    /// The id names another account, or one that was closed since.
    #[n(15)]
    ExistsWithDifferentFlags,
    /// The id names another account.
    #[n(16)]
    ExistsWithDifferentUserData128,
    /// The id names another account.
    #[n(17)]
    ExistsWithDifferentUserData64,
    /// The id names another account.
    #[n(18)]
    ExistsWithDifferentUserData32,
    /// The id names an account of another asset.
    #[n(19)]
    ExistsWithDifferentLedger,
    /// The id names another account.
    #[n(20)]
    ExistsWithDifferentCode,
    /// It was opened before, exactly so.
    #[n(21)]
    Exists,
    /// An account is limited on one side at most.
    #[n(8)]
    FlagsAreMutuallyExclusive,
    /// Balances come from transfers only.
    #[n(9)]
    DebitsPendingMustBeZero,
    /// Balances come from transfers only.
    #[n(10)]
    DebitsPostedMustBeZero,
    /// Balances come from transfers only.
    #[n(11)]
    CreditsPendingMustBeZero,
    /// Balances come from transfers only.
    #[n(12)]
    CreditsPostedMustBeZero,
    /// The asset is missing.
    #[n(13)]
    LedgerMustNotBeZero,
    /// The code is missing.
    #[n(14)]
    CodeMustNotBeZero,
}

impl AccountStatus {
    /// Every status, in the order of the checks.
    pub const ALL: [AccountStatus; 21] = {
        use AccountStatus::*;
        [
            Created,
            LinkedEventFailed,
            LinkedEventChainOpen,
            TimestampMustBeZero,
            ReservedFlag,
            IdMustNotBeZero,
            IdMustNotBeIntMax,
            ExistsWithDifferentFlags,
            ExistsWithDifferentUserData128,
            ExistsWithDifferentUserData64,
            ExistsWithDifferentUserData32,
            ExistsWithDifferentLedger,
            ExistsWithDifferentCode,
            Exists,
            FlagsAreMutuallyExclusive,
            DebitsPendingMustBeZero,
            DebitsPostedMustBeZero,
            CreditsPendingMustBeZero,
            CreditsPostedMustBeZero,
            LedgerMustNotBeZero,
            CodeMustNotBeZero,
        ]
    };

    /// The stable name, as in TigerBeetle's documentation.
    pub const fn name(self) -> &'static str {
        use AccountStatus::*;
        match self {
            Created => "created",
            LinkedEventFailed => "linked_event_failed",
            LinkedEventChainOpen => "linked_event_chain_open",
            TimestampMustBeZero => "timestamp_must_be_zero",
            ReservedFlag => "reserved_flag",
            IdMustNotBeZero => "id_must_not_be_zero",
            IdMustNotBeIntMax => "id_must_not_be_int_max",
            ExistsWithDifferentFlags => "exists_with_different_flags",
            ExistsWithDifferentUserData128 => "exists_with_different_user_data_128",
            ExistsWithDifferentUserData64 => "exists_with_different_user_data_64",
            ExistsWithDifferentUserData32 => "exists_with_different_user_data_32",
            ExistsWithDifferentLedger => "exists_with_different_ledger",
            ExistsWithDifferentCode => "exists_with_different_code",
            Exists => "exists",
            FlagsAreMutuallyExclusive => "flags_are_mutually_exclusive",
            DebitsPendingMustBeZero => "debits_pending_must_be_zero",
            DebitsPostedMustBeZero => "debits_posted_must_be_zero",
            CreditsPendingMustBeZero => "credits_pending_must_be_zero",
            CreditsPostedMustBeZero => "credits_posted_must_be_zero",
            LedgerMustNotBeZero => "ledger_must_not_be_zero",
            CodeMustNotBeZero => "code_must_not_be_zero",
        }
    }
}

impl std::fmt::Display for AccountStatus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl serde::Serialize for AccountStatus {
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
            AccountStatus::ALL.iter().map(|status| minicbor::to_vec(status).unwrap()).collect();
        let names: std::collections::BTreeSet<_> = AccountStatus::ALL.iter().map(|status| status.name()).collect();
        assert_eq!((numbers.len(), names.len()), (AccountStatus::ALL.len(), AccountStatus::ALL.len()));
        assert!(AccountStatus::ALL.is_sorted(), "the list is in the order of the declaration");
    }
}
