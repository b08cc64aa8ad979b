//! The meter and the price card: integers that the request alone fixes, whatever the load.

/// Price of a model version in micro-units of the ledger's currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
pub struct Rates {
    /// Per call.
    #[serde(default)]
    pub per_request: u64,
    /// Per 1,000 input units.
    #[serde(default)]
    pub per_1k_input: u64,
    /// Per 1,000 output units.
    #[serde(default)]
    pub per_1k_output: u64,
}

impl Rates {
    /// What a call of these units costs in micro-units, rounded up per kind of unit.
    pub fn cost(&self, input_units: u64, output_units: u64) -> u64 {
        let part = |rate: u64, units: u64| (u128::from(rate) * u128::from(units)).div_ceil(1000);
        let total = u128::from(self.per_request) + part(self.per_1k_input, input_units) + part(self.per_1k_output, output_units);
        u64::try_from(total).unwrap_or(u64::MAX)
    }
}

/// What one call used, measured by the host; a guest can never write it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Calls; 1.
    pub requests: u32,
    /// Tokens after truncation and without padding (text), 1,024 elements or part thereof (tensors), examples (bytes).
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
        let rates = Rates { per_request: 10, per_1k_input: 400, per_1k_output: 0 };
        assert_eq!((rates.cost(0, 0), rates.cost(1, 0), rates.cost(1000, 7), rates.cost(1001, 0)), (10, 11, 410, 411));
        assert_eq!(Rates { per_1k_input: u64::MAX, ..rates }.cost(u64::MAX, 0), u64::MAX);
    }
}
