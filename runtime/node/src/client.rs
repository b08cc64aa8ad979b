//! Somebody who only buys: a key, an account, trade books of their own, and a connection to the bus. No node needed.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hansa_bus::{Bus, BusOptions};
use hansa_economy::channel::AccountId;
use hansa_economy::receipt::Receipt;
use hansa_economy::{Amount, Digest, Keypair, PublicKey, Signed};
use hansa_trade::{Books, BooksError, Bought, Buyer, Candidate, Exchange, Listed, Order, Payer, Prefer, Tendered, Terms};

use crate::catalogue::CatalogueLink;
use crate::codes::Coded;
use crate::ledger::{CREDITS, LedgerLink, LinkPort};
use crate::node::{COMPONENT_SUBJECT, NodeError, RECEIPT_SUBJECT, offers_bucket, watch_offers};
use crate::{ambient, keys};

/// Label of a buyer's account.
const ACCOUNT_LABEL: &str = "main";
/// How long a receipt may take to come from another node.
const RECEIPT_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a component may take to come from its node.
const COMPONENT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a command waits until another one that buys from the same account is done.
const BOOKS_WAIT: Duration = Duration::from_secs(30);
/// How long to wait for the first offers.
const OFFERS_WAIT: Duration = Duration::from_secs(2);

/// A buyer at work.
pub struct Client {
    exchange: Exchange,
    buyer: Buyer,
    port: LinkPort,
    key: Arc<Keypair>,
    account: AccountId,
    watch: tokio::task::JoinHandle<()>,
}

/// The books of one who buys from a terminal. Another command may have them open for as long as its call or tender takes.
async fn books(path: &Path) -> Result<Books, NodeError> {
    let waited = tokio::time::Instant::now();
    loop {
        match Books::open(path) {
            Err(BooksError::InUse(_)) if waited.elapsed() < BOOKS_WAIT => tokio::time::sleep(Duration::from_millis(50)).await,
            Err(BooksError::InUse(_)) => {
                return Err(NodeError("another command of yours is buying from this account; try again when it is done".into()));
            }
            opened => return opened.map_err(failed),
        }
    }
}

fn failed(error: impl std::fmt::Display) -> NodeError {
    NodeError(error.to_string())
}

impl Client {
    /// Connect to the bus at `url` with the key and books in `folder` (made if they are not there). The account is opened
    /// on the ledger; it is empty until somebody funds it.
    pub async fn connect(url: &str, folder: &Path) -> Result<Client, NodeError> {
        let key = Arc::new(keys::load_or_make(&folder.join("account.key")).map_err(failed)?);
        let bus = Bus::connect(BusOptions { name: "hansa client".into(), ..BusOptions::at(url) })
            .await
            .map_err(|error| NodeError(error.coded()))?;
        let port = LinkPort::new(LedgerLink::find(&bus).await.map_err(|error| NodeError(error.coded()))?);
        let account = port.open_account(CREDITS, ACCOUNT_LABEL, &key).await.map_err(failed)?;
        let books = books(&folder.join("trade.redb")).await?;
        let exchange = Exchange::new(bus.clone(), books, Arc::new(port.clone()), ambient::ambient());
        let watch = tokio::spawn(watch_offers(offers_bucket(&bus).await?, exchange.clone()));
        let payer = Payer { account, key: key.clone(), asset: CREDITS };
        let buyer = Buyer::new(exchange.clone(), payer).map_err(failed)?;
        Ok(Client { exchange, buyer, port, key, account, watch })
    }

    /// The account that pays.
    pub fn account(&self) -> AccountId {
        self.account
    }

    /// The key that signs.
    pub fn key(&self) -> &Keypair {
        &self.key
    }

    /// The ledger.
    pub fn ledger(&self) -> &LinkPort {
        &self.port
    }

    /// The market.
    pub fn exchange(&self) -> &Exchange {
        &self.exchange
    }

    /// What the account can spend.
    pub async fn balance(&self) -> Result<Amount, NodeError> {
        let account = self.port.link().account(self.account).await.map_err(failed)?;
        Ok(account.map(|account| account.available()).unwrap_or_default())
    }

    /// All offers whose service contains `text`; waits a moment for the first to arrive.
    pub async fn offers(&self, text: &str) -> Vec<Arc<Listed>> {
        let started = tokio::time::Instant::now();
        loop {
            let all = self.exchange.index().all(self.exchange.now_ms());
            let found: Vec<_> = all.into_iter().filter(|listed| matches(&listed.offer, text)).collect();
            if !found.is_empty() || started.elapsed() > OFFERS_WAIT {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    }

    /// Buy one call under these limits. `args`: CBOR array of the arguments.
    pub async fn call(
        &self,
        service: &str,
        function: &str,
        args: Vec<u8>,
        max_price: Amount,
        deadline_ms: u32,
    ) -> Result<Bought, hansa_host::Fault> {
        let (order, terms) = Self::order(service, function, args, max_price, deadline_ms);
        self.buyer.buy(&order, &terms, None).await
    }

    /// What one call would cost, at each seller that can be bought from, best first. `args`: CBOR array of the arguments.
    pub async fn quote(
        &self,
        service: &str,
        function: &str,
        args: Vec<u8>,
        max_price: Amount,
        deadline_ms: u32,
    ) -> Result<Vec<Candidate>, hansa_host::Fault> {
        let (order, terms) = Self::order(service, function, args, max_price, deadline_ms);
        self.buyer.quote(&order, &terms).await
    }

    /// Put an [`Client::order`] out to its sellers, and wait so long for their sealed bids.
    /// See [`Buyer::tender`].
    pub async fn tender(&self, order: &Order, terms: &Terms, wait: Duration) -> Result<Tendered, hansa_host::Fault> {
        self.buyer.tender(order, terms, wait).await
    }

    /// Buy what was put out, by the best bid.
    pub async fn buy_by(&self, order: &Order, terms: &Terms, tendered: &Tendered) -> Result<Bought, hansa_host::Fault> {
        self.buyer.buy_by(order, terms, tendered, None).await
    }

    /// See [`Buyer::conclude`].
    pub async fn conclude(&self, tendered: &Tendered, winner: Option<PublicKey>) {
        self.buyer.conclude(tendered, winner).await;
    }

    /// One call and the limits of its purchase; at most three further sellers are tried. `args`: CBOR array of the arguments.
    pub fn order(service: &str, function: &str, args: Vec<u8>, max_price: Amount, deadline_ms: u32) -> (Order, Terms) {
        let terms = Terms {
            max_price,
            deadline_ms,
            prefer: Prefer::Cheapest,
            labels: BTreeMap::new(),
            sellers: None,
            nodes: None,
            retries: 3,
        };
        let (service, function) = (service.to_owned(), function.to_owned());
        (Order { service, function, args: args.into(), fits: Arc::new(|_| Ok(())) }, terms)
    }

    /// A verified receipt: from our own books, or from whoever on the bus has it.
    pub async fn receipt(&self, digest: Digest) -> Result<Option<Signed<Receipt>>, NodeError> {
        if let Some(receipt) = self.exchange.receipt(digest).map_err(failed)? {
            return Ok(Some(receipt));
        }
        let payload = digest.0.to_vec().into();
        let Ok(bytes) = self.exchange.bus().request(RECEIPT_SUBJECT, payload, RECEIPT_TIMEOUT).await else {
            return Ok(None);
        };
        match Digest::of(&bytes) == digest {
            true => Signed::open(&bytes).map(Some).map_err(failed),
            false => Err(NodeError(format!("a node answered with another receipt than {digest}"))),
        }
    }

    /// The component named by `digest`, from whoever on the bus has it; what comes is checked against the name.
    pub async fn component(&self, digest: Digest) -> Result<Vec<u8>, NodeError> {
        let asked = self.exchange.bus().request(COMPONENT_SUBJECT, digest.0.to_vec().into(), COMPONENT_TIMEOUT).await;
        let bytes =
            asked.map_err(|error| NodeError(format!("the component {} cannot be had from its node: {error}", digest.short())))?;
        if bytes.is_empty() {
            let link = CatalogueLink::new(self.exchange.bus()).map_err(failed)?;
            let cannot =
                |error| NodeError(format!("the component {} cannot be had from the bus's store: {error}", digest.short()));
            return link.component(digest).await.map_err(cannot);
        }
        match Digest::of(&bytes) == digest {
            true => Ok(bytes.to_vec()),
            false => Err(NodeError(format!("a node answered with another component than {digest}"))),
        }
    }

    /// Acknowledge what was received, so that sellers can collect it, and write everything down.
    pub async fn settle(&self) {
        self.buyer.acknowledge().await;
        self.exchange.books().flush().await;
    }

    /// Acknowledge, then close all channels so that what is left of their deposits returns. Returns how many.
    pub async fn close(&self) -> usize {
        let closed = self.buyer.close_channels().await;
        self.exchange.books().flush().await;
        closed
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.watch.abort();
    }
}

fn matches(offer: &hansa_economy::offer::Offer, text: &str) -> bool {
    let words = [&offer.service, &offer.package, &offer.node_name];
    words.into_iter().any(|word| word.contains(text)) || offer.functions.keys().any(|name| name.contains(text))
}
