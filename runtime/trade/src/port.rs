//! What trade needs from outside: the ledger, the clock, randomness, and somebody who runs a call.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use futures::future::BoxFuture;
use hansa_economy::call::Refusal;
use hansa_economy::channel::{AccountId, CallId, ChannelId, ChannelTerms};
use hansa_economy::ledger::{
    Acceptance, ChannelClose, ChannelEquivocation, ChannelOpen, ChannelPhase, ChannelRedeem, ChannelTopup, Claim, Command, Reason,
};
use hansa_economy::quote::QuoteRequest;
use hansa_economy::receipt::ModelRun;
use hansa_economy::tender::{Invitation, OpenedBid};
use hansa_economy::{Amount, Digest, Keypair, PublicKey};
use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};

/// A channel as the ledger knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelState {
    /// Its terms.
    pub terms: ChannelTerms,
    /// What was locked, top-ups included.
    pub deposit: Amount,
    /// What was paid to the payee.
    pub redeemed: Amount,
    /// Where it is in its life: what is acknowledged is paid until it is final.
    pub phase: ChannelPhase,
}

/// Why the ledger did not do as asked.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct LedgerError {
    /// In words.
    pub message: String,
    /// The ledger's decision; none where there is none that we know of.
    pub reason: Option<Reason>,
    /// The account lacks the money.
    pub is_short: bool,
    /// May the same request succeed later?
    pub may_pass: bool,
}

impl LedgerError {
    /// The ledger refused a command.
    pub fn refused(reason: Reason) -> LedgerError {
        LedgerError {
            message: format!("the ledger refused: {reason}"),
            reason: Some(reason),
            is_short: reason == Reason::ExceedsCredits,
            may_pass: reason.is_transient(),
        }
    }
}

/// What the ledger has to say, or why it says nothing.
pub type LedgerAnswer<'a, T> = BoxFuture<'a, Result<T, LedgerError>>;

/// The ledger, here or on another node.
pub trait LedgerPort: Send + Sync {
    /// Its name: digest of its first entry.
    fn ledger(&self) -> Digest;
    /// Sign `command` with `key`, submit it under a new id, wait until its outcome is durable.
    fn command(&self, command: Command, key: Arc<Keypair>) -> LedgerAnswer<'_, Acceptance>;
    /// A channel's present state.
    fn channel(&self, channel: ChannelId) -> LedgerAnswer<'_, Option<ChannelState>>;
    /// What an account can spend.
    fn balance(&self, account: AccountId) -> LedgerAnswer<'_, Amount>;

    /// Lock `deposit` of the payer's account in a new channel. Doing it twice does it once.
    fn open_channel(&self, terms: ChannelTerms, deposit: Amount, owner: Arc<Keypair>) -> LedgerAnswer<'_, Acceptance> {
        self.command(Command::ChannelOpen(ChannelOpen { terms, deposit }), owner)
    }

    /// Lock more.
    fn top_up(&self, channel: ChannelId, amount: Amount, owner: Arc<Keypair>) -> LedgerAnswer<'_, Acceptance> {
        self.command(Command::ChannelTopup(ChannelTopup { channel, amount }), owner)
    }

    /// Take what vouchers and receipts prove together: as many claims as one command holds.
    fn redeem(&self, channel: ChannelId, claims: Vec<Claim>, payee: Arc<Keypair>) -> LedgerAnswer<'_, Acceptance> {
        self.command(Command::ChannelRedeem(ChannelRedeem { channel, claims }), payee)
    }

    /// Show two vouchers of one number: the lane is frozen, and the channel closes.
    fn show(&self, evidence: ChannelEquivocation, payee: Arc<Keypair>) -> LedgerAnswer<'_, Acceptance> {
        self.command(Command::ChannelEquivocation(evidence), payee)
    }

    /// End the channel: `at_once`, by the payee's key only, or after the grace time.
    fn close(&self, channel: ChannelId, at_once: bool, key: Arc<Keypair>) -> LedgerAnswer<'_, Acceptance> {
        self.command(Command::ChannelClose(ChannelClose { channel, at_once }), key)
    }
}

/// Fills a buffer.
pub type Fill = Arc<dyn Fn(&mut [u8]) + Send + Sync>;

/// Time and randomness, given by whoever assembles the node.
#[derive(Clone)]
pub struct Ambient {
    /// Unix time in milliseconds.
    pub now_ms: Arc<dyn Fn() -> u64 + Send + Sync>,
    /// Fills a buffer with unpredictable bytes.
    pub random: Fill,
}

impl Ambient {
    pub(crate) fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0u8; N];
        (self.random)(&mut bytes);
        bytes
    }
}

/// A call that was admitted and shall be run.
#[derive(Clone, Debug)]
pub struct Job {
    /// The call.
    pub call: CallId,
    /// The key that pays; none for a free call.
    pub buyer: Option<PublicKey>,
    /// The interface.
    pub service: String,
    /// The function.
    pub function: String,
    /// CBOR array of arguments, already found to fit the function.
    pub args: Bytes,
    /// When nobody waits any more.
    pub deadline: Instant,
    /// The same as Unix milliseconds, for nested calls.
    pub deadline_ms: u64,
}

/// How a job ended.
#[derive(Clone, Debug, Default)]
pub struct Done {
    /// CBOR of the function's `result`, or why it broke.
    pub answer: Option<Bytes>,
    /// Why there is no answer, in words for the buyer.
    pub failure: String,
    /// Receipts for what was bought while serving.
    pub children: Vec<Digest>,
    /// Models that were run.
    pub models: Vec<ModelRun>,
    /// From the start of the instance to its answer, waiting included, milliseconds.
    pub run_ms: u64,
    /// What the agent counted for its customer.
    pub items: u64,
}

/// A call whose price a buyer wants to know.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The interface.
    pub service: String,
    /// The function.
    pub function: String,
    /// CBOR array of arguments, already found to fit the function.
    pub args: Bytes,
    /// When nobody waits any more.
    pub deadline: Instant,
}

/// A tender that an agent may bid in.
#[derive(Clone, Debug)]
pub struct Invited {
    /// The call.
    pub asked: Asked,
    /// The tender's id.
    pub tender: Digest,
    /// The key that would pay.
    pub buyer: PublicKey,
    /// The most that the offer lets this call cost; none where the agent names the price on request.
    pub list: Option<Amount>,
}

/// How a tender ended that the agent had a bid in.
#[derive(Clone, Debug)]
pub struct Told<'a> {
    /// The tender's id.
    pub tender: Digest,
    /// The function.
    pub function: &'a str,
    /// The agent's own bid.
    pub bid: Amount,
    /// Who was bought from, and at what bid; none where nobody was.
    pub winner: Option<(PublicKey, Amount)>,
    /// Bids that counted.
    pub bids: usize,
    /// Whether the agent's was one of them.
    pub counted: bool,
}

/// Runs calls of one agent.
pub trait Serve: Send + Sync {
    /// Do these arguments fit the function? Error: why not, for the buyer.
    fn check(&self, service: &str, function: &str, args: &[u8]) -> Result<(), String>;
    /// Run one call. It ends by its deadline.
    fn serve(&self, job: Job) -> BoxFuture<'_, Done>;
    /// Name the price of a call of a function that is priced by quotes, at most its `max`. Error: why not, for the buyer.
    fn price(&self, asked: Asked) -> BoxFuture<'_, Result<Amount, String>> {
        Box::pin(async move { Err(format!("`{}` has no quoted price", asked.function)) })
    }
    /// Bid for a call: at most its list price, or the offer's `max` where it has none. `None` is no bid; an error says why there is none, for
    /// the buyer. Whoever does not care bids its price.
    fn bid(&self, invited: Invited) -> BoxFuture<'_, Result<Option<Amount>, String>> {
        match invited.list {
            Some(list) => Box::pin(async move { Ok(Some(list)) }),
            None => Box::pin(async move { self.price(invited.asked).await.map(Some) }),
        }
    }
    /// A tender has ended: for whoever watches.
    fn told(&self, _told: &Told<'_>) {}
    /// A call has ended and is booked: for whoever watches.
    fn ended(&self, _call: &Ended<'_>) {}
}

/// A call that was served.
#[derive(Clone, Debug)]
pub struct Ended<'a> {
    /// The function.
    pub function: &'a str,
    /// The key that pays; none for a free call.
    pub buyer: Option<PublicKey>,
    /// What it cost.
    pub charged: Amount,
    /// From its admission to its end, milliseconds.
    pub took_ms: u64,
    /// Why there was no answer, in words.
    pub fault: Option<String>,
}

/// What a buyer sends on a seller's `pay` endpoint.
#[derive(Clone, Debug, Encode, Decode)]
pub(crate) enum PayRequest {
    /// Vouchers that pay for no call, each acknowledging its lane's last receipt.
    #[n(0)]
    Acknowledge(#[n(0)] Vec<ByteVec>),
    /// A signed [`hansa_economy::channel::CloseWish`]: please redeem what you hold and end the channel now.
    #[n(1)]
    Close(#[n(0)] ByteVec),
    /// What would this call cost?
    #[n(2)]
    Quote(#[n(0)] QuoteRequest),
    /// What do you bid for this call? The answer is sealed.
    #[n(3)]
    Tender(#[n(0)] Invitation),
    /// A signed [`hansa_economy::tender::Opening`].
    #[n(4)]
    Open(#[n(0)] ByteVec),
    /// A signed [`hansa_economy::tender::Outcome`].
    #[n(5)]
    Outcome(#[n(0)] ByteVec),
}

impl PayRequest {
    /// Bytes of the arguments in it.
    pub(crate) fn args_bytes(&self) -> usize {
        match self {
            PayRequest::Quote(asked) | PayRequest::Tender(Invitation { asked, .. }) => asked.args.len(),
            _ => 0,
        }
    }
}

/// The seller's answer.
#[derive(Clone, Debug, Encode, Decode)]
pub(crate) enum PayReply {
    /// How many vouchers were taken.
    #[n(0)]
    Taken(#[n(0)] u32),
    /// The channel is closed.
    #[n(1)]
    Closed,
    /// Not done, and why.
    #[n(2)]
    Refused(#[n(0)] String),
    /// The channel takes no calls any more, but is not closed: calls are under way or not acknowledged. Acknowledge, and ask again.
    #[n(3)]
    NotYet(#[n(0)] String),
    /// A signed [`hansa_economy::quote::Quote`].
    #[n(4)]
    Quoted(#[n(0)] ByteVec),
    /// No price is named, or no bid made or opened, and why.
    #[n(5)]
    NoQuote(#[n(0)] Refusal),
    /// A signed [`hansa_economy::tender::SealedBid`].
    #[n(6)]
    Sealed(#[n(0)] ByteVec),
    /// The bid.
    #[n(7)]
    Opened(#[n(0)] OpenedBid),
}
