//! What the tests stand on: a ledger in memory, one seller, a buyer who signs by hand, and a clock.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use futures::FutureExt;
use futures::future::BoxFuture;
use hansa_bus::testing::TestServer;
use hansa_economy::call::{CallReply, CallRequest};
use hansa_economy::channel::{AccountId, ChannelId, ChannelTerms, LaneDebit, Voucher};
use hansa_economy::ledger::*;
use hansa_economy::offer::{CallBounds, Offer, Price};
use hansa_economy::receipt::{ModelRun, Receipt};
use hansa_economy::{Amount, Digest, Keypair, PublicKey, Signed};
use minicbor::bytes::ByteVec;
use tempfile::TempDir;

use crate::port::{PayReply, PayRequest};
use crate::*;

pub(super) const PRICE: Amount = Amount(1_000);
pub(super) const FUNDS: Amount = Amount(1_000_000);
const SERVICE: &str = "a:b/c@1.0.0";
pub(super) const ASSET: u32 = 1;

pub(super) fn key(n: u8) -> Arc<Keypair> {
    Arc::new(Keypair::from_seed(&[n; 32]))
}

/// The ledger's rules over a state in memory.
pub(super) struct TestLedger {
    state: Mutex<State>,
    now_ms: Arc<AtomicU64>,
    ids: AtomicU64,
    /// Claims of this lane are refused.
    pub(super) bad_lane: Mutex<Option<u32>>,
    /// Commands do not reach it.
    pub(super) away: AtomicBool,
    /// Whoever asks waits until it comes back.
    pub(super) silent: AtomicBool,
    /// Commands that were submitted.
    pub(super) commands: AtomicUsize,
    /// Questions for channels.
    pub(super) questions: AtomicUsize,
}

impl TestLedger {
    fn new(now_ms: Arc<AtomicU64>) -> TestLedger {
        let genesis = Genesis::sign("test", Id128(1), &key(200));
        let time_ns = now_ms.load(SeqCst) * 1_000_000;
        let (state, _) = State::found(&Verified::open(genesis.bytes()).unwrap(), time_ns).unwrap();
        let ledger = TestLedger {
            state: Mutex::new(state),
            now_ms,
            ids: AtomicU64::new(2),
            bad_lane: Mutex::default(),
            away: AtomicBool::default(),
            silent: AtomicBool::default(),
            commands: AtomicUsize::default(),
            questions: AtomicUsize::default(),
        };
        let create = AssetCreate { asset: ASSET, code: "CRED".into(), scale: 6, issuer: key(200).public() };
        ledger.done(Command::AssetCreate(create), &key(200));
        ledger
    }

    pub(super) fn done(&self, command: Command, key: &Keypair) -> Acceptance {
        self.act(command, key).unwrap()
    }

    pub(super) fn act(&self, command: Command, key: &Keypair) -> Result<Acceptance, LedgerError> {
        let id = Id128(self.ids.fetch_add(1, SeqCst).into());
        let mut state = self.state.lock().unwrap();
        let signed = SignedCommand::sign(state.head().ledger, id, command, key);
        let verified = Verified::open(signed.bytes()).map_err(|error| LedgerError {
            message: error.to_string(),
            reason: None,
            is_short: false,
            may_pass: false,
        })?;
        let time_ns = (self.now_ms.load(SeqCst) * 1_000_000).max(state.head().time_ns + 1);
        let appended = state.append(time_ns, &[verified]).unwrap();
        audit::audit(&state).unwrap();
        appended.entry.results[0].accepted().cloned().map_err(LedgerError::refused)
    }

    pub(super) fn account(&self, key: &Keypair, amount: Amount) -> AccountId {
        self.done(Command::AccountOpen(AccountOpen::new(ASSET, "main")), key);
        let to = account_id(key.public(), ASSET, "main");
        if amount > Amount::ZERO {
            let issue = Issue { asset: ASSET, to, amount, reference: "test".into() };
            self.done(Command::Issue(issue), &super::bed::key(200));
        }
        to
    }

    pub(super) fn holds(&self, account: AccountId) -> Amount {
        self.state.lock().unwrap().account(account).unwrap().available()
    }

    pub(super) fn channel_now(&self, id: ChannelId) -> Channel {
        self.state.lock().unwrap().channel(id).unwrap().clone()
    }

    pub(super) fn channels_open(&self) -> Vec<Channel> {
        let state = self.state.lock().unwrap();
        state.channels().filter(|channel| channel.phase != ChannelPhase::Final).cloned().collect()
    }

    /// Waits for as long as the ledger is silent.
    async fn awake(&self) {
        while self.silent.load(SeqCst) {
            tokio::task::yield_now().await;
        }
    }

    fn refuses(&self, command: &Command) -> bool {
        let (Command::ChannelRedeem(redeem), Some(bad)) = (command, *self.bad_lane.lock().unwrap()) else {
            return false;
        };
        let lane = |claim: &Claim| Signed::<Voucher>::open_trusted(&claim.voucher).unwrap().body.lane;
        redeem.claims.iter().any(|claim| lane(claim) == bad)
    }
}

impl LedgerPort for TestLedger {
    fn ledger(&self) -> Digest {
        self.state.lock().unwrap().head().ledger
    }

    fn command(&self, command: Command, key: Arc<Keypair>) -> LedgerAnswer<'_, Acceptance> {
        let outcome = async move {
            self.awake().await;
            if self.away.load(SeqCst) {
                return Err(LedgerError { message: "away".into(), reason: None, is_short: false, may_pass: true });
            }
            self.commands.fetch_add(1, SeqCst);
            match self.refuses(&command) {
                true => Err(LedgerError::refused(Reason::ClaimMismatch)),
                false => self.act(command, &key),
            }
        };
        outcome.boxed()
    }

    fn channel(&self, id: ChannelId) -> LedgerAnswer<'_, Option<ChannelState>> {
        let state = async move {
            self.awake().await;
            self.questions.fetch_add(1, SeqCst);
            let found = self.state.lock().unwrap().channel(id).cloned();
            Ok(found.map(|channel| ChannelState {
                phase: channel.phase,
                terms: channel.terms,
                deposit: channel.deposit,
                redeemed: channel.redeemed,
            }))
        };
        state.boxed()
    }

    fn balance(&self, account: AccountId) -> LedgerAnswer<'_, Amount> {
        async move { Ok(self.holds(account)) }.boxed()
    }
}

/// Who was taken in a tender and for what, how many bids counted, and whether the agent's own did.
pub(super) type Heard = (Option<(PublicKey, Amount)>, usize, bool);

/// Answers every call with one byte.
pub(super) struct TestServe {
    /// What its receipts name.
    pub(super) children: AtomicUsize,
    pub(super) models: Mutex<Vec<ModelRun>>,
    /// Calls wait until this is free.
    pub(super) gate: tokio::sync::Mutex<()>,
    /// Calls that were let in.
    pub(super) begun: AtomicUsize,
    /// How long calls take, milliseconds, and how long they say that they took.
    pub(super) run_ms: AtomicU64,
    pub(super) run_ms_said: AtomicU64,
    /// What calls count.
    pub(super) items: AtomicU64,
    /// Calls answer with a fault of their own.
    pub(super) faults: AtomicBool,
    /// The price it names, or why it names none.
    pub(super) price: Mutex<Result<Amount, String>>,
    /// What it bids; none of its own where it bids what it asks.
    pub(super) bid: Mutex<Option<Result<Option<Amount>, String>>>,
    /// Who was taken in tenders that it heard of, with the number of bids, and whether its own counted.
    pub(super) told: Mutex<Vec<Heard>>,
}

impl TestServe {
    pub(super) fn new() -> Arc<TestServe> {
        Arc::new(TestServe {
            children: AtomicUsize::default(),
            models: Mutex::default(),
            gate: tokio::sync::Mutex::default(),
            begun: AtomicUsize::default(),
            run_ms: AtomicU64::default(),
            run_ms_said: AtomicU64::default(),
            items: AtomicU64::default(),
            faults: AtomicBool::default(),
            price: Mutex::new(Err("not for sale".into())),
            bid: Mutex::default(),
            told: Mutex::default(),
        })
    }
}

impl Serve for TestServe {
    fn check(&self, _: &str, _: &str, _: &[u8]) -> Result<(), String> {
        Ok(())
    }

    fn serve(&self, _: Job) -> BoxFuture<'_, Done> {
        let done = async {
            self.begun.fetch_add(1, SeqCst);
            drop(self.gate.lock().await);
            let children = (0..self.children.load(SeqCst)).map(|n| Digest::of(&n.to_le_bytes())).collect();
            tokio::time::sleep(std::time::Duration::from_millis(self.run_ms.load(SeqCst))).await;
            let answer = match self.faults.load(SeqCst) {
                true => hansa_host::Fault::Failed("it fails".into()).to_result(),
                false => minicbor::to_vec((0u8, ByteVec::from(b"x".to_vec()))).unwrap().into(),
            };
            let models = self.models.lock().unwrap().clone();
            let (run_ms, items) = (self.run_ms_said.load(SeqCst), self.items.load(SeqCst));
            Done { answer: Some(answer), children, models, run_ms, items, ..Done::default() }
        };
        done.boxed()
    }

    fn price(&self, _: Asked) -> BoxFuture<'_, Result<Amount, String>> {
        async { self.price.lock().unwrap().clone() }.boxed()
    }

    fn bid(&self, invited: Invited) -> BoxFuture<'_, Result<Option<Amount>, String>> {
        let bid = async move {
            drop(self.gate.lock().await);
            let own = self.bid.lock().unwrap().clone();
            match (own, invited.list) {
                (Some(own), _) => own,
                (None, Some(list)) => Ok(Some(list)),
                (None, None) => self.price(invited.asked).await.map(Some),
            }
        };
        bid.boxed()
    }

    fn told(&self, told: &Told<'_>) {
        self.told.lock().unwrap().push((told.winner, told.bids, told.counted));
    }
}

/// All parts.
pub(super) struct Bed {
    pub(super) now_ms: Arc<AtomicU64>,
    pub(super) ledger: Arc<TestLedger>,
    pub(super) exchange: Exchange,
    pub(super) serve: Arc<TestServe>,
    pub(super) seller: Seller,
    /// Where the seller is paid, and the buyers pay from.
    pub(super) payee: AccountId,
    pub(super) payer: AccountId,
    pub(super) offer: Offer,
    _server: TestServer,
    _folder: TempDir,
}

pub(super) const AGENT: u8 = 1;
pub(super) const BUYER: u8 = 2;

pub(super) async fn bed() -> Bed {
    let (server, folder) = (hansa_bus::testing::server().await, tempfile::tempdir().unwrap());
    let now_ms = Arc::new(AtomicU64::new(1_800_000_000_000));
    let ledger = Arc::new(TestLedger::new(now_ms.clone()));
    let (payee, payer) = (ledger.account(&key(AGENT), Amount::ZERO), ledger.account(&key(BUYER), FUNDS));
    let (clock, dice) = (now_ms.clone(), AtomicU64::new(1));
    let ambient = Ambient {
        now_ms: Arc::new(move || clock.load(SeqCst)),
        random: Arc::new(move |bytes| {
            let drawn = Digest::of(&dice.fetch_add(1, SeqCst).to_le_bytes());
            bytes.iter_mut().zip(drawn.0).for_each(|(byte, drawn)| *byte = drawn);
        }),
    };
    let books = Books::open(&folder.path().join("books.redb")).unwrap();
    let exchange = Exchange::new(server.bus().await, books, ledger.clone(), ambient);
    let serve = TestServe::new();
    let offer = offer(ledger.ledger(), payee);
    let seller = Seller::new(exchange.clone(), key(AGENT), std::slice::from_ref(&offer), serve.clone()).unwrap();
    Bed { now_ms, ledger, exchange, serve, seller, payee, payer, offer, _server: server, _folder: folder }
}

fn offer(ledger: Digest, account: AccountId) -> Offer {
    Offer {
        service: SERVICE.into(),
        functions: BTreeMap::from([("f".to_owned(), Price::per_call(PRICE))]),
        idempotent: vec![],
        component: Digest::of(b"component"),
        package: "p/q@1.0.0".into(),
        agent: key(AGENT).public(),
        account,
        node: key(AGENT).public(),
        node_name: "node".into(),
        ledger,
        asset: ASSET,
        labels: BTreeMap::new(),
        bounds: CallBounds { deadline_ms_max: 60_000, request_bytes_max: 1 << 20, concurrency: 64 },
        valid_until_ms: 0,
        revision: 0,
        free_calls: 0,
    }
}

impl Bed {
    pub(super) fn wait(&self, seconds: u64) {
        self.now_ms.fetch_add(seconds * 1000, SeqCst);
    }

    /// The seller's process ends and starts again; its books stay.
    pub(super) async fn restart_seller(&mut self) {
        self.exchange.books().flush().await;
        let offers = std::slice::from_ref(&self.offer);
        self.seller = Seller::new(self.exchange.clone(), key(AGENT), offers, self.serve.clone()).unwrap();
    }

    /// The buyer's key and account on another node, which has other books.
    pub(super) fn buyer_elsewhere(&self, folder: &TempDir) -> Buyer {
        let books = Books::open(&folder.path().join("books.redb")).unwrap();
        let exchange = Exchange::new(self.exchange.bus().clone(), books, self.ledger.clone(), self.exchange.ambient().clone());
        exchange.add_seller(self.seller.agent(), self.seller.clone());
        exchange.index().list(self.seller.renew(&self.offer).bytes(), exchange.now_ms()).unwrap();
        Buyer::new(exchange, Payer { account: self.payer, key: key(BUYER), asset: ASSET }).unwrap()
    }

    /// What the seller has on the ledger.
    pub(super) fn earned(&self) -> Amount {
        self.ledger.holds(self.payee)
    }

    /// A channel with room for a hundred calls.
    pub(super) fn hand(&self, nonce: u64) -> Hand {
        self.hand_of(BUYER, nonce)
    }

    /// The same for another buyer.
    pub(super) fn hand_of(&self, buyer: u8, nonce: u64) -> Hand {
        let payer = if buyer == BUYER { self.payer } else { self.ledger.account(&key(buyer), FUNDS) };
        let terms = ChannelTerms {
            ledger: self.ledger.ledger(),
            payer,
            payer_key: key(buyer).public(),
            payee: self.payee,
            payee_key: key(AGENT).public(),
            asset: ASSET,
            grace_s: 60,
            nonce,
            shares: vec![],
        };
        let open = ChannelOpen { terms: terms.clone(), deposit: PRICE.saturating_mul(100) };
        self.ledger.done(Command::ChannelOpen(open), &key(buyer));
        Hand { terms, key: key(buyer), debits: BTreeMap::new() }
    }

    /// A buyer as the product has it.
    pub(super) fn buyer(&self) -> Buyer {
        let payer = Payer { account: self.payer, key: key(BUYER), asset: ASSET };
        Buyer::new(self.exchange.clone(), payer).unwrap()
    }

    /// Buy one call.
    pub(super) async fn buy(&self, buyer: &Buyer) -> Result<Bought, hansa_host::Fault> {
        self.exchange.index().list(self.seller.renew(&self.offer).bytes(), self.exchange.now_ms()).unwrap();
        self.buy_listed(buyer).await
    }

    /// Buy one call of what is listed.
    pub(super) async fn buy_listed(&self, buyer: &Buyer) -> Result<Bought, hansa_host::Fault> {
        let (order, terms) = self.order();
        buyer.buy(&order, &terms, None).await
    }

    /// What is bought, and how.
    pub(super) fn order(&self) -> (Order, Terms) {
        let (labels, prefer) = (BTreeMap::new(), Prefer::Cheapest);
        let terms = Terms { max_price: PRICE, deadline_ms: 10_000, prefer, labels, sellers: None, nodes: None, retries: 0 };
        let order = Order { service: SERVICE.into(), function: "f".into(), args: vec![0x80].into(), fits: Arc::new(|_| Ok(())) };
        (order, terms)
    }

    /// The same for a task of its own.
    pub(super) fn pay_of(&self, request: PayRequest) -> impl Future<Output = PayReply> + use<> {
        let seller = self.seller.clone();
        async move { seller.pay(request).await }
    }

    /// Say something on the seller's `pay` endpoint.
    pub(super) async fn pay(&self, request: &PayRequest) -> PayReply {
        let reply = self.seller.pay_bytes(&minicbor::to_vec(request).unwrap()).await.unwrap();
        minicbor::decode(&reply).unwrap()
    }
}

/// A buyer who signs by hand, and does nothing that it is not told to.
pub(super) struct Hand {
    pub(super) terms: ChannelTerms,
    key: Arc<Keypair>,
    debits: BTreeMap<u32, LaneDebit>,
}

impl Hand {
    pub(super) fn id(&self) -> ChannelId {
        self.terms.id()
    }

    /// The next call on `lane`, with its voucher.
    pub(super) fn request(&mut self, bed: &Bed, lane: u32) -> (CallRequest, Voucher) {
        self.vouched(bed, lane, |request| request)
    }

    /// The same, changed before it is vouched for.
    pub(super) fn request_as(&mut self, bed: &Bed, lane: u32, change: impl FnOnce(CallRequest) -> CallRequest) -> CallRequest {
        self.vouched(bed, lane, change).0
    }

    fn vouched(&mut self, bed: &Bed, lane: u32, change: impl FnOnce(CallRequest) -> CallRequest) -> (CallRequest, Voucher) {
        let offer = bed.seller.renew(&bed.offer);
        let debit = self.debits.entry(lane).or_default();
        let request = CallRequest {
            call: Digest::of_parts("call", &[&self.terms.id().0, &lane.to_le_bytes(), &debit.seq.to_le_bytes()]),
            service: SERVICE.into(),
            function: "f".into(),
            args: vec![0x80].into(),
            deadline_ms: bed.now_ms.load(SeqCst) + 10_000,
            salt: vec![1; 16].into(),
            offer: offer.digest(),
            voucher: None,
            trace: None,
            quote: None,
            keep_s: None,
        };
        let mut request = change(request);
        let voucher = debit.next(&self.terms, self.terms.id(), lane, PRICE, Some((request.call, request.digest())));
        debit.signed(&voucher);
        request.voucher = Some(Signed::new(voucher.clone(), &self.key).bytes().to_vec().into());
        (request, voucher)
    }

    /// Buy one call on `lane`.
    pub(super) async fn call(&mut self, bed: &Bed, lane: u32) -> Signed<Receipt> {
        let (request, voucher) = self.request(bed, lane);
        let CallReply::Answered(_, Some(receipt)) = bed.seller.call(&request).await else { panic!("not answered") };
        let receipt = Signed::<Receipt>::open_trusted(&receipt).unwrap();
        let debit = self.debits.entry(lane).or_default();
        debit.check(&voucher, &receipt.body, PRICE).unwrap();
        debit.settle(&receipt.body, receipt.digest());
        receipt
    }

    /// Acknowledge the last receipt of `lane`.
    pub(super) async fn acknowledge(&mut self, bed: &Bed, lane: u32) {
        let debit = self.debits.get_mut(&lane).unwrap();
        let voucher = debit.next(&self.terms, self.terms.id(), lane, Amount::ZERO, None);
        debit.signed(&voucher);
        let signed = Signed::new(voucher, &self.key).bytes().to_vec().into();
        assert!(matches!(bed.pay(&PayRequest::Acknowledge(vec![signed])).await, PayReply::Taken(1)));
    }

    /// The buyer closes, without a word to the seller.
    pub(super) fn close_alone(&self, bed: &Bed) {
        bed.ledger.done(Command::ChannelClose(ChannelClose { channel: self.id(), at_once: false }), &self.key);
    }

    /// When the grace time is over.
    pub(super) fn finalize(&self, bed: &Bed) {
        bed.wait(61);
        bed.ledger.done(Command::ChannelFinalize(ChannelFinalize { channel: self.id() }), &self.key);
    }

    /// Buy and acknowledge.
    pub(super) async fn buy(&mut self, bed: &Bed, lane: u32) {
        self.call(bed, lane).await;
        self.acknowledge(bed, lane).await;
    }
}
