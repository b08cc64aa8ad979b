//! Under which terms a step buys, how it is tried again, and what its failure means.

use std::collections::BTreeMap;
use std::time::Duration;

use hansa_catalogue::units::Span;
use hansa_economy::{Amount, PublicKey};

use super::fields::{Fields, Problems};
use crate::limits::{ATTEMPTS_MAX, CALL_TIME_MAX, NODES_NAMED_MAX, TIME_MAX};
use crate::yaml::Node;

/// Terms of calls; what is left out is said further out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Terms {
    /// The most that one call may cost.
    pub max_price: Option<Amount>,
    /// The longest that one call may take.
    pub deadline: Option<Duration>,
    /// How to choose.
    pub prefer: Option<Prefer>,
    /// Only these sellers.
    pub sellers: Option<Vec<PublicKey>>,
    /// Only sellers on these nodes.
    pub nodes: Option<Vec<PublicKey>>,
    /// Labels that an offer must have.
    pub labels: BTreeMap<String, String>,
}

/// How to choose among offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prefer {
    /// The lowest price.
    Cheapest,
    /// The lowest latency.
    Fastest,
}

/// How a step is tried again after a failure that may pass.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Retry {
    /// Attempts in all, the first included.
    pub max_attempts: u32,
    /// How long is waited between them.
    pub backoff: Backoff,
    /// What then.
    pub on_exhausted: OnExhausted,
}

/// Waits between attempts: from `initial` on, each `coefficient` times the one before, `max` at most.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Backoff {
    /// The first.
    pub initial: Duration,
    /// In hundredths: 200 doubles.
    pub coefficient_percent: u32,
    /// The longest.
    pub max: Duration,
}

/// What happens when a step has used up its attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnExhausted {
    /// The run pauses until somebody lets it go on.
    Pause,
    /// The step fails.
    Fail,
}

/// What an item's failure means for the step that it is of, and for the run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnError {
    /// The item's place is null, and the rest goes on.
    Item,
    /// The step fails, and the run goes on with null in its place.
    Step,
    /// The run fails.
    #[default]
    Run,
}

impl Prefer {
    /// As the file writes them.
    pub(crate) const ALL: [(&str, Prefer); 2] = [("cheapest", Prefer::Cheapest), ("fastest", Prefer::Fastest)];
}

impl OnExhausted {
    /// As the file writes them.
    pub(crate) const ALL: [(&str, OnExhausted); 2] = [("pause", OnExhausted::Pause), ("fail", OnExhausted::Fail)];
}

impl Default for Retry {
    fn default() -> Retry {
        Retry {
            max_attempts: 5,
            backoff: Backoff { initial: Duration::from_secs(1), coefficient_percent: 200, max: Duration::from_secs(60) },
            on_exhausted: OnExhausted::Pause,
        }
    }
}

impl Terms {
    pub(super) fn read(node: &Node, problems: &mut Problems) -> Terms {
        let mut fields = Fields::of(node, "terms, a map", problems);
        let terms = Terms {
            max_price: fields.get("max-price").and_then(|node| problems.parsed(node, "amount")),
            deadline: fields.get("deadline").and_then(|node| span(node, CALL_TIME_MAX, problems)),
            prefer: fields.get("prefer").and_then(|node| choice(node, &Prefer::ALL, problems)),
            sellers: fields.get("sellers").map(|node| {
                let keys = problems.list(node, "a list of agents' keys");
                keys.iter().filter_map(|key| problems.parsed(key, "key")).collect()
            }),
            nodes: fields.get("nodes").map(|node| nodes(node, problems)),
            labels: fields.get("labels").map(|node| labels(node, problems)).unwrap_or_default(),
        };
        fields.done(problems);
        terms
    }
}

/// Keys of nodes, at least one.
pub(super) fn nodes(node: &Node, problems: &mut Problems) -> Vec<PublicKey> {
    let keys = problems.list(node, "a list of nodes' keys, as `did:key:z6Mk…`");
    if matches!(node.kind, crate::yaml::Kind::List(_)) && !(1..=NODES_NAMED_MAX).contains(&keys.len()) {
        problems.add(node.place, format!("{} nodes are named here; 1 to {NODES_NAMED_MAX} can be", keys.len()));
    }
    keys.iter().filter_map(|key| problems.parsed(key, "key")).collect()
}

pub(super) fn labels(node: &Node, problems: &mut Problems) -> BTreeMap<String, String> {
    let entries = problems.map(node, "labels, a map of names to texts");
    let text = |entry: &crate::yaml::Entry| Some((entry.key.clone(), problems.text(&entry.value, "a text")?.to_owned()));
    entries.iter().filter_map(text).collect()
}

impl Retry {
    pub(super) fn read(node: &Node, problems: &mut Problems) -> Retry {
        let mut fields = Fields::of(node, "a retry policy, a map", problems);
        let usual = Retry::default();
        let time = |key, fields: &mut Fields<'_>, problems: &mut Problems| {
            fields.get(key).and_then(|node| span(node, TIME_MAX, problems))
        };
        let initial = time("initial-interval", &mut fields, problems).unwrap_or(usual.backoff.initial);
        let max = time("max-interval", &mut fields, problems).unwrap_or(usual.backoff.max.max(initial));
        let coefficient = fields.get("backoff-coefficient").and_then(|node| coefficient(node, problems));
        let attempts = fields.get("max-attempts").and_then(|node| problems.count(node, 1, ATTEMPTS_MAX));
        let on_exhausted = fields.get("on-exhausted").and_then(|node| choice(node, &OnExhausted::ALL, problems));
        fields.done(problems);
        Retry {
            max_attempts: attempts.unwrap_or(usual.max_attempts),
            backoff: Backoff { initial, max, coefficient_percent: coefficient.unwrap_or(usual.backoff.coefficient_percent) },
            on_exhausted: on_exhausted.unwrap_or(usual.on_exhausted),
        }
    }
}

impl Backoff {
    /// How long is waited after attempt `nth`, from 1.
    pub fn after(&self, nth: u32) -> Duration {
        let mut wait = self.initial;
        for _ in 1..nth {
            if wait >= self.max {
                break;
            }
            wait = wait.saturating_mul(self.coefficient_percent) / 100;
        }
        wait.min(self.max)
    }
}

impl OnError {
    /// As the file writes them.
    pub(crate) const ALL: [(&str, OnError); 3] = [("item", OnError::Item), ("step", OnError::Step), ("run", OnError::Run)];

    pub(super) fn read(node: &Node, problems: &mut Problems) -> Option<OnError> {
        choice(node, &OnError::ALL, problems)
    }
}

/// `2` or `1.5`, in hundredths.
fn coefficient(node: &Node, problems: &mut Problems) -> Option<u32> {
    let number: f64 = problems.parsed(node, "number")?;
    if !(1.0..=100.0).contains(&number) {
        problems.add(node.place, "a coefficient is from 1 to 100");
        return None;
    }
    // In bounds, so that nothing is cut.
    Some((number * 100.0).round() as u32)
}

/// A time span above zero.
pub(super) fn span(node: &Node, most: Duration, problems: &mut Problems) -> Option<Duration> {
    let Span(span) = problems.parsed(node, "time span")?;
    match !span.is_zero() && span <= most {
        true => Some(span),
        false => {
            problems.add(node.place, format!("a time span here is above zero and at most {} s", most.as_secs()));
            None
        }
    }
}

/// One of some words.
pub(super) fn choice<T: Copy>(node: &Node, words: &[(&str, T)], problems: &mut Problems) -> Option<T> {
    let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
    let known = known.join("`, `");
    let text = problems.text(node, &format!("one of `{known}`"))?;
    let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
    if found.is_none() {
        problems.add(node.place, format!("`{text}` is not known here; one of `{known}`"));
    }
    found
}
