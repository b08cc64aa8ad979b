//! Sellers that break their word, each in one way. They speak the real protocol with real keys; only one thing is wrong.
#![expect(clippy::unwrap_used, reason = "tests")]

mod shared;

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use hansa_bus::{BucketOptions, BucketStorage, EndpointSpec, Service, ServiceRequest, ServiceSpec};
use hansa_economy::call::{CallReply, CallRequest, Refusal, RefusalCode, response_digest};
use hansa_economy::channel::{AccountId, Voucher};
use hansa_economy::ledger::{ChannelRedeem, Claim, Command};
use hansa_economy::offer::{CallBounds, Offer, Price};
use hansa_economy::receipt::{Ending, Receipt};
use hansa_economy::{Amount, Digest, Keypair, Signed};
use hansa_host::Fault;
use hansa_node::Client;
use hansa_node::ledger::CREDITS;
use hansa_node::node::OFFERS_BUCKET;
use hansa_trade::limits::OFFER_LIFE;
use hansa_trade::{Bought, Buyer, Order, Payer, Prefer, Terms, call_subject, subject_token};
use shared::*;
use std::sync::Mutex;

const PRICE: Amount = Amount(1_000);

/// The one thing that is wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Mischief {
    Rubbish,
    WrongType,
    Overcharge,
    WrongKey,
    OtherRequest,
    OtherAnswer,
    OtherComponent,
    NoReceipt,
    Total,
    ChargedFault,
    RefusesWithReceipt,
    /// An honest one: its first answer is lost on the way, and after its second it goes back to the first, as after a crash.
    Forgets,
}

use Mischief::*;

const EVERY: [(Mischief, &str); 11] = [
    (Rubbish, "its reply is no reply"),
    (WrongType, "does not fit the interface"),
    (Overcharge, "the receipt charges 0.500000, agreed was at most 0.001000"),
    (WrongKey, "its receipt is not valid: signed by"),
    (OtherRequest, "`request` differs"),
    (OtherAnswer, "another answer, offer or component"),
    (OtherComponent, "another answer, offer or component"),
    (NoReceipt, "it gave no receipt"),
    (Total, "the receipt's total is"),
    (ChargedFault, "agreed was at most 0.000000"),
    (RefusesWithReceipt, "a receipt for a call that it refused"),
];

struct Rogue {
    key: Arc<Keypair>,
    account: AccountId,
    _service: Service,
    /// Vouchers that it got and receipts that it signed.
    taken: Arc<Mutex<Vec<Claim>>>,
}

fn answer(
    request: &CallRequest,
    mischief: Mischief,
    offer: &Offer,
    digest: Digest,
    key: &Keypair,
    taken: &Mutex<Vec<Claim>>,
) -> Option<Bytes> {
    let voucher = Signed::<Voucher>::open(request.voucher.as_ref().unwrap()).unwrap();
    let answer = match mischief {
        WrongType => minicbor::to_vec((0u8, "a text instead of bytes")).unwrap(),
        ChargedFault => Fault::Failed("sorry".into()).to_result().to_vec(),
        _ => ok_bytes(b"x"),
    };
    let mut receipt = Receipt {
        call: request.call,
        service: request.service.clone(),
        function: request.function.clone(),
        offer: digest,
        channel: voucher.body.channel,
        lane: voucher.body.lane,
        seq: voucher.body.seq,
        prev_receipt: voucher.body.prev_receipt,
        buyer: voucher.signer,
        seller: key.public(),
        node: offer.node,
        package: offer.package.clone(),
        component: offer.component,
        models: Vec::new(),
        request: request.digest(),
        ending: Ending::Answered(response_digest(&request.salt, &answer)),
        price_max: PRICE,
        charged: PRICE,
        cumulative: PRICE,
        started_ms: 1,
        finished_ms: 2,
        children: Vec::new(),
        metered: None,
    };
    match mischief {
        Overcharge => (receipt.charged, receipt.cumulative) = (Amount(500_000), Amount(500_000)),
        OtherRequest => receipt.request = Digest::of(b"another"),
        OtherAnswer => receipt.ending = Ending::Answered(Digest::of(b"another")),
        OtherComponent => receipt.component = Digest::of(b"another"),
        Total => receipt.cumulative = Amount(1_001),
        _ => {}
    }
    let turn = taken.lock().unwrap().len();
    if mischief == Forgets && turn > 0 {
        receipt.cumulative = Amount(2 * PRICE.0);
    }
    let stranger = Keypair::from_seed(&[77; 32]);
    let signed = Signed::new(receipt, if mischief == WrongKey { &stranger } else { key });
    taken.lock().unwrap().push(Claim::new(&voucher, &signed));
    let receipt = (mischief != NoReceipt).then(|| signed.bytes().to_vec().into());
    let refusal = |newest_voucher, newest_receipt| {
        let refusal = Refusal { newest_voucher, newest_receipt, ..Refusal::new(RefusalCode::Lane, "look what I have") };
        Bytes::from(minicbor::to_vec(<CallReply>::Refused(refusal)).unwrap())
    };
    match mischief {
        Rubbish => Some(Bytes::from_static(b"\x83\x00garbage")),
        RefusesWithReceipt => Some(refusal(request.voucher.clone(), receipt)),
        Forgets if turn == 0 => None,
        Forgets if turn % 2 == 1 => {
            let first = taken.lock().unwrap()[0].clone();
            Some(refusal(Some(first.voucher), Some(first.receipt)))
        }
        _ => Some(minicbor::to_vec(<CallReply>::Answered(answer.into(), receipt)).unwrap().into()),
    }
}

/// Open an account, put a signed offer on the market, and serve.
async fn rogue(client: &Client, seed: u8, service: &str, mischief: Mischief) -> Rogue {
    let key = Arc::new(Keypair::from_seed(&[seed; 32]));
    let account = client.ledger().open_account(CREDITS, "agent", &key).await.unwrap();
    let now = client.exchange().now_ms();
    let offer = Offer {
        service: service.to_owned(),
        functions: BTreeMap::from([("echo-bytes".to_owned(), Price::per_call(PRICE))]),
        idempotent: vec!["echo-bytes".into()],
        component: Digest::of(b"component"),
        package: format!("rogue/{}@1.0.0", format!("{mischief:?}").to_lowercase()),
        agent: key.public(),
        account,
        node: key.public(),
        node_name: "pirates".into(),
        ledger: client.ledger().link().id(),
        asset: CREDITS,
        labels: BTreeMap::new(),
        bounds: CallBounds { deadline_ms_max: 10_000, request_bytes_max: 1 << 20, concurrency: 4 },
        valid_until_ms: now + 60_000,
        revision: now,
        free_calls: 0,
    };
    let signed = Signed::new(offer.clone(), &key);
    let taken = Arc::new(Mutex::new(Vec::new()));
    let spec = ServiceSpec {
        name: "rogue".into(),
        version: "1.0.0".into(),
        description: String::new(),
        metadata: BTreeMap::new(),
        endpoints: vec![EndpointSpec::new("call", call_subject(&key.public()))],
        concurrency_max: 16,
    };
    let (digest, signer, claims) = (signed.digest(), key.clone(), taken.clone());
    let handler = move |request: ServiceRequest| {
        let request: CallRequest = minicbor::decode(&request.payload).unwrap();
        let reply = answer(&request, mischief, &offer, digest, &signer, &claims);
        async move {
            match reply {
                Some(reply) => Ok(reply),
                None => std::future::pending().await,
            }
        }
    };
    let service = client.exchange().bus().serve(spec, Arc::new(handler)).await.unwrap();
    let options =
        BucketOptions { name: OFFERS_BUCKET.into(), max_age: Some(OFFER_LIFE), history: 1, storage: BucketStorage::Memory };
    let bucket = client.exchange().bus().bucket(options).await.unwrap();
    bucket.put(&subject_token(&key.public()), Bytes::copy_from_slice(signed.bytes())).await.unwrap();
    Rogue { key, account, _service: service, taken }
}

/// A buyer that knows the type of `echo-bytes`, as an agent does.
struct Shopper {
    buyer: Buyer,
}

impl Shopper {
    fn new(client: &Client) -> Shopper {
        let payer = Payer { account: client.account(), key: Arc::new(client.key().clone()), asset: CREDITS };
        Shopper { buyer: Buyer::new(client.exchange().clone(), payer).unwrap() }
    }

    async fn buy(&self, service: &str) -> Result<Bought, Fault> {
        let fits = |answer: &[u8]| match answer.starts_with(&[0x82, 0x00, 0x41]) || hansa_host::is_fault(answer) {
            true => Ok(()),
            false => Err("expected a byte string".to_owned()),
        };
        let order =
            Order { service: service.into(), function: "echo-bytes".into(), args: bytes_arg(b"x").into(), fits: Arc::new(fits) };
        let terms = Terms {
            max_price: Amount::credits(1),
            deadline_ms: 5000,
            prefer: Prefer::Cheapest,
            labels: BTreeMap::new(),
            sellers: None,
            nodes: None,
            retries: 3,
        };
        self.buyer.buy(&order, &terms, None).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn each_rogue_is_named_set_aside_and_earns_nothing() {
    let town = town().await;
    let client = town.client("client", Amount::credits(10)).await;
    let shopper = Shopper::new(&client);
    for (n, (mischief, words)) in EVERY.into_iter().enumerate() {
        let service = format!("rogue:s{n}/thing@1.0.0");
        let rogue = rogue(&client, n as u8 + 1, &service, mischief).await;
        see(&client, &service, 1).await;
        let fault = shopper.buy(&service).await.unwrap_err();
        assert!(matches!(fault, Fault::SellerFailed(_)), "{mischief:?}: {fault:?}");
        assert!(fault.text().contains(words), "{mischief:?}: {fault}");
        assert!(fault.text().contains("rogue/") && fault.text().contains("pirates"), "{mischief:?}: {fault}");
        let again = shopper.buy(&service).await.unwrap_err();
        assert!(matches!(&again, Fault::NoOffer(text) if text.contains("broke its word")), "{mischief:?}: {again:?}");
        assert_eq!(rogue.taken.lock().unwrap().len(), 1, "{mischief:?}: set aside after one call");
        shopper.buyer.acknowledge().await;
        robs_nothing(&town, &client, &rogue, mischief).await;
    }
    let spent = Amount::credits(10).saturating_sub(client.balance().await.unwrap());
    assert_eq!(spent, town.escrow(), "everything that left the account is in escrow");
    town.check();
}

/// What the rogue was given does not open the escrow.
async fn robs_nothing(town: &Town, client: &Client, rogue: &Rogue, mischief: Mischief) {
    let claim = rogue.taken.lock().unwrap()[0].clone();
    let channel = Signed::<Voucher>::open(&claim.voucher).unwrap().body.channel;
    let command = Command::ChannelRedeem(ChannelRedeem { channel, claims: vec![claim] });
    let refused = client.ledger().submit(command, &rogue.key).await.unwrap_err();
    assert!(refused.message.contains("the ledger refused"), "{mischief:?}: {refused}");
    assert_eq!(town.balance(rogue.account).await, Amount::ZERO, "{mischief:?}");
    let channel = town.north.ledger().unwrap().channel(channel).unwrap().unwrap();
    assert_eq!(channel.redeemed, Amount::ZERO, "{mischief:?}");
}

/// It was taken for one that showed a receipt for a call that it had refused, and set aside.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_seller_that_lost_an_answer_and_then_its_memory_is_bought_from_again() {
    let town = town().await;
    let client = town.client("client", Amount::credits(10)).await;
    let shopper = Shopper::new(&client);
    let rogue = rogue(&client, 1, "rogue:s/thing@1.0.0", Forgets).await;
    see(&client, "rogue:s/thing@1.0.0", 1).await;
    assert!(matches!(shopper.buy("rogue:s/thing@1.0.0").await, Err(Fault::Deadline(_))));
    for turns in [3, 5] {
        let bought = shopper.buy("rogue:s/thing@1.0.0").await.unwrap();
        assert_eq!((bought.charged, rogue.taken.lock().unwrap().len()), (PRICE, turns));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_idempotent_call_goes_on_to_an_honest_seller() {
    let town = town().await;
    let client = town.client("client", Amount::credits(10)).await;
    town.north.deploy(&greeter("fixture/greeter", "0.02"), component("fixture-greeter")).await.unwrap();
    let mut rogues = Vec::new();
    for (n, mischief) in [Rubbish, Overcharge, WrongType].into_iter().enumerate() {
        rogues.push(rogue(&client, n as u8 + 1, GREETER, mischief).await);
    }
    see(&client, GREETER, 4).await;
    let shopper = Shopper::new(&client);
    let honest = town.north.agents().await["greeter"].agent();
    for _ in 0..3 {
        let bought = shopper.buy(GREETER).await.unwrap();
        assert_eq!((bought.seller, bought.charged), (honest, Amount(20_000)));
    }
    assert!(rogues.iter().all(|rogue| rogue.taken.lock().unwrap().len() == 1), "each rogue got one call, then none");
    shopper.buyer.acknowledge().await;
    town.north.settle().await;
    assert_eq!(town.balance(account_of(&town.north, "greeter").await).await, Amount(60_000));
    town.check();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_forged_offer_does_not_reach_the_market() {
    let town = town().await;
    let client = town.client("client", Amount::credits(1)).await;
    let honest = rogue(&client, 1, "rogue:forged/thing@1.0.0", NoReceipt).await;
    see(&client, "rogue:forged/thing", 1).await;
    let mut offer = client.offers("rogue:forged/thing").await[0].offer.clone();
    offer.revision += 1;
    offer.account = client.account();
    let stranger = Keypair::from_seed(&[9; 32]);
    let bytes = Signed::new(offer.clone(), &stranger).bytes().to_vec();
    let error = client.exchange().index().list(&bytes, client.exchange().now_ms()).unwrap_err();
    assert!(error.to_string().contains("is signed by"), "{error}");
    offer.valid_until_ms = 1;
    let expired = Signed::new(offer, &honest.key).bytes().to_vec();
    let error = client.exchange().index().list(&expired, client.exchange().now_ms()).unwrap_err();
    assert!(error.to_string().contains("expired"), "{error}");
    assert!(client.exchange().index().list(b"rubbish", 0).is_err());
}
