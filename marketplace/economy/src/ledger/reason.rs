//! Why a command was refused. Numbers are stable; where several apply, the first in the order of the command's checks is
//! given. A refusal is a result: it stands in the log, and the command's id keeps it for ever.

use minicbor::{Decode, Encode};

/// Why a command was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, thiserror::Error)]
#[cbor(index_only)]
pub enum Reason {
    /// Genesis is the first command of a ledger and never comes again; create another ledger instead.
    #[error("genesis is the first command of a ledger and never comes again; create another ledger instead")]
    #[n(1)]
    GenesisOnlyOnce,
    /// The command is meant for another ledger; sign it for this one.
    #[error("the command is meant for another ledger; sign it for this one")]
    #[n(2)]
    WrongLedger,
    /// Another command has this id; sign it with a new id.
    #[error("another command has this id; sign it with a new id")]
    #[n(3)]
    IdTaken,
    /// The signer may not do this; sign with the key that may.
    #[error("the signer may not do this; sign with the key that may")]
    #[n(4)]
    NotPermitted,
    /// A name, code, label or reference is empty, too long or has characters it may not have.
    #[error("a name, code, label or reference is empty, too long or has characters it may not have")]
    #[n(5)]
    BadText,
    /// A number is outside its range (asset, code, scale, lane, grace).
    #[error("a number is outside its range (asset, code, scale, lane, grace)")]
    #[n(6)]
    BadNumber,
    /// The list is empty or too long; split it.
    #[error("the list is empty or too long; split it")]
    #[n(7)]
    BadBatch,
    /// An account of this kind cannot have these flags.
    #[error("an account of this kind cannot have these flags")]
    #[n(8)]
    BadFlags,
    /// The asset's number or code is taken.
    #[error("the asset's number or code is taken")]
    #[n(9)]
    AssetExists,
    /// There is no such asset; create it first.
    #[error("there is no such asset; create it first")]
    #[n(10)]
    AssetNotFound,
    /// The account is open already.
    #[error("the account is open already")]
    #[n(11)]
    AccountExists,
    /// There is no such account; open it first.
    #[error("there is no such account; open it first")]
    #[n(12)]
    AccountNotFound,
    /// Issuance and escrow accounts move by their own commands only.
    #[error("issuance and escrow accounts move by their own commands only")]
    #[n(13)]
    AccountIsReserved,
    /// The account is closed.
    #[error("the account is closed")]
    #[n(14)]
    AccountClosed,
    /// Payer and payee are the same account.
    #[error("payer and payee are the same account")]
    #[n(15)]
    AccountsMustBeDifferent,
    /// An account counts another asset.
    #[error("an account counts another asset")]
    #[n(16)]
    AssetDiffers,
    /// The amount is zero.
    #[error("the amount is zero")]
    #[n(17)]
    AmountMustNotBeZero,
    /// A total would exceed 2^128 − 1.
    #[error("a total would exceed 2^128 − 1")]
    #[n(18)]
    Overflow,
    /// The account has too little; bring money in first.
    #[error("the account has too little; bring money in first")]
    #[n(19)]
    ExceedsCredits,
    /// A channel with these terms exists; change the nonce.
    #[error("a channel with these terms exists; change the nonce")]
    #[n(20)]
    ChannelExists,
    /// There is no such channel.
    #[error("there is no such channel")]
    #[n(21)]
    ChannelNotFound,
    /// The channel is closing.
    #[error("the channel is closing")]
    #[n(22)]
    ChannelClosing,
    /// The channel is not closing.
    #[error("the channel is not closing")]
    #[n(23)]
    ChannelNotClosing,
    /// The channel is final; nothing comes after.
    #[error("the channel is final; nothing comes after")]
    #[n(24)]
    ChannelFinal,
    /// The grace time is not over.
    #[error("the grace time is not over")]
    #[n(25)]
    GraceNotOver,
    /// The time for this is over.
    #[error("the time for this is over")]
    #[n(26)]
    GraceOver,
    /// A voucher or receipt is signed by another key than the channel's terms name.
    #[error("a voucher or receipt is signed by another key than the channel's terms name")]
    #[n(27)]
    ClaimKey,
    /// A voucher or receipt is of another ledger or channel.
    #[error("a voucher or receipt is of another ledger or channel")]
    #[n(28)]
    ClaimOtherChannel,
    /// Voucher and receipt do not belong together.
    #[error("voucher and receipt do not belong together")]
    #[n(29)]
    ClaimMismatch,
    /// No voucher acknowledges the receipt; get one, or close the channel first.
    #[error("no voucher acknowledges the receipt; get one, or close the channel first")]
    #[n(30)]
    ClaimNotAcknowledged,
    /// The claims prove no more than was paid.
    #[error("the claims prove no more than was paid")]
    #[n(31)]
    NothingToRedeem,
    /// The deposit is paid out; it needs a top-up.
    #[error("the deposit is paid out; it needs a top-up")]
    #[n(32)]
    DepositExhausted,
    /// The receipt is not lower than what is claimed or answered.
    #[error("the receipt is not lower than what is claimed or answered")]
    #[n(33)]
    AnswerNotLower,
    /// The key is no usable ed25519 public key.
    #[error("the key is no usable ed25519 public key")]
    #[n(34)]
    BadKey,
    /// The account names no such key in this role, or has revoked it.
    #[error("the account names no such key in this role, or has revoked it")]
    #[n(35)]
    KeyNotFound,
    /// The key owns the account, or the account has named it before; use another key.
    #[error("the key owns the account, or the account has named it before; use another key")]
    #[n(36)]
    KeyTaken,
    /// The limits do not fit the role (budget: spend; payees, sorted and distinct: spend and voucher), end in the past, or lie below what is spent.
    #[error(
        "the limits do not fit the role (budget: spend; payees, sorted and distinct: spend and voucher), end in the past, or lie below what is spent"
    )]
    #[n(37)]
    BadLimits,
    /// The signer's key may not pay this account.
    #[error("the signer's key may not pay this account")]
    #[n(38)]
    PayeeNotAllowed,
    /// More than is left of the budget of the signer's key; the owner can raise it.
    #[error("more than is left of the budget of the signer's key; the owner can raise it")]
    #[n(39)]
    ExceedsBudget,
    /// A party's account does not let this key sign the channel's vouchers or receipts.
    #[error("a party's account does not let this key sign the channel's vouchers or receipts")]
    #[n(40)]
    ChannelKey,
    /// There is no such transfer.
    #[error("there is no such transfer")]
    #[n(41)]
    TransferNotFound,
    /// This paid nothing: a hold, a void or an attempt that failed; name the transfer that moved the money.
    #[error("this paid nothing: a hold, a void or an attempt that failed; name the transfer that moved the money")]
    #[n(42)]
    NothingWasPaid,
    /// All refunds together would exceed what was paid.
    #[error("all refunds together would exceed what was paid")]
    #[n(43)]
    ExceedsCharged,
    /// The lane is frozen: the payer signed two vouchers of one number, and later ones do not count.
    #[error("the lane is frozen: the payer signed two vouchers of one number, and later ones do not count")]
    #[n(44)]
    LaneFrozen,
    /// The two vouchers say the same; evidence needs two that differ.
    #[error("the two vouchers say the same; evidence needs two that differ")]
    #[n(45)]
    VouchersAgree,
    /// The shares are too many, above the whole, zero, of a party of the channel, or not in rising order of distinct accounts.
    #[error(
        "the shares are too many, above the whole, zero, of a party of the channel, or not in rising order of distinct accounts"
    )]
    #[n(46)]
    BadShares,
}

impl Reason {
    /// Could the same wish, under a new id, succeed later?
    pub const fn is_transient(self) -> bool {
        use Reason::*;
        matches!(
            self,
            AssetNotFound
                | AccountNotFound
                | AccountClosed
                | ExceedsCredits
                | ChannelNotFound
                | ChannelNotClosing
                | GraceNotOver
                | ClaimNotAcknowledged
                | NothingToRedeem
                | DepositExhausted
                | KeyNotFound
                | ExceedsBudget
                | TransferNotFound
                | ExceedsCharged
        )
    }

    /// The stable name.
    pub const fn name(self) -> &'static str {
        use Reason::*;
        match self {
            GenesisOnlyOnce => "genesis_only_once",
            WrongLedger => "wrong_ledger",
            IdTaken => "id_taken",
            NotPermitted => "not_permitted",
            BadText => "bad_text",
            BadNumber => "bad_number",
            BadBatch => "bad_batch",
            BadFlags => "bad_flags",
            AssetExists => "asset_exists",
            AssetNotFound => "asset_not_found",
            AccountExists => "account_exists",
            AccountNotFound => "account_not_found",
            AccountIsReserved => "account_is_reserved",
            AccountClosed => "account_closed",
            AccountsMustBeDifferent => "accounts_must_be_different",
            AssetDiffers => "asset_differs",
            AmountMustNotBeZero => "amount_must_not_be_zero",
            Overflow => "overflow",
            ExceedsCredits => "exceeds_credits",
            ChannelExists => "channel_exists",
            ChannelNotFound => "channel_not_found",
            ChannelClosing => "channel_closing",
            ChannelNotClosing => "channel_not_closing",
            ChannelFinal => "channel_final",
            GraceNotOver => "grace_not_over",
            GraceOver => "grace_over",
            ClaimKey => "claim_key",
            ClaimOtherChannel => "claim_other_channel",
            ClaimMismatch => "claim_mismatch",
            ClaimNotAcknowledged => "claim_not_acknowledged",
            NothingToRedeem => "nothing_to_redeem",
            DepositExhausted => "deposit_exhausted",
            AnswerNotLower => "answer_not_lower",
            BadKey => "bad_key",
            KeyNotFound => "key_not_found",
            KeyTaken => "key_taken",
            BadLimits => "bad_limits",
            PayeeNotAllowed => "payee_not_allowed",
            ExceedsBudget => "exceeds_budget",
            ChannelKey => "channel_key",
            TransferNotFound => "transfer_not_found",
            NothingWasPaid => "nothing_was_paid",
            ExceedsCharged => "exceeds_charged",
            LaneFrozen => "lane_frozen",
            VouchersAgree => "vouchers_agree",
            BadShares => "bad_shares",
        }
    }
}

impl serde::Serialize for Reason {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.name())
    }
}
