//! Undoing a run: the compensations of its steps, backwards.

use std::sync::Arc;

use super::history::Outcome;
use super::plan::PlanCall;
use super::walk::{Frame, Halt, Run, Stop};
use super::world::{Lost, World};
use crate::eval::Scope;

/// What undoes a step that was answered.
pub(super) struct Undo {
    pub(super) path: String,
    pub(super) call: Arc<PlanCall>,
    /// What the step saw, with its answer.
    pub(super) scope: Scope,
    /// Its place in the order of answers.
    pub(super) order: u64,
}

impl<W: World> Run<W> {
    pub(super) fn undo_later(&self, undo: Undo) {
        self.undo.lock().expect("no panic while compensations are locked").push(undo);
    }

    /// The place of a step's answer: by the journal, or after all that it knew.
    pub(super) fn undo_order(&self, path: &str) -> u64 {
        let known = self.history().orders.get(path).copied();
        known.unwrap_or_else(|| u64::MAX / 2 + self.undo.lock().expect("no panic while compensations are locked").len() as u64)
    }

    /// Undo everything, the last answer first. What could not be undone, in words.
    pub(super) async fn undo_all(&self, frame: &Frame) -> Result<Vec<String>, Lost> {
        let mut undos = std::mem::take(&mut *self.undo.lock().expect("no panic while compensations are locked"));
        undos.sort_by_key(|undo| std::cmp::Reverse(undo.order));
        let frame = Frame { halt: Halt::default(), undoes: true, deadline_ms: None, ..frame.clone() };
        let mut left = Vec::new();
        for undo in undos {
            let path = format!("undo/{}", undo.path);
            let past = self.history().take(&path);
            if let Some(Outcome::Broke { what, .. }) = &past.outcome {
                left.push(format!("`{}`, since {what}", undo.path));
                continue;
            }
            match Box::pin(self.one(&undo.call, past, &path, &undo.scope, &frame, undo.call.call.retry, None)).await {
                Ok(_) => {}
                Err(Stop::Lost) => return Err(Lost),
                Err(Stop::Failed(failure)) => left.push(format!("`{}`, since {}", undo.path, failure.what)),
                Err(Stop::Halted) => left.push(format!("`{}`, since the run was ended at once", undo.path)),
            }
        }
        Ok(left)
    }
}
