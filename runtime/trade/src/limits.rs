//! Every upper bound of this crate, with its unit.

use std::time::Duration;

use hansa_economy::limits::STATEMENT_BYTES_MAX;
use hansa_host::limits::{TENDER_WAIT_MS_MAX, TENDER_WAIT_MS_MIN};

/// Offers kept in the index.
pub const OFFERS_MAX: usize = 100_000;
/// How long an offer is good unless renewed.
pub const OFFER_LIFE: Duration = Duration::from_secs(60);
/// How often an offer is renewed; well below its life.
pub const OFFER_RENEWAL: Duration = Duration::from_secs(20);
/// Versions of an offer that a seller still honours; renewals change the digest.
pub const OFFER_VERSIONS_KEPT: usize = 8;
/// Deposit of a new channel, in calls of the price that opened it.
pub const DEPOSIT_CALLS: u128 = 256;
/// Smallest deposit of a new channel, in the asset's smallest unit (0.05 credits).
pub const DEPOSIT_MIN: u128 = 50_000;
/// Seconds of ledger time between a payer's wish to close and the end.
pub const CHANNEL_GRACE_S: u32 = 60;
/// Seconds of grace that a seller wants: the time in which it has to notice that a buyer closes.
pub const GRACE_S_MIN: u32 = 30;
/// How often a seller asks the ledger about a channel that is used: a buyer can close it without a word to the seller. Well below
/// [`GRACE_S_MIN`].
pub const LOOK_AGAIN: Duration = Duration::from_secs(5);
/// Lanes that a buyer uses in one channel, which bounds its calls in flight to one seller.
pub const LANES_PER_CHANNEL: u32 = 256;
/// Calls of one lane whose answers never came and that are remembered; where there are more, the oldest is forgotten.
pub const UNANSWERED_MAX: usize = 8;
/// Bytes of a voucher; a padded one would crowd others out of the command that redeems them.
pub const VOUCHER_BYTES_MAX: usize = 1024;
/// Room for an envelope besides the payload in it, bytes; what needs more makes its buffer grow.
pub const ENVELOPE_BYTES: usize = 1024;
/// An answer larger than this is not kept for a retry; the retry is refused.
pub const STORED_REPLY_BYTES_MAX: usize = 1024 * 1024;
/// A reply larger than this is kept in memory alone: after a crash its retry is refused, as for one that is not kept.
pub const WRITTEN_REPLY_BYTES_MAX: usize = 16 * 1024;
/// How long a seller keeps the reply of a call at most, where the buyer asks it to.
pub const KEPT_MAX: Duration = Duration::from_secs(2 * 24 * 3600);
/// Replies kept so for all agents of a node; where there are more, no further call is taken that asks for it.
pub const KEPT_ROWS_MAX: u64 = 1_000_000;
/// Their bytes; beyond it only that a call ran is kept.
pub const KEPT_BYTES_MAX: u64 = 4 << 30;
/// How often those whose time is over are dropped.
pub const KEPT_EXPIRE_EVERY: Duration = Duration::from_secs(60);
/// How long the books collect changes before they are written.
pub const BOOKS_FLUSH: Duration = Duration::from_millis(25);
/// Changes of the books that may wait for the writer; beyond it callers wait.
pub const BOOKS_QUEUE: usize = 65_536;
/// Receipts in one row of the books.
pub const RECEIPTS_PER_ROW: usize = 128;
/// How often buyers acknowledge receipts of lanes that rest.
pub const ACKNOWLEDGE_EVERY: Duration = Duration::from_millis(500);
/// How long a seller collects acknowledgements before it redeems them on the ledger.
pub const REDEEM_AFTER: Duration = Duration::from_millis(250);
/// How long a seller waits at most before it goes to the ledger again with what failed; it begins with [`REDEEM_AFTER`] and doubles. Well
/// below [`GRACE_S_MIN`], so that a channel that closes meanwhile is noticed in time.
pub const REDEEM_AGAIN_MAX: Duration = Duration::from_secs(10);
/// A last receipt that its buyer leaves unacknowledged for so long, while the seller is there: the seller asks the ledger for the
/// channel's end and claims by that receipt. Buyers that live acknowledge within [`ACKNOWLEDGE_EVERY`].
pub const SILENCE_MAX: Duration = Duration::from_secs(15 * 60);
/// Bytes of claims in one redemption: what a statement holds, less what the command around them takes.
pub const REDEMPTION_BYTES_MAX: usize = STATEMENT_BYTES_MAX - 1024;
/// Vouchers in one acknowledgement message.
pub const ACKNOWLEDGEMENTS_MAX: usize = 256;
/// How often a buyer asks a seller to close a channel whose last calls are not acknowledged yet; then it closes alone.
pub const CLOSE_TRIES: u32 = 4;
/// The time between two of them.
pub const CLOSE_AGAIN: Duration = Duration::from_millis(250);
/// Acknowledgements and redemptions may take this long.
pub const SETTLE_TIMEOUT: Duration = Duration::from_secs(5);
/// Longer than any latency that is worth averaging, milliseconds.
pub const LATENCY_MS_MAX: u32 = 600_000;
/// How long a seller that broke its word is left aside by a buyer.
pub const DISTRUST: Duration = Duration::from_secs(300);
/// How often a buyer that waits for an answer looks whether the seller is still there.
pub const PROBE_EVERY: Duration = Duration::from_millis(500);
/// Turns that a statement to be signed lets others take, to share its signature, while some of them join.
pub const GATHER_TURNS_MAX: usize = 8;
/// A statement waits no longer than this for the one that signs for all; then it is signed alone.
pub const GATHER_TIME_MAX: Duration = Duration::from_millis(20);
/// Customers of all agents of a node whose calls are counted. A row takes some hundred bytes on disk. Whoever is new beyond that has no
/// free calls; nobody loses a count, so that nobody can push others out with accounts made for it.
pub const CUSTOMERS_MAX: u64 = 1_000_000;
/// A receipt may state a run this much longer than the buyer waited, milliseconds: both round.
pub const RUN_SLACK_MS: u64 = 2;
/// How long a quoted price holds.
pub const QUOTE_LIFE: Duration = Duration::from_secs(30);
/// How long an agent may take to name a price.
pub const QUOTE_TIME_MAX: Duration = Duration::from_millis(800);
/// How long a buyer waits for one.
pub const QUOTE_WAIT: Duration = Duration::from_millis(1_000);
/// Sellers that a buyer asks for a price of one call.
pub const QUOTES_ASKED: usize = 4;
/// Prices that an agent works out at the same time; more are refused at once, as nobody pays for them.
pub const QUOTES_AT_ONCE: usize = 8;
/// How long a tender waits for bids, at least: below that a bidder on another node could hardly answer.
pub const TENDER_WAIT_MIN: Duration = Duration::from_millis(TENDER_WAIT_MS_MIN as u64);
/// How long at most. Bidders are programs with [`QUOTE_TIME_MAX`]; and with [`QUOTE_LIFE`] after it, a bid still ends before the offer does that
/// it stands on, which has [`OFFER_LIFE`] less [`OFFER_RENEWAL`] left when it is seen.
pub const TENDER_WAIT_MAX: Duration = Duration::from_millis(TENDER_WAIT_MS_MAX as u64);
/// Sellers that one tender is sent to.
pub const TENDER_SELLERS_MAX: usize = 64;
/// Bids that one seller keeps, each about a kilobyte; where there are more, it bids in no further tender.
pub const BIDS_KEPT_MAX: usize = 4096;
/// How many of them may be for buyers that have no channel to the seller, and whose keys so cost nothing.
pub const BIDS_FOR_STRANGERS_MAX: usize = BIDS_KEPT_MAX / 2;
/// How long a seller keeps a bid after the deadline, to open it and to hear the outcome: what is bought by it has [`QUOTE_LIFE`].
pub const BID_KEPT: Duration = Duration::from_secs(35);
/// How far the clocks of a buyer and a seller may be apart in a tender. A seller that is asked so much too early waits, then opens its bid.
pub const TENDER_SKEW_MAX: Duration = Duration::from_millis(250);
/// How long a buyer waits for a bid to be opened.
pub const OPENING_WAIT: Duration = Duration::from_secs(1);
/// How long it waits until bidders have heard the outcome.
pub const OUTCOME_WAIT: Duration = Duration::from_millis(250);
/// Verified tree heads that are remembered.
pub const TREE_HEADS_KEPT: usize = 4096;
