//! Going on from a step of a run that is over: what was done before that step is taken over into a new run, and costs nothing there.

use std::collections::HashSet;

use hansa_economy::Amount;

use super::entry::{Answered, Change, Entry, Started};
use crate::Workflow;

/// What a run that begins anew from `step` takes over of an older one: what began that one, and what was done before that step.
///
/// # Errors
/// The older one has no such step at its outermost level, or undid what came before it.
pub fn carried(entries: &[Entry], step: &str) -> Result<(Started, Vec<Change>), String> {
    let changes = || entries.iter().flat_map(|entry| &entry.changes);
    let started = changes().find_map(|change| match change {
        Change::Started(started) => Some((**started).clone()),
        _ => None,
    });
    let started = started.ok_or("the run's journal has no beginning")?;
    let workflow = Workflow::read(&started.file).map_err(|_| "the run's file cannot be read by this program")?;
    let Some(at) = workflow.steps.iter().position(|known| known.id == step) else {
        let known: Vec<&str> = workflow.steps.iter().map(|step| &*step.id).collect();
        return Err(format!("`{step}` is none of the outermost steps; a run can go on from `{}`", known.join("`, `")));
    };
    let before: HashSet<&str> = workflow.steps[..at].iter().map(|step| &*step.id).collect();
    let counts = |path: &str| before.contains(outermost(path));
    let undone = changes().find_map(|change| match change {
        Change::Answered(answered) => answered.step.strip_prefix("undo/").filter(|path| counts(path)),
        _ => None,
    });
    if let Some(undone) = undone {
        return Err(format!("what `{undone}` did was undone, so nothing can go on from there; start a new run"));
    }
    let answered: HashSet<&str> = changes()
        .filter_map(|change| match change {
            Change::Answered(answered) => Some(&*answered.step),
            _ => None,
        })
        .collect();
    let kept = changes().filter_map(|change| match change {
        Change::Answered(old) if counts(&old.step) => Some(Change::Answered(Answered { charged: Amount::ZERO, ..old.clone() })),
        Change::Attempted(begun) if counts(&begun.step) && answered.contains(&*begun.step) => Some(change.clone()),
        Change::Given { step, .. } | Change::Chose { step, .. } | Change::Opened { step, .. } | Change::Nested { step, .. }
            if counts(step) =>
        {
            Some(change.clone())
        }
        Change::Broke { step, what, is_item, .. } if counts(step) => {
            Some(Change::Broke { step: step.clone(), what: what.clone(), at_risk: Amount::ZERO, is_item: *is_item })
        }
        _ => None,
    });
    let kept = kept.collect();
    Ok((started, kept))
}

/// The outermost step of a place: `rows` of `rows#2/read`.
fn outermost(path: &str) -> &str {
    path.split(['/', '#', '.', '~']).next().unwrap_or(path)
}
