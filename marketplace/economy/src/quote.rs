//! Quotes: the price that a seller names for one call before it is made, signed by the agent's key.

use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};
use serde::Serialize;

use crate::amount::Amount;
use crate::call::{CallRequest, Payload, payload_hash};
use crate::digest::Digest;
use crate::key::PublicKey;
use crate::statement::Statement;

/// What a seller promises: until `valid_until_ms` these arguments cost `price`, and nothing where the call ends in a fault. Where the offer
/// itself tells the price, so that the quote is a bid, they cost that where it is less.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
#[serde(rename_all = "kebab-case")]
#[cbor(map)]
pub struct Quote {
    /// Digest of the signed offer under which it is made.
    #[n(0)]
    pub offer: Digest,
    /// The agent that makes it.
    #[n(1)]
    pub seller: PublicKey,
    /// The interface.
    #[n(2)]
    pub service: String,
    /// The function.
    #[n(3)]
    pub function: String,
    /// The salted digest of the arguments, [`arguments_digest`].
    #[n(4)]
    pub arguments: Digest,
    /// What an answer costs.
    #[n(5)]
    pub price: Amount,
    /// Unix milliseconds by the seller's clock; a call that arrives later needs another quote.
    #[n(6)]
    pub valid_until_ms: u64,
    /// Where it is a bid; none where the price was asked for alone.
    #[n(7)]
    pub bid: Option<BidIn>,
}

/// Which tender a quote is a bid in, and who alone may buy by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
#[serde(rename_all = "kebab-case")]
#[cbor(map)]
pub struct BidIn {
    /// The [`Tender`](crate::tender::Tender).
    #[n(0)]
    pub tender: Digest,
    /// The key that pays.
    #[n(1)]
    pub buyer: PublicKey,
}

impl Statement for Quote {
    const CONTENT_TYPE: &'static str = "hansa/quote.1";
}

/// What a buyer asks for.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
#[cbor(map)]
pub struct QuoteRequest {
    /// Digest of the signed offer.
    #[n(0)]
    pub offer: Digest,
    /// The interface.
    #[n(1)]
    pub service: String,
    /// The function.
    #[n(2)]
    pub function: String,
    /// CBOR array of the arguments.
    #[n(3)]
    pub args: Payload,
    /// The salt that the call will have.
    #[n(4)]
    pub salt: ByteVec,
}

impl QuoteRequest {
    /// Names what is asked, its salt included: nobody can tell the arguments by it.
    pub fn digest(&self) -> Digest {
        let arguments = arguments_digest(&self.salt, &self.args);
        Digest::of_parts("hansa quote request", &[&self.offer.0, self.service.as_bytes(), self.function.as_bytes(), &arguments.0])
    }
}

/// The salted digest of a call's arguments.
pub fn arguments_digest(salt: &[u8], args: &[u8]) -> Digest {
    Digest::of_parts("hansa quoted arguments", &[salt, &payload_hash(args)])
}

impl Quote {
    /// Is it a price for this call, at `now_ms` (Unix milliseconds)?
    pub fn covers(&self, request: &CallRequest, now_ms: u64) -> bool {
        self.valid_until_ms > now_ms
            && self.offer == request.offer
            && self.service == request.service
            && self.function == request.function
            && self.arguments == arguments_digest(&request.salt, &request.args)
    }

    /// May `buyer` buy by it?
    pub fn is_open_to(&self, buyer: PublicKey) -> bool {
        self.bid.is_none_or(|bid| bid.buyer == buyer)
    }

    /// Is it `seller`'s answer to this request?
    pub fn answers(&self, asked: &QuoteRequest, seller: PublicKey) -> bool {
        self.seller == seller
            && self.offer == asked.offer
            && self.service == asked.service
            && self.function == asked.function
            && self.arguments == arguments_digest(&asked.salt, &asked.args)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_is_for_one_call_and_for_a_while() {
        let asked = QuoteRequest {
            offer: Digest::of(b"offer"),
            service: "a:b/c@1.0.0".into(),
            function: "f".into(),
            args: vec![0x81, 1].into(),
            salt: vec![7; 16].into(),
        };
        let seller = PublicKey([1; 32]);
        let quote = Quote {
            offer: asked.offer,
            seller,
            service: asked.service.clone(),
            function: asked.function.clone(),
            arguments: arguments_digest(&asked.salt, &asked.args),
            price: Amount(5),
            valid_until_ms: 100,
            bid: None,
        };
        let (buyer, other) = (PublicKey([3; 32]), PublicKey([4; 32]));
        let bid = Quote { bid: Some(BidIn { tender: Digest::of(b"tender"), buyer }), ..quote.clone() };
        assert!(bid.is_open_to(buyer) && !bid.is_open_to(other) && quote.is_open_to(other));
        assert_eq!(minicbor::decode::<Quote>(&minicbor::to_vec(&bid).unwrap()).unwrap(), bid);
        assert_eq!(minicbor::decode::<Quote>(&minicbor::to_vec(&quote).unwrap()).unwrap(), quote);
        assert!(quote.answers(&asked, seller) && !quote.answers(&asked, PublicKey([2; 32])));
        let call = CallRequest {
            call: Digest::of(b"call"),
            service: asked.service.clone(),
            function: asked.function.clone(),
            args: asked.args.clone(),
            deadline_ms: 200,
            salt: asked.salt.clone(),
            offer: asked.offer,
            voucher: None,
            trace: None,
            quote: None,
            keep_s: None,
        };
        assert!(quote.covers(&call, 99) && !quote.covers(&call, 100));
        for other in [
            CallRequest { args: vec![0x81, 2].into(), ..call.clone() },
            CallRequest { salt: vec![8; 16].into(), ..call.clone() },
            CallRequest { offer: Digest::of(b"other"), ..call.clone() },
            CallRequest { function: "g".into(), ..call.clone() },
            CallRequest { service: "a:b/d@1.0.0".into(), ..call.clone() },
        ] {
            assert!(!quote.covers(&other, 0), "{other:?}");
        }
    }
}
