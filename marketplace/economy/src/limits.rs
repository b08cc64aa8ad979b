//! Every upper bound of this crate, with its unit. They validate input and size buffers.

/// Decimal places of the text form of an [`Amount`](crate::Amount): amounts count millionths.
pub const AMOUNT_SCALE: u32 = 6;
/// Bytes of one signed statement, signature included.
pub const STATEMENT_BYTES_MAX: usize = 64 * 1024;
/// Bytes of a service, function or label name.
pub const NAME_BYTES_MAX: usize = 200;
/// Functions of one offer.
pub const OFFER_FUNCTIONS_MAX: usize = 64;
/// Lower prices that one function's price may have.
pub const PRICE_STEPS_MAX: usize = 8;
/// Free calls that an offer may give each customer.
pub const FREE_CALLS_MAX: u32 = 1_000_000;
/// Lanes of one channel; lane numbers are below this.
pub const CHANNEL_LANES_MAX: u32 = 1024;
/// Receipts named as children of one receipt.
pub const RECEIPT_CHILDREN_MAX: usize = 512;
/// Models named in one receipt.
pub const RECEIPT_MODELS_MAX: usize = 16;
/// Bytes of a fault's message on a receipt or reply.
pub const FAULT_MESSAGE_BYTES_MAX: usize = 4096;
/// Transfers of one `transfer` command.
pub const TRANSFERS_MAX: usize = 256;
/// Claims of one `channel.redeem`, receipts of one `channel.answer`.
pub const CLAIMS_MAX: usize = 32;
/// Accounts that one further key of an account may pay.
pub const KEY_PAYEES_MAX: usize = 32;
/// Receipts under one anchor.
pub const ANCHOR_RECEIPTS_MAX: u32 = 1 << 24;
/// Bytes of an asset's code.
pub const ASSET_CODE_BYTES_MAX: usize = 12;
/// Decimal places of an asset.
pub const ASSET_SCALE_MAX: u8 = 18;
/// The end of log time, Unix nanoseconds (in the year 2262): what fits into 63 bits, as in TigerBeetle.
pub const LOG_TIME_NS_MAX: u64 = (1 << 63) - 1;
/// Accounts that share in a channel's payments, the payee not counted.
pub const CHANNEL_SHARES_MAX: usize = 16;
/// Seconds of a channel's grace time, least.
pub const CHANNEL_GRACE_S_MIN: u32 = 1;
/// Seconds of a channel's grace time, most: 30 days.
pub const CHANNEL_GRACE_S_MAX: u32 = 30 * 24 * 3600;
/// Statements that share one signature.
pub const TREE_LEAVES_MAX: usize = 256;
