//! What a journal says, folded: of each step, what is known of it. A run that is taken up again goes through its file anew, and finds here what was done.

use std::collections::{BTreeMap, HashMap, VecDeque};

use hansa_economy::{Amount, Digest, PublicKey};
use serde_json::Value;

use super::entry::{Answered, Attempted, Awaited, Change, Ending, Entry, Started};

/// All that is known of a run.
#[derive(Debug, Default)]
pub struct History {
    /// What began it; none: the journal is empty.
    pub started: Option<Box<Started>>,
    /// When, Unix milliseconds.
    pub started_ms: u64,
    /// What was set aside on the ledger.
    pub held: Option<Amount>,
    /// Parts of it that moved to the account that pays: how many, and their sum.
    pub drawn: (u32, Amount),
    /// Somebody wants its end: why, and whether nothing shall be undone.
    pub cancelled: Option<(String, bool)>,
    /// It is being undone: why.
    pub undoing: Option<String>,
    /// Nothing new is bought: why.
    pub paused: Option<String>,
    /// How it ended.
    pub ended: Option<(Ending, Option<Value>, Option<String>, Amount)>,
    /// What was left is free again.
    pub settled: Option<Amount>,
    pub(super) signals: HashMap<String, VecDeque<Value>>,
    pub(super) steps: HashMap<String, Past>,
    /// How many changes there were.
    changes: u64,
    /// The place of each answer in their order.
    pub(super) orders: HashMap<String, u64>,
    /// What each step has cost, by its place.
    costs: BTreeMap<String, Cost>,
}

/// What a step has cost, or may cost.
#[derive(Clone, Copy, Debug, Default)]
struct Cost {
    charged: Amount,
    reserved: Amount,
}

/// What is known of one step.
#[derive(Debug, Default)]
pub(super) struct Past {
    pub(super) outcome: Option<Outcome>,
    /// Who gave it.
    pub(super) seller: Option<PublicKey>,
    pub(super) attempt: Option<PastAttempt>,
    /// Attempts that failed since it was last let go on.
    pub(super) failures: u32,
    pub(super) began_ms: Option<u64>,
    pub(super) chose: Option<u32>,
    pub(super) opened: Option<(u32, Digest)>,
    pub(super) nested: Option<String>,
    pub(super) awaits: Option<Awaited>,
    pub(super) decided: Option<Decision>,
    /// It waits for somebody to let it go on.
    pub(super) paused: bool,
}

/// How a step ended.
#[derive(Clone, Debug)]
pub(super) enum Outcome {
    /// With a value.
    Value(Value),
    /// For good; it may be the item's alone.
    Broke { what: String, is_item: bool },
}

/// The last attempt of a step.
#[derive(Clone, Debug)]
pub(super) struct PastAttempt {
    pub(super) begun: Attempted,
    /// It has failed for certain.
    pub(super) is_over: bool,
    /// When the next one, or its repeat, is due.
    pub(super) again_ms: u64,
}

/// What a person said.
#[derive(Clone, Debug)]
pub(super) struct Decision {
    pub(super) approved: bool,
    pub(super) by: String,
    pub(super) note: Option<String>,
}

impl History {
    /// The journal's next entry.
    pub fn add(&mut self, entry: Entry) {
        for change in entry.changes {
            self.change(change, entry.at_ms);
        }
    }

    /// Spent and set aside by a step and all within it; by all steps where it has no name.
    pub(super) fn cost(&self, step: &str) -> (Amount, Amount) {
        let within = |name: &&String| {
            let rest = name.strip_prefix(step).unwrap_or_default();
            step.is_empty() || rest.is_empty() || rest.starts_with(['/', '#', '.', '~'])
        };
        let from = self.costs.range(step.to_owned()..).take_while(|(name, _)| name.starts_with(step));
        from.filter(|(name, _)| within(name)).fold((Amount::ZERO, Amount::ZERO), |sum, (_, cost)| {
            (sum.0.saturating_add(cost.charged), sum.1.saturating_add(cost.reserved))
        })
    }

    /// What it has spent, what is at risk among it.
    pub fn spent(&self) -> Amount {
        self.cost("").0
    }

    /// What is known of a step; it is asked for once.
    pub(super) fn take(&mut self, step: &str) -> Past {
        self.steps.remove(step).unwrap_or_default()
    }

    fn past(&mut self, step: &str) -> &mut Past {
        self.steps.entry(step.to_owned()).or_default()
    }

    fn change(&mut self, change: Change, at_ms: u64) {
        self.changes += 1;
        match change {
            Change::Started(started) => (self.started, self.started_ms) = (Some(started), at_ms),
            Change::Taken { .. } => {}
            Change::Held { amount } => self.held = Some(amount),
            Change::Drawn { nth, amount } => self.drawn = (nth, self.drawn.1.saturating_add(amount)),
            Change::Attempted(begun) => self.attempted(begun),
            Change::Answered(answered) => self.answered(answered),
            Change::Missed { step, again_ms, .. } => self.missed(&step, again_ms),
            Change::Unclear { step, again_ms, .. } => self.unclear(&step, again_ms),
            Change::Given { step, value } => {
                let past = self.past(&step);
                past.outcome = Some(Outcome::Value(value));
                // It was a signal that it waited for: that one is gone.
                if let Some(Awaited::Signal { name, .. }) = past.awaits.clone() {
                    self.signals.get_mut(&name).map(VecDeque::pop_front);
                }
            }
            Change::Chose { step, case } => self.past(&step).chose = Some(case),
            Change::Opened { step, items, list } => self.past(&step).opened = Some((items, list)),
            Change::Nested { step, file } => self.past(&step).nested = Some(file),
            Change::Began { step } => self.past(&step).began_ms = Some(at_ms),
            Change::Awaits { step, awaited } => self.past(&step).awaits = Some(awaited),
            Change::Signalled { name, payload, .. } => self.signals.entry(name).or_default().push_back(payload),
            Change::Decided { step, approved, by, note } => self.past(&step).decided = Some(Decision { approved, by, note }),
            Change::Broke { step, what, at_risk, is_item } => self.broke(&step, Outcome::Broke { what, is_item }, at_risk),
            Change::Paused { step: Some(step), .. } => self.past(&step).paused = true,
            Change::Paused { step: None, why } => self.paused = Some(why),
            Change::Resumed { .. } => self.resumed(),
            Change::Cancelled { why, at_once, .. } => self.cancelled = Some((why, at_once)),
            Change::Undoing { why } => self.undoing = Some(why),
            Change::Ended { how, output, what, spent } => self.ended = Some((how, output, what, spent)),
            Change::Settled { returned } => self.settled = Some(returned),
        }
    }

    fn attempted(&mut self, begun: Attempted) {
        self.costs.entry(begun.step.clone()).or_default().reserved = begun.price_max;
        let past = self.past(&begun.step);
        past.attempt = Some(PastAttempt { again_ms: begun.until_ms, begun, is_over: false });
    }

    fn answered(&mut self, answered: Answered) {
        let Answered { step, value, charged, .. } = answered;
        let cost = self.costs.entry(step.clone()).or_default();
        *cost = Cost { charged: cost.charged.saturating_add(charged), reserved: Amount::ZERO };
        self.orders.insert(step.clone(), self.changes);
        let past = self.past(&step);
        past.seller = past.attempt.take().map(|attempt| attempt.begun.seller);
        past.outcome = Some(Outcome::Value(value));
    }

    fn missed(&mut self, step: &str, again_ms: u64) {
        if let Some(cost) = self.costs.get_mut(step) {
            cost.reserved = Amount::ZERO;
        }
        let past = self.past(step);
        past.failures += 1;
        if let Some(attempt) = &mut past.attempt {
            (attempt.is_over, attempt.again_ms) = (true, again_ms);
        }
    }

    fn unclear(&mut self, step: &str, again_ms: u64) {
        let past = self.past(step);
        past.failures += 1;
        if let Some(attempt) = &mut past.attempt {
            attempt.again_ms = again_ms;
        }
    }

    fn broke(&mut self, step: &str, outcome: Outcome, at_risk: Amount) {
        if let Some(cost) = self.costs.get_mut(step) {
            *cost = Cost { charged: cost.charged.saturating_add(at_risk), reserved: Amount::ZERO };
        }
        self.past(step).outcome = Some(outcome);
    }

    fn resumed(&mut self) {
        self.paused = None;
        for past in self.steps.values_mut().filter(|past| past.paused) {
            (past.paused, past.failures) = (false, 0);
        }
    }
}
