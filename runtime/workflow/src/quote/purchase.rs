//! One call of a step: who can be asked under its terms, who would be, and what that costs.

use std::collections::HashMap;
use std::rc::Rc;

use hansa_economy::{Amount, PublicKey};
use serde_json::Value as Json;

use super::cost::{Cost, Count};
use crate::market::{Known, Listing, Market};
use crate::run::{PlanCall, Wanted, best};

/// A call, with the offers that meet its terms.
pub(super) struct Desk {
    pub(super) wanted: Wanted,
    /// Best first.
    pub(super) fitting: Rc<Vec<Listing>>,
    /// Is anything known of who sells it?
    pub(super) is_known: bool,
    /// The least that one answered call costs.
    pub(super) least: Amount,
    /// It undoes another one.
    pub(super) undoes: bool,
    /// From how many sellers it is bought.
    sellers: usize,
    /// How many of them must answer.
    min: usize,
}

/// What buying it once comes to.
pub(super) struct Bill {
    pub(super) calls: Count,
    pub(super) cost: Cost,
    /// See [`super::part::Part::needs`].
    pub(super) needs: Amount,
    /// Which of the fitting offers are chosen; none where too few are known.
    pub(super) chosen: Vec<usize>,
    /// The fitting offers, at their prices for this call.
    pub(super) offers: Rc<Vec<Listing>>,
}

/// What one seller takes for one call, by whichever of its offers.
#[derive(Clone, Copy)]
struct Asked {
    least: Amount,
    needed: Amount,
    most: Amount,
}

impl Desk {
    pub(super) fn new(call: &PlanCall, undoes: bool, market: &dyn Market) -> Desk {
        let wanted = (*call.wanted).clone();
        let (fitting, is_known) = match market.offers(&wanted) {
            Known::Yes(offers) => (offers.into_iter().filter(|offer| offer.fits(&wanted)).collect(), true),
            Known::No => (Vec::new(), false),
        };
        let least = fitting.iter().map(Listing::least).min().unwrap_or(Amount::ZERO);
        let (sellers, min) = call.call.ask.as_ref().map_or((1, 1), |ask| (ask.sellers as usize, ask.min as usize));
        Desk { wanted, fitting: Rc::new(fitting), is_known, least, undoes, sellers, min }
    }

    /// Buying it once, where the budgets around have `room` left, with these arguments where they are known.
    pub(super) fn bill(&self, room: Amount, args: Option<&Json>, market: &dyn Market) -> Bill {
        let offers = self.priced(args, market);
        let asked = self.asked(&offers);
        if asked.len() < self.min {
            return self.unknown();
        }
        let sellers = self.sellers.min(asked.len());
        let chosen = self.choose(&offers, sellers, room);
        let likely = chosen.iter().map(|nth| offers[*nth].exact()).sum::<Option<Total>>();
        let least = sum(asked.iter().map(|asked| asked.least), sellers, false);
        let most = sum(asked.iter().map(|asked| asked.most), sellers, true);
        let needed = asked.iter().map(|asked| asked.needed).min().unwrap_or_default();
        let before = sum(asked.iter().map(|asked| asked.least), sellers - 1, false);
        Bill {
            calls: Count::exactly(sellers as u64),
            cost: Cost::between(least, likely.map(|total| total.0), most),
            needs: before.saturating_add(needed),
            chosen,
            offers,
        }
    }

    /// The fitting offers, at their prices for these arguments.
    fn priced(&self, args: Option<&Json>, market: &dyn Market) -> Rc<Vec<Listing>> {
        let Some(priced) = args.and_then(|args| market.priced(&self.wanted, args)) else { return self.fitting.clone() };
        let same = |offer: &Listing, other: &&Listing| (offer.seller, &offer.package) == (other.seller, &other.package);
        let of = |offer: &Listing| priced.iter().find(|other| same(offer, other)).unwrap_or(offer).clone();
        Rc::new(self.fitting.iter().map(of).collect())
    }

    /// Nobody is known who would answer; somebody may come.
    fn unknown(&self) -> Bill {
        let most = self.wanted.terms.max_price.unwrap_or(Amount::MAX).saturating_mul(self.sellers as u128);
        Bill {
            calls: Count::exactly(self.sellers as u64),
            cost: Cost::between(Amount::ZERO, None, most),
            needs: Amount::ZERO,
            chosen: Vec::new(),
            offers: self.fitting.clone(),
        }
    }

    /// One for each seller.
    fn asked(&self, offers: &[Listing]) -> Vec<Asked> {
        let mut asked: HashMap<PublicKey, Asked> = HashMap::new();
        for offer in offers {
            let one = Asked { least: offer.least(), needed: offer.needed(), most: offer.most(&self.wanted) };
            let all = asked.entry(offer.seller).or_insert(one);
            *all = Asked { least: all.least.min(one.least), needed: all.needed.min(one.needed), most: all.most.max(one.most) };
        }
        asked.into_values().collect()
    }

    /// As a run chooses, each after the other.
    fn choose(&self, offers: &[Listing], sellers: usize, mut room: Amount) -> Vec<usize> {
        let mut chosen: Vec<usize> = Vec::new();
        let price = |nth: usize| offers[nth].most(&self.wanted);
        while chosen.len() < sellers {
            let is_free = |nth: &usize| chosen.iter().all(|taken| offers[*taken].seller != offers[*nth].seller);
            let Some(next) = best((0..offers.len()).filter(is_free).collect(), price, room) else { break };
            room = room.saturating_sub(price(next));
            chosen.push(next);
        }
        chosen
    }
}

/// The sum of so many of them, the largest or the smallest ones.
fn sum(amounts: impl Iterator<Item = Amount>, count: usize, largest: bool) -> Amount {
    let mut amounts: Vec<Amount> = amounts.collect();
    amounts.sort_unstable();
    if largest {
        amounts.reverse();
    }
    amounts.into_iter().take(count).fold(Amount::ZERO, Amount::saturating_add)
}

/// A sum that saturates.
struct Total(Amount);

impl std::iter::Sum<Amount> for Total {
    fn sum<I: Iterator<Item = Amount>>(amounts: I) -> Total {
        Total(amounts.fold(Amount::ZERO, Amount::saturating_add))
    }
}
