//! How much one digest may cost, so that the desk earns more than it spends. Sums are in the smallest unit of the asset.

/// What a reader pays for a digest: `price.latest` of `agent.toml`.
pub const FEE: u64 = 2_000;
/// What a digest may lose: the desk's own stake, until readers come.
pub const STAKE: u64 = 6_000;
/// What the account keeps in any case.
pub const RESERVE: u64 = 2_000;
/// Of what readers paid, this share goes into the next digest, in tenths.
const SHARE_TENTHS: u64 = 7;

/// What the next digest may cost: a share of what `readers` have paid since the last one, and the stake; within what the account
/// and the day's limit leave.
pub fn budget(readers: u64, available: u64, left_today: u64) -> u64 {
    let earned = readers.saturating_mul(FEE);
    let wished = STAKE.saturating_add(earned / 10 * SHARE_TENTHS);
    wished.min(available.saturating_sub(RESERVE)).min(left_today)
}

/// What one story may cost so that the budget serves all `stories`, but never less than a purchase usually takes.
pub fn per_story(budget: u64, stories: u64, usual: u64) -> u64 {
    (budget / stories.max(1)).max(usual).min(budget)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fee_is_the_one_in_agent_toml() {
        let manifest = include_str!("../agent.toml");
        assert!(manifest.contains(&format!("price.latest = \"0.{:03}\"", FEE / 1000)), "{manifest}");
    }

    #[test]
    fn it_spends_what_readers_paid_and_a_stake_and_never_its_reserve() {
        assert_eq!(budget(0, 1_000_000, 1_000_000), STAKE);
        assert_eq!(budget(10, 1_000_000, 1_000_000), STAKE + 14_000);
        assert_eq!(budget(10, 1_000_000, 5), 5);
        assert_eq!(budget(10, RESERVE, 1_000_000), 0);
        assert_eq!(
            budget(u64::MAX, u64::MAX, u64::MAX),
            STAKE + u64::MAX / 10 * SHARE_TENTHS,
            "more readers than can be counted"
        );
        for readers in 1..1000 {
            assert!(budget(readers, u64::MAX, u64::MAX) <= readers * FEE + STAKE);
        }
    }

    #[test]
    fn the_budget_is_shared() {
        assert_eq!(per_story(9_000, 3, 1_000), 3_000);
        assert_eq!(per_story(9_000, 30, 1_000), 1_000);
        assert_eq!(per_story(500, 3, 1_000), 500);
        assert_eq!(per_story(9_000, 0, 1_000), 9_000);
    }
}
