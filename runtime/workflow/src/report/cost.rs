//! What a run cost, by who was paid for what.

use std::collections::{BTreeSet, HashMap};

use hansa_economy::{Amount, PublicKey};
use serde::Serialize;

/// Calls, and what they cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Cost {
    /// Calls that were answered.
    pub calls: u64,
    /// Attempts that failed.
    pub failed: u64,
    /// What was charged.
    pub charged: Amount,
    /// What may have been charged beyond that, and counts as if it had.
    pub at_risk: Amount,
}

/// The same cost, split in several ways.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Costs {
    /// By step, summed over items, rounds and sellers that are asked the same: `rows/read`. What undoes a step stands apart, as `undo/rows/read`. In the order of the first call.
    pub by_step: Vec<StepCost>,
    /// By seller, in the order of the first call.
    pub by_seller: Vec<SellerCost>,
    /// By label: the whole run for each that it is marked with, a customer for example.
    pub by_label: Vec<LabelCost>,
    #[serde(skip)]
    steps: HashMap<String, usize>,
    #[serde(skip)]
    sellers: HashMap<PublicKey, usize>,
}

/// The cost of a step.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct StepCost {
    /// The step.
    pub step: String,
    /// Its cost.
    #[serde(flatten)]
    pub cost: Cost,
}

/// What went to a seller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct SellerCost {
    /// Its key.
    pub seller: PublicKey,
    /// What it ran, as `acme/reader@1.0.0`.
    pub packages: BTreeSet<String>,
    /// Its cost.
    #[serde(flatten)]
    pub cost: Cost,
}

/// The cost of a label.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct LabelCost {
    /// Its name, as `customer`.
    pub label: String,
    /// Its value, as `acme`.
    pub value: String,
    /// The cost.
    #[serde(flatten)]
    pub cost: Cost,
}

impl Cost {
    /// Charged and at risk.
    pub fn total(&self) -> Amount {
        self.charged.saturating_add(self.at_risk)
    }

    fn add(&mut self, other: &Cost) {
        self.calls += other.calls;
        self.failed += other.failed;
        self.charged = self.charged.saturating_add(other.charged);
        self.at_risk = self.at_risk.saturating_add(other.at_risk);
    }
}

impl Costs {
    pub(super) fn label(&mut self, label: &str, value: &str) {
        self.by_label.push(LabelCost { label: label.to_owned(), value: value.to_owned(), cost: Cost::default() });
    }

    pub(super) fn add(&mut self, step: String, seller: Option<(PublicKey, &str)>, cost: &Cost) {
        let nth = *self.steps.entry(step).or_insert_with_key(|step| {
            self.by_step.push(StepCost { step: step.clone(), cost: Cost::default() });
            self.by_step.len() - 1
        });
        self.by_step[nth].cost.add(cost);
        if let Some((seller, package)) = seller {
            let nth = *self.sellers.entry(seller).or_insert_with(|| {
                self.by_seller.push(SellerCost { seller, packages: BTreeSet::new(), cost: Cost::default() });
                self.by_seller.len() - 1
            });
            let known = &mut self.by_seller[nth];
            if !known.packages.contains(package) {
                known.packages.insert(package.to_owned());
            }
            known.cost.add(cost);
        }
        self.by_label.iter_mut().for_each(|label| label.cost.add(cost));
    }

    /// Of the whole run.
    pub fn total(&self) -> Cost {
        let mut total = Cost::default();
        self.by_step.iter().for_each(|step| total.add(&step.cost));
        total
    }
}
