//! A seller on the bus that breaks one rule of tenders.

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use hansa_bus::{EndpointSpec, Service, ServiceFailure, ServiceRequest, ServiceSpec};
use hansa_economy::offer::Offer;
use hansa_economy::quote::{BidIn, Quote, arguments_digest};
use hansa_economy::tender::{Invitation, OpenedBid, SealedBid, Tender, seal};
use hansa_economy::{Amount, Digest, Keypair, Signed};

use super::bed::*;
use crate::exchange::pay_subject;
use crate::port::{PayReply, PayRequest};

/// What it does wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Trick {
    /// It answers after the deadline.
    ComesLate,
    /// It opens a lower bid than it sealed, because it has heard of another.
    Changes,
    /// Another key signs the bid, or seals it.
    HasAnotherSign,
    HasAnotherSeal,
    /// It bids more than its offer asks.
    Overcharges,
    /// Its bid is for another call, or from another tender.
    BidsForAnotherCall,
    ShowsAnOldBid,
    /// It does not open its bid.
    Hides,
}

const BID: Amount = Amount(1);

struct Rogue {
    key: Arc<Keypair>,
    trick: Trick,
    now_ms: Arc<AtomicU64>,
    opened: Mutex<Option<OpenedBid>>,
}

/// It sells for as long as what is returned lives.
pub(super) async fn rogue(bed: &Bed, trick: Trick) -> (Offer, Service) {
    let key = key(9);
    let offer = Offer {
        agent: key.public(),
        account: bed.ledger.account(&key, Amount::ZERO),
        node_name: "rogue".into(),
        ..bed.offer.clone()
    };
    let valid_until_ms = bed.exchange.now_ms() + 60_000;
    let signed = Signed::new(Offer { valid_until_ms, revision: 1, ..offer.clone() }, &key);
    bed.exchange.index().list(signed.bytes(), bed.exchange.now_ms()).unwrap();
    let endpoint = EndpointSpec::new("pay", pay_subject(&key.public()));
    let spec = ServiceSpec {
        name: "rogue".into(),
        version: "1.0.0".into(),
        description: String::new(),
        metadata: Default::default(),
        endpoints: vec![endpoint],
        concurrency_max: 4,
    };
    let rogue = Arc::new(Rogue { key, trick, now_ms: bed.now_ms.clone(), opened: Mutex::default() });
    let handler = move |request: ServiceRequest| {
        let rogue = rogue.clone();
        async move {
            let reply = rogue.answer(minicbor::decode(&request.payload).unwrap());
            Ok::<_, ServiceFailure>(minicbor::to_vec(reply).unwrap().into())
        }
    };
    let service = bed.exchange.bus().serve(spec, Arc::new(handler)).await.unwrap();
    (offer, service)
}

impl Rogue {
    fn answer(&self, request: PayRequest) -> PayReply {
        match request {
            PayRequest::Tender(invitation) => self.bid(invitation),
            PayRequest::Open(_) if self.trick == Trick::Hides => PayReply::Refused("come back tomorrow".into()),
            PayRequest::Open(_) => PayReply::Opened(self.opened.lock().unwrap().clone().unwrap()),
            _ => PayReply::Taken(1),
        }
    }

    fn bid(&self, Invitation { tender, asked }: Invitation) -> PayReply {
        let tender = Signed::<Tender>::open(&tender).unwrap().body;
        let (trick, other) = (self.trick, key(8));
        let function = if trick == Trick::BidsForAnotherCall { "g".to_owned() } else { asked.function };
        let quote = Quote {
            offer: asked.offer,
            seller: self.key.public(),
            arguments: arguments_digest(&asked.salt, &asked.args),
            service: asked.service,
            function,
            price: if trick == Trick::Overcharges { Amount(PRICE.0 + 1) } else { BID },
            valid_until_ms: tender.bids_until_ms + 30_000,
            bid: Some(match trick {
                Trick::ShowsAnOldBid => BidIn { tender: Digest::of(b"old"), ..tender.bid_in() },
                _ => tender.bid_in(),
            }),
        };
        let signer = if trick == Trick::HasAnotherSign { &other } else { &self.key };
        let sign = |price| Signed::new(Quote { price, ..quote.clone() }, signer).bytes().to_vec();
        let (bid, salt) = (sign(quote.price), vec![1; 16]);
        let sealed = SealedBid { tender: tender.id, seller: self.key.public(), seal: seal(&salt, &bid) };
        let shown = if trick == Trick::Changes { sign(Amount(0)) } else { bid };
        *self.opened.lock().unwrap() = Some(OpenedBid { salt: salt.into(), quote: shown.into() });
        if trick == Trick::ComesLate {
            self.now_ms.fetch_max(tender.bids_until_ms, SeqCst);
        }
        let sealer = if trick == Trick::HasAnotherSeal { &other } else { &self.key };
        PayReply::Sealed(Signed::new(sealed, sealer).bytes().to_vec().into())
    }
}
