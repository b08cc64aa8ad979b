//! What all nodes of a business know of a run: enough to list it, and to see who has it.

use std::collections::{BTreeMap, BTreeSet};

use hansa_economy::Amount;
use hansa_workflow::run::{Change, Ending, Entry};
use serde::{Deserialize, Serialize};

/// A run in one line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Summary {
    /// Its name.
    pub run: String,
    /// The workflow's name.
    pub workflow: String,
    /// The version that it began with, and goes on with.
    pub version: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Who or what started it.
    pub by: String,
    /// How it stands.
    pub state: State,
    /// Why it stands so.
    pub why: Option<String>,
    /// The engine that has it: the token of its node's key.
    pub engine: String,
    /// That node's name.
    pub node: String,
    /// Unix milliseconds.
    pub started_ms: u64,
    /// When this last changed, Unix milliseconds.
    pub changed_ms: u64,
    /// The most that it may cost, credits.
    pub budget: Amount,
    /// What it has cost when this last changed, credits.
    pub spent: Amount,
    /// It is over, and what was left of its budget is back.
    pub settled: bool,
}

/// How a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It goes on.
    Running,
    /// A step of it waits for a time, a signal or a person.
    Waiting,
    /// It, or a step of it, waits until somebody lets it go on.
    Paused,
    /// What was done is undone.
    Undoing,
    /// It ended as its file says.
    Completed,
    /// A step failed.
    Failed,
    /// Somebody ended it.
    Cancelled,
    /// Somebody ended it at once.
    Terminated,
}

impl State {
    /// Is it over?
    pub fn is_over(self) -> bool {
        matches!(self, State::Completed | State::Failed | State::Cancelled | State::Terminated)
    }

    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            State::Running => "running",
            State::Waiting => "waiting",
            State::Paused => "paused",
            State::Undoing => "undoing",
            State::Completed => "completed",
            State::Failed => "failed",
            State::Cancelled => "cancelled",
            State::Terminated => "terminated",
        }
    }
}

/// What an entry changed of a summary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Changed {
    Nothing,
    /// What is spent.
    Spent,
    /// How the run stands.
    State,
}

/// What a run does at the moment, by its journal.
#[derive(Debug, Default)]
pub(crate) struct Course {
    /// Steps with a call under way, or about to be tried again.
    active: BTreeSet<String>,
    /// Steps that wait for a time, a signal or a person.
    waiting: BTreeSet<String>,
    /// Why it is paused: the whole run, or a step.
    paused: BTreeMap<Option<String>, String>,
    /// Why what was done is undone.
    undoing: Option<String>,
}

impl Course {
    /// After this entry.
    pub(crate) fn see(&mut self, summary: &mut Summary, entry: &Entry) -> Changed {
        let before = (summary.state, summary.why.clone(), summary.settled, summary.spent);
        entry.changes.iter().for_each(|change| self.change(summary, change));
        if !summary.state.is_over() {
            (summary.state, summary.why) = self.stands();
        }
        let is_same = (summary.state, &summary.why, summary.settled) == (before.0, &before.1, before.2);
        match (is_same, summary.spent == before.3) {
            (true, true) => Changed::Nothing,
            (true, false) => Changed::Spent,
            (false, _) => {
                summary.changed_ms = entry.at_ms;
                Changed::State
            }
        }
    }

    fn change(&mut self, summary: &mut Summary, change: &Change) {
        match change {
            Change::Awaits { step, .. } => drop(self.waiting.insert(step.clone())),
            Change::Given { step, .. } | Change::Decided { step, .. } => drop(self.waiting.remove(step)),
            Change::Attempted(attempted) => drop(self.active.insert(attempted.step.clone())),
            Change::Answered(answered) => {
                self.active.remove(&answered.step);
                summary.spent = summary.spent.saturating_add(answered.charged);
            }
            Change::Broke { step, .. } => {
                self.active.remove(step);
                self.waiting.remove(step);
                self.paused.remove(&Some(step.clone()));
            }
            Change::Paused { step, why } => {
                if let Some(step) = step {
                    self.active.remove(step);
                }
                self.paused.insert(step.clone(), why.clone());
            }
            Change::Resumed { .. } => self.paused.clear(),
            Change::Undoing { why } => *self = Course { undoing: Some(why.clone()), ..Course::default() },
            Change::Ended { how, what, spent, .. } => {
                (summary.spent, summary.state, summary.why) = (*spent, of_ending(*how), what.clone());
            }
            Change::Settled { .. } => summary.settled = true,
            _ => {}
        }
    }

    /// What concerns people comes first.
    fn stands(&self) -> (State, Option<String>) {
        if let Some((step, why)) = self.paused.first_key_value() {
            let why = step.as_ref().map_or_else(|| why.clone(), |step| format!("`{step}`: {why}"));
            return (State::Paused, Some(why));
        }
        if let Some(why) = &self.undoing {
            return (State::Undoing, Some(why.clone()));
        }
        match (self.waiting.first(), self.waiting.len()) {
            (Some(step), 1) if self.active.is_empty() => (State::Waiting, Some(format!("`{step}` waits"))),
            (Some(step), more) if self.active.is_empty() => {
                (State::Waiting, Some(format!("`{step}` and {} others wait", more - 1)))
            }
            _ => (State::Running, None),
        }
    }
}

fn of_ending(how: Ending) -> State {
    match how {
        Ending::Completed => State::Completed,
        Ending::Failed => State::Failed,
        Ending::Cancelled => State::Cancelled,
        Ending::Terminated => State::Terminated,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hansa_economy::PublicKey;
    use hansa_workflow::run::{Answered, Attempted, Awaited};
    use serde_json::json;

    fn attempted(step: &str) -> Change {
        let (seller, package) = (PublicKey([1; 32]), "s/s@1.0.0".into());
        let (price_max, spent) = (Amount(5), Amount::ZERO);
        Change::Attempted(Attempted {
            step: step.into(),
            nth: 1,
            seller,
            package,
            price_max,
            until_ms: 9,
            args: Default::default(),
            spent,
        })
    }

    fn answered(step: &str) -> Change {
        Change::Answered(Answered { step: step.into(), nth: 1, value: json!(1), charged: Amount(5), receipt: None })
    }

    fn awaits(step: &str) -> Change {
        Change::Awaits { step: step.into(), awaited: Awaited::Time { until_ms: 9 } }
    }

    #[test]
    fn a_run_waits_when_nothing_else_is_under_way() {
        let mut summary = Summary {
            run: "r".into(),
            workflow: "a/b".into(),
            version: "1.0.0".into(),
            labels: BTreeMap::new(),
            by: "a test".into(),
            state: State::Running,
            why: None,
            engine: "e".into(),
            node: "n".into(),
            started_ms: 1,
            changed_ms: 1,
            budget: Amount(100),
            spent: Amount::ZERO,
            settled: false,
        };
        let mut course = Course::default();
        let paused = |step: Option<&str>| Change::Paused { step: step.map(str::to_owned), why: "no".into() };
        let given = |step: &str| Change::Given { step: step.into(), value: json!(null) };
        for (changes, changed, state, why) in [
            (vec![attempted("a")], Changed::Nothing, "running", None),
            (vec![awaits("p")], Changed::Nothing, "running", None),
            // The call beside it is over: only a person is waited for.
            (vec![answered("a")], Changed::State, "waiting", Some("`p` waits")),
            (vec![awaits("q")], Changed::State, "waiting", Some("`p` and 1 others wait")),
            (vec![attempted("b")], Changed::State, "running", None),
            (vec![paused(Some("b"))], Changed::State, "paused", Some("`b`: no")),
            (vec![given("p")], Changed::Nothing, "paused", Some("`b`: no")),
            (vec![Change::Resumed { by: "x".into() }], Changed::State, "waiting", Some("`q` waits")),
            (vec![attempted("b"), answered("b"), given("q")], Changed::State, "running", None),
            (vec![attempted("c"), answered("c")], Changed::Spent, "running", None),
            (vec![awaits("z"), Change::Undoing { why: "c".into() }], Changed::State, "undoing", Some("c")),
        ] {
            let told = format!("{changes:?}");
            let entry = Entry { version: 1, id: "i".into(), at_ms: 2, engine: "n".into(), changes };
            assert_eq!(course.see(&mut summary, &entry), changed, "{told}");
            assert_eq!((summary.state.name(), summary.why.as_deref()), (state, why), "{told}");
        }
        assert_eq!(summary.spent, Amount(15));
    }
}
