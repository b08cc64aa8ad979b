//! The bids of a tender that an agent put out: its purchases go by them, and whoever bid hears once how it ended.

use std::sync::atomic::{AtomicBool, Ordering};

use hansa_economy::PublicKey;
use hansa_trade::{Buyer, Order, Tendered};

/// Tells the bidders that nobody was bought from, unless somebody was before it goes.
pub(super) struct Award {
    buyer: Buyer,
    pub(super) order: Order,
    pub(super) tendered: Tendered,
    told: AtomicBool,
}

impl Award {
    pub(super) fn new(buyer: Buyer, order: Order, tendered: Tendered) -> Award {
        Award { buyer, order, tendered, told: AtomicBool::default() }
    }

    /// The first purchase by these bids was from `seller`.
    pub(super) fn taken(&self, seller: PublicKey) {
        self.tell(Some(seller));
    }

    fn tell(&self, winner: Option<PublicKey>) {
        if self.told.swap(true, Ordering::Relaxed) {
            return;
        }
        // A node that ends has nobody left to tell with.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        let (buyer, tendered) = (self.buyer.clone(), self.tendered.clone());
        runtime.spawn(async move { buyer.conclude(&tendered, winner).await });
    }
}

impl Drop for Award {
    fn drop(&mut self) {
        self.tell(None);
    }
}
