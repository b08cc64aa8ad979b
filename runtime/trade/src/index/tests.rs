//! Choice among offers.

use std::collections::BTreeMap;

use hansa_economy::Keypair;
use hansa_economy::channel::AccountId;
use hansa_economy::offer::{CallBounds, Price};

use super::*;

fn offer(seed: u8, price: u128) -> Signed<Offer> {
    let key = Keypair::from_seed(&[seed; 32]);
    let offer = Offer {
        service: "a:b/c@1.0.0".into(),
        functions: BTreeMap::from([("f".to_owned(), Price::per_call(Amount(price)))]),
        idempotent: vec![],
        component: Digest::default(),
        package: "a/b@1.0.0".into(),
        agent: key.public(),
        account: AccountId(1),
        node: key.public(),
        node_name: "north".into(),
        ledger: Digest::default(),
        asset: 1,
        labels: BTreeMap::from([("region".to_owned(), vec![if seed == 1 { "eu".to_owned() } else { "us".to_owned() }])]),
        bounds: CallBounds { deadline_ms_max: 1000, request_bytes_max: 1000, concurrency: 1 },
        valid_until_ms: 1000,
        revision: 1,
        free_calls: 0,
    };
    Signed::new(offer, &key)
}

fn terms() -> Terms {
    Terms {
        max_price: Amount(100),
        deadline_ms: 100,
        prefer: Prefer::Cheapest,
        labels: BTreeMap::new(),
        sellers: None,
        nodes: None,
        retries: 0,
    }
}

fn index(offers: &[Signed<Offer>]) -> OfferIndex {
    let index = OfferIndex::default();
    offers.iter().for_each(|offer| drop(index.list(offer.bytes(), 0).unwrap()));
    index
}

fn chosen(index: &OfferIndex, terms: &Terms) -> Result<Vec<u128>, NoOffer> {
    let found = index.candidates("a:b/c@1.0.0", "f", 10, terms, 0)?;
    Ok(found.iter().map(|candidate| candidate.price_max.0).collect())
}

#[test]
fn the_cheapest_comes_first_and_the_dear_one_never() {
    let index = index(&[offer(1, 50), offer(2, 20), offer(3, 500)]);
    assert_eq!(chosen(&index, &terms()), Ok(vec![20, 50]));
    let few = Terms { max_price: Amount(10), ..terms() };
    assert_eq!(chosen(&index, &few), Err(NoOffer::Price { cheapest: Amount(20), limit: Amount(10) }));
}

#[test]
fn the_fastest_comes_first_once_known() {
    let index = index(&[offer(1, 50), offer(2, 20)]);
    let key = |seed| Keypair::from_seed(&[seed; 32]).public();
    index.note_latency(key(1), "a:b/c@1.0.0", 5);
    index.note_latency(key(2), "a:b/c@1.0.0", 50);
    assert_eq!(chosen(&index, &Terms { prefer: Prefer::Fastest, ..terms() }), Ok(vec![50, 20]));
}

#[test]
fn labels_and_sellers_are_required() {
    let index = index(&[offer(1, 50), offer(2, 20)]);
    let eu = Terms { labels: BTreeMap::from([("region".to_owned(), "eu".to_owned())]), ..terms() };
    assert_eq!(chosen(&index, &eu), Ok(vec![50]));
    let nobody = Terms { sellers: Some(vec![]), ..terms() };
    assert_eq!(chosen(&index, &nobody), Err(NoOffer::Terms(2)));
}

#[test]
fn expired_and_unknown_are_no_offers() {
    let index = index(&[offer(1, 50)]);
    assert!(index.candidates("a:b/c@1.0.0", "f", 0, &terms(), 1000).is_err());
    assert!(matches!(index.candidates("a:b/d@1.0.0", "f", 0, &terms(), 0), Err(NoOffer::Service(_))));
    assert!(matches!(index.candidates("a:b/c@1.0.0", "g", 0, &terms(), 0), Err(NoOffer::Function { .. })));
}

#[test]
fn a_stranger_cannot_offer_in_anothers_name() {
    let index = OfferIndex::default();
    let forged = Signed::new(offer(1, 1).body, &Keypair::from_seed(&[9; 32]));
    assert!(matches!(index.list(forged.bytes(), 0), Err(ListError::Offer(OfferError::Signer { .. }))));
    let newer = Signed::new(Offer { revision: 2, ..offer(1, 1).body }, &Keypair::from_seed(&[1; 32]));
    index.list(newer.bytes(), 0).unwrap();
    assert!(matches!(index.list(offer(1, 1).bytes(), 0), Err(ListError::Older)));
}
