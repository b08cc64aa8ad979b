//! What a business paid within a time: one line for each call that cost something, and sums of them.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::str::FromStr;

use hansa_economy::{Amount, Digest, PublicKey};
use serde::Serialize;

use crate::report::{Report, Step};

/// A call that was paid for.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Paid {
    /// When it was answered, Unix milliseconds.
    pub at_ms: u64,
    /// The run.
    pub run: String,
    /// Its workflow.
    pub workflow: String,
    /// The version.
    pub version: String,
    /// The run's labels.
    pub labels: BTreeMap<String, String>,
    /// The step, without numbers of items: `rows/read`; of what undoes one, `undo/rows/read`.
    pub step: String,
    /// The place in the run: `rows#2/read`.
    pub place: String,
    /// Who was paid.
    pub seller: Option<PublicKey>,
    /// What that ran, as `acme/reader@1.0.0`.
    pub package: String,
    /// What was charged, credits.
    pub charged: Amount,
    /// What may have been charged beyond that: the answer never came, and it counts. Credits.
    pub at_risk: Amount,
    /// The receipt; none where the answer never came.
    pub receipt: Option<Digest>,
}

/// The paid calls of a run that were answered in a time, in their order.
pub fn paid(report: &Report, is_within: impl Fn(u64) -> bool) -> Vec<Paid> {
    let facts = &report.facts;
    let line = |step: &Step| {
        let attempt = step.attempts.last();
        Paid {
            at_ms: step.ended_ms.unwrap_or(step.since_ms),
            run: facts.run.clone(),
            workflow: facts.workflow.clone(),
            version: facts.version.clone(),
            labels: facts.labels.clone(),
            step: step.pattern(),
            place: step.path.clone(),
            seller: attempt.and_then(|attempt| attempt.seller),
            package: attempt.and_then(|attempt| attempt.package.clone()).unwrap_or_default(),
            charged: step.charged,
            at_risk: step.at_risk,
            receipt: step.receipt,
        }
    };
    let costs = report.steps.iter().filter(|step| step.charged.0 > 0 || step.at_risk.0 > 0);
    let mut lines: Vec<Paid> = costs.map(line).filter(|paid| is_within(paid.at_ms)).collect();
    lines.sort_by_key(|paid| paid.at_ms);
    lines
}

/// By what is summed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum By {
    /// The workflow.
    Workflow,
    /// The run.
    Run,
    /// The workflow's step.
    Step,
    /// The seller's key.
    Seller,
    /// What the seller runs.
    Package,
    /// The value of a label.
    Label(String),
}

/// What nothing can be summed by.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is nothing to sum by; take workflow, run, step, seller, package, or label:NAME, as label:customer")]
pub struct ByError(String);

impl FromStr for By {
    type Err = ByError;

    fn from_str(text: &str) -> Result<By, ByError> {
        Ok(match text {
            "workflow" => By::Workflow,
            "run" => By::Run,
            "step" => By::Step,
            "seller" => By::Seller,
            "package" => By::Package,
            _ => match text.strip_prefix("label:") {
                Some(name) if !name.is_empty() => By::Label(name.to_owned()),
                _ => return Err(ByError(text.to_owned())),
            },
        })
    }
}

/// Several paid calls.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Sum {
    /// What they have in common; `-` where they lack the label.
    pub name: String,
    /// Runs that they belong to.
    pub runs: usize,
    /// How many.
    pub calls: usize,
    /// What was charged, credits.
    pub charged: Amount,
    /// What may have been charged beyond that, credits.
    pub at_risk: Amount,
}

/// Sums, the largest first.
pub fn sums(lines: &[Paid], by: &By) -> Vec<Sum> {
    let mut sums: BTreeMap<String, (Sum, BTreeSet<&str>)> = BTreeMap::new();
    for paid in lines {
        let name = name(paid, by);
        let (sum, runs) = sums.entry(name.clone()).or_insert_with(|| (Sum { name, ..Sum::default() }, BTreeSet::new()));
        runs.insert(&paid.run);
        sum.calls += 1;
        sum.charged = sum.charged.saturating_add(paid.charged);
        sum.at_risk = sum.at_risk.saturating_add(paid.at_risk);
    }
    let mut sums: Vec<Sum> = sums.into_values().map(|(sum, runs)| Sum { runs: runs.len(), ..sum }).collect();
    sums.sort_by_key(|sum| std::cmp::Reverse(sum.charged.saturating_add(sum.at_risk)));
    sums
}

fn name(paid: &Paid, by: &By) -> String {
    match by {
        By::Workflow => paid.workflow.clone(),
        By::Run => paid.run.clone(),
        By::Step => format!("{} {}", paid.workflow, paid.step),
        By::Seller => paid.seller.map_or_else(|| "-".to_owned(), |seller| seller.to_string()),
        By::Package => paid.package.clone(),
        By::Label(label) => paid.labels.get(label).cloned().unwrap_or_else(|| "-".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(run: &str, step: &str, customer: Option<&str>, charged: u128) -> Paid {
        Paid {
            at_ms: 5,
            run: run.into(),
            workflow: "a/b".into(),
            version: "1.0.0".into(),
            labels: customer.map(|customer| ("customer".to_owned(), customer.to_owned())).into_iter().collect(),
            step: step.into(),
            place: step.into(),
            seller: Some(PublicKey([charged as u8; 32])),
            package: "s/s@1.0.0".into(),
            charged: Amount(charged),
            at_risk: Amount::ZERO,
            receipt: None,
        }
    }

    #[test]
    fn sums_are_of_what_is_alike() {
        let lines = [call("r1", "x", Some("acme"), 3), call("r2", "x", Some("acme"), 4), call("r2", "y", None, 9)];
        let told = |by: &str| {
            let sums = sums(&lines, &by.parse().unwrap());
            sums.iter()
                .map(|sum| format!("{} {} {} {}", sum.name, sum.runs, sum.calls, sum.charged.0))
                .collect::<Vec<_>>()
                .join(", ")
        };
        for (by, wanted) in [
            ("workflow", "a/b 2 3 16"),
            ("run", "r2 1 2 13, r1 1 1 3"),
            ("step", "a/b y 1 1 9, a/b x 2 2 7"),
            ("package", "s/s@1.0.0 2 3 16"),
            ("label:customer", "- 1 1 9, acme 2 2 7"),
            ("label:region", "- 2 3 16"),
        ] {
            assert_eq!(told(by), wanted, "{by}");
        }
        assert_eq!(sums(&lines, &By::Seller).len(), 3);
        for by in ["label:", "labels", ""] {
            assert!(by.parse::<By>().is_err(), "{by}");
        }
    }
}
