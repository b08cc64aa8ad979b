//! A node's place in the market: what its buyers and sellers share.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, RwLock};

use hansa_bus::Bus;
use hansa_economy::{Digest, PublicKey, Signed, receipt::Receipt};

use crate::books::{Books, BooksError};
use crate::index::OfferIndex;
use crate::limits::DISTRUST;
use crate::port::{Ambient, LedgerPort};
use crate::proof::Heads;
use crate::seller::Seller;

/// What buyers and sellers of one node share. Cheap to clone.
#[derive(Clone)]
pub struct Exchange {
    inner: Arc<Inner>,
}

struct Inner {
    bus: Bus,
    index: OfferIndex,
    books: Books,
    ledger: Arc<dyn LedgerPort>,
    ambient: Ambient,
    local: RwLock<HashMap<PublicKey, Seller>>,
    distrusted: Mutex<HashMap<PublicKey, u64>>,
    heads: Heads,
}

impl Exchange {
    /// Put the parts together.
    pub fn new(bus: Bus, books: Books, ledger: Arc<dyn LedgerPort>, ambient: Ambient) -> Exchange {
        let inner = Inner {
            bus,
            index: OfferIndex::default(),
            books,
            ledger,
            ambient,
            local: RwLock::default(),
            distrusted: Mutex::default(),
            heads: Heads::default(),
        };
        Exchange { inner: Arc::new(inner) }
    }

    /// The offers known here.
    pub fn index(&self) -> &OfferIndex {
        &self.inner.index
    }

    /// The bus.
    pub fn bus(&self) -> &Bus {
        &self.inner.bus
    }

    /// The ledger.
    pub fn ledger(&self) -> &Arc<dyn LedgerPort> {
        &self.inner.ledger
    }

    /// The trade books.
    pub fn books(&self) -> &Books {
        &self.inner.books
    }

    /// Unix time in milliseconds.
    pub fn now_ms(&self) -> u64 {
        (self.inner.ambient.now_ms)()
    }

    pub(crate) fn heads(&self) -> &Heads {
        &self.inner.heads
    }

    pub(crate) fn ambient(&self) -> &Ambient {
        &self.inner.ambient
    }

    /// A verified receipt from this node's own books.
    pub fn receipt(&self, digest: Digest) -> Result<Option<Signed<Receipt>>, BooksError> {
        let bytes = self.inner.books.receipt(digest)?;
        bytes.map(|bytes| Signed::open_trusted(&bytes).map_err(|error| BooksError::Damaged(error.to_string()))).transpose()
    }

    pub(crate) fn seller_here(&self, agent: &PublicKey) -> Option<Seller> {
        self.inner.local.read().expect("no panic while sellers are locked").get(agent).cloned()
    }

    pub(crate) fn add_seller(&self, agent: PublicKey, seller: Seller) {
        self.inner.local.write().expect("no panic while sellers are locked").insert(agent, seller);
    }

    /// Forget a local seller that stopped.
    pub fn remove_seller(&self, agent: &PublicKey) {
        self.inner.local.write().expect("no panic while sellers are locked").remove(agent);
    }

    /// A seller broke its word (a wrong signature, an overcharge, rubbish): leave it aside for a while.
    pub(crate) fn distrust(&self, seller: PublicKey) {
        let until = self.now_ms() + DISTRUST.as_millis() as u64;
        self.inner.distrusted.lock().expect("no panic while this is locked").insert(seller, until);
    }

    pub(crate) fn is_distrusted(&self, seller: &PublicKey) -> bool {
        let now = self.now_ms();
        let mut distrusted = self.inner.distrusted.lock().expect("no panic while this is locked");
        distrusted.retain(|_, until| *until > now);
        distrusted.contains_key(seller)
    }
}

/// The token that names an agent in subjects: its key in base58, without the `did:key:` prefix.
pub fn subject_token(agent: &PublicKey) -> String {
    agent.to_string().trim_start_matches("did:key:").to_owned()
}

/// Where an agent takes calls.
pub fn call_subject(agent: &PublicKey) -> String {
    format!("hansa.call.{}", subject_token(agent))
}

/// Where an agent takes acknowledgements and wishes to close.
pub fn pay_subject(agent: &PublicKey) -> String {
    format!("hansa.pay.{}", subject_token(agent))
}
