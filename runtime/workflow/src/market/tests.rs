//! A market in memory, for tests.

use super::*;

/// Offers of each function by its name alone, and files.
#[derive(Default)]
pub(crate) struct Stalls {
    pub(crate) offers: BTreeMap<String, Vec<Listing>>,
    pub(crate) files: BTreeMap<String, String>,
}

/// An offer of seller `n` on node `n`, at so much each.
pub(crate) fn fixed(n: u8, price: u128) -> Listing {
    up_to(n, price, price)
}

/// The same at a price between two.
pub(crate) fn up_to(n: u8, least: u128, most: u128) -> Listing {
    Listing {
        seller: PublicKey([n; 32]),
        package: format!("shop/s{n}@1.0.0"),
        node: PublicKey([100 + n; 32]),
        node_name: format!("node{n}"),
        labels: BTreeMap::from([("region".to_owned(), vec![if n.is_multiple_of(2) { "us" } else { "eu" }.to_owned()])]),
        price_min: Amount(least),
        price_needed: Amount(most),
        price_max: Amount(most),
        is_quoted: false,
        free_calls: 0,
    }
}

impl Stalls {
    pub(crate) fn with(mut self, function: &str, offers: &[Listing]) -> Stalls {
        self.offers.insert(function.to_owned(), offers.to_vec());
        self
    }

    pub(crate) fn file(mut self, name: &str, file: &str) -> Stalls {
        self.files.insert(name.to_owned(), file.to_owned());
        self
    }
}

impl Market for Stalls {
    fn offers(&self, wanted: &Wanted) -> Known<Vec<Listing>> {
        let mut offers = self.offers.get(&wanted.function).cloned().unwrap_or_default();
        offers.sort_by_key(|offer| offer.price_max);
        Known::Yes(offers)
    }

    /// A unit for each letter of the arguments, where the function's name says so.
    fn priced(&self, wanted: &Wanted, args: &serde_json::Value) -> Option<Vec<Listing>> {
        let mut offers = match self.offers(wanted) {
            Known::Yes(offers) if wanted.function == "by-size" => offers,
            _ => return None,
        };
        let price = Amount(args.to_string().len() as u128);
        offers.iter_mut().for_each(|offer| (offer.price_min, offer.price_needed, offer.price_max) = (price, price, price));
        Some(offers)
    }

    fn workflow(&self, name: &str) -> Known<Option<String>> {
        Known::Yes(self.files.get(name).cloned())
    }
}
