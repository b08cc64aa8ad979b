//! How much was bought lately. Only calls that were served count: asking for a price costs nothing, and who could raise the price by
//! asking could raise it for everybody.
//!
//! A call counts fully when it is served and fades evenly to nothing over [`WINDOW_MS`]. What is kept is how many there were in each
//! [`SLOT_MS`], so that demand follows from what happened and from the time alone, however often it is looked at.

use std::collections::BTreeMap;

/// How long a call counts, in milliseconds.
pub const WINDOW_MS: u64 = 600_000;
/// Calls of so many milliseconds are counted together.
pub const SLOT_MS: u64 = 10_000;

/// Calls that were served, by slot: slot `n` begins `n` times [`SLOT_MS`] after 1970.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Served(BTreeMap<u64, u32>);

impl Served {
    /// Reads what [`Served::kept`] wrote. Lines that are none are left out: a price too low does less harm than no price.
    #[must_use]
    pub fn read(text: &str) -> Served {
        let line = |line: &str| {
            let (slot, calls) = line.split_once(' ')?;
            Some((slot.parse().ok()?, calls.parse().ok()?))
        };
        Served(text.lines().filter_map(line).collect())
    }

    /// As it is kept in the store: a line for each slot, its number and its calls.
    #[must_use]
    pub fn kept(&self) -> String {
        self.0.iter().map(|(slot, calls)| format!("{slot} {calls}\n")).collect()
    }

    /// With one more call at `now_ms`, in milliseconds since 1970, and without what no longer counts.
    #[must_use]
    pub fn and_one(mut self, now_ms: u64) -> Served {
        self.0.retain(|slot, _| left_ms(*slot, now_ms) > 0);
        let calls = self.0.entry(now_ms / SLOT_MS).or_default();
        *calls = calls.saturating_add(1);
        self
    }

    /// Thousandths of calls that count at `now_ms`, in milliseconds since 1970.
    #[must_use]
    pub fn demand_milli(&self, now_ms: u64) -> u64 {
        let counts = |(slot, calls): (&u64, &u32)| u64::from(*calls) * 1_000 * left_ms(*slot, now_ms) / WINDOW_MS;
        self.0.iter().map(counts).fold(0, u64::saturating_add)
    }
}

/// How much longer a slot counts, in milliseconds. One that begins after `now_ms` does not count: the clock was set back.
fn left_ms(slot: u64, now_ms: u64) -> u64 {
    let age_ms = slot.checked_mul(SLOT_MS).and_then(|begun_ms| now_ms.checked_sub(begun_ms));
    age_ms.map_or(0, |age_ms| WINDOW_MS.saturating_sub(age_ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The beginning of a slot.
    const NOON: u64 = 1_800_000_000_000;

    fn served(calls: u32, at_ms: u64) -> Served {
        (0..calls).fold(Served::default(), |served, _| served.and_one(at_ms))
    }

    #[test]
    fn calls_fade_evenly_and_altogether() {
        let served = served(3, NOON);
        let demand = |after_ms| served.demand_milli(NOON + after_ms);
        assert_eq!((demand(0), demand(WINDOW_MS / 2), demand(WINDOW_MS - 1_000)), (3_000, 1_500, 5));
        assert_eq!((demand(WINDOW_MS), demand(u64::MAX - NOON)), (0, 0));
        for after_ms in (0..WINDOW_MS).step_by(777) {
            let step = demand(after_ms) - demand(after_ms + 777);
            assert!(step <= 4, "fell by {step} at once after {after_ms} ms");
        }
    }

    #[test]
    fn each_call_adds_the_same_whenever_it_is_looked_at() {
        let looked_at = served(2, NOON);
        for after_ms in 0..1_000 {
            assert!(looked_at.demand_milli(NOON + after_ms) <= 2_000);
        }
        let both = looked_at.and_one(NOON + 300_000);
        assert_eq!(both.demand_milli(NOON + 300_000), 1_000 + 1_000);
    }

    #[test]
    fn what_is_kept_stays_small_and_is_read_again() {
        let mut served = Served::default();
        for second in 0..7_200 {
            served = served.and_one(NOON + second * 1_000);
        }
        assert!(served.0.len() as u64 <= WINDOW_MS / SLOT_MS + 1, "{} slots", served.0.len());
        assert!(served.kept().len() < 2_000);
        assert_eq!(Served::read(&served.kept()), served);
        // Six hundred calls in ten minutes, half faded on average.
        assert!((295_000..=305_000).contains(&served.demand_milli(NOON + 7_199_000)));
    }

    #[test]
    fn broken_words_huge_numbers_and_clocks_set_back_do_no_harm() {
        assert_eq!(Served::read("nonsense\n1\n1 2 3\n-1 5\n5 99999999999"), Served::default());
        let huge: String = (0..100).map(|slot| format!("{slot} {}\n", u32::MAX)).collect();
        let huge = Served::read(&(huge + &format!("{} 7", u64::MAX)));
        assert!(huge.demand_milli(99 * SLOT_MS) > 1_000 * u64::from(u32::MAX));
        assert_eq!(huge.clone().and_one(99 * SLOT_MS).0[&99], u32::MAX);
        assert_eq!(huge.demand_milli(u64::MAX), 0);
        let ahead = served(5, NOON);
        assert_eq!(ahead.demand_milli(NOON - 60_000), 0);
        assert_eq!(ahead.and_one(NOON - 60_000), served(1, NOON - 60_000));
    }
}
