//! Tenders: one order put out to many sellers at once. Bids are sealed until a deadline, then opened; what wins is an ordinary
//! [`Quote`](crate::quote::Quote).
//!
//! Sealing is by commit and reveal. Before the deadline a bidder signs the digest of its quote and a salt, which tells nobody the price;
//! after it, it shows both. So the buyer cannot tell one bidder what another asks while that could still be used, and no bidder can change
//! its bid when it sees the others'. The buyer signs for each seller alone, both what it asks and the wish to open: what one seller gets
//! is of no use with another.

use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};
use serde::Serialize;

use crate::digest::Digest;
use crate::key::PublicKey;
use crate::quote::{BidIn, QuoteRequest};
use crate::statement::Statement;

/// What a buyer puts out, signed by its key for one seller. What it would pay at most is not in it: that would only invite bids up to there.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
#[serde(rename_all = "kebab-case")]
#[cbor(map)]
pub struct Tender {
    /// Names it: random, so that nobody can prepare for it.
    #[n(0)]
    pub id: Digest,
    /// The key that would pay.
    #[n(1)]
    pub buyer: PublicKey,
    /// Who is asked.
    #[n(2)]
    pub seller: PublicKey,
    /// The digest of the call under the seller's own offer: [`QuoteRequest::digest`].
    #[n(3)]
    pub asked: Digest,
    /// Unix milliseconds: bids are taken before, and opened from then on.
    #[n(4)]
    pub bids_until_ms: u64,
}

impl Statement for Tender {
    const CONTENT_TYPE: &'static str = "hansa/tender.1";
}

impl Tender {
    /// Does it ask `seller` for this call?
    pub fn is_for(&self, asked: &QuoteRequest, seller: PublicKey) -> bool {
        self.seller == seller && self.asked == asked.digest()
    }

    /// What a bid in it names.
    pub fn bid_in(&self) -> BidIn {
        BidIn { tender: self.id, buyer: self.buyer }
    }
}

/// Orders sellers that are otherwise alike: nobody knows it before the tender, and it does not depend on who is near.
pub fn lot(tender: Digest, seller: PublicKey) -> Digest {
    Digest::of_parts("hansa tender lot", &[&tender.0, &seller.0])
}

/// A tender as one seller gets it.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
#[cbor(map)]
pub struct Invitation {
    /// The signed [`Tender`].
    #[n(0)]
    pub tender: ByteVec,
    /// The call under this seller's own offer. Its salt is for this seller alone.
    #[n(1)]
    pub asked: QuoteRequest,
}

/// A bid that nobody can read yet and its bidder can no longer change, signed by the bidder's key.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
#[serde(rename_all = "kebab-case")]
#[cbor(map)]
pub struct SealedBid {
    /// The tender.
    #[n(0)]
    pub tender: Digest,
    /// Who bids.
    #[n(1)]
    pub seller: PublicKey,
    /// The salted digest of the signed quote, [`seal`].
    #[n(2)]
    pub seal: Digest,
}

impl Statement for SealedBid {
    const CONTENT_TYPE: &'static str = "hansa/sealed-bid.1";
}

impl SealedBid {
    /// Is this the bid that was sealed?
    pub fn holds(&self, opened: &OpenedBid) -> bool {
        self.seal == seal(&opened.salt, &opened.quote)
    }
}

/// Bids are due: the buyer, and nobody else, may see this seller's. Signed by the buyer's key.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Opening {
    /// The tender.
    #[n(0)]
    pub tender: Digest,
    /// Whose bid shall be opened.
    #[n(1)]
    pub seller: PublicKey,
}

impl Statement for Opening {
    const CONTENT_TYPE: &'static str = "hansa/tender-opening.1";
}

/// What opens a sealed bid.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct OpenedBid {
    /// Random, and known to the bidder alone until now.
    #[n(0)]
    pub salt: ByteVec,
    /// The signed [`Quote`](crate::quote::Quote).
    #[n(1)]
    pub quote: ByteVec,
}

/// The seal of a bid: its quote names tender, seller, call and price.
pub fn seal(salt: &[u8], quote: &[u8]) -> Digest {
    Digest::of_parts("hansa sealed bid", &[salt, &Digest::of(quote).0])
}

/// How a tender ended, signed by the buyer and sent to all who bid: each can see the others' bids, and who was taken.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Outcome {
    /// The tender.
    #[n(0)]
    pub tender: Digest,
    /// The bids that counted, best first: their signed quotes.
    #[n(1)]
    pub bids: Vec<ByteVec>,
    /// Who was bought from by its bid; none where nobody was.
    #[n(2)]
    pub winner: Option<PublicKey>,
}

impl Statement for Outcome {
    const CONTENT_TYPE: &'static str = "hansa/tender-outcome.1";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tender_is_for_one_seller_and_one_call() {
        let asked = QuoteRequest {
            offer: Digest::of(b"offer"),
            service: "a:b/c@1.2.0".into(),
            function: "f".into(),
            args: vec![0x81, 1].into(),
            salt: vec![7; 16].into(),
        };
        let (id, seller, other) = (Digest::of(b"tender"), PublicKey([2; 32]), PublicKey([3; 32]));
        let tender = Tender { id, buyer: PublicKey([1; 32]), seller, asked: asked.digest(), bids_until_ms: 100 };
        assert_eq!(minicbor::decode::<Tender>(&minicbor::to_vec(&tender).unwrap()).unwrap(), tender);
        assert!(tender.is_for(&asked, seller) && !tender.is_for(&asked, other));
        for changed in [
            QuoteRequest { args: vec![0x81, 2].into(), ..asked.clone() },
            QuoteRequest { function: "g".into(), ..asked.clone() },
            QuoteRequest { service: "a:b/c@2.0.0".into(), ..asked.clone() },
            QuoteRequest { offer: Digest::of(b"other"), ..asked.clone() },
            QuoteRequest { salt: vec![8; 16].into(), ..asked.clone() },
        ] {
            assert!(!tender.is_for(&changed, seller), "{changed:?}");
        }
        assert_ne!(lot(id, seller), lot(id, other));
        assert_ne!(lot(id, seller), lot(Digest::of(b"another"), seller));
    }

    #[test]
    fn a_seal_holds_one_quote_and_tells_nothing_without_its_salt() {
        let opened = OpenedBid { salt: vec![9; 16].into(), quote: vec![1, 2, 3].into() };
        let seal = seal(&opened.salt, &opened.quote);
        let sealed = SealedBid { tender: Digest::of(b"tender"), seller: PublicKey([1; 32]), seal };
        assert!(sealed.holds(&opened));
        assert!(!sealed.holds(&OpenedBid { quote: vec![1, 2, 4].into(), ..opened.clone() }));
        assert!(!sealed.holds(&OpenedBid { salt: vec![8; 16].into(), ..opened }));
    }
}
