//! How far a run is: steps that are over, of all that are known.

use serde::Serialize;

use super::Report;
use super::outline::Outline;
use super::step::StepState;
use crate::definition::{OnError, Step, Work};

/// Steps that buy, make a value, wait or ask; those within a map count for each item. What they stand in does not count by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Progress {
    /// Steps that have their value.
    pub done: u64,
    /// Steps that failed for good.
    pub failed: u64,
    /// All steps of the run, as far as can be told: those that will not be begun any more do not count.
    pub total: u64,
    /// There may be more: a list is not known yet, or a case, or how often a loop goes round.
    pub at_least: bool,
    /// Steps that were undone.
    pub undone: u64,
}

/// What follows in a list.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rest {
    /// Is done.
    Goes,
    /// Is not begun any more.
    Ends,
}

impl Report {
    /// How far it is. Goes through all steps and items: ask for it when it is shown, not with each entry.
    pub fn progress(&self) -> Progress {
        let mut progress = Progress::default();
        let is_undone = |state: StepState| state == StepState::Done;
        progress.undone = self
            .steps
            .iter()
            .filter(|step| step.undoes.is_some() && is_undone(step.state))
            .count()
            .try_into()
            .unwrap_or(u64::MAX);
        let ends = self.facts.state.is_over() || self.told.undoing.is_some();
        match self.outlines.first() {
            Some((_, Some(outline))) => {
                let rest = if ends { Rest::Ends } else { Rest::Goes };
                self.list(outline, &outline.workflow.steps, "", rest, &mut progress);
            }
            // Without the file only what was begun is known.
            _ => self.begun(&mut progress),
        }
        progress
    }

    fn begun(&self, progress: &mut Progress) {
        progress.at_least = !self.facts.state.is_over();
        for (step, spot) in self.steps.iter().zip(&self.spots).filter(|(step, _)| step.undoes.is_none()) {
            let has_within = step.items.is_some() || step.chosen.is_some() || step.rounds.is_some() || spot.runs.is_some();
            if !has_within {
                leaf(step.state, progress);
            }
        }
    }

    /// The steps of a list, `around` in front of their ids.
    fn list(&self, outline: &Outline, steps: &[Step], around: &str, mut rest: Rest, progress: &mut Progress) {
        for step in steps {
            let path = format!("{around}{}", step.id);
            let Some(known) = self.step(&path) else {
                if rest == Rest::Goes {
                    least(std::slice::from_ref(step), progress);
                    continue;
                }
                return;
            };
            let is_bad = matches!(known.state, StepState::Failed | StepState::Left);
            self.one(outline, step, &path, if is_bad { Rest::Ends } else { rest }, progress);
            if known.state == StepState::Failed && step.on_error != OnError::Step || known.state == StepState::Left {
                rest = Rest::Ends;
            }
        }
    }

    fn one(&self, outline: &Outline, step: &Step, path: &str, rest: Rest, progress: &mut Progress) {
        let Some(nth) = self.index.get(path).copied() else { return };
        let known = &self.steps[nth];
        let goes = rest == Rest::Goes;
        match &step.work {
            Work::Map(fan) => match known.items {
                Some(items) => {
                    (0..items.count).for_each(|nth| self.list(outline, &fan.steps, &format!("{path}#{nth}/"), rest, progress));
                }
                None if goes => least(std::slice::from_ref(step), progress),
                None => {}
            },
            Work::Parallel(branches) => {
                let branch = |name: &str| format!("{path}.{name}/");
                branches.iter().for_each(|one| self.list(outline, &one.steps, &branch(&one.name), rest, progress));
            }
            Work::Switch { cases, otherwise } => match known.chosen {
                Some(chosen) => {
                    let steps = cases.get(chosen.case as usize).map_or(otherwise, |case| &case.steps);
                    self.list(outline, steps, &format!("{path}/"), rest, progress);
                }
                None if goes => least(std::slice::from_ref(step), progress),
                None => {}
            },
            Work::Loop { steps, .. } => {
                let rounds = known.rounds.unwrap_or(0);
                (0..rounds).for_each(|round| self.list(outline, steps, &format!("{path}#{round}/"), rest, progress));
                progress.at_least |= goes && !known.is_over();
            }
            Work::Run { .. } => match self.spots[nth].runs.and_then(|runs| self.outlines[runs].1.as_ref()) {
                Some(inner) => self.list(inner, &inner.workflow.steps, &format!("{path}/"), rest, progress),
                None => leaf(known.state, progress),
            },
            _ => leaf(known.state, progress),
        }
    }
}

fn leaf(state: StepState, progress: &mut Progress) {
    match state {
        StepState::Done => progress.done += 1,
        StepState::Failed => progress.failed += 1,
        StepState::Left => return,
        _ => {}
    }
    progress.total += 1;
}

/// Steps that nothing is known of yet.
fn least(steps: &[Step], progress: &mut Progress) {
    for step in steps {
        match &step.work {
            Work::Map(fan) => {
                least(&fan.steps, progress);
                progress.at_least = true;
            }
            Work::Parallel(branches) => branches.iter().for_each(|branch| least(&branch.steps, progress)),
            Work::Switch { cases, otherwise } => {
                let lists = cases.iter().map(|case| &case.steps).chain([otherwise]);
                let counts = lists.map(|list| {
                    let mut count = Progress::default();
                    least(list, &mut count);
                    count.total
                });
                progress.total += counts.min().unwrap_or(0);
                progress.at_least = true;
            }
            Work::Loop { .. } => progress.at_least = true,
            Work::Run { .. } => {
                progress.total += 1;
                progress.at_least = true;
            }
            _ => progress.total += 1,
        }
    }
}
