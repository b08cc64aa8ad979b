//! Reports of runs, made up and real.

mod journal;
mod real;

use hansa_economy::{Amount, Digest, PublicKey};
use serde_json::{Value, json};

use super::*;
use crate::run::{Answered, Attempted, Awaited, Change, Ending, Entry, Started, VERSION};

/// When made-up journals begin, Unix milliseconds.
const BEGIN_MS: u64 = 1_800_000_000_000;

/// A run's journal, written by hand: an entry for each change, a second after the one before.
struct Journal {
    report: Report,
    at_ms: u64,
    engine: &'static str,
}

impl Journal {
    fn begin(file: &str) -> Journal {
        let mut journal = Journal { report: Report::new("run-1"), at_ms: BEGIN_MS - 1_000, engine: "a" };
        journal.add([started(file)]);
        journal
    }

    /// One entry.
    fn add<const N: usize>(&mut self, changes: [Change; N]) -> &mut Journal {
        self.at_ms += 1_000;
        let (id, engine) = ("x".to_owned(), self.engine.to_owned());
        self.report.add(&Entry { version: VERSION, id, at_ms: self.at_ms, engine, changes: changes.to_vec() });
        self
    }

    fn state(&self, path: &str) -> Option<StepState> {
        self.report.step(path).map(|step| step.state)
    }
}

fn started(file: &str) -> Change {
    Change::Started(Box::new(Started {
        file: file.to_owned(),
        input: serde_json::Map::from_iter([("x".to_owned(), json!(1))]),
        labels: std::collections::BTreeMap::from([("customer".to_owned(), "acme".to_owned())]),
        budget: Amount(50_000),
        secret: "very secret".into(),
        by: "a test".into(),
        from: None,
    }))
}

fn attempted(step: &str, nth: u32, seller: u8, price_max: u128) -> Change {
    let (until_ms, spent) = (BEGIN_MS + 60_000, Amount::ZERO);
    let (seller, package) = (PublicKey([seller; 32]), format!("seller/{seller}@1.0.0"));
    let (step, price_max, args) = (step.to_owned(), Amount(price_max), Digest::default());
    Change::Attempted(Attempted { step, nth, seller, package, price_max, until_ms, args, spent })
}

fn answered(step: &str, nth: u32, value: Value, charged: u128) -> Change {
    let receipt = Some(Digest::of(step.as_bytes()));
    Change::Answered(Answered { step: step.to_owned(), nth, value, charged: Amount(charged), receipt })
}

fn missed(step: &str, nth: u32, fault: &str) -> Change {
    Change::Missed { step: step.into(), nth, fault: fault.into(), again_ms: BEGIN_MS + 30_000 }
}

fn unclear(step: &str, nth: u32, fault: &str) -> Change {
    Change::Unclear { step: step.into(), nth, fault: fault.into(), again_ms: BEGIN_MS + 30_000 }
}

fn given(step: &str, value: Value) -> Change {
    Change::Given { step: step.into(), value }
}

fn broke(step: &str, what: &str, at_risk: u128) -> Change {
    Change::Broke { step: step.into(), what: what.into(), at_risk: Amount(at_risk), is_item: false }
}

fn opened(step: &str, items: u32) -> Change {
    Change::Opened { step: step.into(), items, list: Digest::default() }
}

fn ended(how: Ending, spent: u128) -> Change {
    Change::Ended { how, output: Some(json!(null)), what: None, spent: Amount(spent) }
}
