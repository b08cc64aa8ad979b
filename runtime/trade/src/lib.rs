//! Buying and selling: choosing an offer, channels, vouchers, receipts, retries.

mod asking;
mod attempt;
mod bidding;
mod books;
mod buyer;
mod exchange;
mod incoming;
mod index;
mod kept;
pub mod limits;
mod named;
mod outgoing;
mod pause;
mod pay;
mod port;
mod proof;
mod quoting;
mod recovery;
mod redeem;
mod seller;
mod settle;
mod tariff;
mod tendering;
mod terms;
#[cfg(test)]
mod tests;

pub use asking::HeldQuote;
pub use attempt::{Effect, Setback};
pub use books::{Books, BooksError};
pub use buyer::{Bought, Buyer, Fits, Order, Payer};
pub use exchange::{Exchange, call_subject, pay_subject, subject_token};
pub use index::{Candidate, ListError, Listed, NoOffer, OfferIndex};
pub use named::Named;
pub use port::{
    Ambient, Asked, ChannelState, Done, Ended, Fill, Invited, Job, LedgerAnswer, LedgerError, LedgerPort, Serve, Told,
};
pub use seller::{OfferTerms, Seller};
pub use tendering::{Bid, NoBid, Tendered};
pub use terms::{Narrowing, Prefer, Terms};
