//! What a run waits for, now.

use hansa_economy::PublicKey;
use serde::Serialize;

use super::step::{Attempt, Outcome, StepState};
use super::text::{clock, moment};
use super::{Report, Step};
use crate::run::{Awaited, DIVERGED};

/// Something that is waited for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Waiting {
    /// The step that waits; none: the whole run.
    pub step: Option<String>,
    /// For what.
    #[serde(flatten)]
    pub what: WaitsFor,
    /// Since when, Unix milliseconds.
    pub since_ms: u64,
    /// The same, in words for people. Some of them may be strangers': escape them before a terminal sees them.
    pub words: String,
    /// The command that ends it, where somebody has to.
    pub command: Option<String>,
}

/// For what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "for", rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum WaitsFor {
    /// Somebody has to let it go on.
    Resume {
        /// Why it stands still.
        why: String,
    },
    /// A person.
    Approval {
        /// What is asked.
        message: String,
        /// Until when, Unix milliseconds.
        until_ms: u64,
    },
    /// A signal.
    Signal {
        /// Its name.
        name: String,
        /// Until when, Unix milliseconds.
        until_ms: Option<u64>,
    },
    /// A time.
    Time {
        /// When, Unix milliseconds.
        until_ms: u64,
    },
    /// The next attempt, or the repeat of one whose end is not known.
    Attempt {
        /// When, Unix milliseconds.
        until_ms: u64,
        /// Why the last one failed.
        fault: String,
    },
    /// The answer to a call.
    Answer {
        /// Who was asked.
        seller: PublicKey,
        /// What that one runs.
        package: String,
        /// Until when, Unix milliseconds.
        until_ms: u64,
    },
}

impl WaitsFor {
    /// Does somebody have to do something? Those come first.
    fn rank(&self) -> u8 {
        match self {
            WaitsFor::Resume { .. } => 0,
            WaitsFor::Approval { .. } => 1,
            WaitsFor::Signal { .. } => 2,
            WaitsFor::Time { .. } => 3,
            WaitsFor::Attempt { .. } => 4,
            WaitsFor::Answer { .. } => 5,
        }
    }
}

impl Report {
    /// What it waits for, what people have to do first.
    pub fn waits_for(&self) -> Vec<Waiting> {
        if self.told.ended.is_some() {
            return Vec::new();
        }
        let paused = self.told.paused.as_ref().map(|(why, since_ms)| Waiting {
            step: None,
            words: format!("the run is paused: {why}"),
            what: WaitsFor::Resume { why: why.clone() },
            since_ms: *since_ms,
            command: Some(self.command("resume", None)),
        });
        let steps = self.open.iter().filter_map(|nth| self.waiting(&self.steps[*nth]));
        let mut all: Vec<Waiting> = paused.into_iter().chain(steps).collect();
        all.sort_by_key(|waiting| waiting.what.rank());
        all
    }

    fn command(&self, verb: &str, what: Option<&str>) -> String {
        let what = what.map_or_else(String::new, |what| format!(" {what}"));
        format!("hansa workflow {verb} {}{what}", self.facts.run)
    }

    fn waiting(&self, step: &Step) -> Option<Waiting> {
        let (what, words, command) = match (step.state, &step.awaited) {
            (StepState::Paused, _) => self.paused_at(step),
            (StepState::Waiting, Some(awaited)) => self.awaited(step, awaited),
            (StepState::Running, _) => {
                let (what, words) = called(step)?;
                (what, words, None)
            }
            _ => return None,
        };
        Some(Waiting { step: Some(step.path.clone()), what, since_ms: step.since_ms, words, command })
    }

    fn paused_at(&self, step: &Step) -> (WaitsFor, String, Option<String>) {
        let why = step.why.clone().unwrap_or_default();
        // Resuming helps where attempts are used up; a walk that leads elsewhere is ended, or is gone on with by the other program.
        let verb = if why.ends_with(DIVERGED) { "cancel" } else { "resume" };
        let words = format!("`{}` stands still: {why}", step.path);
        (WaitsFor::Resume { why }, words, Some(self.command(verb, None)))
    }

    fn awaited(&self, step: &Step, awaited: &Awaited) -> (WaitsFor, String, Option<String>) {
        let path = &step.path;
        match awaited.clone() {
            Awaited::Approval { message, until_ms } => {
                let words = format!("`{path}` asks for an approval until {}: {message}", moment(until_ms));
                (WaitsFor::Approval { message, until_ms }, words, Some(self.command("approve", Some(path))))
            }
            Awaited::Signal { name, until_ms } => {
                let until = until_ms.map_or_else(String::new, |until_ms| format!(" until {}", moment(until_ms)));
                let command = self.command("signal", Some(&name));
                let words = format!("`{path}` waits for the signal `{name}`{until}");
                (WaitsFor::Signal { name, until_ms }, words, Some(command))
            }
            Awaited::Time { until_ms } => {
                (WaitsFor::Time { until_ms }, format!("`{path}` waits until {}", moment(until_ms)), None)
            }
        }
    }
}

/// A call that is under way, or is tried again later.
fn called(step: &Step) -> Option<(WaitsFor, String)> {
    let attempt = step.attempts.last()?;
    let path = &step.path;
    match attempt.outcome {
        Outcome::Open => {
            let Attempt { seller: Some(seller), package: Some(package), until_ms: Some(until_ms), .. } = attempt else {
                return None;
            };
            let words = format!("`{path}` asks {} ({package}), since {}", seller.short(), clock(attempt.began_ms));
            Some((WaitsFor::Answer { seller: *seller, package: package.clone(), until_ms: *until_ms }, words))
        }
        Outcome::Missed | Outcome::Unclear => {
            let fault = attempt.faults.last()?;
            let verb = if attempt.outcome == Outcome::Unclear { "repeats its call" } else { "tries again" };
            let words = format!("`{path}` {verb} at {}, after: {}", clock(fault.again_ms), fault.what);
            Some((WaitsFor::Attempt { until_ms: fault.again_ms, fault: fault.what.clone() }, words))
        }
        Outcome::Answered | Outcome::Failed => None,
    }
}
