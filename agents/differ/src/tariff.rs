//! The price of a comparison: its size, times a factor that follows demand. Sums are in the smallest unit of the asset.
//!
//! The factor doubles with every [`DOUBLES_AFTER`] calls that count (see [`crate::demand`]), so that each call makes the next about
//! as much dearer as the one before did, by a twentieth to a tenth of the last doubling. It begins at one, the floor, ends at
//! [`CEILING`], and comes back by itself: after ten idle minutes the price is the floor again.

/// A call, of whatever size, without demand.
pub const BASE: u64 = 200;
/// Each begun KiB of the arguments, in JSON, without demand.
pub const PER_KIB: u64 = 20;
/// Calls after which the price has doubled.
pub const DOUBLES_AFTER: u64 = 20;
/// The most that demand multiplies a price by.
pub const CEILING: u64 = 4;
/// What no call ever costs more than: `max` of `price.compare` in `agent.toml`. The node would refuse a higher one.
pub const MAX: u64 = 50_000;

/// What a comparison costs whose arguments have so many bytes as JSON, while so many thousandths of calls count. Rounded up.
#[must_use]
pub fn price(request_bytes: usize, demand_milli: u64) -> u64 {
    let kib = u64::try_from(request_bytes.div_ceil(1024)).unwrap_or(u64::MAX);
    let floor = BASE.saturating_add(PER_KIB.saturating_mul(kib));
    // MAX ends what lies above it before the multiplication could overflow.
    (floor.min(MAX) * factor_milli(demand_milli)).div_ceil(1_000).min(MAX)
}

/// Thousandths: from 1,000 to 1,000 times [`CEILING`]. Straight between two doublings, so that there is no jump and no float.
fn factor_milli(demand_milli: u64) -> u64 {
    let step = DOUBLES_AFTER * 1_000;
    let doublings = demand_milli / step;
    if doublings >= u64::from(CEILING.ilog2()) {
        return CEILING * 1_000;
    }
    let doubled = 1_000 << doublings;
    doubled + doubled * (demand_milli % step) / step
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demand::{Served, WINDOW_MS};

    const NOON: u64 = 1_800_000_000_000;

    #[test]
    fn the_most_is_the_one_in_agent_toml() {
        let manifest = include_str!("../agent.toml");
        assert!(
            manifest.contains(&format!("price.compare = {{ quoted = true, max = \"0.{:02}\" }}", MAX / 10_000)),
            "{manifest}"
        );
        assert!(CEILING.is_power_of_two());
    }

    #[test]
    fn it_doubles_with_demand_between_floor_and_ceiling() {
        let floor = BASE + PER_KIB;
        let dear = |calls: u64| price(100, calls * 1_000);
        assert_eq!((dear(0), dear(1), dear(10), dear(20), dear(40)), (floor, 231, 330, 2 * floor, 4 * floor));
        assert_eq!((dear(41), price(100, u64::MAX)), (4 * floor, 4 * floor));
    }

    #[test]
    fn it_rises_with_demand_and_size_without_jumps() {
        for bytes in [0, 1, 1_024, 70_000, 3 << 20] {
            for demand_milli in (0..60_000).step_by(10) {
                let (now, next) = (price(bytes, demand_milli), price(bytes, demand_milli + 10));
                assert!(now <= next && next <= now + now / 500 + 1, "{now} {next} at {demand_milli}");
                assert!(price(bytes + 1_024, demand_milli) >= now);
            }
        }
    }

    #[test]
    fn it_never_overflows_nor_passes_the_most() {
        for bytes in [0, 512 << 10, 2_500 << 10, usize::MAX] {
            for demand_milli in [0, 1, 19_999, 20_000, 39_999, 40_000, u64::MAX] {
                assert!((BASE..=MAX).contains(&price(bytes, demand_milli)));
            }
        }
        assert_eq!(price(usize::MAX, 0), MAX);
        // The two largest texts are below it at the floor, and at the ceiling too.
        assert!(price(514 << 10, u64::MAX) < MAX);
    }

    #[test]
    fn calls_make_it_dearer_questions_do_not_and_idleness_ends_it() {
        let mut served = Served::default();
        let mut last = 0;
        for call in 0..60 {
            let now_ms = NOON + call * 100;
            let named: Vec<u64> = (0..1_000).map(|_| price(100, served.demand_milli(now_ms))).collect();
            assert!(named.iter().all(|price| *price == named[0]), "asking moved it");
            assert!(named[0] >= last, "it fell under calls");
            last = named[0];
            served = served.and_one(now_ms);
        }
        assert_eq!(last, CEILING * (BASE + PER_KIB));
        let end_ms = NOON + 6_000;
        let idle: Vec<u64> = (0..=600).map(|second| price(100, served.demand_milli(end_ms + second * 1_000))).collect();
        assert!(idle.windows(2).all(|pair| pair[1] <= pair[0]), "it rose while idle");
        assert_eq!(price(100, served.demand_milli(end_ms + WINDOW_MS)), BASE + PER_KIB);
    }
}
