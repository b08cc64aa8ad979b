//! Buyers that cheat a real seller: every message is built by hand, with real keys and a real channel.
#![expect(clippy::unwrap_used, reason = "tests")]

mod shared;

use std::time::Duration;

use hansa_economy::call::{CallReply, CallRequest, Refusal, RefusalCode};
use hansa_economy::channel::{AccountId, ChannelTerms, Voucher};
use hansa_economy::receipt::Receipt;
use hansa_economy::{Amount, Digest, Keypair, PublicKey, Signed};
use hansa_node::Client;
use hansa_node::ledger::CREDITS;
use hansa_trade::{LedgerPort, call_subject};
use shared::*;

const PRICE: Amount = Amount(1_000);

/// A buyer with one channel to the hog, who writes requests and vouchers as it likes.
struct Cheat<'a> {
    client: &'a Client,
    key: Keypair,
    terms: ChannelTerms,
    seller: PublicKey,
    offer: Digest,
}

async fn cheat<'a>(town: &Town, client: &'a Client) -> Cheat<'a> {
    cheat_with(town, client, |_| ()).await
}

/// With a channel on other terms than the honest ones.
async fn cheat_with<'a>(town: &Town, client: &'a Client, change: impl FnOnce(&mut ChannelTerms)) -> Cheat<'a> {
    see(client, HOG, 1).await;
    let listed = client.offers(HOG).await[0].clone();
    let key = client.key().clone();
    let mut terms = ChannelTerms {
        ledger: listed.offer.ledger,
        payer: client.account(),
        payer_key: key.public(),
        payee: listed.offer.account,
        payee_key: listed.offer.agent,
        asset: CREDITS,
        grace_s: 60,
        nonce: 7,
        shares: vec![],
    };
    change(&mut terms);
    client.ledger().open_channel(terms.clone(), Amount(100_000), std::sync::Arc::new(key.clone())).await.unwrap();
    town.check();
    Cheat { client, key, terms, seller: listed.offer.agent, offer: listed.digest }
}

impl Cheat<'_> {
    /// An honest request without voucher.
    fn request(&self, name: &str, args: Vec<u8>) -> CallRequest {
        CallRequest {
            call: Digest::of(name.as_bytes()),
            service: HOG.into(),
            function: "count".into(),
            args: args.into(),
            deadline_ms: self.client.exchange().now_ms() + 4000,
            salt: vec![1; 16].into(),
            offer: self.offer,
            voucher: None,
            trace: None,
            quote: None,
            keep_s: None,
        }
    }

    fn voucher(
        &self,
        request: &CallRequest,
        lane: u32,
        seq: u64,
        cumulative_max: Amount,
        prev_receipt: Option<Digest>,
    ) -> Voucher {
        Voucher {
            ledger: self.terms.ledger,
            channel: self.terms.id(),
            lane,
            seq,
            cumulative_max,
            prev_receipt,
            call: Some(request.call),
            request: Some(request.digest()),
        }
    }

    fn paid(&self, name: &str, lane: u32, seq: u64, cumulative_max: Amount, prev_receipt: Option<Digest>) -> CallRequest {
        let request = self.request(name, NO_ARGS.to_vec());
        let voucher = self.voucher(&request, lane, seq, cumulative_max, prev_receipt);
        with(&request, voucher, &self.key)
    }

    async fn send(&self, request: &CallRequest) -> CallReply {
        let payload = minicbor::to_vec(request).unwrap().into();
        let reply =
            self.client.exchange().bus().request(&call_subject(&self.seller), payload, Duration::from_secs(5)).await.unwrap();
        minicbor::decode(&reply).unwrap()
    }

    async fn refused(&self, request: &CallRequest) -> Refusal {
        match self.send(request).await {
            CallReply::Refused(refusal) => refusal,
            other => panic!("not refused: {other:?}"),
        }
    }

    async fn served(&self, request: &CallRequest) -> Signed<Receipt> {
        match self.send(request).await {
            CallReply::Answered(_, Some(receipt)) => Signed::open(&receipt).unwrap(),
            other => panic!("not served: {other:?}"),
        }
    }
}

fn with(request: &CallRequest, voucher: Voucher, key: &Keypair) -> CallRequest {
    CallRequest { voucher: Some(Signed::new(voucher, key).bytes().to_vec().into()), ..request.clone() }
}

async fn hog_town() -> (Town, Client) {
    let town = town().await;
    town.north.deploy(&manifest("fixture/hog", HOG, &HOG_FUNCTIONS, "0.001", ""), component("fixture-hog")).await.unwrap();
    let client = town.client("client", Amount::credits(1)).await;
    (town, client)
}

async fn hog_account(town: &Town) -> AccountId {
    account_of(&town.north, "hog").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_repeated_request_runs_once_and_other_uses_of_a_voucher_do_not_run() {
    let (town, client) = hog_town().await;
    let cheat = cheat(&town, &client).await;
    let first = cheat.paid("first", 0, 1, PRICE, None);
    let answer = cheat.send(&first).await;
    assert!(matches!(answer, CallReply::Answered(..)), "{answer:?}");
    for _ in 0..3 {
        assert_eq!(cheat.send(&first).await, answer, "the same bytes get the same stored answer");
    }
    assert_eq!(calls_of(&town.north, "hog").await, 1);

    // The voucher of one call under another.
    let stolen = CallRequest { voucher: first.voucher.clone(), ..cheat.request("another", NO_ARGS.to_vec()) };
    let refusal = cheat.refused(&stolen).await;
    assert_eq!(refusal.code, RefusalCode::Signature);
    assert!(refusal.message.contains("vouches for another request"), "{}", refusal.message);

    cheat.served(&cheat.paid("other lane", 1, 1, PRICE, None)).await;
    assert_eq!(calls_of(&town.north, "hog").await, 2);

    // Another voucher of the same number: the lane freezes, also for honest ones, and the channel closes.
    let refusal = cheat.refused(&cheat.paid("equivocation", 0, 1, PRICE, None)).await;
    assert_eq!(refusal.code, RefusalCode::Lane);
    assert!(refusal.message.contains("another voucher with sequence 1"), "{}", refusal.message);
    let newest = refusal.newest_voucher.expect("the evidence is shown");
    assert_eq!(Some(newest), first.voucher);
    let CallReply::Answered(_, Some(receipt)) = answer else { unreachable!("checked above") };
    let next = cheat.paid("next", 0, 2, Amount(2_000), Some(Digest::of(&receipt)));
    let refusal = cheat.refused(&next).await;
    assert!(refusal.message.contains("frozen") || refusal.message.contains("closing"), "{}", refusal.message);
    assert_eq!(calls_of(&town.north, "hog").await, 2);
    let deadline = std::time::Instant::now() + Duration::from_secs(10);
    let shown = || town.north.ledger().unwrap().channel(cheat.terms.id()).unwrap().unwrap();
    while shown().lanes.get(&0).is_none_or(|lane| lane.frozen != Some(1)) || shown().claimed() != Amount(2_000) {
        assert!(std::time::Instant::now() < deadline, "the evidence and the claims by the last receipts come to the ledger");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    town.check();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_does_not_pay_does_not_run() {
    let (town, client) = hog_town().await;
    let cheat = cheat(&town, &client).await;
    let request = cheat.request("x", NO_ARGS.to_vec());
    let voucher = |lane, seq, max, prev| cheat.voucher(&request, lane, seq, max, prev);
    let stranger = Keypair::from_seed(&[5; 32]);
    let elsewhere = Voucher { channel: Digest::of(b"no channel"), ..voucher(0, 1, PRICE, None) };
    let other_ledger = Voucher { ledger: Digest::of(b"another"), ..voucher(0, 1, PRICE, None) };
    let cases = [
        ("no voucher", request.clone(), RefusalCode::PaymentNeeded, "there is no voucher"),
        (
            "no statement",
            CallRequest { voucher: Some(vec![1, 2, 3].into()), ..request.clone() },
            RefusalCode::Malformed,
            "not a signed statement",
        ),
        ("another's key", with(&request, voucher(0, 1, PRICE, None), &stranger), RefusalCode::Signature, "expected"),
        ("no such channel", with(&request, elsewhere, &cheat.key), RefusalCode::Channel, "no channel"),
        ("another ledger", with(&request, other_ledger, &cheat.key), RefusalCode::Channel, "another ledger"),
        ("too little", with(&request, voucher(0, 1, Amount(999), None), &cheat.key), RefusalCode::Lane, "leaves 0.000999"),
        (
            "invented receipt",
            with(&request, voucher(0, 1, PRICE, Some(Digest::of(b"r"))), &cheat.key),
            RefusalCode::Lane,
            "does not acknowledge",
        ),
        ("lane out of range", with(&request, voucher(1024, 1, PRICE, None), &cheat.key), RefusalCode::Channel, "out of range"),
    ];
    for (name, request, code, words) in cases {
        let refusal = cheat.refused(&request).await;
        assert_eq!(refusal.code, code, "{name}: {}", refusal.message);
        assert!(refusal.message.contains(words), "{name}: {}", refusal.message);
    }
    assert_eq!(calls_of(&town.north, "hog").await, 0);

    // The deposit bounds what the seller serves, whatever the vouchers promise.
    let terms = ChannelTerms { nonce: 8, ..cheat.terms.clone() };
    client.ledger().open_channel(terms.clone(), Amount(1_500), std::sync::Arc::new(cheat.key.clone())).await.unwrap();
    let poor = Cheat { terms, ..cheat };
    poor.served(&poor.paid("one", 0, 1, Amount::credits(9), None)).await;
    let refusal = poor.refused(&poor.paid("two", 1, 1, Amount::credits(9), None)).await;
    assert_eq!(refusal.code, RefusalCode::DepositShort, "{}", refusal.message);
    assert!(refusal.message.contains("top it up"), "{}", refusal.message);
    assert_eq!(calls_of(&town.north, "hog").await, 1);
    town.check();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn bad_calls_are_refused_before_they_run() {
    let (town, client) = hog_town().await;
    let cheat = cheat(&town, &client).await;
    let base = cheat.request("x", NO_ARGS.to_vec());
    let cases = [
        (
            "past",
            CallRequest { deadline_ms: client.exchange().now_ms() - 1, ..base.clone() },
            RefusalCode::Deadline,
            "had passed",
        ),
        ("wrong type", CallRequest { args: vec![0x81, 0x01].into(), ..base.clone() }, RefusalCode::Arguments, "do not fit"),
        ("no CBOR", CallRequest { args: vec![0xff].into(), ..base.clone() }, RefusalCode::Arguments, "do not fit"),
        ("too long", CallRequest { args: vec![0; (6 << 20) + 1].into(), ..base.clone() }, RefusalCode::Arguments, "send less"),
        ("no such function", CallRequest { function: "dance".into(), ..base.clone() }, RefusalCode::NotSold, "not sold here"),
        ("no such service", CallRequest { service: GREETER.into(), ..base.clone() }, RefusalCode::NotSold, "not sold here"),
        ("another offer", CallRequest { offer: Digest::of(b"o"), ..base.clone() }, RefusalCode::OfferChanged, "no longer made"),
    ];
    for (name, request, code, words) in cases {
        let voucher = cheat.voucher(&request, 0, 1, PRICE, None);
        let refusal = cheat.refused(&with(&request, voucher, &cheat.key)).await;
        assert_eq!(refusal.code, code, "{name}: {}", refusal.message);
        assert!(refusal.message.contains(words), "{name}: {}", refusal.message);
    }
    let rubbish =
        client.exchange().bus().request(&call_subject(&cheat.seller), b"rubbish".as_slice().into(), Duration::from_secs(5)).await;
    assert!(rubbish.unwrap_err().to_string().contains("not a call request"));
    assert_eq!(calls_of(&town.north, "hog").await, 0);

    // None of it used the voucher's number up.
    cheat.served(&cheat.paid("good", 0, 1, PRICE, None)).await;
    assert_eq!(calls_of(&town.north, "hog").await, 1);
    assert_eq!(town.balance(hog_account(&town).await).await, Amount::ZERO, "what nobody acknowledged is not paid yet");
    town.check();
}

/// The terms named the seller's key and the buyer's own account: the seller served, and every payment went back to the buyer.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_channel_that_pays_the_buyer_itself_buys_nothing() {
    let (town, client) = hog_town().await;
    let shelf = town.client("shelf", Amount::ZERO).await;
    let cheat = cheat_with(&town, &client, |terms| terms.payee = shelf.account()).await;
    let refusal = cheat.refused(&cheat.paid("free lunch", 0, 1, PRICE, None)).await;
    assert_eq!(refusal.code, RefusalCode::Channel, "{}", refusal.message);
    assert!(refusal.message.contains("pays somebody else"), "{}", refusal.message);
    assert_eq!(calls_of(&town.north, "hog").await, 0);
    town.check();
}

/// The ledger gave the deposit back, and the seller went on serving what nobody would pay for.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_channel_that_was_closed_behind_the_sellers_back_buys_nothing_more() {
    let (town, client) = hog_town().await;
    let hasty = cheat_with(&town, &client, |terms| terms.grace_s = 1).await;
    let refusal = hasty.refused(&hasty.paid("hasty", 0, 1, PRICE, None)).await;
    assert!(refusal.message.contains("grace"), "{}", refusal.message);
    let cheat = cheat_with(&town, &client, |terms| terms.nonce = 9).await;
    cheat.served(&cheat.paid("first", 0, 1, PRICE, None)).await;
    client.ledger().close(cheat.terms.id(), false, std::sync::Arc::new(cheat.key.clone())).await.unwrap();
    let deadline = std::time::Instant::now() + hansa_trade::limits::LOOK_AGAIN * 3;
    let mut lane = 1;
    let refusal = loop {
        match cheat.send(&cheat.paid(&format!("call {lane}"), lane, 1, PRICE, None)).await {
            CallReply::Refused(refusal) => break refusal,
            _ => assert!(std::time::Instant::now() < deadline, "it serves on and on"),
        }
        lane += 1;
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    assert_eq!(refusal.code, RefusalCode::Channel, "{}", refusal.message);
    assert!(refusal.message.contains("closed or closing"), "{}", refusal.message);
}

/// One acknowledgement that the ledger would refuse took the place of a good claim, and with it all claims of its command.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_acknowledgement_that_no_ledger_takes_changes_nothing() {
    let (town, client) = hog_town().await;
    let cheat = cheat(&town, &client).await;
    let receipt = cheat.served(&cheat.paid("first", 0, 1, PRICE, None)).await;
    let poisoned = Voucher {
        ledger: Digest::of(b"another"),
        call: None,
        request: None,
        ..cheat.voucher(&cheat.request("x", NO_ARGS.to_vec()), 0, 2, PRICE, Some(receipt.digest()))
    };
    let signed = minicbor::bytes::ByteVec::from(Signed::new(poisoned, &cheat.key).bytes().to_vec());
    // The message on the `pay` endpoint: variant 0, acknowledge.
    let message = minicbor::to_vec((0u8, [[signed]])).unwrap();
    let subject = hansa_trade::pay_subject(&cheat.seller);
    let reply = client.exchange().bus().request(&subject, message.into(), Duration::from_secs(5)).await.unwrap();
    assert_eq!(&reply[..], minicbor::to_vec((0u8, [0u32])).unwrap(), "none was taken");
    cheat.served(&cheat.paid("second", 0, 2, Amount(2_000), Some(receipt.digest()))).await;
}
