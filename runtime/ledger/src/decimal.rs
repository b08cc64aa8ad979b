//! Amounts as decimal text with the places of their asset, and balances with a sign. Exact: no float, no rounding.

use std::fmt;

/// `units` of an asset with `scale` decimal places: `12.500000`; without a point where it has none.
pub(crate) fn decimal(units: u128, scale: u8) -> String {
    let places = usize::from(scale);
    if places == 0 {
        return units.to_string();
    }
    let digits = format!("{units:0>width$}", width = places + 1);
    let (whole, fraction) = digits.split_at(digits.len() - places);
    format!("{whole}.{fraction}")
}

/// What two totals come to: posted credits less posted debits. Kept as both, since the difference has a sign and each may
/// take all of 128 bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Net {
    pub(crate) credits: u128,
    pub(crate) debits: u128,
}

impl Net {
    /// With `units` more on the credit side; none where that overflows, which the ledger's rules exclude.
    pub(crate) fn credit(self, units: u128) -> Option<Net> {
        Some(Net { credits: self.credits.checked_add(units)?, ..self })
    }

    /// With `units` more on the debit side; none where that overflows.
    pub(crate) fn debit(self, units: u128) -> Option<Net> {
        Some(Net { debits: self.debits.checked_add(units)?, ..self })
    }

    /// As its holder sees it: credits are positive.
    pub(crate) fn text(self, scale: u8) -> NetText {
        NetText { negative: self.debits > self.credits, digits: decimal(self.credits.abs_diff(self.debits), scale) }
    }

    /// As the operator's books see it: debits are positive.
    pub(crate) fn books(self, scale: u8) -> NetText {
        Net { credits: self.debits, debits: self.credits }.text(scale)
    }
}

/// A signed decimal. Zero has no sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NetText {
    negative: bool,
    digits: String,
}

impl fmt::Display for NetText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad_integral(!self.negative, "", &self.digits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_follow_the_scale() {
        assert_eq!(decimal(12_500_000, 6), "12.500000");
        assert_eq!(decimal(1, 6), "0.000001");
        assert_eq!(decimal(0, 2), "0.00");
        assert_eq!(decimal(42, 0), "42");
        assert_eq!(decimal(u128::MAX, 18), "340282366920938463463.374607431768211455");
    }

    #[test]
    fn both_sides_may_be_full() {
        let net = Net { credits: u128::MAX, debits: 0 };
        assert_eq!(net.text(0).to_string(), u128::MAX.to_string());
        assert_eq!(net.books(0).to_string(), format!("-{}", u128::MAX));
        assert_eq!(net.credit(1), None);
        let even = net.debit(u128::MAX).unwrap();
        assert_eq!((even.text(2).to_string(), even.books(2).to_string()), ("0.00".into(), "0.00".into()));
        assert_eq!(format!("{:+}", net.debit(1).unwrap().text(0)), format!("+{}", u128::MAX - 1));
    }
}
