//! The meter and the price card: integers that the request alone fixes, whatever the load.

use crate::limits::PRIORITIES;

/// Price of a model version in micro-units of the ledger's currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rates {
    /// Per call.
    #[serde(alias = "per-request")]
    pub per_request: u64,
    /// Per 1,000 input units.
    #[serde(alias = "per-1k-input")]
    pub per_1k_input: u64,
    /// Per 1,000 output units.
    #[serde(alias = "per-1k-output")]
    pub per_1k_output: u64,
    /// Percent of these that a request of each priority costs, 0 = interactive to 3 = batch. Its share of a busy model grows
    /// alike. 1 to 10,000; default 100 for all.
    #[serde(alias = "priority-percent")]
    pub priority_percent: [u32; PRIORITIES],
}

impl Default for Rates {
    fn default() -> Self {
        Self { per_request: 0, per_1k_input: 0, per_1k_output: 0, priority_percent: [100; PRIORITIES] }
    }
}

impl Rates {
    /// What a call of these units costs in micro-units, rounded up per kind of unit.
    pub fn cost(&self, input_units: u64, output_units: u64) -> u64 {
        let part = |rate: u64, units: u64| (u128::from(rate) * u128::from(units)).div_ceil(1000);
        let total = u128::from(self.per_request) + part(self.per_1k_input, input_units) + part(self.per_1k_output, output_units);
        u64::try_from(total).unwrap_or(u64::MAX)
    }

    /// The rates of requests of this priority, each rounded up.
    pub fn at(&self, priority: u8) -> Self {
        let percent = u128::from(self.percent(priority));
        let scaled = |rate: u64| u64::try_from((u128::from(rate) * percent).div_ceil(100)).unwrap_or(u64::MAX);
        Self {
            per_request: scaled(self.per_request),
            per_1k_input: scaled(self.per_1k_input),
            per_1k_output: scaled(self.per_1k_output),
            priority_percent: [100; PRIORITIES],
        }
    }

    /// By how much the tenant's turn is put off for `units` of this priority: who pays double, waits half.
    pub(crate) fn weight(&self, priority: u8, units: u64) -> u64 {
        (units.saturating_mul(100) / u64::from(self.percent(priority))).max(1)
    }

    fn percent(&self, priority: u8) -> u32 {
        self.priority_percent[usize::from(priority).min(PRIORITIES - 1)].max(1)
    }

    /// Refuses what would be free or absurd by priority.
    pub(crate) fn check(&self) -> Result<(), String> {
        match self.priority_percent.iter().find(|percent| !(1..=10_000).contains(*percent)) {
            Some(percent) => Err(format!("`priority_percent` of [price] holds `{percent}`; each must be 1 to 10000")),
            None => Ok(()),
        }
    }
}

/// What one call used, measured by the host; a guest can never write it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Calls; 1.
    pub requests: u32,
    /// Tokens after truncation and without padding (models of text, tensors for them too), examples (bytes), 1,024 elements or
    /// part thereof (other tensors).
    pub input_units: u64,
    /// Generated tokens; 0 for what does not generate.
    pub output_units: u64,
    /// Time on the device for this call's rows, in microseconds. The operator's cost, not the buyer's price.
    pub device_us: u64,
    /// From admission to the first row's start, in microseconds.
    pub queue_us: u64,
    /// Rows in the largest run that carried a row of this call.
    pub batch_rows: u32,
    /// Price in micro-units, by the model's [`Rates`].
    pub cost: u64,
}

#[cfg(test)]
mod tests {
    use super::Rates;

    #[test]
    fn parts_are_rounded_up_and_never_overflow() {
        let rates = Rates { per_request: 10, per_1k_input: 400, ..Rates::default() };
        assert_eq!((rates.cost(0, 0), rates.cost(1, 0), rates.cost(1000, 7), rates.cost(1001, 0)), (10, 11, 410, 411));
        assert_eq!(Rates { per_1k_input: u64::MAX, ..rates }.cost(u64::MAX, 0), u64::MAX);
    }

    #[test]
    fn priority_has_its_price_and_its_share() {
        let rates = Rates { per_request: 3, per_1k_input: 400, priority_percent: [250, 100, 50, 1], ..Rates::default() };
        assert_eq!([0, 1, 2, 3, 9].map(|priority| rates.at(priority).cost(1000, 0)), [1008, 403, 202, 5, 5]);
        assert_eq!([0, 1, 2].map(|priority| rates.weight(priority, 1000)), [400, 1000, 2000]);
        assert!(rates.check().is_ok());
        assert!(Rates { priority_percent: [100, 0, 100, 100], ..rates }.check().unwrap_err().contains("`0`"));
    }
}
